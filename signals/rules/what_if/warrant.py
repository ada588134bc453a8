"""Whether traffic asks for a signal at all: the peak hour's table, and the delay without one.

Without a signal the lesser road gives way. With the flow v_c (veh/h) that a movement has to let
pass, its critical gap t_c and follow-up time t_f (s), the movements of higher rank in whose queues
nobody may stand, and its own flow v:

(1)  c_p = v_c e^(-v_c t_c / 3600) / (1 - e^(-v_c t_f / 3600))
(2)  c = c_p prod (1 - v_j / c_j)                        over the movements j of higher rank
(3)  c_shared = sum v / sum (v / c)                      in a lane that movements share
(4)  d = 3600 / c + 900 T (x - 1 + sqrt((x - 1)^2 + (3600 / c) x / (450 T))) + 5,  x = v / c

Sources: GB 14886-2016, the table of the peak hour's traffic; Highway Capacity Manual 2000, chapter
17, equations 17-3, 17-4, 17-15 and 17-38 with exhibit 17-5's base gaps (all from memory, the texts
were not at hand). People on foot and accidents are further reasons for a signal: they are not
among what is judged here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.model.junction import LEFTS, RIGHTS, Turn

PEAK_HOUR: Final = {
    (False, False): ((750.0, 300.0), (900.0, 230.0), (1200.0, 140.0)),
    (False, True): ((750.0, 400.0), (900.0, 340.0), (1200.0, 220.0)),
    (True, False): ((900.0, 340.0), (1050.0, 280.0), (1400.0, 160.0)),
    (True, True): ((900.0, 420.0), (1050.0, 350.0), (1400.0, 200.0)),
}
"""By whether the greater and the lesser road have two lanes or more each way: traffic of the
greater road both ways and of the lesser road's fuller approach (pcu/h) that ask for a signal."""
_HOUR_S: Final = 3_600.0
_OPPOSITE_DEG: Final = 45.0
_LEAST_VPH: Final = 1.0
_GAPS_S: Final[Mapping[str, tuple[float, float]]] = {
    "left of the greater": (4.1, 2.2),
    "right": (6.2, 3.3),
    "straight": (6.5, 4.0),
    "left": (7.1, 3.5),
}
"""Critical gap and follow-up time."""


@dataclass(frozen=True, slots=True)
class Approach:
    """Traffic that comes to a junction on one road."""

    name: str
    bearing_deg: float
    """Where it comes from, clockwise from north."""
    lanes: int
    flows_vph: Mapping[Turn, float]

    @property
    def flow_vph(self) -> float:
        """Everybody."""
        return sum(self.flows_vph.values())

    def of(self, turns: Iterable[Turn]) -> float:
        """Give those who turn so."""
        return sum(self.flows_vph.get(turn, 0.0) for turn in turns)


@dataclass(frozen=True, slots=True)
class Warrant:
    """What speaks for a signal."""

    greater: tuple[str, ...]
    """Approaches of the road that has the right of way without a signal."""
    greater_vph: float
    lesser_vph: float
    """The lesser road's fuller approach."""
    asked_vph: tuple[float, float] | None
    """The line of the table that is reached; None where none is."""
    delay_s: float | None
    """Mean of everybody without a signal, by (4); None where somebody comes faster than they can
    go, for (4) then tells how long the demand lasts, not how it is."""
    longest_delay_s: float | None
    """Of the lesser approach that waits longest; None as above."""

    @property
    def by_table(self) -> bool:
        """Whether the peak hour's traffic asks for a signal."""
        return self.asked_vph is not None


def warrant(approaches: Sequence[Approach], hours: float = 1.0) -> Warrant | None:
    """Judge a junction's traffic.

    Parameters
    ----------
    approaches : Sequence of Approach
        Three or four.
    hours : float
        For how long the demand lasts; T of (4).

    Returns
    -------
    Warrant or None
        None where the approaches are not two roads that meet.
    """
    found = _roads(approaches)
    if found is None:
        return None
    greater, lesser = found
    greater_vph = sum(each.flow_vph for each in greater)
    lesser_vph = max(each.flow_vph for each in lesser)
    lanes = {each.name: max(each.lanes, 1) for each in lesser} | {each.name: 1 for each in greater}
    wide = (max(each.lanes for each in greater) > 1, max(each.lanes for each in lesser) > 1)
    asked = next(
        (row for row in PEAK_HOUR[wide] if greater_vph >= row[0] and lesser_vph >= row[1]), None
    )
    waits = _waits(greater, lesser)
    over = any(vph > most_vph for vph, most_vph in waits.values())
    delays_s = {
        name: control_delay_s(vph, most_vph, hours) if vph > 0 else 0.0
        for name, (vph, most_vph) in waits.items()
    }
    total_vph = sum(each.flow_vph for each in approaches)
    total_s = sum(waits[name][0] * lanes[name] * delay_s for name, delay_s in delays_s.items())
    return Warrant(
        tuple(each.name for each in greater),
        greater_vph,
        lesser_vph,
        asked,
        None if over else total_s / max(total_vph, _LEAST_VPH),
        None if over else max(delays_s[each.name] for each in lesser),
    )


