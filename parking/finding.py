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
from parking.rules.finding.chance import Calibration
from parking.rules.finding.ranking import CHARGING, Only, Option, fits, ranked
from parking.rules.finding.travel import Way
from parking.rules.places.restrictions import Restriction, restriction
from parking.rules.tariffs.model import VehicleTraits
from parking.store.apart import BayApart
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
LOOKED_AHEAD: Final = timedelta(hours=24)
"""For what ends the use of a bay where no departure is given."""

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
    only
        Charging bays alone, or those for disabled drivers alone.
    height_m
        Of the vehicle; a place whose limit is not stated is offered.
    walk_at_most_m
        From the bay to the destination.
    price_at_most_minor
        Of the stay, where its end is given, else of the first hour; what has no known price is
        not offered then.
    per_facility
        Most bays of one facility, the nearest of them; None: as many as there are.

    Raises
    ------
    Invalid
        On a number that is not positive, a ceiling below zero, or charging bays for a car that is
        not known to be a new-energy one.
    """

    destination: Position
    radius_m: float
    limit: int
    vehicle: VehicleClass = VehicleClass.SMALL
    energy: Energy | None = None
    arrive_at: datetime | None = None
    leave_at: datetime | None = None
    origin: Position | None = None
    only: Only | None = None
    height_m: float | None = None
    walk_at_most_m: float | None = None
    price_at_most_minor: int | None = None
    per_facility: int | None = None

    def __post_init__(self) -> None:
        for name in ("radius_m", "limit", "height_m", "walk_at_most_m", "per_facility"):
            number = getattr(self, name)
            if number is not None and not number > 0:
                raise Invalid("must be positive", field=name)
        if self.price_at_most_minor is not None and self.price_at_most_minor < 0:
            raise Invalid("must not be negative", field="price_at_most_minor")
        if self.only == CHARGING and self.energy is not Energy.NEW:
            raise Invalid("charging bays are for new-energy cars", field="energy")

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

    def walkable(self, option: Option) -> bool:
        """Tell whether the walk is short enough."""
        return self.walk_at_most_m is None or option.walk.length_m <= self.walk_at_most_m

    def affordable(self, option: Option) -> bool:
        """Tell whether the price is known to be low enough, where that is asked."""
        if self.price_at_most_minor is None:
            return True
        price = option.price_per_hour if self.leave_at is None else option.price_total
        return price is not None and price.minor <= self.price_at_most_minor


@dataclass(frozen=True, slots=True)
class FoundBay:
    """An option with what it is made of.

    Attributes
    ----------
    judged
        How the chances of its district came true; None: not judged yet, or no chance is told.
    """

    option: Option
    bay: Bay
    facility: Facility
    now: FreeBay
    restriction: Restriction
    judged: Calibration | None


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
        offered: list[FoundBay] = []
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
                and fits(bay.kind, wish.vehicle, wish.energy, wish.only)
            ]
            fitting = self._for_the_public(wish, fitting)
            last = len(near) < wanted * factor or factor == WIDENINGS[-1]
            if wish.price_at_most_minor is None and wish.walk_at_most_m is None:
                fitting = fitting[:wanted]
                if last or len(fitting) >= wish.limit:
                    return self._offered(wish, fitting)
            else:
                # What a walk and a stay come to is known only of whole options.
                offered = self._offered(wish, fitting)
                if last or len(offered) >= wish.limit:
                    return offered
        return offered

    def _for_the_public(
        self, wish: Wish, fitting: Sequence[tuple[FreeBay, Bay]]
    ) -> list[tuple[FreeBay, Bay]]:
        """Give those that anybody may use then: not reserved, suspended, or closed at the time."""
        now = self._clock.now()
        homes = self._places.homes({bay.facility_id for _, bay in fitting})
        bays = [
            (bay.id, home)
            for _, bay in fitting
            if (home := homes[bay.facility_id]).limits.refusal(height_m=wish.height_m) is None
        ]
        usable = for_the_public(self._places, bays, max(now, wish.arrive_at or now))
        found = [each for each in fitting if each[1].id in usable]
        return found if wish.per_facility is None else _few_of_each(found, wish.per_facility)

    def _search(self, wish: Wish, factor: int) -> Search:
        return self._live_store.search(
            self._places.districts(),
            wish.destination,
            wish.radius_m,
            min(wish.limit * CANDIDATES * factor, MOST_CANDIDATES),
        )

    def _offered(self, wish: Wish, fitting: Sequence[tuple[FreeBay, Bay]]) -> list[FoundBay]:
        if not fitting:
            return []
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
        parts = {bay.id: (free, bay) for free, bay in fitting}
        bays = {bay.id: bay for _, bay in fitting}
        near = [each for each in options.values() if wish.walkable(each)]
        chosen: Sequence[Option]
        if wish.price_at_most_minor is None:
            chosen = self._with_prices(wish, ranked(near, wish.limit), bays)
        else:
            priced = self._with_prices(wish, near, bays)
            chosen = ranked([each for each in priced if wish.affordable(each)], wish.limit)
        apart = self._places.apart(sorted({bays[each.bay_id].facility_id for each in chosen}))
        found = []
        for each in chosen:
            free, bay = parts[each.bay_id]
            home = homes[bay.facility_id]
            whole = None if each.chance_free is None else self._chances.district(home.district)
            found.append(
                FoundBay(
                    option=each,
                    bay=bay,
                    facility=home,
                    now=free,
                    restriction=_restriction(wish, each, home, apart.get(home.id, ())),
                    judged=None if whole is None else whole.calibration,
                )
            )
        return found

    def _with_prices(
        self, wish: Wish, options: Sequence[Option], bays: Mapping[BayId, Bay]
    ) -> list[Option]:
        return [
            replace(each, price_total=total, price_per_hour=hourly)
            for each, (total, hourly) in zip(
                options, self._priced(wish, options, bays), strict=True
            )
        ]

    def _priced(
        self, wish: Wish, chosen: Sequence[Option], bays: Mapping[BayId, Bay]
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
            priced = self._prices.of(homes, minute, minute + HOUR, traits)
            hourly |= {(minute, home): price for home, price in priced.items()}
            if wish.leave_at is not None and wish.leave_at > minute:
                priced = self._prices.of(homes, minute, wish.leave_at, traits)
                total |= {(minute, home): price for home, price in priced.items()}
        keys = [(_whole(each.arrive_at), bays[each.bay_id].facility_id) for each in chosen]
        return [(total.get(key), hourly[key]) for key in keys]


def _few_of_each(fitting: Sequence[tuple[FreeBay, Bay]], most: int) -> list[tuple[FreeBay, Bay]]:
    """Give the nearest bays of each facility."""
    kept: list[tuple[FreeBay, Bay]] = []
    counts: dict[FacilityId, int] = {}
    for each in fitting:
        home = each[1].facility_id
        counts[home] = counts.get(home, 0) + 1
        if counts[home] <= most:
            kept.append(each)
    return kept


def _restriction(
    wish: Wish, option: Option, home: Facility, apart: Sequence[BayApart]
) -> Restriction:
    """Give what ends the use of a bay within the stay."""
    own = next((each for each in apart if each.bay_id == option.bay_id), None)
    return restriction(
        home,
        () if own is None else own.rules,
        () if own is None else own.suspended,
        option.arrive_at,
        max(wish.leave_at or option.arrive_at + LOOKED_AHEAD, option.arrive_at),
    )


def _arrival(wish: Wish, now: datetime, drive: Way | None) -> datetime:
    """Give when the car comes: as wished, but no sooner than the drive allows."""
    soonest = now if drive is None else now + timedelta(seconds=drive.time_s)
    return soonest if wish.arrive_at is None else max(soonest, wish.arrive_at)


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
