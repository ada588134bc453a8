"""Priority from a vehicle's word to a controller on a line: a database, a worker, a cabinet."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from city.errors import Conflict, Forbidden
from city.people.actors import Actor
from signals.prioritising import LOST_AFTER, Prioritiser
from signals.rules.controllers.line import Control, NoAnswer
from signals.rules.controllers.orders import Effect
from signals.rules.model.aspects import GREENS
from signals.rules.priority.requests import Told, VehicleClass
from signals.services import networks
from signals.services import priority as service
from signals.services.giving_priority import NO_TRAFFIC
from signals.services.priority import Telling
from signals.store import priority as store
from signals.store import priority_turns
from tests.signals.test_signal_overrides import ENGINEER, NAME, Desk, desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signals.rules.controllers.line import ControllerLine, ControllerState
    from signals.store.priority import Asked
    from signals.store.priority_turns import Turn

__all__ = ["desk"]

BUSES = Actor("device", "avl-1", None, frozenset(), "")
FLOWS = [("south-in", "north-out", 250.0), ("east-in", "west-out", 250.0)]
GROUP = "south-through"


@dataclass
class Town:
    """A desk whose signal somebody may ask, and a second after second of its street."""

    desk: Desk
    each_second: Callable[[Town, ControllerState], None]
    kept: list[ControllerState] = field(default_factory=list)
    works: Prioritiser | None = None
    line: ControllerLine | None = None
    pool: ThreadPoolExecutor | None = None
    done: bool = False

    def __post_init__(self) -> None:
        self.dial: Callable[[], ControllerLine] = self.desk.line

    @property
    def now(self) -> datetime:
        return self.desk.wall.now()

    def tell(self, told: Told, **given: object) -> service.Taken:
        row = {"kind": VehicleClass.EMERGENCY, "group": GROUP} | given
        if told is Told.CHECK_OUT:
            row = {}
        telling = Telling(told, NAME, "engine-3", self.now, **row)  # type: ignore[arg-type]
        with self.desk.database.unit_of_work() as uow:
            return service.tell(uow, BUSES, [telling])

    def sleep(self, seconds: float) -> None:
        """Let a second of the street pass, and everybody look."""
        self.desk.wall.sleep(seconds)
        assert self.line is not None
        state = self.line.read_state()
        self.kept.append(state)
        self.each_second(self, state)
        assert self.works is not None
        assert self.pool is not None
        self.works.look(self.pool)
        if self.done:
            self.works.end()

    def run(self, seconds: int) -> None:
        """Let a worker look after the signal for so long."""
        self.works = Prioritiser(
            self.desk.database,
            self.desk.wall,
            dial=lambda _address: self.dial(),
            sleep=self.sleep,
        )
        self.line = self.desk.line()
        deadline_s = time.monotonic() + 120
        with ThreadPoolExecutor(4) as self.pool:
            until_at = self.now + timedelta(seconds=seconds)
            while self.now < until_at and not self.done:
                if self.works.idle:
                    # Nobody waits for the street's seconds: they pass here.
                    self.sleep(1.0)
                else:
                    time.sleep(0.005)
                assert time.monotonic() < deadline_s
            self.works.end()
        self.line.close()

    def request(self) -> Asked:
        with self.desk.database.read() as connection:
            (found,) = store.requests(
                connection, self.desk.network_id, signal=NAME, state="all", at=self.now,
                after=None, limit=5,
            )  # fmt: skip
        return found

    def turns(self) -> list[Turn]:
        with self.desk.database.read() as connection:
            return priority_turns.turns(connection, self.desk.network_id, NAME, after=None, limit=9)


class Engine:
    """Drives up so that its green would just be over, and passes when it has one."""

    def __init__(self, stage: int = 1, late_s: int = 6) -> None:
        self._stage, self._late_s = stage, late_s
        self.arrives_at: datetime | None = None
        self.passed_at: datetime | None = None

    def __call__(self, town: Town, state: ControllerState) -> None:
        assert town.works is not None
        town.done = self.passed_at is not None and town.works.idle
        if self.arrives_at is None:
            if state.stage == self._stage and state.changing is False and state.elapsed_s == 2:
                assert state.remaining_s is not None
                coming_s = state.remaining_s + self._late_s
                self.arrives_at = town.now + timedelta(seconds=coming_s)
                taken = town.tell(Told.CHECK_IN, arrives_at=self.arrives_at, spread_s=1.0)
                assert taken.refused == ()
            return
        green = state.lamps.get(1) in GREENS
        if self.passed_at is None and town.now >= self.arrives_at and green:
            self.passed_at = town.now
            assert town.tell(Told.CHECK_OUT).accepted == 1


def town_of(desk: Desk, each_second: Callable[[Town, ControllerState], None]) -> Town:
    with desk.database.unit_of_work() as uow:
        networks.record_demand(
            uow, ENGINEER, desk.network_id, name="day", source="counted", flows=FLOWS
        )
        service.register(
            uow, ENGINEER, desk.network_id, BUSES.subject,
            [VehicleClass.EMERGENCY, VehicleClass.BUS],
        )  # fmt: skip
    return Town(desk, each_second)


def test_a_green_is_held_for_whoever_comes_and_the_plan_runs_again(desk: Desk) -> None:
    engine = Engine()
    town = town_of(desk, engine)
    town.run(500)
    assert engine.arrives_at is not None
    assert engine.passed_at is not None
    asked = town.request()
    assert asked.act in {"extension", "early_green"}, asked.reason
    assert asked.sooner_s is not None
    assert asked.sooner_s >= 5
    assert asked.checked_out_at == engine.passed_at
    # What was foretold came about: it passed so much sooner than by the plan.
    assert asked.without_at is not None
    gained_s = (asked.without_at - asked.checked_out_at).total_seconds()
    assert abs(gained_s - asked.sooner_s) <= 6
    (turn,) = town.turns()
    assert turn.status == "ended", turn.steps
    assert any("asked for, and held" in step for step in turn.steps)
    assert turn.steps[-1] == "nobody comes any more: plan 1 runs"
    assert desk.control() is Control.FIXED
    with desk.database.read() as connection:
        (effect,) = store.effects(connection, desk.network_id, town.now - timedelta(hours=1))
        actions = connection.execute(
            text("select action from audit.record where action like 'signals.priority%'")
        ).scalars()
        assert sorted(actions) == ["signals.priority_asker_added", "signals.priority_ended"]
    assert (effect.kind, effect.asked, effect.passed, effect.measured) == ("emergency", 1, 1, 1)


def test_an_order_by_hand_comes_first_and_gets_the_signal_within_seconds(desk: Desk) -> None:
    engine = Engine()
    ordered_at: list[datetime] = []

    def second(town: Town, state: ControllerState) -> None:
        if state.control is Control.MANUAL and not ordered_at:
            ordered_at.append(town.now)
            desk.confirm(ENGINEER, desk.propose(ENGINEER, Effect.ALL_RED, 60))
        if not ordered_at or town.now - ordered_at[0] < timedelta(seconds=30):
            engine(town, state)

    town = town_of(desk, second)
    town.run(150)
    assert ordered_at
    (turn,) = town.turns()
    assert turn.status == "gave_way"
    assert turn.ended_at is not None
    assert turn.ended_at - ordered_at[0] <= timedelta(seconds=20)
    assert "the signal is held by hand" in turn.steps[-1]
    assert town.request().reason == "the signal is held by hand"


def test_what_a_dead_keeper_held_is_given_back_first(desk: Desk) -> None:
    engine = Engine()

    def second(town: Town, state: ControllerState) -> None:
        engine(town, state)
        town.done = state.control is Control.MANUAL

    town = town_of(desk, second)
    town.run(300)
    assert town.done
    desk.wall.sleep(LOST_AFTER.total_seconds() + 1)
    after = Town(desk, lambda _town, _state: None)
    after.run(60)
    (turn,) = after.turns()
    assert turn.attempts == 2, turn.steps
    assert "gone on with: its keeper had fallen silent" in turn.steps
    assert any("plan 1 runs again" in step for step in turn.steps)
    assert desk.control() is not None


def test_without_known_traffic_a_bus_gets_nothing_and_is_told_why(desk: Desk) -> None:
    def second(town: Town, state: ControllerState) -> None:
        if state.elapsed_s == 2 and town.kept[:-1] and not told:
            told.append(
                town.tell(
                    Told.CHECK_IN, kind=VehicleClass.BUS, lateness_s=300.0, passengers=40,
                    arrives_at=town.now + timedelta(seconds=40),
                )
            )  # fmt: skip

    told: list[service.Taken] = []
    with desk.database.unit_of_work() as uow:
        service.register(uow, ENGINEER, desk.network_id, BUSES.subject, [VehicleClass.BUS])
    town = Town(desk, second)
    town.run(90)
    assert told
    assert town.request().reason == NO_TRAFFIC
    assert town.turns() == []


def test_a_silent_controller_is_asked_for_nothing(desk: Desk) -> None:
    engine = Engine()
    town = town_of(desk, engine)

    class Silent:
        def __getattr__(self, name: str) -> object:
            raise NoAnswer("no answer came")

        def close(self) -> None:
            pass

    town.dial = Silent  # type: ignore[assignment]
    town.run(200)
    assert engine.passed_at is not None
    asked = town.request()
    assert (asked.act, asked.reason) == ("none", "no answer came")
    assert all(state.control is Control.FIXED for state in town.kept)


def test_rows_that_cannot_be_used_come_back_with_the_reason(desk: Desk) -> None:
    town = town_of(desk, lambda _town, _state: None)
    soon = town.now + timedelta(seconds=30)
    rows = [
        Telling(Told.CHECK_IN, NAME, "a", town.now, VehicleClass.BUS, GROUP, arrives_at=soon),
        Telling(Told.CHECK_IN, "J99", "a", town.now, VehicleClass.BUS, GROUP, arrives_at=soon),
        Telling(Told.CHECK_IN, NAME, "b", town.now, VehicleClass.TRAM, GROUP, arrives_at=soon),
        Telling(Told.CHECK_IN, NAME, "c", town.now, VehicleClass.BUS, "moon", arrives_at=soon),
        Telling(Told.CHECK_IN, NAME, "d", town.now, VehicleClass.BUS, GROUP),
        Telling(Told.CHECK_IN, NAME, "e", soon, VehicleClass.BUS, GROUP, arrives_at=soon),
        Telling(Told.CHECK_OUT, NAME, "f", town.now),
        Telling(
            Told.CHECK_IN, NAME, "g", town.now, VehicleClass.BUS, GROUP,
            arrives_at=town.now + timedelta(hours=1),
        ),
    ]  # fmt: skip
    with desk.database.unit_of_work() as uow:
        taken = service.tell(uow, BUSES, rows)
    assert taken.accepted == 1
    assert dict(taken.refused) == {
        1: "unknown_signal",
        2: "not_granted",
        3: "unknown_group",
        4: "incomplete",
        5: "future",
        6: "nobody",
        7: "too_far",
    }
    other = Actor("device", "avl-2", None, frozenset(), "")
    older = [
        Telling(
            Told.CHECK_IN, NAME, "a", town.now - timedelta(seconds=9), VehicleClass.BUS, GROUP,
            arrives_at=soon,
        )
    ]  # fmt: skip
    with desk.database.unit_of_work() as uow:
        assert service.tell(uow, BUSES, older).refused == ((0, "old"),)
        with pytest.raises(Forbidden, match="not registered"):
            service.tell(uow, other, rows[:1])
        made = service.register(uow, ENGINEER, desk.network_id, "avl-2", [VehicleClass.BUS])
        assert service.tell(uow, other, rows[:1]).refused == ((0, "taken"),)
        with pytest.raises(Conflict, match="asks under this name"):
            service.register(uow, ENGINEER, desk.network_id, "avl-2", [VehicleClass.BUS])
        service.remove(uow, ENGINEER, desk.network_id, made.id)
        with pytest.raises(Forbidden):
            service.tell(uow, other, rows[:1])
