"""Cabinets that tell how they are: bytes, a line to a simulated one, alarms, what is not told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from signals.adapters.cabinet_host import CabinetHost, Mischief, parse_mischief
from signals.adapters.gbt20999.link import Patience
from signals.adapters.gbt20999.row import Row
from signals.adapters.gbt20999.simulated import SimulatedGbt20999
from signals.adapters.lines import dial
from signals.inspecting import inspect_all
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.gbt20999 import device
from signals.rules.controllers.inspection import Inspection
from signals.rules.controllers.layout import layout_of, plan_of
from signals.rules.live.alarms import Code, Level, of_cabinets
from signals.services import alarms, cabinets
from signals.store import alarms as alarm_store
from signals.store import cabinet_looks
from tests.signals import crossroads
from tests.signals.test_work_orders import EIGHT, Shop, shop

if TYPE_CHECKING:
    from city.time import FixedClock
    from signals.rules.controllers.line import ControllerLine

__all__ = ["shop"]

instants = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0))


@given(instants)
def test_an_instant_is_seven_bytes_and_back(at: datetime) -> None:
    assert device.instant_of(device.instant_value(at)) == at


def test_what_cannot_be_read_is_not_known() -> None:
    assert device.instant_value(datetime(2026, 3, 2, 8, 5, 9, tzinfo=UTC)).hex() == "07ea0302080509"
    for broken in (None, b"", bytes(7), b"\x07\xea\x0d\x02\x08\x05\x09", b"\x07\xea\x03"):
        assert device.instant_of(broken) is None
    assert device.text_of(b"Maker\0\0\0") == "Maker"
    assert [device.text_of(each) for each in (None, b"", bytes(9), b"\xff\xfe", b"\x07x")] == [
        None
    ] * 5
    assert device.version_of(b"\x01\x02\x00\x0f") == "0102/000F"
    assert device.version_of(b"\x01") is None


def levels(told: Inspection) -> dict[Code, Level]:
    return {each.code: each.level for each in of_cabinets([("J01", EIGHT, told)])}


def test_lamps_doors_and_clocks_are_alarms_and_what_is_not_told_is_none() -> None:
    sound = Inspection(clock_ahead_s=2.0, faults=(), alarms=())
    assert set(levels(sound).values()) == {Level.GOOD}
    wrong = Inspection(
        clock_ahead_s=-40.0, faults=("red_lamp", "main_board"), alarms=("front_door",)
    )
    assert set(levels(wrong).values()) == {Level.BAD}
    facts = {each.code: dict(each.facts) for each in of_cabinets([("J01", EIGHT, wrong)])}
    assert facts[Code.CABINET_FAULT] == {"told": "main_board"}
    assert levels(Inspection()) == {}
    assert levels(replace(sound, clock_ahead_s=7.0))[Code.CLOCK_OFF] is Level.BETWEEN
    assert Code.DOOR_OPEN not in levels(replace(sound, alarms=None))


def test_faults_are_put_in_on_purpose_by_their_names() -> None:
    assert parse_mischief("lamp=1,door=1,clock=-40") == Mischief(lamp=True, door=True, clock_s=-40)
    for broken in ("lamp=2", "door=x", "clock=1e9"):
        with pytest.raises(Invalid):
            parse_mischief(broken)


def simulated(mischief: Mischief, wall: FixedClock) -> tuple[Row, CabinetHost]:
    """Let a cabinet stand at the end of a line whose clock is ours but for what is put in."""
    case = crossroads.case_of(crossroads.network())
    plan = crossroads.plan(case)
    layout = layout_of(case, [plan])
    host = CabinetHost(
        Cabinet(layout, {1: plan_of(layout, plan, 1)}, 1), mischief=mischief, tick=lambda: 0.0
    )
    row = Row({7: SimulatedGbt20999(host, controller=7, wall=wall)}, 0)
    row.start()
    return row, host


def patient(address: CabinetAddress) -> ControllerLine:
    return dial(address, Patience(timeout_s=0.5, tries=20))


def test_a_cabinet_is_looked_over_raises_its_alarms_and_clears_them_when_mended(shop: Shop) -> None:
    row, host = simulated(Mischief(lamp=True, door=True, clock_s=-40.0), shop.wall)
    address = CabinetAddress("127.0.0.1", row.port, controller=7)
    try:
        with shop.database.unit_of_work() as uow:
            cabinets.bind(uow, shop.engineer, shop.network_id, crossroads.NAME, address)
        assert inspect_all(shop.database, dial=patient) == (1, 0)
        with shop.database.read() as connection:
            (look,) = cabinet_looks.looks(connection, shop.network_id)
        assert look.told == Inspection(
            "Greenbay simulated", "0100/0102", "000007", -39.5, ("red_lamp",), ("front_door",)
        )
        assert alarms.watch_all(shop.database) == (3, 0)
        with shop.database.read() as connection:
            found = alarm_store.alarms(connection, shop.network_id, "open", limit=9)
        assert {each.code for each in found} == {"lamp_fault", "door_open", "clock_off"}
        # Half an hour later nobody knows how it is: what was said stands.
        shop.wall.advance(timedelta(minutes=31).total_seconds())
        assert alarms.watch_all(shop.database) == (0, 0)
        host.mischief = Mischief()
        assert inspect_all(shop.database, dial=patient) == (1, 0)
        assert alarms.watch_all(shop.database) == (0, 3)
    finally:
        row.stop(60)


def test_one_that_does_not_answer_keeps_what_it_said_last(shop: Shop) -> None:
    row, _ = simulated(Mischief(), shop.wall)
    address = CabinetAddress("127.0.0.1", row.port, controller=7)
    with shop.database.unit_of_work() as uow:
        cabinets.bind(uow, shop.engineer, shop.network_id, crossroads.NAME, address)
    assert inspect_all(shop.database, dial=patient) == (1, 0)
    row.stop(60)
    shop.wall.advance(600)

    def hasty(address: CabinetAddress) -> ControllerLine:
        return dial(address, Patience(timeout_s=0.05, tries=1))

    assert inspect_all(shop.database, dial=hasty) == (0, 1)
    with shop.database.read() as connection:
        (look,) = cabinet_looks.looks(connection, shop.network_id)
    assert (look.looked_at, look.told.faults) == (EIGHT, ())
