"""Places in full: operators, zones, capacity by purpose, rules by time, suspensions, history.

Revision ID: 0012_places
Revises: 0011_forecasts

What a place was is kept apart from what it is: an edit first copies the row as it stood to
``place_history``, with the instants between which it stood. Rows that were there before this
migration are said to have stood since 1970: nobody recorded since when.
"""

from alembic import op

revision = "0012_places"
down_revision = "0011_forecasts"
branch_labels = None
depends_on = None

OPERATORS = """
create table parking.operator (
    id uuid primary key,
    code text not null unique check (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name_zh text not null check (name_zh <> ''),
    name_en text not null check (name_en <> ''),
    phone text,
    registered_at timestamptz not null,
    registered_by text not null
);
"""

STANDING = """
    add column version integer not null default 1 check (version > 0),
    add column changed_at timestamptz not null default '1970-01-01T00:00:00Z',
    add column changed_by text not null default 'system:registry'
"""

FACILITIES = f"""
alter table parking.facility drop constraint facility_ownership_check;
alter table parking.facility drop constraint facility_kind_check;
update parking.facility set ownership = case
    when ownership = 'private' then 'commercial' when kind = 'kerb' then 'roadside'
    else 'public' end;
alter table parking.facility
    add constraint facility_ownership_check check
        (ownership in ('public', 'roadside', 'commercial', 'institutional', 'residential')),
    add constraint facility_kind_check check (kind in ('kerb', 'lot', 'garage', 'mechanical')),
    add column address text,
    add column onboarding text not null default 'live' check (onboarding in
        ('proposed', 'surveyed', 'contracted', 'connected', 'live', 'suspended', 'withdrawn')),
    add column title text not null default 'unknown' check
        (title in ('unknown', 'claimed', 'verified', 'disputed')),
    -- Spans of time in which it is open; none stated: always.
    add column opening jsonb check (jsonb_typeof(opening) = 'array'),
    add column rules jsonb not null default '[]' check (jsonb_typeof(rules) = 'array'),
    add column geometry jsonb check (jsonb_typeof(geometry) = 'object'),
    add column max_height_m double precision check (max_height_m > 0),
    add column max_width_m double precision check (max_width_m > 0),
    add column max_length_m double precision check (max_length_m > 0),
    add column max_weight_kg double precision check (max_weight_kg > 0),
    add column lifts integer check (lifts > 0),
    add column pallets integer check (pallets > 0),
    add column retrieval_s integer check (retrieval_s > 0),
    add constraint facility_machine check
        (kind = 'mechanical' or (lifts is null and pallets is null and retrieval_s is null)),
    {STANDING};
"""  # noqa: S608 - our own columns

ZONES = f"""
create table parking.zone (
    id uuid primary key,
    facility_id uuid not null references parking.facility (id),
    district text not null check (district ~ '^[0-9a-z]{{2,12}}$'),
    code text not null check (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{{0,63}}$'),
    kind text not null check (kind in ('stretch', 'area', 'level')),
    name_zh text not null,
    name_en text not null,
    level integer check (level between -20 and 60),
    length_m double precision check (length_m > 0),
    rules jsonb not null default '[]' check (jsonb_typeof(rules) = 'array'),
    geometry jsonb check (jsonb_typeof(geometry) = 'object'),
    retired_at timestamptz,
    unique (facility_id, code),
    unique (id, facility_id)
);
alter table parking.zone {STANDING};
"""

BAYS = f"""
update parking.bay set kind = 'standard' where kind not in
    ('standard', 'disabled', 'charging', 'coach', 'lorry', 'loading', 'motorcycle');
alter table parking.bay
    add constraint bay_kind_check check (kind in ('standard', 'disabled', 'charging', 'coach',
        'lorry', 'loading', 'motorcycle')),
    add column zone_id uuid,
    add column purpose text not null default 'public'
        check (purpose in ('public', 'reserved', 'permit')),
    add column ground text not null default 'unknown' check (ground in
        ('unknown', 'carriageway', 'non_motor_lane', 'pavement', 'off_street')),
    -- How its position is known: surveyed, laid along a surveyed line, or that of its facility.
    add column located text not null default 'surveyed'
        check (located in ('surveyed', 'derived', 'facility')),
    add column length_m double precision check (length_m > 0),
    add column width_m double precision check (width_m > 0),
    add column geometry jsonb check (jsonb_typeof(geometry) = 'object'),
    add column rules jsonb not null default '[]' check (jsonb_typeof(rules) = 'array'),
    -- GB/T 30428: cell of the city's management grid, and the bay's code as a managed component.
    add column grid_cell text check (grid_cell ~ '^[0-9]{{15}}$'),
    add column component_code text unique check (component_code ~ '^[0-9]{{16}}$'),
    add column retired_at timestamptz,
    add constraint bay_zone_of_its_facility foreign key (zone_id, facility_id)
        references parking.zone (id, facility_id),
    {STANDING};
-- Bays that a plain count would count wrongly: looked at one by one.
create index bay_apart on parking.bay (facility_id, id)
    where purpose <> 'public' or retired_at is not null or rules <> '[]';
create index bay_zone on parking.bay (zone_id, id) where zone_id is not null;
"""  # noqa: S608 - our own columns

