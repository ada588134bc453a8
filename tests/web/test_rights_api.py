"""Permits, reservations, benefits, blacklists and the abuse report over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.web.small_site import Site


def wish(site: Site, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "month",
        "label": "M-1",
        "facility_ids": [str(site.facility.id)],
        "first_day": "2026-03-01",
        "months": 1,
    } | changes


def issued(site: Site, **changes: Any) -> str:
    answer = site.post("/api/v1/permits", "operator", json=wish(site, **changes))
    assert answer.status_code == 201, answer.get_json()
    found: str = answer.get_json()["id"]
    return found


def put(site: Site, permit_id: str, *plates: str) -> dict[str, Any]:
    body = {"vehicles": [{"plate": plate, "kind": "blue7"} for plate in plates]}
    answer = site.post(f"/api/v1/permits/{permit_id}/vehicles", "operator", json=body)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def parked(site: Site, plate: str = "京A12345", kind: str | None = "blue7") -> str:
    """Let a car come to the first bay and be noted; give the stay's id."""
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    (session,) = site.get("/api/v1/sessions?state=open", "attendant").get_json()["items"]
    body = {"plate": plate, "kind": kind}
    path = f"/api/v1/sessions/{session['id']}/vehicle"
    assert site.post(path, "attendant", json=body).status_code == 200
    found: str = session["id"]
    return found


def fields(answer: TestResponse) -> list[str]:
    return [each["field"] for each in answer.get_json()["errors"]]


def test_an_operator_issues_a_permit_and_an_attendant_sees_what_it_covers(site: Site) -> None:
    permit = issued(site, overstay=None)
    done = put(site, permit, "京A12345", "京A1")
    assert done["accepted"][0]["plate"] == {"text": "京A·****5", "kind": "blue7", "masked": True}
    assert [(each["index"], each["field"]) for each in done["rejected"]] == [(1, "plate")]
    session = parked(site)
    site.clock.advance(600)
    shown = site.get(f"/api/v1/sessions/{session}/coverage", "attendant").get_json()
    assert (shown["vehicle"], shown["alerts"]) == (True, [])
    (part,) = shown["parts"]
    assert (part["outcome"], part["right_kind"], part["right_id"]) == ("covered", "permit", permit)
    assert part["why"] == {"zh": "已由停车许可“M-1”覆盖", "en": "covered by permit M-1"}


