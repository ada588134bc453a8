"""Work orders of signals with their history, and the policy of their deadlines; maintainers.

Revision ID: 0082_signal_work
Revises: 0081_debts_by_entry
"""

from alembic import op

revision = "0082_signal_work"
down_revision = "0081_debts_by_entry"
branch_labels = None
depends_on = None

TABLES = """
create table signals.work_policy (
    number integer primary key check (number >= 1),
    document jsonb not null check (jsonb_typeof(document) = 'object'),
    set_at timestamptz not null,
    set_by text not null,
    set_name text not null,
    reason text not null check (reason <> '')
);
create trigger forbid_change before update or delete or truncate on signals.work_policy
    for each statement execute function signals.forbid_change();
alter table signals.work_policy enable always trigger forbid_change;

create table signals.work_order (
    id uuid primary key,
    -- By the network's code: a junction keeps its history over revisions of its network.
    network_code text not null,
    network_id uuid not null references signals.network (id),
    signal text not null,
    kind text not null check (kind in ('controller', 'lamp', 'detector', 'line', 'clock', 'power',
                                       'cabinet', 'other')),
    priority text not null check (priority in ('urgent', 'high', 'normal', 'low')),
    what_zh text not null check (what_zh <> ''),
    what_en text not null check (what_en <> ''),
    origin text not null check (origin in ('alarm', 'hand', 'rule')),
    -- Alarms are forgotten after three years, orders are not.
    alarm_id uuid,
    code text,
    subject text,
    limits jsonb not null check (jsonb_typeof(limits) = 'object'),
    state text not null check (state in ('open', 'taken', 'done', 'checked', 'withdrawn')),
    raised_at timestamptz not null,
    raised_by text not null,
    raised_name text not null,
    assignee text,
    assignee_name text,
    taken_at timestamptz,
    done_at timestamptz,
    done_by text,
    done_name text,
    ended_at timestamptz,
    ended_by text,
    ended_name text,
    due_at timestamptz,
    constraint work_order_of_alarm check ((origin = 'hand') = (alarm_id is null)),
    constraint work_order_alarm_whole check (
        (alarm_id is null) = (code is null) and (code is null) = (subject is null)),
    constraint work_order_taken check (state <> 'taken' or assignee is not null),
    constraint work_order_done check (state not in ('done', 'checked') or done_by is not null),
    constraint work_order_ends check ((state in ('checked', 'withdrawn')) = (ended_at is not null)),
    constraint work_order_due check ((due_at is null) = (ended_at is not null)),
    -- Who did the work does not look it over.
    constraint work_order_two_people check (state <> 'checked' or ended_by <> done_by)
);
-- One fault is one order until that is over.
create unique index work_order_fault on signals.work_order (network_code, signal, code, subject)
    where code is not null and state in ('open', 'taken', 'done');
create index work_order_due_at on signals.work_order (due_at, id) where due_at is not null;
create index work_order_of_signal on signals.work_order (network_code, signal, id desc);
create index work_order_alarm on signals.work_order (alarm_id) where alarm_id is not null;

create table signals.work_entry (
    order_id uuid not null references signals.work_order (id),
    number integer not null check (number >= 1),
    at timestamptz not null,
    actor text not null,
    actor_name text not null,
    what text not null,
    words text,
    other_name text,
    picture_id uuid,
    format text,
    sha256 text,
    primary key (order_id, number),
    constraint work_entry_picture check (
        (picture_id is null) = (format is null) and (format is null) = (sha256 is null))
);
create unique index work_entry_once on signals.work_entry (order_id, sha256)
    where sha256 is not null;
create trigger forbid_change before update or delete or truncate on signals.work_entry
    for each statement execute function signals.forbid_change();
alter table signals.work_entry enable always trigger forbid_change;
"""

ROLES = """
alter table people.account drop constraint account_roles_check;
alter table people.account add constraint account_roles_check check (
    roles <@ array['driver', 'attendant', 'inspector', 'operator', 'finance', 'engineer',
                   'auditor', 'administrator', 'escort'{more}]
    and cardinality(roles) > 0
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(ROLES.format(more=", 'maintainer'"))


def downgrade() -> None:
    op.execute("update people.account set roles = array_remove(roles, 'maintainer')")
    op.execute(ROLES.format(more=""))
    op.execute(
        "drop table signals.work_entry;"
        "drop table signals.work_order;"
        "drop table signals.work_policy;"
    )
