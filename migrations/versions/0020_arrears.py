"""Contracts, closed periods, bills paid in parts, and what is done about those that are not paid.

Revision ID: 0020_arrears
Revises: 0019_signal_plans

Nothing is posted into a closed period, whoever writes: a trigger refuses it, and closing waits for
those that are posting. Contracts and policies begin at or after the instant they were agreed at,
and are kept: what was booked under one stays right.
"""

from alembic import op

revision = "0020_arrears"
down_revision = "0019_signal_plans"
branch_labels = None
depends_on = None

LEDGER = """
alter table payments.account drop constraint account_kind_check,
    add constraint account_kind_check check (kind in (
        'cash', 'receivable', 'advance', 'revenue', 'treasury', 'clearing', 'surplus',
        'platform', 'land_owner', 'written_off', 'suspense'));
alter table payments.entry drop constraint entry_kind_check,
    add constraint entry_kind_check check (kind in (
        'bill', 'payment', 'refund', 'reversal', 'adjustment', 'penalty', 'write_off',
        'correction')),
    add column happened_at timestamptz,
    add constraint entry_late check (happened_at < at);
create index entry_subject on payments.entry (subject);

create table payments.contract (
    id uuid primary key,
    operator_id uuid not null,
    facility_id uuid,
    from_at timestamptz not null,
    shares jsonb not null check (jsonb_typeof(shares) = 'array'),
    agreed_at timestamptz not null,
    agreed_by text not null,
    check (from_at >= agreed_at),
    constraint contract_one_begins unique nulls not distinct (operator_id, facility_id, from_at)
);

create table payments.period (
    until_at timestamptz primary key,
    closed_at timestamptz not null,
    closed_by text not null,
    check (until_at <= closed_at)
);
create table payments.period_balance (
    account text not null references payments.account (code),
    currency text not null,
    until_at timestamptz not null references payments.period (until_at),
    minor bigint not null,
    primary key (account, currency, until_at) include (minor)
);
"""

PERIODS = """
create function payments.check_period() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'posting' then
        if new.at is distinct from
            (select e.at from payments.entry e where e.id = new.entry_id)
        then
            raise exception 'a posting has the date of its entry'
                using errcode = 'check_violation', constraint = 'posting_dated_as_entry';
        end if;
    end if;
    if new.at < (select max(until_at) from payments.period) then
        raise exception 'the period of % is closed', new.at
            using errcode = 'check_violation', constraint = 'period_is_open';
    end if;
    return new;
end
$$;
create trigger period_is_open before insert on payments.entry
    for each row execute function payments.check_period();
create trigger period_is_open before insert on payments.posting
    for each row execute function payments.check_period();
alter table payments.entry enable always trigger period_is_open;
alter table payments.posting enable always trigger period_is_open;

create function payments.check_next_period() returns trigger language plpgsql as $$
begin
    if new.until_at <= (select max(until_at) from payments.period) then
        raise exception 'periods are closed in order'
            using errcode = 'check_violation', constraint = 'periods_in_order';
    end if;
    return new;
end
$$;
create trigger in_order before insert on payments.period
    for each row execute function payments.check_next_period();
alter table payments.period enable always trigger in_order;
"""

BILLS = """
alter table payments.payment drop constraint payment_bill_id_key;
create index payment_bill on payments.payment (bill_id, taken_at);

alter table payments.bill
    add column paid_minor bigint not null default 0,
    add column lowered_minor bigint not null default 0 check (lowered_minor >= 0),
    add column penalty_minor bigint not null default 0 check (penalty_minor >= 0),
    add column refunded_minor bigint not null default 0,
    add column next_step_at timestamptz,
    drop constraint bill_state_check,
    add constraint bill_state_check check
        (state in ('open', 'paid', 'disputed', 'cancelled', 'written-off'));
alter table payments.bill disable trigger keep;
update payments.bill b set
    paid_minor = case state when 'paid' then amount_minor else 0 end,
    next_step_at = case when state in ('open', 'disputed') then due_at - interval '3 days' end,
    refunded_minor = coalesce((
        select sum(r.amount_minor) from payments.channel_order o
        join payments.channel_refund r on r.order_id = o.id and r.state = 'done'
        where o.bill_id = b.id and o.payment_id is not null), 0);
alter table payments.bill enable always trigger keep;
alter table payments.bill
    add constraint bill_paid_part check (
        paid_minor between 0 and amount_minor - lowered_minor + penalty_minor),
    add constraint bill_paid_whole check (
        state <> 'paid' or paid_minor = amount_minor - lowered_minor + penalty_minor),
    add constraint bill_refunded check (refunded_minor between 0 and paid_minor);
create index bill_next_step on payments.bill (next_step_at) where state = 'open';
create index bill_due on payments.bill (due_at, id) where state in ('open', 'disputed');

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

ARREARS = """
create table payments.arrears_policy (
    id uuid primary key,
    district text check (district ~ '^[0-9a-z]{2,12}$'),
    from_at timestamptz not null,
    days_to_pay integer not null check (days_to_pay between 0 and 3650),
    steps jsonb not null check (jsonb_typeof(steps) = 'array'),
    privileges text[] not null,
    source text not null check (length(source) between 1 and 500),
    agreed_at timestamptz not null,
    agreed_by text not null,
    check (from_at >= agreed_at),
    constraint arrears_policy_one_begins unique nulls not distinct (district, from_at)
);

