"""When a bill may be taken from a driver who agreed to it once: our law, whatever channels allow.

Pure. A deduction takes money without an act of the payer's, so all must be certain: the consent on
record for this car and this channel, whose car it was, which car it was, that it left, and what is
owed. Whatever is in doubt is left to the driver, whose bill stays open.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import AccountId, VehicleId, uuid7
from city.money import Money
from payments.rules.channels import Channel
from payments.rules.deductions import Standing

CURRENCY: Final = "CNY"
MOST_SINGLE_MINOR: Final = 500_00
"""Nobody agrees to more in one deduction, whatever they wish: a misread that gets through every
other check costs no more."""
MOST_DAILY_MINOR: Final = 1_000_00
SURE: Final = 950
"""Per mille. How certain the witness of the car must be: what a person stated, or a camera read so
surely. Below it the bill waits for its driver."""


class AgreementState(StrEnum):
    """Where an agreement stands, as we know it."""

    ASKED = "asked"
    """The driver consented with us, and has yet to sign with the channel."""
    SIGNED = "signed"
    PAUSED = "paused"
    """The channel deducts nothing for now."""
    ENDED = "ended"
    """By the driver or the channel: for good. Who wants it again consents again."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A driver's consent that bills of one car are taken through one channel.

    Parameters
    ----------
    id : UUID
        Ours.
    account_id : AccountId
        Who consented.
    vehicle_id : VehicleId
        The car, by the vault's id of its plate.
    channel : Channel
        Through whom.
    merchant : str
        Whose deductions were agreed to: ours under that number.
    state : AgreementState
        As we know it.
    single, daily : Money
        The most in one deduction, and in one of China's days.
    consented_at : datetime
        When the driver consented with us; business time, as all here.
    signed_at : datetime or None
        When the channel first said that it is signed: stays that ended before are not touched.
    ended_at : datetime or None
    reason : str
        Why it is paused or has ended: the channel's code, or ours.
    """

    id: UUID
    account_id: AccountId
    vehicle_id: VehicleId
    channel: Channel
    merchant: str
    state: AgreementState
    single: Money
    daily: Money
    consented_at: datetime
    signed_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""


class Obstacle(StrEnum):
    """Why nothing is deducted: the bill stays open for whatever other way."""

    NOT_SIGNED = "not-signed"
    NOT_OPEN = "not-open"
    """The bill is paid, disputed, cancelled or given up, or is what somebody pays ahead."""
    NO_FEE = "no-fee"
    DISPUTED = "disputed"
    """Another bill of the stay was wrong: this one is looked at by its driver first."""
    NOT_OVER = "not-over"
    UNSURE = "unsure"
    """Nobody saw the plate surely enough."""
    BEFORE_SIGNING = "before-signing"
    NOT_THEIRS = "not-theirs"
    """The car was not the driver's any more when it left."""
    SINGLE_LIMIT = "single-limit"
    DAILY_LIMIT = "daily-limit"


@dataclass(frozen=True, slots=True)
class Leaving:
    """A bill, and what is known of the stay that it is for.

    Parameters
    ----------
    outstanding : Money
        What is owed.
    payable : bool
        Whether the bill is one for a stay, and open.
    disputed : bool
        Whether an earlier bill of the stay was cancelled.
    left_at : datetime or None
        When the car left; None while the stay goes on, or its end may change yet.
    certainty : int
        Per mille, of the surest witness that names this car.
    theirs : bool
        Whether the car was the driver's when it left.
    taken_today : Money
        What was or is being deducted under the agreement today.
    """

    outstanding: Money
    payable: bool
    disputed: bool
    left_at: datetime | None
    certainty: int
    theirs: bool
    taken_today: Money


def consent(  # noqa: PLR0917 - whose, for which car, through whom, how much and when
    account_id: AccountId,
    vehicle_id: VehicleId,
    channel: Channel,
    merchant: str,
    single: Money,
    daily: Money,
    at: datetime,
) -> Agreement:
    """Write a driver's consent down; nothing is deducted before the channel says that it is signed.

    Raises
    ------
    Invalid
        On limits that are not above zero, above ours, in another currency, or where a day's is
        less than one deduction's.
    """
    for field, money, most_minor in (
        ("single", single, MOST_SINGLE_MINOR),
        ("daily", daily, MOST_DAILY_MINOR),
    ):
        if money.currency != CURRENCY or not 0 < money.minor <= most_minor:
            most = Money(most_minor, CURRENCY).decimal()
            raise Invalid(f"must be above zero and at most {most} yuan", field=field)
    if daily < single:
        raise Invalid("must be at least what one deduction may be", field="daily")
    return Agreement(
        uuid7(), account_id, vehicle_id, channel, merchant, AgreementState.ASKED, single, daily, at
    )


def heard(agreement: Agreement, standing: Standing, reason: str, at: datetime) -> Agreement:
    """Give an agreement as it stands after the channel's word; one that has ended stays ended."""
    if agreement.state is AgreementState.ENDED or standing is Standing.UNKNOWN:
        return agreement
    if standing is Standing.SIGNED:
        return replace(
            agreement,
            state=AgreementState.SIGNED,
            signed_at=agreement.signed_at or at,
            reason="",
        )
    if standing is Standing.PAUSED:
        return replace(agreement, state=AgreementState.PAUSED, reason=reason)
    if agreement.state is AgreementState.ASKED:
        return agreement  # not signed yet
    return ended(agreement, reason, at)


def ended(agreement: Agreement, reason: str, at: datetime) -> Agreement:
    """End an agreement.

    Raises
    ------
    Conflict
        Where it has ended.
    """
    if agreement.state is AgreementState.ENDED:
        raise Conflict("has ended already", field="agreement", reason="ended")
    return replace(agreement, state=AgreementState.ENDED, ended_at=at, reason=reason)


def obstacle(agreement: Agreement, leaving: Leaving) -> Obstacle | None:
    """Say why a bill may not be deducted; None where it may."""
    left_at, signed_at = leaving.left_at, agreement.signed_at
    if agreement.state is not AgreementState.SIGNED or signed_at is None:
        return Obstacle.NOT_SIGNED
    if left_at is None:
        return Obstacle.NOT_OVER
    taken_minor = leaving.taken_today.minor + leaving.outstanding.minor
    stands_in_the_way = {
        Obstacle.NOT_OPEN: not leaving.payable,
        Obstacle.NO_FEE: leaving.outstanding.minor <= 0,
        Obstacle.DISPUTED: leaving.disputed,
        Obstacle.NOT_THEIRS: not leaving.theirs,
        Obstacle.BEFORE_SIGNING: left_at < signed_at,
        Obstacle.UNSURE: leaving.certainty < SURE,
        Obstacle.SINGLE_LIMIT: leaving.outstanding > agreement.single,
        Obstacle.DAILY_LIMIT: taken_minor > agreement.daily.minor,
    }
    return next((each for each, stands in stands_in_the_way.items() if stands), None)
