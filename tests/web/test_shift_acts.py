"""A shift told by a terminal, hours after it was: it balances as of when it was counted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.web.test_terminal_acts import AGAIN, DONE, Pda, told

if TYPE_CHECKING:
    from tests.web.small_site import Site

PLACE = {"place": "Riverside Road"}


def bill(site: Site) -> tuple[dict[str, Any], int]:
    """Have a stay billed; give what cash for it is told with, and what it is over."""
    site.stay(61)
    (found,) = site.get("/api/v1/bills?state=open", "attendant").get_json()["items"]
    members = {"bill_id": found["id"], "tendered_minor": 5000, "currency": "CNY"}
    return members, found["amount"]["minor"]


def mine(site: Site) -> Any:
    return site.get("/api/v1/shifts/mine", "attendant").get_json()


def standing(site: Site) -> Any:
    return site.get(f"/api/v1/shifts/{mine(site)['shift']['id']}", "operator").get_json()


def in_coins(minor: int) -> dict[str, int]:
    return {"100": minor // 100, "1": minor % 100}


def test_a_whole_shift_without_a_line_balances_by_what_was_taken_in_it(site: Site) -> None:
    cash, minor = bill(site)
    pda = Pda(site, behind_s=300)
    begun_at = site.clock.now()
    acts = [pda.act("shift-begin", **PLACE)]
    for kind, members in (("cash", cash), ("shift-pause", {}), ("shift-resume", {})):
        site.clock.advance(600)
        acts.append(pda.act(kind, **members))
    site.clock.advance(600)
    counted_at = site.clock.now()
    acts.append(pda.act("shift-count", pieces=in_coins(minor), note="all there"))
    site.clock.advance(3 * 3600)
    assert [told(each) for each in pda.send(*acts)] == [DONE] * 5
    assert [told(each) for each in pda.send(*acts)] == [AGAIN] * 5
    shift = mine(site)["shift"]
    assert (shift["id"], shift["state"]) == (acts[0]["id"], "counted")
    assert (shift["difference"]["minor"], shift["note"]) == (0, "all there")
    said = [datetime.fromisoformat(shift[each]) for each in ("opened_at", "counted_at")]
    assert said == [begun_at, counted_at]
    (pause,) = shift["breaks"]
    spell = datetime.fromisoformat(pause["until_at"]) - datetime.fromisoformat(pause["from_at"])
    assert spell.total_seconds() == 600
    assert standing(site)["unsettled"]["minor"] == 0


def test_a_shortage_counted_without_a_line_is_told_when_it_is_sent(site: Site) -> None:
    cash, minor = bill(site)
    pda = Pda(site)
    acts = [pda.act("shift-begin", **PLACE), pda.act("cash", **cash)]
    site.clock.advance(60)
    acts.append(pda.act("shift-count", pieces=in_coins(minor - 50)))
    site.clock.advance(3600)
    pda.send(*acts)
    assert mine(site)["shift"]["difference"]["minor"] == -50
    assert mine(site)["carried"]["minor"] == minor - 50


def test_cash_of_another_terminal_that_is_told_after_the_count_is_of_that_shift(site: Site) -> None:
    cash, minor = bill(site)
    pda, other = Pda(site), Pda(site)
    begun = pda.act("shift-begin", **PLACE)
    site.clock.advance(60)
    late = other.act("cash", **cash)
    site.clock.advance(60)
    assert told(pda.send(begun, pda.act("shift-count", pieces=in_coins(minor)))[1]) == DONE
    assert mine(site)["shift"]["difference"]["minor"] == minor
    site.clock.advance(3600)
    assert told(other.send(late)[0]) == DONE
    # It was taken before the count: the approval settles it, and the next shift begins even.
    assert standing(site)["unsettled"]["minor"] == minor
    path = f"/api/v1/shifts/{mine(site)['shift']['id']}/approvals"
    done = site.post(path, "operator", json={"answer": ""})
    assert (done.status_code, done.get_json()["difference"]["minor"]) == (200, 0)
    assert mine(site)["carried"]["minor"] == minor


def test_what_does_not_fit_a_shift_is_refused_with_what_to_do_and_kept(site: Site) -> None:
    pda = Pda(site)
    first = [
        pda.act("shift-count", pieces={}),
        pda.act("shift-begin", **PLACE),
        pda.act("shift-begin", **PLACE),
        pda.act("shift-resume"),
        pda.act("shift-count", pieces={"7": 1}),
        pda.act("shift-count"),
    ]
    assert [told(each)[1:] for each in pda.send(*first)] == [
        ("no-shift", "call-supervisor"),
        (None, None),
        ("open", "nothing"),
        ("no-break", "nothing"),
        ("invalid", "call-supervisor"),
        ("invalid", "call-supervisor"),
    ]
    refused = site.get("/api/v1/terminals/acts?outcome=refused", "operator").get_json()["items"]
    assert {"7": 1} in [each["detail"].get("pieces") for each in refused]
    early = pda.act("shift-count", pieces={})
    early["device_at"] = "2026-01-01T00:00:00Z"
    assert told(pda.send(early)[0])[1] in {"not-signed-in", "old"}


def test_a_shift_is_not_begun_before_the_end_of_the_one_before_it(site: Site) -> None:
    pda, other = Pda(site), Pda(site)
    late = other.act("shift-begin", **PLACE)
    site.clock.advance(60)
    pda.send(pda.act("shift-begin", **PLACE), pda.act("shift-count", pieces={}))
    assert told(other.send(late)[0])[1:] == ("overlap", "call-supervisor")
