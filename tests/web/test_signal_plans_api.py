"""Signal plans over HTTP, from an imported network to the street and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from signals.rules.life.parts import plan_json
from signals.services import lost_work, optimisations
from tests.signals import crossroads
from tests.web.small_site import UNKNOWN_ID

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import Database
    from tests.web.small_site import Site


def content(through_s: float = 28) -> str:
    network = crossroads.network()
    plan = crossroads.plan(crossroads.case_of(network), through_s)
    return json.dumps(crossroads.document() | {"plans": [plan_json(plan)]})


def imported(site: Site) -> str:
    body = {"code": "cross", "name": "十字路口 Crossroads", "content": content()}
    answer = site.post("/api/v1/signal-networks", "engineer", json=body)
    assert answer.status_code == 201, answer.get_json()
    network_id: str = answer.get_json()["id"]
    return network_id


def with_demand(site: Site, network_id: str, across_vph: float = 420) -> None:
    flows = [
        {
            "from_road": f"{arm}-in",
            "to_road": f"{crossroads.ARMS[(place + 2) % 4]}-out",
            "vph": 420 if place % 2 else across_vph,
        }
        for place, arm in enumerate(crossroads.ARMS)
    ]
    body = {"name": "morning", "source": "counted by hand", "flows": flows}
    answer = site.post(f"/api/v1/signal-networks/{network_id}/demands", "engineer", json=body)
    assert answer.status_code == 201, answer.get_json()


def drafted(site: Site, network_id: str, who: str = "engineer", **more: Any) -> Any:
    body = {"network_id": network_id, "title": "早高峰 / peak", "signals": ["crossroads"], **more}
    answer = site.post("/api/v1/signal-plans", who, json=body)
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def act(site: Site, plan: Any, verb: str, who: str, **body: Any) -> Any:
    path = f"/api/v1/signal-plans/{plan['id']}" + (f"/{verb}" if verb else "")
    return site.call("POST" if verb else "PUT", path, who, json=body)


def longer(site: Site, plan: Any, stage: int = 0, seconds: float = 4) -> Any:
    """Give the plan's document with a longer first green."""
    document = site.get(f"/api/v1/signal-plans/{plan['id']}", "engineer").get_json()["document"]
    document["plans"][0]["intervals"][stage]["duration_s"] += seconds
    document["plans"][0]["offset_s"] = 12
    return document


def running(site: Site, network_id: str) -> Any:
    detail = site.get(f"/api/v1/signal-networks/{network_id}", "operator").get_json()
    return detail["signals"][0]["running"]


def actions(site: Site, plan: Any) -> list[str]:
    records = site.get(f"/api/v1/audit?subject_id={plan['id']}", "auditor").get_json()["items"]
    return [each["action"].removeprefix("signals.plan_") for each in reversed(records)]


def test_a_plan_goes_to_the_street_by_two_peoples_hands_and_comes_back(site: Site) -> None:
    network_id = imported(site)
    with_demand(site, network_id)
    before = running(site, network_id)
    assert (before["origin"], before["offset_s"]) == ("found", 0)
    plan = drafted(site, network_id)
    edited = act(site, plan, "", "engineer", document=longer(site, plan), revision=1).get_json()
    assert (edited["status"], edited["revision"]) == ("draft", 2)
    assert act(site, plan, "deployment", "engineer", revision=2).status_code == 409
    checked = act(site, plan, "check", "engineer", revision=2).get_json()
    assert (checked["status"], checked["safe"]) == ("checked", True)
    assert checked["predicted"]["after_s"] > 0
    own = act(site, plan, "approval", "engineer", revision=2)
    assert (own.status_code, own.get_json()["reason"]) == (403, "four-eyes")
    approved = act(site, plan, "approval", "administrator", revision=2).get_json()
    assert approved["status"] == "approved"
    assert act(site, plan, "", "engineer", document={}, revision=2).status_code == 409
    deployed = act(site, plan, "deployment", "engineer", revision=2).get_json()
    assert deployed["status"] == "deployed"
    now = running(site, network_id)
    assert (now["origin"], now["version_id"], now["offset_s"]) == ("deployed", plan["id"], 12)
    assert now["change"]["method"] == "dwell"
    detail = site.get(f"/api/v1/signal-plans/{plan['id']}", "auditor").get_json()
    told = {(each["what"], each["before"], each["after"]) for each in detail["differences"]}
    cycle_s = before["cycle_s"]
    assert {("offset", 0, 12), ("cycle", cycle_s, cycle_s + 4)} <= told
    delay = {"mean_s": 30, "low_s": 28, "high_s": 32}
    measured = act(
        site,
        plan,
        "measurement",
        "engineer",
        source="simulation",
        before=delay,
        after=delay | {"low_s": 29},
        from_at="2026-03-02T01:00:00Z",
        until_at="2026-03-02T02:00:00Z",
    ).get_json()
    assert measured["status"] == "measured"
    reverted = act(
        site, plan, "decision", "engineer", decision="revert", reason="not better"
    ).get_json()
    assert reverted["status"] == "reverted"
    back = running(site, network_id)
    assert (back["origin"], back["offset_s"]) == ("restored", 0)
    again = act(site, plan, "decision", "engineer", decision="revert", reason="again")
    assert again.status_code == 409
    assert actions(site, plan) == [
        "drafted",
        "edited",
        "checked",
        "approved",
        "deployed",
        "measured",
        "reverted",
    ]


