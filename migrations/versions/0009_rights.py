"""Rights: permits, holds of bays, reservations, benefits, blacklists, and what stays used of them.

Revision ID: 0009_rights
Revises: 0008_tariff_drafts

Every claim to a bay's time, by a reservation or by a permit with a bay of its own, is a row of
``bay_hold``: one exclusion constraint on one table, so that no two holders ever share a bay's
time. What billed stays used of a permit is kept by slot, so that a permit for two cars never
covers three.
"""

from alembic import op

revision = "0009_rights"
down_revision = "0008_tariff_drafts"
branch_labels = None
depends_on = None

PERMITS = """
create table parking.permit (
    id uuid primary key,
    -- As bays have: exclusion constraints need a range operator, which uuid lacks.
    number bigint generated always as identity unique,
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    kind text not null
        check (kind in ('month', 'year', 'resident', 'staff', 'off_peak', 'disabled')),
    label text not null check (length(label) between 1 and 80),
    timezone text not null,
    valid_from timestamptz not null,
    valid_until timestamptz not null,
    concurrent_limit integer check (concurrent_limit between 1 and 5000),
    hours jsonb not null,
    allowance_s integer check (allowance_s > 0),
    allowance_per text check (allowance_per in ('stay', 'day')),
    overstay jsonb,
    issued_at timestamptz not null,
    issued_by text not null,
    revoked_at timestamptz,
    revoked_by text,
    revoked_reason text,
    ended_announced_at timestamptz,
    unique (district, label),
    check (valid_until > valid_from),
    check ((allowance_s is null) = (allowance_per is null)),
    check (num_nonnulls(revoked_at, revoked_by, revoked_reason) in (0, 3))
);
create index permit_district on parking.permit (district, id);
create index permit_unannounced on parking.permit (least(valid_until, revoked_at))
    where ended_announced_at is null;

create table parking.permit_facility (
    permit_id uuid not null references parking.permit (id),
    facility_id uuid not null references parking.facility (id),
    primary key (permit_id, facility_id)
);
create index permit_facility_facility on parking.permit_facility (facility_id, permit_id);

create table parking.permit_vehicle (
    id uuid primary key,
    permit_id uuid not null references parking.permit (id),
    vehicle_id uuid not null,
    from_at timestamptz not null,
    until_at timestamptz,
    added_by text not null,
    removed_by text,
    check (until_at >= from_at)
);
create unique index permit_vehicle_once on parking.permit_vehicle (permit_id, vehicle_id)
    where until_at is null;
create index permit_vehicle_vehicle on parking.permit_vehicle (vehicle_id, permit_id);
create index permit_vehicle_page on parking.permit_vehicle (permit_id, id);

create table parking.permit_extension (
    id uuid primary key,
    permit_id uuid not null references parking.permit (id),
    permit_number bigint not null references parking.permit (number),
    kind text not null check (kind in ('renewal', 'compensation')),
    days integer not null check (days > 0),
    valid_until timestamptz not null,
    reason text not null,
    facility_id uuid references parking.facility (id),
    suspended_from timestamptz,
    suspended_until timestamptz,
    suspended tstzrange
        generated always as (tstzrange(suspended_from, suspended_until, '[)')) stored,
    extended_at timestamptz not null,
    extended_by text not null,
    check (num_nonnulls(facility_id, suspended_from, suspended_until)
        = case kind when 'compensation' then 3 else 0 end),
    -- The same lost time is made good once.
    constraint permit_compensated_once exclude using gist
        (int8range(permit_number, permit_number, '[]') with &&, suspended with &&)
        where (kind = 'compensation')
);
create index permit_extension_permit on parking.permit_extension (permit_id, id);

create table parking.benefit (
    id uuid primary key,
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    facility_id uuid references parking.facility (id),
    name_zh text not null,
    name_en text not null,
    plate_kinds text[] not null check (cardinality(plate_kinds) > 0),
    timezone text not null,
    valid_from timestamptz not null,
    valid_until timestamptz,
    hours jsonb not null,
    allowance_s integer check (allowance_s > 0),
    allowance_per text check (allowance_per in ('stay', 'day')),
    source text not null,
    stated_at timestamptz not null,
    stated_by text not null,
    check (valid_until >= valid_from),
    check ((allowance_s is null) = (allowance_per is null))
);
create index benefit_district on parking.benefit (district, id);

create table parking.right_use (
    id uuid primary key,
    permit_id uuid references parking.permit (id),
    permit_number bigint references parking.permit (number),
    benefit_id uuid references parking.benefit (id),
    session_id uuid not null references parking.parking_session (id),
    vehicle_id uuid not null,
    slot integer check (slot >= 0),
    from_at timestamptz not null,
    until_at timestamptz not null,
    during tstzrange not null
        generated always as (tstzrange(from_at, until_at, '[)')) stored,
    check (until_at > from_at),
    check (num_nonnulls(permit_id, benefit_id) = 1),
    check ((permit_id is null) = (permit_number is null)),
    check (slot is null or permit_id is not null),
    constraint right_use_within_limit exclude using gist (
        int8range(permit_number, permit_number, '[]') with &&,
        int4range(slot, slot, '[]') with &&,
        during with &&
    ) where (slot is not null)
);
create index right_use_session on parking.right_use (session_id);
create index right_use_permit on parking.right_use (permit_id, from_at) where permit_id is not null;
create index right_use_benefit on parking.right_use (benefit_id, vehicle_id, from_at)
    where benefit_id is not null;
"""

