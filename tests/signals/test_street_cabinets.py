"""Plans in force brought into simulated cabinets, as the worker does it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import uuid7
from city.people.actors import Actor
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.gbt20999.link import Patience
from signals.adapters.gbt20999.row import Row
from signals.adapters.gbt20999.simulated import SimulatedGbt20999
from signals.adapters.lines import dial
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.layout import layout_of, plan_of
from signals.rules.life.parts import plan_json
from signals.sending import Sender
from signals.services import cabinets, networks, plan_versions
from signals.services.street import Pace
from signals.store import cabinets as store
from tests.signals import crossroads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from pydantic import JsonValue

    from city.works.database import Database
    from signals.adapters.gbt20999.row import Memory
    from signals.rules.controllers.line import ControllerLine
    from signals.rules.model.plans import Programme

ENGINEER = Actor("person", str(uuid7()), None, frozenset(), "E")
CHIEF = Actor("person", str(uuid7()), None, frozenset(), "C")
QUICK = Pace(poll_s=0.02, safe_polls=2_000, take_up_polls=2_000, watch_polls=10)
NAME = crossroads.NAME
CASE = crossroads.case_of(crossroads.network())


def brisk(address: CabinetAddress) -> ControllerLine:
    return dial(address, Patience(timeout_s=0.5, tries=20))


def deaf(address: CabinetAddress) -> ControllerLine:
    return dial(address, Patience(timeout_s=0.02, tries=1))


@dataclass
class Street:
    """A crossroads on record, with a cabinet that runs a hundred times as fast."""

    database: Database
    network_id: UUID
    row: Row
    kept: list[Memory]

    @property
    def address(self) -> CabinetAddress:
        return CabinetAddress("127.0.0.1", self.row.port, controller=7)

    def bind(self, address: CabinetAddress | None = None) -> None:
        with self.database.unit_of_work() as uow:
            cabinets.bind(uow, ENGINEER, self.network_id, NAME, address or self.address)

    def deploy(self, plan: Programme) -> UUID:
        with self.database.unit_of_work() as uow:
            document: JsonValue = {"plans": [plan_json(plan)]}
            made = plan_versions.draft(uow, ENGINEER, self.network_id, title="t", document=document)
            plan_versions.check(uow, ENGINEER, made.id, revision=1)
            plan_versions.approve(uow, CHIEF, made.id, revision=1)
            plan_versions.deploy(uow, ENGINEER, made.id, revision=1)
        return made.id

    def acts(self) -> list[store.CabinetAct]:
        with self.database.read() as connection:
            return store.acts(connection, self.network_id, NAME, limit=50)

    def send(self, sender: Sender | None = None) -> store.CabinetAct:
        """Let a sender work until nothing waits, and give what was sent last."""
        worker = sender or Sender(self.database, dial=brisk, pace=QUICK)
        with ThreadPoolExecutor(4) as pool:
            until_s = time.monotonic() + 60
            while time.monotonic() < until_s:
                worker.look(pool)
                pending = [each for each in self.acts() if each.ended_at is None]
                if worker.idle and not pending:
                    break
                time.sleep(0.02)
        return self.acts()[0]


@pytest.fixture
def street(database: Database) -> Iterator[Street]:
    plan = crossroads.plan(CASE)
    with database.unit_of_work() as uow:
        home = networks.record_network(
            uow, ENGINEER, "cross", ("十字", "Cross"), crossroads.network(), [plan]
        )
    layout = layout_of(CASE, [plan])
    cabinet = Cabinet(layout, {1: plan_of(layout, plan, 1)}, 1)
    kept: list[Memory] = []
    row = Row({7: SimulatedGbt20999(CabinetHost(cabinet, speed=100), controller=7)}, 0, kept.append)
    row.start()
    yield Street(database, home.id, row, kept)
    row.stop(5)


def longer(seconds: float) -> Programme:
    return crossroads.plan(CASE, 28 + seconds)


def test_a_deployed_plan_goes_into_the_cabinet_and_each_step_is_kept(street: Street) -> None:
    street.bind()
    street.deploy(longer(4))
    waiting = street.acts()[0]
    assert (waiting.status, waiting.steps) == ("waiting", [])
    done = street.send()
    assert (done.status, done.plan_number, done.former_number) == ("active", 127, 1), done
    assert done.steps[1:3] == ["plan 127 written", "read back the same"]
    line = brisk(street.address)
    assert line.read_state().plan == 127
    found = line.read_plan(127)
    line.close()
    assert found is not None
    assert found.cycle_s == longer(4).cycle_s
    # What a cabinet keeps without power is told within a second.
    until_s = time.monotonic() + 60
    while not any(each[7][0] == 127 for each in street.kept) and time.monotonic() < until_s:
        time.sleep(0.05)
    runs, plans = street.kept[-1][7]
    assert (runs, sorted(plans)) == (127, [1, 127])
    # Back by another act, under the other number.
    with street.database.unit_of_work() as uow:
        version = street.acts()[0].run_id
        row = uow.connection.execute(
            text("select version_id from signals.running_plan where id = :id"), {"id": version}
        ).scalar_one()
        plan_versions.revert(uow, ENGINEER, row, reason="not better")
    back = street.send()
    assert (back.status, back.plan_number, back.former_number) == ("active", 128, 127)


def test_the_last_plan_asked_for_wins_and_what_waited_is_superseded(street: Street) -> None:
    street.bind()
    street.deploy(longer(4))
    street.deploy(longer(8))
    assert [each.status for each in street.acts()] == ["waiting", "superseded"]
    assert street.send().status == "active"
    # One that is watched gives way to the next, which begins once it has ended.
    watched = Sender(street.database, dial=brisk, pace=replace(QUICK, watch_polls=2_000))
    street.deploy(longer(4))
    until_s = time.monotonic() + 60
    with ThreadPoolExecutor(4) as pool:
        while not any("began" in step for step in street.acts()[0].steps):
            watched.look(pool)
            assert time.monotonic() < until_s
            time.sleep(0.02)
        street.deploy(longer(8))
        while street.acts()[1].ended_at is None:
            watched.look(pool)
            assert time.monotonic() < until_s
            time.sleep(0.02)
        watched.end()
    given_up = street.acts()[1]
    assert given_up.status == "superseded"
    assert given_up.steps[-1].endswith("runs; another is to follow")


def test_what_a_dead_sender_had_begun_is_begun_anew(street: Street) -> None:
    street.bind()
    street.deploy(longer(4))
    with street.database.unit_of_work() as uow:
        at = uow.wall.now() - timedelta(minutes=1)
        begun = store.claim(uow.connection, uuid7(), most=5, at=at, lost_before=at)
    assert [each.status for each in begun] == ["sending"]
    second = text(
        "insert into signals.cabinet_act (id, network_id, signal, run_id, profile, status,"
        " asked_at, asked_by, claim, alive_at) select :id, network_id, signal, run_id, profile,"
        " status, asked_at, asked_by, claim, alive_at from signals.cabinet_act"
    )
    with (
        pytest.raises(IntegrityError, match="cabinet_act_one_sends"),
        street.database.unit_of_work() as uow,
    ):
        uow.connection.execute(second, {"id": uuid7()})
    done = street.send()
    assert (done.status, done.plan_number, done.attempts) == ("active", 128, 2)
    assert done.steps[0] == "begun anew: its sender had fallen silent"


def test_silence_is_told_and_the_plan_can_be_sent_again(
    street: Street,
) -> None:
    street.bind(replace(street.address, controller=8))
    street.deploy(longer(4))
    assert street.send(Sender(street.database, dial=deaf, pace=QUICK)).status == "not_sent"
    street.bind()
    with street.database.unit_of_work() as uow:
        cabinets.send_again(uow, ENGINEER, street.network_id, NAME)
    assert street.send().status == "active"
    with street.database.unit_of_work() as uow:
        assert cabinets.send_again(uow, ENGINEER, street.network_id, NAME).status == "waiting"
        with pytest.raises(Conflict, match="on its way"):
            cabinets.send_again(uow, ENGINEER, street.network_id, NAME)
        with pytest.raises(Conflict, match="on its way"):
            cabinets.unbind(uow, ENGINEER, street.network_id, NAME)


def test_a_cabinet_stands_at_one_signal_and_its_address_is_checked(street: Street) -> None:
    with street.database.unit_of_work() as uow:
        other = networks.record_network(
            uow, ENGINEER, "other", ("另", "Other"), crossroads.network(), []
        )
    street.bind()
    with (
        pytest.raises(Conflict, match="stands at another signal"),
        street.database.unit_of_work() as uow,
    ):
        cabinets.bind(uow, ENGINEER, other.id, NAME, street.address)
    with street.database.unit_of_work() as uow:
        cabinets.bind(uow, ENGINEER, other.id, NAME, replace(street.address, controller=9))
        with pytest.raises(Conflict, match="no plan is in force"):
            cabinets.send_again(uow, ENGINEER, other.id, NAME)
        cabinets.unbind(uow, ENGINEER, other.id, NAME)
        with pytest.raises(NotFound, match="no cabinet"):
            cabinets.send_again(uow, ENGINEER, other.id, NAME)
    for wrong, field in (
        ({"host": "controller.example"}, "host"),
        ({"port": 0}, "port"),
        ({"controller": 2**32}, "controller"),
        ({"transport": "pigeon"}, "transport"),
        ({"dialect": {"lenient": 1}}, "dialect.lenient"),
    ):
        with pytest.raises(Invalid) as caught:
            replace(street.address, **wrong)
        assert caught.value.field == field
