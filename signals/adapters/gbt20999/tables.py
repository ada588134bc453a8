"""What a simulated controller keeps, as the tables that GB/T 20999-2017 names."""

from collections.abc import Callable, Mapping
from typing import Final

from signals.rules.controllers.cabinet import Cabinet, Running
from signals.rules.controllers.gbt20999 import objects
from signals.rules.controllers.line import Control

Table = Mapping[int, Mapping[int, bytes]]
"""Attributes by element."""
ORDERS: Final = {
    objects.CONTROL_CODES[Control.FLASHING]: Running.FLASHING,
    objects.CONTROL_CODES[Control.ALL_RED]: Running.ALL_RED,
    objects.CONTROL_CODES[Control.DARK]: Running.DARK,
}
_SHOWN: Final = {running: code for code, running in ORDERS.items()} | {
    Running.WAKING: objects.CONTROL_CODES[Control.FLASHING]
}
_TENTHS: Final = 10
_MOST_TENTHS: Final = 255


def table(
    cabinet: Cabinet, class_id: int, object_id: int, *, junction: int, mode: int
) -> Table | None:
    """Give an object's rows; None where there is no such object."""
    if (class_id, object_id) == (objects.PLAN_CLASS, 2):
        return {
            number: objects.plan_values(plan, junction) for number, plan in cabinet.plans.items()
        }
    if (class_id, object_id) in {(objects.RUN_CLASS, 2), (objects.CENTRE_CLASS, 1)}:
        by_plan = mode if cabinet.held is None else objects.CONTROL_CODES[Control.MANUAL]
        shown = bytes((_SHOWN.get(cabinet.running, by_plan),))
        plan, stage = bytes((cabinet.plan,)), bytes((cabinet.stage or 0,))
        row = (shown, plan, stage) if class_id == objects.RUN_CLASS else (stage, plan, shown)
        return {junction: dict(enumerate((bytes((junction,)), *row), 1))}
    found = _TABLES.get((class_id, object_id))
    return None if found is None else found(cabinet)


def _count(number: int, size: int = 1) -> Table:
    return {0: {0: number.to_bytes(size, "big")}}


def _lamp_groups(cabinet: Cabinet) -> Table:
    return {
        each.number: {1: bytes((each.number,)), 2: bytes((objects.LAMP_TYPES[each.kind],))}
        for each in cabinet.layout.phases
    }


def _lamps(cabinet: Cabinet) -> Table:
    return {
        number: {1: bytes((objects.LAMPS[aspect],))} for number, aspect in cabinet.lamps.items()
    }


def _stage_states(cabinet: Cabinet) -> Table:
    return {each.number: _stage_state(cabinet, each.number) for each in cabinet.layout.stages}


def _stage_state(cabinet: Cabinet, number: int) -> dict[int, bytes]:
    if number != cabinet.stage:
        return {1: bytes((number,)), 2: b"\x10", 3: b"\0\0", 4: b"\0\0"}
    state = objects.IN_TRANSITION if cabinet.changing else objects.RIGHT_OF_WAY
    return {
        1: bytes((number,)),
        2: bytes((state,)),
        3: cabinet.elapsed_s.to_bytes(2, "big"),
        4: (cabinet.remaining_s or 0).to_bytes(2, "big"),
    }


def _conflicts(cabinet: Cabinet) -> Table:
    pairs = cabinet.layout.conflicts
    return {
        each.number: {
            1: bytes((each.number,)),
            2: objects.mask([other for one, other in pairs if one == each.number]),
        }
        for each in cabinet.layout.phases
    }


def _intergreens(cabinet: Cabinet) -> Table:
    """Tenths of a second by the phase that starts; rounded up, never down."""
    rows = {each.number: bytearray(64) for each in cabinet.layout.phases}
    for (ended, started), needed_s in cabinet.layout.intergreen_s.items():
        rows[ended][started - 1] = min(-int(-needed_s * _TENTHS // 1), _MOST_TENTHS)
    return {number: {1: bytes((number,)), 2: bytes(row)} for number, row in rows.items()}


_TABLES: Final[Mapping[tuple[int, int], Callable[[Cabinet], Table]]] = {
    (objects.LAMP_CLASS, 1): lambda cabinet: _count(len(cabinet.layout.phases)),
    (objects.LAMP_CLASS, 2): _lamp_groups,
    (objects.LAMP_CLASS, 3): _lamps,
    (objects.PHASE_CLASS, 1): lambda cabinet: _count(len(cabinet.layout.phases)),
    (objects.PHASE_CLASS, 2): lambda cabinet: {
        each.number: objects.phase_values(each) for each in cabinet.layout.phases
    },
    (objects.STAGE_CLASS, 1): lambda cabinet: _count(len(cabinet.layout.stages)),
    (objects.STAGE_CLASS, 2): lambda cabinet: {
        each.number: objects.stage_values(each) for each in cabinet.layout.stages
    },
    (objects.STAGE_CLASS, 3): _stage_states,
    (objects.SAFETY_CLASS, 1): _conflicts,
    (objects.SAFETY_CLASS, 2): _intergreens,
    (objects.PLAN_CLASS, 1): lambda cabinet: _count(len(cabinet.plans)),
}
