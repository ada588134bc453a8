"""The tables of what is foretold, as SQLAlchemy Core sees them; a test compares the two."""

from sqlalchemy import Column, Double, Integer, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from parking.store.tables import INSTANT, metadata

occupancy_sample = Table(
    "occupancy_sample",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("at", INSTANT, primary_key=True),
    Column("free", Integer, nullable=False),
    Column("occupied", Integer, nullable=False),
)

forecast_model = Table(
    "forecast_model",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("horizon_min", SmallInteger, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("district", Text, nullable=False),
    Column("trained_at", INSTANT, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column("days", Integer, nullable=False),
    Column("judged", Integer, nullable=False),
    Column("mae", Double),
    Column("persistence_mae", Double),
    Column("last_week_mae", Double),
    Column("coverage90", Double),
    Column("model", JSONB, nullable=False),
)

forecast = Table(
    "forecast",
    metadata,
    Column("facility_id", Uuid, primary_key=True),
    Column("horizon_min", SmallInteger, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("made_at", INSTANT, nullable=False),
    Column("for_at", INSTANT, nullable=False),
    Column("occupied", Double, nullable=False),
    Column("low90", Double, nullable=False),
    Column("high90", Double, nullable=False),
    Column("bays", Integer, nullable=False),
)

chance_model = Table(
    "chance_model",
    metadata,
    Column("district", Text, nullable=False),
    Column("facility_id", Uuid),
    Column("version", Integer, nullable=False),
    Column("fitted_at", INSTANT, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("taken_per_s", ARRAY(Double), nullable=False),
    Column("freed_per_s", ARRAY(Double), nullable=False),
    Column("judged", Integer, nullable=False),
    Column("brier", Double),
    Column("brier_base", Double),
    Column("bins", JSONB, nullable=False),
)
