"""What channels keep and pay out: a day of each is settled once.

Revision ID: 0021_channel_fees
Revises: 0020_arrears
"""

from alembic import op

revision = "0021_channel_fees"
down_revision = "0020_arrears"
branch_labels = None
depends_on = None

SETTLEMENTS = """
alter table payments.account drop constraint account_kind_check,
    add constraint account_kind_check check (kind in (
        'cash', 'receivable', 'advance', 'revenue', 'treasury', 'clearing', 'surplus',
        'platform', 'land_owner', 'written_off', 'suspense', 'fees', 'bank'));
alter table payments.entry drop constraint entry_kind_check,
    add constraint entry_kind_check check (kind in (
        'bill', 'payment', 'refund', 'reversal', 'adjustment', 'penalty', 'write_off',
        'correction', 'settlement'));

create table payments.channel_settlement (
    id uuid primary key,
    channel text not null check (channel in ('wechat', 'alipay', 'unionpay')),
    merchant text not null check (merchant <> ''),
    day date not null,
    paid_minor bigint not null check (paid_minor >= 0),
    refunded_minor bigint not null check (refunded_minor >= 0),
    fee_minor bigint not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    settled_at timestamptz not null,
    settled_by text not null,
    unique (channel, merchant, day)
);
"""


def upgrade() -> None:
    op.execute(SETTLEMENTS)


def downgrade() -> None:
    raise NotImplementedError("what was settled by then would be lost")
