"""Acts of terminals, who was signed in, and how far each terminal's count has come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Row,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from city.identifiers import AccountId
from city.terminals.rules.acts import Act, ActKind, Basis, Outcome, SignIn
from city.terminals.store import METADATA, TERMINAL
from city.works.rows import as_rows

_INSTANT = DateTime(timezone=True)
TAKING: Final = (ActKind.CASH.value, ActKind.AHEAD.value)
"""Acts with which money went into somebody's bag."""
MOST_SIGN_INS: Final = 200
"""Of one terminal, the latest: a month of three shifts a day and their breaks."""

ACT = Table(
    "act",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("terminal_id", Uuid),
    Column("sequence", BigInteger),
    Column("kind", Text),
    Column("account_id", Uuid),
    Column("device_at", _INSTANT),
    Column("offset_ms", BigInteger),
    Column("at", _INSTANT),
    Column("basis", Text),
    Column("received_at", _INSTANT),
    Column("detail", JSONB),
    Column("outcome", Text),
    Column("reason", Text),
    Column("words", Text),
    Column("effect", JSONB),
)
COUNT = Table(
    "act_count",
    METADATA,
    Column("terminal_id", Uuid, primary_key=True),
    Column("last_sequence", BigInteger),
    Column("received", BigInteger),
    Column("refused", BigInteger),
)
SIGN_IN = Table(
    "sign_in",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("terminal_id", Uuid),
    Column("account_id", Uuid),
    Column("from_at", _INSTANT),
    Column("until_at", _INSTANT),
)


@dataclass(frozen=True, slots=True)
class ActCount:
    """How far a terminal's acts have come."""

    last_sequence: int = 0
    received: int = 0
    refused: int = 0


def take_turn(connection: Connection, terminal_id: UUID) -> ActCount:
    """Let one upload of a terminal at a time through; give how far it has come."""
    connection.execute(
        upsert(COUNT)
        .values(terminal_id=terminal_id, last_sequence=0, received=0, refused=0)
        .on_conflict_do_nothing()
    )
    row = connection.execute(
        select(COUNT).where(COUNT.c.terminal_id == terminal_id).with_for_update()
    ).one()
    return ActCount(row.last_sequence, row.received, row.refused)


def find(connection: Connection, act_id: UUID) -> Act | None:
    """Give one act."""
    row = connection.execute(select(ACT).where(ACT.c.id == act_id)).one_or_none()
    return None if row is None else act_of(row)


def counts(connection: Connection, terminal_ids: Collection[UUID]) -> dict[UUID, ActCount]:
    """Give how far some terminals' acts have come."""
    query = select(COUNT).where(COUNT.c.terminal_id.in_(terminal_ids))
    return {
        row.terminal_id: ActCount(row.last_sequence, row.received, row.refused)
        for row in connection.execute(query)
    }


def present(
    connection: Connection, terminal_id: UUID, ids: Collection[UUID], sequences: Collection[int]
) -> list[Act]:
    """Give the acts that have one of some ids, or of the terminal's some numbers."""
    # Arrays: the statement is the same however many are asked for, and is compiled once.
    asked = bindparam("ids", list(ids), ARRAY(Uuid))
    numbers = bindparam("numbers", list(sequences), ARRAY(BigInteger))
    query = select(ACT).where(
        (ACT.c.id == any_(asked))
        | ((ACT.c.terminal_id == terminal_id) & (ACT.c.sequence == any_(numbers)))
    )
    return [act_of(row) for row in connection.execute(query)]


_ADD: Final = text(
    "insert into terminals.act (id, terminal_id, sequence, kind, account_id, device_at, offset_ms,"
    " at, basis, received_at, detail, outcome, reason, words, effect)"
    " select r.id, r.terminal_id, r.sequence, r.kind, r.account_id, r.device_at, r.offset_ms, r.at,"
    " r.basis, r.received_at, r.detail, r.outcome, r.reason, r.words, r.effect"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, terminal_id uuid,"
    " sequence bigint, kind text, account_id uuid, device_at timestamptz, offset_ms bigint,"
    " at timestamptz, basis text, received_at timestamptz, detail jsonb, outcome text, reason text,"
    " words text, effect jsonb)"
)


