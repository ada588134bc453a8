"""Cabinets on the street bound to signals, and what was sent to each of them.

Revision ID: 0037_cabinets
Revises: 0036_offline_cash
"""

from alembic import op

revision = "0037_cabinets"
down_revision = "0036_offline_cash"
branch_labels = None
depends_on = None

# Instants here are the wall's: lamps and operators live by it, also where the city's clock runs
# faster.
TABLES = """
create table signals.cabinet (
    network_id uuid not null,
    signal text not null,
    protocol text not null check (protocol in ('gbt20999')),
    transport text not null check (transport in ('udp', 'tcp')),
    host text not null,
    port integer not null check (port between 1 and 65535),
    controller bigint not null check (controller between 0 and 4294967295),
    junction integer not null check (junction between 0 and 255),
    dialect jsonb not null check (jsonb_typeof(dialect) = 'object'),
    simulated boolean not null,
    bound_at timestamptz not null,
    bound_by text not null,
    primary key (network_id, signal),
    foreign key (network_id, signal) references signals.signal (network_id, name),
    constraint cabinet_bound_once unique (host, port, controller, junction)
);

create table signals.cabinet_act (
    id uuid primary key,
    network_id uuid not null,
    signal text not null,
    run_id uuid not null references signals.running_plan (id),
    profile text not null,
    status text not null check (status in
        ('waiting', 'sending', 'active', 'not_sent', 'refused', 'unconfirmed', 'reverted',
         'flashing', 'unknown', 'superseded')),
    asked_at timestamptz not null,
    asked_by text not null,
    attempts integer not null default 0 check (attempts >= 0),
    claim uuid,
    began_at timestamptz,
    alive_at timestamptz,
    ended_at timestamptz,
    plan_number integer,
    former_number integer,
    steps jsonb not null default '[]' check (jsonb_typeof(steps) = 'array'),
    foreign key (network_id, signal) references signals.signal (network_id, name),
    constraint cabinet_act_sent
        check (status <> 'sending' or (claim is not null and alive_at is not null)),
    constraint cabinet_act_ended
        check ((status in ('waiting', 'sending')) = (ended_at is null))
);
-- Never two at once at one junction, and of what waits only the last that was asked for.
create unique index cabinet_act_one_sends on signals.cabinet_act (network_id, signal)
    where status = 'sending';
create unique index cabinet_act_one_waits on signals.cabinet_act (network_id, signal)
    where status = 'waiting';
create index cabinet_act_of_signal on signals.cabinet_act (network_id, signal, id desc);
create index cabinet_act_of_run on signals.cabinet_act (run_id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("drop table signals.cabinet_act, signals.cabinet;")
