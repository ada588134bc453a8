"""Platoons: what leaves arrives, spread out; offsets refined for delay are never worse."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.network_waves import grid
from city.errors import Invalid
from signals.commands import coordinate_network as command
from signals.rules.delay.vehicles import uniform_delay_s
from signals.rules.waves.corridor import Corridor, CorridorSignal, Pair, Traffic
from signals.rules.waves.corridor_documents import read_corridor
from signals.rules.waves.network import Network
from signals.rules.waves.platoons import dispersed, queued, refined, wait_of, waiting_veh
from signals.rules.waves.ways import ways_of

if TYPE_CHECKING:
    from pathlib import Path


def street(length_m: float, red: float = 0.5) -> Network:
    signals = (
        CorridorSignal("A", 0.0, Pair(red, red)),
        CorridorSignal("B", length_m, Pair(red, red)),
    )
    return Network((Corridor(signals, (90.0, 90.0), Pair(1, 1), (50, 50), (50, 50)),), ("Main",))


def test_a_platoon_spreads_as_the_recursion_says() -> None:
    """Robertson's own form, step by step in seconds, over many cycles."""
    leaves = np.zeros(60)
    leaves[:10] = 0.5
    travel_s, seen = 50.0, np.zeros(60)
    factor = 1 / (1 + 0.35 * 0.8 * travel_s)
    last = 0.0
    for second in range(60 * 40):
        last = factor * leaves[(second - 40) % 60] + (1 - factor) * last
        seen[second % 60] = last
    assert dispersed(leaves, travel_s, 60.0) == pytest.approx(seen, abs=1e-9)


@given(st.integers(0, 1000), st.floats(1, 200), st.floats(40, 150))
def test_all_that_leaves_arrives(seed: int, travel_s: float, cycle_s: float) -> None:
    leaves = np.random.default_rng(seed).random(120)
    assert dispersed(leaves, travel_s, cycle_s).sum() == pytest.approx(leaves.sum())


def test_even_arrivals_wait_as_the_uniform_delay_says() -> None:
    """Flow 400 of 1 800 an hour, half of 90 s green: the area under the queue's triangle."""
    (out, _) = ways_of(street(400))
    alone = replace(
        out, signals=(0,), greens=(0.5,), begins=((0.0,),), least_s=(), most_s=(), early=()
    )
    waits = float(waiting_veh(alone, Traffic(400, 1800), [np.array(0.0)], [], 90.0))
    delay_s = float(uniform_delay_s(400 / 900, 45, 90))
    assert waits == pytest.approx(400 / 3600 * delay_s, rel=0.03)


def test_what_comes_is_let_go() -> None:
    arrivals = np.full(90, 0.1)
    leaves = np.where(np.arange(90) < 45, 0.5, 0.0)
    left, mean = queued(arrivals, leaves)
    assert left.sum() == pytest.approx(9.0)
    assert left.max() <= 0.5
    assert float(mean) > 0


def test_a_green_that_follows_its_platoon_waits_least() -> None:
    network = street(500)
    (out, _) = ways_of(network)
    traffic = Traffic(600, 1800, 0.0)
    offsets = np.arange(45) / 45
    waits = waiting_veh(out, traffic, [np.zeros(45), offsets], [36.0], 90.0)
    # The platoon's front comes after 0.8 of 36 s, its mean after 36 s.
    assert 0.8 * 36 - 6 <= offsets[int(np.argmin(waits))] * 90 <= 36 + 4
    assert waits.max() > 1.2 * waits.min()


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 100))
def test_refined_offsets_wait_no_longer(seed: int) -> None:
    network = grid(2, 2, seed)
    ways = ways_of(network)
    traffic = [Traffic(400, 1800)] * len(ways)
    draw = np.random.default_rng(seed)
    offsets = [0.0, *draw.random(len(network.signals) - 1)]
    better = refined(ways, traffic, offsets, 80.0)
    assert wait_of(ways, traffic, better, 80.0) <= wait_of(ways, traffic, offsets, 80.0) + 1e-9
    assert better[0] == offsets[0]
    assert refined(ways, traffic, offsets, 80.0, lambda: True) == tuple(offsets)


def test_a_flow_needs_its_saturation_flow() -> None:
    document: dict[str, Any] = {
        "cycle_s": 90,
        "speed_kph": {"out": 50, "in": 50},
        "flow_vph": [500, 400],
        "signals": [
            {"name": "A", "position_m": 0, "red": [0.5, 0.5]},
            {"name": "B", "position_m": 300, "red": [0.5, 0.5]},
        ],
    }
    with pytest.raises(Invalid, match="saturation_flow_vph"):
        read_corridor(document)
    with pytest.raises(Invalid, match="flow_vph"):
        read_corridor({**document, "flow_vph": [-1, 5], "saturation_flow_vph": [1800, 1800]})


def test_the_command_shows_both_plans_where_it_knows_flows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = {
        "cycle_s": [70, 90],
        "corridors": [
            {
                "name": "Main",
                "speed_kph": {"out": 50, "in": 50},
                "flow_vph": [700, 300],
                "saturation_flow_vph": [1800, 1800],
                "signals": [
                    {"name": name, "position_m": at, "red": [0.5, 0.5]}
                    for name, at in (("A", 0), ("B", 310), ("C", 700))
                ],
            }
        ],
    }
    file = tmp_path / "network.json"
    file.write_text(json.dumps(document))
    assert command.run([str(file), "--time-limit", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["delay_plan"]["waiting_vehicles"] <= found["waiting_vehicles"]
    assert set(found["delay_plan"]["offsets_s"]) == {"A", "B", "C"}
    assert sum(found["delay_plan"]["bandwidth_s"]["Main"]) <= (
        sum(found["corridors"][0]["bandwidth_s"]) + 1e-3
    )
