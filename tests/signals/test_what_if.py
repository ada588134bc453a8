"""What if: other functions of lanes, and no signal at all."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.commands.what_if import run
from signals.rules.model.junction import SignalNetwork, Turn
from signals.rules.model.sumo_import import network_of
from signals.rules.model.sumo_net import read_sumo
from signals.rules.safety.case import prepare
from signals.rules.safety.profiles import AS_IS
from signals.rules.what_if.lane_functions import (
    Functions,
    Way,
    choices_of,
    functions_of,
    network_with,
    with_functions,
)
from signals.rules.what_if.warrant import Approach, control_delay_s, warrant
from tests.signals import drivable

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = drivable.network(1)
JUNCTION = NETWORK.junctions[0]
ROADS = NETWORK.approaches(JUNCTION)


def served(functions: Functions) -> set[Way]:
    return {way for lane in functions for way in lane}


def test_other_functions_serve_every_way_in_order_and_overfill_no_road() -> None:
    for road in ROADS:
        now = functions_of(NETWORK, JUNCTION, road)
        found = list(choices_of(NETWORK, JUNCTION, road))
        assert found
        assert len({tuple(map(frozenset, each)) for each in found}) == len(found)
        order = [Turn.RIGHT, Turn.STRAIGHT, Turn.LEFT, Turn.U_TURN]
        for each in found:
            assert each != now
            assert all(each)
            assert served(each) == served(now)
            turns = [[order.index(way.turn) for way in lane] for lane in each]
            for one, other in itertools.pairwise(turns):
                assert max(one) <= min(other)


def test_a_junction_with_other_functions_has_them_and_a_safe_plan_can_be_prepared() -> None:
    road = ROADS[0]
    for chosen in choices_of(NETWORK, JUNCTION, road):
        made = with_functions(NETWORK, JUNCTION, {road.name: chosen})
        network = network_with(NETWORK, made)
        found = functions_of(network, made, road)
        assert [set(each) for each in found] == [set(each) for each in chosen]
        for other in ROADS[1:]:
            kept = functions_of(NETWORK, JUNCTION, other)
            assert [set(a) for a in functions_of(network, made, other)] == [set(b) for b in kept]
        # Straight from the south meets straight from the west, whatever the lanes are for.
        straight = {each.name for each in made.movements if each.turn is Turn.STRAIGHT}
        met = {(c.first, c.second) for c in made.conflicts}
        assert any(one in straight and other in straight for one, other in met)
        prepare(made, network, AS_IS, ())


@pytest.fixture
def town(tmp_path: Path) -> tuple[str, str]:
    """Give crossroads where nearly everybody from the west goes straight on."""
    network, _ = drivable.files(1)
    flows = [("west", "east", 900), ("east", "west", 200), ("south", "north", 250)]
    body = "".join(
        f'<flow id="{a}" begin="0" end="3600" vehsPerHour="{vph}" from="0-{a}-in" to="0-{b}-out"/>'
        for a, b, vph in flows
    )
    (tmp_path / "net.xml").write_bytes(network)
    (tmp_path / "rou.xml").write_text(f"<routes>{body}</routes>")
    return str(tmp_path / "net.xml"), str(tmp_path / "rou.xml")


def test_the_command_finds_a_second_lane_for_who_goes_straight_on(
    town: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "changed.net.xml"
    files = ["--network", town[0], "--demand", town[1], "--profile", "as-is", "--out", str(out)]
    assert run(files) == 0
    told = json.loads(capsys.readouterr().out)

    best = told["choices"][0]
    assert best["delay_s"] < told["as_it_is"]["delay_s"]
    assert sum("straight" in turns for turns in best["lanes"].values()) > 1
    assert all(lane.startswith("0-west-") for lane in best["lanes"])
    network: SignalNetwork = network_of(read_sumo(out.read_bytes()))
    functions = network.lane_functions(network.junctions[0])
    for lane, turns in best["lanes"].items():
        assert {turn.value for turn in functions[lane]} == set(turns)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--junction", "nowhere"], "--junction must be one of 0-"),
        (["--seconds", "0"], "--seconds must be positive"),
        (["--seconds", "nan"], "--seconds must be positive"),
    ],
)
def test_bad_wishes_are_one_line_and_status_2(
    town: tuple[str, str], more: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        run(["--network", town[0], "--demand", town[1], *more])
    assert left.value.code == 2
    assert says in capsys.readouterr().err


def four(along: float, across: float, lanes: int = 1, left: float = 0.0) -> list[Approach]:
    """Give two roads that cross, so many vehicles an hour on each approach."""
    return [
        Approach(name, bearing, lanes, {Turn.STRAIGHT: vph - left, Turn.LEFT: left})
        for name, bearing, vph in (
            ("west", 270.0, along),
            ("east", 90.0, along),
            ("south", 180.0, across),
            ("north", 0.0, across),
        )
    ]


@pytest.mark.parametrize(
    ("along", "across", "lanes", "asked"),
    [
        (375, 300, 1, (750, 300)),
        (374, 300, 1, None),
        (600, 140, 1, (1200, 140)),
        (600, 139, 1, None),
        (450, 419, 2, None),
        (450, 420, 2, (900, 420)),
    ],
)
def test_the_peak_hour_asks_for_a_signal_by_the_table(
    along: float, across: float, lanes: int, asked: tuple[float, float] | None
) -> None:
    found = warrant(four(along, across, lanes))

    assert found is not None
    assert found.greater == ("west", "east")
    assert found.asked_vph == asked
    assert found.by_table is (asked is not None)


def test_who_gives_way_waits_by_the_gaps_of_the_other_road() -> None:
    found = warrant(four(100, 50))

    assert found is not None
    # 200 veh/h to let pass, gaps of 6.5 and 4.0 s: 200 e^-0.3611 / (1 - e^-0.2222) = 699 veh/h;
    # 50 of them: 5.5 s for themselves, 5 s to stop and pull away.
    assert found.longest_delay_s == pytest.approx(control_delay_s(50, 699.4, 1.0), abs=0.05)
    assert found.longest_delay_s is not None
    assert found.longest_delay_s == pytest.approx(10.5, abs=0.1)
    # As many come on the greater road twice over, and do not wait.
    assert found.delay_s == pytest.approx(found.longest_delay_s / 3, rel=1e-6)


def test_who_comes_faster_than_they_can_go_has_no_delay_to_tell() -> None:
    found = warrant(four(900, 300))

    assert found is not None
    assert found.delay_s is None
    assert found.longest_delay_s is None


def test_at_a_tee_the_road_that_goes_through_has_the_right_of_way() -> None:
    west, east, south, _ = four(100, 500)
    found = warrant([south, west, east])

    assert found is not None
    assert found.greater == ("west", "east")
    assert warrant([west]) is None


@given(st.floats(0, 800), st.floats(1, 300), st.floats(0, 1), st.integers(1, 3))
def test_more_traffic_on_the_greater_road_never_shortens_the_wait(
    along: float, across: float, share: float, lanes: int
) -> None:
    one = warrant(four(along, across, lanes, share * min(along, across)))
    more = warrant(four(along + 50, across, lanes, share * min(along, across)))
    assert one is not None
    assert more is not None
    if one.greater == more.greater and more.longest_delay_s is not None:
        assert one.longest_delay_s is not None
        assert one.longest_delay_s <= more.longest_delay_s + 1e-6
