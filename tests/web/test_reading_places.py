"""What everybody may read of facilities and bays, and what staff see behind a bay's state."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from city.identifiers import BayId, FacilityId, uuid7
from parking.known_places import KnownPlaces
from parking.services.places import record_places
from parking.store.places import Bay
from tests.waiting import eventually
from tests.web.small_site import BOSCH, EAST, NINE, Site, facility
from web.fresh import Answers

if TYPE_CHECKING:
    from collections.abc import Iterator

FACILITIES = "/api/v1/facilities"


def occupy(site: Site, *, occupied: bool = True) -> None:
    site.hear(site.message(occupied=occupied))
    site.clock.advance(60)
    site.consume()


def test_facilities_tell_their_counts_age_and_quality(site: Site) -> None:
    occupy(site)
    listed = site.get(FACILITIES).get_json()["items"]
    (kerb,) = [each for each in listed if each["code"] == "RV-1"]
    assert kerb["counts"] == {"free": 0, "occupied": 1, "unknown": 3, "total": 4}
    assert (kerb["quality"], kerb["heard_at"], kerb["data_age_s"]) == (
        250,
        "2026-03-02T01:00:00Z",
        60,
    )
    assert (kerb["name"], kerb["tariff"]) == ({"zh": "滨江路", "en": "Riverside Road"}, "riverside")
    # How one leaves is told of a facility that is looked at, not of each on a list.
    leaving = {"exit": {"grace_s": 0, "mode": "leave-first"}}
    assert kerb | leaving == site.get(f"{FACILITIES}/{kerb['id']}").get_json()


def test_a_facility_that_nobody_heard_of_counts_all_its_bays_unknown(site: Site) -> None:
    found = site.get(f"{FACILITIES}/{site.facility.id}").get_json()
    assert found["counts"] == {"free": 0, "occupied": 0, "unknown": 4, "total": 4}
    assert (found["heard_at"], found["data_age_s"], found["quality"]) == (None, None, 0)


def pages(site: Site, path: str, limit: int) -> Iterator[list[Any]]:
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = site.get(f"{path}?limit={limit}{more}").get_json()
        yield page["items"]
        cursor = page["next"]


def test_lists_page_by_cursor_to_their_end(site: Site) -> None:
    path = f"{FACILITIES}/{site.facility.id}/bays"
    assert [[bay["label"] for bay in page] for page in pages(site, path, 3)] == [
        ["A0", "A1", "A2"],
        ["A3"],
    ]
    assert [len(page) for page in pages(site, FACILITIES, 1)] == [1, 1]


def test_facilities_of_one_district(site: Site) -> None:
    codes = [each["code"] for each in site.get(f"{FACILITIES}?district=0154").get_json()["items"]]
    assert codes == ["WE-1"]


def test_an_answer_that_is_known_already_is_not_sent_again(site: Site) -> None:
    path = f"{FACILITIES}/{site.facility.id}/bays"
    first = site.get(path)
    assert first.headers["Cache-Control"] == "public, max-age=2"
    again = site.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    occupy(site)
    changed = site.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.headers["ETag"] != first.headers["ETag"]) == (200, True)


def test_an_answer_is_given_again_for_a_moment_without_asking(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring = site.wiring
    site.app.extensions["answers"] = Answers(wiring.live_store, wiring.places, sure_s=0.3)
    first = site.get(FACILITIES)
    with monkeypatch.context() as without_store:
        without_store.setattr(wiring.live_store, "marks", lambda _: pytest.fail("asked"))
        assert site.get(FACILITIES).data == first.data
    occupy(site)
    assert eventually(lambda: site.get(FACILITIES).data != first.data)


def test_the_age_alone_makes_no_new_answer(site: Site) -> None:
    occupy(site)
    first = site.get(FACILITIES)
    assert first.headers["ETag"].startswith('W/"')
    site.clock.advance(5)
    kept = {"If-None-Match": f'"other", {first.headers["ETag"]}'}
    assert site.get(FACILITIES, headers=kept).status_code == 304


def test_the_nearest_free_bay_comes_first_with_walk_and_price(site: Site) -> None:
    occupy(site, occupied=False)
    at = site.bays[0].position.moved(100, 0)
    near = f"/api/v1/bays/nearest?longitude={at.longitude}&latitude={at.latitude}"
    (found,) = site.get(near).get_json()["items"]
    assert found["bay"]["id"] == str(site.bays[0].id)
    assert 99 <= found["distance_m"] <= 101
    assert found["walk_s"] == round(found["distance_m"] * 1.3 / 1.2)
    assert found["price_per_hour"] == {"minor": 600, "currency": "CNY"}
    assert site.get(f"{near}&radius_m=50").get_json()["items"] == []


def test_taken_and_unknown_bays_are_never_offered(site: Site) -> None:
    at = site.bays[0].position
    near = f"/api/v1/bays/nearest?longitude={at.longitude}&latitude={at.latitude}&radius_m=5000"
    assert site.get(near).get_json()["items"] == []
    occupy(site)
    assert site.get(near).get_json()["items"] == []


def test_a_quote_explains_itself(site: Site) -> None:
    body = {
        "facility_id": str(site.facility.id),
        "enter_at": "2026-03-02T09:00:00+08:00",
        "leave_at": "2026-03-02T10:31:00+08:00",
    }
    found = site.post("/api/v1/quotes", json=body).get_json()
    assert (found["total"], found["tariff"]) == ({"minor": 1200, "currency": "CNY"}, "riverside")
    assert sum(line["amount"]["minor"] for line in found["lines"]) == 1200


def test_a_quote_where_no_tariff_is_in_force_is_not_found(site: Site) -> None:
    body = {
        "facility_id": str(site.west.id),
        "enter_at": "2026-03-02T09:00:00+08:00",
        "leave_at": "2026-03-02T10:31:00+08:00",
    }
    assert site.post("/api/v1/quotes", json=body).status_code == 404


def test_evidence_shows_the_sensor_and_its_raw_frames(site: Site) -> None:
    occupy(site)
    found = site.get(f"/api/v1/bays/{site.bays[0].id}/evidence", "engineer").get_json()
    assert found["bay"]["state"] == "occupied"
    (device,) = found["devices"]
    assert (device["network_key"], device["model"]) == (BOSCH, "bosch-tps110")
    (frame,) = found["frames"]
    assert (frame["frame_hex"], frame["port"], frame["verdict"]) == ("01", 1, "ok")
    assert frame["observations"][0]["occupied"] is True


def test_a_facility_that_is_registered_is_seen_at_once(site: Site) -> None:
    assert len(site.get(FACILITIES).get_json()["items"]) == 2
    fresh = facility("RV-2", EAST, None)
    with site.wiring.database.unit_of_work() as uow:
        bay = Bay(fresh.id, EAST, "B0", "standard", fresh.position, id=BayId(uuid7()))
        record_places(uow, [fresh], [bay])
    listed = {
        each["code"]: each["counts"]["total"] for each in site.get(FACILITIES).get_json()["items"]
    }
    assert listed == {"RV-1": 4, "WE-1": 1, "RV-2": 1}


@contextmanager
def statements_of(site: Site) -> Iterator[list[str]]:
    """Note the statements sent meanwhile, but for looks at the registry's version."""
    noted: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "registry_version" not in statement:
            noted.append(statement)

    event.listen(site.wiring.database.engine, "before_cursor_execute", note)
    yield noted
    event.remove(site.wiring.database.engine, "before_cursor_execute", note)


