"""What a driver may ask of `GET /api/v1/bays/nearest` beside the place, and places by name."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from city.identifiers import JunctionId, uuid7
from city.people.actors import SYSTEM
from city.places import distance_m
from city.street_files import streets_as_json
from city.streets import StreetClass, StreetLink, StreetNetwork, StreetNode
from parking.rules.finding.street_places import folded, rank
from parking.rules.places.model import Limits
from parking.rules.places.times import read_spans
from parking.rules.places.usage import read_rules
from parking.services.devices import NewDevice, record_devices
from parking.services.places import record_places
from parking.store.places import Bay, Facility
from tests.web.small_site import EAST, NINE, Site, facility
from tests.web.test_nearest_bays import another, asked, free, refused

if TYPE_CHECKING:
    from city.places import Position

WEEKDAYS = ["mo", "tu", "we", "th", "fr"]


def place(site: Site, code: str, at: Position, bays: int = 1, **more: Any) -> Facility:
    """Register a facility with free bays, 6 m apart."""
    home = replace(facility(code, EAST, more.pop("tariff_id", None)), position=at, **more)
    made = [
        Bay(home.id, EAST, f"{code}-{n + 1:02d}", "standard", at.moved(6 * n, 0))
        for n in range(bays)
    ]
    keys = [f"24e124ff{zlib.crc32(code.encode()) % 10**6:06d}{n:02d}" for n in range(bays)]
    with site.wiring.database.unit_of_work() as uow:
        record_places(uow, [home], made)
        record_devices(
            uow,
            SYSTEM,
            [
                NewDevice(key, "bosch-tps110", EAST, bay.id)
                for key, bay in zip(keys, made, strict=True)
            ],
            since_at=NINE - timedelta(days=1),
        )
    free(site, *keys)
    return home


def codes(found: list[dict[str, Any]]) -> list[str]:
    return [each["facility_code"] for each in found]


def test_one_bay_of_each_facility_leaves_room_for_the_others(site: Site) -> None:
    at = site.bays[0].position.moved(2_000, 0)
    place(site, "NEAR", at.moved(20, 0), bays=4)
    place(site, "FAR", at.moved(200, 0))
    assert codes(asked(site, at, limit=2)) == ["NEAR", "NEAR"]
    assert codes(asked(site, at, limit=2, per_facility=1)) == ["NEAR", "FAR"]


def test_a_car_too_high_for_a_garage_is_not_sent_there(site: Site) -> None:
    at = site.bays[0].position.moved(2_000, 0)
    place(site, "LOW", at.moved(20, 0), limits=Limits(max_height_m=2.0))
    place(site, "OPEN", at.moved(60, 0))
    assert codes(asked(site, at, height_m=2.0)) == ["LOW", "OPEN"]
    assert codes(asked(site, at, height_m=2.1)) == ["OPEN"]
    low, unstated = asked(site, at)
    assert low["restrictions"]["limits"]["max_height_m"] == 2.0
    assert unstated["restrictions"]["limits"]["max_height_m"] is None


def test_a_walk_that_is_too_long_is_left_out_however_near_the_crow_flies(site: Site) -> None:
    at = site.bays[0].position.moved(2_000, 0)
    place(site, "A", at.moved(100, 0))
    place(site, "B", at.moved(300, 0))
    # No streets are known: straight lines with a detour of 1.3.
    assert codes(asked(site, at, walk_at_most_m=131)) == ["A"]
    assert codes(asked(site, at, walk_at_most_m=129)) == []


def test_above_a_ceiling_of_the_price_nothing_is_offered_nor_where_none_is_known(
    site: Site,
) -> None:
    at = site.bays[0].position
    free(site)
    place(site, "UNPRICED", at.moved(30, 0))
    leave_at = (site.clock.now() + timedelta(hours=2)).isoformat()
    assert len(asked(site, at, leave_at=leave_at)) == 2
    (found,) = asked(site, at, leave_at=leave_at, price_at_most_minor=1200)
    assert found["price_total"] == {"minor": 1200, "currency": "CNY"}
    assert asked(site, at, leave_at=leave_at, price_at_most_minor=1199) == []
    (hourly,) = asked(site, at, price_at_most_minor=600)
    assert hourly["price_per_hour"]["minor"] == 600


def test_bays_for_disabled_drivers_are_offered_to_who_asks_for_them_alone(site: Site) -> None:
    free(site)
    home = site.bays[0].position
    disabled = another(site, "E333", home.moved(30, 0), "disabled")
    charging = another(site, "C1", home.moved(60, 0), "charging")
    assert [each["bay"]["id"] for each in asked(site, home, only="disabled")] == [disabled]
    assert [each["bay"]["id"] for each in asked(site, home, only="charging", energy="new")] == [
        charging
    ]
    assert "energy" in refused(site, only="charging")


def test_what_ends_a_stay_is_told_with_the_bay(site: Site) -> None:
    at = site.bays[0].position.moved(2_000, 0)
    hours = read_spans([{"times": [["08:00", "11:30"]]}], "opening")
    cleaning = read_rules(
        [
            {
                "activity": "no_parking",
                "reason": "street cleaning",
                "when": [{"days": [*WEEKDAYS], "times": [["10:00", "12:00"]]}],
            },
            {"activity": "parking", "max_stay_min": 90},
        ]
    )
    place(site, "CLOSES", at.moved(20, 0), opening=hours)
    place(site, "CLEANED", at.moved(60, 0), rules=cleaning)
    place(site, "ALWAYS", at.moved(90, 0))
    leave_at = (site.clock.now() + timedelta(hours=3)).isoformat()
    closes, cleaned, always = (each["restrictions"] for each in asked(site, at, leave_at=leave_at))
    assert (closes["why"], closes["ends_at"]) == ("closes", "2026-03-02T03:30:00Z")
    assert (cleaned["why"], cleaned["ends_at"]) == ("rule", "2026-03-02T02:00:00Z")
    assert (cleaned["reason"], cleaned["max_stay_min"]) == ("street cleaning", 90)
    assert (always["why"], always["ends_at"], always["max_stay_min"]) == (None, None, None)
    short = (site.clock.now() + timedelta(minutes=30)).isoformat()
    assert [each["restrictions"]["ends_at"] for each in asked(site, at, leave_at=short)] == [
        None
    ] * 3


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"only": "coach"}, "only"),
        ({"height_m": "0"}, "height_m"),
        ({"height_m": "nan"}, "height_m"),
        ({"walk_at_most_m": "9"}, "walk_at_most_m"),
        ({"price_at_most_minor": "-1"}, "price_at_most_minor"),
        ({"per_facility": "0"}, "per_facility"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused_by_name(
    shared_site: Site, more: dict[str, str], named: str
) -> None:
    assert named in refused(shared_site, **more)


def named(site: Site, words: str, who: str = "driver") -> list[tuple[str, str]]:
    answer = site.get("/api/v1/places", who, query_string={"name": words})
    assert answer.status_code == 200, answer.get_json()
    return [(each["kind"], each["name"]["en"]) for each in answer.get_json()["items"]]


def crossing(site: Site) -> None:
    """Draw two streets that cross at a signalled junction, and one of the same name elsewhere."""
    home = site.bays[0].position
    spots = {
        "w": (-200, 0), "x": (0, 0), "e": (200, 0), "s": (0, -200), "n": (0, 200),
        "p": (5_000, 0), "q": (5_300, 0),
    }  # fmt: skip
    nodes = {
        name: StreetNode(name, home.moved(*spot), JunctionId(uuid7()) if name == "x" else None)
        for name, spot in spots.items()
    }
    ways = [
        ("w", "x", "钟楼街", "Bell Tower Street"), ("x", "e", "钟楼街", "Bell Tower Street"),
        ("s", "x", "人民路", "Renmin Road"), ("x", "n", "人民路", "Renmin Road"),
        ("p", "q", "人民路", "Renmin Road"),
    ]  # fmt: skip
    links = [
        StreetLink(
            f"{a}-{b}",
            a,
            b,
            (nodes[a].position, nodes[b].position),
            distance_m(nodes[a].position, nodes[b].position),
            StreetClass.LOCAL,
            1,
            36,
            zh,
            en,
        )
        for a, b, zh, en in ways
    ]
    path = site.wiring.settings.streets_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(streets_as_json(StreetNetwork(nodes.values(), links))))


def test_places_are_found_by_part_of_either_name_the_best_match_first(site: Site) -> None:
    crossing(site)
    at = site.bays[0].position
    place(site, "G1", at, name_zh="钟楼停车库", name_en="Bell Tower Garage")
    assert named(site, "bell tower") == [
        ("street", "Bell Tower Street"),
        ("facility", "Bell Tower Garage"),
        ("junction", "Bell Tower Street / Renmin Road"),
        ("street", "Renmin Road (near Bell Tower Street)"),
    ]
    assert named(site, "钟楼街")[0] == ("street", "Bell Tower Street")
    assert named(site, "BELLTOWERstr")[0] == ("street", "Bell Tower Street")
    assert named(site, "g1") == [("facility", "Bell Tower Garage")]
    assert named(site, "100%") == []


def test_one_name_in_two_parts_of_a_city_is_two_streets(site: Site) -> None:
    crossing(site)
    found = {each for each in named(site, "renmin") if each[0] == "street"}
    assert found == {
        ("street", "Renmin Road (near Bell Tower Street)"),
        ("street", "Renmin Road"),
    }


def test_the_kerbs_of_a_street_do_not_hide_the_street_and_its_junctions(site: Site) -> None:
    crossing(site)
    for number in range(6):
        at = site.bays[0].position.moved(9_000 + 60 * number, 0)
        name: dict[str, Any] = {"name_zh": f"钟楼街{number}段", "name_en": f"Bell Tower {number}"}
        place(site, f"K{number}", at, **name)
    answer = site.get("/api/v1/places", "driver", query_string={"name": "bell tower", "limit": 4})
    kinds = [each["kind"] for each in answer.get_json()["items"]]
    assert sorted(kinds) == ["facility", "facility", "junction", "street"]


def test_who_has_no_account_finds_facilities_by_name(site: Site) -> None:
    at = site.bays[0].position
    place(site, "G1", at, name_zh="钟楼停车库", name_en="Bell Tower Garage")
    assert site.get("/api/v1/places", query_string={"name": "bell"}).status_code == 401
    answer = site.get("/api/v1/facilities", query_string={"name": "bell"}).get_json()
    assert [each["code"] for each in answer["items"]] == ["G1"]
    assert answer["next"] is None


@pytest.mark.parametrize("path", ["/api/v1/places", "/api/v1/facilities"])
@pytest.mark.parametrize("words", ["", " ", "x" * 61])
def test_words_that_name_nothing_are_refused(shared_site: Site, path: str, words: str) -> None:
    answer = shared_site.get(path, "driver", query_string={"name": words})
    assert answer.status_code == 422
    assert "name" in answer.get_data(as_text=True)


def test_a_name_cannot_go_with_a_cursor(site: Site) -> None:
    query = {"name": "bell", "district": "0153"}
    assert site.get("/api/v1/facilities", query_string=query).status_code == 422


def test_a_whole_name_ranks_before_its_beginning_and_that_before_its_middle() -> None:
    wanted = folded("Ren Min")
    assert rank(wanted, "人民", "Renmin") == 0
    assert rank(wanted, "人民路", "Renmin Road") == 1
    assert rank(wanted, "新人民路", "New Renmin Road") == 2
    assert rank(wanted, "中山路", "Zhongshan Road") is None
