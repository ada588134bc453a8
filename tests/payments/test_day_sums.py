"""Balances are made of days' sums that nobody waits for, and are always what is posted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from city.identifiers import uuid7
from city.people.actors import system_actor
from city.time import FixedClock
from city.works import metrics
from city.works.database import Database
from city.works.settings import settings as known_settings
from payments import balances, periods, services
from payments.commands import check_balances
from payments.rules.days import begin_of, day_of, reach
from payments.rules.ledger import Account, AccountKind, Entry, EntryKind, Posting, reversal_of
from payments.store import day_sums, ledger
from tests.conftest import with_database
from tests.payments.test_ledger import cny

if TYPE_CHECKING:
    from collections.abc import Iterator


AUDITOR = system_actor("an auditor")
BUSY = Account(AccountKind.CLEARING, "wechat")
OTHERS = [Account(AccountKind.RECEIVABLE, name) for name in ("a", "b")]
# Ten in the evening in Shanghai: four hours on it is the next day there, and not yet in UTC.
EVENING = datetime(2026, 3, 2, 14, tzinfo=UTC)


def entry(at: datetime, minor: int, other: Account = OTHERS[0]) -> Entry:
    moved = (Posting(BUSY, cny(minor)), Posting(other, cny(-minor)))
    return Entry(uuid7(), at, EntryKind.CORRECTION, uuid7(), moved, "test", "test")


def added_up(connection: Connection, before_at: datetime | None = None) -> dict[str, int]:
    rows = connection.execute(
        text(
            "select account, sum(minor)::bigint from payments.posting"
            " where at < coalesce(cast(:before_at as timestamptz), 'infinity') group by account"
        ),
        {"before_at": before_at},
    )
    return {row[0]: row[1] for row in rows}


def told(connection: Connection, before_at: datetime | None = None) -> dict[str, int]:
    found = ledger.balances(connection, before_at=before_at)
    return {account.code: money.minor for account, (money,) in found.items()}


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(-60, 0), st.integers(-900, 900).filter(bool)),
        st.tuples(st.just("reverse"), st.integers(-60, 0), st.integers(0, 5)),
        st.tuples(st.just("close"), st.integers(-60, 0), st.just(0)),
        st.tuples(st.just("fold"), st.just(0), st.integers(1, 3)),
    ),
    min_size=1,
    max_size=12,
)


@given(st.integers(-70, 2))
def test_a_reach_covers_every_instant_before_its_end_once(asked_h: int) -> None:
    asked_at = EVENING + timedelta(hours=asked_h)
    for closed_at in (None, EVENING - timedelta(hours=30), begin_of(day_of(EVENING))):
        if closed_at is not None and asked_at < closed_at:
            continue
        covered = reach(closed_at, asked_at)
        for hours in range(-80, 10):
            at = EVENING + timedelta(hours=hours)
            day = day_of(at)
            times = sum(from_at <= at < until_at for from_at, until_at in covered.spans)
            assert covered.before_day is not None
            if (covered.from_day is None or covered.from_day <= day) and day < covered.before_day:
                times += 1
            inside = (closed_at is None or closed_at <= at) and at < asked_at
            assert times == int(inside)


@pytest.fixture(scope="module")
def database_of_laws(postgres_url: str, template_database: str) -> Iterator[Database]:
    """Give one database for all examples of a law: each leaves it as it was."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"create database laws_of_sums template {template_database}")
    opened = Database(
        with_database(postgres_url, "laws_of_sums"), clock=FixedClock(EVENING + timedelta(hours=9))
    )
    yield opened
    opened.close()


