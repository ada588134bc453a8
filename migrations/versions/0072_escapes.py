"""A stay whose driver drove off without paying: said once, and its bill is due at once.

Revision ID: 0072_escapes
Revises: 0071_reading_rates
"""

from alembic import op

revision = "0072_escapes"
down_revision = "0071_reading_rates"
branch_labels = None
depends_on = None

SAID = """
alter table parking.stay_evidence drop constraint stay_evidence_kind_check;
alter table parking.stay_evidence add constraint stay_evidence_kind_check check (kind in (
    'bay-arrival', 'bay-departure', 'bay-silence', 'bay-still-taken', 'bay-withdrawn',
    'gate-entry', 'gate-exit', 'camera-read', 'plate-seen',
    'driver-start', 'driver-extension', 'driver-end', 'reservation', 'paid-ahead',
    'entry-stated', 'exit-stated', 'ended', 'split', 'joined', 'vehicle-moved',
    'set-aside', 'identified', 'exempted', 'exemption-withdrawn', 'escaped'
));
create unique index stay_evidence_escaped on parking.stay_evidence (session_id)
    where kind = 'escaped';
"""

# Later than it was a bill is never due but by a dispute; sooner, where its driver drove off.
DUE = """
do $do$
declare
    rules text := pg_get_functiondef('payments.keep_bill()'::regprocedure);
    kept text := $$(old.state = 'disputed' and new.state = 'open' and new.due_at > old.due_at)$$;
    sooner text := $$ and not (old.state = 'open' and new.state = 'open'
            and new.due_at < old.due_at)$$;
begin
    if position(kept in rules) = 0 then
        raise exception 'the rules of bills are not those that this adds to';
    end if;
    execute replace(rules, kept, kept || sooner);
end
$do$;
"""


def upgrade() -> None:
    """Let evidence say so, once a stay, and an open bill be due sooner."""
    op.execute(SAID)
    op.execute(DUE)


def downgrade() -> None:
    """Refuse: what was said of drivers could not be told any more."""
    raise NotImplementedError("what was said of drivers could not be told any more")
