"""Find a bay: free bays around a destination by the time from door to door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from city.errors import Invalid
from city.identifiers import BayId, DistrictCode, FacilityId
from city.money import Money
from city.places import Position
from city.time import Clock
from city.vehicles import Energy, VehicleClass
from parking.adapters.live_store import Found, FreeBay, LiveStore
from parking.known_chances import KnownChances, chance_free
from parking.known_places import KnownPlaces
from parking.known_prices import KnownPrices
from parking.known_streets import KnownStreets
from parking.live_capacity import for_the_public
from parking.rules.finding.ranking import Option, fits, ranked
from parking.rules.finding.travel import Way
from parking.rules.tariffs.model import VehicleTraits
from parking.store.places import Bay, Facility

HOUR: Final = timedelta(hours=1)
LONGEST_STAY: Final = timedelta(days=31)
FURTHEST_AHEAD: Final = timedelta(days=14)
PUNCTUAL: Final = timedelta(minutes=5)
"""An arrival so long ago is taken for now: forms are filled in slowly."""
CANDIDATES: Final = 2
"""Free bays looked at beside those wanted: the streets may make a farther one quicker."""
WIDENINGS: Final = (1, 8, 64)
"""Factors by which a search is widened while too few bays fit the vehicle."""
MOST_CANDIDATES: Final = 2_000

Search = list[tuple[DistrictCode, Found]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a driver looks for.

    Attributes
    ----------
    arrive_at
        None: as soon as the drive takes, or now.
    leave_at
        None: not known yet.
    origin
        Where the driver is; None: not said.

    Raises
    ------
    Invalid
        On a radius or limit that is not positive.
    """

    destination: Position
    radius_m: float
    limit: int
    vehicle: VehicleClass = VehicleClass.SMALL
    energy: Energy | None = None
    arrive_at: datetime | None = None
    leave_at: datetime | None = None
    origin: Position | None = None

    def __post_init__(self) -> None:
        if self.radius_m <= 0:
            raise Invalid("must be positive", field="radius_m")
        if self.limit < 1:
            raise Invalid("must be positive", field="limit")

    def check_times(self, now: datetime) -> None:
        """Raise Invalid where arrival or departure cannot be meant."""
        if self.arrive_at is not None:
            if self.arrive_at < now - PUNCTUAL:
                raise Invalid("must not lie in the past", field="arrive_at")
            if self.arrive_at > now + FURTHEST_AHEAD:
                raise Invalid("must lie within 14 days", field="arrive_at")
        if self.leave_at is not None:
            enter_at = max(now, self.arrive_at or now)
            if self.leave_at <= enter_at:
                raise Invalid("must lie after the arrival", field="leave_at")
            if self.leave_at > enter_at + LONGEST_STAY:
                raise Invalid("must lie within 31 days of the arrival", field="leave_at")


@dataclass(frozen=True, slots=True)
class FoundBay:
    """An option with what it is made of."""

    option: Option
    bay: Bay
    facility: Facility
    now: FreeBay


