"""Fitting how sure a reader may say it is, on reads of plates that it never learnt from."""

from collections.abc import Sequence
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
    confidences: Sequence[float], right: Sequence[bool], most_wrong: float = 0.005
) -> BandLimits:
    """Give the lowest limit from which at most a share of the accepted reads is wrong.

    Parameters
    ----------
    confidences : sequence of float
        Of held-out reads.
    right : sequence of bool
        Whether each was exactly the plate.
    most_wrong : float
        The share. Where no limit keeps it, only reads surer than every wrong one are accepted.

    Notes
    -----
    Sorting the reads is all that it costs.
    """
    order = np.argsort(-np.asarray(confidences, np.float64), kind="stable")
    sure = np.asarray(confidences, np.float64)[order]
    wrong = np.cumsum(~np.asarray(right, np.bool_)[order])
    kept = np.flatnonzero(wrong <= most_wrong * np.arange(1, len(order) + 1))
    if len(kept):
        accept = np.floor(sure[kept[-1]] * _GRAIN) / _GRAIN
    else:
        accept = min(1.0, (np.floor(sure[0] * _GRAIN) + 1) / _GRAIN)
    return BandLimits(accept=float(accept), review=min(_REVIEW, float(accept)))


def _surprise(logits: Floats, wanted: NDArray[np.int64]) -> float:
    top = logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float((total - logits[np.arange(len(wanted)), wanted]).mean())
