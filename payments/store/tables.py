"""The payments room's tables (schema `payments`): bills, payments, refunds and the ledger.

The truth is `migrations/versions/0006_payments.py` and what came after it, with the triggers that
keep the ledger.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = MetaData(schema="payments")

INSTANT = TIMESTAMP(timezone=True)

account = Table(
    "account",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
)

entry = Table(
    "entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("reverses", Uuid),
    Column("reason", Text, nullable=False),
    Column("written_by", Text, nullable=False),
    Column("happened_at", INSTANT),
)

posting = Table(
    "posting",
    metadata,
    Column("entry_id", Uuid, primary_key=True),
    Column("place", SmallInteger, primary_key=True),
    Column("account", Text, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
)

bill = Table(
    "bill",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("operator_id", Uuid, nullable=False),
    Column("revenue_nature", Text, nullable=False),
    Column("tariff_version_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("paid_at", INSTANT),
    Column("part", Text, nullable=False, server_default="stay"),
    Column("covers_until_at", INSTANT),
    Column("applied_minor", BigInteger, nullable=False, server_default="0"),
    Column("paid_minor", BigInteger, nullable=False, server_default="0"),
    Column("lowered_minor", BigInteger, nullable=False, server_default="0"),
    Column("penalty_minor", BigInteger, nullable=False, server_default="0"),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    Column("next_step_at", INSTANT),
    Column("cash_step_minor", Integer, nullable=False, server_default="1"),
    Column("in_arrears", Boolean, nullable=False, server_default="false"),
)

payment = Table(
    "payment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("tendered_minor", BigInteger, nullable=False),
    Column("taken_at", INSTANT, nullable=False),
    Column("taken_by", Text, nullable=False),
    Column("rounded_minor", BigInteger, nullable=False, server_default="0"),
)

refund = Table(
    "refund",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("operator_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("refunded_at", INSTANT, nullable=False),
    Column("refunded_by", Text, nullable=False),
    Column("bill_id", Uuid),
)
