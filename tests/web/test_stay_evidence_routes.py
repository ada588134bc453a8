"""Stays from gate to gate and a driver's own side, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from city.identifiers import FacilityId, OperatorId, uuid7
from parking.services.places import record_places
from parking.store.places import Facility

if TYPE_CHECKING:
    from tests.web.small_site import Site

PLATE = {"plate": "京A12345", "plate_kind": "blue7"}


@pytest.fixture
def garage(site: Site) -> str:
    home = site.facility
    place = Facility(
        code="G-1",
        district=home.district,
        ownership="commercial",
        kind="garage",
        name_zh="滨江车库",
        name_en="Riverside Garage",
        position=home.position,
        timezone=home.timezone,
        operator_id=OperatorId(uuid7()),
        revenue_nature="commercial",
        tariff_id=home.tariff_id,
        id=FacilityId(uuid7()),
    )
    with site.wiring.database.unit_of_work() as uow:
        record_places(uow, [place], [])
    return str(place.id)


def passes(site: Site, garage: str, direction: str, event: str, **members: Any) -> dict[str, Any]:
    body = {
        "facility_id": garage,
        "gate": "N1",
        "direction": direction,
        "event_id": event,
        "at": site.clock.now().isoformat(),
        **(members or PLATE),
    }
    answer = site.post("/api/v1/gates/passages", "integration", json=body)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def settle(site: Site, minutes: float = 11) -> None:
    from parking.services import stays

    site.clock.advance(minutes * 60)
    with site.wiring.database.unit_of_work() as uow:
        stays.announce_settled(uow)
    site.run_jobs()


def test_a_gate_tells_twice_and_the_timeline_shows_both_passages(site: Site, garage: str) -> None:
    entered = passes(site, garage, "entry", "e1")
    assert passes(site, garage, "entry", "e1") == {**entered, "repeated": True}
    site.clock.advance(61 * 60)
    assert passes(site, garage, "exit", "e2")["outcome"] == "left"
    path = f"/api/v1/sessions/{entered['session_id']}/evidence"
    for who in ("attendant", "auditor"):
        shown = site.get(path, who).get_json()
        assert [each["kind"] for each in shown["items"]] == ["gate-entry", "gate-exit"]
        assert {each["plate"]["text"] for each in shown["items"]} == {"京A·****5"}
        assert {each["by"] for each in shown["items"]} == {"ttn"}
    assert site.get(path, "driver").status_code == 404
    settle(site)
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    assert (bill["amount"]["minor"], bill["dispute"]) == (900, None)


def test_a_gates_mistakes_are_named_by_their_field(site: Site, garage: str) -> None:
    good = {
        "facility_id": garage,
        "gate": "N1",
        "direction": "entry",
        "event_id": "e1",
        "at": site.clock.now().isoformat(),
        **PLATE,
    }
    for change, field in (
        ({"at": (site.clock.now() + timedelta(hours=1)).isoformat()}, "at"),
        ({"ticket": "ABCDEF"}, "plate"),
        ({"plate": None, "plate_kind": None}, "plate"),
        ({"facility_id": str(site.facility.id)}, "facility_id"),
        ({"confidences": [0.5]}, "confidences"),
        ({"plate": "!!!!!!"}, "plate"),
    ):
        answer = site.post("/api/v1/gates/passages", "integration", json={**good, **change})
        assert (change, answer.status_code) == (change, 422)
        assert [each["field"] for each in answer.get_json()["errors"]] == [field]


def test_an_unclear_exit_is_shown_matched_and_on_record(site: Site, garage: str) -> None:
    first = passes(site, garage, "entry", "e1", plate="京A12D45", plate_kind="blue7")
    site.clock.advance(300)
    passes(site, garage, "entry", "e2", plate="京A12Q45", plate_kind="blue7")
    site.clock.advance(3600)
    unclear = passes(site, garage, "exit", "e3", plate="京A12045", plate_kind="blue7")
    assert (unclear["outcome"], unclear["session_id"]) == ("unmatched", None)
    (listed,) = site.get("/api/v1/gates/unmatched", "attendant").get_json()["items"]
    assert listed["read_as"]["masked"]
    path = f"/api/v1/gates/unmatched/{listed['id']}"
    assert site.get(f"{path}/plate", "attendant").get_json()["plate"]["text"] == "京A12045"
    body = {"session_id": first["session_id"], "reason": "saw it on the picture"}
    matched = site.post(f"{path}/match", "attendant", json=body).get_json()
    assert (matched["id"], matched["state"]) == (first["session_id"], "closed")
    records = site.get("/api/v1/audit?action=parking.passage_matched", "auditor").get_json()
    assert len(records["items"]) == 1


def test_a_driver_binds_starts_extends_ends_and_disputes(site: Site, garage: str) -> None:
    entered = passes(site, garage, "entry", "e1")
    code = site.post(f"/api/v1/sessions/{entered['session_id']}/code", "attendant").get_json()
    bound = site.post("/api/v1/me/vehicles", "driver", json={"code": code["code"]}, key="b1")
    assert bound.status_code == 201
    vehicle = bound.get_json()
    assert vehicle["plate"]["text"] == "京A·****5"
    site.clock.advance(20 * 60)
    passes(site, garage, "exit", "e2")
    site.clock.advance(5 * 60)
    start = {"bay_id": str(site.bays[3].id), "vehicle_id": vehicle["id"]}
    stay = site.post("/api/v1/me/stays", "driver", json=start).get_json()
    assert (stay["state"], stay["facility"]["en"]) == ("open", "Riverside Road")
    until = (site.clock.now() + timedelta(hours=1)).isoformat()
    path = f"/api/v1/me/stays/{stay['id']}"
    extended = site.post(f"{path}/extension", "driver", json={"until_at": until})
    assert extended.status_code == 200
    site.clock.advance(61 * 60)
    ended = site.post(f"{path}/end", "driver", json={}).get_json()
    assert (ended["state"], ended["closing_reason"]) == ("closed", "driver-end")
    settle(site)
    mine = site.get("/api/v1/me/stays", "driver").get_json()["items"]
    assert [each["id"] for each in mine] == [stay["id"], entered["session_id"]]
    assert site.get("/api/v1/me/stays?state=open", "driver").get_json()["items"] == []
    closed = site.get("/api/v1/me/stays?state=closed&limit=1", "driver").get_json()
    assert ([each["id"] for each in closed["items"]], closed["next"]) == ([stay["id"]], stay["id"])
    bills = site.get("/api/v1/me/bills", "driver").get_json()["items"]
    wanted = next(each for each in bills if each["session_id"] == stay["id"])
    assert site.get(f"/api/v1/bills/{wanted['id']}", "driver").get_json()["plate"]["masked"]
    shown = site.get(f"/api/v1/sessions/{stay['id']}/evidence", "driver").get_json()["items"]
    assert [each["kind"] for each in shown] == [
        "driver-start",
        "driver-extension",
        "driver-end",
    ]
    assert {each["by"] for each in shown} == {None}
    said = {"ground": "wrong-times", "words": "I left at ten"}
    dispute = site.post(f"/api/v1/bills/{wanted['id']}/disputes", "driver", json=said).get_json()
    assert dispute["state"] == "open"
    paid = {"channel": "cash", "tendered": {"minor": 5000, "currency": "CNY"}}
    refused = site.post(f"/api/v1/bills/{wanted['id']}/payments", "attendant", json=paid)
    assert refused.status_code == 409
    listed = site.get("/api/v1/disputes?state=open", "finance").get_json()["items"]
    assert [each["id"] for each in listed] == [dispute["id"]]
    assert (listed[0]["session_id"], listed[0]["amount"]) == (stay["id"], wanted["amount"])
    assert (listed[0]["facility"]["en"], listed[0]["plate"]["masked"]) == ("Riverside Road", True)
    answer = {"outcome": "upheld", "answer": "the gate agrees with you"}
    path = f"/api/v1/disputes/{dispute['id']}/resolution"
    assert site.post(path, "finance", json=answer).get_json()["state"] == "upheld"
    after = site.get(f"/api/v1/bills/{wanted['id']}", "driver").get_json()
    assert (after["state"], after["dispute"]["answer"]) == ("cancelled", answer["answer"])


def test_a_driver_reads_what_a_sensor_said_not_which_device_and_what_paid_the_bill(
    site: Site,
) -> None:
    session = site.stay()
    bill = site.get("/api/v1/bills", "finance").get_json()["items"][0]
    paid = {"channel": "cash", "tendered": {"minor": 5000, "currency": "CNY"}}
    taken = site.post(f"/api/v1/bills/{bill['id']}/payments", "attendant", json=paid).get_json()
    proof = {"bill_id": bill["id"], "plate": "京A12345", "plate_kind": "blue7"}
    assert site.post("/api/v1/me/vehicles", "driver", json=proof).status_code == 201
    shown = {
        who: site.get(f"/api/v1/sessions/{session}/evidence", who).get_json()["items"]
        for who in ("driver", "auditor")
    }
    kinds = ["bay-arrival", "plate-seen", "bay-departure"]
    assert [each["kind"] for each in shown["driver"]] == kinds
    assert [each["kind"] for each in shown["auditor"]] == kinds
    assert ["device_id" in each["detail"] for each in shown["auditor"]] == [True, False, True]
    assert not any("device_id" in each["detail"] for each in shown["driver"])
    assert shown["driver"][2]["detail"] == {"reason": "departure"}
    assert bill["payment"] is None
    (settled,) = site.get("/api/v1/me/bills", "driver").get_json()["items"]
    assert settled["payment"] == {
        "channel": "cash",
        "amount": bill["amount"],
        "rounded": {"minor": 0, "currency": "CNY"},
        "received_at": taken["received_at"],
    }


def test_a_stay_is_corrected_with_a_reason_and_long_ones_are_listed(site: Site) -> None:
    body = {"plate": "京A12345", "plate_kind": "blue7", "where": "second car in A1"}
    path = f"/api/v1/facilities/{site.facility.id}/sessions"
    met = site.post(path, "attendant", json=body).get_json()
    assert (met["bay_id"], met["plate"]["masked"]) == (None, True)
    site.clock.advance(80 * 3600)
    (found,) = site.get("/api/v1/sessions/long", "operator").get_json()["items"]
    assert (found["session"]["id"], found["why"]) == (met["id"], "no-exit")
    assert site.get("/api/v1/sessions/long?open_for_h=100", "operator").get_json()["items"] == []
    path = f"/api/v1/sessions/{met['id']}/corrections"
    late = {"kind": "end", "reason": "it is gone", "at": site.clock.now().isoformat()}
    refused = site.post(path, "attendant", json=late)
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "at")
    done = site.post(path, "attendant", json={**late, "at": met["opened_at"]}).get_json()
    assert [each["state"] for each in done["items"]] == ["closed"]
    assert site.post(path, "attendant", json={"kind": "end", "reason": "x"}).status_code == 422


def test_a_ticket_is_for_a_facility_with_gates(site: Site, garage: str) -> None:
    refused = site.post(f"/api/v1/facilities/{site.facility.id}/tickets", "driver", json={})
    assert refused.status_code == 422
    made = site.post(f"/api/v1/facilities/{garage}/tickets", "driver", json={}).get_json()
    own = f"/api/v1/me/tickets/{made['vehicle_id']}"
    code = site.get(own, "driver").get_json()["code"]
    assert site.get(own, "driver").get_json()["code"] == code
    assert passes(site, garage, "entry", "e1", ticket=code)["outcome"] == "entered"
    (mine,) = site.get("/api/v1/me/stays", "driver").get_json()["items"]
    assert (mine["plate"], mine["facility_id"]) == (None, garage)
    path = f"/api/v1/me/vehicles/{made['vehicle_id']}/unbinding"
    assert site.post(path, "driver", json={}).status_code == 200
    assert site.get("/api/v1/me/vehicles", "driver").get_json()["items"] == []
