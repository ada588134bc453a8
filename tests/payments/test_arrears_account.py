"""What is overdue stands among the arrears: a bill's debt is on one account, whatever happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from city.errors import CityError
from city.identifiers import DistrictCode, OperatorId, uuid7
from payments import (
    arrears,
    bill_changes,
    cancelling,
    channel_orders,
    chasing,
    debts,
    disputes,
    periods,
    pos_payments,
    services,
    takeovers,
)
from payments.rules.arrears import ArrearsPolicy, Step, StepKind, is_overdue
from payments.rules.bills import BillState
from payments.rules.booking import book_payment
from payments.rules.debts import account_of_debt
from payments.rules.disputes import DisputeState, Ground
from payments.rules.ledger import arrears_of, earned_by, receivable_of
from tests.payments import agreed
from tests.payments.test_arrears_rules import known
from tests.payments.test_ledger import charge, cny, sums
from tests.payments.test_posted_money import commit

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.identifiers import BillId
    from city.time import FixedClock
    from city.works.database import Database, UnitOfWork
    from payments.rules.bills import Bill

DAY_S: Final = 86_400
PENAL: Final = ArrearsPolicy(
    days_to_pay=10,
    steps=(
        Step(StepKind.PENALTY, 5, share_bp=1_000),
        Step(StepKind.PENALTY, 15, share_bp=500),
    ),
    privileges=frozenset(),
    source="a district's rule",
)


def pass_days(database: Database, clock: FixedClock, days: float) -> None:
    """Let days go by, and the job do what it does each ten minutes."""
    clock.advance(days * DAY_S)
    with database.unit_of_work() as uow:
        debts.fall_overdue(uow)
    with database.unit_of_work() as uow:
        chasing.take_steps(uow, known)


def ruled(uow: UnitOfWork) -> None:
    if not uow.connection.execute(text("select 1 from payments.arrears_policy")).first():
        agreed.rule(uow, DistrictCode("0153"), None, PENAL, "finance-1")


def issued(database: Database) -> Bill:
    with database.unit_of_work() as uow:
        ruled(uow)
        return services.issue_bill(uow, charge(900), "test")


def found(database: Database, bill_id: BillId) -> Bill:
    with database.read() as connection:
        bill = services.find_bill(connection, bill_id)
    assert bill is not None
    return bill


def books(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {account: minor for account, minor in sums(connection).items() if minor}


def test_a_debt_is_moved_once_when_it_falls_overdue_and_all_that_follows_goes_there(
    database: Database, clock: FixedClock
) -> None:
    bill = issued(database)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, cny(100), "lin", part=cny(100))
    pass_days(database, clock, 10)
    assert books(database) == {"receivable": 800, "cash": 100, "revenue": -900}
    pass_days(database, clock, 1)
    pass_days(database, clock, 0)
    assert books(database) == {"arrears": 800, "cash": 100, "revenue": -900}
    pass_days(database, clock, 5)
    assert books(database) == {"arrears": 880, "cash": 100, "revenue": -980}
    with database.unit_of_work() as uow:
        bill_changes.adjust(uow, bill.id, cny(80), "too much", "op-1", "operator")
        services.pay_in_cash(uow, bill.id, cny(300), "lin", part=cny(300))
        asked = bill_changes.ask_write_off(uow, bill.id, "moved abroad", "fin-1")
    with database.unit_of_work() as uow:
        bill_changes.decide_write_off(uow, asked.id, approve=True, by="fin-2")
    assert books(database) == {"cash": 400, "written_off": 500, "revenue": -900}
    with database.read() as connection:
        assert connection.execute(text("select * from payments.unposted()")).all() == []


def test_a_payment_is_checked_by_its_entrys_postings_in_a_database_never_analysed(
    database: Database,
) -> None:
    """By the index over accounts it would read all of an operator's, and keep that plan."""
    with database.unit_of_work() as uow:
        bills = takeovers.issue_bills(uow, [charge(900) for _ in range(400)], "test")
    with database.unit_of_work() as uow:
        for bill in bills[:8]:
            services.pay_in_cash(uow, bill.id, cny(900), "lin", part=cny(900))
        scans = text("select pg_stat_get_xact_numscans('payments.posting_account'::regclass)")
        before = uow.connection.execute(scans).scalar_one()
        uow.connection.execute(text("set constraints all immediate"))
        assert uow.connection.execute(scans).scalar_one() == before


