"""The values that commands and events are made of, and the one gate through which they come in.

The marks on a type say what later floors need to know of a field: ``term`` names the vocabulary it is taken from,
``personal`` that it is free text or personal data (to be sealed, 个人信息保护法 arts. 6 and 47), ``money`` that it is
yuan with fen precision.
"""

# Without postponed annotations: whoever decodes a type would compile each of its own and of its parents' again.
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta, inspect

from casework.domain.moments import EARLIEST, LATEST, is_reasonable, within_reason
from casework.domain.vocabulary import KINDS, VOCABULARY
from casework.errors import InputError
from casework.marks import MAX_MARKS, overstacked

#: The most that one text may hold, and one event in all: a store takes events of any kind of engine only below these.
TEXT_BYTES = 64 * 1024
EVENT_BYTES = 256 * 1024
#: The most that one list may hold.
LIST_ITEMS = 200

IDENTITY_PATTERN = r"\A\w[\w.\-]{0,63}\Z"

COMMAND_ID_PATTERN = r"\A[^\x00-\x1f\x7f\ud800-\udfff]+\Z"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Identity = Annotated[str, Meta(pattern=IDENTITY_PATTERN)]
Text = Annotated[str, Meta(min_length=1, extra={"personal": True})]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Clause = Annotated[str, Meta(min_length=1, max_length=200)]
Money = Annotated[Decimal, Meta(extra={"money": True})]
Moment = Annotated[datetime, Meta(tz=True)]
Points = Annotated[int, Meta(ge=1, le=48)]

Ground = Annotated[str, Meta(extra={"term": "ground"})]
Platform = Annotated[str, Meta(extra={"term": "platform"})]
Service = Annotated[str, Meta(extra={"term": "service"})]
Role = Annotated[str, Meta(extra={"term": "role"})]
Party = Literal["consumer", "merchant"]
Channel = Annotated[str, Meta(extra={"term": "channel"})]
EvidenceKind = Annotated[str, Meta(extra={"term": "evidence"})]
Authenticity = Annotated[str, Meta(extra={"term": "authenticity"})]
ProofKind = Annotated[str, Meta(extra={"term": "proof"})]
ProofResult = Annotated[str, Meta(extra={"term": "proof_result"})]
RemedyKind = Annotated[str, Meta(extra={"term": "remedy"})]
PenaltyKind = Annotated[str, Meta(extra={"term": "penalty"})]
Outcome = Annotated[str, Meta(extra={"term": "outcome"})]
Excuse = Annotated[str, Meta(extra={"term": "excuse"})]
Body = Annotated[str, Meta(extra={"term": "body"})]
Rejection = Annotated[str, Meta(extra={"term": "rejection"})]
NoContact = Annotated[str, Meta(extra={"term": "no_contact"})]
DutyKind = Annotated[str, Meta(extra={"term": "duty"})]
DutyMove = Annotated[str, Meta(extra={"term": "duty_change"})]
Suspension = Annotated[str, Meta(extra={"term": "suspension"})]
TipOffState = Annotated[str, Meta(extra={"term": "tip_off"})]

FEN = Decimal("0.01")
MOST_MONEY = Decimal("1000000000")
_MOST_ZEROS = 30


