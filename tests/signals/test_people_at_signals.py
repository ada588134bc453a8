"""Plans where people walk and ride: who walks where, overlaps, what SUMO shows and lets walk.

The network is a T junction of our own with pavements, crossings and bicycle lanes
(``bench._towns --kind tee --seed 3 --people``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from city.errors import Invalid
from signals.adapters.sumo.run import Told
from signals.commands import evaluate, plan
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import FLASHING, GREENS, Aspect, driven
from signals.rules.model.files import read_network
from signals.rules.model.plans import Interval, runs
from signals.rules.model.stages import GreenStage, overlap_of, programme_from_stages
from signals.rules.model.sumo_net import read_sumo
from signals.rules.plans.candidates import signals_of
from signals.rules.plans.delay_of_plan import lane_results, lanes_of, opposing_of, total_delay_s
from signals.rules.plans.passing import walking_delay_s
from signals.rules.plans.planning import plan_junction
from signals.rules.plans.routes import read_journeys, scaled, turning_flows
from signals.rules.safety.case import prepare
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import GB
from tests.signals import crossroads

if TYPE_CHECKING:
    from signals.rules.plans.routes import TurningFlows

FILE = Path(__file__).with_name("tee_with_people.net.xml")
ROADS = read_sumo(FILE.read_bytes())
NETWORK, OWN = read_network(FILE.read_bytes())
TEE = NETWORK.junctions[0]
CASE = prepare(TEE, NETWORK, GB, OWN)
ARMS = sorted(name for name, edge in ROADS.edges.items() if not edge.function and edge.end == "0-0")
WALKS = [each for each in TEE.movements if each.kind is GroupKind.PEDESTRIAN]


def out_of(arm: str) -> str:
    start, _, end = arm.partition("_")
    return f"{end}_{start}"


def flows(cars: float, walkers: float) -> TurningFlows:
    """Cars between all arms and walkers from the first to the second, both an hour."""
    lines = [
        f'<flow id="c{one}{other}" type="car" begin="0" end="3600" vehsPerHour="{cars}"'
        f' from="{one}" to="{out_of(other)}"/>'
        for one in ARMS
        for other in ARMS
        if one != other
    ]
    lines.append(
        f'<personFlow id="w" begin="0" end="3600" perHour="{walkers}">'
        f'<walk from="{ARMS[0]}" to="{out_of(ARMS[1])}"/></personFlow>'
    )
    text = f'<routes><vType id="car" vClass="passenger"/>{"".join(lines)}</routes>'
    return turning_flows(ROADS, read_journeys(text.encode()))


def test_walks_count_at_the_crossings_of_their_shortest_way_and_are_no_vehicles() -> None:
    found = flows(60, 120)

    assert found.vehicles == 6 * 60
    assert set(found.people.walkers_ph) <= {each.pieces[0].name for each in WALKS}
    assert set(found.people.walkers_ph.values()) == {120.0}
    assert found.people.persons_ph == dict.fromkeys(found.flow_vph, 90.0)
    assert set(scaled(found, 2).people.walkers_ph.values()) == {240.0}


def test_a_walk_goes_on_from_where_the_person_has_come_to_and_a_bad_time_is_told() -> None:
    walk = f'<walk from="{ARMS[0]}" to="{out_of(ARMS[1])}"/><walk to="{out_of(ARMS[2])}"/>'
    person = f'<person id="p" depart="5">{walk}<stop lane="x" duration="9"/></person>'
    walks = [each for each in read_journeys(f"<routes>{person}</routes>".encode()) if each.walks]

    assert [each.roads for each in walks] == [
        (ARMS[0], out_of(ARMS[1])),
        (out_of(ARMS[1]), out_of(ARMS[2])),
    ]
    with pytest.raises(Invalid, match="walk"):
        read_journeys(f'<routes><person id="p" depart="soon">{walk}</person></routes>'.encode())


def test_people_wait_half_of_each_red_and_a_flashing_green_is_no_green() -> None:
    intervals = [
        Interval(10.0, (Aspect.GREEN,)),
        Interval(10.0, (Aspect.FLASHING_GREEN,)),
        Interval(20.0, (Aspect.RED,)),
    ]

    assert walking_delay_s(intervals, 0) == 30.0**2 / (2 * 40)


def test_plans_weigh_those_on_foot() -> None:
    few, many = flows(120, 1), flows(120, 3_000)
    waits = {}
    for name, found in (("few", few), ("many", many)):
        lanes = lanes_of(
            TEE, NETWORK, found.flow_vph, found.bicycles_vph, found.drivers, people=found.people
        )
        made = plan_junction(CASE, lanes, OWN, overlapping=True)
        assert made is not None
        assert not check_programme(CASE, made.programme).violations
        waits[name] = max(each.delay_s for each in made.lanes if each.on_foot)
        results = lane_results(made.programme, lanes, opposing_of(CASE.pairs))
        total = sum(lane.flow_vph * lane.persons for lane in lanes)
        assert made.delay_s == pytest.approx(total_delay_s(results) / total)

    assert waits["many"] <= waits["few"]


def test_who_walks_holds_up_who_turns_over_the_crossing() -> None:
    quiet, busy = flows(120, 0), flows(120, 600)
    capacity: list[float] = []
    for found in (quiet, busy):
        lanes = lanes_of(TEE, NETWORK, found.flow_vph, people=found.people)
        made = plan_junction(CASE, lanes, OWN)
        assert made is not None
        if not capacity:
            programme = made.programme
        results = lane_results(programme, lanes, opposing_of(CASE.pairs))
        capacity.append(sum(each.capacity_vph for each in results if not each.on_foot))

    assert capacity[1] < capacity[0]


def test_each_ends_as_late_and_begins_as_soon_as_its_intergreens_let_it() -> None:
    junction = crossroads.network().junctions[0]
    before = GreenStage("a", frozenset({"south-through", "south-bikes", "east-walk"}), 20)
    after = GreenStage("b", frozenset({"east-through", "east-bikes"}), 20)
    times = {
        ("south-through", "east-through"): 5.0,
        ("south-bikes", "east-through"): 8.0,
        ("south-bikes", "east-bikes"): 6.0,
        ("east-walk", "east-through"): 0.0,
    }

    def intergreen(one: str, other: str) -> float:
        return times.get((one, other), 0.0)

    found = overlap_of(junction, before, after, intergreen, lambda name: name)
    assert found.late_s == {"south-through": 3.0, "south-bikes": 0.0, "east-walk": 8.0}
    assert found.early_s == {"east-through": 0.0, "east-bikes": 2.0}
    joined = overlap_of(junction, before, after, intergreen, lambda name: name.split("-")[0])
    assert joined.late_s == {"south-through": 0.0, "south-bikes": 0.0, "east-walk": 8.0}
    assert joined.early_s == {"east-through": 0.0, "east-bikes": 0.0}
    # Who walks till the end of the change and clashes holds back who would begin before.
    held = overlap_of(
        junction, before, after, intergreen, lambda name: name,
        clash=lambda one, other: (one, other) == ("east-walk", "east-bikes"),
    )  # fmt: skip
    assert (held.late_s, held.early_s["east-bikes"]) == (found.late_s, 0.0)
    programme = programme_from_stages(
        junction,
        "p",
        [before, after],
        intergreen=intergreen,
        yields=lambda *_: False,
        together=lambda name: name,
    )
    names = [group.name for group in junction.groups]
    assert programme.cycle_s == 20 + 8 + 20 + 3

    def green_s(name: str) -> float:
        return sum(
            run.duration_s
            for run in runs(programme.intervals, names.index(name), GREENS.__contains__)
        )

    # Nobody who ends conflicts on the way back: who begins does so 3 s before the stage.
    assert green_s("south-through") == 3 + 20 + 3
    assert green_s("south-bikes") == 3 + 20
    assert green_s("east-walk") == 3 + 20 + 8
    assert green_s("east-bikes") == 2 + 20


def test_who_shares_a_lane_or_turns_the_same_way_out_of_a_road_is_one_signal() -> None:
    number = signals_of(CASE)
    for one in TEE.movements:
        for other in TEE.movements:
            if GroupKind.PEDESTRIAN in {one.kind, other.kind}:
                continue
            if one.from_lane == other.from_lane:
                assert number[one.group] == number[other.group]
    assert len({number[each.group] for each in WALKS}) == len(WALKS)


def test_overlaps_are_safe_and_spare_time() -> None:
    found = flows(150, 60)
    lanes = lanes_of(TEE, NETWORK, found.flow_vph, people=found.people)
    apart = plan_junction(CASE, lanes, OWN)
    over = plan_junction(CASE, lanes, OWN, overlapping=True)

    assert apart is not None
    assert over is not None
    assert not check_programme(CASE, over.programme).violations
    assert over.delay_s < apart.delay_s


def test_a_flashing_green_of_a_crossing_is_red_for_who_would_step_off() -> None:
    assert driven("GFFgr", [1]) == "GrGgr"


def test_people_walk_whenever_the_first_starts_and_all_that_is_shown_is_safe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trips = [
        f'<trip id="c{number}" depart="{0.9 + 6 * number}" from="{ARMS[number % 3]}"'
        f' to="{out_of(ARMS[(number + 1) % 3])}" departLane="best"/>'
        for number in range(60)
    ]
    people = [
        f'<person id="p{number}" depart="{10.0 + number}"><walk from="{ARMS[0]}"'
        f' to="{out_of(ARMS[1])}"/></person>'
        for number in range(20)
    ]
    routes, plans = tmp_path / "rou.xml", tmp_path / "plans.add.xml"
    routes.write_text(f"<routes>{trips[0]}{''.join(people)}{''.join(trips[1:])}</routes>")
    files = ["--network", str(FILE), "--demand", str(routes), "--profile", "gb"]

    assert plan.run([*files, "--simulate", "0", "--out", str(plans)]) == 0
    told = json.loads(capsys.readouterr().out)["junctions"][0]
    assert told["counted"] == "persons"
    assert all(each["walkers_ph"] > 0 for each in told["crossings"])
    made = json.loads(plans.with_suffix(".json").read_text())
    assert any(each.value in json.dumps(made) for each in FLASHING)

    given = [*files, "--controller", "plan", "--plans", str(plans), "--seeds", "1"]
    assert evaluate.run(given) == 0
    mean = json.loads(capsys.readouterr().out)["mean"]
    assert mean["pedestrian_delay_s"] > 0
    assert mean["safety_violations"] == 0


def test_a_plan_says_what_it_shows_at_an_instant() -> None:
    told = Told(2.0, [(3.0, "G"), (2.0, "F")])

    assert [told.at(second) for second in (2, 4, 5, 6, 7)] == ["G", "G", "F", "F", "G"]
