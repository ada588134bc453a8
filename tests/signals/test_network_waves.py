"""Green waves of networks: one offset a signal, bands that cars see, bounds that hold."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench._bands import faults
from bench._network_maxband import widest
from bench.network_waves import grid
from city.errors import Invalid
from signals.commands import coordinate_network as command
from signals.rules.waves.bandwidth import coordinate
from signals.rules.waves.corridor import LeftTurns, Pair
from signals.rules.waves.loops import Link, loops_of
from signals.rules.waves.network import Network, read_network
from signals.rules.waves.network_search import Effort, coordinate_network
from signals.rules.waves.plans import bands_of, point_of, worth_of
from signals.rules.waves.programme import Programme
from signals.rules.waves.shape import Shape
from signals.rules.waves.ways import ways_of

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Effort(cells=12, plans=0.1, slice_s=2.0)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 3), st.integers(2, 3), st.integers(0, 1000), st.booleans())
def test_cars_see_the_bands_of_a_grid_and_its_signals_have_one_offset(
    rows: int, columns: int, seed: int, narrow: bool
) -> None:
    network = grid(max(2, rows), columns, seed, narrow=narrow)
    assert faults(network, coordinate_network(network, time_limit_s=1.0, effort=QUICK)) == []


@pytest.mark.parametrize("seed", range(4))
def test_nobody_finds_wider_bands_in_a_block(seed: int) -> None:
    """The oracle is another programme of the same equations, an offset for each signal."""
    network = grid(2, 2, seed, narrow=True)
    found = coordinate_network(network, time_limit_s=20.0, effort=QUICK)
    best, bound = widest(network, 20.0, optional=True)
    assert bound == pytest.approx(best, abs=1e-5)
    assert found.gap == pytest.approx(0, abs=1e-6)
    assert found.objective == pytest.approx(best, abs=1e-5)


def test_a_network_of_one_street_is_the_street() -> None:
    street = replace(grid(2, 5, 3).corridors[0], weight=Pair(1, 1))
    found = coordinate_network(Network((street,), ("Main",)), time_limit_s=10.0, effort=QUICK)
    assert found.objective == pytest.approx(coordinate(street).objective, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_no_plan_drawn_at_random_is_worth_more_than_the_bound(seed: int) -> None:
    network = grid(2, 3, 7)
    draw = random.Random(seed)  # noqa: S311 - plans, no secret
    ways, count = ways_of(network), len(network.signals)
    bound = coordinate_network(network, time_limit_s=0.4, effort=QUICK).bound
    offsets = [draw.random() for _ in range(count)]
    assert worth_of(ways, bands_of(ways, offsets, 1 / draw.uniform(60, 120))) <= bound + 1e-6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_a_plan_read_back_from_the_programme_is_at_least_as_good(seed: int) -> None:
    """Whole numbers of a plan leave a linear programme that has the plan in it."""
    network = grid(2, 3, seed)
    draw = random.Random(seed)  # noqa: S311 - plans, no secret
    ways, shape = ways_of(network), Shape(network)
    pace = 1 / draw.uniform(60, 120)
    offsets = [draw.random() for _ in range(shape.count)]
    bands = bands_of(ways, offsets, pace)
    point = point_of(network, ways, offsets, pace, bands)
    solved = Programme(shape, 1 / 120, 1 / 60, None).polish(point, 10.0)
    assert solved.pace is not None
    again = worth_of(ways, bands_of(ways, solved.offsets, solved.pace))
    assert again >= worth_of(ways, bands) - 1e-6
    assert again >= solved.bound - 1e-5


def test_left_turn_patterns_make_no_band_narrower() -> None:
    network = grid(2, 2, 2, narrow=True)
    turning = replace(
        network,
        corridors=tuple(
            replace(
                corridor,
                signals=tuple(
                    replace(each, left_turns=Pair(0.1, 0.1), patterns=tuple(LeftTurns))
                    for each in corridor.signals
                ),
            )
            for corridor in network.corridors
        ),
    )
    free = coordinate_network(turning, time_limit_s=20.0, effort=QUICK)
    assert faults(turning, free) == []
    fixed = replace(
        turning,
        corridors=tuple(
            replace(
                corridor,
                signals=tuple(
                    replace(each, patterns=(LeftTurns.LEAD_LEAD,)) for each in corridor.signals
                ),
            )
            for corridor in turning.corridors
        ),
    )
    assert coordinate_network(fixed, time_limit_s=20.0, effort=QUICK).objective <= free.bound + 1e-6


def test_in_no_time_there_are_a_plan_and_a_bound() -> None:
    network = grid(6, 6, 1)
    found = coordinate_network(network, time_limit_s=0.01)
    assert faults(network, found) == []
    assert found.bound >= found.objective
    assert found.bound < 100


def test_a_grid_has_its_blocks_for_loops() -> None:
    network = grid(4, 5, 1)
    loops = Shape(network).loops
    assert sorted(map(len, loops)) == [4] * 12


def test_loops_that_only_a_tree_closes_are_found() -> None:
    ring = [Link(0, number, number, (number + 1) % 40) for number in range(40)]
    (loop,) = loops_of(40, ring)
    assert sorted(link for link, _ in loop) == list(range(40))
    assert len({sign for _, sign in loop}) == 1
    assert loops_of(3, ring[:2]) == []
    twice = [Link(0, 0, 0, 1), Link(1, 0, 0, 1)]
    assert [dict(each) for each in loops_of(2, twice)] == [{0: 1, 1: -1}]


def corridor(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Lake Street",
        "speed_kph": {"out": [30, 50], "in": 40},
        "signals": [
            {"name": "A", "position_m": 0, "red": [0.45, 0.5], "red_centre": 0.1},
            {"name": "B", "position_m": 400, "red": [0.5, 0.5]},
        ],
    } | changes


def network(*corridors: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"cycle_s": [60, 120], "corridors": list(corridors)} | changes


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (network(), "corridors"),
        (network(corridor(), corridors=5), "corridors"),
        (network(corridor(), cycle_s=[90, 60]), "cycle_s"),
        (network(corridor(), cycle_s=None), "cycle_s"),
        (network(corridor(), cycle_s=[0, 60]), "cycle_s"),
        (network(corridor(signals=corridor()["signals"][:1])), "'Lake Street').signals"),
        (network(corridor(speed_kph={"out": [50, 30], "in": 40})), "'Lake Street').speed_kph.out"),
        (network(corridor(speed_kph={"out": 0, "in": 40})), "'Lake Street').speed_kph.out"),
        (
            network(corridor(cycle_s=[60, 80]), corridor(name="Hill", cycle_s=[90, 100])),
            "corridors.1 ('Hill').cycle_s",
        ),
        (
            network(
                corridor(),
                corridor(
                    name="Hill",
                    signals=[
                        {"name": "A", "position_m": 5, "red": [0.5, 0.5]},
                        {"name": "C", "position_m": 5, "red": [0.5, 0.5]},
                    ],
                ),
            ),
            "corridors.1 ('Hill').signals.1.position_m (signal 'C')",
        ),
        (
            network(
                corridor(
                    signals=[
                        {"name": "A", "position_m": 5, "red": [0.5, 0.5]},
                        {"name": "A", "position_m": 9, "red": [0.5, 0.5]},
                    ]
                )
            ),
            "must not pass signal 'A' twice",
        ),
    ],
)
def test_a_network_that_cannot_be_names_corridor_and_signal(
    document: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        read_network(document)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_cycle_of_a_network_lies_in_all_of_its_corridors() -> None:
    found = read_network(network(corridor(cycle_s=[50, 90]), corridor(name="x", cycle_s=80)))
    assert list(found.cycle_s) == [80, 80]
    assert {each.cycle_s for each in found.corridors} == {(80.0, 80.0)}


def test_the_command_answers_in_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crossing = corridor(
        name="Hill Street",
        note="counted in May",
        signals=[
            {"name": "B", "position_m": 0, "red": [0.5, 0.5], "red_centre": 0.5},
            {"name": "C", "position_m": 300, "red": [0.4, 0.4]},
        ],
    )
    file = tmp_path / "network.json"
    file.write_text(json.dumps(network(corridor(), crossing)))
    assert command.run([str(file), "--time-limit", "5"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert set(found["offsets_s"]) == {"A", "B", "C"}
    assert found["gap"] == pytest.approx(0, abs=1e-6)
    assert found["bound"] >= found["objective"]
    first, second = found["corridors"]
    assert first["offsets_s"][1] == second["offsets_s"][0] == found["offsets_s"]["B"]
    assert 60 <= found["cycle_s"] <= 120
    assert all(30 <= each <= 50.000001 for each in first["speed_kph"]["out"])
    assert "not read: corridors.1.note" in printed.err
    with pytest.raises(SystemExit) as left:
        command.run([str(file), "--time-limit", "0"])
    assert left.value.code == 2
