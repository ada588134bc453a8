"""Plan versions driven in simulation beside what ran before, seed by seed.

Revision ID: 0066_signal_drives
Revises: 0065_wap_orders
"""

from alembic import op

revision = "0066_signal_drives"
down_revision = "0065_wap_orders"
branch_labels = None
depends_on = None

TABLES = """
create table signals.drive (
    id uuid primary key,
    network_id uuid not null references signals.network (id),
    demand_id uuid not null references signals.demand (id),
    version_id uuid not null references signals.plan_version (id),
    -- The version as it was driven: an edited one has not been.
    revision integer not null check (revision > 0),
    profile text not null,
    seeds integer[] not null check (cardinality(seeds) between 2 and 5),
    -- Both sides, by signal, as they were when it was asked for.
    before jsonb not null check (jsonb_typeof(before) = 'object'),
    after jsonb not null check (jsonb_typeof(after) = 'object'),
    status text not null
        check (status in ('waiting', 'running', 'done', 'failed', 'cancelled')),
    requested_at timestamptz not null,
    requested_by text not null,
    started_at timestamptz,
    finished_at timestamptz,
    cancel_asked_by text,
    problem text,
    result jsonb,
    check ((status in ('waiting', 'running')) = (finished_at is null)),
    check (status <> 'failed' or problem is not null),
    check (status <> 'done' or result is not null)
);
create index drive_version on signals.drive (version_id, id desc);
create unique index drive_one_at_a_time on signals.drive (version_id) where finished_at is null;

-- Each run as it ends: a drive whose worker was killed goes on with those that lack.
create table signals.drive_run (
    drive_id uuid not null references signals.drive (id) on delete cascade,
    side text not null check (side in ('before', 'after')),
    seed integer not null,
    figures jsonb not null check (jsonb_typeof(figures) = 'object'),
    -- Gzipped; of one seed, of the latest drive of a version alone.
    replay bytea check (octet_length(replay) <= 4194304),
    primary key (drive_id, side, seed)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop table signals.drive_run, signals.drive;")