HOLDS = """
create table parking.reservation (
    id uuid primary key,
    bay_id uuid not null references parking.bay (id),
    facility_id uuid not null references parking.facility (id),
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    vehicle_id uuid not null,
    from_at timestamptz not null,
    until_at timestamptz not null,
    hold_until_at timestamptz not null,
    state text not null check (state in
        ('held', 'arrived', 'finished', 'cancelled', 'released', 'no_show', 'unclear')),
    session_id uuid,
    made_at timestamptz not null,
    made_by text not null,
    ended_at timestamptz,
    ended_by text,
    check (until_at > from_at),
    check (hold_until_at > from_at and hold_until_at <= until_at),
    check ((ended_at is null) = (state in ('held', 'arrived')))
);
create index reservation_district on parking.reservation (district, id);
create index reservation_facility on parking.reservation (facility_id, id);
create index reservation_vehicle on parking.reservation (vehicle_id, from_at);
create index reservation_held on parking.reservation (hold_until_at) where state = 'held';
create index reservation_arrived on parking.reservation (until_at) where state = 'arrived';
create index reservation_session on parking.reservation (session_id) where state = 'arrived';

create table parking.bay_hold (
    id uuid primary key,
    bay_id uuid not null references parking.bay (id),
    bay_number bigint not null references parking.bay (number),
    facility_id uuid not null references parking.facility (id),
    from_at timestamptz not null,
    until_at timestamptz not null,
    during tstzrange not null
        generated always as (tstzrange(from_at, until_at, '[)')) stored,
    permit_id uuid references parking.permit (id),
    reservation_id uuid references parking.reservation (id),
    check (until_at > from_at),
    check (num_nonnulls(permit_id, reservation_id) = 1),
    constraint bay_hold_one_holder exclude using gist
        (int8range(bay_number, bay_number, '[]') with &&, during with &&)
);
create index bay_hold_bay on parking.bay_hold (bay_id, from_at);
create index bay_hold_facility on parking.bay_hold (facility_id, from_at);
create index bay_hold_permit on parking.bay_hold (permit_id) where permit_id is not null;
create index bay_hold_reservation on parking.bay_hold (reservation_id)
    where reservation_id is not null;
"""

STANDING = """
create table parking.listing (
    id uuid primary key,
    vehicle_id uuid not null,
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    reason text not null
        check (reason in ('arrears', 'evasion', 'false_plate', 'abuse', 'damage')),
    note text not null,
    from_at timestamptz not null,
    until_at timestamptz,
    listed_by text not null,
    lifted_at timestamptz,
    lifted_by text,
    lifted_reason text,
    check (until_at > from_at),
    check (num_nonnulls(lifted_at, lifted_by, lifted_reason) in (0, 3))
);
create unique index listing_once on parking.listing (vehicle_id, district, reason)
    where lifted_at is null;
create index listing_district on parking.listing (district, id);

create table parking.region_policy (
    district text primary key check (district ~ '^[0-9a-z]{2,12}$'),
    effects jsonb not null,
    honours text[] not null,
    changed_at timestamptz not null,
    changed_by text not null
);

-- The abuse report walks the vehicles whose plates lay claim to an exemption.
create index vehicle_kind on vault.vehicle (kind, id);
"""


def upgrade() -> None:
    """Create the tables."""
    for block in (PERMITS, HOLDS, STANDING):
        op.execute(block)


def downgrade() -> None:
    """Drop them with all they hold."""
    op.execute("drop index vault.vehicle_kind")
    for table in (
        "region_policy",
        "listing",
        "bay_hold",
        "reservation",
        "right_use",
        "benefit",
        "permit_extension",
        "permit_vehicle",
        "permit_facility",
        "permit",
    ):
        op.execute(f"drop table parking.{table}")
