"""WeChat Pay APIv3 for one merchant, by platform certificate, public key, or both at once."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from pydantic import JsonValue

from city.errors import Invalid, Unavailable
from city.money import Money
from city.time import Clock, parse_rfc3339
from city.vehicles import PlateNumber
from payments.adapters.http import LARGEST_BILL_BYTES, NoAnswer, exchange
from payments.adapters.wechat_in_app import WechatInApp
from payments.adapters.wechat_line import Node, WechatAccount, WechatLine
from payments.rules import wechat_parking, wechat_v3
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills import wechat as bills
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

if TYPE_CHECKING:
    from payments.rules.in_app import InApp

_PATHS: Final = {
    Method.CODE: ("native", "code_url"),
    Method.PAGE: ("h5", "h5_url"),
    Method.JSAPI: ("jsapi", "prepay_id"),
    Method.BAR: ("codepay", ""),
}
_FATES: Final = {
    "SUCCESS": Fate.PAID,
    "REFUND": Fate.PAID,
    "NOTPAY": Fate.OPEN,
    "USERPAYING": Fate.OPEN,
    "ACCEPT": Fate.OPEN,
    "CLOSED": Fate.CLOSED,
    "REVOKED": Fate.CLOSED,
    "PAYERROR": Fate.CLOSED,
    # Of deductions by agreement; their notification says FAIL where their query says PAY_FAIL.
    "ACCEPTED": Fate.OPEN,
    "PAY_FAIL": Fate.CLOSED,
    "FAIL": Fate.CLOSED,
}
_UNSETTLED: Final = {
    "USERPAYING": Fate.OPEN,
    "BANKERROR": Fate.UNKNOWN,
    "BANK_ERROR": Fate.UNKNOWN,
    "OUT_TRADE_NO_USED": Fate.UNKNOWN,
}
"""Refusals that do not say of an order that no money was or will be taken."""
_STORE: Final = "greenbay"
"""Our own name for the store that WeChat Pay wants with a scanned code: one, the city's streets."""
_REFUNDS: Final = {
    "SUCCESS": RefundFate.DONE,
    "PROCESSING": RefundFate.ASKED,
    "CLOSED": RefundFate.FAILED,
}
_OK, _TOO_MANY, _SERVER = 200, 429, 500
_NOT_FOUND: Final = 404


