"""WeChat Pay's parking by pay score as a merchant sees it: services, entrances, deductions."""

import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from flask import Response, request
from pydantic import BaseModel, Field, JsonValue

from city.errors import Invalid
from city.time import parse_rfc3339
from payments.gateway.desk import Desk
from payments.gateway.keys import WECHAT_APP, WECHAT_MERCHANT
from payments.gateway.notifier import is_address
from payments.gateway.orders import DEDUCTION, Order, Refused, State, Terms
from payments.gateway.signatures import Car, Signature, SignatureState
from payments.gateway.wechat_messages import WechatProblem, answer, read_body, rfc3339
from payments.rules.channels import Channel
from payments.rules.deductions import PlateColour

_CHANNEL: Final = Channel.WECHAT
_MOST_ENTRANCES: Final = 10_000
_STATES: Final = {
    State.OPEN: ("ACCEPTED", "已接收，等待扣款"),
    State.PAID: ("SUCCESS", "支付成功"),
    State.CLOSED: ("PAY_FAIL", "支付失败"),
}

_Plate = Annotated[str, Field(min_length=1, max_length=32)]
_Name = Annotated[str, Field(min_length=1, max_length=128)]


class EntranceRequest(BaseModel):
    """A car that came in."""

    out_parking_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z_\-*]{1,32}$")]
    plate_number: _Plate
    plate_color: PlateColour
    notify_url: Annotated[str, Field(max_length=255)]
    start_time: str
    parking_name: _Name
    free_duration: Annotated[int, Field(ge=0, strict=True)]


class _Amount(BaseModel):
    total: Annotated[int, Field(gt=0, le=100_000_000_00, strict=True)]
    currency: Literal["CNY"] = "CNY"


class _ParkingInfo(BaseModel):
    parking_id: str
    plate_number: _Plate
    plate_color: PlateColour
    start_time: str
    end_time: str
    parking_name: _Name
    charging_duration: Annotated[int, Field(ge=0, strict=True)]
    device_id: Annotated[str, Field(min_length=1, max_length=64)]


class DeductionRequest(BaseModel):
    """A fee that is to be taken."""

    appid: str
    description: Annotated[str, Field(min_length=1, max_length=128)]
    out_trade_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z_\-*]{6,32}$")]
    trade_scene: Literal["PARKING"]
    notify_url: Annotated[str, Field(max_length=256)]
    amount: _Amount
    parking_info: _ParkingInfo
    attach: Annotated[str, Field(max_length=128)] = ""


@dataclass(slots=True)
class _Entrance:
    id: str
    asked: EntranceRequest
    spent_on: str = ""
    """The order that was accepted for it: it serves no other one."""

    @property
    def car(self) -> Car:
        return Car(self.asked.plate_number, self.asked.plate_color)


