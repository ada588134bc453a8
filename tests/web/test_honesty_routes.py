"""The list of who differs from peers, worked out from stays, shifts and words in the database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from sqlalchemy import text

from city.identifiers import AccountId, uuid7
from city.people.store import ACCOUNT
from journeys.weigh_honesty import weigh_honesty

if TYPE_CHECKING:
    from tests.web.small_site import Site

CAREFUL = [f"attendant {n}" for n in range(7)]
CARELESS = "attendant 7"
DAYS = 10


def people(site: Site) -> dict[str, str]:
    """Make attendants, each with a shift a day; give their subjects by name."""
    made: dict[str, str] = {}
    with site.wiring.database.unit_of_work() as uow:
        for name in [*CAREFUL, CARELESS]:
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


def a_fortnight(site: Site, subjects: dict[str, str]) -> None:
    """Let everybody work alone for an hour at a time, in turns, at the same kerb."""
    random = np.random.default_rng(4)
    rows: list[dict[str, Any]] = []
    names = list(subjects)
    for day in range(1, DAYS + 1):
        for turn in range(8):
            who = names[(turn + day) % len(names)]
            missing = 0.45 if who == CARELESS else 0.1
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


def test_who_lets_cars_go_unnamed_is_listed_with_what_shows_it(site: Site) -> None:
    empty = site.get("/api/v1/honesty", "operator").get_json()
    assert (empty["lines"], empty["until_at"]) == ([], None)
    assert weigh_honesty(site.wiring.database) is None
    subjects = people(site)
    a_fortnight(site, subjects)
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


def test_without_anything_to_compare_nobody_is_listed(site: Site) -> None:
    people(site)
    run = weigh_honesty(site.wiring.database)
    assert run is not None
    assert run.people == 8
    assert site.get("/api/v1/honesty", "auditor").get_json()["lines"] == []


def test_attendants_do_not_read_it(site: Site) -> None:
    assert site.get("/api/v1/honesty", "attendant").status_code == 403
