"""What detectors and controllers say, kept: events, counts, plate passes; who may say it.

Revision ID: 0050_detector_data
Revises: 0049_terminal_days
"""

from alembic import op

revision = "0050_detector_data"
down_revision = "0049_terminal_days"
branch_labels = None
depends_on = None

# Instants here are the wall's: controllers live by it, also where the city's clock runs faster.
# `place` is short for a signal of a network: a row of events is some forty bytes as it is.
TABLES = """
create table signals.place (
    place integer generated always as identity primary key,
    network_id uuid not null,
    signal text not null,
    constraint place_of_signal unique (network_id, signal),
    foreign key (network_id, signal) references signals.signal (network_id, name)
);

create table signals.reporter (
    id uuid primary key,
    place integer not null references signals.place (place),
    subject text not null check (subject <> ''),
    simulated boolean not null,
    added_at timestamptz not null,
    added_by text not null,
    removed_at timestamptz,
    removed_by text,
    heard_at timestamptz,
    newest_at timestamptz,
    refused_at timestamptz,
    refused_rows bigint not null default 0 check (refused_rows >= 0),
    refused_reason text,
    constraint reporter_removed check ((removed_at is null) = (removed_by is null))
);
create unique index reporter_subject on signals.reporter (subject) where removed_at is null;
create index reporter_of_place on signals.reporter (place);

create table signals.detector (
    place integer not null references signals.place (place),
    channel integer not null check (channel between 0 and 32767),
    phase integer not null check (phase between 0 and 32767),
    function text not null check (function in ('advance', 'presence', 'count', 'yellow_red')),
    primary key (place, channel, phase, function)
);

create table signals.controller_event (
    place integer not null,
    at timestamptz not null,
    code smallint not null check (code >= 0),
    parameter smallint not null check (parameter >= 0),
    primary key (place, at, code, parameter)
) partition by range (at);
create table signals.controller_event_default partition of signals.controller_event default;

create table signals.detector_count (
    place integer not null,
    channel integer not null,
    from_at timestamptz not null,
    length_s integer not null check (length_s between 1 and 86400),
    vehicles integer not null check (vehicles >= 0),
    occupancy real check (occupancy between 0 and 1),
    speed_kph real check (speed_kph between 0 and 300),
    received_at timestamptz not null,
    primary key (place, channel, from_at, length_s)
) partition by range (from_at);
create table signals.detector_count_default partition of signals.detector_count default;

-- No plate: a hash under the vault's key and the day, so that a journey is known and a life is not.
create table signals.plate_pass (
    place integer not null,
    at timestamptz not null,
    lane smallint not null check (lane >= 0),
    mark bytea not null check (length(mark) = 16),
    primary key (place, at, lane, mark)
) partition by range (at);
create table signals.plate_pass_default partition of signals.plate_pass default;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "drop table signals.plate_pass, signals.detector_count, signals.controller_event,"
        " signals.detector, signals.reporter, signals.place;"
    )
