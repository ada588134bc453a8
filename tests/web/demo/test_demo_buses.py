"""The demo's buses check in before the stop line, wait for green, and say when they passed."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, cast

from city.time import FixedClock
from signals.rules.life.parts import part_of
from signals.rules.model.aspects import Aspect
from signals.rules.priority.requests import VehicleClass
from web.demo.buses import AGAIN_S, MOST_LATE_S, Driven, Lamps, Leg, lines_of
from web.demo.signal_network import draw_signals
from web.demo.signal_plans import lay_junctions
from web.demo.town import SEED, build_town

if TYPE_CHECKING:
    from signals.rules.controllers.cabinet import Cabinet

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
LINE = [Leg("J01", "west", 3, "w_1", 400.0, 10.0), Leg("J02", "west", 2, "v_1", 200.0, 10.0)]


class Shown:
    """A cabinet's lamps, as far as a bus looks at them."""

    def __init__(self, phase: int, lamp: Aspect) -> None:
        self.lamps = {phase: lamp}


def test_a_bus_asks_in_time_waits_at_red_and_is_later_for_it() -> None:
    wall = FixedClock(START)
    lamps = Lamps(wall)
    hears = {leg.signal: (leg.phase, lamps.of(leg.signal)) for leg in LINE}
    bus = Driven("1-1", VehicleClass.BUS, LINE, Random(3))  # noqa: S311 - a town
    told = []
    for second in range(600):
        wall.advance(1)
        green = second % 100 < 30
        for phase, hear in hears.values():
            shown = Shown(phase, Aspect.GREEN if green else Aspect.RED)
            hear(cast("Cabinet", shown), 0)
        bus.tick(wall.now(), lamps)
        told += [(second, each) for each in bus.rows]
        bus.rows.clear()
    ins = [(at_s, each) for at_s, each in told if each["told"] == "check_in"]
    outs = [(at_s, each) for at_s, each in told if each["told"] == "check_out"]
    assert [each["signal"] for _, each in outs[:2]] == ["J01", "J02"]
    assert all(2 <= at_s % 100 < 30 for at_s, _ in outs)
    first_s, first = ins[0]
    # 250 m before the line at eight metres a second.
    arrives_s = (datetime.fromisoformat(first["arrives_at"]) - START).total_seconds()
    assert 28 <= arrives_s - first_s - 1 <= 32
    assert ins[1][0] - first_s == AGAIN_S
    assert first["passengers"] >= 0
    assert bus.lateness_s <= MOST_LATE_S


def test_lines_run_from_signal_to_signal_along_real_lanes() -> None:
    town = build_town(SEED)
    network = draw_signals(town, lay_junctions(town)).network
    parts = {each.name: part_of(network, each) for each in network.junctions}
    lines = lines_of(parts)
    assert len(lines) == 4
    for line in lines:
        assert len({leg.signal for leg in line}) == len(line) >= 3
        for leg in line:
            groups = [group.name for group in parts[leg.signal].junctions[0].groups]
            assert groups[leg.phase - 1] == leg.group
