"""Paying a bill online: what the holder of a link sees and does."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    MoneyIn,
    MoneyOut,
    Names,
    Outgoing,
    PageQuery,
    PlateText,
)
from web.api.schemas.places import QuoteLine
from web.api.schemas.stays import PlateOut

ChannelName = Literal["wechat", "alipay", "unionpay"]
"""Those that whoever holds a bill's link chooses from."""
OrderChannel = Literal["wechat", "alipay", "unionpay", "card", "pos"]


class AppCallOut(Outgoing):
    """What a page hands to WeChat: `getBrandWCPayRequest`, with `signType` RSA."""

    app_id: str
    timestamp: str
    nonce: str
    package: str
    signature: str


class OrderOut(Outgoing):
    """An order at a channel, as we know it."""

    order_no: str
    channel: OrderChannel
    state: Annotated[
        Literal["asked", "open", "unknown", "paid", "closed"],
        Field(description="asked and unknown: whether money moved is not known yet"),
    ]
    amount: MoneyOut
    seconds_left: Annotated[int, Field(description="for which it still takes money; never below 0")]
    link: Annotated[
        str | None,
        Field(description="what the payer follows on the same phone; null: only scanned"),
    ]
    scannable: Annotated[bool, Field(description="whether there is a code to be scanned")]
    in_app: Annotated[
        AppCallOut | None,
        Field(description="of an order inside WeChat: for the browser alone that opened it"),
    ]
    may_be_paid: Annotated[
        bool,
        Field(description="false: no code was ever given out, so no money can have moved"),
    ]
    surplus: Annotated[
        bool, Field(description="paid when nothing was owed any more: it goes back by itself")
    ]
    refunded: Annotated[MoneyOut, Field(description="what went back or is on its way back")]


class ReceiptOut(Outgoing):
    """What settled the bill."""

    number: UUID
    channel: str
    amount: MoneyOut
    rounded: Annotated[MoneyOut, Field(description="what of the amount cash was not asked for")]
    received_at: Instant
    order_no: str | None
    channel_no: Annotated[
        str | None, Field(description="the channel's own number; null where the link hides it")
    ]
    refunded: MoneyOut


class StayShown(Outgoing):
    """When and where the vehicle stood."""

    bay_label: str | None
    opened_at: Instant
    closed_at: Instant | None


class PayableOut(Outgoing):
    """A bill as the holder of its link sees it; the plate is always masked."""

    bill_id: UUID | None
    state: Annotated[
        Literal["offered", "open", "paid", "disputed", "cancelled", "written-off"],
        Field(description="offered: paid ahead of leaving or not at all, until its due date"),
    ]
    amount: MoneyOut
    outstanding: Annotated[MoneyOut, Field(description="what is still to be paid")]
    paid_ahead: MoneyOut
    plate: PlateOut | None
    issued_at: Instant
    due_at: Instant
    leave_by_at: Annotated[
        Instant | None,
        Field(description="of what is paid ahead: until when it can leave and pay nothing more"),
    ]
    facility: Annotated[Names | None, Field(description="null where the link does not show it")]
    stay: StayShown | None
    lines: list[QuoteLine] | None
    channels: Annotated[list[ChannelName], Field(description="that can be paid through now")]
    orders: Annotated[list[OrderOut], Field(description="the last one at each channel")]
    receipt: ReceiptOut | None


class PayIn(Incoming):
    """Through whom all of it is paid, and in which way on the device that shows the page."""

    channel: ChannelName
    way: Annotated[
        Literal["code", "page", "in-app"],
        Field(
            description=(
                "page: on a phone's own browser, be led to the channel's page where it has one; not"
                " in WeChat's browser, which its page refuses. in-app: in WeChat's browser, be paid"
                " inside WeChat; 409 of the field `payer` until the browser was at the page's"
                " address with `/payer` behind it, which asks WeChat who pays. Else, and where that"
                " is not set up, a code to be scanned"
            )
        ),
    ] = "code"


class PlateIn(Incoming):
    """A plate as it is read off the car."""

    plate: PlateText
    kind: PlateKind


class UnpaidOut(Outgoing):
    """A bill that was found by its vehicle's plate."""

    amount: MoneyOut
    issued_at: Instant
    due_at: Instant
    ahead: Annotated[
        bool, Field(description="of a stay that goes on: what it costs by now, until `due_at`")
    ]
    link: Annotated[str, Field(description="path of its pay page")]


class UnpaidListOut(Outgoing):
    """What a vehicle owes, the newest first, fifty at most."""

    items: list[UnpaidOut]


class TogetherIn(Incoming):
    """Links to bills of one vehicle, to be paid at once."""

    links: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(min_length=1, max_length=20, description="paths of their pay pages, or their ends"),
    ]


