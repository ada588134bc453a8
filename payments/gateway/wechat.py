"""WeChat Pay APIv3 as a merchant sees it: orders, refunds, bills, certificates, notifications."""

import re
import secrets
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from flask import Blueprint, Response, g, request
from pydantic import JsonValue

from city.errors import Invalid
from city.time import parse_rfc3339
from payments.gateway.desk import Code, Desk, WechatKeys, code_of, event_id, wrong_amount
from payments.gateway.keys import WECHAT_APP, WECHAT_MERCHANT
from payments.gateway.notifier import Damage, Notice, is_address
from payments.gateway.orders import DEDUCTION, Order, Refund, Refused, Terms, Why
from payments.gateway.payer import HOLDERS
from payments.gateway.wechat_messages import (
    PayRequest,
    RefundRequest,
    WechatProblem,
    answer,
    compact_json,
    read_body,
    refund_json,
    rfc3339,
    say_no,
    say_refused,
    transaction_json,
)
from payments.gateway.wechat_parking import WechatParking, deduction_notice
from payments.rules import wechat_v3
from payments.rules.authenticity import NotAuthentic
from payments.rules.channel_bills import wechat as bills
from payments.rules.channel_bills.lines import BillLine, LineKind
from payments.rules.channels import Channel

_CHANNEL: Final = Channel.WECHAT
_MOST_BILLS: Final = 64
_CODE: Final = re.compile(r"1[0-5][0-9]{16}", re.ASCII)


