"""What a cabinet's lamps are as events of the public code list (Indiana enumerations)."""

from typing import TYPE_CHECKING, Final

from signals.rules.controllers.cabinet import Cabinet, Running
from signals.rules.controllers.layout import Phase
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS, YELLOWS, Aspect

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGIN_GREEN: Final = 1
FORCE_OFF: Final = 6
GREEN_ENDS: Final = 7
BEGIN_YELLOW: Final = 8
YELLOW_ENDS: Final = 9
BEGIN_RED: Final = 10
BEGIN_WALK: Final = 21
BEGIN_CLEARANCE: Final = 22
BEGIN_DONT_WALK: Final = 23
PATTERN: Final = 131
FLASH: Final = 173
NOT_FLASHING, BY_ORDER, BY_MONITOR = 2, 4, 6
"""Parameters of ``FLASH``, as NTCIP 1202's unitFlashStatus."""
_FLASHING: Final = frozenset({Running.FLASHING, Running.WAKING})

Event = tuple[int, int]
"""Code, parameter."""


def events_between(before: Cabinet | None, after: Cabinet) -> list[Event]:
    """Give what a controller tells of one second: lamps that changed, another plan, flashing.

    A plan of fixed times ends every green by itself (force-off).
    """
    found: list[Event] = []
    if before is None or before.plan != after.plan:
        found.append((PATTERN, after.plan))
    flashing = after.running in _FLASHING
    if before is None or flashing is not (before.running in _FLASHING):
        why = BY_MONITOR if after.trip is not None else BY_ORDER
        found.append((FLASH, why if flashing else NOT_FLASHING))
    if flashing or after.running is Running.DARK:
        return found
    lamps: Mapping[int, Aspect] = {} if before is None else before.lamps
    for phase in after.layout.phases:
        shown = after.lamps.get(phase.number, Aspect.RED)
        found += _changes(phase, lamps.get(phase.number), shown)
    return found


def _changes(phase: Phase, was: Aspect | None, now: Aspect) -> list[Event]:
    if phase.kind is GroupKind.PEDESTRIAN:
        code = None
        if now is not was:
            code = {Aspect.GREEN: BEGIN_WALK, Aspect.FLASHING_GREEN: BEGIN_CLEARANCE}.get(
                now, BEGIN_DONT_WALK if was in GREENS else None
            )
        return [] if code is None else [(code, phase.number)]
    codes: list[int] = []
    if was in GREENS and now not in GREENS:
        codes += [FORCE_OFF, GREEN_ENDS]
    if was in YELLOWS and now not in YELLOWS:
        codes.append(YELLOW_ENDS)
    if now in GREENS and was not in GREENS:
        codes.append(BEGIN_GREEN)
    elif now in YELLOWS and was not in YELLOWS:
        codes.append(BEGIN_YELLOW)
    elif now is Aspect.RED and was in {*GREENS, *YELLOWS}:
        codes.append(BEGIN_RED)
    return [(code, phase.number) for code in codes]
