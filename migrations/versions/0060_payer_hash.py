"""Whose an order inside a channel's app is: the hash of the payer's id there, and not the id.

Revision ID: 0060_payer_hash
Revises: 0059_signal_overrides
"""

from alembic import op

revision = "0060_payer_hash"
down_revision = "0059_signal_overrides"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no order was opened for one payer alone before."""
    op.execute(
        "alter table payments.channel_order add column payer_hash text not null default ''"
        " check (payer_hash = '' or (method = 'jsapi' and payer_hash ~ '^[0-9a-f]{64}$'))"
    )


def downgrade() -> None:
    """Take it away."""
    op.execute("alter table payments.channel_order drop column payer_hash")
