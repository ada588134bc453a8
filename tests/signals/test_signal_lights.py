"""What a junction shows now: seconds left held against what is shown, and who is asked."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from city.identifiers import uuid7
from city.people.actors import Actor
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.gbt20999.link import Patience
from signals.adapters.gbt20999.row import Row
from signals.adapters.gbt20999.simulated import SimulatedGbt20999
from signals.adapters.lights import WANTED_FOR, Lights
from signals.adapters.lines import dial
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.cabinet import Cabinet, step
from signals.rules.controllers.demonstration import cabinet, plan
from signals.rules.controllers.layout import layout_of, plan_of
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.live.countdown import phases_now
from signals.rules.live.lights import Seen, later_by, read_seen, write_seen
from signals.rules.model.aspects import GREENS, YELLOWS, Aspect
from signals.services import cabinets, networks
from signals.watching import Watcher
from tests.signals import crossroads

if TYPE_CHECKING:
    import redis

    from city.time import FixedClock
    from city.works.database import Database

ENGINEER = Actor("person", str(uuid7()), None, frozenset(), "E")


def running(seconds: int) -> list[Cabinet]:
    plans = {1: plan(1, 35, 15, 30, 15, offset_s=5), 2: plan(2, 25, 12, 20, 12, offset_s=31)}
    at = replace(cabinet(), plans=plans)
    found = []
    for _ in range(seconds):
        at = step(at)
        found.append(at)
    return found


def said(at: Cabinet, control: Control = Control.FIXED) -> ControllerState:
    return ControllerState(
        control, at.plan, at.stage, at.changing, at.elapsed_s, at.remaining_s, at.lamps
    )


def colour(aspect: Aspect) -> str:
    return "green" if aspect in GREENS else "yellow" if aspect in YELLOWS else "red"


def test_seconds_left_are_those_after_which_the_lamp_changes() -> None:
    shown = running(400)
    exact = 0
    for now in range(20, 200):
        at = shown[now]
        for each in phases_now(at.layout, at.plans[1], said(at)):
            assert each.aspect is not None
            assert each.likely_s is not None
            changes_s = next(
                later
                for later in range(1, 200)
                if colour(shown[now + later].lamps[each.phase]) != colour(each.aspect)
            )
            assert each.likely_s == changes_s, (now, each)
            assert each.least_s is not None
            assert each.least_s <= changes_s
            if each.most_s is not None:
                assert each.least_s == each.most_s == changes_s
                exact += 1
    assert exact > 300


def test_another_plan_taken_up_never_breaks_a_promise() -> None:
    """What comes after the last stage may be another plan's: only what is sure is said."""
    shown = running(30)
    at = rules.take_up(shown[-1], 2)
    for _ in range(300):
        shown.append(at := step(at))
    for now in range(30, 150):
        at = shown[now]
        for each in phases_now(at.layout, at.plans[at.plan], said(at)):
            assert each.aspect is not None
            changes_s = next(
                later
                for later in range(1, 180)
                if colour(shown[now + later].lamps[each.phase]) != colour(each.aspect)
            )
            if each.least_s is not None:
                assert each.least_s <= changes_s, (now, each)
            if each.most_s is not None:
                assert changes_s <= each.most_s, (now, each)


def test_what_cannot_be_known_is_none() -> None:
    at = running(40)[-1]
    for state in (
        said(at, Control.ACTUATED),
        said(at, Control.MANUAL),
        replace(said(at), remaining_s=None),
        replace(said(at), stage=None),
    ):
        assert {each.likely_s for each in phases_now(at.layout, at.plans[1], state)} == {None}
    dark = phases_now(at.layout, at.plans[1], replace(said(at), lamps={}))
    assert {(each.aspect, each.most_s) for each in dark} == {(None, None)}
    known = phases_now(at.layout, at.plans[1], said(at))[0]
    assert known.likely_s is not None
    assert later_by(known, known.likely_s + 1).likely_s is None


def test_what_was_seen_is_passed_on_whole(clock: FixedClock) -> None:
    at = running(40)[-1]
    seen = Seen(clock.now(), said(at), at.layout, at.plans[1])
    assert read_seen(write_seen(seen)) == seen
    silent = Seen(clock.now(), None, problem="the controller did not answer")
    assert read_seen(write_seen(silent)) == silent
    assert silent.phases == ()


def test_a_controller_is_asked_while_somebody_looks_and_no_longer(
    database: Database, valkey: redis.Redis, clock: FixedClock
) -> None:
    case = crossroads.case_of(crossroads.network())
    street_plan = crossroads.plan(case)
    with database.unit_of_work() as uow:
        home = networks.record_network(
            uow, ENGINEER, "cross", ("十字", "Cross"), crossroads.network(), [street_plan]
        )
    layout = layout_of(case, [street_plan])
    here = Cabinet(layout, {1: plan_of(layout, street_plan, 1)}, 1)
    row = Row({7: SimulatedGbt20999(CabinetHost(here, speed=50), controller=7)}, 0)
    row.start()
    address = CabinetAddress("127.0.0.1", row.port, controller=7)
    key = (home.id, crossroads.NAME)
    lights = Lights(valkey)
    watcher = Watcher(valkey, database, clock, dial=lambda found: dial(found, Patience(0.5, 4)))

    def looked() -> Seen:
        before = lights.get(key)
        until_s = time.monotonic() + 60
        with ThreadPoolExecutor(2) as pool:
            while time.monotonic() < until_s:
                watcher.look(pool)
                found = lights.get(key)
                if found is not None and found != before:
                    return found
                time.sleep(0.02)
        pytest.fail("the controller was not asked")

    try:
        lights.want(key, clock.now())
        unbound = looked()
        assert unbound.state is None
        assert "no cabinet is bound" in str(unbound.problem)
        with database.unit_of_work() as uow:
            cabinets.bind(uow, ENGINEER, home.id, crossroads.NAME, address)
        seen = looked()
        assert seen.state is not None
        assert (seen.state.control, seen.state.plan) == (Control.FIXED, 1)
        assert {each.name for each in seen.phases} == {each.name for each in case.groups}
        assert seen.plan == here.plans[1]
        clock.advance(WANTED_FOR.total_seconds() + 1)
        assert lights.wanted(clock.now()) == []
        lights.want(key, clock.now())
        row.stop(5)
        silent = looked()
        while silent.state is not None:
            silent = looked()
        assert silent.problem is not None
    finally:
        row.stop(5)
