"""What calls for somebody on the street, with when it arose, was seen and ended.

Revision ID: 0050_patrol
Revises: 0049_terminal_days
"""

from alembic import op

revision = "0050_patrol"
down_revision = "0049_terminal_days"
branch_labels = None
depends_on = None

TABLE = """
create table parking.patrol_task (
    id uuid primary key,
    kind text not null check (kind in ('plate', 'unpaid', 'overstay', 'zombie', 'escape',
        'arrears', 'sensor', 'blocked')),
    subject uuid not null,
    district text not null,
    facility_id uuid not null,
    bay_id uuid not null,
    session_id uuid,
    arose_at timestamptz not null,
    found_at timestamptz not null,
    amount_minor bigint check (amount_minor > 0),
    currency text check (currency ~ '^[A-Z]{3}$'),
    what text not null default '',
    seen_at timestamptz check (seen_at >= arose_at),
    seen_by text,
    ended_at timestamptz check (ended_at >= arose_at),
    ended_by text,
    ending text check (ending in ('done', 'by-itself', 'left')),
    note text not null default '',
    check ((amount_minor is null) = (currency is null)),
    check ((seen_at is null) = (seen_by is null)),
    check ((ended_at is null) = (ending is null)),
    check (ended_by is null or ending = 'done')
);
create unique index patrol_task_standing on parking.patrol_task (kind, subject)
    where ended_at is null;
create index patrol_task_subject on parking.patrol_task (kind, subject, ended_at);
create index patrol_task_open on parking.patrol_task (district, kind, id) where ended_at is null;
create index patrol_task_bay on parking.patrol_task (bay_id) where ended_at is null;
create index act_reported on terminals.act (received_at) where kind = 'report';
create index patrol_task_arose on parking.patrol_task (district, arose_at);
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(TABLE)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop index terminals.act_reported; drop table parking.patrol_task")
