"""A day's stays held against bills and payments: kept beside what differs from channels' bills.

Revision ID: 0025_three_way
Revises: 0024_finance_desk
"""

from alembic import op

revision = "0025_three_way"
down_revision = "0024_finance_desk"
branch_labels = None
depends_on = None

KNOWN = "('wechat', 'alipay', 'unionpay', 'stays')"


def upgrade() -> None:
    """Let stays stand in a channel's place."""
    for table in ("reconciliation", "difference"):
        op.execute(
            f"alter table payments.{table} drop constraint {table}_channel_check,"
            f" add constraint {table}_channel_check check (channel in {KNOWN})"
        )


def downgrade() -> None:
    """Refuse: what was held together would be lost."""
    raise NotImplementedError("what was held together by then would be lost")
