"""A simulated controller that speaks NTCIP 1202 over SNMPv3, encrypted and authenticated alone."""

import asyncio
import socket
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.rfc1902 import Integer32, OctetString
from pysnmp.proto.rfc1905 import endOfMibView, noSuchInstance
from pysnmp.smi import error as smi_error
from pysnmp.smi.instrum import AbstractMibInstrumController

from city.errors import CityError, Conflict
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.ntcip.users import SnmpUser
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers import cabinet_plans as plans
from signals.rules.controllers.cabinet import Cabinet, Running
from signals.rules.controllers.ntcip import objects
from signals.rules.controllers.ntcip.objects import Oid
from signals.rules.controllers.ntcip.rings import (
    CROSSING,
    Pattern,
    Rings,
    plan_of,
    vehicles,
)
from signals.rules.controllers.ntcip.tables import Row, Tables, written
from signals.rules.model.aspects import FLASHING, GREENS, YELLOWS, Aspect

_TIMETABLE: Final = 1
"""The pattern of its own timetable."""
_USM: Final = 3
_LOOPBACK: Final = "127.0.0.1"


class SimulatedNtcip:
    """What the controller answers, whatever carries the questions.

    Parameters
    ----------
    host : CabinetHost
        Its layout is that of ``rings``.
    rings : Rings
    patterns : Sequence of Pattern
        What it keeps at first.
    """

    def __init__(self, host: CabinetHost, rings: Rings, patterns: Sequence[Pattern]) -> None:
        self.host = host
        self._rings = rings
        self._tables = Tables.of(rings, patterns)
        self._backup_s = 0
        self._system = objects.STANDBY
        self._control: dict[Oid, int] = dict.fromkeys(self._tables.control_names, 0)
        self._ordered_at = 0

    @property
    def names(self) -> list[Oid]:
        """Every object that it has, in order."""
        return sorted({**self._fixed(), **self._tables.values, **self._state(), **self._orders()})

    def read(self, name: Oid) -> int | bytes | None:
        """Give an object's value; None where there is none."""
        self._lapse()
        for part in (self._tables.values, self._state(), self._orders(), self._fixed()):
            if name in part:
                return part[name]
        return None

    def write(self, values: Mapping[Oid, int]) -> None:
        """Set objects, all or none.

        Raises
        ------
        CityError
            Where a pattern would be unsafe or runs, or an order cannot be carried out.
        KeyError
            Where there is no such object to set.
        """
        self._lapse()
        cabinet, tables = self.host.cabinet, self._tables
        rows = {name: value for name, value in values.items() if name in tables.writable}
        orders = {name: value for name, value in values.items() if name in self._orders()}
        unknown = [name for name in values if name not in rows and name not in orders]
        if unknown:
            raise KeyError(unknown[0])
        if rows:
            tables = written(tables, rows)
            cabinet = self._kept(cabinet, tables)
        control = {name: orders.get(name, was) for name, was in self._control.items()}
        system = orders.get(objects.SYSTEM_PATTERN, self._system)
        backup_s = orders.get(objects.BACKUP_TIME, self._backup_s)
        if orders.keys() - {objects.BACKUP_TIME}:
            cabinet = self._ordered(cabinet, system, control, backup_s)
        self.host.change(cabinet)
        self._tables, self._control = tables, control
        self._system, self._backup_s = system, backup_s
        self._ordered_at = cabinet.clock_s

    def _kept(self, cabinet: Cabinet, tables: Tables) -> Cabinet:
        for number in range(1, tables.most + 1):
            row = tables.pattern(number)
            known = cabinet.plans.get(number)
            if row is None:
                if number in {cabinet.plan, cabinet.wanted}:
                    raise Conflict(f"pattern {number} is running")
                if known is not None:
                    left = {each: kept for each, kept in cabinet.plans.items() if each != number}
                    cabinet = replace(cabinet, plans=left)
                continue
            plan = plan_of(self._rings, row)
            if plan != known:
                cabinet = plans.write_plan(cabinet, plan)
        return cabinet

    def _ordered(
        self, cabinet: Cabinet, system: int, control: Mapping[Oid, int], backup_s: int
    ) -> Cabinet:
        held = objects.unmasked(
            control[each] for each in self._tables.control_names if each[-2] == objects.HOLD
        )
        lapses_s = backup_s or None
        if system == objects.FLASH:
            return rules.show(cabinet, Running.FLASHING, lapses_s)
        if held:
            stage = next(
                (
                    each.number
                    for each in cabinet.layout.stages
                    if vehicles(cabinet.layout, each.number) == held
                ),
                0,
            )
            return rules.hold(cabinet, stage, lapses_s)
        return rules.take_up(cabinet, system or _TIMETABLE)

    def _lapse(self) -> None:
        """Go back to the timetable where the centre has been silent for too long."""
        cabinet = self.host.cabinet
        silent_s = cabinet.clock_s - self._ordered_at
        if not self._backup_s or silent_s < self._backup_s:
            return
        if self._system == objects.STANDBY and not any(self._control.values()):
            return
        self._system = objects.STANDBY
        self._control = dict.fromkeys(self._control, 0)
        if cabinet.trip is None:
            self.host.change(rules.take_up(cabinet, _TIMETABLE))

    # --- objects -----------------------------------------------------------------------------

    def _orders(self) -> dict[Oid, int]:
        return {
            **self._control,
            objects.SYSTEM_PATTERN: self._system,
            objects.BACKUP_TIME: self._backup_s,
        }

    def _fixed(self) -> Mapping[Oid, Row]:
        return self._tables.fixed

    def _state(self) -> dict[Oid, int]:
        cabinet = self.host.cabinet
        flashing = cabinet.running in {Running.FLASHING, Running.WAKING, Running.DARK}
        flash = objects.NO_FLASH
        if cabinet.trip is not None:
            flash = objects.FLASH_MONITOR
        elif flashing:
            waking = cabinet.running is Running.WAKING
            flash = objects.FLASH_STARTING if waking else objects.FLASH_AUTOMATIC
        by_system = self._system != objects.STANDBY
        return {
            objects.PATTERN_STATUS: objects.FLASH if flashing else cabinet.plan,
            objects.UNIT_CONTROL: objects.BY_SYSTEM if by_system else objects.BY_TIMEBASE,
            objects.UNIT_FLASH: flash,
            objects.SHORT_ALARM: objects.CRITICAL if cabinet.trip is not None else 0,
            objects.FREE_STATUS: objects.NOT_FREE,
            **self._lamps(cabinet, flashing=flashing),
        }

    def _lamps(self, cabinet: Cabinet, *, flashing: bool) -> dict[Oid, int]:
        shown: dict[int, set[int]] = {column: set() for column in range(2, 8)}
        for number, aspect in {} if flashing else cabinet.lamps.items():
            crossing = number > CROSSING
            column = _lamp_column(aspect, crossing=crossing)
            if column is not None:
                shown[column].add(number - CROSSING if crossing else number)
        on = vehicles(cabinet.layout, cabinet.stage) if cabinet.stage is not None else frozenset()
        groups = self._tables.groups
        return {
            (*objects.PHASE_STATUS, column, group): octet
            for column, phases in {**shown, objects.ONS: on}.items()
            for group, octet in enumerate(objects.masks(phases, groups), 1)
        }


