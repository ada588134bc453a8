"""From recorded changes to kept models and forecasts, on the real database and live store."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import inspect, text

from city.identifiers import BayId, DistrictCode, FacilityId, OperatorId, uuid7
from city.places import Position
from parking import forecasting
from parking.adapters.live_store import FacilityNow
from parking.learning_chances import learn_chances, tallies
from parking.rules.forecast.serving import model_from_json
from parking.services.places import record_places
from parking.store import chances, forecast_tables, forecasts
from parking.store.occupancy_history import Place, SlotDelta
from parking.store.places import Bay, Facility

if TYPE_CHECKING:
    from collections.abc import Iterable

    from city.time import FixedClock
    from city.works.database import Database

EAST = DistrictCode("0153")
DAYS = 28
BAYS = 20

HISTORY = text(
    "insert into parking.bay_change (bay_id, facility_id, district, changed_at, state, sure,"
    " observation_key, device_id, recorded_at)"
    " select bay, :facility, :district, at, state, 950, 'k', null, at from unnest("
    "cast(:bays as uuid[]), cast(:ats as timestamptz[]), cast(:states as text[]))"
    " as change (bay, at, state)"
)


def settle(database: Database, clock: FixedClock, *, seed: int = 1, days: int = DAYS) -> Facility:
    """Register a kerb whose bays were taken by day, with their history until now."""
    home = Facility(
        code=f"F-{seed}",
        district=EAST,
        ownership="public",
        kind="kerb",
        name_zh="滨江路",
        name_en="Riverside Road",
        position=Position(120.1, 30.2),
        timezone="Asia/Shanghai",
        operator_id=OperatorId(uuid7()),
        revenue_nature="commercial",
        id=FacilityId(uuid7()),
    )
    bays = [
        Bay(home.id, EAST, f"A{n}", "standard", home.position, id=BayId(uuid7()))
        for n in range(BAYS)
    ]
    chance = random.Random(seed)  # noqa: S311 - cars, not secrets
    changes: list[tuple[UUID, datetime, str]] = []
    for bay in bays:
        at = clock.now() - timedelta(days=days) + timedelta(minutes=chance.random() * 20)
        free = True
        changes.append((bay.id, at, "free"))
        while True:
            hour = (at + timedelta(hours=8)).hour
            busy = math.exp(-(((hour - 13) / 4) ** 2))
            per_h = 0.05 + 1.2 * busy if free else 0.9 - 0.5 * busy
            at += timedelta(hours=min(chance.expovariate(per_h), 1.0))
            if at >= clock.now():
                break
            if chance.random() < 0.7:
                free = not free
                changes.append((bay.id, at, "free" if free else "occupied"))
    with database.unit_of_work() as uow:
        record_places(uow, [home], bays)
        uow.connection.execute(
            HISTORY,
            {
                "facility": home.id,
                "district": EAST,
                "bays": [each[0] for each in changes],
                "ats": [each[1] for each in changes],
                "states": [each[2] for each in changes],
            },
        )
    return home


class CountsOf:
    """A live store that says what it is told to."""

    def __init__(self, free: int, occupied: int) -> None:
        self.free, self.occupied = free, occupied

    def counts(
        self, facilities: Iterable[tuple[object, FacilityId]]
    ) -> dict[FacilityId, FacilityNow]:
        return {
            facility_id: FacilityNow(self.free, self.occupied, 0, None)
            for _, facility_id in facilities
        }


def test_models_are_trained_judged_kept_and_make_forecasts(
    database: Database, clock: FixedClock
) -> None:
    home = settle(database, clock)
    assert forecasting.learn_forecasts(database) == 4
    with database.read() as connection:
        models = forecasts.newest_models(connection, EAST)
    assert [(each.horizon_min, each.version) for each in models] == [
        (15, 1),
        (30, 1),
        (60, 1),
        (120, 1),
    ]
    for each in models:
        assert each.judgement.rows > 300
        assert each.judgement.mae is not None
        assert each.judgement.mae < 0.2
        assert each.judgement.coverage90 is not None
        assert each.judgement.coverage90 > 0.8
        model = model_from_json(each.model)
        assert model.as_json() == each.model
    made = forecasting.forecast_now(database, CountsOf(8, 12))  # type: ignore[arg-type] # stands for live counts
    assert made == 4
    with database.read() as connection:
        told = forecasts.forecasts(connection, home.id)
    for found, trained_at, _ in told:
        assert trained_at == clock.now()
        assert found.for_at - found.made_at == timedelta(minutes=found.horizon_min)
        assert 0 <= found.low90 <= found.occupied <= found.high90 <= BAYS
    nearest, farthest = told[0][0], told[-1][0]
    assert abs(nearest.occupied - 12) < 5
    assert nearest.high90 - nearest.low90 < farthest.high90 - farthest.low90


def test_a_district_is_trained_once_a_day_and_versions_are_few(
    database: Database, clock: FixedClock
) -> None:
    settle(database, clock)
    assert forecasting.learn_forecasts(database) == 4
    assert forecasting.learn_forecasts(database) == 0
    for _ in range(4):
        clock.advance(24 * 3600)
        assert forecasting.learn_forecasts(database) == 4
    with database.read() as connection:
        assert {each.version for each in forecasts.newest_models(connection, EAST)} == {5}
        kept = connection.execute(text("select count(*) from parking.forecast_model")).scalar_one()
    assert kept == 4 * forecasts.VERSIONS_KEPT


def test_a_few_days_make_no_model(database: Database, clock: FixedClock) -> None:
    settle(database, clock, days=5)
    assert forecasting.learn_forecasts(database) == 0
    assert forecasting.forecast_now(database, CountsOf(8, 12)) == 0  # type: ignore[arg-type] # stands for live counts


def test_a_facility_whose_state_is_unknown_gets_no_forecast(
    database: Database, clock: FixedClock
) -> None:
    settle(database, clock)
    forecasting.learn_forecasts(database)
    clock.advance(2 * 3600)
    assert forecasting.forecast_now(database, CountsOf(1, 2)) == 0  # type: ignore[arg-type] # stands for live counts


def test_chances_are_fitted_judged_and_beat_the_mean(database: Database, clock: FixedClock) -> None:
    home = settle(database, clock)
    assert learn_chances(database) == 2
    with database.read() as connection:
        city = chances.of_districts(connection)[EAST]
        own = chances.of_facilities(connection, [home.id])[home.id]
    assert city.calibration is not None
    assert city.calibration.rows > 2_000
    assert city.calibration.brier < city.calibration.brier_base
    for each in city.calibration.bins:
        if each.rows > 400:
            assert each.came_true == pytest.approx(each.foretold, abs=0.08)
    assert own.calibration is None
    noon, night = 13, 3
    assert own.rates.taken_per_s[noon] > 1.5 * own.rates.taken_per_s[night]


def test_versions_of_chances_are_few(database: Database, clock: FixedClock) -> None:
    settle(database, clock, days=3)
    for _ in range(chances.VERSIONS_KEPT + 3):
        clock.advance(600)
        assert learn_chances(database) == 2
    with database.read() as connection:
        kept = connection.execute(text("select count(*) from parking.chance_model")).scalar_one()
    assert kept == 2 * chances.VERSIONS_KEPT


def test_tallies_count_bay_seconds_by_hour_of_the_local_week() -> None:
    home = Place(FacilityId(UUID(int=1)), "UTC", 2)
    # 1970-01-05 00:00 is a Monday: slot 384.
    rows = [SlotDelta(384, 2, 0, 0, 0), SlotDelta(388, -1, 1, 1, 0)]
    whole, own = tallies([home], {home.facility_id: rows}, (384 + 8) * 900)
    assert own[home.facility_id] == whole
    assert (whole[0].free_s, whole[0].occupied_s, whole[0].taken) == (7200, 0, 0)
    assert (whole[1].free_s, whole[1].occupied_s, whole[1].taken) == (3600, 3600, 1)


def test_the_migration_and_the_tables_of_forecasts_agree(database: Database) -> None:
    with database.read() as connection:
        inspector = inspect(connection)
        for table in (
            forecast_tables.occupancy_sample,
            forecast_tables.forecast_model,
            forecast_tables.forecast,
            forecast_tables.chance_model,
        ):
            found = inspector.get_columns(table.name, schema="parking")
            assert {column["name"]: column["nullable"] for column in found} == {
                column.name: bool(column.nullable) for column in table.columns
            }
