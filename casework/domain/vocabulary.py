"""Every term a case can hold: its stable English identifier and its labels in 中文 and English.

An identifier is what events, scenario files and the command line use, and never changes; a label is what people
read, and may. One table a kind of term; :data:`VOCABULARY` names the tables. Where a label departs from the words of
a popular source because those are out of date (工商部门 became 市场监管部门 in 2018), the label follows the law.
"""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """A label in each language."""

    zh: str
    en: str

    def text(self, lang: str) -> str:
        """The label in ``lang`` (``"zh"`` or ``"en"``)."""
        return self.zh if lang == "zh" else self.en


STAGES = {
    "discovery": Term("发现问题", "discovery"),
    "merchant": Term("联系商家", "merchant"),
    "platform": Term("平台介入", "platform"),
    "ruling": Term("小二裁决", "ruling"),
    "escalation": Term("升级", "escalation"),
    "external": Term("外部途径", "external bodies"),
    "performance": Term("履行", "performance"),
    "closed": Term("结案", "closed"),
}

STATES = {
    "discovered": Term("已发现问题", "discovered"),
    "awaiting_merchant": Term("等待商家答复", "awaiting the merchant"),
    "merchant_needs_evidence": Term("商家要求补充证据", "merchant asks for evidence"),
    "offer_made": Term("商家已提出方案", "offer made"),
    "merchant_refused": Term("商家已拒绝", "merchant refused"),
    "filed": Term("已提交平台", "filed with the platform"),
    "more_evidence_needed": Term("平台要求补充证据", "platform asks for more evidence"),
    "not_accepted": Term("不予受理", "not accepted"),
    "under_review": Term("小二处理中", "under review"),
    "awaiting_proof": Term("举证中", "awaiting proof"),
    "suspended": Term("中止处理", "suspended"),
    "ruled": Term("已裁决", "ruled"),
    "escalated": Term("已升级复核", "escalated"),
    "with_external_body": Term("外部机构处理中", "with an external body"),
    "remedy_due": Term("等待履行", "remedy due"),
    "resolved": Term("已解决", "resolved"),
    "dismissed": Term("已驳回", "dismissed"),
    "withdrawn": Term("已撤销", "withdrawn"),
    "abandoned": Term("已放弃", "abandoned"),
    "lapsed": Term("逾期关闭", "lapsed"),
}

ROLES = {
    "consumer": Term("消费者", "consumer"),
    "merchant": Term("商家", "merchant"),
    "agent": Term("平台小二", "platform agent"),
    "supervisor": Term("平台主管", "platform supervisor"),
    "system": Term("平台系统", "platform system"),
    "adviser": Term("维权顾问", "adviser"),
    "external": Term("外部机构", "external body"),
    "auditor": Term("审计员", "auditor"),
}

PLATFORMS = {
    "taobao": Term("淘宝网", "Taobao"),
    "tmall": Term("天猫", "Tmall"),
}

