"""Fit the chance models of a district from its bays' recorded changes, and judge them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from city.identifiers import DistrictCode, FacilityId
from city.works.database import Database
from parking.rules.finding.chance import (
    HOUR_S,
    LEAST_CHANGES,
    WEEK_HOURS,
    Calibration,
    HourTally,
    Rates,
    calibrate,
    fit,
    free_later,
)
from parking.store import chances, occupancy_history, places
from parking.store.chances import ChanceModel
from parking.store.occupancy_history import SLOT_S, Change, Place, SlotDelta

LOOK_BACK: Final = timedelta(days=42)
JUDGED_SHARE: Final = 0.2
"""Of the time at the end: what chances are judged on, by rates fitted on the time before."""
AHEAD_S: Final = (300.0, 600.0, 1200.0, 1800.0)
"""Arrivals that chances are judged at: drives within a city."""
ASKED_EVERY_S: Final = 1800.0
JUDGED_BAYS: Final = 300
SETTLED: Final = 10_000
RENEWED: Final = timedelta(hours=6)
"""A district's model of so many changes is fitted again after so long; a younger one each time."""
AT_ONCE: Final = 200
"""Facilities whose changes are read in one statement."""

log = structlog.get_logger(__name__)


def learn_chances(database: Database) -> int:
    """Fit and keep the models of every district; give how many were kept.

    A unit of work a district; costs what changed in the last six weeks.
    """
    with database.read() as connection:
        districts = places.districts(connection)
        known = chances.of_districts(connection)
    return sum(_learn(database, each, known.get(each)) for each in districts)


def _learn(database: Database, district: DistrictCode, last: ChanceModel | None) -> int:
    with database.unit_of_work() as uow:
        connection, now = uow.connection, uow.clock.now()
        if last is not None and last.changes >= SETTLED and now - last.fitted_at < RENEWED:
            return 0
        homes = occupancy_history.places(connection, district)
        from_at = now - LOOK_BACK
        deltas: dict[FacilityId, list[SlotDelta]] = {}
        for start in range(0, len(homes), AT_ONCE):
            part = [each.facility_id for each in homes[start : start + AT_ONCE]]
            deltas |= occupancy_history.deltas(connection, part, from_at, now)
        if not deltas:
            return 0
        first_s = min(each[0].slot for each in deltas.values()) * SLOT_S
        split_s = now.timestamp() - JUDGED_SHARE * (now.timestamp() - first_s)
        bays = occupancy_history.some_bays(connection, district, JUDGED_BAYS)
        changes = occupancy_history.changes(
            connection, bays, datetime.fromtimestamp(first_s, UTC), now
        )
    whole, own = tallies(homes, deltas, now.timestamp())
    before, own_before = tallies(homes, deltas, split_s)
    rates_before = _rates(before, own_before)
    zones = {each.facility_id: each.timezone for each in homes}
    judged = judge(rates_before, zones, changes, split_s, now.timestamp())
    found = _rates(whole, own)
    models = [
        ChanceModel(
            district,
            group,
            now,
            datetime.fromtimestamp(first_s, UTC),
            now,
            sum(each.taken + each.freed for each in (own[group] if group else whole).values()),
            rates,
            judged if group is None else None,
        )
        for group, rates in found.items()
    ]
    with database.unit_of_work() as uow:
        chances.keep(uow.connection, models)
    log.info(
        "chance models",
        district=district,
        models=len(models),
        brier=None if judged is None else round(judged.brier, 4),
        base=None if judged is None else round(judged.brier_base, 4),
    )
    return len(models)


Tallies = dict[int, HourTally]


