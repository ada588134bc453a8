"""Shifts, and cash that goes from hand to hand.

Revision ID: 0047_shifts
Revises: 0046_pos_lookups

An attendant has one open shift. What was counted is kept beside what the ledger said; cash that was
accepted, and a count that differs, cannot be committed without their entries.
"""

from alembic import op

revision = "0047_shifts"
down_revision = "0046_pos_lookups"
branch_labels = None
depends_on = None

LEDGER = """
alter table payments.account drop constraint account_kind_check,
    add constraint account_kind_check check (kind in (
        'cash', 'receivable', 'advance', 'revenue', 'treasury', 'clearing', 'surplus',
        'platform', 'land_owner', 'written_off', 'suspense', 'fees', 'bank', 'stored_value',
        'rounding', 'till', 'over_short'));
alter table payments.entry drop constraint entry_kind_check,
    add constraint entry_kind_check check (kind in (
        'bill', 'payment', 'refund', 'reversal', 'adjustment', 'penalty', 'write_off',
        'correction', 'settlement', 'top_up', 'card', 'hand_over', 'count', 'deposit'));
"""

TABLES = """
create table payments.shift (
    id uuid primary key,
    holder text not null check (holder <> ''),
    district text not null,
    place text not null check (place <> ''),
    opened_at timestamptz not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    carried_minor bigint not null,
    state text not null check (state in ('open', 'counted', 'approved')),
    breaks jsonb not null default '[]',
    counted_at timestamptz check (counted_at >= opened_at),
    counted_minor bigint check (counted_minor >= 0),
    pieces jsonb not null default '{}',
    expected_minor bigint,
    late_minor bigint not null default 0,
    note text not null default '',
    approved_at timestamptz,
    approved_by text check (approved_by <> holder),
    answer text not null default '',
    check ((state = 'open') = (counted_at is null)),
    check ((counted_at is null) = (counted_minor is null)),
    check ((counted_at is null) = (expected_minor is null)),
    check ((state = 'approved') = (approved_at is not null)),
    check ((approved_at is null) = (approved_by is null))
);
create unique index shift_open on payments.shift (holder) where state = 'open';
create index shift_holder on payments.shift (holder, opened_at);
create index shift_state on payments.shift (district, state, id);

create table payments.shift_approval (
    id uuid primary key,
    shift_id uuid not null references payments.shift (id),
    late_minor bigint not null,
    answer text not null,
    at timestamptz not null,
    by text not null check (by <> '')
);
create index shift_approval_shift on payments.shift_approval (shift_id);
create trigger append_only before update or delete or truncate on payments.shift_approval
    for each statement execute function payments.refuse_change();
alter table payments.shift_approval enable always trigger append_only;

create table payments.cash_move (
    id uuid primary key,
    district text not null,
    source_kind text not null check (source_kind in ('cash', 'till')),
    source text not null check (source <> ''),
    target_kind text not null check (target_kind in ('cash', 'till', 'bank')),
    target text not null check (target <> ''),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    offered_at timestamptz not null,
    offered_by text not null check (offered_by <> ''),
    state text not null check (state in ('offered', 'accepted', 'refused', 'withdrawn')),
    ended_at timestamptz check (ended_at >= offered_at),
    ended_by text,
    words text not null default '',
    check ((source_kind, source) <> (target_kind, target)),
    check ((state = 'offered') = (ended_at is null)),
    check ((ended_at is null) = (ended_by is null)),
    constraint cash_move_counted_by_another check
        (state <> 'accepted' or target_kind = 'bank' or ended_by <> offered_by),
    check (state <> 'withdrawn' or ended_by = offered_by),
    check (target_kind <> 'bank' or (source_kind = 'till' and state = 'accepted' and words <> ''))
);
create unique index cash_move_slip on payments.cash_move (district, words)
    where target_kind = 'bank';
create index cash_move_from on payments.cash_move (source_kind, source) where state = 'offered';
create index cash_move_to on payments.cash_move (target_kind, target) where state = 'offered';
create index cash_move_state on payments.cash_move (district, state, id);
"""

