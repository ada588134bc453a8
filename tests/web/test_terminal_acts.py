"""Acts of terminals over HTTP: each takes effect once, late or not, and none is lost."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import exc, text

from parking.services import stays
from tests.terminal import Handheld

if TYPE_CHECKING:
    from tests.web.small_site import Site

ACTS = "/api/v1/terminals/acts"
PLATE = "京A12345"


class Pda:
    """A terminal with a person at it, and a clock of its own."""

    def __init__(self, site: Site, who: str = "attendant", behind_s: float = 0) -> None:
        body = {"name": f"PDA {uuid4().hex[:6]}", "district": "0153"}
        given = site.post("/api/v1/terminals", "operator", json=body).get_json()
        self.site = site
        self.behind_s = behind_s
        self.handheld = Handheld(site.app.test_client())
        assert self.handheld.enrol(given["code"]).status_code == 201
        self.sequence = 0
        self.account_id = ""
        self.sign_in(who)

    def sign_in(self, who: str) -> None:
        path = "/api/v1/terminals/sign-ins"
        body = b'{"terminal_id": "%s"}' % (self.handheld.name or "").encode()
        headers = self.handheld.signed(path, body)
        headers["Authorization"] = f"Bearer {self.site.tokens[who]}"
        answer = self.handheld.client.post(path, data=body, headers=headers)
        assert answer.status_code == 201, answer.get_json()
        self.account_id = answer.get_json()["account_id"]

    def now(self) -> datetime:
        return self.site.clock.now() - timedelta(seconds=self.behind_s)

    def act(self, kind: str, **members: Any) -> dict[str, Any]:
        """Do something now: it has its id and number before anybody hears of it."""
        self.sequence += 1
        return {
            "id": str(uuid4()),
            "sequence": self.sequence,
            "kind": kind,
            "account_id": self.account_id,
            "device_at": self.now().isoformat(),
            "offset_ms": round(self.behind_s * 1000),
            **members,
        }

    def send(self, *acts: Any) -> list[dict[str, Any]]:
        body = {"sent_at": self.now().isoformat(), "items": list(acts)}
        answer = self.handheld.post(ACTS, body)
        assert answer.status_code == 200, answer.get_json()
        items: list[dict[str, Any]] = answer.get_json()["items"]
        return items

    def plate(self, bay: int = 0, plate: str = PLATE, **members: Any) -> dict[str, Any]:
        return self.act(
            "plate", bay_id=str(self.site.bays[bay].id), plate=plate, plate_kind="blue7", **members
        )


def told(result: dict[str, Any]) -> tuple[str, str | None, str | None]:
    return result["result"], result["reason"], result["advice"]


DONE = ("created", None, None)
AGAIN = ("exists", None, None)


def count(site: Site, table: str) -> int:
    with site.wiring.database.read() as connection:
        found: int = connection.execute(text(f"select count(*) from {table}")).scalar_one()  # noqa: S608 - the test's own names
        return found


def test_a_stay_is_begun_and_ended_without_a_line_and_billed_for_the_time_it_had(
    site: Site,
) -> None:
    pda = Pda(site, behind_s=540)
    began_at = site.clock.now()
    begun = pda.plate()
    site.clock.advance(61 * 60)
    ended = pda.act("end", bay_id=str(site.bays[0].id), reason="drove off before my eyes")
    site.clock.advance(2 * 3600)
    # Hours later the line is back; the answer is lost, so all is sent again, and once more.
    first = pda.send(begun, ended)
    assert [told(each) for each in first] == [DONE, DONE]
    for _ in range(2):
        repeated = pda.send(ended, begun)
        assert [told(each) for each in repeated] == [AGAIN, AGAIN]
        assert repeated[1]["effect"] == first[0]["effect"]
    with site.wiring.database.unit_of_work() as uow:
        stays.announce_settled(uow)
    site.run_jobs()
    (session,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    assert session["id"] == first[0]["effect"]["session_id"]
    assert datetime.fromisoformat(session["opened_at"]) == began_at
    assert datetime.fromisoformat(session["closed_at"]) == began_at + timedelta(minutes=61)
    (bill,) = site.get("/api/v1/bills", "attendant").get_json()["items"]
    assert bill["amount"]["minor"] == 900
    # Its cash is taken the same way, and counted once.
    paid = pda.act("cash", bill_id=bill["id"], tendered_minor=1000, currency="CNY")
    assert pda.send(paid)[0]["effect"]["change"] == {"minor": 100, "currency": "CNY"}
    assert told(pda.send(paid)[0]) == AGAIN
    more = pda.act("cash", bill_id=bill["id"], tendered_minor=1000, currency="CNY")
    assert pda.send(more)[0]["result"] == "conflict"
    assert (count(site, "payments.payment"), count(site, "terminals.act")) == (1, 4)


def test_a_plate_that_was_noted_in_time_counts_although_it_comes_late(site: Site) -> None:
    pda = Pda(site)
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    noted = pda.plate()
    site.clock.advance(600)
    site.hear(site.message(occupied=False))
    site.clock.advance(3600)
    site.consume()
    (done,) = pda.send(noted)
    assert told(done) == DONE
    (session,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    assert (session["id"], session["state"]) == (done["effect"]["session_id"], "closed")


def test_what_is_refused_is_kept_with_its_reason_and_what_to_do(site: Site) -> None:
    pda = Pda(site)
    other = Pda(site, "operator")
    assert told(pda.send(pda.plate())[0]) == DONE
    bay, next_bay = (str(each.id) for each in site.bays[:2])
    stranger = {**pda.plate(1), "account_id": str(uuid4())}
    late = pda.act("report", bay_id=bay, what="sensor-silent")
    late["device_at"] = (pda.now() - timedelta(days=8)).isoformat()
    sent = {
        ("conflict", "attached", "look-again"): other.plate(plate="京A99999"),
        ("conflict", "no-stay", "look-again"): pda.act("end", bay_id=next_bay, reason="empty"),
        ("conflict", "plate", "type-again"): pda.plate(1, plate="京A1234O9"),
        ("conflict", "not-signed-in", "sign-in"): stranger,
        ("conflict", "not-found", "call-supervisor"): pda.act(
            "cash", bill_id=str(uuid4()), tendered_minor=1, currency="CNY"
        ),
        ("conflict", "forbidden", "call-supervisor"): pda.act(
            "report", bay_id=str(site.west_bay.id), what="bay-blocked"
        ),
        ("conflict", "old", "call-supervisor"): late,
    }
    for expected, act in sent.items():
        sender = other if act["account_id"] == other.account_id else pda
        (result,) = sender.send(act)
        assert (told(result), result["kept"]) == (expected, True)
        assert told(sender.send(act)[0]) == expected
    kept = site.get(f"{ACTS}?outcome=refused", "operator").get_json()["items"]
    assert {(each["id"], each["reason"]) for each in kept} == {
        (act["id"], expected[1]) for expected, act in sent.items()
    }
    assert "vehicle_id" in next(each for each in kept if each["reason"] == "attached")["detail"]
    assert "99999" not in str(kept)
    assert site.get(ACTS, "operator-west").get_json()["items"] == []


def test_one_bad_act_holds_no_other_up(site: Site) -> None:
    pda = Pda(site)
    unread = pda.act("dance")
    results = pda.send(
        "nonsense",
        unread,
        pda.act("report", bay_id=str(site.bays[0].id), what="bay-blocked"),
        {**unread, "id": str(uuid4()), "device_at": "yesterday"},
        {**unread, "id": str(uuid4()), "sequence": 10**30},
        [[{}]],
    )
    assert [told(each)[0] for each in results].count("created") == 1
    assert [each["kept"] for each in results] == [False, False, True, False, False, False]
    assert [each["id"] for each in results[:2]] == [None, unread["id"]]
    assert {each["reason"] for each in results} == {None, "unreadable"}
    listed = site.get("/api/v1/terminals", "operator").get_json()["items"][0]
    assert listed["acts"] == {"last_sequence": 2, "received": 1, "missing": 1, "refused": 0}


def test_ids_and_numbers_name_one_act_each(site: Site) -> None:
    pda, other = Pda(site), Pda(site, "operator")
    bay = str(site.bays[0].id)
    act = pda.act("report", bay_id=bay, what="bay-blocked")
    assert told(pda.send(act)[0]) == DONE
    changed = {**act, "what": "other"}
    stolen = {**act, "account_id": other.account_id}
    renumbered = {**pda.act("report", bay_id=bay, what="other"), "sequence": 1}
    for sender, sent, reason in (
        (pda, changed, "id-used"),
        (other, stolen, "id-used"),
        (pda, renumbered, "number-used"),
    ):
        (result,) = sender.send(sent)
        assert (result["result"], result["reason"], result["kept"]) == ("conflict", reason, False)
    refused = pda.handheld.post(ACTS, {"sent_at": pda.now().isoformat(), "items": [act, act]})
    assert refused.status_code == 422
    assert count(site, "terminals.act") == 1
    with (
        pytest.raises(exc.DBAPIError, match="stays as it was told"),
        site.wiring.database.unit_of_work() as uow,
    ):
        uow.connection.execute(text("update terminals.act set words = 'x'"))


def test_a_move_and_what_is_no_vehicle(site: Site) -> None:
    pda = Pda(site)
    first, second = (str(each.id) for each in site.bays[:2])
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    wrong = pda.plate(1)
    moved = pda.act("move", bay_id=second, to_bay_id=first, reason="noted for the wrong bay")
    aside = pda.act("set-aside", bay_id=second, what="motorcycle", reason="a motorcycle")
    assert [told(each) for each in pda.send(wrong, moved, aside)] == [DONE, DONE, DONE]
    blank = pda.act("set-aside", bay_id=second, reason="what is it")
    assert told(pda.send(blank)[0]) == ("conflict", "invalid", "call-supervisor")
    sessions = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    plates = {each["bay_id"]: each["plate"] for each in sessions}
    assert plates[first] is not None
    assert plates[second] is None


def test_the_next_person_signs_the_last_one_out_and_late_acts_keep_their_names(site: Site) -> None:
    pda = Pda(site)
    bay = str(site.bays[0].id)
    mine = pda.act("report", bay_id=bay, what="bay-blocked")
    site.clock.advance(3600)
    pda.sign_in("operator")
    assert told(pda.send(mine)[0]) == DONE
    first = mine["account_id"]
    site.clock.advance(11 * 60)
    out = {**pda.act("report", bay_id=bay, what="bay-blocked"), "account_id": first}
    assert told(pda.send(out)[0]) == ("conflict", "not-signed-in", "sign-in")
    assert told(pda.send(pda.act("sign-out"))[0]) == DONE
    site.clock.advance(3600)
    after = pda.act("report", bay_id=bay, what="bay-blocked")
    assert told(pda.send(after)[0]) == ("conflict", "not-signed-in", "sign-in")
    listed = site.get("/api/v1/terminals", "operator").get_json()["items"][0]
    assert listed["signed_in"] is None


def test_queues_replayed_cut_and_shuffled_have_each_act_take_effect_once(site: Site) -> None:
    """Terminals offline at random, clocks wrong by up to ten minutes, answers lost."""
    chance = random.Random(1)  # noqa: S311 - a test draws its cases
    pdas = [Pda(site, who, chance.uniform(-600, 600)) for who in ("attendant", "operator")]
    waiting: list[list[dict[str, Any]]] = [[] for _ in pdas]
    for step in range(30):
        site.clock.advance(chance.uniform(5, 90))
        which = step % 2
        pda, queue = pdas[which], waiting[which]
        queue.append(pda.act("report", bay_id=str(site.bays[0].id), what="other", note=str(step)))
        if chance.random() < 0.4:
            for _ in range(chance.randint(1, 5)):
                part = queue[: chance.randint(1, len(queue))]
                chance.shuffle(part)
                results = pda.send(*part)
                lost = chance.random() < 0.4
                if not lost:
                    known = {each["id"] for each in results if each["kept"]}
                    queue[:] = [each for each in queue if each["id"] not in known]
                if not queue:
                    break
    for pda, queue in zip(pdas, waiting, strict=True):
        if queue:
            pda.send(*queue)
    with site.wiring.database.read() as connection:
        effects = connection.execute(
            text("select detail->>'note' from audit.record where action = 'parking.bay_reported'")
        ).scalars()
        assert sorted(map(int, effects)) == list(range(30))
        late = connection.execute(
            text(
                "select max(abs(extract(epoch from a.at - a.device_at) * 1000 - a.offset_ms))"
                " from terminals.act a"
            )
        ).scalar_one()
    assert late <= 1
    items = site.get("/api/v1/terminals", "operator").get_json()["items"]
    assert [each["acts"]["missing"] for each in items] == [0, 0]
    assert {UUID(each["signed_in"]) for each in items} == {UUID(p.account_id) for p in pdas}


def test_a_terminals_day_is_held_against_the_payments_that_its_acts_became(site: Site) -> None:
    pda = Pda(site)
    site.stay(61)
    (bill,) = site.get("/api/v1/bills?state=open", "attendant").get_json()["items"]
    taken = pda.act("cash", bill_id=bill["id"], tendered_minor=1000, currency="CNY")
    refused = pda.act("cash", bill_id=str(uuid4()), tendered_minor=1, currency="CNY")
    pda.sequence += 2  # two that never come
    report = pda.act("report", bay_id=str(site.bays[0].id), what="sensor-silent")
    pda.send(taken, refused, report)
    day = site.clock.now().date()  # in the morning of Shanghai, the same in UTC
    path = f"/api/v1/terminals/{pda.handheld.name}/days"
    found = site.get(f"{path}/{day}", "finance").get_json()
    assert {(each["kind"], each["outcome"], each["acts"]) for each in found["counts"]} == {
        ("cash", "done", 1),
        ("cash", "refused", 1),
        ("report", "done", 1),
    }
    assert (found["bills"], found["missing"], found["differences"]) == (1, 2, 0)
    (cash,) = found["cash"]
    assert (cash["account_id"], cash["amount"]) == (pda.account_id, bill["amount"])
    nothing = site.get(f"{path}/{day - timedelta(days=1)}", "operator").get_json()
    assert (nothing["counts"], nothing["bills"], nothing["cash"]) == ([], 0, [])
    # What an act says is not what counts: a told amount that is not the payment's is shown.
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(text("alter table terminals.act disable trigger keep"))
        uow.connection.execute(
            text(
                "update terminals.act set effect = jsonb_set(effect, '{amount,minor}', '1')"
                " where id = :id"
            ),
            {"id": taken["id"]},
        )
        uow.connection.execute(text("alter table terminals.act enable always trigger keep"))
    (differs,) = site.get(f"{path}/{day}", "auditor").get_json()["differing"]
    assert (differs["told"]["minor"], differs["paid"]) == (1, bill["amount"])
    assert site.get(f"{path}/2026-02-30", "finance").status_code == 422
    assert site.get(f"/api/v1/terminals/{uuid4()}/days/{day}", "finance").status_code == 404
    assert site.get(f"{path}/{day}", "attendant").status_code == 403


def test_a_stay_is_freed_of_its_fee_from_a_terminal_with_what_its_reason_asks_for(
    site: Site,
) -> None:
    pda = Pda(site)
    here = str(site.bays[0].id)
    offered = site.get(f"/api/v1/facilities/{site.facility.id}/exemptions", "attendant").get_json()
    assert {each["code"] for each in offered["reasons"] if not each["photo"]} == {"sensor-fault"}
    photo = {"photo_id": str(uuid4()), "photo_sha256": "0f" * 32}
    noted = pda.plate()
    bare = pda.act("exempt", bay_id=here, exempt="disabled-permit")
    unknown = pda.act("exempt", bay_id=here, exempt="my-cousin", **photo)
    good = pda.act("exempt", bay_id=here, exempt="disabled-permit", **photo)
    again = pda.act("exempt", bay_id=here, exempt="disabled-permit", **photo)
    results = pda.send(noted, bare, unknown, good, again)
    assert [told(each) for each in results] == [
        DONE,
        ("conflict", "photo", "take-photo"),
        ("conflict", "invalid", "call-supervisor"),
        DONE,
        ("conflict", "exempt", "nothing"),
    ]
    (session,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    assert session["exempt"] == "disabled-permit"
    withdrawal = f"/api/v1/sessions/{session['id']}/exemption/withdrawal"
    assert site.post(withdrawal, "attendant", json={"reason": "not so"}).status_code == 403
    back = site.post(withdrawal, "operator", json={"reason": "the permit is out of date"})
    assert back.get_json()["exempt"] is None
    online = f"/api/v1/sessions/{session['id']}/exemption"
    freed = site.post(online, "attendant", json={"code": "sensor-fault"})
    assert (freed.status_code, freed.get_json()["exempt"]) == (201, "sensor-fault")


def test_a_region_rules_which_reasons_it_accepts(site: Site) -> None:
    rule = {
        "district": "0153",
        "reasons": [{"code": "flood", "name": {"zh": "防汛", "en": "flood"}, "photo": False}],
        "source": "Notice 12",
    }
    assert site.post("/api/v1/exemption-policies", "operator", json=rule).status_code == 403
    stated = site.post("/api/v1/exemption-policies", "administrator", json=rule)
    assert stated.status_code == 201
    offered = site.get(f"/api/v1/facilities/{site.facility.id}/exemptions", "attendant").get_json()
    assert [each["code"] for each in offered["reasons"]] == ["flood"]
    (kept,) = site.get("/api/v1/exemption-policies", "auditor").get_json()["items"]
    assert kept["id"] == stated.get_json()["id"]
