"""That a driver drove off can be taken back: its bill is due again when it was to be.

Revision ID: 0077_escapes_undone
Revises: 0076_arrears_account
"""

from alembic import op

revision = "0077_escapes_undone"
down_revision = "0076_arrears_account"
branch_labels = None
depends_on = None

SAID = """
alter table parking.stay_evidence drop constraint stay_evidence_kind_check;
alter table parking.stay_evidence add constraint stay_evidence_kind_check check (kind in (
    'bay-arrival', 'bay-departure', 'bay-silence', 'bay-still-taken', 'bay-withdrawn',
    'gate-entry', 'gate-exit', 'camera-read', 'plate-seen',
    'driver-start', 'driver-extension', 'driver-end', 'reservation', 'paid-ahead',
    'entry-stated', 'exit-stated', 'ended', 'split', 'joined', 'vehicle-moved',
    'set-aside', 'identified', 'exempted', 'exemption-withdrawn', 'escaped', 'escape-withdrawn'
));
create unique index stay_evidence_escape_withdrawn on parking.stay_evidence (session_id)
    where kind = 'escape-withdrawn';
create index stay_evidence_escapes on parking.stay_evidence (recorded_at desc)
    where kind = 'escaped';
"""

# When a bill that was made due at once was to be due: it goes back there and nowhere else.
DUE = """
create table payments.due_sooner (
    bill_id uuid primary key references payments.bill (id),
    due_at timestamptz not null
);
do $do$
declare
    rules text := pg_get_functiondef('payments.keep_bill()'::regprocedure);
    sooner text := $$ and not (old.state = 'open' and new.state = 'open'
            and new.due_at < old.due_at)$$;
    back text := $$ and not (old.state = 'open' and new.state = 'open'
            and exists (select from payments.due_sooner d
                where d.bill_id = new.id and d.due_at = new.due_at))$$;
begin
    if position(sooner in rules) = 0 then
        raise exception 'the rules of bills are not those that this adds to';
    end if;
    execute replace(rules, sooner, sooner || back);
end
$do$;
"""


def upgrade() -> None:
    """Let evidence say so, once a stay, and an open bill be due again when it was to be."""
    op.execute(SAID)
    op.execute(DUE)


def downgrade() -> None:
    """Refuse: what was taken back could not be told any more."""
    raise NotImplementedError("what was taken back could not be told any more")
