"""What is overdue stands on an account of its own: arrears beside receivable.

Revision ID: 0076_arrears_account
Revises: 0075_refunds_by_person

A bill's whole debt stands on one of the two, which its `in_arrears` says. It is moved by a fact
(`arrears_move`) with an entry of its own; what is paid, lowered, added or given up is booked where
the debt stands by then. Held as the rest of 0042 is, when it commits: what a bill's entries have
among the arrears in sum is what is left of it, or nothing.

Nothing is moved here, which knows no business time: the job that moves what falls overdue each ten
minutes finds what was overdue before, and its entries stand in the open period.
"""

from alembic import op

revision = "0076_arrears_account"
down_revision = "0075_refunds_by_person"
branch_labels = None
depends_on = None

TABLES = """
alter table payments.account drop constraint account_kind_check,
    add constraint account_kind_check check (kind in (
        'cash', 'receivable', 'arrears', 'advance', 'revenue', 'treasury', 'clearing', 'surplus',
        'platform', 'land_owner', 'written_off', 'suspense', 'fees', 'bank', 'stored_value',
        'rounding', 'till', 'over_short'));
alter table payments.entry drop constraint entry_kind_check,
    add constraint entry_kind_check check (kind in (
        'bill', 'payment', 'refund', 'reversal', 'adjustment', 'penalty', 'write_off', 'arrears',
        'correction', 'settlement', 'top_up', 'card', 'hand_over', 'count', 'deposit'));
alter table payments.bill add column in_arrears boolean not null default false;
create index bill_falls_overdue on payments.bill (due_at, id)
    where state = 'open' and not in_arrears;
create table payments.arrears_move (
    id uuid primary key,
    bill_id uuid not null references payments.bill (id),
    amount_minor bigint not null check (amount_minor <> 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    in_arrears boolean not null,
    moved_at timestamptz not null,
    reason text not null check (reason <> '')
);
create index arrears_move_bill on payments.arrears_move (bill_id);
create trigger append_only before update or delete or truncate on payments.arrears_move
    for each statement execute function payments.refuse_change();
alter table payments.arrears_move enable always trigger append_only;
-- What one person gives back in a day is added up, for its limit.
create index refund_by on payments.refund (refunded_by, refunded_at);
"""

# The rules of 0045 and 0072 stay as they are: a mark more may change.
KEPT = """
do $do$
declare
    rules text := pg_get_functiondef('payments.keep_bill()'::regprocedure);
    kept text := $$was.next_step_at = new.next_step_at;$$;
begin
    if position(kept in rules) = 0 then
        raise exception 'the rules of bills are not those that this adds to';
    end if;
    execute replace(rules, kept, kept || $$
    was.in_arrears = new.in_arrears;$$);
end
$do$;
"""

