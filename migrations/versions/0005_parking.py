"""Parking: places, device registry, telemetry, tariffs and stays.

Revision ID: 0005_parking
Revises: 0004_vault

Telemetry (``uplink``, ``bay_change``) is partitioned by time so that retention drops whole
partitions; both start with a default partition only, and ``parking.jobs`` creates the dated ones
ahead. Stays and everything with money behind them are not partitioned, so that they stay unique.
"""

from alembic import op

revision = "0005_parking"
down_revision = "0004_vault"
branch_labels = None
depends_on = None

PLACES = """
create table parking.tariff (
    id uuid primary key,
    code text not null unique check (code ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    name_zh text not null,
    name_en text not null
);

create table parking.tariff_version (
    id uuid primary key,
    tariff_id uuid not null references parking.tariff (id),
    version integer not null check (version > 0),
    document jsonb not null,
    status text not null check (status in ('draft', 'published', 'withdrawn')),
    valid_from timestamptz,
    published_at timestamptz,
    published_by text,
    unique (tariff_id, version),
    check (status = 'draft' or valid_from is not null)
);
create unique index tariff_version_published
    on parking.tariff_version (tariff_id, valid_from) where status = 'published';

create table parking.facility (
    id uuid primary key,
    code text not null unique check (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    ownership text not null check (ownership in ('public', 'private')),
    kind text not null check (kind in ('kerb', 'garage', 'lot')),
    name_zh text not null,
    name_en text not null,
    longitude double precision not null check (longitude between -180 and 180),
    latitude double precision not null check (latitude between -90 and 90),
    timezone text not null,
    operator_id uuid not null,
    revenue_nature text not null check (revenue_nature in ('commercial', 'public_non_tax')),
    tariff_id uuid references parking.tariff (id)
);
create index facility_district on parking.facility (district, id);

create table parking.bay (
    id uuid primary key,
    -- A small number beside the id: PostgreSQL's core has range operators for bigint, not for uuid,
    -- and the exclusion constraints below need one.
    number bigint generated always as identity unique,
    facility_id uuid not null references parking.facility (id),
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    label text not null,
    kind text not null,
    longitude double precision not null check (longitude between -180 and 180),
    latitude double precision not null check (latitude between -90 and 90),
    bearing_deg double precision check (bearing_deg >= 0 and bearing_deg < 360),
    unique (facility_id, label)
);
create index bay_facility on parking.bay (facility_id, id);
create index bay_district on parking.bay (district, id);
create index bay_place on parking.bay using gist (point(longitude, latitude));
"""

DEVICES = """
create table parking.device (
    id uuid primary key,
    number bigint generated always as identity unique,
    network_key text not null unique check (network_key ~ '^[0-9a-z][0-9a-z._:-]{0,63}$'),
    model text not null,
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    registered_at timestamptz not null,
    retired_at timestamptz,
    -- The registry version that last changed the device or a placement of it.
    revision bigint not null default 1,
    first_seen_at timestamptz,
    last_seen_at timestamptz,
    last_event_at timestamptz,
    health_at timestamptz,
    battery_v double precision,
    battery_percent double precision,
    battery_low boolean,
    temperature_c double precision,
    firmware text,
    reset_cause text,
    faults text[] not null default '{}',
    rssi double precision,
    snr double precision,
    session text,
    counter bigint
);
create index device_district on parking.device (district, id);
create index device_revision on parking.device (revision);

create table parking.placement (
    id uuid primary key,
    device_id uuid not null references parking.device (id),
    device_number bigint not null references parking.device (number),
    bay_id uuid not null references parking.bay (id),
    bay_number bigint not null references parking.bay (number),
    role text not null default 'primary' check (role in ('primary', 'secondary')),
    since_at timestamptz not null,
    until_at timestamptz,
    during tstzrange not null
        generated always as (tstzrange(since_at, until_at, '[)')) stored,
    placed_by text not null,
    ended_by text,
    check (until_at > since_at),
    constraint placement_one_bay_per_device exclude using gist
        (int8range(device_number, device_number, '[]') with &&, during with &&),
    constraint placement_one_primary_per_bay exclude using gist
        (int8range(bay_number, bay_number, '[]') with &&, during with &&)
        where (role = 'primary')
);
create index placement_device on parking.placement (device_id, since_at);
create index placement_bay on parking.placement (bay_id, since_at);

-- One row, bumped by every transaction that changes the registry. Its lock puts those in a line,
-- so that versions are committed in order and a process holding a copy can ask for what is newer.
create table parking.registry_version (
    one boolean primary key default true check (one),
    version bigint not null
);
insert into parking.registry_version (one, version) values (true, 1);

create table parking.unknown_device (
    id uuid primary key,
    network_key text not null unique,
    source text not null,
    district_guess text,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    frames bigint not null check (frames > 0),
    last_port integer not null,
    last_frame bytea not null,
    rssi double precision,
    snr double precision,
    adopted_at timestamptz,
    adopted_by text,
    device_id uuid references parking.device (id)
);
create index unknown_device_waiting on parking.unknown_device (id)
    where adopted_at is null;
"""

