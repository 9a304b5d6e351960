"""Rulebook files: YAML that a lawyer reads, as records that know their file and line, and every fault of it with its remedy.

The published files lie in ``records/`` beside this module; ``records/editions.yaml`` lists the editions with their digests,
so that a record edited after it was published is noticed. Anyone's own files have the same form.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from casework.errors import InputError
from casework.rulebook.records import BODIES, CHOICES, RANKS, Record
from casework.yamlfile import Document, load

FOLDER = Path(__file__).parent / "records"
SHOWN_FOLDER = "casework/rulebook/records"
LOCK = "editions.yaml"
_LOCK_HEAD = "# What was published; cases pin it. Printed by casework rules check --lock EDITION, never written by hand."

MOST_TIME = 9999

_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")
_FIGURE = re.compile(r"(?!0+(?:\.0+)?$)[0-9]{1,9}(?:\.[0-9]{1,4})?")
_YUAN = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")
_EDITION = re.compile(r"[0-9]{4}-[0-9]{2}(?:\.[0-9]+)?")
_REQUIRED = ("id", "value", "unit", "from", "rank", "applies_by", "clause", "certainty", "zh", "en")
_TIME_ONLY = ("roll", "starts", "extension")
_MONEY_ONLY = ("of", "min", "max", "awarded_by")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as a file holds it: where, and in which editions; ``since`` "" is from the first on, ``until`` "" for ever."""

    record: Record
    since: str
    until: str
    file: str
    lines: Mapping[str, int]

    def where(self, field: str = "id") -> str:
        """``FILE:LINE`` of one of its fields, of its beginning where that is not written."""
        return f"{self.file}:{self.lines.get(field, self.lines[''])}"

    @property
    def key(self) -> str:
        """What the lock calls it: the edition it came with, id, rank and first day."""
        return f"{self.since} {self.record.id} {self.record.rank} {self.record.from_ or 'unknown'}"


@dataclass(frozen=True, slots=True)
class Listed:
    """An edition as the lock lists it. ``whole_days``: a limit of days or longer ends with its last day."""

    id: str
    whole_days: bool
    digest: str
    line: int


@dataclass(frozen=True, slots=True)
class Lock:
    """What was published: the editions, the oldest first, and the digest of each record with its line."""

    editions: tuple[Listed, ...]
    records: Mapping[str, tuple[str, int]]


class Faults(InputError):
    """Files that cannot be used: ``faults`` is every fault, and the error reads as the first of them."""

    def __init__(self, faults: Sequence[InputError]) -> None:
        first, more = faults[0], len(faults) - 1
        super().__init__(
            first.bare_en + (f" (and {more} more: casework rules check)" if more else ""),
            first.bare_zh + (f"（另有 {more} 处，见 casework rules check）" if more else ""), first.where)
        self.faults = tuple(faults)


@cache
def published() -> tuple[Lock, tuple[Entry, ...]]:
    """The lock and the published records, read once. :class:`Faults` where a file was altered or is not usable."""
    lock, entries, faults = read_published(FOLDER)
    if faults:
        raise Faults(faults)
    return lock, entries


def read_published(folder: Path, new: str | None = None) -> tuple[Lock, tuple[Entry, ...], list[InputError]]:
    """The lock and the records of the folder, and every fault in them; ``new`` is an edition to be published.

    ``InputError`` if the lock itself is not usable, or ``new`` is no name for a further edition.
    """
    lock = _lock(load(folder / LOCK, f"{SHOWN_FOLDER}/{LOCK}"))
    if new is not None:
        if not _EDITION.fullmatch(new) or new in (listed.id for listed in lock.editions):
            raise InputError("write the name of an edition that is not published yet, such as 2027-01",
                             "请写尚未公布的版本号，例如 2027-01", "--lock")
        lock = Lock((*lock.editions, Listed(new, True, "", 0)), lock.records)
    entries, faults = read(
        [(path, f"{SHOWN_FOLDER}/{path.name}") for path in sorted(folder.glob("*.yaml")) if path.name != LOCK],
        [listed.id for listed in lock.editions])
    faults += [InputError("a published record names its edition; add since: with the edition that it comes with",
                          "公布的规则须注明所属版本；请加 since:", entry.where()) for entry in entries if not entry.since]
    for listed in lock.editions:
        own = of_edition(entries, listed.id, lock)
        faults += clashes(own)
        if listed.digest and not faults and digest(own, listed.whole_days) != listed.digest:
            faults += _edited(own, listed, lock) or [InputError(
                f"the digest of edition {listed.id} is {digest(own, listed.whole_days)}; correct it, or add an edition",
                f"版本 {listed.id} 的摘要为 {digest(own, listed.whole_days)}；请更正或新增版本",
                f"{SHOWN_FOLDER}/{LOCK}:{listed.line}")]
    return lock, entries, faults


