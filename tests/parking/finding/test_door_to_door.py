"""Walks and drives on a small network, with times worked out by hand."""

import itertools

import pytest

from city.places import Position, distance_m
from city.streets import StreetClass, StreetLink, StreetNetwork, StreetNode
from parking.rules.finding.travel import DRIVING_SHARE, Travel, straight_drive, straight_walk

ORIGIN = Position(120.1, 30.2)


def at(east_m: float, north_m: float) -> Position:
    return ORIGIN.moved(east_m, north_m)


def node(name: str, east_m: float, north_m: float) -> StreetNode:
    return StreetNode(name, at(east_m, north_m))


def link(a: StreetNode, b: StreetNode, kind: StreetClass = StreetClass.LOCAL) -> StreetLink:
    length_m = sum(distance_m(*ends) for ends in itertools.pairwise((a.position, b.position)))
    return StreetLink(
        f"{a.id}{b.id}", a.id, b.id, (a.position, b.position), length_m, kind, 1, 36, "路", "Road"
    )


A, B, C, D = node("a", 0, 0), node("b", 600, 0), node("c", 600, 600), node("d", 0, 600)


def one_way_square() -> Travel:
    """Drive a-b-c-d-a only; at 36 km/h a side takes 60 s."""
    return Travel(StreetNetwork([A, B, C, D], [link(A, B), link(B, C), link(C, D), link(D, A)]))


def test_a_walk_goes_along_the_streets_and_both_ways() -> None:
    (walk,) = one_way_square().walks(at(300, 0), [at(0, 300)])
    assert walk.basis == "streets"
    assert walk.length_m == pytest.approx(600, abs=1)
    assert walk.time_s == pytest.approx(500, abs=1)


def test_a_walk_along_one_street_is_its_stretch() -> None:
    near, far = one_way_square().walks(at(300, 0), [at(250, 0), at(550, 0)])
    assert near.length_m == pytest.approx(50, abs=0.5)
    assert far.length_m == pytest.approx(250, abs=0.5)


def test_a_drive_follows_the_directions() -> None:
    # From the middle of a-b to a place a little behind it: once around.
    behind, ahead = one_way_square().drives(at(300, 0), [at(200, 0), at(500, 0)])
    assert behind.time_s == pytest.approx((240 - 10) / DRIVING_SHARE, abs=0.5)
    assert ahead.time_s == pytest.approx(20 / DRIVING_SHARE, abs=0.5)


def test_a_street_with_two_directions_is_driven_in_either() -> None:
    travel = Travel(StreetNetwork([A, B], [link(A, B), link(B, A)]))
    behind, ahead = travel.drives(at(300, 0), [at(200, 0), at(500, 0)])
    assert behind.time_s == pytest.approx(10 / DRIVING_SHARE, abs=0.5)
    assert ahead.time_s == pytest.approx(20 / DRIVING_SHARE, abs=0.5)


def test_nobody_walks_on_an_expressway() -> None:
    fast = [link(A, B, StreetClass.EXPRESSWAY), link(B, A, StreetClass.EXPRESSWAY)]
    around = [link(A, D), link(D, C), link(C, B)]
    travel = Travel(StreetNetwork([A, B, C, D], fast + around))
    (walk,) = travel.walks(at(600, 300), [at(0, 300)])
    assert walk.length_m == pytest.approx(300 + 600 + 300, abs=1)


def test_without_streets_a_way_is_a_straight_line_and_says_so() -> None:
    for travel, place in ((Travel(None), at(0, 400)), (one_way_square(), at(9_000, 9_000))):
        (walk,) = travel.walks(place, [at(0, 0)])
        assert walk == straight_walk(at(0, 0), place)
        assert walk.basis == "straight line"
        (drive,) = travel.drives(place, [at(0, 0)])
        assert drive == straight_drive(place, at(0, 0))


def test_a_way_that_the_network_does_not_have_is_a_straight_line() -> None:
    travel = Travel(StreetNetwork([A, B, C, D], [link(A, B), link(C, D)]))
    (drive,) = travel.drives(at(300, 0), [at(300, 600)])
    assert drive.basis == "straight line"


def test_a_search_that_goes_on_gives_what_a_whole_one_gives() -> None:
    travel = one_way_square()
    first = travel.walks(at(300, 0), [at(250, 0)])
    later = travel.walks(at(300, 0), [at(250, 0), at(300, 600), at(0, 300)])
    assert later == one_way_square().walks(at(300, 0), [at(250, 0), at(300, 600), at(0, 300)])
    assert later[0] == first[0]
