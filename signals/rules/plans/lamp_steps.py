"""What a signal group grants in each half second of a cycle."""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from signals.rules.model.aspects import GREENS, OFF, PROTECTED, YELLOWS, Aspect
from signals.rules.model.plans import Interval, runs

STEP_S: Final = 0.5


class Lamp:
    """What a signal group grants in each step of a cycle.

    Parameters
    ----------
    intervals : Sequence of Interval
    group : int
    """

    def __init__(self, intervals: Sequence[Interval], group: int) -> None:
        ends = [round(at_s / STEP_S) for at_s in accumulate(each.duration_s for each in intervals)]
        starts, steps = [0, *ends[:-1]], ends[-1]
        shown = [
            each.shows[group]
            for each, start, end in zip(intervals, starts, ends, strict=True)
            for _ in range(start, end)
        ]
        self.protected = [aspect in PROTECTED for aspect in shown]
        self.open = [_grants(aspect) for aspect in shown]
        self.since_s = [math.inf] * steps
        self.left_s = [math.inf] * steps
        """Of the green; below 0 in the yellow behind it."""
        for run in runs(intervals, group, _grants):
            if run.count == len(intervals):
                return
            first, last_of = starts[run.first], (run.first + run.count - 1) % len(intervals)
            lasts = (ends[last_of] - first) % steps
            for step in range(lasts):
                place = (first + step) % steps
                self.since_s[place] = step * STEP_S
                self.left_s[place] = (lasts - step) * STEP_S
            last = self.protected[(first + lasts - 1) % steps]
            for step in range(steps - lasts):
                place = (first + lasts + step) % steps
                if shown[place] not in YELLOWS:
                    break
                self.open[place], self.protected[place] = True, last
                self.since_s[place] = (lasts + step) * STEP_S
                self.left_s[place] = -step * STEP_S


def _grants(aspect: Aspect) -> bool:
    return aspect in GREENS or aspect in OFF or aspect is Aspect.TURN_ON_RED
