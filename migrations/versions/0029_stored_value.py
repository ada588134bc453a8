"""Stored-value cards: what each holds, every change of it, and a ledger that cannot say otherwise.

Revision ID: 0029_stored_value
Revises: 0028_terminal_acts

What a card holds is the sum of its movements, because only a movement changes it, and it never goes
below zero, whoever takes money off it at once. Each movement is posted to the card's own account in
the same transaction, and nothing is posted there without one: both are checked as it commits.
"""

from alembic import op

revision = "0029_stored_value"
down_revision = "0028_terminal_acts"
branch_labels = None
depends_on = None

LEDGER = """
alter table payments.account drop constraint account_kind_check,
    add constraint account_kind_check check (kind in (
        'cash', 'receivable', 'advance', 'revenue', 'treasury', 'clearing', 'surplus',
        'platform', 'land_owner', 'written_off', 'suspense', 'fees', 'bank', 'stored_value'));
alter table payments.entry drop constraint entry_kind_check,
    add constraint entry_kind_check check (kind in (
        'bill', 'payment', 'refund', 'reversal', 'adjustment', 'penalty', 'write_off',
        'correction', 'settlement', 'top_up', 'card'));
alter table payments.payment drop constraint payment_channel_check,
    add constraint payment_channel_check check
        (channel in ('cash', 'wechat', 'alipay', 'unionpay', 'card'));
alter table payments.channel_order drop constraint channel_order_channel_check,
    add constraint channel_order_channel_check check
        (channel in ('wechat', 'alipay', 'unionpay', 'card'));
alter table payments.reconciliation drop constraint reconciliation_channel_check,
    add constraint reconciliation_channel_check check
        (channel in ('wechat', 'alipay', 'unionpay', 'stays', 'cards'));
alter table payments.difference drop constraint difference_channel_check,
    add constraint difference_channel_check check
        (channel in ('wechat', 'alipay', 'unionpay', 'stays', 'cards'));
"""

CARDS = """
create table payments.card (
    id uuid primary key,
    number text not null unique check (number ~ '^[0-9]{16}$'),
    holder text check (holder <> ''),
    state text not null check (state in ('active', 'frozen', 'replaced')),
    balance_minor bigint not null default 0
        constraint card_not_below_zero check (balance_minor >= 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    issued_at timestamptz not null,
    issued_by text not null,
    expires_at timestamptz,
    replaces uuid unique references payments.card (id),
    code_digest bytea,
    reader_digest bytea,
    check ((holder is null) = (expires_at is not null)),
    constraint card_replaced_is_empty check (state <> 'replaced' or balance_minor = 0)
);
create unique index card_reader on payments.card (reader_digest)
    where reader_digest is not null and state <> 'replaced';
create index card_holder on payments.card (holder) where holder is not null;

create table payments.card_movement (
    id uuid primary key,
    place bigint generated always as identity unique,
    card_id uuid not null references payments.card (id),
    kind text not null check (kind in
        ('top-up', 'debit', 'returned', 'paid-out', 'moved-out', 'moved-in')),
    minor bigint not null check (minor <> 0),
    balance_minor bigint not null check (balance_minor >= 0),
    at timestamptz not null,
    made_by text not null,
    by_way_of text not null check (by_way_of <> ''),
    reference text not null default '',
    entry_id uuid not null references payments.entry (id),
    check ((kind in ('top-up', 'returned', 'moved-in')) = (minor > 0))
);
create index card_movement_card on payments.card_movement (card_id, place);
create index card_movement_entry on payments.card_movement (entry_id);
create index card_movement_taken on payments.card_movement (made_by, at) where kind = 'paid-out';
create index card_movement_debits on payments.card_movement (at) where kind = 'debit';
create unique index card_movement_once on payments.card_movement (kind, reference)
    where reference <> '';
create trigger append_only before update or delete or truncate on payments.card_movement
    for each statement execute function payments.refuse_change();
alter table payments.card_movement enable always trigger append_only;
"""

KEPT = """
create function payments.move_card() returns trigger language plpgsql as $$
declare
    held payments.card;
begin
    update payments.card set balance_minor = balance_minor + new.minor
        where id = new.card_id returning * into held;
    if held.state = 'replaced' or (held.state = 'frozen' and new.kind in
            ('top-up', 'debit', 'paid-out')) then
        raise exception 'a lost or replaced card takes and gives no money'
            using errcode = 'check_violation', constraint = 'card_state_moves';
    end if;
    new.balance_minor := held.balance_minor;
    return new;
end
$$;
create trigger move before insert on payments.card_movement
    for each row execute function payments.move_card();
alter table payments.card_movement enable always trigger move;

create function payments.keep_card() returns trigger language plpgsql as $$
begin
    if (old.id, old.number, old.currency, old.issued_at, old.issued_by, old.replaces)
        is distinct from
        (new.id, new.number, new.currency, new.issued_at, new.issued_by, new.replaces)
        or (old.holder is not null and new.holder is distinct from old.holder)
        or old.state = 'replaced' and new.state <> 'replaced'
    then
        raise exception 'a card keeps its number and its holder'
            using errcode = 'restrict_violation';
    end if;
    if new.balance_minor <> old.balance_minor and pg_trigger_depth() < 2 then
        raise exception 'what a card holds changes by a movement alone'
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update on payments.card
    for each row execute function payments.keep_card();
create trigger no_delete before delete or truncate on payments.card
    for each statement execute function payments.refuse_change();
alter table payments.card enable always trigger keep;
alter table payments.card enable always trigger no_delete;

create function payments.check_card_posting() returns trigger language plpgsql as $$
declare
    code text;
    posted bigint;
    moved bigint;
begin
    if tg_table_name = 'posting' then code := new.account;
    else code := 'stored_value:' || new.card_id::text; end if;
    select coalesce(sum(p.minor), 0) into posted from payments.posting p
        where p.entry_id = new.entry_id and p.account = code;
    select coalesce(sum(m.minor), 0) into moved from payments.card_movement m
        where m.entry_id = new.entry_id and 'stored_value:' || m.card_id::text = code;
    if posted + moved <> 0 then
        raise exception 'entry % and the movements of % differ', new.entry_id, code
            using errcode = 'check_violation', constraint = 'card_is_posted';
    end if;
    return null;
end
$$;
create constraint trigger card_is_posted after insert on payments.card_movement
    deferrable initially deferred
    for each row execute function payments.check_card_posting();
create constraint trigger card_is_posted after insert on payments.posting
    deferrable initially deferred
    for each row when (new.account like 'stored\\_value:%')
    execute function payments.check_card_posting();
alter table payments.card_movement enable always trigger card_is_posted;
alter table payments.posting enable always trigger card_is_posted;
"""


def upgrade() -> None:
    for block in (LEDGER, CARDS, KEPT):
        op.execute(block)


def downgrade() -> None:
    raise NotImplementedError("what cards held by then would be lost")
