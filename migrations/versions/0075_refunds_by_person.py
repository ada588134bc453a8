"""Find what a person gave back today without reading what everybody did.

Who gives money back holds a lock of their own while it is added up: it must not last longer with
each refund that the city made.

Revision ID: 0075_refunds_by_person
Revises: 0074_signal_priority
"""

from alembic import op

revision = "0075_refunds_by_person"
down_revision = "0074_signal_priority"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index channel_refund_by on payments.channel_refund (asked_by, asked_at);")


def downgrade() -> None:
    op.execute("drop index payments.channel_refund_by;")