def test_a_dispute_takes_the_debt_off_the_arrears_until_it_is_answered(
    database: Database, clock: FixedClock
) -> None:
    bill = issued(database)
    pass_days(database, clock, 16)
    with database.unit_of_work() as uow:
        opened = disputes.dispute_bill(uow, bill.id, Ground.WRONG_FEE, "", "driver-1")
    assert books(database) == {"receivable": 990, "revenue": -990}
    pass_days(database, clock, 30)
    with database.unit_of_work() as uow:
        held = disputes.resolve(uow, opened.dispute.id, DisputeState.REJECTED, "it is so", "op-1")
    # As long overdue as before, and at once.
    assert held.bill.in_arrears
    assert books(database) == {"arrears": 990, "revenue": -990}
    with database.unit_of_work() as uow:
        again = disputes.dispute_bill(uow, bill.id, Ground.WRONG_FEE, "", "driver-1")
        disputes.resolve(uow, again.dispute.id, DisputeState.UPHELD, "it was wrong", "op-1")
    assert books(database) == {}


def test_a_dispute_before_the_due_date_moves_nothing(database: Database, clock: FixedClock) -> None:
    bill = issued(database)
    with database.unit_of_work() as uow:
        opened = disputes.dispute_bill(uow, bill.id, Ground.WRONG_FEE, "", "driver-1")
    pass_days(database, clock, 30)
    with database.unit_of_work() as uow:
        disputes.resolve(uow, opened.dispute.id, DisputeState.WITHDRAWN, "as it was", "op-1")
    pass_days(database, clock, 10)
    assert books(database) == {"receivable": 900, "revenue": -900}
    pass_days(database, clock, 1)
    assert books(database) == {"arrears": 900, "revenue": -900}


def test_a_cancelled_bill_leaves_the_arrears_whole_whatever_was_booked_there(
    database: Database, clock: FixedClock
) -> None:
    bills = [issued(database) for _ in range(3)]
    pass_days(database, clock, 16)
    with database.unit_of_work() as uow:
        bill_changes.adjust(uow, bills[0].id, cny(40), "too much", "op-1", "operator")
        services.pay_in_cash(uow, bills[0].id, cny(200), "lin", part=cny(200))
        # All but what the penalty added: nothing is left to be moved when that is undone.
        services.pay_in_cash(uow, bills[1].id, cny(900), "lin", part=cny(900))
        # Disputed, its penalty is undone where nothing of it stands any more.
        disputes.dispute_bill(uow, bills[2].id, Ground.OTHER, "", "driver-1")
    for bill in bills:
        with database.unit_of_work() as uow:
            held = services.find_bill(uow.connection, bill.id, lock=True)
            assert held is not None
            after = cancelling.cancel_bill(uow, held, "wrong car", "fin-1")
            assert not after.in_arrears
    # What was paid is owed back, as of any cancelled bill.
    assert books(database) == {"receivable": -1100, "cash": 1100}
    assert [found(database, each.id).in_arrears for each in bills] == [False] * 3
    with database.read() as connection:
        assert connection.execute(text("select * from payments.unposted()")).all() == []


def test_what_went_back_of_a_bill_that_is_cancelled_then_is_owed_back_no_more(
    database: Database,
) -> None:
    bill, number = issued(database), uuid7().hex
    with database.unit_of_work() as uow:
        sale = pos_payments.Sale(bill.id, cny(400), number, "123456789012", "m1", "terminal-1")
        order = pos_payments.take(uow, sale)
        pos_payments.give_back(uow, order, uuid7().hex, cny(100), "half the time", "terminal-1")
        held = services.find_bill(uow.connection, bill.id, lock=True)
        assert held is not None
        cancelling.cancel_bill(uow, held, "wrong car", "fin-1")
    assert books(database) == {"receivable": -300, "clearing": 300}