def test_stages_drawn_by_hand_become_a_plan_that_the_checker_judges(site: Site) -> None:
    network_id = imported(site)
    path = f"/api/v1/signal-networks/{network_id}/signals/crossroads/drawn-plans"
    four = [(sorted(each.groups), each.green_s) for each in crossroads.stages()]

    def drawn(*stages: tuple[list[str], float], who: str = "engineer") -> Any:
        body = {"stages": [{"groups": groups, "green_s": green_s} for groups, green_s in stages]}
        return site.post(path, who, json=body | {"offset_s": 5})

    def safe(answer: Any) -> bool:
        assert answer.status_code == 200, answer.get_json()
        body = {"network_id": network_id, "plans": [answer.get_json()["plan"]]}
        report = site.post("/api/v1/signal-trials", "engineer", json=body).get_json()["report"]
        return bool(report["safe"])

    plan = drawn(*four).get_json()["plan"]
    assert (plan["junction"], plan["offset_s"]) == ("crossroads", 5)
    assert safe(drawn(*four))
    # Those who cross each other are shown together if somebody draws it so, and it is told.
    assert not safe(drawn((four[0][0] + four[2][0], 30), four[1], four[3]))
    assert drawn(four[0], (["nobody"], 10)).status_code == 422
    assert drawn(four[0]).status_code == 422
    assert drawn(four[0], four[2], who="operator").status_code == 403


def test_an_unsafe_plan_stays_a_draft_with_its_report(site: Site) -> None:
    network_id = imported(site)
    plan = drafted(site, network_id)
    document = longer(site, plan, 0, -14)
    act(site, plan, "", "engineer", document=document, revision=1)
    checked = act(site, plan, "check", "engineer", revision=2).get_json()
    assert (checked["status"], checked["safe"]) == ("draft", False)
    detail = site.get(f"/api/v1/signal-plans/{plan['id']}", "engineer").get_json()
    assert "pedestrian-walk" in detail["report"]["counts"]
    assert act(site, plan, "approval", "administrator", revision=2).status_code == 409
    # Without traffic on record nothing is foretold.
    assert checked["predicted"] is None


def test_the_database_itself_lets_nothing_unchecked_or_unapproved_to_a_controller(
    site: Site,
) -> None:
    network_id = imported(site)
    plan = drafted(site, network_id)
    act(site, plan, "check", "engineer", revision=1)
    statements = {
        "four_eyes": "update signals.plan_version set status = 'approved', approved_revision = 1,"
        " approved_by = drafted_by where id = :id",
        "approved_as_it_stands": "update signals.plan_version set status = 'deployed'"
        " where id = :id",
        "silent_edit": "update signals.plan_version set document = '{}' where id = :id",
        "checked_and_approved": "insert into signals.running_plan (id, network_id, signal, origin,"
        " version_id, deployable, programme, from_at, until_at, set_by)"
        " select gen_random_uuid(), network_id, 'crossroads', 'deployed', id, true, '{}', now(),"
        " now(), 'x' from signals.plan_version where id = :id",
        "running_plan_has_its_origin": "insert into signals.running_plan (id, network_id, signal,"
        " origin, programme, from_at, until_at, set_by)"
        " select gen_random_uuid(), network_id, 'crossroads', 'restored', '{}', now(), now(), 'x'"
        " from signals.plan_version where id = :id",
    }
    for name, statement in statements.items():
        with (
            pytest.raises(IntegrityError, match=name),
            site.wiring.database.unit_of_work() as uow,
        ):
            uow.connection.execute(text(statement), {"id": plan["id"]})


def test_a_trial_answers_without_keeping_anything(site: Site) -> None:
    network_id = imported(site)
    with_demand(site, network_id)
    plan = drafted(site, network_id)
    plans = longer(site, plan)["plans"]
    body = {"network_id": network_id, "plans": plans}
    tried = site.post("/api/v1/signal-trials", "operator", json=body).get_json()
    assert tried["report"]["safe"] is True
    assert tried["outlooks"][0]["level"] in "ABCDEF"
    assert tried["outlooks"][0]["delay_s"] != tried["before"][0]["delay_s"]
    plans[0]["intervals"][0]["duration_s"] = 1
    assert site.post("/api/v1/signal-trials", "operator", json=body).get_json()["report"]["counts"]
    plans[0]["junction"] = "elsewhere"
    refused = site.post("/api/v1/signal-trials", "operator", json=body)
    assert refused.get_json()["errors"][0]["field"] == "plans.0.junction"
    one = {"network_id": network_id, "street": {"signals": ["crossroads", "crossroads"]}}
    assert site.post("/api/v1/signal-trials", "operator", json=one).status_code == 422


