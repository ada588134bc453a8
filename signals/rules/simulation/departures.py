"""Who drives which way, drawn at random from turning flows at signals.

Flows from road to road say how many turn where, not who goes how far. A way is drawn turn by turn:
at every signal by the shares of the road that it came along, whatever road it was on before (a
Markov chain over roads). Where more leave a road than its signal sends into it, the rest begin
there; where fewer do, the rest end there. So every flow comes out as it was counted, on average.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final
from xml.sax.saxutils import quoteattr

from signals.rules.junctions import GroupKind
from signals.rules.model.junction import Lane, SignalNetwork

HOUR_S: Final = 3_600.0
_CAR: Final = "passenger"
_MOST_ROADS: Final = 200
"""On one way: nobody drives round and round for ever."""
_ROUNDS: Final = 2_000
_CLOSE_VPH: Final = 1e-6

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Departure:
    """A vehicle's start and the roads that it drives along."""

    at_s: float
    roads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turning:
    """Turning flows as a chain over roads."""

    beginning_vph: Mapping[str, float]
    """By road, those that begin there."""
    ending: Mapping[str, float]
    """By road, the share of those on it that end there."""
    onward: Mapping[str, tuple[tuple[str, float], ...]]
    """By road, where those that go on turn to, and their shares."""
    fed: frozenset[str]
    """Roads that a signal of the network sends somebody into."""


def drivable(network: SignalNetwork, flow_vph: Mapping[Pair, float]) -> dict[Pair, float]:
    """Give the flows that cars can follow: some movement for vehicles leads from road to road."""
    open_ = {
        (network.road_of[each.from_lane].name, network.road_of[each.to_lane].name)
        for junction in network.junctions
        for each in junction.movements
        if each.kind is not GroupKind.PEDESTRIAN
        and _for_cars(_lane(network, each.from_lane))
        and _for_cars(_lane(network, each.to_lane))
    }
    return {pair: vph for pair, vph in flow_vph.items() if vph > 0 and pair in open_}


def turning_of(flow_vph: Mapping[Pair, float]) -> Turning:
    """Give the chain of some flows."""
    into: dict[str, float] = defaultdict(float)
    out: dict[str, dict[str, float]] = defaultdict(dict)
    for (start, end), vph in sorted(flow_vph.items()):
        if vph > 0:
            into[end] += vph
            out[start][end] = vph
    leaving = {road: sum(ends.values()) for road, ends in out.items()}
    return Turning(
        beginning_vph={
            road: vph - into.get(road, 0.0)
            for road, vph in leaving.items()
            if vph - into.get(road, 0.0) > _CLOSE_VPH
        },
        ending={road: max(1.0 - leaving.get(road, 0.0) / vph, 0.0) for road, vph in into.items()},
        onward={
            road: tuple((end, vph / leaving[road]) for end, vph in ends.items())
            for road, ends in out.items()
        },
        fed=frozenset(into),
    )


def expected_vph(turning: Turning) -> dict[Pair, float]:
    """Give the flows that ways drawn from a chain make on average.

    They are the flows that the chain was made of, but for a ring of roads that nobody enters.
    Cost grows with pairs times the length of the ways.
    """
    arriving = dict(turning.beginning_vph)
    through: dict[str, float] = defaultdict(float)
    for _ in range(_ROUNDS):
        after: dict[str, float] = defaultdict(float)
        for road, vph in arriving.items():
            through[road] += vph
            onward_vph = vph * (1.0 - turning.ending.get(road, 0.0))
            for end, share in turning.onward.get(road, ()):
                after[end] += onward_vph * share
        if sum(after.values()) < _CLOSE_VPH:
            break
        arriving = after
    return {
        (road, end): through[road] * (1.0 - turning.ending.get(road, 0.0)) * share
        for road, ends in turning.onward.items()
        for end, share in ends
    }


def share_driven(asked_vph: Mapping[Pair, float], turning: Turning) -> float:
    """Give the share of some flows that ways drawn from a chain bring about."""
    made_vph = expected_vph(turning)
    total = sum(asked_vph.values())
    kept = sum(min(vph, made_vph.get(pair, 0.0)) for pair, vph in asked_vph.items())
    return kept / total if total > 0 else 0.0


def departures(turning: Turning, until_s: float, seed: int) -> tuple[Departure, ...]:
    """Draw who starts from second 0 on: at random instants, each road for itself.

    Parameters
    ----------
    turning : Turning
    until_s : float
        Nobody starts from then on.
    seed : int
        The same seed gives the same vehicles.
    """
    found: list[Departure] = []
    for road, vph in sorted(turning.beginning_vph.items()):
        random = Random(f"{seed} {road}")  # noqa: S311 - drawing traffic is no secret
        at_s = random.expovariate(vph / HOUR_S)
        while at_s < until_s:
            found.append(Departure(at_s, _way(turning, road, random)))
            at_s += random.expovariate(vph / HOUR_S)
    return tuple(sorted(found, key=lambda each: (each.at_s, each.roads)))


def routes_file(starting: Iterable[Departure], fed: frozenset[str]) -> bytes:
    """Give vehicles as SUMO's routes file.

    Who begins or ends along a road between signals does so somewhere along it.
    """
    lines = ["<routes>", f'<vType id="car" vClass="{_CAR}"/>']
    for number, each in enumerate(starting):
        along = "random_free" if each.roads[0] in fed else "base"
        lines.append(
            f'<vehicle id="{number}" type="car" depart="{each.at_s:.2f}" departLane="best"'
            f' departPos="{along}" departSpeed="max" arrivalPos="random">'
            f"<route edges={quoteattr(' '.join(each.roads))}/></vehicle>"
        )
    return "\n".join([*lines, "</routes>", ""]).encode()


def _way(turning: Turning, road: str, random: Random) -> tuple[str, ...]:
    roads = [road]
    while len(roads) < _MOST_ROADS:
        ends = turning.onward.get(roads[-1], ())
        if not ends or (len(roads) > 1 and random.random() < turning.ending.get(roads[-1], 0.0)):
            break
        roads.append(_chosen(ends, random.random()))
    return tuple(roads)


def _chosen(ends: Sequence[tuple[str, float]], drawn: float) -> str:
    for end, share in ends:
        drawn -= share
        if drawn < 0:
            return end
    return ends[-1][0]


def _lane(network: SignalNetwork, name: str) -> Lane:
    return next(lane for lane in network.road_of[name].lanes if lane.name == name)


def _for_cars(lane: Lane) -> bool:
    if lane.allow:
        return bool({_CAR, "all"} & set(lane.allow))
    return not {_CAR, "all"} & set(lane.disallow)
