"""Cars on their way through the demo town, as cameras at its stop lines read them. Pure; seeded.

Each drives from one signal to another by the fastest way, waits at some of the signals on it, and
stops on the way now and then. Cameras miss some.
"""

from __future__ import annotations

from datetime import timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from web.demo.loops import HOURS

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random
    from zoneinfo import ZoneInfo

    from city.streets import StreetLink
    from web.demo.town import Town

CARS_PER_H: Final = 420
"""In the busy hour."""
LEAST_SHARE: Final = 0.35
"""Of it at night: enough for a page to show."""
READ_SHARE: Final = 0.88
STOPS_SHARE: Final = 0.06
SLOWER: Final = 1.25
"""Than at the permitted speed."""
WAITS_SHARE: Final = 0.5
LONGEST_WAIT_S: Final = 45.0
STOP_S: Final = (300.0, 1_500.0)
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"

Pass = tuple["datetime", str, int, str]
"""When, at which signal, in which lane, which plate."""


class Passers:
    """Cars on their way.

    Parameters
    ----------
    town : Town
    random : Random
    zone : ZoneInfo
        Of the street's hours.
    from_at : datetime
        When the first sets out.
    """

    def __init__(self, town: Town, random: Random, zone: ZoneInfo, from_at: datetime) -> None:
        self._network = town.network
        self._signals = {each.node: each.code for each in town.junctions}
        self._random = random
        self._zone = zone
        self._next_at = from_at
        self._coming: list[Pass] = []
        self._ways: dict[tuple[str, str], tuple[StreetLink, ...]] = {}

    def until(self, at: datetime) -> list[Pass]:
        """Let time pass; give what cameras read meanwhile, in order."""
        while self._next_at <= at:
            self._set_out(self._next_at)
            local = self._next_at.astimezone(self._zone)
            share = max(HOURS[local.hour], LEAST_SHARE)
            gap_s = self._random.expovariate(CARS_PER_H * share / 3_600)
            self._next_at += timedelta(seconds=gap_s)
        read = []
        while self._coming and self._coming[0][0] <= at:
            read.append(heappop(self._coming))
        return read

    def _set_out(self, at: datetime) -> None:
        random = self._random
        start, end = random.sample(list(self._signals), 2)
        links = self._way(start, end)
        plate = f"皖{random.choice(LETTERS)}{random.randrange(100_000):05d}"
        stops_on = random.choice(links) if random.random() < STOPS_SHARE else None
        self._pass(at, start, plate)
        for link in links:
            late_s = link.travel_time_s * SLOWER
            if random.random() < WAITS_SHARE:
                late_s += random.uniform(0, LONGEST_WAIT_S)
            if link is stops_on:
                late_s += random.uniform(*STOP_S)
            at += timedelta(seconds=late_s)
            self._pass(at, link.end, plate)

    def _pass(self, at: datetime, node: str, plate: str) -> None:
        if node in self._signals and self._random.random() < READ_SHARE:
            lane = self._random.randint(1, 2)
            heappush(self._coming, (at, self._signals[node], lane, plate))

    def _way(self, start: str, end: str) -> tuple[StreetLink, ...]:
        if (start, end) not in self._ways:
            self._ways[start, end] = self._network.route(start, end).links
        return self._ways[start, end]
