"""What goes back of a sale at a POS terminal: agreed at the desk, carried out where the card is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from city.errors import CityError, Conflict, Forbidden, NotFound
from city.identifiers import uuid7
from city.people.actors import Actor
from city.people.roles import Role
from journeys import keep_cards, pay_online
from journeys.pay_by_link import give_link
from journeys.request_invoice import issue_invoices, request_invoice
from payments import (
    cancelling,
    cards,
    channel_orders,
    channel_refunds,
    money_back,
    pos_payments,
    services,
)
from payments.adapters.local_invoices import LocalInvoices
from payments.rules.bills import BillState
from payments.rules.channel_orders import RefundState
from payments.rules.invoices import Buyer, Colour
from payments.rules.ledger import clearing_of
from payments.rules.pay_links import Scope
from payments.rules.pos.requests import Code, Original, Target
from payments.store import bills as bill_store
from payments.store import invoices as invoice_store
from payments.store import payments_undone
from tests.journeys.test_pos_terminals import DESK, Town, cny, owing, town

if TYPE_CHECKING:
    from payments.rules.bills import Bill
    from payments.rules.channel_orders import ChannelOrder, ChannelRefund

__all__ = ["town"]
MANAGER = Actor("person", "manager-1", None, frozenset({Role.ADMINISTRATOR}), "manager-1")
WHY = "charged for a bay that was closed"


def order_of(town: Town, bill: Bill) -> ChannelOrder:
    with town.database.read() as connection:
        (order,) = channel_orders.orders_of_bill(connection, bill.id)
    return order


def agreed(town: Town, bill: Bill, minor: int, actor: Actor = DESK) -> ChannelRefund:
    """Have the desk agree that so much goes back."""
    return pay_online.refund_payment(
        town.database, {}, actor, order_of(town, bill).order_no, uuid7().hex, cny(minor), WHY
    )


def refund(town: Town, refund_no: str) -> ChannelRefund:
    with town.database.read() as connection:
        found = channel_refunds.find(connection, refund_no)
    assert found is not None
    return found.refund


def test_what_the_desk_agrees_to_give_back_waits_for_its_card_and_goes_back_once(
    town: Town,
) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 90_000)
    sold = town.sell(terminal, bill)
    reference = sold.message.text(37)
    assert terminal.to_give_back(reference).code == Code.NOT_FOUND
    # More than the terminal may give back by itself: the desk has agreed to it.
    waits = agreed(town, bill, 30_000, MANAGER)
    assert waits.state is RefundState.ASKED
    assert town.clearing_minor() == 90_000  # nothing went back yet, and nothing says so
    told = terminal.to_give_back(reference)
    assert (told.code, told.message.text(4)) == (Code.OK, "000000030000")
    # At another terminal of the merchant, by what it was told.
    other = town.terminal("GB000002")
    assert other.to_give_back(reference).message.text(61) == f"000001{sold.trace:06d}"
    back = other.refund(Original(1, sold.trace), reference, 30_000)
    assert back.code == Code.OK
    assert refund(town, waits.refund_no).state is RefundState.DONE
    assert (town.clearing_minor(), town.bill(bill).refunded_minor) == (60_000, 30_000)
    assert town.bill(bill).state is BillState.PAID
    assert other.to_give_back(reference).code == Code.NOT_FOUND
    # A second time it is the terminal's own, within its own limit.
    assert other.refund(Original(1, sold.trace), reference, 30_000).code == Code.LIMIT
    for each in (terminal, other):
        assert each.settle().message.text(48)[-1] == "1"


def test_never_more_than_was_captured_is_agreed_or_given_back(town: Town) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 9_000)
    sold = town.sell(terminal, bill)
    of = Original(1, sold.trace), sold.message.text(37)
    waits = agreed(town, bill, 6_000)
    with pytest.raises(Conflict):
        agreed(town, bill, 3_001)
    assert terminal.refund(*of, 3_001).code == Code.INVALID
    assert terminal.refund(*of, 3_000).code == Code.OK
    assert terminal.void(of[0], 9_000).code == Code.INVALID
    assert terminal.refund(*of, 6_000).code == Code.OK
    assert refund(town, waits.refund_no).state is RefundState.DONE
    assert (town.clearing_minor(), town.bill(bill).refunded_minor) == (0, 9_000)
    assert terminal.refund(*of, 1).code == Code.INVALID


def test_what_waits_is_withdrawn_unless_it_went_back_or_is_owed(town: Town) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 900)
    sold = town.sell(terminal, bill)
    of = Original(1, sold.trace), sold.message.text(37)
    waits = agreed(town, bill, 900)

    def withdrawn(number: str, actor: Actor = DESK) -> ChannelRefund:
        return pay_online.withdraw_refund(town.database, actor, number, "the driver was wrong")

    with pytest.raises(NotFound):
        withdrawn("N0SUCHREFUND")
    with pytest.raises(Forbidden):
        withdrawn(waits.refund_no, Actor("person", "a", None, frozenset({Role.AUDITOR}), "a"))
    assert [withdrawn(waits.refund_no).state for _ in range(2)] == [RefundState.FAILED] * 2
    assert (terminal.to_give_back(of[1]).code, town.clearing_minor()) == (Code.NOT_FOUND, 900)
    again = agreed(town, bill, 900)
    assert terminal.refund(*of, 900).code == Code.OK
    with pytest.raises(Conflict) as done:
        withdrawn(again.refund_no)
    assert done.value.details["reason"] == "done"
    # What a cancelled bill owes nobody withdraws.
    wrong = owing(town.database, 700)
    assert town.sell(terminal, wrong, 300).code == Code.OK
    with town.database.unit_of_work() as uow:
        channel_orders.hold_orders_of(uow.connection, wrong.id)
        held = bill_store.find_bill(uow.connection, wrong.id, lock=True)
        assert held is not None
        money_back.give_back_cancelled(
            uow, cancelling.cancel_bill(uow, held, "wrong bay", "desk-1"), "desk-1"
        )
    (owed,) = [
        each
        for each in _refunds(town, wrong)
        if each.state is RefundState.ASKED and each.amount == cny(300)
    ]
    with pytest.raises(Conflict) as stays:
        withdrawn(owed.refund_no)
    assert stays.value.details["reason"] == "owed"


def _refunds(town: Town, bill: Bill) -> list[ChannelRefund]:
    order = order_of(town, bill)
    with town.database.read() as connection:
        return channel_refunds.of_orders(connection, [order])[order.id]


def test_a_void_carries_out_what_was_agreed_to_go_back_whole(town: Town) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 900)
    sold = town.sell(terminal, bill)
    waits = agreed(town, bill, 900)
    assert terminal.void(Original(1, sold.trace), 900).code == Code.OK
    assert refund(town, waits.refund_no).state is RefundState.DONE
    # Agreed to go back, it stays paid: the driver owes nothing again.
    assert (town.bill(bill).state, town.clearing_minor()) == (BillState.PAID, 0)
    assert terminal.settle().message.text(48)[-1] == "1"


@pytest.mark.parametrize("by_card", [False, True])
def test_a_void_that_was_reversed_is_made_again_and_a_sale_so_kept_is_refunded(
    town: Town, by_card: bool
) -> None:
    terminal = town.terminal()
    bills = [owing(town.database, 900), owing(town.database, 700)]
    reader = given_card(town, 5_000) if by_card else ""

    def sold(bill: Bill) -> tuple[Original, str]:
        if reader:
            answered = terminal.sale(Target(bill_id=bill.id), bill.amount.minor, reader=reader)
        else:
            answered = town.sell(terminal, bill)
        assert answered.code == Code.OK
        return Original(1, answered.trace), answered.message.text(37)

    def void_without_an_answer(original: Original, minor: int) -> None:
        assert terminal.void(original, minor).code == Code.OK
        done = terminal.memory.done[-1]
        terminal.memory.pending = (done.kind, done.trace, done.amount_minor)
        reversed_ = terminal.recover()
        assert reversed_ is not None
        assert reversed_.code == Code.OK

    first, _ = sold(bills[0])
    for _ in range(2):
        void_without_an_answer(first, 900)
        assert town.bill(bills[0]).state is BillState.PAID
    assert terminal.void(first, 900).code == Code.OK
    assert town.bill(bills[0]).state is BillState.OPEN
    second, reference = sold(bills[1])
    void_without_an_answer(second, 700)
    assert terminal.refund(second, reference, 300).code == Code.OK
    assert terminal.refund(second, reference, 401).code == Code.INVALID
    assert town.bill(bills[1]).refunded_minor == 300
    assert terminal.settle().message.text(48)[-1] == "1"


def given_card(town: Town, minor: int) -> str:
    with town.database.unit_of_work() as uow:
        issued = cards.issue(uow, "attendant-1", None)
        cards.top_up_in_cash(uow, issued.card.id, cny(minor), "attendant-1")
        keep_cards.bind_reader(uow, DESK, issued.card.number, issued.code, "04A1B2C3")
    return "04A1B2C3"


def test_a_void_takes_the_invoices_of_its_bill_back(town: Town) -> None:
    terminal, provider = town.terminal(), LocalInvoices(town.database)
    bill = owing(town.database, 900)
    parts = [town.sell(terminal, bill, minor) for minor in (500, 400)]
    with town.database.unit_of_work() as uow:
        link = give_link(uow, bill.id, Scope.WHOLE)
    request_invoice(town.database, provider, link, Buyer("张三"))
    assert issue_invoices(town.database, provider) == 0
    assert terminal.void(Original(1, parts[0].trace), 500).code == Code.OK
    assert issue_invoices(town.database, provider) == 1
    with town.database.read() as connection:
        papers = invoice_store.of_bill(connection, bill.id)
    assert [(each.colour, each.amount.minor) for each in papers] == [
        (Colour.BLUE, 900),
        (Colour.RED, 500),
    ]
    # Two papers of which more is taken back than one of them holds.
    assert terminal.void(Original(1, parts[1].trace), 400).code == Code.OK
    assert town.sell(terminal, bill, 300).code == Code.OK
    assert town.sell(terminal, bill, 600).code == Code.OK
    assert issue_invoices(town.database, provider) == 0


# --- what the database holds by itself ---

REOPEN = (
    "update payments.bill set state = 'open', paid_at = null, paid_minor = :left where id = :id"
)


def reopened(town: Town, bill: Bill, left: int, more: str = "") -> None:
    with town.database.unit_of_work() as uow:
        if more:
            uow.connection.execute(text(more), {"id": bill.id})
        uow.connection.execute(text(REOPEN), {"id": bill.id, "left": left})


def test_a_bill_is_owed_again_by_a_payment_that_was_taken_back_alone(town: Town) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 900)
    assert town.sell(terminal, bill).code == Code.OK
    for left in (0, 1, 899):
        with pytest.raises(IntegrityError):
            reopened(town, bill, left)
    # A refund that went back opens nothing.
    reference = f"RRN{town.sales:09d}"
    trace = terminal.memory.done[-1].trace
    assert terminal.refund(Original(1, trace), reference, 900).code == Code.OK
    with pytest.raises(IntegrityError):
        reopened(town, bill, 0)
    assert town.bill(bill).state is BillState.PAID


def undone(town: Town, payment_of: Bill, bill: Bill, refund_id: Any, minor: int) -> None:
    """Claim that a payment was taken back, as somebody with the database's word alone would."""
    payment_id = order_of(town, payment_of).payment_id
    assert payment_id is not None
    with town.database.unit_of_work() as uow:
        payments_undone.add_undone(
            uow.connection, payment_id, bill.id, refund_id, minor, uow.clock.now(), "nobody"
        )
        uow.connection.execute(text(REOPEN), {"id": bill.id, "left": 900 - minor})


