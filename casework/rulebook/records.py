"""The rules as data: one record for each figure, rank and time in force.

A limit is never edited: give the old record its last day and add the next one, in a new edition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

Unit = Literal["hour", "day", "working_day", "month", "year"]
Rank = Literal["law", "regulation", "rule", "local", "platform", "seed"]
AppliesBy = Literal["act", "filing", "decision"]
Certainty = Literal["A", "A-", "B", "C", "I"]

RANKS: tuple[Rank, ...] = get_args(Rank)
"""The ranks, the highest first."""


@dataclass(frozen=True, slots=True)
class Record:
    """One figure of one rule while it was in force.

    ``value`` counts ``unit`` (``day`` is a natural day). ``from_`` and ``to`` are local dates in Asia/Shanghai, both
    inclusive, ``None`` where open. ``applies_by`` says whose date chooses the record: of the ``act`` between the
    parties (receipt, request), of the ``filing`` with the body that decides, or of that body's own ``decision``.
    ``clause`` is the source. ``certainty``: A the article was read, A- an excerpt of it, B a secondary source, C not
    verified, I inferred. Raises ``ValueError`` for anything outside these sets.
    """

    id: str
    value: int
    unit: Unit
    from_: date | None
    to: date | None
    rank: Rank
    applies_by: AppliesBy
    clause: str
    certainty: Certainty
    zh: str
    en: str

    def __post_init__(self) -> None:
        _one_of(self.id, "unit", self.unit, get_args(Unit))
        _one_of(self.id, "rank", self.rank, RANKS)
        _one_of(self.id, "applies_by", self.applies_by, get_args(AppliesBy))
        _one_of(self.id, "certainty", self.certainty, get_args(Certainty))
        if self.value < 1:
            raise ValueError(f"{self.id}: a limit of {self.value} is none")
        if self.from_ and self.to and self.to < self.from_:
            raise ValueError(f"{self.id}: ends on {self.to}, before it begins on {self.from_}")

    def in_force(self, day: date) -> bool:
        """Whether the record is in force on the local ``day`` (Asia/Shanghai)."""
        return (self.from_ or date.min) <= day <= (self.to or date.max)


def _one_of(rule: str, name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{rule}: {name} {value!r} is none of {', '.join(allowed)}")


_CONSUMER_LAW = date(2014, 3, 15)
_ORDER_20 = date(2020, 1, 1)
_ORDER_20_ENDS = date(2026, 4, 14)
_ORDER_121 = date(2026, 4, 15)
_DISPUTE_RULES = date(2025, 8, 15)

# fmt: off
RECORDS_2026_11: tuple[Record, ...] = (
    Record(
        "complaint.limitation", 3, "year", _ORDER_20, _ORDER_20_ENDS, "rule", "filing",
        "《市场监督管理投诉举报处理暂行办法》（总局令第20号）第15条第4项", "A",
        "自知道或者应当知道权益受损起超过三年才投诉的，市场监管部门不予受理。",
        "A complaint lodged more than three years after the consumer knew, or should have known, of the harm is "
        "not accepted by the market supervision authority.",
    ),
    Record(
        "complaint.limitation", 3, "year", _ORDER_121, None, "rule", "filing",
        "《市场监督管理投诉举报处理办法》（总局令第121号）第16条第4项", "A",
        "自知道或者应当知道权益受损起超过三年才投诉的，市场监管部门不予受理。",
        "A complaint lodged more than three years after the consumer knew, or should have known, of the harm is "
        "not accepted by the market supervision authority.",
    ),
    Record(
        "suit.limitation", 3, "year", date(2021, 1, 1), None, "law", "act",
        "《民法典》第188条", "A",
        "向法院请求保护民事权利的诉讼时效为三年，自知道或者应当知道权利受损及义务人之日起算。",
        "A suit must be brought within three years of knowing, or having to know, of the harm and who is liable.",
    ),
    Record(
        "mr12315.accept", 7, "working_day", _ORDER_20, _ORDER_20_ENDS, "rule", "filing",
        "《市场监督管理投诉举报处理暂行办法》（总局令第20号）第14条", "A",
        "市场监管部门收到投诉后七个工作日内决定是否受理并告知投诉人。",
        "The market supervision authority decides within seven working days of receiving a complaint whether it "
        "accepts it, and says so.",
    ),
    Record(
        "mr12315.accept", 7, "working_day", _ORDER_121, None, "rule", "filing",
        "《市场监督管理投诉举报处理办法》（总局令第121号）第15条", "A",
        "市场监管部门收到投诉后七个工作日内决定是否受理；不予受理的，要说明理由和其他解决途径。",
        "The market supervision authority decides within seven working days of receiving a complaint whether it "
        "accepts it; a refusal gives the reason and the other ways open.",
    ),
    Record(
        "mr12315.mediate", 45, "working_day", _ORDER_20, _ORDER_20_ENDS, "rule", "decision",
        "《市场监督管理投诉举报处理暂行办法》（总局令第20号）第21条", "A",
        "自受理之日起四十五个工作日仍未达成调解协议的，终止调解。",
        "Mediation ends when no agreement is reached within forty-five working days of acceptance.",
    ),
    Record(
        "mr12315.mediate", 60, "day", date(2024, 7, 1), None, "regulation", "decision",
        "《消费者权益保护法实施条例》（国务院令第778号）第46条", "A",
        "行政部门组织调解的，应当自受理之日起六十日内完成；鉴定、检测时间不计入。",
        "The authority completes mediation within sixty days of acceptance; time spent on testing is not counted.",
    ),
    Record(
        "mr12315.mediate", 60, "day", _ORDER_121, None, "rule", "decision",
        "《市场监督管理投诉举报处理办法》（总局令第121号）第23条", "A",
        "自受理之日起六十日仍未达成调解协议的，终止调解。",
        "Mediation ends when no agreement is reached within sixty days of acceptance.",
    ),
    Record(
        "tipoff.check", 15, "working_day", _ORDER_20, _ORDER_20_ENDS, "rule", "filing",
        "《市场监督管理投诉举报处理暂行办法》（总局令第20号）第23条", "A",
        "发现违法线索后十五个工作日内核查；特殊情况可延长十五个工作日，延长不在此数内。",
        "A lead to an offence is checked within fifteen working days; a further fifteen are possible in special cases "
        "and not included here.",
    ),
    Record(
        "tipoff.check", 15, "working_day", _ORDER_121, None, "rule", "filing",
        "《市场监督管理投诉举报处理办法》（总局令第121号）第27条", "A",
        "发现违法线索后十五个工作日内核查；经批准可延长十五个工作日，延长不在此数内。",
        "A lead to an offence is checked within fifteen working days; a further fifteen need approval and are not "
        "included here.",
    ),
    Record(
        "no_reason_return.window", 7, "day", _CONSUMER_LAW, None, "law", "act",
        "《消费者权益保护法》第25条", "A",
        "网购商品自收到之日起七日内可以无理由退货，法定例外除外。",
        "Goods bought at a distance may be returned without a reason within seven days of receipt, apart from the "
        "exceptions of the law.",
    ),
    Record(
        "refund.after_goods_back", 7, "day", _CONSUMER_LAW, None, "law", "act",
        "《消费者权益保护法》第25条", "A",
        "经营者收到退回商品后七日内返还价款。",
        "The merchant pays the price back within seven days of receiving the returned goods.",
    ),
    Record(
        "defect_return.window", 7, "day", _CONSUMER_LAW, None, "law", "act",
        "《消费者权益保护法》第24条", "A",
        "商品不符合质量要求，又没有国家规定和约定的，消费者自收到之日起七日内可以退货。",
        "Where neither the state nor the parties provide otherwise, defective goods may be returned within seven days "
        "of receipt.",
    ),
    Record(
        "unreasonable_refusal", 15, "day", date(2015, 3, 15), None, "rule", "act",
        "《侵害消费者权益行为处罚办法》第8条、第9条", "A",
        "超过十五日不办理退货、退款等合理要求的，视为故意拖延或者无理拒绝。",
        "A merchant who leaves a justified request for return or refund undone for more than fifteen days is taken to "
        "delay on purpose or to refuse without reason.",
    ),
    Record(
        "dispute.suspend.self_settle", 30, "day", _DISPUTE_RULES, None, "platform", "decision",
        "《淘宝平台争议处理规则》第83条", "A",
        "争议处理中止后，双方在三十日内没有推进协商的，平台恢复处理。",
        "A dispute suspended for the parties to settle is taken up again when they do nothing within thirty days.",
    ),
    Record(
        "dispute.suspend.court_proof", 7, "working_day", _DISPUTE_RULES, None, "platform", "decision",
        "《淘宝平台争议处理规则》第83条", "A",
        "称已起诉或报警的一方在七个工作日内未提交受理凭证的，平台恢复处理。",
        "A dispute suspended for court or police is taken up again when no document of acceptance is produced within "
        "seven working days.",
    ),
    Record(
        "dispute.suspend.police", 6, "month", _DISPUTE_RULES, None, "platform", "decision",
        "《淘宝平台争议处理规则》第83条", "A",
        "公安机关受理后六个月仍无结论的，平台恢复处理。",
        "A dispute suspended for the police is taken up again when they reach no conclusion within six months.",
    ),
    Record(
        "platform.reply", 24, "hour", None, None, "seed", "filing",
        "仅见于网络文章：“通常为24小时内回复”（only said in an article on the web）", "C",
        "平台通常在二十四小时内回复（未核实，未见平台规则原文）。",
        "The platform usually replies within twenty-four hours (unverified: no rule of the platform was found).",
    ),
    Record(
        "ruling.objection", 7, "day", None, None, "seed", "decision",
        "淘宝规则未见天数，暂按同类平台（京东 7 日）；no figure of Taobao's was found", "C",
        "裁决后、结案前留给当事人申请复核的时间（未核实，参照同类平台）。",
        "The time that the parties have to ask for a review before the case is closed (unverified, after a comparable platform).",
    ),
    Record(
        "data.retention", 3, "year", date(2019, 1, 1), None, "law", "act",
        "《电子商务法》第31条", "A",
        "商品、服务和交易信息自交易完成之日起至少保存三年。",
        "Information on goods, services and transactions is kept for at least three years from completion.",
    ),
)
# fmt: on
"""The records of the edition ``2026-11``."""
