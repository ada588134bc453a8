"""Stays from gate to gate, with real servers: each thing that goes wrong has its outcome."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.money import Money
from city.vehicles import PlateKind, parse_plate
from journeys.admit_vehicle import Direction, Outcome, Passage, pass_gate
from journeys.correct_stay import match_passage
from journeys.drive_stay import own_stays, take_ticket
from parking.rules.evidence import EvidenceKind, Hold, SetAside
from parking.rules.stays import ClosingReason, StayState
from parking.services import stay_views, tickets
from tests.journeys.conftest import Street, at
from tests.journeys.garage import (
    GATES,
    Garage,
    bills,
    correct,
    evidence,
    minutes_pass,
    read,
    session,
    sessions,
)


@pytest.fixture
def garage(street: Street) -> Garage:
    return Garage(street)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def test_a_car_that_comes_and_leaves_gets_one_bill(garage: Garage) -> None:
    assert garage.passes("entry", 0).outcome is Outcome.ENTERED
    left = garage.passes("exit", 61)
    assert left.outcome is Outcome.LEFT
    minutes_pass(garage.street, 11)
    (bill,) = bills(garage.street)
    assert (bill.amount, bill.charge.revenue_nature) == (cny(900), "commercial")
    (stay,) = sessions(garage.street)
    assert (stay.bay_id, stay.stay.closing_reason) == (None, ClosingReason.GATE_EXIT)
    assert [each.kind for each in evidence(garage.street, stay)] == [
        EvidenceKind.GATE_ENTRY,
        EvidenceKind.GATE_EXIT,
    ]


def test_the_same_event_twice_is_done_once_and_answered_again(garage: Garage) -> None:
    first = garage.passes("entry", 0, event="abc")
    again = garage.passes("entry", 0, event="abc")
    assert (first.repeated, again.repeated) == (False, True)
    assert (again.outcome, again.session) == (first.outcome, first.session)
    assert len(sessions(garage.street)) == 1


def test_passages_join_alike_in_whatever_order_they_arrive(garage: Garage) -> None:
    told = [("entry", 0.0), ("exit", 61.0), ("entry", 63.0), ("exit", 66.0)]
    garage.street.clock.advance(66 * 60)
    for number, order in enumerate(permutations(told)):
        for direction, minute in order:
            garage.passes(direction, minute, f"京B{number:05d}")
    spans = Counter(
        (each.admitted_as, each.stay.opened_at, each.stay.closed_at, each.stay.hold)
        for each in sessions(garage.street)
    )
    assert set(spans.values()) == {1}
    assert len(spans) == 2 * 24
    assert {span[1:] for span in spans} == {(at(0), at(61), None), (at(63), at(66), None)}
    minutes_pass(garage.street, 11)
    assert len(bills(garage.street)) == 2 * 24


def test_an_exit_without_an_entry_is_held_and_never_billed(garage: Garage) -> None:
    passed = garage.passes("exit", 61)
    assert passed.outcome is Outcome.HELD
    minutes_pass(garage.street, 60)
    (stay,) = sessions(garage.street)
    assert (stay.stay.hold, stay.stay.closed_at) == (Hold.NO_ENTRY, stay.stay.opened_at)
    assert bills(garage.street) == []


def test_an_entry_that_arrives_after_its_exit_completes_the_stay(garage: Garage) -> None:
    held = garage.passes("exit", 61)
    assert garage.passes("entry", 0).outcome is Outcome.ENTERED
    minutes_pass(garage.street, 11)
    (stay,) = sessions(garage.street)
    assert held.session is not None
    assert stay.id == held.session.id
    assert [bill.amount for bill in bills(garage.street)] == [cny(900)]


def test_an_attendant_states_when_a_car_without_an_entry_came(garage: Garage) -> None:
    garage.passes("exit", 61)
    (stay,) = sessions(garage.street)
    (done,) = correct(garage.street, stay, "begin", at=at(0))
    assert (done.id, done.stay.opened_at, done.stay.hold) == (stay.id, at(0), None)
    minutes_pass(garage.street, 11)
    assert [bill.amount for bill in bills(garage.street)] == [cny(900)]


def test_an_entry_without_an_exit_is_held_when_the_car_comes_again(garage: Garage) -> None:
    garage.passes("entry", 0)
    garage.passes("entry", 300)
    first, second = sessions(garage.street)
    assert (first.stay.hold, first.stay.closed_at) == (Hold.MISSED_EXIT, at(0))
    assert second.stay.state is StayState.OPEN
    garage.passes("exit", 331)
    minutes_pass(garage.street, 20)
    (bill,) = bills(garage.street)
    assert (bill.charge.session_id, bill.amount) == (second.id, cny(600))


def test_an_attendant_states_when_a_car_left_whose_exit_was_missed(garage: Garage) -> None:
    garage.passes("entry", 0)
    garage.passes("entry", 300)
    first = sessions(garage.street)[0]
    with pytest.raises(Invalid, match="in the future"):
        correct(garage.street, first, "end", at=at(300.5))
    correct(garage.street, first, "end", at=at(61))
    minutes_pass(garage.street, 11)
    assert [bill.amount for bill in bills(garage.street)] == [cny(900)]


def test_a_plate_read_differently_at_the_exit_is_matched_where_it_can_mean_one_car(
    garage: Garage,
) -> None:
    garage.passes("entry", 0, "京A12D45")
    garage.passes("entry", 1, "沪C99999")
    left = garage.passes("exit", 61, "京A12045")
    assert left.outcome is Outcome.LEFT
    stay = sessions(garage.street)[0]
    assert stay.stay.closed_at == at(61)
    (entry, leaving) = evidence(garage.street, stay)
    assert (leaving.detail["verdict"], leaving.detail["cost"]) == ("match", 25)
    assert leaving.read_as not in {None, entry.vehicle_id}
    minutes_pass(garage.street, 11)
    assert [bill.charge.vehicle_id for bill in bills(garage.street)] == [stay.stay.vehicle_id]


def test_an_ambiguous_read_closes_nothing_and_bills_nobody(garage: Garage) -> None:
    garage.passes("entry", 0, "京A12D45")
    garage.passes("entry", 5, "京A12Q45")
    assert garage.passes("exit", 61, "京A12045").outcome is Outcome.UNMATCHED
    minutes_pass(garage.street, 60)
    assert [each.stay.state for each in sessions(garage.street)] == [StayState.OPEN] * 2
    assert bills(garage.street) == []


def test_an_attendant_says_whose_an_unclear_exit_was(garage: Garage) -> None:
    garage.passes("entry", 0, "京A12D45")
    garage.passes("entry", 5, "京A12Q45")
    garage.passes("exit", 61, "京A12045")
    street = garage.street
    with street.database.read() as connection:
        (unclear,) = stay_views.unmatched(connection).items
    first = sessions(street)[0]
    with street.database.unit_of_work() as uow:
        match_passage(uow, street.attendant, unclear.id, first.id, "saw it on the picture")
    assert session(street, first.id).stay.closed_at == at(61)
    with street.database.unit_of_work() as uow, pytest.raises(Conflict, match="matched already"):
        match_passage(uow, street.attendant, unclear.id, first.id, "again")
    with street.database.read() as connection:
        assert stay_views.unmatched(connection).items == ()


def test_a_plate_that_was_read_badly_both_times_waits_for_a_person(garage: Garage) -> None:
    garage.passes("entry", 0, sure=0.8)
    garage.passes("exit", 61, sure=0.8)
    (stay,) = sessions(garage.street)
    assert stay.stay.hold is Hold.PLATE_DOUBTFUL
    minutes_pass(garage.street, 20)
    assert bills(garage.street) == []
    correct(garage.street, stay, "release")
    minutes_pass(garage.street, 11)
    assert [bill.amount for bill in bills(garage.street)] == [cny(900)]


def test_a_second_camera_at_the_gate_is_the_same_passage(garage: Garage) -> None:
    garage.passes("entry", 0, "京A12D45")
    assert garage.passes("entry", 0.05, "京A12045").outcome is Outcome.CONFIRMED
    assert garage.passes("exit", 61, "京A12D45").outcome is Outcome.LEFT
    assert garage.passes("exit", 61.05, "京A12D45").outcome is not Outcome.LEFT
    minutes_pass(garage.street, 11)
    assert [bill.amount for bill in bills(garage.street)] == [cny(900)]


def test_a_car_without_a_plate_comes_and_leaves_by_its_ticket(garage: Garage) -> None:
    street = garage.street
    with street.database.unit_of_work() as uow:
        ticket = take_ticket(uow, street.driver, garage.facility.id)
        _, code = tickets.of_account(uow, ticket.account_id, ticket.vehicle_id)
    assert garage.passes("entry", 0, ticket=code).outcome is Outcome.ENTERED
    assert garage.passes("exit", 61, ticket=code.lower()).outcome is Outcome.LEFT
    minutes_pass(street, 11)
    (bill,) = bills(street)
    assert (bill.charge.vehicle_id, bill.amount) == (ticket.vehicle_id, cny(900))
    with street.database.read() as connection:
        (mine,) = own_stays(connection, street.driver, after=None, limit=10).items
    assert mine.bill_id == bill.id
    with pytest.raises(NotFound, match="no such ticket"):
        garage.passes("entry", 70, ticket="22222")


def test_a_ticket_gets_its_real_plate_later(garage: Garage) -> None:
    street = garage.street
    with street.database.unit_of_work() as uow:
        ticket = take_ticket(uow, street.driver, garage.facility.id)
        _, code = tickets.of_account(uow, ticket.account_id, ticket.vehicle_id)
    garage.passes("entry", 0, ticket=code)
    (stay,) = sessions(street)
    plate = parse_plate("京A12345", PlateKind.BLUE7)
    (named,) = correct(street, stay, "identify", plate=plate)
    assert named.stay.vehicle_id not in {None, ticket.vehicle_id}
    assert garage.passes("exit", 61, "京A12345").outcome is Outcome.LEFT
    minutes_pass(street, 11)
    assert [bill.charge.vehicle_id for bill in bills(street)] == [named.stay.vehicle_id]
    with street.database.read() as connection:
        (mine,) = own_stays(connection, street.driver, after=None, limit=10).items
    assert mine.id == stay.id


def test_a_car_that_comes_again_has_two_stays_that_share_the_days_rules(garage: Garage) -> None:
    for minute, direction in ((0, "entry"), (10, "exit"), (40, "entry"), (50, "exit")):
        garage.passes(direction, minute)
    minutes_pass(garage.street, 11)
    assert sorted(bill.amount.minor for bill in bills(garage.street)) == [0, 300]


def test_a_car_that_never_leaves_is_listed_with_the_reason(garage: Garage) -> None:
    street = garage.street
    garage.passes("entry", 0)
    minutes_pass(street, 60 * 73)
    with street.database.read() as connection:
        (found,), more = stay_views.long_open(connection, at(60))
    assert (found.why, found.last_word_at, more) == ("no-exit", at(0), False)
    with street.database.read() as connection:
        assert stay_views.long_open(connection, at(-60)) == ([], False)
    correct(street, found.session, "end", at=at(61), reason="left with the tow truck")
    minutes_pass(street, 11)
    assert [bill.amount for bill in bills(street)] == [cny(900)]


def test_what_is_billed_is_not_changed_by_evidence_that_comes_later(garage: Garage) -> None:
    garage.passes("entry", 0)
    garage.passes("exit", 61)
    minutes_pass(garage.street, 11)
    assert garage.passes("exit", 30).outcome is Outcome.HELD
    assert [bill.amount for bill in bills(garage.street)] == [cny(900)]


def test_sixteen_gates_at_once_admit_a_car_once(garage: Garage) -> None:
    street = garage.street

    def enter(number: int) -> Outcome:
        passage = replace(
            Passage(
                garage.facility.id,
                f"N{number}",
                Direction.ENTRY,
                f"at-once-{number}",
                at(0),
                read("京A12345"),
            )
        )
        with street.database.unit_of_work() as uow:
            return pass_gate(uow, GATES, passage).outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(enter, range(16)))
    assert sorted(outcomes) == [Outcome.CONFIRMED] * 15 + [Outcome.ENTERED]
    assert len(sessions(street)) == 1


def test_a_car_is_inside_once_by_constraint(garage: Garage) -> None:
    garage.passes("entry", 0)
    copy = (
        "insert into parking.parking_session (id, facility_id, district, opened_at, state,"
        " opened_evidence, vehicle_id, attached_at, admitted_as)"
        " select gen_random_uuid(), facility_id, district, opened_at, state, 'x', vehicle_id,"
        " attached_at, gen_random_uuid() from parking.parking_session"
    )
    with (
        pytest.raises(IntegrityError, match="parking_session_one_inside"),
        garage.street.database.unit_of_work() as uow,
    ):
        uow.connection.execute(text(copy))


def test_evidence_says_for_ever_what_it_said(garage: Garage) -> None:
    garage.passes("entry", 0)
    for change in (
        "update parking.stay_evidence set at = at + interval '1 hour'",
        "update parking.stay_evidence set certainty = 0",
        "delete from parking.stay_evidence",
        "truncate parking.stay_evidence cascade",
    ):
        with (
            pytest.raises((IntegrityError, InternalError), match="append-only"),
            garage.street.database.unit_of_work() as uow,
        ):
            uow.connection.execute(text(change))


def test_a_gate_that_is_no_gate_is_told_why(garage: Garage) -> None:
    street = garage.street
    known = Passage(garage.facility.id, "N1", Direction.ENTRY, "x", at(0), read("京A12345"))
    for change, error, field in (
        ({"facility_id": street.facility.id}, Invalid, "facility_id"),
        ({"at": at(60)}, Invalid, "at"),
        ({"at": at(-60 * 24 * 31)}, Invalid, "at"),
    ):
        with street.database.unit_of_work() as uow, pytest.raises(error) as caught:
            pass_gate(uow, GATES, replace(known, **change))
        assert caught.value.field == field
    elsewhere = replace(GATES, districts=frozenset({"0999"}))
    with street.database.unit_of_work() as uow, pytest.raises(Forbidden):
        pass_gate(uow, elsewhere, known)
    with pytest.raises(Invalid, match="either a plate or a ticket"):
        replace(known, ticket="ABCD")


def test_a_visit_that_is_over_can_be_set_aside(garage: Garage) -> None:
    garage.passes("entry", 0, sure=0.8)
    (stay,) = sessions(garage.street)
    with pytest.raises(Invalid, match="inside"):
        correct(garage.street, stay, "set-aside", set_aside=SetAside.OTHER)
    garage.passes("exit", 61, sure=0.8)
    correct(garage.street, stay, "set-aside", set_aside=SetAside.OTHER)
    minutes_pass(garage.street, 20)
    assert bills(garage.street) == []


def test_no_plate_leaves_the_vault_by_a_gate(garage: Garage) -> None:
    garage.passes("entry", 0, "京A12D45")
    garage.passes("exit", 61, "京A12045")
    minutes_pass(garage.street, 11)
    with garage.street.database.read() as connection:
        for table in ("parking.stay_evidence", "parking.parking_session", "audit.record"):
            rows = connection.execute(
                text(f"select count(*) from {table} t where t::text ~ '12[D0]45'")  # noqa: S608 - of constants
            )
            assert rows.scalar_one() == 0, table
