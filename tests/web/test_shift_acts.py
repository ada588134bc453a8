"""A shift told by a terminal, hours after it was: it balances as of when it was counted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

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


def mine(site: Site, who: str = "attendant") -> Any:
    return site.get("/api/v1/shifts/mine", who).get_json()


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


def waits(site: Site) -> list[tuple[str, str, int]]:
    """Give who is said to give what to whom."""
    found = site.get("/api/v1/cash-moves?state=offered", "finance").get_json()
    names = found["names"]
    return [
        (names[each["source"]["holder"]], names[each["target"]["holder"]], each["amount"]["minor"])
        for each in found["items"]
    ]


def yuan(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "CNY"}


@pytest.mark.parametrize("first", ["giver", "receiver"])
def test_a_hand_over_without_a_line_is_told_by_both_in_any_order(site: Site, first: str) -> None:
    cash, minor = bill(site)
    pda, other = Pda(site, behind_s=200), Pda(site, "attendant-2")
    given = [
        pda.act("shift-begin", **PLACE),
        pda.act("cash", **cash),
        pda.act("cash-give", person_id=other.account_id, **yuan(minor)),
    ]
    site.clock.advance(60)
    # Counted with an empty bag, before the colleague says that they have it.
    given.append(pda.act("shift-count", pieces={}))
    site.clock.advance(60)
    got = [
        other.act("shift-begin", **PLACE),
        other.act("cash-take", person_id=pda.account_id, **yuan(minor)),
    ]
    site.clock.advance(60)
    got.append(other.act("shift-count", pieces=in_coins(minor)))
    site.clock.advance(3600)
    told_first, told_then = (
        ((pda, given), (other, got))
        if first == "giver"
        else (
            (other, got),
            (pda, given),
        )
    )
    assert {told(each) for each in told_first[0].send(*told_first[1])} == {DONE}
    assert [each[2] for each in waits(site)] == [minor]
    under_way = [each["under_way"]["minor"] for each in standings(site)]
    assert under_way == [-minor if first == "giver" else minor]
    assert {told(each) for each in told_then[0].send(*told_then[1])} == {DONE}
    assert {told(each) for each in told_then[0].send(*told_then[1])} == {AGAIN}
    assert waits(site) == []
    for each in standings(site):
        # What the count could not know is settled by the approval: both were right.
        path = f"/api/v1/shifts/{each['shift']['id']}/approvals"
        done = site.post(path, "operator", json={"answer": ""})
        assert (done.status_code, done.get_json()["difference"]["minor"]) == (200, 0), done.text
        assert each["under_way"]["minor"] == 0
    assert mine(site)["carried"]["minor"] == 0
    assert mine(site, "attendant-2")["carried"]["minor"] == minor


def standings(site: Site) -> list[Any]:
    items = site.get("/api/v1/shifts?state=counted", "operator").get_json()["items"]
    return [site.get(f"/api/v1/shifts/{each['id']}", "operator").get_json() for each in items]


def test_two_words_that_differ_both_wait_until_both_say_the_same(site: Site) -> None:
    pda, other = Pda(site), Pda(site, "attendant-2")
    pda.send(pda.act("cash-give", person_id=other.account_id, **yuan(500)))
    other.send(other.act("cash-take", person_id=pda.account_id, **yuan(480)))
    assert sorted(each[2] for each in waits(site)) == [480, 500]
    (claim,) = [each for each in mine(site)["waiting"] if each["amount"]["minor"] == 480]
    path = f"/api/v1/cash-moves/{claim['id']}"
    wrong = {"counted": {"minor": 500, "currency": "CNY"}}
    assert site.post(f"{path}/acceptance", "attendant", json=wrong).status_code == 409
    # Neither who said it nor anybody else says the same in the giver's place.
    right = {"counted": claim["amount"]}
    for who, status in (("attendant-2", 404), ("operator", 404), ("attendant", 200)):
        assert site.post(f"{path}/acceptance", who, json=right).status_code == status, who
    (offer,) = [each for each in mine(site)["waiting"] if each["amount"]["minor"] == 500]
    done = site.post(f"/api/v1/cash-moves/{offer['id']}/withdrawal", "attendant", json={})
    assert done.status_code == 200
    assert mine(site)["carried"]["minor"] == -480


def test_an_offer_that_the_terminal_knew_is_counted_without_a_line_once(site: Site) -> None:
    me = Pda(site)
    given = {"account_id": me.account_id, "amount": {"minor": 900, "currency": "CNY"}}
    body = {"district": "0153", **given}
    move = site.post("/api/v1/cash-moves/floats", "operator", json=body).get_json()
    wrong = me.act("cash-take", move_id=move["id"], **yuan(800))
    right = me.act("cash-take", move_id=move["id"], **yuan(900))
    # The answer to the first was lost, so it was kept and told once more.
    again = me.act("cash-take", move_id=move["id"], **yuan(900))
    assert [told(each)[1] for each in me.send(wrong, right, again)] == [
        "counted-otherwise",
        None,
        None,
    ]
    assert mine(site)["carried"]["minor"] == 900


def test_a_difference_is_explained_without_a_line_until_it_is_approved(site: Site) -> None:
    cash, minor = bill(site)
    pda = Pda(site)
    pda.send(
        pda.act("shift-begin", **PLACE),
        pda.act("cash", **cash),
        pda.act("shift-count", pieces=in_coins(minor - 50)),
    )
    shift = mine(site)["shift"]
    said = pda.act("shift-explain", shift_id=shift["id"], note="a coin fell into a drain")
    late = pda.act("shift-explain", shift_id=shift["id"], note="and another")
    other = Pda(site, "attendant-2")
    foreign = other.act("shift-explain", shift_id=shift["id"], note="not mine")
    assert told(pda.send(said)[0]) == DONE
    assert told(other.send(foreign)[0])[1] == "not-found"
    path = f"/api/v1/shifts/{shift['id']}/approvals"
    assert site.post(path, "operator", json={"answer": "seen"}).status_code == 200
    assert told(pda.send(late)[0])[1:] == ("not-counted", "nothing")
    assert mine(site)["shift"]["note"] == "a coin fell into a drain"


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("cash-give", {}),
        ("cash-give", {"amount_minor": 5, "currency": "USD"}),
        ("cash-give", {"amount_minor": 10**11, "currency": "CNY"}),
        ("cash-take", {"amount_minor": 5, "currency": "CNY"}),
        ("cash-take", {"amount_minor": 5, "currency": "CNY", "move_id": str(UUID(int=9))}),
        ("cash-take", {"amount_minor": 5, "currency": "CNY", "person_id": str(UUID(int=9))}),
        ("shift-explain", {"note": "which?"}),
    ],
)
def test_rubbish_about_cash_is_refused_and_kept(
    site: Site, kind: str, members: dict[str, Any]
) -> None:
    pda = Pda(site)
    (result,) = pda.send(pda.act(kind, **members))
    assert (result["result"], result["kept"], result["advice"]) == (
        "conflict",
        True,
        "call-supervisor",
    )
    assert result["detail"]
    assert waits(site) == []


def test_nobody_hands_cash_to_themselves(site: Site) -> None:
    pda = Pda(site)
    for kind in ("cash-give", "cash-take"):
        assert told(pda.send(pda.act(kind, person_id=pda.account_id, **yuan(5)))[0])[1] == "invalid"
