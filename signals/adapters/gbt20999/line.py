"""Our line to a controller that speaks GB/T 20999-2017."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from city.errors import Invalid
from signals.adapters.gbt20999.link import Link
from signals.rules.controllers.gbt20999 import device, objects
from signals.rules.controllers.gbt20999.frames import ErrorCode, Frame, FrameKind, Item
from signals.rules.controllers.gbt20999.objects import Dialect
from signals.rules.controllers.inspection import Inspection
from signals.rules.controllers.layout import ControllerPlan, Layout
from signals.rules.controllers.line import Control, ControllerState, NoAnswer, Refused

if TYPE_CHECKING:
    from signals.rules.model.aspects import Aspect

Address = tuple[int, int, int, int]
"""Class, object, attribute, element."""
_MOST_ASKED: Final = 40
"""Items a frame: with a phase's long rows the reply stays below a kilobyte."""
_MOST_FAULTS: Final = 16
_TENTHS: Final = 10.0


class Gbt20999Line:
    """One controller; an adapter of ``ControllerLine``.

    Parameters
    ----------
    link : Link
        Datagrams or a byte stream.
    controller, junction : int
        Its identity, and which of its junctions is meant.
    dialect : Dialect or None
    """

    def __init__(
        self, link: Link, *, controller: int = 1, junction: int = 1, dialect: Dialect | None = None
    ) -> None:
        self._link = link
        self._controller = controller
        self._junction = junction
        self._dialect = dialect or Dialect()
        self._sequence = 0

    def close(self) -> None:
        """End the link."""
        self._link.close()

    def heartbeat(self) -> None:
        """See that somebody is there. Raises NoAnswer."""
        self._exchange(FrameKind.HEARTBEAT, [])

    def read_state(self) -> ControllerState:
        """Ask what it does: run mode, plan and stage, then that stage's time, lamps and faults."""
        run = {
            attribute: (objects.RUN_CLASS, 2, attribute, self._junction) for attribute in (2, 3, 4)
        }
        lamps: Address = (objects.LAMP_CLASS, 3, self._dialect.lamp_attribute, 0)
        told = self._query([*run.values(), lamps, (objects.FAULT_CLASS, 1, 0, 0)])
        mode, plan, stage = (_number(told.get(run[attribute])) for attribute in (2, 3, 4))
        shown: dict[int, Aspect] = {}
        for (_, _, _, element), value in _rows(told, objects.LAMP_CLASS, 3):
            code = _number(value)
            if code is not None:
                with _readable():
                    shown[element] = objects.aspect_of(code)
        changing, elapsed_s, remaining_s = self._stage_time(stage)
        return ControllerState(
            None if mode is None else objects.control_of(mode),
            plan,
            stage or None,
            changing,
            elapsed_s,
            remaining_s,
            shown,
            self._faults(_number(told.get((objects.FAULT_CLASS, 1, 0, 0))) or 0),
        )

    def inspect(self, now: Callable[[], datetime]) -> Inspection:
        """Ask who made it, what its clock says and what is wrong; None of what it refuses to tell.

        Raises NoAnswer.
        """
        made = [
            self._told((device.DEVICE_CLASS, each, 0, 0))
            for each in (device.MAKER, device.VERSION, device.SERIAL)
        ]
        clock = (objects.RUN_CLASS, device.DEVICE_STATE, device.UTC_ATTRIBUTE, 0)
        asked_at = now()
        at = device.instant_of(self._told(clock))
        # Read somewhere between question and answer, and cut to its second.
        middle_at = asked_at + (now() - asked_at) / 2
        half = timedelta(seconds=0.5)
        return Inspection(
            device.text_of(made[0]),
            device.version_of(made[1]),
            device.text_of(made[2]),
            None if at is None else (at + half - middle_at).total_seconds(),
            self._rows_told(objects.FAULT_CLASS, 2, objects.FAULTS, "fault"),
            self._rows_told(device.ALARM_CLASS, 3, device.ALARMS, "alarm"),
        )

    def _rows_told(
        self, class_id: int, attribute: int, names: Mapping[int, str], unknown: str
    ) -> tuple[str, ...] | None:
        """Name what stands in a table of faults or alarms; None where there is no such table."""
        count = _number(self._told((class_id, 1, 0, 0)))
        if count is None:
            return None
        last = min(count, _MOST_FAULTS)
        asked = [(class_id, 2, attribute, row) for row in range(1, last + 1)]
        try:
            told = self._query(asked) if asked else {}
        except Refused:
            return None
        codes = [_number(value) for _, value in _rows(told, class_id, 2)]
        return tuple(names.get(each, f"{unknown} {each:02X}") for each in codes if each is not None)

    def _told(self, address: Address) -> bytes | None:
        try:
            return self._query([address]).get(address)
        except Refused:
            return None

    def read_layout(self) -> Layout:
        """Ask for phases, stages, conflicts and intergreens; a frame a phase and a stage."""
        counts = self._query([(objects.PHASE_CLASS, 1, 0, 0), (objects.STAGE_CLASS, 1, 0, 0)])
        phases = _number(counts.get((objects.PHASE_CLASS, 1, 0, 0))) or 0
        stages = _number(counts.get((objects.STAGE_CLASS, 1, 0, 0))) or 0
        found, conflicts, intergreen_s = [], set(), {}
        for number in range(1, phases + 1):
            told = self._query(
                [
                    *((objects.PHASE_CLASS, 2, attribute, number) for attribute in range(1, 15)),
                    (objects.PHASE_CLASS, 2, 27, number),
                    (objects.LAMP_CLASS, 2, 2, number),
                    (objects.SAFETY_CLASS, 1, 2, number),
                    (objects.SAFETY_CLASS, 2, 2, number),
                ]
            )
            row = _attributes(told, objects.PHASE_CLASS, 2)
            lamp_type = _number(told.get((objects.LAMP_CLASS, 2, 2, number)))
            with _readable():
                found.append(objects.phase_from(row, lamp_type))
            against = told.get((objects.SAFETY_CLASS, 1, 2, number), b"")
            conflicts |= {(number, other) for other in objects.unmasked(against)}
            for place, tenths in enumerate(told.get((objects.SAFETY_CLASS, 2, 2, number), b"")):
                if tenths:
                    intergreen_s[number, place + 1] = tenths / _TENTHS
        rows = []
        for number in range(1, stages + 1):
            told = self._query(
                [(objects.STAGE_CLASS, 2, attribute, number) for attribute in (1, 2)]
            )
            row = _attributes(told, objects.STAGE_CLASS, 2)
            with _readable():
                rows.append(objects.stage_from(row))
        both_ways = conflicts | {(other, one) for one, other in conflicts}
        with _readable():
            return Layout(tuple(found), tuple(rows), frozenset(both_ways), intergreen_s)

    def read_plan(self, number: int) -> ControllerPlan | None:
        """Ask for a plan; None where the row is empty or the controller knows none."""
        wanted = [(objects.PLAN_CLASS, 2, attribute, number) for attribute in (1, 3, 5, 6, 7)]
        reply = self._exchange(FrameKind.QUERY, [(address, b"") for address in wanted])
        if reply.kind is FrameKind.QUERY_ERROR:
            codes = {item.value[:1] for item in reply.items}
            if codes == {bytes((ErrorCode.NO_SUCH_VALUE,))}:
                return None
            raise Refused(objects.error_says(reply.items))
        row = _attributes(_values(reply), objects.PLAN_CLASS, 2)
        with _readable():
            return objects.plan_from(row)

    def write_plan(self, plan: ControllerPlan) -> None:
        """Give it a plan, in one frame: a plan half written cannot come of this."""
        values = objects.plan_values(plan, self._junction)
        self._set(
            ((objects.PLAN_CLASS, 2, attribute, plan.number), value)
            for attribute, value in values.items()
        )

    def take_up(self, number: int, control: Control) -> None:
        """Let it run a plan: class 17, plan and run mode in one frame."""
        code = objects.CONTROL_CODES.get(control)
        if code is None:
            raise Invalid("GB/T 20999 has no such mode", field="control")
        self._set(
            [
                ((objects.CENTRE_CLASS, 1, 3, self._junction), bytes((number,))),
                ((objects.CENTRE_CLASS, 1, 4, self._junction), bytes((code,))),
            ]
        )

    def hold_stage(self, number: int) -> None:
        """Ask for a stage until another order: class 17, stage and the centre's manual mode."""
        self._set(
            [
                ((objects.CENTRE_CLASS, 1, 2, self._junction), bytes((number,))),
                (
                    (objects.CENTRE_CLASS, 1, 4, self._junction),
                    bytes((objects.CONTROL_CODES[Control.MANUAL],)),
                ),
            ]
        )

    def show(self, control: Control) -> None:
        """Ask for flashing, all red or dark: class 17, run mode."""
        if control not in {Control.FLASHING, Control.ALL_RED, Control.DARK}:
            raise Invalid("is no mode without a plan", field="control")
        code = bytes((objects.CONTROL_CODES[control],))
        self._set([((objects.CENTRE_CLASS, 1, 4, self._junction), code)])

    # --- inside ------------------------------------------------------------------------------

    def _stage_time(self, stage: int | None) -> tuple[bool | None, int | None, int | None]:
        if not stage:
            return None, None, None
        told = self._query([(objects.STAGE_CLASS, 3, attribute, stage) for attribute in (2, 3, 4)])
        state, elapsed_s, remaining_s = (
            _number(told.get((objects.STAGE_CLASS, 3, attribute, stage))) for attribute in (2, 3, 4)
        )
        if state not in {objects.RIGHT_OF_WAY, objects.IN_TRANSITION}:
            # Between the two questions it went on to the next stage.
            return None, None, None
        return state == objects.IN_TRANSITION, elapsed_s, remaining_s

    def _faults(self, count: int) -> tuple[str, ...]:
        if not count:
            return ()
        last = min(count, _MOST_FAULTS)
        told = self._query([(objects.FAULT_CLASS, 2, 2, number) for number in range(1, last + 1)])
        codes = [_number(value) for _, value in _rows(told, objects.FAULT_CLASS, 2)]
        return tuple(
            objects.FAULTS.get(code, f"fault {code:02X}") for code in codes if code is not None
        )

    def _query(self, addresses: Sequence[Address]) -> dict[Address, bytes]:
        found: dict[Address, bytes] = {}
        for first in range(0, len(addresses), _MOST_ASKED):
            asked = [(address, b"") for address in addresses[first : first + _MOST_ASKED]]
            reply = self._exchange(FrameKind.QUERY, asked)
            if reply.kind is FrameKind.QUERY_ERROR:
                raise Refused(objects.error_says(reply.items))
            found |= _values(reply)
        return found

    def _set(self, items: Iterable[tuple[Address, bytes]]) -> None:
        reply = self._exchange(FrameKind.SET, list(items))
        if reply.kind is FrameKind.SET_ERROR:
            raise Refused(objects.error_says(reply.items))

    def _exchange(self, kind: FrameKind, items: Sequence[tuple[Address, bytes]]) -> Frame:
        # From 1: a controller was seen to push its traps under 0.
        self._sequence = self._sequence % 255 + 1
        return self._link.ask(
            Frame(
                kind,
                self._sequence,
                tuple(
                    Item(place + 1, *address, value) for place, (address, value) in enumerate(items)
                ),
                self._dialect.version,
                controller=self._controller,
                junction=self._junction,
            )
        )


@contextmanager
def _readable() -> Iterator[None]:
    """Make of an answer that cannot be read what it is to the caller: none."""
    try:
        yield
    except Invalid as error:
        raise NoAnswer(f"the controller's answer cannot be read: {error}") from None


def _values(reply: Frame) -> dict[Address, bytes]:
    return {item.address: item.value for item in reply.items}


def _attributes(told: Mapping[Address, bytes], class_id: int, object_id: int) -> dict[int, bytes]:
    return {address[2]: value for address, value in _rows(told, class_id, object_id)}


def _rows(
    told: Mapping[Address, bytes], class_id: int, object_id: int
) -> list[tuple[Address, bytes]]:
    return [
        (address, value) for address, value in told.items() if address[:2] == (class_id, object_id)
    ]


def _number(value: bytes | None) -> int | None:
    """Read a number of any length: sources disagree on some."""
    return None if not value else int.from_bytes(value, "big")
