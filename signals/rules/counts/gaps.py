"""What a table of counts leaves open, told by junction, movement and time."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import JsonValue

from signals.rules.counts.tables import QUARTER_MIN, QUARTERS, LegDay


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a day on which a movement was not counted, though others were."""

    junction: str
    from_road: str
    to_road: str
    day: dt.date
    first: int
    """Quarter of an hour from midnight."""
    until: int
    """The first that is counted again, or the window's end."""


def clock(quarter: int) -> str:
    """Give a quarter's time of day, 24:00 for the day's end."""
    return f"{quarter * QUARTER_MIN // 60:02}:{quarter * QUARTER_MIN % 60:02}"


def gap_json(gap: Gap) -> dict[str, JsonValue]:
    """Give a gap's document."""
    return {
        "junction": gap.junction,
        "from_road": gap.from_road,
        "to_road": gap.to_road or None,
        "date": gap.day.isoformat(),
        "from": clock(gap.first),
        "until": clock(gap.until),
    }


def counted(leg: LegDay) -> list[bool]:
    """Give in which quarters a movement was counted at all."""
    series = list(leg.numbers.values())
    return [any(each[quarter] is not None for each in series) for quarter in range(QUARTERS)]


def gaps_of(legs: Sequence[LegDay]) -> tuple[Gap, ...]:
    """Give the gaps: inside the hours in which a junction is counted on any day.

    A movement that is counted on some day of its junction and missing on another has a gap there.
    """
    found: list[Gap] = []
    ordered = sorted(legs, key=lambda leg: leg.junction)
    for junction, group in groupby(ordered, key=lambda leg: leg.junction):
        here = {(leg.from_road, leg.to_road, leg.day): counted(leg) for leg in group}
        window = [any(each[quarter] for each in here.values()) for quarter in range(QUARTERS)]
        days = sorted({day for _, _, day in here})
        for start, end in sorted({(start, end) for start, end, _ in here}):
            for day in days:
                there = here.get((start, end, day), [False] * QUARTERS)
                quarters = [q for q in range(QUARTERS) if window[q] and not there[q]]
                found += [
                    Gap(junction, start, end, day, first, until)
                    for first, until in stretches(quarters)
                ]
    return tuple(found)


def stretches(quarters: Sequence[int]) -> list[tuple[int, int]]:
    """Give the stretches of consecutive quarters: first, and the one behind the last."""
    found: list[tuple[int, int]] = []
    for quarter in quarters:
        if found and found[-1][1] == quarter:
            found[-1] = (found[-1][0], quarter + 1)
        else:
            found.append((quarter, quarter + 1))
    return found
