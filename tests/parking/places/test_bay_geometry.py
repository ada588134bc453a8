"""Ground that bays claim, and where they may be marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.identifiers import DistrictCode, FacilityId, uuid7
from city.places import Position, distance_m
from parking.rules.places import siting
from parking.rules.places.geometry import (
    Footprint,
    Plane,
    Point,
    along,
    area_m2,
    cut,
    from_web_mercator,
    laid_along,
    line_length_m,
    overlapping,
    rectangle,
    same_kerb,
    shared_area_m2,
)
from parking.rules.places.model import Bay, Facility, Machine
from parking.rules.places.overlaps import Claim, overlaps

HERE = Position(120.1, 30.2)
KERB = (HERE, HERE.moved(60, 0))


def square(x: float, y: float, side: float = 2.0) -> tuple[Point, ...]:
    return (Point(x, y), Point(x + side, y), Point(x + side, y + side), Point(x, y + side))


def bay(at: Position, *, ground: str = "carriageway", **more: float) -> Bay:
    return Bay(
        FacilityId(uuid7()),
        DistrictCode("0153"),
        "A1",
        "standard",
        at,
        more.get("bearing", 90.0),
        length_m=more.get("length", 6.0),
        width_m=more.get("width", 2.4),
        ground=ground,  # type: ignore[arg-type] # any of them
    )


def test_neighbours_that_share_a_line_do_not_overlap() -> None:
    one = Footprint(HERE, rectangle(HERE, 90, 6, 2.4))
    next_to_it = HERE.moved(6, 0)
    assert overlapping(one, Footprint(next_to_it, rectangle(next_to_it, 90, 6, 2.4))) is None
    nearer = HERE.moved(5, 0)
    assert overlapping(one, Footprint(nearer, rectangle(nearer, 90, 6, 2.4))) == (
        "shares 2.4 m2 of 14.4"
    )


def test_a_point_inside_an_outline_overlaps_it() -> None:
    outline = Footprint(HERE, rectangle(HERE, 90, 6, 2.4))
    assert overlapping(outline, Footprint(HERE.moved(2, 0))) == "lies inside its outline"
    assert overlapping(Footprint(HERE.moved(2, 0)), outline) == "lies inside its outline"
    assert overlapping(outline, Footprint(HERE.moved(4, 0))) is None


def test_two_points_at_one_place_are_one_bay_stated_twice() -> None:
    assert overlapping(Footprint(HERE), Footprint(HERE.moved(0.5, 0))) == "lies 0.5 m away"
    assert overlapping(Footprint(HERE), Footprint(HERE.moved(1.5, 0))) is None


def test_the_area_of_an_l_is_shared_in_its_arm_and_not_in_its_notch() -> None:
    corner = tuple(Point(x, y) for x, y in ((0, 0), (6, 0), (6, 2), (2, 2), (2, 6), (0, 6)))
    assert area_m2(corner) == 20
    assert shared_area_m2(corner, square(3, 3, 2)) == pytest.approx(0)
    assert shared_area_m2(corner, square(0, 0, 2)) == pytest.approx(4)
    assert shared_area_m2(tuple(reversed(corner)), square(4, 0, 4)) == pytest.approx(4)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.5, 4), st.floats(0.5, 4), st.floats(0, 359))
def test_a_shared_area_is_symmetric_and_no_larger_than_either(
    x: float, y: float, a: float, b: float, turn: float
) -> None:
    plane = Plane(HERE)
    one = tuple(plane.point(p) for p in rectangle(HERE, turn, 2 * a, a))
    other = tuple(plane.point(p) for p in rectangle(HERE.moved(x, y), 0, b, 2 * b))
    shared = shared_area_m2(one, other)
    assert shared == pytest.approx(shared_area_m2(other, one), abs=1e-6)
    assert -1e-6 <= shared <= min(abs(area_m2(one)), abs(area_m2(other))) + 1e-6


def test_levels_of_a_garage_lie_above_each_other() -> None:
    spot = Footprint(HERE)
    claims = [Claim("1", ("g", 1), spot), Claim("1", ("g", 2), spot), Claim("2", ("g", 1), spot)]
    assert [(each.index, each.other) for each in overlaps(claims, ())] == [(2, "1")]


def test_a_kerb_line_drawn_twice_is_found_whichever_way_it_runs() -> None:
    again = (HERE.moved(55, 0.3), HERE.moved(10, 0.3))
    assert same_kerb(KERB, again) == pytest.approx(45, abs=0.1)
    across = (HERE.moved(0, 8), HERE.moved(60, 8))
    crossing = (HERE.moved(30, -20), HERE.moved(30, 20))
    follows = (HERE.moved(60, 0), HERE.moved(90, 0))
    assert [same_kerb(KERB, other) for other in (across, crossing, follows)] == [None, None, None]


def test_bays_are_shared_out_evenly_along_a_line() -> None:
    laid = laid_along(KERB, 10)
    assert [round(distance_m(HERE, each.position)) for each in laid] == [
        3 + 6 * n for n in range(10)
    ]
    assert {round(each.bearing_deg) for each in laid} == {90}


def test_a_line_is_cut_at_its_corners_and_ends() -> None:
    bent = (HERE, HERE.moved(10, 0), HERE.moved(10, 10))
    part = cut(bent, 5, 15)
    assert (len(part), round(line_length_m(part), 2)) == (3, 10.0)
    assert distance_m(along(bent, 99).position, bent[-1]) < 0.01


def test_web_mercator_is_read() -> None:
    found = from_web_mercator(1008812.9139, 6268087.3125)
    assert (round(found.longitude, 5), round(found.latitude, 5)) == (9.06232, 48.96006)
    with pytest.raises(Invalid):
        from_web_mercator(3e7, 0)


def test_only_a_mechanical_garage_has_lifts() -> None:
    with pytest.raises(Invalid) as refused:
        Facility(
            "G1",
            DistrictCode("0153"),
            "public",
            "garage",
            "库",
            "Garage",
            HERE,
            "Asia/Shanghai",
            uuid7(),  # type: ignore[arg-type] # any of them
            "commercial",
            machine=Machine(2, 40, 120),
        )
    assert refused.value.field == "machine"


# --- siting --------------------------------------------------------------------------------------


def verdicts(found: tuple[siting.Finding, ...]) -> dict[str, str]:
    return {each.rule: each.verdict for each in found}


def test_a_bay_too_near_a_hydrant_is_told_by_how_much() -> None:
    hydrant = siting.Surveyed("hydrant", (HERE.moved(13, 0),), "H7")
    found = siting.check_siting(bay(HERE), [hydrant])
    (finding,) = [each for each in found if each.rule == "hydrant_clearance"]
    assert (finding.verdict, finding.about, finding.basis) == ("violated", "H7", "law")
    assert finding.found_m == pytest.approx(10, abs=0.05)
    assert finding.short_m == pytest.approx(20, abs=0.05)


def test_what_nobody_looked_for_is_unknown_and_not_passed() -> None:
    assert verdicts(siting.check_siting(bay(HERE), []))["bus_stop_clearance"] == "unknown"
    looked = siting.check_siting(bay(HERE), [], complete=["bus_stop"])
    assert verdicts(looked)["bus_stop_clearance"] == "passed"


def test_a_bay_across_a_blind_track_violates() -> None:
    track = siting.Surveyed("blind_track", (HERE.moved(-20, 0.5), HERE.moved(20, 0.5)))
    beside = siting.Surveyed("blind_track", (HERE.moved(-20, 1.6), HERE.moved(20, 1.6)))
    on = verdicts(siting.check_siting(bay(HERE, ground="pavement"), [track]))
    off = verdicts(siting.check_siting(bay(HERE, ground="pavement"), [beside]))
    assert (on["blind_track_clearance"], off["blind_track_clearance"]) == ("violated", "passed")


@pytest.mark.parametrize(
    ("width_m", "verdict"), [(4.5, "passed"), (4.3, "violated"), (None, "unknown")]
)
def test_a_pavement_keeps_room_to_walk(width_m: float | None, verdict: str) -> None:
    known = None if width_m is None else siting.Pavement(width_m)
    found = siting.check_siting(bay(HERE, ground="pavement"), [], pavement=known)
    assert verdicts(found)["walkway_width"] == verdict


def test_a_city_states_its_own_measure_with_its_own_source() -> None:
    own = siting.SitingRules(
        clearances=(siting.Clearance("hydrant", 5.0, "standard", "DB 99/T 1-2030, 5.2"),)
    )
    hydrant = siting.Surveyed("hydrant", (HERE.moved(13, 0),))
    (finding,) = siting.check_siting(bay(HERE), [hydrant], rules=own)
    assert (finding.verdict, finding.source) == ("passed", "DB 99/T 1-2030, 5.2")


def test_every_default_rule_names_its_source() -> None:
    assert all(each.source and each.least_m >= 0 for each in siting.CLEARANCES)


def test_a_bay_of_unknown_size_is_passed_only_where_any_size_would_be() -> None:
    point = Bay(FacilityId(uuid7()), DistrictCode("0153"), "A1", "standard", HERE)
    for east_m, verdict in ((31, "unknown"), (34, "passed"), (20, "violated")):
        hydrant = siting.Surveyed("hydrant", (HERE.moved(east_m, 0),))
        found = verdicts(siting.check_siting(point, [hydrant]))
        assert found["hydrant_clearance"] == verdict
