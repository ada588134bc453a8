"""Adaptive control of a whole network, made from its plans, its demand and where detectors fit."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from signals.plan_making import make_plans
from signals.problem import Problem
from signals.rules.adaptive.choice import model_of
from signals.rules.adaptive.control import Adaptive, SignalSite, Walk
from signals.rules.adaptive.lanes import LaneSite
from signals.rules.adaptive.layout import Layout, shares_of
from signals.rules.control.stages import StageSet, letters, stage_set
from signals.rules.junctions import GroupKind
from signals.rules.model.plans import Programme
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.plans.passing import LaneFlow
from signals.rules.safety.case import Case, yielding

_HOUR_S: Final = 3_600.0
_MOST_STAGES: Final = 12
_SHORT_M: Final = 60.0
"""A detector so near to where a road begins tells whether the road is full."""
_LATEST_S: Final = 10.0
"""Before people on foot must have green: the longest change and what is left of a least green."""


def make_adaptive(problem: Problem) -> Adaptive:
    """Make the adaptive control of a network.

    Parameters
    ----------
    problem : Problem
        The demand gives each signal's plan, to fall back to, the turns of shared lanes, and what to
        expect where nothing has been counted yet.

    Returns
    -------
    Adaptive
        A signal with fewer than two stages keeps the network's plan.
    """
    # It falls back to whole stages, and changes between them by itself.
    made = make_plans(problem, coordinate=False, overlapping=False)
    layout = Layout(problem.roads)
    found = []
    for junction in problem.network.junctions:
        plan = made.plans.get(junction.name)
        case = problem.case_of(junction.name)
        own = [each for each in problem.own if each.junction == junction.name]
        flows = problem.flows
        lanes = lanes_of(
            junction, problem.network, flows.flow_vph, flows.bicycles_vph, flows.drivers
        )
        hours = (flows.end_s - flows.begin_s) / _HOUR_S
        maker = JunctionMaker(case, lanes, own, hours)
        order = plan.orders[0] if plan is not None and plan.orders else ()
        in_force = maker.in_force[0] if maker.in_force else ()
        stages = tuple(dict.fromkeys([*order, *in_force, *maker.pool]))[:_MOST_STAGES]
        if len(stages) < 2:  # noqa: PLR2004 - nothing to choose from
            continue
        overlapping = JunctionMaker(case, lanes, own, hours, overlapping=True)
        choices = stage_set(case, (overlapping, maker), stages, judged=True)
        chosen = order or in_force or stages
        programme = None if plan is None else plan.programme
        background = _plan(choices, chosen, maker, programme)
        counted = problem.lanes_of(junction)
        walks = _walks(case, counted, maker)
        site = _site(
            case, choices, lanes, counted, layout=layout, background=background, walks=walks
        )
        found.append(site)
    return Adaptive(_behind(found, problem, layout))


def with_failures(control: Adaptive, share: float, seed: int) -> Adaptive:
    """Let a share of the detectors fail, by turns stuck on and silent."""
    names = sorted(each.name for each in control.detectors)
    chosen = Random(seed).sample(names, round(share * len(names)))  # noqa: S311 - no secret
    failed = tuple((name, place % 2 == 0) for place, name in enumerate(chosen))
    return replace(control, failed=failed)


def _site(
    case: Case,
    choices: StageSet,
    lanes: Sequence[LaneFlow],
    counted: Sequence[LaneFlow],
    *,
    layout: Layout,
    background: tuple[tuple[int, float], ...],
    walks: tuple[Walk, ...],
) -> SignalSite:
    names = [group.name for group in case.junction.groups]
    flow_per_s = {lane.lane: lane.flow_vph / _HOUR_S for lane in lanes}
    advance = {lane.lane: layout.advance(lane.lane) for lane in lanes}
    fed: dict[str, list[str]] = {}
    for name, given in advance.items():
        if given is not None:
            fed.setdefault(given[0].name, []).append(name)
    shares = shares_of(fed, flow_per_s)
    stops = {lane.lane: layout.stop(lane.lane) for lane in lanes}
    persons = {lane.lane: lane.persons for lane in counted}
    sites = []
    for lane in lanes:
        far = advance[lane.lane]
        even = 1 / len(lane.flows_vph)
        rates = [rate for _, _, rate in lane.flows_vph]
        served_vph = lane.served_vph if lane.flow_vph > 0 else min(rates)
        sites.append(
            LaneSite(
                lane.lane,
                case.network.road_of[lane.lane].name,
                tuple(
                    (names[group], flow / lane.flow_vph if lane.flow_vph > 0 else even)
                    for group, flow, _ in lane.flows_vph
                ),
                served_vph / _HOUR_S,
                lane.start_loss_s,
                flow_per_s[lane.lane],
                stops[lane.lane].name,
                None if far is None else far[0].name,
                shares.get(lane.lane, 1.0),
                0.0 if far is None else far[1],
                persons.get(lane.lane, 1.0),
            )
        )
    # Who gives way to people on foot waits for those who are there, not for those expected.
    yields = frozenset(
        pair for pair in yielding(case) if not {walk.group for walk in walks} & set(pair)
    )
    detectors = [*stops.values(), *(far[0] for far in advance.values() if far is not None)]
    return SignalSite(
        choices,
        tuple(sites),
        model_of(choices, [*sites, *(walk.lane for walk in walks)], yields),
        tuple(dict.fromkeys(detectors)),
        ((),) * len(sites),
        background,
        walks,
    )


def _walks(case: Case, counted: Sequence[LaneFlow], maker: JunctionMaker) -> tuple[Walk, ...]:
    """Give the people on foot, whom no detector sees, how long they may wait and how many come."""
    found = []
    flow_per_s = dict.fromkeys(range(len(case.groups)), 0.0)
    for lane in counted:
        if lane.walk_s > 0:
            for index, flow_ph, _ in lane.flows_vph:
                flow_per_s[index] += flow_ph / _HOUR_S
    for place, (group, fact) in enumerate(zip(case.junction.groups, case.groups, strict=True)):
        if group.kind is not GroupKind.PEDESTRIAN or not fact.movements:
            continue
        most_s = case.profile.pedestrian_wait_s
        if fact.refuge and case.profile.pedestrian_wait_refuge_s is not None:
            most_s = case.profile.pedestrian_wait_refuge_s
        if most_s is not None:
            # Red begins when the flashing end of green is over; we count from its steady end.
            due_s = most_s - _LATEST_S + maker.flash_s(group.name)
            found.append(Walk(group.name, due_s, flow_per_s[place]))
    return tuple(found)


def _plan(
    choices: StageSet,
    order: Sequence[frozenset[str]],
    maker: JunctionMaker,
    programme: Programme | None,
) -> tuple[tuple[int, float], ...]:
    """Give the plan as stages and greens: the programme's, or Webster's shares of an order."""
    places = {stage.state: place for place, stage in enumerate(choices.stages)}
    found = []
    for interval in programme.intervals if programme is not None else ():
        place = places.get(letters(interval.shows))
        if place is not None:
            found.append((place, interval.duration_s))
    if len({place for place, _ in found}) > 1:
        return tuple(found)
    index = {stage.groups: place for place, stage in enumerate(choices.stages)}
    return tuple(
        (index[stage], green_s)
        for stage, green_s in zip(order, maker.start(order, 1.0), strict=True)
        if stage in index
    )


def _behind(
    sites: Sequence[SignalSite], problem: Problem, layout: Layout
) -> tuple[SignalSite, ...]:
    """Tell every lane which detectors show that the roads behind the junction are full."""
    entry = {
        lane.lane: each.name
        for site in sites
        for lane in site.lanes
        for each in site.detectors
        if each.name == lane.advance
        and each.lane == lane.lane
        and layout.length_m[lane.lane] - each.from_end_m <= _SHORT_M
    }
    found = []
    for site in sites:
        leads: dict[str, dict[str, None]] = {}
        for movement in problem.network.junction_of[site.stages.junction].movements:
            if movement.to_lane in entry:
                leads.setdefault(movement.from_lane, {})[entry[movement.to_lane]] = None
        found.append(
            replace(site, behind=tuple(tuple(leads.get(lane.lane, ())) for lane in site.lanes))
        )
    return tuple(found)
