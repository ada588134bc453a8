"""Giving online payments back, in part or whole: for the finance desk, within limits by role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import NotFound
from city.identifiers import BillId
from city.money import Money
from city.people import Role
from journeys.pay_online import limit_of, refresh_refund, refund_payment, withdraw_refund
from payments import channel_orders, channel_refunds
from payments import services as payments
from payments.rules.channel_orders import ChannelOrder, ChannelRefund, OrderState, RefundState
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel
from payments.store import order_shares
from payments.store.desk_orders import orders_under
from payments.store.desk_refunds import refunds as refunds_of_desk
from web import access
from web.api.cursors import after, cursor
from web.api.names import names_of
from web.api.schemas.paying import (
    ChannelOrdersOut,
    ChannelRefundIn,
    ChannelRefundOut,
    ChannelRefundsOut,
    ChannelRefundsQuery,
    NumberedOrdersOut,
    NumberQuery,
    RefundWithdrawalIn,
)
from web.reasons import reason_as_asked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from payments.rules.order_shares import Share

blueprint = APIBlueprint("channel_refunds", __name__, url_prefix="/api/v1", tag="Payments")

READERS = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
GIVERS = (Role.FINANCE, Role.ADMINISTRATOR)


@blueprint.get("/bills/<uuid:bill_id>/channel-orders")
@access.allow(*READERS)
@blueprint.output(ChannelOrdersOut)
@blueprint.doc(summary="The orders over a bill at online channels, and what went back of each")
def orders(bill_id: UUID) -> dict[str, Any]:
    """List a bill's orders."""
    caller = access.known_actor()
    with access.wiring().database.read() as connection:
        bill = payments.find_bill(connection, BillId(bill_id))
        if bill is None:
            raise NotFound("There is no such bill.")
        access.require_district(bill.charge.district)
        found = channel_orders.orders_of_bill(connection, bill.id)
        shared = order_shares.of_bills(connection, [bill.id])
        refunds = channel_refunds.of_orders(connection, [*found, *(each for each, _ in shared)])
    limit = limit_of(caller)
    most = None if limit is None else Money(limit.single_minor, bill.amount.currency).as_json()
    return {
        "items": [
            *(_order(each, refunds[each.id]) for each in found),
            *(_shared(each, share, refunds[each.id]) for each, share in shared),
        ],
        "most_at_once": most,
    }


@blueprint.get("/channel-orders")
@access.allow(*READERS)
@blueprint.input(NumberQuery, location="query")
@blueprint.output(NumberedOrdersOut)
@blueprint.doc(
    summary="Online payments by our order number or the channel's, as a receipt shows them",
    description="One of several bills comes once for each; of the caller's districts alone.",
)
def numbered(query_data: NumberQuery) -> dict[str, Any]:
    """Find orders by a number."""
    with access.wiring().database.read() as connection:
        found = orders_under(connection, query_data.number, access.known_actor().districts)
    return {
        "items": [
            {
                "order_no": each.order_no,
                "channel_no": each.channel_no or None,
                "channel": each.channel.value,
                "state": each.state.value,
                "amount": each.amount.as_json(),
                "bill_id": each.bill_id,
            }
            for each in found
        ]
    }


@blueprint.get("/channel-refunds")
@access.allow(*READERS)
@blueprint.input(ChannelRefundsQuery, location="query")
@blueprint.output(ChannelRefundsOut)
@blueprint.doc(summary="What was given back through online channels, the newest first")
def refunds(query_data: ChannelRefundsQuery) -> dict[str, Any]:
    """List refunds."""
    with access.wiring().database.read() as connection:
        found, last = refunds_of_desk(
            connection,
            RefundState(query_data.state) if query_data.state else None,
            access.known_actor().districts,
            after(query_data.cursor),
            query_data.limit,
        )
        names = names_of(connection, (each.asked_by for each in found))
    return {
        "items": [
            {
                "id": each.id,
                "refund_no": each.refund_no,
                "order_no": each.order_no,
                "bill_id": each.bill_id,
                "card_id": each.card_id,
                "channel": each.channel,
                "state": each.state.value,
                "waits_for": _waits_for(each.state, Channel(each.channel)),
                "amount": each.amount.as_json(),
                "reason": reason_as_asked(each.reason),
                "surplus": each.surplus,
                "asked_at": each.asked_at,
                "asked_by": each.asked_by,
                "done_at": each.done_at,
                "entry_id": each.entry_id,
            }
            for each in found
        ],
        "next": cursor(last),
        "names": names,
    }


