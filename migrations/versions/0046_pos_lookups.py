"""Acts of POS terminals are found by what they take back, and reversed ones by what they made.

Revision ID: 0046_pos_lookups
Revises: 0045_kept_bills
"""

from alembic import op

revision = "0046_pos_lookups"
down_revision = "0045_kept_bills"
branch_labels = None
depends_on = None

INDICES = """
create index pos_act_original on payments.pos_act (original_id) where original_id is not null;
create index pos_act_reversed_order on payments.pos_act (order_no) where state = 'reversed';
create index pos_act_reversed_refund on payments.pos_act (refund_no) where state = 'reversed';
"""


def upgrade() -> None:
    """Keep voids and the acquirer's bill from reading every act there ever was."""
    op.execute(INDICES)


def downgrade() -> None:
    """Drop them again."""
    op.execute(
        "drop index payments.pos_act_original, payments.pos_act_reversed_order,"
        " payments.pos_act_reversed_refund"
    )
