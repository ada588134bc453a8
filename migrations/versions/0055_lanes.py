"""Lanes of gates, and what their cameras read: state, orders, passages, alarms, reads, frames.

Revision ID: 0055_lanes
Revises: 0054_signal_alarms
"""

from alembic import op

revision = "0055_lanes"
down_revision = "0054_signal_alarms"
branch_labels = None
depends_on = None

LANES = """
create table parking.lane (
    id uuid primary key,
    facility_id uuid not null references parking.facility (id),
    district text not null,
    gate text not null check (length(gate) between 1 and 40),
    way text not null check (way in ('entry', 'exit')),
    registered_at timestamptz not null,
    registered_by text not null,
    retired_at timestamptz,
    retired_by text,
    check ((retired_at is null) = (retired_by is null))
);
create unique index lane_gate on parking.lane (facility_id, gate) where retired_at is null;
create index lane_district on parking.lane (district, id);

-- Written a few times for each vehicle, and read by the desk: apart from what is registered.
create table parking.lane_state (
    lane_id uuid primary key references parking.lane (id),
    state jsonb not null,
    -- What was found out about those in the lane, by the read that it follows from.
    standing jsonb not null default '{}',
    -- Of the controller: its present life, and the last of its words that was taken.
    life text,
    last_word bigint not null default 0,
    heard_at timestamptz
);

create table parking.lane_order (
    id uuid primary key,
    lane_id uuid not null references parking.lane (id),
    kind text not null check (kind in ('lift', 'lower', 'show', 'photo')),
    detail text not null,
    given_at timestamptz not null,
    void_at timestamptz not null,
    done_at timestamptz
);
create index lane_order_open on parking.lane_order (lane_id, id) where done_at is null;
create index lane_order_age on parking.lane_order (given_at);

-- Each vehicle that went through a lane, away again, or nobody knows which.
create table parking.lane_vehicle (
    id uuid primary key,
    lane_id uuid not null references parking.lane (id),
    facility_id uuid not null,
    district text not null,
    number integer not null,
    since_at timestamptz not null,
    ended_at timestamptz not null,
    outcome text not null check (outcome in ('passed', 'backed', 'unclear')),
    granted_by text,
    alarmed boolean not null,
    read_id uuid,
    named jsonb,
    evidence_id uuid,
    session_id uuid,
    became text,
    unique (lane_id, number)
);
create index lane_vehicle_latest on parking.lane_vehicle (lane_id, id desc);
create index lane_vehicle_age on parking.lane_vehicle (ended_at);

create table parking.lane_alarm (
    id uuid primary key,
    lane_id uuid not null references parking.lane (id),
    facility_id uuid not null,
    district text not null,
    kind text not null,
    number integer,
    read_id uuid,
    began_at timestamptz not null,
    ended_at timestamptz,
    answered_at timestamptz,
    answered_by text,
    answer text,
    note text,
    check ((answered_at is null) = (answered_by is null))
);
create index lane_alarm_open on parking.lane_alarm (lane_id, id) where answered_at is null;
create index lane_alarm_latest on parking.lane_alarm (district, id desc);
create unique index lane_alarm_standing on parking.lane_alarm (lane_id, kind)
    where ended_at is null and kind in ('left-up', 'called', 'offline', 'fire');

-- What people did at the desk.
create table parking.lane_act (
    id uuid primary key,
    lane_id uuid not null references parking.lane (id),
    facility_id uuid not null,
    district text not null,
    kind text not null check (kind in ('lift', 'hold', 'lower', 'fire', 'fire-over')),
    reason text not null,
    note text not null,
    number integer,
    at timestamptz not null,
    by text not null,
    photo_order_id uuid,
    frame_id uuid
);
create index lane_act_latest on parking.lane_act (lane_id, id desc);

create schema lpr;
create table lpr.plate_read (
    id uuid primary key,
    -- The sender's own name of it: what comes twice is kept once.
    event_key text not null unique,
    facility_id uuid not null,
    district text not null,
    lane_id uuid,
    camera text not null,
    at timestamptz not null,
    received_at timestamptz not null,
    -- What was read, as the vault knows it; null where nothing was.
    vehicle_id uuid,
    kind text not null,
    confidences double precision[] not null,
    certainty integer not null check (certainty between 0 and 1000),
    band text not null check (band in ('accept', 'review', 'reject')),
    model text
);
create index plate_read_latest on lpr.plate_read (facility_id, at desc, id desc);
create index plate_read_lane on lpr.plate_read (lane_id, id desc);
"""

FRAMES = """
create table vault.picture (
    id uuid primary key,
    key_version integer not null references vault.key (version),
    nonce bytea not null check (length(nonce) = 12),
    ciphertext bytea not null,
    created_at timestamptz not null
);
-- Sealed bytes do not compress: kept out of line as they are.
alter table vault.picture alter column ciphertext set storage external;
create index picture_key on vault.picture (key_version);

create table lpr.frame (
    id uuid primary key,
    event_key text not null unique,
    facility_id uuid not null,
    district text not null,
    lane_id uuid,
    camera text not null,
    read_id uuid,
    taken_at timestamptz not null,
    received_at timestamptz not null,
    kept_until_at timestamptz not null,
    state text not null check (state in ('raw', 'hidden', 'failed', 'gone')),
    sent_sha256 text not null,
    picture_id uuid,
    crop_id uuid,
    shown_sha256 text,
    corners double precision[],
    check ((state in ('raw', 'hidden')) = (picture_id is not null))
);
create index frame_read on lpr.frame (read_id) where read_id is not null;
create index frame_over on lpr.frame (kept_until_at) where state <> 'gone';

-- What people made of reads: the labelled set.
alter table lpr.plate_read
    add column review text not null default 'none'
        check (review in ('none', 'due', 'sampled', 'done')),
    add column reviewed_at timestamptz,
    add column reviewed_by text,
    add column answer text check (answer in ('right', 'wrong', 'no-plate', 'unreadable')),
    add column stated_as uuid,
    add check ((review = 'done') = (reviewed_at is not null)),
    add check ((review = 'done') = (answer is not null)),
    add check (stated_as is null or answer = 'wrong');
create index plate_read_review on lpr.plate_read (facility_id, id)
    where review in ('due', 'sampled');
create index lane_vehicle_read on parking.lane_vehicle (read_id) where read_id is not null;
"""

UNDO = """
drop table vault.picture;
drop schema lpr cascade;
drop table parking.lane_act, parking.lane_alarm, parking.lane_vehicle, parking.lane_order,
    parking.lane_state, parking.lane;
"""


def upgrade() -> None:
    """Add lanes, reads and frames."""
    op.execute(LANES)
    op.execute(FRAMES)


def downgrade() -> None:
    """Take them away."""
    op.execute(UNDO)
