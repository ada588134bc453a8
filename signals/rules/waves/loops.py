"""The loops of a network: short ones that all others are sums of."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LONGEST_SHORT: Final = 12
PATHS_PER_LINK: Final = 4


@dataclass(frozen=True, slots=True)
class Link:
    """Two signals that follow each other on a corridor, as the corridor is written."""

    corridor: int
    place: int
    start: int
    end: int


Loop = tuple[tuple[int, int], ...]
"""Numbers of links, each with 1 where it is driven as written and -1 against it."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a signal is reached from one that comes before it in a tree."""

    link: int
    sign: int
    before: int


def tree_of(count: int, links: Sequence[Link]) -> list[tuple[int, Step | None]]:
    """Give the signals in an order in which each is reached from one before; None begins a part."""
    around = _around(count, links)
    found: list[tuple[int, Step | None]] = []
    known = [False] * count
    for root in range(count):
        if known[root]:
            continue
        known[root] = True
        found.append((root, None))
        waiting = deque([root])
        while waiting:
            here = waiting.popleft()
            for link, sign, there in around[here]:
                if not known[there]:
                    known[there] = True
                    found.append((there, Step(link, sign, here)))
                    waiting.append(there)
    return found


def loops_of(count: int, links: Sequence[Link]) -> list[Loop]:
    """Give independent loops, as many as there are, the shortest first.

    Notes
    -----
    Independent in the sense of Horton's minimum cycle basis, of which the short loops through each
    link are the candidates; what they leave open is closed through a tree. Costs as the links for
    streets that are grids, and with their square at worst.
    """
    tree = tree_of(count, links)
    parts = sum(step is None for _, step in tree)
    wanted = len(links) - count + parts
    if wanted == 0:
        return []
    around = _around(count, links)
    candidates: list[Loop] = []
    for number, link in enumerate(links):
        candidates += [
            ((number, 1), *path) for path in _paths(around, link.end, link.start, number)
        ]
    candidates.sort(key=len)
    found: list[Loop] = []
    pivots: dict[int, int] = {}
    for loop in (*candidates, *_through(tree, links)):
        if len(found) == wanted:
            break
        rest = 0
        for each, _ in loop:
            rest ^= 1 << each
        while rest:
            top = rest.bit_length() - 1
            if top not in pivots:
                pivots[top] = rest
                found.append(loop)
                break
            rest ^= pivots[top]
    return found


def _around(count: int, links: Sequence[Link]) -> list[list[tuple[int, int, int]]]:
    around: list[list[tuple[int, int, int]]] = [[] for _ in range(count)]
    for number, link in enumerate(links):
        around[link.start].append((number, 1, link.end))
        around[link.end].append((number, -1, link.start))
    return around


def _paths(
    around: Sequence[Sequence[tuple[int, int, int]]], start: int, end: int, without: int
) -> list[Loop]:
    """Give some of the shortest ways from one signal to another that leave out a link."""
    far = {start: 0}
    before: dict[int, list[tuple[int, int, int]]] = {start: []}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        if here == end or far[here] >= LONGEST_SHORT:
            break
        for link, sign, there in around[here]:
            if link == without:
                continue
            if there not in far:
                far[there] = far[here] + 1
                before[there] = [(link, sign, here)]
                waiting.append(there)
            elif far[there] == far[here] + 1:
                before[there].append((link, sign, here))
    if end not in far:
        return []
    paths: list[tuple[int, Loop]] = [(end, ())]
    while paths and paths[0][0] != start:
        paths = [
            (previous, ((link, sign), *path))
            for here, path in paths
            for link, sign, previous in before[here]
        ][:PATHS_PER_LINK]
    return [path for _, path in paths]


def _through(tree: Sequence[tuple[int, Step | None]], links: Sequence[Link]) -> list[Loop]:
    """Give for each link the loop that it closes over the tree."""
    steps = dict(tree)
    deep: dict[int, int] = {}
    for signal, step in tree:
        deep[signal] = 0 if step is None else deep[step.before] + 1
    in_tree = {step.link for step in steps.values() if step is not None}
    found: list[Loop] = []
    for number, link in enumerate(links):
        if number in in_tree:
            continue
        up: list[tuple[int, int]] = []
        down: list[tuple[int, int]] = []
        one, other = link.end, link.start
        while one != other:
            if deep[one] >= deep[other]:
                step = steps[one]
                assert step is not None  # noqa: S101 - a root is never the deeper of two that differ
                up.append((step.link, -step.sign))
                one = step.before
            else:
                step = steps[other]
                assert step is not None  # noqa: S101 - the same
                down.append((step.link, step.sign))
                other = step.before
        found.append(((number, 1), *up, *reversed(down)))
    return found
