"""What is stored: topics and fields that never change, bytes that mean one thing, and what never gets in."""

from __future__ import annotations

import contextlib
import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from domain_helpers import IN_STATE, START, case_in, command, given_case, leaves, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from casework.domain import commands as c
from casework.domain.commands import COMMANDS, OpenCase
from casework.domain.events import EVENT_OF, Event, topic_of
from casework.domain.events import TOPICS as CASE_TOPICS
from casework.domain.fold import fold
from casework.domain.machine import lifecycle
from casework.domain.standing.commands import STANDING_COMMANDS
from casework.domain.standing.events import STANDING_EVENT_OF, STANDING_TOPICS
from casework.domain.topics import TOPICS, any_topic_of
from casework.domain.values import EVENT_BYTES, LIST_ITEMS, TEXT_BYTES, Actor, Remedy, clean
from casework.domain.versions import TABLES, VERSION
from casework.domain.vocabulary import VOCABULARY
from casework.errors import InputError
from casework.rulebook.edition import CURRENT, EDITIONS
from casework.store.codec import UnknownTopic, Unreadable, decode, encode, is_canonical

GOLDEN = Path(__file__).parent / "golden" / "topics.json"
EVENTS = tuple(TOPICS.values())


def fields_of(kind: type[Event]) -> list[str]:
    return sorted(leaf.path for leaf in leaves(kind))


def added_without_default(kind: type[Event], fields: list[str]) -> list[str]:
    """The fields that came after ``fields`` were frozen and that events stored before do not have."""
    found = []
    for leaf in leaves(kind):
        new = [(name, required) for name, required in leaf.way if not any(_within(f, name) for f in fields)]
        if new and new[0][1]:
            found.append(leaf.path)
    return found


def _within(path: str, name: str) -> bool:
    return path == name or path.startswith((f"{name}.", f"{name}["))


def present() -> dict[str, list[str]]:
    return {topic: fields_of(kind) for topic, kind in sorted(TOPICS.items())}


def frozen() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(GOLDEN.read_text("utf-8"))
    return found


# --- topics ----------------------------------------------------------------------------------------------------------


def test_no_topic_and_no_field_that_was_ever_stored_is_gone() -> None:
    for topic, fields in frozen().items():
        assert topic in TOPICS, f"{topic} is stored for ever: keep its type, and make a new one beside it"
        gone = sorted(set(fields) - set(fields_of(TOPICS[topic])))
        assert gone == [], f"{topic}: fields may only be added; for anything else make a new topic"


def test_a_field_that_was_added_to_a_topic_has_a_default() -> None:
    for topic, fields in frozen().items():
        assert added_without_default(TOPICS[topic], fields) == [], topic


def test_the_test_above_sees_what_has_no_default_and_lets_pass_what_has() -> None:
    kind = TOPICS["casework.case.case_ruled"]

    def without(*gone: str) -> list[str]:
        return added_without_default(kind, [f for f in fields_of(kind) if not any(_within(f, g) for g in gone)])

    assert without() == without("trigger") == without("data.remedy") == without("data.penalties[].points") == []
    assert without("at") == ["at"]
    assert without("data.outcome") == ["data.outcome"]
    assert without("data.remedy.kind") == ["data.remedy.kind"], "new in what was optional, but required there"
    assert without("by") == ["by.role", "by.id"]


def test_the_frozen_list_holds_every_topic_and_field_there_is() -> None:
    assert present() == frozen(), (
        "only added to? then: PYTHONPATH=. python tests/test_events.py > tests/golden/topics.json"
    )


def test_one_event_records_one_command_and_every_command_has_one() -> None:
    assert set(EVENT_OF) == {OpenCase, *COMMANDS.values()}
    assert sorted(map(topic_of, EVENT_OF.values())) == sorted(CASE_TOPICS)
    assert len(set(EVENT_OF.values())) == len(EVENT_OF) == len(CASE_TOPICS)
    assert set(STANDING_EVENT_OF) == set(STANDING_COMMANDS.values())
    assert set(STANDING_EVENT_OF.values()) < set(STANDING_TOPICS.values())


