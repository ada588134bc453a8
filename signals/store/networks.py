"""Imported networks, their signals and demands, and every query on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, Select, func, insert, select, text

from city.identifiers import uuid7
from signals.store.tables import demand, network, signal

Origin = Literal["import", "demo"]


@dataclass(frozen=True, slots=True)
class NetworkRecord:
    """A network as it was imported."""

    id: UUID
    code: str
    revision: int
    name_zh: str
    name_en: str
    origin: Origin
    imported_at: datetime
    imported_by: str


@dataclass(frozen=True, slots=True)
class SignalRecord:
    """One controller's junction; the model is a document of it alone."""

    network_id: UUID
    name: str
    title_zh: str
    title_en: str
    x_m: float
    y_m: float
    model: JsonValue


@dataclass(frozen=True, slots=True)
class DemandRecord:
    """Who drives where, as it was recorded."""

    id: UUID
    network_id: UUID
    name: str
    source: str
    hours: float
    flows: list[list[Any]]
    """Road from, road to, vehicles per hour."""
    recorded_at: datetime
    recorded_by: str


def add_network(
    connection: Connection,
    *,
    code: str,
    names: tuple[str, str],
    origin: Origin,
    at: datetime,
    by: str,
) -> NetworkRecord:
    """Write a network under its code's next revision."""
    # Two imports of one code at a time would take the same revision: the second waits here.
    connection.execute(
        text("select pg_advisory_xact_lock(hashtextextended('signals.network:' || :code, 0))"),
        {"code": code},
    )
    last = connection.execute(
        select(func.max(network.c.revision)).where(network.c.code == code)
    ).scalar_one()
    made = NetworkRecord(uuid7(), code, (last or 0) + 1, *names, origin, at, by)
    connection.execute(
        insert(network).values(
            id=made.id,
            code=code,
            revision=made.revision,
            name_zh=names[0],
            name_en=names[1],
            origin=origin,
            imported_at=at,
            imported_by=by,
        )
    )
    return made


def add_signals(connection: Connection, signals: Sequence[SignalRecord]) -> None:
    """Write the signals of a network in one statement."""
    connection.execute(
        insert(signal),
        [
            {
                "network_id": each.network_id,
                "name": each.name,
                "title_zh": each.title_zh,
                "title_en": each.title_en,
                "x_m": each.x_m,
                "y_m": each.y_m,
                "model": each.model,
            }
            for each in signals
        ],
    )


def networks(connection: Connection, *, after: UUID | None, limit: int) -> list[NetworkRecord]:
    """Give the latest revision of each network, the latest import first, one more than asked."""
    newest = (
        select(network.c.code, func.max(network.c.revision).label("revision"))
        .group_by(network.c.code)
        .subquery()
    )
    query = (
        _networks()
        .join(
            newest,
            (newest.c.code == network.c.code) & (newest.c.revision == network.c.revision),
        )
        .order_by(network.c.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(network.c.id < after)
    return [NetworkRecord(**row) for row in connection.execute(query).mappings()]


def network_of(connection: Connection, network_id: UUID) -> NetworkRecord | None:
    """Give a network; None where there is none."""
    query = _networks().where(network.c.id == network_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else NetworkRecord(**row)


def of_origin(connection: Connection, code: str, origin: Origin) -> NetworkRecord | None:
    """Give a code's latest revision of an origin; None where there is none."""
    query = (
        _networks()
        .where(network.c.code == code, network.c.origin == origin)
        .order_by(network.c.revision.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else NetworkRecord(**row)


def signals_of(
    connection: Connection, network_id: UUID, names: Sequence[str] | None = None
) -> list[SignalRecord]:
    """Give a network's signals, all or some, in the order of their names."""
    query = select(signal).where(signal.c.network_id == network_id).order_by(signal.c.name)
    if names is not None:
        query = query.where(signal.c.name.in_(list(names)))
    return [SignalRecord(**row) for row in connection.execute(query).mappings()]


def signal_names(connection: Connection, network_id: UUID) -> list[str]:
    """Give the names of a network's signals."""
    query = select(signal.c.name).where(signal.c.network_id == network_id).order_by(signal.c.name)
    return list(connection.scalars(query))


def known_signals(connection: Connection, network_id: UUID, names: Sequence[str]) -> list[str]:
    """Give those of some names that are a network's signals."""
    query = select(signal.c.name).where(
        signal.c.network_id == network_id, signal.c.name.in_(list(names))
    )
    return list(connection.scalars(query))


def titles(connection: Connection, network_id: UUID) -> list[tuple[str, str, str]]:
    """Give the names of a network's signals, each with its Chinese and English title."""
    query = (
        select(signal.c.name, signal.c.title_zh, signal.c.title_en)
        .where(signal.c.network_id == network_id)
        .order_by(signal.c.name)
    )
    return [(row.name, row.title_zh, row.title_en) for row in connection.execute(query)]


def add_demand(
    connection: Connection,
    network_id: UUID,
    *,
    name: str,
    source: str,
    hours: float,
    flows: Sequence[tuple[str, str, float]],
    at: datetime,
    by: str,
) -> UUID:
    """Write a demand; the latest one of a network is the one that counts."""
    made = uuid7()
    connection.execute(
        insert(demand).values(
            id=made,
            network_id=network_id,
            name=name,
            source=source,
            hours=hours,
            flows=[list(each) for each in flows],
            recorded_at=at,
            recorded_by=by,
        )
    )
    return made


def latest_demand(connection: Connection, network_id: UUID) -> DemandRecord | None:
    """Give the demand of a network that was recorded last; None without one."""
    query = (
        select(demand)
        .where(demand.c.network_id == network_id)
        .order_by(demand.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else DemandRecord(**row)


def demand_of(connection: Connection, demand_id: UUID) -> DemandRecord | None:
    """Give a demand; None where there is none."""
    row = connection.execute(select(demand).where(demand.c.id == demand_id)).mappings()
    found = row.one_or_none()
    return None if found is None else DemandRecord(**found)


def _networks() -> Select[Any]:
    return select(*network.c)
