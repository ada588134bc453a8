"""Acts of terminals, how far each terminal's count has come, and who was signed in.

Revision ID: 0028_terminal_acts
Revises: 0027_terminals

An act is written once with what became of it and never changed: a trigger says so.
"""

from alembic import op

revision = "0028_terminal_acts"
down_revision = "0027_terminals"
branch_labels = None
depends_on = None

TABLES = """
create table terminals.act (
    id uuid primary key,
    terminal_id uuid not null references terminals.terminal (id),
    sequence bigint not null check (sequence >= 1),
    kind text not null,
    account_id uuid not null,
    device_at timestamptz not null,
    offset_ms bigint,
    at timestamptz not null,
    basis text not null check (basis in ('measured', 'on-upload')),
    received_at timestamptz not null,
    detail jsonb not null,
    outcome text not null check (outcome in ('done', 'refused')),
    reason text not null default '',
    words text not null default '',
    effect jsonb,
    constraint act_number unique (terminal_id, sequence),
    check (at <= received_at),
    check ((outcome = 'refused') = (reason <> ''))
);
create index act_refused on terminals.act (id) where outcome = 'refused';

create function terminals.keep_act() returns trigger language plpgsql as $$
begin
    raise exception 'what was done on a terminal stays as it was told'
        using errcode = 'restrict_violation';
end
$$;
create trigger keep before update or delete on terminals.act
    for each row execute function terminals.keep_act();
alter table terminals.act enable always trigger keep;

create table terminals.act_count (
    terminal_id uuid primary key references terminals.terminal (id),
    last_sequence bigint not null check (last_sequence >= 0),
    received bigint not null check (received >= 0 and received <= last_sequence),
    refused bigint not null check (refused >= 0 and refused <= received)
);

create table terminals.sign_in (
    id uuid primary key,
    terminal_id uuid not null references terminals.terminal (id),
    account_id uuid not null,
    from_at timestamptz not null,
    until_at timestamptz,
    check (until_at >= from_at)
);
create unique index sign_in_one on terminals.sign_in (terminal_id) where until_at is null;
create index sign_in_terminal on terminals.sign_in (terminal_id, from_at desc);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Refuse: what attendants did would be lost."""
    raise NotImplementedError("what attendants did would be lost")
