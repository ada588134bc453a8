"""The tables of lanes, as SQLAlchemy Core sees them; the migration defines them."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from parking.store.tables import INSTANT, metadata

lane = Table(
    "lane",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("gate", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("registered_at", INSTANT, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("retired_at", INSTANT),
    Column("retired_by", Text),
)

lane_state = Table(
    "lane_state",
    metadata,
    Column("lane_id", Uuid, primary_key=True),
    Column("state", JSONB, nullable=False),
    Column("standing", JSONB, nullable=False, server_default="{}"),
    Column("life", Text),
    Column("last_word", BigInteger, nullable=False, server_default="0"),
    Column("heard_at", INSTANT),
)

lane_order = Table(
    "lane_order",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lane_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("given_at", INSTANT, nullable=False),
    Column("void_at", INSTANT, nullable=False),
    Column("done_at", INSTANT),
)

lane_vehicle = Table(
    "lane_vehicle",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lane_id", Uuid, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("since_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("granted_by", Text),
    Column("alarmed", Boolean, nullable=False),
    Column("read_id", Uuid),
    Column("named", JSONB(none_as_null=True)),
    Column("evidence_id", Uuid),
    Column("session_id", Uuid),
    Column("became", Text),
)

lane_alarm = Table(
    "lane_alarm",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lane_id", Uuid, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Integer),
    Column("read_id", Uuid),
    Column("began_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("answered_at", INSTANT),
    Column("answered_by", Text),
    Column("answer", Text),
    Column("note", Text),
)

lane_act = Table(
    "lane_act",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lane_id", Uuid, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("number", Integer),
    Column("at", INSTANT, nullable=False),
    Column("by", Text, nullable=False),
    Column("photo_order_id", Uuid),
    Column("frame_id", Uuid),
)