def test_a_move_stands_in_the_open_period_and_nobody_moves_in_a_closed_one(
    database: Database, clock: FixedClock
) -> None:
    issued(database)
    clock.advance(20 * DAY_S)
    with database.unit_of_work() as uow:
        periods.close(uow, clock.now(), "finance-1")
    pass_days(database, clock, 0)
    assert books(database) == {"arrears": 990, "revenue": -990}
    with database.read() as connection:
        before = services.balances(connection, before_at=clock.now())
        assert {each.kind.value for each in before} == {"receivable", "revenue"}


MOVE: Final = (
    "insert into payments.arrears_move (id, bill_id, amount_minor, currency, in_arrears, moved_at,"
    " reason) values (:new, :bill, 900, 'CNY', true, now(), 'by hand')"
)
MARK: Final = "update payments.bill set in_arrears = not in_arrears where id = :bill"
ISSUED_SO: Final = (
    "insert into payments.bill (id, session_id, vehicle_id, facility_id, district, operator_id,"
    " revenue_nature, tariff_version_id, amount_minor, currency, lines, issued_at, due_at,"
    " state, in_arrears) select :new, :other, vehicle_id, facility_id, district, operator_id,"
    " revenue_nature, tariff_version_id, 700, 'CNY', '[]', now(), now(), 'open', true"
    " from payments.bill where id = :bill"
)
BY_HAND: Final = {
    "a mark without a move": (MARK,),
    "a move without an entry": (MOVE, MARK),
    "a bill issued among the arrears": (ISSUED_SO,),
}


@pytest.mark.parametrize("what", BY_HAND)
@pytest.mark.parametrize("overdue", [False, True])
def test_a_debt_moves_by_no_hand(
    database: Database, clock: FixedClock, what: str, overdue: bool
) -> None:
    bill = issued(database)
    pass_days(database, clock, 11 if overdue else 1)
    with pytest.raises(IntegrityError, match=r"two accounts|no entry of the ledger"):
        commit(database, bill, *BY_HAND[what])


@pytest.mark.parametrize("overdue", [False, True])
def test_what_is_booked_on_the_other_account_is_refused(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, overdue: bool
) -> None:
    bill = issued(database)
    pass_days(database, clock, 11 if overdue else 1)
    monkeypatch.setattr(
        "payments.services.book_payment",
        lambda taken, of: book_payment(taken, replace(of, in_arrears=not of.in_arrears)),
    )
    with (
        pytest.raises(IntegrityError, match="two accounts"),
        database.unit_of_work() as uow,
    ):
        services.pay_in_cash(uow, bill.id, cny(100), "lin", part=cny(100))


