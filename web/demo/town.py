"""The demo town's streets, from a seed: a warped grid on both banks of a river.

Seven streets run north, six east, three bridges cross; lanes cut through the blocks. Thirty
crossings are signalled. Lengths are metres in a local plane around `CENTRE`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Final

from city.identifiers import DistrictCode, JunctionId
from city.places import District, Position, distance_m
from city.streets import StreetClass, StreetLink, StreetNetwork, StreetNode
from web.demo import names
from web.demo.ids import demo_id

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED: Final = 7
"""The one town that the demo shows."""

CENTRE: Final = Position(118.0540, 30.9270)
"""Where the invented town lies on the map."""

COLUMNS_M: Final = (-930.0, -620.0, -300.0, 0.0, 290.0, 610.0, 940.0)
ROWS_M: Final = (-820.0, -500.0, -170.0, 150.0, 470.0, 800.0)
RIVER_AFTER_ROW: Final = 2
RIVER_HALF_WIDTH_M: Final = 62.0
BRIDGES: Final = (1, 3, 5)
ARTERIAL_COLUMNS: Final = (1, 3, 5)
ARTERIAL_ROWS: Final = (1, 4)
SIGNALLED_SIDE_CROSSINGS: Final = frozenset({(2, 2), (4, 2), (2, 3), (4, 3)})
LANE_SHARE: Final = 0.62

SOUTH: Final = District(DistrictCode("0153"), names.SOUTH_BANK.zh, names.SOUTH_BANK.en)
NORTH: Final = District(DistrictCode("0154"), names.NORTH_BANK.zh, names.NORTH_BANK.en)

LANES_BY_CLASS: Final = {
    StreetClass.ARTERIAL: (3, 50.0),
    StreetClass.SUB_ARTERIAL: (2, 40.0),
    StreetClass.LOCAL: (1, 30.0),
}
"""Lanes in each direction and permitted speed in km/h."""


@dataclass(frozen=True, slots=True)
class Area:
    """A filled piece of the base map."""

    kind: str
    name: names.Name
    outline: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class DemoJunction:
    """A signalled crossing, with crossings for pedestrians and lanes for bicycles on every arm."""

    junction_id: JunctionId
    code: str
    name: names.Name
    node: str
    district: DistrictCode


@dataclass(frozen=True, slots=True)
class Town:
    """All that does not move."""

    seed: int
    network: StreetNetwork
    junctions: tuple[DemoJunction, ...]
    areas: tuple[Area, ...]

    def district_at(self, at: Position) -> District:
        """Return the bank on which a position lies."""
        return NORTH if at.latitude > river_latitude(self.seed, at) else SOUTH


class _Warp:
    """Bends the plane smoothly, so that the grid reads as a town that grew."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)  # noqa: S311 - a town, not a secret
        self._phases = [random.uniform(0, 2 * math.pi) for _ in range(4)]

    def __call__(self, x_m: float, y_m: float) -> Position:
        a, b, c, d = self._phases
        east_m = x_m + 34 * math.sin(y_m / 430 + a) + 16 * math.sin((x_m + y_m) / 260 + b)
        north_m = y_m + 40 * math.sin(x_m / 520 + c) + 14 * math.sin((x_m - y_m) / 300 + d)
        return CENTRE.moved(east_m, north_m)


def place(seed: int, x_m: float, y_m: float) -> Position:
    """Return where a point of the unbent plan lies, so that what stands in a block stays in it."""
    return _Warp(seed)(x_m, y_m)


def _river_middle_m() -> float:
    return (ROWS_M[RIVER_AFTER_ROW] + ROWS_M[RIVER_AFTER_ROW + 1]) / 2


def river_latitude(seed: int, at: Position) -> float:
    """Return the latitude of the river's middle at a position's longitude."""
    warp = _Warp(seed)
    x_m = distance_m(Position(CENTRE.longitude, at.latitude), at)
    if at.longitude < CENTRE.longitude:
        x_m = -x_m
    return warp(x_m, _river_middle_m()).latitude


def _street_class(column: int | None, row: int | None) -> StreetClass:
    if column in ARTERIAL_COLUMNS or row in ARTERIAL_ROWS:
        return StreetClass.ARTERIAL
    return StreetClass.SUB_ARTERIAL


def _signalled(column: int, row: int) -> bool:
    return (
        column in ARTERIAL_COLUMNS
        or row in ARTERIAL_ROWS
        or (column, row) in SIGNALLED_SIDE_CROSSINGS
    )


