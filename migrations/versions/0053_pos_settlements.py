"""A day at POS terminals is settled like a day of the channels that are asked for their bills.

Revision ID: 0053_pos_settlements
Revises: 0052_patrol
"""

from alembic import op

revision = "0053_pos_settlements"
down_revision = "0052_patrol"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table payments.channel_settlement drop constraint channel_settlement_channel_check,"
        " add constraint channel_settlement_channel_check"
        " check (channel in ('wechat', 'alipay', 'unionpay', 'pos'))"
    )


def downgrade() -> None:
    op.execute(
        "alter table payments.channel_settlement drop constraint channel_settlement_channel_check,"
        " add constraint channel_settlement_channel_check"
        " check (channel in ('wechat', 'alipay', 'unionpay'))"
    )