TELEMETRY = """
create table parking.uplink (
    received_at timestamptz not null,
    stream text not null,
    entry_id text not null,
    district text not null,
    device_id uuid,
    network_key text,
    source text,
    model text,
    port integer not null,
    frame bytea not null,
    device_at timestamptz not null,
    session text,
    counter bigint,
    message_id text,
    rssi double precision,
    snr double precision,
    verdict text not null,
    primary key (received_at, stream, entry_id)
) partition by range (received_at);
create table parking.uplink_default partition of parking.uplink default;
create index uplink_device on parking.uplink (device_id, received_at desc);
create index uplink_network_key on parking.uplink (network_key, received_at)
    where device_id is null;

create table parking.bay_change (
    bay_id uuid not null,
    changed_at timestamptz not null,
    observation_key text not null,
    facility_id uuid not null,
    district text not null,
    state text not null check (state in ('free', 'occupied', 'unknown')),
    sure smallint not null check (sure between 0 and 1000),
    device_id uuid,
    recorded_at timestamptz not null,
    primary key (bay_id, changed_at, observation_key)
) partition by range (changed_at);
create table parking.bay_change_default partition of parking.bay_change default;
create index bay_change_facility on parking.bay_change (facility_id, changed_at);

create table parking.stream_position (
    stream text not null,
    consumer text not null,
    entry_id text not null,
    updated_at timestamptz not null,
    primary key (stream, consumer)
);
"""

STAYS = """
create table parking.parking_session (
    id uuid primary key,
    bay_id uuid not null references parking.bay (id),
    bay_number bigint not null references parking.bay (number),
    facility_id uuid not null references parking.facility (id),
    district text not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    during tstzrange not null
        generated always as (tstzrange(opened_at, closed_at, '[)')) stored,
    state text not null check (state in ('open', 'closed', 'unattributed')),
    vehicle_id uuid,
    attached_at timestamptz,
    attached_by text,
    tariff_version_id uuid references parking.tariff_version (id),
    opened_evidence text not null,
    closed_evidence text,
    closing_reason text,
    uncertain_from_at timestamptz,
    certain_until_at timestamptz,
    announced_at timestamptz,
    bill_id uuid,
    check (closed_at >= opened_at),
    check ((state = 'open') = (closed_at is null)),
    check (state <> 'unattributed' or vehicle_id is null),
    check (state <> 'closed' or vehicle_id is not null),
    check (announced_at is null or state = 'closed'),
    check ((vehicle_id is null) = (attached_at is null)),
    -- Deferrable: a refold of late evidence may shift two neighbouring stays in one transaction.
    constraint parking_session_no_overlap exclude using gist
        (int8range(bay_number, bay_number, '[]') with &&, during with &&)
        deferrable initially immediate
);
create unique index parking_session_one_open on parking.parking_session (bay_id)
    where state = 'open';
create index parking_session_bay on parking.parking_session (bay_id, opened_at desc);
create index parking_session_facility on parking.parking_session (facility_id, opened_at desc);
create index parking_session_vehicle on parking.parking_session (vehicle_id, opened_at)
    where vehicle_id is not null;
create index parking_session_unannounced on parking.parking_session (bay_id)
    where state = 'closed' and announced_at is null;
create index parking_session_state on parking.parking_session (state, id);
"""


def upgrade() -> None:
    op.execute("create schema parking")
    for block in (PLACES, DEVICES, TELEMETRY, STAYS):
        op.execute(block)


def downgrade() -> None:
    op.execute("drop schema parking cascade")