def undone_without_a_posting(town: Town, bill: Bill) -> None:
    order = order_of(town, bill)
    assert order.payment_id is not None
    with town.database.unit_of_work() as uow:
        void = pos_payments.voiding(uow, order, uuid7().hex, "nothing posted", "nobody")
        channel_refunds.add(uow.connection, void)
        uow.connection.execute(
            text("update payments.channel_order set refunded_minor = 900 where id = :id"),
            {"id": order.id},
        )
        payments_undone.add_undone(
            uow.connection, order.payment_id, bill.id, void.id, 900, uow.clock.now(), "nobody"
        )
        uow.connection.execute(text(REOPEN), {"id": bill.id, "left": 0})


def test_what_says_that_a_payment_was_taken_back_has_to_be_true(town: Town) -> None:
    terminal = town.terminal()
    bill, other, gone = (owing(town.database, 900) for _ in range(3))
    for each in (bill, other, gone):
        assert town.sell(terminal, each).code == Code.OK
    trace = terminal.memory.done[-1].trace
    assert terminal.refund(Original(1, trace), f"RRN{town.sales:09d}", 900).code == Code.OK
    (sent,) = _refunds(town, gone)
    claims = [
        (gone, gone, sent.id, 900),  # a refund is no void
        (bill, other, sent.id, 900),  # another bill
        (bill, bill, sent.id, 900),  # another order's
        (gone, gone, sent.id, 500),  # a part
    ]
    for claim in claims:
        with pytest.raises(IntegrityError):
            undone(town, *claim)
    # True in all but the ledger: refused when it is committed.
    with pytest.raises((IntegrityError, CityError)):
        undone_without_a_posting(town, bill)
    assert town.bill(bill).state is BillState.PAID


def test_what_was_taken_back_is_kept_and_changed_by_nobody(town: Town) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 900)
    sold = town.sell(terminal, bill)
    assert terminal.void(Original(1, sold.trace), 900).code == Code.OK
    assert town.bill(bill).state is BillState.OPEN
    for change in (
        "delete from payments.payment_undone where bill_id = :id",
        "update payments.payment_undone set amount_minor = 1 where bill_id = :id",
    ):
        with pytest.raises(IntegrityError), town.database.unit_of_work() as uow:
            uow.connection.execute(text(change), {"id": bill.id})
    # Paid again, it is not opened by the old word: that payment stands.
    assert town.sell(terminal, bill).code == Code.OK
    with pytest.raises(IntegrityError):
        reopened(town, bill, 0)
    with town.database.read() as connection:
        assert services.balance(connection, clearing_of("pos"))["CNY"] == cny(900)
