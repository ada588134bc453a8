"""Check an insert's postings at once, and an entry's balance in one reading.

Revision ID: 0057_postings_checked_once
Revises: 0056_exemptions

What holds is what held: a posting has the date of its entry, none is written into a closed period,
an entry balances in each currency when it commits. A posting's date was looked at row by row; now
it is once for all that a statement writes. A balance took two readings of the entry's postings.
"""

from alembic import op

revision = "0057_postings_checked_once"
down_revision = "0056_exemptions"
branch_labels = None
depends_on = None

CHECKS = """
create or replace function payments.check_balance() returns trigger language plpgsql as $$
declare
    entry uuid;
    postings bigint;
    level boolean;
begin
    if tg_table_name = 'entry' then entry := new.id; else entry := new.entry_id; end if;
    select sum(c.postings), bool_and(c.minor = 0) into postings, level
        from (select count(*) as postings, sum(p.minor) as minor
            from payments.posting p where p.entry_id = entry group by p.currency) c;
    if postings is null or postings < 2 or not level then
        raise exception 'ledger entry % does not balance', entry
            using errcode = 'check_violation', constraint = 'entry_balances';
    end if;
    return null;
end
$$;

create or replace function payments.check_period() returns trigger language plpgsql as $$
begin
    if new.at < (select max(until_at) from payments.period) then
        raise exception 'the period of % is closed', new.at
            using errcode = 'check_violation', constraint = 'period_is_open';
    end if;
    return new;
end
$$;

-- Each entry is looked up by its key, and not joined: the plan is kept, and must serve two
-- postings as well as two hundred thousand.
create function payments.check_posted_dates() returns trigger language plpgsql as $$
declare
    closed timestamptz := (select max(until_at) from payments.period);
    early timestamptz := (select min(f.at) from fresh f);
begin
    if exists (
        select from fresh f
        where f.at is distinct from (select e.at from payments.entry e where e.id = f.entry_id)
    ) then
        raise exception 'a posting has the date of its entry'
            using errcode = 'check_violation', constraint = 'posting_dated_as_entry';
    end if;
    if early < closed then
        raise exception 'the period of % is closed', early
            using errcode = 'check_violation', constraint = 'period_is_open';
    end if;
    return null;
end
$$;
drop trigger period_is_open on payments.posting;
create trigger period_is_open after insert on payments.posting
    referencing new table as fresh
    for each statement execute function payments.check_posted_dates();
alter table payments.posting enable always trigger period_is_open;
"""


def upgrade() -> None:
    """Check them at once."""
    op.execute(CHECKS)


def downgrade() -> None:
    """Leave them: they hold what those before held."""