def test_places_are_asked_for_once_and_states_every_time(site: Site) -> None:
    places = KnownPlaces(site.wiring.database, refresh_s=60)
    with statements_of(site) as statements:
        for _ in range(3):
            page = places.bays_of(site.facility.id)
            assert len(page.items) == 4
            assert set(places.bays([page.items[0].id])) == {page.items[0].id}
            assert places.bay_counts([site.facility.id]) == {site.facility.id: 4}
    assert len(statements) == 3


def test_many_facilities_are_asked_for_in_one_statement_and_the_new_ones_alone(
    site: Site,
) -> None:
    places = KnownPlaces(site.wiring.database, refresh_s=60)
    every = [each.id for each in places.facilities().items]
    assert len(every) == 2
    with statements_of(site) as statements:
        assert set(places.homes(every[:1])) == set(every[:1])
        assert set(places.homes([*every, FacilityId(uuid7())])) == set(every)
        assert places.apart(every) == dict.fromkeys(every, ())
        assert places.apart(every[:1]) == {every[0]: ()}
        assert places.facility(every[1]).id == every[1]
    assert len(statements) == 3


def test_a_devices_life_is_kept(site: Site) -> None:
    device = site.devices[BOSCH].id
    occupy(site)
    shown = site.get(f"/api/v1/devices/{device}", "engineer").get_json()
    assert (shown["bay_label"], shown["health"], shown["rssi"]) == ("A0", "ok", -97.0)
    moved = site.post(
        f"/api/v1/devices/{device}/placement",
        "operator",
        json={"bay_id": str(site.bays[3].id)},
    ).get_json()
    assert [place["bay_label"] for place in moved["placements"]] == ["A3", "A0"]
    taken = {"bay_id": str(site.bays[1].id)}
    path = f"/api/v1/devices/{device}/placement"
    site.clock.advance(60)
    assert site.post(path, "operator", json=taken).status_code == 409
    replaced = site.post(path, "operator", json={**taken, "replace": True})
    assert (replaced.status_code, replaced.get_json()["bay_label"]) == (200, "A1")
    retired = site.post(f"/api/v1/devices/{device}/retirement", "operator")
    assert (retired.status_code, retired.get_json()["bay_id"]) == (200, None)
    assert site.post(f"/api/v1/devices/{device}/retirement", "operator").status_code == 409


