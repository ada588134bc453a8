"""A tariff from draft to street over HTTP: four eyes, simulation, notice, and who may do what."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.web.small_site import NINE, TARIFF, UNKNOWN_ID

if TYPE_CHECKING:
    from tests.web.small_site import Site

PRICE = ("schedules", 0, "bands", 0, "charge", "steps", 0, "price_minor")
MONTH = {
    "from_at": (NINE - timedelta(days=10)).isoformat(),
    "to_at": (NINE + timedelta(days=10)).isoformat(),
}


def dearer(minor: int = 400) -> dict[str, Any]:
    document = copy.deepcopy(TARIFF)
    place: Any = document
    for step in PRICE[:-1]:
        place = place[step]
    place[PRICE[-1]] = minor
    return document


def drafted(site: Site, document: dict[str, Any], who: str = "operator", **more: Any) -> Any:
    body = {"document": document, **more}
    answer = site.post("/api/v1/tariffs/riverside/versions", who, json=body)
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def act(site: Site, version: Any, verb: str, who: str, **body: Any) -> Any:
    return site.post(f"/api/v1/tariff-versions/{version['id']}/{verb}", who, json=body)


def simulated(site: Site, version: Any) -> Any:
    asked = act(site, version, "simulations", "operator", **MONTH)
    assert asked.status_code == 202
    assert asked.get_json()["status"] == "waiting"
    site.run_jobs()
    answer = site.get(f"/api/v1/tariff-simulations/{asked.get_json()['id']}", "finance").get_json()
    assert answer["status"] == "done", answer["problem"]
    return answer["result"]


def actions(site: Site, version: Any) -> list[str]:
    records = site.get(f"/api/v1/audit?subject_id={version['id']}", "auditor").get_json()["items"]
    return [each["action"] for each in reversed(records)]


def test_a_draft_goes_to_the_street_by_two_peoples_hands(site: Site) -> None:
    version = drafted(site, dearer(), note="更新价格 / new prices")
    assert (version["status"], version["version"], version["revision"]) == ("draft", 2, 1)
    simulated(site, version)
    approved = act(site, version, "approval", "finance", revision=1)
    assert approved.get_json()["status"] == "approved"
    valid_from = site.clock.now() + timedelta(days=8)
    published = act(
        site, version, "publication", "operator", valid_from=valid_from.isoformat()
    ).get_json()
    assert published["status"] == "published"
    assert actions(site, version) == [
        "parking.tariff_drafted",
        "parking.tariff_simulation_asked",
        "parking.tariff_approved",
        "parking.tariff_published",
    ]

    def price(days: float) -> int:
        enter_at = site.clock.now() + timedelta(days=days)
        stay = {
            "facility_id": str(site.facility.id),
            "enter_at": enter_at.isoformat(),
            "leave_at": (enter_at + timedelta(minutes=30)).isoformat(),
        }
        total: int = site.post("/api/v1/quotes", json=stay).get_json()["total"]["minor"]
        return total

    assert (price(7), price(9)) == (300, 400)


def test_nobody_approves_what_they_wrote_or_edited(site: Site) -> None:
    version = drafted(site, dearer(), "administrator")
    simulated(site, version)
    own = act(site, version, "approval", "administrator", revision=1)
    assert (own.status_code, own.get_json()["reason"]) == (403, "four-eyes")
    edit = {"document": dearer(500), "revision": 1}
    path = f"/api/v1/tariff-versions/{version['id']}"
    assert site.call("PUT", path, "finance", json=edit).get_json()["revision"] == 2
    assert act(site, version, "approval", "finance", revision=2).status_code == 403


def test_the_database_itself_refuses_one_pair_of_eyes(site: Site) -> None:
    version = drafted(site, dearer())
    with (
        pytest.raises(IntegrityError, match="four_eyes"),
        site.wiring.database.unit_of_work() as uow,
    ):
        uow.connection.execute(
            text(
                "update parking.tariff_version set status = 'approved', approved_at = now(),"
                " approved_by = drafted_by where id = :id"
            ),
            {"id": version["id"]},
        )


def test_a_draft_is_approved_only_as_it_was_simulated(site: Site) -> None:
    version = drafted(site, dearer())
    early = act(site, version, "approval", "finance", revision=1)
    assert early.status_code == 409
    assert early.get_json()["detail"] == (
        "revision: this revision has not been simulated on past stays yet"
    )
    simulated(site, version)
    path = f"/api/v1/tariff-versions/{version['id']}"
    edit = {"document": dearer(500), "revision": 1}
    assert site.call("PUT", path, "operator", json=edit).status_code == 200
    stale = site.call("PUT", path, "operator", json=edit)
    assert (stale.status_code, stale.get_json()["errors"][0]["field"]) == (409, "revision")
    assert act(site, version, "approval", "finance", revision=1).status_code == 409
    assert act(site, version, "approval", "finance", revision=2).status_code == 409
    simulated(site, version)
    assert act(site, version, "approval", "finance", revision=2).status_code == 200
    assert site.call("PUT", path, "operator", json={**edit, "revision": 2}).status_code == 409


def test_a_publication_keeps_the_notice_period(site: Site) -> None:
    version = drafted(site, dearer())
    now = site.clock.now()
    soon = {"valid_from": (now + timedelta(days=6)).isoformat()}
    assert act(site, version, "publication", "operator", **soon).status_code == 409
    simulated(site, version)
    act(site, version, "approval", "finance", revision=1)
    refused = act(site, version, "publication", "operator", **soon)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["field"] == "valid_from"
    notice = {"notice_s": 3600}
    for neither_or_both in ({}, {**soon, "valid_on": "2026-04-01"}):
        assert act(site, version, "publication", "operator", **neither_or_both).status_code == 422
    path = "/api/v1/tariffs/riverside/notice"
    assert site.call("PUT", path, "operator", json=notice).status_code == 403
    assert site.call("PUT", path, "administrator", json=notice).get_json()["notice_s"] == 3600
    published = act(site, version, "publication", "operator", valid_on="2026-04-01").get_json()
    # midnight in Shanghai
    assert published["valid_from"] == "2026-03-31T16:00:00Z"


def test_what_is_in_force_cannot_be_withdrawn_and_what_is_announced_can(site: Site) -> None:
    (first,) = site.get("/api/v1/tariffs/riverside", "auditor").get_json()["items"]
    assert act(site, first, "withdrawal", "operator", reason="wrong").status_code == 409
    version = drafted(site, dearer())
    simulated(site, version)
    act(site, version, "approval", "finance", revision=1)
    valid_from = (site.clock.now() + timedelta(days=8)).isoformat()
    act(site, version, "publication", "operator", valid_from=valid_from)
    gone = act(site, version, "withdrawal", "operator", reason="the council said no").get_json()
    assert (gone["status"], gone["withdrawn_reason"]) == ("withdrawn", "the council said no")
    again = drafted(site, dearer(500))
    assert again["version"] == 3


def test_a_simulation_says_who_would_have_paid_more(site: Site) -> None:
    site.stay(minutes=61)
    site.stay(minutes=61, plate=None)
    version = drafted(site, dearer())
    result = simulated(site, version)
    # 61 minutes are three started half hours at 3.00, or at 4.00
    assert (result["stays"], result["before_minor"], result["after_minor"]) == (1, 900, 1200)
    assert (result["more"], result["same"], result["less"]) == (1, 0, 0)
    assert result["vehicles"] == {"more": 1, "same": 0, "less": 0}
    assert result["increase_minor"] == {"median": 300, "p90": 300, "largest": 300}
    assert result["groups"]["facility"][0]["key"] == "RV-1"
    assert result["unpriced"] == 0
    assert "京A12345" not in json.dumps(result, ensure_ascii=False)


def test_an_impossible_draft_names_the_field_in_the_document(site: Site) -> None:
    answer = site.post(
        "/api/v1/tariffs/riverside/versions", "operator", json={"document": dearer(-1)}
    )
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["field"] == "document.schedules[0].bands[0].charge.steps[0].price_minor"


def test_a_document_can_be_tried_without_keeping_it(site: Site) -> None:
    stays = [
        {"enter": "2026-03-02T09:00", "leave": "2026-03-02T10:01"},
        {"enter": "noon", "leave": "2026-03-02T10:01"},
        {"enter": "2026-03-02T09:00", "leave": "2026-03-02T10:00", "vehicle": "large"},
    ]
    body = {"document": dearer(), "stays": stays}
    answer = site.post("/api/v1/tariff-trials", "operator", json=body).get_json()
    assert answer["fault"] is None
    first, second, third = answer["quotes"]
    assert first["total"] == {"minor": 1200, "currency": "CNY"}
    assert first["lines"][0]["why"]["en"] == "3 started × 30 min at ¥4.00"
    assert second["fault"]["field"] == "enter"
    assert "no schedule for a large vehicle" in third["fault"]["detail"]
    wrong = site.post("/api/v1/tariff-trials", "operator", json={"document": {"name": 1}})
    assert wrong.get_json()["fault"]["field"] == "language"
    assert len(site.get("/api/v1/tariffs/riverside", "operator").get_json()["items"]) == 1


RULE = {
    "name": {"zh": "需求定价", "en": "demand rule"},
    "steps": [
        {"from_per_mille": 0, "change_minor": -100},
        {"from_per_mille": 600, "change_minor": 0},
        {"from_per_mille": 800, "change_minor": 100},
    ],
    "lowest_minor": 100,
    "highest_minor": 2000,
    "every_days": 28,
}


def test_a_demand_rule_proposes_a_draft_that_people_must_approve(site: Site) -> None:
    seen = {"schedule": "small", "band": "all", "occupied_s": 80, "open_s": 100}
    body = {"rule": RULE, "occupancies": [seen]}
    path = "/api/v1/tariffs/riverside/demand-proposals"
    answer = site.post(path, "operator", json=body).get_json()
    assert answer["changes"] == [
        {
            "schedule": "small",
            "band": "all",
            "occupancy_per_mille": 800,
            "before": {"minor": 600, "currency": "CNY"},
            "after": {"minor": 700, "currency": "CNY"},
        }
    ]
    version = answer["version"]
    assert (version["status"], version["origin"]) == ("draft", "demand_rule")
    detail = site.get(f"/api/v1/tariff-versions/{version['id']}", "finance").get_json()
    charge = detail["document"]["schedules"][0]["bands"][0]["charge"]
    assert charge["steps"] == [{"unit_s": 1800, "price_minor": 350}]
    simulated(site, version)
    assert act(site, version, "approval", "finance", revision=1).status_code == 200
    quiet = {**seen, "occupied_s": 70}
    unchanged = site.post(path, "operator", json={**body, "occupancies": [quiet]}).get_json()
    assert unchanged == {"version": None, "changes": []}
    wrong = site.post(path, "operator", json={**body, "rule": {**RULE, "every_days": 0}})
    assert wrong.get_json()["errors"][0]["field"] == "rule.every_days"


def test_whoever_is_limited_to_a_district_keeps_to_its_tariffs(site: Site) -> None:
    body = {"document": dearer()}
    answer = site.post("/api/v1/tariffs/riverside/versions", "operator-west", json=body)
    assert answer.status_code == 403
    assert (
        site.post("/api/v1/tariffs/west-only/versions", "operator-west", json=body).status_code
        == 201
    )


def test_a_repeated_draft_is_written_once(site: Site) -> None:
    path = "/api/v1/tariffs/riverside/versions"
    first = site.post(path, "operator", key="draft-1", json={"document": dearer()})
    second = site.post(path, "operator", key="draft-1", json={"document": dearer()})
    assert first.get_json()["id"] == second.get_json()["id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/tariffs/nowhere", 404),
        ("GET", "/api/v1/tariffs/%00", 404),
        ("GET", f"/api/v1/tariff-versions/{UNKNOWN_ID}", 404),
        ("GET", f"/api/v1/tariff-simulations/{UNKNOWN_ID}", 404),
        ("POST", "/api/v1/tariffs/Not%20A%20Code/versions", 422),
    ],
)
def test_what_is_not_there_is_said_to_be_missing(
    shared_site: Site, method: str, path: str, status: int
) -> None:
    body = {"document": dearer()} if method == "POST" else None
    assert shared_site.call(method, path, "operator", json=body).status_code == status


def test_the_language_is_served_to_editors(site: Site) -> None:
    answer = site.get("/api/v1/tariff-language", "operator").get_json()
    assert answer["json_schema"]["title"] == "TariffDocument"
    assert [
        each["code"] for each in site.get("/api/v1/tariffs", "finance").get_json()["items"]
    ] == ["riverside"]
