"""The burden of proof: who shows what first, what the other side then shows, and who loses when nothing is shown.

Each ground is in one situation; the law's six months for durable goods, and a receipt that the buyer confirmed, take a
case into another. The order of the steps is the order in which the parties prove (淘宝平台争议处理规则 65, 66, 73–81):
whoever's step comes next and stays empty loses.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import MAXYEAR, date, datetime
from typing import Literal, NamedTuple

from casework.domain.categories import category_of, rules_of
from casework.domain.check import SHANGHAI, Line
from casework.domain.facts import Facts
from casework.domain.grounds import GROUNDS, Group, missing
from casework.domain.request import Edition

Party = Literal["consumer", "merchant"]
#: 质检凭证 and what stands above it.
TESTS: Group = ("test_report", "appraisal_report", "expert_opinion", "authority_decision", "court_judgment")
_ORIGIN: Group = ("authorisation_letter", "purchase_voucher", "customs_declaration", "conformity_certificate",
                  "commercial_invoice", "test_certificate")
_SHIPPED: Group = ("shipping_proof",)


class Step(NamedTuple):
    """What one party shows: any one of these kinds of evidence or of proof; of ``own_groups``, what the ground needs."""

    party: Party
    said: Line
    evidence: Group = ()
    proofs: Group = ()
    own_groups: bool = False


class Situation(NamedTuple):
    """A row of the matrix."""

    grounds: tuple[str, ...]
    steps: tuple[Step, ...]
    said: Line
    clause: str
    certainty: str


class Burden(NamedTuple):
    """The row that applies to a case, and why it does."""

    situation: str
    row: Situation
    why: Line

    @property
    def first(self) -> Party:
        """Who has to show something first."""
        return self.row.steps[0].party


class Shown(NamedTuple):
    """What a party has put in: a kind of evidence or proof, and what was found of it."""

    party: str
    kind: str
    source: Literal["evidence", "proof"]
    standing: str


class Stand(NamedTuple):
    """How the proof stands. ``party`` has to show one of each group of ``missing`` now; None: it is for weighing.

    ``pending`` was handed in and not examined. ``loses`` is who loses if it stays so, None where the file decides.
    """

    burden: Burden
    step: int | None
    party: Party | None
    shown: tuple[Shown, ...]
    missing: tuple[Group, ...]
    pending: Group
    forged: tuple[Party, ...]
    loses: Party | None


_START = Step("consumer", Line("初步凭证", "first evidence"), own_groups=True)
_TEST = Step("consumer", Line("质检凭证", "a test of the goods"), TESTS, ("test_certificate",))
_EXPLAIN = Step("merchant", Line("说明并举证", "an explanation and its proof"), ("unboxing_video", "goods_photo", "detail_photo",
                "test_report", "appraisal_report"), _ORIGIN + _SHIPPED)
_PAPERS = Step("merchant", Line("来源与合格凭证：经销凭证、报关单据、合格证、商业发票、执行标准",
                                "papers on origin and conformity: vouchers, customs papers, certificates, the standard"),
               ("product_standard", "test_report", "appraisal_report"), _ORIGIN)
_CARRIER = Step("merchant", Line("发货与签收凭证，以承运人系统记录为准",
                                 "proof of shipment and receipt, by the carrier's record"), ("tracking_record",), _SHIPPED)
_REBUT = Step("consumer", Line("反驳签收或包裹内容的凭证", "what refutes the receipt or the content of the parcel"),
              ("unboxing_video", "goods_photo", "packaging_photo", "call_record", "statement", "witness_statement"))
_DID = Step("merchant", Line("履行的记录", "a record of what was done"), ("chat_record", "call_record", "service_record",
            "order_record", "review_record", "listing_snapshot"), ("commercial_invoice", "test_certificate"))

SITUATIONS: dict[str, Situation] = {
    "visible_defect": Situation(("damaged", "poor_workmanship", "parcel_damaged"), (_START, _EXPLAIN, _TEST), Line(
        "看得见的问题，消费者先给初步凭证；商家要说明和举证，不说明就按属实处理；商家举证了，再由消费者提供质检凭证。",
        "Of what the eye sees the buyer gives first evidence; the seller then explains and proves, or it stands; if he does, "
        "the buyer brings a test."), "淘宝平台争议处理规则 65", "A"),
    "hidden_defect": Situation(("quality_defect", "malfunction"), (_PAPERS, _TEST), Line(
        "看不见的问题由商家先举证，拿不出的退货退款；拿得出的，再由消费者提供质检凭证。",
        "For what the eye cannot see the seller proves first, or the goods go back; if he does, the buyer brings a test."),
        "淘宝平台争议处理规则 66", "A"),
    "genuineness": Situation(("counterfeit", "substandard"), (_PAPERS, _TEST), Line(
        "真假争议由商家先举证来源；拿不出的支持退款，拿得出的再由消费者提供质检凭证。",
        "Over genuineness the seller first proves where it came from, or the buyer is refunded; if he does, the buyer brings a "
        "test."), "淘宝平台争议处理规则 66、67–70", "A"),
    "description": Situation(("material_mismatch", "false_advertising", "missing_parts"), (_START, _EXPLAIN, _TEST), Line(
        "与描述或者表面不一致，消费者先给凭证，商家再说明和举证，之后由消费者提供质检凭证。",
        "Of what differs from the description or on its face the buyer gives evidence, then the seller explains, then the "
        "buyer brings a test."), "淘宝平台争议处理规则 73–81", "A"),
    "pricing": Situation(("price_fraud",), (_START, _DID), Line(
        "消费者用商品页和支付记录对照；商家要说明标价和比较价的依据。",
        "The buyer holds the listing against what was paid; the seller shows what the price and the compared price rest on."),
        "明码标价和禁止价格欺诈规定 16–21；消费者权益保护法 20", "I"),
    "non_receipt": Situation(("shipped_not_received", "parcel_lost"), (_CARRIER, _REBUT), Line(
        "说没有收到的，由对方证明已经送达。",
        "That nothing came need not be proved: the other side shows that it was delivered."),
        "淘宝平台争议处理规则 34–40", "A"),
    "shipment": Situation(("late_shipment", "not_shipped", "shipment_abnormal"), (_CARRIER, _REBUT), Line(
        "是否按时、如实发货由商家证明，时间以承运人系统记录为准。",
        "That it was shipped, in time and as ordered, is the seller's to show; the time is the carrier's record."),
        "淘宝平台争议处理规则 25–33", "A"),
    "carriage": Situation(("parcel_delayed", "order_status_abnormal"), (_START, _CARRIER), Line(
        "消费者给出轨迹或订单记录，商家说明；交易和物流记录由平台保存并提供。",
        "The buyer gives the track or the order's record, the seller explains; the platform keeps and supplies the records."),
        "淘宝平台争议处理规则 25–40；电子商务法 20、62", "I"),
    "seven_day_return": Situation(("no_reason_return",), (_START, _EXPLAIN), Line(
        "消费者证明在期限内、商品完好；商家主张不完好或者属于例外的，由商家证明，例外还须有消费者购买时的确认。",
        "The buyer shows that he is in time and the goods intact; that they are not, or are excepted, is the seller's to show, "
        "with the buyer's confirmation at purchase where it needs one."),
        "消费者权益保护法 25；消费者权益保护法实施条例 19；暂行办法 8–10", "I"),
    "service_work": Situation(("installation_failure", "repair_failure"), (_START, _DID), Line(
        "消费者给出安装、维修记录或故障影像，商家证明已按约定完成。",
        "The buyer gives the record of the work or pictures of the fault; the seller shows that it was done as agreed."),
        "消费者权益保护法 24、48；消费者权益保护法实施条例 18", "I"),
    "conduct": Situation(("after_sales_denied", "poor_after_sales", "refund_obstructed", "poor_service", "merchant_stalling"),
                         (_START, _DID), Line(
        "消费者给出何时提出要求、得到什么答复；商家证明自己办理了。",
        "The buyer shows when he asked and what he was told; the seller shows that he dealt with it."),
        "淘宝平台争议处理规则 8、9；侵害消费者权益行为处罚办法 8、9", "I"),
    "reviews": Situation(("review_manipulation", "malicious_review"), (_START, _DID), Line(
        "提出的一方给出评价记录和沟通记录，另一方说明。",
        "Whoever complains gives the reviews and the talks, the other side explains."),
        "电子商务法 17、39；淘宝平台争议处理规则 8、9", "I"),
    "durable_six_months": Situation((), (_PAPERS._replace(said=Line(
        "瑕疵不是自己造成的证据", "that the defect is not of his making"), evidence=("test_report", "appraisal_report",
        "product_standard", "service_record"), proofs=_ORIGIN), _TEST), Line(
        "机动车、计算机、电视机、电冰箱、空调器、洗衣机等耐用商品和装饰装修，收货六个月内发现瑕疵的，由商家举证。",
        "For durable goods such as vehicles, computers, televisions, refrigerators, air conditioners and washing machines, "
        "and for decoration works, the merchant proves where the defect was found within six months."),
        "消费者权益保护法 23(3)", "A"),
    "after_confirmation": Situation((), (_START, _TEST, _EXPLAIN), Line(
        "确认收货以后才说与描述不符的，由消费者举证。",
        "Of what differs from the description the buyer proves once he has confirmed receipt."),
        "淘宝平台争议处理规则 73–81", "A"),
}

SITUATION_OF: dict[str, str] = {ground: name for name, row in SITUATIONS.items() for ground in row.grounds}


def burden_of(facts: Facts, at: datetime, edition: Edition | None = None) -> Burden:
    """The row of the matrix for the case as it is seen ``at``.

    The six months are counted by the rule ``durable.reverse_burden`` where the edition has it, else as the law says them.
    """
    base = SITUATION_OF[facts.given.ground]
    order = facts.given.order
    durable = any(r.kind == "durable" for r in rules_of(category_of(order.category), facts.given.ground))
    if durable and order.received_at is not None and facts.opened_at <= _six_months(order.received_at, edition):
        return Burden("durable_six_months", SITUATIONS["durable_six_months"], Line(
            "耐用商品，收货六个月内提出", "durable goods, complained of within six months of receipt"))
    if base == "description" and order.confirmed_at is not None and order.confirmed_at <= min(at, facts.opened_at):
        return Burden("after_confirmation", SITUATIONS["after_confirmation"], Line(
            "确认收货在先", "receipt was confirmed before"))
    return Burden(base, SITUATIONS[base], Line("按事由", "by its ground"))


def stands(facts: Facts, at: datetime, edition: Edition | None = None) -> Stand:
    """Who has the burden now, what each side has shown, what is missing, and who loses if it stays so.

    What was found forged counts for nothing, and a party alone in forging loses (争议规则 9).
    """
    burden = burden_of(facts, at, edition)
    evidence = [Shown(_side(e.by.role), e.kind, "evidence", e.authenticity) for e in facts.evidence.values()
                if e.by.role in ("consumer", "adviser", "merchant")]
    shown = (*evidence, *(Shown(p.party, p.kind, "proof", p.result) for p in facts.proofs.values()))
    sides: tuple[Party, ...] = ("consumer", "merchant")
    forged = tuple(side for side in sides if any(s.party == side and s.standing == "forged" for s in shown))
    for n, step in enumerate(burden.row.steps):
        lacking = _lacking(facts, step, shown)
        if lacking:
            pending = tuple(s.kind for s in shown if s.party == step.party and s.kind in (*step.evidence, *step.proofs)
                            and s.standing in ("submitted", "unexamined"))
            loses = None if len(forged) == 2 else forged[0] if forged else step.party
            return Stand(burden, n, step.party, shown, lacking, pending, forged, loses)
    return Stand(burden, None, None, shown, (), (), forged, forged[0] if len(forged) == 1 else None)


class Note(NamedTuple):
    """What has to be said beside how the proof stands. ``open`` says that by the order of proof alone nobody loses yet."""

    said: Line
    clause: str
    open: bool


#: What turns on when the goods went, and not on whether.
LATENESS = ("late_shipment",)
LATE = Note(Line(
    "商家的发货凭证须证明按时发货：只显示揽收、或者显示延迟的，不免除其责任；是否按时由处理人看凭证的时间判断，消费者不必反驳。",
    "The seller's proof has to show that he shipped in time: one that shows the collection (揽收) alone, or lateness, does not "
    "clear him. The agent reads the times in it; the buyer has nothing to refute."), "淘宝平台争议处理规则 25–40", True)
_COLLECTED = Note(Line(
    "发货凭证须证明送达：只显示揽收的，不免除商家的责任。",
    "The proof has to show delivery: one that shows the collection (揽收) alone does not clear the seller."),
    "淘宝平台争议处理规则 34–40", False)


def delivery_note(stand: Stand, ground: str) -> Note | None:
    """What the matrix does not see of an accepted proof of shipment: what it says of times and of delivery."""
    of_carrier = stand.burden.situation in ("shipment", "non_receipt") and stand.step == 1 and not stand.forged
    return (LATE if ground in LATENESS else _COLLECTED) if of_carrier else None


def _lacking(facts: Facts, step: Step, shown: tuple[Shown, ...]) -> tuple[Group, ...]:
    mine = [s for s in shown if s.party == step.party]
    if step.own_groups:
        return missing(facts.given.ground, (s.kind for s in mine if s.source == "evidence" and s.standing != "forged"))
    group = (*step.proofs, *step.evidence)
    proofs = {s.standing for s in mine if s.source == "proof" and s.kind in step.proofs}
    # A consumer's test is in the file or is not; what a merchant says for himself has to be examined and found good.
    enough = ("authentic",) if step.party == "merchant" else ("authentic", "unexamined", "disputed")
    by_evidence = any(s.source == "evidence" and s.kind in step.evidence and s.standing in enough for s in mine)
    by_proof = "accepted" in proofs
    spoilt = step.party == "merchant" and bool({"forged", "missing"} & proofs)
    return () if (by_evidence or by_proof) and not spoilt else (tuple(dict.fromkeys(group)),)


def _side(role: str) -> Party:
    return "merchant" if role == "merchant" else "consumer"


def _six_months(received: datetime, edition: Edition | None) -> datetime:
    if edition is not None and edition.has("durable.reverse_burden"):
        return edition.due("durable.reverse_burden", received).at
    begin = received.astimezone(SHANGHAI)
    year, month0 = divmod(min(begin.year, MAXYEAR - 1) * 12 + begin.month - 1 + 6, 12)
    day = date(year, month0 + 1, min(begin.day, monthrange(year, month0 + 1)[1]))
    return datetime.combine(day, datetime.max.time(), SHANGHAI)


#: The grounds that a matrix row names must be grounds, so that a misprint fails when the module is read.
assert set(SITUATION_OF) == set(GROUNDS)
