"""Priority over HTTP: a registered device asks, people read who asked and what was done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from city.people.credentials import issue_token
from tests.web.test_signal_plans_api import imported

if TYPE_CHECKING:
    from tests.web.small_site import Site


def asking(site: Site, subject: str = "avl-1") -> str:
    """Register a fleet's device, with a credential; give the network's address."""
    home = f"/api/v1/signal-networks/{imported(site)}"
    made = site.post(
        f"{home}/priority-askers", "engineer", json={"subject": subject, "kinds": ["bus"]}
    )
    assert made.status_code == 201, made.get_json()
    with site.wiring.database.unit_of_work() as uow:
        site.tokens[subject] = issue_token(uow, "device", subject)
    return home


def row(told: str = "check_in", **given: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    made: dict[str, Any] = {
        "told": told,
        "signal": "crossroads",
        "vehicle": "12-1",
        "at": now.isoformat(),
    }
    if told == "check_in":
        made |= {
            "kind": "bus",
            "group": "south-through",
            "arrives_at": (now + timedelta(seconds=25)).isoformat(),
            "lateness_s": 140.0,
            "passengers": 31,
        }
    return made | given


def tell(site: Site, *rows: dict[str, Any], who: str = "avl-1") -> Any:
    answer = site.post("/api/v1/signal-requests", who, json={"requests": list(rows)})
    assert answer.status_code == 202, answer.get_json()
    return answer.get_json()


def test_a_vehicle_asks_says_it_better_and_passes(site: Site) -> None:
    home = asking(site)
    said = tell(site, row(), row(vehicle="9", kind="emergency"), row(vehicle="8", signal="J99"))
    assert said["accepted"] == 1
    assert [(each["index"], each["reason"]) for each in said["rejected"]] == [
        (1, "not_granted"),
        (2, "unknown_signal"),
    ]
    tell(site, row(lateness_s=200.0))
    found = site.get(f"{home}/priority-requests?state=open", "operator").get_json()
    (asked,) = found["items"]
    assert (asked["vehicle"], asked["state"], asked["lateness_s"]) == ("12-1", "coming", 200.0)
    assert (asked["act"], asked["gained_s"]) == (None, None)
    assert tell(site, row("check_out"))["accepted"] == 1
    assert tell(site, row("check_out"))["rejected"][0]["reason"] == "nobody"
    assert site.get(f"{home}/priority-requests?state=open", "auditor").get_json()["items"] == []
    (asked,) = site.get(f"{home}/priority-requests?signal=crossroads", "engineer").get_json()[
        "items"
    ]
    assert asked["state"] == "passed"
    (effect,) = site.get(f"{home}/priority-effect", "operator").get_json()["items"]
    assert (effect["asked"], effect["passed"], effect["served"]) == (1, 1, 0)
    assert effect["gained_s"] is None
    orders = site.get(f"{home}/signals/crossroads/priority-orders", "operator").get_json()
    assert orders["items"] == []


def test_only_a_registered_device_asks_and_only_until_it_is_removed(site: Site) -> None:
    home = asking(site)
    for who in ("device", "engineer"):
        answer = site.post("/api/v1/signal-requests", who, json={"requests": [row()]})
        assert answer.status_code == 403
    plate = site.post(
        "/api/v1/signal-requests", "avl-1", json={"requests": [row(vehicle="京A12345")]}
    )
    assert plate.status_code == 422
    tell(site, row())
    (asker,) = site.get(f"{home}/priority-askers", "auditor").get_json()["items"]
    assert (asker["subject"], asker["kinds"]) == ("avl-1", ["bus"])
    gone = site.post(f"{home}/priority-askers/{asker['id']}/removal", "engineer", json={})
    assert gone.status_code == 200
    answer = site.post("/api/v1/signal-requests", "avl-1", json={"requests": [row()]})
    assert answer.status_code == 403
    assert site.get(f"{home}/priority-requests?state=open", "auditor").get_json()["items"] == []
