"""Plans made better by driving them: a search in a budget that never gives a worse one.

The model's plans are driven first, the best is kept; then one change after another is tried: greens
between stages, longer and shorter cycles, offsets. A change has to pass the safety checker, then be
better on the first seed, then on all seeds together. Every plan meets the same seeds, so that they
differ by themselves and not by chance.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

from signals.rules.model.aspects import FLASHING, GREENS, YELLOWS, Aspect
from signals.rules.model.plans import Interval, Programme
from signals.rules.safety.case import Case
from signals.rules.safety.checker import check_programme

Plans = tuple[Programme, ...]
Drive = Callable[[Plans, int], float | None]
"""Mean delay of plans under a seed; None where it cannot be had in the time that is left."""

SEEDS: Final = (20260, 30260)
"""Of the search alone: who judges its plans takes others."""
_LEAST_GAIN: Final = 0.002
_GREEN_STEPS_S: Final = (4.0, 2.0)
_SCALES: Final = (1.25, 0.8, 1.1, 0.9)
_LEAST_CYCLE_S: Final = 20.0
_OFFSET_SHARES: Final = (0.125, -0.125, 0.25)


@dataclass(frozen=True, slots=True)
class Refined:
    """What the search gave."""

    plans: Plans
    delay_s: float | None
    """Mean over the seeds; None where nothing could be driven."""
    begun_s: float | None
    """The same of the plans that it began with."""
    runs: int


class _Best:
    """The plans to beat, and how they fare under every seed."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._known: dict[tuple[Plans, int], float | None] = {}
        self.plans: Plans = ()
        self.runs = 0

    def begin(self, plans: Plans) -> bool:
        """Drive the first plans under all seeds; False where that cannot be done."""
        self.plans = plans
        return all(self.delay_s(plans, seed) is not None for seed in SEEDS)

    def delay_s(self, plans: Plans, seed: int) -> float | None:
        key = (plans, seed)
        if key not in self._known:
            self._known[key] = self._drive(plans, seed)
            self.runs += 1
        return self._known[key]

    def mean_s(self) -> float | None:
        found = [self._known.get((self.plans, seed)) for seed in SEEDS]
        known = [each for each in found if each is not None]
        return sum(known) / len(known) if len(known) == len(SEEDS) else None

    def challenge(self, plans: Plans) -> bool:
        """Take plans in where they are better; False where time is up."""
        total, best = 0.0, 0.0
        for seed in SEEDS:
            found, old = self.delay_s(plans, seed), self.delay_s(self.plans, seed)
            if found is None or old is None:
                return False
            total, best = total + found, best + old
            if total >= best * (1 - _LEAST_GAIN):
                return True
        self.plans = plans
        return True

    def climb(
        self,
        cases: Mapping[str, Case],
        groups: Sequence[Sequence[str]],
        shared: set[str],
        stop: Callable[[], bool],
    ) -> None:
        """Try one change after another until none helps or time is up."""
        moved = True
        while moved and not stop():
            moved = False
            for change in changes(self.plans, cases, groups, shared):
                if stop():
                    break
                tried = change(self.plans)
                if tried is None or tried == self.plans:
                    continue
                before = self.plans
                if not self.challenge(tried):
                    return
                moved = moved or self.plans is not before


def refined(
    candidates: Sequence[tuple[Plans, Sequence[Sequence[str]]]],
    cases: Mapping[str, Case],
    drive: Drive,
    stop: Callable[[], bool],
    others: Mapping[str, Sequence[Programme]] | None = None,
) -> Refined:
    """Search from some plans.

    Parameters
    ----------
    candidates : Sequence
        Plans, and which of their signals share a cycle: it stays common, and their offsets may
        move. The first are those that the search must not fall behind.
    cases : Mapping
        Junctions under the profile that every plan has to pass.
    drive : callable
    stop : callable
        Whether the budget is spent.
    others : Mapping, optional
        Plans of other stages for junctions, each tried once, before greens are moved.

    Notes
    -----
    A round costs one run a change, two where it helps; changes that helped are tried again first.
    """
    best = _Best(drive)
    first, groups = candidates[0]
    if not best.begin(first):
        return Refined(first, None, None, best.runs)
    begun_s = best.mean_s()
    for plans, theirs in candidates[1:]:
        if stop() or not best.challenge(plans):
            return Refined(best.plans, best.mean_s(), begun_s, best.runs)
        if best.plans is plans:
            groups = theirs
    shared = {name for group in groups for name in group}
    of_others = [
        each for name, found in (others or {}).items() if name not in shared for each in found
    ]
    for each in of_others:
        if stop() or not best.challenge(_in_place(best.plans, each)):
            return Refined(best.plans, best.mean_s(), begun_s, best.runs)
    best.climb(cases, groups, shared, stop)
    return Refined(best.plans, best.mean_s(), begun_s, best.runs)


def _in_place(plans: Plans, programme: Programme) -> Plans:
    return tuple(programme if each.junction == programme.junction else each for each in plans)


Change = Callable[[Plans], Plans | None]