def test_a_topic_is_a_stable_name_and_no_path_of_a_module() -> None:
    for topic, kind in TOPICS.items():
        assert topic == any_topic_of(kind)
        assert topic.startswith("casework.case." if topic in CASE_TOPICS else "casework.merchant.")
        assert topic.rsplit(".", 1)[1].replace("_", "").isalpha()
        assert topic == topic.lower()
        assert kind.__name__ != topic.rsplit(".", 1)[1]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda k: k.__name__)
def test_every_event_has_the_whole_envelope(kind: type[Event]) -> None:
    names = {f.encode_name for f in msgspec.structs.fields(kind)}
    own = {"case", "trigger", "from", "to", "duties"} if kind in CASE_TOPICS.values() else {"stream"}
    assert {"version", "at", "recorded_at", "by", "command_id", "data"} | own <= names


# --- bytes -----------------------------------------------------------------------------------------------------------


def _alphabet() -> st.SearchStrategy[str]:
    odd = st.sampled_from('\n\t"\\/{}éé한\u2028\u202e\x85😀𝅘𝅥क़')
    return st.one_of(st.characters(min_codepoint=32, exclude_categories=("Cs",), exclude_characters="\x7f"), odd)


TEXTS = st.text(_alphabet(), min_size=1, max_size=12).map(lambda s: unicodedata.normalize("NFC", s))
IDENTITIES = st.sampled_from(["甲-1", "C-1", "a" * 64]) | st.text("ABCxyz019_", min_size=1, max_size=3).flatmap(
    lambda head: st.text("ABCabc019_.-", max_size=8).map(lambda tail: head + tail))
PATTERNED = {
    "agent|": IDENTITIES.map(lambda i: f"agent:{i[:64]}"),
    "0-9a-f": st.text("0123456789abcdef", min_size=64, max_size=64),
    "merchant:": IDENTITIES.map(lambda i: f"merchant:{i[:64]}"),
    "/[0-9]": IDENTITIES.map(lambda i: f"{i[:64]}/12.1"),
    "platform|": st.sampled_from(["platform", "market_regulator", "police", "postal_authority"]),
    "[a-z]{2}": st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2),
}


def _values(kind: inspect.Type, marks: dict[str, Any]) -> st.SearchStrategy[Any]:
    if isinstance(kind, inspect.Metadata):
        return _values(kind.type, kind.extra or {})
    if isinstance(kind, inspect.UnionType):
        [part] = [p for p in kind.types if not isinstance(p, inspect.NoneType)]
        return st.none() | _values(part, marks)
    if isinstance(kind, inspect.VarTupleType):
        return st.lists(_values(kind.item_type, {}), min_size=kind.min_length or 0, max_size=3).map(tuple)
    if isinstance(kind, inspect.StructType):
        return _structs(kind.cls)
    if isinstance(kind, inspect.StrType):
        if "term" in marks:
            return st.sampled_from(sorted(VOCABULARY[marks["term"]]))
        if kind.pattern:
            return next((s for key, s in PATTERNED.items() if key in kind.pattern), IDENTITIES)
        return TEXTS
    if isinstance(kind, inspect.LiteralType):
        return st.sampled_from(kind.values)
    if isinstance(kind, inspect.DateTimeType):
        return st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.sampled_from(
            [UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-9, minutes=-30))]))
    if isinstance(kind, inspect.DecimalType):
        return st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=2)
    if isinstance(kind, inspect.IntType):
        return st.integers(kind.ge or 0, kind.le if kind.le is not None else 2**53)
    assert isinstance(kind, inspect.BoolType), kind
    return st.booleans()


def _structs(kind: type) -> st.SearchStrategy[Any]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return st.builds(kind, **{f.name: _values(f.type, {}) for f in info.fields})


@pytest.mark.parametrize("kind", EVENTS, ids=lambda k: k.__name__)
def test_every_event_comes_back_from_its_bytes_as_the_very_same_event(kind: type[Event]) -> None:
    @settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(_structs(kind))
    def holds(raw: Event) -> None:
        event = clean(raw)
        payload = encode(event)
        again = decode(any_topic_of(kind), payload)
        assert again == event
        assert type(again) is kind
        assert again.at.tzinfo is UTC
        assert is_canonical(again, payload)
        assert encode(again) == payload
        # Sorted keys, no white space, UTF-8 as it is: what any other language's canonical writer gives.
        plain = json.loads(payload.decode("utf-8"))
        assert json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == payload
        for spoilt in (payload + b" ", b" " + payload, json.dumps(plain, sort_keys=True).encode(), payload[:-1]):
            with contextlib.suppress(Unreadable):
                assert spoilt == payload or not is_canonical(decode(any_topic_of(kind), spoilt), spoilt)

    holds()


