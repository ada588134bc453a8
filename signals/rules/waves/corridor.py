"""A corridor: signals along a street, how fast to drive between them, and what is red when.

Shares are of the cycle, times of a corridor's answer are seconds. The outbound direction goes from
the first signal to the last, the inbound one back.
"""

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import Final

from city.errors import Invalid

KPH: Final = 3.6
"""Kilometres an hour in a metre a second."""


class LeftTurns(StrEnum):
    """When the protected left turns go, outbound then inbound, beside their through greens."""

    LEAD_LEAD = "lead-lead"
    LEAD_LAG = "lead-lag"
    LAG_LEAD = "lag-lead"
    LAG_LAG = "lag-lag"

    @property
    def leads(self) -> tuple[bool, bool]:
        """Whether the outbound and the inbound left turn lead."""
        first, second = self.value.split("-")
        return first == "lead", second == "lead"


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure of each direction."""

    outbound: float
    inbound: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """What drives along one direction of a corridor.

    Attributes
    ----------
    flow_vph
        At each of its signals, straight on.
    saturation_flow_vph
        Of the lanes that go straight on.
    turning
        Share of the flow that turns off at each signal; as many turn in.

    Raises
    ------
    Invalid
        Naming the member.
    """

    flow_vph: float
    saturation_flow_vph: float
    turning: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.flow_vph < math.inf:
            raise Invalid("must not be negative", field="flow_vph")
        if not 0 < self.saturation_flow_vph < math.inf:
            raise Invalid("must be positive", field="saturation_flow_vph")
        if not 0 <= self.turning <= 1:
            raise Invalid("must lie from 0 to 1", field="turning")


@dataclass(frozen=True, slots=True)
class HalfCycle:
    """How a signal goes whose own cycle is half of the corridor's.

    Attributes
    ----------
    red
        Share of *its own* cycle in which through traffic may not go.
    red_centre_difference
        As a signal's, a share of its own cycle.
    only
        Whether it may go no other way; else it may have the corridor's cycle too.
    """

    red: Pair
    red_centre_difference: float = 0.0
    only: bool = False


@dataclass(frozen=True, slots=True)
class Showing:
    """A way in which a signal may show itself to a street, in shares of the corridor's cycle.

    Times are from the centre of an outbound red on.

    Attributes
    ----------
    turns
        How often its own cycle turns in the corridor's: once or twice.
    out_red, in_red, out_green, in_green
        Lengths of one red and of one green.
    difference
        Centre of the inbound red before the green that the street uses, after that of the outbound
        red before the green that it uses.
    """

    pattern: LeftTurns | None
    turns: int
    out_red: float
    in_red: float
    out_green: float
    in_green: float
    difference: float

    @property
    def out_begin(self) -> float:
        """When the outbound green begins."""
        return self.out_red / 2

    @property
    def in_end(self) -> float:
        """When the inbound green ends."""
        return self.difference + self.in_red / 2 + self.in_green


@dataclass(frozen=True, slots=True)
class CorridorSignal:
    """A signal of a corridor.

    Attributes
    ----------
    position_m
        Along the corridor, growing outbound.
    red
        Share of the cycle in which through traffic may not go.
    red_centre_difference
        Centre of the inbound red minus centre of the outbound red, a share of the cycle. Not used
        where left-turn patterns are open: they decide it.
    queue_clearance
        Share of the cycle by which the band arrives later than the queue before it begins to
        leave: at the inner signals, in MAXBAND's sense.
    red_centre
        Centre of the outbound red after the junction's reference point, a share of the cycle.
    left_turns
        Protected left-turn greens out of each direction, shares of the cycle.
    patterns
        Left-turn patterns to choose from; empty: `red_centre_difference` holds.
    """

    name: str
    position_m: float
    red: Pair
    red_centre_difference: float = 0.0
    queue_clearance: Pair = Pair(0.0, 0.0)
    red_centre: float = 0.0
    left_turns: Pair = Pair(0.0, 0.0)
    patterns: tuple[LeftTurns, ...] = ()
    half: HalfCycle | None = None
    """Where its own cycle may be half of the corridor's."""

    def difference(self, pattern: LeftTurns | None) -> float:
        """Give the inbound red's centre minus the outbound one's under a pattern.

        A left turn takes from the opposing through green, at its beginning where it leads and at
        its end where it lags; so it moves the centre of the opposing red by half its length.
        """
        if pattern is None:
            return self.red_centre_difference
        out_leads, in_leads = pattern.leads
        out_half, in_half = self.left_turns.outbound / 2, self.left_turns.inbound / 2
        return (out_half if out_leads else -out_half) - (in_half if in_leads else -in_half)

    def shown(self, pattern: LeftTurns | None, turns: int) -> Showing:
        """Give how it shows itself, once in a cycle or twice."""
        if turns == 1 or self.half is None:
            red, difference, turns = self.red, self.difference(pattern), 1
        else:
            red, difference = self.half.red, self.half.red_centre_difference
        return Showing(
            pattern,
            turns,
            red.outbound / turns,
            red.inbound / turns,
            (1 - red.outbound) / turns,
            (1 - red.inbound) / turns,
            difference / turns,
        )

    def showings(self) -> tuple[Showing, ...]:
        """Give the ways in which it may show itself.

        One that turns twice has two greens each way in the corridor's cycle: a street may use the
        first of both, or the first of one and the second of the other; other choices are these,
        half a cycle later.
        """
        found: list[Showing] = []
        if self.half is None or not self.half.only:
            found += [self.shown(pattern, 1) for pattern in self.patterns or (None,)]
        if self.half is not None:
            twice = self.shown(None, 2)
            found += [twice, replace(twice, difference=twice.difference + 0.5)]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Corridor:
    """Signals in outbound order, and what may be chosen.

    Attributes
    ----------
    cycle_s
        Shortest and longest cycle.
    weight
        What a share of the cycle of each band is worth.
    outbound_kph, inbound_kph
        Slowest and fastest speed of progression.

    Raises
    ------
    Invalid
        Naming the member and the rule.
    """

    signals: tuple[CorridorSignal, ...]
    cycle_s: tuple[float, float]
    weight: Pair
    outbound_kph: tuple[float, float]
    inbound_kph: tuple[float, float]
    traffic: tuple[Traffic, Traffic] | None = None
    """What drives outbound and inbound, where that is known: for delay, not for bands."""
    link_weights: tuple[Pair, ...] = ()
    """What a share of the cycle of each link's own bands is worth; empty: `weight` everywhere."""
    least_through: Pair = Pair(0.0, 0.0)
    """With bands by link, what goes through the whole street at least, shares of the cycle."""
    unknown: tuple[str, ...] = field(default=(), compare=False)
    """Members of its document that nobody reads."""

    def __post_init__(self) -> None:
        _check_range(self.cycle_s, "cycle_s")
        _check_range(self.outbound_kph, "speed_kph.out")
        _check_range(self.inbound_kph, "speed_kph.in")
        if min(self.weight.outbound, self.weight.inbound) < 0:
            raise Invalid("must not be negative", field="weight")
        if self.weight.outbound + self.weight.inbound <= 0:
            raise Invalid("must be positive for one direction at least", field="weight")
        self._check_links()
        if len(self.signals) < 2:  # noqa: PLR2004 - there is nothing between fewer
            raise Invalid("must name two signals at least", field="signals")
        for number, (before, after) in enumerate(pairwise(self.signals)):
            if after.position_m <= before.position_m:
                raise Invalid(
                    f"must lie beyond that of {before.name!r}",
                    field=f"signals.{number + 1}.position_m",
                )

    def _check_links(self) -> None:
        weights = self.link_weights
        if not weights:
            return
        if len(weights) != len(self.signals) - 1:
            raise Invalid("must be one fewer than the signals", field="links")
        for number, each in enumerate(weights):
            if min(each.outbound, each.inbound) < 0:
                raise Invalid("must not be negative", field=f"links.{number}")
        if sum(each.outbound + each.inbound for each in weights) <= 0:
            raise Invalid("must be positive for one link at least", field="links")

    @property
    def links_m(self) -> tuple[float, ...]:
        """Lengths between the signals, in metres."""
        return tuple(b.position_m - a.position_m for a, b in pairwise(self.signals))


