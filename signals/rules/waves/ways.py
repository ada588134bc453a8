"""One direction of a street by itself: which band its offsets leave, at one cycle length.

Where all offsets and the cycle are known, every direction's band stands for itself. A band of
width b may begin at a signal anywhere from the beginning of the green to b before its end; from
one signal to the next it is carried by any travel time that the speeds allow. So, with arcs of the
circle, b can be had where something is left of them at the end of the street.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from signals.rules.waves.arcs import Arcs, arcs_from, common, middle, moved
from signals.rules.waves.corridor import KPH, Corridor, LeftTurns
from signals.rules.waves.network import Network

HALVINGS: Final = 40
TOUCH: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Way:
    """A direction of a street, in the order of driving.

    Attributes
    ----------
    corridor
        Its number.
    outbound
        Whether it goes as the corridor is written.
    weight
        What a share of the cycle of its band is worth.
    signals
        Numbers of its signals in the network.
    greens
        Lengths of the greens, shares of the cycle.
    begins
        When the green begins after the junction's reference point, for each left-turn pattern that
        the signal may show (one without).
    least_s, most_s
        Travel times of the links at the fastest and at the slowest speed.
    early
        By how much the band comes earlier to the next signal than it drives there: the queue
        clearances.
    """

    corridor: int
    outbound: bool
    weight: float
    signals: tuple[int, ...]
    greens: tuple[float, ...]
    begins: tuple[tuple[float, ...], ...]
    least_s: tuple[float, ...]
    most_s: tuple[float, ...]
    early: tuple[float, ...]

    @property
    def cap(self) -> float:
        """The widest band that its greens allow."""
        return min(self.greens)


@dataclass(frozen=True, slots=True)
class Band:
    """A way's widest band: begins at each signal and travel times, shares of the cycle.

    `begins` run along the band, without whole cycles taken off; `choices` are the left-turn
    patterns by number. A width of 0 says that there is none; the rest is then a drive at the
    fastest speeds.
    """

    width: float
    begins: tuple[float, ...]
    travel: tuple[float, ...]
    choices: tuple[int, ...]


def patterns_of(corridor: Corridor, place: int) -> tuple[LeftTurns | None, ...]:
    """Give the left-turn patterns that a signal may show; None where its centres are given."""
    return corridor.signals[place].patterns or (None,)


def ways_of(network: Network) -> tuple[Way, ...]:
    """Give both directions of every corridor, outbound first."""
    numbers = {name: number for number, name in enumerate(network.signals)}
    found = []
    for number, corridor in enumerate(network.corridors):
        signals = corridor.signals
        mine = tuple(numbers[each.name] for each in signals)
        outbound = Way(
            corridor=number,
            outbound=True,
            weight=corridor.weight.outbound,
            signals=mine,
            greens=tuple(1 - each.red.outbound for each in signals),
            begins=tuple(((each.red_centre + each.red.outbound / 2) % 1.0,) for each in signals),
            least_s=tuple(length * KPH / corridor.outbound_kph[1] for length in corridor.links_m),
            most_s=tuple(length * KPH / corridor.outbound_kph[0] for length in corridor.links_m),
            early=tuple(there.queue_clearance.outbound for _, there in pairwise(signals)),
        )
        inbound = Way(
            corridor=number,
            outbound=False,
            weight=corridor.weight.inbound,
            signals=mine[::-1],
            greens=tuple(1 - each.red.inbound for each in reversed(signals)),
            begins=tuple(
                tuple(
                    (each.red_centre + each.difference(pattern) + each.red.inbound / 2) % 1.0
                    for pattern in each.patterns or (None,)
                )
                for each in reversed(signals)
            ),
            least_s=tuple(
                length * KPH / corridor.inbound_kph[1] for length in reversed(corridor.links_m)
            ),
            most_s=tuple(
                length * KPH / corridor.inbound_kph[0] for length in reversed(corridor.links_m)
            ),
            early=tuple(here.queue_clearance.inbound for here, _ in pairwise(signals))[::-1],
        )
        found += [outbound, inbound]
    return tuple(found)


def widest_band(way: Way, offsets: Sequence[float], pace: float) -> Band:
    """Give the widest band of a way by the offsets of the network's signals.

    Parameters
    ----------
    way : Way
    offsets : Sequence of float
        Of every signal of the network, shares of the cycle.
    pace : float
        Cycles a second.

    Notes
    -----
    Costs some forty passes over the way's signals.
    """
    green_begins = [
        [(offsets[signal] + begin) % 1.0 for begin in begins]
        for signal, begins in zip(way.signals, way.begins, strict=True)
    ]
    found = _carried(way, green_begins, pace, 0.0)
    if found is None:
        return _fastest(way, green_begins, pace)
    width, most = 0.0, way.cap
    whole = _carried(way, green_begins, pace, most)
    if whole is not None:
        return _traced(way, green_begins, pace, most, whole)
    for _ in range(HALVINGS):
        half = (width + most) / 2
        tried = _carried(way, green_begins, pace, half)
        if tried is None:
            most = half
        else:
            width, found = half, tried
    return _traced(way, green_begins, pace, width, found)


def _carried(
    way: Way, green_begins: Sequence[Sequence[float]], pace: float, width: float
) -> list[Arcs] | None:
    """Give where a band may begin at each signal; None where it ends on the way."""
    found: list[Arcs] = []
    for place, (green, begins) in enumerate(zip(way.greens, green_begins, strict=True)):
        here = arcs_from([(begin, None) for begin in begins], max(0.0, green - width))
        if place:
            least = way.least_s[place - 1] * pace
            spread = way.most_s[place - 1] * pace - least
            here = common(moved(found[-1], least - way.early[place - 1], spread), here)
            if not here:
                return None
        found.append(here)
    return found


def _traced(
    way: Way,
    green_begins: Sequence[Sequence[float]],
    pace: float,
    width: float,
    found: Sequence[Arcs],
) -> Band:
    """Follow a band back from the last signal to the first."""
    at = [middle(found[-1])]
    travel: list[float] = []
    for link in range(len(found) - 2, -1, -1):
        least, most = way.least_s[link] * pace, way.most_s[link] * pace
        early = way.early[link]
        back = moved([(at[-1], at[-1])], early - most - TOUCH, most - least + 2 * TOUCH)
        here = middle(common(found[link], back))
        over = (at[-1] - here + early - least) % 1.0
        # A whisker below the least time is the least time.
        travel.append(least + (0.0 if over > 1 - 4 * TOUCH else min(over, most - least)))
        at.append(here)
    at.reverse()
    travel.reverse()
    choices = tuple(
        min(range(len(begins)), key=lambda each: _beyond((where - begins[each]) % 1.0, room))
        for where, begins, room in zip(
            at, green_begins, (green - width for green in way.greens), strict=True
        )
    )
    return Band(width, _along(way, at[0], travel), tuple(travel), choices)


def _beyond(value: float, room: float) -> float:
    return 0.0 if value <= room else min(value - room, 1.0 - value)


def _fastest(way: Way, green_begins: Sequence[Sequence[float]], pace: float) -> Band:
    travel = tuple(each * pace for each in way.least_s)
    return Band(0.0, _along(way, green_begins[0][0], travel), travel, (0,) * len(way.signals))


def _along(way: Way, first: float, travel: Sequence[float]) -> tuple[float, ...]:
    found = [first]
    for time, early in zip(travel, way.early, strict=True):
        found.append(found[-1] + time - early)
    return tuple(found)
