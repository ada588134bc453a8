"""Whether a facility, a district or the city lets vehicles leave first and pay later.

Revision ID: 0039_exit_rules
Revises: 0038_merged_orders
"""

from alembic import op

revision = "0039_exit_rules"
down_revision = "0038_merged_orders"
branch_labels = None
depends_on = None

RULES = """
create table payments.exit_rule (
    id uuid primary key,
    facility_id uuid,
    district text check (district ~ '^[0-9a-z]{2,12}$'),
    mode text not null check (mode in ('leave-first', 'pay-first')),
    from_at timestamptz not null,
    source text not null check (length(source) between 1 and 500),
    agreed_at timestamptz not null,
    agreed_by text not null,
    check (facility_id is null or district is null),
    check (from_at >= agreed_at),
    constraint exit_rule_one_begins unique nulls not distinct (facility_id, district, from_at)
);
create trigger append_only before update or delete or truncate on payments.exit_rule
    for each statement execute function payments.refuse_change();
alter table payments.exit_rule enable always trigger append_only;
"""


def upgrade() -> None:
    """Add the rules."""
    op.execute(RULES)


def downgrade() -> None:
    """Refuse: what was ruled by then would be lost."""
    raise NotImplementedError("what was ruled by then would be lost")
