"""Rules on rings and barriers: what they add up to, who may meet, and that lamps show them."""

from itertools import pairwise

from signals.rules.model.aspects import GREENS, Aspect
from signals.rules.model.plans import Programme
from signals.rules.model.ring_plans import green_windows
from signals.rules.model.rings import RingPhase, Rings
from signals.rules.safety.case import EPS, Case, Findings
from signals.rules.safety.profiles import Rule


def check_rings(case: Case, programme: Programme, found: Findings) -> None:
    """Judge the rings of a programme that has some.

    Every ring of a side adds up to the same, the sides to the cycle; phases of different rings on a
    side have no conflict in which nobody gives way; and the intervals show what the rings say.
    """
    rings = programme.rings
    if rings is None:
        return
    for place, side in enumerate(rings.sides):
        whole_s = rings.side_s(place)
        for number in range(len(side)):
            ring_s = rings.ring_s(place, number)
            if ring_s < whole_s - EPS:
                found.add(
                    Rule.RINGS,
                    (),
                    f"ring {number + 1} of side {place + 1} adds up to less than the others",
                    shown=ring_s,
                    required=whole_s,
                )
    if abs(rings.cycle_s - programme.cycle_s) > EPS:
        found.add(
            Rule.RINGS,
            (),
            "the sides of the barrier do not add up to the cycle",
            shown=rings.cycle_s,
            required=programme.cycle_s,
        )
    _check_side_by_side(case, rings, found)
    _check_shown(case, programme, rings, found)


def _check_side_by_side(case: Case, rings: Rings, found: Findings) -> None:
    place = {fact.name: index for index, fact in enumerate(case.groups)}
    hard = {(pair.one, pair.other) for pair in case.pairs if not pair.settled}

    def clash(one: RingPhase, other: RingPhase) -> tuple[int, int] | None:
        for first in sorted(rings.groups_of(one)):
            for second in sorted(rings.groups_of(other)):
                pair = (place.get(first, -1), place.get(second, -1))
                if pair in hard:
                    return pair
        return None

    for side in rings.sides:
        for number, ring in enumerate(side):
            beside = [phase for other in side[number + 1 :] for phase in other]
            for one in ring:
                for other in beside:
                    pair = clash(one, other)
                    if pair is not None:
                        found.add(
                            Rule.RINGS,
                            pair,
                            f"phases {one.name} and {other.name} may run side by side, and"
                            f" {case.groups[pair[0]].says} conflicts with"
                            f" {case.groups[pair[1]].says}",
                        )


def _check_shown(case: Case, programme: Programme, rings: Rings, found: Findings) -> None:
    """Find who is green when its rings do not say so, or not green when they do.

    Which lamps lie between green and red is for other rules.
    """
    windows = [green_windows(rings, fact.name) for fact in case.groups]
    # Up to the shorter of the two: that they differ in length is said before.
    cycle_s = rings.cycle_s
    until_s = min(cycle_s, programme.cycle_s)
    edges = {edge % cycle_s for each in windows for window in each for edge in window}
    cuts = sorted(
        {0.0, until_s} | {each for each in {*edges, *programme.starts_s} if each < until_s}
    )
    told: set[int] = set()
    for start_s, end_s in pairwise(cuts):
        if end_s - start_s <= EPS:
            continue
        middle_s = (start_s + end_s) / 2
        shown = _shows(programme, middle_s)
        for group, fact in enumerate(case.groups):
            asked = any(
                begin_s <= time_s < over_s
                for begin_s, over_s in windows[group]
                for time_s in (middle_s, middle_s + cycle_s)
            )
            if asked is not (shown[group] in GREENS) and group not in told:
                told.add(group)
                found.add(
                    Rule.RINGS,
                    (group,),
                    f"{fact.says} is {'not ' if asked else ''}green, as its rings do not have it",
                    at_s=start_s,
                )


def _shows(plan: Programme, at_s: float) -> tuple[Aspect, ...]:
    for start_s, interval in zip(plan.starts_s, plan.intervals, strict=True):
        if start_s <= at_s < start_s + interval.duration_s:
            return interval.shows
    return plan.intervals[-1].shows
