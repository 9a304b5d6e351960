"""The event's own bytes, and the columns beside them: read without trusting either, and held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from casework.audit.findings import Fault, Line, shown
from casework.domain.topics import AnyEvent, any_topic_of
from casework.domain.values import EVENT_BYTES, clean
from casework.errors import InputError
from casework.store.codec import UnknownTopic, Unreadable, decode, is_canonical, said_topic
from casework.store.row import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT_OR_NONE = (str, type(None))
#: What a column may hold at all; asked where there is no event to hold it against.
_TYPES = {
    "case": (str,), "version": (int,), "trigger": _TEXT_OR_NONE, "from_state": _TEXT_OR_NONE,
    "to_state": _TEXT_OR_NONE, "at": (int,), "recorded_at": (int,),
}


def read(row: Row) -> AnyEvent | Fault:
    """The event of a row, or why there is none. The payload is decoded only if its topic is on the allow-list."""
    topic: object = row.topic
    if not isinstance(topic, str):
        return Fault("unknown_topic", Line(f"主题 {shown(topic)}", f"topic {shown(topic)}"),
                     Line("主题不是文字", "the topic is no text"))
    payload = _payload(row)
    try:
        return decode(topic, payload or b"")
    except UnknownTopic:
        return Fault("unknown_topic", Line(f"主题 {shown(topic)}", f"topic {shown(topic)}"),
                     Line("不在许可名单上，未读取其内容", "not on the allow-list; its payload was not read"))
    except Unreadable as error:
        said = said_topic(payload or b"")
        if said not in (None, topic):
            # The column was altered, or the payload's type: it is told as a contradiction, and the event is not lost.
            try:
                return decode(str(said), payload or b"")
            except Unreadable:
                pass
        if payload is None:
            what = Line(f"内容为 {shown(row.payload)}", f"the payload is {shown(row.payload)}")
            return Fault("unreadable_event", what, Line("内容不是字节", "the payload is no bytes"))
        return Fault("unreadable_event", Line(f"{len(payload)} 字节无法读取", f"{len(payload)} bytes cannot be read"),
                     Line(error.zh, error.en))


def form(row: Row, event: AnyEvent) -> Iterator[Fault]:
    """Whether the bytes are exactly those, and the values only such, as a command writes."""
    payload = _payload(row) or b""
    why = None
    if not isinstance(row.payload, bytes):
        why = Line("以文字而非字节存储", "stored as text, not as bytes")
    elif len(payload) > EVENT_BYTES:
        why = Line(f"超过 {EVENT_BYTES} 字节", f"over {EVENT_BYTES} bytes")
    else:
        why = _unclean(event, payload)
    if why is not None:
        name = any_topic_of(type(event))
        yield Fault("payload_not_canonical", Line(f"{name} 的内容", f"the payload of {name}"), why)


def contradictions(row: Row, event: AnyEvent | None) -> Iterator[Fault]:
    """Every column that is not what the event says; without an event, every column of a type it cannot have."""
    if event is None:
        for column, types in _TYPES.items():
            value = getattr(row, column)
            if type(value) not in types:
                yield _mismatch(column, value, Line("该列不可能是这种类型", "the column cannot be of that type"))
        return
    for column, value, said in (
        ("topic", row.topic, any_topic_of(type(event))),
        ("case", row.case, event.originator_id),
        ("version", row.version, event.originator_version),
        ("trigger", row.trigger, event.trigger),
        ("from_state", row.from_state, event.from_state),
        ("to_state", row.to_state, event.to_state),
        ("at", row.at, microseconds(event.at)),
        ("recorded_at", row.recorded_at, microseconds(event.recorded_at)),
    ):
        # Types first: 1 == 1.0 == True, and comparing text with bytes is a warning.
        if type(value) is not type(said) or value != said:
            yield _mismatch(column, value, Line(f"内容为 {shown(said)}", f"the payload says {shown(said)}"))


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch, UTC, of a time that carries its offset; exact."""
    return (moment - _EPOCH) // _MICROSECOND


def _payload(row: Row) -> bytes | None:
    value: object = row.payload
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return value if isinstance(value, bytes) else None


def _unclean(event: AnyEvent, payload: bytes) -> Line | None:
    try:
        if is_canonical(event, payload):
            return None
        clean(event)
    except InputError as error:
        return Line(error.zh, error.en)
    return Line("字节与该事件应有的存储形式不同", "the bytes are not those that this event is stored as")


def _mismatch(column: str, value: object, why: Line) -> Fault:
    return Fault("column_mismatch", Line(f"列 {column} 为 {shown(value)}", f"column {column} holds {shown(value)}"),
                 Line(f"{column}：{why.zh}", f"{column}: {why.en}"))