def test_an_optimisation_drafts_a_plan_for_its_asker_or_is_cancelled(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = optimisations.run
    monkeypatch.setattr(
        optimisations, "run", lambda database, key, **_: real(database, key, apart=False)
    )
    network_id = imported(site)
    body = {"network_id": network_id}
    assert site.post("/api/v1/signal-optimisations", "engineer", json=body).status_code == 409
    with_demand(site, network_id, 150)
    first = site.post("/api/v1/signal-optimisations", "engineer", json=body).get_json()
    path = f"/api/v1/signal-optimisations/{first['id']}"
    assert site.post(f"{path}/cancellation", "engineer").get_json()["status"] == "cancelled"
    second = site.post("/api/v1/signal-optimisations", "engineer", json=body).get_json()
    site.run_jobs()
    path = f"/api/v1/signal-optimisations/{second['id']}"
    done = site.get(path, "engineer").get_json()
    assert (done["status"], done["done"], done["total"]) == ("done", 1, 1)
    assert site.post(f"{path}/cancellation", "engineer").status_code == 409
    plan = {"id": done["version_id"]}
    checked = act(site, plan, "check", "engineer", revision=1).get_json()
    assert checked["safe"] is True
    assert checked["predicted"]["after_s"] < checked["predicted"]["before_s"]
    assert act(site, plan, "approval", "engineer", revision=1).status_code == 403


def test_an_optimisation_whose_worker_failed_too_often_ends_and_a_fresh_one_can_begin(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = optimisations.run

    def run_and_die(database: Database, key: UUID, **_: object) -> None:
        with monkeypatch.context() as inside:
            inside.setattr(optimisations, "_run", lambda *_, **__: 1 / 0)
            real(database, key, apart=False)

    monkeypatch.setattr(optimisations, "run", run_and_die)
    network_id = imported(site)
    with_demand(site, network_id)
    body = {"network_id": network_id}
    lost = site.post("/api/v1/signal-optimisations", "engineer", json=body).get_json()
    path = f"/api/v1/signal-optimisations/{lost['id']}"
    for _ in range(3):
        assert lost_work.end_lost(site.wiring.database) == 0  # its job is tried again
        with site.wiring.database.unit_of_work() as uow:
            uow.connection.execute(text("update procrastinate_jobs set scheduled_at = null"))
        site.run_jobs()
    assert site.get(path, "engineer").get_json()["status"] == "running"
    fresh = site.post("/api/v1/signal-optimisations", "engineer", json=body).get_json()
    assert lost_work.end_lost(site.wiring.database) == 1
    assert lost_work.end_lost(site.wiring.database) == 0
    ended = site.get(path, "engineer", headers={"Accept-Language": "zh"}).get_json()
    assert (ended["status"], ended["problem"]) == (
        "failed",
        "承担该任务的进程多次失败或中断：请重新提交",
    )
    assert ended["finished_at"] is not None
    detail = site.get(f"/api/v1/signal-networks/{network_id}", "operator").get_json()
    assert (detail["optimisation"]["id"], detail["optimisation"]["status"]) == (
        fresh["id"],
        "waiting",
    )


def test_a_drive_without_a_job_ends_and_the_version_can_be_driven_again(site: Site) -> None:
    network_id = imported(site)
    with_demand(site, network_id)
    plan = drafted(site, network_id)
    path = f"/api/v1/signal-plans/{plan['id']}/drives"
    body = {"revision": 1, "seeds": 2}
    lost = site.post(path, "engineer", json=body).get_json()
    assert site.post(path, "engineer", json=body).status_code == 409
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(text("update procrastinate_jobs set status = 'failed'"))
    assert lost_work.end_lost(site.wiring.database) == 1
    ended = site.get(f"/api/v1/signal-drives/{lost['id']}", "engineer").get_json()
    assert (ended["status"], ended["problem"]) == ("failed", lost_work.PROBLEM)
    assert site.post(path, "engineer", json=body).status_code == 202


def test_files_and_flows_that_do_not_fit_name_what_is_wrong(site: Site) -> None:
    path = "/api/v1/signal-networks"
    body = {"code": "cross", "name": "x", "content": "<net/>"}
    none = site.post(path, "engineer", json=body)
    assert (none.status_code, none.get_json()["errors"][0]["field"]) == (422, "content")
    network_id = imported(site)
    body["content"] = content(30)
    assert site.post(path, "engineer", json=body).get_json()["revision"] == 2
    flow = {"from_road": "south-in", "to_road": "moon", "vph": 3}
    demand = {"name": "x", "source": "x", "flows": [flow]}
    missing = site.post(f"{path}/{network_id}/demands", "engineer", json=demand)
    assert missing.get_json()["errors"][0]["field"] == "flows.0.to_road"
    assert site.get(f"{path}/{UNKNOWN_ID}", "operator").status_code == 404
    assert site.post(path, "operator", json=body).status_code == 403
    for kind, start in (("json", "{"), ("sumo", "<?xml")):
        file = site.get(f"{path}/{network_id}/file?format={kind}", "operator")
        assert file.get_data(as_text=True).startswith(start)
