"""Agreeing by two people: contracts, policies on unpaid bills, and rules about exits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, NotFound
from city.works.database import UnitOfWork
from payments.rules.contracts import Contract
from payments.rules.terms import (
    DraftState,
    RegionPolicy,
    TermDraft,
    Version,
    decided,
    kind_of,
    terms_of,
    version_of,
)
from payments.store import contracts, exits, policies
from payments.store import term_drafts as store
from payments.store.whole import whole


def propose(uow: UnitOfWork, version: Version, from_at: datetime | None, by: str) -> TermDraft:
    """Keep a version that one person proposes; nothing follows it yet.

    Parameters
    ----------
    uow : UnitOfWork
    version : Contract, RegionPolicy or ExitRule
        Its id becomes the proposal's.
    from_at : datetime or None
        From when it is to hold; None: from its approval on.
    by : str
        Subject of who proposes it.
    """
    draft = TermDraft(
        version.id,
        kind_of(version),
        terms_of(version),
        from_at,
        DraftState.WAITING,
        uow.clock.now(),
        by,
    )
    store.add(uow.connection, draft)
    return draft


def decide(uow: UnitOfWork, draft_id: UUID, *, approve: bool, by: str) -> TermDraft:
    """Approve a proposal as a second person, which puts it in force, or refuse it.

    Raises
    ------
    NotFound
        Where there is no such proposal.
    Conflict
        Where it is decided, or another version of the same begins at its instant.
    Forbidden
        Where who proposed it approves.
    """
    if approve:
        contracts.change_terms(uow.connection)
    found = store.find(uow.connection, draft_id, lock=True)
    if found is None:
        raise NotFound("there is no such proposal", field="draft_id")
    done = decided(found, uow.clock.now(), by, approve=approve)
    store.decide(uow.connection, done)
    if approve:
        try:
            with uow.connection.begin_nested():
                _enter(uow.connection, version_of(done))
        except IntegrityError:
            raise Conflict("another version begins then", field="from_at") from None
    return done


def waiting(connection: Connection) -> list[TermDraft]:
    """Give what waits for a second person, the oldest first."""
    return whole(lambda after, limit: store.waiting(connection, after, limit))


def proposals(
    connection: Connection, after: UUID | None, limit: int
) -> tuple[list[TermDraft], UUID | None]:
    """Give some of all that was ever proposed, the oldest first, and where more follow from."""
    found = store.page(connection, after, limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def _enter(connection: Connection, version: Version) -> None:
    if isinstance(version, Contract):
        contracts.add(connection, version)
    elif isinstance(version, RegionPolicy):
        policies.add(connection, version)
    else:
        exits.add(connection, version)