CHECKS = """
-- What a fact's entry has on the account of the debt, whichever of the two it stands on.
create function payments.posted_owed(
    about_kind text, about uuid, in_currency text, out minor bigint, out late boolean
) language plpgsql stable as $$
declare
    all_late boolean;
begin
    select sum(p.minor), bool_or(starts_with(p.account, 'arrears:')),
            bool_and(starts_with(p.account, 'arrears:'))
        into minor, late, all_late
        from payments.entry e join payments.posting p on p.entry_id = e.id
        where e.kind = about_kind and e.subject = about and p.currency = in_currency
            and (starts_with(p.account, 'receivable:') or starts_with(p.account, 'arrears:'));
    if late <> all_late then
        minor := null;
    end if;
end
$$;

-- What a bill's own entries, and their reversals, have among the arrears.
create function payments.on_arrears(of_bill uuid) returns bigint language plpgsql stable as $$
begin
    return (
        with about as (
            select e.id from payments.entry e where e.subject in (
                select of_bill
                union all select p.id from payments.payment p where p.bill_id = of_bill
                union all select u.refund_id from payments.payment_undone u
                    where u.bill_id = of_bill
                union all select a.id from payments.adjustment a where a.bill_id = of_bill
                union all select p.id from payments.penalty p where p.bill_id = of_bill
                union all select w.id from payments.write_off w
                    where w.bill_id = of_bill and w.state = 'approved'
                union all select m.id from payments.arrears_move m where m.bill_id = of_bill))
        select coalesce(sum(p.minor), 0) from payments.posting p
        where starts_with(p.account, 'arrears:') and p.entry_id in (
            select id from about
            union all select r.id from payments.entry r where r.reverses in (select id from about))
    );
end
$$;

create function payments.should_be_on_arrears(b payments.bill) returns bigint
    language sql immutable
    return case when b.in_arrears and b.state in ('open', 'paid')
        then b.amount_minor - b.lowered_minor + b.penalty_minor - b.paid_minor else 0 end;

create function payments.demand_one_account(of_bill uuid) returns void
    language plpgsql stable as $$
declare
    held payments.bill;
begin
    select * into held from payments.bill b where b.id = of_bill;
    if (held.in_arrears and held.state in ('offered', 'disputed', 'cancelled'))
        or payments.on_arrears(of_bill) <> payments.should_be_on_arrears(held)
    then
        raise exception 'the debt of bill % stands on two accounts', of_bill
            using errcode = 'check_violation', constraint = 'debt_on_one_account';
    end if;
end
$$;

create function payments.demand_owed(
    fact text, about_kind text, about uuid, of_bill uuid, minor bigint, in_currency text
) returns void language plpgsql stable as $$
declare
    posted record;
begin
    select * into posted from payments.posted_owed(about_kind, about, in_currency);
    if posted.minor is distinct from minor then
        raise exception 'no entry of the ledger moves % % of % on receivable or arrears', minor,
            in_currency, fact || ' ' || about
            using errcode = 'check_violation', constraint = 'money_is_posted';
    end if;
    if posted.late then
        perform payments.demand_one_account(of_bill);
    end if;
end
$$;

create function payments.check_debt_account() returns trigger language plpgsql as $$
begin
    perform payments.demand_one_account(new.id);
    return null;
end
$$;

create function payments.check_arrears_move_posted() returns trigger language plpgsql as $$
begin
    perform payments.demand_posting(
        'move to the arrears', 'arrears', new.id, 'arrears', new.amount_minor, new.currency);
    perform payments.demand_posting(
        'move to the arrears', 'arrears', new.id, 'receivable', -new.amount_minor, new.currency);
    perform payments.demand_one_account(new.bill_id);
    return null;
end
$$;

create or replace function payments.check_payment_posted() returns trigger language plpgsql as $$
begin
    perform payments.demand_owed(
        'payment', 'payment', new.id, new.bill_id, -new.amount_minor, new.currency);
    if new.rounded_minor > 0 then
        perform payments.demand_posting(
            'payment', 'payment', new.id, 'rounding', new.rounded_minor, new.currency);
        if new.rounded_minor >= (select b.cash_step_minor from payments.bill b
                where b.id = new.bill_id) then
            raise exception 'payment % is rounded by a step or more', new.id
                using errcode = 'check_violation', constraint = 'payment_rounded';
        end if;
    end if;
    return null;
end
$$;

create or replace function payments.check_bill_change_posted() returns trigger
    language plpgsql as $$
declare
    sign integer := case tg_argv[0] when 'penalty' then 1 else -1 end;
begin
    if tg_argv[0] <> 'write_off' or to_jsonb(new) ->> 'state' = 'approved' then
        perform payments.demand_owed(tg_argv[0], tg_argv[0], new.id, new.bill_id,
            sign * new.amount_minor, new.currency);
    end if;
    return null;
end
$$;

create or replace function payments.check_undone_posted() returns trigger language plpgsql as $$
begin
    if not exists (
        select from payments.entry e join payments.posting p on p.entry_id = e.id
        where e.kind = 'refund' and e.subject = new.refund_id
            and p.account like 'clearing:%' and p.minor = -new.amount_minor)
    then
        raise exception 'a payment that is taken back is posted back'
            using errcode = 'check_violation';
    end if;
    perform payments.demand_owed('payment taken back', 'refund', new.refund_id, new.bill_id,
        new.amount_minor, (select p.currency from payments.payment p where p.id = new.payment_id));
    return null;
end
$$;

create constraint trigger money_is_posted_insert after insert on payments.arrears_move
    deferrable initially deferred for each row
    execute function payments.check_arrears_move_posted();
alter table payments.arrears_move enable always trigger money_is_posted_insert;
create constraint trigger debt_on_one_account_at_first after insert on payments.bill
    deferrable initially deferred for each row when (new.in_arrears)
    execute function payments.check_debt_account();
alter table payments.bill enable always trigger debt_on_one_account_at_first;
create constraint trigger debt_on_one_account after update on payments.bill
    deferrable initially deferred for each row
    when (((old.in_arrears or new.in_arrears)
            and (old.in_arrears, old.state, old.paid_minor, old.lowered_minor, old.penalty_minor)
            is distinct from
            (new.in_arrears, new.state, new.paid_minor, new.lowered_minor, new.penalty_minor))
        or (new.state = 'cancelled' and old.state not in ('cancelled', 'offered')))
    execute function payments.check_debt_account();
alter table payments.bill enable always trigger debt_on_one_account;
"""

