"""Acts of a terminal by when they were done, for its day's settlement.

Revision ID: 0049_terminal_days
Revises: 0048_terms_by_two
"""

from alembic import op

revision = "0049_terminal_days"
down_revision = "0048_terms_by_two"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.execute("create index act_done_at on terminals.act (terminal_id, at, id)")


def downgrade() -> None:
    """Drop it."""
    op.execute("drop index terminals.act_done_at")
