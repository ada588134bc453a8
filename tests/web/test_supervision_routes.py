"""The street now, as its supervisors see it: people with their cash, terminals, tasks, times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeys.keep_patrol import keep_patrol
from tests.web.test_patrol_routes import PLATE, taken
from tests.web.test_terminal_acts import Pda

if TYPE_CHECKING:
    from tests.web.small_site import Site


def test_a_supervisor_is_told_who_is_there_and_how_fast_tasks_end(site: Site) -> None:
    begun = site.post(
        "/api/v1/shifts", "attendant", json={"district": "0153", "place": "Riverside Road"}
    ).get_json()
    session = taken(site)
    told = site.get("/api/v1/supervision", "operator").get_json()
    (task,) = told["tasks"]
    assert (task["kind"], task["bay_label"], task["session_id"]) == ("plate", "A0", session["id"])
    site.clock.advance(120)
    site.post(f"/api/v1/sessions/{session['id']}/vehicle", "attendant", json=PLATE)
    keep_patrol(site.wiring.database)
    told = site.get("/api/v1/supervision?hours=1", "operator").get_json()
    (person,) = told["people"]
    assert (person["shift_id"], person["place"]) == (begun["id"], "Riverside Road")
    assert person["carries"] == {"minor": 0, "currency": "CNY"}
    assert (person["tasks"], person["middle_s"]) == (1, 180.0)
    (plates,) = told["responses"]
    assert (plates["kind"], plates["arose"], plates["done"], plates["standing"]) == (
        "plate",
        1,
        1,
        0,
    )
    assert plates["done_s"] == [180.0, 180.0]
    assert told["tasks"] == []


def test_a_terminal_shows_where_it_last_was(site: Site) -> None:
    pda = Pda(site)
    health = {"app_version": "1", "acts_waiting": 0, "longitude": 120.1004, "latitude": 30.2}
    assert pda.handheld.post("/api/v1/terminals/health", health).status_code == 200
    (terminal,) = site.get("/api/v1/supervision", "auditor").get_json()["terminals"]
    assert (terminal["position"], terminal["signed_in"]) == ([120.1, 30.2], "attendant")


def test_another_districts_street_is_not_shown(site: Site) -> None:
    taken(site)
    Pda(site)
    site.post("/api/v1/shifts", "attendant", json={"district": "0153", "place": "A"})
    told = site.get("/api/v1/supervision", "operator-west").get_json()
    assert (told["people"], told["terminals"], told["tasks"], told["responses"]) == ([], [], [], [])
    assert site.get("/api/v1/supervision", "attendant").status_code == 403
