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
    Column("review", Text, nullable=False, server_default="none"),
    Column("reviewed_at", INSTANT),
    Column("reviewed_by", Text),
    Column("answer", Text),
    Column("stated_as", Uuid),
)

frame = Table(
    "frame",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("event_key", Text, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("lane_id", Uuid),
    Column("camera", Text, nullable=False),
    Column("read_id", Uuid),
    Column("taken_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("kept_until_at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("sent_sha256", Text, nullable=False),
    Column("picture_id", Uuid),
    Column("crop_id", Uuid),
    Column("shown_sha256", Text),
    Column("corners", ARRAY(Double)),
    Column("outline", ARRAY(Double)),
)
