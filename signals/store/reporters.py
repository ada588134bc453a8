"""Who may tell of a signal, which detectors it has, and every query on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

from sqlalchemy import Connection, Select, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from signals.store.tables import detector, place, reporter

Function = Literal["advance", "presence", "count", "yellow_red"]
FUNCTIONS: tuple[str, ...] = get_args(Function)
_HEARD: Final = ("ids", "heard", "newest", "refused", "why")


@dataclass(frozen=True, slots=True)
class Reporter:
    """A controller or detector station that tells of one signal."""

    id: UUID
    place: int
    network_id: UUID
    signal: str
    subject: str
    """Of its credential."""
    simulated: bool
    added_at: datetime
    added_by: str
    removed_at: datetime | None
    heard_at: datetime | None
    """When something came of it last."""
    newest_at: datetime | None
    """The latest instant that it told of."""
    refused_at: datetime | None
    refused_rows: int
    refused_reason: str | None


@dataclass(frozen=True, slots=True)
class DetectorUse:
    """What a detector's channel is used for."""

    channel: int
    phase: int
    function: Function


def places_of(connection: Connection, network_id: UUID) -> dict[str, int]:
    """Give the places of a network's signals that have one, by signal."""
    query = select(place.c.signal, place.c.place).where(place.c.network_id == network_id)
    return {row.signal: row.place for row in connection.execute(query)}


def make_places(connection: Connection, network_id: UUID, signals: Sequence[str]) -> dict[str, int]:
    """Give the places of some signals, making those that are missing."""
    rows = [{"network_id": network_id, "signal": name} for name in sorted(set(signals))]
    if rows:
        statement = upsert(place).values(rows).on_conflict_do_nothing()
        connection.execute(statement)
    known = places_of(connection, network_id)
    return {name: known[name] for name in signals}


def networks(connection: Connection) -> list[UUID]:
    """Give the networks of which somebody may tell something."""
    query = (
        select(place.c.network_id)
        .join(reporter, reporter.c.place == place.c.place)
        .distinct()
        .order_by(place.c.network_id)
    )
    return list(connection.execute(query).scalars())


def heard_networks(connection: Connection, networks_asked: Sequence[UUID]) -> dict[UUID, datetime]:
    """Give when a reporter in service of some networks was heard last, where one was."""
    query = (
        select(place.c.network_id, func.max(reporter.c.heard_at).label("at"))
        .join(reporter, reporter.c.place == place.c.place)
        .where(
            place.c.network_id.in_(list(networks_asked)),
            reporter.c.removed_at.is_(None),
            reporter.c.heard_at.is_not(None),
        )
        .group_by(place.c.network_id)
    )
    return {row.network_id: row.at for row in connection.execute(query)}


def in_service(connection: Connection) -> dict[str, Reporter]:
    """Give all reporters in service by subject."""
    query = _shown().where(reporter.c.removed_at.is_(None))
    found = [Reporter(**row) for row in connection.execute(query).mappings()]
    return {each.subject: each for each in found}


def of_network(
    connection: Connection, network_id: UUID, signals: Sequence[str] | None = None
) -> list[Reporter]:
    """Give a network's reporters in service, in the order of their signals."""
    query = (
        _shown()
        .where(place.c.network_id == network_id, reporter.c.removed_at.is_(None))
        .order_by(place.c.signal, reporter.c.id)
    )
    if signals is not None:
        query = query.where(place.c.signal.in_(list(signals)))
    return [Reporter(**row) for row in connection.execute(query).mappings()]


def add(
    connection: Connection,
    rows: Mapping[str, tuple[UUID, int]],
    *,
    simulated: bool,
    at: datetime,
    by: str,
) -> None:
    """Put reporters in service, by subject: id and place."""
    connection.execute(
        insert(reporter),
        [
            {
                "id": made,
                "place": where,
                "subject": subject,
                "simulated": simulated,
                "added_at": at,
                "added_by": by,
            }
            for subject, (made, where) in rows.items()
        ],
    )


def remove(connection: Connection, reporter_id: UUID, *, at: datetime, by: str) -> bool:
    """Take a reporter out of service; False where none is."""
    done = connection.execute(
        update(reporter)
        .where(reporter.c.id == reporter_id, reporter.c.removed_at.is_(None))
        .values(removed_at=at, removed_by=by)
    )
    return done.rowcount > 0


def heard(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Note that reporters were heard: id, when, the newest instant, what was refused and why."""
    if not rows:
        return
    connection.execute(
        text(
            "update signals.reporter as r set"
            " heard_at = greatest(r.heard_at, h.heard_at),"
            " newest_at = greatest(r.newest_at, h.newest_at),"
            " refused_rows = r.refused_rows + h.refused,"
            " refused_at = case when h.refused > 0"
            "   then greatest(r.refused_at, h.heard_at) else r.refused_at end,"
            " refused_reason = coalesce(h.why, r.refused_reason)"
            " from unnest(cast(:ids as uuid[]), cast(:heard as timestamptz[]),"
            "   cast(:newest as timestamptz[]), cast(:refused as bigint[]), cast(:why as text[]))"
            "   as h(id, heard_at, newest_at, refused, why)"
            " where r.id = h.id"
        ),
        {
            name: [row[name] for row in rows]
            for name in ("ids", "heard", "newest", "refused", "why")
        },
    )


def detectors(
    connection: Connection, network_id: UUID, signals: Sequence[str] | None = None
) -> dict[str, list[DetectorUse]]:
    """Give what the detectors of a network's signals are used for, by signal."""
    query = (
        select(place.c.signal, detector.c.channel, detector.c.phase, detector.c.function)
        .join(place, place.c.place == detector.c.place)
        .where(place.c.network_id == network_id)
        .order_by(place.c.signal, detector.c.channel, detector.c.phase, detector.c.function)
    )
    if signals is not None:
        query = query.where(place.c.signal.in_(list(signals)))
    found: dict[str, list[DetectorUse]] = {}
    for row in connection.execute(query):
        found.setdefault(row.signal, []).append(DetectorUse(row.channel, row.phase, row.function))
    return found


def set_detectors(connection: Connection, uses: Mapping[int, Sequence[DetectorUse]]) -> None:
    """Say what the detectors of some places are used for, in the place of what was said before."""
    connection.execute(delete(detector).where(detector.c.place.in_(list(uses))))
    rows = [
        {"place": where, "channel": use.channel, "phase": use.phase, "function": use.function}
        for where, each in uses.items()
        for use in each
    ]
    if rows:
        connection.execute(insert(detector), rows)


def lock_place(connection: Connection, where: int) -> None:
    """Let nobody else change a place's detectors or reporters meanwhile."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"signals.place {where}"))))


def _shown() -> Select[Any]:
    return select(
        *(each for each in reporter.c if each.name != "removed_by"),
        place.c.network_id,
        place.c.signal,
    ).join(place, place.c.place == reporter.c.place)
