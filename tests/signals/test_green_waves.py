"""The widest bands: what a car sees who drives them, and that nobody finds wider ones."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench._bands import allowed, room, seen
from bench._maxband import widest
from city.errors import Invalid
from signals.commands import coordinate as command
from signals.rules.waves.bandwidth import coordinate
from signals.rules.waves.corridor import (
    KPH,
    Corridor,
    CorridorSignal,
    LeftTurns,
    Pair,
)
from signals.rules.waves.corridor_documents import read_corridor
from signals.rules.waves.diagram import time_space_svg

if TYPE_CHECKING:
    from pathlib import Path


def corridor(
    count: int, seed: int, *, free: bool = True, plain: bool = False, **changes: Any
) -> Corridor:
    """Draw a street; `plain` leaves out what only some streets have."""
    draw = random.Random(seed)  # noqa: S311 - streets, no secret
    signals, position_m = [], 0.0
    for number in range(count):
        red = Pair(draw.uniform(0.3, 0.65), draw.uniform(0.3, 0.65))
        signals.append(
            CorridorSignal(
                str(number),
                position_m,
                Pair(red.outbound, red.outbound) if plain else red,
                0.0 if plain else draw.uniform(-0.2, 0.2),
                Pair(0, 0) if plain else Pair(draw.uniform(0, 0.1), draw.uniform(0, 0.1)),
                draw.uniform(-0.5, 0.5),
            )
        )
        position_m += draw.uniform(100, 800)
    slow = draw.uniform(25, 45)
    return replace(
        Corridor(
            tuple(signals),
            (60.0, 110.0) if free else (80.0, 80.0),
            Pair(1, 1),
            (slow, slow * draw.uniform(1, 1.3)) if free else (slow, slow),
            (40.0, 42.0) if free else (40.0, 40.0),
        ),
        **changes,
    )


@settings(max_examples=60)
@given(st.integers(2, 12), st.integers(0, 10_000), st.booleans())
# What is open narrows to a point here.
@example(4, 3583, True)  # noqa: FBT003 - as drawn
def test_cars_see_bands_as_wide_as_promised(count: int, seed: int, free: bool) -> None:
    street = corridor(count, seed, free=free)
    found = coordinate(street)
    outbound, inbound = seen(street, found)
    assert outbound >= found.outbound - 1e-6
    assert inbound >= found.inbound - 1e-6
    assert allowed(street, found)
    assert found.gap == 0
    assert found.offsets[0] == 0


@settings(max_examples=40)
@given(
    st.integers(2, 7),
    st.integers(0, 10_000),
    st.booleans(),
    st.sampled_from([Pair(1, 1), Pair(2, 1), Pair(1, 3), Pair(1, 0)]),
)
def test_nobody_finds_wider_bands(count: int, seed: int, free: bool, weight: Pair) -> None:
    street = corridor(count, seed, free=free, weight=weight)
    best, _ = widest(street)
    one_way = max(
        weight.outbound * (1 - max(each.red.outbound for each in street.signals)),
        weight.inbound * (1 - max(each.red.inbound for each in street.signals)),
    )
    assert coordinate(street).objective == pytest.approx(max(best, one_way), abs=2e-6)


@pytest.mark.parametrize("seed", range(12))
def test_half_cycle_offsets_are_enough_where_both_directions_share_their_reds(seed: int) -> None:
    """Little's theorem; every choice of them is tried, and either way alone."""
    street = corridor(6, seed, free=False, plain=True)
    best = 1 - max(each.red.outbound for each in street.signals)
    for halves in product((0.0, 0.5), repeat=len(street.signals) - 1):
        ahead = 0.0
        outbound: list[tuple[float, float, int]] = []
        inbound: list[tuple[float, float, int]] = []
        for number, each in enumerate(street.signals):
            half = 0.0 if number == 0 else halves[number - 1]
            if number:
                ahead += (
                    street.links_m[number - 1]
                    * KPH
                    * (1 / street.outbound_kph[0] + 1 / street.inbound_kph[0])
                    / 2
                    / street.cycle_s[0]
                )
            for greens, red, shift in (
                (outbound, each.red.outbound, -ahead),
                (inbound, each.red.inbound, ahead),
            ):
                greens.append((half + red / 2 + shift, 1 - red, 1))
        best = max(best, room(outbound) + room(inbound))
    assert coordinate(street).objective == pytest.approx(best, abs=1e-6)


