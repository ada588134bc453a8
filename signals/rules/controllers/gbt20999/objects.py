"""A controller's objects as data values of GB/T 20999-2017, and back.

Classes: 3 lamp groups, 4 phases, 6 stages, 7 safety, 9 plans, 13 run state, 16 faults, 17 control
from the centre, 18 commands. What public sources disagree on or do not state is in ``Dialect``:
**unverified** against the standard's text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from city.errors import Invalid
from signals.rules.controllers.gbt20999.frames import ErrorCode, Item
from signals.rules.controllers.layout import (
    MOST_IN_CHAIN,
    ControllerPlan,
    Phase,
    PhaseStage,
    PlanStage,
)
from signals.rules.controllers.line import Control
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect
from signals.rules.model.junction import LampChange

LAMP_CLASS: Final = 3
PHASE_CLASS: Final = 4
STAGE_CLASS: Final = 6
SAFETY_CLASS: Final = 7
PLAN_CLASS: Final = 9
RUN_CLASS: Final = 13
FAULT_CLASS: Final = 16
CENTRE_CLASS: Final = 17
COMMAND_CLASS: Final = 18

FIXED_STAGE: Final = 0x10
"""A stage that comes in every cycle."""
RIGHT_OF_WAY: Final = 0x20
IN_TRANSITION: Final = 0x30
_MASK_BYTES: Final = 8
_CHANGES: Final = 3


@dataclass(frozen=True, slots=True)
class Dialect:
    """What sources disagree on; every member is unverified."""

    version: int = 0x0102
    """0100, 0101 and 0102 were seen; any is accepted from a controller."""
    lamp_attribute: int = 1
    """Attribute of 3.3 with the lamps' state: 1, or 2 beside a number in 1."""
    lenient: bool = False
    """Take frames with a length 2 too large, as one firmware sends."""
    stage_time_bytes: int = 2
    """Elapsed and remaining time of a stage: 2 or 4 bytes; both are read."""


LAMPS: Final = {
    Aspect.DARK: 0x01,
    Aspect.RED: 0x10,
    Aspect.GREEN: 0x20,
    Aspect.FLASHING_GREEN: 0x21,
    Aspect.YELLOW: 0x30,
    Aspect.FLASHING_YELLOW: 0x31,
    Aspect.RED_YELLOW: 0x40,
}
_ASPECTS: Final = {code: aspect for aspect, code in LAMPS.items()} | {
    0x11: Aspect.RED,
    0x12: Aspect.RED,
    0x22: Aspect.FLASHING_GREEN,
    0x32: Aspect.FLASHING_YELLOW,
}
LAMP_TYPES: Final = {GroupKind.VEHICLE: 1, GroupKind.BICYCLE: 2, GroupKind.PEDESTRIAN: 3}
_KINDS: Final = {code: kind for kind, code in LAMP_TYPES.items()}

CONTROL_CODES: Final = {
    Control.CENTRE: 0x10,
    Control.TIMETABLE: 0x11,
    Control.MANUAL: 0x15,
    Control.FIXED: 0x21,
    Control.ACTUATED: 0x22,
    Control.COORDINATED: 0x23,
    Control.ADAPTIVE: 0x24,
    Control.FLASHING: 0x31,
    Control.ALL_RED: 0x32,
    Control.DARK: 0x33,
}
_CONTROLS: Final = {code: control for control, code in CONTROL_CODES.items()} | {
    0x12: Control.CENTRE,
    0x13: Control.COORDINATED,
    0x14: Control.ADAPTIVE,
    0x20: Control.FIXED,
    0x25: Control.MANUAL,
}

FAULTS: Final = {
    0x10: "green_conflict",
    0x11: "red_and_green",
    0x20: "red_lamp",
    0x21: "yellow_lamp",
    0x22: "green_lamp",
    0x30: "communication",
    0x40: "self_test",
    0x41: "detector",
    0x42: "relay",
    0x43: "memory",
    0x44: "clock",
    0x45: "main_board",
    0x46: "phase_board",
    0x47: "detector_board",
    0x50: "configuration",
    0x70: "control_response",
}


def control_of(code: int) -> Control:
    """Give what a run mode's code means; ``OTHER`` for one that no source names."""
    return _CONTROLS.get(code, Control.OTHER)


def aspect_of(code: int) -> Aspect:
    """Give what a lamp's code means; Invalid for one that no source names."""
    if code not in _ASPECTS:
        raise Invalid(f"is the unknown lamp state {code:02X}", field="lamps")
    return _ASPECTS[code]


def error_says(items: Sequence[Item]) -> str:
    """Say what a controller complains of, item by item."""
    said = []
    for item in items:
        code = item.value[0] if len(item.value) == 1 else 0
        known = code in set(ErrorCode)
        what = ErrorCode(code).name.lower().replace("_", " ") if known else "unknown error"
        said.append(f"{what} at {'.'.join(str(part) for part in item.address)}")
    return "; ".join(said) or "an error without a reason"


# --- plans -----------------------------------------------------------------------------------


