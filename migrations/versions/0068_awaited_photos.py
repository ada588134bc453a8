"""Photos that acts named and that the city has not got: told to supervisors and to the device.

Revision ID: 0068_awaited_photos
Revises: 0067_ntcip_cabinets
"""

from alembic import op

revision = "0068_awaited_photos"
down_revision = "0067_ntcip_cabinets"
branch_labels = None
depends_on = None

TABLES = """
-- A row from when an act that took effect named a photo until all of it is here.
create table terminals.awaited_photo (
    photo_id uuid primary key,
    act_id uuid not null references terminals.act (id),
    terminal_id uuid not null references terminals.terminal (id),
    received_at timestamptz not null
);
create index awaited_photo_terminal on terminals.awaited_photo (terminal_id, received_at);
create index awaited_photo_since on terminals.awaited_photo (received_at);

insert into terminals.awaited_photo (photo_id, act_id, terminal_id, received_at)
    select (a.detail ->> 'photo_id')::uuid, a.id, a.terminal_id, a.received_at
    from terminals.act a
    left join terminals.act_photo p on p.act_id = a.id and p.kept_at is not null
    where a.detail ->> 'photo_id' is not null and a.outcome = 'done' and p.id is null
    on conflict do nothing;
"""

UNDO = "drop table terminals.awaited_photo;"


def upgrade() -> None:
    """Create the list, with what is awaited already."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take it away."""
    op.execute(UNDO)
