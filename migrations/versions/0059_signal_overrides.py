"""Orders by hand at signals: proposed and confirmed by people, kept by the worker.

Revision ID: 0059_signal_overrides
Revises: 0058_signed_limits
"""

from alembic import op

revision = "0059_signal_overrides"
down_revision = "0058_signed_limits"
branch_labels = None
depends_on = None

TABLES = """
create table signals.override (
    id uuid primary key,
    network_id uuid not null,
    signal text not null,
    effect text not null
        check (effect in ('hold', 'step', 'stage', 'flashing', 'all_red', 'dark')),
    stage integer check ((stage is not null) = (effect in ('hold', 'step', 'stage'))),
    until_at timestamptz not null,
    reason text not null check (reason <> ''),
    profile text not null,
    status text not null check (status in ('proposed', 'waiting', 'holding', 'ended', 'replaced',
                                           'refused', 'not_sent', 'flashing', 'unknown')),
    proposed_at timestamptz not null,
    proposed_by text not null,
    proposed_name text not null,
    replaces uuid references signals.override (id),
    replaced_by uuid references signals.override (id),
    confirmed_at timestamptz,
    seal bytea,
    claim uuid,
    alive_at timestamptz,
    attempts integer not null default 0,
    began_at timestamptz,
    ended_at timestamptz,
    released_at timestamptz,
    released_by text,
    plan integer,
    control text,
    steps jsonb not null default '[]' check (jsonb_typeof(steps) = 'array'),
    foreign key (network_id, signal) references signals.signal (network_id, name),
    constraint override_sealed check ((confirmed_at is null) = (seal is null)),
    constraint override_kept check ((claim is null) = (alive_at is null)),
    constraint override_proposed check ((status = 'proposed') = (confirmed_at is null)),
    constraint override_over
        check ((ended_at is null) = (status in ('proposed', 'waiting', 'holding')))
);
-- One order holds a signal at a time; one that another has replaced is on its way out.
create unique index override_holds on signals.override (network_id, signal)
    where confirmed_at is not null and ended_at is null and replaced_by is null;
create index override_open on signals.override (id)
    where confirmed_at is not null and ended_at is null;
create index override_of_signal on signals.override (network_id, signal, id desc);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop table signals.override;")