def test_left_turn_patterns_are_chosen_for_the_wider_bands() -> None:
    street = corridor(6, 3, free=False)
    turning = tuple(
        replace(each, left_turns=Pair(0.12, 0.1), patterns=tuple(LeftTurns))
        for each in street.signals
    )
    free = replace(street, signals=turning)
    found = coordinate(free)
    outbound, inbound = seen(free, found)
    assert (outbound, inbound) >= (found.outbound - 1e-6, found.inbound - 1e-6)
    assert found.objective == pytest.approx(widest(free)[0], abs=2e-6)
    for pattern in LeftTurns:
        fixed = replace(free, signals=tuple(replace(each, patterns=(pattern,)) for each in turning))
        assert coordinate(fixed).objective <= found.objective + 1e-6
        assert set(coordinate(fixed).patterns) == {pattern}


def test_equal_weights_give_even_bands_and_a_heavier_way_the_wider_one() -> None:
    street = corridor(4, 5, free=False, plain=True)
    even = coordinate(street)
    assert even.outbound == pytest.approx(even.inbound, abs=0.2)
    heavy = coordinate(replace(street, weight=Pair(5, 1)))
    assert heavy.outbound >= even.outbound
    assert heavy.outbound + heavy.inbound == pytest.approx(even.outbound + even.inbound)


def test_when_the_time_runs_out_the_best_is_given_with_its_bound() -> None:
    street = corridor(300, 1, outbound_kph=(40.0, 40.4), inbound_kph=(40.0, 40.4))
    hurried, whole = coordinate(street, time_limit_s=1e-9), coordinate(street)
    assert hurried.objective <= whole.objective + 1e-9 <= hurried.bound + 2e-9
    assert whole.gap == 0


def document(**changes: Any) -> dict[str, Any]:
    return {
        "cycle_s": [60, 120],
        "weight": [1, 1],
        "speed_kph": {"out": [30, 50], "in": [30, 50]},
        "signals": [
            {"name": "A", "position_m": 0, "red": [0.45, 0.5]},
            {
                "name": "B",
                "position_m": 400,
                "red": [0.5, 0.5],
                "red_centre_difference": 0.1,
                "queue_clearance": [0.05, 0],
            },
        ],
    } | changes


def signals(**second: Any) -> dict[str, Any]:
    first, other = document()["signals"]
    return {"signals": [first, other | second]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cycle_s": [0, 60]}, "cycle_s"),
        ({"cycle_s": [90, 60]}, "cycle_s"),
        ({"speed_kph": {"out": [30, 20], "in": [30, 50]}}, "speed_kph.out"),
        ({"speed_kph": {"out": [-1, 20], "in": [30, 50]}}, "speed_kph.out"),
        ({"weight": [0, 0]}, "weight"),
        ({"weight": [1, -1]}, "weight"),
        ({"signals": document()["signals"][:1]}, "signals"),
        (signals(position_m=0), "signals.1.position_m"),
        (signals(position_m=-5), "signals.1.position_m"),
        (signals(red=[0.5, 1.0]), "signals.1.red"),
        (signals(red=[0.5]), "signals.1.red"),
        (signals(left_turn_patterns=["sideways"]), "signals.1.left_turn_patterns"),
    ],
)
def test_a_corridor_that_cannot_be_names_the_member(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_corridor(document(**changes))
    assert str(caught.value.field).startswith(field)


def test_the_command_answers_in_seconds_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, plot = tmp_path / "corridor.json", tmp_path / "corridor.svg"
    file.write_text(json.dumps(document(note="counted in May")))
    assert command.run([str(file), "--plot", str(plot)]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert {"cycle_s", "offsets_s", "bandwidth_s", "bound_s", "gap", "solve_s"} <= set(found)
    assert found["gap"] == 0
    assert found["bound_s"] == found["bandwidth_s"]
    assert all(0 <= each < found["cycle_s"] for each in found["offsets_s"])
    assert 60 <= found["cycle_s"] <= 120
    assert all(30 <= each <= 50 for each in found["speed_kph"]["out"])
    assert "not read: note" in printed.err
    drawn = plot.read_text()
    assert drawn.startswith("<svg")
    assert drawn.count("<polygon") >= 6


def test_a_name_of_markup_is_drawn_as_text() -> None:
    street = corridor(2, 1, plain=True)
    named = replace(street, signals=(replace(street.signals[0], name="<b>"), street.signals[1]))
    assert "&lt;b&gt;" in time_space_svg(named, coordinate(named))


def test_no_band_is_wider_than_its_shortest_green_and_none_is_negative() -> None:
    for seed in range(30):
        street = corridor(8, seed)
        found = coordinate(street)
        assert 0 <= found.outbound <= 1 - max(each.red.outbound for each in street.signals) + 1e-9
        assert 0 <= found.inbound <= 1 - max(each.red.inbound for each in street.signals) + 1e-9
        assert math.isfinite(found.bound)
