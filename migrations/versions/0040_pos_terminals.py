"""POS terminals: who they are, each act of theirs once, their batches; payments taken back.

Revision ID: 0040_pos_terminals
Revises: 0039_exit_rules

An act is named by terminal, batch and trace: however often it is told, it is one row, with the
answer that it had. No key and nothing of a card but its first six and last four digits is kept.

A void or reversal takes a payment back: its bill is owed again, which nothing else does. What a
bill counts as paid then is what was paid less what was taken back, and the trigger adds it up.
"""

from alembic import op

revision = "0040_pos_terminals"
down_revision = "0039_exit_rules"
branch_labels = None
depends_on = None

CHANNELS = """
alter table payments.payment drop constraint payment_channel_check,
    add constraint payment_channel_check check
        (channel in ('cash', 'wechat', 'alipay', 'unionpay', 'card', 'pos'));
alter table payments.channel_order drop constraint channel_order_channel_check,
    add constraint channel_order_channel_check check
        (channel in ('wechat', 'alipay', 'unionpay', 'card', 'pos'));
alter table payments.reconciliation drop constraint reconciliation_channel_check,
    add constraint reconciliation_channel_check check
        (channel in ('wechat', 'alipay', 'unionpay', 'stays', 'cards', 'ledger', 'pos'));
alter table payments.difference drop constraint difference_channel_check,
    add constraint difference_channel_check check
        (channel in ('wechat', 'alipay', 'unionpay', 'stays', 'cards', 'ledger', 'pos'));
"""

TERMINALS = """
create table payments.pos_terminal (
    id uuid primary key,
    terminal_no text not null unique check (terminal_no ~ '^[0-9A-Z]{8}$'),
    merchant_no text not null check (merchant_no ~ '^[0-9A-Z]{15}$'),
    name text not null check (length(name) between 1 and 120),
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    state text not null check (state in ('active', 'locked', 'retired')),
    state_reason text not null default '',
    mac text not null check (mac in ('unionpay', 'x9.19')),
    registered_at timestamptz not null,
    registered_by text not null,
    key_version integer not null check (key_version > 0),
    key_generation integer not null check (key_generation > 0),
    session integer not null default 0 check (session >= 0),
    signed_in_at timestamptz,
    batch_no integer not null default 0 check (batch_no between 0 and 999999),
    last_trace integer not null default 0 check (last_trace between 0 and 999999),
    heard_at timestamptz
);

create table payments.pos_batch (
    terminal_id uuid not null references payments.pos_terminal (id),
    batch_no integer not null check (batch_no between 1 and 999999),
    state text not null check (state in ('open', 'uploading', 'balanced', 'differs')),
    opened_at timestamptz not null,
    settled_at timestamptz,
    day date,
    told jsonb,
    ours jsonb,
    ledger_net_minor bigint,
    differences integer not null default 0 check (differences >= 0),
    primary key (terminal_id, batch_no),
    check ((state in ('balanced', 'differs')) = (settled_at is not null)),
    check ((settled_at is null) = (day is null)),
    check ((state = 'differs') = (differences > 0))
);

create table payments.pos_act (
    id uuid primary key,
    terminal_id uuid not null,
    batch_no integer not null,
    trace integer not null check (trace between 1 and 999999),
    kind text not null check (kind in ('sale', 'void', 'refund')),
    amount_minor bigint not null check (amount_minor >= 0),
    state text not null check (state in ('done', 'refused', 'reversed', 'blocked')),
    code text not null check (length(code) = 2),
    digest bytea,
    answer jsonb,
    at timestamptz not null,
    operator text not null default '' check (operator ~ '^[0-9]{0,4}$'),
    reference text not null default '' check (reference ~ '^([0-9A-Za-z]{12})?$'),
    masked_card text not null default ''
        check (masked_card ~ '^([0-9]{6}[*]{3,9}[0-9]{4})?$'),
    bill_id uuid,
    order_no text,
    refund_no text,
    original_id uuid references payments.pos_act (id),
    reversed_at timestamptz,
    unique (terminal_id, batch_no, trace),
    foreign key (terminal_id, batch_no) references payments.pos_batch (terminal_id, batch_no),
    check ((state = 'blocked') = (digest is null)),
    check ((state = 'blocked') = (answer is null)),
    check (state <> 'reversed' or reversed_at is not null)
);
create index pos_act_reference on payments.pos_act (reference) where reference <> '';

create function payments.keep_pos_act() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (to_jsonb(new) - 'state' - 'reversed_at' - 'order_no' - 'refund_no')
        is distinct from (to_jsonb(old) - 'state' - 'reversed_at' - 'order_no' - 'refund_no')
        or (new.state is distinct from old.state
            and not (old.state = 'done' and new.state = 'reversed'))
    then
        raise exception 'an act of a terminal stays as it was told; a reversal alone ends it'
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update or delete on payments.pos_act
    for each row execute function payments.keep_pos_act();
alter table payments.pos_act enable always trigger keep;

create table payments.pos_upload (
    terminal_id uuid not null,
    batch_no integer not null,
    trace integer not null,
    kind text not null check (kind in ('sale', 'void', 'refund')),
    amount_minor bigint not null check (amount_minor >= 0),
    primary key (terminal_id, batch_no, trace, kind),
    foreign key (terminal_id, batch_no) references payments.pos_batch (terminal_id, batch_no)
);

create table payments.pos_difference (
    terminal_id uuid not null,
    batch_no integer not null,
    trace integer not null,
    act text not null check (act in ('sale', 'void', 'refund')),
    kind text not null,
    day date not null,
    told_minor bigint,
    ours_minor bigint,
    primary key (terminal_id, batch_no, trace, act),
    foreign key (terminal_id, batch_no) references payments.pos_batch (terminal_id, batch_no)
);
create index pos_difference_day on payments.pos_difference (day);
"""

