"""Alipay's open gateway on the wire: canonical strings, RSA2, raw response nodes, notifications.

Pure. Source: Alipay open platform documentation, signature and asynchronous notification, and
the outcome codes of ``alipay.trade.pay``.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import JsonValue

from city.errors import Invalid
from city.money import Money
from payments.rules.authenticity import NotAuthentic, Refusal, sign_sha256, verify_sha256
from payments.rules.channel_bills.lines import local_instant
from payments.rules.channels import Method

ACKNOWLEDGEMENT: Final = "success"
"""The whole body that takes a notification; anything else brings it again."""
ANSWER_WITHIN_S: Final = 10.0
RETRIES_S: Final = (240, 600, 600, 3600, 7200, 21600, 54000)
"""Pauses between attempts of one notification, in seconds: 24 h 24 min in all."""
SENT_WITHIN: Final = timedelta(seconds=sum(RETRIES_S)) + timedelta(hours=1)
"""So long ago a notification may state that it was sent: whether a retry states its own time or
that of the first is not documented."""
AHEAD_BY: Final = timedelta(minutes=5)
"""So far a channel's clock may be ahead of ours."""
NOTIFY_DROPS: Final = frozenset({"sign", "sign_type"})
"""What the signature of a notification leaves out; that of a request leaves out ``sign`` alone."""
REQUEST_DROPS: Final = frozenset({"sign"})
PAGES: Final[Mapping[Method, tuple[str, str]]] = {
    Method.PAGE: ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    Method.WAP: ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
}
"""The pages that a browser is sent to: the method of each, and its product."""


class PayOutcome(StrEnum):
    """What the answer to a bar-code payment says."""

    PAID = "paid"
    WAITING = "waiting"
    """The payer is asked for a password: query every 3 to 5 s, cancel after 60 s."""
    UNKNOWN = "unknown"
    """The channel itself does not know: query."""
    REFUSED = "refused"


def pay_outcome(code: str) -> PayOutcome:
    """Read the ``code`` of ``alipay.trade.pay``; one that is not documented is unknown."""
    return {
        "10000": PayOutcome.PAID,
        "10003": PayOutcome.WAITING,
        "20000": PayOutcome.UNKNOWN,
        "40004": PayOutcome.REFUSED,
    }.get(code, PayOutcome.UNKNOWN)


def canonical(parameters: Mapping[str, str], drops: Collection[str] = REQUEST_DROPS) -> bytes:
    """Give what is signed: names in order, ``k=v`` joined by ``&``, values as they are.

    Empty values are left out, as the gateway leaves them out. UTF-8.
    """
    return "&".join(
        f"{name}={value}"
        for name, value in sorted(parameters.items())
        if name not in drops and value != ""
    ).encode()


def sign(
    key: rsa.RSAPrivateKey,
    parameters: Mapping[str, str],
    drops: Collection[str] = REQUEST_DROPS,
) -> str:
    """Sign parameters with RSA2; base64."""
    return sign_sha256(key, canonical(parameters, drops))


def verify_request(key: rsa.RSAPublicKey, parameters: Mapping[str, str]) -> None:
    """Check an application's request as the gateway does; NotAuthentic with the reason."""
    _check_type(parameters)
    verify_sha256(key, canonical(parameters), _signature(parameters))


def verify_notification(key: rsa.RSAPublicKey, parameters: Mapping[str, str]) -> None:
    """Check a notification's or a return's parameters; NotAuthentic with the reason.

    ``parameters`` are decoded once from the form; a repeated name must have been refused before.
    """
    _check_type(parameters)
    verify_sha256(key, canonical(parameters, NOTIFY_DROPS), _signature(parameters))


def response_name(method: str) -> str:
    """Name the node that answers a method: ``alipay_trade_query_response``."""
    return method.replace(".", "_") + "_response"