GROUNDS = {
    "quality_defect": Term("商品质量问题", "quality defect"),
    "damaged": Term("商品破损", "goods damaged"),
    "missing_parts": Term("缺件", "parts missing"),
    "malfunction": Term("功能异常、故障", "malfunction"),
    "poor_workmanship": Term("做工粗糙", "poor workmanship"),
    "material_mismatch": Term("面料成分与描述不符", "material differs from the description"),
    "false_advertising": Term("虚假宣传", "false advertising"),
    "price_fraud": Term("价格欺诈", "price fraud"),
    "late_shipment": Term("发货延迟", "late shipment"),
    "not_shipped": Term("未发货", "not shipped"),
    "shipment_abnormal": Term("发货异常（错发、空包、虚假发货）", "wrong, empty or feigned shipment"),
    "shipped_not_received": Term("已发货未签收", "shipped but not received"),
    "order_status_abnormal": Term("订单状态异常", "order status abnormal"),
    "parcel_delayed": Term("物流延误", "parcel delayed"),
    "parcel_lost": Term("物流丢失", "parcel lost"),
    "parcel_damaged": Term("物流损坏", "parcel damaged in transit"),
    "counterfeit": Term("假冒商品", "counterfeit"),
    "substandard": Term("以次充好", "inferior goods passed off as good"),
    "no_reason_return": Term("七天无理由退货争议", "seven-day no-reason return"),
    "after_sales_denied": Term("售后推诿或不提供", "after-sales service denied or shifted"),
    "poor_after_sales": Term("售后服务质量差", "poor after-sales service"),
    "installation_failure": Term("安装问题", "installation failure"),
    "repair_failure": Term("维修问题", "repair failure"),
    "refund_obstructed": Term("退款流程繁琐", "refund obstructed"),
    "poor_service": Term("客服响应慢或态度差", "slow or rude customer service"),
    "merchant_stalling": Term("商家拒绝、拖延或不承认", "merchant refuses, stalls or denies"),
    "review_manipulation": Term("刷单、好评返现", "review manipulation"),
    "malicious_review": Term("恶意差评", "malicious negative review"),
}

EVIDENCE_KINDS = {
    "goods_photo": Term("商品实物照片", "photo of the goods"),
    "detail_photo": Term("细节图", "close-up photo"),
    "comparison_photo": Term("与正品对比图", "comparison with the genuine article"),
    "packaging_photo": Term("外包装照片", "photo of the packaging"),
    "security_label": Term("防伪标签", "security label"),
    "batch_number": Term("生产批号", "batch number"),
    "authenticity_check": Term("官方验真结果", "result of the brand's authenticity check"),
    "hang_tag": Term("吊牌", "hang tag"),
    "fault_video": Term("故障视频", "video of the fault"),
    "fault_photo": Term("故障照片", "photo of the fault"),
    "unboxing_video": Term("开箱视频", "unboxing video"),
    "fault_description": Term("详细故障描述", "detailed description of the fault"),
    "order_screenshot": Term("订单截图", "screenshot of the order"),
    "order_record": Term("订单信息", "order record"),
    "payment_proof": Term("支付凭证", "proof of payment"),
    "purchase_proof": Term("购物凭证", "proof of purchase"),
    "listing_snapshot": Term("商品页快照", "snapshot of the listing"),
    "chat_record": Term("聊天记录", "chat record"),
    "call_record": Term("通话记录", "call record"),
    "tracking_record": Term("物流轨迹", "tracking record"),
    "product_standard": Term("产品标准", "product standard"),
    "appraisal_report": Term("鉴定报告", "appraisal report"),
    "expert_opinion": Term("专家意见", "expert opinion"),
    "test_report": Term("质量检测报告", "test report"),
    "authority_decision": Term("行政机关认定", "finding of an authority"),
    "court_judgment": Term("法院裁判文书", "court judgment"),
    "review_record": Term("评价记录", "record of reviews"),
    "service_record": Term("安装维修记录", "installation or repair record"),
    "statement": Term("情况说明", "written statement"),
    "witness_statement": Term("其他买家证言", "statement of another buyer"),
}

PROOF_KINDS = {
    "authorisation_letter": Term("授权书", "letter of authorisation"),
    "purchase_voucher": Term("进货凭证", "purchase voucher"),
    "customs_declaration": Term("报关单据", "customs declaration"),
    "conformity_certificate": Term("合格证", "certificate of conformity"),
    "commercial_invoice": Term("商业发票", "commercial invoice"),
    "test_certificate": Term("质检凭证", "quality inspection certificate"),
    "shipping_proof": Term("发货凭证", "proof of shipment"),
}

AUTHENTICITY = {
    "unexamined": Term("未审查", "unexamined"),
    "disputed": Term("有异议", "disputed"),
    "authentic": Term("真实", "authentic"),
    "forged": Term("伪造", "forged"),
}

