"""What SUMO's files have no place for, kept in the parameters of a ``tlLogic``.

``greenbay.junction`` holds the names, kinds and lamp sequences of the signal groups, refuges and
waiting areas; ``greenbay.flashing`` says which greens of which phase flash.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import FLASHING, Aspect
from signals.rules.model.junction import LampChange, ModelGroup, Movement, SignalledJunction, Turn
from signals.rules.model.plans import Programme

JUNCTION_KEY: Final = "greenbay.junction"
FLASHING_KEY: Final = "greenbay.flashing"
_LANE: Final = re.compile(r":.+_\d+")


@dataclass(frozen=True, slots=True)
class Extras:
    """What a junction has beyond SUMO's elements."""

    groups: tuple[ModelGroup, ...]
    refuges: Mapping[str, float] = field(default_factory=dict)
    """By crossing movement: metres from the kerb to the refuge."""
    waiting: Mapping[str, Turn] = field(default_factory=dict)
    """By lane: the turn that waits inside the junction."""
    names: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    """By a movement's name as SUMO's elements give it: its own, and those of its two ends."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _GroupExtra(_Strict):
    name: str
    kind: GroupKind
    gaining: list[tuple[Aspect, float]]
    losing: list[tuple[Aspect, float]]


class _JunctionExtra(_Strict):
    groups: list[_GroupExtra]
    refuges: dict[str, float] = Field(default_factory=dict)
    waiting: dict[str, Turn] = Field(default_factory=dict)
    names: dict[str, tuple[str, str, str]] = Field(default_factory=dict)


def read_extras(text: str, where: str) -> Extras:
    """Read a junction's parameter; Invalid where it is not as we write it."""
    try:
        found = _JunctionExtra.model_validate_json(text)
    except SchemaError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(f"{where}: {JUNCTION_KEY}: {first['msg']}") from None
    groups = tuple(
        ModelGroup(
            group.name,
            group.kind,
            tuple(LampChange(*change) for change in group.gaining),
            tuple(LampChange(*change) for change in group.losing),
        )
        for group in found.groups
    )
    return Extras(groups, found.refuges, found.waiting, found.names)


def sumo_ends(movement: Movement, place: int) -> tuple[str, str]:
    """Give the lanes that a movement joins as SUMO can write them.

    Kerbs have no lane of a road: those without a walking area's name get one.
    """
    if movement.kind is not GroupKind.PEDESTRIAN:
        return movement.from_lane, movement.to_lane
    start, end = (
        lane if _LANE.fullmatch(lane) else f":{movement.node}_w{2 * place + side}_0"
        for side, lane in enumerate((movement.from_lane, movement.to_lane))
    )
    return start, end


def extras_text(junction: SignalledJunction, waiting: Mapping[str, Turn]) -> str | None:
    """Give a junction's parameter; None where SUMO's own elements say all of it."""
    names = {}
    for place, each in enumerate(junction.movements):
        written = ">".join(sumo_ends(each, place))
        if written != each.name:
            names[written] = [each.name, each.from_lane, each.to_lane]
    refuges = {each.name: each.refuge_m for each in junction.movements if each.refuge_m is not None}
    kinds = {each.group: each.kind for each in junction.movements}
    plain = tuple(
        ModelGroup(str(index), kinds.get(str(index), GroupKind.VEHICLE))
        for index in range(len(junction.groups))
    )
    if plain == junction.groups and not (refuges or waiting or names):
        return None
    groups = [
        {
            "name": group.name,
            "kind": group.kind.value,
            "gaining": [[each.aspect.value, each.duration_s] for each in group.gaining],
            "losing": [[each.aspect.value, each.duration_s] for each in group.losing],
        }
        for group in junction.groups
    ]
    value = {
        "groups": groups,
        "refuges": refuges,
        "waiting": {lane: turn.value for lane, turn in waiting.items()},
        "names": names,
    }
    return json.dumps(value, ensure_ascii=False)


def flashing_text(programme: Programme) -> str | None:
    """Give the flashing greens as pairs of phase and link indices; None where there are none."""
    found: list[Sequence[int | list[int]]] = []
    for place, interval in enumerate(programme.intervals):
        links = [index for index, aspect in enumerate(interval.shows) if aspect in FLASHING]
        if links:
            found.append((place, links))
    return json.dumps(found) if found else None


def read_flashing(text: str | None, where: str) -> dict[int, list[int]]:
    """Read the flashing greens of a programme by its phases."""
    if text is None:
        return {}
    try:
        pairs = json.loads(text)
        return {int(place): [int(link) for link in links] for place, links in pairs}
    except (ValueError, TypeError):
        raise Invalid(f"{where}: {FLASHING_KEY} is not as Greenbay writes it") from None
