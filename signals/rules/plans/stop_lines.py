"""Vehicles at stop lines, one by one: who takes which lane, waits for whom, passes when.

Means of flows cannot tell who stands behind whom. Here each vehicle of a demand takes, of the lanes
that lead where it goes, the one with the fewest before it (the rightmost of equals), waits behind
who is there, for green, and, where it gives way, inside the junction for a gap. With the speed v of
its way and V of its road (m/s), acceleration a, braking b (m/s2), what dawdling leaves of the
acceleration a_e = 3 a / 4, places k before it in the queue and the space l of each (m):

(1)  p = v / (2 a_e) - 1.5 - (V - v)^2 / (2 b V)      first of a queue, after green
(2)  (p + w) (t / w)^1.5,  w = V / (2 b) + 2          who comes t < w before green, nobody ahead
(3)  D = max(A, D' + h, green + p)                    who comes at A behind who passes at D'
(4)  D - (v - u)^2 / (2 a_e v),  u^2 = 2 a_e k l      at the line; on yellow to u / (2 b) - 1.5 s
(5)  (l_o + c) / v_o after, sqrt(2 (l + c) / a) + 1 before    a car of c m across another's way
(6)  (l_o + c) / v_o + 1 after, 3.6 + 0.45 V before           into the lane that it turns into
(7)  E = max(D + 80 / v_i, E' + h)                    who drives off behind a slower one, 80 m on
(8)  0.35 s                                           deviation of (4) by chance in pulling away

Half a second of the 1.5 s in (1) and (4) is that SUMO moves a vehicle by its speed at a step's end,
one that its lamps hold for the step before. Sources: kinematics of SUMO's drivers (Krauss, sigma
0.5, a step of 1 s); (5) is SUMO's own rule for crossings (`MSLink`), (6) was measured in it, one
turn across a stream of even headways at 11, 14 and 17 m/s; (1) to (4) lie within 0.4 s of queues of
it that were driven one by one. (8) is what dawdling, up to half of the acceleration in each second,
adds up to over 7 s: 4 m at 11 m/s.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, NamedTuple

from signals.rules.model.plans import Programme, shown_only
from signals.rules.plans.lamp_steps import STEP_S, Lamp

SEEN_S: Final = 12.0
"""How long before the stop line vehicles choose their lane, and are seen by who gives way."""
BRAKING_MPS2: Final = 4.5
DAWDLING: Final = 0.75
"""Of their acceleration SUMO's drivers use in the mean."""
_LATE: Final = NormalDist(0.0, 0.35)
_PLASTIC: Final = 0.7548776662466927
"""Multiples of it fill the time between 0 and 1 evenly."""
_GAP_M: Final = 2.5
_CLOCK_S: Final = 1.5
_BRAKES_S: Final = 2.0
_SLOWED: Final = 1.5
_TURN_S: Final = 0.7
"""From where one waits inside the junction, what pulling away costs."""
_RESTART_S: Final = 1.0
_BEYOND_M: Final = 80.0
_LONGEST_S: Final = 2 * 3_600.0
"""After the last has come: who then still waits will not be let go by this programme."""


@dataclass(frozen=True, slots=True)
class Way:
    """A lane that leads where a vehicle goes, and how it is driven."""

    lane: int
    group: int
    headway_s: float
    pull_s: float
    """(1)."""
    speed_mps: float
    allowed_mps: float
    acceleration_mps2: float
    space_m: float
    inside_veh: int
    """How many who give way leave the stop line."""
    beside_veh: int
    """How many of them leave the lane free for who is behind."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What who gives way needs of a stream: seconds since the last and until the next."""

    clear_s: float
    lead_s: float


BEHIND_STRAIGHT: Final = Gap(0.5, 3.2)
"""To turn right among those who drive straight on: 0.6 in gaps of 4 s, 1.3 in 6 s, 2.0 in 8 s."""
Gaps = Mapping[int, Mapping[int, Gap]]
"""By group, those to which it gives way."""


