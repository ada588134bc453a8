"""Work orders over HTTP: raised, taken, done with a photo, looked over by another; the policy."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from city.people import services as people
from city.people.actors import system_actor
from city.people.roles import Role
from signals.rules.live.alarms import Code, Level, Sign
from signals.store import alarms as alarm_store
from tests.web.small_site import UNKNOWN_ID
from tests.web.test_signal_plans_api import imported

if TYPE_CHECKING:
    from tests.web.small_site import Site

HOME = "/api/v1/signal-work-orders"
JPEG = b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9"


def second(site: Site) -> None:
    """Give a second maintainer a token."""
    by = system_actor("test")
    with site.wiring.database.unit_of_work() as uow:
        account = people.create_account(
            uow, "second", "Second", [Role.MAINTAINER], "a long password 1", by=by
        )
        tokens = people.issue_tokens(uow, "api", [str(account)], [Role.MAINTAINER], by=by)
        site.tokens["second"] = tokens[str(account)]


def raised(site: Site, who: str = "operator", **more: Any) -> Any:
    body = {
        "network_id": imported(site),
        "signal": "crossroads",
        "kind": "lamp",
        "priority": "urgent",
        "what": "red lamp out",
    } | more
    answer = site.post(HOME, who, json=body)
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def test_work_is_raised_taken_done_with_a_photo_and_looked_over_by_another(site: Site) -> None:
    second(site)
    made = raised(site)
    one = f"{HOME}/{made['id']}"
    assert (made["state"], made["acts"], made["overdue_s"]) == ("open", ["note"], 0)
    assert site.get(one, "maintainer").get_json()["acts"] == ["take", "note"]

    def act(who: str, deed: str, **more: Any) -> Any:
        return site.post(f"{one}/acts", who, json={"act": deed, **more})

    assert act("operator", "take").status_code == 403
    assert act("maintainer", "done", words="too soon").status_code == 409
    taken = act("maintainer", "take").get_json()
    assert (taken["state"], taken["mine"]) == ("taken", True)
    sent = {"photo": base64.b64encode(JPEG).decode(), "words": "the old lamp"}
    photo = site.post(f"{one}/photos", "maintainer", json=sent)
    assert photo.status_code == 201, photo.get_json()
    sha256 = photo.get_json()["entries"][-1]["photo"]
    shown = site.get(f"{one}/photos/{sha256}", "auditor")
    assert (shown.data, shown.content_type) == (JPEG, "image/jpeg")
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert act("second", "done", words="mine").status_code == 403
    assert act("maintainer", "done").status_code == 422
    done = act("maintainer", "done", words="a new lamp").get_json()
    assert (done["state"], "check" in done["acts"]) == ("done", False)
    assert act("maintainer", "check").status_code == 403
    over = act("second", "check").get_json()
    assert (over["state"], over["due_at"], over["acts"]) == ("checked", None, [])
    assert [each["what"] for each in over["entries"]] == [
        "raised", "take", "photo", "done", "check",
    ]  # fmt: skip
    listed = site.get(f"{HOME}?view=over", "auditor").get_json()
    assert [each["id"] for each in listed["items"]] == [made["id"]]
    assert listed["counts"]["open"] == 0
    records = site.get(f"/api/v1/audit?subject_id={made['id']}", "auditor").get_json()["items"]
    assert {each["action"] for each in records} == {
        "signals.work_raised", "signals.work_take", "signals.work_photo_kept",
        "signals.work_photo_seen", "signals.work_done", "signals.work_check",
    }  # fmt: skip


def test_an_alarm_raises_its_work_in_one_click_and_once(site: Site) -> None:
    network_id = imported(site)
    with site.wiring.database.unit_of_work() as uow:
        found = site.get("/api/v1/signal-networks", "engineer").get_json()["items"][0]
        assert found["id"] == network_id
        now = uow.wall.now()
        sign = Sign("crossroads", Code.DETECTOR_SILENT, "7", Level.BAD, 90, 0, now)
        (alarm_id,) = alarm_store.raise_(uow.connection, found["id"], [sign], now)
    body = {"alarm_id": str(alarm_id)}
    made = site.post(HOME, "engineer", json=body).get_json()
    again = site.post(HOME, "operator", json=body).get_json()
    assert (again["id"], again["origin"], again["fault"]["open"]) == (made["id"], "alarm", True)
    assert "7" in made["what"]["zh"]
    assert site.post(HOME, "engineer", json=body | {"what": "other"}).status_code == 422
    assert site.post(HOME, "engineer", json={"what": "alone"}).status_code == 422
    assert site.post(HOME, "engineer", json={"alarm_id": UNKNOWN_ID}).status_code == 404
    workers = site.get("/api/v1/signal-workers", "engineer").get_json()["items"]
    chosen = next(each for each in workers if "maintainer" in each["name"].lower())
    given = {"act": "assign", "assignee": chosen["id"]}
    site.post(f"{HOME}/{made['id']}/acts", "engineer", json=given)
    mine = site.get(f"{HOME}?mine=true&network_id={network_id}", "maintainer").get_json()["items"]
    assert [each["id"] for each in mine] == [made["id"]]


def test_deadlines_are_data_in_versions(site: Site) -> None:
    path = "/api/v1/signal-work-policy"
    known = site.get(path, "maintainer").get_json()
    assert (known["number"], known["limits"]["urgent"]["respond_min"]) == (0, 30)
    limits = known["limits"] | {"urgent": {"respond_min": 5, "mend_min": 60, "check_min": 60}}
    body = {"number": 0, "reason": "contract", "limits": limits, "lasting": known["lasting"]}
    made = site.call("PUT", path, "engineer", json=body).get_json()
    assert (made["number"], made["limits"]["urgent"]["respond_min"]) == (1, 5)
    assert site.call("PUT", path, "administrator", json=body).status_code == 409
    missing = body | {"number": 1, "limits": {"urgent": limits["urgent"]}}
    assert site.call("PUT", path, "engineer", json=missing).status_code == 422
    unknown = body | {"number": 1, "lasting": {"no_such_alarm": known["lasting"]["flashing"]}}
    assert site.call("PUT", path, "engineer", json=unknown).status_code == 422
