"""What the measures are worked out with: every threshold and time as data, with its source."""

from dataclasses import dataclass, field
from typing import Final

MAXTIME: Final = "maxtime"
SIEMENS: Final = "siemens"
CONTROLLERS: Final = ("", MAXTIME, SIEMENS)


@dataclass(frozen=True)
class Settings:
    """The parameters of the measures; the defaults are those of the package ``atspm`` 2.6.

    Source: the open package ``atspm`` (Oregon DOT, MIT), its documented parameters.
    """

    bin_min: int = 15
    """Width of the bins, minutes; they start at midnight."""
    controller: str = ""
    """``maxtime``: the actual cycle (event 316) counts; ``siemens``: logs start anew each hour."""
    only_complete: bool = False
    """Leave out bins in which a device lost data."""
    no_data_min: int = 5
    """A bin has data where each so many minutes of it have."""
    min_data_points: int = 3
    latency_s: float = 0.0
    """From a vehicle at an advance detector to its event."""
    yellow_red_latency_s: float = 1.5
    min_red_offset_s: float | None = -8.0
    communication_codes: tuple[int, ...] = (400, 502, 503)
    """Vendor specific."""
    seconds_between_presses: float = 15.0
    """Presses of a button closer than this are one person's.

    Source: https://doi.org/10.1177/0361198121994126
    """
    red_time_s: float = 5.0
    """After red begins, the time in which a queue that stays shows."""
    red_occupancy: float = 0.80
    green_occupancy: float = 0.80
    by_lane: bool = False
    """Split failures of each detector, not of a phase's detectors together."""
    min_duration_s: float = 0.2
    """Shorter intervals of the timeline are left out."""
    cushion_s: float = 60.0
    """How long an event without an end is shown."""
    preempt_recovery_s: float = 120.0
    assumed_cycle_s: float = 140.0
    skip_multiplier: float = 1.5
    priority_skip_multiplier: float = 2.0
    silence_s: tuple[tuple[int, float], ...] = (
        (300, 300.0),
        (360, 120.0),
        (1260, 300.0),
        (1380, 900.0),
    )
    """From which minute of the day which silence of a device makes its intervals unsure."""


@dataclass(frozen=True)
class WatchLimits:
    """When the daily watchdog speaks. Chosen by us from practice; UDOT's has alike ones."""

    stuck_on_s: float = 1800.0
    """A detector held on for longer than this."""
    chatter_per_min: int = 90
    """More actuations in a minute than vehicles of a lane group could make."""
    silent_s: float = 3 * 3600.0
    """No actuation while its device sends."""
    silent_share: float = 0.5
    """Also of the time seen, so that a quiet night of a side road says nothing."""
    least_actuations: int = 50
    drift_ratio: float = 2.0
    """The time a vehicle holds a detector, late in the day against early."""
    drift_tau: float = 0.6
    """Kendall's rank correlation of that time with the time of day."""
    drift_bins: int = 8
    max_out_share: float = 0.8
    max_out_bins: float = 0.75
    least_terminations: int = 20
    presses_per_bin: int = 60
    """Presses of one button in a bin."""
    walker_wait_s: float = 120.0
    walker_waits: int = 3
    missing_share: float = 0.05


@dataclass(frozen=True)
class Configuration:
    """Which detector serves which phase, and for what: parallel lists, a row a use."""

    device: tuple[str, ...] = field(default_factory=tuple)
    phase: tuple[int, ...] = field(default_factory=tuple)
    parameter: tuple[int, ...] = field(default_factory=tuple)
    """The detector's channel: ``Parameter`` of its events."""
    function: tuple[str, ...] = field(default_factory=tuple)

    def of(self, function: str) -> list[tuple[str, int, int]]:
        """Give (device, phase, channel) of a function, compared without case."""
        wanted = function.casefold()
        rows = zip(self.device, self.phase, self.parameter, self.function, strict=True)
        return [(d, p, c) for d, p, c, f in rows if f.casefold() == wanted]
