"""The plan in force as SUMO's own actuated control would run it, to compare with."""

from dataclasses import replace
from typing import Final

from signals.rules.model.aspects import GREENS, YELLOWS
from signals.rules.model.plans import Programme
from signals.rules.safety.case import Case

_MOST_S: Final = 50.0
"""SUMO's own longest green."""


def actuated(case: Case, programme: Programme) -> Programme:
    """Give a programme whose greens last from the profile's least green up to 50 s, as asked for.

    Greens that are shorter or longer by plan keep that as their limit. Where a yellow is shown
    beside greens the time is no green to extend.
    """
    least_s = min(case.profile.least_green_s.values(), default=5.0) or 5.0
    return replace(
        programme,
        name="actuated",
        control="actuated",
        intervals=tuple(
            replace(
                each,
                least_s=min(least_s, each.duration_s),
                most_s=max(_MOST_S, each.duration_s),
            )
            if GREENS & set(each.shows) and not YELLOWS & set(each.shows)
            else replace(each, least_s=each.duration_s, most_s=each.duration_s)
            for each in programme.intervals
        ),
    )
