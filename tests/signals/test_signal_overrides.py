"""Orders by hand from proposal to the end, with a database, a worker and a controller on a line."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from city.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from city.identifiers import uuid7
from city.people.actors import Actor
from city.works.database import Database
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.gbt20999.link import Patience
from signals.adapters.gbt20999.row import Row
from signals.adapters.gbt20999.simulated import SimulatedGbt20999
from signals.adapters.lines import dial
from signals.overriding import LOST_AFTER, Overrider
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.layout import layout_of, plan_of
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.controllers.orders import Effect
from signals.rules.life.parts import plan_json
from signals.rules.live.lights import Seen, with_names
from signals.services import cabinets, networks, overrides, plan_versions
from signals.store import cabinets as cabinet_store
from signals.store import overrides as store
from tests.signals import crossroads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from pydantic import JsonValue

    from signals.rules.controllers.line import ControllerLine
    from signals.store.overrides import Override

NAME = crossroads.NAME
CASE = crossroads.case_of(crossroads.network())
ENGINEER = Actor("person", str(uuid7()), None, frozenset(), "Engineer A")
OTHER = Actor("person", str(uuid7()), None, frozenset(), "Engineer B")


class Street:
    """A wall clock and a street's seconds: they pass while somebody waits for them."""

    def __init__(self) -> None:
        self._gone_s = 0.0
        self._lock = threading.Lock()

    def seconds(self) -> float:
        return self._gone_s

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 1, tzinfo=UTC) + timedelta(seconds=self._gone_s)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._gone_s += seconds


@dataclass
class Desk:
    """A crossroads on record with a cabinet, and a worker that keeps orders."""

    database: Database
    wall: Street
    network_id: UUID
    address: CabinetAddress

    def line(self) -> ControllerLine:
        return dial(self.address, Patience(timeout_s=0.5, tries=20))

    def control(self) -> Control | None:
        line = self.line()
        found = line.read_state().control
        line.close()
        return found

    def seen(self) -> Seen:
        line = self.line()
        names = [group.name for group in CASE.junction.groups]
        layout = with_names(line.read_layout(), names)
        plan = line.read_plan(1)
        state = line.read_state()
        line.close()
        return Seen(self.wall.now(), state, layout, plan)

    def propose(
        self, actor: Actor, effect: Effect, seconds: int = 60, seen: Seen | None = None
    ) -> Override:
        last = seen or self.seen()
        with self.database.unit_of_work() as uow:
            return overrides.propose(
                uow,
                actor,
                self.network_id,
                NAME,
                last,
                effect=effect,
                stage=None,
                seconds=seconds,
                reason="a burst water main",
            )

    def confirm(self, actor: Actor, made: Override) -> Override:
        with self.database.unit_of_work() as uow:
            return overrides.confirm(
                uow,
                actor,
                self.network_id,
                NAME,
                made.id,
                effect=Effect(made.effect),
                until_at=made.until_at,
            )

    def of(self, made: Override) -> Override:
        with self.database.read() as connection:
            found = store.override_of(connection, made.id)
        assert found is not None
        return found

    def keeper(self, sleep: Callable[[float], None] | None = None) -> Overrider:
        return Overrider(
            self.database,
            self.wall,
            dial=lambda _address: self.line(),
            sleep=sleep or self.wall.sleep,
        )

    def keep_until(
        self, made: Override, *statuses: str, keeper: Overrider | None = None
    ) -> Override:
        """Let a keeper work until an order has come so far."""
        works = keeper or self.keeper()
        until_s = time.monotonic() + 60
        with ThreadPoolExecutor(4) as pool:
            while self.of(made).status not in statuses or not (keeper or works.idle):
                works.look(pool)
                assert time.monotonic() < until_s, self.of(made)
                time.sleep(0.02)
            if keeper is not None:
                keeper.end()
        return self.of(made)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    wall = Street()
    database = Database(database_url, clock=wall, wall=wall)
    plan = crossroads.plan(CASE)
    with database.unit_of_work() as uow:
        home = networks.record_network(
            uow, ENGINEER, "cross", ("十字", "Cross"), crossroads.network(), [plan]
        )
    layout = layout_of(CASE, [plan])
    cabinet = Cabinet(layout, {1: plan_of(layout, plan, 1)}, 1)
    host = CabinetHost(cabinet, tick=wall.seconds)
    row = Row({7: SimulatedGbt20999(host, controller=7)}, 0)
    row.start()
    address = CabinetAddress("127.0.0.1", row.port, controller=7)
    with database.unit_of_work() as uow:
        cabinets.bind(uow, ENGINEER, home.id, NAME, address)
    # The start-up is over.
    wall.sleep(60)
    yield Desk(database, wall, home.id, address)
    row.stop(60)
    assert host.cabinet.trip is None
    database.close()


