"""Cabinets bound to signals, what was sent to each, and every query on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, delete, exists, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from city.identifiers import uuid7
from signals.rules.controllers.address import CabinetAddress
from signals.store.priority_tables import being_led
from signals.store.tables import cabinet, cabinet_act, override, running_plan, signal

Status = Literal[
    "waiting",
    "sending",
    "active",
    "not_sent",
    "refused",
    "unconfirmed",
    "reverted",
    "flashing",
    "unknown",
    "superseded",
]
_ADDRESS = ("protocol", "transport", "host", "port", "controller", "junction", "dialect")


@dataclass(frozen=True, slots=True)
class Binding:
    """A cabinet at a signal: where it is, and who said so when."""

    network_id: UUID
    signal: str
    address: CabinetAddress
    bound_at: datetime
    bound_by: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class CabinetAct:
    """A plan in force on its way into a cabinet, or what came of it."""

    id: UUID
    network_id: UUID
    signal: str
    run_id: UUID
    profile: str
    status: Status
    asked_at: datetime
    asked_by: str
    attempts: int
    began_at: datetime | None
    ended_at: datetime | None
    plan_number: int | None
    former_number: int | None
    steps: list[str]


# --- bindings ------------------------------------------------------------------------------------


def bindings(
    connection: Connection, network_id: UUID | None = None, signals: Sequence[str] | None = None
) -> list[Binding]:
    """Give the cabinets of a network, or all that there are, in the order of their signals."""
    query = select(cabinet).order_by(cabinet.c.network_id, cabinet.c.signal)
    if network_id is not None:
        query = query.where(cabinet.c.network_id == network_id)
    if signals is not None:
        query = query.where(cabinet.c.signal.in_(list(signals)))
    return [
        Binding(
            row["network_id"],
            row["signal"],
            CabinetAddress(**{name: row[name] for name in _ADDRESS}),
            row["bound_at"],
            row["bound_by"],
            row["simulated"],
        )
        for row in connection.execute(query).mappings()
    ]


def networks(connection: Connection) -> list[UUID]:
    """Give the networks that have cabinets."""
    query = select(cabinet.c.network_id).distinct().order_by(cabinet.c.network_id)
    return list(connection.execute(query).scalars())


def bound_among(
    connection: Connection, keys: Collection[tuple[UUID, str]]
) -> set[tuple[UUID, str]]:
    """Give those of some networks' signals that have a cabinet."""
    if not keys:
        return set()
    pair = tuple_(cabinet.c.network_id, cabinet.c.signal)
    rows = connection.execute(
        select(cabinet.c.network_id, cabinet.c.signal).where(pair.in_(list(keys)))
    )
    return {(row.network_id, row.signal) for row in rows}


def bind(connection: Connection, made: Sequence[Binding]) -> None:
    """Write bindings, each in the place of the one before, in one statement."""
    rows = [
        {
            "network_id": each.network_id,
            "signal": each.signal,
            **{name: getattr(each.address, name) for name in _ADDRESS},
            "dialect": dict(each.address.dialect),
            "simulated": each.simulated,
            "bound_at": each.bound_at,
            "bound_by": each.bound_by,
        }
        for each in made
    ]
    if not rows:
        return
    statement = upsert(cabinet).values(rows)
    keys = {"network_id", "signal"}
    replaced = {
        column.name: statement.excluded[column.name]
        for column in cabinet.c
        if column.name not in keys
    }
    connection.execute(statement.on_conflict_do_update(index_elements=sorted(keys), set_=replaced))


def unbind(connection: Connection, network_id: UUID, name: str) -> None:
    """Take a binding away."""
    connection.execute(
        delete(cabinet).where(cabinet.c.network_id == network_id, cabinet.c.signal == name)
    )


def lock_signals(connection: Connection, network_id: UUID, signals: Sequence[str]) -> None:
    """Let nobody else bind cabinets at some signals, or ask anything of them, meanwhile."""
    connection.execute(
        select(signal.c.name)
        .where(signal.c.network_id == network_id, signal.c.name.in_(list(signals)))
        .order_by(signal.c.name)
        .with_for_update(key_share=True)
    )


# --- acts ----------------------------------------------------------------------------------------


def ask(
    connection: Connection,
    network_id: UUID,
    runs: Mapping[str, UUID],
    *,
    profile: str,
    at: datetime,
    by: str,
) -> None:
    """Let the plans that are in force be sent to some signals' cabinets.

    What still waited there is superseded. Lock the signals first (`lock_signals`).
    """
    connection.execute(
        update(cabinet_act)
        .where(
            cabinet_act.c.network_id == network_id,
            cabinet_act.c.signal.in_(list(runs)),
            cabinet_act.c.status == "waiting",
        )
        .values(status="superseded", ended_at=at)
    )
    if not runs:
        return
    connection.execute(
        insert(cabinet_act),
        [
            {
                "id": uuid7(),
                "network_id": network_id,
                "signal": name,
                "run_id": run_id,
                "profile": profile,
                "status": "waiting",
                "asked_at": at,
                "asked_by": by,
            }
            for name, run_id in sorted(runs.items())
        ],
    )


