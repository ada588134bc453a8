"""Arrears and the ledger over HTTP: each by its role, and on record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from journeys.chase_arrears import chase_arrears
from payments.adapters.local_post import LocalPost

if TYPE_CHECKING:
    from tests.web.small_site import Site

DAY_S = 86_400


def money(minor: int) -> dict[str, object]:
    return {"minor": minor, "currency": "CNY"}


def test_a_bill_is_chased_and_paid_in_parts_by_whom_it_may_concern(site: Site) -> None:
    session_id = site.stay()
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    path = f"/api/v1/bills/{bill['id']}"
    assert site.get(f"{path}/court-file", "finance").status_code == 409
    site.clock.advance(125 * DAY_S)
    database = site.wiring.database
    # The message finds no driver; the letter is kept.
    assert chase_arrears(database, LocalPost(database)) == 2
    assert chase_arrears(database, LocalPost(database)) == 0
    listed = site.get("/api/v1/arrears", "operator").get_json()
    assert [each["id"] for each in listed["items"]] == [bill["id"]]
    # The ledger has it among its arrears, moved by the same job.
    assert listed["debts"][0]["overdue"] == bill["amount"] == listed["in_ledger"][0]
    (line,) = site.rows("/api/v1/arrears/export", "operator")
    assert line["bill_id"] == bill["id"]
    assert int(line["outstanding_minor"]) == bill["amount"]["minor"]
    assert (line["plate"], bool(line["facility"])) == (bill["plate"]["text"], True)
    case = site.get(f"{path}/case", "auditor").get_json()
    assert [(each["medium"], each["state"]) for each in case["notices"]] == [
        ("letter", "delivered"),
        ("message", "failed"),
        ("slip", "waiting"),
    ]
    file = site.get(f"{path}/court-file", "finance").get_json()
    assert file["plate"]["text"] == "京A12345"
    assert file["stay"]["id"] == session_id
    assert [each["kind"] for each in file["ledger"]] == ["bill", "arrears"]
    owed = site.get(f"/api/v1/sessions/{session_id}/arrears", "attendant").get_json()
    (slip,) = owed["slips"]
    left = site.post(f"/api/v1/arrears/slips/{slip['id']}", "attendant", json={"where": "A1"})
    assert left.get_json()["state"] == "delivered"
    body = {"channel": "cash", "tendered": money(500), "part": money(300)}
    part = site.post(f"{path}/payments", "attendant", json=body, key="p1")
    assert (part.status_code, part.get_json()["change"]["minor"]) == (201, 200)
    lowered = {"amount": money(100), "reason": "the sign was covered"}
    assert site.post(f"{path}/adjustments", "attendant", json=lowered).status_code == 403
    assert site.post(f"{path}/adjustments", "operator", json=lowered).status_code == 201
    plate = {"plate": "京A12345", "kind": "blue7"}
    looked = site.post("/api/v1/arrears/lookups", "attendant", json=plate)
    rest = bill["amount"]["minor"] - 400
    assert looked.get_json()["total"] == [money(rest)]
    several = {"bills": [bill["id"]], "tendered": money(rest + 50)}
    done = site.post("/api/v1/arrears/payments", "attendant", json=several, key="s1")
    assert (done.status_code, done.get_json()["change"]) == (201, money(50))
    assert site.post("/api/v1/arrears/payments", "attendant", json=several).status_code == 409
    assert site.get(path, "finance").get_json()["state"] == "paid"
    for action in ("notice_sent", "court_file_drawn", "slip_left", "bill_adjusted", "cash_taken"):
        found = site.get(f"/api/v1/audit?action=payments.{action}", "auditor").get_json()
        assert found["items"], action


def test_a_figure_of_the_ledger_opens_its_postings_and_what_is_closed_stays(site: Site) -> None:
    site.stay()
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    accounts = site.get("/api/v1/ledger/accounts", "auditor").get_json()["items"]
    balances = {each["account"]: each["balances"][0]["minor"] for each in accounts}
    assert sum(balances.values()) == 0
    paged: list[str] = []
    following: str | None = ""
    while following is not None:
        asked = f"/api/v1/ledger/accounts?limit=1{following and '&cursor='}{following}"
        page = site.get(asked, "auditor").get_json()
        paged += [each["account"] for each in page["items"]]
        following = page["next"]
    assert paged == list(balances)
    name = next(each for each in balances if each.startswith("receivable:"))
    (line,) = site.get(f"/api/v1/ledger/postings?account={name}", "finance").get_json()["items"]
    assert line["amount"] == bill["amount"]
    entry = site.get(f"/api/v1/ledger/entries/{line['entry_id']}", "finance").get_json()
    assert (entry["bill_id"], len(entry["postings"])) == (bill["id"], 2)
    path, chinese = f"/api/v1/ledger/entries/{line['entry_id']}", {"Accept-Language": "zh-CN"}
    told = [site.get(path, "finance", headers=each).get_json()["reason"] for each in ({}, chinese)]
    assert told == ["bill issued", "开具账单"]
    assert site.get("/api/v1/ledger/accounts", "operator").status_code == 403
    now = site.clock.now()
    assert (
        site.post(
            "/api/v1/ledger/periods", "finance", json={"until_at": (now + timedelta(1)).isoformat()}
        ).get_json()["errors"][0]["field"]
        == "until_at"
    )
    until = {"until_at": now.isoformat()}
    assert site.post("/api/v1/ledger/periods", "finance", json=until).status_code == 201
    assert site.post("/api/v1/ledger/periods", "finance", json=until).status_code == 409
    again = site.get("/api/v1/ledger/accounts", "auditor").get_json()["items"]
    assert {each["account"]: each["balances"][0]["minor"] for each in again} == balances
    share = {"party": "operator", "parts": 9}
    contract = {
        "operator_id": str(site.facility.operator_id),
        "shares": [share, {"party": "platform", "holder": "greenbay", "parts": 1}],
    }
    assert site.post("/api/v1/contracts", "finance", json=contract).status_code == 201
    wrong = {**contract, "shares": [share, share]}
    assert site.post("/api/v1/contracts", "finance", json=wrong).status_code == 422
    policy = {
        "district": "0153",
        "days_to_pay": 15,
        "steps": [{"kind": "reminder", "days": 1, "media": ["message"]}],
        "source": "district notice 2026/3",
    }
    ruled = site.post("/api/v1/arrears/policies", "finance", json=policy)
    assert (ruled.status_code, ruled.get_json()["policy"]["days_to_pay"]) == (201, 15)
    policy["steps"] = [{"kind": "penalty", "days": 1}]
    assert site.post("/api/v1/arrears/policies", "finance", json=policy).status_code == 422
    asked = site.post(
        f"/api/v1/bills/{bill['id']}/write-offs", "finance", json={"reason": "moved abroad"}
    ).get_json()
    decision = f"/api/v1/write-offs/{asked['id']}/decision"
    assert site.post(decision, "finance", json={"approve": True}).status_code == 403
    done = site.post(decision, "administrator", json={"approve": True})
    assert (done.status_code, done.get_json()["state"]) == (200, "approved")
    (line,) = site.rows("/api/v1/write-offs/export?state=approved", "auditor")
    assert line["asked_by"] != line["decided_by"]
    assert site.rows("/api/v1/write-offs/export?state=asked", "auditor") == []
    assert site.get("/api/v1/write-offs/export", "operator").status_code == 403


def test_closed_periods_come_by_pages_and_as_a_file(site: Site) -> None:
    now = site.clock.now()
    first_until = {"until_at": now.isoformat()}
    assert site.post("/api/v1/ledger/periods", "finance", json=first_until).status_code == 201
    site.clock.advance(60)
    later = {"until_at": site.clock.now().isoformat()}
    assert site.post("/api/v1/ledger/periods", "finance", json=later).status_code == 201
    first = site.get("/api/v1/ledger/periods?limit=1", "auditor").get_json()
    rest = f"/api/v1/ledger/periods?limit=1&cursor={quote(first['next'])}"
    second = site.get(rest, "auditor").get_json()
    assert [each["until_at"] for each in (*first["items"], *second["items"])] == [
        site.clock.now().isoformat().replace("+00:00", "Z"),
        now.isoformat().replace("+00:00", "Z"),
    ]
    assert second["next"] is None
    closed = site.rows("/api/v1/ledger/periods/export", "auditor")
    assert [datetime.fromisoformat(each["until_at"]) for each in closed] == [site.clock.now(), now]


YES = {"approve": True}


def approved(site: Site, draft: Any) -> None:
    done = site.post(f"/api/v1/term-drafts/{draft['id']}/decision", "administrator", json=YES)
    assert (done.status_code, done.get_json()["state"]) == (200, "approved")


def test_what_one_person_proposes_holds_when_another_has_approved_it(site: Site) -> None:
    policy = {"days_to_pay": 9, "steps": [], "source": "a notice", "cash_step_minor": 10}
    exits = {"mode": "pay-first", "district": "0153", "source": "the owner's wish"}
    share = {"operator_id": str(site.facility.operator_id), "shares": []}
    drafts = [
        site.post(path, "finance", json=body).get_json()
        for path, body in (
            ("/api/v1/contracts", share),
            ("/api/v1/arrears/policies", policy),
            ("/api/v1/gates/exit-rules", exits),
        )
    ]
    assert [each["state"] for each in drafts] == ["waiting"] * 3
    waiting = site.get("/api/v1/term-drafts", "auditor").get_json()
    assert [each["id"] for each in waiting["items"]] == [each["id"] for each in drafts]
    lists = ("/api/v1/contracts", "/api/v1/arrears/policies", "/api/v1/gates/exit-rules")
    assert [site.get(path, "finance").get_json()["items"] for path in lists] == [[], [], []]
    for each in drafts:
        decision = f"/api/v1/term-drafts/{each['id']}/decision"
        assert site.post(decision, "operator", json=YES).status_code == 403
        own = site.post(decision, "finance", json=YES)
        assert (own.status_code, own.get_json()["detail"]) == (403, "a second person decides")
        site.clock.advance(60)
        approved(site, each)
        assert site.post(decision, "administrator", json=YES).status_code == 409
    for path, names in zip(lists, ("shares", "days_to_pay", "mode"), strict=True):
        (version,) = site.get(path, "finance").get_json()["items"]
        assert version["standing"] == "in-force"
        assert version["from_at"] == version["agreed_at"] > drafts[0]["proposed_at"]
        assert version["approved_by"] not in {None, version["agreed_by"]}
        assert names in version
    assert site.get("/api/v1/term-drafts", "finance").get_json()["items"] == []
    # Who proposed it takes it back; nothing follows it ever.
    back = site.post("/api/v1/contracts", "finance", json=share).get_json()
    decision = f"/api/v1/term-drafts/{back['id']}/decision"
    done = site.post(decision, "finance", json={"approve": False}).get_json()
    assert done["state"] == "refused"
    assert len(site.get("/api/v1/contracts", "finance").get_json()["items"]) == 1
    files = [site.rows(f"{path}/export", "auditor") for path in lists]
    assert [len(each) for each in files] == [1, 1, 1]
    assert {each[0]["standing"] for each in files} == {"in-force"}
    assert all(each[0]["approved_by"] != each[0]["proposed_by"] for each in files)
    ((shared,), (ruled,), (left,)) = files
    assert (shared["party"], shared["facility"]) == ("operator", "")
    assert (ruled["days_to_pay"], ruled["cash_step_minor"]) == ("9", "10")
    assert (left["mode"], left["district"]) == ("pay-first", "0153")
    early = quote(drafts[0]["proposed_at"])
    (told,) = site.rows(f"/api/v1/contracts/export?at={early}", "auditor")
    assert told["standing"] == "to-come"
    proposals = site.rows("/api/v1/term-drafts/export", "auditor")
    assert [each["state"] for each in proposals] == ["approved"] * 3 + ["refused"]
    gone = site.post(f"/api/v1/term-drafts/{site.facility.id}/decision", "finance", json=YES)
    assert gone.status_code == 404
    acts = ("terms_proposed", "terms_approved", "terms_refused")
    for action in acts:
        found = site.get(f"/api/v1/audit?action=payments.{action}", "auditor").get_json()
        assert found["items"], action


def test_contracts_and_policies_are_tried_before_they_are_entered_and_told_of_by_date(
    site: Site,
) -> None:
    operator_id = str(site.facility.operator_id)
    platform = {"party": "platform", "holder": "greenbay", "parts": 2}
    terms = {"operator_id": operator_id, "shares": [{"party": "operator", "parts": 1}, platform]}
    tried = site.post("/api/v1/contract-trials", "finance", json={**terms, "fee": money(100)})
    assert (tried.status_code, tried.get_json()["fault"], tried.get_json()["ends"]) == (
        200,
        None,
        None,
    )
    assert [each["amount"]["minor"] for each in tried.get_json()["shares"]] == [33, 67]
    twice = {**terms, "shares": [platform, platform], "fee": money(100)}
    fault = site.post("/api/v1/contract-trials", "finance", json=twice).get_json()["fault"]
    assert fault == {"field": "shares", "detail": "names a party twice"}
    # Its facility's fees are public revenue: they are never shared.
    assert site.get("/api/v1/contract-subjects", "auditor").get_json()["items"] == []
    assert site.get("/api/v1/contracts", "auditor").get_json()["items"] == []
    first = site.post("/api/v1/contracts", "finance", json=terms).get_json()
    approved(site, first)
    now = site.clock.now()
    later = {**terms, "shares": [], "from_at": (now + timedelta(days=9)).isoformat()}
    ends = site.post("/api/v1/contract-trials", "finance", json={**later, "fee": money(1)})
    assert ends.get_json()["ends"] == first["id"]
    approved(site, site.post("/api/v1/contracts", "finance", json=later).get_json())
    for days, stand in ((0, ["to-come", "in-force"]), (9, ["in-force", "past"])):
        at = (now + timedelta(days=days)).isoformat().replace("+", "%2B")
        listed = site.get(f"/api/v1/contracts?at={at}", "finance").get_json()
        assert [each["standing"] for each in listed["items"]] == stand
    step = {"kind": "penalty", "days": 10, "share_bp": 500, "most_minor": 300}
    ruled = {"days_to_pay": 20, "steps": [step], "source": "a notice", "fee": money(10_000)}
    found = site.post("/api/v1/arrears/policy-trials", "finance", json=ruled).get_json()
    assert (found["fault"], found["steps"][0]["penalty"]) == (None, money(300))
    assert found["due_at"][:10] == (now + timedelta(days=20)).date().isoformat()
    wrong = {**ruled, "steps": [{**step, "share_bp": 0}]}
    refused = site.post("/api/v1/arrears/policy-trials", "finance", json=wrong).get_json()
    assert refused["fault"]["field"] == "steps.share_bp"
    listed = site.get("/api/v1/arrears/policies", "operator").get_json()
    assert (listed["items"], listed["unruled"]["days_to_pay"]) == ([], 30)
