"""A corridor: signals along a street, how fast to drive between them, and what is red when.

Shares are of the cycle, times of a corridor's answer are seconds. The outbound direction goes from
the first signal to the last, the inbound one back.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final

from pydantic import ConfigDict, Field, JsonValue
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from signals.rules.documents import Document, refusal

KPH: Final = 3.6
"""Kilometres an hour in a metre a second."""
MOST_SIGNALS: Final = 2_000


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
        if len(self.signals) < 2:  # noqa: PLR2004 - there is nothing between fewer
            raise Invalid("must name two signals at least", field="signals")
        for number, (before, after) in enumerate(pairwise(self.signals)):
            if after.position_m <= before.position_m:
                raise Invalid(
                    f"must lie beyond that of {before.name!r}",
                    field=f"signals.{number + 1}.position_m",
                )

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


Finite = Annotated[float, Field(allow_inf_nan=False)]
Range = Annotated[list[Annotated[Finite, Field(gt=0)]], Field(min_length=2, max_length=2)]
Red = Annotated[Finite, Field(ge=0, lt=1)]
Share = Annotated[Finite, Field(ge=0, le=1)]


class _Lenient(Document):
    """Members that nobody reads are told of, not refused: files carry notes."""

    model_config = ConfigDict(extra="allow")


class _SpeedDocument(_Lenient):
    out: Range | Annotated[Finite, Field(gt=0)]
    in_: Range | Annotated[Finite, Field(gt=0)] = Field(alias="in")


class _SignalDocument(_Lenient):
    name: str = Field(min_length=1, max_length=80)
    position_m: Finite
    red: Annotated[list[Red], Field(min_length=2, max_length=2)]
    red_centre_difference: Annotated[Finite, Field(ge=-1, le=1)] = 0.0
    queue_clearance: Annotated[list[Share], Field(min_length=2, max_length=2)] = Field(
        default_factory=lambda: [0.0, 0.0]
    )
    red_centre: Annotated[Finite, Field(ge=-1, le=1)] = 0.0
    left_turns: Annotated[list[Share], Field(min_length=2, max_length=2)] = Field(
        default_factory=lambda: [0.0, 0.0]
    )
    left_turn_patterns: list[LeftTurns] = Field(default_factory=list)


class CorridorDocument(_Lenient):
    """A corridor as it is written."""

    cycle_s: Range | Annotated[Finite, Field(gt=0)]
    weight: Annotated[list[Finite], Field(min_length=2, max_length=2)] = Field(
        default_factory=lambda: [1.0, 1.0]
    )
    speed_kph: _SpeedDocument
    flow_vph: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None = None
    saturation_flow_vph: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None = None
    turning: Finite = 0.2
    signals: Annotated[list[_SignalDocument], Field(max_length=MOST_SIGNALS)]


def read_corridor(value: JsonValue) -> Corridor:
    """Read a corridor's document; Invalid names the first member at fault."""
    try:
        document = CorridorDocument.model_validate(value)
    except SchemaError as error:
        raise refusal(error) from None
    return corridor_of(document)


def corridor_of(document: CorridorDocument, cycle_s: tuple[float, float] | None = None) -> Corridor:
    """Give the corridor of its document; `cycle_s` stands for what a network says once for all."""
    return Corridor(
        signals=tuple(
            CorridorSignal(
                each.name,
                each.position_m,
                Pair(*each.red),
                each.red_centre_difference,
                Pair(*each.queue_clearance),
                each.red_centre,
                Pair(*each.left_turns),
                tuple(dict.fromkeys(each.left_turn_patterns)),
            )
            for each in document.signals
        ),
        cycle_s=cycle_s or as_range(document.cycle_s),
        weight=Pair(*document.weight),
        outbound_kph=as_range(document.speed_kph.out),
        inbound_kph=as_range(document.speed_kph.in_),
        traffic=_traffic(document),
        unknown=tuple(_unknown(document)),
    )


def _traffic(document: CorridorDocument) -> tuple[Traffic, Traffic] | None:
    flows, most = document.flow_vph, document.saturation_flow_vph
    if flows is None and most is None:
        return None
    if flows is None or most is None:
        missing = "flow_vph" if flows is None else "saturation_flow_vph"
        raise Invalid("must be given where the other flow is", field=missing)
    return (
        Traffic(flows[0], most[0], document.turning),
        Traffic(flows[1], most[1], document.turning),
    )


def as_range(value: Sequence[float] | float) -> tuple[float, float]:
    """Give a range; one number stands for a fixed one."""
    if isinstance(value, int | float):
        return float(value), float(value)
    low, high = value
    return low, high


def _unknown(document: CorridorDocument) -> list[str]:
    found = [*(document.model_extra or ())]
    found += [f"speed_kph.{name}" for name in document.speed_kph.model_extra or ()]
    for number, each in enumerate(document.signals):
        found += [f"signals.{number}.{name}" for name in each.model_extra or ()]
    return found
