"""Sets of instants as ordered, disjoint, half-open stretches: the arithmetic behind coverage."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from heapq import merge

Span = tuple[datetime, datetime]
"""From, inclusive, to, exclusive; both aware. A span of no length holds nothing."""

Spans = tuple[Span, ...]
"""In order, disjoint, not touching, none empty."""


def normal(spans: Iterable[Span]) -> Spans:
    """Give any spans in order, those that overlap or touch as one, empty ones left out."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def intersection(one: Sequence[Span], other: Sequence[Span]) -> Spans:
    """Give what two normal sets share; cost grows with their lengths together."""
    found: list[Span] = []
    left = right = 0
    while left < len(one) and right < len(other):
        start, end = max(one[left][0], other[right][0]), min(one[left][1], other[right][1])
        if start < end:
            found.append((start, end))
        if one[left][1] < other[right][1]:
            left += 1
        else:
            right += 1
    return tuple(found)


def difference(one: Sequence[Span], other: Sequence[Span]) -> Spans:
    """Give what of the first normal set is not in the second."""
    found: list[Span] = []
    place = 0
    for start, end in one:
        at = start
        while place < len(other) and other[place][1] <= at:
            place += 1
        here = place
        while here < len(other) and other[here][0] < end:
            if at < other[here][0]:
                found.append((at, other[here][0]))
            at = max(at, other[here][1])
            here += 1
        if at < end:
            found.append((at, end))
    return tuple(found)


def length(spans: Iterable[Span]) -> timedelta:
    """Give how long a normal set lasts in all."""
    return sum((end - start for start, end in spans), timedelta())


def leading(spans: Sequence[Span], most: timedelta) -> Spans:
    """Give the first part of a normal set that lasts no longer than ``most`` in all."""
    found: list[Span] = []
    for start, end in spans:
        if most <= timedelta():
            break
        stop = min(end, start + most)
        found.append((start, stop))
        most -= stop - start
    return normal(found)


def where_count(sets: Sequence[Sequence[Span]], holds: Callable[[int], bool]) -> Spans:
    """Give the instants at which a number of sets that passes ``holds`` are there.

    Instants outside every set count as none of them, so ``holds(0)`` must be false: the answer
    would have no end. Cost grows as n log n with the spans of all sets.
    """
    if holds(0):
        raise ValueError("holds(0) must be false")
    edges = merge(
        *([edge for start, end in spans for edge in ((start, 1), (end, -1))] for spans in sets)
    )
    found: list[Span] = []
    count, since = 0, None
    last: datetime | None = None
    for at, step in edges:
        if last is not None and since is not None and at > last:
            found.append((since, at))
            since = None
        count += step
        last = at
        since = at if holds(count) else None
    return normal(found)
