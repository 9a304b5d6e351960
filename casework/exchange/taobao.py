"""What the values of Taobao's and Tmall's refund interfaces mean in a case, as one table.

A row is a value as the public documentation gives it, with the platform's own label. What it means is said in identifiers of
casework: ``states``, the first of them where nothing more is known; ``facts`` beside the state, where several of one kind
mean any of them; ``ways``, the commands that record what a message tells, each way a sequence, the likeliest first. A value
that means nothing to a case has none of these, and a ``note`` that says why.

Taobao runs the refund's status and the agents' intervention (``cs_status``) in parallel; a case has one state. It is one
that both allow; where there is none, an ended refund (``CLOSED``, ``SUCCESS``) decides, else ``cs_status``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from casework.domain.versions import CURRENT
from casework.domain.vocabulary import (
    ADVANCE_STATES,
    DUTIES,
    OFFER_STATES,
    OUTCOMES,
    REMEDIES,
    RETURN_STATES,
    ROLES,
    STATES,
    Term,
)


class Value(NamedTuple):
    """One value of an interface, and what it means. ``leads_to`` is the refund status that follows a message."""

    group: str
    code: str
    zh: str
    en: str
    number: int | None = None
    states: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    ways: tuple[tuple[str, ...], ...] = ()
    leads_to: str | None = None
    note: Term | None = None

    @property
    def mapped(self) -> bool:
        """Whether it means anything to a case."""
        return bool(self.states or self.facts or self.ways)

    @property
    def name(self) -> str:
        """The name that no other value has: ``cs_status:8``."""
        return f"{self.group}:{self.code}"


class Group(NamedTuple):
    """A field or a family of messages: its labels, where its values are documented, what is to be known of all of them."""

    zh: str
    en: str
    source: str
    note: Term | None = None


class Fact(NamedTuple):
    """A fact beside the state: its labels and the terms it can have. A duty names whose it is: ``answer:merchant``."""

    zh: str
    en: str
    terms: Mapping[str, Term]

    def said(self, term: str, lang: str) -> str:
        """The term for people."""
        what, _, whose = term.partition(":")
        label = self.terms[what].text(lang)
        if not whose:
            return label
        return f"{ROLES[whose].zh}：{label}" if lang == "zh" else f"{label}, {ROLES[whose].en}"


_YES_NO = {"yes": Term("是", "yes"), "no": Term("否", "no")}

FACTS = {
    "filed": Fact("已提交平台", "filed with the platform", _YES_NO),
    "received": Fact("消费者已收货", "goods received by the consumer", _YES_NO),
    "claim": Fact("诉求", "claim", REMEDIES),
    "offer": Fact("方案", "offer", OFFER_STATES),
    "remedy": Fact("救济", "remedy", REMEDIES),
    "goods": Fact("退货", "return of the goods", RETURN_STATES),
    "outcome": Fact("裁决结果", "outcome of the ruling", OUTCOMES),
    "advance": Fact("先行赔付", "advance compensation", ADVANCE_STATES),
    "duty": Fact("待办", "duty", DUTIES),
    "assigned": Fact("承办人", "assigned", ROLES),
    "by": Fact("行为人", "done by", ROLES),
}

_METADATA = "bububa/opentaobao: metadata/assets/json/tbrefund/"
_COMMENTS = "TcRefundTrade.java (comments, 2011)"
_TMC = "TheNorthMemory/tmc.js: types/"
_LENGTH = Term("时限长度未能核实；个案不以沉默代替同意，只记录实际发生的步骤。",
               "How long it runs could not be verified; a case takes no silence for consent and records only what was "
               "done.")

GROUPS = {
    "status": Group("退款状态", "refund status", f"{_METADATA}taobao_refund_get.json; {_COMMENTS}", Term(
        "与客服介入状态并行：个案取两者都允许的状态；没有时，已结束的退款（CLOSED、SUCCESS）为准，否则以 cs_status 为准。",
        "Runs in parallel with cs_status: a case is in a state that both allow; where there is none, an ended refund "
        "(CLOSED, SUCCESS) decides, else cs_status.")),
    "dispute_status": Group("天猫逆向纠纷状态", "Tmall dispute status", f"{_METADATA}tmall_dispute_receive_get.json"),
    "exchange_status": Group("换货状态", "exchange status", f"{_METADATA}tmall_dispute_receive_get.json", Term(
        "只有编号与中文名公开；与天猫纠纷状态的对应（12、13、14）由名称推断。",
        "Only numbers and Chinese labels are public; that 12, 13 and 14 are dispute statuses is inferred from these.")),
    "cs_status": Group("客服介入状态", "agents' intervention", f"{_METADATA}taobao_refund_get.json; {_COMMENTS}", Term(
        "各值之间的先后顺序没有公开文档，只知道有哪些值。",
        "The order in which the values follow each other is not documented: only the set is known.")),
    "advance_status": Group("退款先行垫付状态", "advance compensation", f"{_METADATA}taobao_refund_get.json"),
    "good_status": Group("货物状态", "where the goods are", f"{_METADATA}taobao_refund_get.json", Term(
        "是买家申请时的陈述，不是物流的证明。", "It is what the buyer said when applying, no proof by the carrier.")),
    "refund_phase": Group("退款阶段", "phase of the trade", f"{_METADATA}taobao_refund_get.json"),
    "dispute_type": Group("纠纷类型", "kind of dispute", f"{_METADATA}taobao_refund_get.json"),
    "operation_contraint": Group("操作限制", "what the interface allows", f"{_METADATA}taobao_refund_get.json", Term(
        "contraint 为原文拼写。", "'contraint' is the platform's own spelling.")),
    "owner_role": Group("留言者", "who wrote a message", f"{_METADATA}taobao_refund_messages_get.json"),
    "timeout_type": Group("超时类型", "what times out", _COMMENTS, _LENGTH),
    "taobao_refund": Group("淘宝退款消息", "messages of Taobao refunds", f"{_TMC}taobao.d.ts"),
    "taobao_dispute": Group("淘宝新退款消息", "messages of Taobao disputes", f"{_TMC}taobao.d.ts"),
    "tmall_refund": Group("天猫退款消息", "messages of Tmall refunds", f"{_TMC}tmall.d.ts"),
    "fenxiao_status": Group("分销退款状态", "refund status in distribution",
                            "bububa/opentaobao: metadata/assets/json/fenxiao/taobao_fenxiao_refund_get.json"),
}

_ASKED = ("awaiting_merchant", "merchant_needs_evidence", "offer_made")
_ENDED = ("withdrawn", "lapsed", "abandoned", "dismissed")
_ENDINGS = (("withdraw",), ("lapse",), ("give_up",), ("dismiss",))
_AGREED = (("make_offer", "accept_offer"),)
_PAID = (("perform_remedy", "confirm_remedy"), ("instant_refund",))
_AGENT = ("assigned", "agent")
_ANSWER = ("duty", "answer:merchant")
_EXCHANGE = ("remedy", "exchange")
_WHICH_END = Term("退款关闭不说明原因：cs_status 为 7 是撤销，为 9 是裁决后驳回，其余是逾期或放弃。",
                  "A closed refund does not say why: with cs_status 7 it was withdrawn, with 9 dismissed on a ruling, "
                  "else it lapsed or was given up.")
_CONSENT = Term("卖家同意的是买家的诉求：个案记为商家提出同一方案、消费者接受。",
                "The seller consents to what the buyer asks: in a case the merchant offers just that and the consumer "
                "accepts.")
_REFUSED = Term("买家可修改申请（再次联系商家）或申请平台介入；拒绝理由须编码。",
                "The buyer may change the application (contact the merchant again) or ask the platform in; the excuse has "
                "to be coded.")
_CHANGED = Term("个案不修改已有的诉求，而是向商家再提一次。",
                "A case changes no earlier demand: it is put to the merchant once more.")
_TURNED = Term("没有文档说明退款此时是否已获同意；已到履行阶段的换货，个案须先报告未履行，商家才能另提方案。",
               "Whether the refund is agreed by then is not documented; from an exchange that is due already a case gets "
               "there only by report_default and another offer.")
_FREE_TEXT = Term("留言没有类型，一律记为沟通；小二的留言、索要或补充证据要看内容另记。",
                  "A message has no type and is taken for a mere word; what an agent writes, and what asks for evidence or "
                  "gives some, is another command.")
_MARK = Term("“退款标记”指什么没有公开文档，消息只带更新时间。",
             "What the mark is, is not documented; the message carries nothing but a time.")
_FREIGHT = Term("退货运费另立一单；个案中运费是救济的一部分（赔偿损失）。",
                "The freight of a return is a ticket of its own; in a case it is part of the remedy (compensation).")
_PHASE = Term("售中、售后以交易成功（确认收货）为界，个案不记录这一步，只记录何时签收。",
              "The border between the phases is the confirmation of the trade; a case does not record it, only the "
              "receipt.")
_INTERFACE = Term("说的是接口允许卖家做什么；个案中谁可以做什么由生命周期决定。",
                  "Says what the interface lets the seller do; who may do what in a case follows from the lifecycle.")
_TRADE = Term("分销商与供应商之间的退款，不是消费者投诉。",
              "A refund between distributor and supplier is no consumer's complaint.")
_PRICE = Term("价保退款通常由系统自动完成，没有投诉；只有已就补差价立案时才对应。",
              "A price protection refund is usually made by the system without any complaint; it means something only to "
              "a case about a price difference.")
_LATER = Term("另一份公开文档（taobao.refunds.receive.get）中的拼写。",
              "As another public interface (taobao.refunds.receive.get) spells it.")

VALUES: tuple[Value, ...] = (
    # --- refund status -----------------------------------------------------------------------------------------------
    Value("status", "WAIT_SELLER_AGREE", "买家已经申请退款，等待卖家同意",
          "the buyer asked for a refund; the seller is to consent", 1, states=_ASKED, facts=(_ANSWER,), note=_LENGTH),
    Value("status", "WAIT_BUYER_RETURN_GOODS", "卖家已经同意退款，等待买家退货",
          "the seller consented; the buyer is to send back", 2, states=("remedy_due",), facts=(("goods", "due"),)),
    Value("status", "WAIT_SELLER_CONFIRM_GOODS", "买家已经退货，等待卖家确认收货",
          "sent back; the seller is to confirm receipt", 3,
          states=("remedy_due",), facts=(("goods", "sent"), ("goods", "contested")),
          note=Term("卖家对退货有异议时，状态不变。", "It stays when the seller contests what came back.")),
    Value("status", "CLOSED", "退款关闭", "refund closed", 4, states=_ENDED, note=_WHICH_END),
    Value("status", "SUCCESS", "退款成功", "refund made", 5, states=("resolved",)),
    Value("status", "SELLER_REFUSE_BUYER", "卖家拒绝退款", "the seller refused", 6,
          states=("merchant_refused",), note=_REFUSED),
    Value("status", "WAIT_SELLER_CONSIGN_GOODS", "商家确认收货等待商家发货", "received back; the seller is to ship",
          states=("remedy_due",), facts=(("goods", "received"), _EXCHANGE), note=_LATER),
    Value("status", "WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS", "等待买家确认换货卖家发货商品",
          "the buyer is to confirm what the seller sent in exchange",
          states=("remedy_due",), facts=(("goods", "received"), _EXCHANGE), note=_LATER),
    # --- Tmall's further dispute statuses ----------------------------------------------------------------------------
    Value("dispute_status", "WAIT_BUYER_CONFIRM_REDO_SEND_GOODS", "等待买家确认重新邮寄的货物",
          "the buyer is to confirm the goods sent anew", 7,
          states=("remedy_due",), facts=(("remedy", "reshipment"), _EXCHANGE),
          note=Term("补寄还是换货，要看纠纷类型。", "Whether a reshipment or an exchange depends on the kind of dispute.")),
    Value("dispute_status", "WAIT_SELLER_CONFIRM_RETURN_ADDRESS", "等待卖家确认退货地址",
          "the seller is to confirm the address for the return", 8,
          states=("remedy_due",), facts=(("goods", "due"),),
          note=Term("个案没有确认地址这一步。", "Confirming the address is no step of a case.")),
    Value("dispute_status", "WAIT_SELLER_CONSIGN_GOOGDS", "卖家确认收货,等待卖家发货",
          "received back; the seller is to ship",
          states=("remedy_due",), facts=(("goods", "received"), _EXCHANGE),
          note=Term("GOOGDS 为原文拼写；另一接口拼作 WAIT_SELLER_CONSIGN_GOODS。",
                    "GOOGDS is the platform's own spelling; another interface has WAIT_SELLER_CONSIGN_GOODS.")),
    Value("dispute_status", "EXCHANGE_TRANSFORM_TO_REFUND", "换货关闭,转退货退款",
          "exchange closed, turned into return and refund",
          states=("remedy_due", *_ASKED), facts=(("remedy", "return_refund"),), note=_TURNED),
    Value("dispute_status", "EXCHANGE_WAIT_BUYER_CONFIRM_GOODS", "卖家已发货,等待买家确认收货",
          "the seller shipped; the buyer is to confirm receipt",
          states=("remedy_due",), facts=(("goods", "received"), _EXCHANGE)),
    Value("dispute_status", "POST_FEE_DISPUTE_WAIT_ACTIVATE", "邮费单已创建,待激活", "freight ticket made, not active yet",
          note=_FREIGHT),
    # --- exchange ----------------------------------------------------------------------------------------------------
    Value("exchange_status", "1", "换货待处理", "exchange to be dealt with", 1,
          states=_ASKED, facts=(("claim", "exchange"), _ANSWER)),
    Value("exchange_status", "2", "待买家退货", "the buyer is to send back", 2,
          states=("remedy_due",), facts=(("goods", "due"), _EXCHANGE)),
    Value("exchange_status", "3", "买家已退货，待收货", "sent back, to be received", 3,
          states=("remedy_due",), facts=(("goods", "sent"), ("goods", "contested"), _EXCHANGE)),
    Value("exchange_status", "4", "换货关闭", "exchange closed", 4,
          states=_ENDED, facts=(("claim", "exchange"),), note=_WHICH_END),
    Value("exchange_status", "5", "换货成功", "exchange done", 5, states=("resolved",), facts=(_EXCHANGE,)),
    Value("exchange_status", "6", "待买家修改", "the buyer is to change the application", 6,
          states=("merchant_refused",), facts=(("claim", "exchange"),), note=_REFUSED),
    Value("exchange_status", "12", "待发出换货商品", "the goods in exchange are to be sent", 12,
          states=("remedy_due",), facts=(("goods", "received"), _EXCHANGE)),
    Value("exchange_status", "13", "待买家收货", "the buyer is to receive them", 13,
          states=("remedy_due",), facts=(("goods", "received"), _EXCHANGE)),
    Value("exchange_status", "14", "请退款", "please refund", 14,
          states=("remedy_due", *_ASKED), facts=(("remedy", "return_refund"),), note=_TURNED),
    # --- the agents' intervention ------------------------------------------------------------------------------------
    Value("cs_status", "1", "不需客服介入", "no agent needed", 1,
          facts=(("filed", "no"),), note=Term("状态由退款状态决定。", "The refund status decides the state.")),
    Value("cs_status", "2", "需要客服介入", "an agent is needed", 2,
          states=("filed", "more_evidence_needed"), facts=(("filed", "yes"), ("duty", "platform_reply:agent"))),
    Value("cs_status", "3", "客服已经介入", "an agent stepped in", 3,
          states=("under_review", "suspended"), facts=(_AGENT,)),
    Value("cs_status", "4", "客服初审完成", "the agent's first look is done", 4,
          states=("under_review",), facts=(_AGENT,),
          note=Term("初审是平台内部的一步，当事人尚未得到裁决。",
                    "A step inside the platform: the parties have no ruling yet.")),
    Value("cs_status", "5", "客服主管复审失败", "the supervisor's second look failed", 5,
          states=("under_review",), facts=(_AGENT,),
          note=Term("未见文档：理解为主管不同意初审、退回处理；与当事人申请的升级复核（remit）不同。",
                    "Not documented: read as the supervisor sending the first look back, which is not the review that a "
                    "party asks for (remit).")),
    Value("cs_status", "6", "客服处理完成", "the agents are done", 6,
          states=("ruled", "remedy_due", "resolved", "dismissed"),
          note=Term("不说明结果；结果见 8、9。", "Does not say with what outcome; 8 and 9 do.")),
    Value("cs_status", "7", "系统撤销(B2B使用)/维权撤销(集市使用)",
          "revoked by the system (B2B) or complaint withdrawn (Taobao)", 7,
          states=("withdrawn",),
          note=Term("只对应集市的维权撤销；B2B 的系统撤销与消费者个案无关。",
                    "Only Taobao's withdrawn complaint is meant; the system's in B2B is no consumer's case.")),
    Value("cs_status", "8", "支持买家", "for the buyer", 8,
          states=("ruled", "remedy_due", "resolved"), facts=(("outcome", "for_consumer"),),
          note=Term("淘宝没有“部分支持”的值。", "Taobao has no value for a ruling partly for the consumer.")),
    Value("cs_status", "9", "支持卖家", "for the seller", 9,
          states=("ruled", "dismissed"), facts=(("outcome", "for_merchant"),)),
    Value("cs_status", "10", "举证中", "giving proof", 10,
          states=("awaiting_proof",), facts=(_AGENT, ("duty", "proof")),
          note=Term("不说明由谁举证。", "Does not say whose the proof is.")),
    Value("cs_status", "11", "开放申诉", "open to appeal", 11,
          states=("ruled", "escalated"),
          note=Term("未见文档：是可以申诉还是正在申诉不明。",
                    "Not documented: whether an appeal is possible or already made is not known.")),
    # --- advance compensation ----------------------------------------------------------------------------------------
    Value("advance_status", "0", "未申请", "not applied for", 0, facts=(("advance", "not_applied"),)),
    Value("advance_status", "1", "退款先行垫付申请中", "applied for", 1, facts=(("advance", "applied"),)),
    Value("advance_status", "2", "垫付完成", "paid in advance", 2, facts=(("advance", "paid"),)),
    Value("advance_status", "3", "卖家拒绝收货", "the seller refused the goods", 3, facts=(("goods", "contested"),),
          note=Term("个案把它记在退货上，不是先行赔付的状态；此时是否已垫付没有文档。",
                    "A case has this of the goods' return, not of the advance; whether the advance was paid by then is not "
                    "documented.")),
    Value("advance_status", "4", "垫付关闭", "closed", 4, facts=(("advance", "closed"),)),
    Value("advance_status", "5", "垫付分账成功", "recovered from the seller", 5, facts=(("advance", "recovered"),)),
    # --- the goods, the phase, the kind ------------------------------------------------------------------------------
    Value("good_status", "BUYER_NOT_RECEIVED", "买家未收到货", "not received by the buyer", facts=(("received", "no"),)),
    Value("good_status", "BUYER_RECEIVED", "买家已收到货", "received by the buyer", facts=(("received", "yes"),)),
    Value("good_status", "BUYER_RETURNED_GOODS", "买家已退货", "sent back by the buyer",
          facts=(("received", "yes"), ("goods", "sent"), ("goods", "received"), ("goods", "contested"))),
    Value("refund_phase", "onsale", "售中", "before the trade is confirmed", note=_PHASE),
    Value("refund_phase", "aftersale", "售后", "after the trade is confirmed", note=_PHASE),
    Value("dispute_type", "REFUND", "仅退款", "refund only", facts=(("claim", "refund"),)),
    Value("dispute_type", "REFUND_AND_RETURN", "退货退款", "return and refund", facts=(("claim", "return_refund"),)),
    Value("dispute_type", "TMALL_EXCHANGE", "天猫换货", "exchange at Tmall", facts=(("claim", "exchange"),)),
    Value("dispute_type", "TAOBAO_EXCHANGE", "淘宝换货", "exchange at Taobao", facts=(("claim", "exchange"),)),
    Value("dispute_type", "REPAIR", "维修", "repair", facts=(("claim", "repair"),)),
    Value("dispute_type", "RESHIPPING", "补寄", "reshipment", facts=(("claim", "reshipment"),)),
    Value("dispute_type", "OTHERS", "其他", "others",
          note=Term("诉求必须明确：个案没有“其他”。", "A claim has to be clear: a case has no claim for 'others'.")),
    Value("operation_contraint", "cannot_refuse", "不允许操作", "may not be done", note=_INTERFACE),
    Value("operation_contraint", "refund_onweb", "需要到网页版操作", "has to be done on the web", note=_INTERFACE),
    Value("owner_role", "1", "买家", "buyer", 1, facts=(("by", "consumer"),)),
    Value("owner_role", "2", "卖家", "seller", 2, facts=(("by", "merchant"),)),
    Value("owner_role", "3", "小二", "agent of the platform", 3, facts=(("by", "agent"),)),
    # --- what times out ----------------------------------------------------------------------------------------------
    Value("timeout_type", "STOP_TIMEOUT", "停止超时", "the clock is stopped",
          note=Term("只说平台的计时停了，不说为什么；个案不推断原因。",
                    "Says that the platform's clock stands still, not why; a case infers no reason.")),
    Value("timeout_type", "WAIT_SELLER_AGREE_TIME_OUT", "等待卖家响应协议超时", "the seller's answer",
          states=_ASKED, facts=(_ANSWER,)),
    Value("timeout_type", "BUYER_MODIFY_AGREEMENT_TIME_OUT", "等待买家修改退款协议超时",
          "the buyer's change of the application", states=("merchant_refused",)),
    Value("timeout_type", "WAIT_BUYER_RETURN_GOODS_TIME_OUT", "等待买家退货超时", "the buyer's sending back",
          states=("remedy_due",), facts=(("goods", "due"),)),
    Value("timeout_type", "WAIT_SELLER_CONFIRM_GOODS_TIME_OUT", "等待卖家确认收货超时",
          "the seller's confirmation of receipt",
          states=("remedy_due",), facts=(("goods", "sent"), ("goods", "contested"))),
    # --- messages of Taobao refunds ----------------------------------------------------------------------------------
    Value("taobao_refund", "RefundCreated", "退款创建", "refund applied for",
          states=("awaiting_merchant",), facts=(_ANSWER,), ways=(("contact_merchant",),), leads_to="WAIT_SELLER_AGREE"),
    Value("taobao_refund", "RefundSellerAgreeAgreement", "卖家同意退款协议", "the seller consents",
          states=("remedy_due",), facts=(("offer", "accepted"), ("goods", "due")), ways=_AGREED,
          leads_to="WAIT_BUYER_RETURN_GOODS", note=_CONSENT),
    Value("taobao_refund", "RefundSellerRefuseAgreement", "卖家拒绝退款协议", "the seller refuses",
          states=("merchant_refused",), ways=(("refuse_claim",),), leads_to="SELLER_REFUSE_BUYER", note=_REFUSED),
    Value("taobao_refund", "RefundBuyerModifyAgreement", "买家修改退款协议", "the buyer changes the application",
          states=("awaiting_merchant",), facts=(_ANSWER,), ways=(("contact_merchant",),), note=_CHANGED),
    Value("taobao_refund", "RefundBuyerReturnGoods", "买家退货给卖家", "the buyer sends the goods back",
          states=("remedy_due",), facts=(("goods", "sent"),), ways=(("ship_return",),)),
    Value("taobao_refund", "RefundCreateMessage", "发表退款留言", "a message is written",
          ways=(("reply",),), note=_FREE_TEXT),
    Value("taobao_refund", "RefundBlockMessage", "屏蔽退款留言(无此消息)", "a message is blocked (never sent)",
          note=Term("平台文档自称无此消息。", "The platform's documentation says that there is no such message.")),
    Value("taobao_refund", "RefundTimeoutRemind", "退款超时提醒(已下线)", "reminder of a timeout (offline)",
          note=Term("已下线，不再发出；提醒也不改变个案。",
                    "Offline, no longer sent; and a reminder changes nothing in a case.")),
    Value("taobao_refund", "TaobaoInterApplied", "申请淘宝介入", "Taobao is asked in",
          states=("filed",), facts=(("filed", "yes"), ("duty", "platform_reply:agent")), ways=(("file",),),
          note=Term("不说明是哪一方申请；个案中由消费者提交。",
                    "Does not say which side asks; in a case it is the consumer who files.")),
    Value("taobao_refund", "TaobaoIntervened", "淘宝介入退款", "Taobao steps in",
          states=("under_review",), facts=(_AGENT,), ways=(("accept_complaint",),)),
    Value("taobao_refund", "RefundClosed", "退款关闭", "refund closed",
          states=_ENDED, ways=_ENDINGS, leads_to="CLOSED", note=_WHICH_END),
    Value("taobao_refund", "RefundSuccess", "退款成功", "refund made",
          states=("resolved",), ways=_PAID, leads_to="SUCCESS"),
    Value("taobao_refund", "RefundableMarked", "退款标记创建", "a refund mark is set", note=_MARK),
    Value("taobao_refund", "RefundableCanceled", "退款标记取消", "a refund mark is taken off", note=_MARK),
    # --- messages of Taobao disputes ---------------------------------------------------------------------------------
    Value("taobao_dispute", "RefundCreated", "新退款创建", "refund applied for",
          states=("awaiting_merchant",), facts=(_ANSWER,), ways=(("contact_merchant",),)),
    Value("taobao_dispute", "NegotiationApply", "卖家提交协商申请", "the seller proposes a settlement",
          states=("offer_made",), facts=(("offer", "open"),), ways=(("make_offer",),),
          note=Term("平台处理期间提出的方案不改变状态。",
                    "Proposed while the platform has the matter, it leaves the state as it is.")),
    Value("taobao_dispute", "NegotiationAgreed", "买家接受协商申请", "the buyer accepts it",
          states=("remedy_due",), facts=(("offer", "accepted"),), ways=(("accept_offer",),)),
    Value("taobao_dispute", "NegotiationRefused", "买家拒绝协商申请", "the buyer declines it",
          states=("awaiting_merchant",), facts=(("offer", "declined"),), ways=(("decline_offer",),),
          note=Term("平台处理期间拒绝不改变状态。",
                    "Declined while the platform has the matter, it leaves the state as it is.")),
    Value("taobao_dispute", "ExchangeAgree", "同意换货", "the seller consents to an exchange",
          states=("remedy_due",), facts=(("offer", "accepted"), ("goods", "due"), _EXCHANGE), ways=_AGREED, note=_CONSENT),
    Value("taobao_dispute", "ExchangeModified", "买家修改换货申请", "the buyer changes the application for an exchange",
          states=("awaiting_merchant",), facts=(("claim", "exchange"), _ANSWER), ways=(("contact_merchant",),),
          note=_CHANGED),
    Value("taobao_dispute", "ExchangeSellerConfirmed", "卖家确认收货", "the seller confirms the return",
          states=("remedy_due",), facts=(("goods", "received"), _EXCHANGE), ways=(("receive_return",),)),
    Value("taobao_dispute", "ExchangeSellerGoodsConsigned", "卖家寄出商品", "the seller sends the goods in exchange",
          states=("remedy_due",), facts=(("goods", "received"), _EXCHANGE), ways=(("perform_remedy",),)),
    Value("taobao_dispute", "ExchangeSuccess", "买家确认收货换货成功", "the buyer confirms: exchange done",
          states=("resolved",), facts=(_EXCHANGE,), ways=(("confirm_remedy",),)),
    Value("taobao_dispute", "ExchangeClosed", "买家关闭换货协议", "the buyer closes the exchange",
          states=("withdrawn", "abandoned"), facts=(("claim", "exchange"),), ways=(("withdraw",), ("give_up",)),
          note=Term("换货已到履行阶段时不能撤销，只能放弃。",
                    "An exchange that is due already is not withdrawn but given up.")),
    Value("taobao_dispute", "ExchangeTurnToRefund", "卖家换货转退款", "the seller turns the exchange into a refund",
          states=("remedy_due", "offer_made"), facts=(("remedy", "return_refund"),), ways=(*_AGREED, ("make_offer",)),
          note=_TURNED),
    Value("taobao_dispute", "PostageRefundApplied", "发起退运费申请", "refund of freight applied for", note=_FREIGHT),
    Value("taobao_dispute", "PostageRefundSuccess", "退货运费单成功", "freight of the return refunded", note=_FREIGHT),
    Value("taobao_dispute", "RefundPriceProtect", "价保退款成功", "price protection refund made",
          states=("resolved",), facts=(("remedy", "price_difference"),), ways=(("perform_remedy", "confirm_remedy"),),
          note=_PRICE),
    Value("taobao_dispute", "RefundSuccess", "新退款成功", "refund made", states=("resolved",), ways=_PAID),
    Value("taobao_dispute", "TaobaoInterApplied", "申请小二介入", "an agent is asked in",
          states=("filed",), facts=(("filed", "yes"), ("duty", "platform_reply:agent")), ways=(("file",),)),
    # --- messages of Tmall refunds -----------------------------------------------------------------------------------
    Value("tmall_refund", "RefundCreate", "退款创建", "refund applied for",
          states=("awaiting_merchant",), facts=(_ANSWER,), ways=(("contact_merchant",),)),
    Value("tmall_refund", "RefundModified", "买家修改协议", "the buyer changes the application",
          states=("awaiting_merchant",), facts=(_ANSWER,), ways=(("contact_merchant",),), note=_CHANGED),
    Value("tmall_refund", "RefundSellerAgreeReturn", "卖家同意退货", "the seller consents to the return",
          states=("remedy_due",), facts=(("offer", "accepted"), ("goods", "due")), ways=_AGREED, note=_CONSENT),
    Value("tmall_refund", "RefundSellerRefuse", "卖家拒绝退款", "the seller refuses",
          states=("merchant_refused",), ways=(("refuse_claim",),), note=_REFUSED),
    Value("tmall_refund", "ReturnCreated", "卖家同意退货，退货单创建", "the seller consented; the return is opened",
          states=("remedy_due",), facts=(("goods", "due"),),
          note=Term("与 RefundSellerAgreeReturn 同一步，不再记录。",
                    "The same step as RefundSellerAgreeReturn; nothing more to record.")),
    Value("tmall_refund", "ReturnModified", "退货单修改", "the return is changed",
          note=Term("消息没有字段，改了什么不明；寄回的单号在 ship_return 中一次写明。",
                    "The message has no fields, so what was changed is not known; a case has the waybill from "
                    "ship_return, once.")),
    Value("tmall_refund", "ReturnBuyerReturnGoods", "买家退货，填写退货单", "the buyer sends the goods back",
          states=("remedy_due",), facts=(("goods", "sent"),), ways=(("ship_return",),)),
    Value("tmall_refund", "ReturnConfirmSucceed", "买家填写物流单，卖家确认收货", "the seller confirms the return",
          states=("remedy_due",), facts=(("goods", "received"),), ways=(("receive_return",),)),
    Value("tmall_refund", "ReturnConfirmFailed", "买家填写物流单，卖家拒绝退货", "the seller does not accept the return",
          states=("remedy_due",), facts=(("goods", "contested"),), ways=(("contest_return",),)),
    Value("tmall_refund", "RefundTaobaoInvolved", "小二介入", "an agent steps in",
          states=("under_review",), facts=(_AGENT,), ways=(("accept_complaint",),)),
    Value("tmall_refund", "RefundPrepaid", "极速退款", "instant refund",
          states=("resolved",), facts=(("remedy", "refund"),), ways=(("instant_refund",),),
          note=Term("名称像垫付，但平台的中文名是极速退款；是否还要退货没有文档。",
                    "The name sounds like advance compensation, but the platform's label is 极速退款; whether the goods "
                    "still have to go back is not documented.")),
    Value("tmall_refund", "RefundPaymentFinished", "赔付完成", "compensation paid",
          states=("remedy_due",), facts=(("remedy", "compensation"),),
          ways=(("perform_remedy",), ("pay_advance",)),
          note=Term("由谁赔付（卖家、保证金、平台垫付）没有文档。",
                    "Who paid (the seller, the deposit, the platform in advance) is not documented.")),
    Value("tmall_refund", "RefundMessageCreated", "创建退款留言", "a message is written",
          ways=(("reply",),), note=_FREE_TEXT),
    Value("tmall_refund", "RefundSucceed", "退款成功", "refund made", states=("resolved",), ways=_PAID),
    Value("tmall_refund", "RefundClosed", "退款关闭", "refund closed", states=_ENDED, ways=_ENDINGS, note=_WHICH_END),
    Value("tmall_refund", "RefundableMarked", "退款标记创建", "a refund mark is set", note=_MARK),
    Value("tmall_refund", "RefundableCanceled", "退款标记取消", "a refund mark is taken off", note=_MARK),
    # --- distribution ------------------------------------------------------------------------------------------------
    Value("fenxiao_status", "1", "分销商已经申请退款，等待供应商确认", "the distributor asked; the supplier is to confirm",
          1, note=_TRADE),
    Value("fenxiao_status", "2", "供应商已经同意退货，等待分销商退货", "the distributor is to send back", 2, note=_TRADE),
    Value("fenxiao_status", "3", "分销商已经退货，等待供应商确认收货", "the supplier is to confirm receipt", 3,
          note=_TRADE),
    Value("fenxiao_status", "4", "退款关闭", "refund closed", 4, note=_TRADE),
    Value("fenxiao_status", "5", "退款成功", "refund made", 5, note=_TRADE),
    Value("fenxiao_status", "6", "供应商拒绝退款", "the supplier refused", 6, note=_TRADE),
    Value("fenxiao_status", "9", "没有申请退款", "no refund applied for", 9, note=_TRADE),
    Value("fenxiao_status", "10", "供应商拒绝确认收货,待分销商重新修改", "receipt refused; the distributor is to change",
          10, note=_TRADE),
    Value("fenxiao_status", "12", "供应商同意退款，待系统打款", "the supplier consented; the system is to pay", 12,
          note=_TRADE),
)


def _by_name() -> dict[str, list[Value]]:
    """Every value under its names: the code unless it is a mere number, with its group, as a topic, by its number."""
    names: dict[str, list[Value]] = {}
    for value in VALUES:
        own = {value.name, f"{value.group}_{value.code}"}
        if not value.code.isdigit():
            own.add(value.code)
        if value.number is not None:
            own.add(f"{value.group}:{value.number}")
        for name in {n.lower() for n in own}:
            names.setdefault(name, []).append(value)
    return names


_NAMES = _by_name()
_LABELS = CURRENT.labels

#: The names to offer: the code, and for what has but a number the group and the number.
NAMES: tuple[str, ...] = tuple(dict.fromkeys(v.name if v.code.isdigit() else v.code for v in VALUES))


def find(code: str) -> list[Value]:
    """The values of that name, whatever its case: ``WAIT_SELLER_AGREE``, ``cs_status:8``, ``RefundCreated``,
    ``taobao_refund_RefundCreated``. A bare number names nothing."""
    return list(_NAMES.get(code.strip().lower(), ()))


def as_data(value: Value) -> dict[str, Any]:
    """A value and what it means, for machines."""
    facts: dict[str, list[str]] = {}
    for kind, term in value.facts:
        facts.setdefault(kind, []).append(term)
    return {
        "name": value.name, "group": value.group, "number": value.number, "zh": value.zh, "en": value.en,
        "mapped": value.mapped, "states": list(value.states), "facts": facts, "commands": [list(way) for way in value.ways],
        "leads_to": value.leads_to, "note": value.note._asdict() if value.note else None,
        "source": GROUPS[value.group].source,
    }


def meaning(value: Value, lang: str) -> list[str]:
    """A value and what it means, for people."""
    zh = lang == "zh"
    group = GROUPS[value.group]
    number = f" ({value.number})" if value.number is not None and value.code != str(value.number) else ""
    # The platform's own label is Chinese; who reads English gets both.
    label = value.zh if zh else f"{value.en} ({value.zh})"
    out = [f"{value.name}{number}  [{group.zh if zh else group.en}]  {label}"]
    if value.states:
        out.append(_line("状态", "state", [_term(s, STATES[s].text(lang), lang) for s in value.states], lang))
    for kind in dict.fromkeys(kind for kind, _ in value.facts):
        fact = FACTS[kind]
        out.append(_line(fact.zh, fact.en, [_term(t, fact.said(t, lang), lang) for k, t in value.facts if k == kind], lang))
    if value.ways:
        ways = [" → ".join(_term(c, _LABELS[c].text(lang), lang) for c in way) for way in value.ways]
        out.append(_line("步骤", "command", ways, lang))
    if value.leads_to:
        out.append(_line("随后的退款状态", "refund status then", [value.leads_to], lang))
    if not value.mapped:
        out.append("个案中没有对应的状态、事实或步骤。" if zh else "not mapped: no state, fact or command of a case.")
    out += [note.text(lang) for note in dict.fromkeys((value.note, group.note)) if note]
    out.append(_line("出处", "source", [group.source], lang))
    return out


def _term(identifier: str, label: str, lang: str) -> str:
    """The identifier with its label, unless that says the same."""
    if lang == "zh":
        return f"{identifier}（{label}）"
    return identifier if label == identifier.replace("_", " ") else f"{identifier} ({label})"


def _line(zh: str, en: str, items: list[str], lang: str) -> str:
    return f"{zh}：{'，或 '.join(items)}" if lang == "zh" else f"{en}: {', or '.join(items)}"