def changes(
    plans: Plans,
    cases: Mapping[str, Case],
    groups: Sequence[Sequence[str]],
    shared: set[str],
) -> Iterator[Change]:
    """Give the changes of a round, whole cycles first."""
    alone = [each.junction for each in plans if each.junction not in shared]
    for scale in _SCALES:
        for group in groups:
            yield _scaling(tuple(group), scale, cases)
        if alone:
            yield _scaling_each(tuple(alone), scale, cases)
    for step_s in _GREEN_STEPS_S:
        for place, programme in enumerate(plans):
            free = programme.junction not in shared
            yield from _greens(place, programme, step_s, cases[programme.junction], free=free)
        for share in _OFFSET_SHARES:
            for group in groups:
                for name in group[1:]:
                    yield _turning(name, share)


def _greens(
    place: int, programme: Programme, step_s: float, case: Case, *, free: bool
) -> Iterator[Change]:
    count = len(adjustable(programme))
    for one, other in permutations(range(count), 2):
        yield _moving(place, one, other, step_s, case)
    if free:
        for one in range(count):
            yield _moving(place, one, None, step_s, case)
            yield _moving(place, None, one, step_s, case)


def adjustable(programme: Programme) -> tuple[int, ...]:
    """Give the intervals that may be longer or shorter: steady greens, nobody changing."""
    return tuple(
        place
        for place, interval in enumerate(programme.intervals)
        if GREENS & set(interval.shows)
        and not (YELLOWS | FLASHING | {Aspect.RED_YELLOW}) & set(interval.shows)
    )


def lengthened(programme: Programme, by_s: Mapping[int, float]) -> Programme | None:
    """Give a programme with intervals longer or shorter; None where one would vanish."""
    intervals: list[Interval] = list(programme.intervals)
    for place, more_s in by_s.items():
        length_s = intervals[place].duration_s + more_s
        if length_s < 1:
            return None
        intervals[place] = replace(intervals[place], duration_s=length_s)
    made = replace(programme, intervals=tuple(intervals), rings=None)
    return replace(made, offset_s=made.offset_s % made.cycle_s)


def scaled(programme: Programme, cycle_s: float) -> Programme | None:
    """Give a programme whose steady greens fill another cycle in the same proportions."""
    places = adjustable(programme)
    greens_s = [programme.intervals[place].duration_s for place in places]
    free_s = sum(greens_s)
    wanted_s = free_s + cycle_s - programme.cycle_s
    if not places or wanted_s < len(places):
        return None
    new = [max(1.0, math.floor(each * wanted_s / free_s)) for each in greens_s]
    new[new.index(max(new))] += wanted_s - sum(new)
    made = lengthened(
        programme,
        {place: now - was for place, now, was in zip(places, new, greens_s, strict=True)},
    )
    if made is None:
        return None
    return made if abs(made.cycle_s - cycle_s) < 1e-6 else None  # noqa: PLR2004 - whole seconds


def _scaling(names: tuple[str, ...], scale: float, cases: Mapping[str, Case]) -> Change:
    def change(plans: Plans) -> Plans | None:
        mine = [each for each in plans if each.junction in names]
        longest_s = max(each.cycle_s for each in mine)
        cycle_s = 2 * round(longest_s * scale / 2)
        found = []
        for each in plans:
            if each.junction not in names:
                found.append(each)
                continue
            times = max(round(longest_s / each.cycle_s), 1)
            made = scaled(each, cycle_s / times)
            if made is None or not is_safe(cases[each.junction], made):
                return None
            found.append(made)
        return tuple(found)

    return change


def _scaling_each(names: tuple[str, ...], scale: float, cases: Mapping[str, Case]) -> Change:
    def change(plans: Plans) -> Plans | None:
        found = []
        for each in plans:
            made = None
            if each.junction in names:
                made = scaled(each, float(round(each.cycle_s * scale)))
            # Who cannot follow stays.
            usable = made is not None and is_safe(cases[each.junction], made)
            found.append(made if made is not None and usable else each)
        return tuple(found)

    return change


def _moving(place: int, one: int | None, other: int | None, step_s: float, case: Case) -> Change:
    def change(plans: Plans) -> Plans | None:
        programme = plans[place]
        places = adjustable(programme)
        by_s = {}
        if one is not None and one < len(places):
            by_s[places[one]] = step_s
        if other is not None and other < len(places):
            by_s[places[other]] = -step_s
        made = lengthened(programme, by_s)
        if made is None or not is_safe(case, made):
            return None
        return (*plans[:place], made, *plans[place + 1 :])

    return change


def _turning(name: str, share: float) -> Change:
    def change(plans: Plans) -> Plans | None:
        return tuple(
            replace(
                each, offset_s=float(round(each.offset_s + share * each.cycle_s) % each.cycle_s)
            )
            if each.junction == name
            else each
            for each in plans
        )

    return change


def is_safe(case: Case, programme: Programme) -> bool:
    """Whether a plan passes the checker, with a cycle that the search may give."""
    bounds = case.profile.cycle_s or (_LEAST_CYCLE_S, math.inf)
    if not bounds[0] <= programme.cycle_s <= bounds[1]:
        return False
    return not check_programme(case, programme).violations
