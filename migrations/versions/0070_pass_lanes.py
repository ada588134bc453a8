"""Which lanes' cameras tell of which signal, and how far a district's passes were heard.

Revision ID: 0070_pass_lanes
Revises: 0069_patrol_photos
"""

from alembic import op

revision = "0070_pass_lanes"
down_revision = "0069_patrol_photos"
branch_labels = None
depends_on = None

TABLES = """
-- A lane of a gate, named by its identifier alone: it is another room's.
create table signals.pass_lane (
    lane_id uuid primary key,
    district text not null,
    place integer not null references signals.place (place),
    lane smallint not null check (lane between 0 and 99),
    since_at timestamptz not null
);
create index pass_lane_of_place on signals.pass_lane (place);

-- Written with the passes that were heard, in one transaction: none is lost, none comes twice.
create table signals.pass_mark (
    district text primary key,
    entry text not null,
    number bigint not null check (number >= 0),
    lost bigint not null default 0 check (lost >= 0)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop table signals.pass_mark, signals.pass_lane;")