PROOF_RESULTS = {
    "submitted": Term("已提交", "submitted"),
    "accepted": Term("采信", "accepted"),
    "missing": Term("未能提供", "missing"),
    "forged": Term("伪造", "forged"),
}

REMEDIES = {
    "refund": Term("退款", "refund"),
    "return_refund": Term("退货退款", "return and refund"),
    "exchange": Term("换货", "exchange"),
    "repair": Term("修理", "repair"),
    "price_difference": Term("补差价", "price difference"),
    "reshipment": Term("补发", "reshipment"),
    "compensation": Term("赔偿损失", "compensation for loss"),
    "promised_multiple": Term("承诺的倍数赔付（假一赔三等）", "promised multiple (such as fake-one-pay-three)"),
    "points": Term("积分补偿", "points"),
    "statutory_damages": Term("法定惩罚性赔偿", "statutory punitive damages"),
}

PENALTIES = {
    "warning": Term("警告", "warning"),
    "point_deduction": Term("扣分", "deduction of points"),
    "listing_removal": Term("商品下架", "listing removed"),
    "shop_restriction": Term("店铺限制", "shop restricted"),
    "removal": Term("清退出平台", "removal from the platform"),
    "permanent_closure": Term("永久封店", "permanent closure of the shop"),
    "blacklist": Term("列入黑名单", "blacklisting"),
    "legal_referral": Term("移送追究法律责任", "referral for legal liability"),
    "investigation_referral": Term("配合有关部门查处", "referral to the authorities for investigation"),
}

#: 违规扣分: the tracks on which a merchant's points are counted.
POINTS_TRACKS = {
    "general": Term("一般违规（A）", "general offences (A)"),
    "serious": Term("严重违规（B）", "serious offences (B)"),
    "counterfeit": Term("出售假冒商品（C）", "selling counterfeits (C)"),
}

PENALTY_STATES = {
    "imposed": Term("已作出", "imposed"),
    "appealed": Term("申诉中", "under appeal"),
    "confirmed": Term("申诉后维持", "confirmed on appeal"),
    "annulled": Term("已撤销", "annulled"),
}

STANDINGS = {
    "good": Term("正常", "in good standing"),
    "restricted": Term("受限制", "restricted"),
    "removed": Term("已清退", "removed"),
    "closed": Term("已永久封店", "closed for good"),
    "blacklisted": Term("已列入黑名单", "blacklisted"),
}

OUTCOMES = {
    "for_consumer": Term("支持消费者", "for the consumer"),
    "partly_for_consumer": Term("部分支持消费者", "partly for the consumer"),
    "for_merchant": Term("支持商家", "for the merchant"),
}

EXCUSES = {
    "misuse": Term("使用不当", "misuse"),
    "normal_wear": Term("正常磨损", "normal wear"),
    "man_made_damage": Term("人为损坏", "damage by the buyer"),
    "resale_impaired": Term("影响二次销售", "resale impaired"),
    "normal_phenomenon": Term("属于正常现象", "a normal phenomenon"),
    "denies_counterfeit": Term("不承认售假", "denies selling a fake"),
    "flat_refusal": Term("态度强硬、拒不处理", "flatly refuses to deal with it"),
    "stalling": Term("拖延", "stalling"),
    "shifts_blame": Term("推诿", "shifts the blame"),
    "no_after_sales": Term("不提供售后", "gives no after-sales service"),
    "loophole": Term("钻规则空子", "uses a gap in the rules or its own terms"),
    "plausible_story": Term("看似合理的解释", "an explanation that only sounds plausible"),
    "evidence_insufficient": Term("证据不足", "evidence insufficient"),
    "other": Term("其他理由", "other"),
}

