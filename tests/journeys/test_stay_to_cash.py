"""The whole way with real servers: sensor, stay, plate, fee, bill, cash, ledger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import ParkingSessionId, PaymentId, uuid7
from city.money import Money
from city.vehicles import PlateKind, PlateNumber, parse_plate
from city.works.jobs import Worker
from journeys import settle_stay
from journeys.attach_vehicle import AttachWarning, attach_vehicle
from journeys.take_payment import take_payment
from parking.rules.stays import StayState
from parking.services import stays
from payments import services as payments
from payments.rules.bills import Bill, BillState
from payments.rules.ledger import AccountKind, cash_of, earned_by, receivable_of

if TYPE_CHECKING:
    from parking.rules.occupancy.history import BayChange
    from parking.rules.stays import ParkingSession
    from tests.journeys.conftest import Street

BLUE = parse_plate("京A12345", PlateKind.BLUE7)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def apply(street: Street, *changes: BayChange) -> stays.Applied:
    with street.database.unit_of_work() as uow:
        return stays.apply_bay_changes(uow, changes)


def sessions(street: Street) -> list[ParkingSession]:
    with street.database.read() as connection:
        return sorted(stays.page(connection).items, key=lambda each: each.stay.opened_at)


def attach(street: Street, session_id: ParkingSessionId, plate: PlateNumber = BLUE) -> None:
    with street.database.unit_of_work() as uow:
        attach_vehicle(uow, street.attendant, session_id, plate)


def run_jobs(street: Street) -> None:
    Worker(street.url, [settle_stay.task(street.database)], database=street.database).drain()


def bills(street: Street) -> list[Bill]:
    with street.database.read() as connection:
        return sorted(payments.bills(connection).items, key=lambda bill: bill.issued_at)


def billed(street: Street, minutes: float = 61, plate: PlateNumber = BLUE) -> Bill:
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id, plate)
    street.clock.advance(minutes * 60)
    apply(street, street.change(minutes, ("free", minutes)))
    run_jobs(street)
    return bills(street)[0]


def test_a_car_that_leaves_gets_one_explained_bill_and_pays_it_in_cash(street: Street) -> None:
    bill = billed(street)
    assert bill.amount == cny(900)
    assert [(line["units"], line["minor"]) for line in bill.charge.lines] == [(3, 900)]
    assert (bill.due_at - bill.issued_at).days == 30
    assert sessions(street)[0].bill_id == bill.id
    with street.database.unit_of_work() as uow:
        payment = take_payment(uow, street.attendant, bill.id, cny(1000))
    assert payment.change == cny(100)
    assert bills(street)[0].state is BillState.PAID
    with street.database.read() as connection:
        operator_id = street.facility.operator_id
        assert payments.balance(connection, cash_of("attendant-1")) == {"CNY": cny(900)}
        assert payments.balance(connection, receivable_of(operator_id)) == {"CNY": cny(0)}
        treasury = earned_by("public_non_tax", operator_id, street.facility.district)
        assert payments.balance(connection, treasury) == {"CNY": cny(-900)}
        assert payments.balances(connection, AccountKind.REVENUE) == {}


def test_a_stay_without_a_vehicle_closes_unattributed_and_unbilled(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0), ("free", 90)))
    run_jobs(street)
    (session,) = sessions(street)
    assert session.stay.state is StayState.UNATTRIBUTED
    assert bills(street) == []


def test_changes_applied_twice_and_events_handled_twice_bill_once(street: Street) -> None:
    first = street.change(0, ("occupied", 0))
    apply(street, first)
    attach(street, sessions(street)[0].id)
    street.clock.advance(3600)
    last = street.change(60, ("free", 60))
    assert apply(street, last).announced == 1
    assert apply(street, first, last) == stays.Applied(0, 0, 0, 0)
    run_jobs(street)
    with street.database.unit_of_work() as uow:
        again = settle_stay.settle_stay(uow, sessions(street)[0].id)
    assert again is not None
    assert [bill.id for bill in bills(street)] == [again.id]


def test_a_departure_that_may_be_a_flicker_is_billed_only_once_it_is_certain(
    street: Street,
) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id)
    street.clock.advance(3600)
    assert apply(street, street.change(60, ("free", 60), provisional=True)).announced == 0
    apply(street, street.change(60))
    assert sessions(street)[0].stay.state is StayState.OPEN
    apply(street, street.change(61, ("free", 61), provisional=True))
    assert apply(street, street.change(None, bay=0)).announced == 1
    run_jobs(street)
    assert bills(street)[0].amount == cny(900)


def test_a_departure_that_nobody_confirms_is_announced_by_the_sweep(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id)
    apply(street, street.change(60, ("free", 60), provisional=True))
    street.clock.advance(3600 + 60)
    with street.database.unit_of_work() as uow:
        assert stays.announce_settled(uow) == 0
    street.clock.advance(600)
    with street.database.unit_of_work() as uow:
        assert stays.announce_settled(uow) == 1


def test_the_next_car_is_another_stay_and_a_bay_never_has_two(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id)
    apply(street, street.change(30, ("free", 30), ("occupied", 30.2)))
    first, second = sessions(street)
    assert (first.stay.closed_at, second.stay.opened_at) == (street.at(30), street.at(30.2))
    assert second.stay.vehicle_id is None
    with (
        pytest.raises(IntegrityError, match="parking_session_no_overlap"),
        street.database.unit_of_work() as uow,
    ):
        uow.connection.execute(
            text("update parking.parking_session set opened_at = :at where id = :id"),
            {"at": street.at(20), "id": second.id},
        )


def test_many_bays_change_in_one_batch(street: Street) -> None:
    changes = [street.change(n, ("occupied", n), ("free", n + 50), bay=n) for n in range(3)]
    assert apply(street, *changes).opened == 3
    again = [street.change(n + 49, ("free", n + 49), bay=n) for n in range(3)]
    assert apply(street, *again) == stays.Applied(0, 3, 0, 0)
    assert apply(street, *[street.change(0, bay=n) for n in range(3)]).annulled == 3
    assert sessions(street) == []


def test_the_statements_of_a_batch_do_not_grow_with_its_bays(street: Street) -> None:
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(street.database.engine, "before_cursor_execute", note)
    counts = []
    for bays in (1, 3):
        for minute, state in ((bays * 100, "occupied"), (bays * 100 + 50, "free")):
            changes = [street.change(minute, (state, minute), bay=bay) for bay in range(bays)]
            statements.clear()
            apply(street, *changes)
            counts.append(len(statements))
    event.remove(street.database.engine, "before_cursor_execute", note)
    assert counts[:2] == counts[2:]
    assert max(counts) <= 7


def test_the_tariff_version_in_force_at_the_arrival_is_pinned(
    street: Street, tariff: dict[str, Any]
) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    (schedule,) = tariff["schedules"]
    charge = {"kind": "entry", "price_minor": 2000}
    bands = [{**band, "charge": charge} for band in schedule["bands"]]
    street.publish({**tariff, "schedules": [{**schedule, "bands": bands}]}, 10)
    attach(street, sessions(street)[0].id)
    apply(street, street.change(60, ("free", 60), ("occupied", 70)))
    attach(street, sessions(street)[1].id, parse_plate("京B23456", PlateKind.BLUE7))
    apply(street, street.change(130, ("free", 130)))
    street.clock.advance(130 * 60)
    run_jobs(street)
    assert sorted(bill.amount.minor for bill in bills(street)) == [600, 2000]


def test_an_emergency_vehicle_gets_a_bill_over_nothing_that_says_why(street: Street) -> None:
    plate = parse_plate("京X2345应急", PlateKind.EMERGENCY_WHITE)
    apply(street, street.change(0, ("occupied", 0)))
    with street.database.unit_of_work() as uow:
        attached = attach_vehicle(uow, street.attendant, sessions(street)[0].id, plate)
    assert attached.warnings == (AttachWarning.EXEMPT,)
    apply(street, street.change(200, ("free", 200)))
    run_jobs(street)
    (bill,) = bills(street)
    assert (bill.amount, bill.state) == (cny(0), BillState.PAID)
    assert [line["why"] for line in bill.charge.lines] == [
        {
            "key": "tariff.why.exempt",
            "values": {"name": {"zh": "应急救援车辆", "en": "emergency vehicle"}},
        }
    ]
    with street.database.unit_of_work() as uow, pytest.raises(Conflict, match="already paid"):
        take_payment(uow, street.attendant, bill.id, cny(100))


def test_a_lorry_without_a_price_is_said_at_once(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    with street.database.unit_of_work() as uow:
        plate = parse_plate("京A12345", PlateKind.YELLOW7)
        attached = attach_vehicle(uow, street.attendant, sessions(street)[0].id, plate)
    assert attached.warnings == (AttachWarning.NO_PRICE,)


def test_a_second_stay_of_the_day_has_no_free_period_and_shares_the_cap(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0), bay=0))
    attach(street, sessions(street)[0].id)
    apply(street, street.change(270, ("free", 270), bay=0), street.change(280, bay=1))
    apply(street, street.change(280, ("occupied", 280), bay=1))
    attach(street, sessions(street)[1].id)
    street.clock.advance(300 * 60)
    apply(street, street.change(290, ("free", 290), bay=1))
    # the later stay's job first: it sees to the earlier stay's bill itself
    with street.database.unit_of_work() as uow:
        settle_stay.settle_stay(uow, sessions(street)[1].id)
    run_jobs(street)
    by_session = {bill.charge.session_id: bill for bill in bills(street)}
    first, second = (by_session[session.id] for session in sessions(street))
    assert (first.amount, second.amount) == (cny(2700), cny(300))
    apply(street, street.change(310, ("occupied", 310), bay=2))
    attach(street, sessions(street)[2].id)
    street.clock.advance(120 * 60)
    apply(street, street.change(400, ("free", 400), bay=2))
    run_jobs(street)
    with street.database.read() as connection:
        third = payments.bill_of_session(connection, sessions(street)[2].id)
    assert third is not None
    assert third.amount == cny(0)
    keys = [line["why"]["key"] for line in third.charge.lines]  # type: ignore[index,call-overload] # stored JSON
    assert keys == [
        "tariff.why.free.used",
        "tariff.why.units.started",
        "tariff.why.cap.24h.shared",
    ]


def test_two_attendants_at_once_take_one_payment(street: Street) -> None:
    bill = billed(street)

    def pay(actor: object) -> str:
        try:
            with street.database.unit_of_work() as uow:
                take_payment(uow, actor, bill.id, cny(900))  # type: ignore[arg-type] # an Actor
        except Conflict:
            return "refused"
        return "taken"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(pay, [street.attendant, street.colleague] * 4))
    assert sorted(outcomes) == ["refused"] * 7 + ["taken"]
    with street.database.read() as connection:
        carried = payments.balances(connection, AccountKind.CASH)
    assert list(carried.values()) == [[cny(900)]]


def test_a_payment_sent_again_under_its_number_is_answered_again(street: Street) -> None:
    bill = billed(street)
    number = PaymentId(uuid7())
    for _ in range(2):
        with street.database.unit_of_work() as uow:
            payment = take_payment(uow, street.attendant, bill.id, cny(1000), number)
        assert (payment.id, payment.change) == (number, cny(100))
    with street.database.unit_of_work() as uow, pytest.raises(Conflict):
        take_payment(uow, street.attendant, bill.id, cny(2000), number)
    with street.database.read() as connection:
        assert payments.balance(connection, cash_of("attendant-1")) == {"CNY": cny(900)}


def test_too_little_cash_and_another_currency_are_refused(street: Street) -> None:
    bill = billed(street)
    with street.database.unit_of_work() as uow, pytest.raises(Invalid, match="less than"):
        take_payment(uow, street.attendant, bill.id, cny(899))
    with street.database.unit_of_work() as uow, pytest.raises(Invalid, match="in CNY"):
        take_payment(uow, street.attendant, bill.id, Money(5000, "EUR"))


def test_only_the_districts_attendants_attach_and_take_cash(street: Street) -> None:
    bill = billed(street)
    session_id = sessions(street)[0].id
    for actor in (street.driver, street.from_elsewhere):
        with street.database.unit_of_work() as uow, pytest.raises(Forbidden):
            take_payment(uow, actor, bill.id, cny(900))
        with street.database.unit_of_work() as uow, pytest.raises(Forbidden):
            attach_vehicle(uow, actor, session_id, BLUE)


def test_attaching_later_than_the_grace_is_refused_with_the_reason(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0), ("free", 60)))
    street.clock.advance(75 * 60 + 1)
    with street.database.unit_of_work() as uow, pytest.raises(Conflict, match="15 minutes ago"):
        attach_vehicle(uow, street.attendant, sessions(street)[0].id, BLUE)


def test_attaching_within_the_grace_bills_the_stay(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0), ("free", 60)))
    street.clock.advance(70 * 60)
    attach(street, sessions(street)[0].id)
    run_jobs(street)
    assert bills(street)[0].amount == cny(600)


def test_a_stay_that_was_never_there_cannot_be_attached(street: Street) -> None:
    with street.database.unit_of_work() as uow, pytest.raises(NotFound):
        attach_vehicle(uow, street.attendant, ParkingSessionId(uuid7()), BLUE)


def test_a_bill_is_not_changed_by_evidence_that_comes_after_it(street: Street) -> None:
    bill = billed(street)
    assert apply(street, street.change(45, ("free", 45))).revised == 0
    assert bills(street) == [bill]


def test_no_plate_is_written_outside_the_vault(street: Street) -> None:
    billed(street)
    with street.database.read() as connection:
        tables = connection.execute(
            text(
                "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
                " where schemaname in ('parking', 'payments', 'audit', 'works', 'public', 'vault')"
            )
        ).scalars()
        for table in tables.all():
            rows = connection.execute(
                text(f"select count(*) from {table} t where t::text like '%12345%'")  # noqa: S608 - names from the catalogue
            )
            assert rows.scalar_one() == 0, table
