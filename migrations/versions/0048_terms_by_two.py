"""Contracts, policies and rules about exits are agreed to by two people.

Revision ID: 0048_terms_by_two
Revises: 0047_shifts

What is proposed waits, and is never changed. A version is entered with its proposal approved by
another person alone: it says what was proposed, and begins at its approval at the earliest. Those
that stand were entered by one.
"""

from alembic import op

revision = "0048_terms_by_two"
down_revision = "0047_shifts"
branch_labels = None
depends_on = None

DRAFTS = """
create table payments.term_draft (
    id uuid primary key,
    kind text not null check (kind in ('contract', 'policy', 'exit')),
    terms jsonb not null check (jsonb_typeof(terms) = 'object'),
    from_at timestamptz,
    state text not null check (state in ('waiting', 'approved', 'refused')),
    proposed_at timestamptz not null,
    proposed_by text not null check (proposed_by <> ''),
    decided_at timestamptz,
    decided_by text,
    check ((state = 'waiting') = (decided_at is null)),
    check ((decided_at is null) = (decided_by is null)),
    constraint term_draft_second_person check (state <> 'approved' or decided_by <> proposed_by)
);
create index term_draft_waiting on payments.term_draft (id) where state = 'waiting';

create function payments.keep_term_draft() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.state = 'waiting' then return new; end if;
    elsif tg_op = 'UPDATE' then
        if old.state = 'waiting'
            and (to_jsonb(new) - 'state' - 'decided_at' - 'decided_by')
                is not distinct from (to_jsonb(old) - 'state' - 'decided_at' - 'decided_by')
        then
            return new;
        end if;
    end if;
    raise exception 'what was proposed stays as it was, and is decided once'
        using errcode = 'restrict_violation';
end
$$;
create trigger keep before insert or update or delete on payments.term_draft
    for each row execute function payments.keep_term_draft();
create trigger no_truncate before truncate on payments.term_draft
    for each statement execute function payments.refuse_change();
alter table payments.term_draft enable always trigger keep;
alter table payments.term_draft enable always trigger no_truncate;

create function payments.check_term_approved() returns trigger language plpgsql as $$
declare
    draft payments.term_draft;
begin
    select * into draft from payments.term_draft d
        where d.id = new.id and d.kind = tg_argv[0] and d.state = 'approved';
    if not found
        or (to_jsonb(new) - 'id' - 'from_at' - 'agreed_at' - 'agreed_by' - 'approved_by')
            is distinct from draft.terms
        or new.from_at <> greatest(draft.from_at, draft.decided_at)
        or (new.agreed_at, new.agreed_by, new.approved_by)
            is distinct from (draft.decided_at, draft.proposed_by, draft.decided_by)
    then
        raise exception '% % is not what a second person approved', tg_table_name, new.id
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
"""

APPROVED = """
alter table payments.{table} add column approved_by text;
create trigger agreed_by_two before insert on payments.{table}
    for each row execute function payments.check_term_approved('{kind}');
alter table payments.{table} enable always trigger agreed_by_two;
"""
KINDS = (("contract", "contract"), ("arrears_policy", "policy"), ("exit_rule", "exit"))


def upgrade() -> None:
    """Ask for a second person."""
    op.execute(DRAFTS)
    for table, kind in KINDS:
        op.execute(APPROVED.format(table=table, kind=kind))


def downgrade() -> None:
    """Refuse: who approved what would be lost."""
    raise NotImplementedError("who approved what would be lost")
