"""What was seen of a controller at an instant, as it is passed on: state, layout and plan."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from city.errors import Invalid
from signals.rules.controllers.layout import (
    ControllerPlan,
    Layout,
    Phase,
    PhaseStage,
    PlanStage,
    named,
)
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.junctions import GroupKind
from signals.rules.live.countdown import PhaseNow, phases_now
from signals.rules.model.aspects import Aspect
from signals.rules.model.junction import LampChange


@dataclass(frozen=True, slots=True)
class Seen:
    """A controller asked at an instant; without a state it did not answer."""

    at: datetime
    state: ControllerState | None
    layout: Layout | None = None
    plan: ControllerPlan | None = None
    """The one that it says it runs."""
    problem: str | None = None

    @property
    def phases(self) -> tuple[PhaseNow, ...]:
        """Every phase's lamp and when it changes, counted from ``at``; empty while silent."""
        if self.state is None or self.layout is None:
            return ()
        return phases_now(self.layout, self.plan, self.state)


def with_names(layout: Layout, names: list[str]) -> Layout:
    """Name phases after the junction's groups, in their order; by number where they are others."""
    try:
        return named(layout, names)
    except Invalid:
        return layout


def write_seen(seen: Seen) -> bytes:
    """Write what was seen as the value of its key."""
    state, layout, plan = seen.state, seen.layout, seen.plan
    return orjson.dumps(
        {
            "at": seen.at,
            "problem": seen.problem,
            "state": None
            if state is None
            else {
                "control": state.control,
                "plan": state.plan,
                "stage": state.stage,
                "changing": state.changing,
                "elapsed_s": state.elapsed_s,
                "remaining_s": state.remaining_s,
                "lamps": [[phase, aspect] for phase, aspect in state.lamps.items()],
                "faults": state.faults,
            },
            "layout": None if layout is None else _layout_json(layout),
            "plan": None
            if plan is None
            else {
                "number": plan.number,
                "cycle_s": plan.cycle_s,
                "offset_s": plan.offset_s,
                "stages": [[each.stage, each.length_s] for each in plan.stages],
            },
        }
    )


def read_seen(value: bytes) -> Seen:
    """Read what ``write_seen`` wrote."""
    found: dict[str, Any] = orjson.loads(value)
    state, plan = found["state"], found["plan"]
    return Seen(
        datetime.fromisoformat(found["at"]),
        None
        if state is None
        else ControllerState(
            **{
                **state,
                "control": None if state["control"] is None else Control(state["control"]),
                "lamps": {phase: Aspect(aspect) for phase, aspect in state["lamps"]},
                "faults": tuple(state["faults"]),
            }
        ),
        None if found["layout"] is None else _layout(found["layout"]),
        None
        if plan is None
        else ControllerPlan(
            plan["number"],
            plan["cycle_s"],
            plan["offset_s"],
            tuple(PlanStage(stage, length_s) for stage, length_s in plan["stages"]),
        ),
        found["problem"],
    )


def later_by(phase: PhaseNow, seconds: int) -> PhaseNow:
    """Give a phase's times so many seconds later; what should have changed by then is unknown."""
    times = [
        None if value is None or value < seconds else value - seconds
        for value in (phase.least_s, phase.most_s, phase.likely_s)
    ]
    return replace(phase, least_s=times[0], most_s=times[1], likely_s=times[2])


def _layout_json(layout: Layout) -> dict[str, Any]:
    def lamps(changes: tuple[LampChange, ...]) -> list[list[object]]:
        return [[each.aspect, each.duration_s] for each in changes]

    return {
        "phases": [
            [
                each.number,
                each.name,
                each.kind,
                lamps(each.losing),
                lamps(each.gaining),
                each.least_green_s,
            ]
            for each in layout.phases
        ],
        "stages": [[each.number, sorted(each.phases)] for each in layout.stages],
        "conflicts": [list(pair) for pair in sorted(layout.conflicts)],
        "intergreen_s": [[*pair, s] for pair, s in sorted(layout.intergreen_s.items())],
    }


def _layout(found: dict[str, Any]) -> Layout:
    def lamps(changes: list[tuple[str, float]]) -> tuple[LampChange, ...]:
        return tuple(LampChange(Aspect(aspect), duration_s) for aspect, duration_s in changes)

    return Layout(
        tuple(
            Phase(number, name, GroupKind(kind), lamps(losing), lamps(gaining), least_s)
            for number, name, kind, losing, gaining, least_s in found["phases"]
        ),
        tuple(PhaseStage(number, frozenset(phases)) for number, phases in found["stages"]),
        frozenset((one, other) for one, other in found["conflicts"]),
        {(ended, started): s for ended, started, s in found["intergreen_s"]},
    )
