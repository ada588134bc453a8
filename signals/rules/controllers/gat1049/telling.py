"""What was last seen of our junctions as objects of GA/T 1049.2-2024, for a platform that asks.

Only what a controller has said lately is told. Of its plans that is the one that it runs; of its
stages and signal groups what its layout says, and of its changes what the layout asks for.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from city.errors import Invalid
from signals.rules.controllers.gat1049 import codes, objects
from signals.rules.controllers.gat1049.desk import Denied, News
from signals.rules.controllers.gat1049.messages import Fault
from signals.rules.controllers.gat1049.nodes import Node, branch, leaf
from signals.rules.controllers.layout import Layout
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.live.lights import Seen

FRESH: Final = timedelta(seconds=5)
"""What was seen longer ago is not what is shown."""
_CODES: Final = {
    **codes.MODES,
    **codes.WITHOUT_PLAN,
    Control.CENTRE: codes.DESIGNATED,
    Control.MANUAL: "51",
}
RUNTIME: Final = frozenset({"CrossState", "CrossCtrlInfo", "CrossStage", "CrossSignalGroupStatus"})
"""What changes, and can be subscribed to."""


def objects_of(
    name: str, number: int | None, seen: Seen | None, now: datetime, *, cross: str, title: str
) -> tuple[Node, ...]:
    """Give an object of a junction, or all of a kind that is numbered.

    Raises
    ------
    Denied
        Where it is not known, or not offered.
    """
    if name == "CrossState":
        return (_state(cross, seen, now),)
    if name in _TOLD:
        return (_TOLD[name](cross, title, _fresh(name, seen, now)),)
    if name not in _NUMBERED:
        raise Denied(Fault.UNKNOWN, name, "there is no such object")
    rows = _NUMBERED[name](cross, _fresh(name, seen, now))
    if number is None:
        return tuple(rows.values())
    if number not in rows:
        raise Denied(Fault.FAILURE, name, "there is no such number, or it is not known")
    return (rows[number],)


def news_of(
    names: frozenset[str], seen: Seen | None, now: datetime, *, cross: str, title: str
) -> tuple[News, ...]:
    """Give what changes of a junction as it is now; what is not known is left out."""
    found = []
    for name in sorted(names & RUNTIME):
        try:
            node = objects_of(name, None, seen, now, cross=cross, title=title)[0]
        except Denied:
            continue
        found.append(News(name, cross, _mark(name, seen, node), node))
    return tuple(found)


def _mark(name: str, seen: Seen | None, node: Node) -> object:
    state = None if seen is None else seen.state
    if state is None or name == "CrossState":
        return node
    if name == "CrossStage":
        return state.stage
    if name == "CrossCtrlInfo":
        return state.control, state.plan
    return tuple(sorted(state.lamps.items()))


def _fresh(name: str, seen: Seen | None, now: datetime) -> Seen:
    if seen is None or now - seen.at > FRESH:
        raise Denied(Fault.FAILURE, name, "it is being asked: ask again")
    if seen.state is None:
        raise Denied(Fault.FAILURE, name, "the controller is silent")
    return seen


def _state(cross: str, seen: Seen | None, now: datetime) -> Node:
    if seen is not None and seen.state is None and now - seen.at <= FRESH:
        value = "Offline"
    else:
        value = "Error" if _known(_fresh("CrossState", seen, now)).faults else "Online"
    return branch("CrossState", leaf("CrossID", cross), leaf("Value", value))


def _known(seen: Seen) -> ControllerState:
    assert seen.state is not None  # noqa: S101 - who is fresh has one
    return seen.state


def _layout(name: str, seen: Seen) -> Layout:
    if seen.layout is None:
        raise Denied(Fault.FAILURE, name, "the controller does not tell its layout")
    return seen.layout


def _param(cross: str, title: str, seen: Seen) -> Node:
    plans = [] if seen.plan is None else [seen.plan.number]
    return objects.cross_node(cross, title, _layout("CrossParam", seen), plans)


def _control(cross: str, _title: str, seen: Seen) -> Node:
    state = _known(seen)
    code = None if state.control is None else _CODES.get(state.control)
    if code is None:
        raise Denied(Fault.FAILURE, "CrossCtrlInfo", "its control mode has no code here")
    return branch(
        "CrossCtrlInfo",
        leaf("CrossID", cross),
        leaf("ControlMode", code),
        leaf("PlanNo", 0 if code in codes.WITHOUT_PLAN.values() else state.plan or 0),
        leaf("Time", codes.instant(seen.at)),
    )


def _stage(cross: str, _title: str, seen: Seen) -> Node:
    state = _known(seen)
    if state.stage is None:
        raise Denied(Fault.FAILURE, "CrossStage", "no stage runs, or it is not known")
    length = []
    if state.elapsed_s is not None:
        begun = seen.at - timedelta(seconds=state.elapsed_s)
        length = [
            leaf("CurStageStartTime", codes.instant(begun)),
            leaf("CurStageLen", state.elapsed_s),
        ]
    return branch("CrossStage", leaf("CrossID", cross), leaf("CurStageNo", state.stage), *length)


def _lamps(cross: str, _title: str, seen: Seen) -> Node:
    return branch(
        "CrossSignalGroupStatus",
        leaf("CrossID", cross),
        leaf("LampStatusTime", codes.instant(seen.at)),
        objects.lamps_node(_layout("CrossSignalGroupStatus", seen), _known(seen).lamps),
    )


def _plans(cross: str, seen: Seen) -> dict[int, Node]:
    if seen.plan is None:
        return {}
    try:
        timed = objects.timed(_layout("PlanParam", seen), seen.plan)
    except Invalid as error:
        raise Denied(Fault.FAILURE, "PlanParam", str(error)) from None
    return {seen.plan.number: objects.plan_node(cross, timed)}


_TOLD: Final[Mapping[str, Callable[[str, str, Seen], Node]]] = {
    "CrossParam": _param,
    "CrossCtrlInfo": _control,
    "CrossStage": _stage,
    "CrossSignalGroupStatus": _lamps,
}
_NUMBERED: Final[Mapping[str, Callable[[str, Seen], dict[int, Node]]]] = {
    "SignalGroupParam": lambda cross, seen: {
        each.number: objects.signal_group_node(cross, each)
        for each in _layout("SignalGroupParam", seen).phases
    },
    "LampGroupParam": lambda cross, seen: {
        each.number: objects.lamp_group_node(cross, each)
        for each in _layout("LampGroupParam", seen).phases
    },
    "StageParam": lambda cross, seen: {
        each.number: objects.stage_node(cross, _layout("StageParam", seen), each)
        for each in _layout("StageParam", seen).stages
    },
    "PlanParam": _plans,
}
