"""Alipay's open gateway as an application sees it: one address, a method in every request."""

import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from pydantic import JsonValue
from werkzeug.wrappers import Response as BaseResponse

from city.errors import Invalid
from payments.gateway.alipay_messages import (
    OK,
    REFUSALS,
    AlipayProblem,
    Biz,
    minor_of,
    status_of,
    text_of,
    timeout_of,
    trade_node,
    yuan_of,
)
from payments.gateway.alipay_parking import AlipayParking
from payments.gateway.desk import Code, Desk, code_of, event_id, wrong_amount
from payments.gateway.keys import ALIPAY_APP, ALIPAY_SELLER
from payments.gateway.notifier import Damage, Notice
from payments.gateway.orders import Order, Refund, Refused, State, Terms, Why
from payments.rules import alipay
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills import alipay as bills
from payments.rules.channel_bills.lines import local_instant, local_text
from payments.rules.channels import Channel

_CHANNEL: Final = Channel.ALIPAY
_MOST_BILLS: Final = 64
_CODE: Final = re.compile(r"(2[5-9]|30)[0-9]{14,22}", re.ASCII)
_BUYER: Final = "2088000000000000"
_PRODUCTS: Final = {
    "alipay.trade.page.pay": {"FAST_INSTANT_TRADE_PAY"},
    # As documented, and as python-alipay-sdk has always written it.
    "alipay.trade.wap.pay": {"QUICK_WAP_WAY", "QUICK_WAP_PAY"},
}
"""The methods that a browser brings, and what it says that the merchant signed for."""


