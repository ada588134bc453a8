"""A simulated controller that speaks GB/T 20999-2017 over UDP and TCP, on one port number."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final, cast

from city.errors import Conflict, Invalid, NotFound
from city.time import Clock, WallClock
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.gbt20999.condition import condition
from signals.adapters.gbt20999.tables import ORDERS, Table, table
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers import cabinet_plans as plans
from signals.rules.controllers.cabinet import Cabinet, Running
from signals.rules.controllers.gbt20999 import objects
from signals.rules.controllers.gbt20999.frames import (
    ErrorCode,
    Frame,
    FrameKind,
    Item,
    Splitter,
    decode,
    encode,
)
from signals.rules.controllers.line import Control

LAPSES_S: Final = 60
"""After so many of its seconds without a repetition an order of the centre's counts no more."""
_TRIES: Final = 20
_STAGE, _PLAN, _MODE = 2, 3, 4
"""Attributes of class 17."""
_COMMANDS: Final = {1: Running.FLASHING, 2: Running.ALL_RED, 4: Running.DARK}
_PLANNED: Final = {
    objects.CONTROL_CODES[control]
    for control in (Control.CENTRE, Control.TIMETABLE, Control.FIXED, Control.COORDINATED)
}


class _Refusal(Exception):
    """An item that cannot be read or set."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code.name)
        self.code = code


class SimulatedGbt20999:
    """What the controller answers, whatever carries the frames.

    Parameters
    ----------
    host : CabinetHost
    controller, junction : int
        It answers frames to this controller alone, and has this one junction.
    wall : Clock or None
        What its own clock is set by.
    """

    def __init__(
        self,
        host: CabinetHost,
        *,
        controller: int = 1,
        junction: int = 1,
        wall: Clock | None = None,
    ) -> None:
        self.host = host
        self._wall = wall or WallClock()
        self._controller = controller
        self._junction = junction
        self._mode = objects.CONTROL_CODES[Control.FIXED]

    def answer(self, frame: Frame) -> Frame | None:
        """Give the reply to a frame; None to one that is not for it or asks nothing."""
        if frame.controller != self._controller:
            return None
        if frame.kind is FrameKind.HEARTBEAT:
            return self._reply(frame, FrameKind.HEARTBEAT_REPLY, ())
        if frame.kind is FrameKind.QUERY:
            return self._answer_query(frame)
        if frame.kind is FrameKind.SET:
            return self._answer_set(frame)
        return None

    def _reply(self, frame: Frame, kind: FrameKind, items: tuple[Item, ...]) -> Frame:
        return Frame(
            kind,
            frame.sequence,
            items,
            frame.version,
            frame.upper,
            frame.controller,
            frame.junction,
        )

    def _answer_query(self, frame: Frame) -> Frame:
        cabinet = self.host.cabinet
        found: list[Item] = []
        wrong: list[Item] = []
        for item in frame.items:
            try:
                for attribute, element, value in self._asked(cabinet, item):
                    found.append(
                        Item(
                            len(found) + 1, item.class_id, item.object_id, attribute, element, value
                        )
                    )
            except _Refusal as refusal:
                wrong.append(Item(item.index, *item.address, bytes((refusal.code,))))
        if wrong:
            return self._reply(frame, FrameKind.QUERY_ERROR, tuple(wrong))
        if len(found) > 255:  # noqa: PLR2004 - the count is one byte
            asked = frame.items[0]
            too_many = Item(asked.index, *asked.address, bytes((ErrorCode.OUT_OF_RANGE,)))
            return self._reply(frame, FrameKind.QUERY_ERROR, (too_many,))
        return self._reply(frame, FrameKind.QUERY_REPLY, tuple(found))

    def _asked(self, cabinet: Cabinet, item: Item) -> Iterator[tuple[int, int, bytes]]:
        table = self._table(cabinet, item.class_id, item.object_id)
        rows = table if item.element == 0 and 0 not in table else {item.element: None}
        for element in rows:
            row = table.get(element)
            if row is None:
                raise _Refusal(ErrorCode.NO_SUCH_VALUE)
            wanted = row if item.attribute == 0 and 0 not in row else [item.attribute]
            for attribute in wanted:
                if attribute not in row:
                    raise _Refusal(ErrorCode.NO_SUCH_VALUE)
                yield attribute, element, row[attribute]

    def _table(self, cabinet: Cabinet, class_id: int, object_id: int) -> Table:
        key = (class_id, object_id)
        found = condition(
            cabinet, self.host.mischief, self._controller, key, self._wall.now()
        ) or table(cabinet, class_id, object_id, junction=self._junction, mode=self._mode)
        if found is None:
            raise _Refusal(ErrorCode.NO_SUCH_VALUE)
        return found

    # --- setting -----------------------------------------------------------------------------

    def _answer_set(self, frame: Frame) -> Frame:
        """Set all of a frame or nothing."""
        cabinet, mode = self.host.cabinet, self._mode
        at = 0
        while at < len(frame.items):
            first = frame.items[at]
            group = [first]
            for item in frame.items[at + 1 :]:
                if (item.class_id, item.object_id, item.element) != (
                    first.class_id,
                    first.object_id,
                    first.element,
                ):
                    break
                group.append(item)
            try:
                cabinet, mode = self._changed(cabinet, mode, group)
            except _Refusal as refusal:
                wrong = Item(first.index, *first.address, bytes((refusal.code,)))
                return self._reply(frame, FrameKind.SET_ERROR, (wrong,))
            at += len(group)
        self.host.change(cabinet)
        self._mode = mode
        done = tuple(Item(item.index, *item.address, b"\0") for item in frame.items)
        return self._reply(frame, FrameKind.SET_REPLY, done)

    def _changed(self, cabinet: Cabinet, mode: int, group: list[Item]) -> tuple[Cabinet, int]:
        try:
            return self._set(cabinet, mode, group)
        except Invalid:
            raise _Refusal(ErrorCode.BAD_VALUE) from None
        except NotFound:
            raise _Refusal(ErrorCode.OUT_OF_RANGE) from None
        except Conflict:
            raise _Refusal(ErrorCode.CONTROL_FAILED) from None

    def _set(self, cabinet: Cabinet, mode: int, group: list[Item]) -> tuple[Cabinet, int]:
        first = group[0]
        given = {item.attribute: item.value for item in group}
        match first.class_id, first.object_id:
            case objects.PLAN_CLASS, 2:
                return self._planned(cabinet, first.element, given), mode
            case objects.STAGE_CLASS, 2:
                stage = objects.stage_from({1: bytes((first.element,)), **given})
                if stage.number != first.element:
                    raise _Refusal(ErrorCode.BAD_VALUE)
                return plans.write_stage(cabinet, stage), mode
            case objects.CENTRE_CLASS, 1:
                if first.element != self._junction:
                    raise _Refusal(ErrorCode.NO_SUCH_VALUE)
                return _controlled(cabinet, mode, given)
            case objects.COMMAND_CLASS, 1:
                return _commanded(cabinet, first.value), mode
        self._table(cabinet, first.class_id, first.object_id)
        raise _Refusal(ErrorCode.READ_ONLY)

    def _planned(self, cabinet: Cabinet, number: int, given: Mapping[int, bytes]) -> Cabinet:
        known = cabinet.plans.get(number)
        row = {} if known is None else objects.plan_values(known, self._junction)
        for attribute, value in given.items():
            if attribute not in range(1, 9):
                raise _Refusal(ErrorCode.NO_SUCH_VALUE)
            if attribute in row and len(row[attribute]) != len(value):
                raise _Refusal(ErrorCode.WRONG_LENGTH)
        plan = objects.plan_from({1: bytes((number,)), **row, **given})
        if plan is None or plan.number != number:
            raise _Refusal(ErrorCode.BAD_VALUE)
        return plans.write_plan(cabinet, plan)


def _controlled(cabinet: Cabinet, mode: int, given: Mapping[int, bytes]) -> tuple[Cabinet, int]:
    if any(len(value) != 1 for value in given.values()):
        raise _Refusal(ErrorCode.WRONG_LENGTH)
    stage = given[_STAGE][0] if _STAGE in given else 0
    wanted = given[_MODE][0] if _MODE in given else mode
    if wanted == objects.CONTROL_CODES[Control.MANUAL]:
        return rules.hold(cabinet, stage, LAPSES_S), mode
    if stage:
        # A plan runs its own stages.
        raise _Refusal(ErrorCode.CONTROL_FAILED)
    if wanted in ORDERS:
        return rules.show(cabinet, ORDERS[wanted], LAPSES_S), mode
    if wanted not in _PLANNED:
        raise _Refusal(ErrorCode.BAD_VALUE)
    plan = given[_PLAN][0] if _PLAN in given else cabinet.plan
    return rules.take_up(cabinet, plan), wanted


def _commanded(cabinet: Cabinet, value: bytes) -> Cabinet:
    if len(value) != 16:  # noqa: PLR2004 - the pipe's width
        raise _Refusal(ErrorCode.WRONG_LENGTH)
    if value[-1] in {0, 3, 5}:
        return rules.reset(cabinet)
    if value[-1] not in _COMMANDS:
        raise _Refusal(ErrorCode.BAD_VALUE)
    return rules.show(cabinet, _COMMANDS[value[-1]])


# --- what carries the frames ---------------------------------------------------------------------


async def serve(controller: SimulatedGbt20999, port: int) -> tuple[int, "Serving"]:
    """Listen on UDP and TCP of one port of the loopback interface; 0 for a free one.

    Raises
    ------
    OSError
        Where the port is taken.
    """
    loop = asyncio.get_running_loop()
    for left in range(_TRIES, 0, -1):
        streams = await asyncio.start_server(
            lambda reader, writer: _talk(controller, reader, writer), "127.0.0.1", port
        )
        bound: int = streams.sockets[0].getsockname()[1]
        try:
            datagrams, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(controller), local_addr=("127.0.0.1", bound)
            )
        except OSError:
            streams.close()
            if port != 0 or left == 1:
                raise
            continue
        return bound, Serving(streams, datagrams)
    raise AssertionError("unreachable")


class Serving:
    """A controller that listens."""

    def __init__(
        self, streams: asyncio.base_events.Server, datagrams: asyncio.DatagramTransport
    ) -> None:
        self._streams = streams
        self._datagrams = datagrams

    def close(self) -> None:
        """Stop listening."""
        self._streams.close()
        self._datagrams.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, controller: SimulatedGbt20999) -> None:
        self._controller = controller
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own datagram transports are no subclass of the documented one in 3.11.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        replies = _replies(self._controller, data, escaped=False)
        delay_s = self._controller.host.mischief.delay_s
        for reply in replies:
            asyncio.get_running_loop().call_later(delay_s, self._send, reply, addr)

    def _send(self, reply: bytes, addr: tuple[str | int, ...]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)


async def _talk(
    controller: SimulatedGbt20999, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    splitter = Splitter()
    try:
        while piece := await reader.read(65_536):
            for raw in splitter.feed(piece):
                for reply in _replies(controller, raw, escaped=True):
                    await asyncio.sleep(controller.host.mischief.delay_s)
                    writer.write(reply)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def _replies(controller: SimulatedGbt20999, raw: bytes, *, escaped: bool) -> list[bytes]:
    try:
        frame = decode(raw, escaped=escaped)
    except Invalid:
        # A controller cannot answer what it cannot read.
        return []
    reply = controller.answer(frame)
    return [] if reply is None else controller.host.spoiled(encode(reply, escaped=escaped))
