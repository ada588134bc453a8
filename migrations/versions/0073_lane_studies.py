"""Studies of junctions: other functions of lanes, or no signal, beside what there is.

Revision ID: 0073_lane_studies
Revises: 0072_escapes
"""

from alembic import op

revision = "0073_lane_studies"
down_revision = "0072_escapes"
branch_labels = None
depends_on = None

TABLES = """
create table signals.lane_study (
    id uuid primary key,
    network_id uuid not null references signals.network (id),
    demand_id uuid not null references signals.demand (id),
    signal text not null,
    profile text not null,
    -- By approach the turns of each lane from the kerb to the middle; null: no signal at all.
    functions jsonb check (jsonb_typeof(functions) = 'object'),
    status text not null
        check (status in ('waiting', 'running', 'done', 'failed', 'cancelled')),
    done integer not null default 0 check (done between 0 and 2),
    requested_at timestamptz not null,
    requested_by text not null,
    started_at timestamptz,
    finished_at timestamptz,
    problem text,
    -- Figures and reports by side; the junction's documents by side.
    result jsonb check (jsonb_typeof(result) = 'object'),
    documents jsonb check (jsonb_typeof(documents) = 'object'),
    title text check (char_length(title) between 1 and 120),
    note text not null default '',
    kept_at timestamptz,
    kept_by text,
    check ((status in ('waiting', 'running')) = (finished_at is null)),
    check (status <> 'failed' or problem is not null),
    check (status <> 'done' or (result is not null and documents is not null)),
    check ((kept_at is null) = (title is null) and (kept_at is null) = (kept_by is null)),
    check (kept_at is null or status = 'done')
);
create index lane_study_signal on signals.lane_study (network_id, signal, id desc);
create index lane_study_unfinished on signals.lane_study (id) where finished_at is null;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop table signals.lane_study;")