def _roads(
    approaches: Sequence[Approach],
) -> tuple[tuple[Approach, ...], tuple[Approach, ...]] | None:
    """Part the approaches into the road with more traffic and the other one."""
    roads: list[list[Approach]] = []
    for each in approaches:
        other = next((road for road in roads if _opposite(road[0], each) and len(road) == 1), None)
        if other is None:
            roads.append([each])
        else:
            other.append(each)
    if len(roads) != 2:  # noqa: PLR2004 - two roads that cross
        return None
    # Of a T junction the road that goes through is the greater, whatever comes from its foot.
    first, second = sorted(
        roads, key=lambda road: (len(road), sum(a.flow_vph for a in road)), reverse=True
    )
    return tuple(first), tuple(second)


def _opposite(one: Approach, other: Approach) -> bool:
    apart_deg = abs((one.bearing_deg - other.bearing_deg + 180.0) % 360.0 - 180.0)
    return apart_deg > 180.0 - _OPPOSITE_DEG


def _waits(
    greater: Sequence[Approach], lesser: Sequence[Approach]
) -> dict[str, tuple[float, float]]:
    """Give who gives way at each approach, in a lane of the lesser road's, and how many can go."""
    found: dict[str, tuple[float, float]] = {}
    free: dict[str, float] = {}
    for each in greater:
        ahead = [other for other in greater if other is not each]
        let_vph = sum(other.flow_vph - other.of(LEFTS) for other in ahead)
        left_vph = each.of(LEFTS)
        most_vph = _potential_vph(let_vph, "left of the greater")
        free[each.name] = _empty(left_vph, most_vph)
        found[each.name] = (left_vph, most_vph)
    no_left_queue = math.prod(free.values())
    crossing_vph = sum(each.flow_vph for each in greater)
    for each in lesser:
        opposite = [other for other in lesser if other is not each]
        # From the near side alone: with right-hand traffic what comes from the left.
        near = max(greater, key=lambda road: _from_left(each, road))
        right_vph = near.of([Turn.STRAIGHT]) / max(near.lanes, 1) + near.of(RIGHTS) / 2
        straight_vph = _potential_vph(crossing_vph, "straight") * no_left_queue
        facing = max(
            (_empty(other.of([Turn.STRAIGHT]), straight_vph) for other in opposite), default=1.0
        )
        against_vph = crossing_vph + sum(other.of([Turn.STRAIGHT]) for other in opposite)
        capacities = (
            (each.of(RIGHTS), _potential_vph(right_vph, "right")),
            (each.of([Turn.STRAIGHT]), straight_vph),
            (each.of(LEFTS), _potential_vph(against_vph, "left") * no_left_queue * facing),
        )
        asked_vph = sum(vph for vph, _ in capacities)
        taken = sum(vph / max(most, _LEAST_VPH) for vph, most in capacities)
        shared_vph = asked_vph / taken if taken > 0 else 0.0
        found[each.name] = (asked_vph / max(each.lanes, 1), shared_vph)
    return found


def _from_left(at: Approach, road: Approach) -> float:
    """Give how much a road comes from the left of an approach, 1 from there, -1 from its right."""
    return math.sin(math.radians(road.bearing_deg - at.bearing_deg))


def _potential_vph(let_vph: float, kind: str) -> float:
    """Give (1)."""
    critical_s, follow_s = _GAPS_S[kind]
    if let_vph <= 0:
        return _HOUR_S / follow_s
    gone = math.exp(-let_vph * critical_s / _HOUR_S)
    return let_vph * gone / (1 - math.exp(-let_vph * follow_s / _HOUR_S))


def _empty(flow_vph: float, capacity_vph: float) -> float:
    """Give how likely nobody stands in the queue of a movement, of (2)."""
    return max(0.0, 1 - flow_vph / max(capacity_vph, _LEAST_VPH))


def control_delay_s(flow_vph: float, capacity_vph: float, hours: float) -> float:
    """Give (4): mean delay of who gives way, seconds a vehicle."""
    most_vph = max(capacity_vph, _LEAST_VPH)
    x = flow_vph / most_vph
    own_s = _HOUR_S / most_vph
    over = x - 1
    return own_s + 900 * hours * (over + math.sqrt(over**2 + own_s * x / (450 * hours))) + 5
