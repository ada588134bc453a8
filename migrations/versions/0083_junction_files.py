"""A file per junction: documents in versions; how long signals were heard, by day.

Revision ID: 0083_junction_files
Revises: 0082_signal_work
"""

from alembic import op

revision = "0083_junction_files"
down_revision = "0082_signal_work"
branch_labels = None
depends_on = None

TABLES = """
create table signals.junction_document (
    id uuid primary key,
    network_code text not null,
    signal text not null,
    kind text not null check (kind in ('drawing', 'photo', 'wiring', 'plan', 'other')),
    title text not null check (title <> ''),
    version integer not null check (version >= 1),
    format text not null check (format in ('image/jpeg', 'image/png', 'application/pdf')),
    bytes integer not null check (bytes > 0),
    sha256 text not null,
    picture_id uuid not null,
    note text,
    kept_at timestamptz not null,
    kept_by text not null,
    kept_name text not null,
    unique (network_code, signal, kind, title, version)
);
create index junction_document_latest on signals.junction_document
    (network_code, signal, id desc);
create trigger forbid_change before update or delete or truncate on signals.junction_document
    for each statement execute function signals.forbid_change();
alter table signals.junction_document enable always trigger forbid_change;

create table signals.on_line_look (
    network_id uuid primary key references signals.network (id),
    looked_at timestamptz not null
);
create table signals.on_line_day (
    network_id uuid not null references signals.network (id),
    signal text not null,
    day date not null,
    watched_s double precision not null check (watched_s >= 0),
    heard_s double precision not null check (heard_s between 0 and watched_s),
    primary key (network_id, signal, day)
);
create index on_line_day_day on signals.on_line_day (day);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "drop table signals.on_line_day;"
        "drop table signals.on_line_look;"
        "drop table signals.junction_document;"
    )
