"""Where a convoy is on its route, which junctions are to be held for it, and which are behind it.

Pure. A position off the route is none: nobody guesses where a convoy is. Distances along the route
are those between the points that were drawn, straight on between them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from city.errors import Invalid
from city.places import EARTH_RADIUS_M, Position, distance_m
from signals.rules.controllers.layout import ControllerPlan, Layout

FEWEST, MOST = 1, 60
OFF_M: Final = 120.0
"""Whoever is farther from the line between two points is not on it: streets bend between them."""
BEHIND_M: Final = 50.0
"""So far back a position may jump by its own error; it never takes progress away."""
PASSED_M: Final = 25.0
"""Beyond a junction's middle the last vehicle of a short convoy has left it."""
APART_M: Final = 2_500.0
"""Two junctions of a route that follow each other lie no farther apart."""
_LEAST_MPS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Stop:
    """A junction on the way, and the signal group that releases the convoy."""

    signal: str
    group: str
    position: Position
    """Its middle."""


@dataclass(frozen=True)
class Route:
    """A way from a meeting point through junctions.

    Raises
    ------
    Invalid
        On no stop or too many, a junction twice in a row, or two that lie too far apart.
    """

    start: Position
    stops: tuple[Stop, ...]
    tail_m: float = 0.0
    """Length of the convoy: a junction is behind it when its last vehicle has left."""

    def __post_init__(self) -> None:
        if not FEWEST <= len(self.stops) <= MOST:
            raise Invalid(f"must have {FEWEST} to {MOST} junctions", field="stops")
        points = self._points
        for place, (one, other) in enumerate(pairwise(points)):
            if not 1.0 <= distance_m(one, other) <= APART_M:
                raise Invalid(
                    f"must lie 1 to {APART_M:.0f} m from the point before",
                    field=f"stops.{place}.position",
                )

    @property
    def _points(self) -> list[Position]:
        return [self.start, *(each.position for each in self.stops)]

    @cached_property
    def along_m(self) -> tuple[float, ...]:
        """Where each junction's middle is, from the start."""
        found, total_m = [], 0.0
        points = self._points
        for one, other in pairwise(points):
            total_m += distance_m(one, other)
            found.append(total_m)
        return tuple(found)


def progress_m(route: Route, at: Position, before_m: float) -> float | None:
    """Give how far along its route a convoy's head is; None where it is not on it.

    Parameters
    ----------
    route : Route
    at : Position
    before_m : float
        Where it was: of a route that crosses itself the nearest place ahead counts.
    """
    points = route._points  # noqa: SLF001 - of this module
    starts_m = [0.0, *route.along_m]
    best: tuple[float, float] | None = None
    for place, (one, other) in enumerate(pairwise(points)):
        last = place == len(points) - 2
        share, off_m = _beside(one, other, at, beyond=last)
        along_m = starts_m[place] + share * (starts_m[place + 1] - starts_m[place])
        near = off_m <= OFF_M and along_m >= before_m - BEHIND_M
        if near and (best is None or (off_m, along_m) < best):
            best = off_m, along_m
    return None if best is None else max(best[1], before_m)


def _beside(one: Position, other: Position, at: Position, *, beyond: bool) -> tuple[float, float]:
    """Give where the foot of a point lies on a line, as a share, and how far the point is off."""
    x_m, y_m = _plane(one, other)
    px_m, py_m = _plane(one, at)
    share = (px_m * x_m + py_m * y_m) / max(x_m**2 + y_m**2, 1e-9)
    most = math.inf if beyond else 1.0
    share = min(max(share, 0.0), most)
    return share, math.hypot(px_m - share * x_m, py_m - share * y_m)


def _plane(origin: Position, at: Position) -> tuple[float, float]:
    parallel_m = EARTH_RADIUS_M * math.cos(math.radians(origin.latitude))
    return (
        math.radians(at.longitude - origin.longitude) * parallel_m,
        math.radians(at.latitude - origin.latitude) * EARTH_RADIUS_M,
    )


def passed(route: Route, along_m: float) -> int:
    """Give how many junctions the whole convoy has left."""
    clear_m = along_m - route.tail_m - PASSED_M
    return sum(each <= clear_m for each in route.along_m)


def due(route: Route, along_m: float, speed_mps: float, lead_s: float) -> list[int]:
    """Give the junctions, by their places, that are to be held: those reached within the lead."""
    reach_m = along_m + max(speed_mps, _LEAST_MPS) * lead_s
    first = passed(route, along_m)
    return [place for place in range(first, len(route.stops)) if route.along_m[place] <= reach_m]


def stage_for(layout: Layout, plan: ControllerPlan, group: str, running: int | None) -> int | None:
    """Give the stage that lets a convoy go; None where the plan has none.

    The one that runs, where it does; else the next of the plan's, so that nobody is passed over
    who would have been green before.

    Parameters
    ----------
    layout : Layout
        Its phases named after the junction's groups.
    plan : ControllerPlan
    group : str
    running : int or None
    """
    chain = [each.stage for each in plan.stages if each.stage in layout.stage_of]
    start = chain.index(running) if running in chain else 0
    for step in range(len(chain)):
        stage = chain[(start + step) % len(chain)]
        names = (layout.phase_of[each].name for each in layout.stage_of[stage].phases)
        if group in names:
            return stage
    return None


def stops_json(stops: Sequence[Stop]) -> list[dict[str, object]]:
    """Give stops as they are kept."""
    return [
        {"signal": each.signal, "group": each.group, "position": each.position.as_json()}
        for each in stops
    ]


def stops_from_json(rows: Sequence[Mapping[str, object]]) -> tuple[Stop, ...]:
    """Read stops back."""
    found = []
    for row in rows:
        position = row["position"]
        if not isinstance(position, list):
            raise Invalid("is no position", field="position")
        longitude, latitude = position
        found.append(
            Stop(str(row["signal"]), str(row["group"]), Position(float(longitude), float(latitude)))
        )
    return tuple(found)
