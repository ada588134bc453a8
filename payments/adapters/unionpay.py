"""UnionPay's QR product (ACP 5.1.0) for one merchant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from city.errors import Invalid, Unavailable
from city.money import Money
from city.time import Clock
from payments.adapters.forms import read_form
from payments.adapters.http import LARGEST_ANSWER_BYTES, LARGEST_BILL_BYTES, NoAnswer, exchange
from payments.rules import unionpay
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills import unionpay as bills
from payments.rules.channel_bills.lines import CHINA, CURRENCY
from payments.rules.channels import (
    Answer as Said,
)
from payments.rules.channels import (
    Channel,
    Fate,
    Method,
    Notice,
    Opening,
    Order,
    Refund,
    RefundAnswer,
    RefundFate,
)
from payments.rules.unionpay import UNKNOWN_ANSWERS, Answer, Transaction

_HTTP_OK: Final = 200
_STAMP: Final = "%Y%m%d%H%M%S"
_STAMP_DIGITS: Final = 14
_UNKNOWN: Final = frozenset(each.value for each in UNKNOWN_ANSWERS)

Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UnionPayAccount:
    """What a merchant is configured with.

    Parameters
    ----------
    address : str
        ``https://gateway.95516.com/gateway/api``, or a gateway's.
    merchant_id : str
    key : rsa.RSAPrivateKey
        Signs our messages.
    certificate_id : str
        Serial number of the certificate over it, in decimal.
    root : x509.Certificate
        Who must have issued the certificate that UnionPay signs with.
    """

    address: str
    merchant_id: str
    key: rsa.RSAPrivateKey
    certificate_id: str
    root: x509.Certificate


class UnionPayChannel:
    """UnionPay; see `ChannelAdapter` for what each hook may do.

    Parameters
    ----------
    account : UnionPayAccount
    notify_url : str
        Where its notifications reach us.
    wall : Clock
        Wall time, by which its certificates are valid or not.
    """

    channel = Channel.UNIONPAY

    def __init__(self, account: UnionPayAccount, notify_url: str, wall: Clock) -> None:
        self.merchant = account.merchant_id
        self._account = account
        self._notify_url = notify_url
        self._wall = wall

    def open(self, order: Order, payer: str = "") -> Opening:
        """Open an order; a bar code is charged at once."""
        more = {
            "orderId": order.order_no,
            "txnTime": _stamp(order.opened_at),
            "txnAmt": str(order.amount.minor),
            "currencyCode": unionpay.CURRENCY,
            "payTimeout": _stamp(order.expires_at),
            "orderDesc": order.subject,
            "backUrl": self._notify_url,
        }
        if order.method is Method.CODE:
            kind = unionpay.QR_CODE
        elif order.method is Method.BAR:
            kind, more["qrNo"] = unionpay.BAR_CODE, payer
        else:
            raise Invalid("UnionPay is paid by code or bar code", field="method")
        try:
            message = self._call(Transaction.CONSUME, kind, more)
        except NoAnswer as none:
            return Opening(Said(Fate.UNKNOWN, reason=none.reason))
        code = message.get("respCode", "")
        if code == Answer.DONE and order.method is Method.CODE:
            return Opening(Said(Fate.OPEN), message.get("qrCode", ""))
        if code in {Answer.DONE, Answer.DUPLICATE}:
            return Opening(self.query(order))
        if code == Answer.ACCEPTED:
            return Opening(Said(Fate.OPEN, reason=code))
        fate = Fate.UNKNOWN if code in _UNKNOWN else Fate.CLOSED
        return Opening(Said(fate, reason=code))

    def query(self, order: Order) -> Said:
        """Ask how an order stands; a code that nobody paid is no transaction yet."""
        try:
            message = self._ask(order.order_no, order.opened_at)
        except NoAnswer as none:
            return Said(Fate.UNKNOWN, reason=none.reason)
        code, original = message.get("respCode", ""), message.get("origRespCode", "")
        if code == Answer.NOT_FOUND:
            return Said(Fate.MISSING, reason=code)
        if code != Answer.DONE:
            return Said(Fate.UNKNOWN, reason=code)
        if original == Answer.DONE:
            return self._paid(message)
        waits = original in _UNKNOWN
        return Said(Fate.OPEN if waits else Fate.CLOSED, reason=original)

    def close(self, order: Order) -> Said:
        """Tell how the order stands: UnionPay closes nothing before its time."""
        return self.query(order)

    def refund(self, order: Order, refund: Refund) -> RefundAnswer:
        """Ask for a refund."""
        more = {
            "orderId": refund.refund_no,
            "txnTime": _stamp(refund.asked_at),
            "txnAmt": str(refund.amount.minor),
            "currencyCode": unionpay.CURRENCY,
            "origQryId": order.channel_no,
            "backUrl": self._notify_url,
        }
        try:
            message = self._call(Transaction.REFUND, "00", more)
        except NoAnswer as none:
            return RefundAnswer(RefundFate.UNKNOWN, reason=none.reason)
        code = message.get("respCode", "")
        if code in {Answer.DONE, Answer.ACCEPTED, Answer.DUPLICATE}:
            return RefundAnswer(RefundFate.ASKED, message.get("queryId", ""), reason=code)
        fate = RefundFate.UNKNOWN if code in _UNKNOWN else RefundFate.FAILED
        return RefundAnswer(fate, reason=code)

    def query_refund(self, order: Order, refund: Refund) -> RefundAnswer:  # noqa: ARG002 - the protocol's
        """Ask how a refund stands."""
        try:
            message = self._ask(refund.refund_no, refund.asked_at)
        except NoAnswer as none:
            return RefundAnswer(RefundFate.UNKNOWN, reason=none.reason)
        code, original = message.get("respCode", ""), message.get("origRespCode", "")
        if code == Answer.NOT_FOUND:
            return RefundAnswer(RefundFate.MISSING, reason=code)
        if code != Answer.DONE:
            return RefundAnswer(RefundFate.UNKNOWN, reason=code)
        return self._refund_answer(message, original)

    def bill(self, day: date) -> bytes | None:
        """Fetch a settlement day's bill."""
        more = {
            "txnTime": _stamp(self._wall.now()),
            "settleDate": f"{day:%m%d}",
            "fileType": "00",
        }
        try:
            message = self._call(Transaction.FILE, "01", more, "fileTransfer")
            code = message.get("respCode", "")
            if code == Answer.NO_FILE:
                return None
            if code != Answer.DONE:
                raise Unavailable(f"UnionPay gives no bill: {code}")
            return bills.unpack(message.get("fileContent", ""))
        except NoAnswer as none:
            raise Unavailable(f"UnionPay's bill did not come: {none.reason}") from None
        except Invalid as error:
            raise Unavailable(f"UnionPay's bill did not come whole: {error.message}") from None

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:  # noqa: ARG002 - the protocol's
        """Read a notification by the certificate that it carries."""
        message = read_form(body)
        unionpay.verify_from_unionpay(message, self._account.root, self._wall.now())
        if message.get("merId") != self.merchant:
            raise NotAuthentic(Refusal.OTHER_MERCHANT, "is about another merchant")
        kind, number = message.get("txnType", ""), message.get("orderId", "")
        if not number or message.get("respCode") != Answer.DONE:
            raise NotAuthentic(Refusal.MALFORMED, "orderId is missing or nothing succeeded")
        event_id = f"{kind}:{number}:{message.get('queryId', '')}"
        try:
            if kind == Transaction.CONSUME:
                return Notice(event_id, number, "", self._paid(message))
            if kind in {Transaction.REFUND, Transaction.VOID}:
                answer = self._refund_answer(message, Answer.DONE)
                return Notice(event_id, "", number, answer)
        except NoAnswer as malformed:
            raise NotAuthentic(Refusal.MALFORMED, malformed.reason) from None
        raise NotAuthentic(Refusal.MALFORMED, "is about no payment and no refund")

    def acknowledgement(self, *, taken: bool) -> tuple[int, str, bytes]:
        """End a notification by 200, or have it sent again by 500."""
        return (200, "text/plain", b"ok") if taken else (500, "text/plain", b"not taken")

    def _ask(self, number: str, at: datetime) -> Message:
        more = {"orderId": number, "txnTime": _stamp(at)}
        return self._call(Transaction.QUERY, "00", more, "queryTrans")

    def _call(
        self, kind: Transaction, subtype: str, more: Message, path: str = "backTransReq"
    ) -> Message:
        message = {
            "version": unionpay.VERSION,
            "encoding": "UTF-8",
            "bizType": "000000",
            "txnType": kind.value,
            "txnSubType": subtype,
            "accessType": "0",
            "channelType": "08",
            "merId": self.merchant,
            **more,
        }
        signed = unionpay.sign(message, self._account.key, self._account.certificate_id)
        large = kind is Transaction.FILE
        reply = exchange(
            "POST",
            f"{self._account.address}/{path}.do",
            body=unionpay.write_form(signed),
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"},
            largest_bytes=LARGEST_BILL_BYTES if large else LARGEST_ANSWER_BYTES,
        )
        if reply.status != _HTTP_OK:
            raise NoAnswer(f"status-{reply.status}")
        try:
            answer = unionpay.read_response(reply.body)
            unionpay.verify_from_unionpay(answer, self._account.root, self._wall.now())
        except NotAuthentic as refused:
            raise NoAnswer(f"answer-{refused.reason.value}") from None
        return answer

    def _paid(self, message: Message) -> Said:
        return Said(
            Fate.PAID,
            message.get("queryId", ""),
            _money(message),
            message.get("merId", ""),
            _trace_time(message),
        )

    def _refund_answer(self, message: Message, original: str) -> RefundAnswer:
        if original != Answer.DONE:
            waits = original in _UNKNOWN
            fate = RefundFate.ASKED if waits else RefundFate.FAILED
            return RefundAnswer(fate, message.get("queryId", ""), reason=original)
        return RefundAnswer(
            RefundFate.DONE, message.get("queryId", ""), _money(message), self._wall.now()
        )


