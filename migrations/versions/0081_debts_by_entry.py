"""Look a debt's postings up by their entries, never by the account's name.

Revision ID: 0081_debts_by_entry
Revises: 0080_signal_escorts

Checks at commit keep the plan that they were given first. In a database that had just been set up
the planner took `starts_with(account, …)` as a range of the index over accounts, and each payment
that was settled read every posting of its kind until the tables were next analysed: a minute later,
or never. The postings of an entry are now fetched by its number before anything else is asked of
them, whatever the statistics say.
"""

from alembic import op

revision = "0081_debts_by_entry"
down_revision = "0080_signal_escorts"
branch_labels = None
depends_on = None

BY_ENTRY = """
create or replace function payments.posted_owed(
    about_kind text, about uuid, in_currency text, out minor bigint, out late boolean
) language plpgsql stable as $$
declare
    all_late boolean;
begin
    -- "offset 0" keeps the outer conditions out: they must not choose the index.
    select sum(p.minor), bool_or(starts_with(p.account, 'arrears:')),
            bool_and(starts_with(p.account, 'arrears:'))
        into minor, late, all_late
        from payments.entry e cross join lateral (
            select o.account, o.currency, o.minor from payments.posting o
            where o.entry_id = e.id offset 0) p
        where e.kind = about_kind and e.subject = about and p.currency = in_currency
            and (starts_with(p.account, 'receivable:') or starts_with(p.account, 'arrears:'));
    if late <> all_late then
        minor := null;
    end if;
end
$$;

create or replace function payments.on_arrears(of_bill uuid) returns bigint
    language plpgsql stable as $$
begin
    return (
        with subject as (
            select of_bill as id
            union all select p.id from payments.payment p where p.bill_id = of_bill
            union all select u.refund_id from payments.payment_undone u where u.bill_id = of_bill
            union all select a.id from payments.adjustment a where a.bill_id = of_bill
            union all select p.id from payments.penalty p where p.bill_id = of_bill
            union all select w.id from payments.write_off w
                where w.bill_id = of_bill and w.state = 'approved'
            union all select m.id from payments.arrears_move m where m.bill_id = of_bill
        ), about as (
            select e.id from subject s cross join lateral (
                select o.id from payments.entry o where o.subject = s.id offset 0) e
        ), counted as (
            select id from about
            union select r.id from about a cross join lateral (
                select o.id from payments.entry o where o.reverses = a.id offset 0) r
        )
        select coalesce(sum(p.minor), 0) from counted c cross join lateral (
            select o.account, o.minor from payments.posting o
            where o.entry_id = c.id offset 0) p
        where starts_with(p.account, 'arrears:')
    );
end
$$;
"""
AS_PLANNED = """
create or replace function payments.posted_owed(
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

create or replace function payments.on_arrears(of_bill uuid) returns bigint
    language plpgsql stable as $$
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
"""


def upgrade() -> None:
    """Fetch postings by their entry."""
    op.execute(BY_ENTRY)


def downgrade() -> None:
    """Leave it to the planner."""
    op.execute(AS_PLANNED)
