"""What happens to made-up cases, how often, and how long people take over it.

The shares of what is complained of are those of the China Consumers Association for 2025; those of the goods follow its table for
the first half of 2022; about how many are resolved, its rate for 2024 (68.75 %). Every other share is an assumption, made so that
nearly all that the lifecycle has comes up: ``docs/bulk.md`` says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Any, TypeVar

from casework.domain.check import SHANGHAI
from casework.domain.commands import OpenCase
from casework.domain.grounds import missing
from casework.domain.values import Actor, Extra, Order, Penalty, Remedy
from casework.simulation.walk import DAY, Ended, Names, Walk, awake

T = TypeVar("T")

#: What is complained of, in per cent of complaints (2025), and which grounds stand for it, in parts.
NATURES: dict[str, tuple[float, dict[str, int]]] = {
    "售后服务": (27.68, {"refund_obstructed": 8, "after_sales_denied": 6, "poor_after_sales": 4, "no_reason_return": 6,
                     "repair_failure": 3, "installation_failure": 1}),
    "合同": (23.79, {"late_shipment": 6, "not_shipped": 5, "shipped_not_received": 3, "parcel_delayed": 3, "parcel_lost": 2,
                   "shipment_abnormal": 2, "order_status_abnormal": 1, "missing_parts": 2}),
    "质量": (19.51, {"quality_defect": 6, "malfunction": 6, "damaged": 3, "poor_workmanship": 2, "parcel_damaged": 3}),
    "虚假宣传": (7.88, {"false_advertising": 5, "material_mismatch": 3}),
    "安全": (5.93, {"substandard": 1}),
    "价格": (4.73, {"price_fraud": 1}),
    "假冒": (3.48, {"counterfeit": 1}),
    "人格权益": (1.08, {"poor_service": 1}),
    "计量": (0.78, {"missing_parts": 1}),
    "其他": (5.13, {"merchant_stalling": 2, "poor_service": 1, "review_manipulation": 1, "malicious_review": 1}),
}
#: The goods: a category, its part of the orders, what it is called, and between which prices in yuan.
GOODS: dict[str, tuple[int, tuple[str, ...], int, int]] = {
    "home_goods": (27, ("收纳箱", "四件套", "保温杯", "儿童积木"), 15, 400),
    "small_appliance": (15, ("榨汁机", "电饭煲", "吹风机", "扫地机器人"), 60, 2500),
    "large_appliance": (5, ("洗衣机", "电冰箱", "空调器"), 900, 6000),
    "electronics": (12, ("蓝牙耳机", "手机", "移动电源"), 40, 5000),
    "computer": (3, ("笔记本电脑", "台式计算机"), 2000, 9000),
    "clothing": (22, ("羊绒衫", "运动鞋", "连衣裙", "双肩包"), 40, 1500),
    "food": (9, ("坚果礼盒", "茶叶", "奶粉"), 20, 600),
    "cosmetics": (5, ("面霜", "口红"), 40, 900),
    "furniture": (2, ("书桌", "沙发"), 200, 5000),
}
EXCUSES = ("misuse", "man_made_damage", "resale_impaired", "normal_phenomenon", "evidence_insufficient", "stalling",
           "shifts_blame")
REJECTIONS = ("evidence_insufficient", "no_clear_claim", "outside_scope", "order_mismatch")
AGENTS, SUPERVISORS = 40, 8
CONDUCT = ("after_sales_denied", "poor_after_sales", "poor_service", "merchant_stalling", "review_manipulation",
           "malicious_review")
SENT_BACK = ("quality_defect", "malfunction", "poor_workmanship", "material_mismatch", "no_reason_return", "counterfeit",
             "substandard", "false_advertising", "damaged", "refund_obstructed")
_CLAUSES = {"hidden": "淘宝平台争议处理规则 66", "seen": "淘宝平台争议处理规则 65", "other": "淘宝平台争议处理规则 8、9"}
_TALK = ("请尽快处理", "已经等了几天，仍没有结果", "商品与承诺不符", "请按规则处理", "麻烦核实后回复")


class Picker:
    """Draws one of some things, each as often as it weighs."""

    def __init__(self, weights: Mapping[Any, float]) -> None:
        self._things = list(weights)
        self._sums = list(accumulate(weights.values()))

    def of(self, draw: Random) -> Any:
        """One of them."""
        return draw.choices(self._things, cum_weights=self._sums)[0]


_GROUND = Picker({(nature, ground): share * part / sum(parts.values())
                  for nature, (share, parts) in NATURES.items() for ground, part in parts.items()})
_GOODS = Picker({category: row[0] for category, row in GOODS.items()})


def given(draw: Random, opened: datetime, ground: str | None = None) -> OpenCase:
    """An order and what is wrong with it, in somebody's name who is told later."""
    ground = ground or _GROUND.of(draw)[1]
    category = _GOODS.of(draw)
    _, items, low, high = GOODS[category]
    paid = Decimal(int(100 * low * (high / low) ** draw.random())).scaleb(-2)
    services = [name for name, share in (("seven_day_return", 0.6), ("return_freight_cover", 0.3), ("advance_compensation", 0.15),
                                         ("damage_cover", 0.1), ("instant_refund", 0.1)) if draw.random() < share]
    if ground in ("counterfeit", "substandard") and draw.random() < 0.5:
        services.append(draw.choice(("fake_one_pay_three", "fake_one_pay_four")))
    came = ground not in ("not_shipped", "late_shipment", "shipped_not_received", "parcel_lost", "order_status_abnormal")
    received = opened - timedelta(seconds=int(3600 * (2 + 24 * 40 * draw.random() ** 3))) if came else None
    ordered = (received or opened) - timedelta(seconds=int(3600 * (20 + 24 * 6 * draw.random())))
    return OpenCase(
        order=Order(id="T", item=draw.choice(items), category=category, merchant="M", paid=paid, ordered_at=ordered,
                    received_at=received, services=tuple(services)),
        consumer="C", ground=ground)


