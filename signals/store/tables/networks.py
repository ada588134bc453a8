"""Networks as they were imported, their signals, and who drives in them."""

from sqlalchemy import Column, Double, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from signals.store.tables.base import INSTANT, METADATA

JUNCTION = Table(
    "junction",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("latitude", Double, nullable=False),
    Column("district", Text, nullable=False),
    Column("approaches", JSONB(none_as_null=True), nullable=False),
    Column("plan", JSONB(none_as_null=True)),
)

network = Table(
    "network",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("imported_at", INSTANT, nullable=False),
    Column("imported_by", Text, nullable=False),
)

signal = Table(
    "signal",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("title_zh", Text, nullable=False, server_default=""),
    Column("title_en", Text, nullable=False, server_default=""),
    Column("x_m", Double, nullable=False),
    Column("y_m", Double, nullable=False),
    Column("model", JSONB, nullable=False),
)

demand = Table(
    "demand",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("hours", Double, nullable=False),
    Column("flows", JSONB, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
)

intersection = Table(
    "intersection",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("region", Integer, nullable=False),
    Column("reference", Integer, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("latitude", Double, nullable=False),
)
