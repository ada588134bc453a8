"""UnionPay's QR product (ACP 5.1.0) as a merchant sees it."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from flask import Blueprint, Response, request

from payments.gateway.desk import Code, Desk, code_of, wrong_amount
from payments.gateway.keys import UNIONPAY_MERCHANT
from payments.gateway.notifier import Damage, Notice
from payments.gateway.orders import Order, Refund, RefundState, Refused, State, Terms, Why
from payments.gateway.payer import HOLDERS
from payments.rules import unionpay
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills import unionpay as bills
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channels import Channel
from payments.rules.unionpay import Answer, Transaction

_CHANNEL: Final = Channel.UNIONPAY
_CODE: Final = re.compile(r"62[0-9]{17}", re.ASCII)
_STAMP: Final = "%Y%m%d%H%M%S"
_WORDS: Final = {
    Answer.DONE: "成功[0000000]",
    Answer.UNCLEAR: "交易状态未明，请查询对账结果[2100000]",
    Answer.ACCEPTED: "交易已受理，请稍后查询交易结果[3100000]",
    Answer.MALFORMED: "报文格式错误[6100030]",
    Answer.WRONG_SIGNATURE: "签名验证失败[9100004]",
    Answer.DUPLICATE: "重复交易[6102000]",
    Answer.INCOMPLETE: "报文交易要素缺失[6100013]",
    Answer.REFUSED: "交易未通过，请尝试使用其他银联卡支付[5900000]",
    Answer.OTHER_MERCHANT: "商户状态不正确[6130031]",
    Answer.NOT_FOUND: "查无此交易[2600000]",
    Answer.WRONG_ORIGINAL: "原交易不存在或状态不正确[6040000]",
    Answer.DIFFERS: "与原交易信息不符[6040036]",
    Answer.NO_MONEY: "账户余额不足[5800051]",
    Answer.NO_FILE: "文件不存在[9100098]",
}
_REFUSALS: Final = {
    Why.NOT_FOUND: Answer.WRONG_ORIGINAL,
    Why.DIFFERS: Answer.DUPLICATE,
    Why.PAID: Answer.DUPLICATE,
    Why.NOT_PAID: Answer.WRONG_ORIGINAL,
    Why.CLOSED: Answer.WRONG_ORIGINAL,
    Why.TOO_MUCH: Answer.DIFFERS,
    Why.TOO_MANY: Answer.DIFFERS,
}
_ECHOED: Final = (
    "version", "encoding", "bizType", "txnType", "txnSubType", "accessType", "merId", "orderId",
    "txnTime", "txnAmt", "currencyCode", "reqReserved", "settleDate", "fileType",
)  # fmt: skip

Message = Mapping[str, str]


class _Problem(Exception):
    """An answer that says no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.value)
        self.answer = answer


