"""Stays from many kinds of evidence: gated facilities, corrections, drivers' vehicles, disputes.

Revision ID: 0013_stay_evidence
Revises: 0012_places

A stay may have no bay (a facility with gates, a second car in a bay). Evidence is append-only: what
it says never changes, for the owner too; only which stay it speaks of is a decision that may be
taken again. A bill that is disputed is frozen, and one whose dispute is upheld is cancelled.
"""

from alembic import op

revision = "0013_stay_evidence"
down_revision = "0012_places"
branch_labels = None
depends_on = None

SESSIONS = """
alter table parking.parking_session
    alter column bay_id drop not null,
    alter column bay_number drop not null,
    -- Under which identity the evidence of a stay without a bay is joined: a plate as it was first
    -- read, or a ticket. The vehicle that is billed may turn out to be another.
    add column admitted_as uuid,
    add column hold text
        check (hold in (
            'missed-exit', 'no-entry', 'plate-doubtful', 'plate-differs', 'disputed'
        )),
    add column set_aside text
        check (set_aside in ('motorcycle', 'object', 'works', 'sensor-fault', 'other')),
    add column part_of uuid references parking.parking_session (id),
    add column part_kind text check (part_kind in ('straddle', 'continuation', 'inside')),
    add column ended_at timestamptz,
    add column planned_until_at timestamptz,
    add column paid_until_at timestamptz,
    add column started_by uuid,
    add constraint parking_session_place check ((bay_id is null) = (admitted_as is not null)),
    add constraint parking_session_bay_number check ((bay_id is null) = (bay_number is null)),
    add constraint parking_session_part check ((part_of is null) = (part_kind is null)),
    add constraint parking_session_no_own_part check (part_of <> id),
    add constraint parking_session_ended
        check (ended_at is null or coalesce(closed_at <= ended_at, false)),
    add constraint parking_session_announced check (
        announced_at is null or num_nonnulls(hold, set_aside, part_of) = 0
    ),
    drop constraint parking_session_no_overlap,
    add constraint parking_session_no_overlap exclude using gist
        (int8range(bay_number, bay_number, '[]') with &&, during with &&)
        where (bay_number is not null) deferrable initially immediate;

-- One open stay a vehicle at a facility, by whatever name it was admitted.
create unique index parking_session_one_admitted on parking.parking_session
    (facility_id, admitted_as) where state = 'open' and bay_id is null;
create unique index parking_session_one_inside on parking.parking_session
    (facility_id, vehicle_id) where state = 'open' and bay_id is null;
create index parking_session_admitted on parking.parking_session
    (admitted_as, facility_id, opened_at) where admitted_as is not null;
create index parking_session_parts on parking.parking_session (part_of) where part_of is not null;
create index parking_session_held on parking.parking_session (id) where hold is not null;
create index parking_session_open on parking.parking_session (opened_at, id) where state = 'open';
create index parking_session_started on parking.parking_session (started_by, id)
    where started_by is not null;
create index parking_session_ended on parking.parking_session (ended_at)
    where ended_at is not null;
"""

EVIDENCE = """
create table parking.stay_evidence (
    id uuid primary key,
    session_id uuid,
    facility_id uuid not null references parking.facility (id),
    bay_id uuid references parking.bay (id),
    district text not null,
    kind text not null check (kind in (
        'bay-arrival', 'bay-departure', 'bay-silence', 'bay-still-taken', 'bay-withdrawn',
        'gate-entry', 'gate-exit', 'camera-read', 'plate-seen',
        'driver-start', 'driver-extension', 'driver-end', 'reservation', 'paid-ahead',
        'entry-stated', 'exit-stated', 'ended', 'split', 'joined', 'vehicle-moved',
        'set-aside', 'identified'
    )),
    at timestamptz not null,
    recorded_at timestamptz not null,
    source text not null
        check (source in ('sensor', 'gate', 'camera', 'attendant', 'driver', 'system')),
    certainty smallint not null check (certainty between 0 and 1000),
    written_by text not null,
    -- Under which identity it is joined, and what was read where that differs.
    vehicle_id uuid,
    read_as uuid,
    event_key text unique,
    detail jsonb not null default '{}' check (jsonb_typeof(detail) = 'object')
);
create index stay_evidence_session on parking.stay_evidence (session_id, at)
    where session_id is not null;
create index stay_evidence_vehicle on parking.stay_evidence (facility_id, vehicle_id, at)
    where vehicle_id is not null and bay_id is null;
create index stay_evidence_read on parking.stay_evidence (facility_id, read_as, at)
    where read_as is not null;
create index stay_evidence_entries on parking.stay_evidence (facility_id, at)
    where kind = 'gate-entry';
create index stay_evidence_unmatched on parking.stay_evidence (facility_id, id)
    where session_id is null and kind in ('gate-entry', 'gate-exit');

create function parking.keep_evidence() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (to_jsonb(new) - 'session_id') = (to_jsonb(old) - 'session_id') then
        return new;
    end if;
    raise exception 'evidence is append-only: only which stay it speaks of may change'
        using errcode = 'restrict_violation';
end
$$;
create trigger keep before update or delete on parking.stay_evidence
    for each row execute function parking.keep_evidence();
create trigger no_truncate before truncate on parking.stay_evidence
    for each statement execute function parking.keep_evidence();
alter table parking.stay_evidence enable always trigger keep;
alter table parking.stay_evidence enable always trigger no_truncate;
"""

