"""Pictures of acts over HTTP: after their act, in parts, whole by their hash, shown on record."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import cv2
import numpy as np
from sqlalchemy import text

from journeys.keep_act_photos import forget_partial
from lpr.services.evidence import hide_others
from tests.web.test_terminal_acts import Pda

if TYPE_CHECKING:
    from tests.web.small_site import Site

PHOTOS = "/api/v1/terminals/photos"
PART = 20_000
DAY_S = 86_400


def jpeg(seed: int = 7) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), np.uint8)
    coded: bytes = cv2.imencode(".jpg", noise)[1].tobytes()
    return coded


def exempted(pda: Pda, content: bytes) -> dict[str, Any]:
    """Note a vehicle and free its stay, with a picture that has not left the device."""
    photo = {"photo_id": str(uuid4()), "photo_sha256": hashlib.sha256(content).hexdigest()}
    here = str(pda.site.bays[0].id)
    noted = pda.plate()
    freed = pda.act("exempt", bay_id=here, exempt="disabled-permit", **photo)
    assert [each["result"] for each in pda.send(noted, freed)] == ["created", "created"]
    return freed


def send(pda: Pda, act: dict[str, Any], content: bytes, from_byte: int, count: int = PART) -> Any:
    part = content[from_byte : from_byte + count]
    body = {
        "photo_id": act["photo_id"],
        "act_id": act["id"],
        "bytes": len(content),
        "from_byte": from_byte,
        "part": base64.b64encode(part).decode(),
    }
    return pda.handheld.post(PHOTOS, body)


def shown(site: Site) -> tuple[str, list[dict[str, Any]]]:
    (session,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    path = f"/api/v1/sessions/{session['id']}/photos"
    return path, site.get(path, "attendant").get_json()["items"]


def test_a_picture_comes_in_parts_again_and_again_and_is_shown_with_the_stay(site: Site) -> None:
    pda, content = Pda(site), jpeg()
    act = exempted(pda, content)
    path, (awaited,) = shown(site)
    assert (awaited["state"], awaited["sha256"]) == ("awaited", act["photo_sha256"])
    assert send(pda, act, content, 0).get_json() == {"received": PART, "whole": False}
    # The answer was lost: the same part is told where it stands.
    again = send(pda, act, content, 0)
    assert (again.status_code, again.get_json()["received"]) == (409, PART)
    for from_byte in range(PART, len(content), PART):
        last = send(pda, act, content, from_byte).get_json()
    assert last == {"received": len(content), "whole": True}
    assert send(pda, act, content, 0).get_json()["whole"]
    _, (raw,) = shown(site)
    assert raw["state"] == "raw"
    picture = f"{path}/{act['photo_id']}/picture"
    assert site.get(picture, "attendant").status_code == 409
    with site.wiring.database.unit_of_work() as uow:
        frame_id = uow.connection.execute(text("select id from lpr.frame")).scalar_one()
        hide_others(uow, frame_id)
    answer = site.get(picture, "operator")
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    assert site.get(picture, "finance").status_code == 403
    assert site.get(picture, "driver").status_code == 404
    with site.wiring.database.read() as connection:
        looks = connection.execute(
            text("select count(*) from audit.record where action = 'lpr.frame_viewed'")
        ).scalar_one()
        left = connection.execute(text("select count(*) from terminals.act_photo_part"))
        assert (looks, left.scalar_one()) == (1, 0)


def test_what_is_not_what_the_act_named_is_forgotten_and_comes_again(site: Site) -> None:
    pda, content = Pda(site), jpeg()
    act = exempted(pda, content)
    other = jpeg(8)[: len(content)].ljust(len(content), b"\0")
    assert send(pda, act, other, 0, 200_000).get_json() == {"received": 0, "whole": False}
    assert send(pda, act, content, 0, 200_000).get_json()["whole"]


def test_pictures_follow_their_acts_and_acts_name_them(site: Site) -> None:
    pda, content = Pda(site), jpeg()
    act = exempted(pda, content)
    unknown = send(pda, {**act, "id": str(uuid4())}, content, 0)
    assert (unknown.status_code, unknown.get_json()["reason"]) == (404, "act")
    unnamed = send(pda, {**act, "photo_id": str(uuid4())}, content, 0)
    assert unnamed.status_code == 422
    # Another terminal's act is nobody else's to show.
    assert send(Pda(site, "operator"), act, content, 0).status_code == 404


def awaited(site: Site, who: str = "operator") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.get("/api/v1/supervision", who).get_json()["photos"]
    return found


def told(pda: Pda) -> list[str]:
    """Give the pictures that the terminal is told it owes."""
    health = {"app_version": "1", "acts_waiting": 0}
    found: list[str] = pda.handheld.post("/api/v1/terminals/health", health).get_json()[
        "awaited_photos"
    ]
    return found


def test_a_picture_that_does_not_come_is_told_to_the_supervisor_and_the_device(site: Site) -> None:
    pda, content = Pda(site), jpeg()
    act = exempted(pda, content)
    assert (told(pda), awaited(site)) == ([act["photo_id"]], [])  # it may be on its way
    site.clock.advance(1_801)
    send(pda, act, content, 0)
    (late,) = awaited(site)
    (session,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    assert (late["kind"], late["session_id"]) == ("exempt", session["id"])
    assert (late["bay_label"], late["name"]) == ("A0", "attendant")
    assert late["part_bytes"] == PART
    assert awaited(site, "operator-west") == []
    send(pda, act, content, PART, 200_000)
    assert (told(pda), awaited(site)) == ([], [])


def test_a_supervisor_says_why_a_picture_is_awaited_no_more(site: Site) -> None:
    pda, content = Pda(site), jpeg()
    act = exempted(pda, content)
    site.clock.advance(1_801)
    path = f"/api/v1/terminals/photos/{act['photo_id']}/given-up"
    reason = {"reason": "the handheld fell into the river"}
    assert site.post(path, "operator-west", json=reason).status_code == 404
    assert site.post(path, "operator", json=reason).status_code == 200
    assert (told(pda), awaited(site)) == ([], [])
    assert site.post(path, "operator", json=reason).status_code == 404
    # Found after all: it is kept as any other.
    assert send(pda, act, content, 0, 200_000).get_json()["whole"]


def test_what_never_became_whole_is_forgotten(site: Site) -> None:
    pda, content = Pda(site), jpeg()
    send(pda, exempted(pda, content), content, 0)
    site.clock.advance(31 * DAY_S)
    with site.wiring.database.unit_of_work() as uow:
        assert forget_partial(uow) == 1
        for table in ("terminals.act_photo", "terminals.act_photo_part", "vault.picture"):
            left = uow.connection.execute(text(f"select count(*) from {table}"))  # noqa: S608 - the test's own names
            assert left.scalar_one() == 0
