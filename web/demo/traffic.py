"""Virtual cars: who arrives where, stays how long, and leaves. Pure; time is handed in.

Arrivals at a facility are a Poisson process whose rate follows the hour of the day so that the
bays fill to a stated share (rate = bays x share / mean stay, by Little's law); stays are
log-normal. A car that finds its facility full tries the two nearest, then goes away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from city.places import distance_m
from city.vehicles import PlateKind, PlateNumber, parse_plate
from web.demo.holders import holders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from city.identifiers import BayId
    from web.demo.bays import DemoBay, DemoFacility

ZONE: Final = ZoneInfo("Asia/Shanghai")
RATE_STEP: Final = timedelta(minutes=5)
LONGEST_STAY_S: Final = 14 * 3600
SHORTEST_STAY_S: Final = 150
NEIGHBOURS_TRIED: Final = 2
SERIAL_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
LOCAL_PREFIX: Final = "皖R"
VISITOR_PREFIXES: Final = ("苏A", "浙A", "皖A", "皖B", "沪C", "赣E", "苏E", "浙B")
LOCAL_SHARE: Final = 0.8
REGULAR_SHARE: Final = 0.12
"""Of the cars that come, those that come again and again, while any of them is away."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How full a kind of facility wants to be by local hour, and how long cars stay."""

    shares: tuple[float, ...]
    """Wanted occupied share at 00:00, 02:00 … 22:00, linear in between."""
    mean_stay_s: float
    spread: float
    """Standard deviation of the stay's logarithm."""

    def share_at(self, local: datetime) -> float:
        """Return the wanted share of taken bays."""
        step = (local.hour + local.minute / 60) / 2
        index = int(step)
        a, b = self.shares[index % 12], self.shares[(index + 1) % 12]
        return a + (b - a) * (step - index)


PROFILES: Final[Mapping[str, Profile]] = {
    "kerb": Profile(
        (0.35, 0.32, 0.30, 0.32, 0.62, 0.80, 0.76, 0.74, 0.80, 0.84, 0.66, 0.45), 55 * 60, 0.85
    ),
    "garage": Profile(
        (0.18, 0.15, 0.14, 0.20, 0.66, 0.86, 0.82, 0.84, 0.78, 0.62, 0.40, 0.24), 150 * 60, 0.7
    ),
}


@dataclass(frozen=True, slots=True)
class Move:
    """A car drives into a bay or out of it."""

    at: datetime
    facility: DemoFacility
    bay: DemoBay
    plate: PlateNumber
    arrives: bool


