"""Driving plans in SUMO: one process a run, figures of every seed, what was shown judged."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from signals.adapters.sumo.simulator import Simulator, intervals_of, starting_until
from signals.commands import evaluate as command
from signals.rules.model.aspects import Aspect
from signals.rules.model.plans import Interval
from signals.rules.safety.case import prepare
from signals.rules.safety.profiles import AS_IS
from signals.rules.simulation.outcome import (
    Outcome,
    Trip,
    half_width,
    means_of,
    outcome_of,
)
from signals.rules.simulation.outcome import (
    intervals_of as intervals_of_seeds,
)
from signals.rules.simulation.shown import violations_shown
from tests.signals import drivable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("drivable")
    network, demand = drivable.files(1)
    (found / "net.xml").write_bytes(network)
    (found / "rou.xml").write_bytes(demand)
    return found


def evaluated(
    folder: Path, capsys: pytest.CaptureFixture[str], *more: str, controller: str = "current"
) -> dict[str, Any]:
    status = command.run(
        [
            *("--network", str(folder / "net.xml"), "--demand", str(folder / "rou.xml")),
            *("--controller", controller, "--profile", "as-is", *more),
        ]
    )
    assert status == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    with pytest.raises(SystemExit) as left:
        evaluated(folder, capsys, *more)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_our_plan_is_driven_with_less_delay_and_nothing_unsafe_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = evaluated(folder, capsys, "--seeds", "1,2")
    after = evaluated(folder, capsys, "--seeds", "1,2", "--simulate", "0", controller="plan")

    assert [each["seed"] for each in after["seeds"]] == [1, 2]
    # 400, 150, 150 and 120 vehicles an hour for a quarter of an hour.
    assert {each["trips"] for each in after["seeds"]} == {206}
    assert {each["safety_violations"] for each in after["seeds"]} == {0}
    assert after["mean"]["unfinished"] == 0
    assert after["mean"]["pedestrian_delay_s"] is None
    assert after["mean"]["drain_delay_s"] < 0.7 * before["mean"]["drain_delay_s"]
    low, high = after["interval95"]["drain_delay_s"]
    assert low < after["mean"]["drain_delay_s"] < high


def test_more_demand_is_more_trips_and_the_same_seed_gives_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = evaluated(folder, capsys, "--seeds", "7")
    again = evaluated(folder, capsys, "--seeds", "7")
    double = evaluated(folder, capsys, "--seeds", "7", "--scale", "2", "--end", "450")

    assert once == again
    assert once["interval95"]["drain_delay_s"] is None
    assert double["mean"]["trips"] == pytest.approx(206, abs=8)


def test_what_a_vehicle_loses_is_told_signal_by_signal(folder: Path) -> None:
    files = ((folder / "net.xml").read_bytes(), (folder / "rou.xml").read_bytes())
    with Simulator(*files, 0, 300) as simulator:
        run = simulator.drive(None, 1, passages=True)

    assert len(run.passages) == len(run.trips)
    assert {start.rpartition("-")[0] for start, _, _ in run.passages} == {
        f"0-{arm}" for arm in ("south", "east", "north", "west")
    }
    # All but what is lost far behind the only signal.
    lost_s = sum(lost_s for _, _, lost_s in run.passages)
    assert 0.8 * sum(trip.delay_s for trip in run.trips) < lost_s
    assert lost_s <= sum(trip.delay_s for trip in run.trips) + 1


def test_a_shut_lane_costs_those_who_needed_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_ = evaluated(folder, capsys, "--seeds", "1")
    shut = evaluated(folder, capsys, "--seeds", "1", "--close", "0-south-through")

    assert shut["mean"]["drain_delay_s"] > 1.5 * open_["mean"]["drain_delay_s"]
    assert "no lane nowhere" in refused(folder, capsys, "--seeds", "1", "--close", "nowhere")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--seeds", "1,x"), "no list of whole numbers"),
        (("--seeds", "1,1"), "named twice"),
        (("--scale", "0"), "--scale must be positive"),
        (("--simulate", "nan"), "--simulate must not be negative"),
        (("--scale", "nan"), "--scale must be positive"),
        (("--detector-failure", "2"), "must lie from 0 to 1"),
        (("--plans", "none.xml"), "goes with --controller plan"),
        (("--begin", "5", "--end", "5"), "must end after it begins"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], said: str
) -> None:
    assert said in refused(folder, capsys, *more)


def test_what_sumo_refuses_is_said_in_its_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.xml").write_bytes(
        b'<routes><vehicle id="1" depart="1"><route edges="0-south-in 0-south-out"/>'
        b"</vehicle></routes>"
    )
    assert "SUMO: " in refused(folder, capsys, "--demand", str(folder / "bad.xml"))


def test_who_starts_later_than_asked_is_left_out_and_flows_are_cut() -> None:
    demand = (
        b'<routes><vType id="a"/><trip id="1" depart="10" from="a" to="b"/>'
        b'<trip id="2" depart="0:02:00" from="a" to="b"/>'
        b'<flow id="3" begin="0" end="200" number="20" from="a" to="b"/></routes>'
    )
    assert starting_until(demand, 300) is demand
    cut = starting_until(demand, 100).decode()
    assert 'id="2"' not in cut
    assert 'id="1"' in cut
    assert 'number="10"' in cut


def test_states_become_intervals_and_the_one_cut_short_is_left_out() -> None:
    states = [(1.0, "G"), (5.0, "y"), (8.0, "r"), (20.0, "G"), (30.0, "y"), (33.0, "r")]
    assert intervals_of(states[:4], 21.0) == (
        Interval(4.0, (Aspect.GREEN,)),
        Interval(3.0, (Aspect.YELLOW,)),
        Interval(12.0, (Aspect.RED,)),
    )
    # The yellow of a change that was not seen to its end is no more to be judged than the change.
    assert len(intervals_of(states[:6], 34.0)) == 4
    assert intervals_of([(1.0, "G")], 9.0) == (Interval(8.0, (Aspect.GREEN,)),)


def test_every_unsafe_moment_of_a_long_run_is_counted_once() -> None:
    found = drivable.network(1)
    case = prepare(found.junctions[0], found, AS_IS)
    (plan,) = drivable.in_force(found)
    day = list(plan.intervals) * 250
    name = found.junctions[0].name
    assert violations_shown({name: case}, {name: day}) == ()

    all_green = Interval(6.0, (Aspect.GREEN,) * len(plan.groups))
    wrong = [*day[:600], all_green, *day[600:900], all_green, *day[900:]]
    seen = violations_shown({name: case}, {name: wrong})
    conflicts = [each for each in seen if each.rule.value == "conflicting-greens"]
    assert len({each.at_s for each in conflicts}) == 2
    assert len({(each.groups, each.at_s) for each in conflicts}) == len(conflicts)


def test_only_the_simulation_process_has_libsumo() -> None:
    evaluating = "import signals.commands.evaluate, sys; print('libsumo' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", evaluating], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_people_count_by_how_many_travel_together() -> None:
    trips = [Trip("bus", 10, 0, 4, 1, arrived=True), Trip("bicycle", 30, 5, 20, 2, arrived=True)]
    found = outcome_of(
        3, trips, [20.0, 40.0], teleports=0, safety_violations=0,
        persons={"bus": 20.0, "bicycle": 1.0, "pedestrian": 1.0},
    )  # fmt: skip

    assert found.drain_delay_s == pytest.approx((10 + 35) / 2)
    assert found.bicycle_delay_s == pytest.approx(35)
    assert found.pedestrian_delay_s == pytest.approx(30)
    # (20 x 10 + 35 + 20 + 40) / 23 persons.
    assert found.person_delay_s == pytest.approx(295 / 23)
    assert found.longest_standing_s == pytest.approx(20)


def test_the_interval_of_a_mean_is_students() -> None:
    # t at 97.5 % with 2 degrees of freedom is 4.3027.
    assert half_width([1.0, 2.0, 3.0]) == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    seeds = [_with_delay(seed, delay) for seed, delay in ((1, 1.0), (2, 2.0), (3, 3.0))]
    assert means_of(seeds)["drain_delay_s"] == pytest.approx(2.0)
    low, high = intervals_of_seeds(seeds)["drain_delay_s"] or (0, 0)
    assert (low, high) == pytest.approx((2 - 2.4842, 2 + 2.4842), rel=1e-3)
    assert means_of(seeds)["bicycle_delay_s"] is None


def _with_delay(seed: int, delay_s: float) -> Outcome:
    trips = [Trip("passenger", delay_s, 0, 0, 0, arrived=True)]
    return outcome_of(seed, trips, [], teleports=0, safety_violations=0)
