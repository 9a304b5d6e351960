"""Why a command is refused: one row a code, with the sentence, the clause it rests on and what to do instead.

Codes are stable; scenarios, the audit and programs rely on them. Sentences may hold ``{names}`` that the guard fills in.
"""

from __future__ import annotations

from typing import NamedTuple

from casework.errors import Reason


class ReasonText(NamedTuple):
    """The wording of a code. ``mend`` says what the one who was refused can do."""

    zh: str
    en: str
    mend_zh: str
    mend_en: str
    clause: str = ""


REASONS: dict[str, ReasonText] = {
    "not_in_this_state": ReasonText(
        "案件处于“{state}”，此时没有这一步", "the case is '{state}', where there is no such step",
        "用 options 查看现在可以做什么", "see with options what can be done now"),
    "role_not_allowed": ReasonText(
        "{role}不能做这一步；可由：{roles}", "the {role} may not do this; it is for: {roles}",
        "请由有权的一方操作", "let one of those roles do it"),
    "not_a_party": ReasonText(
        "{who} 不是本案当事人", "{who} is not a party to this case",
        "使用本案登记的消费者或商家身份", "act as the consumer or merchant that the case names",
        "淘宝平台争议处理规则 2"),
    "not_authorised": ReasonText(
        "消费者未授权 {who} 代为提交", "the consumer has not authorised {who}",
        "先由消费者执行 authorise_adviser", "let the consumer authorise_adviser first", "市场监督管理投诉举报处理办法 11"),
    "not_this_body": ReasonText(
        "{who} 没有正在处理本案", "{who} does not have this matter",
        "由已受理的机构操作；先用 refer 提交", "only a body that has the matter may; refer it first"),
    "not_assigned": ReasonText(
        "{who} 未被指派处理本案", "{who} is not assigned to this case",
        "先受理（accept_complaint）或由主管指派（assign）", "accept the complaint or have a supervisor assign it first"),
    "ruled_before": ReasonText(
        "{who} 已作过首次裁决，不得复核自己的裁决", "{who} made the first ruling and may not decide its review",
        "由另一位小二或主管处理", "let another agent or a supervisor decide"),
    "time_runs_backwards": ReasonText(
        "时间 {at} 早于本案最近的记录 {last}", "{at} is before the case's last event at {last}",
        "使用不早于最近记录的时间", "use a time not before the last event"),
    "in_the_future": ReasonText(
        "时间 {at} 晚于记录时间 {recorded}", "{at} is later than the time of recording, {recorded}",
        "只能记录已经发生的事", "record what has happened, when it has happened"),
    "deadline_not_in_future": ReasonText(
        "期限 {answer_by} 不在提出之后", "the day given, {answer_by}, is not after the request",
        "给出将来的期限", "give a time in the future"),
    "merchant_not_contacted": ReasonText(
        "尚未联系商家，也没有说明不联系的理由", "the merchant was not contacted, and no reason is stated why not",
        "先 contact_merchant，或在申请时写明 without_contact", "contact_merchant first, or state without_contact",
        "消费者权益保护法 39；淘宝平台争议处理规则 7"),
    "out_of_time": ReasonText(
        "已超过时效：{due}（{rule}）", "the time ran out on {due} ({rule})",
        "确认时效是否中断；可咨询法律途径", "see whether the period was interrupted; take advice on a suit",
        "民法典 188、195"),
    "evidence_missing": ReasonText(
        "证据不足，缺少：{kinds}", "evidence is missing: {kinds}",
        "用 add_evidence 补充所缺证据（每组任一即可）", "add_evidence of what is missing (any one of each group)",
        "淘宝平台争议处理规则 8、65、66"),
    "nothing_new": ReasonText(
        "上次要求之后没有新增证据", "no evidence was added since it was asked for",
        "先 add_evidence", "add_evidence first"),
    "no_open_offer": ReasonText(
        "没有有效的方案", "there is no open offer",
        "等商家提出方案（make_offer）", "wait for the merchant to make_offer"),
    "not_heard": ReasonText(
        "尚未听取{parties}的意见，且没有已过期的答复期限",
        "not heard: {parties} neither answered nor was notified with a time that is past",
        "先 notify 并等待期限届满，或等其 answer", "notify with an answer_by and wait for it, or for the answer",
        "淘宝平台争议处理规则 3、8"),
    "no_claim_put": ReasonText(
        "没有向商家提出具体诉求", "nothing in particular was asked of the merchant",
        "联系商家时用 remedy 写明要求", "say with remedy what is asked when contacting the merchant"),
    "not_your_duty": ReasonText(
        "该期限不由 {who} 中止、恢复或延长", "{who} may not stop, start or extend that deadline",
        "由设定该期限的一方处理；外部机构只能处理自己的期限", "it is for whoever set it; an outside body moves only its own"),
    "not_an_extension": ReasonText(
        "{until} 不晚于现有期限 {due}，或在十年以后",
        "{until} is not later than the time that there is, {due}, or is over ten years away",
        "给出更晚、但不超过十年的时间", "give a later time, within ten years"),
    "duty_is_final": ReasonText(
        "该期限不是暂定的，无需重算", "that deadline is not provisional",
        "只重算因日历未公布而暂定的期限", "only deadlines that waited for a calendar are computed again"),
    "calendar_not_published": ReasonText(
        "计算该期限所需的工作日历还没有公布（暂定 {due}）",
        "the calendar that the deadline needs is not published yet (provisionally {due})",
        "待国务院公布放假安排并升级 chinesecalendar 后再算",
        "compute it when the State Council's notice is out and the package chinesecalendar is upgraded"),
    "carrier_first": ReasonText(
        "须先向快递企业投诉并等待答复（期限 {due}）", "complain to the carrier first and wait for its answer (until {due})",
        "用 log_call（channel=carrier_service）记录向快递企业的投诉",
        "record the complaint to the carrier with log_call (channel=carrier_service)",
        "快递暂行条例 28；邮政业用户申诉处理办法"),
    "no_proof_owed": ReasonText(
        "{who} 没有需要提交的受理凭证", "no proof of acceptance is owed by {who}",
        "仅在因法院或公安中止时、由主张的一方提交",
        "only where the review is suspended for court or police, by the party that said so",
        "淘宝平台争议处理规则 83"),
    "unknown_edition_named": ReasonText(
        "没有规则版本“{edition}”", "there is no edition '{edition}' of the rulebook",
        "用 casework rules 查看已有的规则版本", "see the editions with casework rules"),
    "not_a_later_edition": ReasonText(
        "规则版本 {edition} 不晚于案件现用的 {pinned}", "edition {edition} is not later than the case's, {pinned}",
        "案件只能改用更新的规则版本", "a case goes over to a later edition only", "淘宝平台争议处理规则 92"),
    "not_your_ruling": ReasonText(
        "该裁决不是 {who} 作出的", "{who} did not make that ruling",
        "由作出裁决的人更正；认为裁决错误的，用 escalate 申请复核",
        "let whoever ruled correct it; whoever thinks it wrong may escalate"),
    "not_a_correction": ReasonText(
        "更正只能改文字、条款或金额，不能改变裁决结果",
        "a correction changes a text, a clause or a sum, and nothing of what is granted",
        "写明要更正的 findings、clause 或同类 remedy 的金额；改变结果须复核",
        "say the findings, the clause or the sum of the same remedy; another outcome takes a review"),
    "performed_already": ReasonText(
        "已经开始履行，或履行的不是该裁决", "it is being performed already, or what is due is not that ruling's remedy",
        "用 report_default 或复核处理", "use report_default, or a review"),
    "remedy_missing": ReasonText(
        "支持消费者的裁决必须写明处理方式（及金额）", "a ruling for the consumer must say the remedy (and its amount)",
        "补充 remedy", "state the remedy"),
    "remedy_not_due": ReasonText(
        "支持商家的裁决不能同时给予救济", "a ruling for the merchant cannot grant a remedy",
        "去掉 remedy 或更正 outcome", "leave the remedy out, or correct the outcome"),
    "penalty_without_finding": ReasonText(
        "支持商家的裁决不能处罚商家", "a ruling for the merchant cannot penalise him",
        "去掉 penalties 或更正 outcome", "leave the penalties out, or correct the outcome"),
    "outside_platform_intake": ReasonText(
        "法定赔偿不属于平台处理范围", "statutory damages are outside what the platform decides",
        "通过法院或12315调解主张", "claim them in court or in mediation by 12315",
        "淘宝平台争议处理规则 6(6)；消费者权益保护法 55"),
    "promise_missing": ReasonText(
        "商家没有作出该项赔付承诺", "the merchant promised no such compensation for this order",
        "订单 services 中没有对应的服务承诺", "the order's services hold no such promise",
        "消费者权益保护法实施条例 12"),
    "amount_exceeds_promise": ReasonText(
        "金额 {amount} 超过承诺的最高赔付 {most}", "{amount} is more than the promise pays, {most}",
        "按承诺的倍数计算", "reckon by the multiple that was promised",
        "消费者权益保护法实施条例 12；法释〔2022〕8号 10"),
    "amount_exceeds_rule": ReasonText(
        "赔付 {amount} 超过平台规则和商家承诺的 {most}（{rule}）",
        "{amount} is more than the {most} that the platform's rules and the merchant's promises give ({rule})",
        "按规则数额裁决；其他损失通过调解或法院主张", "award what the rule gives; other loss is for mediation or a court",
        "淘宝平台争议处理规则 6(6)、15"),
    "compensation_not_provided": ReasonText(
        "平台规则和商家承诺都没有规定此项赔付",
        "neither the platform's rules nor a promise of the merchant provide for compensation here",
        "其他损失通过调解或法院主张；商家承诺过违约金的，写在订单的 liquidated_damages",
        "claim other loss in mediation or in court; a sum that the merchant promised is the order's liquidated_damages",
        "淘宝平台争议处理规则 6(6)"),
    "wrong_channel": ReasonText(
        "{channel}不受理平台投诉", "{channel} takes no complaint for the platform",
        "改用平台的渠道，例如 agent_intervention、after_sales 或 hotline",
        "use a channel of the platform, such as agent_intervention, after_sales or hotline"),
    "party_may_not_judge": ReasonText(
        "{who} 是本案当事人或其顾问，不得裁处本案", "{who} is a party to this case, or advises one, and may not judge it",
        "由与本案无关的人处理", "let somebody decide who has no part in the case"),
    "order_inconsistent": ReasonText(
        "订单信息前后矛盾：下单、收货、立案须依次发生，实付须大于零，买卖双方不能是同一人",
        "the order contradicts itself: ordered, received and complained of come in that order, something was paid, and nobody "
        "buys from himself",
        "更正订单的时间、金额或当事人", "correct the order's times, amount or parties"),
    "already_performed": ReasonText(
        "平台已经全额支付", "the platform has paid it in full",
        "用 confirm_remedy 确认履行", "confirm it with confirm_remedy"),
    "amount_missing": ReasonText(
        "须写明金额", "the amount is missing",
        "写明以元为单位的金额", "state the amount in yuan"),
    "amount_exceeds_paid": ReasonText(
        "金额 {amount} 超过实付 {paid}", "{amount} is more than the {paid} that was paid",
        "退款不超过实付金额；另行赔付用 compensation", "refund at most what was paid; use compensation for more"),
    "merchant_proof_missing": ReasonText(
        "此类争议由商家先举证，没有被采信的证明材料，不能支持商家",
        "the merchant has to prove first here, and no proof of his was accepted: he cannot win",
        "先 ask_proof、submit_proof、examine_proof", "ask_proof, submit_proof and examine_proof first",
        "淘宝平台争议处理规则 66"),
    "no_higher_level": ReasonText(
        "已经复核裁决，平台内没有更高一级", "the review was decided; the platform has no higher level",
        "可转向外部途径：refer、go_external", "turn to outside bodies: refer, go_external",
        "淘宝平台争议处理规则 93"),
    "not_overdue": ReasonText(
        "平台尚未逾期，通话也没有被转接上级", "the platform is not overdue, and no call was passed up",
        "等到期限届满，或来电要求转接上级（log_call）", "wait for the time to pass, or have a call transferred (log_call)"),
    "already_ruled": ReasonText(
        "已有裁决，应复核裁决（rule）", "there is a ruling: review it with rule",
        "用 rule 或 remit", "use rule or remit"),
    "nothing_granted": ReasonText(
        "裁决没有给予救济，无从执行", "the ruling grants nothing that could be executed",
        "用 dismiss 结案", "close with dismiss"),
    "remedy_granted": ReasonText(
        "裁决给予了救济，不能驳回结案", "the ruling grants a remedy; it cannot be dismissed",
        "用 execute_ruling", "use execute_ruling"),
    "not_asked": ReasonText(
        "没有要求{role}提供这些：{kinds}", "the {role} was not asked for: {kinds}",
        "只提交被要求的材料；其他用 add_evidence", "submit what was asked for; add the rest with add_evidence"),
    "term_running": ReasonText(
        "期限 {due} 尚未届满", "the time given runs until {due}",
        "等期限届满", "wait until it is past"),
    "no_referral": ReasonText(
        "没有提交给任何外部机构", "the matter is with no outside body",
        "先 refer", "refer it first", "消费者权益保护法 39"),
    "referral_open": ReasonText(
        "外部机构仍在处理：{bodies}", "an outside body still has the matter: {bodies}",
        "等其结束或撤回", "wait for it to end, or withdraw it"),
    "body_excluded": ReasonText(
        "{body}不得受理：{other}已经受理或处理过", "{body} must not take it: {other} has or had it",
        "举报（tip_off）与诉讼不受影响", "a tip_off and a suit stay open",
        "市场监督管理投诉举报处理办法 16(2)（2026-04-15 以前为暂行办法 15(2)）；消协受理材料清单（省级）"),
    "award_differs": ReasonText(
        "与该机构已达成的结果不同", "this is not what that body settled",
        "写明 settle_referral 所记录的处理方式", "state the remedy that settle_referral recorded"),
    "advance_not_promised": ReasonText(
        "平台没有为该订单承诺先行赔付，也没有裁决", "the platform promised no advance for this order, and there is no ruling",
        "商家不履行时用 report_default 回到平台", "if the merchant does not perform, go back to the platform with report_default",
        "消费者权益保护法 44；电子商务法 58"),
    "advance_exceeds_due": ReasonText(
        "垫付金额 {amount} 超过应付 {due}", "{amount} is more than the {due} that is due",
        "垫付不超过应付金额", "pay first at most what is due"),
    "unknown_item": ReasonText(
        "本案没有{item}", "the case has no {item}",
        "用 show 查看编号", "see the identifiers with show"),
    "wrong_point": ReasonText(
        "{item} 现为“{state}”，不能这样做", "{item} is '{state}', where this cannot be done",
        "用 show 查看其状态", "see its state with show"),
    "own_evidence": ReasonText(
        "不能对自己提交的证据提出异议", "one cannot dispute one's own evidence",
        "由对方提出", "that is for the other side"),
    "goods_not_returned": ReasonText(
        "退货尚未完成（{state}）", "the goods are not back ({state})",
        "ship_return 与 receive_return 之后再确认", "ship_return and receive_return come first",
        "消费者权益保护法 25；淘宝平台争议处理规则 41–48"),
    "not_performed": ReasonText(
        "尚无履行记录，或金额不足：{done}/{due}", "nothing, or not enough, was performed: {done} of {due}",
        "先 perform_remedy", "perform_remedy first"),
    "not_eligible_for_instant_refund": ReasonText(
        "该订单不符合极速退款条件", "the order does not qualify for an instant refund",
        "按普通流程联系商家", "contact the merchant in the ordinary way"),
    "not_on_record": ReasonText(
        "该商家没有{item}", "of this merchant there is no {item}",
        "用 casework merchant 查看编号", "see the identifiers with casework merchant"),
    "not_the_merchant": ReasonText(
        "{who} 不是该商家", "{who} is not this merchant",
        "由该商家本人操作", "let the merchant himself do it"),
    "appeal_too_late": ReasonText(
        "申诉期限已于 {due} 届满（{rule}{unverified}）", "the time for an appeal ended on {due} ({rule}{unverified})",
        "可另行起诉", "a suit stays open", "卖家交易纠纷申诉管理规范（期限以系统显示为准；as the system shows it）"),
    "forged_in_case": ReasonText(
        "该商家在案件 {case} 中提交的材料被认定伪造，不得申诉",
        "what the merchant handed in in case {case} was found forged: there is no appeal",
        "可另行起诉", "a suit stays open", "卖家交易纠纷申诉管理规范（摘录；excerpt）"),
    "published_already": ReasonText(
        "处罚 {item} 已于 {at} 公示", "penalty {item} was published on {at}",
        "无需再次公示", "there is nothing more to do", "网络交易监督管理办法 30"),
    "blacklisted": ReasonText(
        "商家 {who} 已列入黑名单，禁止再次入驻", "merchant {who} is blacklisted and cannot come back",
        "只有该处罚在复核或申诉中被撤销后才能入驻", "only a review or an appeal that annuls the penalty ends that"),
    "closed_for_good": ReasonText(
        "商家 {who} 的店铺已被永久关闭", "the shop of merchant {who} is closed for good",
        "只有该处罚在复核或申诉中被撤销后才能入驻", "only a review or an appeal that annuls the penalty ends that"),
    "not_removed": ReasonText(
        "商家 {who} 没有被清退", "merchant {who} was not removed",
        "用 casework merchant 查看其状态", "see how he stands with casework merchant"),
    "more_than_owed": ReasonText(
        "尚欠的垫付只有 {due}", "only {due} of the advance is still owed",
        "偿还不超过尚欠金额", "repay at most what is owed", "消费者权益保护法 44"),
    "command_id_reused": ReasonText(
        "命令编号 {command_id} 已用于另一条命令", "command id {command_id} was used for another command",
        "换一个命令编号", "use another command id"),
}


def reason(code: str, lang_values: dict[str, tuple[str, str]] | None = None, missing: tuple[str, ...] = (),
           **values: object) -> Reason:
    """The reason of that code. ``lang_values`` are pairs (zh, en); ``values`` read the same in both languages."""
    text = REASONS[code]
    pairs = lang_values or {}
    zh = text.zh.format(**values, **{k: p[0] for k, p in pairs.items()})
    en = text.en.format(**values, **{k: p[1] for k, p in pairs.items()})
    return Reason(code, zh, en, text.clause, missing)
