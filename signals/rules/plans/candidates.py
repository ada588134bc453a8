"""Stages out of the conflict matrix: which streams may be green together, and in which orders.

A stream is what cannot be told apart by signals: the movements of an approach that share lanes.
Streams may be green together where no movements conflict, or where in every conflict somebody gives
way. The largest such sets, with and without permissive turns, and the stages of the plan in force
are the pool; a candidate is a choice of stages that serves every stream.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS
from signals.rules.model.junction import SignalledJunction
from signals.rules.model.plans import Programme
from signals.rules.safety.case import Case

MOST_STAGES: Final = 5
_MOST_POOL: Final = 18
_MOST_CLIQUES: Final = 64


@dataclass(frozen=True, slots=True)
class Stream:
    """Signal groups that are green together, and the road that they come from."""

    groups: frozenset[str]


def streams_of(junction: SignalledJunction) -> tuple[Stream, ...]:
    """Join the groups of movements that share a lane."""
    root: dict[str, str] = {group.name: group.name for group in junction.groups}

    def top(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    seen: dict[object, str] = {}
    for movement in junction.movements:
        keys: list[object] = [("lane", movement.from_lane)]
        if movement.kind is GroupKind.PEDESTRIAN:
            keys = [("walk", movement.group)]
        for key in keys:
            other = seen.setdefault(key, movement.group)
            root[top(movement.group)] = top(other)
    found: dict[str, set[str]] = {}
    released = {movement.group for movement in junction.movements}
    for group in junction.groups:
        if group.name in released:
            found.setdefault(top(group.name), set()).add(group.name)
    return tuple(Stream(frozenset(groups)) for groups in found.values())


def signals_of(case: Case) -> dict[str, int]:
    """Give the groups numbers, those that drivers see as one signal the same.

    Movements out of one lane are, and those of a road that turn the same way, bicycles apart.
    """
    root = {fact.name: fact.name for fact in case.groups}

    def top(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    seen: dict[object, str] = {}
    for each in case.junction.movements:
        keys: list[object] = [each.group]
        if each.kind is not GroupKind.PEDESTRIAN:
            road = case.network.road_of[each.from_lane].name
            keys += [("lane", each.from_lane), (road, each.turn, each.kind)]
        for key in keys:
            root[top(each.group)] = top(seen.setdefault(key, each.group))
    number: dict[str, int] = {}
    return {name: number.setdefault(top(name), len(number)) for name in root}


def compatible(case: Case, *, permissive: bool) -> frozenset[tuple[str, str]]:
    """Give the pairs of conflicting groups that may still be green together."""
    if not permissive:
        return frozenset()
    names = [group.name for group in case.junction.groups]
    return frozenset((names[pair.one], names[pair.other]) for pair in case.pairs if pair.settled)


def stage_pool(case: Case, own: Sequence[Programme]) -> tuple[frozenset[str], ...]:
    """Give the sets of groups that a stage may hold, those of the plan in force first.

    A stage in force in which two streams cross and neither gives way is none: no greens mend it.
    """
    streams = streams_of(case.junction)
    names = [group.name for group in case.junction.groups]
    conflicting = {(names[pair.one], names[pair.other]) for pair in case.pairs}
    hard = {(names[pair.one], names[pair.other]) for pair in case.pairs if not pair.settled}
    pool: dict[frozenset[str], None] = dict.fromkeys(
        stage
        for stage in stages_in_force(case, own)
        if not any(one in stage and other in stage for one, other in hard)
    )
    for permissive in (True, False):
        settled = compatible(case, permissive=permissive)
        clash = {
            (one, other)
            for one, first in enumerate(streams)
            for other, second in enumerate(streams)
            if one != other
            and any(
                (a, b) in conflicting and (a, b) not in settled
                for a in first.groups
                for b in second.groups
            )
        }
        for clique in _cliques(len(streams), clash):
            groups = frozenset(name for index in clique for name in streams[index].groups)
            pool.setdefault(groups)
            if len(pool) >= _MOST_CLIQUES:
                break
    kept = list(pool)[:_MOST_POOL]
    for groups in list(pool)[_MOST_POOL:]:
        if not groups <= frozenset().union(*kept):
            kept.append(groups)
    return tuple(kept)


def stages_in_force(case: Case, own: Sequence[Programme]) -> Iterator[frozenset[str]]:
    """Give the groups that are green in each green interval of the plans in force."""
    for programme in own:
        for interval in programme.intervals:
            green = frozenset(
                group.name
                for group, aspect in zip(case.junction.groups, interval.shows, strict=False)
                if aspect in GREENS
            )
            changing = any(aspect.value.startswith("yellow") for aspect in interval.shows)
            if green and not changing:
                yield green


def choices(
    pool: Sequence[frozenset[str]], served: Iterable[str]
) -> Iterator[tuple[frozenset[str], ...]]:
    """Give the choices of two to five stages that serve every group.

    A stage may lie within another: turns that are permissive there are protected here.
    """
    wanted = frozenset(served)
    for count in range(2, MOST_STAGES + 1):
        for chosen in combinations(pool, count):
            if frozenset().union(*chosen) >= wanted:
                yield chosen


def orders(chosen: Sequence[frozenset[str]]) -> Iterator[tuple[frozenset[str], ...]]:
    """Give the orders of stages that differ around the cycle."""
    first, *rest = chosen
    for order in permutations(rest):
        yield (first, *order)


def _cliques(count: int, clash: set[tuple[int, int]]) -> Iterator[frozenset[int]]:
    """Give the largest sets without a clash (Bron and Kerbosch, with a pivot)."""
    beside: Mapping[int, set[int]] = {
        one: {other for other in range(count) if other != one and (one, other) not in clash}
        for one in range(count)
    }
    stack: list[tuple[set[int], set[int], set[int]]] = [(set(), set(range(count)), set())]
    while stack:
        chosen, open_, closed = stack.pop()
        if not open_ and not closed:
            yield frozenset(chosen)
            continue
        pivot = max(open_ | closed, key=lambda each: len(beside[each] & open_))
        for each in sorted(open_ - beside[pivot]):
            stack.append((chosen | {each}, open_ & beside[each], closed & beside[each]))
            open_ = open_ - {each}
            closed = closed | {each}