def read_own(paths: Iterable[Path], edition: str | None = None) -> tuple[tuple[Entry, ...], list[InputError]]:
    """The records of somebody's own files and folders (every ``.yaml`` and ``.yml`` in one), and every fault in them.

    They must go together with the published records of ``edition``, the newest if None.
    """
    lock, known = published()
    files: list[tuple[Path, str]] = []
    faults: list[InputError] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml") and p.name != LOCK)
            if not found:
                faults.append(InputError("holds no .yaml file; name a file or another folder",
                                         "没有 .yaml 文件；请给出文件或其他文件夹", str(path)))
            files += [(p, str(p)) for p in found]
        else:
            files.append((path, str(path)))
    entries, more = read(list(dict.fromkeys(files)), [listed.id for listed in lock.editions])
    beside = edition or lock.editions[-1].id
    mine = of_edition(entries, beside, lock)
    # Whoever checks the published files by their path does not want to hear that each record is published already.
    again = {f"{SHOWN_FOLDER}/{path.name}" for path, _ in files if path.resolve().parent == FOLDER.resolve()}
    return mine, faults + more + clashes(mine, tuple(e for e in of_edition(known, beside, lock) if e.file not in again))


def of_edition(entries: Iterable[Entry], edition: str, lock: Lock) -> tuple[Entry, ...]:
    """The records that the edition holds."""
    order = {listed.id: number for number, listed in enumerate(lock.editions)}
    at = order[edition]
    return tuple(e for e in entries if order.get(e.since, -1) <= at <= order.get(e.until, len(order)))


# --- digests ---------------------------------------------------------------------------------------------------------


def digest_of(records: Iterable[Record], whole_days: bool) -> str:
    """SHA-256 (hex) over the canonical JSON of the records: sorted by id, rank and from, keys sorted, UTF-8.

    How limits end is part of it, except for the first edition's way.
    """
    rows: Any = [record.plain() for record in sorted(records, key=order)]
    return _sha256({"ends": "end_of_day", "records": rows} if whole_days else rows)


def digest(entries: Iterable[Entry], whole_days: bool) -> str:
    """The digest of an edition of these records."""
    return digest_of((e.record for e in entries), whole_days)


def short_digest(record: Record) -> str:
    """Twelve hex digits over one record: enough to notice an edit."""
    return _sha256(record.plain())[:12]


def order(record: Record) -> tuple[str, int, date]:
    """By id, rank (the highest first) and first day."""
    return record.id, RANKS.index(record.rank), record.from_ or date.min


def lock_text(lock: Lock, entries: Sequence[Entry]) -> list[str]:
    """The lines of ``editions.yaml`` for these editions and records."""
    lines = [_LOCK_HEAD, "editions:"]
    for listed in lock.editions:
        own = of_edition(entries, listed.id, lock)
        lines += [f"  - id: {listed.id}", f"    ends: {'end_of_day' if listed.whole_days else 'same_clock'}",
                  f"    digest: {digest(own, listed.whole_days)}"]
    return [*lines, "records:", *(f"  {e.key}: {short_digest(e.record)}" for e in entries)]


