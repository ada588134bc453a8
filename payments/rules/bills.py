"""Bills: what is owed for a stay, until when, and what pays it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from city.errors import Conflict, Invalid
from city.identifiers import (
    BillId,
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    PaymentId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money

DAYS_TO_PAY: Final = 30
"""Where no region rules otherwise. Source: Beijing kerb parking, leave first, pay in 30 days."""


class BillState(StrEnum):
    """State of a bill."""

    OFFERED = "offered"
    """What a stay that goes on costs by now, to be paid online: nothing is owed or booked for it
    until its money comes."""
    OPEN = "open"
    PAID = "paid"
    DISPUTED = "disputed"
    """Frozen: nobody pays it and its clock stands still until the dispute is resolved."""
    CANCELLED = "cancelled"
    """A dispute was upheld: its entry is reversed, nothing is owed."""
    WRITTEN_OFF = "written-off"
    """Given up by two people: nobody asks for it any more."""


class BillPart(StrEnum):
    """What of a stay a bill is for."""

    STAY = "stay"
    """All of it, less what was paid ahead."""
    AHEAD = "ahead"
    """What was paid before the vehicle left."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A rated stay, to be billed."""

    session_id: ParkingSessionId
    vehicle_id: VehicleId
    facility_id: FacilityId
    district: DistrictCode
    operator_id: OperatorId
    revenue_nature: str
    tariff_version_id: TariffVersionId
    amount: Money
    lines: tuple[Mapping[str, JsonValue], ...]
    """As ``Quote.lines_json`` gives them."""
    covers_until_at: datetime | None = None
    """Of a bill that is paid ahead, until when it covers the stay."""
    applied_minor: int = 0
    """What of the stay's fee had been paid ahead: a line takes it off, the amount is the rest."""

    @property
    def part(self) -> BillPart:
        """What of the stay it is for."""
        return BillPart.STAY if self.covers_until_at is None else BillPart.AHEAD


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill: its charge never changes; what was paid, lowered and added is counted beside it."""

    id: BillId
    charge: Charge
    issued_at: datetime
    due_at: datetime
    state: BillState
    paid_at: datetime | None
    paid_minor: int = 0
    """What was paid for it, in one part or several."""
    lowered_minor: int = 0
    """What adjustments took off."""
    penalty_minor: int = 0
    """What was added because it was not paid in time."""
    refunded_minor: int = 0
    """What went back of what was paid."""
    cash_step_minor: int = 1
    """In steps of what its region takes cash, as it ruled when the bill was issued."""
    in_arrears: bool = False
    """Whether the ledger has its debt among its operator's arrears (`rules.debts`)."""

    @property
    def amount(self) -> Money:
        """What it was issued over."""
        return self.charge.amount

    @property
    def due_minor(self) -> int:
        """What is, or was, to be paid in all."""
        return self.charge.amount.minor - self.lowered_minor + self.penalty_minor

    @property
    def outstanding(self) -> Money:
        """What is still to be paid; nothing where nobody asks for it."""
        if self.state in {BillState.CANCELLED, BillState.WRITTEN_OFF}:
            return Money(0, self.amount.currency)
        return Money(self.due_minor - self.paid_minor, self.amount.currency)

    @property
    def in_cash(self) -> Money:
        """What is asked for in cash: all that is left, rounded down to what can be handed over.

        What is paid ahead is owed back to the fen and is not rounded; nor is what would be nothing.
        """
        left = self.outstanding
        step = 1 if self.charge.part is BillPart.AHEAD else self.cash_step_minor
        return Money(
            left.minor - left.minor % step if left.minor >= step else left.minor, left.currency
        )

    @property
    def earned_minor(self) -> int:
        """What was earned by it as it stands: with what was paid ahead, less what went back."""
        return self.due_minor + self.charge.applied_minor - self.refunded_minor

    @property
    def applied(self) -> Money:
        """What of the fee had been paid ahead."""
        return Money(self.charge.applied_minor, self.charge.amount.currency)

    @property
    def fee(self) -> Money:
        """What it cost: what had been paid ahead, and the rest."""
        return self.amount + self.applied


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that was taken for a bill."""

    id: PaymentId
    bill_id: BillId
    channel: str
    amount: Money
    tendered: Money
    taken_at: datetime
    taken_by: str
    rounded_minor: int = 0
    """Of the amount, what was not asked for in cash."""

    @property
    def taken(self) -> Money:
        """The money itself: the amount that it settles, less what was rounded off."""
        return Money(self.amount.minor - self.rounded_minor, self.amount.currency)

    @property
    def change(self) -> Money:
        """What was handed back."""
        return self.tendered - self.taken


def issue(
    charge: Charge, at: datetime, days_to_pay: int = DAYS_TO_PAY, cash_step_minor: int = 1
) -> Bill:
    """Write a bill over a rated stay; one over nothing is paid as it is issued.

    Parameters
    ----------
    charge : Charge
    at : datetime
        When.
    days_to_pay : int
        After how many days it is due, by the region's policy.
    cash_step_minor : int
        In steps of what its region takes cash.

    Raises
    ------
    Invalid
        Where the amount is negative, or is not what the lines add up to.
    """
    if charge.amount.minor < 0:
        raise Invalid("a bill is never negative", field="amount")
    ahead = charge.part is BillPart.AHEAD
    if charge.applied_minor < 0 or (ahead and charge.applied_minor):
        raise Invalid("is what a stay's bill takes over, never negative", field="applied_minor")
    if ahead and not charge.amount:
        raise Invalid("nothing is due, so nothing is paid ahead", field="amount")
    if sum(_minor(line) for line in charge.lines) != charge.amount.minor:
        raise Invalid("the lines do not add up to the amount", field="lines")
    due_at = at + timedelta(days=days_to_pay)
    bill = Bill(
        BillId(uuid7()),
        charge,
        at,
        due_at,
        BillState.OPEN,
        None,
        cash_step_minor=cash_step_minor,
    )
    return bill if charge.amount else settled(bill, at)


def offer(charge: Charge, at: datetime, stands_for: timedelta) -> Bill:
    """Write down what would be paid ahead for a stay; it is due, and gone, when its time is over.

    Raises
    ------
    Invalid
        As `issue`, or where the charge is not paid ahead.
    """
    if charge.part is not BillPart.AHEAD:
        raise Invalid("only what is paid ahead is offered", field="covers_until_at")
    return replace(issue(charge, at), due_at=at + stands_for, state=BillState.OFFERED)


def check_stands(bill: Bill, now: datetime) -> None:
    """Refuse to begin paying an offer whose time is over: the stay costs more by then."""
    if bill.state is BillState.OFFERED and now > bill.due_at:
        raise Conflict(
            "the price has changed since: ask for it again", field="bill_id", reason="offer-over"
        )


def settled(bill: Bill, at: datetime) -> Bill:
    """Give the bill as paid, all of it; Conflict where it cannot be."""
    return credited(bill, bill.outstanding, at)


def credited(bill: Bill, amount: Money, at: datetime) -> Bill:
    """Give the bill with an amount more paid: it is paid when nothing is left.

    Raises
    ------
    Conflict
        Where it takes no money.
    Invalid
        Where the amount is more than is left, below zero, or in another currency.
    """
    check_payable(bill)
    if amount.minor < 0 or amount > bill.outstanding:
        raise Invalid(
            "must be at most what is left", field="amount", left=bill.outstanding.as_json()
        )
    paid_minor = bill.paid_minor + amount.minor
    if amount != bill.outstanding:
        return replace(bill, paid_minor=paid_minor)
    return replace(bill, paid_minor=paid_minor, state=BillState.PAID, paid_at=at)


def lowered(bill: Bill, amount: Money, at: datetime) -> Bill:
    """Give the bill lowered by an amount: it is paid when nothing is left.

    Raises
    ------
    Conflict
        Where it is not open.
    Invalid
        Where the amount is not above zero, more than is left, or in another currency.
    """
    _check_owed(bill)
    if amount.minor <= 0 or amount > bill.outstanding:
        raise Invalid(
            "must be above zero and at most what is left",
            field="amount",
            left=bill.outstanding.as_json(),
        )
    return _closed_where_nothing_is_left(
        replace(bill, lowered_minor=bill.lowered_minor + amount.minor), at
    )


def raised(bill: Bill, penalty: Money) -> Bill:
    """Give the bill with a penalty; Conflict where it is not open, Invalid where it is nothing."""
    _check_owed(bill)
    if penalty.minor <= 0 or penalty.currency != bill.amount.currency:
        raise Invalid("a penalty is above zero, in the bill's currency", field="penalty")
    return replace(bill, penalty_minor=bill.penalty_minor + penalty.minor)


def written_off(bill: Bill) -> Bill:
    """Give the bill as written off; Conflict where it is not open."""
    _check_owed(bill)
    return replace(bill, state=BillState.WRITTEN_OFF)


def _closed_where_nothing_is_left(bill: Bill, at: datetime) -> Bill:
    if bill.outstanding:
        return bill
    return replace(bill, state=BillState.PAID, paid_at=at)


def take_cash(  # noqa: PLR0917 - for which bill, what, when, by whom, under which number
    bill: Bill,
    tendered: Money,
    at: datetime,
    by: str,
    payment_id: PaymentId | None = None,
    part: Money | None = None,
) -> Payment:
    """Take cash for a bill: all that is left, or a part; with change from what was handed over.

    All that is left is rounded down to what its region takes cash in; a part is as it was named.

    Raises
    ------
    Conflict
        Where the bill is already paid, disputed or cancelled.
    Invalid
        Where another currency, or less than the amount, was handed over.
    """
    _check_owed(bill)
    if tendered.currency != bill.amount.currency:
        raise Invalid(f"the bill is in {bill.amount.currency}", field="tendered.currency")
    amount = bill.outstanding if part is None else part
    if part is not None and (part.minor <= 0 or part > bill.outstanding):
        raise Invalid(
            "must be above zero and at most what is left",
            field="part",
            left=bill.outstanding.as_json(),
        )
    asked = bill.in_cash if amount == bill.outstanding else amount
    if tendered < asked:
        raise Invalid(
            "is less than the bill's amount", field="tendered.minor", amount=asked.as_json()
        )
    return Payment(
        payment_id or PaymentId(uuid7()),
        bill.id,
        "cash",
        amount,
        tendered,
        at,
        by,
        (amount - asked).minor,
    )


def cancelled(bill: Bill) -> Bill:
    """Give a bill as cancelled; Conflict for one that is paid or ended.

    What was paid of it in part is owed back from then on.
    """
    if bill.state in {BillState.PAID, BillState.CANCELLED, BillState.WRITTEN_OFF}:
        raise Conflict(f"the bill is {bill.state.value}", field="bill_id", reason=bill.state.value)
    return replace(bill, state=BillState.CANCELLED, in_arrears=False)


def check_payable(bill: Bill) -> None:
    """Refuse to take money for a bill that is paid, frozen or cancelled."""
    if bill.state is BillState.PAID:
        raise Conflict("the bill is already paid", field="bill_id", reason="paid")
    if bill.state is BillState.DISPUTED:
        raise Conflict("the bill is disputed: it is frozen", field="bill_id", reason="disputed")
    if bill.state is BillState.CANCELLED:
        raise Conflict("the bill was cancelled", field="bill_id", reason="cancelled")
    if bill.state is BillState.WRITTEN_OFF:
        raise Conflict("the bill was written off", field="bill_id", reason="written-off")


def _check_owed(bill: Bill) -> None:
    check_payable(bill)
    if bill.state is BillState.OFFERED:
        raise Conflict(
            "is only offered, to be paid online: nothing is owed for it",
            field="bill_id",
            reason="offered",
        )


def _minor(line: Mapping[str, JsonValue]) -> int:
    minor = line.get("minor")
    if not isinstance(minor, int) or isinstance(minor, bool):
        raise Invalid("a line carries whole minor units", field="lines")
    return minor
