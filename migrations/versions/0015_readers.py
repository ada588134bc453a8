"""Cameras and gates that speak under a credential of their own, each for its gate or its bays.

Revision ID: 0015_readers
Revises: 0014_paying_ahead
"""

from alembic import op

revision = "0015_readers"
down_revision = "0014_paying_ahead"
branch_labels = None
depends_on = None

READERS = """
create table parking.reader (
    id uuid primary key,
    -- The subject of its credential.
    subject text not null check (length(subject) between 1 and 120),
    kind text not null check (kind in ('gate', 'camera')),
    facility_id uuid not null references parking.facility (id),
    district text not null,
    gate text check (length(gate) between 1 and 40),
    registered_at timestamptz not null,
    registered_by text not null,
    retired_at timestamptz,
    retired_by text,
    check ((kind = 'gate') = (gate is not null)),
    check ((retired_at is null) = (retired_by is null))
);
create unique index reader_subject on parking.reader (subject) where retired_at is null;
create index reader_facility on parking.reader (facility_id, id);

create table parking.reader_bay (
    reader_id uuid not null references parking.reader (id),
    bay_id uuid not null references parking.bay (id),
    primary key (reader_id, bay_id)
);

-- Reads of bays that had no stay then: looked at again while their sensor may yet tell of one.
create index stay_evidence_waiting on parking.stay_evidence (recorded_at)
    where session_id is null and kind = 'camera-read' and bay_id is not null;
"""


def upgrade() -> None:
    op.execute(READERS)


def downgrade() -> None:
    op.execute(
        "drop index parking.stay_evidence_waiting; drop table parking.reader_bay, parking.reader;"
    )
