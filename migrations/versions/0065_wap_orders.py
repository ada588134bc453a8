"""Orders that a phone's own browser pays on Alipay's page for it.

Revision ID: 0065_wap_orders
Revises: 0064_signal_intersections
"""

from alembic import op

revision = "0065_wap_orders"
down_revision = "0064_signal_intersections"
branch_labels = None
depends_on = None

METHODS = (
    "alter table payments.channel_order drop constraint channel_order_method_check,"
    " add constraint channel_order_method_check check (method in ({}))"
)


def upgrade() -> None:
    """Let an order be paid so."""
    op.execute(METHODS.format("'code', 'page', 'wap', 'jsapi', 'bar', 'agreement'"))


def downgrade() -> None:
    """Take it away; those that were stand as what they are nearest to."""
    op.execute("update payments.channel_order set method = 'page' where method = 'wap'")
    op.execute(METHODS.format("'code', 'page', 'jsapi', 'bar', 'agreement'"))
