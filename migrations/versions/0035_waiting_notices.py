"""Notifications that were acknowledged and wait to be settled.

Revision ID: 0035_waiting_notices
Revises: 0034_agreements

What one says is kept for as long as it waits, and no longer.
"""

from alembic import op

revision = "0035_waiting_notices"
down_revision = "0034_agreements"
branch_labels = None
depends_on = None

WAITING = """
alter table payments.channel_notice
    add column said jsonb,
    drop constraint channel_notice_verdict_check,
    add constraint channel_notice_verdict_check
        check (verdict in ('waiting', 'taken', 'refused', 'quarantined')),
    add constraint channel_notice_said check ((verdict = 'waiting') = (said is not null));
create index channel_notice_waiting on payments.channel_notice (first_at, channel, event_id)
    where verdict = 'waiting';
"""


def upgrade() -> None:
    """Let a notification wait."""
    op.execute(WAITING)


def downgrade() -> None:
    """Refuse: what waits was acknowledged, and would be lost."""
    raise NotImplementedError("acknowledged payments that wait by then would be lost")
