"""Signals: junctions and the plans that they run.

Revision ID: 0007_signals
Revises: 0006_payments
"""

from alembic import op

revision = "0007_signals"
down_revision = "0006_payments"
branch_labels = None
depends_on = None

TABLES = """
create schema signals;

create table signals.junction (
    id uuid primary key,
    code text not null unique check (code <> ''),
    name_zh text not null,
    name_en text not null,
    longitude double precision not null check (longitude between -180 and 180),
    latitude double precision not null check (latitude between -90 and 90),
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    approaches jsonb not null check (jsonb_typeof(approaches) = 'array'),
    plan jsonb check (jsonb_typeof(plan) = 'object')
);
create index junction_of_district on signals.junction (district, code);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop schema signals cascade")
