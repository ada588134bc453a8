"""What cabinets said of themselves last: maker, version, clock, faults, alarms.

Revision ID: 0085_cabinet_looks
Revises: 0084_systems_of_signals
"""

from alembic import op

revision = "0085_cabinet_looks"
down_revision = "0084_systems_of_signals"
branch_labels = None
depends_on = None

TABLE = """
create table signals.cabinet_look (
    network_id uuid not null references signals.network (id),
    signal text not null,
    looked_at timestamptz not null,
    maker text,
    version text,
    serial text,
    clock_ahead_s double precision,
    faults jsonb check (jsonb_typeof(faults) = 'array'),
    alarms jsonb check (jsonb_typeof(alarms) = 'array'),
    primary key (network_id, signal)
);
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("drop table signals.cabinet_look")
