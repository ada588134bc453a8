"""Cameras and gates over HTTP: registered by operators, speaking under their own credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from city.people.credentials import issue_token

if TYPE_CHECKING:
    from tests.web.small_site import Site


def read(site: Site, event: str, **members: Any) -> dict[str, Any]:
    return {
        "event_id": event,
        "at": site.clock.now().isoformat(),
        "plate": "京A12345",
        "plate_kind": "blue7",
        **members,
    }


def test_a_camera_reads_its_bays_once_it_is_registered(site: Site) -> None:
    with site.wiring.database.unit_of_work() as uow:
        site.tokens["camera"] = issue_token(uow, "device", "cam-1")
    path = f"/api/v1/bays/{site.bays[0].id}/reads"
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    assert site.post(path, "camera", json=read(site, "r1")).status_code == 403
    body = {
        "subject": "cam-1",
        "facility_id": str(site.facility.id),
        "bay_ids": [str(site.bays[0].id)],
    }
    made = site.post("/api/v1/readers", "operator", json=body)
    assert (made.status_code, made.get_json()["kind"]) == (201, "camera")
    assert site.post("/api/v1/readers", "operator", json=body).status_code == 409
    assert site.post("/api/v1/readers", "operator-west", json=body).status_code == 404
    done = site.post(path, "camera", json=read(site, "r1")).get_json()
    assert (done["outcome"], done["repeated"]) == ("attached", False)
    assert site.post(path, "camera", json=read(site, "r1")).get_json() == {**done, "repeated": True}
    assert site.post(path, "integration-west", json=read(site, "r2")).status_code == 403
    timeline = site.get(f"/api/v1/sessions/{done['session_id']}/evidence", "attendant").get_json()
    assert [each["kind"] for each in timeline["items"]] == ["bay-arrival", "camera-read"]
    assert "12345" not in str(timeline)
    for change, field in (
        ({"confidences": [0.5]}, "confidences"),
        ({"at": "2020-01-01T00:00:00Z"}, "at"),
        ({"plate": "!!!!!!"}, "plate"),
    ):
        refused = site.post(path, "camera", json=read(site, "r3", **change))
        assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, field)
    (listed,) = site.get("/api/v1/readers", "auditor").get_json()["items"]
    retirement = f"/api/v1/readers/{listed['id']}/retirement"
    assert site.post(retirement, "operator", json={}).get_json()["retired_at"] is not None
    assert site.post(path, "camera", json=read(site, "r4")).status_code == 403
