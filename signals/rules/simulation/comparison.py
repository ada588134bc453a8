"""What driving some plans beside others with the same vehicles says, seed by seed."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import JsonValue

from signals.rules.simulation.outcome import Outcome, half_width

Shown = Literal["less", "more", "none"]

FIGURES: Final = (
    "signal_delay_s",
    "drain_delay_s",
    "stops",
    "longest_wait_s",
    "safety_violations",
    "trips",
    "teleports",
    "unfinished",
)
"""As ``Outcome`` has them, but for the first: what a vehicle loses each time that it passes one of
the signals looked at, which is what the delay model foretells."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over the seeds and Student's 95 % interval of it."""

    mean: float
    low: float
    high: float

    def as_json(self) -> dict[str, JsonValue]:
        """Give its document."""
        return {name: round(getattr(self, name), 3) for name in ("mean", "low", "high")}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure before and after."""

    before: Estimate
    after: Estimate
    difference: Estimate
    """After less before of the same seed: vehicles that both had in common do not blur it."""

    @property
    def shown(self) -> Shown:
        """What the seeds show: nothing where the difference's interval spans zero."""
        if self.difference.low <= 0 <= self.difference.high:
            return "none"
        return "less" if self.difference.mean < 0 else "more"

    def as_json(self) -> dict[str, JsonValue]:
        """Give its document."""
        return {
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "difference": self.difference.as_json(),
            "shown": self.shown,
        }


def estimate(values: Sequence[float]) -> Estimate:
    """Give the mean of two or more values and its interval."""
    mean, half = statistics.fmean(values), half_width(values)
    return Estimate(mean, mean - half, mean + half)


def compared(before: Sequence[float], after: Sequence[float]) -> Comparison:
    """Compare a figure over the same seeds in the same order, two or more."""
    differences = [two - one for one, two in zip(before, after, strict=True)]
    return Comparison(estimate(before), estimate(after), estimate(differences))


def figures_of(
    outcome: Outcome, passages: Sequence[tuple[str, str, float]], lanes: frozenset[str]
) -> dict[str, float | None]:
    """Give a run's figures.

    Parameters
    ----------
    outcome : Outcome
    passages : Sequence of tuple
        Lane before a signal, lane behind it, seconds lost.
    lanes : frozenset of str
        Lanes before the signals looked at.
    """
    lost_s = [lost for lane, _, lost in passages if lane in lanes]
    return {
        "signal_delay_s": statistics.fmean(lost_s) if lost_s else None,
        **{name: float(getattr(outcome, name)) for name in FIGURES[1:]},
    }


def comparisons(
    before: Sequence[Mapping[str, float | None]], after: Sequence[Mapping[str, float | None]]
) -> dict[str, Comparison]:
    """Compare all figures that every run has."""
    found = {}
    for name in FIGURES:
        one = [each[name] for each in before]
        two = [each[name] for each in after]
        known_before = [value for value in one if value is not None]
        known_after = [value for value in two if value is not None]
        if len(known_before) == len(one) and len(known_after) == len(two):
            found[name] = compared(known_before, known_after)
    return found