def test_acts_are_on_record_and_plates_are_not(site: Site) -> None:
    site.stay()
    records = site.get("/api/v1/audit", "auditor").get_json()
    actions = [each["action"] for each in records["items"]]
    assert "parking.vehicle_attached" in actions
    assert "payments.bill_issued" in actions
    assert "A12345" not in str(records)  # digits alone stand in many an id
    one = site.get("/api/v1/audit?limit=1", "auditor").get_json()
    more = site.get(f"/api/v1/audit?limit=1&cursor={one['next']}", "auditor").get_json()
    assert one["items"][0]["id"] == more["items"][0]["id"] + 1


def test_a_whole_plate_is_shown_on_record_and_masked_to_others(site: Site) -> None:
    stay = site.stay()
    path = f"/api/v1/sessions/{stay}"
    assert site.get(path, "attendant").get_json()["plate"]["text"] == "京A12345"
    masked = site.get(path, "auditor").get_json()["plate"]
    assert (masked["masked"], "1234" in masked["text"]) == (True, False)
    listed = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    assert [each["plate"]["masked"] for each in listed] == [True]
    actions = [each["action"] for each in site.get("/api/v1/audit", "auditor").get_json()["items"]]
    assert len([action for action in actions if action.startswith("vault.")]) >= 1


def test_the_demos_speed_is_changed_and_time_never_goes_back(site: Site) -> None:
    before = site.get("/api/v1/demo/clock", "driver").get_json()
    changed = site.call("PUT", "/api/v1/demo/clock", "operator", json={"speed": 20})
    assert (changed.status_code, changed.get_json()["speed"]) == (200, 20)
    time.sleep(0.05)
    after = site.get("/api/v1/demo/clock", "driver").get_json()
    assert after["now"] > before["now"]
    now, since = (datetime.fromisoformat(changed.get_json()[name]) for name in ("now", "since_at"))
    assert datetime.fromisoformat(before["since_at"]) < now < since
    too_fast = site.call("PUT", "/api/v1/demo/clock", "operator", json={"speed": 1e6})
    assert too_fast.status_code == 422


def test_times_are_utc_with_their_offset(site: Site) -> None:
    occupy(site)
    (bay, *_) = site.get(f"{FACILITIES}/{site.facility.id}/bays").get_json()["items"]
    assert bay["since_at"] == NINE.isoformat().replace("+00:00", "Z")