def add(connection: Connection, acts: Sequence[Act]) -> None:
    """Keep new acts with what became of them: one statement."""
    rows = [
        {
            "id": act.id,
            "terminal_id": act.terminal_id,
            "sequence": act.sequence,
            "kind": act.kind.value,
            "account_id": act.account_id,
            "device_at": act.device_at,
            "offset_ms": act.offset_ms,
            "at": act.at,
            "basis": act.basis.value,
            "received_at": act.received_at,
            "detail": dict(act.detail),
            "outcome": None if act.outcome is None else act.outcome.value,
            "reason": act.reason,
            "words": act.words,
            "effect": None if act.effect is None else dict(act.effect),
        }
        for act in acts
    ]
    connection.execute(_ADD, {"rows": as_rows(rows)})


def count_up(connection: Connection, terminal_id: UUID, acts: Sequence[Act]) -> None:
    """Count new acts of a terminal."""
    refused = sum(act.outcome is Outcome.REFUSED for act in acts)
    last = max(act.sequence for act in acts)
    connection.execute(
        update(COUNT)
        .where(COUNT.c.terminal_id == terminal_id)
        .values(
            last_sequence=func.greatest(COUNT.c.last_sequence, last),
            received=COUNT.c.received + len(acts),
            refused=COUNT.c.refused + refused,
        )
    )