#: Bytes of JSON that stand for themselves, and characters that no neighbour combines with: whatever is written in these alone
#: is in NFC. The ranges are Latin-1, punctuation, ideographs and full-width forms.
_ASCII = bytes(range(128))
_PLAIN = re.compile("[\xa0-\xff\u2010-\u2027\u2030-\u205e\u3001-\u3029\u4e00-\u9fff\uff01-\uff60]*")
_FEN = re.compile(r"[0-9]+\.[0-9]{2}")


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Base of what commands and events are made of: immutable, named fields only, nothing unknown.

    Not tracked by the garbage collector: what holds texts, numbers, times and such values alone makes no cycle.
    """


class Actor(Value, frozen=True):
    """Who acts: a role and a pseudonymous identity within it (for ``external``, the body)."""

    role: Role
    id: Identity

    def __str__(self) -> str:
        return f"{self.role}:{self.id}"


class Order(Value, frozen=True):
    """The order a complaint is about, as known on discovery. Amounts in yuan; times with their offset.

    ``received_at`` is when the goods were signed for, ``confirmed_at`` when the buyer confirmed receipt (确认收货);
    ``liquidated_damages`` what the merchant promised to pay if he breaks his word (约定的违约金).
    """

    id: Identity
    item: Text
    category: Identity
    merchant: Identity
    paid: Money
    ordered_at: Moment
    received_at: Moment | None = None
    platform: Platform = "taobao"
    services: tuple[Service, ...] = ()
    confirmed_at: Moment | None = None
    liquidated_damages: Money | None = None


class Extra(Value, frozen=True):
    """What the consumer gets on top of the remedy: points, a compensation, a promised multiple."""

    kind: RemedyKind
    amount: Money | None = None


class Remedy(Value, frozen=True):
    """What the consumer is to get. ``amount`` in yuan where money is part of it."""

    kind: RemedyKind
    amount: Money | None = None
    extra: tuple[Extra, ...] = ()

    @property
    def parts(self) -> "tuple[Remedy | Extra, ...]":
        """The remedy itself and what comes on top."""
        return (self, *self.extra)

    @property
    def total(self) -> Decimal | None:
        """All money in it, in yuan; None where it is no money at all."""
        amounts = [p.amount for p in self.parts if p.amount is not None and p.kind != "points"]
        return sum(amounts, Decimal(0)) if amounts else None


class Penalty(Value, frozen=True):
    """What the platform lays upon the merchant; a fact of the ruling, with the clause it rests on."""

    kind: PenaltyKind
    clause: Clause | None = None
    points: Points | None = None


S = TypeVar("S", bound=msgspec.Struct)


def clean(struct: S, where: str = "") -> S:
    """The same value with text in NFC, money in whole fen and times in UTC.

    Raises :class:`InputError` naming the field for a term that the vocabulary lacks (with the nearest that it has),
    text that holds NUL, lone surrogates or control characters, text over 64 KiB, more than 200 items in a list, or money
    that is negative, not finite, finer than a fen or above a thousand million yuan; and for anything that the type itself
    does not take, so that what was built in code is judged like what was read from a file.
    """
    struct = _clean(struct, where)
    try:
        msgspec.json.decode(msgspec.json.encode(struct), type=type(struct))
    except msgspec.ValidationError as error:
        what, path = told(error)
        raise InputError(f"does not fit: {what}", f"取值不符：{what}", where + ".".join(str(p) for p in path)) from None
    return struct


def is_clean(struct: msgspec.Struct, payload: bytes) -> bool:
    """Whether :func:`clean` certainly leaves a value as it is that was decoded from these bytes of JSON, its canonical ones.

    False says no more than that it has to be asked. Texts are looked at all at once, in the bytes.
    """
    if len(payload) > TEXT_BYTES or b"\\" in payload or b"\x7f" in payload:
        return False
    beyond = payload.translate(None, _ASCII)
    if beyond and _PLAIN.fullmatch(beyond.decode()) is None:
        return False
    return _soundness(type(struct))(struct)


def told(error: msgspec.ValidationError) -> tuple[str, tuple[str | int, ...]]:
    """What a validation error says, and the path of the field that it says it of."""
    what, _, where = str(error).partition(" - at `$")
    path = tuple(int(i) if i else k for k, i in re.findall(r"\.(\w+)|\[(\d+)\]", where))
    return what.replace("`", ""), path


def _clean(struct: S, where: str = "") -> S:
    fields = {}
    for name, kind in _fields(type(struct)):
        before = getattr(struct, name)
        after = _cleaned(before, kind, {}, f"{where}{name}")
        if after is not before:
            fields[name] = after
    return msgspec.structs.replace(struct, **fields) if fields else struct


def absurd(value: msgspec.Struct) -> str:
    """The dotted name of an amount or a time in a stored value that no reckoning can be asked to take; empty for none.

    Whoever decodes without cleaning asks this: an amount of a thousand million digits is few bytes until it is shown.
    """
    for name in _measured(type(value)):
        found = _absurd(getattr(value, name))
        if found is not None:
            return f"{name}.{found}".rstrip(".")
    return ""


def _absurd(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return None if value.is_finite() and abs(value.adjusted()) <= _MOST_ZEROS else ""
    if isinstance(value, datetime):
        return None if value.tzinfo is not None and is_reasonable(value) else ""
    if isinstance(value, tuple):
        return next((found for item in value if (found := _absurd(item)) is not None), None)
    return (absurd(value) or None) if isinstance(value, msgspec.Struct) else None


@cache
def _measured(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a type in which, however deep, an amount or a time may stand."""
    # Not by msgspec's inspection, which describes every nested type anew for each type that holds it.
    return tuple(name for name, held in get_type_hints(kind, include_extras=True).items() if _measures(held))


