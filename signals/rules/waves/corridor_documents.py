"""Corridors as they are written."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import ConfigDict, Field, JsonValue
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from signals.rules.documents import Document, refusal
from signals.rules.waves.corridor import (
    Corridor,
    CorridorSignal,
    HalfCycle,
    LeftTurns,
    Pair,
    Traffic,
)

MOST_SIGNALS: Final = 2_000

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


class _HalfCycleDocument(Document):
    red: Annotated[list[Red], Field(min_length=2, max_length=2)]
    red_centre_difference: Annotated[Finite, Field(ge=-1, le=1)] = 0.0
    only: bool = False


class _LinkDocument(Document):
    weight: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None = None
    flow_vph: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None = None


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
    half_cycle: _HalfCycleDocument | None = None


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
    links: Annotated[list[_LinkDocument], Field(max_length=MOST_SIGNALS)] = Field(
        default_factory=list
    )
    least_through: Annotated[list[Red], Field(min_length=2, max_length=2)] = Field(
        default_factory=lambda: [0.0, 0.0]
    )
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
                _half_cycle(each.half_cycle),
            )
            for each in document.signals
        ),
        cycle_s=cycle_s or as_range(document.cycle_s),
        weight=Pair(*document.weight),
        outbound_kph=as_range(document.speed_kph.out),
        inbound_kph=as_range(document.speed_kph.in_),
        traffic=_traffic(document),
        link_weights=_link_weights(document),
        least_through=Pair(*document.least_through),
        unknown=tuple(_unknown(document)),
    )


def _half_cycle(document: _HalfCycleDocument | None) -> HalfCycle | None:
    if document is None:
        return None
    return HalfCycle(Pair(*document.red), document.red_centre_difference, document.only)


def _link_weights(document: CorridorDocument) -> tuple[Pair, ...]:
    """Give what each link's bands are worth: as stated, or by its flow as a share of the largest.

    Both are times the corridor's weight of the direction.
    """
    for number, link in enumerate(document.links):
        if (link.weight is None) == (link.flow_vph is None):
            raise Invalid("must have either weight or flow_vph", field=f"links.{number}")
        if min(link.weight or link.flow_vph or ()) < 0:
            raise Invalid("must not be negative", field=f"links.{number}")
    flows = [flow for link in document.links for flow in link.flow_vph or ()]
    most = max(flows, default=0.0) or 1.0
    out_weight, in_weight = document.weight
    found = []
    for link in document.links:
        outbound, inbound = link.weight or [flow / most for flow in link.flow_vph or ()]
        found.append(Pair(out_weight * outbound, in_weight * inbound))
    return tuple(found)


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
