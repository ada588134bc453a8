"""Detectors and phases in bins of five minutes, and what the daily watchdog found.

Revision ID: 0051_signal_bins
Revises: 0050_detector_data
"""

from alembic import op

revision = "0051_signal_bins"
down_revision = "0050_detector_data"
branch_labels = None
depends_on = None

TABLES = """
create table signals.fold_mark (
    network_id uuid primary key references signals.network (id),
    until_at timestamptz not null
);

create table signals.detector_bin (
    place integer not null,
    channel integer not null,
    from_at timestamptz not null,
    state text not null check (state in ('ok', 'stuck', 'chattering', 'silent', 'unknown')),
    vehicles integer check (vehicles >= 0),
    occupied_s real,
    held_since timestamptz,
    idle_since timestamptz,
    expected_since_idle real not null,
    imputed real check (imputed >= 0),
    source text check (source in ('past', 'siblings')),
    constraint detector_bin_imputed check ((imputed is null) = (source is null)),
    -- What can be believed is never replaced.
    constraint detector_bin_counted check
        (state <> 'ok' or (imputed is null and vehicles is not null)),
    primary key (place, channel, from_at)
) partition by range (from_at);
create index detector_bin_at on signals.detector_bin (from_at, place);
create table signals.detector_bin_default partition of signals.detector_bin default;

create table signals.phase_bin (
    place integer not null,
    phase integer not null,
    from_at timestamptz not null,
    cycles integer,
    split_failures integer,
    arrivals integer,
    on_green real check (on_green between 0 and 1),
    primary key (place, phase, from_at)
) partition by range (from_at);
create index phase_bin_at on signals.phase_bin (from_at, place);
create table signals.phase_bin_default partition of signals.phase_bin default;

create table signals.finding (
    place integer not null references signals.place (place),
    day date not null,
    code text not null,
    subject text not null,
    severity text not null check (severity in ('high', 'medium')),
    value double precision not null,
    limit_value double precision not null,
    zh text not null,
    en text not null,
    found_at timestamptz not null,
    primary key (place, day, code, subject)
);
create index finding_of_day on signals.finding (day);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "drop table signals.finding, signals.phase_bin, signals.detector_bin, signals.fold_mark;"
    )
