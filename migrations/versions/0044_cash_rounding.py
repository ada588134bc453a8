"""Cash is taken in steps where a region rules so; what is not asked for is posted as rounding.

Revision ID: 0044_cash_rounding
Revises: 0043_order_purposes

A bill keeps the step that its region ruled when it was issued. What was rounded off is the rest of
the bill below a step, never more, only in cash, and has its own account.
"""

from alembic import op

revision = "0044_cash_rounding"
down_revision = "0043_order_purposes"
branch_labels = None
depends_on = None

ROUNDING = """
alter table payments.account drop constraint account_kind_check,
    add constraint account_kind_check check (kind in (
        'cash', 'receivable', 'advance', 'revenue', 'treasury', 'clearing', 'surplus',
        'platform', 'land_owner', 'written_off', 'suspense', 'fees', 'bank', 'stored_value',
        'rounding'));
alter table payments.arrears_policy
    add column cash_step_minor integer not null default 1
        constraint arrears_policy_cash_step check (cash_step_minor in (1, 10, 50, 100));
alter table payments.bill
    add column cash_step_minor integer not null default 1
        constraint bill_cash_step check (cash_step_minor in (1, 10, 50, 100));
alter table payments.payment
    add column rounded_minor bigint not null default 0,
    drop constraint payment_check,
    add constraint payment_rounded check (rounded_minor >= 0 and rounded_minor < amount_minor
        and (rounded_minor = 0 or channel = 'cash')),
    add constraint payment_tendered check (tendered_minor >= amount_minor - rounded_minor);

create or replace function payments.check_payment_posted() returns trigger language plpgsql as $$
begin
    perform payments.demand_posting(
        'payment', 'payment', new.id, 'receivable', -new.amount_minor, new.currency);
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

-- What was not asked for was never paid: no paper is over it.
create or replace function payments.check_invoice() returns trigger language plpgsql as $$
declare
    standing bigint;
    paid bigint;
begin
    select coalesce(sum(case colour when 'blue' then amount_minor else -amount_minor end), 0)
        into standing from payments.invoice where bill_id = new.bill_id;
    select b.paid_minor - (select coalesce(sum(p.rounded_minor), 0) from payments.payment p
            where p.bill_id = b.id)
        into paid from payments.bill b where b.id = new.bill_id;
    if standing < 0 or (new.colour = 'blue' and standing > paid) then
        raise exception 'invoices stand at % of % paid', standing, paid
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;
"""


def upgrade() -> None:
    """Let regions rule in which steps cash is taken."""
    op.execute(ROUNDING)


def downgrade() -> None:
    """Refuse: what was rounded by then would stand as if it had been taken."""
    raise NotImplementedError("what was rounded by then would stand as if it had been taken")