@dataclass(frozen=True, slots=True)
class Walkers:
    """People on a crossing that turning vehicles give way to."""

    every_s: float
    walks_s: float
    """How long one is in a turn's way."""
    begins_s: float
    """How long those who waited are, from the begin of green."""


class Vehicle(NamedTuple):
    """Who comes to the stop lines."""

    at_s: float
    """When it would be at the end of its road if nobody held it."""
    pace: float
    """Of what is allowed it drives so much."""
    ways: Sequence[Way]
    """Those that it may take."""


@dataclass(slots=True)
class Waiting:
    """A vehicle."""

    at_s: float
    """When it would pass the stop line if nothing held it."""
    way: Way
    pace: float
    late_s: float = 0.0
    """By how much chance makes it pull away later than others, (8)."""
    inside_s: float = 0.0


class StopLines:
    """The stop lines of a junction under a programme.

    Parameters
    ----------
    programme : Programme
    lanes : int
        How many lanes ways are on.
    groups : Sequence of int
        Signal groups that ways and crossings obey.
    gaps : Mapping
    walkers : Mapping
        By signal group of crossings.
    """

    def __init__(
        self,
        programme: Programme,
        lanes: int,
        groups: Sequence[int],
        gaps: Gaps,
        walkers: Mapping[int, Walkers],
    ) -> None:
        intervals = shown_only(programme).intervals
        self._offset_s = programme.offset_s
        self._cycle_s = sum(each.duration_s for each in intervals)
        self._lamps = {group: Lamp(intervals, group) for group in groups}
        self._gaps, self._walkers = gaps, walkers
        self._queues: list[deque[Waiting]] = [deque() for _ in range(lanes)]
        self._inside: list[deque[Waiting]] = [deque() for _ in range(lanes)]
        self._last_s = [-math.inf] * lanes
        self._turned_s = [-math.inf] * lanes
        self._held_s = [-math.inf] * lanes
        self._green_s = [-math.inf] * lanes
        self._gone = [0] * lanes
        self._passed_s = dict.fromkeys(groups, -math.inf)
        self._left_s: dict[tuple[int, int], float] = {}
        self._lanes_of: dict[int, set[int]] = {}
        self._step = 0
        self.delays: list[tuple[int, int, float]] = []
        """Lane, signal group and delay of everybody who has passed."""

    def drive(self, coming: Sequence[Vehicle]) -> None:
        """Let everybody pass, in the order of their times.

        Who has not passed two hours after the last came has waited until then.
        """
        for each in coming:
            for way in each.ways:
                self._lanes_of.setdefault(way.group, set()).add(way.lane)
        now_s = math.floor(coming[0].at_s - SEEN_S) - 1.0 if coming else 0.0
        place, end_s = 0, (coming[-1].at_s if coming else 0.0) + _LONGEST_S
        while len(self.delays) < len(coming) and now_s < end_s:
            while place < len(coming) and coming[place].at_s - SEEN_S <= now_s:
                at_s, pace, ways = coming[place]
                way = min(ways, key=self._before) if len(ways) > 1 else ways[0]
                late_s = _LATE.inv_cdf((place + 0.5) * _PLASTIC % 1 * 0.998 + 0.001)
                self._queues[way.lane].append(Waiting(at_s, way, pace, late_s))
                place += 1
            into_s = (now_s - self._offset_s) % self._cycle_s
            self._step = min(int(into_s / STEP_S + 1e-6), round(self._cycle_s / STEP_S) - 1)
            for lane, queue in enumerate(self._queues):
                if self._inside[lane]:
                    self._turn(lane, now_s)
                if queue and queue[0].at_s < now_s + STEP_S:
                    self._pass(lane, now_s)
            now_s += STEP_S
        for waiting in (*self._queues, *self._inside):
            for who in waiting:
                waited_s = max(end_s - who.at_s, 0.0)
                self.delays.append((who.way.lane, who.way.group, waited_s))

    def _before(self, way: Way) -> tuple[int, int]:
        return len(self._queues[way.lane]) + len(self._inside[way.lane]), way.lane

    def _turn(self, lane: int, now_s: float) -> None:
        """Let those go who wait inside the junction, when there is a gap or their green is over."""
        inside = self._inside[lane]
        while inside:
            first = inside[0]
            at_s = max(first.inside_s, self._turned_s[lane] + first.way.headway_s)
            if at_s >= now_s + STEP_S:
                return
            at_s = max(at_s, now_s)
            group = first.way.group
            if self._lamps[group].open[self._step] and self._must_wait(group, at_s):
                return
            inside.popleft()
            self._turned_s[lane] = at_s
            self._go(first, at_s + _TURN_S)

    def _pass(self, lane: int, now_s: float) -> None:
        """Let those pass the stop line who can within this step."""
        queue, inside, step = self._queues[lane], self._inside[lane], self._step
        while queue and queue[0].at_s < now_s + STEP_S:
            first = queue[0]
            way = first.way
            lamp = self._lamps[way.group]
            if not lamp.open[step]:
                return
            if inside and len(inside) > inside[-1].way.beside_veh:
                self._held_s[lane] = now_s
                return
            at_s, line_s, line_mps = self._times(first, now_s, lamp.since_s[step])
            if line_s >= now_s + STEP_S and at_s >= now_s + STEP_S:
                return
            yellow_s = line_mps / (2 * BRAKING_MPS2) - _CLOCK_S
            last = lamp.protected[step] or lamp.left_s[step] <= 0
            if last and line_s > now_s + lamp.left_s[step] + yellow_s:
                return
            if not lamp.protected[step] and len(inside) >= way.inside_veh:
                return
            queue.popleft()
            self._last_s[lane] = at_s
            self._gone[lane] += 1
            waits = not lamp.protected[step] and (
                bool(inside)
                or at_s < self._turned_s[lane] + way.headway_s
                or self._must_wait(way.group, at_s)
            )
            if waits:
                first.inside_s = at_s
                inside.append(first)
                continue
            if not lamp.protected[step]:
                self._turned_s[lane] = at_s
            self._go(first, at_s)

    def _times(self, first: Waiting, now_s: float, since_s: float) -> tuple[float, float, float]:
        """Give (3), when the first of a lane's queue is over the line, (4), and how fast."""
        way, lane = first.way, first.way.lane
        behind_s = self._last_s[lane] + way.headway_s
        at_s = max(first.at_s, behind_s)
        free_mps = (way.speed_mps + way.allowed_mps) / 2
        if math.isinf(since_s):
            return at_s, at_s, free_mps
        green_s = now_s - since_s
        if self._green_s[lane] != green_s:
            self._green_s[lane], self._gone[lane] = green_s, 0
        braked_s = way.allowed_mps / (2 * BRAKING_MPS2) + _BRAKES_S
        if at_s < green_s + way.pull_s:
            if at_s > green_s - braked_s and behind_s <= first.at_s:
                share = max(green_s - first.at_s, 0.0) / braked_s
                at_s = first.at_s + max(way.pull_s + braked_s, 0.0) * share**_SLOWED
            else:
                at_s = green_s + way.pull_s
        if self._held_s[lane] >= green_s:
            at_s = max(at_s, self._held_s[lane] + way.pull_s + _RESTART_S)
        if first.at_s >= green_s + self._gone[lane] * way.headway_s:
            return at_s, at_s, free_mps
        used = DAWDLING * way.acceleration_mps2
        reached = min(math.sqrt(2 * used * self._gone[lane] * way.space_m), way.speed_mps)
        behind_line_s = (way.speed_mps - reached) ** 2 / (2 * used * way.speed_mps)
        return at_s, at_s - behind_line_s + first.late_s, reached

    def _go(self, vehicle: Waiting, at_s: float) -> None:
        """Note who passes, with (7)."""
        way = vehicle.way
        self._passed_s[way.group] = at_s
        own_s = _BEYOND_M / cruising_mps(way.allowed_mps * vehicle.pace, way.acceleration_mps2)
        before_s = self._left_s.get((way.lane, way.group), -math.inf)
        left_s = max(at_s + own_s, before_s + way.headway_s)
        self._left_s[way.lane, way.group] = left_s
        self.delays.append((way.lane, way.group, max(left_s - own_s - vehicle.at_s, 0.0)))

    def _must_wait(self, group: int, at_s: float) -> bool:
        """Whether somebody with right of way has just passed or is too near, by (5) and (6)."""
        for other, gap in self._gaps.get(group, {}).items():
            if other in self._walkers:
                if self._walked_on(other, at_s):
                    return True
                continue
            if at_s < self._passed_s[other] + gap.clear_s:
                return True
            if not self._lamps[other].open[self._step]:
                continue
            if any(
                self._comes(other, lane, at_s, gap.lead_s) for lane in self._lanes_of.get(other, ())
            ):
                return True
        return False

    def _comes(self, group: int, lane: int, now_s: float, lead_s: float) -> bool:
        """Whether a lane lets somebody of a group pass within so many seconds."""
        step, passes_s = self._step, self._last_s[lane]
        inside = self._inside[lane]
        if inside and len(inside) > inside[-1].way.beside_veh:
            return False
        for each in self._queues[lane]:
            way = each.way
            lamp = self._lamps[way.group]
            if not lamp.open[step]:
                return False
            if not lamp.protected[step] and len(inside) >= way.inside_veh:
                return False
            pulls_s = now_s - lamp.since_s[step] + way.pull_s
            passes_s = max(passes_s + way.headway_s, each.at_s, now_s, pulls_s)
            yellow_s = way.allowed_mps / (2 * BRAKING_MPS2) - _CLOCK_S
            if passes_s >= now_s + lead_s or passes_s > now_s + lamp.left_s[step] + yellow_s:
                return False
            if way.group == group:
                return True
        return False

    def _walked_on(self, group: int, at_s: float) -> bool:
        """Whether people are in the way on a crossing; they come to it evenly."""
        lamp, walkers = self._lamps[group], self._walkers[group]
        if not lamp.open[self._step]:
            return False
        if lamp.since_s[self._step] < walkers.begins_s:
            return True
        return at_s % walkers.every_s < walkers.walks_s