CHANNELS = {
    "merchant_chat": Term("商家客服", "merchant's customer service"),
    "app_service": Term("APP内客服", "customer service in the app"),
    "help_centre": Term("官网帮助中心", "help centre"),
    # Entries: pages from which the service and complaint channels, and the number to call, are reached.
    "my_taobao": Term("我的淘宝", "My Taobao"),
    "my_tmall": Term("我的天猫", "My Tmall"),
    "after_sales": Term("申请售后", "apply for after-sales"),
    "return_exchange": Term("退换货", "return or exchange"),
    "complain_about_merchant": Term("投诉商家", "complain about the merchant"),
    "agent_intervention": Term("小二介入", "agent intervention"),
    "hotline": Term("官方客服电话", "hotline"),
    "online_service": Term("在线客服", "online customer service"),
    "fast_track": Term("投诉直通车", "complaint fast track"),
    "superior": Term("上级部门", "superior department"),
    "supervisor_review": Term("主管复核", "supervisor's review"),
    "system": Term("系统通知", "system notice"),
    "carrier_service": Term("快递客服", "carrier's customer service"),
    "user_feedback": Term("用户反馈", "user feedback"),
    "social_media": Term("社交媒体", "social media"),
    "news_media": Term("新闻媒体", "news media"),
    # Where people tell and read of experience; no complaint is taken there.
    "forum": Term("论坛、社区", "forum or community"),
    "public_account": Term("公众号", "public account"),
    "microblog": Term("微博", "microblog"),
}

#: The channels by which a complaint reaches the platform; the others reach the merchant, a carrier or the public.
PLATFORM_CHANNELS = (
    "app_service", "help_centre", "after_sales", "return_exchange", "complain_about_merchant", "agent_intervention", "hotline",
    "online_service", "fast_track", "superior", "supervisor_review", "user_feedback", "my_taobao", "my_tmall",
)

BODIES = {
    "consumer_association": Term("消费者协会", "consumer association"),
    "market_regulator": Term("市场监管部门（12315）", "market regulator (12315)"),
    "court": Term("法院", "court"),
    "arbitration": Term("仲裁机构", "arbitration"),
    "postal_authority": Term("邮政管理部门", "postal authority"),
    "police": Term("公安机关", "police"),
    "mediation_body": Term("其他调解组织", "other mediation body"),
}

REJECTION_GROUNDS = {
    "out_of_time": Term("超过申请期限", "out of time"),
    "order_mismatch": Term("订单与实际商品不符", "order and goods differ"),
    "settled_already": Term("已和解并履行完毕", "settled and performed already"),
    "sham_trade": Term("虚假交易", "sham trade"),
    "outside_scope": Term("不属于受理范围", "outside the platform's intake"),
    "wrong_channel": Term("投诉渠道错误", "wrong channel"),
    "evidence_insufficient": Term("证据不足", "evidence insufficient"),
    "no_clear_claim": Term("诉求不明确", "no clear claim"),
}

NO_CONTACT_GROUNDS = {
    "shop_closed": Term("店铺已关闭", "the shop is closed"),
    "unreachable": Term("无法联系商家", "the merchant cannot be reached"),
    "blocked_by_merchant": Term("被商家拉黑", "blocked by the merchant"),
    "risk_to_evidence": Term("联系商家可能导致证据灭失", "contact would endanger the evidence"),
    "safety": Term("涉及人身或财产安全", "danger to persons or property"),
}

SUSPENSION_GROUNDS = {
    "both_ask": Term("双方同意并约定期限", "both parties ask, with a term"),
    "court": Term("已向法院起诉", "brought before a court"),
    "police": Term("已报案", "reported to the police"),
}

REFERRAL_STATES = {
    "lodged": Term("已提交", "lodged"),
    "accepted": Term("已受理", "accepted"),
    "refused": Term("不予受理", "refused"),
    "settled": Term("已支持", "settled"),
    "ended": Term("已终止", "ended"),
    "withdrawn": Term("已撤回", "withdrawn"),
}

RETURN_STATES = {
    "not_due": Term("无需退货", "no return due"),
    "due": Term("待寄回", "to be sent back"),
    "sent": Term("已寄回", "sent back"),
    "received": Term("商家已收货", "received by the merchant"),
    "contested": Term("商家对退货有异议", "contested by the merchant"),
}

