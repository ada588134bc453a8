"""The parking room's tables as SQLAlchemy Core sees them.

The truth is the migrations; a test compares the two. Constraints and
indexes are the migration's business and are not repeated here.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Double,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSTZRANGE

metadata = MetaData(schema="parking")

INSTANT = TIMESTAMP(timezone=True)

tariff = Table(
    "tariff",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("notice_s", Integer, nullable=False, server_default="604800"),
)

tariff_version = Table(
    "tariff_version",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tariff_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("valid_from", INSTANT),
    Column("published_at", INSTANT),
    Column("published_by", Text),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("origin", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("drafted_at", INSTANT),
    Column("drafted_by", Text),
    Column("edited_at", INSTANT),
    Column("edited_by", Text),
    Column("approved_at", INSTANT),
    Column("approved_by", Text),
    Column("withdrawn_at", INSTANT),
    Column("withdrawn_by", Text),
    Column("withdrawn_reason", Text),
)

tariff_simulation = Table(
    "tariff_simulation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("to_at", INSTANT, nullable=False),
    Column("status", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("finished_at", INSTANT),
    Column("result", JSONB),
    Column("problem", Text),
)

facility = Table(
    "facility",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("ownership", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("latitude", Double, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("operator_id", Uuid, nullable=False),
    Column("revenue_nature", Text, nullable=False),
    Column("tariff_id", Uuid),
    Column("address", Text),
    Column("onboarding", Text, nullable=False, server_default="live"),
    Column("title", Text, nullable=False, server_default="unknown"),
    Column("opening", JSONB(none_as_null=True)),
    Column("rules", JSONB, nullable=False, server_default="[]"),
    Column("geometry", JSONB(none_as_null=True)),
    Column("max_height_m", Double),
    Column("max_width_m", Double),
    Column("max_length_m", Double),
    Column("max_weight_kg", Double),
    Column("lifts", Integer),
    Column("pallets", Integer),
    Column("retrieval_s", Integer),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("changed_at", INSTANT, nullable=False, server_default="1970-01-01T00:00:00Z"),
    Column("changed_by", Text, nullable=False, server_default="system:registry"),
)

operator = Table(
    "operator",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("phone", Text),
    Column("registered_at", INSTANT, nullable=False),
    Column("registered_by", Text, nullable=False),
)

zone = Table(
    "zone",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("level", Integer),
    Column("length_m", Double),
    Column("rules", JSONB, nullable=False, server_default="[]"),
    Column("geometry", JSONB(none_as_null=True)),
    Column("retired_at", INSTANT),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("changed_at", INSTANT, nullable=False, server_default="1970-01-01T00:00:00Z"),
    Column("changed_by", Text, nullable=False, server_default="system:registry"),
)

bay = Table(
    "bay",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("latitude", Double, nullable=False),
    Column("bearing_deg", Double),
    Column("zone_id", Uuid),
    Column("purpose", Text, nullable=False, server_default="public"),
    Column("ground", Text, nullable=False, server_default="unknown"),
    Column("located", Text, nullable=False, server_default="surveyed"),
    Column("length_m", Double),
    Column("width_m", Double),
    Column("geometry", JSONB(none_as_null=True)),
    Column("rules", JSONB, nullable=False, server_default="[]"),
    Column("grid_cell", Text),
    Column("component_code", Text),
    Column("retired_at", INSTANT),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("changed_at", INSTANT, nullable=False, server_default="1970-01-01T00:00:00Z"),
    Column("changed_by", Text, nullable=False, server_default="system:registry"),
)

place_history = Table(
    "place_history",
    metadata,
    Column("place_kind", Text, primary_key=True),
    Column("place_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("state", JSONB, nullable=False),
)

imported_place = Table(
    "imported_place",
    metadata,
    Column("source", Text, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("imported_at", INSTANT, nullable=False),
    Column("imported_by", Text, nullable=False),
)

suspension = Table(
    "suspension",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("permit_no", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column("lifted_at", INSTANT),
    Column("recorded_at", INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("lifted_by", Text),
)

suspended_bay = Table(
    "suspended_bay",
    metadata,
    Column("suspension_id", Uuid, primary_key=True),
    Column("bay_id", Uuid, primary_key=True),
)

device = Table(
    "device",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("network_key", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("registered_at", INSTANT, nullable=False),
    Column("retired_at", INSTANT),
    Column("revision", BigInteger, nullable=False, server_default="1"),
    Column("first_seen_at", INSTANT),
    Column("last_seen_at", INSTANT),
    Column("last_event_at", INSTANT),
    Column("health_at", INSTANT),
    Column("battery_v", Double),
    Column("battery_percent", Double),
    Column("battery_low", Boolean),
    Column("temperature_c", Double),
    Column("firmware", Text),
    Column("reset_cause", Text),
    Column("faults", ARRAY(Text), nullable=False, server_default="{}"),
    Column("rssi", Double),
    Column("snr", Double),
    Column("session", Text),
    Column("counter", BigInteger),
)

placement = Table(
    "placement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("device_id", Uuid, nullable=False),
    Column("device_number", BigInteger, nullable=False),
    Column("bay_id", Uuid, nullable=False),
    Column("bay_number", BigInteger, nullable=False),
    Column("role", Text, nullable=False, server_default="primary"),
    Column("since_at", INSTANT, nullable=False),
    Column("until_at", INSTANT),
    Column("during", TSTZRANGE, Computed("tstzrange(since_at, until_at, '[)')", persisted=True)),
    Column("placed_by", Text, nullable=False),
    Column("ended_by", Text),
)

registry_version = Table(
    "registry_version",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

unknown_device = Table(
    "unknown_device",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("network_key", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("district_guess", Text),
    Column("first_seen_at", INSTANT, nullable=False),
    Column("last_seen_at", INSTANT, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("last_port", Integer, nullable=False),
    Column("last_frame", LargeBinary, nullable=False),
    Column("rssi", Double),
    Column("snr", Double),
    Column("adopted_at", INSTANT),
    Column("adopted_by", Text),
    Column("device_id", Uuid),
)

uplink = Table(
    "uplink",
    metadata,
    Column("received_at", INSTANT, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Column("district", Text, nullable=False),
    Column("device_id", Uuid),
    Column("network_key", Text),
    Column("source", Text),
    Column("model", Text),
    Column("port", Integer, nullable=False),
    Column("frame", LargeBinary, nullable=False),
    Column("device_at", INSTANT, nullable=False),
    Column("session", Text),
    Column("counter", BigInteger),
    Column("message_id", Text),
    Column("rssi", Double),
    Column("snr", Double),
    Column("verdict", Text, nullable=False),
)

bay_change = Table(
    "bay_change",
    metadata,
    Column("bay_id", Uuid, primary_key=True),
    Column("changed_at", INSTANT, primary_key=True),
    Column("observation_key", Text, primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sure", SmallInteger, nullable=False),
    Column("device_id", Uuid),
    Column("recorded_at", INSTANT, nullable=False),
)

stream_position = Table(
    "stream_position",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("consumer", Text, primary_key=True),
    Column("entry_id", Text, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
)

parking_session = Table(
    "parking_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("bay_id", Uuid),
    Column("bay_number", BigInteger),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("closed_at", INSTANT),
    Column("during", TSTZRANGE, Computed("tstzrange(opened_at, closed_at, '[)')", persisted=True)),
    Column("state", Text, nullable=False),
    Column("vehicle_id", Uuid),
    Column("attached_at", INSTANT),
    Column("attached_by", Text),
    Column("tariff_version_id", Uuid),
    Column("opened_evidence", Text, nullable=False),
    Column("closed_evidence", Text),
    Column("closing_reason", Text),
    Column("uncertain_from_at", INSTANT),
    Column("certain_until_at", INSTANT),
    Column("announced_at", INSTANT),
    Column("bill_id", Uuid),
    Column("admitted_as", Uuid),
    Column("hold", Text),
    Column("set_aside", Text),
    Column("part_of", Uuid),
    Column("part_kind", Text),
    Column("ended_at", INSTANT),
    Column("planned_until_at", INSTANT),
    Column("paid_until_at", INSTANT),
    Column("started_by", Uuid),
    Column("exempt", Text),
)

exemption_policy = Table(
    "exemption_policy",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("district", Text),
    Column("from_at", INSTANT, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("source", Text, nullable=False),
    Column("stated_at", INSTANT, nullable=False),
    Column("stated_by", Text, nullable=False),
)

stay_evidence = Table(
    "stay_evidence",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid),
    Column("facility_id", Uuid, nullable=False),
    Column("bay_id", Uuid),
    Column("district", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("source", Text, nullable=False),
    Column("certainty", SmallInteger, nullable=False),
    Column("written_by", Text, nullable=False),
    Column("vehicle_id", Uuid),
    Column("read_as", Uuid),
    Column("event_key", Text),
    Column("detail", JSONB, nullable=False, server_default="{}"),
)

reader = Table(
    "reader",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("gate", Text),
    Column("registered_at", INSTANT, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("retired_at", INSTANT),
    Column("retired_by", Text),
)

reader_bay = Table(
    "reader_bay",
    metadata,
    Column("reader_id", Uuid, primary_key=True),
    Column("bay_id", Uuid, primary_key=True),
)

stay_coupon = Table(
    "stay_coupon",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("coupon", Text, primary_key=True),
    Column("taken_at", INSTANT, nullable=False),
    Column("taken_by", Text, nullable=False),
)

ticket = Table(
    "ticket",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("code_digest", LargeBinary, nullable=False),
    Column("made_at", INSTANT, nullable=False),
)

stay_code = Table(
    "stay_code",
    metadata,
    Column("code_digest", LargeBinary, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("made_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("used_at", INSTANT),
)

vehicle_user = Table(
    "vehicle_user",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("since_at", INSTANT, nullable=False),
    Column("until_at", INSTANT),
    Column("proof", Text, nullable=False),
    Column("proof_id", Uuid, nullable=False),
    Column("bound_at", INSTANT, nullable=False),
    Column("ended_by", Text),
    Column("ended_because", Text),
)
