"""Invoices and receipts for what was paid, and the local provider's numbers.

Revision ID: 0026_invoices
Revises: 0025_three_way

Blue less red is never above what a bill was paid: a trigger says so. What is issued stays.
"""

from alembic import op

revision = "0026_invoices"
down_revision = "0025_three_way"
branch_labels = None
depends_on = None

TABLES = """
create table payments.invoice (
    id uuid primary key,
    bill_id uuid not null references payments.bill (id),
    kind text not null check (kind in ('vat', 'fiscal')),
    colour text not null check (colour in ('blue', 'red')),
    state text not null check (state in ('asked', 'issued')),
    amount_minor bigint not null check (amount_minor > 0),
    tax_minor bigint not null check (tax_minor >= 0 and tax_minor <= amount_minor),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    rate_bp integer not null check (rate_bp between 0 and 10000),
    buyer_title text not null check (length(buyer_title) between 1 and 100),
    buyer_tax_no text not null,
    seller_id uuid not null,
    of_id uuid references payments.invoice (id),
    asked_at timestamptz not null,
    serial text unique,
    code text not null default '',
    provider text not null default '',
    issued_at timestamptz,
    check ((colour = 'red') = (of_id is not null)),
    check (kind = 'vat' or tax_minor = 0),
    check ((state = 'issued') = (serial is not null and issued_at is not null))
);
create index invoice_bill on payments.invoice (bill_id, id);
create index bill_refunded on payments.bill (id) where refunded_minor > 0;
create index invoice_asked on payments.invoice (id) where state = 'asked';

create function payments.check_invoice() returns trigger language plpgsql as $$
declare
    standing bigint;
    paid bigint;
begin
    select coalesce(sum(case colour when 'blue' then amount_minor else -amount_minor end), 0)
        into standing from payments.invoice where bill_id = new.bill_id;
    select paid_minor into paid from payments.bill where id = new.bill_id;
    if standing > paid or standing < 0 then
        raise exception 'invoices stand at % of % paid', standing, paid
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create trigger bounded after insert on payments.invoice
    for each row execute function payments.check_invoice();
alter table payments.invoice enable always trigger bounded;

create function payments.keep_invoice() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state = 'issued'
        or (to_jsonb(new) - array['state', 'serial', 'code', 'provider', 'issued_at'])
            is distinct from
            (to_jsonb(old) - array['state', 'serial', 'code', 'provider', 'issued_at'])
    then
        raise exception 'what was invoiced stays: a red one takes it back'
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update or delete on payments.invoice
    for each row execute function payments.keep_invoice();
alter table payments.invoice enable always trigger keep;

create table payments.local_invoice (
    invoice_id uuid primary key,
    number bigint generated always as identity unique,
    issued_at timestamptz not null
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Refuse: invoices would be lost."""
    raise NotImplementedError("what was invoiced by then would be lost")