def plan_values(plan: ControllerPlan, junction: int) -> dict[int, bytes]:
    """Give the attributes of class 9, object 2; Invalid where they do not hold the plan."""
    if len(plan.stages) > MOST_IN_CHAIN:
        raise Invalid(f"has more than {MOST_IN_CHAIN} stages", field="plan.stages")
    spare = MOST_IN_CHAIN - len(plan.stages)
    try:
        return {
            1: plan.number.to_bytes(1, "big"),
            2: junction.to_bytes(1, "big"),
            3: plan.cycle_s.to_bytes(4, "big"),
            # Which plan this one is coordinated with; it is nobody's but the clock's.
            4: b"\0",
            5: plan.offset_s.to_bytes(2, "big"),
            6: bytes(each.stage for each in plan.stages) + bytes(spare),
            7: b"".join(each.length_s.to_bytes(2, "big") for each in plan.stages)
            + bytes(2 * spare),
            8: bytes([FIXED_STAGE] * len(plan.stages)) + bytes(spare),
        }
    except (OverflowError, ValueError):
        raise Invalid("has a number that its bytes do not hold", field="plan") from None


def plan_from(values: Mapping[int, bytes]) -> ControllerPlan | None:
    """Read the attributes of class 9, object 2; None where the row is empty.

    Raises
    ------
    Invalid
        On attributes that are missing or of another length, or a gap in the chain.
    """
    sizes = {1: 1, 3: 4, 5: 2, 6: MOST_IN_CHAIN, 7: 2 * MOST_IN_CHAIN}
    for attribute, size in sizes.items():
        if len(values.get(attribute, b"")) != size:
            raise Invalid("is missing or of another length", field=f"plan.{attribute}")
    chain, times = values[6], values[7]
    count = len(chain.rstrip(b"\0"))
    cycle_s = int.from_bytes(values[3], "big")
    if count == 0 and cycle_s == 0:
        return None
    if 0 in chain[:count]:
        raise Invalid("has a gap", field="plan.6")
    return ControllerPlan(
        values[1][0],
        cycle_s,
        int.from_bytes(values[5], "big"),
        tuple(
            PlanStage(chain[place], int.from_bytes(times[2 * place : 2 * place + 2], "big"))
            for place in range(count)
        ),
    )


# --- phases, stages, safety ------------------------------------------------------------------


def mask(numbers: Sequence[int] | frozenset[int]) -> bytes:
    """Give a bitmap of numbers from 1 to 64, number 1 in the lowest bit (byte order unverified)."""
    return sum(1 << (number - 1) for number in numbers).to_bytes(_MASK_BYTES, "big")


def unmasked(value: bytes) -> frozenset[int]:
    """Read a bitmap."""
    bits = int.from_bytes(value, "big")
    return frozenset(number for number in range(1, 65) if bits >> (number - 1) & 1)


def phase_values(phase: Phase) -> dict[int, bytes]:
    """Give the attributes of class 4, object 2 that we read; Invalid where they do not fit."""
    found = {
        1: bytes((phase.number,)),
        2: mask([phase.number]),
        27: phase.least_green_s.to_bytes(2, "big"),
    }
    for first, changes in ((3, phase.losing), (9, phase.gaining)):
        if len(changes) > _CHANGES:
            raise Invalid(f"has more than {_CHANGES} lamps", field=f"phases.{phase.number}")
        for place in range(_CHANGES):
            change = changes[place] if place < len(changes) else None
            colour, length_s = (
                (0, 0) if change is None else (LAMPS[change.aspect], round(change.duration_s))
            )
            found[first + 2 * place] = bytes((colour,))
            found[first + 2 * place + 1] = bytes((length_s,))
    return found


def phase_from(values: Mapping[int, bytes], lamp_type: int | None) -> Phase:
    """Read the attributes of class 4, object 2 and the type of its lamps.

    Raises
    ------
    Invalid
        On attributes that are missing, or a lamp that no source names.
    """
    for attribute in (1, *range(3, 15), 27):
        if not values.get(attribute):
            raise Invalid("is missing", field=f"phase.{attribute}")
    number = values[1][0]
    changes = []
    for first in (3, 9):
        found = []
        for place in range(_CHANGES):
            colour = values[first + 2 * place][0]
            length_s = values[first + 2 * place + 1][0]
            if colour and length_s:
                found.append(LampChange(aspect_of(colour), float(length_s)))
        changes.append(tuple(found))
    return Phase(
        number,
        str(number),
        # Whose lamps they are is not told by every controller; vehicles ask for the most.
        _KINDS.get(lamp_type or 0, GroupKind.VEHICLE),
        changes[0],
        changes[1],
        int.from_bytes(values[27], "big"),
    )


def stage_values(stage: PhaseStage) -> dict[int, bytes]:
    """Give the attributes of class 6, object 2 that we read."""
    return {1: bytes((stage.number,)), 2: mask(stage.phases)}


def stage_from(values: Mapping[int, bytes]) -> PhaseStage:
    """Read the attributes of class 6, object 2; Invalid where they are missing."""
    if len(values.get(1, b"")) != 1 or len(values.get(2, b"")) != _MASK_BYTES:
        raise Invalid("is missing or of another length", field="stage")
    return PhaseStage(values[1][0], unmasked(values[2]))
