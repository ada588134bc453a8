"""Paying ahead: what is paid before the vehicle leaves is owed back until the stay is billed.

Revision ID: 0014_paying_ahead
Revises: 0013_stay_evidence

A payment ahead is a bill of its own (part ``ahead``), booked against the liability instead of what
was earned. The stay's bill takes it over in ``applied_minor``; what it does not need is paid back.
"""

from alembic import op

revision = "0014_paying_ahead"
down_revision = "0013_stay_evidence"
branch_labels = None
depends_on = None

LEDGER = """
alter table payments.account drop constraint account_kind_check,
    add constraint account_kind_check check
        (kind in ('cash', 'receivable', 'advance', 'revenue', 'treasury'));
alter table payments.entry drop constraint entry_kind_check,
    add constraint entry_kind_check check (kind in ('bill', 'payment', 'refund', 'reversal'));
alter table payments.bill
    add column applied_minor bigint not null default 0 check (applied_minor >= 0),
    add constraint bill_ahead check (part = 'stay' or (applied_minor = 0 and amount_minor > 0));

create table payments.refund (
    id uuid primary key,
    session_id uuid not null,
    operator_id uuid not null,
    channel text not null check (channel in ('cash')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    refunded_at timestamptz not null,
    refunded_by text not null
);
create index refund_session on payments.refund (session_id);
create trigger append_only before update or delete or truncate on payments.refund
    for each statement execute function payments.refuse_change();
alter table payments.refund enable always trigger append_only;
"""

COUPONS = """
create table parking.stay_coupon (
    session_id uuid not null references parking.parking_session (id) on delete cascade,
    coupon text not null check (length(coupon) between 1 and 64),
    taken_at timestamptz not null,
    taken_by text not null,
    primary key (session_id, coupon)
);
"""


def upgrade() -> None:
    for block in (LEDGER, COUPONS):
        op.execute(block)


def downgrade() -> None:
    raise NotImplementedError("what was paid ahead by then would be lost")
