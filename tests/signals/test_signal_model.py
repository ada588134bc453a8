"""The model of signalled junctions: what is read, told apart, and written again without loss."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from signals.rules.junctions import FixedPlan, GroupKind, SignalGroup, Stage
from signals.rules.model.aspects import Aspect
from signals.rules.model.document_writing import document_of
from signals.rules.model.files import read_network, read_plans
from signals.rules.model.geometry import meeting
from signals.rules.model.junction import ConflictKind, SignalNetwork, Turn, approach_bearing_deg
from signals.rules.model.plans import Interval, Programme, programme_of_stages, runs
from signals.rules.model.stages import GreenStage, change_s, programme_from_stages
from signals.rules.model.sumo_export import additional_file, network_file
from signals.rules.safety.case import intergreens
from tests.signals import crossroads

DATA = os.environ.get("GREENBAY_DATA")
NETWORKS = ("cologne1", "cologne3", "grid4x4", "hangzhou1", "ingolstadt1")
needs_data = pytest.mark.skipif(not DATA, reason="GREENBAY_DATA is not set")

OWN = crossroads.network()


def real(name: str) -> bytes:
    assert DATA is not None
    return (Path(DATA) / "signals" / name / "net.xml").read_bytes()


def as_json(network: SignalNetwork | None, plans: tuple[Programme, ...]) -> bytes:
    return json.dumps(document_of(network, plans)).encode()


def conflict_between(first: str, second: str) -> ConflictKind | None:
    """Kind of the conflict of two ways, named by the roads and lanes they join."""
    for each in OWN.junctions[0].conflicts:
        if {each.first, each.second} == {first, second}:
            return each.kind
    return None


def test_lanes_say_where_they_lead_and_approaches_where_they_come_from() -> None:
    junction = OWN.junctions[0]

    functions = OWN.lane_functions(junction)
    assert functions["south-through"] == (Turn.STRAIGHT, Turn.RIGHT)
    assert functions["south-left"] == (Turn.LEFT,)
    bearings = {road.name: approach_bearing_deg(road) for road in OWN.approaches(junction)}
    assert bearings == {"south-in": 180, "east-in": 90, "north-in": 0, "west-in": 270}


def test_crossings_merges_and_compatible_ways_are_told_apart() -> None:
    south, north = "south-through>north-out-through", "north-through>south-out-through"
    assert conflict_between(south, "east-through>west-out-through") is ConflictKind.CROSSING
    assert conflict_between(south, "east-through>north-out-through") is ConflictKind.MERGING
    assert conflict_between(south, north) is None
    assert conflict_between("south-left>west-out-left", "north-left>east-out-left") is None
    assert conflict_between(south, "north kerb west>north kerb east") is ConflictKind.CROSSING
    assert conflict_between(south, "east kerb west>east kerb east") is None


def test_turning_gives_way_to_straight_on_and_to_people_on_foot() -> None:
    names = {
        ("south-left>west-out-left", "north-through>south-out-through"): (True, False),
        ("south-through>east-out-through", "east kerb west>east kerb east"): (True, False),
        ("south-through>north-out-through", "north kerb west>north kerb east"): (False, False),
    }
    for (first, second), expected in names.items():
        found = next(
            (each.first_yields, each.second_yields)
            if each.first == first
            else (each.second_yields, each.first_yields)
            for each in OWN.junctions[0].conflicts
            if {each.first, each.second} == {first, second}
        )
        assert found == expected, first


def test_ways_meet_where_they_cut() -> None:
    met = meeting([(0, 0), (10, 0)], [(4, -3), (4, 5)])

    assert (met.crosses, met.first_m, met.second_m) == (True, (4, 4), (3, 3))


def test_ways_that_pass_beside_each_other_share_no_point() -> None:
    met = meeting([(0, 0), (10, 0)], [(12, 2), (3, 1)])

    assert not met.crosses
    assert met.apart_m == 1
    assert met.first_m[0] == 3


def test_the_intergreen_matrix_follows_from_the_ways_and_the_speeds() -> None:
    matrix = intergreens(crossroads.case_of(OWN))

    # Of the conflicts of the two groups the longest is south straight on, then east turning right
    # into the same road. Leaving: 24 + 14 m to where the ways join, half a lane, a car:
    # (38 + 1.6 + 6) / 10 = 4.56 s. Entering: 10 m straight and 12.374 m of turn, less half a lane:
    # (22.374 - 1.6) / 11.1 = 1.872 s. With 3 s of yellow:
    assert matrix["south-through", "east-through"] == pytest.approx(3 + 4.56 - 1.872, abs=0.001)
    # People on foot are clear when their flashing green ends.
    assert matrix["south-walk", "south-through"] == 0
    assert ("south-through", "north-through") not in matrix


def test_between_stages_there_is_the_longest_intergreen_in_whole_seconds() -> None:
    junction = OWN.junctions[0]
    before = GreenStage("a", frozenset({"south-through", "south-bikes"}), 20)
    after = GreenStage("b", frozenset({"east-through"}), 20)
    times = {("south-through", "east-through"): 5.2, ("south-bikes", "east-through"): 7.1}

    assert change_s(junction, before, after, lambda a, b: times[a, b]) == 8
    # Nobody who begins conflicts: the yellow has to fit all the same.
    assert change_s(junction, before, after, lambda *_: 0.0) == 3
    assert change_s(junction, before, before, lambda a, b: times[a, b]) == 0


def test_a_stage_plan_becomes_a_programme_with_permissive_turns() -> None:
    plan = FixedPlan(
        groups=(
            SignalGroup("south-through", GroupKind.VEHICLE),
            SignalGroup("east-walk", GroupKind.PEDESTRIAN, flashing_green_s=10),
            SignalGroup("east-through", GroupKind.VEHICLE),
        ),
        stages=(
            Stage("ns", ("south-through", "east-walk"), 25),
            Stage("ew", ("east-through",), 20),
        ),
        offset_s=7,
    )
    names = [group.name for group in OWN.junctions[0].groups]
    programme = programme_of_stages(
        crossroads.NAME, "0", plan, names, lambda a, b: (a, b) == ("south-through", "east-walk")
    )

    assert (programme.cycle_s, programme.offset_s) == (55, 7)
    south, walk = names.index("south-through"), names.index("east-walk")
    assert [(i.duration_s, i.shows[south], i.shows[walk]) for i in programme.intervals[:3]] == [
        (15, Aspect.PERMISSIVE, Aspect.GREEN),
        (7, Aspect.PERMISSIVE, Aspect.FLASHING_GREEN),
        (3, Aspect.FLASHING_PERMISSIVE, Aspect.FLASHING_GREEN),
    ]


def test_a_turn_that_gave_way_goes_on_doing_so_while_the_others_clear() -> None:
    junction = OWN.junctions[0]
    stages = [
        GreenStage("all", frozenset({"south-through", "south-left", "north-through"}), 20),
        GreenStage("left", frozenset({"south-left"}), 10),
    ]
    programme = programme_from_stages(
        junction,
        "0",
        stages,
        intergreen=lambda ended, _: 5.0 if ended == "north-through" else 0.0,
        yields=lambda one, other: (one, other) == ("south-left", "north-through"),
    )
    left = [group.name for group in junction.groups].index("south-left")
    seen = [(each.duration_s, each.shows[left]) for each in programme.intervals]

    assert sum(seconds for seconds, aspect in seen if aspect is Aspect.PERMISSIVE) == 23
    assert seen[-1] == (10, Aspect.GREEN)


def test_a_run_goes_on_over_the_end_of_the_cycle() -> None:
    shows = [Aspect.GREEN, Aspect.RED, Aspect.GREEN]
    intervals = [Interval(10.0 + place, (aspect,)) for place, aspect in enumerate(shows)]

    (found,) = runs(intervals, 0, lambda aspect: aspect is Aspect.GREEN)
    assert (found.first, found.count, found.start_s, found.duration_s) == (2, 2, 21, 22)
    parts = runs(intervals, 0, lambda aspect: aspect is Aspect.GREEN, cyclic=False)
    assert [part.duration_s for part in parts] == [10, 12]


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    """Any programme of the crossroads, sensible or not: formats do not judge."""
    names = tuple(group.name for group in OWN.junctions[0].groups)
    seconds = st.integers(1, 90).map(float) | st.floats(0.1, 90, allow_nan=False)
    intervals = draw(
        st.lists(
            st.builds(
                Interval,
                seconds,
                st.tuples(*[st.sampled_from(list(Aspect))] * len(names)),
                st.text("ab<&\"' 绿", max_size=5),
                st.none() | seconds,
                st.none() | seconds,
                st.sampled_from([(), (("next", "0 1"),)]),
            ),
            min_size=1,
            max_size=6,
        )
    )
    params = draw(st.sampled_from([(), (("detector-gap", "2.0"),)]))
    return Programme(
        crossroads.NAME,
        draw(st.sampled_from(["0", "早高峰"])),
        names,
        tuple(intervals),
        draw(st.floats(-100, 100, allow_nan=False)),
        draw(st.sampled_from(["static", "actuated"])),
        params,
    )


@settings(max_examples=10, deadline=None)
@given(programmes(), st.booleans(), st.booleans())
def test_nothing_is_lost_on_the_way_through_either_format(
    programme: Programme, waiting_area: bool, refuge: bool
) -> None:
    network = crossroads.network(waiting_area=waiting_area, refuge=refuge)

    assert read_network(as_json(network, (programme,))) == (network, (programme,))
    assert read_plans(as_json(None, (programme,)), network) == (programme,)
    assert read_network(network_file(network, [programme]).encode()) == (network, (programme,))
    assert read_plans(additional_file([programme]).encode(), network) == (programme,)


@needs_data
@pytest.mark.parametrize("name", NETWORKS)
def test_a_real_network_comes_back_from_both_formats(name: str) -> None:
    network, plans = read_network(real(name))

    assert len(plans) == len(network.junctions) > 0
    assert all(junction.conflicts for junction in network.junctions)
    assert read_network(as_json(network, plans)) == (network, plans)
    assert read_network(network_file(network, plans).encode()) == (network, plans)
    assert read_plans(additional_file(plans).encode(), network) == plans


@needs_data
def test_opposite_left_turns_that_merely_pass_close_are_no_crossing() -> None:
    network, _ = read_network(real("hangzhou1"))
    close = [each for each in network.junctions[0].conflicts if each.kind is ConflictKind.CLOSE]

    assert [(each.first, each.second) for each in close] == [
        ("road_0_1_0_1>road_1_1_1_0", "road_2_1_2_1>road_1_1_3_0"),
        ("road_1_0_1_1>road_1_1_2_0", "road_1_2_3_1>road_1_1_0_0"),
    ]


NET = network_file(OWN)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"{}", "no signalled junction"),
        (b'{"junctions": [{"name": "a"}]}', "junctions.0.groups"),
        (b"<net/>", "no signalled junction"),
        (b"<html/>", "its root is <html>"),
        (b"<net><edge/></net>", "<edge> in line 1: lacks id"),
        (b"<net", "is no XML"),
        (b"\xff\xfe<\x00", "is no XML"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><net/>', "document type"),
        (NET.replace('speed="13.89"', 'speed="nan"', 1).encode(), "nan is no number"),
        (NET.replace('speed="13.89"', 'speed="-1"', 1).encode(), "speed_mps"),
        (NET.replace('duration="60"', 'duration="-1"').encode(), "duration is negative"),
        (NET.replace('linkIndex="3"', 'linkIndex="99999"').encode(), "out of range"),
        (NET.replace('from="south-in"', 'from="nowhere"').encode(), "which edge nowhere lacks"),
        (NET.replace('state="rrrr', 'state="xrrr').encode(), "phase 0: 'x' is no lamp"),
        (NET.replace('state="rrrr', 'state="').encode(), "has 12 lamps for 16 links"),
    ],
)
def test_a_file_that_is_no_network_says_so(content: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_network(content)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"junction": "nowhere", "intervals": []}, "plans.nowhere: the network has no such"),
        ({"junction": "crossroads"}, "either intervals or stages"),
        ({"junction": "crossroads", "intervals": []}, "has no intervals"),
        (
            {"junction": "crossroads", "intervals": [{"duration_s": 5, "shows": {"moon": "red"}}]},
            "has no signal group moon",
        ),
        (
            {"junction": "crossroads", "intervals": [{"duration_s": 0, "shows": {}}]},
            "a cycle of no length",
        ),
        (
            {"junction": "crossroads", "intervals": [{"duration_s": -5, "shows": {}}]},
            "duration_s",
        ),
        (
            {
                "junction": "crossroads",
                "stages": {"groups": [], "stages": [], "offset_s": 0},
            },
            "at least two stages",
        ),
    ],
)
def test_a_plan_that_cannot_be_read_says_where(plan: object, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_plans(json.dumps({"plans": [plan]}).encode(), OWN)
    assert said in str(refused.value)
