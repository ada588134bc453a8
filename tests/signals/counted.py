"""Invented counts of the crossroads of ``crossroads``: a street with peaks, a quiet one across."""

import datetime as dt
import math
from collections.abc import Iterable, Iterator

from tests.signals import crossroads

HEADING = ["junction", "date", "start", "approach", "movement", "car", "truck", "bicycle"]
_SHARES = {"left": 0.15, "straight": 0.7, "right": 0.15}
_OPPOSITE = {"south": "N", "north": "S", "east": "W", "west": "E"}


def level_vph(arm: str, hour: float, *, free: bool) -> float:
    """Cars of an approach: towards the middle in the morning, out of it in the evening."""
    base = 120.0 if free else 60.0
    peaks: tuple[tuple[float, float, float], ...] = ((14.0, 3.5, 300.0),)
    if not free:
        peaks = ((8.0, 1.1, 620.0), (17.8, 1.3, 420.0))
        if arm == "south":
            peaks = ((8.0, 1.1, 320.0), (17.8, 1.3, 700.0))
    if arm in {"east", "west"}:
        peaks = tuple((at, width, most / 3) for at, width, most in peaks)
    waking = 1.0 if 5 <= hour < 23 else 0.25
    total = sum(most * math.exp(-(((hour - at) / width) ** 2) / 2) for at, width, most in peaks)
    return base * waking + total


def rows(days: Iterable[dt.date], hours: Iterable[int] = range(24)) -> Iterator[list[object]]:
    """Give the rows of days; Saturdays and Sundays are free."""
    compass = {"south": "S", "east": "E", "north": "N", "west": "W"}
    for day in days:
        free = day.isoweekday() > 5
        for hour in hours:
            for minute in (0, 15, 30, 45):
                for arm in crossroads.ARMS:
                    vph = level_vph(arm, hour + minute / 60, free=free)
                    # A day is a little busier than the one before, as days are.
                    vph *= 1 + 0.01 * (day.day % 5)
                    for turn, share in _SHARES.items():
                        yield [
                            crossroads.NAME, day, f"{hour:02}:{minute:02}", compass[arm], turn,
                            round(vph * share / 4), 0, 2 if turn == "straight" else 0,
                        ]  # fmt: skip


def csv_of(given: Iterable[list[object]], heading: Iterable[str] = HEADING) -> bytes:
    lines = [",".join(heading), *(",".join(map(str, row)) for row in given)]
    return ("\n".join(lines) + "\n").encode()
