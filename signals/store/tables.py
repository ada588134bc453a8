"""The signals room's tables as SQLAlchemy Core sees them.

The truth is the migrations; a test compares the two. Constraints and indexes are the migration's
business and are not repeated here.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL, TIMESTAMP

METADATA = MetaData(schema="signals")

INSTANT = TIMESTAMP(timezone=True)

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

plan_version = Table(
    "plan_version",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("origin", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("signals", ARRAY(Text), nullable=False),
    Column("document", JSONB, nullable=False),
    Column("drafted_at", INSTANT, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("edited_at", INSTANT),
    Column("edited_by", Text),
    Column("checked_at", INSTANT),
    Column("checked_by", Text),
    Column("checked_revision", Integer),
    Column("safe", Boolean),
    Column("report", JSONB(none_as_null=True)),
    Column("predicted", JSONB(none_as_null=True)),
    Column("approved_at", INSTANT),
    Column("approved_by", Text),
    Column("approved_revision", Integer),
    Column("deployed_at", INSTANT),
    Column("deployed_by", Text),
    Column("measured_at", INSTANT),
    Column("measured_by", Text),
    Column("measured", JSONB(none_as_null=True)),
    Column("decided_at", INSTANT),
    Column("decided_by", Text),
    Column("decided_reason", Text),
    Column("deployable", Boolean, Computed("", persisted=True), nullable=False),
)

running_plan = Table(
    "running_plan",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("version_id", Uuid),
    Column("deployable", Boolean),
    Column("restores", Uuid),
    Column("programme", JSONB, nullable=False),
    Column("change", JSONB(none_as_null=True)),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT),
    Column("set_by", Text, nullable=False),
)

optimisation = Table(
    "optimisation",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("demand_id", Uuid, nullable=False),
    Column("profile", Text, nullable=False),
    Column("signals", ARRAY(Text), nullable=False),
    Column("status", Text, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("requested_at", INSTANT, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("started_at", INSTANT),
    Column("finished_at", INSTANT),
    Column("cancel_asked_by", Text),
    Column("problem", Text),
    Column("version_id", Uuid),
    Column("result", JSONB(none_as_null=True)),
)

drive = Table(
    "drive",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("demand_id", Uuid, nullable=False),
    Column("version_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("profile", Text, nullable=False),
    Column("seeds", ARRAY(Integer), nullable=False),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("started_at", INSTANT),
    Column("finished_at", INSTANT),
    Column("cancel_asked_by", Text),
    Column("problem", Text),
    Column("result", JSONB(none_as_null=True)),
)

drive_run = Table(
    "drive_run",
    METADATA,
    Column("drive_id", Uuid, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("figures", JSONB, nullable=False),
    Column("replay", LargeBinary),
)

lane_study = Table(
    "lane_study",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("demand_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("functions", JSONB(none_as_null=True)),
    Column("status", Text, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("requested_at", INSTANT, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("started_at", INSTANT),
    Column("finished_at", INSTANT),
    Column("problem", Text),
    Column("result", JSONB(none_as_null=True)),
    Column("documents", JSONB(none_as_null=True)),
    Column("title", Text),
    Column("note", Text, nullable=False, server_default=""),
    Column("kept_at", INSTANT),
    Column("kept_by", Text),
)

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

cabinet = Table(
    "cabinet",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("protocol", Text, nullable=False),
    Column("transport", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("controller", BigInteger, nullable=False),
    Column("junction", Integer, nullable=False),
    Column("dialect", JSONB, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("bound_at", INSTANT, nullable=False),
    Column("bound_by", Text, nullable=False),
)

cabinet_act = Table(
    "cabinet_act",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("profile", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("asked_at", INSTANT, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claim", Uuid),
    Column("began_at", INSTANT),
    Column("alive_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("plan_number", Integer),
    Column("former_number", Integer),
    Column("steps", JSONB, nullable=False, server_default="[]"),
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

override = Table(
    "override",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
    Column("effect", Text, nullable=False),
    Column("stage", Integer),
    Column("until_at", INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_name", Text, nullable=False),
    Column("replaces", Uuid),
    Column("replaced_by", Uuid),
    Column("confirmed_at", INSTANT),
    Column("seal", LargeBinary),
    Column("claim", Uuid),
    Column("alive_at", INSTANT),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("began_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("released_at", INSTANT),
    Column("released_by", Text),
    Column("plan", Integer),
    Column("control", Text),
    Column("steps", JSONB, nullable=False, server_default="[]"),
)

place = Table(
    "place",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
)

reporter = Table(
    "reporter",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("place", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("added_at", INSTANT, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("removed_at", INSTANT),
    Column("removed_by", Text),
    Column("heard_at", INSTANT),
    Column("newest_at", INSTANT),
    Column("refused_at", INSTANT),
    Column("refused_rows", BigInteger, nullable=False, server_default="0"),
    Column("refused_reason", Text),
)

detector = Table(
    "detector",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("channel", Integer, primary_key=True),
    Column("phase", Integer, primary_key=True),
    Column("function", Text, primary_key=True),
)

controller_event = Table(
    "controller_event",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("at", INSTANT, primary_key=True),
    Column("code", SmallInteger, primary_key=True),
    Column("parameter", SmallInteger, primary_key=True),
)

detector_count = Table(
    "detector_count",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("channel", Integer, primary_key=True),
    Column("from_at", INSTANT, primary_key=True),
    Column("length_s", Integer, primary_key=True),
    Column("vehicles", Integer, nullable=False),
    Column("occupancy", REAL),
    Column("speed_kph", REAL),
    Column("received_at", INSTANT, nullable=False),
)

fold_mark = Table(
    "fold_mark",
    METADATA,
    Column("network_id", Uuid, primary_key=True),
    Column("until_at", INSTANT, nullable=False),
)

detector_bin = Table(
    "detector_bin",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("channel", Integer, primary_key=True),
    Column("from_at", INSTANT, primary_key=True),
    Column("state", Text, nullable=False),
    Column("vehicles", Integer),
    Column("occupied_s", REAL),
    Column("held_since", INSTANT),
    Column("idle_since", INSTANT),
    Column("expected_since_idle", REAL, nullable=False),
    Column("imputed", REAL),
    Column("source", Text),
)

phase_bin = Table(
    "phase_bin",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("phase", Integer, primary_key=True),
    Column("from_at", INSTANT, primary_key=True),
    Column("cycles", Integer),
    Column("split_failures", Integer),
    Column("arrivals", Integer),
    Column("on_green", REAL),
    Column("released", Integer),
    Column("waited_s", REAL),
)

alarm = Table(
    "alarm",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("signal", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("limit_value", Double, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("since_at", INSTANT, nullable=False),
    Column("raised_at", INSTANT, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Column("cleared_at", INSTANT),
    Column("acknowledged_at", INSTANT),
    Column("acknowledged_by", Text),
    Column("note", Text),
)

finding = Table(
    "finding",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("severity", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("limit_value", Double, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("found_at", INSTANT, nullable=False),
)

plate_pass = Table(
    "plate_pass",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("at", INSTANT, primary_key=True),
    Column("lane", SmallInteger, primary_key=True),
    Column("mark", LargeBinary, primary_key=True),
)

pass_lane = Table(
    "pass_lane",
    METADATA,
    Column("lane_id", Uuid, primary_key=True),
    Column("district", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("since_at", INSTANT, nullable=False),
)

pass_mark = Table(
    "pass_mark",
    METADATA,
    Column("district", Text, primary_key=True),
    Column("entry", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("lost", BigInteger, nullable=False, server_default="0"),
)

reading_rate = Table(
    "reading_rate",
    METADATA,
    Column("place", Integer, primary_key=True),
    Column("vehicles", Integer, nullable=False),
    Column("read", Integer, nullable=False),
    Column("counted_at", INSTANT, nullable=False),
    Column("counted_by", Text, nullable=False),
)