@settings(max_examples=25)
@given(acts=ACTS, asked_h=st.integers(-70, 2))
def test_whatever_is_posted_late_reversed_closed_and_folded_balances_are_the_plain_sums(
    database_of_laws: Database, acts: list[tuple[str, int, int]], asked_h: int
) -> None:
    asked_at = EVENING + timedelta(hours=asked_h)
    with database_of_laws.unit_of_work() as uow:
        connection = uow.connection
        turn = connection.begin_nested()
        written: list[Entry] = []
        for act, hours, number in acts:
            at = EVENING + timedelta(hours=hours)
            if act == "post":
                written.append(entry(at, number, OTHERS[number % 2]))
                ledger.add_entry(connection, written[-1])
            elif act == "reverse" and written:
                undone = written.pop(number % len(written))
                ledger.add_entry(connection, reversal_of(undone, at, "test", "test"))
            elif act == "fold":
                day_sums.fold(connection, number)
            elif act == "close":
                last_at, _ = periods.periods(connection)
                if not last_at or last_at[0].until_at < at:
                    periods.close(uow, at, "test")
            assert told(connection) == added_up(connection)
            assert told(connection, asked_at) == added_up(connection, asked_at)
        assert balances.check(uow, AUDITOR).summary["differences"] == 0
        assert balances.check(uow, AUDITOR, whole=True).summary["differences"] == 0
        turn.rollback()


def test_who_commits_late_with_an_earlier_time_is_missed_by_nobody(database: Database) -> None:
    early, late = EVENING - timedelta(days=3), EVENING
    with database.unit_of_work() as uow:
        # Who opens an account is waited for by who opens the same: they are open already.
        for account in OTHERS:
            ledger.add_entry(uow.connection, entry(early, 1, account))
    with database.unit_of_work() as slow:
        ledger.add_entry(slow.connection, entry(early, 500))
        with database.unit_of_work() as quick:
            ledger.add_entry(quick.connection, entry(late, 70, OTHERS[1]))
        # The fold waits for nobody, and takes what is committed alone.
        assert balances.fold(database) == 6
        with database.unit_of_work() as other:
            assert told(other.connection)[BUSY.code] == 72
            assert told(other.connection, late)[BUSY.code] == 2
            assert balances.check(other, AUDITOR).summary["differences"] == 0
    # Not folded yet, and in it all the same: now, and as of an instant before the quick one's.
    for _ in range(2):
        with database.unit_of_work() as uow:
            assert told(uow.connection)[BUSY.code] == 572
            assert told(uow.connection, late)[BUSY.code] == 502
            assert told(uow.connection) == added_up(uow.connection)
            assert balances.check(uow, AUDITOR).summary["differences"] == 0
        balances.fold(database)


def test_two_that_post_to_one_account_do_not_wait_for_each_other_nor_for_the_fold(
    database: Database,
) -> None:
    with database.unit_of_work() as uow:
        ledger.add_entry(uow.connection, entry(EVENING, 1))
    with database.unit_of_work() as folding:
        assert day_sums.fold(folding.connection, 1) == 1
        with database.unit_of_work() as posting:
            posting.connection.execute(text("set local lock_timeout = '1ms'"))
            ledger.add_entry(posting.connection, entry(EVENING, 2))
            assert told(posting.connection)[BUSY.code] == 3
    with database.unit_of_work() as uow:
        assert told(uow.connection)[BUSY.code] == 3


def test_a_sum_that_somebody_changed_is_an_alarm_and_made_anew(
    database: Database,
    clock: FixedClock,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with database.unit_of_work() as uow:
        ledger.add_entry(uow.connection, entry(clock.now(), 900))
    balances.fold(database)
    first = balances.check_daily(database)
    assert first is not None
    assert first.summary["differences"] == 0
    assert balances.check_daily(database) is None
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text("update payments.day_sum set minor = minor + 1 where account = :code"),
            {"code": BUSY.code},
        )
    clock.advance(86_400)
    second = balances.check_daily(database)
    assert second is not None
    assert second.summary["differences"] == 1
    with database.read() as connection:
        (kept,) = connection.execute(
            text("select kind, state, detail from payments.difference where channel = 'ledger'")
        ).all()
    assert kept[:2] == ("day-sum", "open")
    assert (kept[2]["account"], kept[2]["on"]) == (BUSY.code, "2026-03-02")
    assert [kept[2][each]["minor"] for each in ("posted", "told")] == [900, 901]
    monkeypatch.setenv("DATABASE_URL", database_url)
    known_settings.cache_clear()
    assert metrics.LEDGER_DIFFERENCES._value.get() == 1
    capsys.readouterr()
    assert check_balances.run([]) == 1
    assert check_balances.run(["--rebuild", "--whole"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["differences"], each["rebuilt"]) for each in said] == [(1, False), (0, True)]
    with database.read() as connection:
        assert services.balance(connection, BUSY) == {"CNY": cny(900)}
