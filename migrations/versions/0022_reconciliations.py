"""Channels' bills held against ours, and what becomes of each difference.

Revision ID: 0022_reconciliations
Revises: 0021_channel_fees

Who proposes a resolution never approves it: a constraint says so. What is resolved stays.
"""

from alembic import op

revision = "0022_reconciliations"
down_revision = "0021_channel_fees"
branch_labels = None
depends_on = None

TABLES = """
create table payments.reconciliation (
    id uuid primary key,
    channel text not null check (channel in ('wechat', 'alipay', 'unionpay')),
    day date not null,
    run_at timestamptz not null,
    run_by text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    summary jsonb not null check (jsonb_typeof(summary) = 'object')
);
create table payments.difference (
    id uuid primary key,
    channel text not null check (channel in ('wechat', 'alipay', 'unionpay')),
    day date not null,
    key text not null,
    kind text not null,
    order_no text not null,
    refund_no text not null,
    proposal text not null,
    certain boolean not null,
    effect_minor bigint not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    detail jsonb not null check (jsonb_typeof(detail) = 'object'),
    state text not null check (state in ('open', 'proposed', 'approved', 'resolved')),
    found_at timestamptz not null,
    resolution text check (resolution in ('note', 'suspense', 'surplus')),
    note text not null default '' check (length(note) <= 500),
    proposed_at timestamptz,
    proposed_by text,
    approved_at timestamptz,
    approved_by text,
    resolved_at timestamptz,
    resolved_by text,
    entry_id uuid references payments.entry (id),
    constraint difference_once unique (channel, day, key),
    constraint difference_second_person check (approved_by <> proposed_by),
    check ((state = 'resolved') = (resolved_at is not null)),
    check (state <> 'approved' or approved_by is not null),
    check (entry_id is null or approved_by is not null)
);
create index difference_state on payments.difference (state, id);

create function payments.keep_difference() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state = 'resolved' then
        raise exception 'a resolved difference stays' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update or delete on payments.difference
    for each row execute function payments.keep_difference();
alter table payments.difference enable always trigger keep;
create trigger append_only before update or delete or truncate on payments.reconciliation
    for each statement execute function payments.refuse_change();
alter table payments.reconciliation enable always trigger append_only;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    raise NotImplementedError("what was reconciled by then would be lost")
