"""Plans from demand: who drives where, what a plan costs them, and a better one that is safe."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from signals.commands import plan as command
from signals.rules.model.aspects import Aspect
from signals.rules.model.files import read_network, read_plans
from signals.rules.model.plans import Interval
from signals.rules.model.sumo_export import network_file
from signals.rules.model.sumo_net import read_sumo
from signals.rules.plans.candidates import choices, stage_pool, stages_in_force, streams_of
from signals.rules.plans.delay_of_plan import (
    lane_results,
    lanes_of,
    opposing_of,
    total_delay_s,
)
from signals.rules.plans.passing import CRITICAL_GAP_S, LaneFlow, Passing, uniform_delay_s
from signals.rules.plans.planning import plan_junction
from signals.rules.plans.routes import read_journeys, turning_flows
from signals.rules.safety.checker import check_plans
from signals.rules.safety.profiles import GB
from tests.signals import crossroads

if TYPE_CHECKING:
    from pathlib import Path

OWN = crossroads.network()
CASE = crossroads.case_of(OWN)
DAY = crossroads.plan(CASE)
ROADS = read_sumo(network_file(OWN, [DAY]).encode())


def routes(body: str) -> bytes:
    return f"<routes>{body}</routes>".encode()


def flows_of(
    body: str, begin_s: float | None = None, end_s: float | None = None
) -> dict[str, float]:
    found = turning_flows(ROADS, read_journeys(routes(body)), begin_s, end_s)
    return {f"{one} {other}": round(flow, 3) for (one, other), flow in found.flow_vph.items()}


def demand(**hourly: float) -> tuple[LaneFlow, ...]:
    """Give the lanes' flows; from_to=vehicles, by arms."""
    pairs = {}
    for name, flow in hourly.items():
        start, end = name.split("_")
        pairs[f"{start}-in", f"{end}-out"] = flow
    return lanes_of(OWN.junctions[0], OWN, pairs)


BUSY = demand(
    south_north=700,
    south_west=120,
    north_south=650,
    north_east=90,
    east_west=300,
    west_east=280,
    east_south=60,
    west_north=70,
    south_east=80,
    north_west=60,
)


def test_trips_vehicles_and_flows_count_where_they_pass() -> None:
    body = (
        '<route id="a" edges="south-in north-out"/>'
        '<vehicle id="1" depart="10" route="a"/>'
        '<vehicle id="2" depart="0:00:20"><route edges="south-in west-out"/></vehicle>'
        '<trip id="3" depart="30" from="east-in" to="west-out"/>'
        '<flow id="4" begin="0" end="3600" vehsPerHour="120" from="west-in" to="east-out"/>'
        '<flow id="5" begin="1800" end="5400" number="10" route="a"/>'
        '<person id="6" depart="0"/>'
    )
    assert flows_of(body, 0, 3600) == {
        "south-in north-out": 6,
        "south-in west-out": 1,
        "east-in west-out": 1,
        "west-in east-out": 120,
    }


def test_only_who_starts_in_the_time_counts_and_by_the_hour() -> None:
    body = "".join(
        f'<trip id="{n}" depart="{n * 60}" from="south-in" to="north-out"/>' for n in range(60)
    )
    assert flows_of(body, 0, 899) == {"south-in north-out": pytest.approx(60, rel=0.01)}


