"""How good a camera is, as far as people's reviews tell: an estimate with its uncertainty.

Reads that are not sure are all looked at, of the accepted ones a lot is drawn. So the share that is
right is estimated in each of the two strata and weighted by how many reads each has; a stratum of
which nobody looked at any makes the whole unknown.

Source: Cochran, Sampling Techniques (1977), chapter 5; interval of Wilson (1927) in each stratum.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Z95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Stratum:
    """Reads of one band in one hour of one camera."""

    reads: int
    reviewed: int
    """Of those, those that a person looked at and could read."""
    right: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Share of reads that are right, with a 95 % interval."""

    share: float
    low: float
    high: float


def accuracy(strata: Sequence[Stratum]) -> Estimate | None:
    """Estimate which share of reads is right; None where nobody can say.

    Parameters
    ----------
    strata : Sequence of Stratum
        Those without reads do not count.
    """
    counted = [each for each in strata if each.reads > 0]
    total = sum(each.reads for each in counted)
    if total == 0 or any(each.reviewed == 0 for each in counted):
        return None
    share = low = high = 0.0
    for each in counted:
        weight = each.reads / total
        own = wilson(each.right, each.reviewed)
        share += weight * each.right / each.reviewed
        low += weight * own[0]
        high += weight * own[1]
    return Estimate(share, low, high)


def wilson(right: int, of: int) -> tuple[float, float]:
    """Give the 95 % interval of a share; 0 to 1 where nothing was looked at."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = right / of, Z95 * Z95
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)