DRIVERS = """
-- A vehicle without a plate: a ticket that its driver scanned in with.
create table parking.ticket (
    id uuid primary key,
    facility_id uuid not null references parking.facility (id),
    account_id uuid not null,
    code_digest bytea not null unique check (length(code_digest) = 32),
    made_at timestamptz not null
);
create index ticket_account on parking.ticket (account_id, id);

-- A code that proves that whoever shows it stands at the vehicle.
create table parking.stay_code (
    code_digest bytea primary key check (length(code_digest) = 32),
    session_id uuid not null references parking.parking_session (id) on delete cascade,
    made_at timestamptz not null,
    expires_at timestamptz not null,
    made_by text not null,
    used_at timestamptz
);
create index stay_code_session on parking.stay_code (session_id);

create table parking.vehicle_user (
    id uuid primary key,
    account_id uuid not null,
    vehicle_id uuid not null,
    since_at timestamptz not null,
    until_at timestamptz,
    proof text not null check (proof in ('paid-bill', 'stay-code', 'ticket')),
    proof_id uuid not null,
    bound_at timestamptz not null,
    ended_by text,
    ended_because text check (ended_because in ('own', 'resale', 'staff')),
    check ((until_at is null) = (ended_because is null)),
    check (until_at >= since_at)
);
create unique index vehicle_user_once on parking.vehicle_user (account_id, vehicle_id)
    where until_at is null;
create index vehicle_user_account on parking.vehicle_user (account_id, id);
create index vehicle_user_vehicle on parking.vehicle_user (vehicle_id) where until_at is null;
"""

BILLS = """
alter table payments.bill
    add column part text not null default 'stay' check (part in ('stay', 'ahead')),
    add column covers_until_at timestamptz,
    add constraint bill_covers check ((part = 'ahead') = (covers_until_at is not null)),
    drop constraint bill_session_id_key,
    drop constraint bill_state_check,
    add constraint bill_state_check check (state in ('open', 'paid', 'disputed', 'cancelled'));
create unique index bill_one_a_stay on payments.bill (session_id)
    where part = 'stay' and state <> 'cancelled';
create unique index bill_one_ahead on payments.bill (session_id, covers_until_at)
    where part = 'ahead' and state <> 'cancelled';
create index bill_session on payments.bill (session_id);

create table payments.dispute (
    id uuid primary key,
    bill_id uuid not null references payments.bill (id),
    district text not null,
    state text not null check (state in ('open', 'upheld', 'rejected', 'withdrawn')),
    ground text not null check (ground in (
        'not-my-vehicle', 'not-parked', 'wrong-times', 'wrong-fee', 'already-paid', 'other'
    )),
    words text not null check (length(words) <= 1000),
    opened_at timestamptz not null,
    opened_by text not null,
    resolved_at timestamptz,
    resolved_by text,
    answer text check (length(answer) between 1 and 1000),
    check ((state = 'open') = (resolved_at is null)),
    check ((resolved_at is null) = (resolved_by is null)),
    check ((resolved_at is null) = (answer is null))
);
create unique index dispute_one_open on payments.dispute (bill_id) where state = 'open';
create index dispute_bill on payments.dispute (bill_id, id);
create index dispute_state on payments.dispute (state, id);

create or replace function payments.keep_bill() returns trigger language plpgsql as $$
begin
    if (to_jsonb(new) - 'state' - 'paid_at' - 'due_at')
        is distinct from (to_jsonb(old) - 'state' - 'paid_at' - 'due_at')
    then
        raise exception 'a bill keeps its amount, lines and parties'
            using errcode = 'restrict_violation';
    end if;
    if old.state in ('paid', 'cancelled') then
        raise exception 'a % bill stays %', old.state, old.state
            using errcode = 'restrict_violation';
    end if;
    if old.state = 'disputed' and new.state = 'paid' then
        raise exception 'a disputed bill is frozen' using errcode = 'restrict_violation';
    end if;
    -- A dispute stops the clock: what it took is added when it ends, and at no other time.
    if new.due_at is distinct from old.due_at
        and not (old.state = 'disputed' and new.state = 'open' and new.due_at > old.due_at)
    then
        raise exception 'a bill keeps its due date' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create function payments.keep_dispute() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.state = 'open' and new.state <> 'open'
        and (to_jsonb(new) - 'state' - 'resolved_at' - 'resolved_by' - 'answer')
            = (to_jsonb(old) - 'state' - 'resolved_at' - 'resolved_by' - 'answer')
    then
        return new;
    end if;
    raise exception 'a dispute is opened, resolved once, and kept'
        using errcode = 'restrict_violation';
end
$$;
create trigger keep before update or delete on payments.dispute
    for each row execute function payments.keep_dispute();
create trigger no_truncate before truncate on payments.dispute
    for each statement execute function payments.keep_dispute();
alter table payments.dispute enable always trigger keep;
alter table payments.dispute enable always trigger no_truncate;
"""


def upgrade() -> None:
    for block in (SESSIONS, EVIDENCE, DRIVERS, BILLS):
        op.execute(block)


def downgrade() -> None:
    raise NotImplementedError("what stays and disputes hold by now would be lost")
