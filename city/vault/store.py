"""The vault's tables, as SQLAlchemy Core sees them; the migration is where they are defined."""

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import UUID

METADATA = MetaData(schema="vault")
_INSTANT = DateTime(timezone=True)

KEY = Table(
    "key",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("check_value", LargeBinary),
    Column("current", Boolean),
    Column("created_at", _INSTANT),
    Column("retired_at", _INSTANT),
)
VEHICLE = Table(
    "vehicle",
    METADATA,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("kind", Text),
    Column("masked", Text),
    Column("key_version", Integer),
    Column("lookup", LargeBinary),
    Column("nonce", LargeBinary),
    Column("ciphertext", LargeBinary),
    Column("created_at", _INSTANT),
    Column("used_at", _INSTANT),
    Column("forgotten_at", _INSTANT),
)
PICTURE = Table(
    "picture",
    METADATA,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("key_version", Integer),
    Column("nonce", LargeBinary),
    Column("ciphertext", LargeBinary),
    Column("created_at", _INSTANT),
)
PSEUDONYM = Table(
    "pseudonym",
    METADATA,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("purpose", Text),
    Column("key_version", Integer),
    Column("lookup", LargeBinary),
    Column("created_at", _INSTANT),
    Column("used_at", _INSTANT),
    Column("forgotten_at", _INSTANT),
)
