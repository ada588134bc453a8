"""No money without a posting: each fact that moves money has its entry when it commits.

Revision ID: 0042_posted_money
Revises: 0041_taken_back

The ledger balances (0006), cards and their accounts agree (0029); here the rest: what is billed,
paid, given back, lowered, penalised, given up, settled and corrected. A fact names its entry by
kind and subject, which are unique, and what the entry has on the account that the fact is about is
the fact's amount. What a bill counts as paid, lowered, penalised and given back is the sum of those
facts. Checked as it commits, so that who writes may do so in any order; by primary keys and unique
indexes, so that it costs the same however many there are.
"""

from alembic import op

revision = "0042_posted_money"
down_revision = "0041_taken_back"
branch_labels = None
depends_on = None

# What stands is read by the very functions that check what comes.
CHECKS = """
-- In plpgsql, whose plans are kept: a function in SQL would be planned anew for each row.
create function payments.posted(
    about_kind text, about uuid, on_account text, in_currency text
) returns bigint language plpgsql stable as $$
begin
    return (select sum(p.minor) filter (where starts_with(p.account, on_account || ':')
            and p.currency = coalesce(in_currency, p.currency))
        from payments.entry e join payments.posting p on p.entry_id = e.id
        where e.kind = about_kind and e.subject = about);
end
$$;

create function payments.demand_posting(
    fact text, about_kind text, about uuid, on_account text, minor bigint, in_currency text
) returns void language plpgsql stable as $$
begin
    if payments.posted(about_kind, about, on_account, in_currency) is distinct from minor then
        raise exception 'no entry of the ledger moves % % of % on %', minor,
            coalesce(in_currency, 'of its currency'), on_account, fact || ' ' || about
            using errcode = 'check_violation', constraint = 'money_is_posted';
    end if;
end
$$;

create function payments.check_payment_posted() returns trigger language plpgsql as $$
begin
    perform payments.demand_posting(
        'payment', 'payment', new.id, 'receivable', -new.amount_minor, new.currency);
    return null;
end
$$;

create function payments.check_refund_posted() returns trigger language plpgsql as $$
begin
    perform payments.demand_posting(
        'refund', 'refund', new.id, 'cash', -new.amount_minor, new.currency);
    return null;
end
$$;

create function payments.check_bill_posted() returns trigger language plpgsql as $$
begin
    if new.state = 'cancelled' then
        if exists (
            select from payments.entry e
            where e.kind in ('bill', 'adjustment', 'penalty')
                and e.subject in (
                    select new.id
                    union all select a.id from payments.adjustment a where a.bill_id = new.id
                    union all select p.id from payments.penalty p where p.bill_id = new.id)
                and not exists (select from payments.entry r where r.reverses = e.id)
        ) then
            raise exception 'bill % is cancelled, and what was booked for it stands', new.id
                using errcode = 'check_violation', constraint = 'money_is_posted';
        end if;
        return null;
    end if;
    if new.amount_minor > 0 then
        perform payments.demand_posting(
            'bill', 'bill', new.id, 'receivable', new.amount_minor, new.currency);
    end if;
    if new.applied_minor > 0 then
        perform payments.demand_posting(
            'bill', 'bill', new.id, 'advance', new.applied_minor, new.currency);
    end if;
    return null;
end
$$;

create function payments.check_bill_change_posted() returns trigger language plpgsql as $$
declare
    sign integer := case tg_argv[0] when 'penalty' then 1 else -1 end;
begin
    if tg_argv[0] <> 'write_off' or to_jsonb(new) ->> 'state' = 'approved' then
        perform payments.demand_posting(tg_argv[0], tg_argv[0], new.id, 'receivable',
            sign * new.amount_minor, new.currency);
    end if;
    return null;
end
$$;

create function payments.check_order_posted() returns trigger language plpgsql as $$
declare
    share payments.order_share;
begin
    if new.merged then
        for share in select * from payments.order_share s
            where s.order_id = new.id and s.payment_id is null
        loop
            perform payments.demand_posting('share of an order', 'payment', share.id, 'clearing',
                share.amount_minor, new.currency);
        end loop;
    elsif new.bill_id is not null and not exists (
        select from payments.channel_order o where o.id = new.id and o.payment_id is not null
    ) then
        perform payments.demand_posting(
            'order', 'payment', new.id, 'clearing', new.amount_minor, new.currency);
    end if;
    return null;
end
$$;

create function payments.check_order_payment() returns trigger language plpgsql as $$
begin
    -- A payment that an order, or its share, names is of its bill and its amount.
    if not exists (
        select from payments.payment p
        where p.id = new.payment_id and p.bill_id = new.bill_id
            and p.amount_minor = new.amount_minor
    ) then
        raise exception '% % names a payment of another bill or amount', tg_table_name, new.id
            using errcode = 'check_violation', constraint = 'money_is_posted';
    end if;
    return null;
end
$$;

create function payments.check_channel_refund_posted() returns trigger language plpgsql as $$
begin
    perform payments.demand_posting(
        'channel refund', 'refund', new.id, 'clearing', -new.amount_minor, null);
    return null;
end
$$;

create function payments.check_settlement_posted() returns trigger language plpgsql as $$
begin
    -- A day on which nothing moved has no entry.
    if coalesce(payments.posted('settlement', new.id, 'clearing', new.currency), 0)
            <> new.refunded_minor - new.paid_minor
        or coalesce(payments.posted('settlement', new.id, 'fees', new.currency), 0)
            <> new.fee_minor
    then
        raise exception 'no entry of the ledger settles %', new.id
            using errcode = 'check_violation', constraint = 'money_is_posted';
    end if;
    return null;
end
$$;

create function payments.check_difference_posted() returns trigger language plpgsql as $$
begin
    perform payments.demand_posting(
        'difference', 'correction', new.id, 'clearing', new.effect_minor, new.currency);
    return null;
end
$$;

create function payments.paid_of(counted uuid) returns bigint language plpgsql stable as $$
begin
    return (select coalesce(sum(p.amount_minor), 0) from payments.payment p
            where p.bill_id = counted)
        - (select coalesce(sum(u.amount_minor), 0) from payments.payment_undone u
            where u.bill_id = counted);
end
$$;

create function payments.refunded_of(counted uuid) returns bigint language plpgsql stable as $$
begin
    return (select coalesce(sum(r.amount_minor), 0) from payments.channel_order o
            join payments.channel_refund r on r.order_id = o.id and r.state = 'done'
            where o.bill_id = counted and o.payment_id is not null
                and not exists (select from payments.payment_undone u where u.refund_id = r.id))
        + (select coalesce(sum(r.amount_minor), 0) from payments.order_share s
            join payments.channel_refund r on r.share_id = s.id and r.state = 'done'
            where s.bill_id = counted and s.payment_id is not null)
        + (select coalesce(sum(f.amount_minor), 0) from payments.refund f
            where f.bill_id = counted);
end
$$;

create function payments.check_bill_counted() returns trigger language plpgsql as $$
declare
    held payments.bill;
begin
    select * into held from payments.bill b where b.id = new.id;
    -- What did not change is not added up again.
    if (old.paid_minor is distinct from new.paid_minor
            and held.paid_minor <> payments.paid_of(new.id))
        or (old.lowered_minor is distinct from new.lowered_minor
            and held.lowered_minor <> (select coalesce(sum(a.amount_minor), 0)
                from payments.adjustment a where a.bill_id = new.id))
        or (old.penalty_minor is distinct from new.penalty_minor
            and held.penalty_minor <> (select coalesce(sum(p.amount_minor), 0)
                from payments.penalty p where p.bill_id = new.id))
        or (old.refunded_minor is distinct from new.refunded_minor
            and held.refunded_minor <> payments.refunded_of(new.id))
        or (held.state = 'written-off' and not exists (
            select from payments.write_off w where w.bill_id = new.id and w.state = 'approved'))
    then
        raise exception 'bill % counts what did not happen', new.id
            using errcode = 'check_violation', constraint = 'bill_is_counted';
    end if;
    return null;
end
$$;
"""

