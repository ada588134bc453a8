"""Bills paid online: what channels hold, what is owed back to payers, and what channels told us.

Revision ID: 0018_paying_online
Revises: 0017_channel_orders

A notification counts once by channel and event. A refused one is kept with its reason and counts
again when it comes again: it may have come before its order was believed.
"""

from alembic import op

revision = "0018_paying_online"
down_revision = "0017_channel_orders"
branch_labels = None
depends_on = None

LEDGER = """
alter table payments.account drop constraint account_kind_check,
    add constraint account_kind_check check (kind in (
        'cash', 'receivable', 'advance', 'revenue', 'treasury', 'clearing', 'surplus'));
alter table payments.payment drop constraint payment_channel_check,
    add constraint payment_channel_check check
        (channel in ('cash', 'wechat', 'alipay', 'unionpay'));
"""

ORDERS = """
alter table payments.channel_order
    add column payment_id uuid unique references payments.payment (id),
    add column heard_at timestamptz,
    add column code text not null default '' check (length(code) <= 4000),
    add constraint channel_order_payment check (payment_id is null or state = 'paid');
alter table payments.channel_refund add column heard_at timestamptz;

create table payments.channel_notice (
    channel text not null check (channel in ('wechat', 'alipay', 'unionpay')),
    event_id text not null check (length(event_id) between 1 and 200),
    order_no text not null,
    refund_no text not null,
    digest bytea not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    times integer not null default 1 check (times > 0),
    verdict text not null check (verdict in ('taken', 'refused')),
    reason text not null default '',
    primary key (channel, event_id)
);
create index channel_notice_order on payments.channel_notice (order_no);
"""


def upgrade() -> None:
    for block in (LEDGER, ORDERS):
        op.execute(block)


def downgrade() -> None:
    raise NotImplementedError("what was paid online by then would be lost")
