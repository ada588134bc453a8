"""Where vehicles go, as shares with what is not known.

Who is seen at A and at B is fewer than who drives from A to B: a camera reads not all. How many it
reads nobody can tell from its reads; a count beside it can (of so many vehicles, so many read).
With A given, A's own rate plays no part: those that it missed are taken to go where those that it
read go. Shares by destination are then each count over its destination's rate, over their sum.

Intervals are drawn: counts of m destinations by a Dirichlet distribution from a prior of 1/m each
(Berger, Bernardo and Sun, *Overall objective priors*, Bayesian Analysis 10, 2015), rates by beta
distributions from Jeffreys' prior, and the 2.5 and 97.5 % points of the shares that follow. Where
none was seen the interval begins at nought, and where all were, it ends at one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from signals.rules.passes.times import LEAST, SURE

_DRAWS: Final = 4_000
_SEED: Final = 20_260_302
_PRIOR: Final = 0.5


@dataclass(frozen=True, slots=True)
class ReadingRate:
    """A count beside cameras: of so many vehicles, so many were read."""

    vehicles: int
    read: int


@dataclass(frozen=True, slots=True)
class Share:
    """A share, and where it surely lies; None where too few tell."""

    n: int | None
    """Vehicles seen; None where they are fewer than may be told."""
    share: float | None
    low: float | None
    high: float | None


_UNTOLD: Final = Share(None, None, None, None)


def shares(seen: Sequence[int], rates: Sequence[ReadingRate | None]) -> list[Share]:
    """Give the shares of destinations among those from one origin that were seen again.

    Parameters
    ----------
    seen : sequence of int
        Vehicles seen at each destination.
    rates : sequence
        Of each destination. Where one is not known all count as they were seen: then they are
        shares of who was *seen*, not of who went.

    Notes
    -----
    A destination with fewer than ``LEAST`` is not told, and where that is one alone, the least of
    the others is not told either: it could be worked out as what is missing.
    """
    total = sum(seen)
    if total < LEAST:
        return [_UNTOLD] * len(seen)
    hidden = _hidden(seen)
    random = np.random.default_rng(_SEED)
    drawn = random.dirichlet(np.array(seen, dtype=float) + 1 / len(seen), size=_DRAWS)
    counts = np.array(seen, dtype=float)
    if all(rate is not None for rate in rates):
        known = [rate for rate in rates if rate is not None]
        drawn = drawn / np.stack([_drawn_rate(rate, random) for rate in known], axis=1)
        drawn = drawn / drawn.sum(axis=1, keepdims=True)
        counts = counts / np.array([_middle(rate) for rate in known])
    low, high = np.quantile(drawn, [(1 - SURE) / 2, (1 + SURE) / 2], axis=0)
    middle = counts / counts.sum()
    low, high = np.where(counts == 0, 0.0, low), np.where(counts == counts.sum(), 1.0, high)
    return [
        _UNTOLD
        if place in hidden
        else Share(n, float(middle[place]), float(low[place]), float(high[place]))
        for place, n in enumerate(seen)
    ]


def reach(seen: int, left: int, rate: ReadingRate | None) -> Share:
    """Give which share of those who passed one place went past another.

    Parameters
    ----------
    seen : int
        Of them, seen at the other.
    left : int
        Who passed the one.
    rate : ReadingRate or None
        Of the other; None where it is not known: then it is the share that was seen, at the least.
    """
    if seen < LEAST or left - seen in range(1, LEAST):
        return _UNTOLD
    random = np.random.default_rng(_SEED)
    drawn = random.beta(seen + _PRIOR, left - seen + _PRIOR, _DRAWS)
    middle = seen / left
    if rate is not None:
        drawn = np.minimum(drawn / _drawn_rate(rate, random), 1.0)
        middle = min(middle / _middle(rate), 1.0)
    low, high = np.quantile(drawn, [(1 - SURE) / 2, (1 + SURE) / 2])
    return Share(seen, middle, float(low), float(high))


def _hidden(seen: Sequence[int]) -> frozenset[int]:
    """Say which destinations are not told."""
    few = [place for place, n in enumerate(seen) if 0 < n < LEAST]
    if len(few) == 1:
        others = [place for place, n in enumerate(seen) if n >= LEAST]
        few += sorted(others, key=lambda place: seen[place])[:1]
    return frozenset(few)


def _middle(rate: ReadingRate) -> float:
    return (rate.read + _PRIOR) / (rate.vehicles + 2 * _PRIOR)


def _drawn_rate(rate: ReadingRate, random: np.random.Generator) -> npt.NDArray[np.float64]:
    return random.beta(rate.read + _PRIOR, rate.vehicles - rate.read + _PRIOR, _DRAWS)
