"""How junctions are called by radio: the reference of SAE J2735, and where they are.

Revision ID: 0064_signal_intersections
Revises: 0063_act_photos
"""

from alembic import op

revision = "0064_signal_intersections"
down_revision = "0063_act_photos"
branch_labels = None
depends_on = None

TABLES = """
create table signals.intersection (
    network_id uuid not null,
    signal text not null,
    region integer not null check (region between 0 and 65535),
    reference integer not null check (reference between 0 and 65535),
    longitude double precision not null check (longitude between -180 and 180),
    latitude double precision not null check (latitude between -90 and 90),
    primary key (network_id, signal),
    foreign key (network_id, signal) references signals.signal (network_id, name),
    -- Vehicles know a junction by nothing else.
    constraint intersection_called_once unique (region, reference)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop table signals.intersection;")
