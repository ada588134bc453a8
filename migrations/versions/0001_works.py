"""Jobs (procrastinate) and the plumbing's own tables.

The SQL of procrastinate 3.10.0 (MIT licence) is kept beside, so that a later release of the
library cannot change what this migration does.
"""

from pathlib import Path

from alembic import op

revision = "0001_works"
down_revision = None
branch_labels = None
depends_on = None

PROCRASTINATE = Path(__file__).resolve().parents[1] / "sql" / "procrastinate_3_10_0.sql"

AS_IT_IS = {"no_parameters": True}
"""For the driver: neither ':' nor '%' has a meaning."""

WORKS = """
create schema works;

create table works.handled_event (
    handler text not null check (handler <> ''),
    event_id uuid not null,
    handled_at timestamptz not null default now(),
    primary key (handler, event_id)
);
create index handled_event_by_age on works.handled_event (handled_at);
comment on table works.handled_event is
    'Which handler has taken which event: what makes handlers idempotent';

create table works.idempotency (
    actor text not null,
    key text not null check (length(key) between 1 and 200),
    route text not null,
    request_hash bytea not null check (length(request_hash) = 32),
    begun_at timestamptz not null,
    status smallint check (status between 100 and 599),
    content_type text,
    body bytea,
    primary key (actor, key)
);
create index idempotency_by_age on works.idempotency (begun_at);
comment on table works.idempotency is
    'Answers given to requests that carried an Idempotency-Key, for the retention period';

create table works.setting (
    name text primary key check (name <> ''),
    value jsonb not null,
    changed_at timestamptz not null
);
comment on table works.setting is 'Settings shared by every process, such as the demo clock';
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(PROCRASTINATE.read_text(), execution_options=AS_IT_IS)
    connection.exec_driver_sql(WORKS, execution_options=AS_IT_IS)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        """
        drop schema works cascade;
        drop table procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs,
            procrastinate_workers cascade;
        do $$
        declare one record;
        begin
            for one in select oid::regprocedure as name from pg_proc
                       where proname like 'procrastinate\\_%' loop
                execute 'drop function ' || one.name || ' cascade';
            end loop;
        end $$;
        drop type procrastinate_job_to_defer_v1, procrastinate_job_status,
            procrastinate_job_event_type cascade;
        """,
        execution_options=AS_IT_IS,
    )