class WechatChannel:
    """WeChat Pay; see `ChannelAdapter` for what each hook may do.

    Parameters
    ----------
    account : WechatAccount
    notify_url : str
        Where its notifications reach us.
    wall : Clock
        Wall time, which signatures are made and checked by.
    """

    channel = Channel.WECHAT

    def __init__(self, account: WechatAccount, notify_url: str, wall: Clock) -> None:
        self.merchant = account.merchant_id
        self.signing_address = account.signing_address
        self.in_app: InApp | None = None if account.app is None else WechatInApp(account.app, wall)
        self._account = account
        self._notify_url = notify_url
        self._wall = wall
        self._line = WechatLine(account, wall)

    def open(self, order: Order, payer: str = "") -> Opening:
        """Open an order; a bar code is charged at once."""
        if order.method not in _PATHS:
            raise Invalid("is asked for as a deduction", field="method")
        product, code = _PATHS[order.method]
        body: dict[str, JsonValue] = {
            "appid": self._account.app_id,
            "mchid": self.merchant,
            "description": order.subject,
            "out_trade_no": order.order_no,
            "amount": {"total": order.amount.minor, "currency": order.amount.currency},
        }
        if order.method is Method.BAR:
            # Neither an end nor notifications: it is answered at once, asked after, and reversed.
            body["payer"] = {"auth_code": payer}
            body["scene_info"] = {"store_info": {"out_id": _STORE}}
        else:
            body["notify_url"] = self._notify_url
            body["time_expire"] = wechat_parking.rfc3339(order.expires_at)
        if order.method is Method.PAGE:
            body["scene_info"] = {"payer_client_ip": payer, "h5_info": {"type": "Wap"}}
        elif order.method is Method.JSAPI:
            body["payer"] = {"openid": payer}
        try:
            status, node = self._line.call("POST", f"/v3/pay/transactions/{product}", body)
        except NoAnswer as none:
            return Opening(Answer(Fate.UNKNOWN, reason=none.reason))
        if status == _OK and code:
            return Opening(Answer(Fate.OPEN), _text(node, code))
        if status == _OK:
            return Opening(self._believed(node))
        refusal = _text(node, "code")
        if refusal == "ORDERPAID":
            return Opening(self.query(order))
        if order.method in {Method.BAR, Method.PAGE} and refusal in _UNSETTLED:
            return Opening(Answer(_UNSETTLED[refusal], reason=refusal))
        return Opening(Answer(_fate(status, Fate.CLOSED), reason=refusal))

    def query(self, order: Order) -> Answer:
        """Ask how an order stands."""
        if order.method is Method.AGREEMENT:
            target = f"{wechat_parking.DEDUCTION}{order.order_no}"
        else:
            target = f"/v3/pay/transactions/out-trade-no/{order.order_no}?mchid={self.merchant}"
        try:
            status, node = self._line.call("GET", target)
        except NoAnswer as none:
            return Answer(Fate.UNKNOWN, reason=none.reason)
        if status == _OK:
            return self._believed(node)
        missing = Fate.MISSING if status == _NOT_FOUND else Fate.UNKNOWN
        return Answer(missing, reason=_text(node, "code"))

    def close(self, order: Order) -> Answer:
        """Close an unpaid order; what became of it is asked, not guessed from the answer."""
        if order.method is Method.AGREEMENT:
            return self.query(order)  # what was accepted is taken, or not, by the channel alone
        known = f"/v3/pay/transactions/out-trade-no/{order.order_no}"
        target, body = f"{known}/close", {"mchid": self.merchant}
        if order.method is Method.BAR:
            # A payer's code is reversed: where it was paid meanwhile, the money goes back at once.
            target, body = f"{known}/reverse", {**body, "appid": self._account.app_id}
        try:
            self._line.call("POST", target, {**body})
        except NoAnswer as none:
            return Answer(Fate.UNKNOWN, reason=none.reason)
        return self.query(order)

    def agreement(self, plate: PlateNumber, holder: str) -> Signed:
        """Ask whether a payer, by their openid, has parking by pay score for a car."""
        colour = colour_of(plate.kind)
        if colour is None or not holder:
            return Signed(Standing.NONE, "no-such-plate" if holder else "no-holder")
        asked = {
            "appid": self._account.app_id,
            "plate_number": plate.text,
            "plate_color": colour.value,
            "openid": holder,
        }
        try:
            status, node = self._line.call("GET", f"{wechat_parking.FIND}?{urlencode(asked)}")
        except NoAnswer as none:
            return Signed(Standing.UNKNOWN, none.reason)
        if status != _OK:
            return Signed(Standing.UNKNOWN, _text(node, "code"))
        if (node.get("plate_number"), node.get("openid")) != (plate.text, holder):
            return Signed(Standing.UNKNOWN, "answer-other-plate")
        state = _text(node, "service_state")
        return Signed(wechat_parking.service_standing(state), state)

    def deduct(self, order: Order, parked: Parked) -> Deducted:
        """Tell of the stay, then have its fee taken; ACCEPTED leaves the outcome to a notice."""
        colour = colour_of(parked.plate.kind)
        if colour is None:
            return Deducted(Answer(Fate.CLOSED, reason="no-such-plate"))
        entrance = wechat_parking.entrance_body(order.order_no, parked, colour, self._notify_url)
        try:
            status, node = self._line.call("POST", wechat_parking.ENTRANCES, entrance)
        except NoAnswer as none:
            return Deducted(Answer(Fate.UNKNOWN, reason=none.reason))
        if status != _OK:
            return Deducted(Answer(_fate(status, Fate.CLOSED), reason=_text(node, "code")))
        if _text(node, "state") != wechat_parking.NORMAL:
            reason = _text(node, "block_reason")
            refused = Answer(Fate.CLOSED, reason=reason or _text(node, "state"))
            return Deducted(refused, wechat_parking.blocked_standing(reason))
        body: dict[str, JsonValue] = {
            "appid": self._account.app_id,
            "description": order.subject,
            "out_trade_no": order.order_no,
            "trade_scene": wechat_parking.SCENE,
            "notify_url": self._notify_url,
            "amount": {"total": order.amount.minor, "currency": order.amount.currency},
            "parking_info": wechat_parking.parking_info(_text(node, "id"), parked, colour),
        }
        return Deducted(self._deducted(order, body))

    def _deducted(self, order: Order, body: Mapping[str, JsonValue]) -> Answer:
        try:
            status, node = self._line.call("POST", wechat_parking.DEDUCTIONS, body)
        except NoAnswer as none:
            return Answer(Fate.UNKNOWN, reason=none.reason)
        if status == _OK:
            return self._believed(node)
        refused = Answer(_fate(status, Fate.CLOSED), reason=_text(node, "code"))
        if refused.fate is not Fate.CLOSED:
            return refused
        # Asked before under this number, it may be taken although it is refused now.
        known = self.query(order)
        return refused if known.fate is Fate.MISSING else known

    def refund(self, order: Order, refund: Refund) -> RefundAnswer:
        """Ask for a refund."""
        amount: dict[str, JsonValue] = {
            "refund": refund.amount.minor,
            "total": order.amount.minor,
            "currency": order.amount.currency,
        }
        body: dict[str, JsonValue] = {
            "out_trade_no": order.order_no,
            "out_refund_no": refund.refund_no,
            "reason": refund.reason,
            "notify_url": self._notify_url,
            "amount": amount,
        }
        try:
            status, node = self._line.call("POST", "/v3/refund/domestic/refunds", body)
        except NoAnswer as none:
            return RefundAnswer(RefundFate.UNKNOWN, reason=none.reason)
        if status == _OK:
            return _believed_refund(node)
        failed = status < _SERVER and status != _TOO_MANY
        fate = RefundFate.FAILED if failed else RefundFate.UNKNOWN
        return RefundAnswer(fate, reason=_text(node, "code"))

    def query_refund(self, order: Order, refund: Refund) -> RefundAnswer:  # noqa: ARG002 - the protocol's
        """Ask how a refund stands."""
        try:
            status, node = self._line.call("GET", f"/v3/refund/domestic/refunds/{refund.refund_no}")
        except NoAnswer as none:
            return RefundAnswer(RefundFate.UNKNOWN, reason=none.reason)
        if status == _OK:
            return _believed_refund(node)
        missing = RefundFate.MISSING if status == _NOT_FOUND else RefundFate.UNKNOWN
        return RefundAnswer(missing, reason=_text(node, "code"))

    def bill(self, day: date) -> bytes | None:
        """Fetch a day's trade bill, unpacked and held against its hash."""
        try:
            status, node = self._line.call(
                "GET", f"/v3/bill/tradebill?bill_date={day.isoformat()}&tar_type=GZIP"
            )
            if _text(node, "code") == "NO_STATEMENT_EXIST":
                return None
            if status != _OK:
                raise Unavailable(f"WeChat Pay gives no bill: {_text(node, 'code')}")
            # Only the path is taken over: requests with our signature go to our channel alone.
            offered = urlsplit(_text(node, "download_url"))
            target = f"{offered.path}?{offered.query}"
            reply = exchange(
                "GET",
                self._account.address + target,
                headers=self._line.headers("GET", target, b""),
                largest_bytes=LARGEST_BILL_BYTES,
            )
        except NoAnswer as none:
            raise Unavailable(f"WeChat Pay's bill did not come: {none.reason}") from None
        if reply.status != _OK:
            raise Unavailable(f"WeChat Pay's bill did not come: {reply.status}")
        try:
            return bills.unpack(reply.body, _text(node, "hash_value"))
        except Invalid as error:
            raise Unavailable(f"WeChat Pay's bill did not come whole: {error.message}") from None

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read a notification by its signature, its time and our key."""
        told = wechat_v3.read_notification(
            headers,
            body,
            verifiers=self._account.verifiers,
            api_key=self._account.api_key,
            now=self._wall.now(),
        )
        node = told.resource
        if wechat_parking.merchant_of(node) != self.merchant:
            raise NotAuthentic(Refusal.OTHER_MERCHANT, "is about another merchant")
        if told.event == wechat_parking.ENTRANCE_CHANGED:
            # How the deduction of that stay stands is asked; what it means is not guessed.
            number, state = _text(node, "out_parking_no"), _text(node, "parking_state")
            return Notice(told.notification_id, number, "", Answer(Fate.UNKNOWN, reason=state))
        order_no, refund_no = _text(node, "out_trade_no"), _text(node, "out_refund_no")
        try:
            answer = _refund_answer(node) if refund_no else self._answer(node)
        except Invalid as error:
            raise NotAuthentic(Refusal.MALFORMED, str(error)) from None
        if not order_no:
            raise NotAuthentic(Refusal.MALFORMED, "out_trade_no is missing")
        return Notice(told.notification_id, order_no, refund_no, answer)

    def acknowledgement(self, *, taken: bool) -> tuple[int, str, bytes]:
        """End a notification by 204, or have it sent again by 500."""
        if taken:
            return 204, "application/json", b""
        return 500, "application/json", b'{"code":"FAIL","message":"not taken"}'

    def _believed(self, node: Node) -> Answer:
        try:
            return self._answer(node)
        except Invalid:
            return Answer(Fate.UNKNOWN, reason="answer-malformed")

    def _answer(self, node: Node) -> Answer:
        state = _text(node, "trade_state")
        fate = _FATES.get(state, Fate.UNKNOWN)
        if fate is not Fate.PAID:
            return Answer(fate, reason=state)
        amount = node.get("amount")
        members = amount if isinstance(amount, dict) else {}
        return Answer(
            fate,
            _text(node, "transaction_id"),
            Money.from_json(
                {"minor": members.get("total"), "currency": members.get("currency", "CNY")}
            ),
            str(wechat_parking.merchant_of(node) or ""),
            parse_rfc3339(_text(node, "success_time"), "success_time"),
        )


def _believed_refund(node: Node) -> RefundAnswer:
    try:
        return _refund_answer(node)
    except Invalid:
        return RefundAnswer(RefundFate.UNKNOWN, reason="answer-malformed")


def _refund_answer(node: Node) -> RefundAnswer:
    state = _text(node, "refund_status") or _text(node, "status")
    amount, done = node.get("amount"), _text(node, "success_time")
    minor = amount.get("refund") if isinstance(amount, dict) else None
    return RefundAnswer(
        _REFUNDS.get(state, RefundFate.UNKNOWN),
        _text(node, "refund_id"),
        Money.from_json({"minor": minor, "currency": "CNY"}),
        parse_rfc3339(done, "success_time") if done else None,
        state,
    )


def _fate(status: int, refused: Fate) -> Fate:
    return refused if status < _SERVER and status != _TOO_MANY else Fate.UNKNOWN


def _text(node: Node, name: str) -> str:
    value = node.get(name, "")
    return value if isinstance(value, str) else ""
