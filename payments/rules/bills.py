"""Bills: what is owed for a stay, until when, and what pays it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
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


@dataclass(frozen=True, slots=True)
class BillingPolicy:
    """What a region rules about bills."""

    days_to_pay: int
    source: str


DEFAULT_POLICY: Final = BillingPolicy(
    days_to_pay=30, source="Beijing kerb parking: leave first, pay within 30 days"
)
POLICIES: Final[Mapping[str, BillingPolicy]] = MappingProxyType({})
"""Policies of districts that rule otherwise, by district code."""


class BillState(StrEnum):
    """State of a bill."""

    OPEN = "open"
    PAID = "paid"
    DISPUTED = "disputed"
    """Frozen: nobody pays it and its clock stands still until the dispute is resolved."""
    CANCELLED = "cancelled"
    """A dispute was upheld: its entry is reversed, nothing is owed."""


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
    """A bill: its charge never changes."""

    id: BillId
    charge: Charge
    issued_at: datetime
    due_at: datetime
    state: BillState
    paid_at: datetime | None

    @property
    def amount(self) -> Money:
        """What is, or was, to be paid."""
        return self.charge.amount

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

    @property
    def change(self) -> Money:
        """What was handed back."""
        return self.tendered - self.amount


def issue(charge: Charge, at: datetime) -> Bill:
    """Write a bill over a rated stay; one over nothing is paid as it is issued.

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
    policy = POLICIES.get(charge.district, DEFAULT_POLICY)
    bill = Bill(
        BillId(uuid7()), charge, at, at + timedelta(days=policy.days_to_pay), BillState.OPEN, None
    )
    return bill if charge.amount else settled(bill, at)


def settled(bill: Bill, at: datetime) -> Bill:
    """Give the bill as paid; Conflict where it cannot be."""
    check_payable(bill)
    return replace(bill, state=BillState.PAID, paid_at=at)


def take_cash(
    bill: Bill, tendered: Money, at: datetime, by: str, payment_id: PaymentId | None = None
) -> Payment:
    """Take cash for a bill: all of it, with change from what was handed over.

    Raises
    ------
    Conflict
        Where the bill is already paid, disputed or cancelled.
    Invalid
        Where another currency, or less than the amount, was handed over.
    """
    check_payable(bill)
    if tendered.currency != bill.amount.currency:
        raise Invalid(f"the bill is in {bill.amount.currency}", field="tendered.currency")
    if tendered < bill.amount:
        raise Invalid(
            "is less than the bill's amount", field="tendered.minor", amount=bill.amount.as_json()
        )
    return Payment(payment_id or PaymentId(uuid7()), bill.id, "cash", bill.amount, tendered, at, by)


def cancelled(bill: Bill) -> Bill:
    """Give a bill as cancelled; Conflict for one that is paid or cancelled."""
    if bill.state in {BillState.PAID, BillState.CANCELLED}:
        raise Conflict(f"the bill is {bill.state.value}", field="bill_id", reason=bill.state.value)
    return replace(bill, state=BillState.CANCELLED)


def check_payable(bill: Bill) -> None:
    """Refuse to take money for a bill that is paid, frozen or cancelled."""
    if bill.state is BillState.PAID:
        raise Conflict("the bill is already paid", field="bill_id", reason="paid")
    if bill.state is BillState.DISPUTED:
        raise Conflict("the bill is disputed: it is frozen", field="bill_id", reason="disputed")
    if bill.state is BillState.CANCELLED:
        raise Conflict("the bill was cancelled", field="bill_id", reason="cancelled")


def _minor(line: Mapping[str, JsonValue]) -> int:
    minor = line.get("minor")
    if not isinstance(minor, int) or isinstance(minor, bool):
        raise Invalid("a line carries whole minor units", field="lines")
    return minor
