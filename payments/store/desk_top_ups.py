"""What came onto stored-value cards between two instants, and went back: a debt, no taking.

It earns nothing until a card pays a bill, and is counted among the takings then.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, case, func, select, tuple_

from city.money import Money
from payments.rules.cards import MovementKind
from payments.store.cards import CARD, MOVEMENT
from payments.store.desk_takings import Which

_OWN: tuple[str, ...] = ("card",)
"""What moves within ourselves: a bill that a card paid, a card that another one took over."""


@dataclass(frozen=True, slots=True)
class ToppedUp:
    """What came onto cards by one channel through one taker, and what of it went back."""

    channel: str
    taken_by: str
    top_ups: int
    amount: Money
    backs: int
    back: Money


@dataclass(frozen=True, slots=True)
class CardMove:
    """One movement behind a figure, with the entry that records it."""

    id: UUID
    card_number: str
    kind: MovementKind
    channel: str
    amount: Money
    at: datetime
    made_by: str
    entry_id: UUID


_FROM_OUTSIDE = MOVEMENT.c.by_way_of.not_in(_OWN) & MOVEMENT.c.kind.in_(
    (MovementKind.TOP_UP.value, MovementKind.PAID_OUT.value, MovementKind.RETURNED.value)
)


def topped_up(connection: Connection, from_at: datetime, before_at: datetime) -> list[ToppedUp]:
    """Add up what came onto cards and went back; one statement over an index by instant.

    What a channel would not give back is on its card again, and is taken off what went back.
    """
    kind = MOVEMENT.c.kind
    came = kind == MovementKind.TOP_UP.value
    gone = kind == MovementKind.PAID_OUT.value
    query = (
        select(
            MOVEMENT.c.by_way_of,
            MOVEMENT.c.made_by,
            CARD.c.currency,
            func.count().filter(came).label("top_ups"),
            func.coalesce(func.sum(MOVEMENT.c.minor).filter(came), 0).label("minor"),
            func.sum(case((gone, 1), (came, 0), else_=-1)).label("backs"),
            func.coalesce(func.sum(-MOVEMENT.c.minor).filter(~came), 0).label("back_minor"),
        )
        .join(CARD, CARD.c.id == MOVEMENT.c.card_id)
        .where(_FROM_OUTSIDE, MOVEMENT.c.at >= from_at, MOVEMENT.c.at < before_at)
        .group_by(MOVEMENT.c.by_way_of, MOVEMENT.c.made_by, CARD.c.currency)
        .order_by(MOVEMENT.c.by_way_of, MOVEMENT.c.made_by)
    )
    return [
        ToppedUp(
            row.by_way_of,
            row.made_by,
            row.top_ups,
            Money(int(row.minor), row.currency),
            int(row.backs),
            Money(int(row.back_minor), row.currency),
        )
        for row in connection.execute(query)
    ]


def card_moves(  # noqa: PLR0917 - of which figure, and how many
    connection: Connection,
    from_at: datetime,
    before_at: datetime,
    which: Which,
    after: UUID | None,
    limit: int,
) -> tuple[list[CardMove], UUID | None]:
    """Give the movements behind a figure, the latest first, and the last id where more follow."""
    query = (
        select(MOVEMENT, CARD.c.number, CARD.c.currency)
        .join(CARD, CARD.c.id == MOVEMENT.c.card_id)
        .where(_FROM_OUTSIDE, MOVEMENT.c.at >= from_at, MOVEMENT.c.at < before_at)
        .order_by(MOVEMENT.c.at.desc(), MOVEMENT.c.id.desc())
        .limit(limit + 1)
    )
    if which.channel is not None:
        query = query.where(MOVEMENT.c.by_way_of == which.channel)
    if which.taken_by is not None:
        query = query.where(MOVEMENT.c.made_by == which.taken_by)
    if after is not None:
        last = MOVEMENT.alias("last")
        query = query.where(
            tuple_(MOVEMENT.c.at, MOVEMENT.c.id)
            < select(last.c.at, last.c.id).where(last.c.id == after).scalar_subquery()
        )
    found = [
        CardMove(
            row["id"],
            row["number"],
            MovementKind(row["kind"]),
            row["by_way_of"],
            Money(row["minor"], row["currency"]),
            row["at"],
            row["made_by"],
            row["entry_id"],
        )
        for row in connection.execute(query).mappings()
    ]
    return found[:limit], found[limit - 1].id if len(found) > limit else None
