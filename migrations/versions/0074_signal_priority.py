"""Priority on the street: who may ask, who asked and what was done, orders held at controllers.

Revision ID: 0074_signal_priority
Revises: 0073_lane_studies
"""

from alembic import op

revision = "0074_signal_priority"
down_revision = "0073_lane_studies"
branch_labels = None
depends_on = None

TABLES = """
create table signals.priority_asker (
    id uuid primary key,
    network_id uuid not null references signals.network (id),
    subject text not null check (subject <> ''),
    kinds text[] not null
        check (cardinality(kinds) > 0 and kinds <@ array['emergency', 'tram', 'bus']),
    simulated boolean not null,
    added_at timestamptz not null,
    added_by text not null,
    removed_at timestamptz,
    removed_by text,
    constraint priority_asker_removed check ((removed_at is null) = (removed_by is null))
);
-- A credential asks in one network at a time.
create unique index priority_asker_subject on signals.priority_asker (subject)
    where removed_at is null;
create index priority_asker_network on signals.priority_asker (network_id);

create table signals.priority_turn (
    id uuid primary key,
    network_id uuid not null,
    signal text not null,
    claim uuid,
    alive_at timestamptz,
    attempts integer not null default 1,
    began_at timestamptz not null,
    until_at timestamptz not null,
    ended_at timestamptz,
    status text not null check (status in ('watching', 'holding', 'ended', 'gave_way', 'limit',
                                           'not_sent', 'refused', 'flashing', 'unknown')),
    orders integer not null default 0,
    plan integer,
    control text,
    steps jsonb not null default '[]' check (jsonb_typeof(steps) = 'array'),
    foreign key (network_id, signal) references signals.signal (network_id, name),
    constraint priority_turn_kept check ((claim is null) = (alive_at is null)),
    constraint priority_turn_over
        check ((ended_at is null) = (status in ('watching', 'holding')))
);
-- One keeper looks after a signal at a time.
create unique index priority_turn_open on signals.priority_turn (network_id, signal)
    where ended_at is null;
create index priority_turn_of_signal on signals.priority_turn (network_id, signal, id desc);

create table signals.priority_request (
    id uuid primary key,
    network_id uuid not null,
    signal text not null,
    asker_id uuid not null references signals.priority_asker (id),
    vehicle text not null check (vehicle <> ''),
    kind text not null check (kind in ('emergency', 'tram', 'bus')),
    group_name text not null,
    lane text not null,
    told_at timestamptz not null,
    checked_in_at timestamptz not null,
    first_arrives_at timestamptz not null,
    arrives_at timestamptz not null,
    spread_s real not null check (spread_s >= 0),
    lateness_s real,
    passengers integer check (passengers >= 0),
    ahead real check (ahead >= 0),
    lapses_at timestamptz not null,
    checked_out_at timestamptz,
    ended_at timestamptz,
    act text check (act in ('none', 'extension', 'early_green', 'insertion')),
    stage integer,
    by_s real,
    sooner_s real,
    others_s real,
    reason text,
    decided_at timestamptz,
    without_at timestamptz,
    turn_id uuid references signals.priority_turn (id) on delete set null,
    foreign key (network_id, signal) references signals.signal (network_id, name),
    constraint priority_request_out check (checked_out_at is null or ended_at is not null)
);
-- A vehicle asks once at a signal until it has passed.
create unique index priority_request_open on signals.priority_request (network_id, signal, vehicle)
    where ended_at is null;
create index priority_request_of_network on signals.priority_request (network_id, id desc);
create index priority_request_since on signals.priority_request (network_id, checked_in_at);
create index priority_request_ended on signals.priority_request (ended_at);
create index priority_turn_ended on signals.priority_turn (ended_at);
create index priority_request_of_signal on signals.priority_request (network_id, signal, id desc);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "drop table signals.priority_request;"
        "drop table signals.priority_turn;"
        "drop table signals.priority_asker;"
    )
