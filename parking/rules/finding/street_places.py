"""Streets and junctions as places that a driver can name: from the network, by their names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from city.places import Position, distance_m
from city.streets import StreetLink, StreetNetwork

NamedKind = Literal["facility", "street", "junction"]

LEAST_STREETS: Final = 2
"""Named streets that meet at a junction that can be named."""


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place and what it is called.

    Attributes
    ----------
    key
        The same for the same place as long as its source names it so.
    """

    kind: NamedKind
    key: str
    name_zh: str
    name_en: str
    position: Position


def street_places(network: StreetNetwork) -> tuple[NamedPlace, ...]:
    """Give every named street, and every signalled junction at which two of them meet.

    One name in two parts of a city that no street of the name joins is two streets, told apart by
    a street that each meets. A street's position is the middle of its link nearest to the middle
    of all of its links.

    Notes
    -----
    Costs as the links, once a network.
    """
    by_name: dict[tuple[str, str], list[StreetLink]] = {}
    meeting: dict[str, dict[tuple[str, str], None]] = {}
    for link in network.links.values():
        name = (link.name_zh.strip(), link.name_en.strip())
        if not any(name):
            continue
        by_name.setdefault(name, []).append(link)
        for end in (link.start, link.end):
            meeting.setdefault(end, {})[name] = None
    streets = []
    for name, links in by_name.items():
        parts = _joined(links)
        for part in parts:
            shown = name if len(parts) == 1 else _told_apart(name, part, meeting)
            key = f"street:{min(each.id for each in part)}"
            streets.append(NamedPlace("street", key, *shown, _middle(part)))
    junctions = []
    for junction_id, node in network.junctions().items():
        names = sorted(meeting.get(node.id, {}), key=lambda name: (name[1] or name[0], name[0]))
        if len(names) < LEAST_STREETS:
            continue
        junctions.append(
            NamedPlace(
                "junction",
                f"junction:{junction_id}",
                "与".join(zh or en for zh, en in names),
                " / ".join(en or zh for zh, en in names),
                node.position,
            )
        )
    return (*streets, *junctions)


def _joined(links: Sequence[StreetLink]) -> list[list[StreetLink]]:
    """Part links into those that hang together."""
    root: dict[str, str] = {}

    def top(node: str) -> str:
        while root.setdefault(node, node) != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for link in links:
        root[top(link.start)] = top(link.end)
    parts: dict[str, list[StreetLink]] = {}
    for link in links:
        parts.setdefault(top(link.start), []).append(link)
    return list(parts.values())


def _told_apart(
    name: tuple[str, str],
    links: Sequence[StreetLink],
    meeting: Mapping[str, Mapping[tuple[str, str], None]],
) -> tuple[str, str]:
    """Add to a street's name the first, by name, of the streets that it meets."""
    ends = {end for link in links for end in (link.start, link.end)}
    others = {other for end in ends for other in meeting.get(end, {})} - {name}
    if not others:
        return name
    zh, en = min(others, key=lambda other: (other[1] or other[0], other[0]))
    return (
        f"{name[0]}（近{zh or en}）" if name[0] else "",
        f"{name[1]} (near {en or zh})" if name[1] else "",
    )


def _middle(links: Sequence[StreetLink]) -> Position:
    points = [link.point(link.length_m / 2) for link in links]
    centre = Position(
        sum(each.longitude for each in points) / len(points),
        sum(each.latitude for each in points) / len(points),
    )
    return min(points, key=lambda point: distance_m(point, centre))


def best_matches(
    places: Iterable[NamedPlace], words: str, limit: int
) -> list[tuple[int, NamedPlace]]:
    """Give the places whose name holds the words, the best first, each with its `rank`.

    Case and the space around and between words do not count.
    """
    wanted = folded(words)
    found = [
        (place_rank, each)
        for each in places
        if (place_rank := rank(wanted, each.name_zh, each.name_en)) is not None
    ]
    found.sort(key=lambda pair: (pair[0], len(pair[1].name_zh), pair[1].name_en, pair[1].key))
    return found[:limit]


def folded(words: str) -> str:
    """Give words as they are compared."""
    return "".join(words.casefold().split())


def rank(wanted: str, *names: str) -> int | None:
    """Give how well folded words name something: 0 whole, 1 its beginning, 2 within; None: not."""
    ranks = []
    for name in map(folded, names):
        at = name.find(wanted)
        if at >= 0:
            ranks.append(2 if at > 0 else 1 if len(name) > len(wanted) else 0)
    return min(ranks, default=None)
