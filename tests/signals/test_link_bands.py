"""Bands of links and half cycles: what cars see, and that nobody finds more."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench._bands import allowed, links_seen, room, seen
from bench._multiband import ranges, widest_links
from city.errors import Invalid
from signals.commands import coordinate as command
from signals.rules.waves.bandwidth import coordinate
from signals.rules.waves.corridor import Corridor, CorridorSignal, HalfCycle, Pair
from signals.rules.waves.corridor_documents import read_corridor
from signals.rules.waves.link_bands import coordinate_links

if TYPE_CHECKING:
    from pathlib import Path


def corridor(count: int, seed: int, *, free: bool = True, half: float = 0.0) -> Corridor:
    """Draw a street with a weight for each link, and a share of signals with half cycles."""
    draw = random.Random(seed)  # noqa: S311 - streets, no secret
    signals, position_m = [], 0.0
    for number in range(count):
        red = Pair(draw.uniform(0.3, 0.6), draw.uniform(0.3, 0.6))
        turning = HalfCycle(
            Pair(draw.uniform(0.3, 0.5), draw.uniform(0.3, 0.5)), draw.uniform(-0.2, 0.2)
        )
        signals.append(
            CorridorSignal(
                str(number),
                position_m,
                red,
                draw.uniform(-0.2, 0.2),
                Pair(draw.uniform(0, 0.1), draw.uniform(0, 0.1)),
                draw.uniform(-0.5, 0.5),
                half=turning if draw.random() < half else None,
            )
        )
        position_m += draw.uniform(100, 800)
    slow = draw.uniform(25, 45)
    return Corridor(
        tuple(signals),
        (60.0, 110.0) if free else (80.0, 80.0),
        Pair(1, 1),
        (slow, slow * draw.uniform(1, 1.3)) if free else (slow, slow),
        (40.0, 42.0) if free else (40.0, 40.0),
        link_weights=tuple(
            Pair(draw.uniform(0, 2), draw.uniform(0.2, 1)) for _ in range(count - 1)
        ),
    )


def one_way(street: Corridor) -> float:
    """Give what one direction alone can have."""
    links = range(len(street.links_m))
    return max(
        sum(
            street.link_weights[link].outbound
            * (1 - max(each.red.outbound for each in street.signals[link : link + 2]))
            for link in links
        ),
        sum(
            street.link_weights[link].inbound
            * (1 - max(each.red.inbound for each in street.signals[link : link + 2]))
            for link in links
        ),
    ) / len(links)


@settings(max_examples=25)
@given(st.integers(2, 7), st.integers(0, 10_000), st.booleans(), st.sampled_from([0.0, 0.4]))
def test_cars_see_each_links_bands_as_wide_as_promised(
    count: int, seed: int, free: bool, half: float
) -> None:
    street = corridor(count, seed, free=free, half=half)
    found = coordinate_links(street)
    for (outbound, inbound), out_band, in_band in zip(
        links_seen(street, found), found.outbound, found.inbound, strict=True
    ):
        assert outbound >= out_band.width - 2e-6
        assert inbound >= in_band.width - 2e-6
    through = seen(street, found.plan)
    assert through[0] >= found.plan.outbound - 2e-6
    assert through[1] >= found.plan.inbound - 2e-6
    assert allowed(street, found.plan)
    assert found.gap == 0


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(0, 10_000), st.booleans())
def test_nobody_finds_bands_of_links_worth_more(count: int, seed: int, free: bool) -> None:
    street = corridor(count, seed, free=free)
    best, _ = widest_links(street)
    assert coordinate_links(street).objective == pytest.approx(max(best, one_way(street)), abs=1e-6)


@settings(max_examples=10)
@given(st.integers(2, 4), st.integers(0, 10_000))
def test_every_choice_of_whole_cycles_was_tried(count: int, seed: int) -> None:
    street = corridor(count, seed, free=count < 4)
    best = max(widest_links(street, cycles=each)[0] for each in product(*ranges(street)))
    assert coordinate_links(street).objective == pytest.approx(max(best, one_way(street)), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_no_offsets_of_a_fine_grid_give_more(seed: int) -> None:
    """Offsets alone, at one cycle and speed, as a car sees them."""
    steps = 48
    street = corridor(3, seed, free=False)
    found = coordinate_links(street)
    best = 0.0
    for offsets in product(range(steps), repeat=2):
        best = max(best, worth_of(street, [0.0, *(each / steps for each in offsets)]))
    assert best <= found.objective + 1e-6
    weights = sum(each.outbound + each.inbound for each in street.link_weights) / 2
    assert best >= found.objective - 2 * weights / steps


def worth_of(street: Corridor, offsets: list[float]) -> float:
    """Give what offsets are worth: both ways where a car passes both ways, else the better one."""
    cycle_s = street.cycle_s[0]
    greens: tuple[list[tuple[float, float, int]], ...] = ([], [])
    away = [0.0, 0.0]
    for number, (each, offset) in enumerate(zip(street.signals, offsets, strict=True)):
        if number:
            time_s = street.links_m[number - 1] * 3.6
            before = street.signals[number - 1].queue_clearance.inbound
            away[0] += time_s / street.outbound_kph[0] / cycle_s - each.queue_clearance.outbound
            away[1] -= time_s / street.inbound_kph[0] / cycle_s - before
        centre = offset + each.red_centre
        other = centre + each.red_centre_difference
        greens[0].append((centre + each.red.outbound / 2 - away[0], 1 - each.red.outbound, 1))
        greens[1].append((other + each.red.inbound / 2 - away[1], 1 - each.red.inbound, 1))
    sides = [
        [room(side[link : link + 2]) for link in range(len(street.links_m))] for side in greens
    ]
    lines = [room(side) > 0 for side in greens]
    worths = [
        sum(
            (weight.outbound, weight.inbound)[side] * width
            for weight, width in zip(street.link_weights, sides[side], strict=True)
        )
        / len(street.links_m)
        for side in range(2)
    ]
    return sum(worths) if all(lines) else 0.0


def test_a_link_of_more_demand_gets_the_wider_band() -> None:
    street = corridor(3, 8, free=False)
    heavy, light = Pair(10, 1), Pair(1, 1)
    first = coordinate_links(replace(street, link_weights=(heavy, light)))
    second = coordinate_links(replace(street, link_weights=(light, heavy)))
    assert first.outbound[0].width >= second.outbound[0].width - 1e-6
    assert second.outbound[1].width >= first.outbound[1].width - 1e-6


def test_a_band_through_the_street_can_be_asked_for_and_costs_the_links() -> None:
    street = corridor(6, 11)
    free = coordinate_links(street)
    asked = coordinate_links(replace(street, least_through=Pair(0.12, 0.12)))
    assert asked.plan.outbound >= 0.12 - 1e-6
    assert asked.plan.inbound >= 0.12 - 1e-6
    assert asked.objective <= free.objective + 1e-6
    through = seen(street, asked.plan)
    assert min(through) >= 0.12 - 1e-6


def test_when_the_time_runs_out_bands_by_link_come_with_their_bound() -> None:
    street = corridor(40, 2)
    hurried = coordinate_links(street, time_limit_s=1e-9)
    assert 0 < hurried.objective <= hurried.bound
    assert hurried.gap < 0.2


# --- half cycles ---------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.integers(2, 6), st.integers(0, 10_000), st.booleans())
def test_half_cycles_are_chosen_where_they_serve_the_street(
    count: int, seed: int, free: bool
) -> None:
    street = corridor(count, seed, free=free, half=0.5)
    found = coordinate(street)
    outbound, inbound = seen(street, found)
    assert outbound >= found.outbound - 1e-6
    assert inbound >= found.inbound - 1e-6
    assert allowed(street, found)
    assert found.gap == 0
    choices = [
        [replace(each, half=None)]
        + ([replace(each, half=replace(each.half, only=True))] if each.half else [])
        for each in street.signals
    ]
    best = max(
        coordinate(replace(street, signals=signals)).objective for signals in product(*choices)
    )
    assert found.objective == pytest.approx(best, abs=2e-6)


def test_a_street_of_half_cycles_alone_is_one_of_the_half_cycle() -> None:
    """Two turns of 60 s in 120 s, or one of 60 s: bands as wide in seconds."""
    street = corridor(5, 4, free=False)
    plain = replace(
        street,
        signals=tuple(replace(each, queue_clearance=Pair(0, 0)) for each in street.signals),
        cycle_s=(60.0, 60.0),
    )
    twice = replace(
        plain,
        signals=tuple(
            replace(
                each,
                red=Pair(0.9, 0.9),
                half=HalfCycle(each.red, each.red_centre_difference, only=True),
            )
            for each in plain.signals
        ),
        cycle_s=(120.0, 120.0),
    )
    one, other = coordinate(plain), coordinate(twice)
    assert other.objective * 120 == pytest.approx(one.objective * 60, abs=1e-4)
    assert set(other.turns) == {2}
    links, others = coordinate_links(plain), coordinate_links(twice)
    assert others.objective * 120 == pytest.approx(links.objective * 60, abs=1e-3)


# --- the command ---------------------------------------------------------------------------------


def document(**changes: Any) -> dict[str, Any]:
    return {
        "cycle_s": [60, 120],
        "speed_kph": {"out": [30, 50], "in": [30, 50]},
        "links": [{"flow_vph": [1200, 400]}, {"flow_vph": [300, 900]}],
        "signals": [
            {"name": "A", "position_m": 0, "red": [0.45, 0.5]},
            {"name": "B", "position_m": 400, "red": [0.5, 0.5], "half_cycle": {"red": [0.4, 0.4]}},
            {"name": "C", "position_m": 900, "red": [0.55, 0.4]},
        ],
    } | changes


def test_flows_become_weights_as_shares_of_the_largest() -> None:
    assert read_corridor(document(weight=[1, 2])).link_weights == (
        Pair(1.0, 2 / 3),
        Pair(0.25, 1.5),
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"links": [{"flow_vph": [1, 1]}]}, "links"),
        ({"links": [{"flow_vph": [1, 1]}, {}]}, "links.1"),
        ({"links": [{"flow_vph": [1, 1]}, {"weight": [1, 1], "flow_vph": [1, 1]}]}, "links.1"),
        ({"links": [{"flow_vph": [1, 1]}, {"weight": [1, -1]}]}, "links.1"),
        ({"links": [{"weight": [0, 0]}, {"weight": [0, 0]}]}, "links"),
        ({"least_through": [1, 0]}, "least_through"),
    ],
)
def test_links_that_cannot_be_name_the_member(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_corridor(document(**changes))
    assert str(caught.value.field).startswith(field)


def test_the_command_gives_bands_by_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, plot = tmp_path / "corridor.json", tmp_path / "corridor.svg"
    file.write_text(json.dumps(document()))
    assert command.run([str(file), "--bands", "links", "--plot", str(plot)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["gap"] == 0
    assert len(found["offsets_s"]) == len(found["cycles"]) == 3
    assert len(found["link_bandwidth_s"]["out"]) == len(found["link_bandwidth_s"]["in"]) == 2
    assert found["bound_s"] == found["bandwidth_s"]
    assert all(
        through <= min(found["link_bandwidth_s"][way]) + 1e-6
        for through, way in zip(found["through_s"], ("out", "in"), strict=True)
    )
    assert plot.read_text().count("<polygon") >= 12
