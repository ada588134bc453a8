"""What the finance desk reads by the instant: payments, and what went back.

Revision ID: 0024_finance_desk
Revises: 0023_figure_facility_day
"""

from alembic import op

revision = "0024_finance_desk"
down_revision = "0023_figure_facility_day"
branch_labels = None
depends_on = None

INDEXES = """
create index payment_at on payments.payment (taken_at, id);
create index entry_refund_at on payments.entry (at) where kind = 'refund';
create index refund_at on payments.refund (refunded_at);
"""


def upgrade() -> None:
    """Create the indexes."""
    op.execute(INDEXES)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop index payments.payment_at, payments.entry_refund_at, payments.refund_at")