def page(
    connection: Connection,
    *,
    terminal_id: UUID | None,
    outcome: Outcome | None,
    districts: frozenset[str] | None,
    after: UUID | None,
    limit: int,
) -> list[Act]:
    """Give at most `limit` acts, the newest by their ids first."""
    query = (
        select(ACT)
        .join(TERMINAL, TERMINAL.c.id == ACT.c.terminal_id)
        .order_by(ACT.c.id.desc())
        .limit(limit)
    )
    if terminal_id is not None:
        query = query.where(ACT.c.terminal_id == terminal_id)
    if outcome is not None:
        query = query.where(ACT.c.outcome == outcome.value)
    if districts is not None:
        query = query.where(TERMINAL.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(ACT.c.id < after)
    return [act_of(row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many acts of one kind ended one way."""

    kind: ActKind
    outcome: Outcome
    acts: int


def counts_between(
    connection: Connection, terminal_id: UUID, from_at: datetime, before_at: datetime
) -> list[KindCount]:
    """Count what was done at a terminal between two instants, by kind and outcome."""
    query = (
        select(ACT.c.kind, ACT.c.outcome, func.count().label("acts"))
        .where(ACT.c.terminal_id == terminal_id, ACT.c.at >= from_at, ACT.c.at < before_at)
        .group_by(ACT.c.kind, ACT.c.outcome)
        .order_by(ACT.c.kind, ACT.c.outcome)
    )
    return [
        KindCount(ActKind(row.kind), Outcome(row.outcome), row.acts)
        for row in connection.execute(query)
    ]


def of_person_between(  # noqa: PLR0917 - whose, where, when, and how many of them
    connection: Connection,
    terminal_id: UUID,
    account_id: AccountId,
    from_at: datetime,
    before_at: datetime,
    limit: int,
) -> list[Act]:
    """Give the latest of what a person did at a terminal between two instants, the last first."""
    query = (
        select(ACT)
        .where(
            ACT.c.terminal_id == terminal_id,
            ACT.c.at >= from_at,
            ACT.c.at < before_at,
            ACT.c.account_id == account_id,
        )
        # Its own count tells apart what a device's clock does not.
        .order_by(ACT.c.at.desc(), ACT.c.sequence.desc())
        .limit(limit)
    )
    return [act_of(row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class KindSum:
    """How many acts of one kind took effect or were refused, and what money came with them."""

    kind: ActKind
    outcome: Outcome
    acts: int
    minor: int
    """Of what was taken in cash, 0 of other kinds."""


_SUMS: Final = text(
    "select kind, outcome, count(*) as acts,"
    " coalesce(sum(cast(effect -> 'amount' ->> 'minor' as bigint))"
    "  filter (where kind = any(:taking) and outcome = 'done'), 0) as minor"
    " from terminals.act where terminal_id = :terminal and account_id = :account"
    " and at >= :from_at and at < :before_at group by kind, outcome order by kind, outcome"
)


def sums_of_person(
    connection: Connection,
    terminal_id: UUID,
    account_id: AccountId,
    from_at: datetime,
    before_at: datetime,
) -> list[KindSum]:
    """Count what a person did at a terminal between two instants, and add up the cash."""
    asked = {
        "terminal": terminal_id,
        "account": account_id,
        "from_at": from_at,
        "before_at": before_at,
        "taking": list(TAKING),
    }
    return [
        KindSum(ActKind(row.kind), Outcome(row.outcome), row.acts, int(row.minor))
        for row in connection.execute(_SUMS, asked)
    ]


def cash_between(
    connection: Connection,
    terminal_id: UUID,
    from_at: datetime,
    before_at: datetime,
    *,
    after: Act | None,
    limit: int,
) -> list[Act]:
    """Give cash that was taken at a terminal between two instants, in order, from one act on."""
    query = (
        select(ACT)
        .where(
            ACT.c.terminal_id == terminal_id,
            ACT.c.at >= from_at,
            ACT.c.at < before_at,
            ACT.c.kind.in_(TAKING),
            ACT.c.outcome == Outcome.DONE.value,
        )
        .order_by(ACT.c.at, ACT.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(ACT.c.at, ACT.c.id) > (after.at, after.id))
    return [act_of(row) for row in connection.execute(query)]


def sign_ins(connection: Connection, terminal_id: UUID) -> list[SignIn]:
    """Give who was signed in at a terminal, the latest first."""
    query = (
        select(SIGN_IN)
        .where(SIGN_IN.c.terminal_id == terminal_id)
        .order_by(SIGN_IN.c.from_at.desc())
        .limit(MOST_SIGN_INS)
    )
    return [
        SignIn(AccountId(row.account_id), row.from_at, row.until_at)
        for row in connection.execute(query)
    ]


def at_terminals(connection: Connection, terminal_ids: Collection[UUID]) -> dict[UUID, AccountId]:
    """Give who is signed in at terminals now."""
    query = select(SIGN_IN.c.terminal_id, SIGN_IN.c.account_id).where(
        SIGN_IN.c.terminal_id.in_(terminal_ids), SIGN_IN.c.until_at.is_(None)
    )
    return {row.terminal_id: AccountId(row.account_id) for row in connection.execute(query)}


def end_sign_in(
    connection: Connection, terminal_id: UUID, at: datetime, account_id: AccountId | None = None
) -> bool:
    """End who is signed in, where it is that person; False where nobody was."""
    query = update(SIGN_IN).where(
        SIGN_IN.c.terminal_id == terminal_id, SIGN_IN.c.until_at.is_(None)
    )
    if account_id is not None:
        query = query.where(SIGN_IN.c.account_id == account_id)
    done = connection.execute(query.values(until_at=func.greatest(SIGN_IN.c.from_at, at)))
    return done.rowcount == 1


def begin_sign_in(
    connection: Connection, sign_in_id: UUID, terminal_id: UUID, account_id: AccountId, at: datetime
) -> None:
    """Sign a person in; a constraint lets one be at a terminal."""
    connection.execute(
        insert(SIGN_IN).values(
            id=sign_in_id, terminal_id=terminal_id, account_id=account_id, from_at=at
        )
    )


def act_of(row: Row[Any]) -> Act:
    """Read an act from a row of its table."""
    effect: Mapping[str, Any] | None = row.effect
    return Act(
        id=row.id,
        terminal_id=row.terminal_id,
        sequence=row.sequence,
        kind=ActKind(row.kind),
        account_id=AccountId(row.account_id),
        device_at=row.device_at,
        offset_ms=row.offset_ms,
        at=row.at,
        basis=Basis(row.basis),
        received_at=row.received_at,
        detail=row.detail,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        reason=row.reason,
        words=row.words,
        effect=effect,
    )
