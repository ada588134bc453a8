"""No money without a posting: what moves some by hand, without an entry, is refused at commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict
from city.identifiers import PaymentId, uuid7
from city.money import Money
from payments import bill_changes, cancelling, services
from payments.rules.bills import Payment
from payments.rules.booking import book_payment
from payments.store import ledger as ledger_store
from payments.store import takings
from tests.payments.test_ledger import charge, cny

if TYPE_CHECKING:
    from city.works.database import Database
    from payments.rules.bills import Bill

PAYMENT: Final = (
    "insert into payments.payment (id, bill_id, channel, amount_minor, currency, tendered_minor,"
    " taken_at, taken_by) values (:new, :bill, 'cash', 300, 'CNY', 300, now(), 'lin')"
)
ORDER: Final = (
    "insert into payments.channel_order (id, bill_id, channel, order_no, merchant, method,"
    " amount_minor, currency, state, opened_at, opened_by, expires_at, channel_no, done_at)"
    " values (:new, :bill, 'wechat', 'ORDER00001', 'm', 'code', 300, 'CNY', {state!r}, now(), 't',"
    " now() + interval '1 hour', 'c1', {done})"
)
OPEN_ORDER: Final = ORDER.format(state="open", done="null")
PAID_ORDER: Final = ORDER.format(state="paid", done="now()")
REFUND: Final = (
    "insert into payments.channel_refund (id, order_id, refund_no, amount_minor, fee_minor, void,"
    " state, asked_at, asked_by, reason, done_at)"
    " values (:other, :new, 'REFUND0001', 100, 0, false, 'done', now(), 't', 'asked', now())"
)
WRITE_OFF: Final = (
    "insert into payments.write_off (id, bill_id, state, amount_minor, currency, reason, asked_at,"
    " asked_by) values (:new, :bill, 'asked', 900, 'CNY', 'gone', now(), 'a')"
)
CASH_REFUND: Final = (
    "insert into payments.refund (id, session_id, operator_id, channel, amount_minor, currency,"
    " refunded_at, refunded_by) select :new, session_id, operator_id, 'cash', 100, 'CNY', now(),"
    " 'lin' from payments.bill where id = :bill"
)
BILL: Final = (
    "insert into payments.bill (id, session_id, vehicle_id, facility_id, district, operator_id,"
    " revenue_nature, tariff_version_id, amount_minor, currency, lines, issued_at, due_at, state)"
    " select :new, :other, vehicle_id, facility_id, district, operator_id, revenue_nature,"
    " tariff_version_id, 700, 'CNY', '[]', now(), now(), 'open' from payments.bill where id = :bill"
)
ADJUSTMENT: Final = (
    "insert into payments.adjustment (id, bill_id, amount_minor, currency, reason, role, made_at,"
    " made_by) values (:new, :bill, 100, 'CNY', 'wrong bay', 'finance', now(), 'f')"
)
BY_HAND: Final = {
    "a payment": (PAYMENT,),
    "a payment that its bill counts": (
        PAYMENT,
        "update payments.bill set paid_minor = 300 where id = :bill",
    ),
    "a refund in cash": (CASH_REFUND,),
    "a bill": (BILL,),
    "a bill cancelled": ("update payments.bill set state = 'cancelled' where id = :bill",),
    "an adjustment": (ADJUSTMENT,),
    "a penalty": (
        (
            "insert into payments.penalty (id, bill_id, amount_minor, currency, at, reason)"
            " values (:new, :bill, 50, 'CNY', now(), 'late')"
        ),
    ),
    "a bill given up": (
        WRITE_OFF,
        (
            "update payments.write_off set state = 'approved', decided_at = now(), decided_by = 'b'"
            " where id = :new"
        ),
    ),
    "an order that is paid as it is written": (PAID_ORDER,),
    "an order that is paid later": (
        OPEN_ORDER,
        "update payments.channel_order set state = 'paid', done_at = now() where id = :new",
    ),
    "a refund through a channel": (
        OPEN_ORDER,
        REFUND.replace("'done', now()", "'asked', now()").replace("now())", "null)"),
        "update payments.channel_refund set state = 'done', done_at = now() where id = :other",
    ),
    "a channel's day": (
        (
            "insert into payments.channel_settlement (id, channel, merchant, day, paid_minor,"
            " refunded_minor, fee_minor, currency, settled_at, settled_by)"
            " values (:new, 'wechat', 'm', '2026-03-01', 500, 0, 3, 'CNY', now(), 't')"
        ),
    ),
    "a difference resolved": (
        (
            "insert into payments.difference (id, channel, day, key, kind, order_no, refund_no,"
            " proposal, certain, effect_minor, currency, detail, state, found_at, resolution,"
            " proposed_by, approved_by, resolved_at) values (:new, 'wechat', '2026-03-01', 'k',"
            " 'amount', 'ORDER00001', '', 'suspense', true, 100, 'CNY', '{}', 'resolved', now(),"
            " 'suspense', 'a', 'b', now())"
        ),
    ),
}
COUNTED: Final = {
    "paid": "update payments.bill set state = 'paid', paid_at = now(), paid_minor = amount_minor",
    "paid in part": "update payments.bill set paid_minor = 1",
    "lowered": "update payments.bill set lowered_minor = 900, state = 'paid', paid_at = now()",
    "penalised": "update payments.bill set penalty_minor = 1",
    "given up": "update payments.bill set state = 'written-off'",
}


def issued(database: Database) -> Bill:
    with database.unit_of_work() as uow:
        return services.issue_bill(uow, charge(900), "test")


def commit(database: Database, bill: Bill, *statements: str, **more: object) -> None:
    given = {"bill": bill.id, "new": uuid7(), "other": uuid7(), **more}
    with database.unit_of_work() as uow:
        for statement in statements:
            uow.connection.execute(text(statement), given)


@pytest.mark.parametrize("what", BY_HAND)
def test_what_moves_money_without_an_entry_is_refused(database: Database, what: str) -> None:
    bill = issued(database)
    with pytest.raises(
        IntegrityError, match=r"no entry of the ledger|what was booked for it stands"
    ):
        commit(database, bill, *BY_HAND[what])
    with database.read() as connection:
        assert services.find_bill(connection, bill.id) == bill


@pytest.mark.parametrize("what", COUNTED)
def test_a_bill_counts_nothing_that_did_not_happen(database: Database, what: str) -> None:
    bill = issued(database)
    with pytest.raises(IntegrityError, match="counts what did not happen"):
        commit(database, bill, COUNTED[what])


def test_a_bill_counts_no_refund_that_did_not_happen(database: Database) -> None:
    bill = issued(database)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, cny(900), "lin")
    with pytest.raises(IntegrityError, match="counts what did not happen"):
        commit(database, bill, "update payments.bill set refunded_minor = 1")


@pytest.mark.parametrize("posted", [300, 299])
def test_an_entry_moves_the_payments_own_amount(database: Database, posted: int) -> None:
    """Written in any order: the fact before its entry, which is what was measured."""
    bill = issued(database)
    now = database.clock.now()
    payment = Payment(PaymentId(uuid7()), bill.id, "cash", cny(300), cny(300), now, "lin")

    def pays() -> None:
        with database.unit_of_work() as uow:
            takings.add_payment(uow.connection, payment)
            entry = book_payment(
                Payment(payment.id, bill.id, "cash", cny(posted), cny(300), now, "lin"), bill
            )
            ledger_store.add_entry(uow.connection, entry)

    if posted == 300:
        pays()
    else:
        with pytest.raises(IntegrityError, match="no entry of the ledger moves -300 CNY"):
            pays()


def test_an_order_names_a_payment_of_its_bill_and_amount(database: Database) -> None:
    bill, other = issued(database), issued(database)
    with database.unit_of_work() as uow:
        taken = services.pay_in_cash(uow, other.id, cny(900), "lin").payment
    with pytest.raises(IntegrityError, match="of another bill or amount"):
        commit(
            database,
            bill,
            PAID_ORDER,
            "update payments.channel_order set payment_id = :taken where id = :new",
            taken=taken.id,
        )


def test_all_that_happened_is_found_posted(database: Database) -> None:
    """What the migration asks of what stands: nothing of a lowered, paid, given up, cancelled."""
    bills = [issued(database) for _ in range(4)]
    with database.unit_of_work() as uow:
        bill_changes.adjust(uow, bills[0].id, Money(100, "CNY"), "too much", "f", "finance")
        services.pay_in_cash(uow, bills[0].id, cny(800), "lin")
        services.pay_in_cash(uow, bills[1].id, cny(900), "lin", part=cny(400))
        cancelling.cancel_bill(uow, bills[2], "wrong car", "f")
        asked = bill_changes.ask_write_off(uow, bills[3].id, "gone abroad", "f")
    with database.unit_of_work() as uow:
        bill_changes.decide_write_off(uow, asked.id, approve=True, by="g")
    with database.unit_of_work() as uow, pytest.raises(Conflict):
        services.pay_in_cash(uow, bills[3].id, cny(900), "lin")
    with database.read() as connection:
        assert connection.execute(text("select * from payments.unposted()")).all() == []
