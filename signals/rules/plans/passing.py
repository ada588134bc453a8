"""What a lane passes in the course of a programme: pieces of time, shares of its saturation flow.

A movement that gives way waits until the queues with right of way are gone, then passes in the gaps
that their vehicles leave. Movements that share a lane pass at the mean of their headways while all
may go; where only some may, the first of the others to come blocks the lane; of those who give way
as many wait inside the junction as there is room for, and the next blocks it. With the flow v of
those with right of way (veh/h), the flow ratio y of their fullest lane, its red r, its loss l at
the start, and the rate a at which vehicles come to a lane's head that may not go (1/s), of t
seconds:

(1)  s_p = v e^(-sum v_i t_i / 3600) / (1 - e^(-v t_f / 3600))    in their gaps, t_i of stream i
(2)  t_q = l + (r + l) y / (1 - y)                                until their queue is gone
(3)  E min(T, t) = (1 - e^(-a t)) / a                             T until the first, exponential
(4)  E (t - T)+^2 = t^2 - 2 t / a + 2 (1 - e^(-a t)) / a^2        what delay grows with
(5)  E min(T_k, t) = sum over i < k of (1 - sum over j <= i of e^(-a t) (a t)^j / j!) / a
                                                                  T_k until the k-th

Source: Highway Capacity Manual 2010, equation 31-100 for (1) and the queue service time for (2)
(from memory; the text was not at hand); (3) to (5) are integrals of the exponential and Erlang's
distribution, cut off at t.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.model.aspects import GREENS, PROTECTED, YELLOWS, Aspect
from signals.rules.model.plans import Interval, runs
from signals.rules.safety.case import is_steady_green

CRITICAL_GAP_S: Final = 6.5
"""To cross a stream; what SUMO's drivers pass across streams of 150 to 900 vehicles an hour."""
MERGING_GAP_S: Final = 10.0
"""To turn into the lane that a stream turns into: who comes faster from behind is waited for."""
FOLLOW_UP_S: Final = 2.5
NEAR_KERB: Final = 0.4
"""Of a crossing, what people from the near kerb have walked when they are out of a turn's way."""
START_LOSS_S: Final = 2.0
YELLOW_USED_S: Final = 2.0
_HOUR_S: Final = 3_600.0
WAIT_INSIDE: Final = 1.5
"""Vehicles of a lane that give way inside the junction, where its ways do not say how many."""
_FULL: Final = 0.98
_NEVER: Final = 1e-3
_TURNING_VPH: Final = 1_500.0
"""What a turning lane passes with nobody in its way."""
_ON_RED: Final = frozenset({Aspect.TURN_ON_RED, Aspect.FLASHING_YELLOW, Aspect.DARK})


@dataclass(frozen=True, slots=True)
class LaneFlow:
    """A lane before the stop line, its movements and their traffic."""

    lane: str
    flows_vph: tuple[tuple[int, float, float], ...]
    """Place of the signal group, vehicles per hour, saturation flow of each movement."""
    start_loss_s: float = START_LOSS_S
    """What pulling away takes from a green."""
    inside_veh: float = WAIT_INSIDE
    """How many who give way wait beyond the stop line, and leave as the green ends."""
    persons: float = 1.0
    """What a vehicle's delay counts: who is in it, or 1 where vehicles are what counts."""
    walk_s: float = 0.0
    """A crossing in place of a lane: how long people take to walk over; 0 for vehicles."""

    @property
    def flow_vph(self) -> float:
        """Everybody in the lane."""
        return sum(flow for _, flow, _ in self.flows_vph)

    @property
    def served_vph(self) -> float:
        """Saturation flow of its mixed traffic: the headways add up. Infinite without traffic."""
        headways = sum(flow / rate for _, flow, rate in self.flows_vph if flow > 0)
        return self.flow_vph / headways if headways > 0 else math.inf


Opposing = Mapping[int, Mapping[int, float]]
"""By group, those to which it gives way, and the gap that it needs in each (s)."""
Piece = tuple[float, float]
"""Seconds, and the share of the saturation flow that passes in them."""


