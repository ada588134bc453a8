"""Orders by hand kept at controllers: a part of the worker, a thread an order.

An order's limit stands in PostgreSQL. Its keeper shows every second that it lives; when it dies
another goes on from what the controller shows, up to the same limit. When all of ours are gone, a
controller that drops orders of a silent centre goes back to its plan by itself.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import structlog

from city.audit import record
from city.errors import CityError, Conflict, Unavailable
from city.people.actors import system_actor
from city.time import Clock
from city.works.database import Database
from signals.adapters.lines import dial
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.line import Control, ControllerLine
from signals.rules.controllers.orders import Effect
from signals.rules.safety.case import Case
from signals.rules.safety.profiles import profile_named
from signals.services import networks, overrides
from signals.services.by_hand import Ended, Ending, HandPace, Order, Stop, carry_out
from signals.store import cabinets
from signals.store import overrides as store

if TYPE_CHECKING:
    from pydantic import JsonValue

AT_ONCE: Final = 32
LOOK_S: Final = 1.0
LOST_AFTER: Final = timedelta(seconds=10)
_KEEPER: Final = system_actor("street")

Dial = Callable[[CabinetAddress], ControllerLine]

log = structlog.get_logger("overrides")


@dataclass
class _Kept:
    """One order under way."""

    order: store.Override
    steps: list[str] = field(default_factory=list)
    stop: Stop = Stop.NO
    lost: threading.Event = field(default_factory=threading.Event)
    """Set where another keeper has taken it over."""


class _Left(Exception):
    """The process ends, or another keeper has the order: nothing more is asked."""


class Overrider:
    """Carries out orders by hand.

    Parameters
    ----------
    database : Database
    wall : Clock
        The street lives by it.
    dial : callable
        Opens a line.
    pace : HandPace or None
    sleep : callable or None
        Waits by the street's clock; None: really.
    """

    def __init__(
        self,
        database: Database,
        wall: Clock,
        *,
        dial: Dial = dial,
        pace: HandPace | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._database = database
        self._wall = wall
        self._dial = dial
        self._pace = pace or HandPace()
        self._waits = sleep
        self._mark = uuid4()
        self._kept: dict[UUID, _Kept] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; what holds then is kept by the next process."""
        with ThreadPoolExecutor(AT_ONCE, "override") as pool:
            while not stop.is_set():
                try:
                    self.look(pool)
                except Unavailable as error:
                    log.warning("orders by hand have to wait", reason=str(error))
                stop.wait(LOOK_S)
            self.end()

    def end(self) -> None:
        """Leave what holds to the next process."""
        self._ended.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        with self._lock:
            return not self._kept

    def look(self, pool: ThreadPoolExecutor) -> None:
        """Begin what waits, show that what holds is kept, and hear what is to end."""
        with self._lock:
            mine = dict(self._kept)
        with self._database.unit_of_work() as uow:
            at = self._wall.now()
            held = store.keep(uow.connection, self._mark, list(mine), at=at)
            taken = store.claim(
                uow.connection,
                self._mark,
                most=AT_ONCE - len(mine),
                at=at,
                lost_before=at - LOST_AFTER,
            )
        for order_id, each in mine.items():
            if order_id not in held:
                each.lost.set()
                continue
            released, replaced = held[order_id]
            if released or replaced:
                each.stop = Stop.REPLACED if replaced else Stop.RELEASED
        for order in taken:
            begun = _Kept(order)
            with self._lock:
                self._kept[order.id] = begun
            pool.submit(self._guarded, begun)

    def _guarded(self, each: _Kept) -> None:
        try:
            self._carry(each)
        except _Left:
            log.info("an order is left to the next keeper", order=str(each.order.id))
        except Unavailable as error:
            # It stays taken until it counts as lost, and is gone on with then.
            log.warning("an order cannot be kept", order=str(each.order.id), reason=str(error))
        except Exception:
            # Tried again it would fail again: somebody must look instead.
            log.exception("an order by hand failed", order=str(each.order.id))
            self._failed(each)
        finally:
            with self._lock:
                self._kept.pop(each.order.id, None)

    def _failed(self, each: _Kept) -> None:
        try:
            self._finish(
                each, Ended(Ending.UNKNOWN, "it failed: what the street shows is not known")
            )
        except Unavailable as error:
            log.warning("an order cannot be kept", order=str(each.order.id), reason=str(error))

    def _carry(self, each: _Kept) -> None:
        order = each.order
        if order.attempts > 1:
            each.steps += [*order.steps, "gone on with: its keeper had fallen silent"]
        try:
            case, address = self._prepared(order)
            line = self._dial(address)
        except Unavailable as error:
            self._finish(each, Ended(Ending.NOT_SENT, str(error)))
            return
        except CityError as error:
            self._finish(each, Ended(Ending.REFUSED, str(error)))
            return
        try:
            done = carry_out(
                line,
                case,
                Order(
                    Effect(order.effect),
                    order.stage,
                    order.until_at.timestamp(),
                    order.plan,
                    None if order.control is None else Control(order.control),
                ),
                now_s=lambda: self._wall.now().timestamp(),
                sleep=lambda seconds: self._sleep(each, seconds),
                told=lambda step: self._told(each, step),
                began=lambda plan, control: self._write(each, plan=plan, control=control.value),
                stop=lambda: each.stop,
                pace=self._pace,
            )
        finally:
            line.close()
        self._finish(each, done)

    def _prepared(self, order: store.Override) -> tuple[Case, CabinetAddress]:
        with self._database.unit_of_work() as uow:
            if not overrides.genuine(uow, order):
                raise Conflict("the order is not as it was confirmed", field="seal")
            bound = cabinets.bindings(uow.connection, order.network_id, [order.signal])
            if not bound:
                raise Conflict("no cabinet is bound to this signal", field="name")
            profile = profile_named(order.profile)
            names = [order.signal]
            case = networks.cases(uow.connection, order.network_id, names, profile)[order.signal]
        return case, bound[0].address

    def _sleep(self, each: _Kept, seconds: float) -> None:
        if self._waits is not None:
            self._waits(seconds)
        if self._ended.wait(0 if self._waits else seconds) or each.lost.is_set():
            raise _Left

    def _told(self, each: _Kept, step: str) -> None:
        each.steps.append(step)
        self._write(each, steps=each.steps)

    def _write(self, each: _Kept, **values: object) -> None:
        try:
            with self._database.unit_of_work() as uow:
                mine = store.write(uow.connection, self._mark, each.order.id, **values)
        except Unavailable as error:
            log.warning("a step is not kept yet", order=str(each.order.id), reason=str(error))
            return
        if not mine:
            raise _Left

    def _finish(self, each: _Kept, done: Ended) -> None:
        order = each.order
        if not each.steps or each.steps[-1] != done.what:
            each.steps.append(done.what)
        with self._database.unit_of_work() as uow:
            mine = store.write(
                uow.connection,
                self._mark,
                order.id,
                status=done.ending.value,
                steps=each.steps,
                ended_at=self._wall.now(),
            )
            if not mine:
                return
            detail: dict[str, JsonValue] = {
                "signal": order.signal,
                "override": str(order.id),
                "ending": done.ending.value,
                "what": done.what,
            }
            record(
                uow,
                _KEEPER,
                "signals.override_ended",
                "signal_network",
                str(order.network_id),
                detail,
            )
        log.info("an order by hand ended", signal=order.signal, ending=done.ending.value)
