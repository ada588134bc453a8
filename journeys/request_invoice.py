"""Invoices and receipts: asked for by who holds the bill's link, taken back where money went back.

The provider is spoken to outside transactions: a paper is kept as asked first, and asked for again
each minute until the provider has issued it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from pydantic import JsonValue

from city.audit import record
from city.errors import Forbidden, NotFound, Unavailable
from city.identifiers import BillId
from city.money import Money
from city.people.actors import Actor, system_actor
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from journeys.pay_by_link import PAYER, open_link
from parking.rules.places.model import Operator
from parking.services.place_keeping import operators_by_id
from payments import services as payments
from payments.rules.bills import Bill
from payments.rules.invoices import (
    Buyer,
    Invoice,
    InvoiceKind,
    InvoiceProvider,
    Paid,
    ask_blue,
    ask_reds,
    invoiced_minor,
    kind_of,
)
from payments.rules.pay_links import Scope
from payments.store import bills as bill_store
from payments.store import invoices as store
from payments.store import takings

log = structlog.get_logger("payments")

TASK: Final = "payments.issue_invoices"
ACTOR: Final = system_actor("payments.invoices")
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Papers:
    """A bill's papers, and what may still be invoiced."""

    kind: InvoiceKind
    items: list[Invoice]
    left: Money


@dataclass(frozen=True, slots=True)
class Shown:
    """One paper with who sold what, to be printed."""

    invoice: Invoice
    original: Invoice | None
    """The blue one that a red one takes back."""
    seller: Operator | None


def papers(uow: UnitOfWork, link: str) -> Papers:
    """Give the papers of a link's bill.

    Raises
    ------
    NotFound
        Where the link is none of ours.
    Forbidden
        Where it was found by a plate: who paid for another's car is not shown whose bill it is.
    """
    bill = _bill(uow, link)
    items = store.of_bill(uow.connection, bill.id)
    left = max(0, _paid(uow, bill).kept.minor - invoiced_minor(items))
    return Papers(kind_of(bill.charge.revenue_nature), items, Money(left, bill.amount.currency))


def paper(uow: UnitOfWork, link: str, invoice_id: UUID) -> Shown:
    """Give one paper of a link's bill; as `papers`, NotFound where it is none of its."""
    items = {each.id: each for each in papers(uow, link).items}
    found = items.get(invoice_id)
    if found is None:
        raise NotFound("the bill has no such invoice", field="invoice_id")
    sellers = operators_by_id(uow.connection, [found.seller_id])
    original = None if found.of is None else items.get(found.of)
    return Shown(found, original, sellers.get(found.seller_id))


def request_invoice(
    database: Database, provider: InvoiceProvider, link: str, buyer: Buyer
) -> Invoice:
    """Ask for a paper over all that was paid, kept and is not invoiced yet.

    Returns
    -------
    Invoice
        Issued; as it was asked for where the provider does not answer now.

    Raises
    ------
    NotFound, Forbidden
        As `papers`.
    Conflict
        Where nothing is left to be invoiced.
    """
    with database.unit_of_work() as uow:
        bill_id = _bill(uow, link).id
        bill = _locked(uow, bill_id)
        known = store.of_bill(uow.connection, bill_id)
        asked = ask_blue(_paid(uow, bill), known, buyer, uow.clock.now())
        _keep(uow, PAYER, asked)
    _issue(database, provider, asked)
    with database.read() as connection:
        return next(each for each in store.of_bill(connection, bill_id) if each.id == asked.id)


def issue_invoices(database: Database, provider: InvoiceProvider) -> int:
    """Take back what stands invoiced above what was kept, issue what waits; count the papers."""
    with database.read() as connection:
        over = store.bills_over(connection, _AT_ONCE)
    for bill_id in over:
        with database.unit_of_work() as uow:
            bill = _locked(uow, bill_id)
            known = store.of_bill(uow.connection, bill_id)
            for red in ask_reds(_paid(uow, bill), known, uow.clock.now()):
                _keep(uow, ACTOR, red)
    with database.read() as connection:
        waiting = store.asked(connection, _AT_ONCE)
    return sum(_issue(database, provider, each) for each in waiting)


def task(database: Database, provider: InvoiceProvider) -> Task:
    """Give the task that issues what waits, and takes back what was refunded; each minute."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        issue_invoices(database, provider)

    return Task(TASK, handle, every="* * * * *")


def _issue(database: Database, provider: InvoiceProvider, asked: Invoice) -> bool:
    try:
        issued = provider.issue(asked)
    except Unavailable as refused:
        log.warning("an invoice waits for its provider", reason=str(refused))
        return False
    with database.unit_of_work() as uow:
        if not store.complete(uow.connection, asked.id, issued, provider.name):
            return False  # another was faster
        record(
            uow,
            ACTOR,
            "payments.invoice_issued",
            "invoice",
            str(asked.id),
            {"serial": issued.serial, "colour": asked.colour.value},
        )
    return True


def _keep(uow: UnitOfWork, actor: Actor, asked: Invoice) -> None:
    store.add(uow.connection, asked)
    record(
        uow,
        actor,
        "payments.invoice_asked",
        "invoice",
        str(asked.id),
        {
            "bill_id": str(asked.bill_id),
            "kind": asked.kind.value,
            "colour": asked.colour.value,
            "amount": asked.amount.as_json(),
        },
    )


def _bill(uow: UnitOfWork, text: str) -> Bill:
    link = open_link(uow, text)
    if link.scope is not Scope.WHOLE:
        raise Forbidden("an invoice is asked for by the link that came with the bill")
    bill = payments.find_bill(uow.connection, link.bill_id)
    if bill is None:
        raise NotFound("there is no such bill", field="link")
    return bill


def _locked(uow: UnitOfWork, bill_id: BillId) -> Bill:
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("there is no such bill", field="link")
    return bill


def _paid(uow: UnitOfWork, bill: Bill) -> Paid:
    # What was not asked for in cash was never paid.
    money_minor = bill.paid_minor - takings.rounded_of_bill(uow.connection, bill.id)
    kept = Money(money_minor - bill.refunded_minor, bill.amount.currency)
    return Paid(bill.id, bill.charge.revenue_nature, bill.charge.operator_id, kept)
