"""Alarms of signals, and every query on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import Connection, func, insert, select, text, update

from city.identifiers import uuid7
from signals.rules.live.alarms import SEVERE, Code, Key, Sign
from signals.store.tables import alarm

State = Literal["open", "cleared", "all"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong at a signal, or was."""

    id: UUID
    network_id: UUID
    signal: str
    code: str
    subject: str
    severity: str
    value: float
    limit_value: float
    facts: dict[str, str]
    since_at: datetime
    raised_at: datetime
    seen_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None


def lock(connection: Connection, network_id: UUID) -> None:
    """Let one watcher at a time look at a network."""
    name = f"signals.alarms {network_id}"
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def open_keys(connection: Connection, network_id: UUID) -> dict[Key, UUID]:
    """Give the open alarms of a network by what they are told apart by."""
    query = select(alarm.c.id, alarm.c.signal, alarm.c.code, alarm.c.subject).where(
        alarm.c.network_id == network_id, alarm.c.cleared_at.is_(None)
    )
    return {(row.signal, Code(row.code), row.subject): row.id for row in connection.execute(query)}


def raise_(
    connection: Connection, network_id: UUID, signs: Sequence[Sign], at: datetime
) -> list[UUID]:
    """Raise alarms; give their ids."""
    rows = [
        {
            "id": uuid7(),
            "network_id": network_id,
            "signal": each.signal,
            "code": each.code.value,
            "subject": each.subject,
            "severity": "high" if each.code in SEVERE else "medium",
            "value": each.value,
            "limit_value": each.limit,
            "facts": dict(each.facts),
            "since_at": each.since_at,
            "raised_at": at,
            "seen_at": at,
        }
        for each in signs
    ]
    if rows:
        connection.execute(insert(alarm), rows)
    return [row["id"] for row in rows if isinstance(row["id"], UUID)]


def see(connection: Connection, seen: Sequence[tuple[UUID, Sign]], at: datetime) -> None:
    """Note what open alarms look like now, in one statement."""
    if not seen:
        return
    connection.execute(
        text(
            "update signals.alarm as a set value = s.value, seen_at = :at,"
            " facts = cast(s.facts as jsonb)"
            " from unnest(cast(:ids as uuid[]), cast(:values as float8[]),"
            " cast(:facts as text[])) as s(id, value, facts) where a.id = s.id"
        ),
        {
            "at": at,
            "ids": [known for known, _ in seen],
            "values": [sign.value for _, sign in seen],
            "facts": [_json(dict(sign.facts)) for _, sign in seen],
        },
    )


def clear(connection: Connection, alarms: Sequence[UUID], at: datetime) -> None:
    """Clear alarms."""
    if alarms:
        connection.execute(
            update(alarm).where(alarm.c.id.in_(list(alarms))).values(cleared_at=at, seen_at=at)
        )


def acknowledge(
    connection: Connection, alarm_id: UUID, *, at: datetime, by: str, note: str | None
) -> bool:
    """Note that somebody has seen an alarm; False where somebody had."""
    done = connection.execute(
        update(alarm)
        .where(alarm.c.id == alarm_id, alarm.c.acknowledged_at.is_(None))
        .values(acknowledged_at=at, acknowledged_by=by, note=note)
    )
    return done.rowcount > 0


def alarm_of(connection: Connection, alarm_id: UUID) -> Alarm | None:
    """Give an alarm; None where there is none."""
    row = connection.execute(select(alarm).where(alarm.c.id == alarm_id)).mappings().one_or_none()
    return None if row is None else Alarm(**row)


def alarms(
    connection: Connection,
    network_id: UUID,
    state: State,
    *,
    signal: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[Alarm]:
    """Give alarms of a network, the latest first, one more than asked."""
    query = (
        select(alarm)
        .where(alarm.c.network_id == network_id)
        .order_by(alarm.c.id.desc())
        .limit(limit + 1)
    )
    if state != "all":
        closed = alarm.c.cleared_at.is_not(None)
        query = query.where(closed if state == "cleared" else ~closed)
    if signal is not None:
        query = query.where(alarm.c.signal == signal)
    if after is not None:
        query = query.where(alarm.c.id < after)
    return [Alarm(**row) for row in connection.execute(query).mappings()]


def open_counts(connection: Connection) -> dict[str, int]:
    """Count open alarms by code."""
    query = (
        select(alarm.c.code, func.count().label("n"))
        .where(alarm.c.cleared_at.is_(None))
        .group_by(alarm.c.code)
    )
    return {row.code: row.n for row in connection.execute(query)}


def last_flashing(
    connection: Connection, places: Sequence[int], since_at: datetime
) -> dict[int, tuple[datetime, int]]:
    """Give what places said last of flashing (event 173): when, and the status."""
    rows = connection.execute(
        text(
            "select distinct on (place) place, at, parameter from signals.controller_event"
            " where place = any(:places) and at >= :since and code = 173"
            " order by place, at desc"
        ),
        {"places": list(places), "since": since_at},
    )
    return {row.place: (row.at, row.parameter) for row in rows}


def forget(connection: Connection, before_at: datetime) -> int:
    """Forget alarms that were cleared before an instant; give how many."""
    done = connection.execute(
        alarm.delete().where(alarm.c.cleared_at.is_not(None), alarm.c.cleared_at < before_at)
    )
    return done.rowcount


KEPT = timedelta(days=3 * 366)


def _json(value: dict[str, Any]) -> str:

    return orjson.dumps(value).decode()
