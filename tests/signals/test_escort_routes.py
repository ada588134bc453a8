"""Escort routes: where a convoy is, what is held for it, and a log that cannot be changed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import exc, text

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import uuid7
from city.people.actors import Actor
from city.places import Position
from signals.rules.controllers.orders import Effect
from signals.rules.escorts.route import PASSED_M, Route, Stop, due, passed, progress_m, stage_for
from signals.services import escorts as service
from signals.store import escorts as store
from signals.store import overrides as override_store
from tests.signals.test_signal_overrides import ENGINEER, NAME, Desk, desk

if TYPE_CHECKING:
    from uuid import UUID

    from signals.store.escorts import Escort

__all__ = ["desk"]

OFFICER = Actor("person", str(uuid7()), None, frozenset(), "Officer A")
CHIEF = Actor("person", str(uuid7()), None, frozenset(), "Officer B")
CAR = Actor("device", "convoy-1", None, frozenset(), "")
MEETING = Position(114.3, 30.59)
GROUP = "east-through"


def east(metres: float, north_m: float = 0.0) -> Position:
    return MEETING.moved(metres, north_m)


ROUTE = Route(
    MEETING,
    (Stop("J1", "a", east(400)), Stop("J2", "a", east(900)), Stop("J3", "a", east(900, 300))),
    tail_m=80.0,
)


def test_a_convoy_is_where_it_says_on_its_route_and_nowhere_off_it() -> None:
    assert progress_m(ROUTE, east(200, 15), 0.0) == pytest.approx(200, abs=1)
    assert progress_m(ROUTE, east(890, 150), 600.0) == pytest.approx(1_050, abs=2)
    # A position's own error takes no progress away.
    assert progress_m(ROUTE, east(190), 200.0) == 200.0
    assert progress_m(ROUTE, east(400, 400), 0.0) is None
    # What lies far behind is not the way ahead.
    assert progress_m(ROUTE, east(100), 600.0) is None
    assert ROUTE.along_m == pytest.approx((400, 900, 1_200), abs=1)


def test_a_junction_is_due_within_the_lead_and_behind_when_the_last_has_left() -> None:
    assert due(ROUTE, 0.0, 10.0, 30.0) == []
    assert due(ROUTE, 120.0, 10.0, 30.0) == [0]
    assert due(ROUTE, 620.0, 10.0, 60.0) == [1, 2]
    assert passed(ROUTE, 400 + 80 + PASSED_M - 2) == 0
    assert passed(ROUTE, 400 + 80 + PASSED_M + 2) == 1
    # Whoever stands still is not forgotten.
    assert due(ROUTE, 395.0, 0.0, 30.0) == [0]


@given(st.lists(st.floats(-30, 1_300), min_size=2, max_size=20))
def test_progress_never_goes_back_and_what_is_behind_is_never_due(told: list[float]) -> None:
    along_m = 0.0
    for metres in told:
        found = progress_m(ROUTE, east(min(metres, 900), max(metres - 900, 0)), along_m)
        if found is not None:
            assert found >= along_m
            along_m = found
        behind = passed(ROUTE, along_m)
        assert all(place >= behind for place in due(ROUTE, along_m, 12.0, 60.0))


def test_a_route_that_cannot_be_is_refused() -> None:
    with pytest.raises(Invalid, match="1 to 60 junctions"):
        Route(MEETING, ())
    with pytest.raises(Invalid, match="from the point before"):
        Route(MEETING, (Stop("J1", "a", east(9_000)),))


def drafted(desk: Desk, subject: str | None = "convoy-1", group: str = GROUP) -> Escort:
    with desk.database.unit_of_work() as uow:
        return service.draft(
            uow,
            OFFICER,
            desk.network_id,
            name="guests",
            start=MEETING,
            stops=[(NAME, group, east(500))],
            tail_m=50.0,
            lead_s=60,
            speed_kph=36.0,
            subject=subject,
        )


def running(desk: Desk) -> UUID:
    made = drafted(desk)
    with desk.database.unit_of_work() as uow:
        with pytest.raises(Forbidden, match="does not approve it"):
            service.approve(uow, OFFICER, made.id)
        with pytest.raises(Conflict, match="the route is draft"):
            service.start(uow, OFFICER, made.id)
        service.approve(uow, CHIEF, made.id)
        service.start(uow, OFFICER, made.id)
    return made.id


def look(desk: Desk, escort_id: UUID) -> None:
    seen = desk.seen()
    with desk.database.unit_of_work() as uow:
        service.follow(uow, escort_id, {NAME: seen})


def locate(desk: Desk, metres: float, north_m: float = 0.0) -> bool:
    with desk.database.unit_of_work() as uow:
        return service.locate(uow, CAR, east(metres, north_m), uow.wall.now(), None)


def said(desk: Desk, escort_id: UUID) -> list[str]:
    with desk.database.read() as connection:
        return [each.what for each in store.log_of(connection, escort_id, after=0, limit=99)]


def test_a_junction_is_held_as_the_convoy_comes_and_given_back_behind_it(desk: Desk) -> None:
    escort_id = running(desk)
    assert locate(desk, 0)
    look(desk, escort_id)
    # Ten metres a second, five hundred to go: within the lead of a minute.
    (order,) = [each for each in _orders(desk) if each.status == "waiting"]
    assert (order.reason, order.proposed_name) == (service.REASON, service.DESK.name or "")
    seen = desk.seen()
    assert seen.plan is not None
    assert seen.layout is not None
    assert order.stage == stage_for(
        seen.layout, seen.plan, GROUP, None if seen.state is None else seen.state.stage
    )
    # An order by hand does not replace it unseen, and the desk does not hold twice.
    with desk.database.unit_of_work() as uow, pytest.raises(Conflict, match="held already"):
        service.hold(uow, OFFICER.subject, service.of(uow, escort_id, lock=True), 0, seen)
    desk.wall.sleep(30)
    assert locate(desk, 500 + 50 + PASSED_M + 10)
    look(desk, escort_id)
    (order,) = _orders(desk)
    assert order.released_at is not None
    with desk.database.unit_of_work() as uow:
        done = service.end(uow, OFFICER, escort_id)
    assert done.status == "over"
    assert said(desk, escort_id) == [
        "drafted", "approved", "started", "held", "given_back", "passed", "ended",
    ]  # fmt: skip
    # The orders are on record as the desk's: neither who nor for whom.
    with desk.database.read() as connection:
        rows = connection.execute(
            text("select r::text from audit.record as r where action like 'signals.override%'")
        ).scalars()
        kept = list(rows)
    assert kept
    assert all(service.DESK.subject in each and OFFICER.subject not in each for each in kept)


def _orders(desk: Desk) -> list[override_store.Override]:
    with desk.database.read() as connection:
        return override_store.overrides(connection, desk.network_id, NAME, limit=9)


def test_off_its_route_or_silent_nothing_is_held_for_a_convoy(desk: Desk) -> None:
    escort_id = running(desk)
    look(desk, escort_id)
    assert _orders(desk) == []
    assert not locate(desk, 300, 900)
    look(desk, escort_id)
    assert _orders(desk) == []
    assert said(desk, escort_id)[-1] == "off_route"
    desk.wall.sleep(2)
    assert locate(desk, 450)
    desk.wall.sleep(service.FRESH.total_seconds() + 1)
    look(desk, escort_id)
    assert _orders(desk) == []
    with desk.database.unit_of_work() as uow, pytest.raises(Invalid, match="15 s"):
        service.locate(uow, CAR, east(1), uow.wall.now() - timedelta(minutes=1), None)
    with desk.database.unit_of_work() as uow, pytest.raises(Forbidden):
        service.locate(uow, replace(CAR, subject="other"), east(1), uow.wall.now(), None)
    # The officer at the desk may.
    seen = desk.seen()
    with desk.database.unit_of_work() as uow:
        found = service.of(uow, escort_id, lock=True)
        service.hold(uow, OFFICER.subject, found, 0, seen)
        with pytest.raises(NotFound):
            service.hold(uow, OFFICER.subject, found, 7, seen)
    assert len(_orders(desk)) == 1
    with desk.database.unit_of_work() as uow:
        service.end(uow, OFFICER, escort_id)
    assert _orders(desk)[0].released_at is not None


def test_a_signal_that_is_held_by_hand_is_left_alone_and_the_log_says_so_once(desk: Desk) -> None:
    escort_id = running(desk)
    made = desk.propose(ENGINEER, Effect.FLASHING, 600)
    desk.confirm(ENGINEER, made)
    locate(desk, 450)
    for _ in range(3):
        look(desk, escort_id)
    assert said(desk, escort_id)[3:] == ["cannot_hold"]
    assert desk.of(made).replaced_by is None


def test_the_log_tells_when_a_line_was_changed_and_takes_no_change_by_itself(desk: Desk) -> None:
    escort_id = running(desk)
    with desk.database.unit_of_work() as uow:
        assert service.genuine(uow, escort_id) is None
    with (
        pytest.raises(exc.IntegrityError, match="append-only"),
        desk.database.unit_of_work() as uow,
    ):
        uow.connection.execute(text("update signals.escort_log set what = 'approved'"))
    with desk.database.unit_of_work() as uow:
        uow.connection.execute(text("alter table signals.escort_log disable trigger all"))
        uow.connection.execute(
            text("update signals.escort_log set actor = 'somebody' where number = 2")
        )
        assert service.genuine(uow, escort_id) == 2
        uow.connection.execute(text("delete from signals.escort_log where number = 2"))
        assert service.genuine(uow, escort_id) == 2


def test_a_route_through_a_signal_or_group_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid, match="no such signal group"):
        drafted(desk, group="moon")
    made = drafted(desk)
    with desk.database.unit_of_work() as uow:
        service.withdraw(uow, OFFICER, made.id)
        with pytest.raises(Conflict, match="the route is withdrawn"):
            service.approve(uow, CHIEF, made.id)
        with pytest.raises(Invalid, match="where this junction is"):
            service.draft(
                uow, OFFICER, desk.network_id, name="x", start=MEETING,
                stops=[(NAME, GROUP, None)], tail_m=0.0, lead_s=60, speed_kph=30.0, subject=None,
            )  # fmt: skip


def test_the_held_stage_is_kept_by_the_keeper_and_the_plan_runs_again(desk: Desk) -> None:
    escort_id = running(desk)
    locate(desk, 450)
    look(desk, escort_id)
    (order,) = _orders(desk)
    keeper = desk.keeper()
    until_s = time.monotonic() + 60
    with ThreadPoolExecutor(2) as pool:
        while f"shows stage {order.stage}" not in desk.of(order).steps:
            keeper.look(pool)
            assert time.monotonic() < until_s, desk.of(order).steps
            time.sleep(0.01)
        with desk.database.unit_of_work() as uow:
            service.end(uow, OFFICER, escort_id)
        while desk.of(order).status == "holding":
            keeper.look(pool)
            assert time.monotonic() < until_s, desk.of(order).steps
            time.sleep(0.01)
    assert desk.of(order).status == "ended", desk.of(order).steps
    assert desk.of(order).steps[-1] == "plan 1 runs again"
