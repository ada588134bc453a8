"""Sums of postings by account and day, told in the transaction that posts and folded by a job.

Revision ID: 0033_day_sums
Revises: 0032_refunds_of_bills

Who posts appends what a day of an account changed by, and waits for nobody: no row of the busiest
account is shared. A job moves what it sees into the sums, in one statement. So a day's sum and
what is not folded yet are together what is posted, in every snapshot, whoever commits when.
"""

from alembic import op

revision = "0033_day_sums"
down_revision = "0032_refunds_of_bills"
branch_labels = None
depends_on = None

# China's day, as `payments.rules.days` has it. Nobody posts until this commits, so that what is
# there is summed and what comes is told.
TABLES = """
lock table payments.posting in share row exclusive mode;
create table payments.day_sum (
    account text not null references payments.account (code),
    currency text not null,
    day date not null,
    minor bigint not null,
    primary key (account, currency, day) include (minor)
);
create table payments.day_delta (
    id bigint generated always as identity primary key,
    account text not null,
    currency text not null,
    day date not null,
    minor bigint not null
);
create index day_delta_account on payments.day_delta (account, currency, day) include (minor);
-- Written and emptied all the time: its dead rows are taken away at once.
alter table payments.day_delta set
    (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_threshold = -1);
create function payments.day_of(at timestamptz) returns date language sql immutable parallel safe
    return ((at at time zone 'UTC') + interval '8 hours')::date;
insert into payments.day_sum (account, currency, day, minor)
    select account, currency, payments.day_of(at), sum(minor) from payments.posting
    group by account, currency, payments.day_of(at);
create function payments.tell_day() returns trigger language plpgsql as $$
begin
    insert into payments.day_delta (account, currency, day, minor)
        select account, currency, payments.day_of(at), sum(minor) from posted
        group by account, currency, payments.day_of(at);
    return null;
end
$$;
create trigger day_is_told after insert on payments.posting
    referencing new table as posted
    for each statement execute function payments.tell_day();
alter table payments.posting enable always trigger day_is_told;
alter table payments.reconciliation drop constraint reconciliation_channel_check,
    add constraint reconciliation_channel_check check
        (channel in ('wechat', 'alipay', 'unionpay', 'stays', 'cards', 'ledger'));
alter table payments.difference drop constraint difference_channel_check,
    add constraint difference_channel_check check
        (channel in ('wechat', 'alipay', 'unionpay', 'stays', 'cards', 'ledger'));
"""


def upgrade() -> None:
    """Keep the sums, and let what differs of them be told of at the finance desk."""
    op.execute(TABLES)


def downgrade() -> None:
    """Refuse: what was told of the ledger by then would be lost."""
    raise NotImplementedError("what was told of the ledger by then would be lost")