@blueprint.post("/channel-orders/<order_no>/refunds")
@access.allow(*GIVERS)
@blueprint.input(ChannelRefundIn)
@blueprint.output(ChannelRefundOut, status_code=201)
@blueprint.doc(
    summary="Give a part or all of an online payment back through its channel",
    description=(
        "Idempotent by `refund_no`: sent again it is the same refund, whatever became of the first "
        "answer. Its end may come later: ask for it. How much goes back at once, and in a day, "
        "follows from the caller's role."
    ),
)
def refund(order_no: str, json_data: ChannelRefundIn) -> dict[str, Any]:
    """Give money back."""
    wiring, amount = access.wiring(), json_data.amount
    done = refund_payment(
        wiring.database,
        wiring.channels,
        access.known_actor(),
        order_no,
        json_data.refund_no,
        Money(amount.minor, amount.currency),
        json_data.reason,
        None if json_data.bill_id is None else BillId(json_data.bill_id),
    )
    return _refund(done, _channel_of(done.refund_no))


@blueprint.post("/channel-refunds/<refund_no>/withdrawal")
@access.allow(*GIVERS)
@blueprint.input(RefundWithdrawalIn)
@blueprint.output(ChannelRefundOut)
@blueprint.doc(
    summary="Withdraw a refund that waits for its card at a POS terminal",
    description=(
        "Not one that is owed: of a cancelled bill, or of what was paid though nothing was owed. "
        "Where a terminal was faster it went back, and stays so."
    ),
)
def withdraw(refund_no: str, json_data: RefundWithdrawalIn) -> dict[str, Any]:
    """Withdraw a refund."""
    database = access.wiring().database
    done = withdraw_refund(database, access.known_actor(), refund_no, json_data.reason)
    return _refund(done, _channel_of(refund_no))


@blueprint.get("/channel-refunds/<refund_no>")
@access.allow(*READERS)
@blueprint.output(ChannelRefundOut)
@blueprint.doc(summary="How a refund stands; its channel is asked while it has not ended")
def one_refund(refund_no: str) -> dict[str, Any]:
    """Tell how a refund stands."""
    wiring = access.wiring()
    done = refresh_refund(wiring.database, wiring.channels, access.known_actor(), refund_no)
    return _refund(done, _channel_of(refund_no))


def _order(order: ChannelOrder, refunds: Sequence[ChannelRefund]) -> dict[str, Any]:
    paid = order.state is OrderState.PAID
    left_minor = order.amount.minor - order.refunded_minor if paid else 0
    return {
        "order_no": order.order_no,
        "channel": order.channel.value,
        "channel_no": order.channel_no or None,
        "state": order.state.value,
        "amount": order.amount.as_json(),
        "whole": order.amount.as_json(),
        "surplus": order.surplus,
        "opened_at": order.opened_at,
        "done_at": order.done_at,
        "refundable": Money(left_minor, order.amount.currency).as_json(),
        "refunds": [_refund(each, order.channel) for each in refunds],
    }


def _shared(order: ChannelOrder, share: Share, refunds: Sequence[ChannelRefund]) -> dict[str, Any]:
    """Return an order over several bills as one of them sees it: its share, what went back."""
    paid = order.state is OrderState.PAID
    return _order(order, [each for each in refunds if each.share_id == share.id]) | {
        "amount": share.amount.as_json(),
        "surplus": paid and share.payment_id is None,
        "refundable": (share.left if paid else Money(0, share.amount.currency)).as_json(),
    }


def _channel_of(refund_no: str) -> Channel | None:
    with access.wiring().database.read() as connection:
        return channel_refunds.channel_of(connection, refund_no)


def _waits_for(state: RefundState, channel: Channel | None) -> str | None:
    """Say who is to carry a refund out; None where it has ended."""
    if state is not RefundState.ASKED or channel is None:
        return None
    return "terminal" if TRAITS[channel].refunds_at_terminal else "channel"


def _refund(refund: ChannelRefund, channel: Channel | None) -> dict[str, Any]:
    return {
        "refund_no": refund.refund_no,
        "state": refund.state.value,
        "waits_for": _waits_for(refund.state, channel),
        "amount": refund.amount.as_json(),
        "reason": reason_as_asked(refund.reason),
        "asked_at": refund.asked_at,
        "done_at": refund.done_at,
    }
