"""Junctions as objects of GA/T 1049.2-2024: stages of signal groups, plans with their changes.

The protocol tells no intergreens between signal groups. A plan tells of each of its stages how long
the yellow and the all-red after its green last: a layout is made of what the plans of the system
tell, and a plan that is written states its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from city.errors import Invalid
from signals.rules.controllers.gat1049 import codes
from signals.rules.controllers.gat1049.nodes import Node, branch, leaf
from signals.rules.controllers.layout import (
    MOST_IN_CHAIN,
    MOST_PHASES,
    MOST_STAGES,
    ControllerPlan,
    Layout,
    Phase,
    PhaseStage,
    PlanStage,
    flashing_s,
)
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS, Aspect
from signals.rules.model.junction import LampChange

_MOST_S: Final = 100_000
_WORDY: Final = 64
"""Characters of a name that are kept."""


@dataclass(frozen=True, slots=True)
class Timing:
    """A stage in a plan."""

    stage: int
    green_s: int
    """With its flashing end."""
    yellow_s: int
    all_red_s: int

    @property
    def length_s(self) -> int:
        """With the change after it."""
        return self.green_s + self.yellow_s + self.all_red_s


@dataclass(frozen=True, slots=True)
class TimedPlan:
    """A plan with its changes, from its coordinated stage on."""

    number: int
    cycle_s: int
    offset_s: int
    timings: tuple[Timing, ...]
    adjusted: bool = False
    """Whether signal groups begin late or end early in it: our plans have none of that."""

    @property
    def plan(self) -> ControllerPlan:
        """The plan as every controller has it."""
        stages = tuple(PlanStage(each.stage, each.length_s) for each in self.timings)
        return ControllerPlan(self.number, self.cycle_s, self.offset_s, stages)


def timed(layout: Layout, plan: ControllerPlan) -> TimedPlan:
    """Give a plan with the yellow and the all-red that a layout asks for after each stage.

    Raises
    ------
    Invalid
        Where a stage is not known, or too short for its change.
    """
    found = []
    for place, each in enumerate(plan.stages):
        after = plan.stages[(place + 1) % len(plan.stages)].stage
        for number in (each.stage, after):
            if number not in layout.stage_of:
                raise Invalid(f"there is no stage {number}", field="stages")
        change_s = layout.change_s(each.stage, after)
        ending = layout.stage_of[each.stage].phases - layout.stage_of[after].phases
        yellow_s = max((_yellow_s(layout.phase_of[number]) for number in ending), default=0)
        green_s = each.length_s - change_s
        if green_s < 1:
            raise Invalid(f"stage {each.stage} is too short for its change", field="stages")
        found.append(Timing(each.stage, green_s, yellow_s, change_s - yellow_s))
    return TimedPlan(plan.number, plan.cycle_s, plan.offset_s, tuple(found))


def _yellow_s(phase: Phase) -> int:
    return math.ceil(sum(each.duration_s for each in phase.losing if each.aspect not in GREENS))


# --- written ------------------------------------------------------------------------------------


def plan_node(cross: str, plan: TimedPlan) -> Node:
    """Give a plan (``PlanParam``), coordinated by its first stage."""
    timings = (
        branch(
            "StageTiming",
            leaf("StageNo", each.stage),
            leaf("Green", each.green_s),
            leaf("Yellow", each.yellow_s),
            leaf("AllRed", each.all_red_s),
            leaf("MaxGreen", each.green_s),
            leaf("MinGreen", each.green_s),
            leaf("AdjustList"),
        )
        for each in plan.timings
    )
    return branch(
        "PlanParam",
        leaf("CrossID", cross),
        leaf("PlanNo", plan.number),
        leaf("PlanName", f"plan {plan.number}"),
        leaf("CycleLen", plan.cycle_s),
        leaf("CoordStageNo", plan.timings[0].stage if plan.timings else 0),
        leaf("Offset", plan.offset_s),
        branch("StageTimingList", *timings),
    )


def cross_node(cross: str, name: str, layout: Layout, plans: Sequence[int]) -> Node:
    """Give a junction's lists and its conflicts (``CrossParam``); a lamp group a signal group."""
    groups = [phase.number for phase in layout.phases]
    matrix = "".join(
        "1" if (one, other) in layout.conflicts else "0" for one in groups for other in groups
    )
    return branch(
        "CrossParam",
        leaf("CrossID", cross),
        leaf("CrossName", name),
        _numbers("LampGroupNoList", "LampGroupNo", groups),
        _numbers("SignalGroupNoList", "SignalGroupNo", groups),
        _numbers("StageNoList", "StageNo", [each.number for each in layout.stages]),
        _numbers("PlanNoList", "PlanNo", plans),
        leaf("GreenConflictMatrix", matrix),
    )


def _numbers(outer: str, inner: str, numbers: Sequence[int]) -> Node:
    return branch(outer, *(leaf(inner, each) for each in numbers))


