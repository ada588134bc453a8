"""What was counted of bays in some hours, and the figures that follow from it.

Counts add up: over hours, days, bays, facilities and districts. Figures do not, so they are only
ever worked out from added counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from parking.rules.figures import sketch

DAY_US: Final = 86_400_000_000
MEDIAN: Final = 0.5
LATE_SHARE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of some bays over some time; durations in microseconds of bays' time."""

    service_us: int = 0
    """Time since anything was first known of the bay."""
    open_us: int = 0
    """Of that, the time in which it was open: within hours, under no prohibition, no works."""
    occupied_us: int = 0
    """Of the open time, as all below that is not about stays or changes."""
    free_us: int = 0
    arrivals: int = 0
    """Stays that began."""
    ended: int = 0
    """Stays that ended."""
    matched: int = 0
    """Of these, those of which somebody said whose they were."""
    dwell_stays: int = 0
    """Of those that ended, those whose end was seen: not those that a silence ended."""
    dwell_us: int = 0
    changes: int = 0
    """Changes to free or occupied that a device reported."""
    dwell_bins: Mapping[int, int] = field(default_factory=dict)
    delay_bins: Mapping[int, int] = field(default_factory=dict)

    @property
    def known_us(self) -> int:
        """Open time in which the bay was known to be free or occupied."""
        return self.occupied_us + self.free_us


def added(tallies: Iterable[Tally]) -> Tally:
    """Add counts; nothing at all gives zeros."""
    each = list(tallies)
    sums: dict[str, Any] = {
        known.name: sum(getattr(tally, known.name) for tally in each)
        for known in fields(Tally)
        if not known.name.endswith("_bins")
    }
    return Tally(
        **sums,
        dwell_bins=sketch.added(tally.dwell_bins for tally in each),
        delay_bins=sketch.added(tally.delay_bins for tally in each),
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a tally; None where there is nothing to divide by."""

    bay_days: float
    """Days of bays in service: a bay for 24 hours is one."""
    turnover_per_day: float | None
    """Stays begun per bay and day in service."""
    occupancy: float | None
    """Occupied time over known time, 0 to 1: what is unknown counts on neither side."""
    known_share: float | None
    """Known time over open time, 0 to 1: what the figures above rest on."""
    dwell_mean_s: float | None
    dwell_median_s: float | None
    """Within 1 %."""
    matched_share: float | None
    """Stays with a vehicle over stays that ended, 0 to 1."""
    delay_p95_s: float | None
    """From the event in the street until it was on record: 95 % of changes took at most so long."""


def figures_of(tally: Tally) -> Figures:
    """Work the figures out."""
    return Figures(
        bay_days=tally.service_us / DAY_US,
        turnover_per_day=_ratio(tally.arrivals * DAY_US, tally.service_us),
        occupancy=_ratio(tally.occupied_us, tally.known_us),
        known_share=_ratio(tally.known_us, tally.open_us),
        dwell_mean_s=_ratio(tally.dwell_us, tally.dwell_stays * 1_000_000),
        dwell_median_s=_seconds(sketch.quantile_ms(tally.dwell_bins, MEDIAN)),
        matched_share=_ratio(tally.matched, tally.ended),
        delay_p95_s=_seconds(sketch.quantile_ms(tally.delay_bins, LATE_SHARE)),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000