def test_a_stay_without_a_vehicle_is_not_said_to_be_covered_or_not(site: Site) -> None:
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    (session,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    shown = site.get(f"/api/v1/sessions/{session['id']}/coverage", "attendant").get_json()
    assert (shown["vehicle"], shown["parts"]) == (False, [])


def test_a_contract_for_the_night_is_given_back_as_it_was_stated(site: Site) -> None:
    hours = [{"from": "18:00", "until": "08:00", "days": "workday"}]
    money = {"minor": 500, "currency": "CNY"}
    overstay = {"grace_s": 900, "unit_s": 1800, "price": money, "cap": None}
    permit = issued(site, kind="off_peak", hours=hours, overstay=overstay, concurrent_limit=2)
    shown = site.get(f"/api/v1/permits/{permit}", "finance").get_json()
    assert (shown["hours"], shown["overstay"], shown["concurrent_limit"]) == (hours, overstay, 2)
    assert (shown["state"], shown["vehicles"], shown["extensions"]) == ("valid", 0, [])
    assert (shown["valid_from"], shown["valid_until"]) == (
        "2026-02-28T16:00:00Z",
        "2026-03-31T16:00:00Z",
    )


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"kind": "gold"}, 422, "kind"),
        ({"first_day": "2025-01-01"}, 422, "months"),
        ({"last_day": "2026-05-01"}, 422, "months"),
        ({"months": 0}, 422, "months"),
        ({"hours": [{"from": "25:00", "until": "08:00"}]}, 422, "hours[0].from"),
        ({"hours": [{"from": "18:00"}]}, 422, "hours.0.until"),
        ({"allowance": {"free_s": 3600, "per": "day"}}, 422, "concurrent_limit"),
        ({"facility_ids": ["0199d3f0-0000-7000-8000-000000000000"]}, 404, "facility_ids[0]"),
    ],
)
def test_a_permit_that_cannot_be_names_its_field(
    shared_site: Site, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = shared_site.post("/api/v1/permits", "operator", json=wish(shared_site, **changes))
    assert (answer.status_code, fields(answer)) == (status, [field])


def test_a_permit_asked_for_twice_with_one_key_is_issued_once(site: Site) -> None:
    first = site.post("/api/v1/permits", "operator", json=wish(site), key="one")
    again = site.post("/api/v1/permits", "operator", json=wish(site), key="one")
    assert first.get_json() == again.get_json()
    assert len(site.get("/api/v1/permits", "operator").get_json()["items"]) == 1
    assert site.post("/api/v1/permits", "operator", json=wish(site)).status_code == 409


def test_an_operator_of_another_district_neither_sees_nor_keeps_a_permit(site: Site) -> None:
    permit = issued(site)
    assert site.get("/api/v1/permits", "operator-west").get_json()["items"] == []
    assert site.get(f"/api/v1/permits/{permit}", "operator-west").status_code == 403
    refused = site.post("/api/v1/permits", "operator-west", json=wish(site, label="W"))
    assert refused.status_code == 404
    for act, body in (("revocation", {"reason": "no"}), ("renewal", {"months": 1, "reason": "x"})):
        answer = site.post(f"/api/v1/permits/{permit}/{act}", "operator-west", json=body)
        assert (act, answer.status_code) == (act, 404)


def test_a_permits_list_is_shown_masked_and_shrinks(site: Site) -> None:
    permit = issued(site, kind="staff", concurrent_limit=None)
    vehicle = put(site, permit, "京A12345", "京A12346")["accepted"][0]["vehicle_id"]
    path = f"/api/v1/permits/{permit}/vehicles"
    page = site.get(f"{path}?limit=1", "operator").get_json()
    rest = site.get(f"{path}?limit=1&cursor={page['next']}", "operator").get_json()
    assert [each["plate"]["text"] for each in (*page["items"], *rest["items"])] == [
        "京A·****5",
        "京A·****6",
    ]
    assert rest["next"] is None
    removed = site.post(f"{path}/{vehicle}/removal", "operator")
    assert (removed.status_code, removed.get_json()["vehicles"]) == (200, 1)
    by_vehicle = site.get(f"/api/v1/permits?vehicle_id={vehicle}", "operator").get_json()
    assert by_vehicle["items"] == []


def test_a_suspended_street_gives_its_permits_their_days_back(site: Site) -> None:
    permit = issued(site)
    body = {
        "facility_id": str(site.facility.id),
        "from_at": "2026-03-03T00:00:00+08:00",
        "until_at": "2026-03-05T12:00:00+08:00",
        "reason": "water main",
    }
    done = site.post("/api/v1/permits/compensations", "operator", json=body)
    assert done.get_json()["extended"] == [{"permit_id": permit, "days": 3}]
    shown = site.get(f"/api/v1/permits/{permit}", "operator").get_json()
    assert shown["valid_until"] == "2026-04-03T16:00:00Z"
    assert [(each["why"], each["days"]) for each in shown["extensions"]] == [("compensation", 3)]
    wrong = site.post(
        "/api/v1/permits/compensations", "operator", json=body | {"until_at": body["from_at"]}
    )
    assert (wrong.status_code, fields(wrong)) == (422, ["until_at"])


def test_a_bay_is_held_for_one_and_given_back(site: Site) -> None:
    body = {
        "plate": "京A12345",
        "kind": "blue7",
        "bay_id": str(site.bays[1].id),
        "from_at": "2026-03-02T10:00:00+08:00",
        "until_at": "2026-03-02T12:00:00+08:00",
    }
    made = site.post("/api/v1/reservations", "attendant", json=body)
    assert made.status_code == 201
    held = made.get_json()
    assert (held["state"], held["bay_label"], held["hold_until_at"]) == (
        "held",
        "A1",
        "2026-03-02T02:15:00Z",
    )
    taken = site.post("/api/v1/reservations", "operator", json=body | {"plate": "京A12346"})
    assert (taken.status_code, fields(taken)) == (409, ["bay_id"])
    past = {"from_at": "2026-03-02T08:00:00+08:00"}
    refused = site.post("/api/v1/reservations", "operator", json=body | past)
    assert (refused.status_code, fields(refused)) == (422, ["from_at"])
    wrong = site.post("/api/v1/reservations", "operator", json=body | {"plate": "京A1234"})
    assert (wrong.status_code, fields(wrong)) == (422, ["plate"])
    both = {"facility_id": str(site.facility.id)}
    assert fields(site.post("/api/v1/reservations", "operator", json=body | both)) == ["bay_id"]
    path = f"/api/v1/reservations/{held['id']}"
    assert site.post(f"{path}/return", "attendant").get_json()["state"] == "cancelled"
    assert site.get(path, "auditor").get_json()["plate"]["text"] == "京A·****5"
    assert site.post("/api/v1/reservations", "operator", json=body).status_code == 201


def benefit(**changes: Any) -> dict[str, Any]:
    return {
        "district": "0153",
        "name_zh": "应急救援车辆",
        "name_en": "emergency vehicles",
        "classes": ["emergency"],
        "timezone": "Asia/Shanghai",
        "valid_from": "2026-03-02T09:00:00+08:00",
        "source": "State Council notice",
    } | changes


def test_a_region_grants_a_class_and_an_unknown_one_is_named(site: Site) -> None:
    made = site.post("/api/v1/benefits", "operator", json=benefit())
    assert (made.status_code, made.get_json()["plate_kinds"]) == (201, ["emergency_white"])
    wrong = site.post("/api/v1/benefits", "operator", json=benefit(classes=["taxi"]))
    assert (wrong.status_code, fields(wrong)) == (422, ["classes[0]"])
    none = site.post("/api/v1/benefits", "operator", json=benefit(classes=[]))
    assert (none.status_code, fields(none)) == (422, ["plate_kinds"])
    past = site.post(
        "/api/v1/benefits", "operator", json=benefit(valid_from="2026-02-01T00:00:00Z")
    )
    assert (past.status_code, fields(past)) == (422, ["valid_from"])
    ended = site.post(f"/api/v1/benefits/{made.get_json()['id']}/end", "operator")
    assert ended.get_json()["valid_until"] == "2026-03-02T01:00:00Z"
    assert len(site.get("/api/v1/benefits", "attendant").get_json()["items"]) == 1


def test_a_listed_vehicle_has_no_rights_where_the_region_says_so_and_alerts(site: Site) -> None:
    put(site, issued(site), "京A12345")
    body = {
        "plate": "京A12345",
        "kind": "blue7",
        "district": "0153",
        "reason": "abuse",
        "note": "lent its card",
    }
    listed = site.post("/api/v1/blacklist", "operator", json=body)
    assert listed.status_code == 201
    assert site.post("/api/v1/blacklist", "operator", json=body).status_code == 409
    policy = {"effects": {"abuse": ["no_rights", "alert"]}, "honours": []}
    path = "/api/v1/blacklist/policies/0153"
    assert site.call("PUT", path, "operator", json=policy).status_code == 200
    assert site.get(path, "attendant").get_json()["effects"] == {"abuse": ["alert", "no_rights"]}
    session = parked(site)
    site.clock.advance(600)
    shown = site.get(f"/api/v1/sessions/{session}/coverage", "attendant").get_json()
    assert [each["outcome"] for each in shown["parts"]] == ["charged"]
    assert shown["alerts"] == [{"zh": "冒用权益", "en": "abuse of rights"}]
    lifting = f"/api/v1/blacklist/{listed.get_json()['id']}/lifting"
    assert site.post(lifting, "operator", json={"reason": "cleared"}).status_code == 200
    assert site.post(lifting, "operator", json={"reason": "again"}).status_code == 409
    assert site.get("/api/v1/blacklist?in_force=true", "attendant").get_json()["items"] == []
    assert site.call("PUT", path, "operator-west", json=policy).status_code == 404
    unknown = {"effects": {"mood": ["alert"]}}
    assert site.call("PUT", path, "operator", json=unknown).status_code == 422


def test_an_exempt_plate_seen_often_is_reported_masked_by_stated_thresholds(site: Site) -> None:
    parked(site, "京X2345应急", None)
    site.clock.advance(3 * 3600)
    period = "since_at=2026-03-02T00:00:00Z&until_at=2026-03-02T03:00:00Z"
    quiet = site.get(f"/api/v1/rights/abuse?{period}", "auditor").get_json()
    assert (quiet["items"], quiet["looked_at"], quiet["next"]) == ([], 1, None)
    (named,) = site.get(f"/api/v1/rights/abuse?{period}&parked_h=1&stays=2", "operator").get_json()[
        "items"
    ]
    assert (named["often"], named["long"], named["stays"]) == (False, True, 1)
    assert named["plate"]["masked"]
    assert "2345" not in str(named)
    wrong = site.get(
        "/api/v1/rights/abuse?since_at=2026-03-02T00:00:00Z&until_at=2026-03-01T00:00:00Z",
        "auditor",
    )
    assert (wrong.status_code, fields(wrong)) == (422, ["until_at"])


def test_acts_on_rights_are_on_record_without_a_plate(site: Site) -> None:
    permit = issued(site)
    put(site, permit, "京A12345")
    site.post(f"/api/v1/permits/{permit}/revocation", "operator", json={"reason": "lent"})
    records = site.get("/api/v1/audit?limit=10", "auditor").get_json()["items"]
    actions = [each["action"] for each in records]
    assert actions[:3] == [
        "parking.permit_revoked",
        "parking.permit_vehicle_added",
        "parking.permit_issued",
    ]
    assert "A12345" not in str(records)  # digits alone stand in many an id
