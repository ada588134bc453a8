"""Why the system moved money, in Chinese for who asks in Chinese.

Entries and refunds state a reason. What people wrote stays as they wrote it; the system's own
sentences are few, are kept in English, and are told here by the sentence itself. They are no
refusals: `web.refusals` also translates single words, which people's reasons may be.
"""

from __future__ import annotations

import re
from typing import Final

from payments.rules.debts import CANCELLED, OVERDUE, STOPPED
from payments.rules.reconciling import FOUND_NO_MORE
from web.refusals import in_chinese

_SENTENCES: Final = {
    "bill issued": "开具账单",
    "paid ahead": "离场前缴费",
    "paid back": "退还现金",
    "cash taken": "现金收款",
    "paid online": "线上支付",
    "paid, and nothing was owed": "收款时已无待缴金额",
    "paid by card": "停车卡支付",
    "topped up in cash": "现金充值",
    "topped up online": "线上充值",
    "the channel did not give it back": "渠道未能退回，已退回停车卡",
    "paid out in cash": "余额退还现金",
    "back onto the card": "退回停车卡",
    "moved to the card that replaces it": "转入补发的新卡",
    "paid ahead for longer than it stayed": "预缴多于实际停放",
    "the bill was wrong, and was cancelled": "账单有误，已撤销",
    "paid twice: the bill needed no money any more": "重复支付：账单已无待缴金额",
    "voided at the terminal": "终端撤销",
    "reversed by the terminal: it had no answer": "终端冲正：未收到应答",
    "refunded at the terminal": "终端退款",
    "went back before the bill was cancelled": "账单撤销前已退还",
    OVERDUE: "已过缴费期限，转入欠费",
    STOPPED: "停止计时，转出欠费",
    CANCELLED: "账单已撤销，转出欠费",
    FOUND_NO_MORE: "当日的后续账单已不再显示此差异",
}
_PATTERNS: Final = (
    (re.compile(r"settled for (\d{4}-\d\d-\d\d)"), r"\1 渠道结算"),
    (re.compile(r"dispute upheld: (\S+)"), r"申诉成立：\1"),
    (
        re.compile(r"(\S+) % of what was left (\d+) days after the due date"),
        r"到期后 \2 天，按未缴余额的 \1% 加收",
    ),
)


def in_chinese_words(reason: str) -> str:
    """Return one of the system's reasons in Chinese; a person's as it is."""
    if reason in _SENTENCES:
        return _SENTENCES[reason]
    for pattern, chinese in _PATTERNS:
        match = pattern.fullmatch(reason)
        if match is not None:
            return match.expand(chinese)
    return reason


def reason_as_asked(reason: str) -> str:
    """Return a reason in the caller's language."""
    return in_chinese_words(reason) if in_chinese() else reason