@dataclass(frozen=True, slots=True)
class Coordination:
    """A corridor's answer: shares of its cycle unless a name ends in a unit.

    Attributes
    ----------
    offsets
        When each junction's reference point comes after the first one's, from 0 up to 1.
    outbound, inbound
        Widths of the bands; 0: none.
    objective, bound
        The weighted sum of the bands, and what it can be at most by proof.
    outbound_travel, inbound_travel
        Of each link, in outbound order.
    outbound_start, inbound_start
        When the band begins to leave each signal, from the first one's reference point, along one
        band: without whole cycles taken off.
    patterns
        The left-turn pattern of each signal that leaves one open.
    """

    cycle_s: float
    offsets: tuple[float, ...]
    outbound: float
    inbound: float
    objective: float
    bound: float
    outbound_travel: tuple[float, ...]
    inbound_travel: tuple[float, ...]
    outbound_start: tuple[float, ...]
    inbound_start: tuple[float, ...]
    patterns: tuple[LeftTurns | None, ...]
    turns: tuple[int, ...] = ()
    """How often each signal's own cycle turns in the corridor's; empty: once, all of them."""

    def shown(self, corridor: Corridor, number: int) -> Showing:
        """Give how a signal of its corridor shows itself."""
        turns = self.turns[number] if self.turns else 1
        return corridor.signals[number].shown(self.patterns[number], turns)

    @property
    def gap(self) -> float:
        """How much wider, as a share of the bound, the bands could be at most."""
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.objective) / self.bound)

    def with_bound(self, bound: float) -> "Coordination":
        """Give the same with what is proven of it."""
        return replace(self, bound=bound)


def _check_range(value: tuple[float, float], name: str) -> None:
    low, high = value
    if low <= 0:
        raise Invalid("must be positive", field=name)
    if high < low:
        raise Invalid("must not end below its beginning", field=name)
