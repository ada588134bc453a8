"""What calls for somebody on the street, when it was answered, and who differs from peers.

Revision ID: 0052_patrol
Revises: 0051_signal_bins
"""

from alembic import op

revision = "0052_patrol"
down_revision = "0051_signal_bins"
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

HONESTY = """
create table payments.honesty_run (
    id uuid primary key,
    from_at timestamptz not null,
    until_at timestamptz not null check (until_at > from_at),
    worked_at timestamptz not null,
    people integer not null,
    looks integer not null,
    false_share double precision not null,
    rested_on jsonb not null
);
create index honesty_run_worked on payments.honesty_run (worked_at);

create table payments.honesty_line (
    run_id uuid not null references payments.honesty_run (id) on delete cascade,
    place integer not null,
    signal text not null,
    person text not null,
    district text not null,
    value double precision not null,
    usual double precision not null,
    events integer not null,
    trials integer not null,
    expected double precision not null,
    ratio double precision not null,
    p double precision not null,
    q double precision not null,
    people integer not null,
    strata integer not null,
    evidence jsonb not null,
    primary key (run_id, place)
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLE)
    op.execute(HONESTY)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table payments.honesty_line, payments.honesty_run")
    op.execute("drop index terminals.act_reported; drop table parking.patrol_task")
