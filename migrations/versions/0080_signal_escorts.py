"""Escort routes: drafted, approved, run, with a sealed log of their own.

Revision ID: 0080_signal_escorts
Revises: 0079_bay_frames
"""

from alembic import op

revision = "0080_signal_escorts"
down_revision = "0079_bay_frames"
branch_labels = None
depends_on = None

TABLES = """
create table signals.escort (
    id uuid primary key,
    network_id uuid not null references signals.network (id),
    name text not null check (name <> ''),
    status text not null check (status in ('draft', 'approved', 'running', 'over', 'withdrawn')),
    start_longitude double precision not null,
    start_latitude double precision not null,
    stops jsonb not null check (jsonb_typeof(stops) = 'array'),
    tail_m real not null check (tail_m >= 0),
    lead_s integer not null check (lead_s between 20 and 180),
    speed_kph real not null check (speed_kph between 5 and 120),
    subject text,
    drafted_at timestamptz not null,
    drafted_by text not null,
    drafted_name text not null,
    approved_at timestamptz,
    approved_by text,
    approved_name text,
    started_at timestamptz,
    ended_at timestamptz,
    along_m double precision not null default 0,
    located_at timestamptz,
    told_at timestamptz,
    told_kph real,
    left_behind integer not null default 0,
    constraint escort_approved check ((approved_at is null) = (approved_by is null)),
    -- Who drafts a route does not approve it.
    constraint escort_two_people check (approved_by is null or approved_by <> drafted_by),
    constraint escort_runs check (status <> 'running' or approved_at is not null)
);
-- A device tells of one convoy, and a signal is on one running route.
create unique index escort_subject on signals.escort (subject)
    where status in ('approved', 'running') and subject is not null;
create index escort_running on signals.escort (id) where status = 'running';
create index escort_latest on signals.escort (id desc);

create table signals.escort_hold (
    escort_id uuid not null references signals.escort (id),
    place integer not null check (place >= 0),
    override_id uuid not null references signals.override (id),
    asked_at timestamptz not null,
    released_at timestamptz,
    primary key (escort_id, place, override_id)
);

create table signals.escort_log (
    escort_id uuid not null references signals.escort (id),
    number integer not null check (number >= 1),
    at timestamptz not null,
    actor text not null,
    what text not null,
    detail jsonb not null,
    seal bytea not null,
    primary key (escort_id, number)
);
create function signals.forbid_change() returns trigger language plpgsql as $$
begin
    raise exception 'signals.% is append-only', tg_table_name
        using errcode = 'restrict_violation';
end
$$;
create trigger forbid_change before update or delete or truncate on signals.escort_log
    for each statement execute function signals.forbid_change();
alter table signals.escort_log enable always trigger forbid_change;
"""


ROLES = """
alter table people.account drop constraint account_roles_check;
alter table people.account add constraint account_roles_check check (
    roles <@ array['driver', 'attendant', 'inspector', 'operator', 'finance', 'engineer',
                   'auditor', 'administrator'{more}]
    and cardinality(roles) > 0
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(ROLES.format(more=", 'escort'"))


def downgrade() -> None:
    op.execute("update people.account set roles = array_remove(roles, 'escort')")
    op.execute(ROLES.format(more=""))
    op.execute(
        "drop table signals.escort_log;"
        "drop function signals.forbid_change();"
        "drop table signals.escort_hold;"
        "drop table signals.escort;"
    )
