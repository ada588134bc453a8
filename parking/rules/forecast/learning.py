"""Regressions that learn day by day, and the mixture of them that each place earns.

A forecast is linear in its features; coefficients differ by hour of day. What a regression has
seen is kept as sums (``X'WX`` and ``X'Wz``) per place and hour, so that another day costs the same
whatever came before, and a place with little data leans on its own other hours and on the other
places. Several such regressions, with longer and shorter memories, and four plain rules are mixed
by how they did lately at that place: a convex mixture of linear forecasts is linear again.

Each row is weighted by 1/error of the forecast that was made for it before it was known, so that
the regressions approach least absolute error, and a broken day teaches little.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from parking.rules.forecast.features import FEATURES
from parking.rules.forecast.readings import Array

WIDTH: Final = len(FEATURES)
HOURS: Final = 24
NEIGHBOURS: Final = (0.08, 0.45, 1.0, 0.45, 0.08)
"""Weight of the hours around an hour in its regression."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a regression weighs what it has seen.

    Attributes
    ----------
    half_life_days
        How fast it forgets.
    own, others
        Rows that the place's other hours, and the other places' same hours, count for.
    ridge
        Rows that 'nothing but the usual change' counts for.
    """

    half_life_days: float
    own: float
    others: float
    ridge: float


RECIPES: Final = (
    Recipe(90.0, 30.0, 100.0, 3.0),
    Recipe(90.0, 10.0, 20.0, 1.0),
    Recipe(14.0, 30.0, 60.0, 3.0),
    Recipe(90.0, 10.0, 3000.0, 1.0),
)


def _plain() -> Array:
    """Give the plain rules as coefficients, ``(4, WIDTH)``."""
    plain = np.zeros((4, WIDTH))
    plain[1, 1] = -1.0  # as now: takes the usual change back
    plain[2, 2] = -1.0  # back to usual
    plain[3, 6] = 1.0  # moves as last week
    return plain


PLAIN: Final = _plain()
EXPERTS: Final = len(RECIPES) + len(PLAIN)


class Sums:
    """What has been seen, per recipe, place and hour, with its weight fading by the day.

    Memory grows as recipes' half-lives x places x hours x WIDTH^2.
    """

    def __init__(self, places: int) -> None:
        self.half_lives = sorted({recipe.half_life_days for recipe in RECIPES})
        shape = (len(self.half_lives), places, HOURS)
        self.gram = np.zeros((*shape, WIDTH, WIDTH))
        self.moment = np.zeros((*shape, WIDTH))
        self.weight = np.zeros(shape)

    def fade(self, days: int) -> None:
        """Let `days` pass."""
        for index, half_life in enumerate(self.half_lives):
            factor = 0.5 ** (days / half_life)
            self.gram[index] *= factor
            self.moment[index] *= factor
            self.weight[index] *= factor

    def add(
        self, place: np.ndarray, hour: np.ndarray, features: Array, change: Array, weight: Array
    ) -> None:
        """Take in rows: their place, hour of the target, features, and what they should give."""
        cell = place * HOURS + hour
        order = np.argsort(cell, kind="stable")
        cell, features = cell[order], features[order]
        change, weight = change[order], weight[order]
        starts = np.flatnonzero(np.append(True, np.diff(cell) != 0))
        weighted = features * weight[:, None]
        outer = np.einsum("np,nq->npq", weighted, features)
        gram = np.add.reduceat(outer, starts, axis=0)
        moment = np.add.reduceat(weighted * change[:, None], starts, axis=0)
        # Counted in rows, so that 'counts for so many rows' means the same at every place.
        total = np.add.reduceat(np.ones(weight.size), starts)
        at, on = np.divmod(cell[starts], HOURS)
        self.gram[:, at, on] += gram
        self.moment[:, at, on] += moment
        self.weight[:, at, on] += total

    def coefficients(self) -> Array:
        """Solve every regression: ``(EXPERTS, places, HOURS, WIDTH)``."""
        places = self.weight.shape[1]
        found = np.zeros((EXPERTS, places, HOURS, WIDTH))
        kernel = np.zeros((HOURS, HOURS))
        for offset, weight in zip(range(-2, 3), NEIGHBOURS, strict=True):
            kernel[np.arange(HOURS), (np.arange(HOURS) + offset) % HOURS] = weight
        for number, recipe in enumerate(RECIPES):
            index = self.half_lives.index(recipe.half_life_days)
            raw_gram, raw_moment, raw = self.gram[index], self.moment[index], self.weight[index]
            gram = np.einsum("hk,ikpq->ihpq", kernel, raw_gram)
            moment = np.einsum("hk,ikp->ihp", kernel, raw_moment)
            weight = np.einsum("hk,ik->ih", kernel, raw)
            own = np.maximum(raw.sum(axis=1), 1.0)[:, None]
            own_gram, own_moment = raw_gram.sum(axis=1), raw_moment.sum(axis=1)
            gram = gram + recipe.own * (own_gram / own[..., None])[:, None]
            moment = moment + recipe.own * (own_moment / own)[:, None]
            if places > 1:
                all_weight = np.maximum(weight.sum(axis=0), 1.0)
                others_gram = gram.sum(axis=0) / all_weight[:, None, None]
                others_moment = moment.sum(axis=0) / all_weight[:, None]
                gram = gram + recipe.others * others_gram
                moment = moment + recipe.others * others_moment
            # The penalty is in the features' own spread, so that units do not matter.
            scale = (
                np.einsum("ihpp->ip", gram)
                / np.maximum(
                    weight.sum(axis=1) + HOURS * (recipe.own + recipe.others * (places > 1)), 1.0
                )[:, None]
            )
            penalty = recipe.ridge * np.maximum(scale, 1e-9)[:, None, :]
            system = gram + penalty[..., None] * np.eye(WIDTH)
            found[number] = np.linalg.solve(system, moment[..., None])[..., 0]
        found[len(RECIPES) :] = PLAIN[:, None, None, :]
        return found


class Mixture:
    """How much each place trusts each expert, by their fading mean absolute errors."""

    SHARPNESS: Final = 25.0
    HALF_LIFE_DAYS: Final = 10.0

    def __init__(self, places: int) -> None:
        self._error = np.zeros((places, EXPERTS))
        self._rows = np.zeros(places)

    def weights(self) -> Array:
        """Give the weights, ``(places, EXPERTS)``, each place's summing to 1."""
        seen = np.maximum(self._rows, 1e-9)[:, None]
        mean = self._error / seen
        best = mean.min(axis=1, keepdims=True)
        worse = np.where(best > 0, mean / np.where(best > 0, best, 1.0) - 1.0, mean > 0)
        weight = np.exp(-self.SHARPNESS * worse)
        # Before anything was seen: the usual change alone.
        weight[self._rows == 0] = 0.0
        weight[self._rows == 0, len(RECIPES)] = 1.0
        shares: Array = weight / weight.sum(axis=1, keepdims=True)
        return shares

    def fade(self, days: int) -> None:
        """Let `days` pass."""
        factor = 0.5 ** (days / self.HALF_LIFE_DAYS)
        self._error *= factor
        self._rows *= factor

    def add(self, place: np.ndarray, errors: Array) -> None:
        """Take in absolute errors, ``(n, EXPERTS)``."""
        np.add.at(self._error, place, errors)
        np.add.at(self._rows, place, 1.0)
