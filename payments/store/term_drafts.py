"""What was proposed to be agreed to, and what became of it."""

from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Table,
    Text,
    Uuid,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from payments.rules.terms import DraftState, TermDraft, TermKind
from payments.store import tables

term_draft = Table(
    "term_draft",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("from_at", tables.INSTANT),
    Column("state", Text, nullable=False),
    Column("proposed_at", tables.INSTANT, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("decided_at", tables.INSTANT),
    Column("decided_by", Text),
)


def add(connection: Connection, draft: TermDraft) -> None:
    """Keep a proposal."""
    connection.execute(
        insert(term_draft).values(
            id=draft.id,
            kind=draft.kind.value,
            terms=dict(draft.terms),
            from_at=draft.from_at,
            state=draft.state.value,
            proposed_at=draft.proposed_at,
            proposed_by=draft.proposed_by,
        )
    )


def find(connection: Connection, draft_id: UUID, *, lock: bool = False) -> TermDraft | None:
    """Give a proposal; with `lock` nobody else decides it meanwhile."""
    query = select(term_draft).where(term_draft.c.id == draft_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _draft(row)


def decide(connection: Connection, decided: TermDraft) -> None:
    """Write what was decided."""
    connection.execute(
        update(term_draft)
        .where(term_draft.c.id == decided.id)
        .values(
            state=decided.state.value,
            decided_at=decided.decided_at,
            decided_by=decided.decided_by,
        )
    )


def waiting(connection: Connection, after: UUID | None, limit: int) -> list[TermDraft]:
    """Give some of what waits for a second person, the oldest first: an index of these alone."""
    return _read(connection, term_draft.c.state == DraftState.WAITING.value, after, limit)


def page(connection: Connection, after: UUID | None, limit: int) -> list[TermDraft]:
    """Give some of all that was ever proposed, the oldest first."""
    return _read(connection, true(), after, limit)


def _read(
    connection: Connection, condition: ColumnElement[bool], after: UUID | None, limit: int
) -> list[TermDraft]:
    query = select(term_draft).where(condition).order_by(term_draft.c.id).limit(limit)
    if after is not None:
        query = query.where(term_draft.c.id > after)
    return [_draft(row) for row in connection.execute(query).mappings()]


def _draft(row: RowMapping) -> TermDraft:
    return TermDraft(
        row["id"],
        TermKind(row["kind"]),
        row["terms"],
        row["from_at"],
        DraftState(row["state"]),
        row["proposed_at"],
        row["proposed_by"],
        row["decided_at"],
        row["decided_by"],
    )
