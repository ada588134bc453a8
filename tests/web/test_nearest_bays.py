"""`GET /api/v1/bays/nearest`: ranked by the time from door to door, priced, with a chance."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import event

from city.identifiers import BayId, uuid7
from city.places import Position, distance_m
from city.street_files import streets_as_json
from city.streets import StreetClass, StreetLink, StreetNetwork, StreetNode
from parking.rules.finding.chance import WEEK_HOURS, Bin, Calibration, Rates
from parking.services.devices import NewDevice, record_devices
from parking.services.places import record_places
from parking.services.tariffs import publish_tariff
from parking.store import chances
from parking.store.chances import ChanceModel
from parking.store.places import Bay
from tests.web.small_site import BOSCH, EAST, NINE, TARIFF, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

NEAREST = "/api/v1/bays/nearest"
HOUR_S = 3600.0


def asked(site: Site, at: Position, **more: Any) -> list[dict[str, Any]]:
    answer = site.get(
        NEAREST, query_string={"longitude": at.longitude, "latitude": at.latitude, **more}
    )
    assert answer.status_code == 200, answer.get_json()
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def refused(site: Site, **more: Any) -> str:
    at = site.bays[0].position
    answer = site.get(
        NEAREST, query_string={"longitude": at.longitude, "latitude": at.latitude, **more}
    )
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    body: str = answer.get_data(as_text=True)
    return body


def free(site: Site, *keys: str) -> None:
    """Let bays be free, as far as anybody knows."""
    site.hear(*[site.message(key, occupied=False) for key in keys or (BOSCH,)])
    site.clock.advance(60)
    site.consume()


def another(site: Site, label: str, at: Position, kind: str = "standard") -> str:
    """Register a bay with a sensor that says free; give its id."""
    key = f"24e124fffe1{len(label):04d}{sum(label.encode()) % 1000:03d}"[:16].ljust(16, "0")
    bay = Bay(site.facility.id, EAST, label, kind, at, id=BayId(uuid7()))
    from city.people.actors import SYSTEM

    with site.wiring.database.unit_of_work() as uow:
        record_places(uow, [], [bay])
        record_devices(
            uow,
            SYSTEM,
            [NewDevice(key, "bosch-tps110", EAST, bay.id)],
            since_at=NINE - timedelta(days=1),
        )
    free(site, key)
    return str(bay.id)


def streets(site: Site, *points: tuple[float, float]) -> None:
    """Draw a street through points (metres from the first bay), both ways, 36 km/h."""
    home = site.bays[0].position
    nodes = [StreetNode(str(i), home.moved(*point)) for i, point in enumerate(points)]
    links = [
        StreetLink(
            f"{a.id}-{b.id}",
            a.id,
            b.id,
            (a.position, b.position),
            distance_m(a.position, b.position),
            StreetClass.LOCAL,
            1,
            36,
            "路",
            "Road",
        )
        for pair in itertools.pairwise(nodes)
        for a, b in (pair, pair[::-1])
    ]
    path = site.wiring.settings.streets_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(streets_as_json(StreetNetwork(nodes, links))))


def chance_model(site: Site, taken_per_h: float, calibration: Calibration | None = None) -> None:
    """Keep a model of the kerb and one of its district."""
    rates = Rates((taken_per_h / HOUR_S,) * WEEK_HOURS, (0.0,) * WEEK_HOURS)
    with site.wiring.database.unit_of_work() as uow:
        at = uow.clock.now()
        chances.keep(
            uow.connection,
            [
                ChanceModel(EAST, group, at, at, at, 100, rates, judged)
                for group, judged in ((site.facility.id, None), (None, calibration))
            ],
        )


def test_along_streets_a_bay_that_is_farther_as_the_crow_flies_can_come_first(site: Site) -> None:
    destination = site.bays[0].position.moved(100, 0)
    # The first bay lies 100 m away across a block: the street goes 400 m around.
    streets(site, (0, 0), (0, -150), (100, -150), (100, 0), (230, 0))
    free(site)
    farther = another(site, "B1", site.bays[0].position.moved(225, 0))
    first, second = asked(site, destination)
    assert (first["bay"]["id"], second["bay"]["id"]) == (farther, str(site.bays[0].id))
    assert first["basis"] == "streets"
    assert first["walk_m"] == pytest.approx(125, abs=2)
    assert second["walk_m"] == pytest.approx(400, abs=3)
    assert second["walk_s"] == pytest.approx(400 / 1.2, abs=3)
    assert first["door_to_door_s"] == first["walk_s"]
    assert (first["drive_s"], first["retrieval_s"]) == (None, 0)


def test_from_somewhere_the_drive_counts_as_well(site: Site) -> None:
    streets(site, (-1200, 0), (0, 0), (300, 0))
    free(site)
    start = site.bays[0].position.moved(-1200, 0)
    (found,) = asked(
        site,
        site.bays[0].position.moved(120, 0),
        from_longitude=start.longitude,
        from_latitude=start.latitude,
    )
    # 1 200 m at 36 km/h take 120 s, and 0.6 of that speed is driven.
    assert found["drive_s"] == pytest.approx(200, abs=2)
    assert found["walk_s"] == pytest.approx(100, abs=2)
    assert found["door_to_door_s"] == pytest.approx(300, abs=3)
    arrive_at = datetime.fromisoformat(found["arrive_at"])
    assert (arrive_at - site.clock.now()).total_seconds() == pytest.approx(200, abs=3)


def test_the_stay_is_priced_as_a_quote_prices_it(site: Site) -> None:
    free(site)
    enter_at, leave_at = "2026-03-02T12:00:00+08:00", "2026-03-02T14:10:00+08:00"
    (found,) = asked(site, site.bays[0].position, arrive_at=enter_at, leave_at=leave_at)
    quote = site.post(
        "/api/v1/quotes",
        json={
            "facility_id": str(site.facility.id),
            "enter_at": enter_at,
            "leave_at": leave_at,
        },
    ).get_json()
    assert found["price_total"] == quote["total"] == {"minor": 1500, "currency": "CNY"}
    assert found["price_per_hour"] == {"minor": 600, "currency": "CNY"}


def test_each_arrival_is_priced_by_the_version_in_force_then(site: Site) -> None:
    free(site)
    turn = NINE + timedelta(hours=3)
    dearer = orjson.loads(orjson.dumps(TARIFF).replace(b'"price_minor":300', b'"price_minor":400'))
    # Priced before the change is announced: what was known then is forgotten with it.
    (found,) = asked(site, site.bays[0].position, arrive_at=turn.isoformat())
    assert found["price_per_hour"]["minor"] == 600
    with site.wiring.database.unit_of_work() as uow:
        publish_tariff(uow, "riverside", dearer, valid_from=turn, by="test")
    prices = []
    # Before, after and before again: what is known of one instant is not told of another.
    for minutes in (-1, 0, 30, -1):
        arrive_at = turn + timedelta(minutes=minutes)
        (found,) = asked(site, site.bays[0].position, arrive_at=arrive_at.isoformat())
        prices.append(found["price_per_hour"]["minor"])
    assert prices == [600, 800, 800, 600]


@pytest.mark.parametrize("latitude", [-90.0, 85.06, 90.0])
def test_at_the_poles_there_is_nothing_to_find(site: Site, latitude: float) -> None:
    free(site)
    assert asked(site, Position(-180.0, latitude), walk_at_most_m=10) == []


def test_without_an_end_only_the_hour_is_priced(site: Site) -> None:
    free(site)
    (found,) = asked(site, site.bays[0].position)
    assert found["price_total"] is None
    assert found["price_per_hour"] == {"minor": 600, "currency": "CNY"}


def test_the_chance_falls_with_the_time_until_arrival(site: Site) -> None:
    chance_model(site, taken_per_h=1.0)
    free(site)
    at = site.bays[0].position
    now = site.clock.now()
    later = (now + timedelta(minutes=30)).isoformat()
    (soon,), (late,) = asked(site, at), asked(site, at, arrive_at=later)
    assert soon["chance_free"] == pytest.approx(soon["bay"]["sure"] / 1000, abs=0.001)
    assert late["chance_free"] == pytest.approx(soon["chance_free"] * 0.6065, abs=0.01)


def test_the_chance_is_corrected_by_how_chances_turned_out(site: Site) -> None:
    bins = tuple(Bin(10_000, (i + 0.5) / 10, (i + 0.5) / 20) for i in range(10))
    chance_model(site, 1.0, Calibration(100_000, 0.1, 0.2, bins))
    free(site)
    later = (site.clock.now() + timedelta(minutes=30)).isoformat()
    (found,) = asked(site, site.bays[0].position, arrive_at=later)
    assert found["chance_free"] == pytest.approx(0.3, abs=0.02)


def test_a_group_of_which_nothing_is_known_has_no_chance(site: Site) -> None:
    free(site)
    (found,) = asked(site, site.bays[0].position)
    assert found["chance_free"] is None


def test_bays_are_for_the_vehicles_that_fit(site: Site) -> None:
    free(site)
    home = site.bays[0].position
    charging = another(site, "C1", home.moved(30, 0), "charging")
    coach = another(site, "D22", home.moved(60, 0), "coach")
    another(site, "E333", home.moved(90, 0), "disabled")
    small = [each["bay"]["id"] for each in asked(site, home)]
    assert small == [str(site.bays[0].id)]
    electric = [each["bay"]["id"] for each in asked(site, home, energy="new")]
    assert electric == [str(site.bays[0].id), charging]
    assert [each["bay"]["id"] for each in asked(site, home, vehicle="large")] == [coach]
    assert asked(site, home, vehicle="motorcycle") == []


def test_each_answer_tells_its_age_and_how_to_get_there(site: Site) -> None:
    free(site)
    site.clock.advance(30)
    (found,) = asked(site, site.bays[0].position)
    assert found["data_age_s"] == 90
    # The list stands, its ages do not.
    site.clock.advance(7)
    assert asked(site, site.bays[0].position) == [{**found, "data_age_s": 97}]
    assert set(found["navigation"]) == {"amap", "baidu", "apple", "google"}
    assert found["navigation"]["amap"].startswith("https://uri.amap.com/navigation?to=120.10")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"arrive_at": "2026-03-02T08:00:00+08:00"}, "arrive_at"),
        ({"arrive_at": "2026-04-02T08:00:00+08:00"}, "arrive_at"),
        ({"arrive_at": "soon"}, "arrive_at"),
        ({"arrive_at": "2026-03-02T12:00:00"}, "arrive_at"),
        ({"leave_at": "2026-03-02T08:59:00+08:00"}, "leave_at"),
        ({"leave_at": "2026-05-02T08:59:00+08:00"}, "leave_at"),
        ({"from_longitude": "120.1"}, "from_latitude"),
        ({"from_latitude": "30.1"}, "from_longitude"),
        ({"from_latitude": "91", "from_longitude": "0"}, "from_latitude"),
        ({"vehicle": "bus"}, "vehicle"),
        ({"energy": "steam"}, "energy"),
        ({"radius_m": "9"}, "radius_m"),
        ({"limit": "51"}, "limit"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    shared_site: Site, more: dict[str, str], named: str
) -> None:
    assert named in refused(shared_site, **more)


def counted(site: Site) -> AbstractContextManager[list[str]]:
    """Count the statements that the application sends."""
    from contextlib import contextmanager

    @contextmanager
    def listening() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(*parts: Any) -> None:
            sent.append(parts[2])

        engine = site.wiring.database.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return listening()


def test_ten_bays_cost_no_more_statements_than_one(site: Site) -> None:
    free(site)
    home = site.bays[0].position
    leave_at = (site.clock.now() + timedelta(hours=2)).isoformat()
    with counted(site) as one:
        asked(site, home, leave_at=leave_at)
    for number in range(9):
        another(site, "F" * (number + 4), home.moved(8 * number + 40, 0))
    site.clock.advance(61)
    with counted(site) as ten:
        assert len(asked(site, home, leave_at=leave_at)) == 10
    assert len(ten) <= len(one) + 2