@pytest.mark.parametrize("version", TABLES)
@pytest.mark.parametrize("state", IN_STATE)
def test_every_event_of_a_real_case_is_canonical_and_the_case_is_what_its_bytes_say(state: str, version: int) -> None:
    story = case_in(state, lifecycle=version)
    stored = [(topic_of(type(event)), encode(event)) for event in story.case.pending_events]
    events = [decode(topic, payload) for topic, payload in stored]
    assert all(is_canonical(event, payload) for event, (_, payload) in zip(events, stored, strict=True))
    assert fold(events) == story.facts == story.fork().facts
    assert [event.originator_version for event in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize("version", TABLES)
def test_a_step_says_trigger_from_and_to_and_what_is_beside_the_state_says_none_of_them(version: int) -> None:
    triggers = {COMMANDS[t.name] for t in TABLES[version].triggers}
    for state in IN_STATE:
        for event in case_in(state, lifecycle=version).case.pending_events:
            assert isinstance(event, Event)
            step = (event.trigger, event.from_state, event.to_state)
            assert all(step) or not any(step)
            assert any(step) == (type(event.data) in triggers)


def test_only_the_events_of_a_case_whose_lifecycle_records_duties_hold_any_and_none_is_written_as_an_empty_list() -> None:
    kept = {state: [event for event in case_in(state, lifecycle=1).case.pending_events] for state in IN_STATE}
    assert not [event for events in kept.values() for event in events if event.duties]  # type: ignore[attr-defined]
    for state in IN_STATE:
        events = [event for event in case_in(state).case.pending_events if isinstance(event, Event)]
        assert events[0].duties
        for event in events:
            assert (b'"duties"' in encode(event)) == bool(event.duties)


def test_the_first_event_pins_lifecycle_and_edition_and_the_bytes_are_plain_to_read() -> None:
    payload = json.loads(encode(given_case().last))
    process = lifecycle(VERSION)
    assert process is not None
    assert (payload["lifecycle"], payload["lifecycle_digest"]) == (VERSION, process.digest)
    assert (payload["edition"], payload["edition_digest"]) == (CURRENT.id, CURRENT.digest)
    assert max(TABLES) == VERSION and CURRENT.id == max(EDITIONS), "a new case pins the latest of both"
    assert len(payload["lifecycle_digest"]) == len(payload["edition_digest"]) == 64
    assert payload["by"] == {"role": "consumer", "id": "C-1"}
    assert payload["case"] == "K-1"
    assert payload["version"] == 1
    assert payload["data"]["order"]["paid"] == "899.00"
    assert payload["at"] == "2026-03-02T01:00:00Z"
    assert "description" not in payload["data"], "what holds its default is left out"
    [duty] = payload["duties"]
    assert duty == {"id": "D-1", "change": "opened", "duty": "limitation", "owes": "consumer", "due": {
        "at": "2029-03-02T15:59:59.999999Z", "rule": "suit.limitation", "clause": "《民法典》第188条、第203条", "certainty": "A",
        "rank": "law", "unit": "year", "provisional": True}}


@pytest.mark.parametrize("topic", ["casework.case.no_such_thing", "os:system", "casework.domain.events:CaseOpened", ""])
def test_an_unknown_topic_is_never_imported(topic: str) -> None:
    with pytest.raises(UnknownTopic):
        decode(topic, b"{}")


@pytest.mark.parametrize("payload", [
    b"", b"null", b"[]", b"{}", b"\xff", b"NaN", b'{"case":"K-1"}', b'{"version":1e999}', b"[" * 100_000,
    b'{"case":' * 50_000,
])
def test_bytes_that_are_no_event_are_unreadable_and_nothing_worse(payload: bytes) -> None:
    for topic in TOPICS:
        with pytest.raises(Unreadable):
            decode(topic, payload)


def test_bytes_with_a_field_that_nobody_knows_are_unreadable() -> None:
    plain = json.loads(encode(given_case().last))
    for spoilt in (plain | {"extra": 1}, plain | {"data": plain["data"] | {"extra": 1}},
                   plain | {"at": "2026-03-02T01:00:00"}, plain | {"version": "1"}):
        with pytest.raises(Unreadable):
            decode("casework.case.case_opened", json.dumps(spoilt).encode())


def test_bytes_that_mean_the_same_but_were_never_written_so_are_not_canonical() -> None:
    topic, payload = "casework.case.case_opened", encode(given_case().last)
    for old, new in ((b"899.00", b"899.0"), (b"01:00:00Z", b"09:00:00+08:00"), ("榨".encode(), b"\\u69a8"),
                     (b'"case"', b'"\\u0063ase"'), (b'"consumer":"C-1"', b'"consumer":"C-1","description":null')):
        spoilt = payload.replace(old, new, 1)
        assert spoilt != payload
        assert not is_canonical(decode(topic, spoilt), spoilt), old


# --- what never gets in ----------------------------------------------------------------------------------------------


def refused(value: msgspec.Struct, field: str) -> InputError:
    with pytest.raises(InputError) as caught:
        clean(value)
    assert caught.value.where == field
    assert caught.value.status == 2
    assert caught.value.en.startswith(field)
    assert caught.value.zh.startswith(field)
    return caught.value


@pytest.mark.parametrize("text", [
    "a\x00b", "a\x1bb", "a\rb", "a\x7fb", "\x01", "\ud800", "a\udfff", "字" * (TEXT_BYTES // 3 + 1),
    "x" * (TEXT_BYTES + 1),
], ids=["NUL", "ESC", "CR", "DEL", "SOH", "high half", "low half", "64 KiB in Chinese", "64 KiB"])
def test_text_that_cannot_be_stored_is_refused_wherever_it_stands(text: str) -> None:
    refused(c.ContactMerchant(message=text), "message")
    refused(c.ShipReturn(carrier="SF", waybill=text), "waybill")
    opening = given_case().facts.given
    refused(msgspec.structs.replace(opening, order=msgspec.structs.replace(opening.order, item=text)), "order.item")


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_nul_is_refused_in_every_text_of_every_command_and_the_field_is_named(kind: str) -> None:
    for path, leaf, _, _ in leaves(COMMANDS[kind]):
        if isinstance(leaf, inspect.StrType) and path in COMMANDS[kind].__struct_fields__:
            spoilt = msgspec.structs.replace(command(kind, **sample(kind)), **{path: "a\x00"})
            refused(spoilt, path)


def test_text_up_to_the_limit_and_with_lines_and_tabs_is_kept_as_it_is() -> None:
    for text in ("x" * TEXT_BYTES, "字" * (TEXT_BYTES // 3), "一\n二\t三", "a\u202eb", "<b>=1+1</b>", "😀"):
        assert clean(c.ContactMerchant(message=text)).message == text


def test_text_is_normalised_so_that_what_reads_the_same_is_the_same() -> None:
    assert clean(c.ContactMerchant(message="cafe\u0301")).message == "café"
    assert clean(Actor(role="consumer", id="e\u0301")) == clean(Actor(role="consumer", id="é"))
    story = given_case().when("contact_merchant", message="가")
    assert story.last.data.message == "가"


def test_cleaning_twice_is_cleaning_once_even_where_normalising_makes_a_text_longer() -> None:
    longer = c.ContactMerchant(message="\u0958" * (TEXT_BYTES // 3))  # NFC takes each of these apart: 3 bytes become 6
    refused(longer, "message")


@pytest.mark.parametrize("amount", [
    "NaN", "sNaN", "Infinity", "-Infinity", "-0.01", "-1", "1.001", "0.005", "1000000000.01", "1e40", "1e-40",
])
def test_what_is_no_amount_in_yuan_is_refused(amount: str) -> None:
    refused(c.PerformRemedy(amount=Decimal(amount)), "amount")
    refused(c.MakeOffer(remedy=Remedy(kind="refund", amount=Decimal(amount))), "remedy.amount")


@pytest.mark.parametrize(("amount", "stored"), [
    ("899", "899.00"), ("8.9E+2", "890.00"), ("-0", "0.00"), ("1.000", "1.00"), ("1000000000", "1000000000.00"),
    ("0.01", "0.01"),
])
def test_an_amount_is_stored_in_whole_fen(amount: str, stored: str) -> None:
    assert str(clean(c.PerformRemedy(amount=Decimal(amount))).amount) == stored


def test_a_list_of_more_than_two_hundred_items_is_refused() -> None:
    for kinds in (LIST_ITEMS, LIST_ITEMS + 1):
        proof = c.SubmitProof(kinds=("test_certificate",) * kinds)
        if kinds > LIST_ITEMS:
            refused(proof, "kinds")
        else:
            assert clean(proof) == proof


def test_an_unknown_term_is_refused_with_its_field_and_the_nearest() -> None:
    assert "test_certificate" in refused(c.SubmitProof(kinds=("purchase_voucher", "test_certificat")), "kinds[1]").en
    refused(c.Rule(outcome="for_the_consumer", findings="x", clause="y"), "outcome")
    refused(Actor(role="consumr", id="C-1"), "role")


@pytest.mark.parametrize("naive", [datetime(2026, 3, 2, 9), datetime.max, datetime.min])
def test_a_time_without_its_offset_is_refused(naive: datetime) -> None:
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        msgspec.convert({"party": "merchant", "answer_by": naive.isoformat()}, c.Notify)
    refused(c.Notify(party="merchant", answer_by=naive), "answer_by")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_a_time_that_has_no_utc_is_refused(text: str) -> None:
    refused(msgspec.convert({"party": "merchant", "answer_by": text}, c.Notify), "answer_by")


LATER = START + timedelta(days=1)


def test_times_are_kept_in_utc() -> None:
    story = given_case().when("log_call", note="来电", promised_by=LATER.astimezone(timezone(timedelta(hours=8))))
    assert story.last.data.promised_by == LATER
    assert story.last.data.promised_by.tzinfo is UTC


@pytest.mark.parametrize(("value", "field"), [
    (c.ContactMerchant(message=""), "message"),
    (c.GiveFeedback(score=6), "score"),
    (c.GiveFeedback(score=0), "score"),
    (c.Assign(to="merchant:M-1"), "to"),
    (c.TipOff(to="court", about="counterfeit", statement="售假"), "to"),
    (c.WithdrawReferral(referral="a b"), "referral"),
    (c.WithdrawReferral(referral="R-1\n"), "referral"),
    (c.AddEvidence(kind="statement", description="x", sha256="AB" * 32), "sha256"),
    (c.Rule(outcome="for_merchant", findings="x", clause="y" * 201), "clause"),
    (Actor(role="consumer", id=""), "id"),
    (c.Notify(party="auditor", answer_by=START), "party"),  # type: ignore[arg-type]
    (c.ContactMerchant(message=3), "message"),  # type: ignore[arg-type]
    (c.PerformRemedy(amount=1.5), "amount"),  # type: ignore[arg-type]
], ids=lambda v: type(v).__name__ if isinstance(v, msgspec.Struct) else v)
def test_a_value_outside_its_type_is_refused_at_the_gate_not_when_stored(value: msgspec.Struct, field: str) -> None:
    refused(value, field)


def test_what_would_not_come_back_from_the_store_is_refused_before_it_is_stored() -> None:
    event = given_case().when("contact_merchant", message="x").last
    event = msgspec.structs.replace(event, data=c.ContactMerchant(message=""))
    with pytest.raises(InputError):
        encode(event)


def test_an_event_above_256_kib_is_refused() -> None:
    text = "x" * TEXT_BYTES
    story = given_case().when("log_call", note=text, staff=text, promised=text)
    assert len(encode(story.last)) < EVENT_BYTES
    # Three texts may each be within their limit and yet be too much in bytes: a line end takes two in JSON.
    large = story.when("log_call", note="\n" * TEXT_BYTES, staff=text, promised=text).last
    with pytest.raises(InputError) as caught:
        encode(large)
    assert caught.value.where == "casework.case.call_logged"
    assert "256 KiB" in caught.value.en


if __name__ == "__main__":
    print(json.dumps(present(), indent=1))