def lamp_group_node(cross: str, phase: Phase) -> Node:
    """Give the lamps of a signal group (``LampGroupParam``), under the same number."""
    return branch(
        "LampGroupParam",
        leaf("CrossID", cross),
        leaf("LampGroupNo", phase.number),
        leaf("Direction", codes.ANY_DIRECTION),
        leaf("Type", codes.LAMP_GROUPS[phase.kind]),
    )


def signal_group_node(cross: str, phase: Phase) -> Node:
    """Give a signal group (``SignalGroupParam``)."""
    return branch(
        "SignalGroupParam",
        leaf("CrossID", cross),
        leaf("SignalGroupNo", phase.number),
        leaf("Name", phase.name),
        leaf("GreenFlashLen", flashing_s(phase)),
        leaf("MinGreen", phase.least_green_s),
        _numbers("LampGroupNoList", "LampGroupNo", [phase.number]),
    )


def stage_node(cross: str, layout: Layout, stage: PhaseStage) -> Node:
    """Give a stage (``StageParam``): what each signal group shows in it."""
    shown = {
        phase.number: Aspect.GREEN if phase.number in stage.phases else Aspect.RED
        for phase in layout.phases
    }
    return branch(
        "StageParam",
        leaf("CrossID", cross),
        leaf("StageNo", stage.number),
        leaf("StageName", f"stage {stage.number}"),
        leaf("Attribute", 0),
        lamps_node(layout, shown),
    )


def lamps_node(
    layout: Layout, shown: Mapping[int, Aspect], left_s: Mapping[int, int] | None = None
) -> Node:
    """Give what signal groups show (``SignalGroupStatusList``), and for how long where known.

    One whose lamps are unknown is left out.
    """
    known = left_s or {}
    return branch(
        "SignalGroupStatusList",
        *(
            branch(
                "SignalGroupStatus",
                leaf("SignalGroupNo", phase.number),
                leaf("LampStatus", codes.lamp_status(shown[phase.number], phase.kind)),
                *((leaf("RemainTime", known[phase.number]),) if phase.number in known else ()),
            )
            for phase in layout.phases
            if phase.number in shown
        ),
    )


# --- read ---------------------------------------------------------------------------------------


def numbers_of(node: Node, outer: str, inner: str) -> tuple[int, ...]:
    """Give the numbers of a list. Raises Invalid on one that is none."""
    found = []
    for each in node.list_of(outer, inner):
        if not (each.text.isascii() and each.text.isdigit() and len(each.text) <= 9):  # noqa: PLR2004 - as a number's digits
            raise Invalid("is no number", field=f"{node.name}.{inner}")
        found.append(int(each.text))
    return tuple(found)


def plan_from(node: Node) -> TimedPlan:
    """Read a plan (``PlanParam``) from its coordinated stage on. Raises Invalid."""
    timings, adjusted = [], False
    for each in node.list_of("StageTimingList", "StageTiming"):
        times = tuple(each.number(name) or 0 for name in ("Green", "Yellow", "AllRed"))
        if not all(0 <= time_s <= _MOST_S for time_s in times):
            raise Invalid("lasts too long, or less than nothing", field="StageTiming")
        timings.append(Timing(each.needed("StageNo"), *times))
        adjusted = adjusted or bool(each.list_of("AdjustList", "Adjust"))
    if not 1 <= len(timings) <= MOST_IN_CHAIN:
        raise Invalid(f"has {len(timings)} stages", field="PlanParam")
    first = node.number("CoordStageNo")
    at = next((place for place, each in enumerate(timings) if each.stage == first), 0)
    return TimedPlan(
        node.needed("PlanNo"),
        node.needed("CycleLen"),
        node.number("Offset") or 0,
        (*timings[at:], *timings[:at]),
        adjusted,
    )


def lamps_from(node: Node) -> dict[int, Aspect]:
    """Read what signal groups show; one whose lamps are not known is left out. Raises Invalid."""
    found = {}
    for each in node.list_of("SignalGroupStatusList", "SignalGroupStatus"):
        aspect = codes.aspect_of(each.said("LampStatus"))
        if aspect is not None:
            found[each.needed("SignalGroupNo")] = aspect
    return found


def green_left_s(node: Node, layout: Layout, stage: frozenset[int]) -> int | None:
    """Give the seconds until the green of a stage ends; None where it is not told.

    What remains is told of what the lamps show now: before a flashing end it has yet to come.
    """
    left = []
    shown = lamps_from(node)
    for each in node.list_of("SignalGroupStatusList", "SignalGroupStatus"):
        number, left_s = each.needed("SignalGroupNo"), each.number("RemainTime")
        if number in stage and left_s is not None and shown.get(number) in GREENS:
            flash_s = flashing_s(layout.phase_of[number])
            left.append(left_s + (flash_s if shown[number] is Aspect.GREEN else 0))
    return max(left, default=None)


