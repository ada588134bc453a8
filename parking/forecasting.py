"""Learn each district's occupancy daily from its bays' recorded changes, and forecast it often.

NumPy is loaded with this module: workers import it where the job runs, not at start-up.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from city.errors import Invalid
from city.identifiers import DistrictCode, FacilityId
from city.works.database import Database
from parking.adapters.live_store import LiveStore
from parking.rules.forecast.evaluation import HorizonErrors, judge_places
from parking.rules.forecast.readings import Array, Series, clean
from parking.rules.forecast.replay import replay
from parking.rules.forecast.serving import ahead, model_from_json, model_of, recent_series
from parking.store import forecasts, occupancy_history, places
from parking.store.forecasts import Forecast, Judgement, StoredModel
from parking.store.occupancy_history import SLOT_S, Place, Sample, SlotDelta

HORIZONS_MIN: Final = (15, 30, 60, 120)
LOOK_BACK: Final = timedelta(days=56)
TRAINED_EVERY: Final = timedelta(hours=23)
TEST_SHARE: Final = 0.2
TOGETHER: Final = 50
"""Facilities that learn from each other."""
KNOWN_SHARE: Final = 0.5
"""Bays with a known state below which a facility's occupancy is unknown."""
SAMPLES_KEPT: Final = timedelta(days=15)
RECENT: Final = timedelta(hours=27)
WEEK: Final = timedelta(days=7)
AROUND: Final = timedelta(hours=3)
STALE: Final = timedelta(minutes=45)
"""A facility whose last sample is older gets no forecast."""

log = structlog.get_logger(__name__)


def learn_forecasts(database: Database) -> int:
    """Train the districts that are due; give how many models were kept.

    A unit of work a batch of facilities; a batch that fails leaves the others. Costs what changed
    in the last eight weeks, and seconds of computing a facility.
    """
    with database.unit_of_work() as uow:
        now = uow.clock.now()
        due = [
            each
            for each in places.districts(uow.connection)
            if (last := forecasts.last_trained_at(uow.connection, each)) is None
            or now - last >= TRAINED_EVERY
        ]
    return sum(_learn(database, each, now) for each in due)


def _learn(database: Database, district: DistrictCode, now: datetime) -> int:
    from_at, kept = now - LOOK_BACK, 0
    with database.read() as connection:
        homes = occupancy_history.places(connection, district)
    for start in range(0, len(homes), TOGETHER):
        part = homes[start : start + TOGETHER]
        with database.read() as connection:
            deltas = occupancy_history.deltas(
                connection, [each.facility_id for each in part], from_at, now
            )
        series = [
            made
            for home in part
            if (made := series_of(home, deltas.get(home.facility_id, []), now)) is not None
        ]
        models = _trained(district, series, now) if series else []
        with database.unit_of_work() as uow:
            forecasts.keep_models(uow.connection, models)
            occupancy_history.keep_samples(uow.connection, _samples(part, deltas, now))
        kept += len(models)
    log.info("forecast models", district=district, facilities=len(homes), models=kept)
    return kept


