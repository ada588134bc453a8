"""What of a controller's own words is a reason to stop: pure tests on states and plans."""

from collections.abc import Callable

from city.errors import Conflict
from signals.rules.controllers.layout import ControllerPlan, Layout, named, plan_of, shown_by
from signals.rules.controllers.line import ControllerState
from signals.rules.model.aspects import GREENS
from signals.rules.model.plans import Programme
from signals.rules.safety.case import Case
from signals.rules.safety.checker import check_programme

Make = Callable[[Layout, int], ControllerPlan]
"""Gives a plan under a number, of a controller's own stages."""
Judge = Callable[[Layout, ControllerPlan], None]
"""Raises Invalid or Conflict where what a controller would show of a plan is unsafe."""


def of_programme(case: Case, programme: Programme) -> tuple[Make, Judge]:
    """Give how a junction's programme is made a controller's plan, and how that is judged.

    The judge is the safety checker under the case's profile, on the lamps that the controller
    will show by its own phases and intergreens. Phase n is taken to be the junction's n-th group.
    """
    names = [group.name for group in case.junction.groups]

    def make(layout: Layout, number: int) -> ControllerPlan:
        return plan_of(named(layout, names), programme, number)

    def judge(layout: Layout, plan: ControllerPlan) -> None:
        shown = shown_by(case, named(layout, names), plan)
        violations = check_programme(case, shown).violations
        if violations:
            first = violations[0]
            raise Conflict(
                f"{case.junction.name} is unsafe: {first.rule.value}, {first.what}", field="plan"
            )

    return make, judge


def differences(meant: ControllerPlan, found: ControllerPlan | None) -> tuple[str, ...]:
    """Say how a plan that was read back differs from the one that was sent."""
    if found is None:
        return ("the controller keeps no such plan",)
    said = []
    for name in ("number", "cycle_s", "offset_s"):
        here, there = getattr(meant, name), getattr(found, name)
        if here != there:
            said.append(f"{name} is {there}, not {here}")
    if meant.stages != found.stages:
        chain = " ".join(f"{each.stage}:{each.length_s}" for each in found.stages)
        said.append(f"the stages are {chain or 'none'}")
    return tuple(said)


def at_safe_point(layout: Layout, state: ControllerState) -> bool:
    """Say whether to ask for another plan now: in a green that has had its minimum.

    A controller that changes at the end of its cycle anyway loses nothing by that; one that changes
    at once (what public sources do not state) cuts no minimum green and no clearance.
    """
    stage = layout.stage_of.get(state.stage or 0)
    if stage is None or state.changing is not False or state.elapsed_s is None:
        return False
    least_s = max((layout.phase_of[each].least_green_s for each in stage.phases), default=0)
    return state.elapsed_s >= least_s


def alarm(layout: Layout, state: ControllerState) -> str | None:
    """Say why what a controller shows is a reason to take a new plan back; None for no reason."""
    if state.faults:
        return f"the controller reports {', '.join(state.faults)}"
    if state.control is not None and not state.control.runs_a_plan:
        return f"the controller is in mode {state.control.value}"
    for one, other in sorted(layout.conflicts):
        if state.lamps.get(one) in GREENS and state.lamps.get(other) in GREENS:
            return f"phases {one} and {other} are green together"
    return None
