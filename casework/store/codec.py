"""Events to bytes and back: flat canonical UTF-8 JSON, typed by the event's struct, readable by any language.

Canonical means: keys sorted, no white space, fields that hold their default left out, so that the same event has the same
bytes for ever, also after a field was added. This module does not import the event-sourcing library: the audit and the views
decode with it.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import msgspec

from casework.domain.events import DutyChange
from casework.domain.topics import TOPICS, AnyEvent, any_topic_of
from casework.domain.values import EVENT_BYTES, absurd, clean, is_clean
from casework.errors import CaseworkError, InputError
from casework.store.row import Row

T = TypeVar("T")


class _Head(msgspec.Struct):
    type: str


class _Moves(msgspec.Struct):
    duties: tuple[DutyChange, ...] = ()


_ENCODER = msgspec.json.Encoder(order="sorted")


class Unreadable(CaseworkError):
    """Stored bytes that are no event of their topic."""


class UnknownTopic(Unreadable):
    """A topic that is not on the allow-list; nothing is imported or run because a topic names it."""


def encode(event: AnyEvent) -> bytes:
    """The canonical bytes of an event.

    :class:`~casework.errors.InputError` if they are more than 256 KiB or would not decode to the very same event.
    """
    payload = _ENCODER.encode(event)
    if len(payload) > EVENT_BYTES:
        raise InputError(f"the event is over {EVENT_BYTES // 1024} KiB; shorten its texts",
                         f"事件超过 {EVENT_BYTES // 1024} KiB，请缩短文字", any_topic_of(type(event)))
    try:
        survives = decode(any_topic_of(type(event)), payload) == event
    except Unreadable:
        survives = False
    if not survives:
        raise InputError("the event would not survive being stored", "事件存储后无法原样读回", any_topic_of(type(event)))
    return payload


def decode(topic: str, payload: bytes) -> AnyEvent:
    """The event that the bytes are. :class:`UnknownTopic` or :class:`Unreadable` where they are none."""
    if topic not in TOPICS:
        raise UnknownTopic(f"unknown topic {topic[:80]!r}", f"未知的事件主题 {topic[:80]!r}")
    try:
        event = _decoder(topic).decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Unreadable(f"not readable as {topic}: {error}", f"无法按 {topic} 读取：{error}") from None
    if name := absurd(event):
        raise Unreadable(f"not readable as {topic}: {name} is no amount or time that can be",
                         f"无法按 {topic} 读取：{name} 不是可能的金额或时间")
    return event


def read_plain(topic: object, payload: object) -> AnyEvent | None:
    """The event that the bytes are, where they are plainly canonical and clean; None where one has to look closer.

    It says no more than :func:`decode` and :func:`is_canonical`, and at once.
    """
    if type(topic) is not str or type(payload) is not bytes or topic not in TOPICS:
        return None
    try:
        event = _decoder(topic).decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    return event if _ENCODER.encode(event) == payload and is_clean(event, payload) else None


def said_topic(payload: bytes) -> str | None:
    """The topic that the payload itself says; None where it says none that is on the allow-list."""
    try:
        said = _decoder_of(_Head).decode(payload).type
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    return said if said in TOPICS else None


def duty_changes(payload: bytes) -> tuple[DutyChange, ...]:
    """What the event of these bytes does to duties; nothing where they cannot be read, which reading the event tells."""
    if b'"duties"' not in payload:
        return ()
    try:
        moves: _Moves = _decoder_of(_Moves).decode(payload)
        return moves.duties
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError):
        return ()


def is_readable(row: Row) -> bool:
    """Whether the row holds an event of its topic."""
    try:
        decode(row.topic, row.payload)
    except (Unreadable, TypeError):
        return False
    return True


def is_canonical(event: AnyEvent, payload: bytes) -> bool:
    """Whether the bytes are exactly those that the event is stored as, and every value in it is clean.

    The event is one that was read from these bytes.
    """
    if _ENCODER.encode(event) == payload and is_clean(event, payload):
        return True
    try:
        return _ENCODER.encode(clean(event)) == payload
    except InputError:
        return False


@cache
def _decoder(topic: str) -> msgspec.json.Decoder[AnyEvent]:
    return msgspec.json.Decoder(TOPICS[topic])


@cache
def _decoder_of(kind: type[T]) -> msgspec.json.Decoder[T]:
    # At its first use, because to make one msgspec evaluates every annotation in the type.
    return msgspec.json.Decoder(kind)
