"""Stays that a person frees of their fee: by which region's reasons, and as what in the ledger.

Revision ID: 0056_exemptions
Revises: 0055_lanes
"""

from alembic import op

revision = "0056_exemptions"
down_revision = "0055_lanes"
branch_labels = None
depends_on = None

TABLES = """
create table parking.exemption_policy (
    id uuid primary key,
    district text check (district ~ '^[0-9a-z]{2,12}$'),
    from_at timestamptz not null,
    reasons jsonb not null check (jsonb_typeof(reasons) = 'array'),
    source text not null check (length(source) between 1 and 500),
    stated_at timestamptz not null,
    stated_by text not null,
    check (from_at >= stated_at),
    constraint exemption_policy_one_begins unique nulls not distinct (district, from_at)
);

-- The reason's code; who said so, when and with which picture is in the stay's evidence.
alter table parking.parking_session add column exempt text
    check (exempt ~ '^[a-z][a-z0-9-]{1,39}$');

alter table parking.stay_evidence drop constraint stay_evidence_kind_check;
alter table parking.stay_evidence add constraint stay_evidence_kind_check check (kind in (
    'bay-arrival', 'bay-departure', 'bay-silence', 'bay-still-taken', 'bay-withdrawn',
    'gate-entry', 'gate-exit', 'camera-read', 'plate-seen',
    'driver-start', 'driver-extension', 'driver-end', 'reservation', 'paid-ahead',
    'entry-stated', 'exit-stated', 'ended', 'split', 'joined', 'vehicle-moved',
    'set-aside', 'identified', 'exempted', 'exemption-withdrawn'
));

alter table payments.adjustment drop constraint adjustment_role_check;
alter table payments.adjustment add constraint adjustment_role_check
    check (role in ('operator', 'finance', 'attendant'));
"""


def upgrade() -> None:
    """Create the table, and let stays, evidence and adjustments say it."""
    op.execute(TABLES)


def downgrade() -> None:
    """Refuse: what was let off could not be told any more."""
    raise NotImplementedError("what was let off could not be told any more")