def _sha256(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _edited(entries: Iterable[Entry], listed: Listed, lock: Lock) -> Iterator[InputError] | list[InputError]:
    found = {entry.key: entry for entry in entries}
    faults = []
    for key, entry in found.items():
        if key not in lock.records:
            faults.append(InputError(
                f"edition {listed.id} is published and takes no more records; give this one the next edition (since:)",
                f"版本 {listed.id} 已公布，不能再增加规则；请把它放入下一版本（since:）", entry.where()))
        elif lock.records[key][0] != short_digest(entry.record):
            faults.append(InputError(
                f"{entry.record.id} was edited after edition {listed.id} was published; restore it, and add a new record "
                "with its own from: (a change of the rule) or since: (a correction)",
                f"{entry.record.id} 在版本 {listed.id} 公布后被修改；请恢复原样，另加一条规则，"
                "写明 from:（规则变更）或 since:（更正）",
                entry.where()))
    for key, (_, line) in lock.records.items():
        since = key.partition(" ")[0]
        if since == listed.id and key not in found:
            faults.append(InputError(f"the published record '{key}' is gone; restore it, and end it with to: or until:",
                                     f"已公布的规则“{key}”不见了；请恢复，并用 to: 或 until: 使其结束",
                                     f"{SHOWN_FOLDER}/{LOCK}:{line}"))
    return faults


# --- records that do not go together ---------------------------------------------------------------------------------


def clashes(entries: Sequence[Entry], beside: Sequence[Entry] = ()) -> list[InputError]:
    """Duplicates, overlaps and unexplained gaps within one id and rank; ``beside`` are records already found sound."""
    sound = {id(entry) for entry in beside}
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in (*entries, *beside):
        groups.setdefault((entry.record.id, entry.record.rank), []).append(entry)
    faults = []
    for group in groups.values():
        group.sort(key=lambda e: (e.record.from_ or date.min, id(e) not in sound))
        last = group[0]
        for entry in group[1:]:
            fault = _clash(last, entry)
            if fault and not (id(last) in sound and id(entry) in sound):
                faults.append(fault.at((last if id(entry) in sound else entry).where("from")))
            if (entry.record.to or date.max) >= (last.record.to or date.max):
                last = entry
    return faults


def _clash(one: Entry, two: Entry) -> InputError | None:
    """What is wrong between two records of one id and rank, the earlier first."""
    rule, rank = two.record.id, two.record.rank
    begin, end = two.record.from_ or date.min, one.record.to or date.max
    if begin == (one.record.from_ or date.min):
        return InputError(
            f"{rule} of rank {rank} from {two.record.from_ or 'unknown'} is there twice, also on {one.where()}; delete one, "
            "or give it another from: or rank:",
            f"{rule}（位阶 {rank}，自 {two.record.from_ or 'unknown'} 起）重复，另一条在 {one.where()}；"
            "请删除其一，或改 from:、rank:")
    if begin <= end:
        day = begin - timedelta(days=1)
        return InputError(
            f"{rule} of rank {rank} overlaps the record on {one.where()}, in force to {one.record.to or 'this day'}; end that "
            f"one with to: {day}, or begin this one later",
            f"{rule}（位阶 {rank}）与 {one.where()} 的规则时间重叠；请在那一条写 to: {day}，或推迟本条的 from:")
    if begin - end > timedelta(days=1) and not two.record.gap_before:
        first, last = end + timedelta(days=1), begin - timedelta(days=1)
        return InputError(
            f"{rule} of rank {rank}: nothing is in force from {first} to {last}, after the record on {one.where()}; close the "
            "gap, or give its reason with gap_before:",
            f"{rule}（位阶 {rank}）在 {first} 至 {last} 之间没有规则（前一条在 {one.where()}）；"
            "请补上，或用 gap_before: 写明理由")
    return None


# --- reading ---------------------------------------------------------------------------------------------------------


def read(files: Iterable[tuple[Path, str]], editions: Sequence[str]) -> tuple[tuple[Entry, ...], list[InputError]]:
    """The records of the files, each a path and what messages call it, and every fault of theirs taken alone."""
    entries: list[Entry] = []
    faults: list[InputError] = []
    for path, name in files:
        try:
            document = load(path, name)
        except InputError as error:
            faults.append(error)
            continue
        _file(document, editions, entries, faults)
    return tuple(entries), faults


def _file(document: Document, editions: Sequence[str], entries: list[Entry], faults: list[InputError]) -> None:
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("records"), list):
        faults.append(InputError("holds no list of records; write records: and under it one '- id: …' for each",
                                 "没有规则列表；请写 records:，其下每条以“- id: …”开头", f"{document.name}:1"))
        return
    faults += [_unknown_key(key, ("about", "records"), f"{document.name}:{document.line((key,))}")
               for key in data if key not in ("about", "records")]
    for number, row in enumerate(data["records"]):
        reader = _Reader(document, number, row, editions)
        if entry := reader.entry():
            entries.append(entry)
        faults += reader.faults


def _unknown_key(key: str, known: Iterable[str], where: str) -> InputError:
    near = get_close_matches(key, known, n=1)
    return InputError(f"unknown key '{key[:60]}'; " + (f"did you mean '{near[0]}'?" if near else "delete it"),
                      f"未知的键“{key[:60]}”；" + (f"是否指“{near[0]}”？" if near else "请删除它"), where)


