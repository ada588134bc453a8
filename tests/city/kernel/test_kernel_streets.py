import itertools
import json
import math
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from city.errors import Invalid, NotFound
from city.identifiers import JunctionId
from city.places import Position, distance_m
from city.street_files import streets_as_geojson, streets_as_json, streets_from_json
from city.streets import StreetClass, StreetLink, StreetNetwork, StreetNode

ORIGIN = Position(120.1, 30.2)
JUNCTION = JunctionId(UUID("01900000-0000-7000-8000-000000000001"))


def node(
    name: str, east_m: float, north_m: float, junction: JunctionId | None = None
) -> StreetNode:
    return StreetNode(name, ORIGIN.moved(east_m, north_m), junction)


def link(
    start: StreetNode,
    end: StreetNode,
    *via: Position,
    speed_kph: float = 36,
    name: str | None = None,
    length_m: float | None = None,
) -> StreetLink:
    geometry = (start.position, *via, end.position)
    drawn_m = sum(distance_m(a, b) for a, b in itertools.pairwise(geometry))
    return StreetLink(
        id=name or f"{start.id}-{end.id}",
        start=start.id,
        end=end.id,
        geometry=geometry,
        length_m=length_m or drawn_m,
        street_class=StreetClass.LOCAL,
        lanes=1,
        speed_kph=speed_kph,
        name_zh="江滨路",
        name_en="Jiangbin Road",
    )


A, B, C, D = node("a", 0, 0), node("b", 600, 0, JUNCTION), node("c", 600, 600), node("d", 0, 600)


def square() -> StreetNetwork:
    """Build a one-way square a-b-c-d-a with a fast diagonal both ways between a and c."""
    return StreetNetwork(
        [A, B, C, D],
        [link(A, B), link(B, C), link(C, D), link(D, A), link(A, C, speed_kph=72), link(C, A)],
    )


@st.composite
def networks(draw: st.DrawFn) -> StreetNetwork:
    places = draw(
        st.lists(
            st.tuples(st.integers(-2_000, 2_000), st.integers(-2_000, 2_000)),
            min_size=2,
            max_size=9,
            unique=True,
        )
    )
    nodes = [node(f"n{number}", *place) for number, place in enumerate(places)]
    pairs = draw(
        st.lists(
            st.tuples(st.sampled_from(nodes), st.sampled_from(nodes)).filter(
                lambda pair: pair[0] != pair[1]
            ),
            min_size=1,
            max_size=20,
            unique_by=lambda pair: (pair[0].id, pair[1].id),
        )
    )
    links = [link(a, b, speed_kph=draw(st.integers(10, 80))) for a, b in pairs]
    return StreetNetwork(nodes, links)


# --- routes


def test_the_fastest_way_is_not_the_shortest_number_of_links_but_the_least_time() -> None:
    route = square().route("a", "d")

    assert [step.id for step in route.links] == ["a-c", "c-d"]
    assert route.travel_time_s == pytest.approx(848.53 / 20 + 60, abs=0.1)
    assert route.length_m == pytest.approx(1448.5, abs=1)


def test_a_way_to_where_one_is_takes_no_link() -> None:
    assert square().route("a", "a").links == ()


def test_one_way_streets_are_driven_one_way() -> None:
    assert [step.id for step in square().route("b", "a").links] == ["b-c", "c-a"]


def test_a_place_that_cannot_be_reached_is_said_not_to_be() -> None:
    network = StreetNetwork([A, B], [link(A, B)])

    with pytest.raises(NotFound):
        network.route("b", "a")
    with pytest.raises(NotFound):
        network.route("a", "nowhere")


def _least_time_s(network: StreetNetwork, start: str, end: str) -> float:
    """Bellman-Ford: relax all links as often as there are nodes."""
    best_s = {start: 0.0}
    for _ in network.nodes:
        for step in network.links.values():
            reached_s = best_s.get(step.start, math.inf) + step.travel_time_s
            best_s[step.end] = min(best_s.get(step.end, math.inf), reached_s)
    return best_s.get(end, math.inf)


@settings(max_examples=60)
@given(networks())
def test_no_way_is_faster_than_the_route(network: StreetNetwork) -> None:
    for start, end in itertools.product(list(network.nodes)[:3], repeat=2):
        least_s = _least_time_s(network, start, end)
        if math.isinf(least_s):
            with pytest.raises(NotFound):
                network.route(start, end)
            continue
        route = network.route(start, end)
        assert route.travel_time_s == pytest.approx(least_s)
        ends = [start, *(step.end for step in route.links)]
        assert [step.start for step in route.links] == ends[:-1]
        assert ends[-1] == end


# --- nearest