def _measures(hint: Any) -> bool:
    if parts := get_args(hint):
        return any(map(_measures, parts))
    return isinstance(hint, type) and (issubclass(hint, Decimal | datetime)
                                       or (issubclass(hint, msgspec.Struct) and bool(_measured(hint))))


@cache
def _soundness(kind: type[msgspec.Struct]) -> Callable[[Any], bool]:
    """Whether everything in a value of that type but its texts is as :func:`clean` leaves it.

    Written out from the marks as one expression, for it is asked of every event that is audited.
    """
    known: dict[str, Any] = {"UTC": UTC, "EARLIEST": EARLIEST, "LATEST": LATEST}
    asked = []
    for name, held in _fields(kind):
        found = _holds(held, {})
        if found is not None:
            question, known[f"known_{name}"] = found
            asked.append(f"((x := value.{name}) is None or {question.format(f'known_{name}')})")
    sound: Callable[[Any], bool] = eval(f"lambda value: {' and '.join(asked) or True}", known)
    return sound


def _holds(kind: inspect.Type, marks: dict[str, Any]) -> tuple[str, Any] | None:
    """What has to hold of a field that is not empty, as a question about ``x``, and what it is asked with; None if nothing."""
    if isinstance(kind, inspect.Metadata):
        return _holds(kind.type, kind.extra or {})
    if isinstance(kind, inspect.UnionType):
        [part] = [p for p in kind.types if not isinstance(p, inspect.NoneType)]
        return _holds(part, marks)
    if isinstance(kind, inspect.VarTupleType):
        of_item = _holds(kind.item_type, {})
        if of_item is None:
            return f"len(x) <= {LIST_ITEMS}", None
        question, known = of_item
        each = eval(f"lambda x: {question.format('known')}", {"known": known, "UTC": UTC, "EARLIEST": EARLIEST, "LATEST": LATEST})
        return f"(not x or (len(x) <= {LIST_ITEMS} and all(map({{0}}, x))))", each
    if isinstance(kind, inspect.StructType):
        return "{0}(x)", _soundness(kind.cls)
    if isinstance(kind, inspect.StrType):
        return ("x in {0}", VOCABULARY[marks["term"]]) if "term" in marks else None
    if isinstance(kind, inspect.DecimalType):
        return "{0}(x)", _is_money
    return ("(x.tzinfo is UTC and EARLIEST <= x < LATEST)", None) if isinstance(kind, inspect.DateTimeType) else None


def _is_money(value: Decimal) -> bool:
    return _FEN.fullmatch(str(value)) is not None and value <= MOST_MONEY


