"""What an intended stay costs at many facilities: worked out once a tariff version and minute.

Drivers who look for a bay ask for the same few stays again and again, and a city has few tariffs
beside its facilities; so a stay is rated once a version, not once a facility, and kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from city.errors import Invalid
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.model import Stay, VehicleTraits
from parking.rules.tariffs.plan import stored_tariff
from parking.store import tariffs_in_force
from parking.store.tariffs_in_force import InForce

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from city.identifiers import FacilityId, TariffVersionId
    from city.money import Money
    from city.works.database import Database
    from parking.known_places import KnownPlaces

MOST_KEPT: Final = 50_000
NOTHING: Final = InForce(None, None)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read, and from which instant on it holds."""

    from_at: datetime
    told: InForce

    def tells(self, at: datetime) -> bool:
        """Tell whether it says what is in force at an instant."""
        until_at = self.told.until_at
        return self.from_at <= at and (until_at is None or at < until_at)


class KnownPrices:
    """A process's copy of prices that it was asked for. Threads share one.

    Parameters
    ----------
    database
        Asked for what is not kept.
    places
        Tells the registry's version, which publications and edits of facilities raise: what is in
        force is forgotten with it.
    """

    def __init__(self, database: Database, places: KnownPlaces) -> None:
        self._database = database
        self._places = places
        self._lock = threading.Lock()
        self._version = -1
        self._versions: OrderedDict[FacilityId, _Known] = OrderedDict()
        self._documents: dict[TariffVersionId, str] = {}
        self._prices: OrderedDict[tuple[TariffVersionId, Stay, VehicleTraits], Money | None] = (
            OrderedDict()
        )

    def of(
        self,
        facility_ids: Collection[FacilityId],
        enter_at: datetime,
        leave_at: datetime,
        vehicle: VehicleTraits,
    ) -> dict[FacilityId, Money | None]:
        """Give what a stay costs at each facility, in whole minutes; None where it is not known.

        Two statements at most for what is not kept, whatever the number of facilities.
        """
        stay = Stay(_whole(enter_at), max(_whole(leave_at), _whole(enter_at)))
        versions = self._in_force(facility_ids, stay.enter_at)
        return {
            each: None if version is None else self._price(version, stay, vehicle)
            for each, version in versions.items()
        }

    def _in_force(
        self, facility_ids: Collection[FacilityId], at: datetime
    ) -> dict[FacilityId, TariffVersionId | None]:
        version = self._places.version
        with self._lock:
            if version != self._version:
                self._versions, self._version = OrderedDict(), version
            kept = self._versions
        found: dict[FacilityId, TariffVersionId | None] = {}
        for each in facility_ids:
            known = kept.get(each)
            if known is not None and known.tells(at):
                found[each] = known.told.version_id
        missing = [each for each in facility_ids if each not in found]
        if missing:
            with self._database.read() as connection:
                read = tariffs_in_force.in_force(connection, missing, at)
                versions = {each.version_id for each in read.values()}
                strange = {each for each in versions if each} - self._documents.keys()
                documents = tariffs_in_force.documents(connection, strange) if strange else {}
            with self._lock:
                self._documents |= documents
                for each in missing:
                    told = read.get(each, NOTHING)
                    found[each] = told.version_id
                    # Where the registry has changed meanwhile, `kept` is forgotten already.
                    kept[each] = _Known(at, told)
                while len(kept) > MOST_KEPT:
                    kept.popitem(last=False)
        return found

    def _price(self, version: TariffVersionId, stay: Stay, vehicle: VehicleTraits) -> Money | None:
        key = (version, stay, vehicle)
        if key in self._prices:
            return self._prices[key]
        try:
            price = evaluate(stored_tariff(self._documents[version]), stay, vehicle).total
        except Invalid:  # the version has no price for the vehicle
            price = None
        with self._lock:
            self._prices[key] = price
            while len(self._prices) > MOST_KEPT:
                self._prices.popitem(last=False)
        return price


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