class Passing:
    """What the lanes of a junction pass in each interval that a programme shows.

    Parameters
    ----------
    intervals : Sequence of Interval
    lanes : Sequence of LaneFlow
        All of the junction's.
    opposing : Mapping
        The groups to which each gives way, and the gaps that it needs in them.

    Notes
    -----
    Cost grows with intervals times groups times those to which they give way.
    """

    def __init__(
        self,
        intervals: Sequence[Interval],
        lanes: Sequence[LaneFlow],
        opposing: Opposing,
    ) -> None:
        self._intervals = intervals
        self._group_vph: dict[int, float] = {}
        self._fullest: dict[int, tuple[float, float]] = {}
        self._walk_s: dict[int, float] = {}
        for lane in lanes:
            if lane.walk_s > 0:
                self._walk_s.update((group, lane.walk_s) for group, _, _ in lane.flows_vph)
            ratio = sum(flow / rate for _, flow, rate in lane.flows_vph)
            for group, flow, _ in lane.flows_vph:
                self._group_vph[group] = self._group_vph.get(group, 0.0) + flow
                full = (ratio, lane.start_loss_s)
                self._fullest[group] = max(self._fullest.get(group, (0.0, 0.0)), full)
        self._goes = [
            {
                group: self._going(place, group, opposing)
                for group, flow in self._group_vph.items()
                if flow > 0
            }
            for place in range(len(intervals))
        ]

    def pieces(self, lane: LaneFlow, *, queued: bool) -> list[list[Piece]]:
        """Give for each interval the pieces that it falls into for a lane.

        Parameters
        ----------
        lane : LaneFlow
        queued : bool
            With a queue that never ends, which gives its capacity; else at its own flow.
        """
        used = [(group, flow) for group, flow, _ in lane.flows_vph if flow > 0]
        whole = sum(flow for _, flow in used)
        found: list[list[Piece]] = []
        for place, interval in enumerate(self._intervals):
            goes = [(flow / whole, *self._goes[place][group]) for group, flow in used]
            if not any(rate > 0 for _, _, rate in goes):
                found.append([(interval.duration_s, 0.0)])
            elif len({group for group, _ in used}) == 1:
                _, wait_s, rate = goes[0]
                found.append([(wait_s, 0.0), (interval.duration_s - wait_s, rate)])
            else:
                found.append(self._shared(place, lane, goes, queued=queued))
        self._begin_and_end(lane, found)
        return found

    def _shared(
        self,
        place: int,
        lane: LaneFlow,
        goes: Sequence[tuple[float, float, float]],
        *,
        queued: bool,
    ) -> list[Piece]:
        """Give an interval's pieces of a lane whose movements fare differently."""
        lasts_s = self._intervals[place].duration_s
        barred = sum(share for share, _, rate in goes if rate <= 0)
        moving = [(share, rate) for share, _, rate in goes if rate > 0]
        rate = (1 - barred) / sum(share / each for share, each in moving)
        wait_s = max(wait for _, wait, each in goes if each > 0)
        waiting = sum(share for share, wait, each in goes if each > 0 and wait > 0)
        head = lane.served_vph / _HOUR_S
        if not queued:
            # Who came in the red before, and who comes meanwhile.
            red_s = self._red_before_s(place, lane)
            head = min(head, lane.flow_vph / _HOUR_S * (red_s + lasts_s) / lasts_s)
        found: list[Piece] = []
        if wait_s > 0:
            if barred > 0:
                open_s = _until_first_s(head * (barred + waiting), wait_s, queued=queued)
            else:
                open_s = _until_s(head * waiting, wait_s, 1 + int(lane.inside_veh))
            # Who blocks the lane is one of its queue and does not pass.
            blocking = 1.0 if barred > 0 else 1 / (1 + int(lane.inside_veh))
            share = 1 - barred - waiting * blocking if queued else 1.0
            found += [(open_s, share), (wait_s - open_s, 0.0)]
        rest_s = lasts_s - wait_s
        open_s = _until_first_s(head * barred, rest_s, queued=queued) if barred > 0 else rest_s
        share = rate * (1 - barred) if queued else rate
        return [*found, (open_s, share), (rest_s - open_s, 0.0)]

    def _red_before_s(self, place: int, lane: LaneFlow) -> float:
        """Give for how long nobody of a lane could go before an interval."""
        groups = [group for group, flow, _ in lane.flows_vph if flow > 0]
        red_s = 0.0
        for back in range(1, len(self._intervals)):
            if any(self._goes[place - back][group][1] > 0 for group in groups):
                break
            red_s += self._intervals[place - back].duration_s
        return red_s

    def _begin_and_end(self, lane: LaneFlow, found: list[list[Piece]]) -> None:
        """Take from each green what pulling away costs, and give it some of its yellow."""
        passes = [any(share > 0 for _, share in pieces) for pieces in found]
        last = [next((share for s, share in reversed(p) if s > 0), 0.0) for p in found]
        for place, pieces in enumerate(found):
            if passes[place] and not passes[place - 1]:
                found[place] = _delayed(pieces, lane.start_loss_s)
        for place in range(len(found)):
            if not passes[place] or not yellow_follows(self._intervals, place, lane):
                continue
            behind = (place + 1) % len(found)
            lasts_s = min(YELLOW_USED_S, self._intervals[behind].duration_s)
            if passes[behind] or lasts_s <= 0:
                continue
            share = last[place]
            if share < 1 and len({group for group, flow, _ in lane.flows_vph if flow > 0}) == 1:
                share = max(share, lane.inside_veh * _HOUR_S / lane.served_vph / lasts_s)
            found[behind] = [
                (lasts_s, share), (self._intervals[behind].duration_s - lasts_s, 0.0)
            ]  # fmt: skip

    def _going(self, place: int, group: int, opposing: Opposing) -> tuple[float, float]:
        """Give for how long a group waits in an interval, and its share of saturation then."""
        interval = self._intervals[place]
        aspect = interval.shows[group]
        if aspect in PROTECTED:
            return 0.0, 1.0
        if aspect not in GREENS and aspect not in _ON_RED:
            return 0.0, 0.0
        against = {
            other: gap_s
            for other, gap_s in opposing.get(group, {}).items()
            if interval.shows[other] in GREENS
        }
        against_vph = sum(self._group_vph.get(other, 0.0) for other in against)
        if aspect is Aspect.TURN_ON_RED:
            return 0.0, 0.4 * math.exp(-against_vph / 800)
        if against_vph <= 0:
            return 0.0, 1.0
        queue_s = max(self._queue_left_s(place, other) for other in against)
        needed = sum(self._group_vph.get(each, 0.0) * gap_s for each, gap_s in against.items())
        gaps = against_vph * math.exp(-needed / _HOUR_S)
        gaps /= -math.expm1(-against_vph * FOLLOW_UP_S / _HOUR_S)
        return min(queue_s, interval.duration_s), min(gaps / _TURNING_VPH, 1.0)

    def _queue_left_s(self, place: int, group: int) -> float:
        """Give for how long from an interval's start a group's queue takes the way, by (2)."""
        if group in self._walk_s:
            return self._walkers_left_s(place, group)
        ratio, loss_s = self._fullest.get(group, (0.0, 0.0))
        if ratio <= 0:
            return 0.0
        if ratio >= 1:
            return math.inf
        gone_s, back = 0.0, place - 1
        for _ in range(len(self._intervals) - 1):
            if self._intervals[back].shows[group] not in GREENS:
                break
            gone_s += self._intervals[back].duration_s
            back -= 1
        else:
            return 0.0
        red_s = sum(each.duration_s for each in self._intervals if each.shows[group] not in GREENS)
        return max(loss_s + (red_s + loss_s) * ratio / (1 - ratio) - gone_s, 0.0)

    def _walkers_left_s(self, place: int, group: int) -> float:
        """Give for how long those who waited at the kerb take the way, in the mean.

        They step off together as the green begins: those from the near kerb are soon over the lane
        that a turn leads into, those from the far one come last.
        """
        if is_steady_green(self._intervals[place - 1].shows[group]):
            return 0.0
        red_s = sum(
            each.duration_s for each in self._intervals if not is_steady_green(each.shows[group])
        )
        from_one = -math.expm1(-self._group_vph.get(group, 0.0) / 2 * red_s / _HOUR_S)
        return self._walk_s[group] * from_one * (1 + (1 - from_one) * NEAR_KERB)