OFFER_STATES = {
    "open": Term("有效", "open"),
    "accepted": Term("已接受", "accepted"),
    "declined": Term("已拒绝", "declined"),
    "superseded": Term("已被新方案取代", "superseded"),
    "lapsed": Term("已失效", "lapsed"),
}

ADVANCE_STATES = {
    "not_applied": Term("未申请", "not applied for"),
    "applied": Term("申请中", "applied for"),
    "paid": Term("垫付完成", "paid in advance"),
    "closed": Term("垫付关闭", "closed"),
    "recovered": Term("已向商家追偿", "recovered from the merchant"),
}

TIP_OFF_STATES = {
    "lodged": Term("已举报", "lodged"),
    "case_opened": Term("已立案", "case opened"),
    "not_pursued": Term("不予立案", "not pursued"),
}

SERVICES = {
    "instant_refund": Term("极速退款", "instant refund"),
    "seven_day_return": Term("七天无理由退货", "seven-day no-reason return"),
    "fake_one_pay_three": Term("假一赔三", "fake-one-pay-three"),
    "fake_one_pay_four": Term("假一赔四", "fake-one-pay-four"),
    "mismatch_compensation": Term("不符包赔", "compensation where the goods differ"),
    "damage_cover": Term("破损包赔", "damage cover"),
    "return_freight_cover": Term("退货宝", "return freight cover"),
    "advance_compensation": Term("先行赔付", "advance compensation"),
}

DUTIES = {
    "answer": Term("答复", "answer"),
    "proof": Term("举证", "give proof"),
    "evidence": Term("补充证据", "supply evidence"),
    "platform_reply": Term("平台回复", "platform's reply"),
    "call_promise": Term("客服承诺的处理", "what was promised on the phone"),
    "merchant_answer": Term("商家答复", "merchant's answer"),
    "suspension": Term("中止的期限", "limit of the suspension"),
    "acceptance_proof": Term("提交受理凭证", "proof that court or police took it"),
    "objection": Term("申请复核", "time to object to the ruling"),
    "performance": Term("履行", "performance of the remedy"),
    "return_shipping": Term("寄回商品", "sending the goods back"),
    "return_confirmation": Term("确认收到退货", "confirming the return"),
    "referral_acceptance": Term("外部机构决定是否受理", "outside body's decision to take the matter"),
    "referral_result": Term("外部机构办结", "outside body's result"),
    "tip_off_check": Term("举报核查", "check of the tip-off"),
    "courier_answer": Term("快递企业答复投诉", "carrier's answer to the complaint"),
    "limitation": Term("时效", "limitation"),
}

DUTY_STATES = {
    "running": Term("进行中", "running"),
    "overdue": Term("已逾期", "overdue"),
    "paused": Term("已中止", "paused"),
    "met": Term("已完成", "met"),
    "late": Term("逾期完成", "met late"),
    "missed": Term("逾期未完成", "missed"),
    "cancelled": Term("已取消", "cancelled"),
}

DUTY_CHANGES = {
    "opened": Term("开始", "opened"),
    "met": Term("完成", "met"),
    "missed": Term("逾期", "missed"),
    "cancelled": Term("取消", "cancelled"),
    "paused": Term("中止", "paused"),
    "resumed": Term("恢复", "resumed"),
    "extended": Term("延长", "extended"),
    "recomputed": Term("重新计算", "computed again"),
}

#: The consumer's rights that the sources appeal to; where the law has them is in :data:`RIGHT_CLAUSES`.
RIGHTS = {
    "to_know": Term("知情权", "right to know"),
    "to_choose": Term("自主选择权", "right to choose"),
    "fair_trade": Term("公平交易权", "right to fair trade"),
    "true_information": Term("获得真实信息", "right to true information"),
    "return_exchange_repair": Term("要求退货、更换、修理", "right to return, exchange and repair"),
    "compensation": Term("依法索赔", "right to compensation by law"),
    "to_complain": Term("投诉、举报", "right to complain and to report"),
}

