"""Refunds in cash of bills that were paid in part and cancelled.

Revision ID: 0032_refunds_of_bills
Revises: 0031_offers
"""

from alembic import op

revision = "0032_refunds_of_bills"
down_revision = "0031_offers"
branch_labels = None
depends_on = None

COLUMN = """
alter table payments.refund add column bill_id uuid references payments.bill (id);
create index refund_bill on payments.refund (bill_id) where bill_id is not null;
"""


def upgrade() -> None:
    """Let a refund name its bill; None: what was paid ahead."""
    op.execute(COLUMN)


def downgrade() -> None:
    """Refuse: refunds of bills would count as of what was paid ahead."""
    raise NotImplementedError("refunds of bills by then would be lost")
