"""How many of the vehicles that pass a signal its cameras read, by counts beside them.

Revision ID: 0071_reading_rates
Revises: 0070_pass_lanes
"""

from alembic import op

revision = "0071_reading_rates"
down_revision = "0070_pass_lanes"
branch_labels = None
depends_on = None

TABLE = """
create table signals.reading_rate (
    place integer primary key references signals.place (place),
    vehicles integer not null check (vehicles > 0),
    read integer not null check (read between 0 and vehicles),
    counted_at timestamptz not null,
    counted_by text not null
);
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("drop table signals.reading_rate;")
