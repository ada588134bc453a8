"""Orders at online channels and the refunds of them.

Revision ID: 0017_channel_orders
Revises: 0016_open_time

An order is written before its channel is asked, so that no answer can be lost without a trace. What
goes back never exceeds what was paid, whoever asks at once: a constraint counts.
"""

from alembic import op

revision = "0017_channel_orders"
down_revision = "0016_open_time"
branch_labels = None
depends_on = None

TABLES = """
create table payments.channel_order (
    id uuid primary key,
    bill_id uuid not null,
    channel text not null check (channel in ('wechat', 'alipay', 'unionpay')),
    order_no text not null unique check (order_no ~ '^[0-9A-Za-z]{8,32}$'),
    merchant text not null check (merchant <> ''),
    method text not null check (method in ('code', 'page', 'jsapi', 'bar')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    state text not null check (state in ('asked', 'open', 'unknown', 'paid', 'closed')),
    opened_at timestamptz not null,
    opened_by text not null,
    expires_at timestamptz not null check (expires_at > opened_at),
    channel_no text not null default '',
    done_at timestamptz,
    refunded_minor bigint not null default 0,
    check ((state in ('paid', 'closed')) = (done_at is not null)),
    check (state <> 'paid' or channel_no <> ''),
    constraint channel_order_refunded check (
        refunded_minor >= 0
        and refunded_minor <= case state when 'paid' then amount_minor else 0 end
    )
);
create unique index channel_order_number on payments.channel_order (channel, channel_no)
    where channel_no <> '';
create index channel_order_day on payments.channel_order (channel, (coalesce(done_at, opened_at)));
create index channel_order_bill on payments.channel_order (bill_id);
create index channel_order_unsettled on payments.channel_order (opened_at)
    where state in ('asked', 'open', 'unknown');

create table payments.channel_refund (
    id uuid primary key,
    order_id uuid not null references payments.channel_order (id),
    refund_no text not null unique check (refund_no ~ '^[0-9A-Za-z]{8,32}$'),
    amount_minor bigint not null check (amount_minor > 0),
    fee_minor bigint not null check (fee_minor >= 0),
    void boolean not null,
    state text not null check (state in ('asked', 'done', 'failed')),
    asked_at timestamptz not null,
    asked_by text not null,
    reason text not null check (reason <> ''),
    done_at timestamptz,
    check ((state <> 'asked') = (done_at is not null))
);
create index channel_refund_order on payments.channel_refund (order_id);
create index channel_refund_day on payments.channel_refund (asked_at);
create index channel_refund_unsettled on payments.channel_refund (asked_at) where state = 'asked';

create function payments.keep_channel_order() returns trigger language plpgsql as $$
begin
    if (old.id, old.bill_id, old.channel, old.order_no, old.merchant) is distinct from
            (new.id, new.bill_id, new.channel, new.order_no, new.merchant)
        or (old.amount_minor, old.currency) is distinct from (new.amount_minor, new.currency)
    then
        raise exception 'an order at a channel keeps its number, amount and parties'
            using errcode = 'restrict_violation';
    end if;
    if old.state = 'paid' and (new.state <> 'paid' or new.channel_no <> old.channel_no) then
        raise exception 'a paid order stays paid' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update on payments.channel_order
    for each row execute function payments.keep_channel_order();
alter table payments.channel_order enable always trigger keep;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise NotImplementedError("what was paid online by then would be lost")
