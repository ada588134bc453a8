import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.identifiers import DistrictCode
from city.places import BoundingBox, District, GridCell, Position, distance_m

POSITIONS = st.builds(Position, st.floats(-180, 180), st.floats(-90, 90))
IN_TOWN = st.builds(Position, st.floats(120.0, 120.2), st.floats(30.0, 30.2))
STEPS = st.sampled_from([100, 500, 1_000, 2_000])


@given(POSITIONS, POSITIONS)
def test_distance_is_symmetric_and_never_negative(a: Position, b: Position) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=1e-6)
    assert 0 <= distance_m(a, b) <= math.pi * 6_371_009


@given(IN_TOWN, IN_TOWN, IN_TOWN)
def test_a_detour_is_never_shorter(a: Position, b: Position, c: Position) -> None:
    assert distance_m(a, c) <= distance_m(a, b) + distance_m(b, c) + 1e-6


def test_distance_from_shanghai_to_beijing() -> None:
    people_square, tiananmen = Position(121.4737, 31.2304), Position(116.3975, 39.9087)

    assert distance_m(people_square, tiananmen) == pytest.approx(1_067_000, rel=0.005)


@given(IN_TOWN, st.floats(-2_000, 2_000), st.floats(-2_000, 2_000))
def test_a_moved_point_lies_as_far_away_as_it_was_moved(
    at: Position, east_m: float, north_m: float
) -> None:
    moved = at.moved(east_m, north_m)

    assert distance_m(at, moved) == pytest.approx(math.hypot(east_m, north_m), rel=1e-3, abs=0.01)


@pytest.mark.parametrize(
    ("longitude", "latitude", "field"),
    [
        (180.1, 0, "longitude"),
        (-181, 0, "longitude"),
        (math.nan, 0, "longitude"),
        (math.inf, 0, "longitude"),
        (0, 90.1, "latitude"),
        (0, math.nan, "latitude"),
    ],
)
def test_a_position_off_the_earth_is_refused(longitude: float, latitude: float, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        Position(longitude, latitude)

    assert caught.value.field == field


def test_a_position_is_written_longitude_first() -> None:
    assert Position(121.5, 31.2).as_json() == [121.5, 31.2]


@given(POSITIONS, STEPS)
def test_every_point_lies_in_its_cell(at: Position, step_e6: int) -> None:
    box = GridCell.of(at, step_e6).box

    assert box.west - 1e-6 <= at.longitude <= box.east + 1e-6
    assert box.south - 1e-6 <= at.latitude <= box.north + 1e-6


@given(IN_TOWN, STEPS)
def test_a_cells_south_west_corner_is_its_own_and_its_north_east_corner_is_not(
    at: Position, step_e6: int
) -> None:
    cell = GridCell.of(at, step_e6)

    assert GridCell.of(Position(cell.box.west, cell.box.south), step_e6) == cell
    assert GridCell.of(Position(cell.box.east, cell.box.north), step_e6) == GridCell(
        cell.column + 1, cell.row + 1, step_e6
    )


def test_a_cell_has_a_code() -> None:
    assert GridCell.of(Position(121.4737, 31.2304)).code == "301473-121230"


def test_a_cell_without_a_side_is_refused() -> None:
    with pytest.raises(Invalid):
        GridCell.of(Position(0, 0), 0)


def test_a_box_is_read_from_its_query_text() -> None:
    box = BoundingBox.parse("121.4,31.1,121.6,31.3")

    assert box == BoundingBox(121.4, 31.1, 121.6, 31.3)
    assert box.contains(Position(121.4, 31.3))
    assert not box.contains(Position(121.39, 31.2))


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "2,0,1,1", "0,2,1,1", "nan,0,1,1", "0,0,181,1", "0,0,,1"],
)
def test_a_malformed_box_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        BoundingBox.parse(text, "bbox")

    assert caught.value.field == "bbox"


def test_a_district_has_a_name_in_each_language() -> None:
    district = District(DistrictCode("0153"), "滨江区", "Riverside")

    assert (district.name("zh"), district.name("en"), district.name("fr")) == (
        "滨江区",
        "Riverside",
        "Riverside",
    )


def test_a_district_with_a_code_that_no_key_can_carry_is_refused() -> None:
    with pytest.raises(Invalid):
        District(DistrictCode("{0153}"), "滨江区", "Riverside")
