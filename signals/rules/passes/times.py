"""Travel times from matched passes: who stopped on the way left out, with what is not known.

Who stops on the way (at a shop, a bus stop, for fuel) drove the way no slower than others, and
plates alone do not tell. Two rules find them; each alone misses some. The **overtaking rule**
leaves out who was overtaken by vehicles that left well after it. Source: S. Robinson, *The
development and application of an urban link travel time model using data derived from inductive
loop detectors*, thesis, Imperial College London (2005), for matched plates of London; the numbers
here are ours. It needs traffic; where little was matched, a drive far above the **median of those
beside it** by their median absolute deviation is left out, as is usual for matched plates (Clark,
Grant-Muller and Chen, Transportation Research Record 1804, 2002).

Intervals are distribution-free, by order statistics: with n drives, the q-quantile lies between
the l-th and the u-th shortest with the binomial probability that l to u - 1 of n fall below it.
Source: David and Nagaraja, *Order Statistics*, 3rd ed. (2003), 7.1. They hold for all who drove
that way in the time, of whom those that were read at both places are a part taken by chance.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import binom  # type: ignore[import-untyped] # it ships no types

from signals.rules.passes.trips import Drives

LEAST: Final = 5
"""Drives of which anything is told: with fewer, one of them could be somebody's own."""
SURE: Final = 0.95
OVERTAKERS: Final = 3
LATER_S: Final = 120.0
"""By so much an overtaker left later: about a cycle, within which signals part those who were
together."""
BESIDE: Final = 15
"""Drives before and after one that it is compared with."""
BESIDE_S: Final = 1_800.0
DEVIATIONS: Final = 3.0
_TO_SIGMA: Final = 1.4826
"""Of a median absolute deviation, where times are normally distributed."""
SLACK_S: Final = 120.0
"""A red at the worst: slower by less is the street's doing."""
QUANTILES: Final = (0.5, 0.85, 0.95)


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of travel times, and where it surely lies; None where too few tell."""

    share: float
    seconds: float
    low_s: float | None
    high_s: float | None


@dataclass(frozen=True, slots=True)
class TravelTime:
    """How long drives took that began in a while."""

    drives: int | None
    """On which it stands, without those left out; None where they are fewer than may be told."""
    stopped: int | None
    """Left out: they seem to have stopped on the way."""
    quantiles: tuple[Quantile, ...]
    """Empty where there are fewer than ``LEAST``."""


def stopped(drives: Drives) -> npt.NDArray[np.bool_]:
    """Say which drives of one pair of places, in the order of leaving, stopped on the way."""
    left_s = drives.left_us / 1e6
    return _overtaken(left_s, drives.took_s) | _far_above(left_s, drives.took_s)


def _overtaken(
    left_s: npt.NDArray[np.float64], took_s: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    n = len(left_s)
    found = np.zeros(n, dtype=bool)
    arrived_s = left_s + took_s
    later = np.searchsorted(left_s, left_s + LATER_S)
    until = np.searchsorted(left_s, arrived_s)
    for each in np.flatnonzero(until - later >= OVERTAKERS):
        arrivals = arrived_s[later[each] : until[each]]
        found[each] = np.count_nonzero(arrivals < arrived_s[each]) >= OVERTAKERS
    return found


def _far_above(
    left_s: npt.NDArray[np.float64], took_s: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    n = len(left_s)
    if n < LEAST:
        return np.zeros(n, dtype=bool)
    index = np.arange(n)[:, None] + np.arange(-BESIDE, BESIDE + 1)
    inside = (index >= 0) & (index < n)
    index = index.clip(0, n - 1)
    inside &= np.abs(left_s[index] - left_s[:, None]) <= BESIDE_S
    around = np.where(inside, took_s[index], np.nan)
    middle = np.nanmedian(around, axis=1)
    deviation = _TO_SIGMA * np.nanmedian(np.abs(around - middle[:, None]), axis=1)
    above = took_s > middle + np.maximum(DEVIATIONS * deviation, SLACK_S)
    return np.asarray(above & (inside.sum(axis=1) >= LEAST))


def travel_time(took_s: npt.NDArray[np.float64], left_out: int) -> TravelTime:
    """Sum up the drives of a while that did not stop."""
    n = len(took_s)
    if n + left_out == 0:
        return TravelTime(0, 0, ())
    if n < LEAST:
        return TravelTime(None, None, ())
    ordered = np.sort(took_s)
    return TravelTime(n, left_out, tuple(_quantile(ordered, each) for each in QUANTILES))


def _quantile(ordered: npt.NDArray[np.float64], share: float) -> Quantile:
    low, high = _ranks(len(ordered), share)
    return Quantile(
        share,
        float(np.quantile(ordered, share)),
        float(ordered[low - 1]) if low >= 1 else None,
        float(ordered[high - 1]) if high <= len(ordered) else None,
    )


@lru_cache(maxsize=4_096)
def _ranks(n: int, share: float) -> tuple[int, int]:
    """Give the ranks, from 1 on, between which the quantile of all surely lies."""
    tail = (1 - SURE) / 2
    return int(binom.ppf(tail, n, share)), int(binom.ppf(1 - tail, n, share)) + 1
