"""Coordinated plans: platoons that meet green, groups and cycles, never worse by the model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from city.command_line import CommandLine
from signals.commands import plan as command
from signals.problem import Problem, read_problem
from signals.rules.model.files import read_plans
from signals.rules.plans.coordination import partitions, parts_of
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.platoon_network import PlatoonNetwork, Timed, kernel, queue_through
from signals.rules.plans.streams_between import streams_between
from signals.rules.safety.checker import check_plans
from signals.rules.safety.profiles import AS_IS
from tests.signals import drivable

if TYPE_CHECKING:
    from pathlib import Path

    from signals.rules.plans.passing import LaneFlow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("coordinated")
    network, demand = drivable.files(3, wave_s=20, across_s=20)
    (found / "net.xml").write_bytes(network)
    (found / "rou.xml").write_bytes(demand)
    return found


@pytest.fixture(scope="module")
def problem(folder: Path) -> Problem:
    line = CommandLine("signals", "plan", "", "")
    return read_problem(line, str(folder / "net.xml"), str(folder / "rou.xml"), "as-is")


def test_a_queue_follows_from_arrivals_and_what_is_served() -> None:
    draw = np.random.default_rng(20260302)
    come, go = draw.uniform(0, 0.8, (5, 60)), draw.uniform(0.4, 1.2, (5, 60))
    left, queue = queue_through(come, go)
    for lane in range(5):
        standing, total, out = 0.0, 0.0, []
        for turn in range(3):
            for second in range(60):
                present = standing + come[lane, second]
                standing = max(0.0, present - go[lane, second])
                if turn == 2:
                    out.append(present - standing)
                    total += standing
        assert left[lane] == pytest.approx(out)
        assert queue[lane] == pytest.approx(total / 60)


def test_travel_times_spread_about_their_mean() -> None:
    sent = np.zeros(90)
    sent[0] = 1.0
    came = np.fft.irfft(np.fft.rfft(sent) * kernel(40.0, 90), 90)
    assert came.sum() == pytest.approx(1.0)
    assert (came * np.arange(90)).sum() == pytest.approx(40.0, abs=0.01)
    # 0.12 of 40 s.
    assert np.sqrt((came * (np.arange(90) - 40) ** 2).sum()) == pytest.approx(4.8, abs=0.05)


def test_who_turns_in_is_told_apart_from_who_came_straight_on(problem: Problem) -> None:
    found = {
        (each.start[1], each.end[1]): each
        for each in streams_between(problem.network, problem.roads, problem.flows)
    }
    through = found["0-west-through", "1-west-through"]
    assert through.flow_vph == pytest.approx(400, rel=0.01)
    # 252 m of road at 13.89 m/s, and 2 s to pull away.
    assert through.travel_s == pytest.approx(252 / 13.89 + 2, abs=0.2)
    assert ("0-south-through", "1-west-through") not in found


def test_offsets_let_the_platoon_through(problem: Problem) -> None:
    plans = drivable.in_force(problem.network, wave_s=20, across_s=30)
    timed = [Timed(plan.junction, plan, _lanes(problem, plan.junction), {}) for plan in plans]
    streams = streams_between(problem.network, problem.roads, problem.flows)
    network = PlatoonNetwork(timed, streams, 56, 1.0)
    offsets, found_s = network.offsets([[0, 0, 0]])

    assert found_s < 0.8 * network.delay_s([0, 0, 0])
    assert found_s == pytest.approx(network.delay_s(offsets), rel=0.02)
    # From west to east mostly: about 20 s from one to the next.
    assert (offsets[1] - offsets[0]) % 56 == pytest.approx(18, abs=6)


def test_coordinated_plans_are_safe_and_not_worse_by_the_model(
    folder: Path, problem: Problem, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "plans.add.xml"
    status = command.run(
        [
            *("--network", str(folder / "net.xml"), "--demand", str(folder / "rou.xml")),
            *("--profile", "as-is", "--coordinate", "--simulate", "0", "--out", str(out)),
        ]
    )
    answer = json.loads(capsys.readouterr().out)

    assert status == 0
    assert answer["delay_vehicle_h"] < 0.95 * answer["delay_apart_vehicle_h"]
    (group,) = answer["groups"]
    assert len(group["junctions"]) == 3
    plans = read_plans(out.read_bytes(), problem.network)
    assert check_plans(problem.network, plans, AS_IS, problem.own).safe
    assert {group["cycle_s"] % each.cycle_s for each in plans} == {0}


def test_signals_hang_together_by_strong_links() -> None:
    assert parts_of("abcd", [("a", "b"), ("c", "d")]) == (("a", "b"), ("c", "d"))
    assert parts_of("abc", [("c", "a")]) == (("a", "c"), ("b",))
    links = {("a", "b"): 9.0, ("b", "c"): 1.0, ("c", "d"): 5.0}
    assert list(partitions("abcd", links)) == [(("a", "b", "c", "d"),), (("a", "b"), ("c", "d"))]


def _lanes(problem: Problem, name: str) -> tuple[LaneFlow, ...]:
    return lanes_of(problem.network.junction_of[name], problem.network, problem.flows.flow_vph)
