"""What cabinets said of themselves last, and every query on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Connection, Double, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from signals.rules.controllers.inspection import Inspection
from signals.store.tables import INSTANT, METADATA, cabinet

cabinet_look = Table(
    "cabinet_look",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("looked_at", INSTANT, nullable=False),
    Column("maker", Text),
    Column("version", Text),
    Column("serial", Text),
    Column("clock_ahead_s", Double),
    Column("faults", JSONB(none_as_null=True)),
    Column("alarms", JSONB(none_as_null=True)),
)


@dataclass(frozen=True, slots=True)
class CabinetLook:
    """The last look at a cabinet that was answered."""

    network_id: UUID
    signal: str
    looked_at: datetime
    told: Inspection


def keep(connection: Connection, looks: Sequence[CabinetLook]) -> None:
    """Write looks, each in the place of the one before, in one statement."""
    rows = [
        {
            "network_id": each.network_id,
            "signal": each.signal,
            "looked_at": each.looked_at,
            "maker": each.told.maker,
            "version": each.told.version,
            "serial": each.told.serial,
            "clock_ahead_s": each.told.clock_ahead_s,
            "faults": None if each.told.faults is None else list(each.told.faults),
            "alarms": None if each.told.alarms is None else list(each.told.alarms),
        }
        for each in looks
    ]
    if not rows:
        return
    statement = upsert(cabinet_look).values(rows)
    keys = ["network_id", "signal"]
    changed = {
        each.name: statement.excluded[each.name] for each in cabinet_look.c if each.name not in keys
    }
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def looks(connection: Connection, network_id: UUID, name: str | None = None) -> list[CabinetLook]:
    """Give the last looks at the cabinets that a network has, in the order of their signals."""
    query = (
        select(cabinet_look)
        .join(
            cabinet,
            (cabinet.c.network_id == cabinet_look.c.network_id)
            & (cabinet.c.signal == cabinet_look.c.signal)
            # Another cabinet was bound meanwhile: what the one before said is not of it.
            & (cabinet.c.bound_at <= cabinet_look.c.looked_at),
        )
        .where(cabinet_look.c.network_id == network_id)
        .order_by(cabinet_look.c.signal)
    )
    if name is not None:
        query = query.where(cabinet_look.c.signal == name)
    return [
        CabinetLook(
            row["network_id"],
            row["signal"],
            row["looked_at"],
            Inspection(
                row["maker"],
                row["version"],
                row["serial"],
                row["clock_ahead_s"],
                None if row["faults"] is None else tuple(row["faults"]),
                None if row["alarms"] is None else tuple(row["alarms"]),
            ),
        )
        for row in connection.execute(query).mappings()
    ]
