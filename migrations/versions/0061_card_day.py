"""What came onto cards and went back on a day, found by its instant.

Revision ID: 0061_card_day
Revises: 0060_payer_hash
"""

from alembic import op

revision = "0061_card_day"
down_revision = "0060_payer_hash"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.execute(
        "create index card_movement_day on payments.card_movement (at, id)"
        " where kind in ('top-up', 'paid-out', 'returned')"
    )


def downgrade() -> None:
    """Take it away."""
    op.execute("drop index payments.card_movement_day")