HISTORY = """
create table parking.place_history (
    place_kind text not null check (place_kind in ('facility', 'zone', 'bay')),
    place_id uuid not null,
    version integer not null,
    from_at timestamptz not null,
    until_at timestamptz not null,
    changed_by text not null,
    state jsonb not null check (jsonb_typeof(state) = 'object'),
    primary key (place_kind, place_id, version),
    check (until_at >= from_at)
);

create table parking.imported_place (
    source text not null check (source ~ '^[a-z0-9][a-z0-9_.-]{0,63}$'),
    ref text not null,
    facility_id uuid not null references parking.facility (id),
    digest bytea not null check (length(digest) = 32),
    imported_at timestamptz not null,
    imported_by text not null,
    primary key (source, ref)
);
create index imported_place_facility on parking.imported_place (facility_id);
"""

SUSPENSIONS = """
create table parking.suspension (
    id uuid primary key,
    facility_id uuid not null references parking.facility (id),
    district text not null,
    permit_no text not null check (permit_no <> ''),
    reason text not null check (reason in ('works', 'event', 'emergency', 'other')),
    from_at timestamptz not null,
    until_at timestamptz not null,
    -- Works end early: until then it held, and compensation counts to here.
    lifted_at timestamptz,
    recorded_at timestamptz not null,
    recorded_by text not null,
    lifted_by text,
    check (until_at > from_at),
    check ((lifted_at is null) = (lifted_by is null)),
    check (lifted_at >= from_at and lifted_at <= until_at)
);
create index suspension_facility on parking.suspension (facility_id, until_at);
create unique index suspension_of_permit on parking.suspension (facility_id, permit_no, from_at);

create table parking.suspended_bay (
    suspension_id uuid not null references parking.suspension (id),
    bay_id uuid not null references parking.bay (id),
    primary key (suspension_id, bay_id)
);
create index suspended_bay_bay on parking.suspended_bay (bay_id, suspension_id);
"""


def upgrade() -> None:
    for block in (OPERATORS, FACILITIES, ZONES, BAYS, HISTORY, SUSPENSIONS):
        op.execute(block)


def downgrade() -> None:
    op.execute(
        """
        drop table parking.suspended_bay, parking.suspension, parking.imported_place,
            parking.place_history;
        alter table parking.bay drop constraint bay_kind_check,
            drop constraint bay_zone_of_its_facility, drop column zone_id, drop column purpose,
            drop column ground, drop column located, drop column length_m, drop column width_m,
            drop column geometry, drop column rules, drop column grid_cell,
            drop column component_code, drop column retired_at, drop column version,
            drop column changed_at, drop column changed_by;
        drop table parking.zone;
        alter table parking.facility drop constraint facility_ownership_check,
            drop constraint facility_kind_check, drop constraint facility_machine,
            drop column address, drop column onboarding, drop column title, drop column opening,
            drop column rules, drop column geometry, drop column max_height_m,
            drop column max_width_m, drop column max_length_m, drop column max_weight_kg,
            drop column lifts, drop column pallets, drop column retrieval_s, drop column version,
            drop column changed_at, drop column changed_by;
        update parking.facility set
            ownership = case when ownership = 'commercial' then 'private' else 'public' end,
            kind = case when kind = 'mechanical' then 'garage' else kind end;
        alter table parking.facility
            add constraint facility_ownership_check check (ownership in ('public', 'private')),
            add constraint facility_kind_check check (kind in ('kerb', 'garage', 'lot'));
        drop table parking.operator;
        """
    )