def walking_delay_s(intervals: Sequence[Interval], group: int) -> float:
    """Give the mean wait at the kerb of people who come evenly and step off in steady green.

    Source: HCM 2000, eq. 18-5, for any number of reds: the sum of their squares over twice the
    cycle.
    """
    cycle_s = sum(each.duration_s for each in intervals)
    reds = runs(intervals, group, lambda aspect: not is_steady_green(aspect))
    if any(run.count == len(intervals) for run in reds):
        return cycle_s
    return sum(run.duration_s**2 for run in reds) / (2 * cycle_s)


def uniform_delay_s(pieces: Sequence[Piece], flow_vph: float, served_vph: float) -> float:
    """Give the mean delay of vehicles that come evenly and leave as the pieces let them.

    A flow beyond what is let through is taken as that.
    """
    cycle_s = sum(lasts_s for lasts_s, _ in pieces)
    passed_s = sum(lasts_s * share for lasts_s, share in pieces)
    served = served_vph / _HOUR_S
    came = min(flow_vph / _HOUR_S, _FULL * served * passed_s / cycle_s)
    if came <= 0:
        return cycle_s / 2
    queue, area = 0.0, 0.0
    # A queue that begins empty repeats after its second cycle.
    for _ in range(2):
        area = 0.0
        for lasts_s, share in pieces:
            grows = came - share * served
            if queue + grows * lasts_s >= 0:
                area += (queue + grows * lasts_s / 2) * lasts_s
                queue += grows * lasts_s
            else:
                area += queue * queue / (-2 * grows)
                queue = 0.0
    return area / (came * cycle_s)


