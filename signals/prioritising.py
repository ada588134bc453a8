"""Priority at controllers: a part of the worker, a thread a signal to which somebody comes.

Each second all who are on their way are read at once, and each keeper gets its own. A signal that
somebody orders by hand, or that is sent a plan, is given up within a second or two. A keeper shows
that it lives; what a dead one held is given back by the next before anything else.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from city.audit import record
from city.errors import CityError, Conflict, Unavailable
from city.identifiers import uuid7
from city.people.actors import system_actor
from city.time import Clock
from city.works.database import Database, UnitOfWork
from signals.adapters.lines import dial
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.line import Control, ControllerLine
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.passing import LaneFlow
from signals.rules.priority.decision import Act, Decision
from signals.rules.priority.requests import Policy
from signals.rules.safety.case import Case
from signals.rules.safety.profiles import profile_named
from signals.services import networks, priority
from signals.services.cabinets import DEFAULT_PROFILE
from signals.services.giving_priority import (
    Coming,
    Ears,
    Ended,
    Ending,
    PriorityPace,
    look_after,
)
from signals.store import cabinets, priority_turns
from signals.store import priority as store
from signals.store.priority import Asked, Key
from signals.store.priority_turns import Turn

if TYPE_CHECKING:
    from pydantic import JsonValue

AT_ONCE: Final = 32
LOOK_S: Final = 1.0
LOST_AFTER: Final = timedelta(seconds=10)
LONGEST: Final = timedelta(minutes=15)
"""A signal is looked after for so long at most, then its plan runs for a while."""
REST: Final = timedelta(minutes=2)
"""After that, and after a fault."""
RESTS: Final = "the signal's plan runs for two minutes: see the last orders"
MOST_STEPS: Final = 200
ZONE: Final = ZoneInfo("Asia/Shanghai")
_KEEPER: Final = system_actor("street")

Dial = Callable[[CabinetAddress], ControllerLine]
Kept = TypeVar("Kept")

log = structlog.get_logger("priority")


@dataclass
class _Kept:
    """One signal that is looked after."""

    turn: Turn
    asked: Sequence[Asked] = ()
    yields: str | None = None
    steps: list[str] = field(default_factory=list)
    orders: int = 0
    lost: threading.Event = field(default_factory=threading.Event)
    """Set where another keeper has taken it over."""
    said: dict[str, str] = field(default_factory=dict)
    """By vehicle: why nothing can be decided, as it was written last."""


class _Left(Exception):
    """The process ends, or another keeper has the signal: nothing more is asked."""


class Prioritiser:
    """Gives priority to those who ask.

    Parameters
    ----------
    database : Database
    wall : Clock
        The street lives by it.
    dial : callable
        Opens a line.
    policy : Policy or None
        What the city grants.
    pace : PriorityPace or None
    sleep : callable or None
        Waits by the street's clock; None: really.
    """

    def __init__(
        self,
        database: Database,
        wall: Clock,
        *,
        dial: Dial = dial,
        policy: Policy | None = None,
        pace: PriorityPace | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._database = database
        self._wall = wall
        self._dial = dial
        self._policy = policy or Policy()
        self._pace = pace or PriorityPace()
        self._waits = sleep
        self._mark = uuid4()
        self._kept: dict[UUID, _Kept] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; what is held then is given back by the next process."""
        with ThreadPoolExecutor(AT_ONCE, "priority") as pool:
            while not stop.is_set():
                try:
                    self.look(pool)
                except Unavailable as error:
                    log.warning("priority has to wait", reason=str(error))
                stop.wait(LOOK_S)
            self.end()

    def end(self) -> None:
        """Leave what is looked after to the next process."""
        self._ended.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is looked after."""
        with self._lock:
            return not self._kept

    def look(self, pool: ThreadPoolExecutor) -> None:
        """Read who comes, tell those who look after signals, and begin at new ones."""
        with self._lock:
            mine = dict(self._kept)
        with self._database.unit_of_work() as uow:
            at, connection = self._wall.now(), uow.connection
            held = priority_turns.keep(connection, self._mark, list(mine), at=at)
            store.end_forgotten(connection, at=at, lapsed_before=priority.forgotten_before(at))
            by_key: dict[Key, list[Asked]] = {}
            for each in store.living(connection, at):
                by_key.setdefault((each.network_id, each.signal), []).append(each)
            ours = {each.turn.key for each in mine.values()}
            busy = priority_turns.busy(connection, {*by_key, *ours})
            fresh = by_key.keys() - ours - priority_turns.opened(connection, by_key.keys())
            why = self._why_not(connection, fresh, busy, at)
            free = AT_ONCE - len(mine)
            chosen = sorted(fresh - why.keys(), key=str)[: max(free, 0)]
            begun = [
                turn
                for turn in (self._turn(key, at) for key in chosen)
                if priority_turns.begin(connection, turn, self._mark, at=at)
            ]
            if free > len(begun):
                begun += priority_turns.take_over(
                    connection,
                    self._mark,
                    at=at,
                    lost_before=at - LOST_AFTER,
                    most=free - len(begun),
                )
            reasons = {
                each.id: said
                for key, said in why.items()
                for each in by_key[key]
                # Why it rests was said before, in words of its own.
                if said != RESTS or each.reason is None
            }
            store.nothing_done(connection, reasons, at=at)
        for turn_id, one in mine.items():
            if turn_id not in held:
                one.lost.set()
            one.asked = by_key.get(one.turn.key, ())
            one.yields = busy.get(one.turn.key)
        for turn in begun:
            self._begin(pool, turn, by_key.get(turn.key, ()))

    def _begin(self, pool: ThreadPoolExecutor, turn: Turn, asked: Sequence[Asked]) -> None:
        begun = _Kept(turn, asked, steps=list(turn.steps), orders=turn.orders)
        with self._lock:
            self._kept[turn.id] = begun
        pool.submit(self._guarded, begun)

    def _why_not(
        self, connection: Connection, fresh: AbstractSet[Key], busy: Mapping[Key, str], at: datetime
    ) -> dict[Key, str]:
        """Say of signals at which nothing can be asked now why not."""
        bound = cabinets.bound_among(connection, fresh)
        rests = priority_turns.resting(connection, fresh, at - REST)
        found: dict[Key, str] = {}
        for key in fresh:
            if key not in bound:
                found[key] = "no cabinet is bound to this signal"
            elif key in busy:
                found[key] = busy[key]
            elif key in rests:
                found[key] = RESTS
        return found

    def _turn(self, key: Key, at: datetime) -> Turn:
        network_id, signal = key
        return Turn(
            uuid7(), network_id, signal, 1, at, at + LONGEST, None, "watching", 0, None, None, []
        )

    # --- one signal -------------------------------------------------------------------------

    def _guarded(self, each: _Kept) -> None:
        try:
            self._finish(each, self._looked_after(each))
        except _Left:
            log.info("priority is left to the next keeper", signal=each.turn.signal)
        except Unavailable as error:
            # It stays taken until it counts as lost.
            log.warning("priority cannot be kept", signal=each.turn.signal, reason=str(error))
        except Exception:
            # Tried again it would fail again: somebody must look instead.
            log.exception("priority failed", signal=each.turn.signal)
            self._failed(each)
        finally:
            with self._lock:
                self._kept.pop(each.turn.id, None)

    def _failed(self, each: _Kept) -> None:
        try:
            self._finish(
                each, Ended(Ending.UNKNOWN, "it failed: what the street shows is not known")
            )
        except (_Left, Unavailable) as error:
            log.warning("priority cannot be kept", signal=each.turn.signal, reason=str(error))

    def _looked_after(self, each: _Kept) -> Ended:
        turn = each.turn
        back = None
        if turn.plan is not None and turn.control is not None and turn.status == "holding":
            back = turn.plan, Control(turn.control)
            each.steps.append("gone on with: its keeper had fallen silent")
        try:
            case, address, lanes, traffic = self._prepared(turn)
            line = self._dial(address)
        except Unavailable as error:
            return Ended(Ending.NOT_SENT, str(error))
        except CityError as error:
            return Ended(Ending.REFUSED, str(error))
        ears = Ears(
            coming=lambda: Coming(priority.board_of(each.asked), each.yields),
            told=lambda step: self._told(each, step),
            decided=lambda decisions: self._decided(each, decisions),
            cannot=lambda vehicles, why: self._cannot(each, vehicles, why),
            asks=lambda plan, control: self._asks(each, plan, control),
            freed=lambda: self._write(each, status="watching"),
            now_s=lambda: self._wall.now().timestamp(),
            sleep=lambda seconds: self._sleep(each, seconds),
        )
        try:
            return look_after(
                line,
                case,
                lanes,
                ears,
                until_s=turn.until_at.timestamp(),
                policy=self._policy,
                traffic=traffic,
                back=back,
                pace=self._pace,
            )
        finally:
            line.close()

    def _prepared(self, turn: Turn) -> tuple[Case, CabinetAddress, Sequence[LaneFlow], bool]:
        """Give the junction, where its cabinet is, who drives there, and whether that is known."""
        with self._database.read() as connection:
            bound = cabinets.bindings(connection, turn.network_id, [turn.signal])
            if not bound:
                raise Conflict("no cabinet is bound to this signal", field="name")
            last = cabinets.acts(connection, turn.network_id, turn.signal, limit=1)
            profile = profile_named(last[0].profile if last else DEFAULT_PROFILE)
            names = [turn.signal]
            case = networks.cases(connection, turn.network_id, names, profile)[turn.signal]
            demand = networks.demand(connection, turn.network_id)
        flows = {} if demand is None else demand[1].flow_vph
        lanes = lanes_of(case.junction, case.network, flows)
        return case, bound[0].address, lanes, any(lane.flow_vph > 0 for lane in lanes)

    # --- the record -------------------------------------------------------------------------

    def _asks(self, each: _Kept, plan: int, control: Control) -> bool:
        """Note before the first order what to go back to; False where somebody else orders."""
        turn = each.turn
        with self._database.unit_of_work() as uow:
            cabinets.lock_signals(uow.connection, turn.network_id, [turn.signal])
            if priority_turns.busy(uow.connection, {turn.key}):
                return False
            mine = priority_turns.write(
                uow.connection,
                self._mark,
                turn.id,
                status="holding",
                plan=plan,
                control=control.value,
                orders=each.orders + 1,
            )
        if not mine:
            raise _Left
        each.orders += 1
        return True

    def _told(self, each: _Kept, step: str) -> None:
        at = self._wall.now().astimezone(ZONE)
        each.steps.append(f"{at:%H:%M:%S} {step}")
        self._write(each, steps=each.steps[-MOST_STEPS:])

    def _decided(self, each: _Kept, decisions: Sequence[Decision]) -> None:
        """Keep what was decided, and tell it where something is done."""
        if not decisions:
            return
        for one in decisions:
            each.said.pop(one.request.vehicle, None)
        ids = {one.vehicle: one.id for one in each.asked}
        self._keeps(each, lambda uow: priority.keep_decisions(uow, decisions, ids, each.turn.id))
        for one in decisions:
            if one.act is not Act.NONE:
                self._told(each, one.says())

    def _cannot(self, each: _Kept, vehicles: Sequence[str], why: str) -> None:
        fresh = {
            one.id: why
            for one in each.asked
            if one.vehicle in vehicles and each.said.get(one.vehicle) != why
        }
        each.said.update(dict.fromkeys(vehicles, why))
        if fresh:
            at = self._wall.now()
            self._keeps(each, lambda uow: store.nothing_done(uow.connection, fresh, at=at))

    def _write(self, each: _Kept, **values: object) -> None:
        def written(uow: UnitOfWork) -> bool:
            return priority_turns.write(uow.connection, self._mark, each.turn.id, **values)

        if self._keeps(each, written) is False:
            raise _Left

    def _keeps(self, each: _Kept, keep: Callable[[UnitOfWork], Kept]) -> Kept | None:
        """Keep something; where the database is away the street goes on without."""
        try:
            with self._database.unit_of_work() as uow:
                return keep(uow)
        except Unavailable as error:
            log.warning("a step is not kept", signal=each.turn.signal, reason=str(error))
            return None

    def _sleep(self, each: _Kept, seconds: float) -> None:
        if self._waits is not None:
            self._waits(seconds)
        if self._ended.wait(0 if self._waits else seconds) or each.lost.is_set():
            raise _Left

    def _finish(self, each: _Kept, done: Ended) -> None:
        turn = each.turn
        steps = [*each.steps, done.what][-MOST_STEPS:]
        with self._database.unit_of_work() as uow:
            if each.orders == 0 and done.ending in {Ending.ENDED, Ending.GAVE_WAY}:
                priority_turns.drop(uow.connection, self._mark, turn.id)
                return
            mine = priority_turns.write(
                uow.connection,
                self._mark,
                turn.id,
                status=done.ending.value,
                steps=steps,
                ended_at=self._wall.now(),
            )
            if not mine or each.orders == 0:
                return
            detail: dict[str, JsonValue] = {
                "signal": turn.signal,
                "turn": str(turn.id),
                "ending": done.ending.value,
                "what": done.what,
                "orders": each.orders,
            }
            record(
                uow,
                _KEEPER,
                "signals.priority_ended",
                "signal_network",
                str(turn.network_id),
                detail,
            )
        log.info("priority ended", signal=turn.signal, ending=done.ending.value)
