"""The tables of the figures as SQLAlchemy Core sees them; the truth is their migration."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Identity, Integer, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from parking.store.tables import INSTANT, metadata


def _counts() -> tuple[Column[int], ...]:
    whole, narrow = BigInteger, Integer
    kinds = {
        "service_us": whole,
        "open_us": whole,
        "occupied_us": whole,
        "free_us": whole,
        "arrivals": narrow,
        "ended": narrow,
        "matched": narrow,
        "dwell_stays": narrow,
        "dwell_us": whole,
        "changes": narrow,
    }
    return tuple(Column(name, kind, nullable=False) for name, kind in kinds.items())


def _bins() -> tuple[Column[list[int]], ...]:
    return tuple(
        Column(f"{what}_{part}", ARRAY(kind), nullable=False)
        for what in ("dwell", "delay")
        for part, kind in (("bins", SmallInteger), ("counts", Integer))
    )


figure_hour = Table(
    "figure_hour",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("hour_at", INSTANT, primary_key=True),
    Column("district", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("hour", SmallInteger, nullable=False),
    *_counts(),
    *_bins(),
)

figure_facility_day = Table(
    "figure_facility_day",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("district", Text, nullable=False),
    *_counts(),
    *_bins(),
)

figure_day = Table(
    "figure_day",
    metadata,
    Column("bay_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    *_counts(),
    Column("closing", Text),
)

figure_mark = Table(
    "figure_mark",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("from_at", INSTANT, nullable=False),
)

figure_facility = Table(
    "figure_facility",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("counted_until_at", INSTANT, nullable=False),
)
