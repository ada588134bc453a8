"""Plans refined by driving them: better, safe, and never worse than what the search began with."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from signals.commands import plan as command
from signals.rules.plans.refinement import SEEDS, Plans, Refined, adjustable, refined, scaled
from signals.rules.safety.case import prepare
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import AS_IS
from tests.signals import drivable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NETWORK = drivable.network(2)
CASES = {each.name: prepare(each, NETWORK, AS_IS) for each in NETWORK.junctions}
START: Plans = tuple(drivable.in_force(NETWORK, wave_s=30, across_s=30))
TOGETHER = (tuple(CASES),)


def greens(plans: Plans) -> list[tuple[float, ...]]:
    return [tuple(plan.intervals[place].duration_s for place in adjustable(plan)) for plan in plans]


def search(cost: Callable[[Plans], float], runs: int = 400, groups: int = 0) -> Refined:
    left = [runs]

    def drive(plans: Plans, seed: int) -> float | None:
        left[0] -= 1
        return None if left[0] < 0 else cost(plans) + random.Random(f"{seed}").random()  # noqa: S311 - noise

    chosen = [(START, TOGETHER[:groups])]
    return refined(chosen, CASES, drive, lambda: left[0] <= 0)


def test_greens_go_to_where_driving_says_they_are_needed() -> None:
    found = search(lambda plans: sum(abs(one - 38) + abs(two - 22) for one, two in greens(plans)))

    assert found.begun_s is not None
    assert found.delay_s is not None
    assert found.delay_s < 0.3 * found.begun_s
    for one, two in greens(found.plans):
        assert one == pytest.approx(38, abs=2)
        assert two == pytest.approx(22, abs=2)


def test_who_runs_together_keeps_one_cycle_and_moves_against_each_other() -> None:
    found = search(lambda plans: abs(plans[1].offset_s - 40) + abs(plans[0].cycle_s - 80), groups=1)

    assert {plan.cycle_s for plan in found.plans} == {found.plans[0].cycle_s}
    assert found.plans[0].cycle_s > START[0].cycle_s
    assert found.plans[1].offset_s > 20
    assert found.plans[0].offset_s == 0


def test_what_is_given_is_never_worse_and_always_safe() -> None:
    # Nothing to be learnt: every plan costs what chance says.
    def cost(plans: Plans) -> float:
        return random.Random(repr(plans)).uniform(10, 20)  # noqa: S311 - noise

    for runs in (0, 1, 2, 5, 60):
        found = search(cost, runs)
        assert all(not check_programme(CASES[p.junction], p).violations for p in found.plans)
        if runs < len(SEEDS):
            assert found == Refined(START, None, None, runs + 1)
        else:
            assert found.delay_s is not None
            assert found.begun_s is not None
            assert found.delay_s <= found.begun_s


def test_the_better_of_given_plans_is_begun_with() -> None:
    other = tuple(replace(plan, offset_s=7.0) for plan in START)

    def drive(plans: Plans, _: int) -> float | None:
        return 9.0 if plans == other else 10.0

    tried = iter([False])
    found = refined([(START, ()), (other, TOGETHER)], CASES, drive, lambda: next(tried, True))
    assert found.plans == other
    assert (found.begun_s, found.delay_s) == (10.0, 9.0)


def test_a_programme_fills_another_cycle_in_whole_seconds() -> None:
    longer = scaled(START[0], 90)
    assert longer is not None
    assert longer.cycle_s == 90
    assert greens((longer,)) == [(42.0, 42.0)]
    assert scaled(START[0], 7) is None


def test_the_command_drives_its_plans_and_says_what_that_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, demand = drivable.files(1)
    (tmp_path / "net.xml").write_bytes(network)
    (tmp_path / "rou.xml").write_bytes(demand)
    given = [
        *("--network", str(tmp_path / "net.xml"), "--demand", str(tmp_path / "rou.xml")),
        *("--profile", "as-is", "--out", str(tmp_path / "plans.add.xml")),
    ]
    assert command.run([*given, "--simulate", "2"]) == 0
    driven = json.loads(capsys.readouterr().out)["driven"]
    assert driven["runs"] >= 2
    assert driven["delay_s"] <= driven["begun_delay_s"]

    assert command.run([*given, "--simulate", "0"]) == 0
    assert json.loads(capsys.readouterr().out)["driven"] is None
    with pytest.raises(SystemExit) as left:
        command.run([*given, "--simulate", "-1"])
    assert left.value.code == 2


def test_plans_of_other_stages_are_tried_where_a_signal_runs_alone() -> None:
    better = tuple(drivable.in_force(NETWORK, wave_s=12, across_s=12))

    def drive(plans: Plans, _: int) -> float | None:
        return 10.0 - sum(plan in better for plan in plans)

    def search_with(groups: int) -> Refined:
        looks = iter([False] * 4)
        others = {plan.junction: [plan] for plan in better}
        start = [(START, TOGETHER[:groups])]
        return refined(start, CASES, drive, lambda: next(looks, True), others)

    assert search_with(0).plans == better
    # Who runs together keeps its cycle.
    assert search_with(1).plans == START
