"""Who turns where at a junction in an hour of the day, from tables of counts or from detectors.

A table counts turns. A detector counts a phase, which often serves more turns than one: then they
are parted by the shares of the demand on record, or evenly where nobody told, and that is said.
What nobody counted stays unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from signals.rules.counts.classes import PCU
from signals.rules.counts.tables import LegDay
from signals.rules.junctions import GroupKind
from signals.rules.model.junction import SignalNetwork

Pair = tuple[str, str]
Parted = Literal["counted", "demand", "even"]
QUARTERS_OF_HOUR = 4


@dataclass(frozen=True, slots=True)
class PhaseCount:
    """What a phase's detectors count in an hour of the day."""

    vph: float
    days: int
    """The fewest of its detectors."""
    imputed: float
    """Share of bins in which something stands for a detector that could not be believed."""


@dataclass(frozen=True, slots=True)
class CountedTurn:
    """A turn, and what is counted of it; no source where nobody counted."""

    from_road: str
    to_road: str
    flow_vph: float | None
    source: Literal["table", "detectors"] | None
    days: int
    parted: Parted | None
    """How it was told from other turns: counted by itself, by the demand's shares, evenly."""
    imputed: float


def turns_of(part: SignalNetwork) -> dict[Pair, tuple[int, ...]]:
    """Give a junction's turns for those who drive, each with its phases: numbers from 1 on."""
    junction = part.junctions[0]
    number = {group.name: place for place, group in enumerate(junction.groups, 1)}
    found: dict[Pair, dict[int, None]] = {}
    for each in junction.movements:
        if each.kind is GroupKind.VEHICLE:
            pair = part.road_of[each.from_lane].name, part.road_of[each.to_lane].name
            found.setdefault(pair, {})[number[each.group]] = None
    return {pair: tuple(phases) for pair, phases in found.items()}


def counted_turns(
    part: SignalNetwork,
    legs: Sequence[LegDay],
    phases: Mapping[int, PhaseCount],
    demand: Mapping[Pair, float],
    hour: int,
) -> list[CountedTurn]:
    """Give a junction's turns in an hour of the day: by tables, else by detectors, else unknown.

    Parameters
    ----------
    part : SignalNetwork
        Of one junction.
    legs : sequence of LegDay
        Counted days of its turns, of one kind of day.
    phases : Mapping
        What detectors count, by phase.
    demand : Mapping
        Vehicles per hour on record, by pair of roads.
    hour : int
        0 to 23.
    """
    turns = turns_of(part)
    told = _by_table(legs, hour)
    found = []
    for pair, mine in turns.items():
        if pair in told:
            vph, days = told[pair]
            found.append(CountedTurn(*pair, vph, "table", days, "counted", 0.0))
        elif mine and all(phase in phases for phase in mine):
            found.append(_by_phases(pair, mine, turns, phases, demand))
        else:
            found.append(CountedTurn(*pair, None, None, 0, None, 0.0))
    return found


def _by_table(legs: Sequence[LegDay], hour: int) -> dict[Pair, tuple[float, int]]:
    """Give the mean of the days on which the whole hour was counted, in pcu, and how many."""
    sums: dict[Pair, list[float]] = {}
    first = hour * QUARTERS_OF_HOUR
    for leg in legs:
        series = [
            (PCU[each], numbers[first : first + QUARTERS_OF_HOUR])
            for each, numbers in leg.numbers.items()
            if each in PCU
        ]
        if not series or any(number is None for _, numbers in series for number in numbers):
            continue
        vph = sum(pcu * sum(n for n in numbers if n is not None) for pcu, numbers in series)
        sums.setdefault((leg.from_road, leg.to_road), []).append(vph)
    return {pair: (sum(those) / len(those), len(those)) for pair, those in sums.items()}


def _by_phases(
    pair: Pair,
    mine: Sequence[int],
    turns: Mapping[Pair, Sequence[int]],
    phases: Mapping[int, PhaseCount],
    demand: Mapping[Pair, float],
) -> CountedTurn:
    vph = 0.0
    parted: Parted = "counted"
    for phase in mine:
        beside = [each for each, those in turns.items() if phase in those]
        known = sum(demand.get(each, 0.0) for each in beside)
        if len(beside) == 1:
            share = 1.0
        elif known > 0:
            share, parted = demand.get(pair, 0.0) / known, "demand"
        else:
            share, parted = 1 / len(beside), "even"
        vph += phases[phase].vph * share
    counts = [phases[phase] for phase in mine]
    return CountedTurn(
        *pair,
        vph,
        "detectors",
        min(each.days for each in counts),
        parted,
        max(each.imputed for each in counts),
    )