RIGHT_CLAUSES = {
    "to_know": "消费者权益保护法 8",
    "to_choose": "消费者权益保护法 9",
    "fair_trade": "消费者权益保护法 10",
    "true_information": "消费者权益保护法 8、20、28；电子商务法 17",
    "return_exchange_repair": "消费者权益保护法 24、25、52；产品质量法 40",
    "compensation": "消费者权益保护法 40、44、48、52、55；产品质量法 40–43",
    "to_complain": "消费者权益保护法 39；消费者权益保护法实施条例 26、27；电子商务法 59、60",
}

#: 误区: what people do, or leave undone, that loses a case they could have won.
PITFALLS = {
    "no_complaint": Term("认为投诉无用", "thinking that a complaint is no use"),
    "thin_evidence": Term("未提供充分证据", "too little evidence"),
    "no_follow_up": Term("未及时跟进处理进度", "not following the handling up"),
    "wrong_channel": Term("选择错误的投诉渠道", "the wrong channel"),
    "rules_unknown": Term("不熟悉规则", "not knowing the rules"),
    "late_complaint": Term("未及时投诉", "complaining late"),
    "forged_evidence": Term("伪造证据", "forging evidence"),
    "emotional": Term("情绪化、言辞过激", "emotion and harsh words"),
    "credulous": Term("轻信花言巧语", "believing sweet talk"),
    "bargain_lure": Term("贪图小便宜", "being lured by a bargain"),
    "giving_up": Term("轻易放弃", "giving up lightly"),
    "listing_unread": Term("未仔细阅读商品详情", "not reading the listing"),
    "no_vouchers": Term("未保留购物凭证", "keeping no vouchers"),
}

#: What kind of dispute it is, as far as proof goes: it decides who shows what first (:mod:`casework.domain.burden`).
SITUATIONS = {
    "visible_defect": Term("看得见的瑕疵", "visible defect"),
    "hidden_defect": Term("看不见的瑕疵", "hidden defect"),
    "genuineness": Term("真假争议", "genuineness"),
    "description": Term("描述不当、表面不一致", "not as described"),
    "pricing": Term("价格争议", "price"),
    "non_receipt": Term("未收到货", "non-receipt"),
    "shipment": Term("发货争议", "shipment"),
    "carriage": Term("运输与订单状态", "carriage and order status"),
    "seven_day_return": Term("无理由退货", "return without a reason"),
    "service_work": Term("安装与维修", "installation and repair"),
    "conduct": Term("售后与服务态度", "after-sales and conduct"),
    "reviews": Term("评价争议", "reviews"),
    "durable_six_months": Term("耐用商品收货六个月内", "durable goods within six months"),
    "after_confirmation": Term("确认收货之后", "after receipt was confirmed"),
}

#: Kinds of goods that have rules of their own; an order's own word for it is mapped by :mod:`casework.domain.categories`.
CATEGORIES = {
    "general": Term("一般商品", "general goods"),
    "clothing": Term("服装鞋帽箱包", "clothing, shoes, hats and bags"),
    "home_goods": Term("玩具、家纺、家居", "toys, textiles and household goods"),
    "furniture": Term("家具", "furniture"),
    "electronics": Term("数码产品", "electronics"),
    "computer": Term("计算机", "computer"),
    "large_appliance": Term("电视机、电冰箱、空调器、洗衣机", "television, refrigerator, air conditioner, washing machine"),
    "small_appliance": Term("小家电", "small appliance"),
    "vehicle": Term("机动车", "motor vehicle"),
    "decoration": Term("装饰装修", "decoration works"),
    "food": Term("食品", "food"),
    "fresh_food": Term("生鲜", "fresh food"),
    "flowers": Term("鲜花", "fresh flowers"),
    "cosmetics": Term("化妆品", "cosmetics"),
    "medical": Term("医疗器械、计生用品", "medical devices and contraceptives"),
    "jewellery": Term("珠宝首饰", "jewellery"),
    "custom_made": Term("定作商品", "made to order"),
    "media": Term("音像制品、软件等数字化商品", "recordings, software and digital goods"),
    "press": Term("报纸期刊", "newspapers and periodicals"),
}

