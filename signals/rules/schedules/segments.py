"""A day cut into segments of one plan each: the cheapest cut there is, by dynamic programming.

With c(k, t) the delay in quarter t under plan k and w(k, t) what it costs to change to plan k at t,
the least cost of the first t quarters with plan k running at their end is

(1)  f(t, k) = min over s <= t - L of  g(s, k) + sum over s <= u < t of c(k, u)
(2)  g(s, k) = min over j != k of  f(s, j) + w(k, s)

with L the fewest quarters of a segment. A day that follows upon itself is closed by trying every
plan at its start; a plan that ends it and is not the one that began it costs another change.

Source: Bellman (1961), "On the approximation of curves by line segments using dynamic programming",
for the recursion; costs and limits are ours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]
"""Plans by quarters."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Quarters over which one plan runs."""

    first: int
    until: int
    plan: int


def cheapest(
    costs: Costs, change: Costs, least_quarters: int = 1, *, closed: bool = False
) -> tuple[float, tuple[Segment, ...]]:
    """Give the least cost of a stretch of quarters, and its segments.

    Parameters
    ----------
    costs : array of plans by quarters
        What each plan costs in each quarter; finite.
    change : array of plans by quarters
        What it costs to begin a plan at a quarter's start while another runs.
    least_quarters : int
        A segment lasts at least so long, or the whole stretch where that is shorter.
    closed : bool
        The stretch follows upon itself, as a whole day does.

    Notes
    -----
    Cost grows with the square of plans times the square of quarters: vectors over pairs of plans.
    """
    plans, quarters = costs.shape
    least = max(min(least_quarters, quarters), 1)
    sums = np.concatenate([np.zeros((plans, 1)), np.cumsum(costs, axis=1)], axis=1)
    # Axes: the plan that began the stretch, the plan that runs at its end.
    best = np.full((quarters + 1, plans, plans), math.inf)
    entry = np.full((quarters + 1, plans, plans), math.inf)
    from_quarter = np.zeros((quarters + 1, plans, plans), dtype=np.int64)
    before = np.full((quarters + 1, plans, plans), -1, dtype=np.int64)
    entry[0][np.diag_indices(plans)] = 0.0
    own = np.eye(plans, dtype=bool)
    for until in range(1, quarters + 1):
        for first in range(until - least + 1):
            tried = entry[first] + (sums[:, until] - sums[:, first])[None, :]
            better = tried < best[until]
            best[until] = np.where(better, tried, best[until])
            from_quarter[until] = np.where(better, first, from_quarter[until])
        if until < quarters:
            # Who runs before must be another: the best of the others.
            others = np.where(own[None, :, :], math.inf, best[until][:, None, :])
            before[until] = others.argmin(axis=2)
            entry[until] = others.min(axis=2) + change[:, until][None, :]
    total = best[quarters].copy()
    if closed:
        total += np.where(own, 0.0, change[:, 0][:, None])
    start, end = np.unravel_index(int(total.argmin()), total.shape)
    found: list[Segment] = []
    until, plan = quarters, int(end)
    while until > 0:
        first = int(from_quarter[until][start, plan])
        found.append(Segment(first, until, plan))
        plan, until = int(before[first][start, plan]), first
    return float(total[start, end]), tuple(reversed(found))


def cost_of(
    segments: Sequence[Segment], costs: Costs, change: Costs, *, closed: bool = False
) -> float:
    """Give what a cut costs; consecutive segments of one plan are one."""
    total, runs = 0.0, None
    for each in segments:
        if runs is not None and runs != each.plan:
            total += float(change[each.plan, each.first])
        total += float(costs[each.plan, each.first : each.until].sum())
        runs = each.plan
    if closed and segments and segments[-1].plan != segments[0].plan:
        total += float(change[segments[0].plan, 0])
    return total
