"""Agreements by which a driver's bills are deducted when the car has left."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, MoneyIn, MoneyOut, Outgoing
from web.api.schemas.stays import PlateOut

AgreementStateName = Literal["asked", "signed", "paused", "ended"]
AgreementChannel = Literal["wechat", "alipay"]


class DeductionOut(Outgoing):
    """What was last deducted, or was to be."""

    amount: MoneyOut
    state: Literal["asked", "open", "unknown", "paid", "closed"]
    opened_at: Instant
    bill_id: UUID


class AgreementOut(Outgoing):
    """An agreement over one car through one channel."""

    id: UUID
    vehicle_id: UUID
    plate: Annotated[PlateOut | None, Field(description="masked")]
    channel: AgreementChannel
    state: Annotated[
        AgreementStateName,
        Field(description="asked: consented here, and yet to be signed with the channel"),
    ]
    reason: Annotated[str, Field(description="why it is paused or ended: a code")]
    single: Annotated[MoneyOut, Field(description="the most in one deduction")]
    daily: Annotated[MoneyOut, Field(description="the most in one day")]
    consented_at: Instant
    signed_at: Instant | None
    ended_at: Instant | None
    signing_link: Annotated[
        str | None,
        Field(description="where the driver signs, pauses and stops with the channel"),
    ]
    last: DeductionOut | None


class AgreementsOut(Outgoing):
    """A driver's agreements, the newest first, and the channels that deduct here."""

    items: list[AgreementOut]
    channels: list[AgreementChannel]
    most_single: MoneyOut
    most_daily: MoneyOut


class ConsentIn(Incoming):
    """What a driver agrees to."""

    vehicle_id: UUID
    channel: AgreementChannel
    single: MoneyIn
    daily: MoneyIn


class ConfirmationIn(Incoming):
    """What the channel's page gave when it led back."""

    holder: Annotated[
        str,
        Field(
            max_length=64,
            pattern=r"^[\w-]*$",
            description="the payer's id at the channel; asked with, and kept nowhere",
        ),
    ] = ""


class AgreementEndIn(Incoming):
    """Nothing more is needed than the agreement."""
