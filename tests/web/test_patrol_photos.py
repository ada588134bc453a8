"""Photos of rounds over HTTP: once, with the stay that called, hidden before anybody sees them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import text

from lpr.services.evidence import hide_others
from parking.rules.patrol import MOST_PHOTOS
from tests.web.test_act_photos import jpeg
from tests.web.test_patrol_routes import taken, tasks

if TYPE_CHECKING:
    from tests.web.small_site import Site


def put(site: Site, task: dict[str, Any], content: bytes, **how: Any) -> Any:
    who, photo_id = how.get("who", "inspector"), how.get("photo_id", uuid4())
    path = f"/api/v1/patrol/tasks/{task['id']}/photos/{photo_id}"
    body = {"taken_at": task["arose_at"], "photo": base64.b64encode(content).decode()}
    return site.call("PUT", path, who, json=body)


def test_a_photo_counts_once_and_stands_with_the_stay_that_called(site: Site) -> None:
    session = taken(site)
    (task,) = tasks(site, "inspector")
    photo_id = uuid4()
    first = put(site, task, jpeg(), photo_id=photo_id)
    assert first.status_code == 200, first.get_json()
    assert put(site, task, jpeg(), photo_id=photo_id).get_json() == first.get_json()
    other = put(site, task, jpeg(8), photo_id=photo_id)
    assert (other.status_code, other.get_json()["reason"]) == (409, "id-used")
    path = f"/api/v1/sessions/{session['id']}/photos"
    (shown,) = site.get(path, "inspector").get_json()["items"]
    assert (shown["id"], shown["act_id"], shown["state"]) == (str(photo_id), None, "raw")
    with site.wiring.database.unit_of_work() as uow:
        frame_id = uow.connection.execute(text("select id from lpr.frame")).scalar_one()
        hide_others(uow, frame_id)
    answer = site.get(f"{path}/{photo_id}/picture", "operator")
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")


def test_a_task_takes_some_photos_of_its_district_and_no_more(site: Site) -> None:
    taken(site)
    (task,) = tasks(site, "inspector")
    assert put(site, task, jpeg(), who="operator-west").status_code == 403
    assert put(site, task, b"no picture").status_code == 422
    assert put(site, {**task, "id": str(uuid4())}, jpeg()).status_code == 404
    for seed in range(MOST_PHOTOS):
        assert put(site, task, jpeg(seed)).status_code == 200
    full = put(site, task, jpeg(99))
    assert (full.status_code, full.get_json()["reason"]) == (409, "enough")
