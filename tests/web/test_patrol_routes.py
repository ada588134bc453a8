"""What calls for somebody on the street: found, seen, done, by whom and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text

from journeys.keep_patrol import keep_patrol
from tests.web.test_terminal_acts import Pda

if TYPE_CHECKING:
    from tests.web.small_site import Site

HERE = "/api/v1/patrol?longitude=120.1&latitude=30.2"
PLATE = {"plate": "京A12345", "kind": "blue7"}
MARKS = "/api/v1/patrol/marks"


def tasks(site: Site, who: str = "attendant", query: str = "") -> list[dict[str, Any]]:
    answer = site.get(HERE + query, who)
    assert answer.status_code == 200, answer.get_json()
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def kept(site: Site) -> list[tuple[str, str | None, float | None, str | None]]:
    """Give each task: kind, ending, minutes from when it arose, and who ended it."""
    with site.wiring.database.read() as connection:
        rows = connection.execute(
            text(
                "select t.kind, t.ending, extract(epoch from t.ended_at - t.arose_at) / 60 as m,"
                " a.name from parking.patrol_task t left join people.account a"
                " on a.id::text = t.ended_by order by t.arose_at, t.kind"
            )
        ).all()
    return [
        (row.kind, row.ending, None if row.m is None else float(row.m), row.name) for row in rows
    ]


def look(site: Site) -> None:
    keep_patrol(site.wiring.database)


def taken(site: Site, minutes: float = 2) -> dict[str, Any]:
    """Let a car come to the first bay, and so many minutes pass."""
    site.hear(site.message(occupied=True))
    site.clock.advance(minutes * 60)
    site.consume()
    look(site)
    found: dict[str, Any] = site.get("/api/v1/sessions?state=open", "attendant").get_json()[
        "items"
    ][0]
    return found


def test_a_taken_bay_calls_for_its_plate_and_whoever_takes_it_has_answered(site: Site) -> None:
    session = taken(site)
    (task,) = tasks(site)
    assert (task["kind"], task["bay_label"], task["plate"]) == ("plate", "A0", None)
    opened_at = datetime.fromisoformat(session["opened_at"])
    assert datetime.fromisoformat(task["arose_at"]) == opened_at + timedelta(minutes=1)
    site.clock.advance(3 * 60)
    assert (
        site.post(f"/api/v1/sessions/{session['id']}/vehicle", "attendant", json=PLATE).status_code
        == 200
    )
    look(site)
    look(site)
    assert tasks(site) == []
    assert kept(site) == [("plate", "done", 4.0, "attendant")]


def test_what_was_done_between_two_looks_counts_and_what_nobody_did_too(site: Site) -> None:
    site.hear(site.message(occupied=True))
    site.clock.advance(90)
    site.consume()
    (session,) = site.get("/api/v1/sessions?state=open", "attendant").get_json()["items"]
    site.post(f"/api/v1/sessions/{session['id']}/vehicle", "attendant", json=PLATE)
    site.hear(site.message(occupied=False))
    site.clock.advance(60)
    site.consume()
    look(site)
    assert kept(site) == [("plate", "done", 0.5, "attendant")]
    site.hear(site.message(occupied=True))
    site.clock.advance(10 * 60)
    site.hear(site.message(occupied=False))
    site.clock.advance(20 * 60)
    site.consume()
    look(site)
    assert kept(site)[1:] == [("plate", "left", 9.0, None)]


def test_a_passing_flicker_is_nobodys_task(site: Site) -> None:
    site.hear(site.message(occupied=True))
    site.clock.advance(30)
    site.hear(site.message(occupied=False))
    site.clock.advance(10 * 60)
    site.consume()
    look(site)
    assert kept(site) == []


def test_who_left_without_paying_is_looked_for_until_they_paid_and_a_day_at_most(
    site: Site,
) -> None:
    site.stay(61)
    look(site)
    (task,) = [each for each in tasks(site) if each["kind"] == "escape"]
    assert task["amount"] == {"minor": 900, "currency": "CNY"}
    assert task["plate"]["masked"] is True
    path = f"/api/v1/bills/{task['bill_id']}/payments"
    cash = {"channel": "cash", "tendered": {"minor": 1000, "currency": "CNY"}}
    site.clock.advance(300)
    assert site.post(path, "attendant", json=cash).status_code == 201
    look(site)
    assert [each[:2] + each[3:] for each in kept(site) if each[0] == "escape"] == [
        ("escape", "done", "attendant")
    ]
    site.stay(61, plate="京A12346")
    look(site)
    site.clock.advance(25 * 3600)
    look(site)
    assert ("escape", "left", 24 * 60.0, None) in kept(site)


def test_a_car_that_owes_is_pointed_out_where_it_stands_again(site: Site) -> None:
    site.stay(61)
    site.clock.advance(40 * 24 * 3600)
    session = taken(site)
    site.post(f"/api/v1/sessions/{session['id']}/vehicle", "attendant", json=PLATE)
    look(site)
    (task,) = [each for each in tasks(site) if each["kind"] == "arrears"]
    assert (task["session_id"], task["amount"]["minor"]) == (session["id"], 900)
    (bill,) = site.get("/api/v1/bills?state=open", "attendant").get_json()["items"]
    cash = {"channel": "cash", "tendered": {"minor": 1000, "currency": "CNY"}}
    site.post(f"/api/v1/bills/{bill['id']}/payments", "attendant", json=cash)
    look(site)
    assert [each[3] for each in kept(site) if each[0] == "arrears"] == ["attendant"]


def test_a_silent_sensor_and_a_blocked_bay_end_by_a_persons_word(site: Site) -> None:
    pda = Pda(site)
    bay = str(site.bays[1].id)
    (told,) = pda.send(pda.act("report", bay_id=bay, what="bay-blocked", note="a skip"))
    assert told["result"] == "created"
    site.clock.advance(30 * 3600)
    pda.send(pda.act("report", bay_id=bay, what="bay-blocked", note="still there"))
    look(site)
    shown = {each["kind"]: each for each in tasks(site)}
    assert set(shown) == {"sensor", "blocked"}
    seen = {"task_id": shown["blocked"]["id"], "at": site.clock.now().isoformat()}
    site.clock.advance(60)
    done = {**seen, "at": site.clock.now().isoformat(), "done": True, "note": "towed away"}
    for _ in range(2):
        answer = site.post(MARKS, "attendant", json={"items": [seen, done]})
        assert answer.status_code == 200
        (stands,) = answer.get_json()["items"]
        assert stands["ended_at"] is not None
    look(site)
    assert "blocked" not in {each["kind"] for each in tasks(site)}
    assert [each for each in kept(site) if each[0] == "blocked"] == [
        ("blocked", "done", 1.0, "attendant")
    ]


def test_what_only_an_act_ends_is_not_ended_by_saying_so(site: Site) -> None:
    taken(site)
    (task,) = tasks(site)
    mark = {"task_id": task["id"], "at": site.clock.now().isoformat(), "done": True}
    refused = site.post(MARKS, "attendant", json={"items": [mark]})
    assert (refused.status_code, refused.get_json()["reason"]) == (409, "by-act")
    unknown = {**mark, "task_id": str(UUID(int=7))}
    assert site.post(MARKS, "attendant", json={"items": [unknown]}).get_json()["items"] == []
    late = {**mark, "done": False, "at": "2190-01-01T00:00:00Z"}
    (stands,) = site.post(MARKS, "inspector", json={"items": [late]}).get_json()["items"]
    assert datetime.fromisoformat(stands["seen_at"]) == site.clock.now()


@pytest.mark.parametrize(
    "query", ["", "?longitude=181&latitude=30", "?longitude=1&latitude=2&radius_m=nan"]
)
def test_a_place_that_cannot_be_is_refused(site: Site, query: str) -> None:
    assert site.get(f"/api/v1/patrol{query}", "attendant").status_code == 422


def test_another_districts_tasks_are_neither_shown_nor_marked(site: Site) -> None:
    taken(site)
    (task,) = tasks(site)
    assert tasks(site, "attendant-west", "&radius_m=3000") == []
    mark = {"task_id": task["id"], "at": site.clock.now().isoformat()}
    assert site.post(MARKS, "attendant-west", json={"items": [mark]}).status_code == 403
    shown = site.get(HERE, "operator").get_json()
    assert [each["code"] for each in shown["facilities"]] == ["RV-1"]
    assert shown["walks_m"] == [[0.0]]


def rule(site: Site, bay_id: str, stated: dict[str, Any]) -> None:
    done = site.call("PATCH", f"/api/v1/bays/{bay_id}", "operator", json={"rules": [stated]})
    assert done.status_code == 200, done.get_json()


def test_a_signed_limit_and_a_prohibition_call_for_a_look_and_end_with_the_sign(
    site: Site,
) -> None:
    limit = {"activity": "parking", "max_stay_min": 30, "when": [{"times": [["00:00", "24:00"]]}]}
    taken(site, minutes=29)
    bay_id = tasks(site)[0]["bay_id"]
    rule(site, bay_id, limit)
    look(site)
    assert [each["kind"] for each in tasks(site)] == ["plate"]
    site.clock.advance(5 * 60)
    look(site)
    found = {each["kind"]: each for each in tasks(site, "inspector")}
    assert set(found) == {"plate", "signed"}
    assert found["signed"]["what"] == "30"
    rule(site, bay_id, {"activity": "no_parking", "reason": "market"})
    site.clock.advance(60)
    look(site)
    found = {each["kind"]: each for each in tasks(site, "inspector")}
    assert (set(found), found["forbidden"]["what"]) == ({"plate", "forbidden"}, "market")
    mark = {"task_id": found["forbidden"]["id"], "at": "2030-01-01T00:00:00Z", "done": True}
    assert site.post(MARKS, "inspector", json={"items": [mark]}).status_code == 200
    look(site)
    assert [each["kind"] for each in tasks(site)] == ["plate"]
    assert ("signed", "by-itself") in {each[:2] for each in kept(site)}
    assert ("forbidden", "done") in {each[:2] for each in kept(site)}


def test_an_inspector_looks_a_plate_up_on_record_and_takes_no_money(site: Site) -> None:
    site.stay(61)
    looked = site.post("/api/v1/arrears/lookups", "inspector", json=PLATE)
    assert looked.status_code == 200, looked.get_json()
    (bill,) = looked.get_json()["bills"]
    link = site.post("/api/v1/arrears/links", "inspector", json={"bills": [bill["id"]]})
    assert link.status_code == 200
    cash = {"channel": "cash", "tendered": {"minor": 1000, "currency": "CNY"}}
    assert (
        site.post(f"/api/v1/bills/{bill['id']}/payments", "inspector", json=cash).status_code == 403
    )
    several = {"bills": [bill["id"]], "tendered": {"minor": 1000, "currency": "CNY"}}
    assert site.post("/api/v1/arrears/payments", "inspector", json=several).status_code == 403
    with site.wiring.database.read() as connection:
        looks = connection.execute(
            text(
                "select count(*) from audit.record where action = 'vault.plate_looked_up'"
                " and actor_roles = '{inspector}'"
            )
        ).scalar_one()
    assert looks == 1