def test_journeys_without_a_way_are_counted_as_lost() -> None:
    body = (
        '<trip id="1" depart="0" from="south-in" to="south-out"/>'
        '<trip id="2" depart="9" from="south-in" to="north-out"/>'
    )
    found = turning_flows(ROADS, read_journeys(routes(body)))
    assert (found.vehicles, found.lost) == (1, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<net/>", "its root is <net>"),
        (b"no", "is no XML"),
        (routes('<trip id="1" from="a" to="b"/>'), "<trip> in line 1: lacks 'depart'"),
        (routes('<trip id="1" depart="1"/>'), "lacks 'from'"),
        (routes('<trip id="1" depart="inf" from="a" to="b"/>'), "is no time"),
        (routes('<flow id="1" begin="5" end="1" number="3" from="a" to="b"/>'), "ends before"),
        (routes('<flow id="1" number="-3" from="a" to="b"/>'), "no number of vehicles"),
    ],
)
def test_a_file_that_is_no_demand_says_so(content: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_journeys(content)
    assert said in str(refused.value)


def test_nobody_to_plan_for_is_refused() -> None:
    with pytest.raises(Invalid, match="nobody starts"):
        turning_flows(ROADS, read_journeys(routes("")), 0, 60)
    with pytest.raises(Invalid, match="must end after it begins"):
        turning_flows(ROADS, read_journeys(routes("")), 60, 60)


def test_delay_grows_with_traffic_and_stays_finite_above_capacity() -> None:
    opposing = opposing_of(CASE.pairs)
    costs = [
        total_delay_s(lane_results(DAY, demand(south_north=flow), opposing))
        for flow in (100, 400, 700, 1_500, 3_000)
    ]
    assert costs == sorted(costs)
    # Ten times what fits, for an hour: who comes last waits for hours, not for ever.
    assert costs[-1] < 3_000 * 10 * 3_600


def test_uniform_delay_is_the_textbook_one_for_little_traffic() -> None:
    (lane,) = [
        each
        for each in lane_results(DAY, demand(south_west=1), opposing_of(CASE.pairs))
        if each.flow_vph > 0
    ]
    # 8 s of green and 2 s of yellow used, 3 s lost, of 98 s: 98 (1 - 7/98)^2 / 2 = 42.3 s, and
    # next to no random delay.
    assert lane.delay_s == pytest.approx(42.3, abs=0.5)


def test_lanes_of_an_approach_that_share_no_turn_are_streams_of_their_own() -> None:
    streams = {stream.groups for stream in streams_of(OWN.junctions[0])}

    assert frozenset({"south-through"}) in streams
    assert frozenset({"south-left"}) in streams
    assert len(streams) == 16


def test_stages_come_from_the_conflicts_and_serve_everybody() -> None:
    pool = stage_pool(CASE, [])
    names = [group.name for group in OWN.junctions[0].groups]
    pairs = {(names[pair.one], names[pair.other]) for pair in CASE.pairs if not pair.settled}

    assert pool
    for stage in pool:
        assert not any((one, other) in pairs for one in stage for other in stage)
    first = next(iter(choices(pool, names)))
    assert frozenset().union(*first) == set(names)


def test_a_stage_in_force_whose_streams_cross_does_not_keep_safe_ones_out() -> None:
    both = frozenset({"south-through", "east-through"})
    names = [group.name for group in OWN.junctions[0].groups]
    shows = tuple(Aspect.GREEN if name in both else Aspect.RED for name in names)
    unsafe = replace(DAY, rings=None, intervals=(Interval(20.0, shows), *DAY.intervals))

    assert both in set(stages_in_force(CASE, [unsafe]))
    assert both not in stage_pool(CASE, [unsafe])
    found = plan_junction(CASE, BUSY, [unsafe])
    assert found is not None
    assert not found.kept
    assert check_plans(OWN, [found.programme], GB).safe


def test_the_plan_of_a_busy_crossroads_is_safe_and_better_than_the_one_in_force() -> None:
    before = crossroads.plan(CASE, through_s=20, left_s=20)
    found = plan_junction(CASE, BUSY, [before])

    assert found is not None
    assert found.before_s is not None
    assert found.delay_s < 0.9 * found.before_s
    assert check_plans(OWN, [found.programme], GB).safe


def test_hardly_anybody_across_is_no_reason_to_keep_the_plan_in_force() -> None:
    # The shortest delay would have people on foot wait longer than the profile allows.
    found = plan_junction(CASE, demand(east_west=420, west_east=420, south_north=20), [DAY])

    assert found is not None
    assert found.before_s is not None
    assert not found.kept
    assert found.delay_s < 0.5 * found.before_s
    assert check_plans(OWN, [found.programme], GB).safe


GREEN, PERMISSIVE, RED = Aspect.GREEN, Aspect.PERMISSIVE, Aspect.RED
FIRST, SECOND, AGAINST = 0, 1, 2


def passed(*shown: tuple[float, Aspect, Aspect], against_vph: float = 0.0) -> list[float]:
    """Give vehicles that a lane with a queue passes in each interval.

    Half of them go with the first group, which gives way to a third that is green where it is, half
    with the second; one every two seconds, no time lost.
    """
    lane = LaneFlow("shared", ((FIRST, 180.0, 1_800.0), (SECOND, 180.0, 1_800.0)), 0.0)
    other = LaneFlow("other", ((AGAINST, against_vph, 1_800.0),), 0.0)
    intervals = [Interval(length_s, (one, two, one)) for length_s, one, two in shown]
    found = Passing(intervals, [lane, other], {FIRST: {AGAINST: CRITICAL_GAP_S}}).pieces(
        lane, queued=True
    )
    return [sum(seconds * share / 2 for seconds, share in pieces) for pieces in found]


def test_a_lane_is_blocked_by_the_first_who_may_not_go() -> None:
    both, one, none = (60.0, GREEN, GREEN), (60.0, GREEN, RED), (60.0, RED, RED)

    # Of a queue half of which may go, one goes in the mean before the first who may not.
    assert passed(one, none) == pytest.approx([1, 0], abs=1e-6)
    assert passed(both, one, none) == pytest.approx([30, 1, 0], abs=1e-6)


def test_who_gives_way_waits_for_the_queue_and_then_for_gaps() -> None:
    yielding, none = (60.0, PERMISSIVE, GREEN), (60.0, RED, RED)

    # 900 vehicles an hour that had red for 60 s take 60 s to go: meanwhile one who gives way waits
    # inside the junction; three have gone in the mean when the second blocks the lane.
    assert passed(yielding, none, against_vph=900)[0] == pytest.approx(3, abs=0.01)
    # 450: 20 s, in which 2.9 go; then half of them take the gaps: 450 e^-0.8125 / (1 - e^-0.3125) =
    # 744 an hour where a turning lane passes 1500, so 4 / (1 + 1500 / 744) of each second's two.
    gaps = 40 / (0.5 + 0.5 * 1_500 / 744) / 2
    assert passed(yielding, none, against_vph=450)[0] == pytest.approx(2.9 + gaps, abs=0.1)


@settings(max_examples=20, deadline=None)
@given(st.floats(5, 60), st.floats(5, 60), st.floats(1, 1_500))
def test_evenly_arriving_vehicles_wait_as_webster_says(
    green_s: float, red_s: float, flow_vph: float
) -> None:
    share = green_s / (green_s + red_s)
    full = min(flow_vph, 0.98 * share * 1_800)
    delay_s = uniform_delay_s([(red_s, 0.0), (green_s, 1.0)], flow_vph, 1_800)

    assert delay_s == pytest.approx(red_s * (1 - share) / (2 * (1 - full / 1_800)), rel=1e-6)


@settings(max_examples=3, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=4, max_size=4))
def test_no_plan_is_worse_than_the_one_in_force_by_the_model(numbers: list[int]) -> None:
    one, two, three, four = numbers
    lanes = demand(south_north=one, east_west=two, north_east=three / 4, west_south=four / 4)
    found = plan_junction(CASE, lanes, [DAY])

    assert found is not None
    assert found.before_s is not None
    assert found.delay_s <= found.before_s + 1e-6
    assert check_plans(OWN, [found.programme], GB).safe


def test_the_command_writes_both_formats_and_says_what_the_plan_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net, rou, out = tmp_path / "net.xml", tmp_path / "rou.xml", tmp_path / "plans.add.xml"
    net.write_text(network_file(OWN, [DAY]), encoding="utf-8")
    rou.write_bytes(
        routes(
            '<flow id="a" begin="0" end="3600" vehsPerHour="500" from="south-in" to="north-out"/>'
            '<flow id="b" begin="0" end="3600" vehsPerHour="300" from="east-in" to="west-out"/>'
        )
    )
    status = command.run(
        ["--network", str(net), "--demand", str(rou), "--out", str(out), "--simulate", "0"]
    )
    result = json.loads(capsys.readouterr().out)

    assert status == 0
    assert result["junctions"][0]["delay_s"] <= result["junctions"][0]["delay_in_force_s"]
    network, _ = read_network(net.read_bytes())
    plans = read_plans(out.read_bytes(), network)
    assert plans == read_plans((tmp_path / "plans.add.json").read_bytes(), network)
    assert check_plans(network, plans, GB).safe