def layout_from(
    cross: Node,
    groups: Sequence[Node],
    lamp_groups: Sequence[Node],
    stages: Sequence[Node],
    plans: Sequence[TimedPlan],
) -> Layout:
    """Make a layout of a junction's objects.

    A change that no plan has lasts as long as the longest that one has: our plans state it, so
    that the junction shows it.

    Raises
    ------
    Invalid
        Where something needed is not told: conflicts, least greens, whom lamps are for, changes.
    """
    numbers = numbers_of(cross, "SignalGroupNoList", "SignalGroupNo")
    if not 1 <= len(numbers) <= MOST_PHASES or len(stages) > MOST_STAGES:
        raise Invalid("has no signal groups, or more than we take", field="CrossParam")
    rows = tuple(
        PhaseStage(
            each.needed("StageNo"),
            frozenset(number for number, aspect in lamps_from(each).items() if aspect in GREENS),
        )
        for each in stages
    )
    changes = _Changes(rows, plans)
    kinds = {each.needed("LampGroupNo"): codes.kind_of(each.needed("Type")) for each in lamp_groups}
    told = {each.needed("SignalGroupNo"): each for each in groups}
    if set(told) != set(numbers):
        raise Invalid("does not tell every signal group", field="SignalGroupParam")
    return Layout(
        tuple(_phase(told[number], kinds, changes) for number in numbers),
        rows,
        _conflicts(cross, numbers),
        {
            # Also of those that need not conflict: one may have to give way to the other.
            (ended, started): float(changes.between_s(ended, started))
            for ended in numbers
            for started in numbers
            if ended != started
        },
    )


def _conflicts(cross: Node, numbers: Sequence[int]) -> frozenset[tuple[int, int]]:
    bits = [each for each in cross.said("GreenConflictMatrix") if each not in " ,;\t\r\n"]
    count = len(numbers)
    if len(bits) != count * count or not set(bits) <= {"0", "1"}:
        raise Invalid("does not tell which signal groups conflict", field="GreenConflictMatrix")
    found = {
        (one, other)
        for row, one in enumerate(numbers)
        for column, other in enumerate(numbers)
        if one != other and bits[row * count + column] == "1"
    }
    return frozenset(found | {(other, one) for one, other in found})


def _phase(node: Node, kinds: Mapping[int, GroupKind | None], changes: "_Changes") -> Phase:
    number = node.needed("SignalGroupNo")
    found = {kinds.get(each) for each in numbers_of(node, "LampGroupNoList", "LampGroupNo")}
    kind = found.pop() if len(found) == 1 else None
    if kind is None:
        raise Invalid(f"does not tell whom signal group {number} is for", field="LampGroupParam")
    # Public code has either spelling.
    flash_s = node.number("GreenFlashLen") or node.number("GreenFlushLen") or 0
    yellow_s = 0 if kind is GroupKind.PEDESTRIAN else changes.yellow_s(number)
    losing = (
        *((LampChange(Aspect.FLASHING_GREEN, float(flash_s)),) if flash_s > 0 else ()),
        *((LampChange(Aspect.YELLOW, float(yellow_s)),) if yellow_s else ()),
    )
    least_s = node.needed("MinGreen")
    name = node.said("Name")[:_WORDY] or str(number)
    return Phase(number, name, kind, losing, (), max(least_s, 1))


def told_changes(plans: Sequence[TimedPlan]) -> frozenset[tuple[int, int]]:
    """Give from which stage to which the plans tell how long a change lasts."""
    return frozenset(
        (each.stage, plan.timings[(place + 1) % len(plan.timings)].stage)
        for plan in plans
        for place, each in enumerate(plan.timings)
    )


class _Changes:
    """What the plans of a junction tell of the time between greens.

    Of a change between two stages the longest that a plan has. It lasts as long as the signal
    groups in it need that need most: of two signal groups the shortest change that has them both
    says the most that they can need, and all changes come out of these as they were.
    """

    def __init__(self, stages: Sequence[PhaseStage], plans: Sequence[TimedPlan]) -> None:
        green = {stage.number: stage.phases for stage in stages}
        told: dict[tuple[int, int], tuple[int, int]] = {}
        for plan in plans:
            for place, each in enumerate(plan.timings):
                after = plan.timings[(place + 1) % len(plan.timings)].stage
                if each.stage not in green or after not in green:
                    raise Invalid("has a stage that is not told", field=f"PlanParam.{plan.number}")
                yellow_s, change_s = told.get((each.stage, after), (0, 0))
                told[each.stage, after] = (
                    max(yellow_s, each.yellow_s),
                    max(change_s, each.yellow_s + each.all_red_s),
                )
        self._longest_yellow_s = max((each for each, _ in told.values()), default=0)
        self._longest_s = max((each for _, each in told.values()), default=0)
        if not self._longest_s:
            raise Invalid("has no plan that tells how stages change", field="PlanNoList")
        self._yellow: dict[int, int] = {}
        self._between: dict[tuple[int, int], int] = {}
        for (before, after), (yellow_s, change_s) in told.items():
            for ended in green[before] - green[after]:
                self._yellow[ended] = min(self._yellow.get(ended, yellow_s), yellow_s)
                for started in green[after] - green[before]:
                    pair = (ended, started)
                    self._between[pair] = min(self._between.get(pair, change_s), change_s)

    def yellow_s(self, ended: int) -> int:
        return self._yellow.get(ended, self._longest_yellow_s)

    def between_s(self, ended: int, started: int) -> int:
        return self._between.get((ended, started), self._longest_s)