def tallies(
    homes: Iterable[Place], deltas: dict[FacilityId, list[SlotDelta]], until_s: float
) -> tuple[Tallies, dict[FacilityId, Tallies]]:
    """Count bay-seconds and changes by hour of the local week, of all and of each facility.

    Counts hold from a quarter hour's end to the next change; a change counts in its own quarter.
    """
    own: dict[FacilityId, Tallies] = {}
    whole: dict[int, list[float]] = {}
    for home in homes:
        gathered: dict[int, list[float]] = {}
        free = occupied = 0
        rows = deltas.get(home.facility_id, [])
        for index, row in enumerate(rows):
            if row.slot * SLOT_S >= until_s:
                break
            free += row.free
            occupied += row.occupied
            hour = week_hour(row.slot, home.timezone)
            cell = gathered.setdefault(hour, [0.0, 0.0, 0.0, 0.0])
            cell[2] += row.taken
            cell[3] += row.freed
            following = rows[index + 1].slot if index + 1 < len(rows) else int(until_s // SLOT_S)
            for slot in range(row.slot, min(following, int(until_s // SLOT_S))):
                cell = gathered.setdefault(week_hour(slot, home.timezone), [0.0, 0.0, 0.0, 0.0])
                cell[0] += free * SLOT_S
                cell[1] += occupied * SLOT_S
        own[home.facility_id] = _tallies(gathered)
        for hour, cell in gathered.items():
            total = whole.setdefault(hour, [0.0, 0.0, 0.0, 0.0])
            for place, value in enumerate(cell):
                total[place] += value
    return _tallies(whole), own


def _tallies(gathered: dict[int, list[float]]) -> Tallies:
    return {
        hour: HourTally(free_s, occupied_s, int(taken), int(freed))
        for hour, (free_s, occupied_s, taken, freed) in gathered.items()
    }


@lru_cache(maxsize=100_000)
def week_hour(slot: int, timezone: str) -> int:
    """Give the hour of the local week, Monday 00:00 being 0, in which a quarter hour lies."""
    local = datetime.fromtimestamp(slot * SLOT_S, UTC).astimezone(ZoneInfo(timezone))
    return local.weekday() * 24 + local.hour


def _rates(whole: Tallies, own: dict[FacilityId, Tallies]) -> dict[FacilityId | None, Rates]:
    """Fit the district's rates and, leaning on them, those of each facility with enough changes."""
    city = HourTally(
        sum(each.free_s for each in whole.values()),
        sum(each.occupied_s for each in whole.values()),
        sum(each.taken for each in whole.values()),
        sum(each.freed for each in whole.values()),
    )
    found: dict[FacilityId | None, Rates] = {}
    together = fit(whole)
    if together is None:
        return found
    found[None] = together
    for facility_id, each in own.items():
        if sum(one.taken + one.freed for one in each.values()) >= LEAST_CHANGES:
            rates = fit(each, city)
            if rates is not None:
                found[facility_id] = rates
    return found


def judge(
    rates: dict[FacilityId | None, Rates],
    zones: dict[FacilityId, str],
    changes: Sequence[Change],
    from_s: float,
    until_s: float,
) -> Calibration | None:
    """Tell chances for bays that were free, and compare them with what became of them.

    Every half hour of the judged time, for each bay that was free then and each of `AHEAD_S`:
    was it free at that instant? Nothing is asked of a state that was or became unknown.
    """
    by_bay: dict[object, list[Change]] = {}
    for change in changes:
        by_bay.setdefault(change.bay_id, []).append(change)
    told: list[tuple[float, bool]] = []
    for history in by_bay.values():
        home = history[0].facility_id
        known = rates.get(home) or rates.get(None)
        if known is None:
            continue
        zone = ZoneInfo(zones[home])
        spells = list(zip(history, [*[each.at_s for each in history[1:]], until_s], strict=True))
        place = 0
        asked_s = from_s
        while asked_s + AHEAD_S[-1] < until_s:
            while place < len(spells) and spells[place][1] <= asked_s:
                place += 1
            if place == len(spells):
                break
            if spells[place][0].at_s <= asked_s and spells[place][0].state == "free":
                week_s = _week_s(asked_s, zone)
                for ahead_s in AHEAD_S:
                    then = _state_at(spells, place, asked_s + ahead_s)
                    if then in {"free", "occupied"}:
                        chance = free_later(known, week_s, ahead_s, 1.0)
                        told.append((chance, then == "free"))
            asked_s += ASKED_EVERY_S
    return calibrate(told)


def _week_s(at_s: float, zone: ZoneInfo) -> float:
    local = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
    hours = local.weekday() * 24 + local.hour
    return (hours * HOUR_S + local.minute * 60.0 + local.second) % (WEEK_HOURS * HOUR_S)


def _state_at(spells: Sequence[tuple[Change, float]], place: int, at_s: float) -> str:
    while place + 1 < len(spells) and spells[place][1] <= at_s:
        place += 1
    return spells[place][0].state
