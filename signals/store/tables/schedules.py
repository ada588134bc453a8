"""Counts by day, and schedules made from them."""

from sqlalchemy import Boolean, Column, Computed, Date, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from signals.store.tables.base import INSTANT, METADATA

count_day = Table(
    "count_day",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("from_road", Text, primary_key=True),
    Column("to_road", Text, primary_key=True),
    Column("numbers", JSONB, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
)

schedule = Table(
    "schedule",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("signals", ARRAY(Text), nullable=False),
    Column("profile", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("settings", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("document", JSONB(none_as_null=True)),
    Column("asked_at", INSTANT, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("made_at", INSTANT),
    Column("problem", Text),
    Column("checked_at", INSTANT),
    Column("checked_by", Text),
    Column("approved_at", INSTANT),
    Column("approved_by", Text),
    Column("from_at", INSTANT),
    Column("set_by", Text),
    Column("until_at", INSTANT),
    Column("ended_by", Text),
    Column("ended_reason", Text),
    Column("followed", Boolean, Computed("", persisted=True), nullable=False),
)

schedule_plan = Table(
    "schedule_plan",
    METADATA,
    Column("schedule_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version_id", Uuid, nullable=False),
)

scheduled_signal = Table(
    "scheduled_signal",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("schedule_id", Uuid, nullable=False),
    Column("in_force", Boolean, nullable=False),
)
