"""The demo town's streets, bays, sensors and junctions: what must hold of the map."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from city.places import Position, distance_m
from city.streets import StreetClass, StreetNetwork
from parking.rules.tariffs.reading import read_document
from signals.rules.junctions import GroupKind
from web.demo import names, tariffs
from web.demo.bays import BICYCLE_LANE_M, HALF_BAY_WIDTH_M, LANE_WIDTH_M
from web.demo.prepare import DemoPlan, plan_city
from web.demo.signal_plans import lay_junctions
from web.demo.town import SEED


@pytest.fixture(scope="module")
def plan() -> DemoPlan:
    return plan_city()


def inside(at: Position, outline: tuple[Position, ...]) -> bool:
    """Tell whether a point lies in a closed outline, by the sum of the angles around it."""
    turned = 0.0
    for a, b in pairwise(outline):
        one = math.atan2(a.latitude - at.latitude, a.longitude - at.longitude)
        other = math.atan2(b.latitude - at.latitude, b.longitude - at.longitude)
        turned += (other - one + math.pi) % (2 * math.pi) - math.pi
    return abs(turned) > math.pi


def reached(network: StreetNetwork, start: str) -> set[str]:
    """Give the nodes that can be driven to."""
    seen, waiting = {start}, [start]
    while waiting:
        for link in network.leaving(waiting.pop()):
            if link.end not in seen:
                seen.add(link.end)
                waiting.append(link.end)
    return seen


def test_thirty_junctions_are_signalled_each_at_its_own_node(plan: DemoPlan) -> None:
    assert len(plan.town.junctions) == 30
    assert len({each.code for each in plan.town.junctions}) == 30
    assert set(plan.town.network.junctions()) == {each.junction_id for each in plan.town.junctions}


def test_every_link_can_be_reached_from_every_other(plan: DemoPlan) -> None:
    network = plan.town.network
    everywhere = set(network.nodes)
    assert all(reached(network, node) == everywhere for node in everywhere)


def test_twelve_hundred_kerb_bays_and_eight_garages_have_ids_of_their_own(plan: DemoPlan) -> None:
    kerbs = [each for each in plan.facilities if each.kind == "kerb"]
    garages = [each for each in plan.facilities if each.kind == "garage"]
    bays = [bay.bay_id for each in plan.facilities for bay in each.bays]
    assert sum(len(each.bays) for each in kerbs) == 1_200
    assert [len(each.bays) for each in garages] == [72, 60, 90, 48, 84, 96, 54, 66]
    assert len(set(bays)) == 1_770
    assert len({each.code for each in plan.facilities}) == len(plan.facilities)
    for each in plan.facilities:
        assert len({bay.label for bay in each.bays}) == len(each.bays)


def test_no_bay_lies_on_a_carriageway_or_in_the_river(plan: DemoPlan) -> None:
    (river,) = (each for each in plan.town.areas if each.kind == "water")
    for facility in plan.facilities:
        for bay in facility.bays:
            near = plan.town.network.nearest(bay.position)
            assert near is not None
            kerb_m = near.link.lanes * LANE_WIDTH_M + BICYCLE_LANE_M
            assert near.distance_m >= kerb_m + HALF_BAY_WIDTH_M - 0.7, bay.label
            assert not inside(bay.position, river.outline), bay.label


def test_no_two_bays_overlap(plan: DemoPlan) -> None:
    for facility in plan.facilities:
        least_m = 5.5 if facility.kind == "kerb" else 2.4
        for a, b in pairwise(facility.bays):
            assert distance_m(a.position, b.position) >= least_m, (a.label, b.label)


def test_everything_has_a_name_in_both_languages(plan: DemoPlan) -> None:
    named = [each.name for each in plan.facilities]
    named += [each.name for each in plan.town.junctions]
    named += [each.name for each in plan.town.areas]
    named += [names.Name(link.name_zh, link.name_en) for link in plan.town.network.links.values()]
    for name in named:
        assert any("一" <= letter <= "鿿" for letter in name.zh), name
        assert name.en.isascii(), name
        assert name.en, name
    facilities = [each.name for each in plan.facilities]
    assert len({each.zh for each in facilities}) == len(facilities)
    assert len({each.en for each in facilities}) == len(facilities)


def test_the_same_seed_gives_the_same_city_and_another_seed_another(plan: DemoPlan) -> None:
    again, other = plan_city(), plan_city(SEED + 1)
    assert again.town.network == plan.town.network
    assert again.digest == plan.digest
    assert lay_junctions(again.town) == lay_junctions(plan.town)
    assert other.town.network != plan.town.network
    assert other.digest != plan.digest


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_other_seeds_are_whole_cities_too(seed: int) -> None:
    plan = plan_city(seed)
    assert len(plan.town.junctions) == 30
    assert len(plan.sensors) == 1_770
    assert len(lay_junctions(plan.town)) == 30


def test_every_arm_of_a_junction_has_vehicles_bicycles_and_a_crossing(plan: DemoPlan) -> None:
    network = plan.town.network
    for junction in lay_junctions(plan.town):
        links = {each.link for each in junction.approaches}
        node = network.junctions()[junction.junction_id]
        assert links == {link.id for link in network.links.values() if link.end == node.id}
        assert junction.plan is not None
        for approach in junction.approaches:
            kinds = {
                group.kind for group in junction.plan.groups if group.approach == approach.name
            }
            assert kinds == set(GroupKind), (junction.code, approach.name)


def test_no_two_streams_that_cross_are_ever_green_together(plan: DemoPlan) -> None:
    """Vehicles of one axis never run with those of the other, nor with walkers across their arm."""
    axis = {"north": 0, "south": 0, "east": 1, "west": 1}
    for junction in lay_junctions(plan.town):
        assert junction.plan is not None
        for stage in junction.plan.stages:
            parts = [name.split("-") for name in stage.groups]
            driving = {axis[side] for side, what in parts if what != "crossing"}
            walking = {axis[side] for side, what in parts if what == "crossing"}
            assert len(driving) == 1, (junction.code, stage.name)
            assert not driving & walking, (junction.code, stage.name)
            if any(what == "left" for _, what in parts):
                assert {what for _, what in parts} == {"left"}


def test_walkers_have_time_to_cross_at_a_metre_and_a_fifth_a_second(plan: DemoPlan) -> None:
    for junction in lay_junctions(plan.town):
        assert junction.plan is not None
        lanes = {each.name: each.lanes for each in junction.approaches}
        flashing = {each.name: each.flashing_green_s for each in junction.plan.groups}
        for stage in junction.plan.stages:
            for group in stage.groups:
                side, what = group.split("-")
                if what == "crossing":
                    width_m = 2 * (3.2 * lanes[side] + 2.5)
                    assert flashing[group] >= width_m / 1.2
                    assert stage.green_s >= flashing[group] + 6


def test_a_busy_crossing_has_a_longer_cycle_than_a_quiet_one(plan: DemoPlan) -> None:
    by_code = {each.code: each for each in lay_junctions(plan.town)}
    network = plan.town.network
    cycles: dict[bool, list[int]] = {True: [], False: []}
    for junction in by_code.values():
        links = [network.links[each.link] for each in junction.approaches if each.link]
        arterials = {link.name_en for link in links if link.street_class == StreetClass.ARTERIAL}
        if junction.plan is not None and len(links) == 4:
            cycles[len(arterials) > 1].append(junction.plan.cycle_s)
    assert min(cycles[True]) > max(cycles[False])


@pytest.mark.parametrize("code", tariffs.DOCUMENTS)
def test_each_tariff_is_one_that_the_language_allows(code: str) -> None:
    assert read_document(tariffs.DOCUMENTS[code]).language == "greenbay-tariff/1"
