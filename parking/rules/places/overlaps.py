"""Which bays, or kerb lines, claim ground that another one has."""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pydantic import JsonValue

from city.places import Position
from parking.rules.places.geometry import Footprint, overlapping, rectangle, same_kerb
from parking.rules.places.model import Bay, FacilityKind

SHARED_GROUND: Final = "ground"
_CELL_DEG: Final = 0.0005
"""About 55 m: no bay is longer."""
_RING_LENGTH: Final = 4


class Claim(NamedTuple):
    """A bay's claim to a piece of ground."""

    name: str
    """Its label, for whoever is told."""
    layer: Hashable
    """Claims of different layers never meet: levels of a garage, one garage and another."""
    footprint: Footprint


@dataclass(frozen=True, slots=True)
class Overlap:
    """A claim that another one has precedence over."""

    index: int
    other: str
    how: str

    @property
    def message(self) -> str:
        """Say it in a sentence that names the rule."""
        return f"overlaps bay {self.other}: {self.how}; bays of one ground must not overlap"


def outline_of(bay: Bay) -> tuple[Position, ...]:
    """Give a bay's corners, from its outline or its size; empty where neither is known."""
    return ring_of(bay.geometry, bay.position, bay.bearing_deg, bay.length_m, bay.width_m)


def ring_of(
    geometry: Mapping[str, JsonValue] | None,
    at: Position,
    bearing_deg: float | None,
    length_m: float | None,
    width_m: float | None,
) -> tuple[Position, ...]:
    """Give the corners of a bay from a GeoJSON polygon, else from its size; else none."""
    if geometry is not None and geometry.get("type") == "Polygon":
        rings = geometry.get("coordinates")
        ring = rings[0] if isinstance(rings, list) and rings else None
        if isinstance(ring, list) and len(ring) >= _RING_LENGTH:
            return tuple(
                Position(float(x), float(y))
                for point in ring[:-1]
                if isinstance(point, list)
                for x, y in [point[:2]]
                if isinstance(x, int | float) and isinstance(y, int | float)
            )
    if bearing_deg is not None and length_m is not None and width_m is not None:
        return rectangle(at, bearing_deg, length_m, width_m)
    return ()


def claim_of(bay: Bay, kind: FacilityKind, level: int | None) -> Claim | None:
    """Give the ground that a bay claims; None where its own place was never surveyed."""
    if bay.located != "surveyed" or bay.retired_at is not None:
        return None
    layer: Hashable = SHARED_GROUND
    if kind in {"garage", "mechanical"}:
        layer = (bay.facility_id, level)
    return Claim(bay.label, layer, Footprint(bay.position, outline_of(bay)))


def overlaps(new: Sequence[Claim], standing: Iterable[Claim]) -> tuple[Overlap, ...]:
    """Find the new claims that meet a standing one, or a new one before them that met none.

    Claims are sorted into cells, so that cost grows with them and not with their pairs.
    """
    cells: dict[tuple[Hashable, int, int], list[Claim]] = defaultdict(list)
    for claim in standing:
        for cell in _cells(claim):
            cells[cell].append(claim)
    found = []
    for index, claim in enumerate(new):
        met = _meets(claim, (other for cell in _cells(claim) for other in cells.get(cell, ())))
        if met is not None:
            found.append(Overlap(index, *met))
            continue
        for cell in _cells(claim):
            cells[cell].append(claim)
    return tuple(found)


def _meets(claim: Claim, others: Iterable[Claim]) -> tuple[str, str] | None:
    for other in others:
        how = overlapping(claim.footprint, other.footprint)
        if how is not None:
            return other.name, how
    return None


def _cells(claim: Claim) -> Iterator[tuple[Hashable, int, int]]:
    """Yield the cells that a claim may reach into."""
    at, reach_m = claim.footprint.at, claim.footprint.reach_m + 1.0
    north = math.degrees(reach_m / 6_371_000)
    east = north / max(0.01, math.cos(math.radians(at.latitude)))
    for column in range(
        math.floor((at.longitude - east) / _CELL_DEG),
        math.floor((at.longitude + east) / _CELL_DEG) + 1,
    ):
        for row in range(
            math.floor((at.latitude - north) / _CELL_DEG),
            math.floor((at.latitude + north) / _CELL_DEG) + 1,
        ):
            yield claim.layer, column, row


class KerbLine(NamedTuple):
    """A line along which cars park."""

    name: str
    line: tuple[Position, ...]


def kerb_overlaps(new: Sequence[KerbLine], standing: Iterable[KerbLine]) -> tuple[Overlap, ...]:
    """Find the new lines that run along a standing one, or a new one before them."""
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    lines = [*standing]
    for index, each in enumerate(lines):
        for cell in _line_cells(each.line):
            cells[cell].append(index)
    found = []
    for index, each in enumerate(new):
        near = {other for cell in _line_cells(each.line) for other in cells.get(cell, ())}
        met = next(
            (
                (lines[other].name, shared)
                for other in sorted(near)
                if (shared := same_kerb(each.line, lines[other].line)) is not None
            ),
            None,
        )
        if met is not None:
            found.append(Overlap(index, met[0], f"runs along it for {met[1]:.1f} m"))
            continue
        lines.append(each)
        for cell in _line_cells(each.line):
            cells[cell].append(len(lines) - 1)
    return tuple(found)


def _line_cells(line: Sequence[Position]) -> set[tuple[int, int]]:
    """Give the cells of a line's box, a little widened; kerbs are some hundred metres long."""
    wide = _CELL_DEG / 5
    columns = range(
        math.floor((min(p.longitude for p in line) - wide) / _CELL_DEG),
        math.floor((max(p.longitude for p in line) + wide) / _CELL_DEG) + 1,
    )
    rows = range(
        math.floor((min(p.latitude for p in line) - wide) / _CELL_DEG),
        math.floor((max(p.latitude for p in line) + wide) / _CELL_DEG) + 1,
    )
    return {(column, row) for column in columns for row in rows}