KEPT = """
create function payments.keep_shift() returns trigger language plpgsql as $$
begin
    if (old.id, old.holder, old.district, old.place, old.opened_at, old.currency,
            old.carried_minor)
        is distinct from (new.id, new.holder, new.district, new.place, new.opened_at,
            new.currency, new.carried_minor)
        or (old.state <> 'open' and (old.counted_at, old.counted_minor, old.pieces,
                old.expected_minor, old.breaks)
            is distinct from (new.counted_at, new.counted_minor, new.pieces,
                new.expected_minor, new.breaks))
        or (old.state = 'approved' and new.state <> 'approved')
        or (old.state = 'counted' and new.state = 'open')
        or (new.late_minor <> old.late_minor and new.state <> 'approved')
    then
        raise exception 'what was counted stays counted' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update on payments.shift
    for each row execute function payments.keep_shift();
create trigger no_delete before delete or truncate on payments.shift
    for each statement execute function payments.refuse_change();
alter table payments.shift enable always trigger keep;
alter table payments.shift enable always trigger no_delete;

create function payments.keep_cash_move() returns trigger language plpgsql as $$
begin
    if old.state <> 'offered'
        or (old.id, old.district, old.source_kind, old.source, old.target_kind, old.target,
            old.amount_minor, old.currency, old.offered_at, old.offered_by)
        is distinct from (new.id, new.district, new.source_kind, new.source, new.target_kind,
            new.target, new.amount_minor, new.currency, new.offered_at, new.offered_by)
    then
        raise exception 'cash that was offered is ended once' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update on payments.cash_move
    for each row execute function payments.keep_cash_move();
create trigger no_delete before delete or truncate on payments.cash_move
    for each statement execute function payments.refuse_change();
alter table payments.cash_move enable always trigger keep;
alter table payments.cash_move enable always trigger no_delete;

create function payments.check_cash_posted() returns trigger language plpgsql as $$
declare
    owed bigint;
    posted bigint;
    code text;
begin
    if tg_table_name = 'shift' then
        select coalesce(s.counted_minor - s.expected_minor - s.late_minor, 0), 'cash:' || s.holder
            into owed, code from payments.shift s where s.id = new.id;
    else
        select case m.state when 'accepted' then m.amount_minor else 0 end,
            m.target_kind || ':' || m.target
            into owed, code from payments.cash_move m where m.id = new.id;
    end if;
    select coalesce(sum(p.minor), 0) into posted from payments.entry e
        join payments.posting p on p.entry_id = e.id
        where p.account = code and e.subject in (select new.id
            union all select a.id from payments.shift_approval a where a.shift_id = new.id);
    if posted <> owed then
        raise exception 'cash moves with its posting alone'
            using errcode = 'check_violation', constraint = 'cash_posted';
    end if;
    return null;
end
$$;
create constraint trigger posted after insert or update on payments.shift
    deferrable initially deferred for each row execute function payments.check_cash_posted();
create constraint trigger posted after insert or update on payments.cash_move
    deferrable initially deferred for each row execute function payments.check_cash_posted();
alter table payments.shift enable always trigger posted;
alter table payments.cash_move enable always trigger posted;
"""


def upgrade() -> None:
    """Add shifts."""
    for part in (LEDGER, TABLES, KEPT):
        op.execute(part)


def downgrade() -> None:
    """Drop them; impossible while the ledger has their entries."""
    op.execute(
        """
        drop table payments.cash_move, payments.shift_approval, payments.shift;
        drop function payments.check_cash_posted, payments.keep_cash_move, payments.keep_shift;
        alter table payments.account drop constraint account_kind_check,
            add constraint account_kind_check check (kind in (
                'cash', 'receivable', 'advance', 'revenue', 'treasury', 'clearing', 'surplus',
                'platform', 'land_owner', 'written_off', 'suspense', 'fees', 'bank',
                'stored_value', 'rounding'));
        alter table payments.entry drop constraint entry_kind_check,
            add constraint entry_kind_check check (kind in (
                'bill', 'payment', 'refund', 'reversal', 'adjustment', 'penalty', 'write_off',
                'correction', 'settlement', 'top_up', 'card'));
        """
    )
