"""Occupancy ahead: what was sampled, the models with their own errors, and the newest forecasts.

Revision ID: 0011_forecasts
Revises: 0010_figures
"""

from alembic import op

revision = "0011_forecasts"
down_revision = "0010_figures"
branch_labels = None
depends_on = None

TABLES = """
-- Bays of a facility by state at an instant; unknown ones are the rest of its bays.
create table parking.occupancy_sample (
    facility_id uuid not null,
    at timestamptz not null,
    free integer not null check (free >= 0),
    occupied integer not null check (occupied >= 0),
    primary key (facility_id, at)
);
create index occupancy_sample_at on parking.occupancy_sample (at);

create table parking.forecast_model (
    facility_id uuid not null,
    horizon_min smallint not null check (horizon_min between 1 and 1440),
    version integer not null check (version > 0),
    district text not null,
    trained_at timestamptz not null,
    from_at timestamptz not null,
    until_at timestamptz not null,
    days integer not null,
    -- On the last fifth of the days, as shares of capacity; null where none could be judged.
    judged integer not null,
    mae double precision,
    persistence_mae double precision,
    last_week_mae double precision,
    coverage90 double precision,
    model jsonb not null,
    primary key (facility_id, horizon_min, version)
);
create index forecast_model_district on parking.forecast_model (district, trained_at);

create table parking.forecast (
    facility_id uuid not null,
    horizon_min smallint not null,
    version integer not null,
    made_at timestamptz not null,
    for_at timestamptz not null,
    occupied double precision not null,
    low90 double precision not null,
    high90 double precision not null,
    bays integer not null,
    primary key (facility_id, horizon_min)
);

create table parking.chance_model (
    district text not null,
    facility_id uuid,
    version integer not null check (version > 0),
    fitted_at timestamptz not null,
    from_at timestamptz not null,
    until_at timestamptz not null,
    changes integer not null,
    taken_per_s double precision[] not null check (array_length(taken_per_s, 1) = 168),
    freed_per_s double precision[] not null check (array_length(freed_per_s, 1) = 168),
    judged integer not null,
    brier double precision,
    brier_base double precision,
    bins jsonb not null,
    unique nulls not distinct (district, facility_id, version)
);
create index chance_model_facility on parking.chance_model (facility_id, version);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "drop table parking.chance_model, parking.forecast, parking.forecast_model,"
        " parking.occupancy_sample"
    )