TRIGGER = """
create constraint trigger {name} after {event} on payments.{table}
    deferrable initially deferred for each row {when} execute function payments.{check};
alter table payments.{table} enable always trigger {name};
"""
BECOMES_PAID = "when (new.state = 'paid' and old.state <> 'paid')"
COUNTED = """when ((old.paid_minor, old.lowered_minor, old.penalty_minor, old.refunded_minor)
        is distinct from (new.paid_minor, new.lowered_minor, new.penalty_minor, new.refunded_minor)
        or (new.state = 'written-off' and old.state <> 'written-off'))"""
ENDS = """when ((old.state = 'offered' and new.state not in ('offered', 'cancelled'))
        or (old.state <> 'offered' and new.state = 'cancelled' and old.state <> 'cancelled'))"""
# Table, event, when, what is checked.
TRIGGERS = (
    ("payment", "insert", "", "check_payment_posted()"),
    ("refund", "insert", "", "check_refund_posted()"),
    ("bill", "insert", "when (new.state <> 'offered')", "check_bill_posted()"),
    ("bill", "update", ENDS, "check_bill_posted()"),
    ("adjustment", "insert", "", "check_bill_change_posted('adjustment')"),
    ("penalty", "insert", "", "check_bill_change_posted('penalty')"),
    ("write_off", "insert or update", "", "check_bill_change_posted('write_off')"),
    ("channel_order", "insert", "when (new.state = 'paid')", "check_order_posted()"),
    ("channel_order", "update", BECOMES_PAID, "check_order_posted()"),
    (
        "channel_refund",
        "insert",
        "when (new.state = 'done')",
        "check_channel_refund_posted()",
    ),
    (
        "channel_refund",
        "update",
        "when (new.state = 'done' and old.state <> 'done')",
        "check_channel_refund_posted()",
    ),
    ("channel_settlement", "insert", "", "check_settlement_posted()"),
    (
        "difference",
        "insert or update",
        "when (new.state = 'resolved' and new.resolution <> 'note')",
        "check_difference_posted()",
    ),
)
OTHERS = (
    (
        "names_its_payment",
        "channel_order",
        "insert or update",
        "when (new.payment_id is not null)",
        "check_order_payment()",
    ),
    (
        "names_its_payment",
        "order_share",
        "insert or update",
        "when (new.payment_id is not null)",
        "check_order_payment()",
    ),
    (
        "bill_is_counted_at_first",
        "bill",
        "insert",
        (
            "when ((new.paid_minor, new.lowered_minor, new.penalty_minor, new.refunded_minor)"
            " <> (0, 0, 0, 0) or new.state = 'written-off')"
        ),
        "check_bill_counted()",
    ),
    ("bill_is_counted", "bill", "update", COUNTED, "check_bill_counted()"),
)