def begin(draw: Random, day: datetime) -> datetime:
    """A time of that local day at which somebody complains."""
    local = day.astimezone(SHANGHAI).replace(hour=WHEN.of(draw), minute=0, second=0, microsecond=0)
    return (local + timedelta(seconds=draw.randrange(3600))).astimezone(day.tzinfo)


#: At which hours people begin to complain, by the clock of Asia/Shanghai.
WHEN = Picker({hour: weight for hours, weight in (((8, 9), 3), ((10, 11), 5), ((12, 13), 6), ((14, 15, 16, 17), 5), ((18, 19), 6),
                                                  ((20, 21), 9), ((22,), 4)) for hour in hours})


def walked(draw: Random, names: Names, day: datetime, *, late: bool = False, ground: str | None = None) -> Walk:
    """A case that was opened on that local day and went its way; ``late``: to a body outside, which decided too late.

    Raises :class:`~casework.errors.Refused` where the rules do not allow a step that the story has.
    """
    opened = begin(draw, day)
    cut = None if late or draw.random() < 0.94 else draw.randrange(10)
    walk = Walk(draw, names, given(draw, opened, ground), opened, cut)
    with suppress(Ended):
        Story(walk, late).told()
    return walk


class Story:
    """How one case goes, stage by stage; what is drawn at each fork stands beside it."""

    def __init__(self, walk: Walk, late: bool = False) -> None:
        self.walk, self.late = walk, late
        self.paid = walk.given.order.paid
        self.ground = walk.given.ground
        self.agent = Actor(role="agent", id=f"A-{1 + walk.draw.randrange(AGENTS)}")
        self.supervisor = Actor(role="supervisor", id=f"S-{1 + walk.draw.randrange(SUPERVISORS)}")

    def told(self) -> None:
        """From the first word to the merchant to the end."""
        walk = self.walk
        settled = not self.late and self._with_merchant()
        if walk.facts.state in ("abandoned", "resolved", "withdrawn", "lapsed", "awaiting_merchant"):
            settled = True
        if not settled:
            self._with_platform()
        self._afterwards()

    # --- with the merchant ---

    def _with_merchant(self) -> bool:
        """Whether it ends there, one way or another."""
        walk = self.walk
        if "instant_refund" in walk.given.order.services and walk.chance(0.5):
            walk.wait(0.1, 2, asleep=True)
            walk.do("instant_refund", "system", amount=self.paid)
            return True
        walk.wait(0.05, 24)
        asks = walk.chance(0.65)
        walk.do("contact_merchant", "consumer", message=self._say(),
                channel=walk.one(("merchant_chat", "app_service", "after_sales")), remedy=self._remedy() if asks else None)
        if walk.chance(0.3):
            walk.wait(0.1, 8)
            walk.do("reply", walk.one(("consumer", "merchant")), message=self._say())
        if asks and walk.chance(0.12):
            return self._silence()
        if walk.chance(0.2):
            self._merchant_wants_evidence()
        if walk.chance(0.48):
            walk.wait(0.5, 40, until=walk.due("merchant_answer"))
            walk.do("make_offer", "merchant", remedy=self._offer(), message=self._say())
            walk.wait(0.2, 30)
            if walk.chance(0.7):
                walk.do("accept_offer", "consumer")
                self._performance()
                return True
            walk.do("decline_offer", "consumer", message=self._say())
        walk.wait(0.5, 40, until=walk.due("merchant_answer"))
        walk.do("refuse_claim", "merchant", excuse=walk.one(EXCUSES), message=self._say())
        if walk.chance(0.22):
            walk.wait(4, 300)
            walk.do("give_up", "consumer", message=self._say())
            return True
        return False

    def _silence(self) -> bool:
        """The merchant says nothing until his time is over: what was asked for is taken as agreed."""
        walk = self.walk
        due = walk.due("merchant_answer")
        if due is None:
            return False
        walk.pass_by(due)
        walk.do("deem_agreed", "system")
        self._performance()
        return True

    def _merchant_wants_evidence(self) -> None:
        walk = self.walk
        walk.wait(0.5, 30, until=walk.due("merchant_answer"))
        walk.do("ask_for_evidence", "merchant", message=self._say())
        self._evidence()
        if not walk.facts.consumer_evidence or walk.facts.consumer_evidence[-1].version <= walk.facts.evidence_asked_version:
            self._put("chat_record")
        walk.wait(0.05, 2)
        walk.do("answer_merchant", "consumer", message=self._say())

    # --- with the platform ---

    def _with_platform(self) -> None:
        walk = self.walk
        walk.wait(0.5, 90)
        contacted = walk.facts.contacted_at is not None
        walk.do("file", "consumer", claim=self._remedy().kind, statement=self._say(),
                without_contact=None if contacted else "unreachable")
        if walk.chance(0.1):
            walk.wait(0.5, 4)
            self._call()
        if not self.late and ((walk.chance(0.12) and not self._rejected())
                              or (walk.chance(0.15) and not self._platform_wants_evidence())):
            return
        self._evidence()
        self._to_reply()
        walk.do("accept_complaint", self.agent, message="已受理")
        if not self.late and walk.chance(0.04):
            walk.wait(1, 60)
            walk.do("withdraw", "consumer", message=self._say())
            return
        if self.late or walk.chance(0.05):
            self._outside()
            return
        if walk.chance(0.05):
            self._suspended()
        self._review(self.agent)
        self._after_ruling()

    def _to_reply(self) -> None:
        """Let the platform take its time; sometimes too much, which is nobody's finding: no page with its limit was found."""
        due = self.walk.due("platform_reply")
        self.walk.wait(0.5, 20, until=due if self.walk.chance(0.96) else None)

    def _rejected(self) -> bool:
        """The platform does not take it; whether it goes on all the same."""
        walk = self.walk
        self._to_reply()
        walk.do("reject_complaint", self.agent, ground=walk.one(REJECTIONS), explanation="不符合受理条件")
        if walk.chance(0.4):
            walk.wait(2, 120)
            walk.do("file", "consumer", claim=self._remedy().kind, statement=self._say())
            return True
        if walk.chance(0.3):
            walk.wait(5, 200)
            walk.do("give_up", "consumer")
        elif walk.chance(0.5):
            self._outside()
        return False

    def _platform_wants_evidence(self) -> bool:
        """Whether the consumer supplies it."""
        walk = self.walk
        self._to_reply()
        until = _morning(walk.now + 3 * DAY)
        kinds = missing(self.ground, (x.kind for x in walk.facts.consumer_evidence))
        walk.do("request_evidence", self.agent, kinds=(kinds[0][0] if kinds else "statement",), answer_by=until)
        if walk.chance(0.15):
            walk.pass_by(until)
            walk.do("lapse", "system")
            return False
        self._evidence(until)
        if walk.facts.consumer_evidence[-1:] == [] or not kinds:
            self._put("statement", until)
        walk.wait(0.1, 4, until=until)
        walk.do("supply_evidence", "consumer")
        return True

    def _suspended(self) -> None:
        walk = self.walk
        walk.wait(1, 30)
        walk.do("suspend", walk.facts.assigned or self.agent, ground="both_ask", message="双方同意协商")
        if walk.chance(0.4):
            due = walk.due("suspension")
            assert due is not None
            walk.pass_by(due)
            walk.do("resume", "system")
            return
        walk.wait(24, 300, until=walk.due("suspension"))
        walk.do("resume", walk.facts.assigned or self.agent)

    def _review(self, judge: Actor) -> None:
        """The parties are heard, the merchant proves or does not, and somebody rules."""
        walk = self.walk
        walk.wait(0.5, 20)
        until = _morning(walk.now + 2 * DAY)
        walk.do("notify", judge, party="merchant", answer_by=until, message="请说明情况")
        answers = walk.chance(0.85)
        if answers:
            walk.wait(1, 40, until=until)
            walk.do("answer", "merchant", statement=self._say())
        walk.wait(0.5, 12)
        walk.do("answer", "consumer", statement=self._say())
        proven = walk.chance(0.55) and self._proof(judge)
        if not answers and walk.now <= until:
            walk.pass_by(until, hours=1)
        walk.wait(1, 40)
        if proven and walk.chance(0.7):
            walk.do("rule", judge, outcome="for_merchant", findings="商家已举证，消费者的主张未获支持", clause=self._clause())
            return
        partly = walk.chance(0.25)
        remedy = self._partly() if partly else self._granted()
        penalties = self._penalties()
        walk.do("rule", judge, outcome="partly_for_consumer" if partly else "for_consumer",
                findings="商家未能举证，消费者的主张成立", clause=self._clause(), remedy=remedy, penalties=penalties)

    def _proof(self, judge: Actor) -> bool:
        """Whether the merchant proves what is his to prove."""
        walk = self.walk
        if walk.facts.state != "under_review":
            return False
        shipping = self.ground in NATURES["合同"][1]
        kinds = ("shipping_proof",) if shipping else ("purchase_voucher", "test_certificate")
        walk.wait(0.5, 20)
        until = _morning(walk.now + 3 * DAY)
        walk.do("ask_proof", judge, party="merchant", kinds=kinds, answer_by=until)
        if walk.chance(0.35):
            walk.pass_by(until)
            walk.do("close_proof", "system")
            return False
        walk.wait(2, 60, until=until)
        walk.do("submit_proof", "merchant", kinds=kinds, statement=self._say())
        good = walk.chance(0.7)
        for kind in kinds:
            walk.wait(0.2, 10)
            walk.do("examine_proof", judge, kind=kind, result="accepted" if good else "missing")
        return good

    def _after_ruling(self) -> None:
        walk = self.walk
        ruling = walk.facts.rulings[-1]
        for_merchant = ruling.remedy is None
        if not ruling.review and walk.chance(0.3 if for_merchant else 0.06):
            walk.wait(4, 60, until=walk.due("objection"))
            walk.do("escalate", "consumer" if for_merchant else "merchant", statement=self._say())
            walk.wait(2, 30)
            walk.do("assign", "system", to=str(self.supervisor))
            self._review(self.supervisor)
            self._after_ruling()
            return
        if not for_merchant:
            walk.wait(0.5, 30)
            walk.do("execute_ruling", walk.facts.assigned or self.agent)
            self._performance()
            return
        due = walk.due("objection")
        if due is None:
            walk.wait(1, 30)
            walk.do("dismiss", walk.facts.assigned or self.agent)
        else:
            walk.pass_by(due)
            walk.do("dismiss", "system")

    # --- outside ---

    def _outside(self) -> None:
        """An outside body takes the matter, and settles it or does not."""
        walk = self.walk
        walk.wait(2, 100)
        walk.do("refer", "consumer", body="market_regulator", statement=self._say())
        walk.wait(1, 10)
        walk.do("go_external", "consumer")
        body = Actor(role="external", id="market_regulator")
        due = walk.due("referral_acceptance")
        if not self.late and walk.chance(0.08):
            walk.wait(20, 100, until=due)
            walk.do("refuse_referral", body, referral="R-1", explanation="不属于管辖")
            walk.wait(0.1, 10)
            walk.do("end_external", "system")
            return
        if self.late and due is not None:
            walk.pass_by(due, hours=90)
            walk.now = awake(walk.now, walk.draw)
        else:
            walk.wait(20, 140, until=due)
        walk.do("accept_referral", body, referral="R-1")
        walk.wait(100, 900, until=walk.due("referral_result"))
        if walk.chance(0.6):
            remedy = Remedy(kind="refund", amount=self.paid)
            walk.do("settle_referral", body, referral="R-1", remedy=remedy)
            walk.wait(1, 40)
            walk.do("external_award", body, remedy=remedy, document="调解书")
            self._performance()
        else:
            walk.do("end_referral", body, referral="R-1", explanation="双方未能达成一致")
            walk.wait(0.1, 30)
            walk.do("end_external", "system")

    # --- performance ---

    def _performance(self) -> None:
        """The goods go back where they have to, and the merchant does what is due; or the platform pays first."""
        walk = self.walk
        if walk.facts.goods == "due" and not self._goods_back():
            return
        remedy = walk.facts.remedy
        total = remedy.total if remedy else None
        if walk.chance(0.07) and total and (walk.facts.rulings or "advance_compensation" in walk.given.order.services):
            self._advance(total)
            return
        if walk.chance(0.03):
            return
        walk.wait(2, 120, until=walk.due("performance"))
        walk.do("perform_remedy", "merchant", amount=total)
        walk.wait(1, 60)
        walk.do("confirm_remedy", "consumer" if walk.chance(0.7) else "system")

    def _goods_back(self) -> bool:
        walk, due = self.walk, self.walk.due("return_shipping")
        if walk.chance(0.04) and due is not None:
            walk.pass_by(due)
            walk.do("lapse", "system")
            return False
        walk.wait(4, 90, until=due)
        walk.do("ship_return", "consumer", carrier="演示快递", waybill=f"YD{walk.draw.randrange(10**10):010}")
        if walk.chance(0.04):
            walk.wait(40, 130, until=walk.due("return_confirmation"))
            walk.do("contest_return", "merchant", statement="退回的商品不完好")
            walk.wait(2, 40)
            walk.do("settle_return", self.agent, received=True, explanation="影像显示商品完好")
        elif walk.chance(0.1) and (over := walk.due("return_confirmation")) is not None:
            walk.pass_by(over)
            walk.do("receive_return", "system")
        else:
            walk.wait(40, 130, until=walk.due("return_confirmation"))
            walk.do("receive_return", "merchant")
        return True

    def _advance(self, total: Decimal) -> None:
        walk, due = self.walk, self.walk.due("performance")
        if due is None:
            return
        walk.pass_by(due)
        walk.do("apply_advance", "system", statement="逾期未履行")
        walk.wait(2, 60)
        walk.do("pay_advance", self.agent, amount=total)
        walk.wait(0.1, 10)
        walk.do("confirm_remedy", "system")
        if walk.chance(0.6):
            walk.wait(50, 900)
            walk.do("recover_advance", "system")

    def _afterwards(self) -> None:
        walk = self.walk
        if walk.chance(0.2):
            walk.wait(0.2, 60)
            walk.do("give_feedback", "consumer", score=walk.one((1, 2, 3, 4, 5, 5)))

    # --- what is said ---

    def _evidence(self, until: datetime | None = None) -> None:
        """What the ground needs and the file lacks."""
        for group in missing(self.ground, (x.kind for x in self.walk.facts.consumer_evidence)):
            self._put(self.walk.one(group[:3]), until)

    def _put(self, kind: str, until: datetime | None = None) -> None:
        walk = self.walk
        due = min((d for d in (until, walk.due("platform_reply")) if d is not None), default=None)
        walk.wait(0.02, 3, until=due)
        walk.do("add_evidence", "consumer", kind=kind, description=self._say())

    def _call(self) -> None:
        self.walk.do("log_call", "consumer", note="客服表示会跟进", staff=f"小二{self.walk.draw.randrange(1000):03}")

    def _say(self) -> str:
        return self.walk.one(_TALK)

    def _remedy(self) -> Remedy:
        walk = self.walk
        if self.ground in SENT_BACK and walk.given.order.received_at is not None and walk.chance(0.6):
            return Remedy(kind="return_refund", amount=self.paid) if walk.chance(0.85) else Remedy(kind="exchange")
        return Remedy(kind="refund", amount=self.paid)

    def _offer(self) -> Remedy:
        walk = self.walk
        if walk.chance(0.5):
            return self._remedy()
        part = (self.paid * walk.draw.randrange(10, 60) / 100).quantize(Decimal("0.01"))
        return Remedy(kind="refund", amount=max(part, Decimal("0.01")))

    def _granted(self) -> Remedy:
        walk, services = self.walk, self.walk.given.order.services
        remedy = self._remedy()
        multiple = next((n for name, n in (("fake_one_pay_three", 3), ("fake_one_pay_four", 4)) if name in services), 0)
        if multiple and self.ground == "counterfeit" and walk.chance(0.5):
            extra = Extra(kind="promised_multiple", amount=self.paid * multiple)
            return Remedy(kind="return_refund", amount=self.paid, extra=(extra,))
        return remedy

    def _partly(self) -> Remedy:
        part = (self.paid * self.walk.draw.randrange(20, 80) / 100).quantize(Decimal("0.01"))
        return Remedy(kind="refund", amount=max(part, Decimal("0.01")))

    def _penalties(self) -> tuple[Penalty, ...]:
        walk = self.walk
        if self.ground == "counterfeit" and walk.chance(0.6):
            return (Penalty(kind="point_deduction", points=12, clause="淘宝平台规则 售假"), Penalty(kind="listing_removal"))
        if walk.chance(0.05):
            return (Penalty(kind="warning", points=walk.one((1, 2, 3))),)
        return ()

    def _clause(self) -> str:
        hidden = self.ground in ("quality_defect", "malfunction", "counterfeit", "substandard")
        return _CLAUSES["hidden" if hidden else "other" if self.ground in CONDUCT else "seen"]


def _morning(moment: datetime) -> datetime:
    """Six in the evening of that local day, which is when a day that somebody sets is over."""
    return moment.astimezone(SHANGHAI).replace(hour=18, minute=0, second=0, microsecond=0).astimezone(moment.tzinfo)