class UnionPay:
    """The channel at one desk: its routes, and its way to announce."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # --- notifications ---------------------------------------------------------------------------

    def paid(self, order: Order) -> Notice:
        """Write the notice of a payment; failed ones bring none."""
        return self._notice(
            f"unionpay:{order.key}:paid",
            order.notify_url,
            lambda wrong: self._of_order(wrong_amount(order) if wrong else order),
        )

    def refunded(self, order: Order, refund: Refund) -> Notice | None:
        """Write the notice of a refund or a void."""

        def content(wrong: bool) -> dict[str, str]:
            whole = self._of_refund(order, refund)
            return {**whole, "txnAmt": str(refund.amount_minor + 1)} if wrong else whole

        name = f"unionpay:{refund.refund_no}:{'void' if refund.void else 'refunded'}"
        return self._notice(name, refund.notify_url, content)

    def _notice(self, name: str, url: str, content: Callable[[bool], dict[str, str]]) -> Notice:
        def write(damage: Damage) -> tuple[dict[str, str], bytes]:
            message = self._signed({**content(damage.amount), "respCode": "00", "respMsg": "成功"})
            if damage.signature:
                other = self._signed({**message, "traceNo": "000000"})
                message = {**message, "signature": other["signature"]}
            body = unionpay.write_form(message)
            return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body

        return Notice(
            name=name,
            url=url,
            retries_s=unionpay.RETRIES_S,
            answer_within_s=unionpay.ANSWER_WITHIN_S,
            write=write,
            taken=lambda status, _: status in {200, 302},
        )

    def _of_order(self, order: Order) -> dict[str, str]:
        at = (order.paid_at or order.opened_at).astimezone(CHINA)
        amount = str(order.terms.amount_minor)
        return {
            "version": unionpay.VERSION,
            "encoding": "UTF-8",
            "bizType": "000000",
            "txnType": Transaction.CONSUME.value,
            "txnSubType": order.terms.product,
            "accessType": "0",
            "merId": order.merchant,
            "orderId": order.order_no,
            "txnTime": order.key.rpartition(":")[2],
            "txnAmt": amount,
            "currencyCode": unionpay.CURRENCY,
            "queryId": order.channel_no,
            "settleAmt": amount,
            "settleCurrencyCode": unionpay.CURRENCY,
            "settleDate": f"{at:%m%d}",
            "traceNo": order.channel_no[-6:],
            "traceTime": f"{at:%m%d%H%M%S}",
            **{k: v for k, v in order.extras().items() if k == "reqReserved"},
        }

    def _of_refund(self, order: Order, refund: Refund) -> dict[str, str]:
        refund_no, _, txn_time = refund.refund_no.partition(":")
        kind = Transaction.VOID if refund.void else Transaction.REFUND
        return {
            **self._of_order(order),
            "txnType": kind.value,
            "txnSubType": "00",
            "orderId": refund_no,
            "txnTime": txn_time,
            "txnAmt": str(refund.amount_minor),
            "settleAmt": str(refund.amount_minor),
            "queryId": refund.channel_refund_no,
            "origQryId": order.channel_no,
        }

    def _signed(self, message: Message) -> dict[str, str]:
        whole = {k: v for k, v in message.items() if k != "signature"}
        whole["signPubKeyCert"] = self._desk.keys.certificate_pem("unionpay-platform")
        return unionpay.sign(whole, self._desk.keys.private["unionpay-platform"])

    # --- requests --------------------------------------------------------------------------------

    def routes(self) -> Blueprint:
        """Give the channel's routes."""
        routes = Blueprint("unionpay", __name__, url_prefix="/gateway/api")
        for name, view in (
            ("backTransReq", self._back),
            ("queryTrans", self._query),
            ("fileTransfer", self._file),
        ):
            routes.add_url_rule(f"/{name}.do", name, self._answering(view), methods=["POST"])
        return routes

    def _answering(self, act: Callable[[Message], dict[str, str]]) -> Callable[[], Response]:
        def view() -> Response:
            message = request.form.to_dict()
            try:
                self._check(message)
                more = {"respCode": Answer.DONE.value, **act(message)}
            except _Problem as problem:
                more = {"respCode": problem.answer.value}
            except Refused as refused:
                more = {"respCode": _REFUSALS[refused.why].value}
            more["respMsg"] = _WORDS[Answer(more["respCode"])]
            echoed = {name: message[name] for name in _ECHOED if message.get(name)}
            content = unionpay.write_response(self._signed({**echoed, **more}))
            return Response(content, content_type="text/html;charset=UTF-8")

        return view

    def _check(self, message: Message) -> None:
        if any(len(values) > 1 for _, values in request.form.lists()):
            raise _Problem(Answer.MALFORMED)
        if message.get("version") != unionpay.VERSION or message.get("encoding") != "UTF-8":
            raise _Problem(Answer.MALFORMED)
        if message.get("certId") != self._desk.keys.unionpay_certificate_id:
            raise _Problem(Answer.WRONG_SIGNATURE)
        try:
            unionpay.verify(message, self._desk.keys.public("unionpay-merchant"))
        except NotAuthentic as refused:
            wrong = refused.reason is Refusal.WRONG_SIGNATURE
            raise _Problem(Answer.WRONG_SIGNATURE if wrong else Answer.MALFORMED) from None
        if message.get("merId") != UNIONPAY_MERCHANT:
            raise _Problem(Answer.OTHER_MERCHANT)

    def _back(self, message: Message) -> dict[str, str]:
        kinds = {
            ("01", unionpay.QR_CODE): self._apply,
            ("01", unionpay.BAR_CODE): self._consume,
            ("04", "00"): self._refund,
            ("31", "00"): self._void,
        }
        kind = kinds.get((message.get("txnType", ""), message.get("txnSubType", "")))
        if kind is None:
            raise _Problem(Answer.MALFORMED)
        return kind(message)

    def _opened(self, message: Message, *, hidden: bool) -> Order:
        key, now = self._fresh_key(message), self._desk.now()
        if message.get("currencyCode") != unionpay.CURRENCY:
            raise _Problem(Answer.MALFORMED)
        timeout = message.get("payTimeout")
        return self._desk.book.open(
            _CHANNEL,
            message["orderId"],
            Terms(_minor(message), message.get("orderDesc", ""), message["txnSubType"]),
            at=now,
            merchant=message["merId"],
            notify_url=message.get("backUrl", ""),
            key=key,
            expires_at=_stamp(timeout) if timeout else None,
            hidden=hidden,
            extra={"reqReserved": message.get("reqReserved", "")},
        )

    def _fresh_key(self, message: Message) -> str:
        """Give the transaction's key: one number and time stand for one transaction of any kind."""
        key, book = _key(message), self._desk.book
        if book.knows(_CHANNEL, key):
            raise _Problem(Answer.DUPLICATE)
        return key

    def _apply(self, message: Message) -> dict[str, str]:
        order = self._opened(message, hidden=True)
        return {"qrCode": f"{self._desk.address}/payer/{order.token}"}

    def _consume(self, message: Message) -> dict[str, str]:
        code = message.get("qrNo", "")
        if _CODE.fullmatch(code) is None:
            raise _Problem(Answer.INCOMPLETE)
        kind = code_of(code)
        if kind is Code.EXPIRED:
            raise _Problem(Answer.REFUSED)
        order = self._opened(message, hidden=False)
        match kind:
            case Code.EMPTY:
                self._desk.book.close(_CHANNEL, order.key, self._desk.now())
                raise _Problem(Answer.NO_MONEY)
            case Code.PASSWORD:
                self._desk.book.wait(order)
                return {"respCode": Answer.ACCEPTED.value}
            case Code.UNCLEAR:
                self._desk.pay(order, HOLDERS[_CHANNEL])
                raise _Problem(Answer.UNCLEAR)
            case Code.PAYS:
                return {"queryId": self._desk.pay(order, HOLDERS[_CHANNEL]).channel_no}

    def _original(self, message: Message) -> Order:
        return self._desk.book.find_number(_CHANNEL, message.get("origQryId", ""), self._desk.now())

    def _refund(self, message: Message) -> dict[str, str]:
        order = self._original(message)
        order, refund, _ = self._desk.book.refund(
            _CHANNEL,
            order.key,
            self._fresh_key(message),
            _minor(message),
            at=self._desk.now(),
            notify_url=message.get("backUrl", ""),
        )
        self._desk.refund_later(order, refund)
        return {"queryId": refund.channel_refund_no, "origQryId": order.channel_no}

    def _void(self, message: Message) -> dict[str, str]:
        key, order, now = self._fresh_key(message), self._original(message), self._desk.now()
        if order.state is not State.PAID or order.paid_at is None:
            raise _Problem(Answer.WRONG_ORIGINAL)
        same_day = order.paid_at.astimezone(CHINA).date() == now.astimezone(CHINA).date()
        if not same_day or _minor(message) != order.terms.amount_minor:
            raise _Problem(Answer.DIFFERS)
        order, refund = self._desk.book.take_back(_CHANNEL, order.key, now, key)
        if refund is None:
            raise _Problem(Answer.WRONG_ORIGINAL)
        self._desk.announce_void(order, refund)
        return {"queryId": refund.channel_refund_no, "origQryId": order.channel_no}

    def _query(self, message: Message) -> dict[str, str]:
        key, now = _key(message), self._desk.now()
        try:
            order = self._desk.book.find(_CHANNEL, key, now)
        except Refused:
            return self._query_refund(key)
        if order.state in {State.HIDDEN, State.OPEN}:
            # A code that nobody paid is no transaction yet.
            raise _Problem(Answer.NOT_FOUND)
        if order.state is State.WAITING:
            return {"origRespCode": Answer.ACCEPTED.value}
        if order.paid_at is None:
            raise _Problem(Answer.NOT_FOUND)
        return {**self._of_order(order), "origRespCode": "00", "origRespMsg": "成功"}

    def _query_refund(self, key: str) -> dict[str, str]:
        try:
            order, refund = self._desk.book.find_refund(_CHANNEL, key)
        except Refused:
            raise _Problem(Answer.NOT_FOUND) from None
        done = refund.state is RefundState.DONE
        code = Answer.DONE if done else Answer.ACCEPTED
        return {
            **self._of_refund(order, refund),
            "origRespCode": code.value,
            "origRespMsg": _WORDS[code],
        }

    def _file(self, message: Message) -> dict[str, str]:
        if message.get("txnType") != Transaction.FILE or message.get("fileType") != "00":
            raise _Problem(Answer.MALFORMED)
        day = _settle_day(message.get("settleDate", ""), self._desk.now())
        lines = self._desk.bill(_CHANNEL, day)
        if not lines:
            raise _Problem(Answer.NO_FILE)
        content = bills.write_trade(lines, UNIONPAY_MERCHANT, day)
        return {
            "fileName": f"{UNIONPAY_MERCHANT}_{day:%Y%m%d}.zip",
            "fileContent": bills.pack(content),
        }


def _key(message: Message) -> str:
    order_no, txn_time = message.get("orderId", ""), message.get("txnTime", "")
    if not (order_no.isascii() and order_no.isalnum() and 8 <= len(order_no) <= 40):  # noqa: PLR2004 - AN8..40
        raise _Problem(Answer.MALFORMED)
    _stamp(txn_time)
    return f"{order_no}:{txn_time}"


def _stamp(text: str) -> datetime:
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=CHINA)
    except ValueError:
        raise _Problem(Answer.MALFORMED) from None


def _minor(message: Message) -> int:
    text = message.get("txnAmt", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) > 0):  # noqa: PLR2004 - N1..12
        raise _Problem(Answer.MALFORMED)
    return int(text)


def _settle_day(text: str, now: datetime) -> date:
    """Read ``MMDD`` as the last such day that is not ahead."""
    today = now.astimezone(CHINA).date()
    for year in (today.year, today.year - 1):
        try:
            day = datetime.strptime(f"{year}{text}", "%Y%m%d").replace(tzinfo=CHINA).date()
        except ValueError:
            continue
        if day <= today + timedelta(days=1):
            return day
    raise _Problem(Answer.MALFORMED)
