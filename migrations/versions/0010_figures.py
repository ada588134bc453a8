"""Figures: counts by facility and hour and by bay and day, and what has to be counted anew.

Revision ID: 0010_figures
Revises: 0009_rights

Whoever writes a bay's history or a stay leaves a mark in the same transaction: triggers, so that
no writer can forget it. A mark is a row of its own and nobody's lock, so that writers never wait
for each other. What is there already is marked from its beginning.
"""

from alembic import op

revision = "0010_figures"
down_revision = "0009_rights"
branch_labels = None
depends_on = None

TABLES = """
create table parking.figure_hour (
    facility_id uuid not null,
    hour_at timestamptz not null,
    district text not null,
    day date not null,
    hour smallint not null check (hour between 0 and 23),
    service_us bigint not null,
    occupied_us bigint not null,
    free_us bigint not null,
    arrivals integer not null,
    ended integer not null,
    matched integer not null,
    dwell_stays integer not null,
    dwell_us bigint not null,
    changes integer not null,
    dwell_bins smallint[] not null,
    dwell_counts integer[] not null,
    delay_bins smallint[] not null,
    delay_counts integer[] not null,
    primary key (facility_id, hour_at)
) partition by range (hour_at);
create table parking.figure_hour_default partition of parking.figure_hour default;

create table parking.figure_day (
    bay_id uuid not null,
    day date not null,
    facility_id uuid not null,
    service_us bigint not null,
    occupied_us bigint not null,
    free_us bigint not null,
    arrivals integer not null,
    ended integer not null,
    matched integer not null,
    dwell_stays integer not null,
    dwell_us bigint not null,
    changes integer not null,
    -- The state that the next day begins with; null where nothing is known yet.
    closing text check (closing in ('free', 'occupied', 'unknown')),
    primary key (bay_id, day)
) partition by range (day);
create table parking.figure_day_default partition of parking.figure_day default;

create table parking.figure_mark (
    id bigint generated always as identity primary key,
    facility_id uuid not null,
    from_at timestamptz not null
);

create table parking.figure_facility (
    facility_id uuid primary key,
    -- All before it is counted, but for what marks say.
    counted_until_at timestamptz not null
);

create index parking_session_closed on parking.parking_session (facility_id, closed_at)
    where closed_at is not null;
"""

MARKS = """
create function parking.mark_changes() returns trigger language plpgsql as $$
begin
    insert into parking.figure_mark (facility_id, from_at)
    select facility_id, min(changed_at) from touched group by facility_id;
    return null;
end
$$;

create function parking.mark_stays() returns trigger language plpgsql as $$
begin
    insert into parking.figure_mark (facility_id, from_at)
    select facility_id, min(opened_at) from touched group by facility_id;
    return null;
end
$$;

create function parking.mark_revised_stays() returns trigger language plpgsql as $$
begin
    insert into parking.figure_mark (facility_id, from_at)
    select facility_id, min(from_at) from (
        select after.facility_id, least(
            case when (before.opened_at, before.bay_id) is distinct from
                      (after.opened_at, after.bay_id)
                 then least(before.opened_at, after.opened_at) end,
            case when (before.opened_at, before.closed_at, before.closing_reason,
                       before.vehicle_id is null) is distinct from
                      (after.opened_at, after.closed_at, after.closing_reason,
                       after.vehicle_id is null)
                 then least(before.closed_at, after.closed_at) end) as from_at
        from before join after using (id)
    ) revised
    where from_at is not null group by facility_id;
    return null;
end
$$;

create trigger mark_added after insert on parking.bay_change
    referencing new table as touched for each statement execute function parking.mark_changes();
create trigger mark_altered after update on parking.bay_change
    referencing new table as touched for each statement execute function parking.mark_changes();
create trigger mark_removed after delete on parking.bay_change
    referencing old table as touched for each statement execute function parking.mark_changes();
create trigger mark_added after insert on parking.parking_session
    referencing new table as touched for each statement execute function parking.mark_stays();
create trigger mark_removed after delete on parking.parking_session
    referencing old table as touched for each statement execute function parking.mark_stays();
create trigger mark_altered after update on parking.parking_session
    referencing old table as before new table as after
    for each statement execute function parking.mark_revised_stays();

insert into parking.figure_mark (facility_id, from_at)
select facility_id, min(changed_at) from parking.bay_change group by facility_id
union all
select facility_id, min(opened_at) from parking.parking_session group by facility_id;
"""

MONEY = """
create table payments.collection_hour (
    facility_id uuid not null,
    hour_at timestamptz not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    day date not null,
    hour smallint not null check (hour between 0 and 23),
    bills integer not null,
    due_minor bigint not null,
    received_minor bigint not null,
    -- Not paid when it was due, and what of that was paid within the days that arrears are given.
    arrears_minor bigint not null,
    recovered_minor bigint not null,
    last_due_at timestamptz,
    primary key (facility_id, hour_at, currency)
);
create index collection_hour_day on payments.collection_hour (day);

create table payments.collection_mark (
    id bigint generated always as identity primary key,
    facility_id uuid not null,
    issued_at timestamptz not null
);

create index bill_issued on payments.bill (facility_id, issued_at);

create function payments.mark_bills() returns trigger language plpgsql as $$
begin
    insert into payments.collection_mark (facility_id, issued_at)
    select distinct facility_id, issued_at from touched;
    return null;
end
$$;

create trigger mark_added after insert on payments.bill
    referencing new table as touched for each statement execute function payments.mark_bills();
create trigger mark_altered after update on payments.bill
    referencing new table as touched for each statement execute function payments.mark_bills();

insert into payments.collection_mark (facility_id, issued_at)
select distinct facility_id, issued_at from payments.bill;
"""


def upgrade() -> None:
    for block in (TABLES, MARKS, MONEY):
        op.execute(block)


def downgrade() -> None:
    op.execute(
        "drop trigger mark_added on payments.bill; drop trigger mark_altered on payments.bill;"
        " drop function payments.mark_bills(); drop index payments.bill_issued;"
        " drop table payments.collection_mark, payments.collection_hour;"
        " drop trigger mark_added on parking.parking_session;"
        " drop trigger mark_removed on parking.parking_session;"
        " drop trigger mark_altered on parking.parking_session;"
        " drop trigger mark_added on parking.bay_change;"
        " drop trigger mark_altered on parking.bay_change;"
        " drop trigger mark_removed on parking.bay_change;"
        " drop function parking.mark_changes(), parking.mark_stays(),"
        " parking.mark_revised_stays(); drop index parking.parking_session_closed;"
        " drop table parking.figure_facility, parking.figure_mark, parking.figure_day,"
        " parking.figure_hour"
    )