#: Where a claim can be had.
VENUES = {
    "platform": Term("平台裁决", "the platform's ruling"),
    "mediation": Term("调解（12315、消协）", "mediation (12315, consumer association)"),
    "court": Term("法院", "court"),
}

VOCABULARY: dict[str, dict[str, Term]] = {
    "stage": STAGES,
    "state": STATES,
    "role": ROLES,
    "platform": PLATFORMS,
    "ground": GROUNDS,
    "evidence": EVIDENCE_KINDS,
    "proof": PROOF_KINDS,
    "authenticity": AUTHENTICITY,
    "proof_result": PROOF_RESULTS,
    "remedy": REMEDIES,
    "penalty": PENALTIES,
    "points_track": POINTS_TRACKS,
    "penalty_state": PENALTY_STATES,
    "standing": STANDINGS,
    "outcome": OUTCOMES,
    "excuse": EXCUSES,
    "channel": CHANNELS,
    "body": BODIES,
    "rejection": REJECTION_GROUNDS,
    "no_contact": NO_CONTACT_GROUNDS,
    "suspension": SUSPENSION_GROUNDS,
    "referral": REFERRAL_STATES,
    "return": RETURN_STATES,
    "offer": OFFER_STATES,
    "advance": ADVANCE_STATES,
    "tip_off": TIP_OFF_STATES,
    "service": SERVICES,
    "duty": DUTIES,
    "duty_state": DUTY_STATES,
    "duty_change": DUTY_CHANGES,
    "right": RIGHTS,
    "pitfall": PITFALLS,
    "situation": SITUATIONS,
    "category": CATEGORIES,
    "venue": VENUES,
}


#: What each kind of term is called.
KINDS = {
    "stage": Term("阶段", "stage"), "state": Term("状态", "state"), "role": Term("角色", "role"),
    "platform": Term("平台", "platform"), "ground": Term("事由", "ground"), "evidence": Term("证据种类", "evidence kind"),
    "proof": Term("证明材料", "proof"), "authenticity": Term("真实性", "authenticity"),
    "proof_result": Term("举证结果", "result of proof"), "remedy": Term("处理方式", "remedy"), "penalty": Term("处罚", "penalty"),
    "points_track": Term("扣分类别", "track of points"), "penalty_state": Term("处罚状态", "state of a penalty"),
    "standing": Term("商家状态", "standing of a merchant"), "outcome": Term("裁决结果", "outcome"),
    "excuse": Term("商家理由", "excuse"), "channel": Term("渠道", "channel"),
    "body": Term("外部机构", "outside body"), "rejection": Term("不予受理的理由", "ground of rejection"),
    "no_contact": Term("不联系商家的理由", "reason for no contact"), "suspension": Term("中止的理由", "ground of suspension"),
    "referral": Term("外部投诉的状态", "state of a referral"), "return": Term("退货状态", "state of a return"),
    "offer": Term("方案状态", "state of an offer"), "advance": Term("先行赔付状态", "state of an advance"),
    "tip_off": Term("举报状态", "state of a tip-off"), "service": Term("服务承诺", "promised service"),
    "duty": Term("期限种类", "duty"), "duty_state": Term("期限状态", "state of a duty"),
    "duty_change": Term("期限变动", "change of a duty"), "right": Term("权利", "right"), "pitfall": Term("误区", "pitfall"),
    "situation": Term("争议类型", "situation of proof"), "category": Term("品类", "category"),
    "venue": Term("主张途径", "where a claim can be had"),
}


def label(kind: str, term: str, lang: str) -> str:
    """The label of a term, or the identifier itself where the vocabulary does not know it (an altered store)."""
    known = VOCABULARY[kind].get(term)
    return known.text(lang) if known else term
