"""Alipay's open platform for one application."""

from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import urlencode, urljoin

from pydantic import JsonValue

from city.errors import Invalid, Unavailable
from city.money import Money
from city.time import Clock
from city.vehicles import PlateNumber
from payments.adapters.alipay_line import AlipayAccount, AlipayLine, Node
from payments.adapters.forms import read_form
from payments.adapters.http import LARGEST_BILL_BYTES, NoAnswer, exchange
from payments.rules import alipay, alipay_parking
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills.lines import local_instant, local_text
from payments.rules.channels import (
    Answer,
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
from payments.rules.deductions import Deducted, Parked, Signed, Standing, colour_of

_CURRENCY: Final = "CNY"
_OK, _UNCLEAR, _REFUSED = "10000", "20000", "40004"
_NOT_THERE: Final = "ACQ.TRADE_NOT_EXIST"
_HTTP_OK: Final = 200
_UNSURE: Final = frozenset({"ACQ.SYSTEM_ERROR", "AOP.SYSTEM_ERROR", "isp.unknow-error"})
"""Refusals after which only a query tells what happened."""


class AlipayChannel:
    """Alipay; see `ChannelAdapter` for what each hook may do.

    Parameters
    ----------
    account : AlipayAccount
    notify_url : str
        Where its notifications reach us.
    wall : Clock
        Wall time, which requests carry.
    """

    channel = Channel.ALIPAY

    def __init__(self, account: AlipayAccount, notify_url: str, wall: Clock) -> None:
        self.merchant = account.seller_id
        self.signing_address = account.signing_address
        self._lots: dict[str, str] = {}
        self._account = account
        self._wall = wall
        self._site = urljoin(notify_url, "/")
        self._line = AlipayLine(account, notify_url, wall)

    def open(self, order: Order, payer: str = "") -> Opening:
        """Open an order; a page is only an address to follow, a bar code is charged at once."""
        biz: dict[str, JsonValue] = {
            "out_trade_no": order.order_no,
            "total_amount": order.amount.decimal(),
            "subject": order.subject,
            "time_expire": local_text(order.expires_at),
        }
        if order.method in alipay.PAGES:
            method, product = alipay.PAGES[order.method]
            biz["product_code"] = product
            if order.method is Method.WAP:
                biz["quit_url"] = self._site
            asked = self._line.signed(method, biz)
            return Opening(Answer(Fate.OPEN), f"{self._account.address}?{urlencode(asked)}")
        if order.method is Method.BAR:
            charged: dict[str, JsonValue] = {**biz, "scene": "bar_code", "auth_code": payer}
            return Opening(self._charged(order, charged))
        if order.method is not Method.CODE:
            raise Invalid("Alipay is paid by code, page or bar code", field="method")
        try:
            node = self._line.call("alipay.trade.precreate", biz)
        except NoAnswer as none:
            return Opening(Answer(Fate.UNKNOWN, reason=none.reason))
        if node.get("code") == _OK:
            return Opening(Answer(Fate.OPEN), _text(node, "qr_code"))
        if _text(node, "sub_code") == "ACQ.TRADE_HAS_SUCCESS":
            return Opening(self.query(order))
        return Opening(_refusal(node))

    def query(self, order: Order) -> Answer:
        """Ask how an order stands; one that nobody scanned yet is not there yet."""
        if order.method is Method.AGREEMENT:
            return self._query_deduction(order)
        try:
            node = self._line.call("alipay.trade.query", {"out_trade_no": order.order_no})
            if node.get("code") == _OK:
                return self._answer(node)
        except NoAnswer as none:
            return Answer(Fate.UNKNOWN, reason=none.reason)
        sub_code = _text(node, "sub_code")
        missing = Fate.MISSING if sub_code == _NOT_THERE else Fate.UNKNOWN
        return Answer(missing, reason=sub_code)

    def close(self, order: Order) -> Answer:
        """Close an order that was scanned and not paid; nothing closes one that was not scanned."""
        if order.method is Method.AGREEMENT:
            return self.query(order)  # what was asked for is taken, or not, by the channel alone
        try:
            self._line.call("alipay.trade.close", {"out_trade_no": order.order_no})
        except NoAnswer as none:
            return Answer(Fate.UNKNOWN, reason=none.reason)
        return self.query(order)

    def agreement(self, plate: PlateNumber, holder: str) -> Signed:
        """Ask whether a car may be deducted for; with a payer's id, whether by them."""
        colour = colour_of(plate.kind)
        if colour is None:
            return Signed(Standing.NONE, "no-such-plate")
        biz: dict[str, JsonValue] = {"car_number": plate.text, "car_color": colour.value}
        if holder:
            biz["alipay_user_id"] = holder
        try:
            node = self._line.call(alipay_parking.AGREEMENT, biz)
        except NoAnswer as none:
            return Signed(Standing.UNKNOWN, none.reason)
        if node.get("code") != _OK:
            return Signed(Standing.UNKNOWN, _text(node, "sub_code") or _text(node, "code"))
        status = str(node.get("agreement_status", ""))
        return Signed(alipay_parking.agreement_standing(status), f"agreement-{status}")

    def deduct(self, order: Order, parked: Parked) -> Deducted:
        """Ask for the agreement anew, tell of the stay, then have its fee taken at once."""
        signed = self.agreement(parked.plate, "")
        if signed.standing is Standing.UNKNOWN:
            return Deducted(Answer(Fate.UNKNOWN, reason=signed.reason))
        colour = colour_of(parked.plate.kind)
        if colour is None or signed.standing is not Standing.SIGNED:
            return Deducted(Answer(Fate.CLOSED, reason=signed.reason), signed.standing)
        try:
            return Deducted(self._pay(order, parked, colour.value))
        except NoAnswer as none:
            return Deducted(Answer(Fate.UNKNOWN, reason=none.reason))

    def _pay(self, order: Order, parked: Parked, colour: str) -> Answer:
        lot = self._lot(parked)
        if not lot:
            return Answer(Fate.CLOSED, reason="no-parking-lot")
        car: dict[str, JsonValue] = {"parking_id": lot, "car_number": parked.plate.text}
        # What is not taken of these two does not keep the fee from being taken.
        self._line.call(alipay_parking.ENTER, {**car, "in_time": local_text(parked.entered_at)})
        self._line.call(alipay_parking.EXIT, {**car, "out_time": local_text(parked.left_at)})
        asked: dict[str, JsonValue] = {
            **car,
            "car_number_color": colour,
            "out_parking_id": parked.place_code,
            "out_trade_no": order.order_no,
            "subject": order.subject,
            "total_fee": order.amount.decimal(),
            "seller_id": self.merchant,
        }
        node = self._line.call(alipay_parking.PAY, asked)
        if node.get("code") == _OK:
            return self._taken(node, _text(node, "gmt_payment"))
        refused = _refusal(node)
        if refused.fate is not Fate.CLOSED:
            return refused
        # Asked before under this number, it may be taken although it is refused now.
        known = self.query(order)
        return refused if known.fate is Fate.MISSING else known

    def _query_deduction(self, order: Order) -> Answer:
        try:
            node = self._line.call(alipay_parking.QUERY, {"out_biz_trade_no": order.order_no})
            if node.get("code") == _OK:
                status = str(node.get("trade_status", ""))
                fate = alipay_parking.trade_fate(status)
                if fate is not Fate.PAID:
                    return Answer(fate, reason=f"trade-{status}")
                return self._taken(node, _text(node, "gmt_payment"))
        except NoAnswer as none:
            return Answer(Fate.UNKNOWN, reason=none.reason)
        sub_code = _text(node, "sub_code")
        return Answer(Fate.MISSING if sub_code == _NOT_THERE else Fate.UNKNOWN, reason=sub_code)

    def _taken(self, node: Node, paid: str) -> Answer:
        """Read a deduction that was made; NoAnswer where it does not say all of it."""
        try:
            paid_at = local_instant(paid, "gmt_payment")
        except Invalid as error:
            raise NoAnswer(str(error)) from None
        amount = _money(node, "total_fee")
        return Answer(Fate.PAID, _text(node, "trade_no"), amount, self.merchant, paid_at)

    def _lot(self, parked: Parked) -> str:
        """Give Alipay's number of a facility, entered there the first time; empty where refused."""
        known = self._lots.get(parked.place_code)
        if known is None:
            biz: dict[str, JsonValue] = {
                "out_parking_id": parked.place_code,
                "parking_name": parked.place,
                "pay_type": "2",  # by deduction
            }
            node = self._line.call(alipay_parking.LOT, biz)
            known = _text(node, "parking_id") if node.get("code") == _OK else ""
            if known:
                self._lots[parked.place_code] = known
        return known

    def refund(self, order: Order, refund: Refund) -> RefundAnswer:
        """Ask for a refund; Alipay's arrive at once."""
        if order.method is Method.AGREEMENT:
            return self._refund_deduction(order, refund)
        biz: dict[str, JsonValue] = {
            "out_trade_no": order.order_no,
            "out_request_no": refund.refund_no,
            "refund_amount": refund.amount.decimal(),
            "refund_reason": refund.reason,
        }
        try:
            node = self._line.call("alipay.trade.refund", biz)
        except NoAnswer as none:
            return RefundAnswer(RefundFate.UNKNOWN, reason=none.reason)
        if node.get("code") == _OK:
            # The answer states the sum of all refunds; this one's end is asked for.
            return self.query_refund(order, refund)
        refused = _refusal(node)
        fate = RefundFate.FAILED if refused.fate is Fate.CLOSED else RefundFate.UNKNOWN
        return RefundAnswer(fate, reason=refused.reason)

    def _refund_deduction(self, order: Order, refund: Refund) -> RefundAnswer:
        biz: dict[str, JsonValue] = {
            "order_no": order.channel_no,
            "out_order_no": order.order_no,
            "out_refund_no": refund.refund_no,
            "refund_fee": refund.amount.decimal(),
            "refund_reason": refund.reason,
        }
        try:
            node = self._line.call(alipay_parking.REFUND, biz)
            if node.get("code") == _OK:
                number, amount = _text(node, "refund_no"), _money(node, "refund_fee")
                return RefundAnswer(RefundFate.DONE, number, amount, self._wall.now())
        except NoAnswer as none:
            return RefundAnswer(RefundFate.UNKNOWN, reason=none.reason)
        refused = _refusal(node)
        fate = RefundFate.FAILED if refused.fate is Fate.CLOSED else RefundFate.UNKNOWN
        return RefundAnswer(fate, reason=refused.reason)

    def query_refund(self, order: Order, refund: Refund) -> RefundAnswer:
        """Ask how a refund stands; without a status it was not made."""
        trade: dict[str, JsonValue] = (
            {"trade_no": order.channel_no}
            if order.method is Method.AGREEMENT
            else {"out_trade_no": order.order_no}
        )
        biz: dict[str, JsonValue] = {
            **trade,
            "out_request_no": refund.refund_no,
            "query_options": ["gmt_refund_pay"],
        }
        try:
            node = self._line.call("alipay.trade.fastpay.refund.query", biz)
            if node.get("code") != _OK:
                return RefundAnswer(RefundFate.UNKNOWN, reason=_text(node, "sub_code"))
            if _text(node, "refund_status") != "REFUND_SUCCESS":
                return RefundAnswer(RefundFate.MISSING)
            done = _text(node, "gmt_refund_pay")
            return RefundAnswer(
                RefundFate.DONE,
                amount=_money(node, "refund_amount"),
                done_at=local_instant(done, "gmt_refund_pay") if done else self._wall.now(),
            )
        except NoAnswer as none:
            return RefundAnswer(RefundFate.UNKNOWN, reason=none.reason)

    def bill(self, day: date) -> bytes | None:
        """Fetch a day's trade bill."""
        biz: dict[str, JsonValue] = {"bill_type": "trade", "bill_date": day.isoformat()}
        try:
            node = self._line.call("alipay.data.dataservice.bill.downloadurl.query", biz)
            if _text(node, "sub_code") == "isp.bill_not_exist":
                return None
            if node.get("code") != _OK:
                raise Unavailable(f"Alipay gives no bill: {_text(node, 'sub_code')}")
            url = _text(node, "bill_download_url")
            reply = exchange("GET", url, largest_bytes=LARGEST_BILL_BYTES)
        except NoAnswer as none:
            raise Unavailable(f"Alipay's bill did not come: {none.reason}") from None
        if reply.status != _HTTP_OK:
            raise Unavailable(f"Alipay's bill did not come: {reply.status}")
        return reply.body

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:  # noqa: ARG002 - the protocol's
        """Read a notification by its signature, when it was sent, and whose it is."""
        told = read_form(body)
        self._line.believe(told)
        alipay.check_sent(told.get("notify_time", ""), self._wall.now())
        if told.get("app_id") != self._account.app_id or told.get("seller_id") != self.merchant:
            raise NotAuthentic(Refusal.OTHER_MERCHANT, "is about another application or seller")
        event_id, order_no = told.get("notify_id", ""), told.get("out_trade_no", "")
        if not event_id or not order_no:
            raise NotAuthentic(Refusal.MALFORMED, "notify_id or out_trade_no is missing")
        refund_no = told.get("out_biz_no", "") if "gmt_refund" in told else ""
        if refund_no:
            # It states the sum of all refunds: which one arrived, and when, is asked.
            return Notice(event_id, order_no, refund_no, RefundAnswer(RefundFate.UNKNOWN))
        try:
            answer = self._answer({**told, "send_pay_date": told.get("gmt_payment", "")})
        except NoAnswer as malformed:
            raise NotAuthentic(Refusal.MALFORMED, malformed.reason) from None
        return Notice(event_id, order_no, "", answer)

    def acknowledgement(self, *, taken: bool) -> tuple[int, str, bytes]:
        """End a notification by ``success``, or have it sent again by ``failure``."""
        word = alipay.ACKNOWLEDGEMENT if taken else "failure"
        return 200, "text/plain; charset=utf-8", word.encode()

    def _charged(self, order: Order, biz: Mapping[str, JsonValue]) -> Answer:
        try:
            node = self._line.call("alipay.trade.pay", biz)
        except NoAnswer as none:
            return Answer(Fate.UNKNOWN, reason=none.reason)
        outcome = alipay.pay_outcome(_text(node, "code"))
        if outcome is alipay.PayOutcome.WAITING:
            return Answer(Fate.OPEN, _text(node, "trade_no"), reason="10003")
        if outcome is alipay.PayOutcome.PAID:
            # The answer states no seller and may lack the time: the query has both.
            return self.query(order)
        return _refusal(node)

    def _answer(self, node: Node) -> Answer:
        state, paid = _text(node, "trade_status"), _text(node, "send_pay_date")
        if state == "WAIT_BUYER_PAY":
            return Answer(Fate.OPEN, reason=state)
        # A trade that was given back whole is closed too, and was paid.
        if state in {"TRADE_SUCCESS", "TRADE_FINISHED"} or (state == "TRADE_CLOSED" and paid):
            try:
                return Answer(
                    Fate.PAID,
                    _text(node, "trade_no"),
                    _money(node, "total_amount"),
                    self.merchant,
                    local_instant(paid, "send_pay_date"),
                )
            except Invalid as error:
                raise NoAnswer(str(error)) from None
        return Answer(Fate.CLOSED if state == "TRADE_CLOSED" else Fate.UNKNOWN, reason=state)


def _refusal(node: Node) -> Answer:
    sub_code = _text(node, "sub_code") or _text(node, "code")
    sure = _text(node, "code").startswith("4") and sub_code not in _UNSURE
    return Answer(Fate.CLOSED if sure else Fate.UNKNOWN, reason=sub_code)


def _money(node: Node, name: str) -> Money:
    try:
        return Money.from_decimal(_text(node, name), _CURRENCY, name)
    except Invalid as error:
        raise NoAnswer(str(error)) from None


def _text(node: Node, name: str) -> str:
    value = node.get(name, "")
    return value if isinstance(value, str) else ""