create table payments.arrears_step (
    bill_id uuid not null references payments.bill (id),
    place smallint not null check (place >= 0),
    kind text not null check (kind in ('reminder', 'notice', 'penalty', 'court')),
    taken_at timestamptz not null,
    left_out boolean not null,
    primary key (bill_id, place)
);

create table payments.arrears_notice (
    id uuid primary key,
    bill_id uuid not null references payments.bill (id),
    vehicle_id uuid not null,
    place smallint not null,
    kind text not null check (kind in ('reminder', 'notice')),
    medium text not null check (medium in ('message', 'letter', 'slip')),
    accounts text[] not null,
    text text not null check (length(text) between 1 and 4000),
    state text not null check (state in ('waiting', 'sent', 'delivered', 'failed')),
    made_at timestamptz not null,
    sent_at timestamptz,
    delivered_at timestamptz,
    provider text not null default '',
    provider_no text not null default '',
    proof jsonb,
    unique (bill_id, place, medium),
    check ((state = 'delivered') = (delivered_at is not null)),
    check (state <> 'delivered' or proof is not null)
);
create index arrears_notice_waiting on payments.arrears_notice (made_at)
    where state = 'waiting' and medium <> 'slip';
create index arrears_notice_slip on payments.arrears_notice (vehicle_id)
    where state = 'waiting' and medium = 'slip';

create table payments.local_post (
    notice_id uuid primary key,
    number bigint generated always as identity,
    medium text not null,
    accounts text[] not null,
    text text not null,
    kept_at timestamptz not null
);

create table payments.penalty (
    id uuid primary key,
    bill_id uuid not null references payments.bill (id),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    at timestamptz not null,
    reason text not null check (reason <> '')
);
create index penalty_bill on payments.penalty (bill_id);

create table payments.adjustment (
    id uuid primary key,
    bill_id uuid not null references payments.bill (id),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    reason text not null check (length(reason) between 3 and 500),
    role text not null check (role in ('operator', 'finance')),
    made_at timestamptz not null,
    made_by text not null
);
create index adjustment_bill on payments.adjustment (bill_id);

create table payments.write_off (
    id uuid primary key,
    bill_id uuid not null references payments.bill (id),
    state text not null check (state in ('asked', 'approved', 'refused')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    reason text not null check (length(reason) between 3 and 500),
    asked_at timestamptz not null,
    asked_by text not null,
    decided_at timestamptz,
    decided_by text,
    check ((state = 'asked') = (decided_at is null)),
    check ((decided_at is null) = (decided_by is null)),
    constraint write_off_second_person check (decided_by <> asked_by)
);
create unique index write_off_one_open on payments.write_off (bill_id) where state = 'asked';
create unique index write_off_once on payments.write_off (bill_id) where state = 'approved';
create index write_off_state on payments.write_off (state, id);
"""

APPEND_ONLY = """
create trigger append_only before update or delete or truncate on payments.{table}
    for each statement execute function payments.refuse_change();
alter table payments.{table} enable always trigger append_only;
"""
KEPT = ("contract", "period", "period_balance", "arrears_policy", "penalty", "adjustment")


def upgrade() -> None:
    for block in (LEDGER, PERIODS, BILLS, ARREARS):
        op.execute(block)
    for table in KEPT:
        op.execute(APPEND_ONLY.format(table=table))


def downgrade() -> None:
    raise NotImplementedError("what was paid in parts, adjusted and closed by then would be lost")