def cruising_mps(allowed_mps: float, acceleration_mps2: float) -> float:
    """Give the mean speed on a free road: dawdling takes a quarter of a second's acceleration."""
    return max(allowed_mps - (1 - DAWDLING) * acceleration_mps2, 1.0)


def pull_s(speed_mps: float, allowed_mps: float, acceleration_mps2: float) -> float:
    """Give (1)."""
    turning = (allowed_mps - speed_mps) ** 2 / (2 * BRAKING_MPS2 * allowed_mps)
    return speed_mps / (2 * DAWDLING * acceleration_mps2) - _CLOCK_S - turning


def from_rest_s(allowed_mps: float, acceleration_mps2: float) -> float:
    """Give what setting out from a stand takes longer than driving on."""
    return allowed_mps / (2 * DAWDLING * acceleration_mps2) - _CLOCK_S + 1.0


def gap_across(
    rest_m: float, acceleration_mps2: float, over_m: float, over_mps: float, car_m: float
) -> Gap:
    """Give (5) for who waits so many metres before the end of its way, across a way of `over_m`."""
    lead_s = math.sqrt(2 * (rest_m + car_m) / acceleration_mps2) + 1.0
    return Gap((over_m + car_m) / over_mps, lead_s)


def gap_into(over_m: float, over_mps: float, allowed_mps: float, car_m: float) -> Gap:
    """Give (6)."""
    return Gap((over_m + car_m) / over_mps + 1.0, 3.6 + 0.45 * allowed_mps)


def beside_veh(room_m: float, space_m: float) -> int:
    """Give how many cars that wait on so many metres leave the lane behind them free."""
    return max(int((room_m + _GAP_M) / space_m), 0)
