"""How long signals were heard, by day, and every query on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Column, Connection, Date, Double, Table, Text, Uuid, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from signals.rules.maintenance.online import Credit
from signals.store.tables import INSTANT, METADATA

on_line_look = Table(
    "on_line_look",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("looked_at", INSTANT, nullable=False),
)

on_line_day = Table(
    "on_line_day",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("watched_s", Double, nullable=False),
    Column("heard_s", Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """How long somebody listened to a signal, and how long it was heard."""

    signal: str
    watched_s: float
    heard_s: float


def look(connection: Connection, network_id: UUID, at: datetime) -> datetime | None:
    """Note that a network is being looked at; give when it was before, None the first time.

    Others wait until this look is over.
    """
    first = upsert(on_line_look).values(network_id=network_id, looked_at=at)
    made = first.on_conflict_do_nothing().returning(on_line_look.c.network_id)
    if connection.execute(made).first() is not None:
        return None
    query = select(on_line_look.c.looked_at).where(on_line_look.c.network_id == network_id)
    before_at: datetime = connection.execute(query.with_for_update()).scalar_one()
    # Who waited meanwhile has looked at no later time.
    connection.execute(
        on_line_look.update()
        .where(on_line_look.c.network_id == network_id)
        .values(looked_at=max(at, before_at))
    )
    return before_at


def credit(connection: Connection, network_id: UUID, given: Sequence[Credit]) -> None:
    """Add seconds to days, in one statement."""
    rows = [
        {
            "network_id": network_id,
            "signal": each.signal,
            "day": each.day,
            "watched_s": each.watched_s,
            "heard_s": each.heard_s,
        }
        for each in given
    ]
    if not rows:
        return
    statement = upsert(on_line_day).values(rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["network_id", "signal", "day"],
            set_={
                name: on_line_day.c[name] + statement.excluded[name]
                for name in ("watched_s", "heard_s")
            },
        )
    )


def heard(
    connection: Connection, network_id: UUID, first: date, after: date, signal: str | None = None
) -> list[Heard]:
    """Give each signal's seconds of some days, the last one left out."""
    query = (
        select(
            on_line_day.c.signal,
            func.sum(on_line_day.c.watched_s).label("watched_s"),
            func.sum(on_line_day.c.heard_s).label("heard_s"),
        )
        .where(
            on_line_day.c.network_id == network_id,
            on_line_day.c.day >= first,
            on_line_day.c.day < after,
        )
        .group_by(on_line_day.c.signal)
        .order_by(on_line_day.c.signal)
    )
    if signal is not None:
        query = query.where(on_line_day.c.signal == signal)
    return [Heard(row.signal, row.watched_s, row.heard_s) for row in connection.execute(query)]


def forget(connection: Connection, before: date) -> int:
    """Forget days before one; give how many rows."""
    return connection.execute(delete(on_line_day).where(on_line_day.c.day < before)).rowcount