# What stands when the constraints come must keep them, as with any constraint.
STANDING = """
create function payments.unposted() returns table (fact text, id uuid)
    language sql stable
begin atomic
    select 'payment', p.id from payments.payment p
        where payments.posted('payment', p.id, 'receivable', p.currency)
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
    union all select 'adjustment', a.id from payments.adjustment a
        where payments.posted('adjustment', a.id, 'receivable', a.currency)
            is distinct from -a.amount_minor
    union all select 'penalty', p.id from payments.penalty p
        where payments.posted('penalty', p.id, 'receivable', p.currency)
            is distinct from p.amount_minor
    union all select 'write-off', w.id from payments.write_off w
        where w.state = 'approved' and payments.posted('write_off', w.id, 'receivable', w.currency)
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
do $$
declare
    first record;
begin
    select * into first from payments.unposted() limit 1;
    if found then
        raise exception '% % moved money without an entry: post it first', first.fact, first.id;
    end if;
end
$$;
"""


def upgrade() -> None:
    """Refuse what moves money without a posting; what stands must be posted."""
    op.execute(CHECKS)
    for table, event, when, check in TRIGGERS:
        name = "money_is_posted_" + event.split()[-1]
        op.execute(TRIGGER.format(name=name, event=event, table=table, when=when, check=check))
    for name, table, event, when, check in OTHERS:
        op.execute(TRIGGER.format(name=name, event=event, table=table, when=when, check=check))
    op.execute(STANDING)


def downgrade() -> None:
    """Let it be written without again."""
    for table, event, _, _ in TRIGGERS:
        op.execute(f"drop trigger money_is_posted_{event.split()[-1]} on payments.{table}")
    for name, table, *_ in OTHERS:
        op.execute(f"drop trigger {name} on payments.{table}")
    for function in (
        "unposted()",
        "check_payment_posted()",
        "check_refund_posted()",
        "check_bill_posted()",
        "check_bill_change_posted()",
        "check_order_posted()",
        "check_order_payment()",
        "check_channel_refund_posted()",
        "check_settlement_posted()",
        "check_difference_posted()",
        "check_bill_counted()",
        "paid_of(uuid)",
        "refunded_of(uuid)",
        "demand_posting(text, text, uuid, text, bigint, text)",
        "posted(text, uuid, text, text)",
    ):
        op.execute(f"drop function payments.{function}")