def test_an_order_is_proposed_confirmed_kept_and_over_by_itself(desk: Desk) -> None:
    made = desk.propose(ENGINEER, Effect.FLASHING, 90)
    assert made.status == "proposed"
    with desk.database.read() as connection:
        assert store.active(connection, desk.network_id, NAME) is None
    assert desk.confirm(ENGINEER, made).status == "waiting"
    # No plan goes into a cabinet that somebody holds.
    with desk.database.unit_of_work() as uow:
        document: JsonValue = {"plans": [plan_json(crossroads.plan(CASE, 32))]}
        plan = plan_versions.draft(uow, ENGINEER, desk.network_id, title="t", document=document)
        plan_versions.check(uow, ENGINEER, plan.id, revision=1)
        plan_versions.approve(uow, OTHER, plan.id, revision=1)
        plan_versions.deploy(uow, ENGINEER, plan.id, revision=1)
        at = uow.wall.now()
        taken = cabinet_store.claim(uow.connection, uuid7(), most=5, at=at, lost_before=at)
        assert taken == []
    done = desk.keep_until(made, "ended", "unknown", "refused")
    assert done.status == "ended", done.steps
    assert done.steps[-1] == "plan 1 runs again"
    assert "shows flashing yellow" in done.steps
    assert (done.plan, done.control, done.attempts) == (1, "fixed", 1)
    assert done.ended_at is not None
    assert done.until_at <= done.ended_at
    assert desk.control() is Control.FIXED
    with desk.database.read() as connection:
        actions = connection.execute(
            text(
                "select action from audit.record where action like 'signals.override%' order by id"
            )
        ).scalars()
        assert list(actions) == ["signals.override_ordered", "signals.override_ended"]


def test_of_two_at_once_one_is_told_that_the_other_was_faster(desk: Desk) -> None:
    seen = desk.seen()
    first, second = (desk.propose(who, Effect.FLASHING, 600, seen) for who in (ENGINEER, OTHER))
    with pytest.raises(Forbidden, match="who proposed"):
        desk.confirm(OTHER, first)
    desk.confirm(ENGINEER, first)
    with pytest.raises(Conflict, match="Engineer A has changed it meanwhile"):
        desk.confirm(OTHER, second)
    with pytest.raises(Conflict, match="confirmed already"):
        desk.confirm(ENGINEER, first)
    with (
        desk.database.unit_of_work() as uow,
        pytest.raises(Conflict, match="not what was proposed"),
    ):
        overrides.confirm(
            uow, OTHER, desk.network_id, NAME, second.id,
            effect=Effect.DARK, until_at=second.until_at,
        )  # fmt: skip
    # Whoever has seen what holds may replace it.
    third = desk.propose(OTHER, Effect.ALL_RED, 120, desk.seen())
    assert third.replaces == first.id
    desk.confirm(OTHER, third)
    assert desk.of(first).replaced_by == third.id
    with desk.database.unit_of_work() as uow:
        with pytest.raises(Conflict, match="holds nothing"):
            overrides.release(uow, ENGINEER, desk.network_id, NAME, first.id)
        overrides.release(uow, ENGINEER, desk.network_id, NAME, third.id)
    assert desk.keep_until(third, "ended").status == "ended"
    assert desk.of(first).status == "replaced"


def test_an_order_outlives_its_keeper_and_not_its_end(desk: Desk) -> None:
    made = desk.propose(ENGINEER, Effect.FLASHING, 200)
    desk.confirm(ENGINEER, made)

    def sleep(seconds: float) -> None:
        desk.wall.sleep(seconds)
        if "shows flashing yellow" in desk.of(made).steps:
            first.end()

    first = desk.keeper(sleep)
    with ThreadPoolExecutor(1) as pool:
        first.look(pool)
    assert desk.of(made).status == "holding"
    desk.wall.sleep(LOST_AFTER.total_seconds() + 2)
    done = desk.keep_until(made, "ended", "unknown")
    assert (done.status, done.attempts) == ("ended", 2), done.steps
    assert "gone on with: its keeper had fallen silent" in done.steps


def test_an_order_that_nobody_confirmed_so_is_not_carried_out(desk: Desk) -> None:
    made = desk.propose(ENGINEER, Effect.FLASHING, 90)
    desk.confirm(ENGINEER, made)
    with desk.database.unit_of_work() as uow:
        uow.connection.execute(
            text("update signals.override set until_at = until_at + interval '1 day'")
        )
    done = desk.keep_until(made, "refused", "ended")
    assert (done.status, done.attempts) == ("refused", 1)
    assert "not as it was confirmed" in done.steps[-1]
    assert desk.control() is Control.FIXED


def test_what_cannot_be_ordered_is_refused(desk: Desk) -> None:
    seen = desk.seen()
    with pytest.raises(Invalid, match="10 to 300"):
        desk.propose(ENGINEER, Effect.ALL_RED, 301, seen)
    assert seen.state is not None
    running = replace(seen.state, control=Control.FIXED, stage=1, changing=False, elapsed_s=12,
                      remaining_s=10)  # fmt: skip
    with pytest.raises(Conflict, match="s at most: longer, somebody waits too long"):
        desk.propose(ENGINEER, Effect.HOLD, 1_800, replace(seen, state=running))
    old = replace(seen, at=desk.wall.now() - timedelta(seconds=30))
    with pytest.raises(Unavailable, match="not been heard"):
        desk.propose(ENGINEER, Effect.FLASHING, 60, old)
    faulty: ControllerState = replace(seen.state, faults=("green_conflict",))
    with pytest.raises(Conflict, match="reports green_conflict"):
        desk.propose(ENGINEER, Effect.FLASHING, 60, replace(seen, state=faulty, at=desk.wall.now()))
    late = desk.propose(ENGINEER, Effect.FLASHING, 60)
    desk.wall.sleep(130)
    with pytest.raises(Conflict, match="too old"):
        desk.confirm(ENGINEER, late)
    with desk.database.unit_of_work() as uow:
        cabinets.unbind(uow, ENGINEER, desk.network_id, NAME)
    with pytest.raises(NotFound, match="no cabinet"):
        desk.propose(ENGINEER, Effect.FLASHING, 60, replace(seen, at=desk.wall.now()))
