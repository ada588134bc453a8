"""Photos that people take on their round, as evidence of the stay that called them.

Revision ID: 0069_patrol_photos
Revises: 0068_awaited_photos
"""

from alembic import op

revision = "0069_patrol_photos"
down_revision = "0068_awaited_photos"
branch_labels = None
depends_on = None

TABLES = """
-- The id is made on the device; the picture itself is a frame of the plate reader's room. Tasks are
-- forgotten before their stays: what was photographed belongs to the stay.
create table parking.patrol_photo (
    id uuid primary key,
    task_id uuid not null,
    session_id uuid not null references parking.parking_session (id),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    taken_at timestamptz not null,
    taken_by text not null,
    frame_id uuid not null
);
create index patrol_photo_session on parking.patrol_photo (session_id, id);
create index patrol_photo_task on parking.patrol_photo (task_id);
"""

UNDO = "drop table parking.patrol_photo;"


def upgrade() -> None:
    """Create the table."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take it away."""
    op.execute(UNDO)