class Finder:
    """Finds bays from the live state and this process's copies. Threads share one.

    Parameters
    ----------
    live_store, places, prices, chances, streets, clock
        What it asks.

    Notes
    -----
    A question costs a round trip to the live store to search and one a district to look, and, for
    what this process does not know yet, one statement each for bays, prices and chances; nothing
    grows with the city.
    """

    def __init__(
        self,
        *,
        live_store: LiveStore,
        places: KnownPlaces,
        prices: KnownPrices,
        chances: KnownChances,
        streets: KnownStreets,
        clock: Clock,
    ) -> None:
        self._live_store = live_store
        self._places = places
        self._prices = prices
        self._chances = chances
        self._streets = streets
        self._clock = clock

    def search(self, wish: Wish) -> Search:
        """Give what was free around the destination when it was last written."""
        return self._search(wish, 1)

    def find(self, wish: Wish, search: Search) -> list[FoundBay]:
        """Give the free bays that fit, the quickest from door to door first.

        Parameters
        ----------
        wish
            With times that were checked.
        search
            What `search` gave for it.
        """
        fitting: list[tuple[FreeBay, Bay]] = []
        wanted = wish.limit * CANDIDATES
        for factor in WIDENINGS:
            if factor > 1:
                search = self._search(wish, factor)
            near = self._live_store.still_free(search, min(wanted * factor, MOST_CANDIDATES))
            known = self._places.bays([each.bay_id for each in near])
            fitting = [
                (each, bay)
                for each in near
                if (bay := known.get(each.bay_id)) is not None
                and fits(bay.kind, wish.vehicle, wish.energy)
            ]
            fitting = self._for_the_public(wish, fitting)[:wanted]
            if len(fitting) >= wish.limit or len(near) < wanted * factor:
                break
        return self._offered(wish, fitting) if fitting else []

    def _for_the_public(
        self, wish: Wish, fitting: Sequence[tuple[FreeBay, Bay]]
    ) -> list[tuple[FreeBay, Bay]]:
        """Give those that anybody may use then: not reserved, suspended, or closed at the time."""
        now = self._clock.now()
        homes = self._places.homes({bay.facility_id for _, bay in fitting})
        bays = [(bay.id, homes[bay.facility_id]) for _, bay in fitting]
        usable = for_the_public(self._places, bays, max(now, wish.arrive_at or now))
        return [each for each in fitting if each[1].id in usable]

    def _search(self, wish: Wish, factor: int) -> Search:
        return self._live_store.search(
            self._places.districts(),
            wish.destination,
            wish.radius_m,
            min(wish.limit * CANDIDATES * factor, MOST_CANDIDATES),
        )

    def _offered(self, wish: Wish, fitting: Sequence[tuple[FreeBay, Bay]]) -> list[FoundBay]:
        now = self._clock.now()
        places = [bay.position for _, bay in fitting]
        travel = self._streets.travel()
        walks = travel.walks(wish.destination, places)
        drives: Sequence[Way | None] = (
            [None] * len(places) if wish.origin is None else travel.drives(wish.origin, places)
        )
        homes = self._places.homes({bay.facility_id for _, bay in fitting})
        models = self._chances.models(list(homes.values()))
        zones = {each.timezone: ZoneInfo(each.timezone) for each in homes.values()}
        options = {}
        for (free, bay), walk, drive in zip(fitting, walks, drives, strict=True):
            home = homes[bay.facility_id]
            arrive_at = _arrival(wish, now, drive)
            model = models.get(home.id)
            options[bay.id] = Option(
                bay_id=bay.id,
                distance_m=free.distance_m,
                walk=walk,
                drive=drive,
                retrieval_s=0.0 if home.machine is None else float(home.machine.retrieval_s),
                arrive_at=arrive_at,
                chance_free=None
                if model is None
                else chance_free(
                    model,
                    self._chances.district(home.district),
                    zone=zones[home.timezone],
                    sure=free.now.sure,
                    now=now,
                    arrive_at=arrive_at,
                ),
                price_total=None,
                price_per_hour=None,
            )
        chosen = ranked(options.values(), wish.limit)
        parts = {bay.id: (free, bay) for free, bay in fitting}
        prices = self._priced(wish, chosen, {bay.id: bay for _, bay in fitting}, now)
        return [
            FoundBay(
                replace(each, price_total=total, price_per_hour=hourly),
                parts[each.bay_id][1],
                homes[parts[each.bay_id][1].facility_id],
                parts[each.bay_id][0],
            )
            for each, (total, hourly) in zip(chosen, prices, strict=True)
        ]

    def _priced(
        self, wish: Wish, chosen: Sequence[Option], bays: Mapping[BayId, Bay], now: datetime
    ) -> list[tuple[Money | None, Money | None]]:
        """Give the total and the hourly price of each option: one question a minute of arrival."""
        traits = VehicleTraits(vehicle_class=wish.vehicle, energy=wish.energy)
        minutes: dict[datetime, set[FacilityId]] = {}
        for each in chosen:
            home = bays[each.bay_id].facility_id
            minutes.setdefault(_whole(each.arrive_at), set()).add(home)
        hourly: dict[tuple[datetime, FacilityId], Money | None] = {}
        total: dict[tuple[datetime, FacilityId], Money | None] = {}
        for minute, homes in minutes.items():
            priced = self._prices.of(homes, minute, minute + HOUR, traits, now)
            hourly |= {(minute, home): price for home, price in priced.items()}
            if wish.leave_at is not None and wish.leave_at > minute:
                priced = self._prices.of(homes, minute, wish.leave_at, traits, now)
                total |= {(minute, home): price for home, price in priced.items()}
        keys = [(_whole(each.arrive_at), bays[each.bay_id].facility_id) for each in chosen]
        return [(total.get(key), hourly[key]) for key in keys]


def _arrival(wish: Wish, now: datetime, drive: Way | None) -> datetime:
    """Give when the car comes: as wished, but no sooner than the drive allows."""
    soonest = now if drive is None else now + timedelta(seconds=drive.time_s)
    return soonest if wish.arrive_at is None else max(soonest, wish.arrive_at)


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
