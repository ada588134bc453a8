"""What detectors and cameras tell, and what is folded from it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import REAL

from signals.store.tables.base import INSTANT, METADATA

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