def claim(
    connection: Connection, mark: UUID, *, most: int, at: datetime, lost_before: datetime
) -> list[CabinetAct]:
    """Take acts that wait, the oldest first, and those whose sender fell silent.

    Parameters
    ----------
    connection : Connection
    mark : UUID
        Of the sender.
    most : int
    at : datetime
    lost_before : datetime
        A sender that has not shown itself since then is dead.

    Returns
    -------
    list of CabinetAct
        None at a signal that something is still being sent to.
    """
    lost = select(cabinet_act.c.id).where(
        cabinet_act.c.status == "sending", cabinet_act.c.alive_at < lost_before
    )
    other = cabinet_act.alias("other")
    waiting = select(cabinet_act.c.id).where(
        cabinet_act.c.status == "waiting",
        ~exists().where(
            other.c.network_id == cabinet_act.c.network_id,
            other.c.signal == cabinet_act.c.signal,
            other.c.status == "sending",
        ),
    )
    # Who holds a signal by hand is not sent a plan meanwhile.
    by_hand = exists().where(
        override.c.network_id == cabinet_act.c.network_id,
        override.c.signal == cabinet_act.c.signal,
        override.c.confirmed_at.is_not(None),
        override.c.ended_at.is_(None),
    )
    for_priority = being_led(cabinet_act, lost_before)
    found: list[CabinetAct] = []
    for query in (lost.where(~by_hand, ~for_priority), waiting.where(~by_hand, ~for_priority)):
        left = most - len(found)
        if left <= 0:
            break
        chosen = query.order_by(cabinet_act.c.id).limit(left).with_for_update(skip_locked=True)
        rows = connection.execute(
            update(cabinet_act)
            .where(cabinet_act.c.id.in_(chosen))
            .values(
                status="sending",
                claim=mark,
                began_at=func.coalesce(cabinet_act.c.began_at, at),
                alive_at=at,
                attempts=cabinet_act.c.attempts + 1,
            )
            .returning(*_shown())
        ).mappings()
        found += [CabinetAct(**row) for row in rows]
    return found


def keep(
    connection: Connection, mark: UUID, acts: Sequence[UUID], *, at: datetime
) -> tuple[set[UUID], set[UUID]]:
    """Show that a sender is alive.

    Returns
    -------
    tuple
        Acts that are still its own, and those of them that another one or an order by hand waits
        behind.
    """
    if not acts:
        return set(), set()
    mine = connection.execute(
        update(cabinet_act)
        .where(
            cabinet_act.c.id.in_(list(acts)),
            cabinet_act.c.claim == mark,
            cabinet_act.c.status == "sending",
        )
        .values(alive_at=at)
        .returning(cabinet_act.c.id)
    ).scalars()
    held = set(mine)
    later = cabinet_act.alias("later")
    behind = connection.execute(
        select(cabinet_act.c.id)
        .join(
            later,
            (later.c.network_id == cabinet_act.c.network_id)
            & (later.c.signal == cabinet_act.c.signal)
            & (later.c.status == "waiting"),
        )
        .where(cabinet_act.c.id.in_(held))
    ).scalars()
    ordered = connection.execute(
        select(cabinet_act.c.id)
        .join(
            override,
            (override.c.network_id == cabinet_act.c.network_id)
            & (override.c.signal == cabinet_act.c.signal)
            & (override.c.status == "waiting"),
        )
        .where(cabinet_act.c.id.in_(held))
    ).scalars()
    return held, {*behind, *ordered}


def told(connection: Connection, mark: UUID, act_id: UUID, steps: Sequence[str]) -> bool:
    """Keep what was done so far; False where the act is no longer this sender's."""
    return _write(connection, mark, act_id, steps=list(steps))


def finish(
    connection: Connection,
    mark: UUID,
    act_id: UUID,
    *,
    status: Status,
    steps: Sequence[str],
    plan_number: int | None,
    former_number: int | None,
    at: datetime,
) -> bool:
    """Keep how an act ended; False where it is no longer this sender's."""
    return _write(
        connection,
        mark,
        act_id,
        status=status,
        steps=list(steps),
        plan_number=plan_number,
        former_number=former_number,
        ended_at=at,
    )


def acts(
    connection: Connection,
    network_id: UUID,
    name: str | None = None,
    *,
    after: UUID | None = None,
    limit: int,
) -> list[CabinetAct]:
    """Give what was sent in a network, or to one signal, the latest first, one more than asked."""
    query = (
        select(*_shown())
        .where(cabinet_act.c.network_id == network_id)
        .order_by(cabinet_act.c.id.desc())
        .limit(limit + 1)
    )
    if name is not None:
        query = query.where(cabinet_act.c.signal == name)
    if after is not None:
        query = query.where(cabinet_act.c.id < after)
    return [CabinetAct(**row) for row in connection.execute(query).mappings()]


def latest_acts(connection: Connection, network_id: UUID) -> dict[str, CabinetAct]:
    """Give the last act of each signal of a network."""
    query = (
        select(*_shown())
        .ext(distinct_on(cabinet_act.c.signal))
        .where(cabinet_act.c.network_id == network_id)
        .order_by(cabinet_act.c.signal, cabinet_act.c.id.desc())
    )
    rows = [CabinetAct(**row) for row in connection.execute(query).mappings()]
    return {each.signal: each for each in rows}


def programme_of(connection: Connection, run_id: UUID) -> JsonValue:
    """Give the programme that an act is to bring into its cabinet."""
    query = select(running_plan.c.programme).where(running_plan.c.id == run_id)
    found: JsonValue = connection.execute(query).scalar_one()
    return found


def _write(connection: Connection, mark: UUID, act_id: UUID, **values: object) -> bool:
    done = connection.execute(
        update(cabinet_act)
        .where(
            cabinet_act.c.id == act_id,
            cabinet_act.c.claim == mark,
            cabinet_act.c.status == "sending",
        )
        .values(**values)
    )
    return done.rowcount > 0


def _shown() -> list[Any]:
    return [column for column in cabinet_act.c if column.name not in {"claim", "alive_at"}]