def response_node(raw: str, name: str) -> str:
    """Cut the raw text of a top-level member out of a response.

    What is signed is this very text, so it must not pass through a parser and a writer. Braces
    inside strings do not mislead it, nor the node's name inside a value.

    Raises
    ------
    NotAuthentic
        Where the response is not an object with that member.
    """
    decoder = json.JSONDecoder()
    position = _skip(raw, 0)
    try:
        if raw[position] != "{":
            raise NotAuthentic(Refusal.MALFORMED, "the response is not an object")
        position = _skip(raw, position + 1)
        while raw[position] != "}":
            key, position = decoder.raw_decode(raw, position)
            position = _skip(raw, position)
            if raw[position] != ":":
                break
            start = _skip(raw, position + 1)
            _, end = decoder.raw_decode(raw, start)
            if key == name:
                return raw[start:end]
            position = _skip(raw, end)
            if raw[position] == ",":
                position = _skip(raw, position + 1)
    except (ValueError, IndexError, RecursionError):
        raise NotAuthentic(Refusal.MALFORMED, "the response is not JSON") from None
    raise NotAuthentic(Refusal.MALFORMED, f"the response has no {name}")


def read_response(key: rsa.RSAPublicKey, raw: str, method: str) -> dict[str, JsonValue]:
    """Verify a response and give its node.

    Raises
    ------
    NotAuthentic
        Where it is not signed, or not by Alipay over exactly this text. An ``error_response``
        carries no signature worth having and is refused as well.
    """
    node = response_node(raw, response_name(method))
    signature: JsonValue = json.loads(raw).get("sign")
    if not isinstance(signature, str):
        raise NotAuthentic(Refusal.MALFORMED, "the response is not signed")
    verify_sha256(key, node.encode(), signature)
    value = json.loads(node)
    if not isinstance(value, dict):
        raise NotAuthentic(Refusal.MALFORMED, "the response's node is not an object")
    return value


def write_response(key: rsa.RSAPrivateKey, method: str, node: Mapping[str, JsonValue]) -> bytes:
    """Write a response as the gateway does: the node, then the signature over its text."""
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
    signature = json.dumps(sign_sha256(key, text.encode()))
    return f'{{"{response_name(method)}":{text},"sign":{signature}}}'.encode()


def check_notified(
    parameters: Mapping[str, str], *, app_id: str, seller_id: str, order_no: str, amount: Money
) -> None:
    """Compare a verified notification with the order that it speaks of.

    Raises
    ------
    NotAuthentic
        On another application, seller, order or amount: record it and change nothing.
    """
    if parameters.get("app_id") != app_id or parameters.get("seller_id") != seller_id:
        raise NotAuthentic(Refusal.OTHER_MERCHANT, "is about another application or seller")
    if parameters.get("out_trade_no") != order_no:
        raise NotAuthentic(Refusal.OTHER_ORDER, "is about another order")
    try:
        notified = Money.from_decimal(parameters.get("total_amount", ""), amount.currency)
    except Invalid:
        raise NotAuthentic(Refusal.MALFORMED, "total_amount is not an amount") from None
    if notified != amount:
        raise NotAuthentic(Refusal.OTHER_AMOUNT, "its amount is not the order's")


def _check_type(parameters: Mapping[str, str]) -> None:
    if parameters.get("sign_type") != "RSA2":
        raise NotAuthentic(Refusal.MALFORMED, "sign_type is not RSA2")


def _signature(parameters: Mapping[str, str]) -> str:
    signature = parameters.get("sign")
    if not signature:
        raise NotAuthentic(Refusal.MALFORMED, "sign is missing")
    return signature


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def check_sent(sent: str, now: datetime) -> None:
    """Refuse a notification that was sent longer ago than Alipay sends one again, or not yet.

    Parameters
    ----------
    sent : str
        Its ``notify_time``, which its signature covers.
    now : datetime

    Raises
    ------
    NotAuthentic
        Where it lies outside, or is no time.
    """
    try:
        sent_at = local_instant(sent, "notify_time")
    except Invalid:
        raise NotAuthentic(Refusal.MALFORMED, "notify_time is no time") from None
    if not now - SENT_WITHIN <= sent_at <= now + AHEAD_BY:
        raise NotAuthentic(Refusal.STALE, "was sent too long ago, or is dated ahead")
