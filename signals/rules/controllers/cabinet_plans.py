"""What a cabinet keeps: plans and stages written into it, and what it refuses."""

from dataclasses import replace

from city.errors import Conflict, Invalid
from signals.rules.controllers.cabinet import START_RED_S, Cabinet, step
from signals.rules.controllers.layout import ControllerPlan, Layout, PhaseStage, refusals
from signals.rules.controllers.monitor import Trip


def write_plan(cabinet: Cabinet, plan: ControllerPlan) -> Cabinet:
    """Keep a plan.

    Raises
    ------
    Conflict
        Where it runs or is about to.
    Invalid
        Where it is unsafe; the message says why.
    """
    if plan.number in {cabinet.plan, cabinet.wanted}:
        raise Conflict(f"plan {plan.number} is running", field="plan")
    reasons = refusals(cabinet.layout, plan)
    if reasons:
        raise Invalid(reasons[0], field="plan")
    trip = dry_run(cabinet.layout, plan)
    if trip is not None:
        raise Invalid(
            f"phases {trip.phases[0]} and {trip.phases[1]} would trip the monitor ({trip.kind})",
            field="plan",
        )
    return replace(cabinet, plans={**cabinet.plans, plan.number: plan})


def write_stage(cabinet: Cabinet, stage: PhaseStage) -> Cabinet:
    """Keep a stage that no plan uses.

    Raises
    ------
    Conflict
        Where a plan has it in its chain.
    Invalid
        Where its phases conflict, or are unknown.
    """
    if any(stage.number == each.stage for plan in cabinet.plans.values() for each in plan.stages):
        raise Conflict(f"stage {stage.number} is in a plan", field="stage")
    kept = tuple(each for each in cabinet.layout.stages if each.number != stage.number)
    stages = tuple(sorted((*kept, stage), key=lambda each: each.number))
    return replace(cabinet, layout=replace(cabinet.layout, stages=stages))


def dry_run(layout: Layout, plan: ControllerPlan) -> Trip | None:
    """Run two cycles of a plan that ``refusals`` lets pass before a monitor."""
    cabinet = Cabinet(layout, {plan.number: plan}, plan.number, clock_s=plan.offset_s)
    for _ in range(2 * plan.cycle_s + START_RED_S):
        cabinet = step(cabinet)
        if cabinet.trip is not None:
            return cabinet.trip
    return None
