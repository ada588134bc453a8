"""What a profile's limits on long greens and long reds mean for a search of greens.

A search that sees only delay lengthens the green of the street with the traffic until those who
cross it wait too long, and ends in a plan that the safety checker refuses. So seconds beyond a
limit are a cost to the search; what no choice of greens can mend is told apart from it.
"""

from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import FLASHING, GO, GREENS
from signals.rules.model.plans import Programme, runs
from signals.rules.safety.case import Case
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import Rule

OF_LENGTH: Final = frozenset({Rule.MAX_GREEN, Rule.WAIT, Rule.LONGEST_RED, Rule.CYCLE})
"""Rules that other greens of the same stages in the same order may keep."""


def seconds_over(case: Case, programme: Programme) -> float:
    """Give by how many seconds greens and reds of all groups are longer than the profile allows.

    Notes
    -----
    Cost grows with groups times intervals; nothing where the profile has no such limits.
    """
    profile = case.profile
    limits = (profile.most_green_s, profile.longest_red_s, profile.pedestrian_wait_s)
    if limits == (None, None, None):
        return 0.0
    over_s, intervals = 0.0, programme.intervals
    for group, fact in enumerate(case.groups):
        if not fact.movements:
            continue
        walks = fact.kind is GroupKind.PEDESTRIAN
        red_s = profile.longest_red_s
        if walks:
            red_s = profile.pedestrian_wait_s
            if fact.refuge and profile.pedestrian_wait_refuge_s is not None:
                red_s = profile.pedestrian_wait_refuge_s
        waits = {
            aspect
            for interval in intervals
            for aspect in (interval.shows[group],)
            if ((aspect not in GREENS or aspect in FLASHING) if walks else aspect not in GO)
        }
        for most_s, sort in (
            (profile.most_green_s, lambda aspect: aspect in GREENS),
            (red_s, waits.__contains__),
        ):
            if most_s is None:
                continue
            for run in runs(intervals, group, sort):
                if run.count < len(intervals):
                    over_s += max(run.duration_s - most_s, 0.0)
    return over_s


def can_be_safe(case: Case, programme: Programme) -> bool:
    """Whether a programme breaks no rule but those that other greens may keep."""
    return all(each.rule in OF_LENGTH for each in check_programme(case, programme).violations)
