"""The line to a controller that speaks NTCIP 1202."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from city.errors import Invalid
from signals.adapters.ntcip.session import SnmpSession, Value
from signals.rules.controllers.layout import ControllerPlan, Layout
from signals.rules.controllers.line import Control, ControllerState, NoAnswer, Refused
from signals.rules.controllers.ntcip import objects
from signals.rules.controllers.ntcip.objects import Oid
from signals.rules.controllers.ntcip.rings import (
    CROSSING,
    MOST_PHASES,
    Pattern,
    RingPhase,
    Rings,
    Split,
    layout_of,
    pattern_of,
    plan_of,
    vehicles,
)
from signals.rules.controllers.ntcip.tables import pattern_values
from signals.rules.model.aspects import Aspect

_TENTHS: Final = 10.0
_PHASE_COLUMNS: Final = (
    objects.WALK,
    objects.PED_CLEAR,
    objects.LEAST_GREEN,
    objects.YELLOW,
    objects.RED_CLEAR,
    objects.RING,
    objects.CONCURRENCY,
)
_VEHICLE_LAMPS: Final = {
    objects.REDS: Aspect.RED,
    objects.YELLOWS: Aspect.YELLOW,
    objects.GREENS: Aspect.GREEN,
}
_CROSSING_LAMPS: Final = {
    objects.DONT_WALKS: Aspect.RED,
    objects.PED_CLEARS: Aspect.FLASHING_GREEN,
    objects.WALKS: Aspect.GREEN,
}
_MOST_SEQUENCES: Final = 20


class NtcipLine:
    """One controller; an adapter of ``ControllerLine``.

    Parameters
    ----------
    session : SnmpSession
    tick : callable
        The controller's seconds from any start, for how long a stage has been seen green.
    """

    def __init__(self, session: SnmpSession, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._tick = tick
        self._known: tuple[Rings, Layout] | None = None
        self._since: tuple[frozenset[int], float] | None = None

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def read_state(self) -> ControllerState:
        """Ask what it does: pattern, lamps by phase, faults.

        NTCIP does not say how long a green has lasted: it has lasted at least since this line saw
        its stage first.
        """
        rings, layout = self._rings()
        groups = _groups(rings)
        columns = (*_VEHICLE_LAMPS, *_CROSSING_LAMPS, objects.ONS)
        status = {
            column: [(*objects.PHASE_STATUS, column, group + 1) for group in range(groups)]
            for column in columns
        }
        unit = (
            objects.PATTERN_STATUS,
            objects.UNIT_CONTROL,
            objects.UNIT_FLASH,
            objects.SHORT_ALARM,
            objects.FREE_STATUS,
        )
        told = self._session.get([*unit, *(each for row in status.values() for each in row)])
        pattern, control, flash, alarm, free = (_number(told, each) for each in unit)
        shown = {
            column: objects.unmasked(_number(told, each) for each in row)
            for column, row in status.items()
        }
        flashing = flash != objects.NO_FLASH
        stage, changing = (None, None) if flashing else _stage(layout, shown)
        return ControllerState(
            objects.control_of(pattern, control, flash),
            pattern if 1 <= pattern <= objects.FREE else None,
            stage,
            changing,
            self._elapsed_s(shown[objects.ONS], stage),
            None,
            {} if flashing else _lamps(rings, shown),
            objects.faults_of(flash, free, alarm),
        )

    def read_layout(self) -> Layout:
        """Ask for phases, rings and their orders, and give the stages that they can form."""
        return self._rings()[1]

    def read_plan(self, number: int) -> ControllerPlan | None:
        """Ask for a pattern and its splits; None where it is empty or there is none."""
        if not 1 <= number <= objects.MOST_PATTERNS:
            return None
        rings, _ = self._rings()
        columns = (objects.CYCLE, objects.OFFSET, objects.SPLIT, objects.SEQUENCE)
        rows = [(*objects.PATTERNS, column, number) for column in columns]
        told = self._session.get(rows)
        if not told.get(rows[0]):
            return None
        cycle_s, offset_s, split, sequence = (_number(told, each) for each in rows)
        parts = (objects.TIME, objects.MODE, objects.COORDINATED)
        wanted = {
            phase: [(*objects.SPLITS, column, split, phase) for column in parts]
            for phase in rings.phases
        }
        told = self._session.get([each for row in wanted.values() for each in row])
        splits = {
            phase: Split(_number(told, row[0]), _number(told, row[1]), _number(told, row[2]) == 1)
            for phase, row in wanted.items()
        }
        with _readable():
            return plan_of(rings, Pattern(number, cycle_s, offset_s, sequence, splits))

    def write_plan(self, plan: ControllerPlan) -> None:
        """Give it a pattern with splits of its number, in one order: never half of it.

        Raises
        ------
        NoAnswer
        Refused
            Also where it would leave the pattern by itself, because nobody repeats our orders.
        """
        rings, _ = self._rings()
        backup_s = _number(self._session.get([objects.BACKUP_TIME]), objects.BACKUP_TIME)
        if backup_s:
            raise Refused(f"after {backup_s} s of silence the controller would leave the plan")
        try:
            pattern = pattern_of(rings, plan)
        except Invalid as error:
            raise Refused(f"rings cannot run this plan: {error}") from None
        self._session.set(pattern_values(pattern))

    def take_up(self, number: int, control: Control) -> None:  # noqa: ARG002 - patterns alone
        """Let it run a pattern (254: free) by the centre's word, and hold no phase any longer."""
        self._session.set(
            {**self._phase_control(frozenset(), frozenset()), objects.SYSTEM_PATTERN: number}
        )

    def hold_stage(self, number: int) -> None:
        """Hold a stage's phases and force the others off.

        Raises
        ------
        NoAnswer
        Refused
            Also where the controller would hold for good, should the centre fall silent.
        """
        rings, layout = self._rings()
        if not _number(self._session.get([objects.BACKUP_TIME]), objects.BACKUP_TIME):
            raise Refused("without a backup time the controller would hold for good")
        if number not in layout.stage_of:
            raise Refused(f"there is no stage {number}")
        held = vehicles(layout, number)
        self._session.set(self._phase_control(held, frozenset(rings.phases) - held))

    def show(self, control: Control) -> None:
        """Let it flash; NTCIP has no order for all red or dark."""
        if control is not Control.FLASHING:
            raise Refused("NTCIP 1202 has no such order")
        self._session.set({objects.SYSTEM_PATTERN: objects.FLASH})

    # --- inside ------------------------------------------------------------------------------

    def _phase_control(self, held: frozenset[int], forced: frozenset[int]) -> dict[Oid, int]:
        groups = _groups(self._rings()[0])
        values: dict[Oid, int] = {}
        for column, phases in (
            (objects.HOLD, held),
            (objects.FORCE_OFF, forced),
            (objects.CALL, held),
        ):
            for group, octet in enumerate(objects.masks(phases, groups), 1):
                values[*objects.PHASE_CONTROL, column, group] = octet
        return values

    def _elapsed_s(self, on: frozenset[int], stage: int | None) -> int | None:
        if stage is None:
            self._since = None
            return None
        if self._since is None or self._since[0] != on:
            self._since = (on, self._tick())
        return int(self._tick() - self._since[1])

    def _rings(self) -> tuple[Rings, Layout]:
        if self._known is None:
            limits = (objects.MAX_PHASES, objects.MAX_RINGS, objects.MAX_SEQUENCES)
            told = self._session.get(limits)
            phases, ring_count, sequences = (_number(told, each) for each in limits)
            wanted = [
                (*objects.PHASES, column, phase)
                for phase in range(1, min(phases, MOST_PHASES) + 1)
                for column in _PHASE_COLUMNS
            ]
            orders = [
                (*objects.SEQUENCES, objects.SEQUENCE_DATA, sequence, ring)
                for sequence in range(1, min(sequences, _MOST_SEQUENCES) + 1)
                for ring in range(1, ring_count + 1)
            ]
            with _readable():
                rings = _read_rings(self._session.get([*wanted, *orders]), phases, ring_count)
                self._known = rings, layout_of(rings)
        return self._known


