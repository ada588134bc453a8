"""Rules on rings and barriers: what they add up to, who may meet, and that lamps show them."""

from itertools import accumulate, pairwise

from city.errors import Invalid
from signals.rules.model.aspects import GREENS, Aspect
from signals.rules.model.plans import Programme
from signals.rules.model.ring_plans import programme_from_rings
from signals.rules.model.rings import RingPhase, Rings
from signals.rules.safety.case import EPS, Case, Findings, yielding
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
    gives = yielding(case)
    try:
        asked = programme_from_rings(
            case.junction, programme.name, rings, yields=lambda one, other: (one, other) in gives
        )
    except Invalid as error:
        found.add(Rule.RINGS, (), f"the rings cannot be shown: {error}")
        return
    # Up to the shorter of the two: that they differ in length is said above.
    until_s = min(asked.cycle_s, programme.cycle_s)
    ends = [
        [*accumulate(each.duration_s for each in plan.intervals)] for plan in (asked, programme)
    ]
    cuts = sorted({0.0, until_s} | {end_s for each in ends for end_s in each if end_s < until_s})
    told: set[int] = set()
    for start_s, end_s in pairwise(cuts):
        if end_s - start_s <= EPS:
            continue
        middle_s = (start_s + end_s) / 2
        wanted, shown = (_shows(plan, middle_s) for plan in (asked, programme))
        for group, (one, other) in enumerate(zip(wanted, shown, strict=False)):
            # Who is permissive is the rule on conflicting greens' to judge.
            if one is not other and not {one, other} <= GREENS and group not in told:
                told.add(group)
                found.add(
                    Rule.RINGS,
                    (group,),
                    f"{case.groups[group].says} shows {other.value} where its rings ask for"
                    f" {one.value}",
                    at_s=start_s,
                )


def _shows(plan: Programme, at_s: float) -> tuple[Aspect, ...]:
    for start_s, interval in zip(plan.starts_s, plan.intervals, strict=True):
        if start_s <= at_s < start_s + interval.duration_s:
            return interval.shows
    return plan.intervals[-1].shows
