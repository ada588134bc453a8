"""Alipay's messages: what ``biz_content`` may say, what is answered, how it is refused."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from city.errors import Invalid
from city.money import Money
from payments.gateway.orders import Order, State, Why
from payments.rules.channel_bills.lines import CURRENCY, local_text

_MOST_MINOR: Final = 100_000_000_00
OK: Final = {"code": "10000", "msg": "Success"}
"""What every good answer begins with."""
REFUSALS: Final = {
    Why.NOT_FOUND: ("ACQ.TRADE_NOT_EXIST", "交易不存在"),
    Why.DIFFERS: ("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"),
    Why.PAID: ("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
    Why.NOT_PAID: ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
    Why.CLOSED: ("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
    Why.TOO_MUCH: ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
    Why.TOO_MANY: ("ACQ.REFUND_ACCOUNT_NOT_EXIST", "退款次数超过限制"),
}
"""``sub_code`` and words for what the book refuses."""
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400}

Biz = Mapping[str, JsonValue]
"""The content of ``biz_content``."""


class AlipayProblem(Exception):
    """An answer that says no."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(sub_code)
        words = {"40002": "Invalid Arguments", "40004": "Business Failed", "20000": "Service Error"}
        self.node: dict[str, JsonValue] = {
            "code": code,
            "msg": words[code],
            "sub_code": sub_code,
            "sub_msg": sub_msg,
        }


def trade_node(order: Order) -> dict[str, JsonValue]:
    """Write how a trade stands; what was paid only once it was."""
    total = yuan_of(order.terms.amount_minor)
    node: dict[str, JsonValue] = {
        **OK,
        "trade_no": order.channel_no,
        "out_trade_no": order.order_no,
        "buyer_logon_id": "gat***@example.com",
        "trade_status": status_of(order),
        "total_amount": total,
    }
    if order.paid_at is not None:
        node |= {
            "receipt_amount": total,
            "buyer_pay_amount": total,
            "buyer_user_id": order.payer,
            "send_pay_date": local_text(order.paid_at),
            "fund_bill_list": [{"amount": total, "fund_channel": "ALIPAYACCOUNT"}],
        }
    return node


def status_of(order: Order) -> str:
    """Give ``trade_status``: a trade that was given back whole is closed."""
    if order.state in {State.CLOSED, State.VOIDED}:
        return "TRADE_CLOSED"
    if order.state is not State.PAID:
        return "WAIT_BUYER_PAY"
    whole = order.refunded_minor == order.terms.amount_minor
    return "TRADE_CLOSED" if whole else "TRADE_SUCCESS"


def text_of(biz: Biz, name: str, *, needed: bool = True) -> str:
    """Read a field as text, numbers as they were written; AlipayProblem where it is none."""
    value = biz.get(name, "")
    text = "" if value is None or isinstance(value, (dict, list, bool)) else str(value)
    if (needed and not text) or len(text) > 256:  # noqa: PLR2004 - the longest field, subject
        raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", f"参数无效：{name}")
    return text


def minor_of(biz: Biz, name: str) -> int:
    """Read an amount in yuan as fen; AlipayProblem where it is none or not above zero."""
    try:
        minor = Money.from_decimal(text_of(biz, name), CURRENCY, name).minor
    except Invalid:
        minor = 0
    if not 0 < minor <= _MOST_MINOR:
        raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", f"参数无效：{name}")
    return minor


def timeout_of(biz: Biz, now: datetime) -> datetime | None:
    """Read ``timeout_express`` (``90m``, ``2h``, ``1d``) from now on; None where there is none."""
    text = text_of(biz, "timeout_express", needed=False)
    if not text:
        return None
    number, unit = text[:-1], text[-1]
    if unit not in _UNITS or not (number.isascii() and number.isdigit() and len(number) <= 4):  # noqa: PLR2004 - at most 15 days
        raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", "参数无效：timeout_express")
    return now + timedelta(seconds=int(number) * _UNITS[unit])


def yuan_of(minor: int) -> str:
    """Write fen as yuan with two decimals."""
    return Money(minor, CURRENCY).decimal()
