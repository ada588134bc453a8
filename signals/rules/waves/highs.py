"""A mixed-integer programme for HiGHS, put together variable by variable and row by row."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped] # no types
from scipy.sparse import csr_array  # type: ignore[import-untyped] # the same

OPTIMAL, STOPPED, INFEASIBLE = 0, 1, 2

Floats = NDArray[np.float64]


class Model:
    """Variables with their limits, and rows over them; what it costs is to be small."""

    def __init__(self) -> None:
        self.low: list[float] = []
        self.high: list[float] = []
        self.whole: list[bool] = []
        self._cost: list[float] = []
        self._terms: list[float] = []
        self._term_rows: list[int] = []
        self._term_places: list[int] = []
        self._row_low: list[float] = []
        self._row_high: list[float] = []

    def variable(self, low: float, high: float, *, whole: bool = False, cost: float = 0.0) -> int:
        """Add a variable; give its place."""
        self.low.append(low)
        self.high.append(high)
        self.whole.append(whole)
        self._cost.append(cost)
        return len(self.low) - 1

    def row(self, terms: Mapping[int, float], low: float, high: float) -> None:
        """Hold a sum of variables between two limits."""
        number = len(self._row_low)
        for place, value in terms.items():
            self._term_rows.append(number)
            self._term_places.append(place)
            self._terms.append(value)
        self._row_low.append(low)
        self._row_high.append(high)

    def reach(self, terms: Mapping[int, float]) -> tuple[float, float]:
        """Give the least and the most of a sum by its variables' limits."""
        least = most = 0.0
        for place, value in terms.items():
            ends = (value * self.low[place], value * self.high[place])
            least += min(ends)
            most += max(ends)
        return least, most

    def run(
        self,
        low: Sequence[float],
        high: Sequence[float],
        best: float,
        time_limit_s: float,
        *,
        relaxed: bool,
    ) -> tuple[Floats | None, float, bool] | None:
        """Look for values that cost less than `-best`.

        Parameters
        ----------
        low, high : Sequence of float
            Limits of the variables, in the place of their own.
        best : float
            What is known already, as minus its cost; minus infinity: nothing.
        time_limit_s : float
        relaxed : bool
            Take whole numbers for any numbers.

        Returns
        -------
        tuple or None
            Values, where there are better ones; the bound of minus their cost; whether the search
            came to its end. None: no values keep the rows.
        """
        if any(here > there for here, there in zip(low, high, strict=True)):
            return None
        cost = np.array([*self._cost, -best] if best > 0 else self._cost)
        whole = np.array([*self.whole, True] if best > 0 else self.whole, dtype=float)
        limits = Bounds([*low, 0.0], [*high, 1.0]) if best > 0 else Bounds(low, high)
        rows, row_low, row_high = self._rows(cost, best)
        result = milp(
            cost,
            constraints=LinearConstraint(rows, row_low, row_high),
            bounds=limits,
            integrality=np.zeros(len(cost)) if relaxed else whole,
            options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
        )
        if result.status == INFEASIBLE:
            return None
        ended = result.status == OPTIMAL
        values = None if result.x is None else np.asarray(result.x)
        if relaxed:
            bound = -float(cost @ values) if ended and values is not None else math.inf
        else:
            dual = result.mip_dual_bound
            bound = math.inf if dual is None or not math.isfinite(dual) else -float(dual)
        if best > 0 and values is not None and values[-1] > 0.5:  # noqa: PLR2004 - one of 0 and 1
            values = None
        return values, bound, ended

    def _rows(self, cost: Floats, best: float) -> tuple[object, Floats, Floats]:
        """Give the rows, and those that ask for better than the best."""
        terms, rows, places = list(self._terms), list(self._term_rows), list(self._term_places)
        row_low, row_high = list(self._row_low), list(self._row_high)
        if best > 0:
            # Keeping the best is an answer too, at no cost of the variables: so HiGHS always has
            # one, and says what it proved when its time runs out.
            kept = len(cost) - 1
            most = -sum(value * self.high[place] for place, value in enumerate(self._cost))
            for low, high, keeping in ((best, math.inf, best), (-math.inf, most, most)):
                for place, value in (*enumerate(self._cost), (kept, -keeping)):
                    if value:
                        terms.append(-value)
                        rows.append(len(row_low))
                        places.append(place)
                row_low.append(low)
                row_high.append(high)
        matrix = csr_array((terms, (rows, places)), shape=(len(row_low), len(cost)))
        return matrix, np.array(row_low), np.array(row_high)
