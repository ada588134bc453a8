"""Counts of traffic by day, and schedules of plans from asked for to in force.

Revision ID: 0030_signal_schedules
Revises: 0029_stored_value
"""

from alembic import op

revision = "0030_signal_schedules"
down_revision = "0029_stored_value"
branch_labels = None
depends_on = None

TABLES = """
-- One movement on one day: by class, the number of each quarter of an hour; null where nobody
-- counted. The road to is empty for people who cross the arm.
create table signals.count_day (
    network_id uuid not null,
    signal text not null,
    day date not null,
    from_road text not null,
    to_road text not null,
    numbers jsonb not null check (jsonb_typeof(numbers) = 'object'),
    recorded_at timestamptz not null,
    recorded_by text not null,
    primary key (network_id, signal, day, from_road, to_road),
    foreign key (network_id, signal) references signals.signal (network_id, name)
);

alter table signals.plan_version drop constraint plan_version_origin_check;
alter table signals.plan_version add constraint plan_version_origin_check
    check (origin in ('person', 'optimisation', 'schedule'));

create table signals.schedule (
    id uuid primary key,
    network_id uuid not null references signals.network (id),
    number integer not null check (number > 0),
    title text not null check (length(title) between 1 and 60),
    signals text[] not null check (cardinality(signals) > 0),
    profile text not null,
    timezone text not null,
    settings jsonb not null check (jsonb_typeof(settings) = 'object'),
    status text not null check (status in
        ('waiting', 'making', 'failed', 'draft', 'checked', 'approved', 'in_force', 'ended',
         'withdrawn')),
    document jsonb,
    asked_at timestamptz not null,
    asked_by text not null,
    made_at timestamptz,
    problem text,
    checked_at timestamptz,
    checked_by text,
    approved_at timestamptz,
    approved_by text,
    from_at timestamptz,
    set_by text,
    until_at timestamptz,
    ended_by text,
    ended_reason text,
    followed boolean not null generated always as (status = 'in_force') stored,
    unique (network_id, number),
    unique (id, followed),
    constraint schedule_made check (status not in ('draft', 'checked', 'approved', 'in_force',
        'ended') or (document is not null and made_at is not null)),
    constraint schedule_failed check (status <> 'failed' or problem is not null),
    constraint schedule_checked
        check (status not in ('checked', 'approved', 'in_force', 'ended')
               or checked_by is not null),
    constraint schedule_approved
        check (status not in ('approved', 'in_force', 'ended') or approved_by is not null),
    constraint schedule_four_eyes check (approved_by is null or approved_by <> asked_by),
    constraint schedule_set
        check (status not in ('in_force', 'ended') or (from_at is not null and set_by is not null)),
    constraint schedule_ended
        check (status not in ('ended', 'withdrawn') or ended_by is not null)
);
create index schedule_of_network on signals.schedule (network_id, id desc);

-- What was made is never another schedule than what was checked and approved.
create function signals.forbid_other_schedule() returns trigger language plpgsql as $$
begin
    if old.document is not null
       and (new.document is distinct from old.document
            or new.signals is distinct from old.signals
            or new.network_id is distinct from old.network_id
            or new.timezone is distinct from old.timezone) then
        raise exception 'a schedule that was made does not change'
            using errcode = 'check_violation', constraint = 'schedule_does_not_change';
    end if;
    return new;
end
$$;
create trigger forbid_other_schedule before update on signals.schedule
    for each row execute function signals.forbid_other_schedule();
alter table signals.schedule enable always trigger forbid_other_schedule;

create table signals.schedule_plan (
    schedule_id uuid not null references signals.schedule (id),
    name text not null,
    version_id uuid not null unique references signals.plan_version (id),
    primary key (schedule_id, name)
);

-- A signal follows one schedule at most, and only one that is in force.
create table signals.scheduled_signal (
    network_id uuid not null,
    signal text not null,
    schedule_id uuid not null,
    in_force boolean not null check (in_force),
    primary key (network_id, signal),
    foreign key (network_id, signal) references signals.signal (network_id, name),
    constraint scheduled_signal_of_a_schedule_in_force
        foreign key (schedule_id, in_force) references signals.schedule (id, followed)
);
create index scheduled_signal_schedule on signals.scheduled_signal (schedule_id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "drop table signals.scheduled_signal, signals.schedule_plan, signals.schedule,"
        " signals.count_day;"
        "drop function signals.forbid_other_schedule();"
        "alter table signals.plan_version drop constraint plan_version_origin_check;"
        "alter table signals.plan_version add constraint plan_version_origin_check"
        " check (origin in ('person', 'optimisation'));"
    )
