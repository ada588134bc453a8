"""A simulated signal system with one junction that speaks GA/T 1049.2-2024 over TCP."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from city.errors import Invalid
from city.time import Clock, WallClock
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.gat1049.reception import Reception
from signals.adapters.gat1049.session import Counter, Session, Ways
from signals.adapters.gat1049.users import GatUser, admitting
from signals.adapters.gbt20999.link import Patience
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers import cabinet_plans as plans
from signals.rules.controllers.cabinet import Cabinet, Running
from signals.rules.controllers.gat1049 import codes, objects
from signals.rules.controllers.gat1049.desk import Denied, Guest, News
from signals.rules.controllers.gat1049.messages import Fault
from signals.rules.controllers.gat1049.nodes import Node, branch, leaf
from signals.rules.controllers.layout import flashing_s
from signals.rules.controllers.line import NoAnswer, Refused
from signals.rules.model.aspects import Aspect

CROSS: Final = "11010180001001"
"""Number of its junction, as a public sample has one."""
LAPSES_S: Final = 60
"""After so many of its seconds an order without a plan counts no more unless it is repeated."""
_REDIAL_S: Final = 1.0
_PATIENT: Final = Patience(timeout_s=30.0, tries=1)
_MOST_LOCK_S: Final = 3_600
_PLANNED: Final = frozenset({"21", "31", codes.DESIGNATED})
_RUNNING: Final = {
    Running.FLASHING: codes.FLASHING,
    Running.WAKING: codes.FLASHING,
    Running.ALL_RED: codes.ALL_RED,
    Running.DARK: codes.DARK,
}
_ORDERED: Final = {
    codes.FLASHING: Running.FLASHING,
    codes.ALL_RED: Running.ALL_RED,
    codes.DARK: Running.DARK,
}


class Journal:
    """What a cabinet's stages and cycles were: made for `CabinetHost`'s `told`."""

    def __init__(self) -> None:
        self.last_stage: tuple[int, int] | None = None
        """Number, seconds."""
        self.last_cycle_s: int | None = None
        self.cycle_s = 0
        self._before: Cabinet | None = None

    def told(self, cabinet: Cabinet, _late_s: int) -> None:
        """Take note of one of its seconds."""
        before, self._before = self._before, cabinet
        self.cycle_s += 1
        if before is None or before.stage is None or cabinet.elapsed_s > before.elapsed_s:
            return
        self.last_stage = before.stage, before.elapsed_s + 1
        if cabinet.place == 0:
            self.last_cycle_s, self.cycle_s = self.cycle_s, 0


class SimulatedGat1049:
    """The system's desk.

    Parameters
    ----------
    host : CabinetHost
    journal : Journal
        That the host tells its seconds.
    cross : str
        Its junction's number.
    wall : Clock or None
    """

    offered = frozenset(
        {"CrossState", "CrossCtrlInfo", "CrossCycle", "CrossStage", "CrossSignalGroupStatus"}
    )

    def __init__(
        self,
        host: CabinetHost,
        journal: Journal,
        *,
        cross: str = CROSS,
        wall: Clock | None = None,
    ) -> None:
        self.host = host
        self._journal = journal
        self._cross = cross
        self._now = (wall or WallClock()).now
        self._mode = "21"
        self._lock = threading.Lock()
        self._told: Mapping[str, Callable[[Cabinet], Node]] = {
            "SysInfo": self._system,
            "SysState": lambda _: branch("SysState", leaf("Value", "Online")),
            "CrossParam": self._param,
            "CrossState": self._state,
            "CrossCtrlInfo": self._control,
            "CrossCycle": self._cycle,
            "CrossStage": self._stage,
            "CrossSignalGroupStatus": self._lamps,
        }
        self._numbered: Mapping[str, Callable[[Cabinet], dict[int, Node]]] = {
            "SignalGroupParam": lambda at: {
                each.number: objects.signal_group_node(cross, each) for each in at.layout.phases
            },
            "LampGroupParam": lambda at: {
                each.number: objects.lamp_group_node(cross, each) for each in at.layout.phases
            },
            "StageParam": lambda at: {
                each.number: objects.stage_node(cross, at.layout, each) for each in at.layout.stages
            },
            "PlanParam": lambda at: {
                number: objects.plan_node(cross, objects.timed(at.layout, each))
                for number, each in at.plans.items()
            },
        }
        self._set: Mapping[str, Callable[[Cabinet, Node], Cabinet]] = {
            "CrossCtrlInfo": self._controlled,
            "SetPlanParam": self._planned,
            "LockFlowDirection": self._locked,
            "UnlockFlowDirection": self._unlocked,
        }

    def crosses(self, _user: str) -> frozenset[str]:
        """Give its junction."""
        return frozenset({self._cross})

    def give(self, _user: str, name: str, identity: str, number: int | None) -> tuple[Node, ...]:
        """Give an object, or all of a kind."""
        if name not in self._told and name not in self._numbered:
            raise Denied(Fault.UNKNOWN, name, "there is no such object")
        if identity != self._cross and not name.startswith("Sys"):
            raise Denied(Fault.FAILURE, name, "there is no such junction")
        with self._lock:
            cabinet = self.host.cabinet
            if name in self._told:
                return (self._told[name](cabinet),)
            rows = self._numbered[name](cabinet)
        if number is None:
            return tuple(rows.values())
        if number not in rows:
            raise Denied(Fault.FAILURE, name, "there is no such number")
        return (rows[number],)

    def news(self, guest: Guest) -> tuple[News, ...]:
        """Give what is as it is now: a stage is the same while it lasts."""
        found = {}
        with self._lock:
            cabinet = self.host.cabinet
            for name in guest.names:
                # While no stage runs there is nothing to tell of one.
                with contextlib.suppress(Denied):
                    found[name] = self._told[name](cabinet)
        marks = {
            "CrossStage": (cabinet.stage, self._journal.last_stage),
            "CrossCycle": self._journal.last_cycle_s,
            "CrossCtrlInfo": (self._code(cabinet), cabinet.plan),
            "CrossSignalGroupStatus": tuple(sorted(cabinet.lamps.items())),
        }
        return tuple(
            News(name, self._cross, marks.get(name, node), node) for name, node in found.items()
        )

    def take(self, _user: str, wanted: tuple[Node, ...]) -> tuple[Node, ...]:
        """Do all of it or nothing."""
        with self._lock:
            cabinet, mode = self.host.cabinet, self._mode
            try:
                for each in wanted:
                    cabinet = self._set.get(each.name, _refused)(cabinet, each)
            except BaseException:
                self._mode = mode
                raise
            self.host.change(cabinet)
        return wanted

    # --- told --------------------------------------------------------------------------------

    def _system(self, _cabinet: Cabinet) -> Node:
        return branch(
            "SysInfo",
            leaf("SysName", "simulated"),
            leaf("SysVersion", "1"),
            leaf("Supplier", "Greenbay"),
            branch("CrossIDList", leaf("CrossID", self._cross)),
        )

    def _param(self, cabinet: Cabinet) -> Node:
        return objects.cross_node(self._cross, "crossroads", cabinet.layout, sorted(cabinet.plans))

    def _state(self, cabinet: Cabinet) -> Node:
        value = "Online" if cabinet.trip is None else "Error"
        return branch("CrossState", leaf("CrossID", self._cross), leaf("Value", value))

    def _code(self, cabinet: Cabinet) -> str:
        if cabinet.running in _RUNNING:
            return _RUNNING[cabinet.running]
        return self._mode if cabinet.held is None else codes.STAGE_LOCK

    def _control(self, cabinet: Cabinet) -> Node:
        code = self._code(cabinet)
        return branch(
            "CrossCtrlInfo",
            leaf("CrossID", self._cross),
            leaf("ControlMode", code),
            leaf("PlanNo", 0 if code in _ORDERED else cabinet.plan),
            leaf("Time", codes.instant(self._now())),
        )

    def _cycle(self, _cabinet: Cabinet) -> Node:
        begun = self._now() - timedelta(seconds=self._journal.cycle_s)
        return branch(
            "CrossCycle",
            leaf("CrossID", self._cross),
            leaf("StartTime", codes.instant(begun)),
            leaf("LastCycleLen", self._journal.last_cycle_s or 0),
            leaf("AdjustFlag", 0),
        )

    def _stage(self, cabinet: Cabinet) -> Node:
        if cabinet.stage is None:
            raise Denied(Fault.FAILURE, "CrossStage", "no stage runs")
        last = self._journal.last_stage or (0, 0)
        begun = self._now() - timedelta(seconds=cabinet.elapsed_s)
        return branch(
            "CrossStage",
            leaf("CrossID", self._cross),
            leaf("LastStageNo", last[0]),
            leaf("LastStageLen", last[1]),
            leaf("CurStageNo", cabinet.stage),
            leaf("CurStageStartTime", codes.instant(begun)),
            leaf("CurStageLen", cabinet.elapsed_s),
        )

    def _lamps(self, cabinet: Cabinet) -> Node:
        return branch(
            "CrossSignalGroupStatus",
            leaf("CrossID", self._cross),
            leaf("LampStatusTime", codes.instant(self._now())),
            objects.lamps_node(cabinet.layout, cabinet.lamps, _left(cabinet)),
        )

    # --- set ---------------------------------------------------------------------------------

    def _mine(self, node: Node) -> None:
        if node.said("CrossID") != self._cross:
            raise Denied(Fault.FAILURE, node.name, "there is no such junction")

    def _controlled(self, cabinet: Cabinet, node: Node) -> Cabinet:
        self._mine(node)
        code, plan = node.said("ControlMode"), node.needed("PlanNo")
        if code in _ORDERED or code == codes.CANCEL:
            if plan != 0:
                raise Invalid("must be 0 with this mode", field="PlanNo")
            if code in _ORDERED:
                return rules.show(cabinet, _ORDERED[code], LAPSES_S)
            self._mode = "21"
            return rules.take_up(cabinet, cabinet.plan)
        if code not in _PLANNED:
            raise Denied(Fault.NOT_ALLOWED, "ControlMode", "is not offered")
        changed = rules.take_up(cabinet, plan)
        self._mode = code
        return changed

    def _planned(self, cabinet: Cabinet, node: Node) -> Cabinet:
        param = node.first("PlanParam")
        if param is None:
            raise Invalid("is missing", field="PlanParam")
        self._mine(param)
        asked = objects.plan_from(param)
        known = asked.number in cabinet.plans
        if node.needed("Oper") != (codes.MODIFY if known else codes.ADD):
            said = "is there already" if known else "is not there"
            raise Invalid(f"plan {asked.number} {said}", field="Oper")
        if asked.adjusted:
            raise Invalid("late begins and early ends are not taken", field="AdjustList")
        changed = plans.write_plan(cabinet, asked.plan)
        if objects.timed(cabinet.layout, asked.plan).timings != asked.timings:
            raise Invalid("other yellow or all-red than this cabinet shows", field="StageTiming")
        return changed

    def _locked(self, cabinet: Cabinet, node: Node) -> Cabinet:
        self._mine(node)
        if node.needed("LockType") != codes.LOCK_STAGE:
            raise Denied(Fault.NOT_ALLOWED, "LockType", "only a given stage is locked here")
        seconds = node.needed("Duration")
        if not 0 <= seconds <= _MOST_LOCK_S:
            raise Invalid(f"must be 0 to {_MOST_LOCK_S}", field="Duration")
        return rules.hold(cabinet, node.needed("LockStageNo"), seconds or None)

    def _unlocked(self, cabinet: Cabinet, node: Node) -> Cabinet:
        self._mine(node)
        return cabinet if cabinet.held is None else rules.take_up(cabinet, cabinet.plan)


def _left(cabinet: Cabinet) -> dict[int, int]:
    """Give for how long the greens of the stage that runs go on showing what they show."""
    if cabinet.stage is None or cabinet.changing or cabinet.remaining_s is None:
        return {}
    found = {}
    for number in cabinet.layout.stage_of[cabinet.stage].phases:
        steady = cabinet.lamps.get(number) is Aspect.GREEN
        flash_s = flashing_s(cabinet.layout.phase_of[number]) if steady else 0
        found[number] = max(cabinet.remaining_s - flash_s, 0)
    return found


def _refused(_cabinet: Cabinet, node: Node) -> Cabinet:
    raise Denied(Fault.NOT_ALLOWED, node.name, "cannot be set here")


def serve(system: SimulatedGat1049, users: Mapping[str, GatUser], port: int) -> Reception:
    """Listen on TCP of the loopback interface; 0 for a free port.

    Raises
    ------
    OSError
        Where the port is taken.
    """
    mischief = system.host.mischief
    ways = Ways(spoiled=system.host.spoiled, delay_s=lambda: mischief.delay_s)
    admit = admitting(users)
    return Reception(
        "127.0.0.1",
        port,
        lambda opened: Session(opened, counter=Counter(system, admit), platform=False, ways=ways),
    )


class Dialling:
    """The system dials a platform and logs in, again and again while that is not there.

    Parameters
    ----------
    system : SimulatedGat1049
    user : GatUser
    host : str
    port : int
    """

    def __init__(self, system: SimulatedGat1049, user: GatUser, host: str, port: int) -> None:
        self._system = system
        self._user = user
        self._address = (host, port)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gat1049-dial", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Dial no more, and end the session."""
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError, NoAnswer, Refused):
                self._talk(socket.create_connection(self._address, timeout=_REDIAL_S))
            self._stop.wait(_REDIAL_S)

    def _talk(self, opened: socket.socket) -> None:
        # It has dialled, and lets nobody log in on this line.
        counter = Counter(self._system, admitting({}))
        session = Session(opened, patience=_PATIENT, counter=counter, platform=False)
        try:
            session.log_in(self._user.name, self._user.password)
            while session.alive and not self._stop.wait(_REDIAL_S):
                pass
        finally:
            session.close()


def user_of_its_own() -> GatUser:
    """Give a user with a password that was never used before."""
    return GatUser("platform", secrets.token_urlsafe(12))
