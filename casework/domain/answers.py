"""What answers a merchant's excuse: one row an excuse, with the clause it rests on and the evidence that helps.

A refusal is coded by its excuse (:data:`~casework.domain.vocabulary.EXCUSES`), so that whoever was refused can be
told what the law and the platform's rules say to it. The answers decide nothing: they are what a consumer may reply,
and what an adviser may look for.
"""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    """The reply in each language, its clause, and the kinds of evidence that carry it."""

    zh: str
    en: str
    clause: str
    evidence: tuple[str, ...]


ANSWERS: dict[str, Answer] = {
    "misuse": Answer(
        "说使用不当，要由商家举证：看不见的毛病由商家先拿出依据；耐用商品收货六个月内的瑕疵争议也由商家举证。",
        "That it was misused is for the merchant to prove: he proves first for a hidden defect, and for durable goods "
        "within six months of receipt.",
        "淘宝平台争议处理规则 66；消费者权益保护法 23(3)",
        ("fault_video", "fault_photo", "fault_description", "test_report", "service_record")),
    "normal_wear": Answer(
        "磨损是否正常，看收货多久、标准怎么定、商家怎么宣传；事先没有说明就不具备应有性能的，商家仍要负责。",
        "Whether wear is normal shows from the time since receipt, the standard and the listing; the merchant answers for a "
        "lack of function that he did not disclose.",
        "产品质量法 40；淘宝平台争议处理规则 66",
        ("order_record", "tracking_record", "fault_video", "listing_snapshot", "product_standard", "test_report")),
    "man_made_damage": Answer(
        "主张人为损坏的一方要举证：看得见的损坏，消费者有初步凭证后由商家说明；看不见的由商家先举证，说不清就按属实处理。",
        "Whoever says that the buyer broke it has to show it: after first evidence of a visible fault the merchant "
        "explains, and for a hidden one he proves first; failing that, the complaint stands.",
        "淘宝平台争议处理规则 65、66",
        ("unboxing_video", "packaging_photo", "fault_photo", "fault_description", "test_report", "appraisal_report")),
    "resale_impaired": Answer(
        "法律看的是商品是否完好，不是影不影响二次销售；为检查而拆封、合理调试不算不完好。质量问题退货不适用这个标准。",
        "The test is whether the goods are intact, not whether they can be sold again; opening and trying them out "
        "reasonably keeps them intact. A return for a defect does not depend on it at all.",
        "消费者权益保护法 24、25；消费者权益保护法实施条例 19；法释〔2022〕8号 3；"
        "网络购买商品七日无理由退货暂行办法 8、9、35",
        ("goods_photo", "hang_tag", "packaging_photo", "unboxing_video")),
    "normal_phenomenon": Answer(
        "是不是正常现象，拿产品标准和商品页的描述来比：不符合标准、与说明不一致，或者事先没有说明，就不是“正常”。",
        "Compare with the standard and with the listing: what falls short of the one, differs from the other or was never "
        "mentioned is not normal.",
        "消费者权益保护法 20；产品质量法 26、40；淘宝平台争议处理规则 73",
        ("product_standard", "listing_snapshot", "hang_tag", "detail_photo", "comparison_photo", "test_report")),
    "denies_counterfeit": Answer(
        "真假争议由商家先举证：拿不出授权、进货、报关等凭证的，平台支持退款；拿得出的，再由消费者提供质检凭证。",
        "Over a fake the seller proves first: without papers on where it came from the buyer is refunded; with them, the "
        "buyer has to bring a test.",
        "淘宝平台争议处理规则 66、67",
        ("comparison_photo", "security_label", "batch_number", "authenticity_check", "appraisal_report", "expert_opinion",
         "authority_decision")),
    "flat_refusal": Answer(
        "无理拒绝本身要承担责任；不必再争，申请平台介入，或者找消协、12315，或者起诉。",
        "To refuse without reason is itself a liability; ask the platform to step in, or go to the association, to 12315 or "
        "to court.",
        "消费者权益保护法 39、48(8)；电子商务法 60、61",
        ("chat_record", "call_record")),
    "stalling": Answer(
        "超过十五日不办理，视为故意拖延或者无理拒绝；记下每次提出要求和得到答复的时间，不必等满就可以申请平台介入。",
        "More than fifteen days without dealing with it counts as deliberate delay; note when you asked and what was said. "
        "The platform can be asked before that.",
        "侵害消费者权益行为处罚办法 8、9；消费者权益保护法 48(8)",
        ("chat_record", "call_record")),
    "shifts_blame": Answer(
        "消费者可以直接找卖家：运输途中的风险一般由卖家承担，卖家赔了再向厂家、快递追偿。",
        "The seller answers to the consumer: transport is as a rule at his risk, and he may recover from maker or carrier "
        "afterwards.",
        "消费者权益保护法 40；电子商务法 20",
        ("chat_record", "tracking_record", "unboxing_video", "service_record")),
    "no_after_sales": Answer(
        "商品不符合质量要求，商家有退货、更换、修理的义务；页面上承诺的售后同样要做到。",
        "For goods short of quality the merchant owes return, exchange or repair, and he is bound by the service that the "
        "listing promises.",
        "消费者权益保护法 24、52；产品质量法 40；消费者权益保护法实施条例 12",
        ("chat_record", "service_record", "listing_snapshot", "fault_description")),
    "loophole": Answer(
        "排除消费者权利的格式条款无效，“签收即视为合格”“最终解释权归商家”都是；商家也不能自己扩大不退货的范围。",
        "Standard terms that take rights away are void, among them 'signing for it is approving it' and a 'right of final "
        "interpretation'; nor may the merchant widen the exceptions from return.",
        "消费者权益保护法 26；法释〔2022〕8号 1；网络购买商品七日无理由退货暂行办法 30",
        ("listing_snapshot", "chat_record")),
    "plausible_story": Answer(
        "解释不等于证据：商家对自己的说法同样要保证真实、完整。请他写明依据，再与标准、商品页和正品对照。",
        "An explanation is no proof: the merchant answers for the truth of what he says. Ask what it rests on and hold it "
        "against the standard, the listing and the genuine article.",
        "淘宝平台争议处理规则 8、9；消费者权益保护法 20",
        ("chat_record", "comparison_photo", "product_standard", "listing_snapshot")),
    "evidence_insufficient": Answer(
        "看得见的问题只需初步凭证，看不见的和真假问题由商家先举证；交易记录在平台，平台应当提供。",
        "A visible defect needs first evidence only; for a hidden one or a fake the seller proves first. The records of the "
        "trade are with the platform, which has to supply them.",
        "淘宝平台争议处理规则 65、66；电子商务法 62",
        ("goods_photo", "detail_photo", "order_record", "chat_record", "fault_description")),
    "other": Answer(
        "请商家写明拒绝的具体理由和依据；商家对消费者的询问应当真实、明确地答复。",
        "Ask the merchant to state his reason and what it rests on; he has to answer a query truthfully and clearly.",
        "消费者权益保护法 20；淘宝平台争议处理规则 8",
        ("chat_record", "call_record")),
}
