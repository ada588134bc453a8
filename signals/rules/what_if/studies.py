"""A study of one junction: other functions of its lanes, or no signal, beside what there is.

Each side is judged vehicle by vehicle under the same drawn demand, and by the safety checker. A
side with given functions is timed anew; ways are drawn anew on both sides then, so that they differ
in their functions alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signals.rules.delay.service import hcm_level_giving_way
from signals.rules.junctions import GroupKind
from signals.rules.life.outlook import Demand, outlook_of_lanes
from signals.rules.model.document_writing import document_of
from signals.rules.model.junction import ConflictKind, SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.plans.chance import ByVehicles
from signals.rules.plans.planning import plan_junction
from signals.rules.safety.case import Case, prepare
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import Profile
from signals.rules.safety.report import SafetyReport
from signals.rules.what_if.lane_functions import Functions, network_with, with_functions
from signals.rules.what_if.traffic import warrant_of

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Side:
    """A junction under a plan, as documents."""

    figures: dict[str, "JsonValue"]
    """How it fares, what the checker says."""
    document: dict[str, "JsonValue"]
    """The junction with its roads and the plan."""


def as_timed(case: Case, programme: Programme, demand: Demand) -> Side:
    """Judge a junction under a plan."""
    return _side(case, programme, ByVehicles(case, demand.flow_vph, demand.hours))


def with_lanes(
    part: SignalNetwork, functions: Mapping[str, Functions], profile: Profile, demand: Demand
) -> Side | None:
    """Time a junction whose lanes have some functions, and judge it; None where no plan passes.

    Parameters
    ----------
    part : SignalNetwork
        The junction with its roads.
    functions : Mapping
        By approach; the others keep theirs.
    profile : Profile
    demand : Demand
    """
    made = with_functions(part, part.junctions[0], functions)
    network = network_with(part, made)
    case = prepare(made, network, profile, ())
    by_vehicles = ByVehicles(case, demand.flow_vph, demand.hours)
    found = plan_junction(case, by_vehicles.lanes, (), demand.hours, by_vehicles.draws[0])
    return None if found is None else _side(case, found.programme, by_vehicles)


def _side(case: Case, programme: Programme, by_vehicles: ByVehicles) -> Side:
    outlook = outlook_of_lanes(case.junction.name, by_vehicles.results(programme))
    found = check_programme(case, programme)
    report = SafetyReport(case.profile, 1, tuple(found.violations), tuple(found.notes))
    return Side(
        {
            "outlook": outlook.as_json(),
            "report": report.as_json(),
            "cycle_s": programme.cycle_s,
        },
        document_of(case.network, [programme]),
    )


def without_signal(part: SignalNetwork, demand: Demand) -> "dict[str, JsonValue] | None":
    """Tell what a junction would be if the lesser road gave way; None where no two roads meet.

    What is left to drivers and people on foot to settle among themselves is counted: ways of
    vehicles that cross or merge from different roads, and crossings on foot.
    """
    junction = part.junctions[0]
    found = warrant_of(part, junction, demand.flow_vph, demand.hours)
    if found is None:
        return None
    vehicles = {each.name: each for each in junction.movements if each.kind is GroupKind.VEHICLE}
    left = {ConflictKind.CROSSING: 0, ConflictKind.MERGING: 0}
    for each in junction.conflicts:
        one, other = vehicles.get(each.first), vehicles.get(each.second)
        if one is None or other is None or each.kind not in left:
            continue
        if part.road_of[one.from_lane] is not part.road_of[other.from_lane]:
            left[each.kind] += 1
    longest_s = found.longest_delay_s
    return {
        "roads_with_right_of_way": list(found.greater),
        "greater_road_vph": round(found.greater_vph),
        "lesser_approach_vph": round(found.lesser_vph),
        "asked_vph": None if found.asked_vph is None else list(found.asked_vph),
        "signal_asked_for": found.by_table,
        "over_capacity": found.delay_s is None,
        "delay_s": None if found.delay_s is None else round(found.delay_s, 2),
        "longest_approach_delay_s": None if longest_s is None else round(longest_s, 2),
        "level": "F" if longest_s is None else hcm_level_giving_way(longest_s),
        "crossing_ways": left[ConflictKind.CROSSING],
        "merging_ways": left[ConflictKind.MERGING],
        "crossings_on_foot": sum(each.kind is GroupKind.PEDESTRIAN for each in junction.movements),
    }