class _Reader:
    """One record of a file: its fields one by one, then what they say together; faults are gathered, not raised."""

    def __init__(self, document: Document, number: int, row: Any, editions: Sequence[str]) -> None:
        self.file, self.row, self.editions = document.name, row, editions
        at: tuple[str | int, ...] = ("records", number)
        self.lines = {"": document.line(at)} | {key: document.line((*at, key)) for key in (row if isinstance(row, dict) else ())}
        self.faults: list[InputError] = []
        self.said: dict[str, Any] = {}

    def fault(self, field: str, en: str, zh: str) -> None:
        self.faults.append(InputError(en, zh, f"{self.file}:{self.lines.get(field, self.lines[''])}"))

    def entry(self) -> Entry | None:
        """The record, or None with at least one fault."""
        if not isinstance(self.row, dict):
            self.fault("", "is no record; write '- id: …' with the other fields below it",
                       "不是规则；请写“- id: …”，其余字段写在下面")
            return None
        meant: list[str] = []
        for key, value in self.row.items():
            if key not in _FIELDS:
                self.faults.append(_unknown_key(key, _FIELDS, f"{self.file}:{self.lines[key]}"))
                meant += get_close_matches(key, _FIELDS, n=1)
            elif (made := _FIELDS[key](value)) is not None:
                self.said[key] = made
            else:
                (en, zh), (said_en, said_zh) = _WANTED[key], _shown(value)
                self.fault(key, f"{key} cannot be {said_en}; write {en}" if key not in CHOICES else
                           f"unknown {key} {said_en}; write {en}",
                           f"{key} 不能为{said_zh}；请写{zh}" if key not in CHOICES else f"未知的 {key}：{said_zh}；请写{zh}")
        if missing := [key for key in _REQUIRED if key not in self.row and key not in meant]:
            self.fault("", f"{self.said.get('id', 'a record')} lacks {', '.join(missing)}; add what is missing",
                       f"{self.said.get('id', '规则')} 缺少 {'、'.join(missing)}；请补上")
        if not self.faults:
            self.together()
        if self.faults:
            return None
        since, until = self.said.pop("since", ""), self.said.pop("until", "")
        held: dict[str, Any] = {"to": None} | self.said
        held["from_"] = held.pop("from")
        for name in ("from_", "to"):
            held[name] = None if held[name] == _UNKNOWN else held[name]
        return Entry(Record(**held), since, until, self.file, self.lines)

    def together(self) -> None:
        """What the fields say of each other."""
        said = self.said
        begin, end = said["from"], said.get("to")
        if isinstance(begin, date) and isinstance(end, date) and end < begin:
            self.fault("to", f"{said['id']} ends on {end}, before it begins on {begin}; correct from: or to:",
                       f"{said['id']} 在 {end} 结束，早于 {begin} 开始；请更正 from: 或 to:")
        money = said["unit"] in ("times", "percent", "yuan")
        for key in _TIME_ONLY if money else _MONEY_ONLY:
            if key in said:
                self.fault(key, f"{key}: is for {'limits of time' if money else 'sums of money'}, and the unit is "
                           f"{said['unit']}; delete it",
                           f"{key}: 只用于{'期限' if money else '金额'}，而单位是 {said['unit']}；请删除")
        if not money and not (said["value"] == int(said["value"]) <= MOST_TIME):
            self.fault("value", f"{said['value']} is no whole number of at most {MOST_TIME}; write one",
                       f"期限须为不超过 {MOST_TIME} 的整数；请改正")
        if money and (said["unit"] != "yuan") != ("of" in said):
            self.fault("of" if "of" in said else "unit",
                       "yuan is a sum of its own; delete of:" if "of" in said else
                       f"{said['unit']} of what? add of: with one of {', '.join(CHOICES['of'])}",
                       "yuan 本身就是金额；请删除 of:" if "of" in said else
                       f"缺少基数；请加 of:，取 {'、'.join(CHOICES['of'])} 之一")
        if money and not said.get("awarded_by"):
            self.fault("unit", f"who may award it? add awarded_by: with some of {', '.join(BODIES)}",
                       f"由谁判给？请加 awarded_by:，取 {'、'.join(BODIES)}")
        if "min" in said and "max" in said and said["max"] < said["min"]:
            self.fault("max", f"max {said['max']} is below min {said['min']}; correct one", "max 小于 min；请更正")
        for key in ("since", "until"):
            if key in said and said[key] not in self.editions:
                self.fault(key, f"there is no edition {said[key]}; write one of {', '.join(self.editions)}, or list it in {LOCK}",
                           f"没有版本 {said[key]}；请写 {'、'.join(self.editions)} 之一，或先列入 {LOCK}")


