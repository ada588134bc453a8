"""Who may ask for priority, who asked and what was done for it, and every query on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from signals.store.priority_tables import asker, request
from signals.store.tables import INSTANT

Kind = Literal["emergency", "tram", "bus"]
RequestState = Literal["open", "over", "all"]
Key = tuple[UUID, str]
"""Network and signal."""
MOST_LIVING: Final = 20_000
"""Ten for each signal of the largest network."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A device that may ask for priority at a network's signals."""

    id: UUID
    network_id: UUID
    subject: str
    """Of its credential."""
    kinds: list[str]
    """What it may ask for."""
    simulated: bool
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A vehicle on its way to a signal, and what was done for it."""

    id: UUID
    network_id: UUID
    signal: str
    asker_id: UUID
    vehicle: str
    kind: Kind
    group_name: str
    lane: str
    told_at: datetime
    """By the device's clock."""
    checked_in_at: datetime
    first_arrives_at: datetime
    arrives_at: datetime
    spread_s: float
    lateness_s: float | None
    passengers: int | None
    ahead: float | None
    lapses_at: datetime
    checked_out_at: datetime | None
    """By the device's clock."""
    ended_at: datetime | None
    act: str | None
    stage: int | None
    by_s: float | None
    sooner_s: float | None
    others_s: float | None
    reason: str | None
    decided_at: datetime | None
    without_at: datetime | None
    """When it would have passed by the plan, as was foretold when something was first done."""
    turn_id: UUID | None


# --- who may ask ---------------------------------------------------------------------------------


