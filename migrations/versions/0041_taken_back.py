"""A payment is taken back by its own void alone; papers of such a bill are taken back too.

Revision ID: 0041_taken_back
Revises: 0040_pos_terminals

What says that a payment was taken back lets its bill be owed again, so it has to be about one
payment, its bill, all of its amount, the void that went back of its order, and a posting of that.
A red paper lowers what stands on paper: it is taken even while more stands than was kept.

Terminals' batches are held against ours under a name of their own: channel `pos` is the acquirer's
bill, and what both find is posted by the bill alone.
"""

from alembic import op

revision = "0041_taken_back"
down_revision = "0040_pos_terminals"
branch_labels = None
depends_on = None

UNDONE = """
create function payments.check_undone() returns trigger language plpgsql as $$
begin
    if not exists (
        select from payments.payment p
        join payments.channel_order o on o.payment_id = p.id
        join payments.channel_refund r on r.order_id = o.id
        where p.id = new.payment_id and p.bill_id = new.bill_id and o.bill_id = new.bill_id
            and p.amount_minor = new.amount_minor and o.refunded_minor = new.amount_minor
            and r.id = new.refund_id and r.void and r.state = 'done'
            and r.amount_minor = new.amount_minor)
    then
        raise exception 'a payment is taken back whole, by the void of its own order'
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create trigger told_true after insert on payments.payment_undone
    for each row execute function payments.check_undone();
alter table payments.payment_undone enable always trigger told_true;

create function payments.check_undone_posted() returns trigger language plpgsql as $$
begin
    if not exists (
        select from payments.entry e join payments.posting p on p.entry_id = e.id
        where e.kind = 'refund' and e.subject = new.refund_id
            and p.account like 'clearing:%' and p.minor = -new.amount_minor)
    then
        raise exception 'a payment that is taken back is posted back'
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;
create constraint trigger posted after insert on payments.payment_undone
    deferrable initially deferred
    for each row execute function payments.check_undone_posted();
alter table payments.payment_undone enable always trigger posted;
"""

PAPERS = """
create or replace function payments.check_invoice() returns trigger language plpgsql as $$
declare
    standing bigint;
    paid bigint;
begin
    select coalesce(sum(case colour when 'blue' then amount_minor else -amount_minor end), 0)
        into standing from payments.invoice where bill_id = new.bill_id;
    select paid_minor into paid from payments.bill where id = new.bill_id;
    if standing < 0 or (new.colour = 'blue' and standing > paid) then
        raise exception 'invoices stand at % of % paid', standing, paid
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;
"""

BATCHES = """
alter table payments.reconciliation drop constraint reconciliation_channel_check,
    add constraint reconciliation_channel_check check
    (channel in ('wechat', 'alipay', 'unionpay', 'stays', 'cards', 'ledger', 'pos', 'pos-batches'));
alter table payments.difference drop constraint difference_channel_check,
    add constraint difference_channel_check check
    (channel in ('wechat', 'alipay', 'unionpay', 'stays', 'cards', 'ledger', 'pos', 'pos-batches'));
-- Runs are never changed but here: those of batches get their own name, as a run of channel `pos`
-- would say that the acquirer's bill of its day was held against ours.
alter table payments.reconciliation disable trigger append_only;
update payments.reconciliation set channel = 'pos-batches' where channel = 'pos';
alter table payments.reconciliation enable always trigger append_only;
update payments.difference set channel = 'pos-batches', effect_minor = 0
    where channel = 'pos' and state <> 'resolved' and coalesce(resolution, 'note') = 'note';
"""


def upgrade() -> None:
    """Hold what takes payments back to what really went back."""
    for block in (UNDONE, PAPERS, BATCHES):
        op.execute(block)


def downgrade() -> None:
    """Refuse: two sources of differences would be mixed."""
    raise NotImplementedError("two sources of differences would be mixed")
