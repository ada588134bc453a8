"""The list of who differs from peers, worked out from stays, shifts and words in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from sqlalchemy import text

from city.identifiers import (
    AccountId,
    ParkingSessionId,
    PaymentId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.people.store import ACCOUNT
from journeys.weigh_honesty import weigh_honesty
from payments import takeovers
from payments.cash_round import CashRound
from payments.rules.bills import Charge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.web.small_site import Site

CAREFUL = [f"attendant {n}" for n in range(7)]
CARELESS = "attendant 7"
DAYS = 10


@dataclass(frozen=True)
class Habits:
    """How often somebody does what, of what they could."""

    unnamed: float = 0.1
    set_aside: float = 0.05
    ended: float = 0.05
    round_sum: float = 0.2
    escaped: float = 0.04


LINE: dict[str, Any] = {
    "from": "2026-03-01T09:00:00+08:00",
    "to": "2026-03-01T10:00:00+08:00",
    "band": "day",
    "units": 1,
    "why": {"key": "tariff.why.exempt", "values": {"name": {"zh": "应急", "en": "police"}}},
}
HONEST = Habits()
SEVERAL = {
    "lenient": Habits(set_aside=0.4),
    "hasty": Habits(ended=0.4),
    "rounding": Habits(round_sum=0.8),
    "accusing": Habits(escaped=0.4),
    CARELESS: Habits(unnamed=0.45),
}
"""People who each differ in one thing."""


def people(site: Site, names: Sequence[str] = (*CAREFUL, CARELESS)) -> dict[str, str]:
    """Make attendants, each with a shift a day; give their subjects by name."""
    made: dict[str, str] = {}
    with site.wiring.database.unit_of_work() as uow:
        for name in names:
            account_id = AccountId(uuid7())
            uow.connection.execute(
                ACCOUNT.insert().values(
                    id=account_id,
                    kind="staff",
                    login=f"w{account_id.hex}",
                    login_key=f"w{account_id.hex}",
                    name=name,
                    roles=["attendant"],
                    password_hash="unusable",
                    created_at=uow.wall.now(),
                )
            )
            made[name] = str(account_id)
            for day in range(1, DAYS + 1):
                opened_at = site.clock.now() - timedelta(days=day)
                uow.connection.execute(
                    text(
                        "insert into payments.shift (id, holder, district, place, opened_at,"
                        " currency, carried_minor, state, counted_at, counted_minor,"
                        " expected_minor) values (:id, :who, '0153', 'A', :opened_at, 'CNY', 0,"
                        " 'counted', :counted_at, 0, 0)"
                    ),
                    {
                        "id": uuid4(),
                        "who": str(account_id),
                        "opened_at": opened_at,
                        "counted_at": opened_at + timedelta(hours=8),
                    },
                )
    return made


def a_fortnight(
    site: Site, subjects: dict[str, str], habits: Mapping[str, Habits]
) -> list[dict[str, Any]]:
    """Let everybody work alone for an hour at a time, in turns, at one kerb; give the stays."""
    random = np.random.default_rng(4)
    rows: list[dict[str, Any]] = []
    names = list(subjects)
    for day in range(1, DAYS + 1):
        for turn in range(8):
            who = names[(turn + day) % len(names)]
            missing = habits.get(who, HONEST).unnamed
            begin = site.clock.now() - timedelta(days=day) + timedelta(hours=3 * turn)
            for n in range(14):
                opened_at = begin + timedelta(minutes=2 * n)
                named = n in {0, 13} or random.uniform() >= missing
                rows.append(
                    {
                        "id": uuid7(),
                        "bay": site.bays[n % 3].id,
                        "opened_at": opened_at,
                        "closed_at": opened_at + timedelta(minutes=1),
                        "who": subjects[who] if named else None,
                        "vehicle": uuid4() if named else None,
                        "state": "closed" if named else "unattributed",
                        "announced_at": opened_at + timedelta(minutes=1) if named else None,
                    }
                )
    insert = text(
        "insert into parking.parking_session (id, bay_id, bay_number, facility_id, district,"
        " opened_at, closed_at, state, opened_evidence, closed_evidence, closing_reason,"
        " vehicle_id, attached_at, attached_by, announced_at)"
        " select :id, b.id, b.number, b.facility_id, b.district, :opened_at, :closed_at, :state,"
        " 'o:' || :id, 'c:' || :id, 'departure', :vehicle,"
        " case when cast(:who as text) is null then null else cast(:opened_at as timestamptz) end,"
        " :who, cast(:announced_at as timestamptz) from parking.bay b where b.id = :bay"
    )
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(insert, rows)
    return rows


def say(site: Site, rows: Sequence[dict[str, Any]], share: Mapping[str, float], kind: str) -> None:
    """Let people say something of a share of the stays that they named."""
    random = np.random.default_rng(5)
    said = [
        {**row, "word": uuid7(), "kind": kind}
        for row in rows
        if row["who"] is not None and random.uniform() < share[row["who"]]
    ]
    insert = text(
        "insert into parking.stay_evidence (id, session_id, facility_id, bay_id, district, kind,"
        " at, recorded_at, source, certainty, written_by, detail)"
        " select :word, s.id, s.facility_id, s.bay_id, s.district, :kind, s.closed_at, s.closed_at,"
        " 'attendant', 1000, :who, '{}' from parking.parking_session s where s.id = :id"
    )
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(insert, said)


def pay(site: Site, rows: Sequence[dict[str, Any]], round_share: Mapping[str, float]) -> None:
    """Bill the stays that were named, and let who named them take cash: round sums or others."""
    random = np.random.default_rng(6)
    home = site.facility
    named = [row for row in rows if row["who"] is not None]
    amounts = [500 if random.uniform() < round_share[row["who"]] else 700 for row in named]
    charges = [
        Charge(
            session_id=ParkingSessionId(row["id"]),
            vehicle_id=VehicleId(row["vehicle"]),
            facility_id=home.id,
            district=home.district,
            operator_id=home.operator_id,
            revenue_nature=home.revenue_nature,
            tariff_version_id=TariffVersionId(uuid7()),
            amount=Money(amount, "CNY"),
            lines=({**LINE, "minor": amount},),
        )
        for row, amount in zip(named, amounts, strict=True)
    ]
    with site.wiring.database.unit_of_work() as uow:
        by_stay = {
            bill.charge.session_id: bill
            for first in range(0, len(charges), 200)
            for bill in takeovers.issue_bills(uow, charges[first : first + 200], "test")
        }
        cash = CashRound(uow)
        cash.load([bill.id for bill in by_stay.values()], [])
        for row in named:
            bill = by_stay[ParkingSessionId(row["id"])]
            cash.take(bill.id, bill.amount, row["who"], PaymentId(uuid7()), site.clock.now())
        cash.write()


def test_who_lets_cars_go_unnamed_is_listed_with_what_shows_it(site: Site) -> None:
    empty = site.get("/api/v1/honesty", "operator").get_json()
    assert (empty["lines"], empty["until_at"]) == ([], None)
    assert weigh_honesty(site.wiring.database) is None
    subjects = people(site)
    a_fortnight(site, subjects, SEVERAL)
    run = weigh_honesty(site.wiring.database)
    assert run is not None
    found = site.get("/api/v1/honesty", "operator").get_json()
    assert [(each["name"], each["signal"]) for each in found["lines"]] == [(CARELESS, "unnamed")]
    (line,) = found["lines"]
    assert line["value"] > 2 * line["usual"]
    assert line["q"] <= found["false_share"]
    assert line["people"] == 8
    assert found["rested_on"]["unnamed"] == {"people": 8, "trials": DAYS * 8 * 14}
    stay = site.get(f"/api/v1/sessions/{line['evidence'][0]['id']}", "operator").get_json()
    assert stay["state"] == "unattributed"
    seen = site.get("/api/v1/audit?limit=5", "auditor").get_json()["items"]
    assert "payments.honesty_seen" in [each["action"] for each in seen]
    assert site.get("/api/v1/honesty", "operator-west").get_json()["lines"] == []


def test_each_who_differs_is_listed_for_that_alone_and_nobody_else(site: Site) -> None:
    subjects = people(site, [*CAREFUL, *SEVERAL])
    rows = a_fortnight(site, subjects, SEVERAL)

    def of(habit: str) -> dict[str, float]:
        return {
            subject: getattr(SEVERAL.get(name, HONEST), habit) for name, subject in subjects.items()
        }

    say(site, rows, of("set_aside"), "set-aside")
    say(site, rows, of("ended"), "ended")
    say(site, rows, of("escaped"), "escaped")
    pay(site, rows, of("round_sum"))
    assert weigh_honesty(site.wiring.database) is not None
    found = site.get("/api/v1/honesty", "operator").get_json()["lines"]
    lines = {(each["name"], each["signal"]): each for each in found}
    assert set(lines) == {
        ("lenient", "exempted"),
        ("hasty", "shortened"),
        ("rounding", "round"),
        ("accusing", "escaped"),
        (CARELESS, "unnamed"),
    }
    shown = lines["lenient", "exempted"]["evidence"][0]
    timeline = site.get(f"/api/v1/sessions/{shown['id']}/evidence", "operator").get_json()
    assert "set-aside" in [each["kind"] for each in timeline["items"]]
    shown = lines["rounding", "round"]["evidence"][0]
    assert shown["kind"] == "bill"
    bill = site.get(f"/api/v1/bills/{shown['id']}", "operator").get_json()
    assert bill["amount"] == {"minor": 500, "currency": "CNY"}


def test_without_anything_to_compare_nobody_is_listed(site: Site) -> None:
    people(site)
    run = weigh_honesty(site.wiring.database)
    assert run is not None
    assert run.people == 8
    assert site.get("/api/v1/honesty", "auditor").get_json()["lines"] == []


def test_attendants_do_not_read_it(site: Site) -> None:
    assert site.get("/api/v1/honesty", "attendant").status_code == 403
