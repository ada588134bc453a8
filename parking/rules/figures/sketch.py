"""Quantiles from counts in bins that can be added up: of any stays, in any grouping.

Bins grow by the factor `GROWTH`, so that a quantile is known within `ACCURACY` of itself however
large it is, and two places' counts added bin by bin are the counts of both together.

Source: DDSketch (Masson, Rim, Lee, 2019, VLDB 12(12)), without its limit of bins: there are some
1 150 from a millisecond to four months.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final

ACCURACY: Final = 0.01
"""Largest relative error of a quantile."""
GROWTH: Final = (1 + ACCURACY) / (1 - ACCURACY)
LOG_GROWTH: Final = math.log(GROWTH)

Bins = Mapping[int, int]
"""Counts by bin. Bin 0 holds all up to 1 ms; bin k those above GROWTH^(k-1) up to GROWTH^k ms."""


def bin_of(ms: float) -> int:
    """Give the bin of a duration in milliseconds."""
    return 0 if ms <= 1 else math.ceil(math.log(ms) / LOG_GROWTH)


def value_of(number: int) -> float:
    """Give the duration that stands for a bin, in milliseconds; within `ACCURACY` of each in it."""
    return 0.0 if number <= 0 else 2 * GROWTH**number / (GROWTH + 1)


def added(parts: Iterable[Bins]) -> dict[int, int]:
    """Add counts bin by bin."""
    total: dict[int, int] = {}
    for part in parts:
        for number, count in part.items():
            total[number] = total.get(number, 0) + count
    return total


def quantile_ms(bins: Bins, share: float) -> float | None:
    """Give a quantile in milliseconds; None where nothing was counted.

    Parameters
    ----------
    bins
        The counts.
    share
        0 to 1. Of n sorted values it is the one at place ``floor(share * (n - 1))``: for an even
        number of stays the median is the lower of the two in the middle.
    """
    wanted = math.floor(share * (sum(bins.values()) - 1))
    seen = 0
    for number in sorted(bins):
        seen += bins[number]
        if seen > wanted >= 0:
            return value_of(number)
    return None
