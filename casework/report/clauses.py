"""The clauses of unverified figures, which were written in both languages at once, in the language of whoever reads them.

A clause stands in recorded events and in published editions and is never edited; so it is told apart when it is shown.
"""

from __future__ import annotations

import re

#: What such a clause says, and how that reads in full: in Chinese, in English.
_TOLD = (
    (r"淘宝超时说明未见原文，暂按同类平台（微信小店 (\d+) (小时|天)）；no figure of Taobao's was found",
     r"淘宝超时说明未见原文，暂按同类平台（微信小店 \1 \2）",
     r"no figure of Taobao's was found; for now that of a similar platform (WeChat shops, \1 \2)"),
    (r"淘宝规则未见天数，暂按同类平台（京东 (\d+) (日)）；no figure of Taobao's was found",
     r"淘宝规则未见天数，暂按同类平台（京东 \1 \2）",
     r"no figure of Taobao's was found; for now that of a similar platform (JD, \1 \2)"),
    (r"淘宝超时说明未见原文；from memory", r"淘宝超时说明未见原文（凭记忆）",
     r"from memory; the text of Taobao's rule was not found"),
    (r"旧规则（凭记忆）；现行条文未见全文; an older rule, from memory", r"旧规则（凭记忆）；现行条文未见全文",
     r"an older rule, from memory; the present text was not seen in full"),
    (r"仅见于餐饮券规范：“交易成功后15天内”；seen for one category only", r"仅见于餐饮券规范：“交易成功后15天内”",
     r"seen only in the rules for meal vouchers: within 15 days of the completed deal"),
)
_UNITS = {"小时": "hours", "天": "days", "日": "days"}
#: Of others: the Chinese, then the English in brackets or after a semicolon.
_BOTH = r"(?P<zh>.*?[\u4e00-\u9fff].*?)(?:（|[；;]\s?)(?P<en>[A-Za-z][ -~’]* [a-z][ -~’]*?)）?"


def in_language(clause: str, lang: str) -> str:
    """A clause as it is shown in ``lang`` (``"zh"`` or ``"en"``); one that is the name of a law stands as it is."""
    if not any(char.isascii() and char.isalpha() for char in clause):
        return clause
    for pattern, zh, en in _TOLD:
        found = re.fullmatch(pattern, clause)
        if found:
            return found.expand(zh) if lang == "zh" else _english(found.expand(en))
    both = re.fullmatch(_BOTH, clause)
    return both[lang] if both else clause


def _english(text: str) -> str:
    for zh, en in _UNITS.items():
        text = text.replace(f" {zh})", f" {en})")
    return text
