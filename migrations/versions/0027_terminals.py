"""Terminals: their keys, running numbers, enrolment codes and how they do.

Revision ID: 0027_terminals
Revises: 0026_invoices

A terminal that is revoked stays so, and its running number never goes back under one key: a
trigger says so.
"""

from alembic import op

revision = "0027_terminals"
down_revision = "0026_invoices"
branch_labels = None
depends_on = None

TABLES = """
create schema terminals;

create table terminals.terminal (
    id uuid primary key,
    name text not null check (length(name) between 1 and 120),
    district text not null,
    state text not null check (state in ('awaited', 'active', 'locked', 'revoked')),
    state_reason text not null default '',
    registered_at timestamptz not null,
    registered_by text not null,
    enrolled_at timestamptz,
    public_key bytea constraint terminal_key unique check (length(public_key) = 64),
    code_digest bytea constraint terminal_code unique check (length(code_digest) = 32),
    code_expires_at timestamptz,
    last_sequence bigint not null default 0 check (last_sequence >= 0),
    missed_requests bigint not null default 0 check (missed_requests >= 0),
    heard_at timestamptz,
    app_version text,
    check ((code_digest is null) = (code_expires_at is null)),
    check (state not in ('active', 'locked') or public_key is not null),
    check (state <> 'revoked' or code_digest is null)
);
create unique index terminal_name on terminals.terminal (name) where state <> 'revoked';

create function terminals.keep_terminal() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (old.state = 'revoked' and new.state <> 'revoked') then
        raise exception 'a terminal stays on record, and revoked it stays revoked'
            using errcode = 'restrict_violation';
    end if;
    if new.public_key is not distinct from old.public_key
        and new.last_sequence < old.last_sequence
    then
        raise exception 'a running number never goes back' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep before update or delete on terminals.terminal
    for each row execute function terminals.keep_terminal();
alter table terminals.terminal enable always trigger keep;

create table terminals.health (
    terminal_id uuid primary key references terminals.terminal (id),
    at timestamptz not null,
    battery_percent integer check (battery_percent between 0 and 100),
    charging boolean,
    network text,
    longitude double precision,
    latitude double precision,
    accuracy_m double precision,
    app_version text not null,
    tariffs_version text,
    acts_waiting integer not null check (acts_waiting >= 0),
    oldest_waiting_at timestamptz,
    clock_behind_ms bigint
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Refuse: keys of terminals in the field would be lost."""
    raise NotImplementedError("keys of terminals in the field would be lost")
