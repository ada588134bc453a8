"""Alarms of signals: raised and cleared by the watcher, acknowledged by people.

Revision ID: 0054_signal_alarms
Revises: 0053_pos_settlements
"""

from alembic import op

revision = "0054_signal_alarms"
down_revision = "0053_pos_settlements"
branch_labels = None
depends_on = None

TABLES = """
create table signals.alarm (
    id uuid primary key,
    network_id uuid not null,
    signal text not null,
    code text not null,
    subject text not null,
    severity text not null check (severity in ('high', 'medium')),
    value double precision not null,
    limit_value double precision not null,
    facts jsonb not null check (jsonb_typeof(facts) = 'object'),
    since_at timestamptz not null,
    raised_at timestamptz not null,
    seen_at timestamptz not null,
    cleared_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    note text,
    foreign key (network_id, signal) references signals.signal (network_id, name),
    constraint alarm_acknowledged
        check ((acknowledged_at is null) = (acknowledged_by is null)
               and (note is null or acknowledged_at is not null))
);
-- One thing wrong is one alarm until it is over.
create unique index alarm_open on signals.alarm (network_id, signal, code, subject)
    where cleared_at is null;
create index alarm_of_network on signals.alarm (network_id, id desc);
create index alarm_of_signal on signals.alarm (network_id, signal, id desc);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop table signals.alarm;")
