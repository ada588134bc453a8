"""Hold the postings of an insert to balance at once, and an entry once when it commits.

Revision ID: 0062_postings_balance_at_once
Revises: 0061_card_day

An entry was summed up when it commits for itself and again for each of its postings: three times
for a payment, a quarter of what PostgreSQL does to settle it. Now what a statement writes balances
in each currency, for each entry that it writes to, when the statement ends; as nothing that was
written changes, so do all of an entry's postings. That an entry has postings, and that they
balance, is still looked at as it commits.
"""

from alembic import op

revision = "0062_postings_balance_at_once"
down_revision = "0061_card_day"
branch_labels = None
depends_on = None

AT_ONCE = """
create function payments.check_posted_balance() returns trigger language plpgsql as $$
declare
    wrong uuid := (select f.entry_id from fresh f
        group by f.entry_id, f.currency having sum(f.minor) <> 0 limit 1);
begin
    if wrong is not null then
        raise exception 'ledger entry % does not balance', wrong
            using errcode = 'check_violation', constraint = 'entry_balances';
    end if;
    return null;
end
$$;
drop trigger posting_balances on payments.posting;
create trigger posting_balances after insert on payments.posting
    referencing new table as fresh
    for each statement execute function payments.check_posted_balance();
alter table payments.posting enable always trigger posting_balances;
"""
ROW_BY_ROW = """
drop trigger posting_balances on payments.posting;
create constraint trigger posting_balances after insert on payments.posting
    deferrable initially deferred for each row execute function payments.check_balance();
alter table payments.posting enable always trigger posting_balances;
drop function payments.check_posted_balance();
"""


def upgrade() -> None:
    """Sum up what a statement writes when it ends."""
    op.execute(AT_ONCE)


def downgrade() -> None:
    """Sum up an entry for each of its postings when it commits."""
    op.execute(ROW_BY_ROW)
