"""The chance models as this process knows them, read again every so often."""

import threading
import time
from collections.abc import Collection
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from city.identifiers import DistrictCode, FacilityId
from city.works.database import Database
from parking.rules.finding.chance import HOUR_S, WEEK_HOURS, free_later
from parking.store import chances
from parking.store.chances import ChanceModel
from parking.store.places import Facility

REFRESH_S: Final = 60.0
MOST_KEPT: Final = 50_000


class KnownChances:
    """A process's copy of the chance models that it was asked for. Threads share one.

    Parameters
    ----------
    database
        Asked for what is not kept.
    refresh_s
        Age in seconds at which everything is read again.
    """

    def __init__(self, database: Database, *, refresh_s: float = REFRESH_S) -> None:
        self._database = database
        self._refresh_s = refresh_s
        self._lock = threading.Lock()
        self._emptied_at = float("-inf")
        self._districts: dict[DistrictCode, ChanceModel] = {}
        self._facilities: dict[FacilityId, ChanceModel | None] = {}

    def models(self, homes: Collection[Facility]) -> dict[FacilityId, ChanceModel]:
        """Give each facility's model: its own, else its district's; one without is left out."""
        now_s = time.monotonic()
        with self._lock:
            if now_s - self._emptied_at >= self._refresh_s or len(self._facilities) > MOST_KEPT:
                self._facilities, self._emptied_at = {}, now_s
                renew = True
            else:
                renew = False
            kept = self._facilities
        missing = [each.id for each in homes if each.id not in kept]
        if missing or renew:
            with self._database.read() as connection:
                if renew:
                    self._districts = chances.of_districts(connection)
                read = chances.of_facilities(connection, missing)
            kept |= {each: read.get(each) for each in missing}
        found = {}
        for home in homes:
            model = kept.get(home.id) or self._districts.get(home.district)
            if model is not None:
                found[home.id] = model
        return found

    def district(self, district: DistrictCode) -> ChanceModel | None:
        """Give a district's model as it was read last."""
        return self._districts.get(district)


def chance_free(
    model: ChanceModel,
    calibration_of: ChanceModel | None,
    *,
    zone: ZoneInfo,
    sure: int,
    now: datetime,
    arrive_at: datetime,
) -> float:
    """Give the chance that a bay that is free now is free on arrival.

    Parameters
    ----------
    model
        Of its group.
    calibration_of
        The model whose calibration corrects it; where it has none, the chance is as foretold.
    sure
        How sure its state is, per mille.
    """
    local = now.astimezone(zone)
    week_s = (local.weekday() * 24 + local.hour) * HOUR_S + local.minute * 60.0 + local.second
    ahead_s = (arrive_at - now).total_seconds()
    chance = free_later(model.rates, week_s % (WEEK_HOURS * HOUR_S), ahead_s, sure / 1000)
    judged = None if calibration_of is None else calibration_of.calibration
    return chance if judged is None or ahead_s <= 0 else judged.corrected(chance)
