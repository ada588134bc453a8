"""Occupancy readings as they come, and the stated rules that make a clean series of them.

A feed is dirty: counts below zero and above capacity, rows that come twice, an hour that comes
twice because clocks went back, days without rows, a car park that was rebuilt. Each rule says what
it does and counts what it did; nothing is invented where a reading is missing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DAY_S: Final = 86_400
OVERFULL_SHARE: Final = 1.10
"""Up to here a count above capacity is a full car park (cars in aisles); above, it is wrong."""
DISBELIEVED_SHARE: Final = 0.20
"""Where more of the readings than this lie above capacity, it is the capacity that is wrong."""
SPIKE_FACTOR: Final = 4.0
"""A reading of so many times the 98th percentile is a fault, where no capacity tells."""
SPIKE_SHARE: Final = 0.005
STEPS_S: Final = (300, 600, 900, 1200, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400)
"""Sampling steps that series are thought of in; finer readings are thinned to the first."""
FILLED_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What was done to a series' rows, in rows."""

    rows: int
    unreadable: int = 0
    negative: int = 0
    over_capacity_dropped: int = 0
    over_capacity_clipped: int = 0
    duplicates: int = 0
    spikes: int = 0
    thinned: int = 0
    capacity_changes: int = 0
    capacity_disbelieved: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Clean readings of one place, the oldest first.

    Attributes
    ----------
    at_s, local_s
        Instants and local wall times, both in seconds since 1970-01-01 (shape ``(n,)``);
        `at_s` grows strictly, `local_s` repeats an hour where clocks go back.
    share
        Occupied bays / `scale`.
    ceiling
        Capacity in force at each reading / `scale`; infinite where none is known.
    scale
        What errors are a share of: the capacity (where it changed, the largest), else the largest
        reading.
    step_s
        Usual distance of readings.
    """

    name: str
    at_s: Array
    local_s: Array
    share: Array
    ceiling: Array
    scale: float
    step_s: int
    cleaning: Cleaning


def _step_s(at_s: Array) -> int:
    """Give the finest step at which most of the cells between readings would be filled."""
    gaps = np.diff(at_s)
    if gaps.size == 0:
        return DAY_S
    median = float(np.median(gaps))
    steps = np.array(STEPS_S)
    first = int(np.argmin(np.abs(np.log(steps / max(median, 60.0)))))
    for step in steps[first:]:
        active = gaps[gaps <= 4 * step]
        if active.size and gaps.size and active.sum():
            cells = np.unique(np.round(at_s / step)).size
            if cells >= FILLED_SHARE * (active.sum() / step + 1):
                return int(step)
    return int(steps[-1])


def _last_of_each(at_s: Array) -> NDArray[np.bool_]:
    return np.append(np.diff(at_s) > 0, True)


def clean(
    name: str, at_s: Array, local_s: Array, value: Array, capacity: Array | None
) -> Series | None:
    """Make a clean series of one place's rows; cost grows as the sorting of them.

    1. Rows without a readable instant or value are dropped, and those below zero.
    2. Of rows of one instant the last one given stands.
    3. A capacity that is missing or not positive is the one before it (at the start: after it).
    4. A value above capacity counts as full up to 110 %, and is dropped above. Where more than a
       fifth of the rows lie above, the capacity is not believed, as if none were given.
    5. Without a capacity, a rare value (at most 1 in 200) of more than four times the 98th
       percentile is a fault and dropped.
    6. Readings closer than five minutes are thinned: the last of each five minutes stands.

    Parameters
    ----------
    at_s, local_s, value, capacity
        In the order given by the source; NaN where unreadable.

    Returns
    -------
    Series or None
        None where no row is left.
    """
    rows = at_s.size
    readable = np.isfinite(at_s) & np.isfinite(value)
    negative = readable & (value < 0)
    kept = np.flatnonzero(readable & ~negative)
    kept = kept[np.argsort(at_s[kept], kind="stable")]
    before = kept.size
    if kept.size:
        kept = kept[_last_of_each(at_s[kept])]
    duplicates = before - kept.size
    if not kept.size:
        return None
    at_s, local_s, value = at_s[kept], local_s[kept], value[kept]
    known = None if capacity is None else _filled(capacity[kept])
    dropped = clipped = spikes = 0
    disbelieved = False
    if known is not None and np.mean(value > known) > DISBELIEVED_SHARE:
        known, disbelieved = None, True
    if known is not None:
        wrong = value > OVERFULL_SHARE * known
        clipped = int(np.sum((value > known) & ~wrong))
        dropped = int(wrong.sum())
        value = np.minimum(value, known)
        fine = ~wrong
    else:
        high = float(np.quantile(value, 0.98))
        spike = value > SPIKE_FACTOR * max(high, 1.0)
        fine = ~spike if np.mean(spike) <= SPIKE_SHARE else np.ones(value.size, dtype=bool)
        spikes = int(value.size - fine.sum())
    at_s, local_s, value = at_s[fine], local_s[fine], value[fine]
    if not at_s.size:
        return None
    thin = _last_of_each(np.floor(at_s / STEPS_S[0]))
    thinned = int(thin.size - thin.sum())
    at_s, local_s, value = at_s[thin], local_s[thin], value[thin]
    changes = 0
    if known is None:
        scale = float(value.max())
        ceiling = np.full(value.size, np.inf)
    else:
        held = known[fine][thin]
        scale = float(held.max())
        ceiling = held / scale
        changes = int(np.sum(np.diff(held) != 0))
    scale = scale if scale > 0 else 1.0
    return Series(
        name,
        at_s,
        local_s,
        value / scale,
        ceiling,
        scale,
        _step_s(at_s),
        Cleaning(
            rows=rows,
            unreadable=int(rows - readable.sum()),
            negative=int(negative.sum()),
            over_capacity_dropped=dropped,
            over_capacity_clipped=clipped,
            duplicates=duplicates,
            spikes=spikes,
            thinned=thinned,
            capacity_changes=changes,
            capacity_disbelieved=disbelieved,
        ),
    )


def _filled(capacity: Array) -> Array | None:
    """Carry the last known capacity on; None where none is known."""
    known = np.isfinite(capacity) & (capacity > 0)
    if not known.any():
        return None
    last = np.maximum.accumulate(np.where(known, np.arange(capacity.size), -1))
    last[last < 0] = int(np.argmax(known))
    return capacity[last]
