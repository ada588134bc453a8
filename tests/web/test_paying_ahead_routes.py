"""Fee by now, paying ahead, coupons and refunds over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from parking.services import stays

if TYPE_CHECKING:
    from tests.web.small_site import Site


def comes(site: Site) -> str:
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    (session,) = site.get("/api/v1/sessions?state=open", "attendant").get_json()["items"]
    path = f"/api/v1/sessions/{session['id']}"
    assert site.get(f"{path}/fee", "attendant").status_code == 409
    plate = {"plate": "京A12345", "kind": "blue7"}
    assert site.post(f"{path}/vehicle", "attendant", json=plate).status_code == 200
    return path


def cash(minor: int, **members: Any) -> dict[str, Any]:
    return {"channel": "cash", "tendered": {"minor": minor, "currency": "CNY"}, **members}


def test_a_stay_is_paid_ahead_once_for_a_key_and_the_rest_goes_back(site: Site) -> None:
    path = comes(site)
    site.clock.advance(58 * 60)
    shown = site.get(f"{path}/fee", "attendant").get_json()
    assert (shown["due"]["minor"], shown["leave_by_at"]) == (600, None)
    until = (site.clock.now() + timedelta(hours=2)).isoformat()
    later = site.get(f"{path}/fee?until_at={quote(until)}", "attendant").get_json()
    assert later["due"]["minor"] == 1800
    body = cash(2000, until_at=until)
    first = site.post(f"{path}/advances", "attendant", json=body, key="a1")
    assert first.status_code == 201
    assert first.get_json()["payment"]["change"]["minor"] == 200
    again = site.post(f"{path}/advances", "attendant", json=body, key="a1")
    assert again.get_json() == first.get_json()
    shown = site.get(f"{path}/fee", "finance").get_json()
    assert [shown[name]["minor"] for name in ("fee", "paid_ahead", "due", "unused")] == [
        600,
        1800,
        0,
        1200,
    ]
    assert sum(line["amount"]["minor"] for line in shown["lines"]) == 0
    assert site.get(f"{path}/fee", "driver").status_code == 404
    assert site.post(f"{path}/refunds", "attendant", json={"channel": "cash"}).status_code == 409
    site.hear(site.message(occupied=False))
    site.clock.advance(20 * 60)
    site.consume()
    with site.wiring.database.unit_of_work() as uow:
        stays.announce_settled(uow)
    site.run_jobs()
    bills = site.get("/api/v1/bills", "finance").get_json()["items"]
    assert [
        (each["amount"]["minor"], each["paid_ahead"]["minor"], each["covers_until_at"] is None)
        for each in bills
    ] == [(0, 600, True), (1800, 0, False)]
    done = site.post(f"{path}/refunds", "attendant", json={"channel": "cash"}, key="r1")
    assert (done.status_code, done.get_json()["amount"]["minor"]) == (201, 1200)
    records = site.get("/api/v1/audit?action=payments.paid_back", "auditor").get_json()["items"]
    assert len(records) == 1


def test_mistakes_in_paying_ahead_are_named_by_their_field(site: Site) -> None:
    path = comes(site)
    site.clock.advance(58 * 60)
    for body, field in (
        (cash(100), "tendered.minor"),
        (cash(900, until_at="2026-03-01T00:00:00Z"), "until_at"),
        ({**cash(900), "channel": "gold"}, "channel"),
    ):
        refused = site.post(f"{path}/advances", "attendant", json=body)
        assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, field)
    refused = site.post(f"{path}/coupons", "attendant", json={"coupon": "cinema"})
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "coupon")
    assert site.post(f"{path}/advances", "attendant-west", json=cash(900)).status_code == 403


def test_a_fee_told_ahead_is_what_is_due_whenever_it_is_asked_for(site: Site) -> None:
    path = comes(site)
    site.clock.advance(20 * 60)
    for paid in (False, True):
        if paid:
            assert site.post(f"{path}/advances", "attendant", json=cash(600)).status_code == 201
        course = site.get(f"{path}/fee-course", "attendant").get_json()
        first_at = datetime.fromisoformat(course["from_at"])
        assert course["steps"][0][0] == 0
        for second in (1, 2399, 2400, 2401, 9000, 40_000, *(at for at, _ in course["steps"][1:4])):
            until = (first_at + timedelta(seconds=second)).isoformat()
            asked = site.get(f"{path}/fee?until_at={quote(until)}", "attendant").get_json()
            told = next(minor for at, minor in reversed(course["steps"]) if at <= second)
            assert told == asked["due"]["minor"], (paid, second)
    assert course["steps"][0][1] == 0
    assert datetime.fromisoformat(course["until_at"]) == first_at + timedelta(hours=12)


def test_no_fee_is_told_ahead_of_a_stay_that_nobody_said_whose_it_is(site: Site) -> None:
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    (session,) = site.get("/api/v1/sessions?state=open", "attendant").get_json()["items"]
    answer = site.get(f"/api/v1/sessions/{session['id']}/fee-course", "attendant")
    assert (answer.status_code, answer.get_json()["reason"]) == (409, "no-vehicle")
