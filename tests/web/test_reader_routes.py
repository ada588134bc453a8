"""Cameras and gates over HTTP: registered by operators, speaking under their own credential."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from uuid import UUID

import cv2
import numpy as np
import pytest

from city.errors import NotFound
from city.identifiers import ParkingSessionId
from city.people.credentials import issue_token
from city.people.roles import Role
from journeys.keep_act_photos import photos_of_stay, view_photo
from lpr.services.evidence import hide_others
from parking.services import stays
from tests.journeys.conftest import person
from tests.web.test_act_photos import jpeg

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


def test_a_kerb_cameras_frames_stand_with_the_stay_of_their_read_and_with_its_driver_alone(
    site: Site,
) -> None:
    with site.wiring.database.unit_of_work() as uow:
        site.tokens["camera"] = issue_token(uow, "device", "cam-1")
    bay = str(site.bays[0].id)
    body = {"subject": "cam-1", "facility_id": str(site.facility.id), "bay_ids": [bay]}
    assert site.post("/api/v1/readers", "operator", json=body).status_code == 201
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    told = site.post(f"/api/v1/bays/{bay}/reads", "camera", json=read(site, "r1")).get_json()
    other = read(site, "r2", plate="京B77777")
    assert site.post(f"/api/v1/bays/{bay}/reads", "camera", json=other).get_json()["hold"]

    def send(event: str, moment: str, who: str = "camera", **changed: Any) -> Any:
        sent = {
            "event_id": event,
            "moment": moment,
            "at": site.clock.now().isoformat(),
            "frame": base64.b64encode(jpeg()).decode(),
            "outline": [[2, 2], [60, 2], [60, 40]],
            **changed,
        }
        return site.post(f"/api/v1/bays/{bay}/frames", who, json=sent)

    first = send("r1", "entering")
    assert first.status_code == 200, first.get_json()
    assert send("r1", "entering").get_json() == first.get_json()
    for event, moment in (("r1", "parked"), ("r2", "parked")):
        assert send(event, moment).status_code == 200
    assert send("r9", "parked").status_code == 404
    assert send("r1", "parked", "integration").status_code == 404
    assert send("r1", "parked", "integration-west").status_code == 403
    assert send("r1", "leaving", frame=base64.b64encode(b"x").decode()).status_code == 422
    assert send("r1", "leaving", at="2020-01-01T00:00:00Z").status_code == 422
    with site.wiring.database.unit_of_work() as uow:
        stay = stays.find(uow.connection, ParkingSessionId(UUID(told["session_id"])))
        assert stay is not None
        hide_others(uow, UUID(first.get_json()["frame_id"]))
        seen = [
            [each.moment for each in photos_of_stay(uow, stay, by_driver=own)]
            for own in (False, True)
        ]
        driver = person("driver-1", Role.DRIVER)
        foreign = photos_of_stay(uow, stay, by_driver=False)[2].id
        with pytest.raises(NotFound):
            view_photo(uow, driver, stay, foreign, by_driver=True)
    assert seen == [["entering", "parked", "parked"], ["entering", "parked"]]
    path = f"/api/v1/sessions/{told['session_id']}/photos"
    (shown, *_) = site.get(path, "operator").get_json()["items"]
    assert (shown["moment"], shown["state"]) == ("entering", "hidden")
    picture = site.get(f"{path}/{shown['id']}/picture", "operator")
    drawn = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    blue, _, red = drawn[2, 30].tolist()
    assert red > blue + 60, "the bay's line is yellow"
