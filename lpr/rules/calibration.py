"""Fitting how sure a reader may say it is, on reads of plates that it never learnt from."""

from collections.abc import Sequence
from math import comb
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lpr.rules.reads import BandLimits

Floats = NDArray[np.float32]

_TEMPERATURES: Final = np.exp(np.linspace(np.log(0.4), np.log(4.0), 47))
_REVIEW: Final = 0.3
_GRAIN: Final = 10_000
"""Limits are written with four digits."""


def fitted_temperature(logits: Floats, wanted: NDArray[np.int64]) -> float:
    """Give the temperature under which the truth is most probable.

    Source: Guo et al. (2017), On Calibration of Modern Neural Networks, temperature scaling.

    Parameters
    ----------
    logits : array of rows x classes
    wanted : array of rows
        The true class of each row.
    """
    best = min(_TEMPERATURES.tolist(), key=lambda each: _surprise(logits / each, wanted))
    return round(float(best), 3)


def fitted_bands(
    confidences: Sequence[float],
    right: Sequence[bool],
    most_wrong: float = 0.01,
    certainty: float = 0.95,
) -> BandLimits:
    """Give the lowest limit from which certainly at most a share of the accepted reads is wrong.

    Parameters
    ----------
    confidences : sequence of float
        Of held-out reads.
    right : sequence of bool
        Whether each was exactly the plate.
    most_wrong : float
        The share.
    certainty : float
        How certain that must be by what was seen: one wrong read of a hundred does not show that
        the next hundred has one only. Where no limit is so certain, only reads surer than every
        wrong one are accepted. Source: Clopper & Pearson (1934).

    Notes
    -----
    Sorting the reads, and for each limit as many terms as it has wrong reads.
    """
    order = np.argsort(-np.asarray(confidences, np.float64), kind="stable")
    sure = np.asarray(confidences, np.float64)[order]
    wrong = np.cumsum(~np.asarray(right, np.bool_)[order])
    kept = [
        at
        for at, count in enumerate(wrong.tolist())
        if _as_few(count, at + 1, most_wrong) <= 1 - certainty
    ]
    surest = np.flatnonzero(wrong == 0)
    if kept:
        accept = np.floor(sure[kept[-1]] * _GRAIN) / _GRAIN
    elif len(surest):
        accept = np.floor(sure[surest[-1]] * _GRAIN) / _GRAIN
    else:
        accept = min(1.0, (np.floor(sure[0] * _GRAIN) + 1) / _GRAIN)
    return BandLimits(accept=float(accept), review=min(_REVIEW, float(accept)))


def _as_few(wrong: int, reads: int, share: float) -> float:
    """Give the chance of so few wrong reads, were the share of wrong ones as given."""
    terms = (
        comb(reads, each) * share**each * (1 - share) ** (reads - each) for each in range(wrong + 1)
    )
    return float(sum(terms))


def _surprise(logits: Floats, wanted: NDArray[np.int64]) -> float:
    top = logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float((total - logits[np.arange(len(wanted)), wanted]).mean())
