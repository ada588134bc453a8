"""WeChat Pay's messages: what a merchant may ask, what it is answered, how it is refused."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar

from flask import Response, request
from pydantic import BaseModel, Field, JsonValue, ValidationError

from payments.gateway.keys import WECHAT_APP
from payments.gateway.orders import Order, Refund, RefundState, Refused, State, Why
from payments.rules.channel_bills.lines import CHINA

_STATES: Final = {
    State.HIDDEN: ("NOTPAY", "订单未支付"),
    State.OPEN: ("NOTPAY", "订单未支付"),
    State.WAITING: ("USERPAYING", "用户支付中，等待输入密码"),
    State.PAID: ("SUCCESS", "支付成功"),
    State.CLOSED: ("CLOSED", "订单已关闭"),
    State.VOIDED: ("REVOKED", "订单已撤销"),
}
_REFUSALS: Final = {
    Why.NOT_FOUND: (404, "RESOURCE_NOT_EXISTS", "单据不存在"),
    Why.DIFFERS: (400, "INVALID_REQUEST", "请求参数与之前的请求不一致"),
    Why.PAID: (400, "ORDERPAID", "该订单已支付"),
    Why.NOT_PAID: (400, "INVALID_REQUEST", "订单未支付"),
    Why.CLOSED: (400, "ORDER_CLOSED", "该订单已关闭"),
    Why.TOO_MUCH: (400, "INVALID_REQUEST", "累计退款金额大于支付金额"),
    Why.TOO_MANY: (400, "INVALID_REQUEST", "退款次数超过限制"),
}

_Number = Annotated[str, Field(pattern=r"^[0-9A-Za-z_\-|*@]{1,64}$")]
_Body = TypeVar("_Body", bound=BaseModel)
_Minor = Annotated[int, Field(gt=0, le=100_000_000_00, strict=True)]


class _Amount(BaseModel):
    total: _Minor
    currency: Literal["CNY"] = "CNY"


class _Payer(BaseModel):
    openid: str = ""
    auth_code: str = ""


class _PageScene(BaseModel):
    type: str = ""


class _Scene(BaseModel):
    payer_client_ip: str = ""
    h5_info: _PageScene = _PageScene()


class PayRequest(BaseModel):
    """What an order is opened with, whatever the product."""

    appid: str
    mchid: str
    description: Annotated[str, Field(min_length=1, max_length=127)]
    out_trade_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z_\-|*@]{6,32}$")]
    amount: _Amount
    notify_url: Annotated[str, Field(max_length=255)] = ""
    time_expire: str | None = None
    attach: Annotated[str, Field(max_length=128)] = ""
    payer: _Payer = _Payer()
    scene_info: _Scene = _Scene()


class _RefundAmount(_Amount):
    refund: _Minor


class RefundRequest(BaseModel):
    """What a refund is asked for with."""

    out_refund_no: _Number
    amount: _RefundAmount
    transaction_id: str = ""
    out_trade_no: str = ""
    notify_url: Annotated[str, Field(max_length=256)] = ""


class WechatProblem(Exception):
    """An answer that says no, in WeChat Pay's form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def transaction_json(order: Order) -> dict[str, JsonValue]:
    """Write how an order stands; who paid and when only once it was paid."""
    state, words = _STATES[order.state]
    if order.state is State.PAID and order.refunds:
        state, words = "REFUND", "订单发生过退款"
    whole: dict[str, JsonValue] = {
        "appid": WECHAT_APP,
        "mchid": order.merchant,
        "out_trade_no": order.order_no,
        "trade_state": state,
        "trade_state_desc": words,
        "trade_type": order.terms.product,
        "amount": {"total": order.terms.amount_minor, "currency": "CNY"},
        **order.extras(),
    }
    if order.paid_at is not None:
        whole |= {
            "transaction_id": order.channel_no,
            "bank_type": "OTHERS",
            "success_time": rfc3339(order.paid_at),
            "payer": {"openid": order.payer},
            "amount": {
                "total": order.terms.amount_minor,
                "payer_total": order.terms.amount_minor,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        }
    return whole


def refund_json(order: Order, refund: Refund) -> dict[str, JsonValue]:
    """Write how a refund stands."""
    whole: dict[str, JsonValue] = {
        "refund_id": refund.channel_refund_no,
        "out_refund_no": refund.refund_no,
        "transaction_id": order.channel_no,
        "out_trade_no": order.order_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.asked_at),
        "status": "SUCCESS" if refund.state is RefundState.DONE else "PROCESSING",
        "funds_account": "AVAILABLE",
        "amount": {
            "total": order.terms.amount_minor,
            "refund": refund.amount_minor,
            "payer_total": order.terms.amount_minor,
            "payer_refund": refund.amount_minor,
            "settlement_total": order.terms.amount_minor,
            "settlement_refund": refund.amount_minor,
            "discount_refund": 0,
            "currency": "CNY",
        },
    }
    if refund.done_at is not None:
        whole["success_time"] = rfc3339(refund.done_at)
    return whole


def read_body(model: type[_Body]) -> _Body:
    """Read the request's body; WechatProblem names the parameter that is wrong."""
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise WechatProblem(400, "PARAM_ERROR", f"参数错误: {where or 'body'}") from None


def answer(content: Mapping[str, JsonValue], status: int = 200) -> Response:
    """Answer in compact JSON: the text that is signed."""
    return Response(compact_json(content), status=status, mimetype="application/json")


def say_no(problem: WechatProblem) -> Response:
    """Answer a problem in the channel's form."""
    return answer({"code": problem.code, "message": problem.message}, problem.status)


def say_refused(refused: Refused) -> Response:
    """Answer what the book refuses by the channel's own code."""
    status, code, message = _REFUSALS[refused.why]
    return answer({"code": code, "message": message}, status)


def compact_json(content: Mapping[str, JsonValue]) -> bytes:
    """Write JSON without spaces, in UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def rfc3339(at: datetime) -> str:
    """Write an instant in China's time to the second."""
    return at.astimezone(CHINA).replace(microsecond=0).isoformat()
