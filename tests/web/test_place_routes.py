"""Places over HTTP: registered, changed, suspended, imported, and counted by purpose."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from payments.rules.exits import ExitMode
from tests.payments import agreed
from tests.web.small_site import NINE, UNKNOWN_ID, Site

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

FACILITIES = "/api/v1/facilities"


def occupy(site: Site, *, occupied: bool = True) -> None:
    site.hear(site.message(occupied=occupied))
    site.clock.advance(60)
    site.consume()


def shown(site: Site) -> Any:
    # An answer is given again for a tenth of a second, by a clock that no test can advance.
    time.sleep(0.11)
    return site.get(f"{FACILITIES}/{site.facility.id}").get_json()


def change_bay(site: Site, number: int, **change: Any) -> TestResponse:
    path = f"/api/v1/bays/{site.bays[number].id}"
    return site.call("PATCH", path, "operator", json=change)


def errors(answer: TestResponse) -> list[str]:
    assert answer.content_type == "application/problem+json"
    return [each["field"] for each in answer.get_json()["errors"]]


def register(site: Site, code: str = "G1", **members: Any) -> TestResponse:
    operator = site.post(
        "/api/v1/operators", "operator", json={"code": code, "name": {"zh": "市", "en": "City"}}
    ).get_json()
    body = {
        "code": code,
        "district": "0153",
        "ownership": "institutional",
        "kind": "garage",
        "name": {"zh": "库", "en": "Garage"},
        "position": [120.2, 30.3],
        "operator_id": operator["id"],
        "revenue_nature": "commercial",
    }
    return site.post(FACILITIES, "operator", json={**body, **members})


def test_permit_and_reserved_bays_are_counted_apart_and_never_free_for_all(site: Site) -> None:
    occupy(site, occupied=False)
    assert shown(site)["counts"] == {"free": 1, "occupied": 0, "unknown": 3, "total": 4}
    assert change_bay(site, 0, purpose="permit").status_code == 200
    assert change_bay(site, 1, purpose="reserved").status_code == 200
    found = shown(site)
    assert found["counts"] == {"free": 0, "occupied": 0, "unknown": 2, "total": 2}
    assert found["permit"] == {"free": 1, "occupied": 0, "unknown": 0, "total": 1}
    assert found["reserved"] == {"free": 0, "occupied": 0, "unknown": 1, "total": 1}
    assert found["availability"] == "unknown"
    at = site.bays[0].position
    near = f"/api/v1/bays/nearest?longitude={at.longitude}&latitude={at.latitude}"
    assert site.get(near).get_json()["items"] == []


def test_a_facility_says_whether_one_pays_before_or_after_leaving(site: Site) -> None:
    assert shown(site)["exit"] == {"mode": "leave-first", "grace_s": 0}
    garage = register(site, "G9", tariff_id=str(site.facility.tariff_id)).get_json()["state"]["id"]
    with site.wiring.database.unit_of_work() as uow:
        agreed.rule_exits(uow, None, ExitMode.PAY_FIRST)
    site.clock.advance(60)
    found = site.get(f"{FACILITIES}/{garage}").get_json()["exit"]
    assert found == {"mode": "pay-first", "grace_s": 0}
    # A kerb has no gate that could ask for it.
    assert shown(site)["exit"]["mode"] == "leave-first"


def test_a_facility_outside_its_hours_is_closed_and_not_full(site: Site) -> None:
    occupy(site, occupied=False)
    hours = {"opening": [{"days": ["mo"], "times": [["08:00", "09:30"]]}]}
    path = f"{FACILITIES}/{site.facility.id}"
    assert site.call("PATCH", path, "operator", json=hours).status_code == 200
    found = shown(site)
    assert (found["availability"], found["open_now"], found["changes_at"]) == (
        "free",
        True,
        "2026-03-02T01:30:00Z",
    )
    site.clock.advance(3600)
    found = shown(site)
    assert (found["availability"], found["open_now"], found["closed"]) == ("closed", False, 4)
    assert found["counts"]["total"] == 0


def test_a_market_day_closes_a_bay_for_its_hours(site: Site) -> None:
    occupy(site, occupied=False)
    market = {
        "activity": "no_parking",
        "when": [{"times": [["09:00", "10:00"]]}],
        "reason": "market",
    }
    assert change_bay(site, 0, rules=[market]).status_code == 200
    assert (shown(site)["closed"], shown(site)["counts"]["free"]) == (1, 0)
    bays = site.get(f"{FACILITIES}/{site.facility.id}/bays").get_json()["items"]
    assert [bay["usable"] for bay in bays] == [False, True, True, True]
    site.clock.advance(3600)
    assert (shown(site)["closed"], shown(site)["counts"]["free"]) == (0, 1)


def test_suspended_bays_are_closed_until_the_permit_is_lifted(site: Site) -> None:
    occupy(site, occupied=False)
    path = f"{FACILITIES}/{site.facility.id}/suspensions"
    body = {
        "permit_no": "2026-17",
        "from_at": NINE.isoformat(),
        "until_at": (NINE + timedelta(days=2)).isoformat(),
        "bay_ids": [str(site.bays[0].id)],
    }
    made = site.post(path, "operator", json=body, key="k1")
    assert (made.status_code, shown(site)["closed"]) == (201, 1)
    assert site.post(path, "operator", json=body, key="k1").get_json() == made.get_json()
    assert site.post(path, "operator", json=body).status_code == 409
    listed = site.get(path, "attendant").get_json()["items"]
    assert [each["permit_no"] for each in listed] == ["2026-17"]
    lifting = f"/api/v1/suspensions/{made.get_json()['id']}/lifting"
    assert site.post(lifting, "operator").get_json()["lifted_at"] is not None
    assert shown(site)["closed"] == 0


def test_a_facility_is_registered_with_its_bays_and_changed_with_history(site: Site) -> None:
    made = register(site, limits={"max_height_m": 2.1})
    assert (made.status_code, made.get_json()["version"]) == (201, 1)
    home = made.get_json()["state"]["id"]
    level = {"code": "B1", "kind": "level", "level": -1}
    zone = site.post(f"{FACILITIES}/{home}/zones", "operator", json=level).get_json()["state"]
    bays = {
        "bays": [
            {
                "label": f"B1-{n}",
                "position": [120.2 + n * 0.0001, 30.3],
                "zone_id": zone["id"],
                "kind": "charging",
            }
            for n in range(3)
        ]
    }
    registered = site.post(f"{FACILITIES}/{home}/bays", "operator", json=bays)
    assert (registered.status_code, len(registered.get_json()["items"])) == (201, 3)
    public = site.get(f"{FACILITIES}/{home}").get_json()
    assert (public["counts"]["total"], public["limits"]["max_height_m"]) == (3, 2.1)
    path = f"{FACILITIES}/{home}"
    changed = site.call("PATCH", path, "operator", json={"version": 1, "title": "verified"})
    assert (changed.status_code, changed.get_json()["version"]) == (200, 2)
    stale = site.call("PATCH", path, "operator", json={"version": 1, "title": "disputed"})
    assert (stale.status_code, errors(stale)) == (409, ["version"])
    history = site.get(f"{path}/history", "auditor").get_json()["items"]
    assert [each["state"]["title"] for each in history] == ["verified", "unknown"]
    early = (NINE - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert site.get(f"{path}/record?at={early}", "auditor").status_code == 404
    assert site.get(f"{path}/record", "auditor").get_json()["state"]["title"] == "verified"


def test_bad_places_are_refused_naming_the_field(site: Site) -> None:
    assert errors(register(site, "A", timezone="Mars/Base")) == ["timezone"]
    assert errors(register(site, "B", rules=[{"activity": "dancing"}])) == ["rules[0].activity"]
    assert errors(register(site, "C", machine={"lifts": 1, "pallets": 9, "retrieval_s": 60})) == [
        "machine"
    ]
    assert errors(register(site, "D", operator_id=UNKNOWN_ID)) == ["operator_id"]
    assert errors(change_bay(site, 0, purpose=None)) == ["purpose"]
    assert errors(change_bay(site, 0)) == ["body"]
    assert errors(change_bay(site, 0, kind="throne")) == ["kind"]
    overlapping = change_bay(site, 1, position=site.bays[0].position.as_json())
    assert (overlapping.status_code, errors(overlapping)) == (409, ["bays[0].geometry"])
    twice = {
        "bays": [
            {"label": "Z1", "position": [120.3, 30.3]},
            {"label": "Z2", "position": [120.3, 30.3]},
        ]
    }
    refused = site.post(f"{FACILITIES}/{site.facility.id}/bays", "operator", json=twice)
    assert (refused.status_code, errors(refused)) == (409, ["bays[1].geometry"])


def test_places_of_another_district_are_out_of_reach(site: Site) -> None:
    path = f"{FACILITIES}/{site.facility.id}"
    assert site.get(f"{path}/record", "operator-west").status_code in {200, 403}
    west = f"{FACILITIES}/{site.west.id}/record"
    assert site.get(west, "operator-west").status_code == 200


def test_a_file_is_imported_and_each_feature_accounted_for(site: Site) -> None:
    operator = site.post(
        "/api/v1/operators", "operator", json={"code": "city", "name": {"zh": "市", "en": "City"}}
    ).get_json()
    table = "label,facility_name,longitude,latitude\nA1,Lane,120.4,30.4\nA2,Lane,120.4,30.4\n"
    body = {
        "format": "csv",
        "source": "lane",
        "district": "0153",
        "operator_id": operator["id"],
        "content": table,
    }
    first = site.post("/api/v1/place-imports", "operator", json=body).get_json()
    assert (first["facilities"]["added"], first["bays"]["added"]) == (1, 1)
    assert [(each["index"], each["field"]) for each in first["rejected"]] == [(1, "geometry")]
    again = site.post("/api/v1/place-imports", "operator", json=body).get_json()
    assert (again["facilities"]["unchanged"], again["bays"]["added"]) == (1, 0)
    unusable = site.post("/api/v1/place-imports", "operator", json={**body, "format": "geojson"})
    assert (unusable.status_code, errors(unusable)) == (422, ["file"])
    actions = [each["action"] for each in site.get("/api/v1/audit", "auditor").get_json()["items"]]
    assert actions.count("parking.places_imported") == 2


def test_the_registry_lists_places_with_bays_by_purpose_and_those_away(site: Site) -> None:
    facility = str(site.facility.id)
    assert change_bay(site, 0, purpose="permit").status_code == 200
    now = site.clock.now()
    away = {
        "permit_no": "W-1",
        "from_at": now.isoformat(),
        "until_at": (now + timedelta(hours=2)).isoformat(),
        "bay_ids": [str(site.bays[1].id)],
    }
    assert (
        site.post(f"{FACILITIES}/{facility}/suspensions", "operator", json=away).status_code == 201
    )
    found = site.get("/api/v1/registered-facilities", "operator").get_json()["items"]
    (mine,) = [each for each in found if each["id"] == facility]
    assert mine["bays"] == {"public": 3, "reserved": 0, "permit": 1}
    assert mine["suspended"] == 1
    assert mine["operator_id"] == str(site.facility.operator_id)
    assert site.get("/api/v1/registered-facilities", "driver").status_code == 403


def test_a_bay_s_history_names_the_staff_who_changed_it(site: Site) -> None:
    assert change_bay(site, 0, kind="charging").status_code == 200
    path = f"/api/v1/bays/{site.bays[0].id}/history"
    found = site.get(path, "operator").get_json()
    latest = found["items"][0]
    assert latest["changed_by"] in found["people"]
    records = f"{FACILITIES}/{site.facility.id}/bay-records"
    states = [each["state"] for each in site.get(records, "operator").get_json()["items"]]
    assert {each["label"]: each["kind"] for each in states}[site.bays[0].label] == "charging"


def test_a_bay_s_held_times_are_given_without_a_plate_in_full(site: Site) -> None:
    now = site.clock.now()
    start, end = now + timedelta(hours=2), now + timedelta(hours=3)
    body = {
        "plate": "浙A12345",
        "kind": "blue7",
        "from_at": start.isoformat(),
        "until_at": end.isoformat(),
        "bay_id": str(site.bays[2].id),
    }
    assert site.post("/api/v1/reservations", "operator", json=body).status_code == 201
    asked = (
        f"from_at={now:%Y-%m-%dT%H:%M:%SZ}&until_at={now + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    )
    path = f"/api/v1/bays/{site.bays[2].id}/holds"
    found = site.get(f"{path}?{asked}", "attendant").get_json()
    assert [(each["kind"], each["reservation_state"]) for each in found["items"]] == [
        ("reservation", "held")
    ]
    assert "12345" not in str(found)
    late = (
        f"from_at={now:%Y-%m-%dT%H:%M:%SZ}&until_at={now + timedelta(days=70):%Y-%m-%dT%H:%M:%SZ}"
    )
    assert errors(site.get(f"{path}?{late}", "attendant")) == ["until_at"]
