"""The reading room's tables, as SQLAlchemy Core sees them; the migration defines them."""

from sqlalchemy import Column, Double, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

METADATA = MetaData(schema="lpr")
INSTANT = TIMESTAMP(timezone=True)

plate_read = Table(
    "plate_read",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("event_key", Text, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("lane_id", Uuid),
    Column("camera", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("vehicle_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("confidences", ARRAY(Double), nullable=False),
    Column("certainty", Integer, nullable=False),
    Column("band", Text, nullable=False),
    Column("model", Text),
)
