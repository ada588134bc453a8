"""Orders by hand, proposed and confirmed, and every query on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, and_, exists, func, insert, or_, select, update

from signals.store.priority_tables import being_led
from signals.store.tables import cabinet_act, override

Status = Literal[
    "proposed",
    "waiting",
    "holding",
    "ended",
    "replaced",
    "refused",
    "not_sent",
    "flashing",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Override:
    """An order by hand at one signal, and what came of it."""

    id: UUID
    network_id: UUID
    signal: str
    effect: str
    stage: int | None
    until_at: datetime
    reason: str
    profile: str
    status: Status
    proposed_at: datetime
    proposed_by: str
    proposed_name: str
    replaces: UUID | None
    """The order that ran when this one was proposed."""
    replaced_by: UUID | None
    confirmed_at: datetime | None
    seal: bytes | None
    """Keyed digest of what was confirmed."""
    attempts: int
    began_at: datetime | None
    ended_at: datetime | None
    released_at: datetime | None
    released_by: str | None
    plan: int | None
    """Of the controller, to go back to."""
    control: str | None
    steps: list[str]


def propose(connection: Connection, made: Override) -> None:
    """Write a proposal."""
    connection.execute(
        insert(override).values(
            id=made.id,
            network_id=made.network_id,
            signal=made.signal,
            effect=made.effect,
            stage=made.stage,
            until_at=made.until_at,
            reason=made.reason,
            profile=made.profile,
            status="proposed",
            proposed_at=made.proposed_at,
            proposed_by=made.proposed_by,
            proposed_name=made.proposed_name,
            replaces=made.replaces,
        )
    )


def override_of(connection: Connection, override_id: UUID) -> Override | None:
    """Give an order; lock the signal first where it is to be changed."""
    query = select(*_shown()).where(override.c.id == override_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Override(**row)


def active(connection: Connection, network_id: UUID, name: str) -> Override | None:
    """Give the order that holds a signal, or is about to."""
    query = select(*_shown()).where(
        override.c.network_id == network_id, override.c.signal == name, _active()
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Override(**row)


def confirm(connection: Connection, override_id: UUID, seal: bytes, at: datetime) -> None:
    """Let an order be carried out; IntegrityError where another holds the signal."""
    connection.execute(
        update(override)
        .where(override.c.id == override_id)
        .values(status="waiting", confirmed_at=at, seal=seal)
    )


def replace(connection: Connection, old: UUID, new: UUID) -> None:
    """Let an order give way to another."""
    connection.execute(update(override).where(override.c.id == old).values(replaced_by=new))


def release(connection: Connection, override_id: UUID, *, at: datetime, by: str) -> None:
    """Let an order end before its time."""
    connection.execute(
        update(override).where(override.c.id == override_id).values(released_at=at, released_by=by)
    )


def overrides(
    connection: Connection,
    network_id: UUID,
    name: str,
    *,
    after: UUID | None = None,
    limit: int,
) -> list[Override]:
    """Give what was ordered at a signal, the latest first, one more than asked; no proposals."""
    query = (
        select(*_shown())
        .where(
            override.c.network_id == network_id,
            override.c.signal == name,
            override.c.status != "proposed",
        )
        .order_by(override.c.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(override.c.id < after)
    return [Override(**row) for row in connection.execute(query).mappings()]


# --- what keepers do -----------------------------------------------------------------------------


def claim(
    connection: Connection, mark: UUID, *, most: int, at: datetime, lost_before: datetime
) -> list[Override]:
    """Take orders that wait and those whose keeper fell silent, none at a signal being sent to."""
    # What was replaced and has no keeper, or a dead one, needs nothing more.
    connection.execute(
        update(override)
        .where(
            override.c.replaced_by.is_not(None),
            override.c.ended_at.is_(None),
            or_(override.c.claim.is_(None), override.c.alive_at < lost_before),
        )
        .values(status="replaced", ended_at=at)
    )
    if most <= 0:
        return []
    other = override.alias("other")
    busy = exists().where(
        other.c.network_id == override.c.network_id,
        other.c.signal == override.c.signal,
        other.c.id != override.c.id,
        other.c.claim.is_not(None),
        other.c.ended_at.is_(None),
    )
    sent_to = exists().where(
        cabinet_act.c.network_id == override.c.network_id,
        cabinet_act.c.signal == override.c.signal,
        cabinet_act.c.status == "sending",
        cabinet_act.c.alive_at >= lost_before,
    )
    led = being_led(override, lost_before)
    chosen = (
        select(override.c.id)
        .where(
            or_(
                and_(override.c.status == "waiting", ~busy, ~sent_to, ~led),
                and_(override.c.status == "holding", override.c.alive_at < lost_before),
            ),
            override.c.replaced_by.is_(None),
        )
        .order_by(override.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(
        update(override)
        .where(override.c.id.in_(chosen))
        .values(
            status="holding",
            claim=mark,
            began_at=func.coalesce(override.c.began_at, at),
            alive_at=at,
            attempts=override.c.attempts + 1,
        )
        .returning(*_shown())
    ).mappings()
    return [Override(**row) for row in rows]


def keep(
    connection: Connection, mark: UUID, ids: Sequence[UUID], *, at: datetime
) -> dict[UUID, tuple[bool, bool]]:
    """Show that a keeper lives; give of each order still its own whether to release, replace it."""
    if not ids:
        return {}
    rows = connection.execute(
        update(override)
        .where(
            override.c.id.in_(list(ids)), override.c.claim == mark, override.c.ended_at.is_(None)
        )
        .values(alive_at=at)
        .returning(override.c.id, override.c.released_at, override.c.replaced_by)
    )
    return {row.id: (row.released_at is not None, row.replaced_by is not None) for row in rows}


def write(connection: Connection, mark: UUID, override_id: UUID, **values: object) -> bool:
    """Keep what a keeper tells; False where the order is no longer its own."""
    done = connection.execute(
        update(override)
        .where(
            override.c.id == override_id,
            override.c.claim == mark,
            override.c.ended_at.is_(None),
        )
        .values(**values)
    )
    return done.rowcount > 0


def _active() -> Any:
    return and_(
        override.c.confirmed_at.is_not(None),
        override.c.ended_at.is_(None),
        override.c.replaced_by.is_(None),
    )


def _shown() -> list[Any]:
    return [column for column in override.c if column.name not in {"claim", "alive_at"}]