def test_the_nearest_link_is_given_with_the_foot_of_the_perpendicular() -> None:
    found = square().nearest(ORIGIN.moved(200, -30))

    assert found is not None
    assert found.link.id == "a-b"
    assert found.distance_m == pytest.approx(30, abs=0.1)
    assert found.offset_m == pytest.approx(200, abs=0.5)
    assert distance_m(found.position, ORIGIN.moved(200, 0)) < 0.5


def test_nothing_is_near_beyond_the_distance_asked_for_nor_in_an_empty_network() -> None:
    assert square().nearest(ORIGIN.moved(200, -30), within_m=29) is None
    assert StreetNetwork([A], []).nearest(ORIGIN) is None


def test_the_nearest_link_is_found_from_the_other_side_of_the_earth() -> None:
    assert square().nearest(Position(-60.0, -30.0)) is not None


def _distance_m(step: StreetLink, at: Position) -> float:
    """By brute force: the least of 2 001 points along the link."""
    return min(distance_m(step.point(step.length_m * n / 2_000), at) for n in range(2_001))


@settings(max_examples=25, deadline=None)
@given(networks(), st.integers(-4_000, 4_000), st.integers(-4_000, 4_000))
def test_no_link_is_nearer_than_the_nearest(
    network: StreetNetwork, east_m: int, north_m: int
) -> None:
    at = ORIGIN.moved(east_m, north_m)
    found = network.nearest(at)
    least_m = min(_distance_m(step, at) for step in network.links.values())

    assert found is not None
    assert found.distance_m == pytest.approx(least_m, rel=0.002, abs=3)
    assert distance_m(found.link.point(found.offset_m), found.position) < 3


# --- links


def test_a_point_of_a_link_is_found_along_its_bends() -> None:
    bent = link(A, C, B.position)

    assert distance_m(bent.point(600), B.position) < 1
    assert distance_m(bent.point(900), ORIGIN.moved(600, 300)) < 1
    assert bent.point(-5) == A.position
    assert bent.point(5_000) == C.position


def test_a_link_takes_its_length_at_its_speed() -> None:
    assert link(A, B, length_m=600, speed_kph=36).travel_time_s == 60


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"geometry": []}, "geometry"),
        ({"length_m": 0}, "length_m"),
        ({"length_m": float("nan")}, "length_m"),
        ({"lanes": 0}, "lanes"),
        ({"lanes": 13}, "lanes"),
        ({"speed_kph": 0}, "speed_kph"),
        ({"speed_kph": 200}, "speed_kph"),
        ({"street_class": "motorway"}, "links.0.street_class"),
        ({"start": "z"}, "links.a-b"),
        ({"end": "c"}, "links.a-b"),
        ({"lanes": "two"}, "links.0.lanes"),
        ({"colour": "red"}, "links.0.colour"),
        ({"geometry": [[0, 0, 0]]}, "links.0.geometry.0"),
    ],
)
def test_a_malformed_link_is_refused_by_its_member(
    change: dict[str, JsonValue], field: str
) -> None:
    document = json.loads(json.dumps(streets_as_json(square())))
    document["links"][0].update(change)

    with pytest.raises(Invalid) as caught:
        streets_from_json(document)

    assert caught.value.field is not None
    assert caught.value.field.startswith(field)


def test_an_identifier_is_given_once() -> None:
    with pytest.raises(Invalid, match="twice"):
        StreetNetwork([A, A], [])
    with pytest.raises(Invalid, match="twice"):
        StreetNetwork([A, B], [link(A, B), link(A, B)])


# --- files


@given(networks())
def test_a_network_comes_back_from_its_document(network: StreetNetwork) -> None:
    text = json.dumps(streets_as_json(network))

    assert streets_from_json(json.loads(text)) == network


def test_junctions_come_back_from_the_document() -> None:
    network = streets_from_json(streets_as_json(square()))

    assert network.junctions() == {JUNCTION: B}
    assert [step.id for step in network.leaving("a")] == ["a-b", "a-c"]


def test_the_base_map_draws_a_two_way_street_once_with_the_lanes_of_both() -> None:
    features = streets_as_geojson(square())["features"]
    assert isinstance(features, list)
    drawn = {
        feature["properties"]["id"]: feature["properties"]
        for feature in features
        if isinstance(feature, dict) and isinstance(feature["properties"], dict)
    }

    assert sorted(map(str, drawn)) == ["a-b", "a-c", "b", "b-c", "c-d", "d-a"]
    assert (drawn["a-c"]["oneway"], drawn["a-c"]["lanes"]) == (False, 2)
    assert (drawn["a-b"]["oneway"], drawn["a-b"]["lanes"]) == (True, 1)
    assert drawn["b"]["junction_id"] == str(JUNCTION)


def test_the_outline_of_a_network_holds_all_of_it() -> None:
    box = square().box()

    assert all(box.contains(place.position) for place in (A, B, C, D))
    with pytest.raises(Invalid):
        StreetNetwork([], []).box()
