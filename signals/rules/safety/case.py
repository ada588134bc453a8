"""A junction made ready for judging plans: what every rule looks up, worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import FLASHING, GREENS, YELLOWS, Aspect
from signals.rules.model.junction import (
    Movement,
    SignalledJunction,
    SignalNetwork,
    Turn,
    describe,
)
from signals.rules.model.plans import Interval, Programme, Run, runs, shown_only
from signals.rules.safety.clearing import Pair, crossing_m, pairs_of
from signals.rules.safety.profiles import Profile, Rule
from signals.rules.safety.report import Note, Violation

EPS: Final = 1e-6
_KPH: Final = 3.6
_OWN_YELLOW_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What the rules ask about one signal group."""

    name: str
    kind: GroupKind
    movements: tuple[Movement, ...]
    roads: tuple[str, ...]
    """Roads that it releases, for reports."""
    turns: frozenset[Turn]
    speed_kph: float
    """Highest limit on the lanes that it releases; 0 where none is known."""
    crossing_m: float
    """Longest way on foot; 0 for vehicles."""
    refuge: bool
    says: str
    """Its movements in words."""


@dataclass(frozen=True, slots=True)
class Case:
    """One junction under one profile."""

    junction: SignalledJunction
    network: SignalNetwork
    profile: Profile
    groups: tuple[GroupFacts, ...]
    pairs: tuple[Pair, ...]
    own_yellow_s: float
    """Shortest yellow of the network's own plan."""
    close: tuple[tuple[int, int], ...]
    """Groups whose ways are merely close."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A programme's intervals as they are seen, with the runs that several rules read."""

    programme: Programme
    intervals: tuple[Interval, ...]
    greens: tuple[tuple[Run, ...], ...]
    """Runs of green of each group."""
    cyclic: bool = True

    def aspect(self, group: int, place: int) -> Aspect:
        """Give what a group shows in an interval, counted on over the end of the cycle."""
        return self.intervals[place % len(self.intervals)].shows[group]

    def least_s(self, place: int) -> float:
        """Give how long an interval lasts at least."""
        interval = self.intervals[place % len(self.intervals)]
        if self.programme.actuated and interval.least_s is not None:
            return interval.least_s
        return interval.duration_s

    def whole(self, run: Run) -> bool:
        """Whether a run is all there is."""
        return run.count == len(self.intervals)

    def cut(self, run: Run) -> bool:
        """Whether a run touches the edge of a stretch that is no cycle."""
        last = run.first + run.count == len(self.intervals)
        return not self.cyclic and (run.first == 0 or last)


