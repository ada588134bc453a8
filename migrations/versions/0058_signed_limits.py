"""Tasks by signs: a car that stands longer than a sign permits, or where nobody may.

Revision ID: 0058_signed_limits
Revises: 0057_postings_checked_once
"""

from alembic import op

revision = "0058_signed_limits"
down_revision = "0057_postings_checked_once"
branch_labels = None
depends_on = None

KINDS = """
alter table parking.patrol_task drop constraint patrol_task_kind_check;
alter table parking.patrol_task add constraint patrol_task_kind_check check (kind in (
    'plate', 'unpaid', 'overstay', 'signed', 'forbidden', 'zombie', 'escape', 'arrears', 'sensor',
    'blocked'));
"""


def upgrade() -> None:
    """Take the new kinds."""
    op.execute(KINDS)


def downgrade() -> None:
    """Leave it: tasks of these kinds may be on record."""