def _lamp_column(aspect: Aspect, *, crossing: bool) -> int | None:
    if aspect in FLASHING and crossing:
        return objects.PED_CLEARS
    if aspect in GREENS:
        return objects.WALKS if crossing else objects.GREENS
    if aspect in YELLOWS:
        return objects.YELLOWS
    if aspect is Aspect.RED:
        return objects.DONT_WALKS if crossing else objects.REDS
    return None


# --- what carries the questions ------------------------------------------------------------------


class _Objects(AbstractMibInstrumController):  # type: ignore[misc] # pysnmp ships no types
    """The controller's objects, as the engine asks for them."""

    def __init__(self, controller: SimulatedNtcip) -> None:
        self._controller = controller
        self._names = controller.names

    def read_variables(self, *asked: Any, **given: Any) -> list[tuple[Any, Any]]:
        found = []
        for place, (name, _) in enumerate(asked):
            _allowed("read", name, place, given)
            value = self._controller.read(tuple(name))
            found.append((name, noSuchInstance if value is None else _typed(value)))
        return found

    def read_next_variables(self, *asked: Any, **given: Any) -> list[tuple[Any, Any]]:
        found = []
        for place, (name, _) in enumerate(asked):
            after = bisect_right(self._names, tuple(name))
            if after == len(self._names):
                found.append((name, endOfMibView))
                continue
            _allowed("read", self._names[after], place, given)
            value = self._controller.read(self._names[after])
            found.append((self._names[after], _typed(value or 0)))
        return found

    def write_variables(self, *asked: Any, **given: Any) -> list[tuple[Any, Any]]:
        values = {}
        for place, (name, value) in enumerate(asked):
            _allowed("write", name, place, given)
            if not isinstance(value, Integer32):
                raise smi_error.WrongTypeError(name=name, idx=place)
            if not 0 <= int(value) <= 65_535:  # noqa: PLR2004 - the widest of the objects
                raise smi_error.WrongValueError(name=name, idx=place)
            values[tuple(name)] = int(value)
        try:
            self._controller.write(values)
        except KeyError as error:
            place = list(values).index(error.args[0])
            raise smi_error.NotWritableError(name=error.args[0], idx=place) from None
        except CityError:
            raise smi_error.InconsistentValueError(name=asked[0][0], idx=0) from None
        return list(asked)


