"""How long vehicles waited for their green, in each bin of a phase.

Revision ID: 0078_waits_by_bin
Revises: 0077_escapes_undone
"""

from alembic import op

revision = "0078_waits_by_bin"
down_revision = "0077_escapes_undone"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table signals.phase_bin"
        " add column released integer check (released >= 0),"
        " add column waited_s real check (waited_s >= 0),"
        " add constraint phase_bin_waits check ((released is null) = (waited_s is null));"
    )


def downgrade() -> None:
    op.execute("alter table signals.phase_bin drop column released, drop column waited_s;")
