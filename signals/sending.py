"""Plans in force brought into cabinets: a part of the worker, one thread a cabinet being sent to.

What is to be sent waits in PostgreSQL, written by the transaction that put the plan in force. A
sender marks what it has taken and shows every few seconds that it lives; what a dead one had
begun is begun anew by another, under the other plan number. No database is held while a line is
waited for.
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
from city.errors import CityError, Conflict, Invalid, Unavailable
from city.people.actors import system_actor
from city.works.database import Database
from signals.adapters.lines import dial
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.judging import Judge, Make, of_programme
from signals.rules.controllers.line import ControllerLine
from signals.rules.model.documents import plans_from_json
from signals.rules.safety.profiles import profile_named
from signals.services import networks
from signals.services.street import SLOTS, Outcome, Pace, Transfer, put_in_force
from signals.store import cabinets as store

if TYPE_CHECKING:
    from pydantic import JsonValue

AT_ONCE: Final = 32
"""Cabinets that one process sends to at a time; each costs a thread and a question a second."""
LOOK_S: Final = 1.0
LOST_AFTER: Final = timedelta(seconds=30)
_SENDER: Final = system_actor("street")

Dial = Callable[[CabinetAddress], ControllerLine]

log = structlog.get_logger("street")


@dataclass
class _Sending:
    """One act under way."""

    act: store.CabinetAct
    steps: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set where another plan waits, or the process ends."""
    lost: bool = False
    """Whether another sender has taken it over."""


class _Ended(Exception):
    """The process ends: what is half done is begun anew by the next."""


class Sender:
    """Sends what waits, whenever something does.

    Parameters
    ----------
    database : Database
    dial : callable
        Opens a line.
    pace : Pace or None
        How often and how long a controller is asked.
    """

    def __init__(self, database: Database, *, dial: Dial = dial, pace: Pace | None = None) -> None:
        self._database = database
        self._dial = dial
        self._pace = pace or Pace()
        self._mark = uuid4()
        self._under_way: dict[UUID, _Sending] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; what is half done then is begun anew by the next process."""
        with ThreadPoolExecutor(AT_ONCE, "street") as pool:
            while not stop.is_set():
                try:
                    self.look(pool)
                except Unavailable as error:
                    log.warning("nothing can be sent", reason=str(error))
                stop.wait(LOOK_S)
            self.end()

    def end(self) -> None:
        """Leave what is under way to the next process."""
        self._ended.set()

    def look(self, pool: ThreadPoolExecutor) -> None:
        """Begin what waits, show that what is under way lives, and let it give way."""
        with self._lock:
            mine = dict(self._under_way)
        with self._database.unit_of_work() as uow:
            at = uow.wall.now()
            held, behind = store.keep(uow.connection, self._mark, list(mine), at=at)
            taken = store.claim(
                uow.connection,
                self._mark,
                most=AT_ONCE - len(mine),
                at=at,
                lost_before=at - LOST_AFTER,
            )
        for act_id, each in mine.items():
            if act_id not in held:
                each.lost = True
            if each.lost or act_id in behind:
                each.stop.set()
        for act in taken:
            begun = _Sending(act)
            with self._lock:
                self._under_way[act.id] = begun
            pool.submit(self._guarded, begun)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        with self._lock:
            return not self._under_way

    def _guarded(self, each: _Sending) -> None:
        try:
            self._send(each)
        except _Ended:
            log.info("sending is left to the next process", act=str(each.act.id))
        except Unavailable as error:
            # It stays taken until it counts as lost, and is begun anew then.
            log.warning("what was sent cannot be kept", act=str(each.act.id), reason=str(error))
        except Exception:
            log.exception("sending failed", act=str(each.act.id))
        finally:
            with self._lock:
                self._under_way.pop(each.act.id, None)

    def _send(self, each: _Sending) -> None:
        act = each.act
        if act.attempts > 1:
            each.steps += [*act.steps, "begun anew: its sender had fallen silent"]
        try:
            address, make, judge = self._prepared(act)
            line = self._dial(address)
        except CityError as error:
            each.steps.append(str(error))
            refused = isinstance(error, Invalid | Conflict)
            outcome = Outcome.REFUSED if refused else Outcome.NOT_SENT
            self._finish(each, Transfer(outcome, None, None, str(error), ()))
            return
        try:
            done = put_in_force(
                line,
                make,
                judge,
                sleep=self._sleep,
                pace=self._pace,
                # What a dead sender may have asked for is not written over either.
                slots=SLOTS if act.attempts % 2 else tuple(reversed(SLOTS)),
                told=lambda step: self._told(each, step),
                gives_way=each.stop.is_set,
            )
        finally:
            line.close()
        if not each.lost:
            self._finish(each, done)

    def _sleep(self, seconds: float) -> None:
        if self._ended.wait(seconds):
            raise _Ended

    def _prepared(self, act: store.CabinetAct) -> tuple[CabinetAddress, Make, Judge]:
        with self._database.read() as connection:
            bound = store.bindings(connection, act.network_id, [act.signal])
            if not bound:
                raise Conflict("no cabinet is bound to this signal", field="name")
            part = networks.parts(connection, act.network_id, [act.signal])[act.signal]
            profile = profile_named(act.profile)
            case = networks.cases(connection, act.network_id, [act.signal], profile)[act.signal]
            programme = store.programme_of(connection, act.run_id)
        plan = plans_from_json({"plans": [programme]}, part)[0]
        return bound[0].address, *of_programme(case, plan)

    def _told(self, each: _Sending, step: str) -> None:
        each.steps.append(step)
        try:
            with self._database.unit_of_work() as uow:
                mine = store.told(uow.connection, self._mark, each.act.id, each.steps)
        except Unavailable as error:
            log.warning("a step is not kept yet", act=str(each.act.id), reason=str(error))
            return
        if not mine:
            each.lost = True
            each.stop.set()

    def _finish(self, each: _Sending, done: Transfer) -> None:
        act = each.act
        with self._database.unit_of_work() as uow:
            mine = store.finish(
                uow.connection,
                self._mark,
                act.id,
                status=done.outcome.value,
                steps=each.steps,
                plan_number=done.number,
                former_number=done.former,
                at=uow.wall.now(),
            )
            if not mine:
                return
            detail: dict[str, JsonValue] = {
                "signal": act.signal,
                "act": str(act.id),
                "outcome": done.outcome.value,
                "what": done.what,
                "plan": done.number,
            }
            record(uow, _SENDER, "signals.plan_sent", "signal_network", str(act.network_id), detail)
        log.info("sent", signal=act.signal, outcome=done.outcome.value)
