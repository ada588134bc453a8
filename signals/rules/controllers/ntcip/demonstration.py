"""The crossroads of a simulated NTCIP controller: eight phases in two rings."""

from typing import Final

from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.ntcip import objects
from signals.rules.controllers.ntcip.rings import (
    Pattern,
    RingPhase,
    Rings,
    Split,
    layout_of,
    plan_of,
)

_WALK_S: Final = 7
_PED_CLEAR_S: Final = 11


def rings() -> Rings:
    """Give turns (odd) and through movements with crossings (even), streets behind a barrier."""
    phases = {}
    for number in range(1, 9):
        ahead = number % 2 == 0
        ring = 1 if number <= 4 else 2  # noqa: PLR2004 - the usual numbering of two rings
        street = {1, 2, 5, 6} if number in {1, 2, 5, 6} else {3, 4, 7, 8}
        concurrent = frozenset(each for each in street if (each <= 4) != (ring == 1))  # noqa: PLR2004 - as above
        phases[number] = RingPhase(
            number,
            ring,
            10 if ahead else 5,
            4.0 if ahead else 3.0,
            2.0 if ahead else 3.0,
            concurrent,
            _WALK_S if ahead else 0,
            _PED_CLEAR_S if ahead else 0,
        )
    orders = {1: ((1, 2, 3, 4), (5, 6, 7, 8)), 2: ((2, 1, 4, 3), (6, 5, 8, 7))}
    return Rings(phases, orders)


def pattern(number: int, *times_s: int, sequence: int = 1, coordinated: int = 2) -> Pattern:
    """Give a pattern of the eight splits in the order of their phases."""
    splits = {
        phase: Split(
            time_s,
            objects.RECALLED if phase % 2 else objects.RECALLED_WITH_WALK,
            phase == coordinated,
        )
        for phase, time_s in enumerate(times_s, 1)
    }
    return Pattern(number, sum(times_s[:4]), 0, sequence, splits)


def patterns() -> tuple[Pattern, ...]:
    """Give one for the day, its left turns of different lengths, and one for the night."""
    return (
        pattern(1, 20, 35, 20, 35, 28, 27, 20, 35),
        pattern(2, 15, 30, 15, 30, 15, 30, 15, 30),
    )


def cabinet() -> Cabinet:
    """Give its cabinet with these patterns."""
    kept = rings()
    return Cabinet(layout_of(kept), {each.number: plan_of(kept, each) for each in patterns()}, 1)
