"""Orders at channels over several bills of one vehicle, each with its own share.

Revision ID: 0038_merged_orders
Revises: 0037_cabinets

What the payer pays is one sum; what each bill gets of it is fixed before the channel is asked, and
adds up to it. What goes back goes back of a share: both sums are held by the database.
"""

from alembic import op

revision = "0038_merged_orders"
down_revision = "0037_cabinets"
branch_labels = None
depends_on = None

SHARES = """
alter table payments.channel_order alter column bill_id drop not null,
    add column merged boolean not null default false,
    add constraint channel_order_about check (merged = (bill_id is null));

create table payments.order_share (
    id uuid primary key,
    order_id uuid not null references payments.channel_order (id),
    bill_id uuid not null references payments.bill (id),
    amount_minor bigint not null check (amount_minor > 0),
    refunded_minor bigint not null default 0,
    payment_id uuid unique references payments.payment (id),
    unique (order_id, bill_id),
    unique (id, order_id),
    constraint order_share_refunded check (refunded_minor between 0 and amount_minor)
);
create index order_share_bill on payments.order_share (bill_id);

alter table payments.channel_refund add column share_id uuid,
    add constraint channel_refund_share foreign key (share_id, order_id)
        references payments.order_share (id, order_id);

create function payments.keep_order_share() returns trigger language plpgsql as $$
begin
    if (old.id, old.order_id, old.bill_id, old.amount_minor) is distinct from
            (new.id, new.order_id, new.bill_id, new.amount_minor)
        or (old.payment_id is not null and new.payment_id is distinct from old.payment_id)
    then
        raise exception 'a share keeps its bill, its amount and its payment'
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update on payments.order_share
    for each row execute function payments.keep_order_share();
create trigger no_delete before delete or truncate on payments.order_share
    for each statement execute function payments.refuse_change();
alter table payments.order_share enable always trigger keep;
alter table payments.order_share enable always trigger no_delete;

create function payments.check_order_shares() returns trigger language plpgsql as $$
declare
    about uuid;
    held payments.channel_order;
    shared bigint;
    gone bigint;
begin
    if tg_table_name = 'order_share' then about := new.order_id; else about := new.id; end if;
    select * into held from payments.channel_order where id = about;
    select coalesce(sum(amount_minor), 0), coalesce(sum(refunded_minor), 0) into shared, gone
        from payments.order_share where order_id = about;
    if not held.merged or shared <> held.amount_minor or gone <> held.refunded_minor then
        raise exception 'the shares of order % do not add up to it', about
            using errcode = 'check_violation', constraint = 'order_is_shared';
    end if;
    return null;
end
$$;
create constraint trigger order_is_shared after insert or update on payments.order_share
    deferrable initially deferred
    for each row execute function payments.check_order_shares();
create constraint trigger order_is_shared after insert or update on payments.channel_order
    deferrable initially deferred
    for each row when (new.merged) execute function payments.check_order_shares();
alter table payments.order_share enable always trigger order_is_shared;
alter table payments.channel_order enable always trigger order_is_shared;
"""


def upgrade() -> None:
    """Let an order be over several bills."""
    op.execute(SHARES)


def downgrade() -> None:
    """Refuse: which part of a payment was for which bill would be lost."""
    raise NotImplementedError("what was paid for several bills at once by then would be lost")
