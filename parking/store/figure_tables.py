"""The tables of the figures as SQLAlchemy Core sees them; the truth is their migration."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Identity, Integer, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from parking.store.tables import INSTANT, metadata

figure_hour = Table(
    "figure_hour",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("hour_at", INSTANT, primary_key=True),
    Column("district", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("hour", SmallInteger, nullable=False),
    Column("service_us", BigInteger, nullable=False),
    Column("open_us", BigInteger, nullable=False),
    Column("occupied_us", BigInteger, nullable=False),
    Column("free_us", BigInteger, nullable=False),
    Column("arrivals", Integer, nullable=False),
    Column("ended", Integer, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("dwell_stays", Integer, nullable=False),
    Column("dwell_us", BigInteger, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("dwell_bins", ARRAY(SmallInteger), nullable=False),
    Column("dwell_counts", ARRAY(Integer), nullable=False),
    Column("delay_bins", ARRAY(SmallInteger), nullable=False),
    Column("delay_counts", ARRAY(Integer), nullable=False),
)

figure_facility_day = Table(
    "figure_facility_day",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("district", Text, nullable=False),
    Column("service_us", BigInteger, nullable=False),
    Column("open_us", BigInteger, nullable=False),
    Column("occupied_us", BigInteger, nullable=False),
    Column("free_us", BigInteger, nullable=False),
    Column("arrivals", Integer, nullable=False),
    Column("ended", Integer, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("dwell_stays", Integer, nullable=False),
    Column("dwell_us", BigInteger, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("dwell_bins", ARRAY(SmallInteger), nullable=False),
    Column("dwell_counts", ARRAY(Integer), nullable=False),
    Column("delay_bins", ARRAY(SmallInteger), nullable=False),
    Column("delay_counts", ARRAY(Integer), nullable=False),
)

figure_day = Table(
    "figure_day",
    metadata,
    Column("bay_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("service_us", BigInteger, nullable=False),
    Column("open_us", BigInteger, nullable=False),
    Column("occupied_us", BigInteger, nullable=False),
    Column("free_us", BigInteger, nullable=False),
    Column("arrivals", Integer, nullable=False),
    Column("ended", Integer, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("dwell_stays", Integer, nullable=False),
    Column("dwell_us", BigInteger, nullable=False),
    Column("changes", Integer, nullable=False),
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