_UNKNOWN = "unknown"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], str | None]:
    return lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None


def _number(pattern: re.Pattern[str]) -> Callable[[Any], int | Decimal | None]:
    def number(value: Any) -> int | Decimal | None:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            return None
        made = Decimal(value)
        return int(made) if made == int(made) else made
    return number


def _yuan(value: Any) -> Decimal | None:
    return Decimal(value).quantize(Decimal("0.01")) if isinstance(value, str) and _YUAN.fullmatch(value) else None


def _date(value: Any) -> date | str | None:
    """A date, or ``unknown``."""
    if value == _UNKNOWN:
        return _UNKNOWN
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def _one_of(name: str) -> Callable[[Any], str | None]:
    return lambda value: value if value in CHOICES[name] else None


def _bodies(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not value or not all(isinstance(body, str) and body in BODIES for body in value):
        return None
    return tuple(value) if len(set(value)) == len(value) else None


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "id": _matching(_ID), "value": _number(_FIGURE), "from": _date, "to": _date, "clause": _text, "zh": _text, "en": _text,
    **{name: _one_of(name) for name in CHOICES},
    "extension": _number(_COUNT), "min": _yuan, "max": _yuan, "awarded_by": _bodies, "gap_before": _text,
    "since": _matching(_EDITION), "until": _matching(_EDITION),
}
_A_DATE = ("a date such as 2026-04-15, or unknown", "日期，例如 2026-04-15，或 unknown")
_SOME_YUAN = ('yuan in quotes, such as "500.00"', '带引号的金额（元），例如 "500.00"')
_AN_EDITION = ("an edition such as 2026-11.2", "版本号，例如 2026-11.2")
_SOME_TEXT = ("a sentence", "文字")
_WANTED: dict[str, tuple[str, str]] = {
    "id": ("small letters, digits, _ and dots, such as mr12315.accept", "小写字母、数字、_ 和点，例如 mr12315.accept"),
    "value": ("a number above zero, such as 7", "大于零的数，例如 7"),
    "from": _A_DATE, "to": _A_DATE, "min": _SOME_YUAN, "max": _SOME_YUAN, "since": _AN_EDITION, "until": _AN_EDITION,
    "clause": _SOME_TEXT, "zh": _SOME_TEXT, "en": _SOME_TEXT, "gap_before": _SOME_TEXT,
    "extension": ("a whole number above zero, such as 15", "大于零的整数，例如 15"),
    "awarded_by": (f"a list of some of {', '.join(BODIES)}, such as [court]", f"列表，取 {'、'.join(BODIES)}，例如 [court]"),
    **{name: (f"one of {', '.join(allowed)}", f"以下之一：{'、'.join(allowed)}") for name, allowed in CHOICES.items()},
}


def _shown(value: Any) -> tuple[str, str]:
    """What is written, in English and Chinese, cut to 60 characters."""
    if isinstance(value, str):
        return f"'{value[:60]}'", f"“{value[:60]}”"
    if value is None:
        return "an empty field", "空值"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        shown = f"[{', '.join(value)[:60]}]"
        return shown, shown
    return "a list or mapping", "列表或映射"


def _lock(document: Document) -> Lock:
    """The list of editions. ``InputError`` where it is not one."""
    data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
    editions, records = data.get("editions"), data.get("records")
    if not isinstance(editions, list) or not editions or not isinstance(records, dict) or not all(
            isinstance(row, dict) and {"id", "ends", "digest"} <= set(row) for row in editions):
        raise InputError("is no list of editions; restore it, or print it with casework rules check --lock",
                         "不是版本列表；请恢复，或用 casework rules check --lock 输出", f"{document.name}:1")
    return Lock(
        tuple(Listed(row["id"], row["ends"] == "end_of_day", row["digest"], document.line(("editions", number)))
              for number, row in enumerate(editions)),
        {key: (value, document.line(("records", key))) for key, value in records.items()})
