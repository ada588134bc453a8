"""Orders for priority held at controllers: who looks after which signal, and every query on it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from signals.store.priority import Key
from signals.store.priority_tables import turn
from signals.store.tables import cabinet_act, override

Status = Literal[
    "watching",
    "holding",
    "ended",
    "gave_way",
    "limit",
    "not_sent",
    "refused",
    "flashing",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked of one signal's controller for those who came, from the first to the last."""

    id: UUID
    network_id: UUID
    signal: str
    attempts: int
    began_at: datetime
    until_at: datetime
    """It ends then at the latest, whoever comes."""
    ended_at: datetime | None
    status: Status
    orders: int
    plan: int | None
    """Of the controller, to go back to."""
    control: str | None
    steps: list[str]

    @property
    def key(self) -> Key:
        """Network and signal."""
        return self.network_id, self.signal


def busy(connection: Connection, keys: Collection[Key]) -> dict[Key, str]:
    """Give those of some signals that somebody else orders, and why, in words."""
    if not keys:
        return {}
    found: dict[Key, str] = {}
    for table, on, why in (
        (cabinet_act, cabinet_act.c.status.in_(["waiting", "sending"]), "a plan is being sent"),
        (
            override,
            override.c.confirmed_at.is_not(None) & override.c.ended_at.is_(None),
            "the signal is held by hand",
        ),
    ):
        pair = tuple_(table.c.network_id, table.c.signal)
        rows = connection.execute(
            select(table.c.network_id, table.c.signal).where(on, pair.in_(list(keys)))
        )
        found.update({(row.network_id, row.signal): why for row in rows})
    return found


def resting(connection: Connection, keys: Collection[Key], ended_after: datetime) -> set[Key]:
    """Give those whose last turn was ended by its limit or a fault after an instant."""
    if not keys:
        return set()
    rows = connection.execute(
        select(turn.c.network_id, turn.c.signal).where(
            tuple_(turn.c.network_id, turn.c.signal).in_(list(keys)),
            turn.c.ended_at > ended_after,
            turn.c.status.in_(["limit", "refused", "flashing", "unknown", "not_sent"]),
        )
    )
    return {(row.network_id, row.signal) for row in rows}


def begin(connection: Connection, made: Turn, mark: UUID, *, at: datetime) -> bool:
    """Begin to look after a signal; False where somebody does."""
    done = connection.execute(
        upsert(turn)
        .values(
            id=made.id,
            network_id=made.network_id,
            signal=made.signal,
            claim=mark,
            alive_at=at,
            began_at=made.began_at,
            until_at=made.until_at,
            status=made.status,
        )
        .on_conflict_do_nothing()
        .returning(turn.c.id)
    )
    return done.one_or_none() is not None


def take_over(connection: Connection, mark: UUID, *, at: datetime, lost_before: datetime,
              most: int) -> list[Turn]:  # fmt: skip
    """Take those whose keeper has fallen silent."""
    lost = (
        select(turn.c.id)
        .where(turn.c.ended_at.is_(None), turn.c.alive_at < lost_before)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(
        update(turn)
        .where(turn.c.id.in_(lost))
        .values(claim=mark, alive_at=at, attempts=turn.c.attempts + 1)
        .returning(*_shown())
    ).mappings()
    return [Turn(**row) for row in rows]


def keep(connection: Connection, mark: UUID, ids: Sequence[UUID], *, at: datetime) -> set[UUID]:
    """Show that a keeper lives; give what is still its own."""
    if not ids:
        return set()
    rows = connection.execute(
        update(turn)
        .where(turn.c.id.in_(list(ids)), turn.c.claim == mark, turn.c.ended_at.is_(None))
        .values(alive_at=at)
        .returning(turn.c.id)
    )
    return set(rows.scalars())


def opened(connection: Connection, keys: Collection[Key]) -> set[Key]:
    """Give those of some signals that somebody looks after."""
    if not keys:
        return set()
    rows = connection.execute(
        select(turn.c.network_id, turn.c.signal).where(
            tuple_(turn.c.network_id, turn.c.signal).in_(list(keys)), turn.c.ended_at.is_(None)
        )
    )
    return {(row.network_id, row.signal) for row in rows}


def write(connection: Connection, mark: UUID, turn_id: UUID, **values: object) -> bool:
    """Keep what a keeper tells; False where it is no longer its own."""
    done = connection.execute(
        update(turn)
        .where(turn.c.id == turn_id, turn.c.claim == mark, turn.c.ended_at.is_(None))
        .values(**values)
    )
    return done.rowcount > 0


def drop(connection: Connection, mark: UUID, turn_id: UUID) -> None:
    """Leave no trace of a turn in which nothing was asked for."""
    connection.execute(
        delete(turn).where(turn.c.id == turn_id, turn.c.claim == mark, turn.c.orders == 0)
    )


def turns(
    connection: Connection, network_id: UUID, signal: str, *, after: UUID | None, limit: int
) -> list[Turn]:
    """Give a signal's, the latest first, one more than asked; none in which nothing was asked."""
    query = (
        select(*_shown())
        .where(turn.c.network_id == network_id, turn.c.signal == signal, turn.c.orders > 0)
        .order_by(turn.c.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(turn.c.id < after)
    return [Turn(**row) for row in connection.execute(query).mappings()]


def holding(connection: Connection, network_id: UUID) -> set[str]:
    """Give the signals of a network whose controllers are held for somebody now."""
    rows = connection.execute(
        select(turn.c.signal).where(turn.c.network_id == network_id, turn.c.status == "holding")
    )
    return set(rows.scalars())


def forget(connection: Connection, *, before: datetime, most: int) -> int:
    """Drop turns that ended before an instant; give how many."""
    old = select(turn.c.id).where(turn.c.ended_at < before).limit(most)
    return connection.execute(delete(turn).where(turn.c.id.in_(old))).rowcount


def _shown() -> list[Any]:
    return [column for column in turn.c if column.name not in {"claim", "alive_at"}]
