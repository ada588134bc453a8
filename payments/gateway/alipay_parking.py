"""Alipay's deductions for parking as an application sees them: methods of the open gateway."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

from flask import request
from pydantic import JsonValue

from city.errors import Invalid
from payments.gateway.alipay_messages import OK, AlipayProblem, Biz, minor_of, text_of, yuan_of
from payments.gateway.desk import Desk
from payments.gateway.keys import ALIPAY_SELLER
from payments.gateway.orders import DEDUCTION, Order, Refused, State, Terms, Why
from payments.gateway.signatures import Car, Signature, SignatureState
from payments.rules import alipay_parking
from payments.rules.channel_bills.lines import local_instant, local_text
from payments.rules.channels import Channel
from payments.rules.deductions import PlateColour

_CHANNEL: Final = Channel.ALIPAY
_STATUSES: Final = {State.OPEN: 0, State.PAID: 1, State.CLOSED: 2}

Answered = Mapping[str, JsonValue]


class AlipayParking:
    """The product at one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def methods(self) -> dict[str, Callable[[Biz], Answered]]:
        """Give the product's methods by their names."""
        return {
            alipay_parking.AGREEMENT: self._agreement,
            alipay_parking.LOT: self._lot,
            alipay_parking.ENTER: self._enter,
            alipay_parking.EXIT: self._exit,
            alipay_parking.PAY: self._pay,
            alipay_parking.QUERY: self._query,
            alipay_parking.REFUND: self._refund,
        }

    def _agreement(self, biz: Biz) -> Answered:
        holder = text_of(biz, "alipay_user_id", needed=False)
        signature = self._desk.signatures.find(_CHANNEL, _car(biz, "car_color"))
        if not _is_normal(signature):
            status = "1"
        else:
            status = "2" if holder and signature and holder != signature.holder else "0"
        return {
            **OK,
            "agreement_status": status,
            "car_status": "NON-SENSE-PAY" if status == "0" else "NORMAL",
            "current_time": local_text(self._desk.now()),
        }

    def _lot(self, biz: Biz) -> Answered:
        text_of(biz, "parking_name")
        return {**OK, "parking_id": _lot_of(text_of(biz, "out_parking_id"))}

    def _enter(self, biz: Biz) -> Answered:
        self._stay(biz, "in_time")
        return OK

    def _exit(self, biz: Biz) -> Answered:
        self._stay(biz, "out_time")
        return OK

    def _stay(self, biz: Biz, name: str) -> None:
        text_of(biz, "car_number")
        text_of(biz, "parking_id")
        try:
            at = local_instant(text_of(biz, name), name)
        except Invalid:
            raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", f"参数无效：{name}") from None
        if at > self._desk.now():
            raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", f"{name} 晚于当前时间")

    def _pay(self, biz: Biz) -> Answered:
        car = _car(biz, "car_number_color")
        lots = text_of(biz, "parking_id"), _lot_of(text_of(biz, "out_parking_id"))
        if lots[0] != lots[1] or text_of(biz, "seller_id") != ALIPAY_SELLER:
            raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", "停车场或收款方无效")
        if not _is_normal(self._desk.signatures.find(_CHANNEL, car)):
            raise AlipayProblem("40004", "AGREEMENT_NOT_EXIST", "车牌未开通代扣")
        order = self._desk.book.open(
            _CHANNEL,
            text_of(biz, "out_trade_no"),
            Terms(minor_of(biz, "total_fee"), text_of(biz, "subject"), DEDUCTION),
            at=self._desk.now(),
            merchant=ALIPAY_SELLER,
            notify_url=request.values.get("notify_url", ""),
            extra={"plate": car.plate, "colour": car.colour.value},
        )
        done = self._desk.deduct_now(order)
        if done.paid_at is None:
            raise AlipayProblem("40004", "BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
        return {
            **OK,
            "out_trade_no": done.order_no,
            "trade_no": done.channel_no,
            "total_fee": yuan_of(done.terms.amount_minor),
            "gmt_payment": local_text(done.paid_at),
            "user_id": done.payer,
        }

    def _order(self, order_no: str) -> Order:
        order = self._desk.book.find(_CHANNEL, order_no, self._desk.now())
        if order.terms.product != DEDUCTION:
            raise Refused(Why.NOT_FOUND)
        return order

    def _query(self, biz: Biz) -> Answered:
        order = self._order(text_of(biz, "out_biz_trade_no"))
        node: dict[str, JsonValue] = {
            **OK,
            "out_biz_trade_no": order.order_no,
            "subject": order.terms.subject,
            "total_fee": yuan_of(order.terms.amount_minor),
            "trade_status": 8 if order.refunds else _STATUSES[order.state],
            "gmt_created": local_text(order.opened_at),
        }
        if order.paid_at is not None:
            node |= {
                "trade_no": order.channel_no,
                "buyer_id": order.payer,
                "gmt_payment": local_text(order.paid_at),
            }
        if order.refunds:
            node["send_back_fee"] = yuan_of(order.refunded_minor)
        return node

    def _refund(self, biz: Biz) -> Answered:
        order = self._order(text_of(biz, "out_order_no"))
        if text_of(biz, "order_no") != order.channel_no:
            raise Refused(Why.NOT_FOUND)
        refund_no = text_of(biz, "out_refund_no")
        order, refund, new = self._desk.book.refund(
            _CHANNEL, order.key, refund_no, minor_of(biz, "refund_fee"), at=self._desk.now()
        )
        if new:
            order, refund = self._desk.refund_now(_CHANNEL, refund_no)
        return {
            **OK,
            "order_no": order.channel_no,
            "out_refund_no": refund.refund_no,
            "refund_no": refund.channel_refund_no,
            "refund_fee": yuan_of(refund.amount_minor),
        }


def _car(biz: Biz, colour: str) -> Car:
    try:
        return Car(text_of(biz, "car_number"), PlateColour(text_of(biz, colour)))
    except ValueError:
        raise AlipayProblem("40004", "ACQ.INVALID_PARAMETER", f"参数无效：{colour}") from None


def _is_normal(signature: Signature | None) -> bool:
    return signature is not None and signature.state is SignatureState.NORMAL


def _lot_of(out_parking_id: str) -> str:
    """Give our number of a merchant's lot: the same again, however often it is entered."""
    return f"PI{int(sha256(out_parking_id.encode()).hexdigest(), 16) % 10**18:018d}"
