"""Cash for many bills, decided in memory by the same rules as for one, written at once."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from city.errors import Conflict, NotFound
from city.identifiers import BillId, PaymentId
from city.money import Money
from city.works.database import UnitOfWork
from payments.rules.bills import Bill, BillState, Payment, credited, take_cash
from payments.rules.booking import book_payment
from payments.services import Taken, announce_settled
from payments.store import bills as bill_store
from payments.store import ledger as ledger_store
from payments.store import takings

if TYPE_CHECKING:
    from payments.rules.ledger import Entry


class CashRound:
    """Bills while cash is taken for them.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction holds the bills that are read until it ends.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._bills: dict[BillId, Bill] = {}
        self._payments: dict[PaymentId, Payment] = {}
        self._taken: list[Payment] = []
        self._entries: list[Entry] = []
        self._settled: list[tuple[Bill, Payment]] = []

    def load(self, bill_ids: Collection[BillId], payment_ids: Collection[PaymentId]) -> None:
        """Read the bills, and payments that have these numbers already: two statements."""
        if bill_ids:
            connection = self._uow.connection
            self._bills |= bill_store.bills_by_id(connection, bill_ids, lock=True)
            self._payments |= takings.payments_by_id(connection, payment_ids)

    def find_bill(self, bill_id: BillId) -> Bill | None:
        """Give a bill as it stands by now."""
        return self._bills.get(bill_id)

    def take(
        self, bill_id: BillId, tendered: Money, by: str, payment_id: PaymentId, at: datetime
    ) -> Taken:
        """Take cash for all that is left of a bill, as `payments.services.pay_in_cash`.

        Raises
        ------
        NotFound, Conflict, Invalid
            As there.
        """
        bill = self._bills.get(bill_id)
        if bill is None:
            raise NotFound("no such bill", field="bill_id")
        present = self._payments.get(payment_id)
        if present is not None:
            if (present.bill_id, present.tendered, present.taken_by) != (bill_id, tendered, by):
                raise Conflict("was used for another payment", field="payment_id")
            return Taken(present, fresh=False)
        payment = take_cash(bill, tendered, at, by, payment_id)
        paid = credited(bill, payment.amount, payment.taken_at)
        entry = book_payment(payment, bill)
        self._bills[bill_id] = paid
        self._payments[payment_id] = payment
        self._taken.append(payment)
        self._entries.append(entry)
        if paid.state is BillState.PAID:
            self._settled.append((paid, payment))
        return Taken(payment, fresh=True)

    def write(self) -> None:
        """Write what was taken: at most five statements, and the events."""
        connection = self._uow.connection
        takings.add_payments(connection, self._taken)
        bill_ids = sorted({each.bill_id for each in self._taken})
        bill_store.write_states(connection, [self._bills[each] for each in bill_ids])
        ledger_store.add_entries(connection, self._entries)
        for bill, payment in self._settled:
            announce_settled(self._uow, bill, payment)

    def forget_written(self) -> None:
        """Go on from what is written."""
        self._taken.clear()
        self._entries.clear()
        self._settled.clear()