UNDONE = """
create table payments.payment_undone (
    payment_id uuid primary key references payments.payment (id),
    bill_id uuid not null references payments.bill (id),
    refund_id uuid not null unique references payments.channel_refund (id),
    amount_minor bigint not null check (amount_minor > 0),
    undone_at timestamptz not null,
    undone_by text not null
);
create index payment_undone_bill on payments.payment_undone (bill_id);
create trigger append_only before update or delete or truncate on payments.payment_undone
    for each statement execute function payments.refuse_change();
alter table payments.payment_undone enable always trigger append_only;

create or replace function payments.keep_bill() returns trigger language plpgsql as $$
begin
    if (to_jsonb(new) - 'state' - 'paid_at' - 'due_at' - 'paid_minor' - 'lowered_minor'
            - 'penalty_minor' - 'refunded_minor' - 'next_step_at')
        is distinct from (to_jsonb(old) - 'state' - 'paid_at' - 'due_at' - 'paid_minor'
            - 'lowered_minor' - 'penalty_minor' - 'refunded_minor' - 'next_step_at')
    then
        raise exception 'a bill keeps its amount, lines and parties'
            using errcode = 'restrict_violation';
    end if;
    if old.state in ('open', 'paid') and new.state = 'open' and new.paid_minor < old.paid_minor
        and (to_jsonb(new) - 'state' - 'paid_at' - 'paid_minor')
            is not distinct from (to_jsonb(old) - 'state' - 'paid_at' - 'paid_minor')
        and new.paid_minor = (select coalesce(sum(p.amount_minor), 0)
                from payments.payment p where p.bill_id = new.id)
            - (select coalesce(sum(u.amount_minor), 0)
                from payments.payment_undone u where u.bill_id = new.id)
    then
        -- A payment was taken back, which is on record: so much of the bill is owed again.
        return new;
    end if;
    if new.paid_minor < old.paid_minor or new.lowered_minor < old.lowered_minor
        or new.penalty_minor < old.penalty_minor or new.refunded_minor < old.refunded_minor
    then
        raise exception 'what was counted of a bill stays counted'
            using errcode = 'restrict_violation';
    end if;
    if old.state in ('paid', 'cancelled', 'written-off')
        -- Money that goes back is counted on a bill that is paid; nothing else changes.
        and (to_jsonb(new) - 'refunded_minor') is distinct from (to_jsonb(old) - 'refunded_minor')
    then
        raise exception 'a % bill stays %', old.state, old.state
            using errcode = 'restrict_violation';
    end if;
    if old.state = 'disputed' and (new.state = 'paid'
        or new.paid_minor <> old.paid_minor or new.penalty_minor <> old.penalty_minor
        or new.lowered_minor <> old.lowered_minor)
    then
        raise exception 'a disputed bill is frozen' using errcode = 'restrict_violation';
    end if;
    -- A dispute stops the clock: what it took is added when it ends, and at no other time.
    if new.due_at is distinct from old.due_at
        and not (old.state = 'disputed' and new.state = 'open' and new.due_at > old.due_at)
    then
        raise exception 'a bill keeps its due date' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
"""


def upgrade() -> None:
    """Let terminals take money, and what they took be taken back."""
    for block in (CHANNELS, TERMINALS, UNDONE):
        op.execute(block)


def downgrade() -> None:
    """Refuse: what terminals took by then would be lost."""
    raise NotImplementedError("what terminals took by then would be lost")
