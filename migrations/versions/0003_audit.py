"""Audit: the append-only record, its queue of unsealed rows and its hash chain.

Revision ID: 0003_audit
Revises: 0002_people

A record is never changed: the seal stands in a table of its own, and the queue of what is still
to be sealed in another, filled by a trigger, so that a row written past ``city.audit`` is queued
all the same. The triggers that forbid change are ``enable always``: they hold for the owner, for
superusers and under ``session_replication_role = replica``.
"""

from alembic import op

revision = "0003_audit"
down_revision = "0002_people"
branch_labels = None
depends_on = None

TABLES = """
create table audit.record (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    actor_kind text not null check (actor_kind in ('person', 'device', 'integration', 'system')),
    actor_subject text not null,
    actor_account_id uuid,
    actor_roles text[] not null,
    action text not null check (action ~ '^[a-z][a-z0-9._-]{2,79}$'),
    subject_kind text not null,
    subject_id text not null,
    detail jsonb not null check (jsonb_typeof(detail) = 'object')
);
create index record_of_subject on audit.record (subject_kind, subject_id, id);
create index record_of_actor on audit.record (actor_subject, id);
create index record_of_action on audit.record (action, id);
create index record_age on audit.record (at);

create table audit.unsealed (
    record_id bigint primary key,
    tx xid8 not null default pg_current_xact_id()
);
create index unsealed_order on audit.unsealed (tx, record_id);

create table audit.seal (
    number bigint primary key check (number > 0),
    record_id bigint not null unique,
    sealed_at timestamptz not null,
    previous_hash bytea not null check (length(previous_hash) = 32),
    hash bytea not null unique check (length(hash) = 32)
);
"""

QUEUE = """
create function audit.queue_record() returns trigger language plpgsql as $$
begin
    insert into audit.unsealed (record_id) select id from fresh;
    return null;
end
$$;

create trigger queue_record after insert on audit.record
    referencing new table as fresh
    for each statement execute function audit.queue_record();
alter table audit.record enable always trigger queue_record;
"""

FORBID = """
create function audit.forbid_change() returns trigger language plpgsql as $$
begin
    raise exception 'audit.% is append-only', tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

create trigger forbid_change before update or delete or truncate on audit.record
    for each statement execute function audit.forbid_change();
alter table audit.record enable always trigger forbid_change;

create trigger forbid_change before update or delete or truncate on audit.seal
    for each statement execute function audit.forbid_change();
alter table audit.seal enable always trigger forbid_change;

create trigger forbid_change before update or truncate on audit.unsealed
    for each statement execute function audit.forbid_change();
alter table audit.unsealed enable always trigger forbid_change;
"""


def upgrade() -> None:
    """Create the schema, its tables and the triggers that guard them."""
    op.execute("create schema audit")
    for part in (TABLES, QUEUE, FORBID):
        op.execute(part)


def downgrade() -> None:
    """Drop the schema with all it holds."""
    op.execute("drop schema audit cascade")