class Owing(RuleBasedStateMachine):
    """A bill to which anything happens, in any order, while days go by."""

    database: Database
    clock: FixedClock

    def __init__(self) -> None:
        super().__init__()
        self.payee = OperatorId(uuid7())
        self.earns = earned_by("commercial", self.payee, DistrictCode("0153"))
        self.sales: list[str] = []
        with self.database.unit_of_work() as uow:
            ruled(uow)
            of = replace(charge(900), operator_id=self.payee)
            self.bill_id = services.issue_bill(uow, of, "test").id

    def _done(self, act: Callable[[UnitOfWork], object]) -> bool:
        """Do it, or have it refused as a whole."""
        try:
            with self.database.unit_of_work() as uow:
                act(uow)
        except CityError:
            return False
        return True

    @rule(days=st.sampled_from([0.5, 3, 11]), job=st.booleans())
    def days_go_by(self, days: float, job: bool) -> None:
        if not job:
            self.clock.advance(days * DAY_S)
            return
        pass_days(self.database, self.clock, days)
        bill = found(self.database, self.bill_id)
        assert not bill.outstanding or bill.in_arrears is is_overdue(bill, self.clock.now())

    @rule()
    def it_is_due_at_once(self) -> None:
        self._done(lambda uow: arrears.fall_due(uow, self.bill_id))

    @rule(minor=st.integers(1, 1200))
    def cash_is_taken(self, minor: int) -> None:
        money = cny(minor)
        self._done(lambda uow: services.pay_in_cash(uow, self.bill_id, money, "lin", part=money))

    @rule()
    def all_that_is_left_is_taken(self) -> None:
        self._done(lambda uow: services.pay_in_cash(uow, self.bill_id, cny(5000), "lin"))

    @rule(minor=st.integers(1, 1200))
    def a_terminal_sells(self, minor: int) -> None:
        number = uuid7().hex
        sale = pos_payments.Sale(self.bill_id, cny(minor), number, number[-12:], "m1", "terminal-1")
        if self._done(lambda uow: pos_payments.take(uow, sale)):
            self.sales.append(number)

    @rule(pick=st.integers(0, 3))
    def a_terminal_voids(self, pick: int) -> None:
        if pick < len(self.sales):
            number = self.sales[pick]
            self._done(lambda uow: pos_payments.undo(uow, number, uuid7().hex, "voided", "t-1"))

    @rule(pick=st.integers(0, 3), minor=st.integers(1, 1200))
    def a_terminal_gives_a_part_back(self, pick: int, minor: int) -> None:
        def give(uow: UnitOfWork) -> None:
            order = channel_orders.find_order(uow.connection, self.sales[pick], lock=True)
            assert order is not None
            pos_payments.give_back(uow, order, uuid7().hex, cny(minor), "stood still", "t-1")

        if pick < len(self.sales):
            self._done(give)

    @rule(minor=st.integers(1, 900))
    def it_is_lowered(self, minor: int) -> None:
        off = cny(minor)
        self._done(lambda uow: bill_changes.adjust(uow, self.bill_id, off, "why", "f", "finance"))

    @rule()
    def it_is_disputed(self) -> None:
        self._done(lambda uow: disputes.dispute_bill(uow, self.bill_id, Ground.OTHER, "", "driver"))

    @rule(state=st.sampled_from(list(DisputeState)))
    def its_dispute_is_answered(self, state: DisputeState) -> None:
        with self.database.read() as connection:
            dispute = disputes.of_bills(connection, [self.bill_id]).get(self.bill_id)
        if dispute is not None:
            self._done(lambda uow: disputes.resolve(uow, dispute.id, state, "because", "op-1"))

    @rule()
    def it_is_given_up(self) -> None:
        def ask_and_agree(uow: UnitOfWork) -> None:
            asked = bill_changes.ask_write_off(uow, self.bill_id, "gone", "fin-1")
            bill_changes.decide_write_off(uow, asked.id, approve=True, by="fin-2")

        self._done(ask_and_agree)

    @rule()
    def it_is_cancelled(self) -> None:
        def cancel(uow: UnitOfWork) -> None:
            held = services.find_bill(uow.connection, self.bill_id, lock=True)
            assert held is not None
            if held.state is BillState.DISPUTED:
                return  # by its dispute alone
            cancelling.cancel_bill(uow, held, "wrong", "fin-1")

        self._done(cancel)

    @invariant()
    def its_whole_debt_stands_on_one_account(self) -> None:
        bill = found(self.database, self.bill_id)
        with self.database.read() as connection:
            held = {
                account: services.balance(connection, account).get("CNY", cny(0)).minor
                for account in (receivable_of(self.payee), arrears_of(self.payee), self.earns)
            }
        kept = bill.paid_minor - bill.refunded_minor
        debt = -kept if bill.state is BillState.CANCELLED else bill.outstanding.minor
        earned = held.pop(self.earns)
        assert held.pop(account_of_debt(bill)) == debt
        assert list(held.values()) == [0]
        # Given up, it stays earned.
        assert earned == (0 if bill.state is BillState.CANCELLED else -bill.earned_minor)

    def teardown(self) -> None:
        """All of it is posted, by the database's own account of it."""
        with self.database.read() as connection:
            assert connection.execute(text("select * from payments.unposted()")).all() == []


def test_whatever_happens_to_a_bill_its_debt_stands_on_one_account(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Owing, "database", database, raising=False)
    monkeypatch.setattr(Owing, "clock", clock, raising=False)
    run_state_machine_as_test(
        Owing,
        settings=settings(
            max_examples=30,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