def _money(message: Message) -> Money:
    text = message.get("txnAmt", "")
    if message.get("currencyCode") != unionpay.CURRENCY:
        raise NoAnswer("another-currency")
    if not (text.isascii() and text.isdigit()):
        raise NoAnswer("txnAmt-malformed")
    return Money(int(text), CURRENCY)


def _trace_time(message: Message) -> datetime:
    """Read when it was paid: ``traceTime`` has no year, so it is that of the order, or the next."""
    ordered, text = message.get("txnTime", ""), message.get("traceTime", "")
    try:
        begun = _instant(ordered)
        for year in (begun.year, begun.year + 1):
            at = _instant(f"{year}{text}")
            if at >= begun:
                return at
    except ValueError:
        raise NoAnswer("traceTime-malformed") from None
    raise NoAnswer("traceTime-malformed")


def _instant(text: str) -> datetime:
    """Read ``YYYYMMDDhhmmss`` in China's time; ValueError where it is none."""
    if len(text) != _STAMP_DIGITS or not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    # As a pattern reads it, in a fortieth of the time.
    return datetime.fromisoformat(f"{text[:8]}T{text[8:]}").replace(tzinfo=CHINA)


def _stamp(at: datetime) -> str:
    return at.astimezone(CHINA).strftime(_STAMP)
