"""What was paid for a stay before it was billed: what of it is left, and paying that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import BillId, OperatorId, ParkingSessionId, uuid7
from city.money import Money
from payments.rules.bills import Bill, BillPart, BillState


@dataclass(frozen=True, slots=True)
class PaidAhead:
    """What was paid for a stay, and its parts, ahead of its bill; in one currency."""

    paid: tuple[tuple[datetime, int], ...] = ()
    """Until when each payment covers the stay, and its minor units; the earliest first."""
    applied_minor: int = 0
    """What the stay's bill took over; nothing while there is none."""
    refunded_minor: int = 0

    @property
    def kept(self) -> tuple[tuple[datetime, int], ...]:
        """What was paid and not paid back: refunds are taken off what was paid last."""
        rest_minor = self.refunded_minor
        kept: list[tuple[datetime, int]] = []
        for until_at, minor in reversed(self.paid):
            taken_minor = min(minor, rest_minor)
            rest_minor -= taken_minor
            if minor > taken_minor:
                kept.append((until_at, minor - taken_minor))
        return tuple(reversed(kept))

    @property
    def left_minor(self) -> int:
        """What neither a bill took over nor went back."""
        return sum(minor for _, minor in self.paid) - self.applied_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back to a driver."""

    id: UUID
    session_id: ParkingSessionId
    operator_id: OperatorId
    channel: str
    amount: Money
    refunded_at: datetime
    refunded_by: str
    bill_id: BillId | None = None
    """The bill that was paid, or of a cancelled one a part; None: what was paid ahead."""


def refund_in_cash(  # noqa: PLR0917 - of which stay, at whose facility, what, when and by whom
    session_id: ParkingSessionId,
    operator_id: OperatorId,
    ahead: PaidAhead,
    currency: str,
    at: datetime,
    by: str,
) -> Refund:
    """Pay all back that is left; Conflict where nothing is."""
    if ahead.left_minor <= 0:
        raise Conflict("nothing is left to be paid back", field="session_id", reason="nothing-left")
    amount = Money(ahead.left_minor, currency)
    return Refund(uuid7(), session_id, operator_id, "cash", amount, at, by)


def refund_of_cancelled(
    bill: Bill, taken_minor: int, gone_minor: int, at: datetime, by: str
) -> Refund:
    """Pay back in cash what was paid in cash of a bill that was cancelled since.

    Parameters
    ----------
    bill : Bill
    taken_minor, gone_minor : int
        What was taken of it in cash, and what of that went back.
    at : datetime
    by : str
        Who pays it out.

    Raises
    ------
    Conflict
        Where the bill is not cancelled, or nothing is left.
    """
    if bill.state is not BillState.CANCELLED:
        raise Conflict("the bill is not cancelled", field="bill_id", reason=bill.state.value)
    left = Money(taken_minor - gone_minor, bill.amount.currency)
    if left.minor <= 0:
        raise Conflict("nothing is left to be paid back", field="bill_id", reason="nothing-left")
    charge = bill.charge
    return Refund(uuid7(), charge.session_id, charge.operator_id, "cash", left, at, by, bill.id)


def refund_of_paid(  # noqa: PLR0917 - of which bill and of what of it, how much, when and by whom
    bill: Bill,
    taken_minor: int,
    gone_minor: int,
    amount: Money,
    at: datetime,
    by: str,
    refund_id: UUID,
) -> Refund:
    """Give back in cash a part or all of what was paid in cash of a bill that stays paid.

    Parameters
    ----------
    bill : Bill
    taken_minor, gone_minor : int
        What was taken of it in cash, and what of that went back.
    amount : Money
    at : datetime
    by : str
        Who pays it out.
    refund_id : UUID
        The sender's own number.

    Raises
    ------
    Conflict
        Where the bill is not paid, or was paid ahead: that goes back with what the stay leaves.
    Invalid
        Where the amount is not above zero, more than is left, or in another currency.
    """
    if bill.state is not BillState.PAID:
        raise Conflict(f"the bill is {bill.state.value}", field="bill_id", reason=bill.state.value)
    if bill.charge.part is not BillPart.STAY:
        raise Conflict("what is paid ahead goes back whole", field="bill_id", reason="ahead")
    left = Money(taken_minor - gone_minor, bill.amount.currency)
    if amount.minor <= 0 or amount > left:
        raise Invalid(
            "must be above zero and at most what is left of what was paid in cash",
            field="amount",
            left=left.as_json(),
        )
    charge = bill.charge
    return Refund(refund_id, charge.session_id, charge.operator_id, "cash", amount, at, by, bill.id)


def in_order(paid: Sequence[tuple[datetime, int]]) -> tuple[tuple[datetime, int], ...]:
    """Give payments in the order of the time that they cover."""
    return tuple(sorted(paid))