class Traffic:
    """The cars of the town.

    Parameters
    ----------
    facilities
        Where they park.
    seed
        Decides every car.
    start_at
        When the town begins to live.
    taken
        Bays that hold a car already, from an earlier life of the same town.
    plates
        Of the cars in them, as far as they are remembered.
    regulars
        Cars that come again; none of them is in two places.
    """

    def __init__(
        self,
        facilities: Sequence[DemoFacility],
        seed: int,
        start_at: datetime,
        taken: frozenset[BayId] | None = None,
        plates: Mapping[BayId, PlateNumber] | None = None,
        *,
        regulars: Sequence[PlateNumber] = (),
    ) -> None:
        self._remembered = plates or {}
        self._random = Random(seed)  # noqa: S311 - a town, not a secret
        self._facilities = list(facilities)
        self._near = {f.facility_id: _nearest(f, facilities) for f in facilities}
        # A reserved bay waits for whom it is reserved; a permit's bay is its holder's.
        self._open = {
            f.facility_id: [bay for bay in f.bays if bay.purpose != "reserved"] for f in facilities
        }
        self._holders = holders(facilities)
        self._regulars = frozenset(regulars)
        self._named = self._regulars | frozenset(self._holders.values())
        here = {plate for bay, plate in self._remembered.items() if taken and bay in taken}
        self._away = [each for each in regulars if each not in here]
        self._places: dict[PlateNumber, tuple[DemoFacility, DemoBay]] = {}
        self._free = {facility_id: list(bays) for facility_id, bays in self._open.items()}
        self._inside: dict[BayId, PlateNumber] = {}
        self._order = count()
        self._queue: list[tuple[datetime, int, Move]] = []
        self._rates_at = start_at
        self._fill(start_at, taken)

    def plate_in(self, bay_id: BayId) -> PlateNumber | None:
        """Return the plate of the car in a bay: what an attendant sees who walks up to it."""
        return self._inside.get(bay_id)

    def place_of(self, regular: PlateNumber) -> tuple[DemoFacility, DemoBay] | None:
        """Return where a regular is parked; None while it is not."""
        return self._places.get(regular)

    @property
    def plates(self) -> dict[BayId, PlateNumber]:
        """The plates of the cars in the bays, to be remembered."""
        return dict(self._inside)

    @property
    def taken(self) -> frozenset[BayId]:
        """Bays with a car in them."""
        return frozenset(self._inside)

    def until(self, now: datetime) -> list[Move]:
        """Return what happens up to an instant, in order of time."""
        moves: list[Move] = []
        # Step by step, so that it does not matter how often anybody looks.
        while self._rates_at <= now:
            moves += self._moved(self._rates_at)
            self._draw_arrivals(self._rates_at)
            self._rates_at += RATE_STEP
        return moves + self._moved(now)

    def _moved(self, until_at: datetime) -> list[Move]:
        moves: list[Move] = []
        while self._queue and self._queue[0][0] <= until_at:
            _, _, move = heappop(self._queue)
            done = self._arrive(move) if move.arrives else self._leave(move)
            if done is not None:
                moves.append(done)
        return moves

    def _fill(self, at: datetime, taken: frozenset[BayId] | None) -> None:
        """Put cars into bays as they are at this hour, or as they were left."""
        for facility in self._facilities:
            share = self._share(facility, at)
            for bay in self._open[facility.facility_id]:
                there = self._random.random() < share if taken is None else bay.bay_id in taken
                if there:
                    self._free[facility.facility_id].remove(bay)
                    plate = self._remembered.get(bay.bay_id)
                    self._park(at, facility, bay, self._rest_s(facility), plate)

    def _share(self, facility: DemoFacility, at: datetime) -> float:
        wanted = PROFILES[facility.kind].share_at(at.astimezone(ZONE))
        return min(0.97, wanted * (0.55 + 0.45 * min(1.35, facility.attraction)))

    def _draw_arrivals(self, at: datetime) -> None:
        for facility in self._facilities:
            profile = PROFILES[facility.kind]
            mean = (
                len(self._open[facility.facility_id])
                * self._share(facility, at)
                / profile.mean_stay_s
                * RATE_STEP.total_seconds()
            )
            for _ in range(_poisson(self._random, mean)):
                arrives_at = at + RATE_STEP * self._random.random()
                move = Move(arrives_at, facility, facility.bays[0], self._plate(), arrives=True)
                heappush(self._queue, (arrives_at, next(self._order), move))

    def _arrive(self, move: Move) -> Move | None:
        for facility in (move.facility, *self._near[move.facility.facility_id]):
            free = self._free[facility.facility_id]
            if free:
                bay = free.pop(self._random.randrange(len(free)))
                self._park(move.at, facility, bay, self._stay_s(facility), move.plate)
                return Move(move.at, facility, bay, self._inside[bay.bay_id], arrives=True)
        self._goes(move.plate)
        return None

    def _stay_s(self, facility: DemoFacility, shift: float = 0.0) -> float:
        profile = PROFILES[facility.kind]
        middle = math.log(profile.mean_stay_s) - profile.spread**2 / 2
        return self._random.lognormvariate(middle + shift, profile.spread)

    def _rest_s(self, facility: DemoFacility) -> float:
        """Return how long a car stays on that is met at a random moment.

        Long stays are met more often than short ones: their law is the stays' own weighted by
        length, for a log-normal one shifted by its variance; the rest is a uniform share of it.
        Source: Cox, Renewal Theory (1962), chapter 5.
        """
        return self._random.random() * self._stay_s(facility, PROFILES[facility.kind].spread ** 2)

    def _park(
        self,
        at: datetime,
        facility: DemoFacility,
        bay: DemoBay,
        stay_s: float,
        plate: PlateNumber | None = None,
    ) -> None:
        leaves_at = at + timedelta(seconds=min(LONGEST_STAY_S, max(SHORTEST_STAY_S, stay_s)))
        holder = self._holders.get(bay.bay_id)
        if holder is not None and plate is not None:
            self._goes(plate)
        plate = holder or plate or self._plate()
        self._inside[bay.bay_id] = plate
        if plate in self._regulars:
            self._places[plate] = facility, bay
        move = Move(leaves_at, facility, bay, plate, arrives=False)
        heappush(self._queue, (leaves_at, next(self._order), move))

    def _leave(self, move: Move) -> Move:
        self._inside.pop(move.bay.bay_id, None)
        self._free[move.facility.facility_id].append(move.bay)
        self._goes(move.plate)
        return move

    def _goes(self, plate: PlateNumber) -> None:
        """Let a regular be away, from where it may come again."""
        if plate in self._regulars:
            self._places.pop(plate, None)
            self._away.append(plate)

    def _plate(self) -> PlateNumber:
        pick = self._random
        if self._away and pick.random() < REGULAR_SHARE:
            return self._away.pop(pick.randrange(len(self._away)))
        drawn = self._drawn()
        while drawn in self._named:
            drawn = self._drawn()
        return drawn

    def _drawn(self) -> PlateNumber:
        pick = self._random
        prefix = LOCAL_PREFIX if pick.random() < LOCAL_SHARE else pick.choice(VISITOR_PREFIXES)
        kind = pick.random()
        if kind < 0.34:  # noqa: PLR2004 - share of new-energy cars
            text = prefix + pick.choice("DDDDAF") + pick.choice("0123456789ABCEGHK")
            return parse_plate(text + _digits(pick, 4), PlateKind.NEV_GREEN8)
        if kind < 0.352:  # noqa: PLR2004 - share of police cars
            return parse_plate(prefix + _digits(pick, 4) + "警", PlateKind.POLICE_WHITE)
        serial = list(_digits(pick, 5))
        for place in pick.sample(range(5), pick.choice((0, 1, 1, 2))):
            serial[place] = pick.choice(SERIAL_LETTERS)
        yellow = kind < 0.37  # noqa: PLR2004 - share of large vehicles
        return parse_plate(
            prefix + "".join(serial), PlateKind.YELLOW7 if yellow else PlateKind.BLUE7
        )


def _digits(random: Random, length: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(length))


def _poisson(random: Random, mean: float) -> int:
    """Return a Poisson number by counting exponential gaps; cheap for the small means here."""
    number, gap = 0, random.expovariate(1.0)
    while gap < mean:
        number += 1
        gap += random.expovariate(1.0)
    return number


def _nearest(here: DemoFacility, facilities: Sequence[DemoFacility]) -> list[DemoFacility]:
    others = [f for f in facilities if f.facility_id != here.facility_id]
    others.sort(key=lambda f: distance_m(here.position, f.position))
    return others[:NEIGHBOURS_TRIED]
