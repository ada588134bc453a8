"""Offers: what a stay that goes on costs by now, to be paid online before its vehicle leaves.

Revision ID: 0031_offers
Revises: 0030_signal_schedules

An offer is a bill that nobody owes: it becomes one that is paid ahead when its money comes, or is
withdrawn when the stay is billed. It is never open, and nothing else ever becomes an offer.
"""

from alembic import op

revision = "0031_offers"
down_revision = "0030_signal_schedules"
branch_labels = None
depends_on = None

STATES = """
alter table payments.bill
    drop constraint bill_state_check,
    add constraint bill_state_check check
        (state in ('offered', 'open', 'paid', 'disputed', 'cancelled', 'written-off')),
    add constraint bill_offered check (state <> 'offered' or (part = 'ahead' and paid_minor = 0));
drop index payments.bill_one_ahead;
create unique index bill_one_ahead on payments.bill (session_id, covers_until_at)
    where part = 'ahead' and state not in ('cancelled', 'offered');

create function payments.keep_offer() returns trigger language plpgsql as $$
begin
    raise exception 'an offer is paid or withdrawn, and nothing becomes one'
        using errcode = 'restrict_violation';
end
$$;
create trigger keep_offer before update of state on payments.bill
    for each row when (old.state <> new.state and (new.state = 'offered'
        or (old.state = 'offered' and new.state not in ('paid', 'cancelled'))))
    execute function payments.keep_offer();
alter table payments.bill enable always trigger keep_offer;
"""


def upgrade() -> None:
    """Let bills be offered."""
    op.execute(STATES)


def downgrade() -> None:
    """Refuse: what was offered would be owed."""
    raise NotImplementedError("what is offered by then would be owed")
