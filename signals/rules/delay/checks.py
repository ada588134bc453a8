"""Arguments of the delay model as arrays, refused where they cannot be."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from city.errors import Invalid

Floats = NDArray[np.float64]


def at_least(value: ArrayLike, least: float, name: str) -> Floats:
    """Give an array of finite numbers from `least` on."""
    found = np.asarray(value, dtype=np.float64)
    # Written so that NaN fails too.
    if not np.all((found >= least) & np.isfinite(found)):
        raise Invalid(f"must be at least {least:g}", field=name)
    return found


def above(value: ArrayLike, least: float, name: str) -> Floats:
    """Give an array of finite numbers above `least`."""
    found = np.asarray(value, dtype=np.float64)
    if not np.all((found > least) & np.isfinite(found)):
        raise Invalid(f"must be above {least:g}", field=name)
    return found


def within(value: ArrayLike, least: float, most: float, name: str) -> Floats:
    """Give an array of numbers from `least` to `most`."""
    found = np.asarray(value, dtype=np.float64)
    if not np.all((found >= least) & (found <= most)):
        raise Invalid(f"must lie from {least:g} to {most:g}", field=name)
    return found


def green_share(effective_green_s: ArrayLike, cycle_s: ArrayLike) -> tuple[Floats, Floats]:
    """Give g / C and C, with 0 < g <= C."""
    cycle = above(cycle_s, 0, "cycle_s")
    green = above(effective_green_s, 0, "effective_green_s")
    if np.any(green > cycle):
        raise Invalid("must not exceed the cycle", field="effective_green_s")
    return np.asarray(green / cycle), cycle
