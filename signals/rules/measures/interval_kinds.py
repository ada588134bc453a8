"""What lasts from one event to another: the kinds of the timeline as data.

Codes: Indiana Traffic Signal Hi Resolution Data Logger Enumerations (public); kinds, orders and
validity as in the package ``atspm``.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Pair:
    """An interval from a start to an end event of the same parameter."""

    start: int
    end: int
    most_s: float | None = None
    """Longer ones are not sure."""
    keeps_ends: bool = False
    """An end after an end is an interval too, not sure."""


PAIRS: Final[dict[str, Pair]] = {
    "Advance Warning Overlap": Pair(71, 72),
    "Advance Warning Phase": Pair(55, 56),
    "FYA": Pair(32, 33),
    "Green": Pair(1, 7),
    "Yellow": Pair(8, 9, most_s=10),
    "Red": Pair(10, 11, most_s=10),
    "Overlap Ped": Pair(67, 65),
    "Ped Service": Pair(21, 23),
    "Phase Call": Pair(43, 44),
    "Phase Hold": Pair(41, 42),
    "Phase Omit": Pair(46, 47),
    "Ped Omit": Pair(48, 49),
    "Ped Detector Failed": Pair(91, 92),
    "Preempt": Pair(102, 104),
    "Special Function": Pair(176, 177),
    "TSP Call": Pair(112, 115),
    "TSP Detector": Pair(94, 93, keeps_ends=True),
    "TSP Service": Pair(118, 119, keeps_ends=True),
    "Split": Pair(0, 12),
}
TOGGLES: Final = {"Aux Switch": 202, "Stop Time Input": 180, "Manual Control": 178}
"""On with parameter 1, off with 0."""
INSTANTS: Final = {
    "Pattern Change": 131,
    "Cycle Length Change": 132,
    "Offset Change": 133,
    "Interval Advance": 179,
    "Clock Update": 181,
    "Power Failure": 182,
    "Power Restored": 184,
}
WITHOUT_VALUE: Final = frozenset({"Power Failure", "Power Restored", "Watchdog"})
FAULTS: Final = {84: "Other", 85: "Watchdog", 86: "Stuck Off", 87: "Stuck On", 88: "Erratic"}
FAULT_ENDED: Final = 83
TRANSITION: Final = 150
TRANSITIONS: Final = {
    2: "Transition Longway",
    3: "Transition Shortway",
    4: "Transition Dwell",
}
OVERLAPS: Final = {
    61: "Overlap Green",
    62: "Overlap Trail Green",
    63: "Overlap Yellow",
    64: "Overlap Red",
}
UNIT_ALARM, FLASH = 174, 173
ALARM_BITS: Final = {
    1: "Cycle Fault",
    2: "Coord Fault",
    4: "Coord Fail",
    8: "Cycle Fail",
    16: "MMU Flash",
    32: "Local Flash",
}
FLASHES: Final = {
    1: "Flash - Other",
    2: "Flash - Not Flash",
    3: "Flash - Automatic",
    4: "Flash - Local Manual",
    5: "Flash - Fault Monitor",
    6: "Flash - MMU",
    7: "Flash - Startup",
    8: "Flash - Preempt",
}
CLOCK_UPDATE: Final = 181
CLOCK_DOUBT_S: Final = 5
LOG_START: Final = 1000
"""Siemens: a new log begins with a snapshot."""