def _trained(district: DistrictCode, series: list[Series], now: datetime) -> list[StoredModel]:
    made = []
    for minutes in HORIZONS_MIN:
        told, learnt = replay(series, minutes * 60)
        judged = judge_places(series, told, minutes, TEST_SHARE)
        made += [
            StoredModel(
                FacilityId(_facility(one.name)),
                district,
                minutes,
                now,
                datetime.fromtimestamp(one.at_s[0], UTC),
                datetime.fromtimestamp(one.at_s[-1], UTC),
                int(np.unique(one.local_s // 86_400).size),
                _judgement(errors),
                model_of(one, known, minutes * 60).as_json(),
            )
            for one, known, errors in zip(series, learnt, judged, strict=True)
            if known is not None
        ]
    return made


def _facility(name: str) -> FacilityId:
    return FacilityId(UUID(name))


def _judgement(errors: HorizonErrors) -> Judgement:
    return Judgement(
        errors.rows, errors.mae, errors.persistence_mae, errors.last_week_mae, errors.coverage90
    )


def counts(rows: Sequence[SlotDelta], now: datetime) -> tuple[Array, Array, Array]:
    """Give (slots, free, occupied) from the first change to the last whole quarter hour.

    Counts are those at the end of each slot.
    """
    first, last = rows[0].slot, int(now.timestamp() // SLOT_S) - 1
    slots = np.arange(first, max(last, first) + 1)
    free, occupied = np.zeros(slots.size), np.zeros(slots.size)
    for row in rows:
        if row.slot <= slots[-1]:
            free[row.slot - first] += row.free
            occupied[row.slot - first] += row.occupied
    return slots.astype(float), np.cumsum(free), np.cumsum(occupied)


def series_of(home: Place, rows: Sequence[SlotDelta], now: datetime) -> Series | None:
    """Make a facility's series: the share taken of the bays whose state was known.

    A quarter hour in which fewer than half of them were known is a gap.
    """
    if not rows or home.bays == 0:
        return None
    slots, free, occupied = counts(rows, now)
    known = free + occupied
    fine = known >= KNOWN_SHARE * home.bays
    if not fine.any():
        return None
    at_s = (slots[fine] + 1) * SLOT_S
    share = occupied[fine] / known[fine]
    return clean(
        str(home.facility_id),
        at_s,
        at_s + offsets_s(at_s, home.timezone),
        share * home.bays,
        np.full(at_s.size, float(home.bays)),
    )


def offsets_s(at_s: Array, timezone: str) -> Array:
    """Give how far local wall time is ahead of UTC at instants."""
    hours = (at_s // 3600).astype(int)
    different, where = np.unique(hours, return_inverse=True)
    return np.array([_offset_s(int(each), timezone) for each in different])[where]


@lru_cache(maxsize=200_000)
def _offset_s(hour: int, timezone: str) -> float:
    local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(ZoneInfo(timezone))
    offset = local.utcoffset()
    return 0.0 if offset is None else offset.total_seconds()


def _samples(
    part: Sequence[Place], deltas: dict[FacilityId, list[SlotDelta]], now: datetime
) -> list[Sample]:
    """Give what recent samples should have been: history knows late frames, the live store not."""
    found = []
    for home in part:
        rows = deltas.get(home.facility_id)
        if not rows:
            continue
        slots, free, occupied = counts(rows, now)
        recent = slots * SLOT_S >= (now - SAMPLES_KEPT).timestamp()
        found += [
            Sample(
                home.facility_id,
                datetime.fromtimestamp((slot + 1) * SLOT_S, UTC),
                int(free_bays),
                int(occupied_bays),
            )
            for slot, free_bays, occupied_bays in zip(
                slots[recent], free[recent], occupied[recent], strict=True
            )
        ]
    return found


def forecast_now(database: Database, live_store: LiveStore) -> int:
    """Sample every facility's counts, once a quarter hour, and forecast from them.

    Returns
    -------
    int
        Forecasts kept. One round trip to the live store a district; a statement each for what is
        read and written.
    """
    with database.unit_of_work() as uow:
        now = uow.clock.now()
        slot_at = datetime.fromtimestamp(now.timestamp() // SLOT_S * SLOT_S, UTC)
        occupancy_history.forget_samples(uow.connection, now - SAMPLES_KEPT)
        districts = places.districts(uow.connection)
    return sum(_forecast(database, live_store, each, slot_at) for each in districts)


def _forecast(
    database: Database,
    live_store: LiveStore,
    district: DistrictCode,
    slot_at: datetime,
) -> int:
    with database.read() as connection:
        homes = {each.facility_id: each for each in occupancy_history.places(connection, district)}
    seen = live_store.counts((district, each) for each in homes)
    fresh = [
        Sample(facility_id, slot_at, found.free, found.occupied)
        for facility_id, found in seen.items()
        if found.free + found.occupied > 0
    ]
    with database.unit_of_work() as uow:
        # The first look in a quarter hour is its sample: the nearest to its instant.
        occupancy_history.keep_samples(uow.connection, fresh, replace=False)
    with database.read() as connection:
        models = forecasts.newest_models(connection, district)
        wanted = {each.facility_id for each in models}
        recent = occupancy_history.samples(connection, wanted, slot_at - RECENT, slot_at)
        week = occupancy_history.samples(
            connection, wanted, slot_at - WEEK - AROUND, slot_at - WEEK + AROUND
        )
    made: list[Forecast] = []
    series = {
        each: _recent(homes[each], week.get(each, []) + recent.get(each, []))
        for each in wanted
        if each in homes
    }
    for minutes in HORIZONS_MIN:
        made += _ahead(
            [each for each in models if each.horizon_min == minutes], series, homes, slot_at
        )
    with database.unit_of_work() as uow:
        forecasts.keep_forecasts(uow.connection, made)
    return len(made)


def _recent(home: Place, rows: Sequence[tuple[float, int, int]]) -> Series | None:
    fine = [each for each in rows if each[1] + each[2] >= KNOWN_SHARE * home.bays]
    if not fine:
        return None
    at_s = np.array([each[0] for each in fine])
    share = np.array([each[2] / (each[1] + each[2]) for each in fine])
    return recent_series(
        str(home.facility_id), at_s, at_s + offsets_s(at_s, home.timezone), share, step_s=SLOT_S
    )


def _ahead(
    models: Iterable[StoredModel],
    series: dict[FacilityId, Series | None],
    homes: dict[FacilityId, Place],
    now: datetime,
) -> list[Forecast]:
    ready = []
    for each in models:
        one = series.get(each.facility_id)
        if one is None or now.timestamp() - one.at_s[-1] > STALE.total_seconds():
            continue
        try:
            ready.append((each, one, model_from_json(each.model)))
        except Invalid as error:
            log.warning("a forecast model is skipped", error=str(error), version=each.version)
    told = ahead([(one, model) for _, one, model in ready])
    found = []
    for (stored, one, _), said in zip(ready, told, strict=True):
        if said is None:
            continue
        bays = homes[stored.facility_id].bays
        made_at = datetime.fromtimestamp(one.at_s[-1], UTC)
        found.append(
            Forecast(
                stored.facility_id,
                stored.horizon_min,
                stored.version,
                made_at,
                made_at + timedelta(minutes=stored.horizon_min),
                round(said.occupied * bays, 2),
                round(said.low90 * bays, 2),
                round(said.high90 * bays, 2),
                bays,
            )
        )
    return found