def personal_fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The dotted names of the fields of a type that hold personal data or free text."""
    return tuple(_personal(inspect.type_info(kind), ""))


def named(kind: str, value: str) -> str:
    """``value`` if the vocabulary has it; else :class:`InputError` with the nearest term."""
    terms = VOCABULARY[kind]
    if value in terms:
        return value
    from difflib import get_close_matches

    near = get_close_matches(value, terms, n=1)
    guess_en = f"; did you mean '{near[0]}'?" if near else f"; one of: {', '.join(terms)}"
    guess_zh = f"；是否指“{near[0]}”？" if near else f"；可用：{'、'.join(terms)}"
    what = KINDS[kind]
    raise InputError(f"unknown {what.en} '{value[:60]}'{guess_en}", f"未知的{what.zh}“{value[:60]}”{guess_zh}")


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, inspect.Type], ...]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return tuple((field.name, field.type) for field in info.fields)


def _personal(kind: inspect.Type, path: str) -> list[str]:
    if isinstance(kind, inspect.Metadata):
        if (kind.extra or {}).get("personal"):
            return [path]
        return _personal(kind.type, path)
    if isinstance(kind, inspect.UnionType):
        return [name for part in kind.types for name in _personal(part, path)]
    if isinstance(kind, inspect.VarTupleType):
        return _personal(kind.item_type, f"{path}[]")
    if isinstance(kind, inspect.StructType):
        return [name for f in kind.fields for name in _personal(f.type, f"{path}.{f.name}".lstrip("."))]
    return []


def _cleaned(value: Any, kind: inspect.Type, marks: dict[str, Any], path: str) -> Any:
    if isinstance(kind, inspect.Metadata):
        return _cleaned(value, kind.type, kind.extra or {}, path)
    if value is None:
        return None
    if isinstance(kind, inspect.UnionType):
        [part] = [p for p in kind.types if not isinstance(p, inspect.NoneType)]
        return _cleaned(value, part, marks, path)
    if isinstance(value, msgspec.Struct):
        return _clean(value, f"{path}.")
    if isinstance(value, tuple):
        return _items(value, kind, path)
    if isinstance(value, str):
        return _text(value, marks, path)
    if isinstance(value, Decimal):
        return _money(value, path)
    if isinstance(value, datetime):
        return _utc(value, path)
    if isinstance(value, float):
        raise InputError("is a float; give amounts as a decimal, such as Decimal('899.00')",
                         "是浮点数；金额请用十进制，例如 Decimal('899.00')", path)
    return value


def _items(values: tuple[Any, ...], kind: inspect.Type, path: str) -> tuple[Any, ...]:
    assert isinstance(kind, inspect.VarTupleType)
    if len(values) > LIST_ITEMS:
        raise InputError(f"holds more than {LIST_ITEMS} items; split it", f"超过 {LIST_ITEMS} 项，请拆分", path)
    after = tuple(_cleaned(v, kind.item_type, {}, f"{path}[{i}]") for i, v in enumerate(values))
    return values if all(a is b for a, b in zip(after, values, strict=True)) else after


def _text(value: str, marks: dict[str, Any], path: str) -> str:
    if "term" in marks:
        try:
            return named(marks["term"], value)
        except InputError as error:
            raise error.at(path) from None
    _check_size(value, path)
    if _CONTROL.search(value):
        raise InputError("holds a control character; take it out", "含有控制字符，请删除", path)
    if overstacked(value):
        raise InputError(f"has more than {MAX_MARKS} combining marks on one character; delete some",
                         f"一个字符上的组合符号超过 {MAX_MARKS} 个；请删除多余的", path)
    normal = unicodedata.normalize("NFC", value)
    if normal == value:
        return value
    _check_size(normal, path)
    return normal


def _check_size(value: str, path: str) -> None:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise InputError("holds half of a character (a lone surrogate)", "含有不完整的字符", path) from None
    if size > TEXT_BYTES:
        raise InputError(f"is over {TEXT_BYTES // 1024} KiB; keep the text in a file and name its SHA-256",
                         f"超过 {TEXT_BYTES // 1024} KiB；请把正文存为文件并只记录其 SHA-256", path)


def _utc(value: datetime, path: str) -> datetime:
    if value.tzinfo is None:
        raise InputError("is a time without its offset; write one such as 2026-03-01T10:00:00+08:00",
                         "时间缺少时区；请写如 2026-03-01T10:00:00+08:00", path)
    try:
        return within_reason(value if value.tzinfo is UTC else value.astimezone(UTC), path)
    except OverflowError:
        raise InputError("is no time that a calendar has", "不是有效的时间", path) from None


def _money(value: Decimal, path: str) -> Decimal:
    if not value.is_finite() or value < 0 or value > MOST_MONEY:
        raise InputError("is not an amount in yuan, such as 899.00", "不是有效的人民币金额，例如 899.00", path)
    fen = value.quantize(FEN)
    if fen != value:
        raise InputError("is finer than a fen; give at most two decimals", "金额最多保留两位小数（分）", path)
    return value if value.as_tuple() == fen.as_tuple() else abs(fen)
