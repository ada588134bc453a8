"""A network taken apart by its junctions, so that each can be kept, read and judged by itself."""

from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from city.errors import Invalid
from signals.rules.model.document_writing import document_of
from signals.rules.model.documents import plans_from_json
from signals.rules.model.geometry import Point
from signals.rules.model.junction import SignalledJunction, SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.model.stages import flashing_s
from signals.rules.safety.case import is_steady_green

MOST_PLANS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Stage:
    """An interval of a programme whose length may be chosen, and what follows until the next."""

    interval: int
    groups: tuple[str, ...]
    green_s: float
    """Of the interval itself."""
    change_s: float
    """From its end to the next stage: flashing, yellow and red."""


def part_of(network: SignalNetwork, junction: SignalledJunction) -> SignalNetwork:
    """Give a junction with the roads at it."""
    lanes = {end for each in junction.movements for end in (each.from_lane, each.to_lane)}
    roads = tuple(road for road in network.roads if any(lane.name in lanes for lane in road.lanes))
    return SignalNetwork(roads, (junction,))


def middle_of(junction: SignalledJunction) -> Point:
    """Give where a junction lies: the mean of its nodes."""
    count = len(junction.nodes)
    return (
        sum(node.position[0] for node in junction.nodes) / count,
        sum(node.position[1] for node in junction.nodes) / count,
    )


def stages_of(programme: Programme) -> tuple[Stage, ...]:
    """Give the stages of a programme: where somebody has a steady green and nobody changes."""
    lasts = [each.duration_s for each in programme.intervals]
    places = [
        place
        for place, each in enumerate(programme.intervals)
        if each.duration_s > 0
        and any(map(is_steady_green, each.shows))
        and all(is_steady_green(a) or a.value in {"red", "turn_on_red"} for a in each.shows)
    ]
    found = []
    for number, place in enumerate(places):
        following = places[(number + 1) % len(places)]
        between = (
            lasts[place + 1 : following]
            if following > place
            else [*lasts[place + 1 :], *lasts[:following]]
        )
        shows = programme.intervals[place].shows
        found.append(
            Stage(
                place,
                tuple(
                    group
                    for group, aspect in zip(programme.groups, shows, strict=True)
                    if is_steady_green(aspect)
                ),
                lasts[place],
                sum(between),
            )
        )
    return tuple(found)


def with_greens(programme: Programme, greens_s: dict[int, float]) -> Programme:
    """Give a programme with other lengths of some intervals.

    Raises
    ------
    Invalid
        On an interval that is no stage.
    """
    known = {stage.interval for stage in stages_of(programme)}
    for place in greens_s:
        if place not in known:
            raise Invalid("is no stage", field=f"intervals.{place}")
    return replace(
        programme,
        intervals=tuple(
            replace(each, duration_s=float(greens_s.get(place, each.duration_s)))
            for place, each in enumerate(programme.intervals)
        ),
    )


def plans_of(value: JsonValue, parts: dict[str, SignalNetwork]) -> tuple[Programme, ...]:
    """Read the plans of a document, each bound to its own junction's part.

    Raises
    ------
    Invalid
        On no plan, a signal that is not there, one with two plans, or a plan that does not fit.
    """
    plans = value.get("plans") if isinstance(value, dict) else None
    if not isinstance(plans, list) or not plans:
        raise Invalid("must hold a plan at least", field="plans")
    if len(plans) > MOST_PLANS:
        raise Invalid(f"must hold at most {MOST_PLANS} plans", field="plans")
    found: dict[str, Programme] = {}
    for number, plan in enumerate(plans):
        name = plan.get("junction") if isinstance(plan, dict) else None
        if not isinstance(name, str) or name not in parts:
            raise Invalid("the network has no such signal", field=f"plans.{number}.junction")
        if name in found:
            raise Invalid(f"holds two plans of {name}", field=f"plans.{number}.junction")
        found[name] = plans_from_json({"plans": [plan]}, parts[name])[0]
    return tuple(found.values())


def plan_json(programme: Programme) -> JsonValue:
    """Give the document of one plan, as it stands in a document's `plans`."""
    plans = document_of(None, [programme])["plans"]
    assert isinstance(plans, list)  # noqa: S101 - one plan was given
    return plans[0]


def least_greens_s(part: SignalNetwork) -> dict[str, float]:
    """Give how long the flashing end of each group's green is: no green is shorter."""
    return {group.name: flashing_s(group) for group in part.junctions[0].groups}