def _allowed(kind: str, name: Any, place: int, given: Mapping[str, Any]) -> None:
    """Let the engine's view-based access control decide; it raises what it refuses."""
    if given["acFun"](kind, (name, None), **{**given, "idx": place}):
        raise smi_error.AuthorizationError(name=name, idx=place)


def _typed(value: int | bytes) -> Any:
    return OctetString(value) if isinstance(value, bytes) else Integer32(value)


class _Transport(udp.UdpTransport):  # type: ignore[misc] # pysnmp ships no types
    """Sends what mischief leaves of replies."""

    def __init__(self, host: CabinetHost) -> None:
        super().__init__()
        self._host = host

    def send_message(self, outgoingMessage: bytes, transportAddress: Any) -> None:  # noqa: N803 - pysnmp's names
        delay_s = self._host.mischief.delay_s
        for reply in self._host.spoiled(bytes(outgoingMessage)):
            self.loop.call_later(delay_s, super().send_message, reply, transportAddress)


class Serving:
    """A controller that listens."""

    def __init__(self, agent: engine.SnmpEngine) -> None:
        self._agent = agent

    def close(self) -> None:
        """Stop listening."""
        self._agent.close_dispatcher()


async def serve(
    controller: SimulatedNtcip, users: Sequence[SnmpUser], port: int
) -> tuple[int, Serving]:
    """Listen on UDP of the loopback interface; 0 for a free port.

    Raises
    ------
    OSError
        Where the port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.settimeout(0)
    try:
        listening.bind((_LOOPBACK, port))
    except OSError:
        listening.close()
        raise
    agent = engine.SnmpEngine()
    transport = _Transport(controller.host)
    config.add_transport(agent, udp.DOMAIN_NAME, transport.open_server_mode(sock=listening))
    for user in users:
        config.add_v3_user(
            agent,
            user.name,
            user.authentication_protocol,
            user.authentication,
            config.USM_PRIV_CFB128_AES,
            user.privacy,
        )
        config.add_vacm_user(agent, _USM, user.name, "authPriv", objects.ASC, objects.ASC)
    told = context.SnmpContext(agent)
    told.unregister_context_name(b"")
    told.register_context_name(b"", _Objects(controller))
    for responder in (
        cmdrsp.GetCommandResponder,
        cmdrsp.NextCommandResponder,
        cmdrsp.BulkCommandResponder,
        cmdrsp.SetCommandResponder,
    ):
        responder(agent, told)
    await asyncio.sleep(0)
    return int(listening.getsockname()[1]), Serving(agent)
