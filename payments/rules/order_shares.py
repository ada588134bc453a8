"""What of one order each of several bills gets: fixed before the channel is asked.

Pure. A payer pays one sum for what a vehicle owes; the sum is the bills' own amounts, so nothing
is spread or rounded, and what one of them does not need any more goes back alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import BillId, PaymentId, uuid7
from city.money import Money
from payments.rules.bills import Bill, BillPart, BillState, check_payable

MOST_MERGED: Final = 20
"""Bills in one order. A channel gives an order back in fifty parts at most
(`channels.MOST_REFUNDS`): two are left for each bill."""


@dataclass(frozen=True, slots=True)
class Share:
    """What of an order is for one bill.

    Parameters
    ----------
    id, order_id : UUID
        Ours, and the order's.
    bill_id : BillId
        What it pays: all that is left of it.
    amount : Money
        Of the order's.
    refunded_minor : int
        What was asked back of it and did not fail.
    payment_id : PaymentId or None
        The payment that it became; of a paid order a share without one was not needed.
    """

    id: UUID
    order_id: UUID
    bill_id: BillId
    amount: Money
    refunded_minor: int = 0
    payment_id: PaymentId | None = None

    @property
    def left(self) -> Money:
        """What of it has not been asked back."""
        return Money(self.amount.minor - self.refunded_minor, self.amount.currency)


def check_together(bills: Collection[Bill]) -> None:
    """Refuse to pay bills at once that are not one vehicle's, or too many.

    Raises
    ------
    Invalid
        For none, more than `MOST_MERGED`, or bills of several vehicles or currencies.
    """
    if not 1 <= len(bills) <= MOST_MERGED:
        raise Invalid(f"name one to {MOST_MERGED} bills", field="links")
    if len({bill.charge.vehicle_id for bill in bills}) > 1:
        raise Invalid("are bills of several vehicles", field="links")
    if len({bill.amount.currency for bill in bills}) > 1:
        raise Invalid("are bills in several currencies", field="links")


def shares_of(order_id: UUID, bills: Sequence[Bill]) -> tuple[Share, ...]:
    """Give each bill all that is left of it as its share of an order.

    Raises
    ------
    Invalid
        As `check_together`.
    Conflict
        Where one of them takes no money, or is only offered, to be paid by itself.
    """
    check_together(bills)
    for bill in bills:
        check_payable(bill)
        if bill.charge.part is BillPart.AHEAD:
            raise Conflict("what is paid ahead is paid by itself", field="bill_id", reason="ahead")
    return tuple(Share(uuid7(), order_id, bill.id, bill.outstanding) for bill in bills)


def total(shares: Sequence[Share]) -> Money:
    """Add shares of one currency up; there is at least one."""
    return Money(sum(each.amount.minor for each in shares), shares[0].amount.currency)


def is_needed(share: Share, bill: Bill) -> bool:
    """Whether a bill needs its share; a part may have been paid by cash since, or all of it."""
    return bill.state is BillState.OPEN and share.amount <= bill.outstanding
