"""Coordinated plans of a network: which signals belong together, their cycle, splits and offsets.

Neighbours that many vehicles drive between in short time are candidates to run together. For each
group and each of some cycles, every signal's greens are fitted to the cycle or to half of it, and
offsets are searched for the least delay with platoons. A group that gains nothing stays as its
signals' own plans are, so that by the model no network is worse coordinated than not.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from signals.rules.model.plans import Programme
from signals.rules.plans.delay_of_plan import lane_results, opposing_of, total_delay_s
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.plans.passing import LaneFlow
from signals.rules.plans.planning import JunctionPlan
from signals.rules.plans.platoon_network import PlatoonNetwork, Timed
from signals.rules.plans.streams_between import Stream, coupling_of
from signals.rules.safety.case import Case
from signals.rules.safety.checker import check_programme

_CYCLE_FACTORS: Final = (0.8, 0.9, 1.0, 1.15, 1.3, 1.6, 2.0)
_QUANTILES: Final = (0.0, 0.4, 0.7)
_ORDERS: Final = 2
_GAIN: Final = 0.005
"""Share of the delay by which a group has to be better to be coordinated."""


@dataclass(frozen=True, slots=True)
class Site:
    """A junction as coordination sees it."""

    case: Case
    lanes: tuple[LaneFlow, ...]
    own: tuple[Programme, ...]
    plan: JunctionPlan


@dataclass(frozen=True, slots=True)
class Group:
    """Signals that run together."""

    names: tuple[str, ...]
    cycle_s: int
    half: tuple[str, ...]
    """Those that run twice in a cycle."""
    programmes: tuple[Programme, ...]
    delay_s: float
    """Vehicle-seconds an hour by the model with platoons."""
    apart_s: float
    """The same of the plans made for each by itself, where vehicles arrive evenly."""


@dataclass(frozen=True, slots=True)
class Coordination:
    """A network's coordinated plans."""

    programmes: tuple[Programme, ...]
    groups: tuple[Group, ...]
    """Those of two signals or more; the others are as planned alone."""
    delay_s: float
    """Vehicle-seconds an hour by the model."""
    apart_s: float
    """The same without coordination."""


def coordinate_plans(
    sites: Mapping[str, Site],
    streams: Sequence[Stream],
    hours: float,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Coordination, ...]:
    """Coordinate the signals of a network.

    Parameters
    ----------
    sites : Mapping
        Junctions with their plans, by name.
    streams : Sequence of Stream
    hours : float
        For how long the demand lasts.
    stop : callable
        Whether time is up: the best so far is given.

    Returns
    -------
    tuple of Coordination
        Different ones, the least delay by the model first; the last is the plans apart.

    Notes
    -----
    Groups are the parts that hang together by links above a few quantiles of coupling.
    """
    search = _Search(sites, streams, hours, stop)
    found: dict[frozenset[str], Coordination] = {}
    apart = search.together(())
    for parts in partitions(tuple(sites), coupling_of(streams)):
        groups = []
        for part in parts:
            group = search.group(part) if len(part) > 1 else None
            if group is not None and group.delay_s < group.apart_s * (1 - _GAIN):
                groups.append(group)
        made = search.together(groups)
        found.setdefault(frozenset(name for each in groups for name in each.names), made)
    best = sorted(found.values(), key=lambda each: each.delay_s)
    return (*(each for each in best if each.groups), apart)


def partitions(
    names: Sequence[str], coupling: Mapping[tuple[str, str], float]
) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Give the parts that hang together by links of more than some strengths, each choice once."""
    strengths = sorted(coupling.values())
    seen = set()
    for quantile in _QUANTILES:
        if not strengths:
            break
        least = strengths[math.floor(quantile * (len(strengths) - 1))]
        parts = parts_of(names, (pair for pair, each in coupling.items() if each >= least))
        if parts not in seen:
            seen.add(parts)
            yield parts


def parts_of(names: Sequence[str], links: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Give the connected parts of a graph, in the order of the names."""
    part = {name: [name] for name in names}
    for one, other in links:
        if part[one] is not part[other]:
            part[one].extend(part[other])
            for name in part[other]:
                part[name] = part[one]
    place = {name: index for index, name in enumerate(names)}
    whole = {id(each): tuple(sorted(each, key=place.__getitem__)) for each in part.values()}
    return tuple(whole.values())