def add_askers(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Let devices ask; IntegrityError where one of them does already."""
    connection.execute(insert(asker), list(rows))


def remove_asker(connection: Connection, asker_id: UUID, *, at: datetime, by: str) -> bool:
    """Let a device ask no longer; False where it does not."""
    done = connection.execute(
        update(asker)
        .where(asker.c.id == asker_id, asker.c.removed_at.is_(None))
        .values(removed_at=at, removed_by=by)
    )
    return done.rowcount > 0


def asker_of(connection: Connection, subject: str) -> Asker | None:
    """Give who asks under a credential."""
    query = _askers().where(asker.c.subject == subject)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Asker(**row)


def askers(connection: Connection, network_id: UUID) -> list[Asker]:
    """Give all who may ask at a network's signals."""
    query = _askers().where(asker.c.network_id == network_id).order_by(asker.c.subject)
    return [Asker(**row) for row in connection.execute(query).mappings()]


def _askers() -> Any:
    shown = (each for each in asker.c if not each.name.startswith("removed"))
    return select(*shown).where(asker.c.removed_at.is_(None))


# --- requests ------------------------------------------------------------------------------------


def check_in(connection: Connection, rows: Sequence[Mapping[str, object]]) -> set[tuple[str, str]]:
    """Write what vehicles say of themselves; one row a vehicle and signal.

    Returns
    -------
    set
        Signal and vehicle of the rows that were taken; the others are older than what is known, or
        somebody else asks under that name.
    """
    new = upsert(request).values(list(rows))
    told = ("kind", "group_name", "lane", "told_at", "arrives_at", "spread_s", "lateness_s",
            "passengers", "ahead")  # fmt: skip
    statement = new.on_conflict_do_update(
        index_elements=["network_id", "signal", "vehicle"],
        index_where=text("ended_at is null"),
        set_={name: new.excluded[name] for name in told},
        where=(request.c.told_at <= new.excluded.told_at)
        & (request.c.asker_id == new.excluded.asker_id),
    ).returning(request.c.signal, request.c.vehicle)
    return {(row.signal, row.vehicle) for row in connection.execute(statement)}


def check_out(
    connection: Connection,
    asker_id: UUID,
    rows: Sequence[tuple[str, str, datetime]],
    *,
    at: datetime,
) -> set[tuple[str, str]]:
    """Write who has passed: signal, vehicle, when; give those that were on their way."""
    found = connection.execute(
        text(
            "update signals.priority_request as r set checked_out_at = o.passed_at, ended_at = :at"
            " from unnest(cast(:signals as text[]), cast(:vehicles as text[]),"
            "   cast(:passed as timestamptz[])) as o(signal, vehicle, passed_at)"
            " where r.asker_id = :asker and r.signal = o.signal and r.vehicle = o.vehicle"
            "   and r.ended_at is null"
            " returning r.signal, r.vehicle"
        ),
        {
            "asker": asker_id,
            "at": at,
            "signals": [each[0] for each in rows],
            "vehicles": [each[1] for each in rows],
            "passed": [each[2] for each in rows],
        },
    )
    return {(row.signal, row.vehicle) for row in found}


def others(
    connection: Connection, mine: Asker, keys: Sequence[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Give those of some signals and vehicles for which another device asks."""
    if not keys:
        return set()
    rows = connection.execute(
        select(request.c.signal, request.c.vehicle).where(
            request.c.network_id == mine.network_id,
            request.c.asker_id != mine.id,
            request.c.ended_at.is_(None),
            tuple_(request.c.signal, request.c.vehicle).in_(list(keys)),
        )
    )
    return {(row.signal, row.vehicle) for row in rows}


def end_of_asker(connection: Connection, asker_id: UUID, *, at: datetime) -> None:
    """End all that a device asks for."""
    connection.execute(
        update(request)
        .where(request.c.asker_id == asker_id, request.c.ended_at.is_(None))
        .values(ended_at=at)
    )


def end_forgotten(connection: Connection, *, at: datetime, lapsed_before: datetime) -> None:
    """End requests that lapsed long ago: who asks now asks anew."""
    connection.execute(
        update(request)
        .where(request.c.ended_at.is_(None), request.c.lapses_at < lapsed_before)
        .values(ended_at=at)
    )


def living(connection: Connection, at: datetime) -> list[Asked]:
    """Give those that are on their way, at most ``MOST_LIVING``, who asked first first."""
    query = (
        select(request)
        .where(request.c.ended_at.is_(None), request.c.lapses_at > at)
        .order_by(request.c.id)
        .limit(MOST_LIVING)
    )
    return [Asked(**row) for row in connection.execute(query).mappings()]


def decided(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write what was decided: `key` is the request's id.

    What was foretold of a vehicle without anything done stands as it was first; of others' loss
    each act adds its own.
    """
    if not rows:
        return
    connection.execute(
        text(
            "update signals.priority_request set act = :act, stage = :stage, by_s = :by_s,"
            " without_at = coalesce(without_at, :without_at),"
            " sooner_s = extract(epoch from coalesce(without_at, :without_at) - :passes_at),"
            " others_s = coalesce(others_s, 0) + :others_s,"
            " reason = :reason, decided_at = :at, turn_id = :turn_id"
            " where id = :key"
        ).bindparams(bindparam("without_at", type_=INSTANT), bindparam("passes_at", type_=INSTANT)),
        list(rows),
    )


def nothing_done(connection: Connection, rows: Mapping[UUID, str], *, at: datetime) -> None:
    """Say why nothing can be decided; what was done before stays."""
    if not rows:
        return
    connection.execute(
        text(
            "update signals.priority_request as r set reason = o.reason, decided_at = :at,"
            " act = coalesce(r.act, 'none')"
            " from unnest(cast(:ids as uuid[]), cast(:reasons as text[])) as o(id, reason)"
            " where r.id = o.id and r.reason is distinct from o.reason"
        ),
        {"ids": list(rows), "reasons": list(rows.values()), "at": at},
    )


def requests(
    connection: Connection,
    network_id: UUID,
    *,
    signal: str | None,
    state: RequestState,
    at: datetime,
    after: UUID | None,
    limit: int,
) -> list[Asked]:
    """Give who asked in a network or at a signal, the latest first, one more than asked."""
    query = (
        select(request)
        .where(request.c.network_id == network_id)
        .order_by(request.c.id.desc())
        .limit(limit + 1)
    )
    if signal is not None:
        query = query.where(request.c.signal == signal)
    if state == "open":
        query = query.where(request.c.ended_at.is_(None), request.c.lapses_at > at)
    if state == "over":
        query = query.where(or_(request.c.ended_at.is_not(None), request.c.lapses_at <= at))
    if after is not None:
        query = query.where(request.c.id < after)
    return [Asked(**row) for row in connection.execute(query).mappings()]


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of requests of a kind over some time."""

    kind: Kind
    asked: int
    passed: int
    served: int
    """For which something was done."""
    measured: int
    """Of those served, which said that they had passed."""
    gained_s: float | None
    """By how much those passed sooner than was foretold by the plan, in the mean."""
    others_s: float | None
    """Person-seconds that all others were foretold to lose by it, a request served."""


def effects(connection: Connection, network_id: UUID, since_at: datetime) -> list[Effect]:
    """Give what came of a network's requests since an instant, by kind."""
    rows = connection.execute(
        text(
            "select kind, count(*) as asked, count(checked_out_at) as passed,"
            " count(*) filter (where act <> 'none') as served,"
            " count(without_at - checked_out_at) as measured,"
            " cast(avg(extract(epoch from without_at - checked_out_at)) as float8) as gained_s,"
            " cast(avg(others_s) filter (where act <> 'none') as float8) as others_s"
            " from signals.priority_request"
            " where network_id = :network and checked_in_at >= :since"
            " group by kind order by kind"
        ),
        {"network": network_id, "since": since_at},
    ).mappings()
    return [Effect(**row) for row in rows]


def forget(connection: Connection, *, before: datetime, most: int) -> int:
    """Drop requests that ended before an instant; give how many."""
    old = select(request.c.id).where(request.c.ended_at < before).limit(most)
    return connection.execute(delete(request).where(request.c.id.in_(old))).rowcount