STANDING = """
create or replace function payments.unposted() returns table (fact text, id uuid)
    language sql stable
begin atomic
    select 'payment', p.id from payments.payment p
        where (payments.posted_owed('payment', p.id, p.currency)).minor
            is distinct from -p.amount_minor
    union all select 'refund', r.id from payments.refund r
        where payments.posted('refund', r.id, 'cash', r.currency)
            is distinct from -r.amount_minor
    union all select 'bill', b.id from payments.bill b
        where b.state <> 'offered' and b.amount_minor > 0
            and payments.posted('bill', b.id, 'receivable', b.currency)
                is distinct from b.amount_minor
            and not (b.state = 'cancelled' and not exists (select from payments.entry e
                where e.kind = 'bill' and e.subject = b.id))
    union all select 'bill counted', b.id from payments.bill b
        where b.state <> 'offered' and (b.paid_minor <> payments.paid_of(b.id)
            or b.refunded_minor <> payments.refunded_of(b.id))
    union all select 'debt on two accounts', b.id from payments.bill b
        where (b.in_arrears or exists (
                select from payments.arrears_move m where m.bill_id = b.id))
            and payments.on_arrears(b.id) <> payments.should_be_on_arrears(b)
    union all select 'arrears move', m.id from payments.arrears_move m
        where payments.posted('arrears', m.id, 'arrears', m.currency)
            is distinct from m.amount_minor
    union all select 'adjustment', a.id from payments.adjustment a
        where (payments.posted_owed('adjustment', a.id, a.currency)).minor
            is distinct from -a.amount_minor
    union all select 'penalty', p.id from payments.penalty p
        where (payments.posted_owed('penalty', p.id, p.currency)).minor
            is distinct from p.amount_minor
    union all select 'write-off', w.id from payments.write_off w
        where w.state = 'approved'
            and (payments.posted_owed('write_off', w.id, w.currency)).minor
                is distinct from -w.amount_minor
    union all select 'order', o.id from payments.channel_order o
        where o.state = 'paid' and o.payment_id is null and o.bill_id is not null
            and payments.posted('payment', o.id, 'clearing', o.currency)
                is distinct from o.amount_minor
    union all select 'share of an order', s.id from payments.order_share s
        join payments.channel_order o on o.id = s.order_id and o.state = 'paid'
        where s.payment_id is null and payments.posted('payment', s.id, 'clearing', o.currency)
            is distinct from s.amount_minor
    union all select 'channel refund', r.id from payments.channel_refund r
        where r.state = 'done' and payments.posted('refund', r.id, 'clearing', null)
            is distinct from -r.amount_minor;
end;
"""


def upgrade() -> None:
    """Give arrears their account, and hold each bill's debt to one of the two."""
    for block in (TABLES, KEPT, CHECKS, STANDING):
        op.execute(block)


def downgrade() -> None:
    """Refuse: what stands on the account by then would have none."""
    raise NotImplementedError("what stands among the arrears by then would have no account")
