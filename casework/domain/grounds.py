"""What has to be in the file for a ground: one row a ground, each group satisfied by any one of its kinds.

The rows turn two things into a table: what the platform's rules ask for (淘宝平台争议处理规则 art. 65: a defect that the
eye sees needs first evidence; art. 66: for a hidden defect or a counterfeit the seller proves first, after a plausible
start; art. 73: a description), and what the sources advise people to collect. The kinds are alternatives, so that
nobody fails for the want of one particular paper.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Group = tuple[str, ...]

_PHOTOS: Group = ("goods_photo", "detail_photo", "unboxing_video")
_ORDER: Group = ("order_screenshot", "order_record", "payment_proof", "purchase_proof")
_TALKS: Group = ("chat_record", "call_record")
_TRACK: Group = ("tracking_record", "order_screenshot", "order_record")
_TESTS: Group = ("test_report", "appraisal_report", "expert_opinion", "authority_decision", "court_judgment")


class Ground(NamedTuple):
    """``merchant_proves`` says that the merchant has the burden of proof once the file is plausible."""

    required: tuple[Group, ...]
    merchant_proves: bool = False


GROUNDS: dict[str, Ground] = {
    "quality_defect": Ground(((*_PHOTOS, "fault_video", "fault_photo", *_TESTS),), merchant_proves=True),
    "damaged": Ground(((*_PHOTOS, "packaging_photo"),)),
    "missing_parts": Ground(((*_PHOTOS, "packaging_photo"),)),
    "malfunction": Ground((("fault_video", "fault_photo", *_TESTS), ("fault_description", *_TALKS)), merchant_proves=True),
    "poor_workmanship": Ground((("detail_photo", "goods_photo"),)),
    "material_mismatch": Ground((("hang_tag", *_TESTS), ("listing_snapshot", *_TALKS, "detail_photo"))),
    "false_advertising": Ground((("listing_snapshot", *_TALKS), ("detail_photo", "goods_photo", "hang_tag", *_TESTS))),
    "price_fraud": Ground((("listing_snapshot", "order_screenshot"), ("payment_proof", "order_record", "order_screenshot"))),
    "late_shipment": Ground((_TRACK,), merchant_proves=True),
    "not_shipped": Ground((_TRACK,), merchant_proves=True),
    "shipment_abnormal": Ground(((*_TRACK, "unboxing_video", "goods_photo", "packaging_photo"),), merchant_proves=True),
    "shipped_not_received": Ground((_TRACK,), merchant_proves=True),
    "order_status_abnormal": Ground((("order_screenshot", "order_record"),)),
    "parcel_delayed": Ground((_TRACK,)),
    "parcel_lost": Ground((_TRACK,), merchant_proves=True),
    "parcel_damaged": Ground((("packaging_photo", "unboxing_video", "goods_photo"),)),
    "counterfeit": Ground((
        ("goods_photo", "detail_photo", "comparison_photo", "unboxing_video", *_TESTS),
        ("packaging_photo", "security_label", "batch_number", "authenticity_check", "comparison_photo", *_TALKS, *_TESTS),
    ), merchant_proves=True),
    "substandard": Ground((("comparison_photo", "detail_photo", "hang_tag", *_TESTS),), merchant_proves=True),
    "no_reason_return": Ground((("goods_photo", "detail_photo"), (*_ORDER, "tracking_record"))),
    "after_sales_denied": Ground(((*_TALKS, "service_record"),)),
    "poor_after_sales": Ground(((*_TALKS, "service_record"),)),
    "installation_failure": Ground((("service_record", "fault_photo", "fault_video"),)),
    "repair_failure": Ground((("service_record", "fault_photo", "fault_video"),)),
    "refund_obstructed": Ground(((*_TALKS, "order_screenshot"),)),
    "poor_service": Ground((_TALKS,)),
    "merchant_stalling": Ground((_TALKS,)),
    "review_manipulation": Ground((("review_record", *_TALKS, "packaging_photo"),)),
    "malicious_review": Ground((("review_record",), (*_TALKS, "order_record"))),
}


def missing(ground: str, kinds: Iterable[str]) -> tuple[Group, ...]:
    """The groups of which the file holds nothing yet; empty when there is enough for the ground."""
    held = set(kinds)
    return tuple(group for group in GROUNDS[ground].required if not held.intersection(group))
