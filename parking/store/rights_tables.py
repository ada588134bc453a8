"""The tables of rights as SQLAlchemy Core sees them.

The truth is the migration ``rights``; a test compares the two. Constraints and indexes are the
migration's business and are not repeated here.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Computed, Identity, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZRANGE

from parking.store.tables import INSTANT, metadata

permit = Table(
    "permit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("district", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("valid_from", INSTANT, nullable=False),
    Column("valid_until", INSTANT, nullable=False),
    Column("concurrent_limit", Integer),
    Column("hours", JSONB, nullable=False),
    Column("allowance_s", Integer),
    Column("allowance_per", Text),
    Column("overstay", JSONB(none_as_null=True)),
    Column("issued_at", INSTANT, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("revoked_at", INSTANT),
    Column("revoked_by", Text),
    Column("revoked_reason", Text),
    Column("ended_announced_at", INSTANT),
)

permit_facility = Table(
    "permit_facility",
    metadata,
    Column("permit_id", Uuid, primary_key=True),
    Column("facility_id", Uuid, primary_key=True),
)

permit_vehicle = Table(
    "permit_vehicle",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("permit_id", Uuid, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT),
    Column("added_by", Text, nullable=False),
    Column("removed_by", Text),
)

permit_extension = Table(
    "permit_extension",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("permit_id", Uuid, nullable=False),
    Column("permit_number", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("days", Integer, nullable=False),
    Column("valid_until", INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    Column("facility_id", Uuid),
    Column("suspended_from", INSTANT),
    Column("suspended_until", INSTANT),
    Column(
        "suspended",
        TSTZRANGE,
        Computed("tstzrange(suspended_from, suspended_until, '[)')", persisted=True),
    ),
    Column("extended_at", INSTANT, nullable=False),
    Column("extended_by", Text, nullable=False),
)

benefit = Table(
    "benefit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("district", Text, nullable=False),
    Column("facility_id", Uuid),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("plate_kinds", ARRAY(Text), nullable=False),
    Column("timezone", Text, nullable=False),
    Column("valid_from", INSTANT, nullable=False),
    Column("valid_until", INSTANT),
    Column("hours", JSONB, nullable=False),
    Column("allowance_s", Integer),
    Column("allowance_per", Text),
    Column("source", Text, nullable=False),
    Column("stated_at", INSTANT, nullable=False),
    Column("stated_by", Text, nullable=False),
)

right_use = Table(
    "right_use",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("permit_id", Uuid),
    Column("permit_number", BigInteger),
    Column("benefit_id", Uuid),
    Column("session_id", Uuid, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("slot", Integer),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column(
        "during",
        TSTZRANGE,
        Computed("tstzrange(from_at, until_at, '[)')", persisted=True),
        nullable=False,
    ),
)

reservation = Table(
    "reservation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("bay_id", Uuid, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column("hold_until_at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("session_id", Uuid),
    Column("made_at", INSTANT, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("ended_at", INSTANT),
    Column("ended_by", Text),
)

bay_hold = Table(
    "bay_hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("bay_id", Uuid, nullable=False),
    Column("bay_number", BigInteger, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column(
        "during",
        TSTZRANGE,
        Computed("tstzrange(from_at, until_at, '[)')", persisted=True),
        nullable=False,
    ),
    Column("permit_id", Uuid),
    Column("reservation_id", Uuid),
)

listing = Table(
    "listing",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("vehicle_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("from_at", INSTANT, nullable=False),
    Column("until_at", INSTANT),
    Column("listed_by", Text, nullable=False),
    Column("lifted_at", INSTANT),
    Column("lifted_by", Text),
    Column("lifted_reason", Text),
)

region_policy = Table(
    "region_policy",
    metadata,
    Column("district", Text, primary_key=True),
    Column("effects", JSONB, nullable=False),
    Column("honours", ARRAY(Text), nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    Column("changed_by", Text, nullable=False),
)
