"""A signal's fixed plan, its lanes and its longest reds made ready for the rules of priority."""

from collections.abc import Sequence
from typing import Final

from signals.rules.control.plan_stages import plan_stages, sound
from signals.rules.junctions import GroupKind
from signals.rules.model.plans import Programme
from signals.rules.plans.passing import LaneFlow
from signals.rules.priority.decision import Limit
from signals.rules.priority.queues import Lane, rates_of
from signals.rules.priority.running import PlanSite
from signals.rules.safety.case import Case, yielding
from signals.rules.simulation.persons import PERSONS

LONGEST_RED_S: Final = 120.0
"""Nobody should wait for green longer, where the profile asks for no less."""
_HOUR_S: Final = 3_600.0


def site_of(case: Case, programme: Programme, lanes: Sequence[LaneFlow]) -> PlanSite | None:
    """Give a signal under a plan; None where the plan cannot be taken apart or is unsafe."""
    plan = plan_stages(case, programme) if sound(case, programme) else None
    if plan is None:
        return None
    names = [group.name for group in case.junction.groups]
    known = tuple(
        Lane(
            lane.lane,
            tuple(
                (names[group], flow / lane.flow_vph if lane.flow_vph > 0 else 1 / len(rates))
                for group, flow, _ in lane.flows_vph
            ),
            lane.flow_vph / _HOUR_S,
            (lane.served_vph if lane.flow_vph > 0 else min(rates)) / _HOUR_S,
            lane.start_loss_s,
            PERSONS["passenger"],
        )
        for lane in lanes
        for rates in ([rate for _, _, rate in lane.flows_vph],)
    )
    return PlanSite(
        plan.stages,
        tuple(names),
        plan.greens_s,
        plan.starts_s,
        plan.cycle_s,
        programme.offset_s,
        known,
        rates_of(plan.stages, known, yielding(case)),
        limits_of(case),
    )


def limits_of(case: Case) -> tuple[Limit, ...]:
    """Give how long each signal group may be red: people on foot as the law says."""
    profile, found = case.profile, []
    for group, fact in zip(case.junction.groups, case.groups, strict=True):
        if not fact.movements:
            continue
        most_s = min(profile.longest_red_s or LONGEST_RED_S, LONGEST_RED_S)
        if group.kind is GroupKind.PEDESTRIAN and profile.pedestrian_wait_s is not None:
            most_s = profile.pedestrian_wait_s
            if fact.refuge and profile.pedestrian_wait_refuge_s is not None:
                most_s = profile.pedestrian_wait_refuge_s
        found.append(Limit(group.name, most_s))
    return tuple(found)