@contextmanager
def _readable() -> Iterator[None]:
    """Make of an answer that cannot be read what it is to the caller: none."""
    try:
        yield
    except Invalid as error:
        raise NoAnswer(f"the controller's answer cannot be read: {error}") from None


def _read_rings(told: Mapping[Oid, Value], phases: int, ring_count: int) -> Rings:
    found = {}
    for number in range(1, min(phases, MOST_PHASES) + 1):
        row = {column: (*objects.PHASES, column, number) for column in _PHASE_COLUMNS}
        ring = _number(told, row[objects.RING])
        if not ring:
            continue
        concurrent = told.get(row[objects.CONCURRENCY], b"")
        found[number] = RingPhase(
            number,
            ring,
            _number(told, row[objects.LEAST_GREEN]),
            _number(told, row[objects.YELLOW]) / _TENTHS,
            _number(told, row[objects.RED_CLEAR]) / _TENTHS,
            frozenset(concurrent) if isinstance(concurrent, bytes) else frozenset(),
            _number(told, row[objects.WALK]),
            _number(told, row[objects.PED_CLEAR]),
        )
    orders: dict[int, list[tuple[int, ...]]] = {}
    for name, value in sorted(told.items()):
        if name[: len(objects.SEQUENCES)] == objects.SEQUENCES and isinstance(value, bytes):
            served = tuple(each for each in value if each in found)
            orders.setdefault(name[-2], []).append(served)
    whole = {number: tuple(each) for number, each in orders.items() if len(each) == ring_count}
    return Rings(found, {number: each for number, each in whole.items() if any(each)})


def _number(told: Mapping[Oid, Value], name: Oid) -> int:
    value = told.get(name)
    if not isinstance(value, int):
        raise NoAnswer(f"the controller does not tell {'.'.join(map(str, name))}")
    return value


def _groups(rings: Rings) -> int:
    return (max(rings.phases) + 7) // 8


def _stage(
    layout: Layout, shown: Mapping[int, frozenset[int]]
) -> tuple[int, bool] | tuple[None, None]:
    """Give the stage of the phases that are on, and whether one of them is on its way to red."""
    on = shown[objects.ONS]
    stage = next(
        (each.number for each in layout.stages if vehicles(layout, each.number) == on), None
    )
    return (None, None) if stage is None else (stage, on != shown[objects.GREENS])


def _lamps(rings: Rings, shown: Mapping[int, frozenset[int]]) -> dict[int, Aspect]:
    lamps = {}
    for phase in rings.phases.values():
        parts: Sequence[tuple[int, Mapping[int, Aspect]]] = [(phase.number, _VEHICLE_LAMPS)]
        if phase.walk_s:
            parts = [*parts, (phase.number + CROSSING, _CROSSING_LAMPS)]
        for number, aspects in parts:
            lit = [aspect for column, aspect in aspects.items() if phase.number in shown[column]]
            # None or several at once: what it shows is not known.
            if len(lit) == 1:
                lamps[number] = lit[0]
    return lamps
