"""Counts of traffic by movement and day, and every query on them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from signals.rules.counts.classes import CountClass
from signals.rules.counts.tables import LegDay
from signals.store.tables import count_day

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class CountedSignal:
    """What is counted at a signal."""

    signal: str
    movements: int
    days: int
    first: dt.date
    last: dt.date


def keep(
    connection: Connection, network_id: UUID, legs: Sequence[LegDay], *, at: dt.datetime, by: str
) -> None:
    """Keep counted days; what was kept of the same movement and day gives way."""
    for begin in range(0, len(legs), _AT_ONCE):
        rows = [
            {
                "network_id": network_id,
                "signal": leg.junction,
                "from_road": leg.from_road,
                "to_road": leg.to_road,
                "day": leg.day,
                "numbers": {each.value: list(series) for each, series in leg.numbers.items()},
                "recorded_at": at,
                "recorded_by": by,
            }
            for leg in legs[begin : begin + _AT_ONCE]
        ]
        statement = insert(count_day)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["network_id", "signal", "day", "from_road", "to_road"],
                set_={
                    name: statement.excluded[name]
                    for name in ("numbers", "recorded_at", "recorded_by")
                },
            ),
            rows,
        )


def counted(connection: Connection, network_id: UUID) -> list[CountedSignal]:
    """Give what is counted in a network, by signal."""
    movement = func.concat(count_day.c.from_road, "\n", count_day.c.to_road)
    query = (
        select(
            count_day.c.signal,
            func.count(func.distinct(movement)).label("movements"),
            func.count(func.distinct(count_day.c.day)).label("days"),
            func.min(count_day.c.day).label("first"),
            func.max(count_day.c.day).label("last"),
        )
        .where(count_day.c.network_id == network_id)
        .group_by(count_day.c.signal)
        .order_by(count_day.c.signal)
    )
    return [CountedSignal(**row) for row in connection.execute(query).mappings()]


def legs_of(
    connection: Connection,
    network_id: UUID,
    signals: Sequence[str],
    first: dt.date,
    last: dt.date,
) -> list[LegDay]:
    """Give the counted days of some signals between two dates, both included."""
    query = (
        select(count_day)
        .where(
            count_day.c.network_id == network_id,
            count_day.c.signal.in_(list(signals)),
            count_day.c.day.between(first, last),
        )
        .order_by(count_day.c.signal, count_day.c.from_road, count_day.c.to_road, count_day.c.day)
    )
    return [
        LegDay(
            row.signal,
            row.from_road,
            row.to_road,
            row.day,
            {CountClass(name): series for name, series in row.numbers.items()},
        )
        for row in connection.execute(query)
    ]
