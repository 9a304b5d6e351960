"""With the merchant: the order, what is offered, and the way from there to the platform."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from casework.domain.commands import OpenCase
from casework.domain.facts import Facts
from casework.domain.guards.who import same_identity
from casework.domain.reasons import reason
from casework.domain.request import Request
from casework.domain.vocabulary import CHANNELS, PLATFORM_CHANNELS
from casework.errors import Reason


def order_is_consistent(given: OpenCase, at: datetime) -> Iterator[Reason]:
    """An order was placed, then received, then complained of; somebody else sold it; something was paid."""
    order = given.order
    received = order.received_at or order.ordered_at
    if not order.ordered_at <= received <= at or not order.paid or same_identity(order.merchant, given.consumer):
        yield reason("order_inconsistent")


def evidence_is_new(facts: Facts, request: Request) -> Iterator[Reason]:
    """Evidence was added since it was asked for."""
    if not any(e.version > facts.evidence_asked_version for e in facts.consumer_evidence):
        yield reason("nothing_new", missing=("add_evidence",))


def offer_is_open(facts: Facts, request: Request) -> Iterator[Reason]:
    """There is an offer that can be accepted or declined."""
    if facts.open_offer is None:
        yield reason("no_open_offer", missing=("make_offer",))


def order_qualifies(facts: Facts, request: Request) -> Iterator[Reason]:
    """The order was marked as qualifying for 极速退款 when it was placed."""
    if "instant_refund" not in facts.given.order.services:
        yield reason("not_eligible_for_instant_refund")


def channel_reaches_platform(facts: Facts, request: Request) -> Iterator[Reason]:
    """A forum, the media or the merchant's own chat take no complaint for the platform (误区: 选择错误的投诉渠道)."""
    channel = request.said("channel")
    if channel is not None and channel not in PLATFORM_CHANNELS:
        yield reason("wrong_channel", {"channel": CHANNELS[channel]})


def merchant_was_contacted(facts: Facts, request: Request) -> Iterator[Reason]:
    """The merchant first, or a stated reason why not (消法 39(1))."""
    if facts.contacted_at is None and facts.no_contact is None and request.said("without_contact") is None:
        yield reason("merchant_not_contacted", missing=("contact_merchant", "without_contact"))
