"""A payer's code that an attendant scanned, and what became of charging it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from payments.rules.payer_codes import LARGEST_CHARACTERS
from web.api.schemas.base import Incoming, MoneyOut, Outgoing
from web.api.schemas.paying import ChannelName


class CodePaymentIn(Incoming):
    """All that is left of a bill, taken by the code on its payer's phone."""

    code: Annotated[
        str,
        Field(
            min_length=16,
            max_length=LARGEST_CHARACTERS,
            pattern=r"^[0-9 ]+$",
            description=(
                "as the scan head read it; its first digits say whose it is:"
                " 10 to 15 WeChat Pay, 25 to 30 Alipay, 62 UnionPay. Kept nowhere"
            ),
        ),
    ]
    order_no: Annotated[
        str,
        Field(
            pattern="^[0-9A-Za-z]{8,32}$",
            description="the sender's own: sent again under it, nothing is charged again",
        ),
    ]


class CodePaymentOut(Outgoing):
    """How the charge of a code stands."""

    order_no: Annotated[
        str, Field(description="whose charge it is: another than was sent where `earlier` says so")
    ]
    channel: ChannelName
    state: Annotated[
        Literal["asked", "open", "unknown", "paid", "closed"],
        Field(
            description=(
                "open: the payer has yet to confirm on their phone; asked and unknown: whether"
                " money moved is not known yet"
            )
        ),
    ]
    amount: MoneyOut
    outstanding: Annotated[MoneyOut, Field(description="what is left of the bill")]
    seconds_left: Annotated[
        int, Field(description="for which its payer can still confirm; never below 0")
    ]
    callable_off_in_s: Annotated[
        int, Field(description="after which it can be called off, as channels want it")
    ]
    surplus: Annotated[
        bool, Field(description="paid when nothing was owed any more: it goes back by itself")
    ]
    refused: Annotated[
        Literal["code", "funds", "channel"] | None,
        Field(
            description=(
                "why no money was taken, as just told: the code is over or none, the payer has too"
                " little, or whatever else; null where it was not refused just now"
            )
        ),
    ]
    earlier: Annotated[
        bool,
        Field(
            description="the code sent was not charged: one before it may still be paid, told here"
        ),
    ]
