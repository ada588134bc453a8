"""Sightings of plates become visits: one a vehicle, its text by votes of the frames."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from city.vehicles import PlateKind
from lpr.rules.reads import DEFAULT_BANDS, Band, PlateRead
from lpr.rules.sightings import Direction, Region, Sighting, TrackRules, Trend
from lpr.rules.tracking import Tracks, Visit, finish, step

RULES = TrackRules()


def read(text: str = "皖B12345", confidence: float = 0.99) -> PlateRead:
    return PlateRead(text, PlateKind.BLUE7, (confidence,) * len(text))


def sighting(
    at_s: float, x: float, y: float, width: float, what: PlateRead | None, region: str | None = None
) -> Sighting:
    half, tall = width / 2, width / 6
    corners = (
        (x - half, y - tall),
        (x + half, y - tall),
        (x + half, y + tall),
        (x - half, y + tall),
    )
    return Sighting(at_s, corners, what, round(at_s * 10), region)


def followed(frames: list[tuple[float, list[Sighting]]], rules: TrackRules = RULES) -> list[Visit]:
    tracks = Tracks()
    visits: list[Visit] = []
    for at_s, seen in frames:
        tracks, over = step(tracks, at_s, seen, rules, DEFAULT_BANDS)
        visits += over
    return [*visits, *finish(tracks, rules, DEFAULT_BANDS)]


def coming(
    text: str = "皖B12345", begin_s: float = 0.0, x: float = 300.0, frames: int = 20
) -> list[tuple[float, list[Sighting]]]:
    return [
        (begin_s + n / 10, [sighting(begin_s + n / 10, x, 100 + 10 * n, 60 + 4 * n, read(text))])
        for n in range(frames)
    ]


def test_many_frames_of_a_car_are_one_visit_that_comes_nearer() -> None:
    (visit,) = followed(coming())
    assert (visit.read.text, visit.band, visit.agreeing) == ("皖B12345", Band.ACCEPT, 20)
    assert visit.direction is Direction.APPROACHING
    assert (visit.first_s, visit.last_s) == (0.0, 1.9)


def test_a_car_that_drives_off_leaves() -> None:
    frames = [
        (n / 10, [sighting(n / 10, 300, 300 - 10 * n, 140 - 4 * n, read())]) for n in range(20)
    ]
    (visit,) = followed(frames)
    assert visit.direction is Direction.LEAVING


@pytest.mark.parametrize(("pace", "way"), [(15, Direction.RIGHT), (-15, Direction.LEFT)])
def test_a_car_that_passes_by_goes_aside(pace: float, way: Direction) -> None:
    frames = [(n / 10, [sighting(n / 10, 300 + pace * n, 200, 80, read())]) for n in range(20)]
    (visit,) = followed(frames)
    assert visit.direction is way


def test_a_single_read_is_never_accepted() -> None:
    (visit,) = followed([(0.0, [sighting(0, 300, 200, 80, read(confidence=0.999))])])
    assert visit.band is Band.REVIEW


def test_frames_that_do_not_agree_are_for_a_person() -> None:
    texts = ["皖B12345", "皖B12346", "皖B12347", "皖B12348"]
    frames = [
        (n / 10, [sighting(n / 10, 300, 200, 80, read(text))]) for n, text in enumerate(texts)
    ]
    (visit,) = followed(frames)
    assert visit.band is Band.REVIEW
    assert len(visit.others) == 3


def test_a_few_sure_frames_outvote_many_faint_ones() -> None:
    faint = [sighting(n / 10, 300, 200, 40, read("皖B12845", 0.5)) for n in range(5)]
    sure = [sighting(0.5 + n / 10, 300, 200, 80, read("皖B12345", 0.999)) for n in range(3)]
    (visit,) = followed([(each.at_s, [each]) for each in faint + sure])
    assert (visit.read.text, visit.band) == ("皖B12345", Band.ACCEPT)
    assert visit.others == (("皖B12845", 5),)


def test_a_car_that_stands_is_one_visit_however_many_walk_past_it() -> None:
    still = [(n / 2, [sighting(n / 2, 300, 200, 80, read())]) for n in range(40)]
    hidden: list[tuple[float, list[Sighting]]] = [(20 + n / 2, []) for n in range(100)]
    again = [(70 + n / 2, [sighting(70 + n / 2, 301, 200, 80, read())]) for n in range(10)]
    (visit,) = followed(still + hidden + again)
    assert visit.stood_s == pytest.approx(74.5)
    assert visit.direction is Direction.STANDING


def test_a_car_that_moved_and_is_not_seen_is_gone_soon() -> None:
    (first, second) = followed([*coming(), *coming(begin_s=10.0)])
    assert first.last_s == 1.9
    assert second.first_s == 10.0


def test_two_lanes_are_two_visits() -> None:
    pairs = zip(coming("皖B12345", x=200), coming("粤A98765", x=700), strict=True)
    visits = followed([(at_s, one + other) for (at_s, one), (_, other) in pairs])
    assert [visit.read.text for visit in visits] == ["皖B12345", "粤A98765"]


def test_a_tailgater_at_the_same_place_is_another_vehicle() -> None:
    visits = followed([*coming("皖B12345", frames=10), *coming("粤A98765", begin_s=1.0, frames=10)])
    assert [visit.read.text for visit in visits] == ["皖B12345", "粤A98765"]


def test_what_was_found_and_never_read_is_no_visit() -> None:
    assert followed([(n / 10, [sighting(n / 10, 300, 200, 80, None)]) for n in range(9)]) == []


def test_a_visit_is_in_the_region_where_it_was_most() -> None:
    frames = [
        (n / 10, [sighting(n / 10, 300, 200, 80, read(), "in" if n < 3 else "out")])
        for n in range(9)
    ]
    (visit,) = followed(frames)
    assert visit.region == "out"


def test_a_region_holds_what_lies_in_its_polygon() -> None:
    lane = Region("lane", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
    assert lane.holds((0.25, 0.5))
    assert not lane.holds((0.75, 0.5))


@pytest.mark.parametrize(
    "corners", [((0.0, 0.0), (1.0, 1.0)), ((0.0, 0.0), (2.0, 0.0), (0.0, 1.0))]
)
def test_a_region_that_is_none_is_refused(corners: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(Invalid):
        Region("lane", corners)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1000), st.floats(0, 600), st.floats(20, 300), st.sampled_from("ABC")
        ),
        max_size=25,
    )
)
@settings(max_examples=60)
def test_every_read_counts_in_exactly_one_visit(
    seen: list[tuple[float, float, float, str]],
) -> None:
    frames = [
        (n / 5, [sighting(n / 5, x, y, width, read(f"皖{letter}12345"))])
        for n, (x, y, width, letter) in enumerate(seen)
    ]
    visits = followed(frames)
    assert sum(visit.reads for visit in visits) == len(seen)
    assert len({visit.number for visit in visits}) == len(visits)
    assert all(0 < visit.share <= 1 for visit in visits)


@given(st.floats(-50, 50), st.floats(-20, 20), st.integers(2, 40))
@settings(max_examples=50)
def test_a_trend_finds_the_line_that_values_lie_on(begin: float, slope: float, count: int) -> None:
    trend = Trend()
    for n in range(count):
        trend = trend.taken(n / 10, begin + slope * n / 10)
    assert math.isclose(trend.change(2.0), 2 * slope, abs_tol=1e-5)
