"""Payments: bills, payments, and the double-entry ledger.

Revision ID: 0006_payments
Revises: 0005_parking

What is written in the ledger stays: entries, postings and payments refuse every change, for the
owner too (the triggers are ``enable always``). That an entry balances is checked at commit, when
all of its postings are there. A bill's amount, lines and parties never change, only its state.
"""

from alembic import op

revision = "0006_payments"
down_revision = "0005_parking"
branch_labels = None
depends_on = None

TABLES = """
create table payments.account (
    code text primary key check (code ~ '^[a-z_]+:[A-Za-z0-9._@:-]{1,120}$'),
    kind text not null check (kind in ('cash', 'receivable', 'revenue', 'treasury')),
    holder text not null,
    opened_at timestamptz not null,
    check (code = kind || ':' || holder)
);

create table payments.entry (
    id uuid primary key,
    at timestamptz not null,
    kind text not null check (kind in ('bill', 'payment', 'reversal')),
    subject uuid not null,
    reverses uuid unique references payments.entry (id),
    reason text not null check (length(reason) between 1 and 500),
    written_by text not null,
    check ((kind = 'reversal') = (reverses is not null)),
    unique (kind, subject)
);

create table payments.posting (
    entry_id uuid not null references payments.entry (id),
    place smallint not null check (place >= 0),
    account text not null references payments.account (code),
    minor bigint not null check (minor <> 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    at timestamptz not null,
    primary key (entry_id, place)
);
-- A balance, also as of an instant, is an index-only scan.
create index posting_account on payments.posting (account, currency, at) include (minor);

create table payments.bill (
    id uuid primary key,
    session_id uuid not null unique,
    vehicle_id uuid not null,
    facility_id uuid not null,
    district text not null check (district ~ '^[0-9a-z]{2,12}$'),
    operator_id uuid not null,
    revenue_nature text not null check (revenue_nature in ('commercial', 'public_non_tax')),
    tariff_version_id uuid not null,
    amount_minor bigint not null check (amount_minor >= 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    lines jsonb not null check (jsonb_typeof(lines) = 'array'),
    issued_at timestamptz not null,
    due_at timestamptz not null,
    state text not null check (state in ('open', 'paid')),
    paid_at timestamptz,
    check (due_at >= issued_at),
    check ((state = 'paid') = (paid_at is not null)),
    check (amount_minor > 0 or state = 'paid')
);
create index bill_state on payments.bill (state, id);
create index bill_facility on payments.bill (facility_id, id);
create index bill_vehicle on payments.bill (vehicle_id, issued_at);

create table payments.payment (
    id uuid primary key,
    bill_id uuid not null unique references payments.bill (id),
    channel text not null check (channel in ('cash')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    tendered_minor bigint not null,
    taken_at timestamptz not null,
    taken_by text not null,
    check (tendered_minor >= amount_minor)
);
create index payment_taken on payments.payment (taken_by, taken_at);
"""

IMMUTABLE = """
create function payments.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '%.% is append-only: reverse it instead', tg_table_schema, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create function payments.keep_bill() returns trigger language plpgsql as $$
begin
    if (to_jsonb(new) - 'state' - 'paid_at') is distinct from (to_jsonb(old) - 'state' - 'paid_at')
    then
        raise exception 'a bill keeps its amount, lines and parties'
            using errcode = 'restrict_violation';
    end if;
    if old.state = 'paid' then
        raise exception 'a paid bill stays paid' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger keep before update on payments.bill
    for each row execute function payments.keep_bill();
create trigger no_delete before delete or truncate on payments.bill
    for each statement execute function payments.refuse_change();
alter table payments.bill enable always trigger keep;
alter table payments.bill enable always trigger no_delete;
"""

APPEND_ONLY = """
create trigger append_only before update or delete or truncate on payments.{table}
    for each statement execute function payments.refuse_change();
alter table payments.{table} enable always trigger append_only;
"""

BALANCED = """
create function payments.check_balance() returns trigger language plpgsql as $$
declare
    entry uuid;
    postings integer;
begin
    if tg_table_name = 'entry' then entry := new.id; else entry := new.entry_id; end if;
    select count(*) into postings from payments.posting p where p.entry_id = entry;
    if postings < 2 or exists (
        select from payments.posting p where p.entry_id = entry
        group by p.currency having sum(p.minor) <> 0
    ) then
        raise exception 'ledger entry % does not balance', entry
            using errcode = 'check_violation', constraint = 'entry_balances';
    end if;
    return null;
end
$$;

create constraint trigger entry_balances after insert on payments.entry
    deferrable initially deferred for each row execute function payments.check_balance();
create constraint trigger posting_balances after insert on payments.posting
    deferrable initially deferred for each row execute function payments.check_balance();
alter table payments.entry enable always trigger entry_balances;
alter table payments.posting enable always trigger posting_balances;
"""


def upgrade() -> None:
    op.execute("create schema payments")
    for block in (TABLES, IMMUTABLE, BALANCED):
        op.execute(block)
    for table in ("account", "entry", "posting", "payment"):
        op.execute(APPEND_ONLY.format(table=table))


def downgrade() -> None:
    op.execute("drop schema payments cascade")
