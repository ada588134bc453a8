"""WeChat around a page: it tells who pays (``snsapi_base``), and pays what the page calls for.

The bridge of the real app is part of its browser. Here it is a script, ``/payer/bridge.js``, that
whoever plays the app puts into the page (a test's browser, before the page runs its own): it shows
what is to be paid and lets the payer agree. What it sends is judged here as WeChat judges it.

Source: WeChat Official Accounts, web page authorisation; WeChat Pay APIv3, JSAPI.
"""

import json
import secrets
import threading
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, request
from pydantic import BaseModel, Field, JsonValue, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from city.money import Money
from payments.gateway.bridge import BRIDGE
from payments.gateway.desk import Desk, is_unpaid
from payments.gateway.keys import WECHAT_APP
from payments.gateway.orders import Order, Refused, Why
from payments.gateway.payer import HOLDERS
from payments.rules import wechat_v3
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills.lines import CURRENCY
from payments.rules.channels import Channel
from payments.rules.in_app import AppCall

_HOLDER: Final = HOLDERS[Channel.WECHAT]
_CODE_LASTS: Final = timedelta(minutes=5)
_MOST_CODES: Final = 10_000
_LONGEST_STATE: Final = 128
_PREPAID: Final = "prepay_id=wx"


class _Call(BaseModel):
    """What a page hands to ``getBrandWCPayRequest``."""

    app_id: str = Field(alias="appId")
    timestamp: str = Field(alias="timeStamp", pattern=r"^[0-9]{1,32}$")
    nonce: str = Field(alias="nonceStr", min_length=1, max_length=32)
    package: str = Field(max_length=128)
    sign_type: str = Field(alias="signType", pattern=r"^RSA$")
    signature: str = Field(alias="paySign")
    agreed: bool = False
    """The bridge's own: whether the payer has agreed to what it showed."""


class _Codes:
    """Codes given out, each good once and for five minutes; forgotten with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, datetime] = {}
        self._used: set[str] = set()

    def give(self, now: datetime) -> str:
        code = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._until) >= _MOST_CODES:
                oldest = next(iter(self._until))
                self._until.pop(oldest)
                self._used.discard(oldest)
            self._until[code] = now + _CODE_LASTS
        return code

    def take(self, code: str, now: datetime) -> tuple[int, str]:
        """Use a code; give WeChat's error, 0 for none."""
        with self._lock:
            if code not in self._until:
                return 40029, "invalid code"
            if code in self._used:
                return 40163, "code been used"
            self._used.add(code)
            return (0, "") if now < self._until[code] else (42003, "code expired")


def app_routes(desk: Desk) -> Blueprint:
    """Give what WeChat serves around a page."""
    routes = Blueprint("wechat_app", __name__)
    codes = _Codes()

    def authorise() -> BaseResponse:
        return _authorised(codes, desk.now())

    def token() -> Response:
        return _json(_token(desk, codes))

    def bridge() -> Response:
        script = BRIDGE.replace("GATEWAY", desk.address)
        return Response(script, mimetype="text/javascript")

    def called() -> Response:
        answer = _json(_called(desk))
        # The bridge is not of the page: it may be told what no other page's script is.
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    routes.add_url_rule("/connect/oauth2/authorize", "authorise", authorise)
    routes.add_url_rule("/sns/oauth2/access_token", "token", token)
    routes.add_url_rule("/payer/bridge.js", "bridge", bridge)
    routes.add_url_rule("/payer/bridge", "called", called, methods=["POST"])
    return routes


def _authorised(codes: _Codes, now: datetime) -> BaseResponse:
    """Send a browser back with a code, silently; pages of other browsers end here."""
    given = request.args
    if "MicroMessenger" not in request.user_agent.string:
        return Response("请在微信客户端打开链接\n", 403, mimetype="text/plain")
    back, state = given.get("redirect_uri", ""), given.get("state", "")
    wanted = (given.get("response_type"), given.get("scope")) == ("code", "snsapi_base")
    known = urlsplit(back).scheme in {"http", "https"} and given.get("appid") == WECHAT_APP
    if not wanted or not known or len(state) > _LONGEST_STATE or (state and not state.isalnum()):
        return Response("参数错误\n", 400, mimetype="text/plain")
    joint = "&" if urlsplit(back).query else "?"
    return redirect(f"{back}{joint}{urlencode({'code': codes.give(now), 'state': state})}")


def _token(desk: Desk, codes: _Codes) -> dict[str, JsonValue]:
    given = request.args
    refused: tuple[int, str]
    if given.get("appid") != WECHAT_APP:
        refused = (40013, "invalid appid")
    elif given.get("secret") != desk.keys.app_secret:
        refused = (40125, "invalid appsecret")
    elif given.get("grant_type") != "authorization_code":
        refused = (40002, "invalid grant_type")
    else:
        refused = codes.take(given.get("code", ""), desk.now())
    if refused[0]:
        return {"errcode": refused[0], "errmsg": refused[1]}
    return {
        "access_token": secrets.token_urlsafe(48),
        "expires_in": 7200,
        "refresh_token": secrets.token_urlsafe(48),
        "openid": _HOLDER,
        "scope": "snsapi_base",
    }


def _called(desk: Desk) -> dict[str, JsonValue]:
    """Judge a page's call; show what it would pay, and pay it once the payer agreed."""
    try:
        call = _Call.model_validate_json(request.get_data())
        order = _order_of(desk, call)
        if call.agreed:
            desk.pay(order, _HOLDER)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        return _failed(f"缺少参数: {where}")
    except NotAuthentic:
        return _failed("支付验证签名失败")
    except Refused:
        return _failed("订单已失效")
    if call.agreed:
        return {"err_msg": "get_brand_wcpay_request:ok"}
    return {
        "amount": Money(order.terms.amount_minor, CURRENCY).text("zh"),
        "subject": order.terms.subject,
    }


def _order_of(desk: Desk, call: _Call) -> Order:
    if call.app_id != WECHAT_APP or not call.package.startswith(_PREPAID):
        raise NotAuthentic(Refusal.MALFORMED, "is no call of this account")
    signed = AppCall(call.app_id, call.timestamp, call.nonce, call.package, call.signature)
    wechat_v3.verify_call(desk.keys.public("wechat-merchant"), signed)
    order = desk.book.find_token(call.package.removeprefix(_PREPAID), desk.now())
    if order.terms.payer != _HOLDER or not is_unpaid(order):
        raise Refused(Why.CLOSED)  # another payer's, or nobody's any more
    return order


def _failed(why: str) -> dict[str, JsonValue]:
    return {"err_msg": "get_brand_wcpay_request:fail", "err_desc": why}


def _json(content: dict[str, JsonValue]) -> Response:
    # WeChat answers these as text, whatever happened.
    return Response(json.dumps(content, ensure_ascii=False), mimetype="text/plain")