class WechatPay:
    """The channel at one desk: its routes, and its way to announce."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._parking = WechatParking(desk)
        self._bills: OrderedDict[str, bytes] = OrderedDict()

    # --- notifications ---------------------------------------------------------------------------

    def paid(self, order: Order) -> Notice:
        """Write ``TRANSACTION.SUCCESS``, or ``TRANSACTION.FAIL`` of a deduction."""
        paid = order.paid_at is not None
        words = (
            ("transaction", "TRANSACTION.SUCCESS", "支付成功")
            if paid
            else ("transaction", "TRANSACTION.FAIL", "扣款失败")
        )
        write = deduction_notice if order.terms.product == DEDUCTION else transaction_json
        return self._notice(
            order.notify_url,
            f"wechat:{order.order_no}:{'paid' if paid else 'failed'}",
            order,
            words,
            lambda wrong: write(wrong_amount(order) if wrong else order),
            at=order.paid_at or order.opened_at,
        )

    def refunded(self, order: Order, refund: Refund) -> Notice | None:
        """Write ``REFUND.SUCCESS``; a reversed bar-code payment brings none."""
        if refund.void:
            return None

        def content(wrong: bool) -> dict[str, JsonValue]:
            shown = replace(refund, amount_minor=refund.amount_minor + 1) if wrong else refund
            return {
                "mchid": order.merchant,
                "out_trade_no": order.order_no,
                "transaction_id": order.channel_no,
                "out_refund_no": refund.refund_no,
                "refund_id": refund.channel_refund_no,
                "refund_status": "SUCCESS",
                "success_time": rfc3339(refund.done_at or refund.asked_at),
                "user_received_account": "支付用户零钱",
                "amount": {
                    "total": order.terms.amount_minor,
                    "refund": shown.amount_minor,
                    "payer_total": order.terms.amount_minor,
                    "payer_refund": shown.amount_minor,
                },
            }

        return self._notice(
            refund.notify_url,
            f"wechat:{refund.refund_no}:refunded",
            order,
            ("refund", "REFUND.SUCCESS", "退款成功"),
            content,
            at=refund.done_at or refund.asked_at,
        )

    def _notice(
        self,
        url: str,
        name: str,
        order: Order,
        words: tuple[str, str, str],
        content: Callable[[bool], dict[str, JsonValue]],
        *,
        at: datetime,
    ) -> Notice:
        kind, event, summary = words
        identifier, created = event_id(name, order), rfc3339(at)

        def write(damage: Damage) -> tuple[dict[str, str], bytes]:
            plain = compact_json(content(damage.amount))
            resource = wechat_v3.seal_resource(
                self._desk.keys.api_v3_key,
                plain,
                kind=kind,
                nonce=secrets.token_hex(6),
                associated_data=kind,
            )
            body = wechat_v3.notification_body(
                notification_id=identifier,
                event=event,
                summary=summary,
                at=created,
                resource=resource,
            )
            signed = body + b" " if damage.signature else body
            headers = self._signature(signed, self._callback_key(order))
            return {**headers, "Content-Type": "application/json"}, body

        return Notice(
            name=name,
            url=url,
            retries_s=wechat_v3.RETRIES_S,
            answer_within_s=wechat_v3.ANSWER_WITHIN_S,
            write=write,
            taken=lambda status, _: status in {200, 204},
        )

    def _callback_key(self, order: Order) -> str:
        mode = self._desk.wechat_keys
        if mode is WechatKeys.SWITCHING:
            # Half of the orders under either key, and each order always under the same.
            public = zlib.crc32(order.order_no.encode()) & 1 == 1
        else:
            public = mode is WechatKeys.PUBLIC_KEY
        return "wechat-public" if public else "wechat-platform"

    def _signature(self, body: bytes, key: str) -> dict[str, str]:
        keys = self._desk.keys
        return wechat_v3.signature_headers(
            keys.private[key],
            serial=keys.public_key_id if key == "wechat-public" else keys.serial(key),
            body=body,
            at=self._desk.now(),
            nonce=secrets.token_hex(16).upper(),
        )

    # --- requests --------------------------------------------------------------------------------

    def routes(self) -> Blueprint:
        """Give the channel's routes."""
        routes = Blueprint("wechat", __name__, url_prefix="/v3")
        routes.before_request(self._check)
        routes.after_request(self._sign)
        routes.register_error_handler(WechatProblem, say_no)
        routes.register_error_handler(Refused, say_refused)
        rules: tuple[tuple[str, str, Callable[..., Response]], ...] = (
            ("POST", "/pay/transactions/<product>", self._open),
            ("POST", "/pay/transactions/codepay", self._code_pay),
            ("GET", "/pay/transactions/out-trade-no/<order_no>", self._query),
            ("GET", "/pay/transactions/id/<channel_no>", self._query_number),
            ("POST", "/pay/transactions/out-trade-no/<order_no>/close", self._close),
            ("POST", "/pay/transactions/out-trade-no/<order_no>/reverse", self._reverse),
            ("POST", "/refund/domestic/refunds", self._refund),
            ("GET", "/refund/domestic/refunds/<refund_no>", self._query_refund),
            ("GET", "/bill/tradebill", self._trade_bill),
            ("GET", "/bill/fundflowbill", self._fund_flow_bill),
            ("GET", "/billdownload/file", self._download),
            ("GET", "/certificates", self._certificates),
            *self._parking.rules(),
        )
        for method, path, view in rules:
            routes.add_url_rule(path, view.__name__, view, methods=[method])
        return routes

    def _check(self) -> None:
        keys = self._desk.keys
        serial = request.headers.get("Wechatpay-Serial", "")
        known = {keys.public_key_id: "wechat-public"}
        if self._desk.wechat_keys is not WechatKeys.PUBLIC_KEY:
            known[keys.serial("wechat-platform")] = "wechat-platform"
        if serial and serial not in known:
            raise WechatProblem(400, "INVALID_REQUEST", "Wechatpay-Serial 不正确")
        public = self._desk.wechat_keys is WechatKeys.PUBLIC_KEY
        g.wechat_key = known.get(serial, "wechat-public" if public else "wechat-platform")
        try:
            given = wechat_v3.verify_request(
                request.headers.get("Authorization", ""),
                method=request.method,
                target=request.environ["REQUEST_URI"],
                body=request.get_data(),
                merchants={keys.serial("wechat-merchant"): keys.public("wechat-merchant")},
                now=self._desk.now(),
            )
        except NotAuthentic as refused:
            raise WechatProblem(401, "SIGN_ERROR", f"签名错误: {refused.message}") from None
        if given.merchant_id != WECHAT_MERCHANT:
            raise WechatProblem(401, "SIGN_ERROR", "商户号与证书不符")

    def _sign(self, response: Response) -> Response:
        if g.get("failure"):
            return response
        key = g.get("wechat_key", "wechat-platform")
        response.headers.update(self._signature(response.get_data(), key))
        response.headers["Request-ID"] = secrets.token_hex(16).upper()
        return response

    def _open(self, product: str) -> Response:
        if product not in {"native", "jsapi", "app", "h5"}:
            raise WechatProblem(404, "RESOURCE_NOT_EXISTS", "接口不存在")
        asked = read_body(PayRequest)
        if product == "jsapi" and not asked.payer.openid:
            raise WechatProblem(400, "PARAM_ERROR", "payer.openid 不能为空")
        scene = asked.scene_info
        if product == "h5" and not (scene.payer_client_ip and scene.h5_info.type):
            raise WechatProblem(400, "PARAM_ERROR", "scene_info 不能为空")
        if not is_address(asked.notify_url):
            raise WechatProblem(400, "PARAM_ERROR", "notify_url 无效")
        order = self._opened(asked, "MWEB" if product == "h5" else product.upper())
        answers: dict[str, dict[str, JsonValue]] = {
            "native": {"code_url": f"weixin://wxpay/bizpayurl?pr={order.token}"},
            "h5": {"h5_url": f"{self._desk.address}/payer/{order.token}"},
        }
        return answer(answers.get(product, {"prepay_id": f"wx{order.token}"}))

    def _opened(self, asked: PayRequest, product: str) -> Order:
        if asked.appid != WECHAT_APP or asked.mchid != WECHAT_MERCHANT:
            raise WechatProblem(400, "APPID_MCHID_NOT_MATCH", "商户号和appid没有绑定关系")
        now = self._desk.now()
        try:
            expires_at = asked.time_expire and parse_rfc3339(asked.time_expire, "time_expire")
        except Invalid:
            raise WechatProblem(400, "PARAM_ERROR", "time_expire 格式错误") from None
        if expires_at and expires_at <= now:
            raise WechatProblem(400, "PARAM_ERROR", "time_expire 已过")
        try:
            return self._desk.book.open(
                _CHANNEL,
                asked.out_trade_no,
                Terms(asked.amount.total, asked.description, product, asked.payer.openid),
                at=now,
                merchant=asked.mchid,
                notify_url=asked.notify_url,
                expires_at=expires_at or None,
                extra={"attach": asked.attach} if asked.attach else {},
            )
        except Refused as refused:
            if refused.why is Why.DIFFERS:
                raise WechatProblem(403, "OUT_TRADE_NO_USED", "商户订单号重复") from None
            raise

    def _code_pay(self) -> Response:
        asked = read_body(PayRequest)
        code = asked.payer.auth_code
        if _CODE.fullmatch(code) is None:
            raise WechatProblem(400, "PARAM_ERROR", "付款码无效")
        kind = code_of(code)
        if kind is Code.EXPIRED:
            raise WechatProblem(400, "AUTH_CODE_EXPIRE", "二维码已过期，请用户在微信上刷新后再试")
        order = self._opened(asked, "MICROPAY")
        match kind:
            case Code.EMPTY:
                self._desk.book.close(_CHANNEL, order.key, self._desk.now())
                raise WechatProblem(403, "NOTENOUGH", "余额不足")
            case Code.PASSWORD:
                return answer(transaction_json(self._desk.book.wait(order)))
            case Code.UNCLEAR:
                self._desk.pay(order, HOLDERS[_CHANNEL])
                raise WechatProblem(500, "SYSTEM_ERROR", "系统异常，请查询订单")
            case Code.PAYS:
                return answer(transaction_json(self._desk.pay(order, HOLDERS[_CHANNEL])))

    def _query(self, order_no: str) -> Response:
        return answer(transaction_json(self._order(order_no)))

    def _query_number(self, channel_no: str) -> Response:
        order = self._desk.book.find_number(_CHANNEL, channel_no, self._desk.now())
        return answer(transaction_json(order))

    def _order(self, order_no: str) -> Order:
        try:
            order = self._desk.book.find(_CHANNEL, order_no, self._desk.now())
        except Refused:
            order = None
        if order is None or order.terms.product == DEDUCTION:
            raise WechatProblem(404, "ORDER_NOT_EXIST", "订单不存在")
        return order

    def _close(self, order_no: str) -> Response:
        self._order(order_no)
        self._desk.book.close(_CHANNEL, order_no, self._desk.now())
        return Response(status=204)

    def _reverse(self, order_no: str) -> Response:
        order = self._order(order_no)
        if order.terms.product != "MICROPAY":
            raise WechatProblem(400, "INVALID_REQUEST", "只能撤销付款码支付订单")
        self._desk.book.take_back(_CHANNEL, order_no, self._desk.now())
        return answer({"out_trade_no": order_no})

    def _refund(self) -> Response:
        asked, now, book = read_body(RefundRequest), self._desk.now(), self._desk.book
        if asked.transaction_id:
            order = book.find_number(_CHANNEL, asked.transaction_id, now)
        else:
            order = book.find(_CHANNEL, asked.out_trade_no, now)
        if asked.amount.total != order.terms.amount_minor:
            raise WechatProblem(400, "INVALID_REQUEST", "订单金额与之前的请求不一致")
        order, refund, new = book.refund(
            _CHANNEL,
            order.key,
            asked.out_refund_no,
            asked.amount.refund,
            at=now,
            notify_url=asked.notify_url,
        )
        if new:
            self._desk.refund_later(order, refund)
        return answer(refund_json(order, refund))

    def _query_refund(self, refund_no: str) -> Response:
        return answer(refund_json(*self._desk.book.find_refund(_CHANNEL, refund_no)))

    def _trade_bill(self) -> Response:
        lines = self._bill_lines()
        kind = request.args.get("bill_type", "ALL")
        if kind not in {"ALL", "SUCCESS", "REFUND"}:
            raise WechatProblem(400, "PARAM_ERROR", "bill_type 无效")
        if kind != "ALL":
            wanted = kind == "SUCCESS"
            lines = [line for line in lines if (line.kind is LineKind.PAYMENT) is wanted]
        return self._offer(bills.write_trade(lines, WECHAT_APP))

    def _fund_flow_bill(self) -> Response:
        return self._offer(bills.write_fund_flow(self._bill_lines()))

    def _bill_lines(self) -> list[BillLine]:
        try:
            day = date.fromisoformat(request.args.get("bill_date", ""))
        except ValueError:
            raise WechatProblem(400, "PARAM_ERROR", "bill_date 格式错误") from None
        lines = self._desk.bill(_CHANNEL, day)
        if lines is None:
            raise WechatProblem(400, "STATEMENT_CREATING", "账单生成中")
        if not lines:
            raise WechatProblem(400, "NO_STATEMENT_EXIST", "账单不存在")
        return lines

    def _offer(self, content: bytes) -> Response:
        token = secrets.token_urlsafe(24)
        packed = request.args.get("tar_type") == "GZIP"
        self._bills[token] = bills.pack(content) if packed else content
        while len(self._bills) > _MOST_BILLS:
            self._bills.popitem(last=False)
        return answer(
            {
                "hash_type": "SHA1",
                "hash_value": bills.sha1_of(content),
                "download_url": f"{self._desk.address}/v3/billdownload/file?token={token}",
            }
        )

    def _download(self) -> Response:
        content = self._bills.get(request.args.get("token", ""))
        if content is None:
            raise WechatProblem(404, "RESOURCE_NOT_EXISTS", "下载地址已失效")
        return Response(content, mimetype="application/octet-stream")

    def _certificates(self) -> Response:
        if self._desk.wechat_keys is WechatKeys.PUBLIC_KEY:
            raise WechatProblem(404, "RESOURCE_NOT_EXISTS", "无可用的平台证书，请使用微信支付公钥")
        keys = self._desk.keys
        certificate = keys.certificates["wechat-platform"]
        sealed = wechat_v3.seal_resource(
            keys.api_v3_key,
            keys.certificate_pem("wechat-platform").encode("ascii"),
            kind="certificate",
            nonce=secrets.token_hex(6),
            associated_data="certificate",
        )
        entry: dict[str, JsonValue] = {
            "serial_no": keys.serial("wechat-platform"),
            "effective_time": rfc3339(certificate.not_valid_before_utc),
            "expire_time": rfc3339(certificate.not_valid_after_utc),
            "encrypt_certificate": {k: v for k, v in sealed.items() if k != "original_type"},
        }
        return answer({"data": [entry]})
