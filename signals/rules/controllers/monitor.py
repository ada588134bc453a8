"""A conflict monitor: it looks at the lamps alone, and knows nothing of plans.

It trips where two conflicting phases are green (or one is green while the other still shows the
yellow after its green), and where a phase turns green before the intergreen after another's green
has passed. Source: what NEMA TS 2 monitors and GB 25280's green-conflict fault are for; the limits
are the layout's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from signals.rules.controllers.layout import Layout
from signals.rules.model.aspects import GREENS, YELLOWS, Aspect

_FORGOTTEN_S: Final = 600
_EPS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Trip:
    """Why the monitor put the junction on flashing yellow."""

    kind: str
    """`green_conflict` or `intergreen`."""
    phases: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the monitor remembers from one second to the next."""

    since_green_s: Mapping[int, int] = field(default_factory=dict)
    """By phase, seconds since its green ended; 0 while it is green; none where long ago."""


def watch(
    layout: Layout, memory: Memory, lamps: Mapping[int, Aspect]
) -> tuple[Memory, Trip | None]:
    """Judge one second of lamps.

    Parameters
    ----------
    layout : Layout
    memory : Memory
        Of the second before.
    lamps : Mapping
        What each phase really shows.

    Returns
    -------
    tuple
        What to remember, and the trip or None. Cost grows with the conflicting pairs.
    """
    green = {phase for phase, aspect in lamps.items() if aspect in GREENS}
    held = green | {phase for phase, aspect in lamps.items() if aspect in YELLOWS}
    trip = None
    for one, other in sorted(layout.conflicts):
        if one in green and other in held:
            trip = Trip("green_conflict", (one, other))
            break
    if trip is None:
        started = green - {phase for phase, s in memory.since_green_s.items() if s == 0}
        for (ended, starts), needed_s in sorted(layout.intergreen_s.items()):
            gone_s = memory.since_green_s.get(ended)
            if starts not in started or gone_s is None or ended in green:
                continue
            # A green that ended with the second before is `since 0` there: nothing lay between.
            if gone_s < needed_s - _EPS:
                trip = Trip("intergreen", (ended, starts))
                break
    since = {
        phase: s + 1
        for phase, s in memory.since_green_s.items()
        if phase not in green and s < _FORGOTTEN_S
    }
    return Memory(since | dict.fromkeys(green, 0)), trip