class _Builder:
    """Lays nodes and links; names and classes come from the street that they belong to."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.warp = _Warp(seed)
        self.nodes: dict[str, StreetNode] = {}
        self.links: list[StreetLink] = []
        self.junctions: list[DemoJunction] = []
        self._plane: dict[str, tuple[float, float]] = {}

    def node(self, name: str, x_m: float, y_m: float, junction_id: JunctionId | None) -> None:
        self._plane[name] = (x_m, y_m)
        self.nodes[name] = StreetNode(name, self.warp(x_m, y_m), junction_id)

    def street(self, a: str, b: str, name: names.Name, street_class: StreetClass) -> None:
        """Lay both directions between two nodes, bent as the plane is."""
        (ax, ay), (bx, by) = self._plane[a], self._plane[b]
        steps = max(2, round(math.hypot(bx - ax, by - ay) / 45))
        points = tuple(
            self.warp(ax + (bx - ax) * step / steps, ay + (by - ay) * step / steps)
            for step in range(steps + 1)
        )
        length_m = sum(distance_m(p, q) for p, q in pairwise(points))
        lanes, speed_kph = LANES_BY_CLASS[street_class]
        for start, end, geometry in ((a, b, points), (b, a, points[::-1])):
            self.links.append(
                StreetLink(
                    f"{start}-{end}",
                    start,
                    end,
                    geometry,
                    round(length_m, 2),
                    street_class,
                    lanes,
                    speed_kph,
                    name.zh,
                    name.en,
                )
            )


def build_town(seed: int) -> Town:
    """Return the town of a seed; the same seed gives the same town."""
    builder = _Builder(seed)
    random = Random(seed + 1)  # noqa: S311 - a town, not a secret
    _crossings(builder)
    runs = list(_lane_runs(random))
    cut = {(column, row) for row, first, last in runs for column in range(first, last + 1)}
    for column, row in sorted(cut):
        y_m = (ROWS_M[row] + ROWS_M[row + 1]) / 2
        builder.node(f"m{column}{row}", COLUMNS_M[column], y_m, None)
    _main_streets(builder, cut)
    for index, (row, first, last) in enumerate(runs):
        name = names.LANES[index % len(names.LANES)]
        for column in range(first, last):
            builder.street(f"m{column}{row}", f"m{column + 1}{row}", name, StreetClass.LOCAL)
    return Town(
        seed,
        StreetNetwork(builder.nodes.values(), builder.links),
        tuple(builder.junctions),
        (_river(builder.warp), *_parks(builder.warp)),
    )


def _crossings(builder: _Builder) -> None:
    for row, y_m in enumerate(ROWS_M):
        for column, x_m in enumerate(COLUMNS_M):
            junction_id = None
            if _signalled(column, row):
                junction_id = JunctionId(demo_id(builder.seed, "junction", f"{column}-{row}"))
                east, north = names.EAST_WEST[row], names.NORTH_SOUTH[column]
                builder.junctions.append(
                    DemoJunction(
                        junction_id,
                        f"J{len(builder.junctions) + 1:02d}",
                        names.Name(f"{east.zh}—{north.zh}", f"{east.en} / {north.en}"),
                        f"n{column}{row}",
                        (SOUTH if row <= RIVER_AFTER_ROW else NORTH).code,
                    )
                )
            builder.node(f"n{column}{row}", x_m, y_m, junction_id)


def _lane_runs(random: Random) -> Iterator[tuple[int, int, int]]:
    """Yield lanes as (row below, first column, last column); none in the river."""
    for row in range(len(ROWS_M) - 1):
        if row == RIVER_AFTER_ROW:
            continue
        column = 0
        while column < len(COLUMNS_M) - 1:
            if random.random() > LANE_SHARE:
                column += 1
                continue
            last = min(column + random.choice((1, 2, 3)), len(COLUMNS_M) - 1)
            yield row, column, last
            column = last + 1


def _main_streets(builder: _Builder, cut: set[tuple[int, int]]) -> None:
    for row in range(len(ROWS_M)):
        for column in range(len(COLUMNS_M) - 1):
            builder.street(
                f"n{column}{row}",
                f"n{column + 1}{row}",
                names.EAST_WEST[row],
                _street_class(None, row),
            )
    for column in range(len(COLUMNS_M)):
        for row in range(len(ROWS_M) - 1):
            if row == RIVER_AFTER_ROW and column not in BRIDGES:
                continue
            stops = [f"n{column}{row}", f"n{column}{row + 1}"]
            if (column, row) in cut:
                stops.insert(1, f"m{column}{row}")
            for a, b in pairwise(stops):
                builder.street(a, b, names.NORTH_SOUTH[column], _street_class(column, None))


def _river(warp: _Warp) -> Area:
    middle_m = _river_middle_m()
    west_m, east_m, step_m = -1500, 1500, 60
    south = [warp(x, middle_m - RIVER_HALF_WIDTH_M) for x in range(west_m, east_m + 1, step_m)]
    north = [warp(x, middle_m + RIVER_HALF_WIDTH_M) for x in range(west_m, east_m + 1, step_m)]
    return Area("water", names.RIVER, (*south, *reversed(north), south[0]))


def _parks(warp: _Warp) -> Iterator[Area]:
    for name, x_m, y_m, half_width_m, half_height_m in (
        (names.Name("钟楼公园", "Bell Tower Park"), -150.0, -415.0, 95.0, 50.0),
        (names.Name("北苑公园", "Beiyuan Park"), 450.0, 560.0, 90.0, 55.0),
        (names.Name("江滩公园", "Riverbank Park"), -460.0, 205.0, 110.0, 22.0),
    ):
        corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
        outline = [
            warp(x_m + side * half_width_m, y_m + up * half_height_m) for side, up in corners
        ]
        yield Area("park", name, tuple(outline))
