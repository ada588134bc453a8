"""Agreements by which bills are deducted when the car leaves.

Revision ID: 0034_agreements
Revises: 0033_day_sums

A bill is deducted once by a channel, and by no two at a time: both are indexes, so that two workers
that take the same job cannot each ask for it. An agreement's car, channel and driver never change,
and one that has ended stays so.
"""

from alembic import op

revision = "0034_agreements"
down_revision = "0033_day_sums"
branch_labels = None
depends_on = None

AGREEMENTS = """
create table payments.agreement (
    id uuid primary key,
    account_id uuid not null,
    vehicle_id uuid not null,
    channel text not null check (channel in ('wechat', 'alipay')),
    merchant text not null check (merchant <> ''),
    state text not null check (state in ('asked', 'signed', 'paused', 'ended')),
    single_minor bigint not null check (single_minor > 0),
    daily_minor bigint not null check (daily_minor >= single_minor),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    consented_at timestamptz not null,
    signed_at timestamptz,
    ended_at timestamptz,
    reason text not null default '',
    check ((state = 'ended') = (ended_at is not null)),
    check (state <> 'signed' or signed_at is not null)
);
create unique index agreement_one on payments.agreement (account_id, vehicle_id, channel)
    where state <> 'ended';
create index agreement_vehicle on payments.agreement (vehicle_id) where state = 'signed';

create function payments.keep_agreement() returns trigger language plpgsql as $$
begin
    if (old.id, old.account_id, old.vehicle_id, old.channel, old.merchant, old.single_minor,
            old.daily_minor, old.currency, old.consented_at)
        is distinct from
        (new.id, new.account_id, new.vehicle_id, new.channel, new.merchant, new.single_minor,
            new.daily_minor, new.currency, new.consented_at)
    then
        raise exception 'an agreement keeps what was agreed to'
            using errcode = 'restrict_violation';
    end if;
    if old.state = 'ended' and new.state <> 'ended' then
        raise exception 'an agreement that has ended stays so' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update on payments.agreement
    for each row execute function payments.keep_agreement();
alter table payments.agreement enable always trigger keep;

alter table payments.channel_order
    add column agreement_id uuid references payments.agreement (id),
    drop constraint channel_order_method_check,
    add constraint channel_order_method_check
        check (method in ('code', 'page', 'jsapi', 'bar', 'agreement')),
    add constraint channel_order_agreement
        check ((method = 'agreement') = (agreement_id is not null));
create unique index channel_order_deducted_once on payments.channel_order (bill_id, channel)
    where agreement_id is not null;
create unique index channel_order_deducting on payments.channel_order (bill_id)
    where agreement_id is not null and state in ('asked', 'open', 'unknown');
create index channel_order_agreement_day on payments.channel_order (agreement_id, opened_at)
    where agreement_id is not null;
"""


def upgrade() -> None:
    """Keep agreements, and which order was deducted by which."""
    op.execute(AGREEMENTS)


def downgrade() -> None:
    """Refuse: consents on record would be lost."""
    raise NotImplementedError("consents by then would be lost")
