"""What a controller of the crossroads showed, second by second, held against the safety checker."""

from collections.abc import Mapping, Sequence

from signals.rules.model.aspects import GREENS, Aspect
from signals.rules.model.plans import Interval, Programme
from signals.rules.safety.case import Case, yielding
from signals.rules.safety.modes import check_mode_change
from signals.rules.safety.transitions import may_stretch

_GRANTED = {
    Aspect.GREEN: Aspect.PERMISSIVE,
    Aspect.FLASHING_GREEN: Aspect.FLASHING_PERMISSIVE,
}


def faults_shown(case: Case, plan: Programme, shown: Sequence[Mapping[int, Aspect]]) -> list[str]:
    """Give what the checker finds in every second that was shown, as one stretch."""
    names = [group.name for group in case.junction.groups]
    gives = yielding(case)
    held: set[str] = set()
    intervals: list[Interval] = []
    for lamps in shown:
        known = {names[phase - 1]: aspect for phase, aspect in lamps.items()}
        greens = {name for name, aspect in known.items() if aspect in GREENS}
        # A turn that gives way goes on doing so until its green is over.
        held = {
            name
            for name in greens
            if name in held or any((name, other) in gives for other in greens)
        }
        shows = tuple(
            _GRANTED.get(known[name], known[name]) if name in held else known[name]
            for name in names
        )
        if intervals and intervals[-1].shows == shows:
            intervals[-1] = Interval(intervals[-1].duration_s + 1, shows)
        else:
            intervals.append(Interval(1.0, shows))
    while not may_stretch(intervals[-1]):
        # The run ends in the middle of a change.
        intervals.pop()
    return [each.what for each in check_mode_change(case, plan, intervals)]