class TogetherLinkOut(Outgoing):
    """Where several bills are paid at once."""

    link: Annotated[str, Field(description="path of the page")]


class TogetherBillOut(Outgoing):
    """One of several bills that are paid at once."""

    state: Literal["open", "paid", "disputed", "cancelled", "written-off"]
    amount: MoneyOut
    outstanding: MoneyOut
    issued_at: Instant
    due_at: Instant
    facility: Annotated[Names | None, Field(description="null where the link does not show it")]
    link: Annotated[str, Field(description="path of its own page, with its receipt once paid")]
    receipt: ReceiptOut | None
    goes_back: Annotated[
        MoneyOut | None,
        Field(description="paid here when it was not owed any more: it goes back by itself"),
    ]


class TogetherOut(Outgoing):
    """Several bills of one vehicle as the holder of a link to them sees them."""

    plate: PlateOut | None
    outstanding: Annotated[MoneyOut, Field(description="of all that take money now")]
    items: Annotated[list[TogetherBillOut], Field(description="those due first before")]
    channels: Annotated[list[ChannelName], Field(description="that can be paid through now")]
    orders: Annotated[list[OrderOut], Field(description="the last one at each channel")]


class ChannelRefundIn(Incoming):
    """A part or all of an online payment, to go back the way it came."""

    refund_no: Annotated[
        str,
        Field(
            pattern="^[0-9A-Za-z]{8,32}$",
            description="the sender's own: sent again under it, it goes back once",
        ),
    ]
    amount: MoneyIn
    reason: Annotated[str, Field(min_length=3, max_length=80)]
    bill_id: Annotated[
        UUID | None,
        Field(description="of an order that paid several bills, whose money goes back"),
    ] = None


class RefundWithdrawalIn(Incoming):
    """Why what was to go back at a terminal shall not."""

    reason: Annotated[str, Field(min_length=3, max_length=200)]


class ChannelRefundOut(Outgoing):
    """Money on its way back, or back."""

    refund_no: str
    state: Annotated[
        Literal["asked", "done", "failed"],
        Field(description="asked: on its way, its end is not known yet"),
    ]
    waits_for: Annotated[
        Literal["channel", "terminal"] | None,
        Field(
            description="who is to carry it out: its channel, or a POS terminal once the payer's "
            "card is there; null: it has ended"
        ),
    ]
    amount: MoneyOut
    reason: str
    asked_at: Instant
    done_at: Instant | None


class ChannelOrderOut(Outgoing):
    """An order at a channel with what went back of it, for the back office."""

    order_no: str
    channel: OrderChannel
    channel_no: str | None
    state: Literal["asked", "open", "unknown", "paid", "closed"]
    amount: Annotated[MoneyOut, Field(description="of an order over several bills, this one's")]
    whole: Annotated[MoneyOut, Field(description="what the payer paid in all")]
    surplus: bool
    opened_at: Instant
    done_at: Instant | None
    refundable: Annotated[MoneyOut, Field(description="what has not been asked back")]
    refunds: list[ChannelRefundOut]


class ChannelOrdersOut(Outgoing):
    """The orders over a bill, the oldest first."""

    items: list[ChannelOrderOut]
    most_at_once: Annotated[
        MoneyOut | None, Field(description="what the caller may give back at once; null: nothing")
    ]


class NumberQuery(Incoming):
    """A number as a payer reads it off a receipt or a channel's app."""

    number: Annotated[str, Field(min_length=8, max_length=64, pattern="^[0-9A-Za-z_-]+$")]


class NumberedOrderOut(Outgoing):
    """An order with one of the bills that it pays."""

    order_no: str
    channel_no: str | None
    channel: OrderChannel
    state: Literal["asked", "open", "unknown", "paid", "closed"]
    amount: MoneyOut
    bill_id: UUID


class NumberedOrdersOut(Outgoing):
    """What a number leads to."""

    items: list[NumberedOrderOut]


class RefundsFileQuery(Incoming):
    """Which refunds, all of them."""

    state: Literal["asked", "done", "failed"] | None = None


class ChannelRefundsQuery(PageQuery):
    """Which refunds."""

    state: Literal["asked", "done", "failed"] | None = None


class ListedRefundOut(ChannelRefundOut):
    """A refund with what it goes back of."""

    id: UUID
    order_no: str
    bill_id: UUID | None
    card_id: Annotated[
        UUID | None, Field(description="of a top-up, the card; else there is a bill")
    ]
    channel: OrderChannel
    surplus: Annotated[
        bool, Field(description="was paid though nothing was owed, or no card took it, any more")
    ]
    asked_by: str
    entry_id: Annotated[UUID | None, Field(description="of the ledger, once it arrived")]


class ChannelRefundsOut(Outgoing):
    """A page of refunds, the newest first."""

    items: list[ListedRefundOut]
    next: str | None
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]