class _Search:
    """Look-ups of one network; fits and groups are worked out once."""

    def __init__(
        self,
        sites: Mapping[str, Site],
        streams: Sequence[Stream],
        hours: float,
        stop: Callable[[], bool],
    ) -> None:
        self._sites, self._streams, self._hours, self._stop = sites, streams, hours, stop
        self._makers = {
            name: JunctionMaker(site.case, site.lanes, site.own, hours, overlapping=True)
            for name, site in sites.items()
        }
        self._opposing = {name: opposing_of(site.case.pairs) for name, site in sites.items()}
        self._fits: dict[tuple[str, int], Programme | None] = {}
        self._groups: dict[tuple[str, ...], Group | None] = {}
        self._alone_s = {
            name: self._judged(name, site.plan.programme) for name, site in sites.items()
        }

    def together(self, groups: Sequence[Group]) -> Coordination:
        """Give a network's plans with some groups; who is in none keeps its plan."""
        mine = {each.junction: each for group in groups for each in group.programmes}
        apart_s = sum(self._alone_s.values())
        return Coordination(
            tuple(mine.get(name, site.plan.programme) for name, site in self._sites.items()),
            tuple(groups),
            apart_s + sum(group.delay_s - group.apart_s for group in groups),
            apart_s,
        )

    def group(self, names: tuple[str, ...]) -> Group | None:
        """Give a group at its best cycle; None where no cycle suits all of its signals."""
        if names not in self._groups:
            apart_s = sum(self._alone_s[name] for name in names)
            best: Group | None = None
            for cycle_s in self._cycles(names):
                if self._stop():
                    break
                found = self._at(names, cycle_s, apart_s)
                if found is not None and (best is None or found.delay_s < best.delay_s):
                    best = found
            self._groups[names] = best
        return self._groups[names]

    def _cycles(self, names: Sequence[str]) -> list[int]:
        """Give cycles to try: about those of the plans alone, the largest of them above all."""
        alone = sorted({self._sites[name].plan.programme.cycle_s for name in names})
        wanted = {2 * round(alone[-1] * factor / 2) for factor in _CYCLE_FACTORS}
        wanted |= {2 * round(each / 2) for each in (alone[0], alone[len(alone) // 2])}
        return sorted(wanted, key=lambda each: abs(each - alone[-1]))

    def _at(self, names: tuple[str, ...], cycle_s: int, apart_s: float) -> Group | None:
        timed, half = [], []
        for name in names:
            whole, twice = self._fit(name, cycle_s), self._fit(name, cycle_s // 2)
            if twice is not None and (
                whole is None or self._judged(name, twice) < self._judged(name, whole)
            ):
                whole = twice
                half.append(name)
            if whole is None:
                return None
            timed.append(Timed(name, whole, self._sites[name].lanes, self._opposing[name]))
        network = PlatoonNetwork(timed, self._streams, cycle_s, self._hours)
        offsets, delay_s = network.offsets([[0] * len(names), self._in_sequence(names, cycle_s)])
        programmes = tuple(
            replace(each.programme, offset_s=float(offset % round(each.programme.cycle_s)))
            for each, offset in zip(timed, offsets, strict=True)
        )
        return Group(names, cycle_s, tuple(half), programmes, delay_s, apart_s)

    def _in_sequence(self, names: Sequence[str], cycle_s: int) -> list[int]:
        """Give offsets by the travel time along the strongest links from the first signal on."""
        links: dict[tuple[str, str], tuple[float, float]] = {}
        for each in self._streams:
            pair = (each.start[0], each.end[0])
            flow, time_s = links.get(pair, (0.0, 0.0))
            links[pair] = (flow + each.flow_vph, time_s + each.flow_vph * each.travel_s)
        found = {names[0]: 0.0}
        while len(found) < len(names):
            reach = [
                (flow, start, end, time_s / flow)
                for (start, end), (flow, time_s) in links.items()
                if (start in found) != (end in found) and start in names and end in names
            ]
            if not reach:
                missing = next(name for name in names if name not in found)
                found[missing] = 0.0
                continue
            _, start, end, time_s = max(reach)
            if start in found:
                found[end] = found[start] + time_s
            else:
                found[start] = found[end] - time_s
        return [round(found[name]) % cycle_s for name in names]

    def _fit(self, name: str, cycle_s: int) -> Programme | None:
        """Give a junction's best safe programme of just this cycle."""
        key = (name, cycle_s)
        if key not in self._fits:
            site, maker = self._sites[name], self._makers[name]
            found = [
                replace(each, name=site.plan.programme.name)
                for each in (site.plan.programme, *site.own)
                if each.cycle_s == cycle_s and not each.actuated
            ]
            for stages in site.plan.orders[:_ORDERS]:
                greens = maker.fitted(stages, float(cycle_s))
                if greens is not None:
                    made = maker.programme(stages, greens)
                    found.append(replace(made, name=site.plan.programme.name))
            safe = [each for each in found if not check_programme(site.case, each).violations]
            self._fits[key] = min(safe, key=lambda each: self._judged(name, each), default=None)
        return self._fits[key]

    def _judged(self, name: str, programme: Programme) -> float:
        site = self._sites[name]
        return total_delay_s(lane_results(programme, site.lanes, self._opposing[name], self._hours))
