"""How much cash a terminal may hold that the city does not know of.

Revision ID: 0036_offline_cash
Revises: 0035_waiting_notices

Data of each terminal: a supervisor sets it by street and trust. What stands already gets 500 yuan,
some fifty stays of a busy street.
"""

from alembic import op

revision = "0036_offline_cash"
down_revision = "0035_waiting_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give each terminal its limit."""
    op.execute(
        """
        alter table terminals.terminal
            add column offline_cash_minor bigint not null default 50000
                check (offline_cash_minor >= 0),
            add column offline_cash_currency text not null default 'CNY'
                check (offline_cash_currency ~ '^[A-Z]{3}$')
        """
    )


def downgrade() -> None:
    """Forget the limits."""
    op.execute(
        """
        alter table terminals.terminal
            drop column offline_cash_minor, drop column offline_cash_currency
        """
    )
