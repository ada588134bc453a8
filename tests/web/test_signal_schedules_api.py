"""Counts and schedules over HTTP: from a table to signals that follow the hours of a day."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from signals.services import lost_work, schedule_making, schedules
from tests.signals import counted
from tests.web.small_site import UNKNOWN_ID
from tests.web.test_signal_plans_api import drafted, imported, running

if TYPE_CHECKING:
    from tests.web.small_site import Site

MONDAY = dt.date(2026, 2, 2)
TABLE = counted.csv_of(
    row
    for row in counted.rows([MONDAY, MONDAY + dt.timedelta(days=1)], (3, 4, 7, 8))
    if row[4] == "straight"
).decode()


def counts(site: Site, network_id: str, who: str = "engineer", **body: Any) -> Any:
    return site.post(f"/api/v1/signal-networks/{network_id}/counts", who, json=body)


def asked(site: Site, network_id: str, **more: Any) -> Any:
    body = {
        "network_id": network_id, "title": "cross", "signals": ["crossroads"],
        "first": "2026-02-02", "last": "2026-02-08", "keep_stages": True, **more,
    }  # fmt: skip
    return site.post("/api/v1/signal-schedules", "engineer", json=body)


def act(site: Site, schedule: Any, verb: str, who: str, **body: Any) -> Any:
    return site.post(f"/api/v1/signal-schedules/{schedule['id']}/{verb}", who, json=body or None)


def detail(site: Site, schedule: Any, query: str = "") -> Any:
    return site.get(f"/api/v1/signal-schedules/{schedule['id']}{query}", "operator").get_json()


def test_bad_rows_come_back_and_good_ones_are_counted(site: Site) -> None:
    network_id = imported(site)
    bad = "crossroads,2026-02-02,06:00,N,left,-1,0,0\n"
    answer = counts(site, network_id, text=TABLE + bad)
    assert answer.status_code == 200, answer.get_json()
    found = answer.get_json()
    assert (found["rows"], found["taken"], found["refused"]) == (129, 128, 1)
    assert found["refusals"] == [
        {"row": 130, "junction": "crossroads", "field": "car", "why": "must not be negative"}
    ]
    # The same table once more takes the first one's place.
    counts(site, network_id, text=TABLE)
    there = site.get(f"/api/v1/signal-networks/{network_id}/counts", "auditor").get_json()
    assert there["signals"] == [
        {"signal": "crossroads", "movements": 4, "days": 2, "first": "2026-02-02",
         "last": "2026-02-03"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "must be given, or file"),
        ({"text": "junction,date\n"}, "start"),
        ({"file": base64.b64encode(b"PK\x03\x04").decode()}, "is no workbook"),
        ({"text": TABLE.splitlines()[0] + "\nelm,1,1,N,left,1,0,0\n"}, "no row can be used"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(site: Site, body: Any, said: str) -> None:
    answer = counts(site, imported(site), **body)
    assert answer.status_code == 422
    assert said in str(answer.get_json())


def test_the_template_is_a_workbook_with_the_networks_movements(site: Site) -> None:
    path = f"/api/v1/signal-networks/{imported(site)}/counts/template"
    book = site.get(f"{path}?language=zh", "operator")
    assert (book.status_code, book.data[:2]) == (200, b"PK")
    assert "counts.xlsx" in book.headers["Content-Disposition"]
    assert site.get(f"{path}?format=csv", "operator").data.startswith(b"\xef\xbb\xbfjunction,date")


def test_a_schedule_is_made_checked_approved_by_another_and_followed(site: Site) -> None:
    network_id = imported(site)
    assert asked(site, network_id).status_code == 422  # nobody counted
    counts(site, network_id, text=TABLE)
    schedule = asked(site, network_id).get_json()
    assert schedule["status"] == "waiting"
    assert act(site, schedule, "check", "engineer").status_code == 409
    schedule_making.run(site.wiring.database, UUID(schedule["id"]), apart=False)
    made = detail(site, schedule, "?first=2026-02-14&days=4")
    assert made["schedule"]["status"] == "draft", made["schedule"]["problem"]
    assert [(each["date"], each["kind"], each["like"]) for each in made["dates"]] == [
        ("2026-02-14", "make-up", "tue"),
        ("2026-02-15", "holiday", None),
        ("2026-02-16", "holiday", None),
        ("2026-02-17", "holiday", None),
    ]
    assert act(site, schedule, "check", "engineer").get_json()["status"] == "checked"
    assert act(site, schedule, "approval", "engineer").status_code == 403
    approved = act(site, schedule, "approval", "administrator").get_json()
    assert (approved["status"], approved["problem"]) == ("approved", None)
    # From Monday, 09:00, to Tuesday, 08:00; then Wednesday, 03:05, when fewer drive.
    site.clock.advance(23 * 3_600)
    entered = act(site, schedule, "entry", "engineer").get_json()
    assert (entered["status"], entered["problem"]) == ("in_force", None)
    versions = {each["version_id"]: each["name"] for each in detail(site, schedule)["plans"]}
    listed = site.get(f"/api/v1/signal-plans?network_id={network_id}", "engineer").get_json()
    assert {each["origin"] for each in listed["items"]} == {"schedule"}
    busy = running(site, network_id)["version_id"]
    site.clock.advance(19 * 3_600 + 300)
    schedules.follow(site.wiring.database)
    quiet = running(site, network_id)["version_id"]
    assert {busy, quiet} <= set(versions)
    assert busy != quiet
    # Nothing is switched again within the same part of the day.
    began = running(site, network_id)["from_at"]
    site.clock.advance(60)
    schedules.follow(site.wiring.database)
    assert running(site, network_id)["from_at"] == began
    # By hand nobody changes what the schedule would change back.
    plan = drafted(site, network_id)
    for verb, who in (("check", "engineer"), ("approval", "administrator")):
        path = f"/api/v1/signal-plans/{plan['id']}/{verb}"
        assert site.post(path, who, json={"revision": 1}).status_code == 200
    path = f"/api/v1/signal-plans/{plan['id']}/deployment"
    assert site.post(path, "engineer", json={"revision": 1}).status_code == 409
    ended = act(site, schedule, "end", "engineer", reason="rails").get_json()
    assert (ended["status"], ended["ended_reason"]) == ("ended", "rails")
    assert site.post(path, "engineer", json={"revision": 1}).status_code == 200
    with pytest.raises(IntegrityError), site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(text("update signals.schedule set document = '{}'"))


def test_a_schedule_whose_job_is_gone_fails_and_says_so(site: Site) -> None:
    network_id = imported(site)
    counts(site, network_id, text=TABLE)
    schedule = asked(site, network_id).get_json()
    assert lost_work.end_lost(site.wiring.database) == 0
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(text("update procrastinate_jobs set status = 'failed'"))
    assert lost_work.end_lost(site.wiring.database) == 1
    failed = detail(site, schedule)["schedule"]
    assert (failed["status"], failed["problem"]) == ("failed", lost_work.PROBLEM)


def test_what_is_asked_for_can_be_taken_back_and_bad_asks_name_their_field(site: Site) -> None:
    network_id = imported(site)
    counts(site, network_id, text=TABLE)
    for more, field in (
        ({"least_min": 20}, "least_min"),
        ({"last": "2027-02-08"}, "last"),
        ({"first": "2026-02-05"}, "signals"),
        ({"exceptions": [{"name": "fair", "first": "2026-05-01"}]}, "exceptions.0"),
    ):
        refused = asked(site, network_id, **more)
        assert refused.status_code == 422
        assert field in str(refused.get_json())
    assert asked(site, network_id, signals=["elm"]).status_code == 404
    schedule = asked(site, network_id).get_json()
    taken = act(site, schedule, "withdrawal", "engineer", reason="a mistake").get_json()
    assert taken["status"] == "withdrawn"
    schedule_making.run(site.wiring.database, UUID(schedule["id"]), apart=False)
    assert detail(site, schedule)["schedule"]["status"] == "withdrawn"
    listed = site.get(f"/api/v1/signal-schedules?network_id={network_id}", "auditor").get_json()
    assert [each["id"] for each in listed["items"]] == [schedule["id"]]
    assert site.get(f"/api/v1/signal-schedules/{UNKNOWN_ID}", "auditor").status_code == 404
