"""Forecast models, version by version with their own errors, and the newest forecasts."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from city.identifiers import DistrictCode, FacilityId

VERSIONS_KEPT: Final = 3


@dataclass(frozen=True, slots=True)
class Judgement:
    """Errors on the last fifth of the days, as shares of capacity; None where none was judged."""

    rows: int
    mae: float | None
    persistence_mae: float | None
    last_week_mae: float | None
    coverage90: float | None


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A version of a model. `model` is its JSON (`parking.rules.forecast.serving`)."""

    facility_id: FacilityId
    district: DistrictCode
    horizon_min: int
    trained_at: datetime
    from_at: datetime
    until_at: datetime
    days: int
    judgement: Judgement
    model: Any
    version: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """Occupied bays ahead, with the interval that covers nine of ten."""

    facility_id: FacilityId
    horizon_min: int
    version: int
    made_at: datetime
    for_at: datetime
    occupied: float
    low90: float
    high90: float
    bays: int


KEEP_MODELS: Final = text(
    "insert into parking.forecast_model (facility_id, horizon_min, version, district, trained_at,"
    " from_at, until_at, days, judged, mae, persistence_mae, last_week_mae, coverage90, model)"
    " select cast(:facility_id as uuid), cast(:horizon_min as smallint),"
    " coalesce(max(version), 0) + 1, cast(:district as text), cast(:trained_at as timestamptz),"
    " cast(:from_at as timestamptz), cast(:until_at as timestamptz), cast(:days as int),"
    " cast(:judged as int), cast(:mae as float8), cast(:persistence_mae as float8),"
    " cast(:last_week_mae as float8), cast(:coverage90 as float8), cast(:model as jsonb)"
    " from parking.forecast_model"
    " where facility_id = cast(:facility_id as uuid)"
    " and horizon_min = cast(:horizon_min as smallint)"
)

FORGET_MODELS: Final = text(
    "delete from parking.forecast_model old using (select facility_id, horizon_min,"
    " max(version) as newest from parking.forecast_model where district = :district"
    " group by facility_id, horizon_min) kept"
    " where old.facility_id = kept.facility_id and old.horizon_min = kept.horizon_min"
    " and old.version <= kept.newest - :kept"
)

NEWEST_MODELS: Final = text(
    "select distinct on (facility_id, horizon_min) * from parking.forecast_model"
    " where district = :district order by facility_id, horizon_min, version desc"
)

LAST_TRAINED: Final = text(
    "select max(trained_at) from parking.forecast_model where district = :district"
)

KEEP_FORECASTS: Final = text(
    "insert into parking.forecast (facility_id, horizon_min, version, made_at, for_at, occupied,"
    " low90, high90, bays)"
    " select * from unnest(cast(:facility_id as uuid[]), cast(:horizon_min as smallint[]),"
    " cast(:version as int[]), cast(:made_at as timestamptz[]), cast(:for_at as timestamptz[]),"
    " cast(:occupied as float8[]), cast(:low90 as float8[]), cast(:high90 as float8[]),"
    " cast(:bays as int[]))"
    " on conflict (facility_id, horizon_min) do update set version = excluded.version,"
    " made_at = excluded.made_at, for_at = excluded.for_at, occupied = excluded.occupied,"
    " low90 = excluded.low90, high90 = excluded.high90, bays = excluded.bays"
    " where forecast.made_at <= excluded.made_at"
)

FORECASTS: Final = text(
    "select f.*, m.trained_at, m.judged, m.mae, m.persistence_mae, m.last_week_mae, m.coverage90"
    " from parking.forecast f join parking.forecast_model m"
    " using (facility_id, horizon_min, version)"
    " where f.facility_id = :facility order by f.horizon_min"
)


def keep_models(connection: Connection, models: Sequence[StoredModel]) -> None:
    """Add a version of each model and forget the oldest; a batch of one district at a time."""
    if not models:
        return
    connection.execute(
        KEEP_MODELS,
        [
            {
                "facility_id": each.facility_id,
                "horizon_min": each.horizon_min,
                "district": each.district,
                "trained_at": each.trained_at,
                "from_at": each.from_at,
                "until_at": each.until_at,
                "days": each.days,
                "judged": each.judgement.rows,
                "mae": each.judgement.mae,
                "persistence_mae": each.judgement.persistence_mae,
                "last_week_mae": each.judgement.last_week_mae,
                "coverage90": each.judgement.coverage90,
                "model": json.dumps(each.model, allow_nan=False),
            }
            for each in models
        ],
    )
    connection.execute(FORGET_MODELS, {"district": models[0].district, "kept": VERSIONS_KEPT})


def newest_models(connection: Connection, district: DistrictCode) -> list[StoredModel]:
    """Give the newest version of each model of a district."""
    return [
        StoredModel(
            FacilityId(row.facility_id),
            DistrictCode(row.district),
            row.horizon_min,
            row.trained_at,
            row.from_at,
            row.until_at,
            row.days,
            Judgement(row.judged, row.mae, row.persistence_mae, row.last_week_mae, row.coverage90),
            row.model,
            row.version,
        )
        for row in connection.execute(NEWEST_MODELS, {"district": district})
    ]


def last_trained_at(connection: Connection, district: DistrictCode) -> datetime | None:
    """Give when a district's models were last trained."""
    found: datetime | None = connection.execute(
        LAST_TRAINED, {"district": district}
    ).scalar_one_or_none()
    return found


def keep_forecasts(connection: Connection, forecasts: Iterable[Forecast]) -> None:
    """Keep the newest forecast of each place and horizon, in one statement."""
    rows = list(forecasts)
    if rows:
        names = ("facility_id", "horizon_min", "version", "made_at", "for_at", "occupied")
        connection.execute(
            KEEP_FORECASTS,
            {
                name: [getattr(each, name) for each in rows]
                for name in (*names, "low90", "high90", "bays")
            },
        )


def forecasts(
    connection: Connection, facility_id: FacilityId
) -> list[tuple[Forecast, datetime, Judgement]]:
    """Give a facility's newest forecasts with their models' training instant and errors."""
    return [
        (
            Forecast(
                FacilityId(row.facility_id),
                row.horizon_min,
                row.version,
                row.made_at,
                row.for_at,
                row.occupied,
                row.low90,
                row.high90,
                row.bays,
            ),
            row.trained_at,
            Judgement(row.judged, row.mae, row.persistence_mae, row.last_week_mae, row.coverage90),
        )
        for row in connection.execute(FORECASTS, {"facility": facility_id})
    ]