class WechatParking:
    """The product at one desk. Entrances are forgotten with the process; orders are not."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._entrances: OrderedDict[str, _Entrance] = OrderedDict()
        """By our own number of them, the oldest first."""

    def rules(self) -> tuple[tuple[str, str, Callable[..., Response]], ...]:
        """Give the product's addresses below ``/v3``."""
        return (
            ("GET", "/vehicle/parking/services/find", self._find),
            ("POST", "/vehicle/parking/parkings", self._enter),
            ("POST", "/vehicle/transactions/parking", self._deduct),
            ("GET", "/vehicle/transactions/out-trade-no/<order_no>", self._query_deduction),
        )

    def _find(self) -> Response:
        given = request.args
        if given.get("appid") != WECHAT_APP:
            raise WechatProblem(400, "APPID_MCHID_NOT_MATCH", "商户号和appid没有绑定关系")
        plate, holder = given.get("plate_number", ""), given.get("openid", "")
        try:
            colour = PlateColour(given.get("plate_color", ""))
        except ValueError:
            raise WechatProblem(400, "PARAM_ERROR", "plate_color 无效") from None
        if not plate or not holder:
            raise WechatProblem(400, "PARAM_ERROR", "plate_number 和 openid 不能为空")
        signature = self._desk.signatures.find(_CHANNEL, Car(plate, colour))
        if signature is not None and signature.holder != holder:
            signature = None  # another payer's
        found: dict[str, JsonValue] = {
            "plate_number": plate,
            "plate_color": colour.value,
            "openid": holder,
            "service_state": _service(signature),
        }
        if signature is not None and signature.state is not SignatureState.STOPPED:
            found["service_open_time"] = rfc3339(signature.at)
        return answer(found)

    def _enter(self) -> Response:
        asked = read_body(EntranceRequest)
        if not is_address(asked.notify_url):
            raise WechatProblem(400, "PARAM_ERROR", "notify_url 无效")
        _instant(asked.start_time, "start_time")
        with self._lock:
            entrance = self._entrances.get(asked.out_parking_no)
            if entrance is None:
                entrance = _Entrance(secrets.token_hex(10).upper(), asked)
                self._entrances[asked.out_parking_no] = entrance
                while len(self._entrances) > _MOST_ENTRANCES:
                    self._entrances.popitem(last=False)
            elif entrance.asked != asked:
                raise WechatProblem(400, "INVALID_REQUEST", "请求参数与之前的请求不一致")
        state = _service(self._desk.signatures.find(_CHANNEL, entrance.car))
        content: dict[str, JsonValue] = {
            "id": entrance.id,
            **asked.model_dump(mode="json", exclude={"notify_url"}),
            "state": "NORMAL" if state == "NORMAL" else "BLOCKED",
        }
        if state != "NORMAL":
            content["block_reason"] = state
        return answer(content)

    def _deduct(self) -> Response:
        asked, now = read_body(DeductionRequest), self._desk.now()
        if asked.appid != WECHAT_APP:
            raise WechatProblem(400, "APPID_MCHID_NOT_MATCH", "商户号和appid没有绑定关系")
        if not is_address(asked.notify_url):
            raise WechatProblem(400, "PARAM_ERROR", "notify_url 无效")
        info = asked.parking_info
        start_at = _instant(info.start_time, "start_time")
        end_at = _instant(info.end_time, "end_time")
        if not start_at < end_at <= now:
            raise WechatProblem(400, "PARAM_ERROR", "start_time 须早于 end_time，且不晚于当前时间")
        terms = Terms(asked.amount.total, asked.description, DEDUCTION)
        with self._lock:
            self._spend(info, asked.out_trade_no)
            new = not self._desk.book.knows(_CHANNEL, asked.out_trade_no)
            try:
                order = self._desk.book.open(
                    _CHANNEL,
                    asked.out_trade_no,
                    terms,
                    at=now,
                    merchant=WECHAT_MERCHANT,
                    notify_url=asked.notify_url,
                    extra={
                        "attach": asked.attach,
                        "plate": info.plate_number,
                        "colour": info.plate_color.value,
                        "info": info.model_dump_json(),
                    },
                )
            except Refused:
                # Taken, failed, or asked for on other terms: whoever asks again queries.
                raise WechatProblem(400, "INVALID_REQUEST", "商户订单号重复") from None
        if new:
            self._desk.deduct_later(order)
        return answer(deduction_json(order))

    def _spend(self, info: _ParkingInfo, order_no: str) -> None:
        """Let an entrance serve one order: that of its car, place and time, the car's latest."""
        car = Car(info.plate_number, info.plate_color)
        latest = next(
            (each for each in reversed(self._entrances.values()) if each.car == car), None
        )
        if latest is None or latest.id != info.parking_id:
            raise WechatProblem(400, "INVALID_REQUEST", "停车入场id不存在")
        same = (latest.asked.parking_name, latest.asked.start_time) == (
            info.parking_name,
            info.start_time,
        )
        if not same or latest.spent_on not in {"", order_no}:
            raise WechatProblem(400, "INVALID_REQUEST", "场景信息和停车入场id不匹配")
        latest.spent_on = order_no

    def _query_deduction(self, order_no: str) -> Response:
        try:
            order = self._desk.book.find(_CHANNEL, order_no, self._desk.now())
        except Refused:
            order = None
        if order is None or order.terms.product != DEDUCTION:
            raise WechatProblem(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        return answer(deduction_json(order))


def deduction_json(order: Order) -> dict[str, JsonValue]:
    """Write how a deduction stands."""
    state, words = _STATES[order.state]
    if order.refunds:
        state, words = "REFUND", "转入退款"
    given = order.extras()
    amount: dict[str, JsonValue] = {"total": order.terms.amount_minor, "currency": "CNY"}
    whole: dict[str, JsonValue] = {
        "appid": WECHAT_APP,
        "sp_mchid": order.merchant,
        "description": order.terms.subject,
        "create_time": rfc3339(order.opened_at),
        "out_trade_no": order.order_no,
        "trade_state": state,
        "trade_state_description": words,
        "trade_scene": order.terms.product,
        "parking_info": json.loads(given["info"]),
        "payer": {"openid": order.payer},
        "amount": amount,
    }
    if order.paid_at is not None:
        amount["payer_total"] = order.terms.amount_minor
        whole |= {
            "transaction_id": order.channel_no,
            "success_time": rfc3339(order.paid_at),
            "bank_type": "OTHERS",
            "attach": given["attach"],
        }
    return whole


def deduction_notice(order: Order) -> dict[str, JsonValue]:
    """Write what a notification says: a failure by another word than the query's, as documented."""
    whole = deduction_json(order)
    return whole if order.paid_at is not None else {**whole, "trade_state": "FAIL"}


def _service(signature: Signature | None) -> str:
    if signature is None or signature.state is SignatureState.STOPPED:
        return "OUT_SERVICE"
    return "NORMAL" if signature.state is SignatureState.NORMAL else "PAUSE"


def _instant(text: str, name: str) -> datetime:
    try:
        return parse_rfc3339(text, name)
    except Invalid:
        raise WechatProblem(400, "PARAM_ERROR", f"{name} 格式错误") from None
