"""Whether what signals really showed was safe: every state of a run, not the plan on paper."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from signals.rules.model.plans import Interval, Programme
from signals.rules.safety.case import Case
from signals.rules.safety.report import Violation
from signals.rules.safety.transitions import judge_stretch

_WINDOW: Final = 400
_OVERLAP: Final = 50
"""Intervals judged at a time, and those judged again with the next: a rule looks no further."""


def violations_shown(
    cases: Mapping[str, Case], shown: Mapping[str, Sequence[Interval]]
) -> tuple[Violation, ...]:
    """Judge all that was shown by the rules that hold at every moment.

    Parameters
    ----------
    cases : Mapping
        The junctions under the profile.
    shown : Mapping
        By junction, what it showed in order.

    Returns
    -------
    tuple of Violation
        One for each time that a rule is broken. Cost grows with conflicting pairs times states.
    """
    return tuple(
        violation
        for name, intervals in shown.items()
        if name in cases and intervals
        for violation in _of_one(cases[name], intervals)
    )


def _of_one(case: Case, intervals: Sequence[Interval]) -> tuple[Violation, ...]:
    groups = [group.name for group in case.junction.groups]
    lamps = len(intervals[0].shows)
    names = (*groups, *(f"unused {place}" for place in range(len(groups), lamps)))
    stretch = Programme(case.junction.name, "shown", names, tuple(intervals[:1]))
    found: dict[tuple[object, ...], Violation] = {}
    first, begin_s = 0, 0.0
    while first < len(intervals):
        part = intervals[first : first + _WINDOW + _OVERLAP]
        lasts_s = sum(each.duration_s for each in intervals[first : first + _WINDOW])
        last = first + _WINDOW >= len(intervals)
        for each in judge_stretch(case, stretch, part, "shown").violations:
            # What lies in the overlap is judged whole in the next window.
            if each.at_s is None or last or each.at_s < lasts_s:
                at_s = None if each.at_s is None else round(each.at_s + begin_s, 3)
                found.setdefault((each.rule, each.groups, at_s), replace(each, at_s=at_s))
        begin_s += lasts_s
        first += _WINDOW
    return tuple(found.values())
