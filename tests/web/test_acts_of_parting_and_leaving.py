"""Acts that part and join stays, take cash ahead, and say who drove off: also told late."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from parking.services import stays
from tests.web.test_terminal_acts import AGAIN, DONE, PLATE, Pda, told

if TYPE_CHECKING:
    from tests.web.small_site import Site

OTHER = "京A54321"


def begun(site: Site) -> Pda:
    """Note a vehicle in the first bay an hour ago."""
    pda = Pda(site)
    assert told(pda.send(pda.plate())[0]) == DONE
    site.clock.advance(3600)
    return pda


def here(site: Site, bay: int = 0) -> dict[str, str]:
    return {"bay_id": str(site.bays[bay].id)}


def billed(site: Site) -> list[dict[str, Any]]:
    """Let stays that are over get their bills, the newest first."""
    site.clock.advance(1200)
    with site.wiring.database.unit_of_work() as uow:
        stays.announce_settled(uow)
    site.run_jobs()
    items: list[dict[str, Any]] = site.get("/api/v1/bills", "attendant").get_json()["items"]
    return items


def stays_of(site: Site) -> list[dict[str, Any]]:
    """Give all stays, the earliest first."""
    items: list[dict[str, Any]] = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    return sorted(items, key=lambda each: str(each["opened_at"]))


def test_who_drove_off_unpaid_ends_the_stay_and_owes_at_once(site: Site) -> None:
    pda = begun(site)
    mark = pda.act("escape", **here(site), reason="drove off when asked to pay")
    left_at = site.clock.now()
    site.clock.advance(7200)  # no line for two hours
    assert told(pda.send(mark)[0]) == DONE
    assert told(pda.send(mark)[0]) == AGAIN
    again = pda.act("escape", **here(site))
    assert told(pda.send(again)[0])[1:] == ("no-stay", "look-again")
    (stay,) = stays_of(site)
    assert datetime.fromisoformat(stay["closed_at"]) == left_at
    (bill,) = billed(site)
    assert datetime.fromisoformat(bill["due_at"]) == datetime.fromisoformat(bill["issued_at"])
    twice = pda.act("escape", bill_id=bill["id"])
    assert told(pda.send(twice)[0]) == ("conflict", "escaped", "nothing")
    story = site.get(f"/api/v1/sessions/{stay['id']}/evidence", "operator").get_json()["items"]
    (said,) = [each for each in story if each["kind"] == "escaped"]
    assert said["detail"]["reason"] == "drove off when asked to pay"


def test_a_bill_is_due_at_once_where_its_driver_drove_off_and_is_paid_as_any(site: Site) -> None:
    pda = Pda(site)
    site.stay(61)
    (bill,) = site.get("/api/v1/bills", "attendant").get_json()["items"]
    assert datetime.fromisoformat(bill["due_at"]) > site.clock.now() + timedelta(days=20)
    assert told(pda.send(pda.act("escape", bill_id=bill["id"]))[0]) == DONE
    due = site.get(f"/api/v1/bills/{bill['id']}", "attendant").get_json()
    assert datetime.fromisoformat(due["due_at"]) == site.clock.now()
    site.clock.advance(60)
    overdue = site.get("/api/v1/arrears", "finance").get_json()["items"]
    assert bill["id"] in str(overdue)
    paid = pda.act("cash", bill_id=bill["id"], tendered_minor=1000, currency="CNY")
    assert told(pda.send(paid)[0]) == DONE


def test_a_supervisor_sees_who_drove_off_and_takes_it_back_with_a_reason(site: Site) -> None:
    pda = Pda(site)
    site.stay(61)
    (bill,) = site.get("/api/v1/bills", "attendant").get_json()["items"]
    assert told(pda.send(pda.act("escape", bill_id=bill["id"], reason="drove off"))[0]) == DONE
    (seen,) = site.get("/api/v1/supervision", "operator").get_json()["escapes"]
    assert (seen["name"], seen["words"], seen["bay_label"]) == ("attendant", "drove off", "A0")
    assert (seen["bill_id"], seen["withdrawn_at"]) == (bill["id"], None)
    assert seen["outstanding"]["minor"] > 0
    assert seen["plate"]["masked"]
    assert site.get("/api/v1/supervision", "operator-west").get_json()["escapes"] == []

    path = f"/api/v1/sessions/{seen['session_id']}/escape/withdrawal"
    assert site.post(path, "attendant", json={"reason": "it was paid"}).status_code == 403
    assert site.post(path, "operator-west", json={"reason": "it was paid"}).status_code == 403
    assert site.post(path, "operator", json={"reason": "no"}).status_code == 422
    site.clock.advance(60)
    why = {"reason": "another car, same model"}
    assert site.post(path, "operator", json=why).status_code == 200
    after = site.get(f"/api/v1/bills/{bill['id']}", "attendant").get_json()
    assert after["due_at"] == bill["due_at"]
    (seen,) = site.get("/api/v1/supervision", "operator").get_json()["escapes"]
    assert (seen["withdrawn_by"], seen["because"]) == ("operator", why["reason"])
    again = site.post(path, "operator", json=why)
    assert (again.status_code, again.get_json()["reason"]) == (409, "not-escaped")
    # What was said once of a stay is not said again.
    assert told(pda.send(pda.act("escape", bill_id=bill["id"]))[0])[1] == "escaped"
    story = site.get(f"/api/v1/sessions/{seen['session_id']}/evidence", "operator").get_json()
    kinds = [each["kind"] for each in story["items"]]
    assert {"escaped", "escape-withdrawn"} <= set(kinds)


def test_a_stay_that_is_billed_after_it_was_taken_back_is_due_as_any(site: Site) -> None:
    pda = begun(site)
    assert told(pda.send(pda.act("escape", **here(site)))[0]) == DONE
    (stay,) = stays_of(site)
    path = f"/api/v1/sessions/{stay['id']}/escape/withdrawal"
    assert site.post(path, "operator", json={"reason": "it had a permit"}).status_code == 200
    (bill,) = billed(site)
    assert datetime.fromisoformat(bill["due_at"]) > site.clock.now() + timedelta(days=20)


def test_nobody_drove_off_whose_plate_is_unknown_who_is_free_or_who_paid(site: Site) -> None:
    pda = Pda(site)
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    nameless = pda.act("escape", **here(site))
    assert told(pda.send(nameless)[0]) == ("conflict", "no-vehicle", "look-again")
    free = pda.act("exempt", **here(site), exempt="sensor-fault")
    freed = pda.act("escape", **here(site))
    results = pda.send(pda.plate(), free, freed)
    assert [told(each) for each in results] == [DONE, DONE, ("conflict", "exempt", "nothing")]


def test_cash_taken_ahead_without_a_line_is_the_stays_whatever_became_of_it(site: Site) -> None:
    pda = begun(site)
    money = {"tendered_minor": 2000, "currency": "CNY"}
    ahead = pda.act("ahead", **here(site), amount_minor=900, minutes_ahead=0, **money)
    more = pda.act("ahead", **here(site), amount_minor=700, minutes_ahead=60, **money)
    results = pda.send(ahead, more)
    assert [told(each) for each in results] == [DONE, DONE]
    assert [each["effect"]["change"]["minor"] for each in results] == [1100, 1300]
    assert told(pda.send(ahead)[0]) == AGAIN
    site.clock.advance(600)
    assert told(pda.send(pda.act("end", **here(site), reason="left before my eyes"))[0]) == DONE
    late = pda.act("ahead", **here(site), amount_minor=100, minutes_ahead=0, **money)
    bills = billed(site)
    explained = {each["amount"]["minor"]: each for each in bills if each["covers_until_at"]}
    assert set(explained) == {900, 700}
    assert "without a line" in explained[700]["lines"][0]["why"]["en"]
    (whole,) = [each for each in bills if not each["covers_until_at"]]
    assert whole["paid_ahead"]["minor"] + whole["amount"]["minor"] >= 900
    # By now it is billed, and nothing is asked for: the driver gets the money back.
    if whole["outstanding"]["minor"] < 100:
        assert told(pda.send(late)[0]) == ("conflict", "paid", "nothing")
    nothing = pda.act("ahead", **here(site, 1), amount_minor=100, minutes_ahead=0, **money)
    assert told(pda.send(nothing)[0])[1] == "no-stay"
    day = site.clock.now().date()
    found = site.get(f"/api/v1/terminals/{pda.handheld.name}/days/{day}", "finance").get_json()
    assert (found["bills"], found["differences"]) == (2, 0)


def test_cash_taken_ahead_of_a_stay_that_is_billed_by_now_pays_its_bill(site: Site) -> None:
    pda = begun(site)
    money = {"tendered_minor": 300, "currency": "CNY"}
    ahead = pda.act("ahead", **here(site), amount_minor=300, minutes_ahead=0, **money)
    site.clock.advance(60)
    other = Pda(site, "operator")
    assert told(other.send(other.act("end", **here(site), reason="left, I saw it"))[0]) == DONE
    (bill,) = billed(site)
    assert told(pda.send(ahead)[0]) == DONE
    after = site.get(f"/api/v1/bills/{bill['id']}", "attendant").get_json()
    assert after["outstanding"]["minor"] == bill["amount"]["minor"] - 300
    much = pda.act("ahead", **here(site), amount_minor=10**6, minutes_ahead=0, currency="CNY")
    much |= {"tendered_minor": 10**6, "device_at": ahead["device_at"]}
    assert told(pda.send(much)[0]) == ("conflict", "paid", "nothing")


def test_two_cars_in_one_record_are_parted_as_of_when_it_was_said(site: Site) -> None:
    pda = begun(site)
    said_at = site.clock.now()
    split = pda.act("split", **here(site), minutes_before=10, vehicle_left=True, reason="two cars")
    swap = pda.act("swap", **here(site), plate=OTHER, plate_kind="blue7", reason="another car")
    site.clock.advance(3600)
    assert [told(each) for each in pda.send(split)] == [DONE]
    first, second = stays_of(site)
    assert datetime.fromisoformat(first["closed_at"]) == said_at - timedelta(minutes=10)
    assert (second["plate"], second["closed_at"]) == (None, None)
    # Nobody is noted in the later one: there is nobody to have been swapped.
    assert told(pda.send(swap)[0])[0] == "conflict"
    named = pda.plate(plate=OTHER)
    anew = pda.act("swap", **here(site), plate=PLATE, plate_kind="blue7", reason="another car")
    assert [told(each) for each in pda.send(named, anew)] == [DONE, DONE]
    assert len(stays_of(site)) == 3
    far = pda.act("split", **here(site), minutes_before=1440, vehicle_left=True, reason="two cars")
    assert told(pda.send(far)[0])[0] == "conflict"


def test_one_car_that_stands_in_two_bays_is_one_stay(site: Site) -> None:
    pda = begun(site)
    beside = pda.plate(1, OTHER)
    site.clock.advance(60)
    left = pda.act("split", **here(site, 1), minutes_before=0, vehicle_left=True, reason="it left")
    to = here(site)["bay_id"]
    join = pda.act("join", **here(site, 1), to_bay_id=to, reason="one car in both")
    none = pda.act("join", **here(site, 2), to_bay_id=to, reason="one car in both")
    results = [told(each) for each in pda.send(beside, left, join, none)]
    assert results == [DONE, DONE, DONE, ("conflict", "no-stay", "look-again")]
    whole, _, part = stays_of(site)
    assert (part["part_of"], part["plate"]) == (whole["id"], None)


def test_a_person_sees_what_they_did_themselves_today_and_what_cash_they_owe(site: Site) -> None:
    pda = begun(site)
    money = {"tendered_minor": 1000, "currency": "CNY"}
    ahead = pda.act("ahead", **here(site), amount_minor=900, minutes_ahead=0, **money)
    wrong = pda.act("end", **here(site, 1), reason="an empty bay")
    assert [told(each)[0] for each in pda.send(ahead, wrong)] == ["created", "conflict"]
    path = f"/api/v1/terminals/{pda.handheld.name}/acts/mine/{site.clock.now().date()}"
    mine = site.get(path, "attendant").get_json()
    assert [(each["kind"], each["outcome"], each["bay_label"]) for each in mine["items"]] == [
        ("end", "refused", "A1"),
        ("ahead", "done", "A0"),
        ("plate", "done", "A0"),
    ]
    assert (mine["taken_minor"], mine["carried"]) == (900, {"minor": 900, "currency": "CNY"})
    assert mine["items"][0]["words"] == "no vehicle stood in this bay then"
    # Nobody sees a colleague's.
    theirs = site.get(path, "operator").get_json()
    assert (theirs["items"], theirs["taken_minor"], theirs["carried"]["minor"]) == ([], 0, 0)
