"""A shift over HTTP: begun, paid into, broken off, handed in, counted blind, approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.web.small_site import Site

DISTRICT = "0153"


def yuan(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "CNY"}


def done(site: Site, path: str, who: str, json: Any = None, status: int = 200) -> Any:
    answer = site.post(f"/api/v1{path}", who, json=json)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def takes_cash(site: Site) -> int:
    """Have the attendant take cash for a stay; give how much."""
    site.stay(61)
    (bill,) = site.get("/api/v1/bills?state=open", "attendant").get_json()["items"]
    paid = done(
        site,
        f"/bills/{bill['id']}/payments",
        "attendant",
        {"channel": "cash", "tendered": yuan(5000)},
        201,
    )
    minor: int = paid["amount"]["minor"]
    return minor


def test_a_shift_is_counted_without_being_told_and_approved_by_the_office(site: Site) -> None:
    begun = done(site, "/shifts", "attendant", {"district": DISTRICT, "place": "Jiefang Lu"}, 201)
    assert (begun["state"], begun["expected"]) == ("open", None)
    path = f"/shifts/{begun['id']}"
    assert done(site, f"{path}/breaks", "attendant")["breaks"][0]["until_at"] is None
    assert done(site, f"{path}/breaks/end", "attendant")["breaks"][0]["until_at"] is not None
    taken = takes_cash(site)
    seen = site.get(f"/api/v1{path}", "operator").get_json()
    assert (seen["known"]["minor"], [each["kind"] for each in seen["sums"]]) == (taken, ["payment"])
    mine = site.get("/api/v1/shifts/mine", "attendant").get_json()
    assert (mine["carried"]["minor"], mine["shift"]["expected"]) == (taken, None)

    move = {"district": DISTRICT, "to": {"kind": "till"}, "amount": yuan(taken - 100)}
    offered = done(site, "/cash-moves", "attendant", move, 201)
    early = site.post(f"/api/v1{path}/count", "attendant", json={"pieces": {}})
    assert (early.status_code, early.get_json()["reason"]) == (409, "cash-under-way")
    counted = {"counted": offered["amount"]}
    done(site, f"/cash-moves/{offered['id']}/acceptance", "operator", counted)
    (till,) = site.get("/api/v1/tills", "finance").get_json()["items"]
    assert till["holds"]["minor"] == taken - 100

    ended = done(site, f"{path}/count", "attendant", {"pieces": {"50": 1}, "note": "a coin fell"})
    assert (ended["state"], ended["difference"]["minor"]) == ("counted", -50)
    mute = site.post(f"/api/v1{path}/approvals", "operator", json={})
    assert mute.status_code == 422
    answered = done(site, f"{path}/approvals", "operator", {"answer": "seen on the spot"})
    assert answered["state"] == "approved"
    (listed,) = site.get("/api/v1/shifts?state=approved", "auditor").get_json()["items"]
    assert (listed["id"], listed["pieces"]) == (begun["id"], {"50": 1})
    (row,) = site.rows("/api/v1/shifts/export?state=approved", "finance")
    assert (row["id"], row["difference_minor"], row["note"]) == (begun["id"], "-50", "a coin fell")
    assert site.rows("/api/v1/shifts/export?before_at=2020-01-01T00:00:00Z", "operator") == []
    (row,) = site.rows("/api/v1/cash-moves/export", "auditor")
    assert (row["id"], row["to"], row["amount_minor"]) == (
        offered["id"],
        f"till: {DISTRICT}",
        str(taken - 100),
    )


def test_rubbish_is_refused_and_changes_nothing(site: Site) -> None:
    begun = done(site, "/shifts", "attendant", {"district": DISTRICT, "place": "Jiefang Lu"}, 201)
    path = f"/api/v1/shifts/{begun['id']}/count"
    for body in (
        {"pieces": {"7": 1}},
        {"pieces": {"100": -1}},
        {"pieces": {"100": "two"}},
        {"pieces": {"-100": 1}},
        {"pieces": {"100": 100_001}},
        {"pieces": {}, "note": "x" * 501},
        {},
    ):
        assert site.post(path, "attendant", json=body).status_code == 422, body
    for body in (
        {"district": DISTRICT, "to": {"kind": "attendant"}, "amount": yuan(100)},
        {"district": DISTRICT, "to": {"kind": "till"}, "amount": yuan(0)},
        {"district": DISTRICT, "to": {"kind": "till"}, "amount": {"minor": 5, "currency": "USD"}},
        {"district": DISTRICT, "to": {"kind": "bank"}, "amount": yuan(5)},
    ):
        refused = site.post("/api/v1/cash-moves", "attendant", json=body)
        assert refused.status_code == 422, body
    assert site.get("/api/v1/cash-moves", "finance").get_json()["items"] == []
    assert site.get("/api/v1/shifts/mine", "attendant").get_json()["shift"]["state"] == "open"


def test_who_counts_is_not_told_what_should_be_there(site: Site) -> None:
    begun = done(site, "/shifts", "attendant", {"district": DISTRICT, "place": "Jiefang Lu"}, 201)
    assert site.get(f"/api/v1/shifts/{begun['id']}", "attendant").status_code == 403
    listed = site.get("/api/v1/shifts?state=open", "operator").get_json()
    assert (listed["items"][0]["expected"], listed["items"][0]["difference"]) == (None, None)
