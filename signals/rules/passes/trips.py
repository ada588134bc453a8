"""Passes of one vehicle joined into drives from one place to another."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

LONGEST_S: Final = 3_600
"""From one place to the next; longer is another journey."""
_MOST_BETWEEN: Final = 24
"""Places that a vehicle passes between two of which a drive is made."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Passes:
    """Passes by columns, by vehicle and then by time."""

    vehicle: Numbers
    """Any number that is one vehicle's, within a day of marks."""
    place: Numbers
    at_us: Numbers
    follows: Numbers = field(repr=False)
    """Index of the same vehicle's next pass of the same place; past the end where none is."""
    precedes: Numbers = field(repr=False)
    """Index of its last pass of the same place before; -1 where none is."""

    def __len__(self) -> int:
        return len(self.at_us)


@dataclass(frozen=True, slots=True)
class Drives:
    """Drives from one place to another, by columns, in the order in which they began."""

    from_place: Numbers
    to_place: Numbers
    left_us: Numbers
    took_s: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.left_us)

    def of(self, from_place: int, to_place: int) -> "Drives":
        """Give those of one pair of places."""
        return self.where((self.from_place == from_place) & (self.to_place == to_place))

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Drives":
        """Give some of them."""
        return Drives(
            self.from_place[chosen], self.to_place[chosen], self.left_us[chosen],
            self.took_s[chosen],
        )  # fmt: skip


def in_order(vehicle: Numbers, place: Numbers, at_us: Numbers) -> Passes:
    """Put passes in order; one of the same vehicle, place and instant counts once."""
    order = np.lexsort((place, at_us, vehicle))
    vehicle, place, at_us = vehicle[order], place[order], at_us[order]
    if len(at_us):
        fresh = np.ones(len(at_us), dtype=bool)
        fresh[1:] = (np.diff(vehicle) != 0) | (np.diff(at_us) != 0) | (np.diff(place) != 0)
        vehicle, place, at_us = vehicle[fresh], place[fresh], at_us[fresh]
    n = len(at_us)
    by_place = np.lexsort((np.arange(n), place, vehicle))
    same = np.zeros(n, dtype=bool)
    same[1:] = (np.diff(vehicle[by_place]) == 0) & (np.diff(place[by_place]) == 0)
    follows, precedes = np.full(n, n), np.full(n, -1)
    later = np.flatnonzero(same)
    follows[by_place[later - 1]] = by_place[later]
    precedes[by_place[later]] = by_place[later - 1]
    return Passes(vehicle, place, at_us, follows, precedes)


def drives(passes: Passes, longest_s: float = LONGEST_S) -> Drives:
    """Join passes to drives between any two places.

    A drive goes from a vehicle's last pass of the one place to its first pass of the other, so
    that one read twice by two cameras, or one that went round, counts once.

    Parameters
    ----------
    passes : Passes
    longest_s : float
        Longer is no drive from the one to the other.
    """
    n = len(passes)
    begins: list[Numbers] = []
    ends: list[Numbers] = []
    for apart in range(1, min(_MOST_BETWEEN, n - 1) + 1):
        first = np.arange(n - apart)
        last = first + apart
        joined = (
            (passes.vehicle[first] == passes.vehicle[last])
            & (passes.at_us[last] - passes.at_us[first] <= longest_s * 1e6)
            & (passes.follows[first] > last)
            & (passes.precedes[last] < first)
            & (passes.place[first] != passes.place[last])
        )
        begins.append(first[joined])
        ends.append(last[joined])
    begin = np.concatenate([*begins, np.empty(0, dtype=np.int64)])
    end = np.concatenate([*ends, np.empty(0, dtype=np.int64)])
    order = np.argsort(passes.at_us[begin], kind="stable")
    begin, end = begin[order], end[order]
    return Drives(
        passes.place[begin],
        passes.place[end],
        passes.at_us[begin],
        (passes.at_us[end] - passes.at_us[begin]) / 1e6,
    )


def journeys(
    passes: Passes, ends: Numbers, longest_s: float = LONGEST_S
) -> tuple[Numbers, Numbers, Numbers]:
    """Give where journeys entered and left an area, and when: the first and the last of its ends.

    Parameters
    ----------
    passes : Passes
    ends : array
        Places at the area's edge; what is passed within it does not count.
    longest_s : float
        From one end to the next; a longer pause parts two journeys.

    Returns
    -------
    tuple of arrays
        Of first end, last end and the instant at the first, microseconds. A vehicle seen at one
        end alone is no journey.
    """
    at_end = np.isin(passes.place, ends)
    vehicle, place, at_us = passes.vehicle[at_end], passes.place[at_end], passes.at_us[at_end]
    if not len(at_us):
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty
    parts = np.ones(len(at_us), dtype=bool)
    parts[1:] = (np.diff(vehicle) != 0) | (np.diff(at_us) > longest_s * 1e6)
    first = np.flatnonzero(parts)
    last = np.append(first[1:], len(at_us)) - 1
    seen = last > first
    first, last = first[seen], last[seen]
    return place[first], place[last], at_us[first]
