"""Frames of lanes over HTTP: kept sealed, hidden by a job, seen on record, forgotten by policy."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from sqlalchemy import text

from city.vehicles import PlateKind, parse_plate
from lpr.services import evidence
from tests.web.lane_site import PLATE, Gates, open_gates
from web.demo.lane_frames import drawn

if TYPE_CHECKING:
    from tests.web.small_site import Site


@pytest.fixture
def gates(site: Site) -> Gates:
    return open_gates(site)


def sees(gates: Gates, event: str = "c1", **members: Any) -> dict[str, Any]:
    content, corners = drawn(parse_plate(PLATE, PlateKind.BLUE7), 3)
    now = gates.site.clock.now().isoformat()
    body = {
        "event_id": event,
        "at": now,
        "sent_at": now,
        "plate": PLATE,
        "plate_kind": "blue7",
        "frame": base64.b64encode(content).decode(),
        "corners": corners,
        **members,
    }
    answer = gates.site.post(f"/api/v1/lanes/{gates.entry.lane_id}/reads", "entry-1", json=body)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def looks(gates: Gates) -> list[dict[str, Any]]:
    path = "/api/v1/audit?action=lpr.frame_viewed"
    found: list[dict[str, Any]] = gates.site.get(path, "auditor").get_json()["items"]
    return found


def test_a_frame_is_seen_once_others_are_hidden_and_each_look_is_on_record(gates: Gates) -> None:
    site = gates.site
    read_id = sees(gates)["read_id"]
    path = f"/api/v1/reads/{read_id}/picture"
    early = site.get(path, "attendant")
    assert (early.status_code, early.get_json()["reason"]) == (409, "raw")
    assert looks(gates) == []
    site.run_jobs()
    for part, who in (("frame", "attendant"), ("crop", "auditor")):
        seen = site.get(f"{path}?part={part}", who)
        assert (seen.status_code, seen.content_type) == (200, "image/jpeg")
        assert "no-store" in seen.headers["Cache-Control"]
        picture = cv2.imdecode(np.frombuffer(seen.data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
    assert [each["detail"]["part"] for each in looks(gates)] == ["crop", "frame"]
    for who, status in (("finance", 403), ("attendant-west", 404)):
        assert site.get(path, who).status_code == status
    with site.wiring.database.read() as connection:
        kept = connection.execute(text("select count(*) from vault.picture")).scalar_one()
    assert kept == 2, "the picture as it came is forgotten"


def test_pictures_are_forgotten_when_their_time_is_over_unclear_ones_later(gates: Gates) -> None:
    site = gates.site
    sure, unsure = sees(gates), sees(gates, "c2", confidences=[0.99] * 6 + [0.7])
    site.run_jobs()
    site.clock.advance(31 * 86400)
    with site.wiring.database.unit_of_work() as uow:
        assert evidence.forget_frames(uow) == 1
    assert site.get(f"/api/v1/reads/{sure['read_id']}/picture", "operator").status_code == 404
    assert site.get(f"/api/v1/reads/{unsure['read_id']}/picture", "operator").status_code == 200
    site.clock.advance(60 * 86400)
    with site.wiring.database.unit_of_work() as uow:
        assert evidence.forget_frames(uow) == 1
        assert evidence.forget_frames(uow) == 0
    with site.wiring.database.read() as connection:
        assert connection.execute(text("select count(*) from vault.picture")).scalar_one() == 0


def test_the_photo_of_a_lift_stands_beside_the_act(gates: Gates) -> None:
    site, entry = gates.site, gates.entry
    entry.arrives(None)
    path = f"/api/v1/lanes/{entry.lane_id}"
    act = site.post(f"{path}/acts", "attendant", json={"kind": "lift", "reason": "fault"})
    content, _ = drawn(None, 1)
    now = site.clock.now().isoformat()
    body = {
        "event_id": "p1",
        "at": now,
        "sent_at": now,
        "order_id": act.get_json()["photo_order_id"],
        "frame": base64.b64encode(content).decode(),
    }
    sent = site.post(f"{path}/photos", "entry-1", json=body)
    assert sent.status_code == 200, sent.get_json()
    assert site.post(f"{path}/photos", "entry-1", json=body).get_json() == sent.get_json()
    assert site.post(f"{path}/photos", "exit-1", json=body).status_code == 403
    (shown,) = site.get(f"{path}/acts", "operator").get_json()["items"]
    assert shown["frame_id"] == sent.get_json()["frame_id"]
    site.run_jobs()
    assert site.get(f"/api/v1/frames/{shown['frame_id']}/picture", "operator").status_code == 200


def test_what_is_no_picture_is_refused_or_marked_and_the_lane_goes_on(gates: Gates) -> None:
    site = gates.site
    now = site.clock.now().isoformat()
    body = {"event_id": "x", "at": now, "sent_at": now, "plate": PLATE, "plate_kind": "blue7"}
    path = f"/api/v1/lanes/{gates.entry.lane_id}/reads"
    for frame in ("bm9uc2Vuc2U=", "not base64!", ""):
        refused = site.post(path, "entry-1", json={**body, "frame": frame})
        assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "frame")
    damaged = base64.b64encode(b"\xff\xd8\xff" + bytes(500)).decode()
    taken = site.post(path, "entry-1", json={**body, "frame": damaged})
    assert taken.status_code == 200
    site.run_jobs()
    picture = f"/api/v1/reads/{taken.get_json()['read_id']}/picture"
    assert site.get(picture, "operator").status_code == 404
