"""Chance models: versions of a group's rates and how they were judged."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from city.identifiers import DistrictCode, FacilityId
from parking.rules.finding.chance import Bin, Calibration, Rates

VERSIONS_KEPT: Final = 10


@dataclass(frozen=True, slots=True)
class ChanceModel:
    """A version of a group's model; the group of a district's model is all its bays.

    Attributes
    ----------
    facility_id
        None for the district's.
    changes
        On record between `from_at` and `until_at`.
    calibration
        On days that the judged rates were not fitted on; None where there were too few.
    """

    district: DistrictCode
    facility_id: FacilityId | None
    fitted_at: datetime
    from_at: datetime
    until_at: datetime
    changes: int
    rates: Rates
    calibration: Calibration | None
    version: int = 0


KEEP: Final = text(
    "insert into parking.chance_model (district, facility_id, version, fitted_at, from_at,"
    " until_at, changes, taken_per_s, freed_per_s, judged, brier, brier_base, bins)"
    " select cast(:district as text), cast(:facility_id as uuid), coalesce(max(version), 0) + 1,"
    " cast(:fitted_at as timestamptz), cast(:from_at as timestamptz),"
    " cast(:until_at as timestamptz), cast(:changes as int), cast(:taken as float8[]),"
    " cast(:freed as float8[]), cast(:judged as int), cast(:brier as float8),"
    " cast(:brier_base as float8), cast(:bins as jsonb)"
    " from parking.chance_model where district = :district"
    " and facility_id is not distinct from cast(:facility_id as uuid)"
)

FORGET: Final = text(
    "delete from parking.chance_model old using (select district, facility_id,"
    " max(version) as newest from parking.chance_model where district = :district"
    " group by district, facility_id) kept"
    " where old.district = kept.district"
    " and old.facility_id is not distinct from kept.facility_id"
    " and old.version <= kept.newest - :kept"
)

NEWEST: Final = text(
    "select distinct on (facility_id) * from parking.chance_model"
    " where facility_id = any(:facilities) order by facility_id, version desc"
)

NEWEST_OF_DISTRICTS: Final = text(
    "select distinct on (district) * from parking.chance_model"
    " where facility_id is null order by district, version desc"
)


def keep(connection: Connection, models: Sequence[ChanceModel]) -> None:
    """Add a version of each model and forget the oldest; a batch of one district at a time.

    Two fits of one district at once: the primary key lets one of them fail.
    """
    if not models:
        return
    connection.execute(KEEP, [_values(each) for each in models])
    connection.execute(FORGET, {"district": models[0].district, "kept": VERSIONS_KEPT})


def of_facilities(
    connection: Connection, facility_ids: Iterable[FacilityId]
) -> dict[FacilityId, ChanceModel]:
    """Give the newest model of each facility that has one; one statement."""
    rows = connection.execute(NEWEST, {"facilities": list(facility_ids)})
    return {FacilityId(row.facility_id): _model(row) for row in rows}


def of_districts(connection: Connection) -> dict[DistrictCode, ChanceModel]:
    """Give the newest model of each district that has one."""
    return {
        DistrictCode(row.district): _model(row) for row in connection.execute(NEWEST_OF_DISTRICTS)
    }


def _values(model: ChanceModel) -> dict[str, Any]:
    judged = model.calibration
    return {
        "district": model.district,
        "facility_id": model.facility_id,
        "fitted_at": model.fitted_at,
        "from_at": model.from_at,
        "until_at": model.until_at,
        "changes": model.changes,
        "taken": list(model.rates.taken_per_s),
        "freed": list(model.rates.freed_per_s),
        "judged": 0 if judged is None else judged.rows,
        "brier": None if judged is None else judged.brier,
        "brier_base": None if judged is None else judged.brier_base,
        "bins": json.dumps(
            []
            if judged is None
            else [[each.rows, each.foretold, each.came_true] for each in judged.bins]
        ),
    }


def _model(row: Row[Any]) -> ChanceModel:
    bins: list[tuple[int, float, float]] = row.bins
    judged = (
        Calibration(
            row.judged,
            row.brier,
            row.brier_base,
            tuple(Bin(int(n), float(x), float(y)) for n, x, y in bins),
        )
        if row.judged
        else None
    )
    return ChanceModel(
        district=DistrictCode(row.district),
        facility_id=None if row.facility_id is None else FacilityId(row.facility_id),
        fitted_at=row.fitted_at,
        from_at=row.from_at,
        until_at=row.until_at,
        changes=row.changes,
        rates=Rates(tuple(row.taken_per_s), tuple(row.freed_per_s)),
        calibration=judged,
        version=row.version,
    )
