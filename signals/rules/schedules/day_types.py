"""Days that go alike: clustering of day profiles into types, explained by the calendar.

Days of one class of the calendar (all Mondays, all holidays) are one group from the start, for a
schedule must know tomorrow's type before tomorrow is counted. The two groups that differ least are
joined again and again, until they differ by more than chance can explain. With w the median
difference of two days of one class, and groups of n and m days, the middles of two groups that go
alike differ by about

(1)  w sqrt((1 / n + 1 / m) / 2)

for w is of two single days. A difference is the sum of what two profiles differ by, quarter by
quarter, over the sum of their mean. Days far from their own type's middle are named.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from signals.rules.schedules.days import DayClass, name_of

CHANCE: Final = 1.5
"""Times (1) that two groups may differ and still count as alike."""
LEAST: Final = 0.05
"""Groups closer than that are one whatever chance says: no plan would differ."""
ALONE: Final = 0.10
"""Difference of two days of one class where no class was counted twice."""
UNLIKE: Final = 4.0
"""Times a type's median distance from its middle: a day beyond is unlike it."""
UNLIKE_LEAST: Final = 0.20

Profile = NDArray[np.float64]
"""Units of each quarter of an hour, junction after junction; NaN where nobody counted."""


@dataclass(frozen=True)
class DayTypeFound:
    """Days that one set of plans can serve."""

    name: str
    classes: tuple[DayClass, ...]
    days: tuple[dt.date, ...]
    """Counted days of it, those unlike it left out."""
    unlike: tuple[dt.date, ...]
    """Of its classes, but far from its middle: events, faults, weather."""


def difference(one: Profile, other: Profile) -> float:
    """Give how far two profiles differ, as a share; infinite where they share no quarter."""
    known = ~(np.isnan(one) | np.isnan(other))
    if not known.any():
        return math.inf
    total = float((one[known] + other[known]).sum()) / 2
    apart = float(np.abs(one[known] - other[known]).sum())
    if total <= 0:
        return 0.0 if apart == 0 else math.inf
    return apart / total


def day_types(
    profiles: Mapping[dt.date, Profile],
    classes: Mapping[dt.date, DayClass],
    most: int | None = None,
) -> tuple[DayTypeFound, ...]:
    """Give the types of days, the one with the most days first.

    Parameters
    ----------
    profiles : Mapping
        Of every counted day.
    classes : Mapping
        The calendar's class of each.
    most : int, optional
        Join on until there are no more types than that.

    Notes
    -----
    Cost grows with the square of the days of a class; classes are at most nine.
    """
    groups = [
        [day for day in sorted(profiles) if classes[day] is each]
        for each in DayClass
        if any(classes[day] is each for day in profiles)
    ]
    scatter = _scatter(profiles, groups)
    while len(groups) > 1:
        pairs = [
            (_apart(profiles, groups[one], groups[other], scatter), one, other)
            for one, other in combinations(range(len(groups)), 2)
        ]
        (excess, one, other) = min(pairs)
        if excess > 0 and (most is None or len(groups) <= most):
            break
        groups[one] = sorted(groups[one] + groups.pop(other))
    found = [_type_of(profiles, classes, group) for group in groups]
    return tuple(sorted(found, key=lambda each: (-len(each.days), each.name)))


def _scatter(profiles: Mapping[dt.date, Profile], groups: Sequence[Sequence[dt.date]]) -> float:
    apart = [
        difference(profiles[one], profiles[other])
        for group in groups
        for one, other in combinations(group, 2)
    ]
    finite = [each for each in apart if math.isfinite(each)]
    return float(np.median(finite)) if finite else ALONE


def _apart(
    profiles: Mapping[dt.date, Profile],
    one: Sequence[dt.date],
    other: Sequence[dt.date],
    scatter: float,
) -> float:
    """Give by how much two groups differ beyond what chance explains."""
    chance = scatter * math.sqrt((1 / len(one) + 1 / len(other)) / 2)
    apart = difference(middle(profiles, one), middle(profiles, other))
    return apart - max(CHANCE * chance, LEAST)


def middle(profiles: Mapping[dt.date, Profile], days: Sequence[dt.date]) -> Profile:
    """Give the median profile of days; NaN where none of them was counted."""
    stacked = np.stack([profiles[day] for day in days])
    found = np.full(stacked.shape[1], math.nan)
    known = ~np.isnan(stacked).all(axis=0)
    found[known] = np.nanmedian(stacked[:, known], axis=0)
    return found


def _type_of(
    profiles: Mapping[dt.date, Profile],
    classes: Mapping[dt.date, DayClass],
    days: Sequence[dt.date],
) -> DayTypeFound:
    centre = middle(profiles, days)
    far = {day: difference(profiles[day], centre) for day in days}
    finite = [each for each in far.values() if math.isfinite(each)]
    limit = max(UNLIKE * float(np.median(finite)), UNLIKE_LEAST) if finite else math.inf
    unlike = tuple(day for day in days if far[day] > limit)
    kept = {classes[day] for day in days}
    return DayTypeFound(
        name_of(kept),
        tuple(each for each in DayClass if each in kept),
        tuple(day for day in days if day not in unlike),
        unlike,
    )
