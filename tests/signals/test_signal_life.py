"""A plan on its way to the street: parts, stages, differences, bands, what waits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from city.errors import Invalid
from signals.rules.life.bands import Stop, bands, common_cycle_s, shown_greens, street, widest
from signals.rules.life.differences import What, differences
from signals.rules.life.outlook import Demand, outlook
from signals.rules.life.parts import part_of, plan_json, plans_of, stages_of, with_greens
from signals.rules.life.waiting import speeds_of, street_waits
from signals.rules.model.documents import network_from_json
from signals.rules.waves.ways import Way, widest_band
from tests.signals import crossroads

CASES = Path(__file__).parents[2] / "web" / "frontend" / "tests" / "bands.json"


def test_the_band_of_the_page_is_the_band_of_the_rules() -> None:
    for case in json.loads(CASES.read_text("utf-8")):
        greens = [[(begin, length) for begin, length in arcs] for arcs in case["greens"]]
        found = widest(greens, case["reach_s"], case["cycle_s"])
        assert found.width_s == pytest.approx(case["width_s"], abs=1e-9)
        assert found.begin_s == pytest.approx(case["begin_s"], abs=1e-9)


def test_the_band_is_the_one_that_the_waves_know_where_speeds_are_fixed() -> None:
    random = Random(5)  # noqa: S311 - examples, no secret
    for _ in range(60):
        count, cycle_s = random.randint(2, 6), random.uniform(50, 120)
        begins = [random.uniform(0, cycle_s) for _ in range(count)]
        lengths = [random.uniform(0.3, 0.7) * cycle_s for _ in range(count)]
        links_s = [random.uniform(5, 40) for _ in range(count - 1)]
        reach_s = [sum(links_s[:place]) for place in range(count)]
        way = Way(
            corridor=0,
            outbound=True,
            weight=1.0,
            signals=tuple(range(count)),
            greens=tuple(each / cycle_s for each in lengths),
            begins=tuple((each / cycle_s,) for each in begins),
            least_s=tuple(links_s),
            most_s=tuple(links_s),
            early=(0.0,) * (count - 1),
        )
        ours = widest([[pair] for pair in zip(begins, lengths, strict=True)], reach_s, cycle_s)
        theirs = widest_band(way, [0.0] * count, 1 / cycle_s)
        assert ours.width_s == pytest.approx(theirs.width * cycle_s, abs=1e-4)


def test_stages_are_found_and_their_greens_changed() -> None:
    network = crossroads.network()
    plan = crossroads.plan(crossroads.case_of(network))
    stages = stages_of(plan)
    assert len(stages) == 4
    assert sum(each.green_s + each.change_s for each in stages) == plan.cycle_s
    longer = with_greens(plan, {stages[0].interval: stages[0].green_s + 5})
    told = {(each.what, each.stage) for each in differences({"x": plan}, {"x": longer})}
    assert told == {(What.CYCLE, None), (What.GREEN, 1)}
    with pytest.raises(Invalid, match="is no stage"):
        with_greens(plan, {stages[0].interval + 1: 9})


def test_other_stages_are_told_as_such_and_nothing_where_nothing_differs() -> None:
    case = crossroads.case_of(crossroads.network())
    plan = crossroads.plan(case)
    other = crossroads.plan(case, left_first=True)
    assert differences({"x": plan}, {"x": plan}) == ()
    assert differences({"x": plan}, {"x": other})[-1].what is What.STAGES
    assert [each.what for each in differences({}, {"x": plan})] == [What.ADDED]
    moved = replace(plan, offset_s=7.0)
    assert [each.what for each in differences({"x": plan}, {"x": moved})] == [What.OFFSET]


def test_a_part_holds_what_its_plans_need() -> None:
    network = crossroads.network()
    junction = network.junctions[0]
    part = part_of(network, junction)
    plan = crossroads.plan(crossroads.case_of(network))
    document: dict[str, Any] = {"plans": [plan_json(plan)]}
    assert plans_of(document, {junction.name: part}) == (plan,)
    with pytest.raises(Invalid, match=r"plans\.0\.junction"):
        plans_of(document, {})


def test_a_street_goes_straight_on_and_back_and_offsets_change_what_waits() -> None:
    network = crossroads.network()
    plan = crossroads.plan(crossroads.case_of(network))
    far = crossroads.document()
    text = json.dumps(far)
    east = json.loads(text)
    for road in east["roads"]:
        for lane in road["lanes"]:
            lane["shape"] = [[x + 448, y] for x, y in lane["shape"]]
    for movement in east["junctions"][0]["movements"]:
        for piece in movement["path"]:
            piece["shape"] = [[x + 448, y] for x, y in piece["shape"]]
    other = network_from_json(east)
    parts = {"west": network, "east": other}
    plans = {"west": plan, "east": replace(plan, offset_s=32.0)}
    stops = street(parts, plans, ["west", "east"])
    assert [stop.position_m for stop in stops] == [0, pytest.approx(448)]
    first: Stop = stops[0]
    assert first.outbound is not None
    assert first.inbound is not None
    assert (first.outbound.group, first.inbound.group) == ("west-through", "east-through")
    assert list(speeds_of(stops)) == pytest.approx([13.89, 13.89])
    found = bands(stops, 14.0, 14.0)
    assert found is not None
    greens_s = max(length for _, length in first.outbound.greens)
    # Offset and travel time agree: the whole green goes through, and the way back gets the rest.
    assert found[0].width_s == pytest.approx(greens_s)
    assert found[1].width_s < greens_s
    demand = Demand(1.0, {("west-in", "east-out"): 600.0, ("east-in", "west-out"): 600.0})
    good = street_waits(parts, stops, demand, (14.0, 14.0))
    late = [replace(stops[0]), replace(stops[1], offset_s=32.0 + plan.cycle_s / 2)]
    bad = street_waits(parts, late, demand, (14.0, 14.0))
    assert good.outbound_delay_s is not None
    assert bad.outbound_delay_s is not None
    assert good.outbound_delay_s < bad.outbound_delay_s
    assert common_cycle_s([stops[0], replace(stops[1], cycle_s=plan.cycle_s * 0.7)]) is None
    half = replace(stops[0], cycle_s=plan.cycle_s / 2)
    assert len(shown_greens(half, first.outbound, plan.cycle_s)) == 2


def test_more_traffic_never_makes_a_junction_faster() -> None:
    case = crossroads.case_of(crossroads.network())
    plan = crossroads.plan(case)
    delays = [
        outlook(case, plan, Demand(1.0, {("south-in", "north-out"): float(vph)})).delay_s
        for vph in (0, 100, 400, 800, 1600)
    ]
    assert delays == sorted(delays)
    assert outlook(case, plan, Demand(1.0, {})).level is None
