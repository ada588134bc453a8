"""What is done about unpaid bills, when: as the region's policy says, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from city.errors import Conflict, Forbidden, Invalid
from city.identifiers import DistrictCode
from payments import arrears, bill_changes, chasing, debts, disputes, services
from payments.adapters.local_post import LocalPost
from payments.chasing import About
from payments.rules.arrears import (
    DEFAULT_POLICY,
    ArrearsPolicy,
    Medium,
    Step,
    StepKind,
    next_step_at,
    penalty_of,
    steps_due,
    steps_left_out,
)
from payments.rules.bills import BillState, issue
from payments.rules.disputes import DisputeState, Ground
from payments.rules.notices import NoticeState
from payments.store import bills as bill_store
from tests.payments import agreed
from tests.payments.test_ledger import AT, charge, cny, sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from city.identifiers import BillId
    from city.time import FixedClock
    from city.works.database import Database
    from payments.rules.bills import Bill

DAY_S = 86_400
STRICT = ArrearsPolicy(
    days_to_pay=10,
    steps=(
        Step(StepKind.REMINDER, -3, (Medium.MESSAGE,)),
        Step(StepKind.NOTICE, 5, (Medium.LETTER, Medium.SLIP)),
        Step(StepKind.PENALTY, 10, share_bp=1_000, most_minor=80),
        Step(StepKind.COURT, 20),
    ),
    privileges=frozenset(),
    source="a district's rule",
)


def known(_connection: Connection, bills: Sequence[Bill]) -> Mapping[BillId, About]:
    return {bill.id: About({"zh": "滨江路", "en": "Riverside"}, ("driver-1",)) for bill in bills}


def send(database: Database) -> list[tuple[Medium, NoticeState]]:
    post = LocalPost(database)
    with database.read() as connection:
        waiting = chasing.notices_to_send(connection)
    done = []
    for notice in waiting:
        receipt = post.send(notice)
        assert post.send(notice) == receipt
        with database.unit_of_work() as uow:
            assert chasing.keep_receipt(uow, notice, receipt, post.name)
            assert not chasing.keep_receipt(uow, notice, receipt, post.name)
        done.append((notice.medium, receipt.state))
    return done


def chase(database: Database) -> None:
    with database.unit_of_work() as uow:
        debts.fall_overdue(uow)
        chasing.take_steps(uow, known)


@given(st.lists(st.integers(-5, 130), min_size=1, max_size=6))
def test_whenever_the_clock_is_looked_at_no_step_is_taken_twice_or_out_of_turn(
    days: list[int],
) -> None:
    bill = issue(charge(900), AT)
    taken: set[int] = set()
    told: list[int] = []
    for day in sorted(days):
        due = steps_due(bill, DEFAULT_POLICY, taken, bill.due_at + timedelta(days=day))
        left_out = steps_left_out(due, taken)
        assert not taken & {*due, *left_out}
        taken |= {*due, *left_out}
        told += due
        at = next_step_at(bill, DEFAULT_POLICY, taken)
        assert at is None or at > bill.due_at + timedelta(days=day)
    assert told == sorted(told)


def test_a_server_that_stood_still_tells_a_driver_once() -> None:
    bill = issue(charge(900), AT)
    due = steps_due(bill, DEFAULT_POLICY, (), bill.due_at + timedelta(days=40))
    assert [DEFAULT_POLICY.steps[place].kind for place in due] == [StepKind.NOTICE]
    assert steps_left_out(due, ()) == (0, 1)


def test_penalties_bear_no_penalties_and_end_at_their_limit() -> None:
    bill = issue(charge(555), AT)
    half = Step(StepKind.PENALTY, 1, share_bp=1_000)
    late = replace(bill, penalty_minor=55)
    both = [penalty_of(each, half, AT) for each in (bill, late)]
    assert [each.amount for each in both if each] == [cny(55), cny(55)]
    assert penalty_of(replace(bill, paid_minor=555), half, AT) is None
    with pytest.raises(Invalid, match="reminders"):
        Step(StepKind.NOTICE, -1, (Medium.LETTER,))
    with pytest.raises(Invalid, match="in the order"):
        replace(STRICT, steps=STRICT.steps[::-1])


def test_a_bill_is_reminded_of_noticed_penalised_and_ready_for_a_court(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        agreed.rule(uow, DistrictCode("0153"), None, STRICT, "finance-1")
        bill = services.issue_bill(uow, charge(900), "test")
    assert bill.due_at == bill.issued_at + timedelta(days=10)
    chase(database)
    assert send(database) == []
    clock.advance(7 * DAY_S)
    chase(database)
    chase(database)
    assert send(database) == [(Medium.MESSAGE, NoticeState.DELIVERED)]
    clock.advance(8 * DAY_S)
    chase(database)
    assert send(database) == [(Medium.LETTER, NoticeState.DELIVERED)]
    with database.unit_of_work() as uow:
        (slip,) = arrears.owed_by(uow.connection, [bill.charge.vehicle_id]).slips
        assert "京" not in slip.text
        assert "¥9.00" in slip.text
        left = chasing.hand_over_slip(uow, slip.id, "A1", "lin")
        assert left.proof == {"by": "lin", "where": "A1"}
        with pytest.raises(Conflict, match="left already"):
            chasing.hand_over_slip(uow, slip.id, "A1", "lin")
    clock.advance(20 * DAY_S)
    chase(database)
    chase(database)
    with database.unit_of_work() as uow:
        case = arrears.case_of(uow.connection, bill.id)
        assert [each.amount for each in case.penalties] == [cny(80)]
        assert [step.kind.value for step in case.steps] == [
            "reminder",
            "notice",
            "penalty",
            "court",
        ]
        assert case.bill.outstanding == cny(980)
        assert sums(uow.connection) == {"receivable": 0, "arrears": 980, "revenue": -980}
        services.pay_in_cash(uow, bill.id, cny(1000), "lin")
        assert sums(uow.connection) == {
            "receivable": 0,
            "arrears": 0,
            "revenue": -980,
            "cash": 980,
        }
        assert arrears.owed_by(uow.connection, [bill.charge.vehicle_id]).bills == ()


def test_a_dispute_stops_the_clock_and_undoes_all_where_it_is_upheld(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        agreed.rule(uow, None, None, STRICT, "finance-1")
        bill = services.issue_bill(uow, charge(900), "test")
    clock.advance(21 * DAY_S)
    chase(database)
    with database.unit_of_work() as uow:
        bill_changes.adjust(uow, bill.id, cny(100), "half the time", "op-1", "operator")
        opened = disputes.dispute_bill(uow, bill.id, Ground.NOT_PARKED, "", "driver-1")
    clock.advance(30 * DAY_S)
    chase(database)
    with database.unit_of_work() as uow:
        case = arrears.case_of(uow.connection, bill.id)
        assert [step.kind for step in case.steps][-1] is StepKind.PENALTY
        assert arrears.overdue(uow.connection, clock.now())[0] == []
        with pytest.raises(Conflict, match="frozen"):
            bill_changes.adjust(uow, bill.id, cny(1), "not now", "op-1", "operator")
        disputes.resolve(uow, opened.dispute.id, DisputeState.UPHELD, "so it was", "op-1")
        assert sums(uow.connection) == {"receivable": 0, "arrears": 0, "revenue": 0}


def test_a_bill_is_paid_in_parts_and_by_no_more_than_is_left(database: Database) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(900), "test")
        first = services.pay_in_cash(uow, bill.id, cny(500), "lin", part=cny(400)).payment
        assert first.change == cny(100)
        found = services.find_bill(uow.connection, bill.id)
        assert found is not None
        assert (found.state, found.outstanding) == (BillState.OPEN, cny(500))
        with pytest.raises(Invalid, match="at most what is left"):
            services.pay_in_cash(uow, bill.id, cny(900), "lin", part=cny(501))
        last = services.pay_in_cash(uow, bill.id, cny(500), "lin").payment
        assert services.payment_of_bill(uow.connection, bill.id) == last
        assert sums(uow.connection) == {"receivable": 0, "revenue": -900, "cash": 900}
        after = services.find_bill(uow.connection, bill.id)
        assert after is not None
        assert after.state is BillState.PAID


def test_what_a_vehicle_owes_stops_at_no_page(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bill_store, "LARGEST_PAGE", 2)
    with database.unit_of_work() as uow:
        one = services.issue_bill(uow, charge(900), "test")
        for _ in range(4):
            services.issue_bill(uow, replace(charge(100), vehicle_id=one.charge.vehicle_id), "test")
        owed = arrears.owed_by(uow.connection, [one.charge.vehicle_id])
        assert (len(owed.bills), owed.total()) == (5, [cny(1300)])


def test_the_bills_of_one_vehicle_are_paid_at_once_or_not_at_all(database: Database) -> None:
    with database.unit_of_work() as uow:
        one = services.issue_bill(uow, charge(900), "test")
        same = replace(charge(300), vehicle_id=one.charge.vehicle_id)
        two = services.issue_bill(uow, same, "test")
        other = services.issue_bill(uow, charge(100), "test")
        both = [one.id, two.id]
        assert arrears.owed_by(uow.connection, [one.charge.vehicle_id]).total() == [cny(1200)]
        for wrong, tendered, why in (
            (both, cny(1199), "less than"),
            ([*both, other.id], cny(9999), "more than one vehicle"),
            ([one.id, one.id], cny(9999), "each once"),
        ):
            with pytest.raises(Invalid, match=why):
                arrears.pay_several(uow, wrong, tendered, "lin")
        taken = arrears.pay_several(uow, both, cny(1500), "lin")
        assert [(each.amount, each.change) for each in taken] == [
            (cny(900), cny(0)),
            (cny(300), cny(300)),
        ]
        with pytest.raises(Conflict, match="already paid"):
            arrears.pay_several(uow, both, cny(1500), "lin")


def test_who_lowers_a_bill_says_why_and_stays_within_their_role(database: Database) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(9000), "test")
        bill_changes.adjust(uow, bill.id, cny(3000), "wrong sign", "op-1", "operator")
        with pytest.raises(Forbidden, match="finance desk"):
            bill_changes.adjust(uow, bill.id, cny(2001), "more", "op-1", "operator")
        with pytest.raises(Invalid, match="must say why"):
            bill_changes.adjust(uow, bill.id, cny(1), " ", "fin-1", "finance")
        with pytest.raises(Forbidden):
            bill_changes.adjust(uow, bill.id, cny(1), "because", "lin", "attendant")
        _, after = bill_changes.adjust(uow, bill.id, cny(6000), "court", "fin-1", "finance")
        assert after.state is BillState.PAID
        assert sums(uow.connection) == {"receivable": 0, "revenue": 0}


def test_two_people_give_a_bill_up_and_the_loss_is_seen(database: Database) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(900), "test")
        services.pay_in_cash(uow, bill.id, cny(400), "lin", part=cny(400))
        asked = bill_changes.ask_write_off(uow, bill.id, "moved abroad", "fin-1")
        with pytest.raises(Conflict, match="has asked"):
            bill_changes.ask_write_off(uow, bill.id, "moved abroad", "fin-2")
        with pytest.raises(Forbidden, match="second person"):
            bill_changes.decide_write_off(uow, asked.id, approve=True, by="fin-1")
        services.pay_in_cash(uow, bill.id, cny(100), "lin", part=cny(100))
        with pytest.raises(Conflict, match="has changed"):
            bill_changes.decide_write_off(uow, asked.id, approve=True, by="fin-2")
        bill_changes.decide_write_off(uow, asked.id, approve=False, by="fin-2")
        again = bill_changes.ask_write_off(uow, bill.id, "moved abroad", "fin-1")
        _, after = bill_changes.decide_write_off(uow, again.id, approve=True, by="fin-2")
        assert (after.state, after.outstanding) == (BillState.WRITTEN_OFF, cny(0))
        assert sums(uow.connection) == {
            "receivable": 0,
            "revenue": -900,
            "cash": 500,
            "written_off": 400,
        }
        with pytest.raises(Conflict, match="written off"):
            services.pay_in_cash(uow, bill.id, cny(400), "lin")
        open_bills = uow.connection.execute(
            text("select count(*) from payments.bill where state = 'open'")
        )
        assert open_bills.scalar_one() == 0