def _delayed(pieces: Sequence[Piece], loss_s: float) -> list[Piece]:
    """Take a loss from the first that pass."""
    found: list[Piece] = []
    for lasts_s, share in pieces:
        lost_s = min(loss_s, lasts_s) if share > 0 else 0.0
        loss_s -= lost_s
        found += [(lost_s, 0.0), (lasts_s - lost_s, share)]
    return found


def _until_first_s(rate: float, lasts_s: float, *, queued: bool) -> float:
    """Give how long a lane stays open: (3), or so that its delay is that of (4)."""
    if rate * lasts_s < _NEVER:
        return lasts_s
    gone = -math.expm1(-rate * lasts_s)
    if queued:
        return gone / rate
    blocked = lasts_s**2 - 2 * lasts_s / rate + 2 * gone / rate**2
    return lasts_s - math.sqrt(max(blocked, 0.0))


def _until_s(rate: float, lasts_s: float, which: int) -> float:
    """Give how long a lane stays open until so many have come who wait, by (5)."""
    if rate * lasts_s < _NEVER:
        return lasts_s
    term, upto, open_s = math.exp(-rate * lasts_s), 0.0, 0.0
    for number in range(which):
        upto += term
        open_s += (1 - upto) / rate
        term *= rate * lasts_s / (number + 1)
    return open_s


def yellow_follows(intervals: Sequence[Interval], place: int, lane: LaneFlow) -> bool:
    """Whether some of a lane's traffic gets yellow after an interval."""
    following = intervals[(place + 1) % len(intervals)]
    return any(following.shows[group] in YELLOWS for group, flow, _ in lane.flows_vph if flow > 0)
