"""Frames of cameras at the kerb: of which read, entering, parked or leaving, with the bay's lines.

Revision ID: 0079_bay_frames
Revises: 0078_waits_by_bin
"""

from alembic import op

revision = "0079_bay_frames"
down_revision = "0078_waits_by_bin"
branch_labels = None
depends_on = None

TABLES = """
-- The picture is a frame of the plate reader's room. It belongs to a read, and by it to the stay of
-- which the read speaks: whoever corrects that corrects what its pictures are shown with.
create table parking.bay_frame (
    evidence_id uuid not null references parking.stay_evidence (id),
    moment text not null check (moment in ('entering', 'parked', 'leaving')),
    frame_id uuid not null,
    primary key (evidence_id, moment)
);
alter table lpr.frame add column outline double precision[];
"""

UNDO = """
drop table parking.bay_frame;
alter table lpr.frame drop column outline;
"""


def upgrade() -> None:
    """Create the table, and the column of lines that are drawn into what is shown."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take them away."""
    op.execute(UNDO)
