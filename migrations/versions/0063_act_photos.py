"""Pictures taken with acts of terminals: sent in parts, sealed, kept as evidence of a stay.

Revision ID: 0063_act_photos
Revises: 0062_postings_balance_at_once
"""

from alembic import op

revision = "0063_act_photos"
down_revision = "0062_postings_balance_at_once"
branch_labels = None
depends_on = None

TABLES = """
-- The id is made on the device; the picture itself is a frame of the plate reader's room.
create table terminals.act_photo (
    id uuid primary key,
    terminal_id uuid not null references terminals.terminal (id),
    act_id uuid not null references terminals.act (id),
    -- None where the act was refused.
    session_id uuid,
    district text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    bytes integer not null check (bytes between 1 and 1048576),
    began_at timestamptz not null,
    kept_at timestamptz,
    frame_id uuid,
    check ((kept_at is null) = (frame_id is null))
);
create index act_photo_session on terminals.act_photo (session_id, id)
    where session_id is not null;
create index act_photo_partly on terminals.act_photo (began_at) where kept_at is null;

-- What came of those that are still on their way, sealed as all pictures are.
create table terminals.act_photo_part (
    photo_id uuid not null references terminals.act_photo (id) on delete cascade,
    from_byte integer not null check (from_byte >= 0),
    bytes integer not null check (bytes > 0),
    picture_id uuid not null,
    primary key (photo_id, from_byte)
);
"""

UNDO = "drop table terminals.act_photo_part, terminals.act_photo;"


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take them away."""
    op.execute(UNDO)
