"""Nothing is agreed to by one person alone, whoever writes it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from city.errors import Conflict, Forbidden
from city.identifiers import DistrictCode, FacilityId, uuid7
from payments import contracts, exits, services, terms
from payments.rules.arrears import DEFAULT_POLICY
from payments.rules.contracts import Contract, Party, Share
from payments.rules.exits import ExitMode, ExitRule
from payments.rules.ledger import Account, AccountKind
from payments.rules.terms import (
    DraftState,
    RegionPolicy,
    TermDraft,
    TermKind,
    Version,
    decided,
    kind_of,
    terms_of,
    version_of,
)
from payments.store import contracts as contract_store
from payments.store import term_drafts
from payments.store.whole import whole
from tests.payments.test_ledger import AT, OPERATOR, charge

if TYPE_CHECKING:
    from uuid import UUID

    from city.time import FixedClock
    from city.works.database import Database
    from payments.rules.bills import Bill

SHARES = (Share(Party.OPERATOR, "", 9), Share(Party.PLATFORM, "greenbay", 1))
VERSIONS: dict[str, Version] = {
    "contract": Contract(uuid7(), OPERATOR, None, AT, SHARES, AT, "one"),
    "policy": RegionPolicy(uuid7(), DistrictCode("0153"), AT, DEFAULT_POLICY, AT, "one"),
    "exit": ExitRule(
        uuid7(), FacilityId(uuid7()), None, ExitMode.PAY_FIRST, AT, "the owner", AT, "one"
    ),
}

WAITING = text(
    "select exists (select from pg_locks l join pg_database d on d.oid = l.database"
    " where d.datname = current_database() and l.locktype = 'advisory' and not l.granted)"
)
TERM = TermDraft(uuid7(), TermKind.CONTRACT, {}, None, DraftState.WAITING, AT, "one")


@given(
    kind=st.sampled_from(sorted(VERSIONS)),
    later_s=st.integers(0, 100_000),
    named_s=st.none() | st.integers(-100_000, 100_000),
)
def test_what_is_approved_says_what_was_proposed_and_begins_then_at_the_earliest(
    kind: str, later_s: int, named_s: int | None
) -> None:
    version = VERSIONS[kind]
    from_at = None if named_s is None else AT + timedelta(seconds=named_s)
    draft = TermDraft(
        version.id, kind_of(version), terms_of(version), from_at, DraftState.WAITING, AT, "one"
    )
    done_at = AT + timedelta(seconds=later_s)
    with pytest.raises(Forbidden, match="second person"):
        decided(draft, done_at, "one", approve=True)
    assert decided(draft, done_at, "one", approve=False).state is DraftState.REFUSED
    done = version_of(decided(draft, done_at, "two", approve=True))
    assert terms_of(done) == terms_of(version)
    assert done.from_at == max(from_at or done_at, done_at)
    assert (done.agreed_at, done.agreed_by, done.approved_by) == (done_at, "one", "two")
    with pytest.raises(Conflict, match="already"):
        decided(decided(draft, done_at, "two", approve=True), done_at, "two", approve=True)


def proposed(database: Database, kind: str = "contract") -> TermDraft:
    with database.unit_of_work() as uow:
        return terms.propose(uow, VERSIONS[kind], None, "one")


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000, 1203])
def test_a_list_that_is_read_whole_stops_at_no_page(count: int) -> None:
    every = sorted((replace(TERM, id=uuid7()) for _ in range(count)), key=lambda each: each.id)

    def page(after: UUID | None, limit: int) -> list[TermDraft]:
        return [each for each in every if after is None or each.id > after][:limit]

    assert whole(page) == every


@pytest.mark.parametrize("kind", sorted(VERSIONS))
def test_it_is_entered_by_its_approval(database: Database, kind: str) -> None:
    draft = proposed(database, kind)
    with database.unit_of_work() as uow:
        assert [*contracts.contracts(uow.connection), *contracts.rules(uow.connection)] == []
        assert terms.waiting(uow.connection) == [draft]
        done = terms.decide(uow, draft.id, approve=True, by="two")
    with database.read() as connection:
        found: list[Version] = [
            *contracts.contracts(connection),
            *contracts.rules(connection),
            *exits.rules(connection),
        ]
        assert found == [version_of(done)]
        assert terms.waiting(connection) == []


def test_a_bill_of_that_moment_follows_what_was_approved_when_it_is_issued(
    database: Database,
) -> None:
    """Whose refund would be shared by one contract must not have been earned by another."""

    def bill() -> Bill:
        with database.unit_of_work() as uow:
            return services.issue_bill(uow, charge(), "test")

    def waits(issued: Future[Bill]) -> bool:
        with database.read() as connection:
            return issued.done() or bool(connection.execute(WAITING).scalar_one())

    draft = proposed(database)
    with ThreadPoolExecutor(1) as threads:
        with database.unit_of_work() as uow:
            terms.decide(uow, draft.id, approve=True, by="two")
            issued = threads.submit(bill)
            while not waits(issued):
                pass
            assert not issued.done()
        issued.result()
    with database.read() as connection:
        held = services.balance(connection, Account(AccountKind.PLATFORM, "greenbay"))
    assert held["CNY"].minor < 0


def test_another_that_begins_then_is_refused_and_still_waits(
    database: Database, clock: FixedClock
) -> None:
    begins_at = clock.now() + timedelta(days=1)
    with database.unit_of_work() as uow:
        first = terms.propose(uow, VERSIONS["contract"], begins_at, "one")
        terms.decide(uow, first.id, approve=True, by="two")
        same = Contract(uuid7(), OPERATOR, None, begins_at, (), clock.now(), "one")
        second = terms.propose(uow, same, begins_at, "one")
    with (
        pytest.raises(Conflict, match="another version begins"),
        database.unit_of_work() as uow,
    ):
        terms.decide(uow, second.id, approve=True, by="two")
    with database.read() as connection:
        assert terms.waiting(connection) == [second]


@pytest.mark.parametrize(
    "wrong",
    [
        (
            "update payments.term_draft set state = 'approved', decided_at = now(),"
            " decided_by = proposed_by"
        ),
        "update payments.term_draft set terms = '{}'",
        "update payments.term_draft set proposed_by = 'other'",
        "delete from payments.term_draft",
        "truncate payments.term_draft",
        (
            "insert into payments.term_draft (id, kind, terms, state, proposed_at, proposed_by,"
            " decided_at, decided_by) select gen_random_uuid(), 'exit', '{}', 'approved', now(),"
            " 'a', now(), 'b'"
        ),
    ],
)
def test_the_database_keeps_what_was_proposed(database: Database, wrong: str) -> None:
    draft = proposed(database)
    with pytest.raises(DBAPIError), database.unit_of_work() as uow:
        uow.connection.execute(text(wrong))
    with database.read() as connection:
        assert term_drafts.find(connection, draft.id) == draft


def test_a_version_by_hand_is_refused_without_or_beside_its_approval(database: Database) -> None:
    draft = proposed(database)
    alone = version_of(draft)
    assert isinstance(alone, Contract)
    with pytest.raises(DBAPIError, match="second person"), database.unit_of_work() as uow:
        contract_store.add(uow.connection, alone)
    # Approved, and another thing entered.
    done = decided(draft, database.clock.now(), "two", approve=True)
    version = version_of(replace(done, terms={**done.terms, "shares": []}))
    assert isinstance(version, Contract)
    with database.unit_of_work() as uow:
        term_drafts.decide(uow.connection, done)
        with pytest.raises(DBAPIError, match="second person"), uow.attempt():
            contract_store.add(uow.connection, version)
