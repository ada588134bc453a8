"""Rings and barriers as JSON: a member of a plan, and a parameter of a ``tlLogic``."""

import json
from typing import Final

from pydantic import JsonValue
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from signals.rules.model.rings import Overlap, RingPhase, Rings
from signals.rules.model.schemas import RingsDocument

RINGS_KEY: Final = "greenbay.rings"


def rings_of(document: RingsDocument) -> Rings:
    """Read rings; Invalid names the phase at fault."""
    return Rings(
        tuple(
            tuple(
                tuple(
                    RingPhase(each.name, frozenset(each.groups), each.green_s, each.change_s)
                    for each in ring
                )
                for ring in side
            )
            for side in document.sides
        ),
        tuple(Overlap(each.group, tuple(each.phases)) for each in document.overlaps),
    )


def rings_json(rings: Rings) -> dict[str, JsonValue]:
    """Write rings; reading them gives the same again."""
    return {
        "sides": [
            [
                [
                    {
                        "name": phase.name,
                        "groups": list[JsonValue](sorted(phase.groups)),
                        "green_s": phase.green_s,
                        "change_s": phase.change_s,
                    }
                    for phase in ring
                ]
                for ring in side
            ]
            for side in rings.sides
        ],
        "overlaps": [
            {"group": each.group, "phases": list[JsonValue](each.phases)} for each in rings.overlaps
        ],
    }


def rings_text(rings: Rings) -> str:
    """Write rings as a parameter of SUMO's file."""
    return json.dumps(rings_json(rings), ensure_ascii=False)


def read_rings(text: str | None, where: str) -> Rings | None:
    """Read such a parameter; Invalid where it is not as we write it."""
    if text is None:
        return None
    try:
        return rings_of(RingsDocument.model_validate_json(text))
    except SchemaError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(f"{where}: {RINGS_KEY}: {first['msg']}") from None
