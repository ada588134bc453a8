"""Arcs of a circle: the instants of a cycle at which something is open."""

from collections.abc import Sequence
from typing import Final

Arcs = list[tuple[float, float]]
"""Parts of the circle [0, 1], in order and apart."""
WHOLE: Final[Arcs] = [(0.0, 1.0)]


def arcs_from(shifts: Sequence[tuple[float, object]], room: float) -> Arcs:
    """Give arcs of one length from several beginnings in [0, 1)."""
    return arcs_of([(shift, room) for shift, _ in shifts])


def arcs_of(openings: Sequence[tuple[float, float]]) -> Arcs:
    """Give arcs from beginnings in [0, 1) and lengths below 1."""
    found: Arcs = []
    for shift, room in openings:
        end = shift + room
        found += [(shift, end)] if end <= 1 else [(0.0, end - 1), (shift, 1.0)]
    return merged(found)


def moved(arcs: Arcs, by: float, longer: float) -> Arcs:
    """Move arcs along the circle and lengthen them."""
    found: Arcs = []
    for start, end in arcs:
        length = end - start + longer
        if length >= 1:
            return WHOLE
        begin = (start + by) % 1.0
        stop = begin + length
        found += [(begin, stop)] if stop <= 1 else [(0.0, stop - 1), (begin, 1.0)]
    return merged(found)


def merged(arcs: Arcs) -> Arcs:
    """Give arcs in order, those that touch as one."""
    if len(arcs) < 2:  # noqa: PLR2004 - nothing to merge
        return arcs
    arcs.sort()
    found = [arcs[0]]
    for start, end in arcs[1:]:
        last_start, last_end = found[-1]
        if start <= last_end:
            found[-1] = (last_start, max(last_end, end))
        else:
            found.append((start, end))
    return found


def common(one: Arcs, other: Arcs) -> Arcs:
    """Give what two sets of arcs have in common."""
    found: Arcs = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start <= end:
            found.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found


def middle(arcs: Arcs) -> float:
    """Give the middle of the longest arc."""
    start, end = max(arcs, key=lambda each: each[1] - each[0])
    return (start + end) / 2