class Alipay:
    """The channel at one desk: its routes, and its way to announce."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._bills: OrderedDict[str, bytes] = OrderedDict()
        self._methods: dict[str, Callable[[Biz], Mapping[str, JsonValue]]] = {
            "alipay.trade.precreate": self._precreate,
            "alipay.trade.create": self._create,
            "alipay.trade.pay": self._pay,
            "alipay.trade.query": self._query,
            "alipay.trade.close": self._close,
            "alipay.trade.cancel": self._cancel,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._query_refund,
            "alipay.data.dataservice.bill.downloadurl.query": self._bill,
            **AlipayParking(desk).methods(),
        }

    # --- notifications ---------------------------------------------------------------------------

    def paid(self, order: Order) -> Notice:
        """Write ``trade_status_sync`` for a payment."""
        return self._notice(order, "paid", {})

    def refunded(self, order: Order, refund: Refund) -> Notice | None:
        """Write ``trade_status_sync`` for a refund; a cancelled trade brings none."""
        if refund.void:
            return None
        return self._notice(
            order,
            f"refunded:{refund.refund_no}",
            {
                "out_biz_no": refund.refund_no,
                "refund_fee": yuan_of(order.refunded_minor),
                "gmt_refund": f"{local_text(refund.done_at or refund.asked_at)}.000",
            },
        )

    def _notice(self, order: Order, event: str, more: Mapping[str, str]) -> Notice:
        key = self._desk.keys.private["alipay-platform"]
        name = f"alipay:{order.order_no}:{event}"
        identifier = event_id(name, order)

        def write(damage: Damage) -> tuple[dict[str, str], bytes]:
            shown = wrong_amount(order) if damage.amount else order
            total = yuan_of(shown.terms.amount_minor)
            parameters = {
                "notify_time": local_text(self._desk.now()),
                "notify_type": "trade_status_sync",
                "notify_id": identifier,
                "app_id": ALIPAY_APP,
                "auth_app_id": ALIPAY_APP,
                "charset": "utf-8",
                "version": "1.0",
                "sign_type": "RSA2",
                "trade_no": order.channel_no,
                "out_trade_no": order.order_no,
                "trade_status": status_of(order),
                "total_amount": total,
                "receipt_amount": total,
                "buyer_pay_amount": total,
                "seller_id": order.merchant,
                "buyer_id": order.payer,
                "subject": order.terms.subject,
                "gmt_create": local_text(order.opened_at),
                "gmt_payment": local_text(order.paid_at or order.opened_at),
                **more,
            }
            signed = {**parameters, "subject": "…"} if damage.signature else parameters
            signature = alipay.sign(key, signed, alipay.NOTIFY_DROPS)
            body = urlencode({**parameters, "sign": signature}).encode("ascii")
            return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body

        return Notice(
            name=name,
            url=order.notify_url,
            retries_s=alipay.RETRIES_S,
            answer_within_s=alipay.ANSWER_WITHIN_S,
            write=write,
            taken=lambda status, body: (
                status == 200  # noqa: PLR2004 - OK
                and body.strip() == alipay.ACKNOWLEDGEMENT.encode()
            ),
        )

    # --- requests --------------------------------------------------------------------------------

    def routes(self) -> Blueprint:
        """Give the channel's routes."""
        routes = Blueprint("alipay", __name__)
        routes.add_url_rule("/gateway.do", "gateway", self._gateway, methods=["GET", "POST"])
        routes.add_url_rule("/alipay/bill", "bill", self._download, methods=["GET"])
        return routes

    def _gateway(self) -> BaseResponse:
        parameters = request.values.to_dict()
        method = parameters.get("method", "")
        key = self._desk.keys.private["alipay-platform"]
        if method not in self._methods and method not in _PRODUCTS:
            content = alipay.write_response(
                key, "error", AlipayProblem("40002", "isv.invalid-method", "不存在的方法名").node
            )
            return Response(content, mimetype="application/json")
        try:
            biz = self._checked(parameters)
            if method in _PRODUCTS:
                return self._page(method, biz)
            node = self._methods[method](biz)
        except AlipayProblem as problem:
            node = problem.node
        except Refused as refused:
            node = AlipayProblem("40004", *REFUSALS[refused.why]).node
        return Response(alipay.write_response(key, method, node), mimetype="application/json")

    def _checked(self, parameters: Mapping[str, str]) -> Biz:
        if any(len(values) > 1 for _, values in request.values.lists()):
            raise AlipayProblem("40002", "isv.invalid-parameter", "参数重复")
        if parameters.get("app_id") != ALIPAY_APP:
            raise AlipayProblem("40002", "isv.invalid-app-id", "无效的AppID参数")
        try:
            alipay.verify_request(self._desk.keys.public("alipay-app"), parameters)
        except NotAuthentic as refused:
            known = refused.reason is Refusal.WRONG_SIGNATURE
            sub_code = "isv.invalid-signature" if known else "isv.invalid-signature-type"
            raise AlipayProblem("40002", sub_code, "验签出错") from None
        try:
            biz = json.loads(parameters.get("biz_content", ""), parse_float=str)
        except (ValueError, RecursionError):
            biz = None
        if not isinstance(biz, dict):
            raise AlipayProblem("40002", "isv.invalid-format", "biz_content 不是 JSON 对象")
        return biz

    def _opened(self, biz: Biz, product: str, *, hidden: bool = False) -> Order:
        now = self._desk.now()
        expire = text_of(biz, "time_expire", needed=False)
        try:
            expires_at = local_instant(expire, "time_expire") if expire else timeout_of(biz, now)
        except Invalid:
            raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", "time_expire 无效") from None
        return self._desk.book.open(
            _CHANNEL,
            text_of(biz, "out_trade_no"),
            Terms(minor_of(biz, "total_amount"), text_of(biz, "subject"), product),
            at=now,
            merchant=ALIPAY_SELLER,
            notify_url=request.values.get("notify_url", ""),
            expires_at=expires_at,
            hidden=hidden,
            extra={"return_url": request.values.get("return_url", "")},
        )

    def _precreate(self, biz: Biz) -> Mapping[str, JsonValue]:
        order = self._opened(biz, "precreate", hidden=True)
        return {
            **OK,
            "out_trade_no": order.order_no,
            "qr_code": f"{self._desk.address}/payer/{order.token}",
        }

    def _create(self, biz: Biz) -> Mapping[str, JsonValue]:
        order = self._opened(biz, "create")
        return {**OK, "out_trade_no": order.order_no, "trade_no": order.channel_no}

    def _page(self, method: str, biz: Biz) -> BaseResponse:
        if text_of(biz, "product_code") not in _PRODUCTS[method]:
            raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", "product_code 无效")
        order = self._opened(biz, method.split(".")[2])
        return redirect(f"{self._desk.address}/payer/{order.token}", 302)

    def _pay(self, biz: Biz) -> Mapping[str, JsonValue]:
        code = text_of(biz, "auth_code")
        kind = code_of(code)
        if _CODE.fullmatch(code) is None or kind is Code.EXPIRED:
            raise AlipayProblem("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID", "获取顾客账户信息失败")
        order = self._opened(biz, "pay")
        match kind:
            case Code.EMPTY:
                self._desk.book.close(_CHANNEL, order.key, self._desk.now())
                raise AlipayProblem("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
            case Code.PASSWORD:
                waiting = self._desk.book.wait(order)
                return {
                    **trade_node(waiting),
                    "code": "10003",
                    "msg": "order success pay inprocess",
                }
            case Code.UNCLEAR:
                self._desk.pay(order, _BUYER)
                raise AlipayProblem("20000", "ACQ.SYSTEM_ERROR", "系统异常")
            case Code.PAYS:
                paid = self._desk.pay(order, _BUYER)
                return {
                    **trade_node(paid),
                    "gmt_payment": local_text(paid.paid_at or paid.opened_at),
                }

    def _order(self, biz: Biz, *, even_hidden: bool = False) -> Order:
        number, channel_no = (
            text_of(biz, "out_trade_no", needed=False),
            text_of(biz, "trade_no", needed=False),
        )
        now, book = self._desk.now(), self._desk.book
        if channel_no:
            order = book.find_number(_CHANNEL, channel_no, now)
        else:
            order = book.find(_CHANNEL, number, now)
        if order.state is State.HIDDEN and not even_hidden:
            raise Refused(Why.NOT_FOUND)
        return order

    def _query(self, biz: Biz) -> Mapping[str, JsonValue]:
        return trade_node(self._order(biz))

    def _close(self, biz: Biz) -> Mapping[str, JsonValue]:
        order = self._order(biz)
        if order.state in {State.PAID, State.CLOSED, State.VOIDED}:
            raise AlipayProblem("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        order = self._desk.book.close(_CHANNEL, order.key, self._desk.now())
        return {**OK, "trade_no": order.channel_no, "out_trade_no": order.order_no}

    def _cancel(self, biz: Biz) -> Mapping[str, JsonValue]:
        order = self._order(biz, even_hidden=True)
        order, refund = self._desk.book.take_back(_CHANNEL, order.key, self._desk.now())
        return {
            **OK,
            "trade_no": order.channel_no,
            "out_trade_no": order.order_no,
            "retry_flag": "N",
            "action": "close" if refund is None else "refund",
        }

    def _refund(self, biz: Biz) -> Mapping[str, JsonValue]:
        order = self._order(biz)
        refund_no = text_of(biz, "out_request_no", needed=False) or order.order_no
        amount_minor = minor_of(biz, "refund_amount")
        try:
            order, refund, new = self._desk.book.refund(
                _CHANNEL, order.key, refund_no, amount_minor, at=self._desk.now()
            )
        except Refused as refused:
            if refused.why is Why.DIFFERS:
                raise AlipayProblem(
                    "40004", "ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致"
                ) from None
            raise
        if new:
            order, refund = self._desk.refund_now(_CHANNEL, refund_no)
        return {
            **OK,
            "trade_no": order.channel_no,
            "out_trade_no": order.order_no,
            "buyer_logon_id": "gat***@example.com",
            "fund_change": "Y" if new else "N",
            # The sum of all refunds of the trade, not this one's amount.
            "refund_fee": yuan_of(order.refunded_minor),
            "gmt_refund_pay": local_text(refund.done_at or refund.asked_at),
        }

    def _query_refund(self, biz: Biz) -> Mapping[str, JsonValue]:
        order = self._order(biz)
        wanted = text_of(biz, "out_request_no")
        refund = next((each for each in order.refunds if each.refund_no == wanted), None)
        if refund is None:
            # Documented: no refund_status means that it was not made.
            return OK
        return {
            **OK,
            "trade_no": order.channel_no,
            "out_trade_no": order.order_no,
            "out_request_no": refund.refund_no,
            "refund_status": "REFUND_SUCCESS",
            "total_amount": yuan_of(order.terms.amount_minor),
            "refund_amount": yuan_of(refund.amount_minor),
            "gmt_refund_pay": local_text(refund.done_at or refund.asked_at),
        }

    def _bill(self, biz: Biz) -> Mapping[str, JsonValue]:
        try:
            day = date.fromisoformat(text_of(biz, "bill_date"))
        except ValueError:
            raise AlipayProblem("40004", "isp.bill_date_invalid", "bill_date 无效") from None
        if text_of(biz, "bill_type") != "trade":
            raise AlipayProblem("40004", "isp.bill_type_invalid", "仅提供业务账单 trade")
        lines = self._desk.bill(_CHANNEL, day)
        if not lines:
            raise AlipayProblem("40004", "isp.bill_not_exist", "账单不存在")
        token = secrets.token_urlsafe(24)
        self._bills[token] = bills.write_trade(lines, ALIPAY_SELLER, day)
        while len(self._bills) > _MOST_BILLS:
            self._bills.popitem(last=False)
        return {**OK, "bill_download_url": f"{self._desk.address}/alipay/bill?fileId={token}"}

    def _download(self) -> Response:
        content = self._bills.get(request.args.get("fileId", ""))
        if content is None:
            return Response("账单下载地址已失效", status=404, mimetype="text/plain")
        return Response(content, mimetype="application/zip")

    def return_address(self, order: Order) -> str:
        """Give where the payer's browser goes after a page payment; empty where nowhere."""
        url = order.extras().get("return_url", "")
        if not url:
            return ""
        parameters = {
            "charset": "utf-8",
            "out_trade_no": order.order_no,
            "method": "alipay.trade.page.pay.return",
            "total_amount": yuan_of(order.terms.amount_minor),
            "trade_no": order.channel_no,
            "auth_app_id": ALIPAY_APP,
            "version": "1.0",
            "app_id": ALIPAY_APP,
            "sign_type": "RSA2",
            "seller_id": order.merchant,
            "timestamp": local_text(self._desk.now()),
        }
        key = self._desk.keys.private["alipay-platform"]
        signature = alipay.sign(key, parameters, alipay.NOTIFY_DROPS)
        joint = "&" if "?" in url else "?"
        return f"{url}{joint}{urlencode({**parameters, 'sign': signature})}"
