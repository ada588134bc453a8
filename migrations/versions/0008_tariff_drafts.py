"""Tariff versions from draft to street: authors, approval, notice; simulations of drafts.

Revision ID: 0008_tariff_drafts
Revises: 0007_signals
"""

from alembic import op

revision = "0008_tariff_drafts"
down_revision = "0007_signals"
branch_labels = None
depends_on = None

UP = """
-- How long before it takes effect a change must have been announced.
alter table parking.tariff
    add column notice_s integer not null default 604800 check (notice_s >= 0);

alter table parking.tariff_version
    add column revision integer not null default 1 check (revision > 0),
    add column origin text not null default 'import'
        check (origin in ('import', 'person', 'demand_rule')),
    add column note text not null default '',
    add column drafted_at timestamptz,
    add column drafted_by text,
    add column edited_at timestamptz,
    add column edited_by text,
    add column approved_at timestamptz,
    add column approved_by text,
    add column withdrawn_at timestamptz,
    add column withdrawn_by text,
    add column withdrawn_reason text,
    drop constraint tariff_version_status_check,
    drop constraint tariff_version_check,
    add constraint tariff_version_status
        check (status in ('draft', 'approved', 'published', 'withdrawn')),
    add constraint tariff_version_published_has_begin
        check (status <> 'published' or valid_from is not null),
    add constraint tariff_version_approved_by_somebody
        check (status <> 'approved' or approved_by is not null),
    add constraint tariff_version_published_was_approved
        check (status <> 'published' or origin = 'import' or approved_by is not null),
    add constraint tariff_version_four_eyes
        check (approved_by is distinct from drafted_by and approved_by is distinct from edited_by
               or approved_by is null);
alter table parking.tariff_version
    alter column origin drop default;

create table parking.tariff_simulation (
    id uuid primary key,
    version_id uuid not null references parking.tariff_version (id),
    -- What was simulated: a draft that was edited since has to be simulated again.
    revision integer not null check (revision > 0),
    from_at timestamptz not null,
    to_at timestamptz not null,
    status text not null check (status in ('waiting', 'done', 'failed')),
    requested_at timestamptz not null,
    requested_by text not null,
    finished_at timestamptz,
    result jsonb,
    problem text,
    check (to_at > from_at),
    check ((status = 'done') = (result is not null)),
    check ((status = 'waiting') = (finished_at is null))
);
create index tariff_simulation_version on parking.tariff_simulation (version_id, id desc);
"""

DOWN = """
drop table parking.tariff_simulation;
delete from parking.tariff_version where status = 'approved';
alter table parking.tariff_version
    drop constraint tariff_version_four_eyes,
    drop constraint tariff_version_published_was_approved,
    drop constraint tariff_version_approved_by_somebody,
    drop constraint tariff_version_published_has_begin,
    drop constraint tariff_version_status,
    drop column withdrawn_reason,
    drop column withdrawn_by,
    drop column withdrawn_at,
    drop column approved_by,
    drop column approved_at,
    drop column edited_by,
    drop column edited_at,
    drop column drafted_by,
    drop column drafted_at,
    drop column note,
    drop column origin,
    drop column revision,
    add constraint tariff_version_status_check
        check (status in ('draft', 'published', 'withdrawn')),
    add constraint tariff_version_check check (status = 'draft' or valid_from is not null);
alter table parking.tariff drop column notice_s;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
