"""Signal networks, plan versions from draft to street, what controllers run, optimisations.

Revision ID: 0019_signal_plans
Revises: 0018_paying_online
"""

from alembic import op

revision = "0019_signal_plans"
down_revision = "0018_paying_online"
branch_labels = None
depends_on = None

TABLES = """
-- A network as it was imported; another import under the same code is another revision.
create table signals.network (
    id uuid primary key,
    code text not null check (code ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    revision integer not null check (revision > 0),
    name_zh text not null,
    name_en text not null,
    origin text not null check (origin in ('import', 'demo')),
    imported_at timestamptz not null,
    imported_by text not null,
    unique (code, revision)
);

-- Each controller's junction by itself: its roads, lamps, ways and conflicts.
create table signals.signal (
    network_id uuid not null references signals.network (id),
    name text not null check (length(name) between 1 and 200),
    title_zh text not null default '',
    title_en text not null default '',
    x_m double precision not null,
    y_m double precision not null,
    model jsonb not null check (jsonb_typeof(model) = 'object'),
    primary key (network_id, name)
);

-- Who drives where in an hour: by road from and road to.
create table signals.demand (
    id uuid primary key,
    network_id uuid not null references signals.network (id),
    name text not null check (length(name) between 1 and 120),
    source text not null,
    hours double precision not null check (hours > 0),
    flows jsonb not null check (jsonb_typeof(flows) = 'array'),
    recorded_at timestamptz not null,
    recorded_by text not null
);
create index demand_network on signals.demand (network_id, id desc);

create table signals.plan_version (
    id uuid primary key,
    network_id uuid not null references signals.network (id),
    number integer not null check (number > 0),
    title text not null check (length(title) between 1 and 120),
    note text not null default '',
    status text not null
        check (status in
            ('draft', 'checked', 'approved', 'deployed', 'measured', 'kept', 'reverted',
             'withdrawn')),
    revision integer not null default 1 check (revision > 0),
    origin text not null check (origin in ('person', 'optimisation')),
    profile text not null,
    signals text[] not null check (cardinality(signals) > 0),
    document jsonb not null check (jsonb_typeof(document) = 'object'),
    drafted_at timestamptz not null,
    drafted_by text not null,
    edited_at timestamptz,
    edited_by text,
    -- What the checker said of one revision, and what the model foretells of it.
    checked_at timestamptz,
    checked_by text,
    checked_revision integer,
    safe boolean,
    report jsonb,
    predicted jsonb,
    approved_at timestamptz,
    approved_by text,
    approved_revision integer,
    deployed_at timestamptz,
    deployed_by text,
    measured_at timestamptz,
    measured_by text,
    measured jsonb,
    decided_at timestamptz,
    decided_by text,
    decided_reason text,
    -- True only of what the checker passed and a second person approved, as it stands.
    deployable boolean not null generated always as (
        coalesce(safe and checked_revision = revision and approved_revision = revision
            and approved_by is not null, false)
    ) stored,
    unique (network_id, number),
    unique (id, deployable),
    constraint plan_version_checked_as_it_stands
        check (status in ('draft', 'withdrawn')
               or (safe is true and checked_revision is not distinct from revision)),
    constraint plan_version_approved_as_it_stands
        check (status in ('draft', 'checked', 'withdrawn')
               or (approved_by is not null and approved_revision is not distinct from revision)),
    constraint plan_version_four_eyes
        check (approved_by is null
               or (approved_by is distinct from drafted_by
                   and approved_by is distinct from edited_by)),
    constraint plan_version_measured check (status <> 'measured' or measured is not null),
    constraint plan_version_decided
        check (status not in ('kept', 'reverted') or decided_by is not null)
);
create index plan_version_of_network on signals.plan_version (network_id, id desc);

-- What was checked and approved is never another document than what is deployed.
create function signals.forbid_silent_edit() returns trigger language plpgsql as $$
begin
    if (new.document is distinct from old.document
        or new.profile is distinct from old.profile
        or new.network_id is distinct from old.network_id
        or new.signals is distinct from old.signals)
       and (old.status <> 'draft' or new.revision <= old.revision) then
        raise exception 'a plan is edited only as a draft, under its next revision'
            using errcode = 'check_violation', constraint = 'plan_version_silent_edit';
    end if;
    if new.revision < old.revision then
        raise exception 'a revision never goes back'
            using errcode = 'check_violation', constraint = 'plan_version_silent_edit';
    end if;
    return new;
end
$$;
create trigger forbid_silent_edit before update on signals.plan_version
    for each row execute function signals.forbid_silent_edit();
alter table signals.plan_version enable always trigger forbid_silent_edit;

-- What each signal's controller runs, and ran.
create table signals.running_plan (
    id uuid primary key,
    network_id uuid not null,
    signal text not null,
    -- Found: what the network came with. Deployed: from a version. Restored: an earlier one again.
    origin text not null check (origin in ('found', 'deployed', 'restored')),
    version_id uuid,
    deployable boolean check (deployable),
    restores uuid,
    programme jsonb not null check (jsonb_typeof(programme) = 'object'),
    -- How the change was made: method, seconds of red between, seconds until in step.
    change jsonb,
    from_at timestamptz not null,
    until_at timestamptz,
    set_by text not null,
    foreign key (network_id, signal) references signals.signal (network_id, name),
    -- The street takes from a version only what the checker passed and somebody else approved.
    constraint running_plan_checked_and_approved
        foreign key (version_id, deployable) references signals.plan_version (id, deployable),
    unique (id, network_id, signal),
    constraint running_plan_restores_its_own
        foreign key (restores, network_id, signal)
        references signals.running_plan (id, network_id, signal),
    constraint running_plan_has_its_origin check (
        (origin = 'found' and version_id is null and deployable is null and restores is null)
        or (origin = 'deployed' and version_id is not null and deployable is not null
            and restores is null)
        or (origin = 'restored' and version_id is null and deployable is null
            and restores is not null)
    ),
    check (until_at is null or until_at >= from_at)
);
create unique index running_plan_one_at_a_time on signals.running_plan (network_id, signal)
    where until_at is null;
create unique index running_plan_found_once on signals.running_plan (network_id, signal)
    where origin = 'found';
create index running_plan_version on signals.running_plan (version_id);
create index running_plan_restored on signals.running_plan (restores);

create table signals.optimisation (
    id uuid primary key,
    network_id uuid not null references signals.network (id),
    demand_id uuid not null references signals.demand (id),
    profile text not null,
    signals text[] not null check (cardinality(signals) > 0),
    status text not null
        check (status in ('waiting', 'running', 'done', 'failed', 'cancelled')),
    done integer not null default 0 check (done >= 0),
    requested_at timestamptz not null,
    requested_by text not null,
    started_at timestamptz,
    finished_at timestamptz,
    cancel_asked_by text,
    problem text,
    version_id uuid references signals.plan_version (id),
    -- Signals for which no safe plan was found, and which keep the plan in force.
    result jsonb,
    check (done <= cardinality(signals)),
    check ((status in ('waiting', 'running')) = (finished_at is null)),
    check (status <> 'failed' or problem is not null)
);
create index optimisation_network on signals.optimisation (network_id, id desc);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "drop table signals.optimisation, signals.running_plan, signals.plan_version,"
        " signals.demand, signals.signal, signals.network;"
        "drop function signals.forbid_silent_edit();"
    )
