"""Orders at channels that top up a stored-value card, beside those over bills.

Revision ID: 0043_order_purposes
Revises: 0042_posted_money

An order is for one bill, for several by its shares, or for a card: one of the three, and for ever.
What came onto the card is named by its movement, which is about this order and all of its amount.
"""

from alembic import op

revision = "0043_order_purposes"
down_revision = "0042_posted_money"
branch_labels = None
depends_on = None

PURPOSES = """
alter table payments.channel_order
    add column card_id uuid references payments.card (id),
    add column movement_id uuid unique references payments.card_movement (id),
    drop constraint channel_order_about,
    add constraint channel_order_about
        check (num_nonnulls(bill_id, card_id) + merged::int = 1),
    add constraint channel_order_topped_up
        check (movement_id is null or (state = 'paid' and card_id is not null)),
    add constraint channel_order_paid_a_bill check (payment_id is null or card_id is null);
create index channel_order_card on payments.channel_order (card_id, id) where card_id is not null;
create index card_movement_online on payments.card_movement (at)
    where kind = 'top-up' and reference <> '';

create function payments.keep_purpose() returns trigger language plpgsql as $$
begin
    if (old.card_id, old.merged) is distinct from (new.card_id, new.merged)
        or (old.movement_id is not null and new.movement_id is distinct from old.movement_id)
    then
        raise exception 'an order at a channel keeps what it is for'
            using errcode = 'restrict_violation';
    end if;
    if new.movement_id is distinct from old.movement_id and not exists (
        select from payments.card_movement m where m.id = new.movement_id
            and m.kind = 'top-up' and m.card_id = new.card_id
            and m.reference = new.order_no and m.minor = new.amount_minor)
    then
        raise exception 'order % did not come onto its card by this', new.order_no
            using errcode = 'check_violation', constraint = 'order_tops_up';
    end if;
    return new;
end
$$;
create trigger keep_purpose before update on payments.channel_order
    for each row execute function payments.keep_purpose();
alter table payments.channel_order enable always trigger keep_purpose;

create or replace function payments.check_order_posted() returns trigger language plpgsql as $$
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
    elsif not exists (
        -- What came onto a card is posted with its movement (0029), which names this order.
        select from payments.channel_order o where o.id = new.id
            and (o.payment_id is not null or o.movement_id is not null)
    ) then
        perform payments.demand_posting(
            'order', 'payment', new.id, 'clearing', new.amount_minor, new.currency);
    end if;
    return null;
end
$$;
"""


def upgrade() -> None:
    """Let an order be over a top-up."""
    op.execute(PURPOSES)


def downgrade() -> None:
    """Refuse: for what money came would be lost."""
    raise NotImplementedError("what was topped up online by then would be lost")
