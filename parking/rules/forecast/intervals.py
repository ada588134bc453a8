"""90 % intervals: how far forecasts of the same hour were off, corrected by how often they missed.

Split-conformal on the forecasts made before their truth was known: an error is divided by the
usual error of its place and hour, and the interval's ends are quantiles of those ratios over the
last weeks. The aimed miss rate is then moved after each day by how often the truth lay outside
(adaptive conformal inference), so that the share covered holds under drift as well.

Source: Gibbs and Candes (2021), Adaptive Conformal Inference Under Distribution Shift, eq. 2;
normalised scores as in Lei et al. (2018), section 5.2.
"""

from typing import Final

import numpy as np

from parking.rules.forecast.learning import HOURS
from parking.rules.forecast.readings import Array

MISS: Final = 0.10
WINDOW_DAYS: Final = 28
LEAST_RATIOS: Final = 60
"""Below this there is no interval, hence no forecast."""
STEP: Final = 0.25
"""How fast the aimed miss rate follows a day's misses."""
SPREAD_HALF_LIFE_DAYS: Final = 12.0
PRIOR_ROWS: Final = 12.0


class Spread:
    """The usual size of errors per place, kind of day and hour, fading by the day."""

    def __init__(self, places: int) -> None:
        self._error = np.zeros((places, 2, HOURS))
        self._rows = np.zeros((places, 2, HOURS))

    def fade(self, days: int) -> None:
        """Let `days` pass."""
        factor = 0.5 ** (days / SPREAD_HALF_LIFE_DAYS)
        self._error *= factor
        self._rows *= factor

    def add(self, place: np.ndarray, kind: np.ndarray, hour: np.ndarray, error: Array) -> None:
        """Take in absolute errors."""
        np.add.at(self._error, (place, kind, hour), error)
        np.add.at(self._rows, (place, kind, hour), 1.0)

    def sizes(self) -> Array:
        """Give the usual size, ``(places, 2, HOURS)``; a sparse cell leans on hour and place."""
        near = np.roll(self._error, 1, -1) + np.roll(self._error, -1, -1)
        near_rows = np.roll(self._rows, 1, -1) + np.roll(self._rows, -1, -1)
        error, rows = self._error + 0.25 * near, self._rows + 0.25 * near_rows
        place = error.sum((1, 2)) / np.maximum(rows.sum((1, 2)), 1e-9)
        hour_error = error.sum(1) + PRIOR_ROWS * place[:, None]
        hour = hour_error / (rows.sum(1) + PRIOR_ROWS)
        size = (error + PRIOR_ROWS * hour[:, None, :]) / (rows + PRIOR_ROWS)
        least: Array = np.maximum(size, 1e-4)
        return least


class Ends:
    """Quantiles of the recent ratios of one place, and the miss rate that they aim at."""

    def __init__(self) -> None:
        self._days: list[tuple[int, Array]] = []
        self.miss = MISS

    def add(self, day: int, ratios: Array, missed: float | None) -> None:
        """Take in a day's ratios, and the share of that day's truths outside their intervals."""
        self._days.append((day, ratios))
        self._days = [each for each in self._days if each[0] > day - WINDOW_DAYS]
        if missed is not None:
            self.miss = float(np.clip(self.miss + STEP * (MISS - missed), 0.01, 0.30))

    def quantiles(self) -> tuple[float, float] | None:
        """Give the lower and upper ratio; None while too few are known."""
        if sum(ratios.size for _, ratios in self._days) < LEAST_RATIOS:
            return None
        ratios = np.concatenate([ratios for _, ratios in self._days])
        # The finite-sample correction of split conformal prediction.
        reach = min(1.0, (1.0 - self.miss / 2.0) * (ratios.size + 1) / ratios.size)
        return float(np.quantile(ratios, 1.0 - reach)), float(np.quantile(ratios, reach))