class Findings:
    """Violations as they are found; the same one of several lanes becomes one."""

    def __init__(self, case: Case, plan: str) -> None:
        self._case = case
        self._plan = plan
        self._found: dict[tuple[object, ...], Violation] = {}
        self.notes: list[Note] = []

    def add(
        self,
        rule: Rule,
        groups: Sequence[int],
        what: str,
        *,
        at_s: float | None = None,
        shown: float | None = None,
        required: float | None = None,
        unit: str = "s",
    ) -> None:
        """Record a violation, where the profile has the rule."""
        if not self._case.profile.judges(rule):
            return
        facts = [self._case.groups[group] for group in groups]
        key = (
            rule,
            tuple((fact.roads, fact.turns, fact.kind) for fact in facts),
            None if at_s is None else round(at_s, 3),
            None if shown is None else round(shown, 3),
        )
        names = tuple(fact.name for fact in facts)
        known = self._found.get(key)
        if known is not None:
            merged = tuple(dict.fromkeys((*known.groups, *names)))
            worse = (required or 0.0) > (known.required or 0.0)
            self._found[key] = replace(
                known, groups=merged, required=required if worse else known.required
            )
            return
        self._found[key] = Violation(
            rule,
            self._case.profile.sources[rule],
            self._case.junction.name,
            self._plan,
            names,
            what,
            at_s,
            shown,
            required,
            unit,
        )

    def note(self, what: str) -> None:
        """Record what is no violation and should be known."""
        self.notes.append(Note(self._case.junction.name, self._plan, what))

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What was found, in order."""
        return tuple(self._found.values())


def prepare(
    junction: SignalledJunction,
    network: SignalNetwork,
    profile: Profile,
    own: Sequence[Programme] = (),
) -> Case:
    """Work out what the rules look up.

    Parameters
    ----------
    junction, network, profile
    own : Sequence of Programme
        The network's own plans of the junction, for the profile that keeps their yellow.
    """
    place = {group.name: index for index, group in enumerate(junction.groups)}
    close = {
        (
            place[junction.by_name[conflict.first].group],
            place[junction.by_name[conflict.second].group],
        )
        for conflict in junction.conflicts
        if conflict.kind.value == "close"
    }
    return Case(
        junction,
        network,
        profile,
        tuple(_facts(group.name, junction, network) for group in junction.groups),
        pairs_of(junction, network, profile),
        own_yellow_s(own),
        tuple(sorted(close)),
    )


def intergreens(case: Case) -> dict[tuple[str, str], float]:
    """Give the intergreen matrix: seconds between the end and the start of conflicting greens.

    By signal groups, the ending one first; with the yellow of the ending group's losing lamps, the
    clearing time and the profile's all-red. Pairs without an entry need none.
    """
    found = {}
    for pair in case.pairs:
        ended = case.junction.groups[pair.one]
        yellow_s = sum(change.duration_s for change in ended.losing if change.aspect not in GREENS)
        red_s = max(pair.clear_s, case.profile.all_red_s)
        if ended.kind is GroupKind.PEDESTRIAN and case.profile.flash_counts:
            # The flashing green has cleared the crossing.
            red_s = 0.0
        other = case.junction.groups[pair.other].name
        found[ended.name, other] = yellow_s + red_s
    return found


def yielding(case: Case) -> frozenset[tuple[str, str]]:
    """Give the pairs of signal groups of which the first is permissive beside the second.

    Where each gives way to the other somewhere (straight on with right turns, against a left
    turn), both are.
    """
    groups = case.junction.groups
    return frozenset(
        (groups[pair.one].name, groups[pair.other].name)
        for pair in case.pairs
        if pair.yields or (pair.settled and not pair.yielded_to)
    )


def _facts(name: str, junction: SignalledJunction, network: SignalNetwork) -> GroupFacts:
    movements = junction.released[name]
    lanes = [network.lanes[m.from_lane] for m in movements if m.from_lane in network.lanes]
    walks = [m for m in movements if m.kind is GroupKind.PEDESTRIAN]
    kind = next(group.kind for group in junction.groups if group.name == name)
    roads = dict.fromkeys(
        network.road_of[m.from_lane].name if m.from_lane in network.road_of else m.from_lane
        for m in movements
    )
    return GroupFacts(
        name,
        kind,
        movements,
        tuple(roads),
        frozenset(m.turn for m in movements),
        max((lane.speed_mps * _KPH for lane in lanes), default=0.0),
        max((crossing_m(m) for m in walks), default=0.0),
        bool(walks) and all(m.refuge_m is not None for m in walks),
        "; ".join(dict.fromkeys(describe(network, m) for m in movements)) or f"group {name}",
    )


def own_yellow_s(programmes: Sequence[Programme]) -> float:
    """Give the shortest yellow between a green and a red of some plans; 3 s where there is none."""
    found = []
    for programme in programmes:
        seen = see(programme, len(programme.groups))
        for group, greens in enumerate(seen.greens):
            for run in greens:
                yellow_s = yellow_after_s(seen, group, run)
                if yellow_s > 0:
                    found.append(yellow_s)
    return min(found, default=_OWN_YELLOW_S)


def see(programme: Programme, groups: int, *, cyclic: bool = True) -> Shown:
    """Make a programme ready: intervals that nobody sees are left out."""
    seen = shown_only(programme)
    if not seen.intervals:
        raise Invalid("has no interval of any length", field=f"plans.{programme.junction}")
    greens = tuple(
        tuple(
            runs(
                seen.intervals,
                group,
                GREENS.__contains__,
                cyclic=cyclic,
                actuated=programme.actuated,
            )
        )
        for group in range(groups)
    )
    return Shown(seen, seen.intervals, greens, cyclic)


def yellow_after_s(shown: Shown, group: int, run: Run) -> float:
    """Give how long yellow is shown straight after a run of green."""
    if shown.whole(run):
        return 0.0
    place, length_s = run.first + run.count, 0.0
    for step in range(len(shown.intervals)):
        if shown.aspect(group, place + step) not in YELLOWS:
            break
        length_s += shown.least_s(place + step)
    return length_s


def is_steady_green(aspect: Aspect) -> bool:
    """Whether a green is shown that does not flash."""
    return aspect in GREENS and aspect not in FLASHING
