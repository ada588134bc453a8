"""The audit tables, as SQLAlchemy Core sees them; the migration is where they are defined."""

from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

METADATA = MetaData(schema="audit")

RECORD = Table(
    "record",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True)),
    Column("actor_kind", Text),
    Column("actor_subject", Text),
    Column("actor_account_id", UUID(as_uuid=True)),
    Column("actor_roles", ARRAY(Text)),
    Column("action", Text),
    Column("subject_kind", Text),
    Column("subject_id", Text),
    Column("detail", JSONB),
)

UNSEALED = Table("unsealed", METADATA, Column("record_id", BigInteger, primary_key=True))

SEAL = Table(
    "seal",
    METADATA,
    Column("number", BigInteger, primary_key=True),
    Column("record_id", BigInteger),
    Column("sealed_at", DateTime(timezone=True)),
    Column("previous_hash", LargeBinary),
    Column("hash", LargeBinary),
)
