"""Escort routes over HTTP: for two cleared people and a convoy's device, and for nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from city.people import services as people
from city.people.actors import system_actor
from city.people.credentials import issue_token
from city.people.roles import Role
from tests.web.test_signal_plans_api import imported

if TYPE_CHECKING:
    from tests.web.small_site import Site

HOME = "/api/v1/signal-escorts"


def cleared(site: Site) -> None:
    """Give a second cleared person and a convoy's device their credentials."""
    by = system_actor("test")
    with site.wiring.database.unit_of_work() as uow:
        account = people.create_account(
            uow, "chief", "Chief", [Role.ESCORT], "a long password 1", by=by
        )
        tokens = people.issue_tokens(uow, "api", [str(account)], [Role.ESCORT], by=by)
        site.tokens["chief"] = tokens[str(account)]
        site.tokens["convoy-1"] = issue_token(uow, "device", "convoy-1")


def draft(site: Site, **given: Any) -> Any:
    body = {
        "network_id": imported(site),
        "name": "Guests",
        "start": [114.3, 30.59],
        "stops": [{"signal": "crossroads", "group": "east-through", "position": [114.305, 30.59]}],
        "subject": "convoy-1",
    } | given
    return site.post(HOME, "escort", json=body)


def test_a_route_is_drafted_approved_by_another_run_and_ended(site: Site) -> None:
    cleared(site)
    answer = draft(site)
    assert answer.status_code == 201, answer.get_json()
    made = answer.get_json()
    one = f"{HOME}/{made['id']}"
    assert (made["status"], made["mine"], made["junctions"]) == ("draft", True, 1)
    assert site.post(f"{one}/approval", "escort", json={}).status_code == 403
    assert site.post(f"{one}/start", "escort", json={}).status_code == 409
    assert site.post(f"{one}/approval", "chief", json={}).get_json()["status"] == "approved"
    assert site.post(f"{one}/start", "escort", json={}).get_json()["status"] == "running"
    now = datetime.now(UTC)
    told = {"at": now.isoformat(), "position": [114.301, 30.59], "speed_kph": 30.0}
    placed = site.post("/api/v1/escort-positions", "convoy-1", json=told)
    assert placed.status_code == 202, placed.get_json()
    assert placed.get_json() == {"on_route": True}
    away = {"at": (now + timedelta(seconds=1)).isoformat(), "position": [114.301, 30.7]}
    assert site.post("/api/v1/escort-positions", "convoy-1", json=away).get_json() == {
        "on_route": False
    }
    found = site.get(one, "chief").get_json()
    assert (found["known"], round(found["along_m"])) == (True, 96)
    (stop,) = found["stops"]
    assert (stop["state"], stop["along_m"]) == ("ahead", 478.6)
    # Nobody has heard the controller: it cannot be held, and the page says why.
    held = site.post(f"{one}/stops/0/hold", "escort", json={})
    assert held.status_code in {404, 503}
    assert site.post(f"{one}/end", "chief", json={}).get_json()["status"] == "over"
    log = site.get(one, "escort").get_json()
    assert [each["what"] for each in log["log"]] == [
        "drafted", "approved", "started", "off_route", "ended",
    ]  # fmt: skip
    assert log["log_broken_at"] is None
    assert site.post("/api/v1/escort-positions", "convoy-1", json=told).status_code == 403


def test_nobody_else_learns_of_a_route(site: Site) -> None:
    cleared(site)
    made = draft(site).get_json()
    for role in ("engineer", "operator", "auditor", "administrator"):
        assert site.get(HOME, role).status_code == 403
        assert site.get(f"{HOME}/{made['id']}", role).status_code == 403
    page = site.get(f"{HOME}?limit=1", "escort").get_json()
    assert [each["name"] for each in page["items"]] == ["Guests"]
    audit = site.get("/api/v1/audit", "auditor")
    assert audit.status_code == 200
    assert "Guests" not in audit.get_data(as_text=True)
    assert made["id"] not in audit.get_data(as_text=True)
    assert draft(site, stops=[]).status_code == 422
    assert draft(site, start=[114.3, 40.0]).status_code == 422
