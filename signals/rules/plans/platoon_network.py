"""Delay of coordinated signals: vehicles leave on green as platoons and meet the next signal.

One cycle in steps of a second, every lane of every signal of a group that shares it; a signal may
run its programme twice in it. With departures x, arrivals y, queue n, s what the signal lets go:

(1) y_b(t) = e_b + sum over streams a -> b of (w_ab / q_a) (x_a * k_ab)(t)
    e_b evenly from elsewhere; k the distribution of travel times
(2) n(t + 1) = max(0, n(t) + y(t) - s(t)),  x(t) = y(t) + n(t) - n(t + 1)
(3) delay in vehicle-seconds an hour = 3600 mean(n) + sum of q d2, or in person-seconds: each
    lane's times who is in its vehicles

k is Pacey's: speeds are spread normally. d2, from chance and excess demand, is that of the lane
under its signal alone (``delay_of_plan``, (2)); demand above capacity is taken as capacity in (2).

Source: Pacey, The progress of a bunch of vehicles released from a traffic signal, RRL Research
Note RN/2665 (1956); the frame is TRANSYT's (Robertson 1969).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from signals.rules.model.plans import Programme
from signals.rules.plans.delay_of_plan import lane_results, passing_pieces
from signals.rules.plans.passing import LaneFlow, Opposing
from signals.rules.plans.streams_between import Stream

Floats = NDArray[np.float64]

SPREAD: Final = 0.12
"""Standard deviation of travel times over their mean."""
_LEAST_SPREAD_S: Final = 1.0
FULL: Final = 0.98
"""Degree of saturation beyond which a repeating queue is not followed."""
_ROUNDS: Final = 4


@dataclass(frozen=True)
class Timed:
    """A junction with a programme whose cycle fits a whole number of times into the group's."""

    name: str
    programme: Programme
    lanes: tuple[LaneFlow, ...]
    opposing: Opposing


class PlatoonNetwork:
    """A group of signals under one cycle.

    Parameters
    ----------
    timed : Sequence of Timed
    streams : Sequence of Stream
        Between any signals; those from outside the group arrive evenly.
    cycle_s : int
    hours : float
        For how long the demand lasts.

    Notes
    -----
    A full evaluation costs lanes x cycle, a signal's scan of all offsets as much as cycle times
    that of its own and its neighbours' lanes.
    """

    def __init__(
        self, timed: Sequence[Timed], streams: Sequence[Stream], cycle_s: int, hours: float
    ) -> None:
        self.cycle_s, self.names = cycle_s, tuple(each.name for each in timed)
        self._place = {name: index for index, name in enumerate(self.names)}
        lanes = [(number, lane) for number, each in enumerate(timed) for lane in each.lanes]
        used = [(number, lane) for number, lane in lanes if lane.flow_vph > 0 and lane.walk_s == 0]
        self._of = np.array([number for number, _ in used], dtype=np.intp)
        index = {(self.names[number], lane.lane): row for row, (number, lane) in enumerate(used)}
        flow = np.array([lane.flow_vph for _, lane in used]) / 3600
        self._persons = np.array([lane.persons for _, lane in used])
        self._serves = np.zeros((len(used), cycle_s))
        fixed = np.zeros(len(timed))
        row = 0
        for number, each in enumerate(timed):
            results = {
                r.lane: r for r in lane_results(each.programme, each.lanes, each.opposing, hours)
            }
            for lane in each.lanes:
                if lane.flow_vph <= 0:
                    continue
                result = results[lane.lane]
                if lane.walk_s > 0:
                    fixed[number] += lane.flow_vph * result.delay_s * lane.persons
                    continue
                fixed[number] += lane.flow_vph * result.grown_s * lane.persons
                self._serves[row] = served(each, lane, cycle_s, result.capacity_vph)
                row += 1
        self._fixed = fixed
        capacity = self._serves.mean(axis=1)
        self._flow = np.minimum(flow, FULL * capacity)
        self._streams = [
            (index[each.start], index[each.end], each)
            for each in streams
            if each.start in index and each.end in index
        ]
        from_streams = np.zeros(len(used))
        for _, end, stream in self._streams:
            from_streams[end] += stream.flow_vph / 3600
        # Rounding, and ways that begin between two signals.
        self._even = np.maximum(1 - from_streams / np.maximum(flow, 1e-9), 0.0) * self._flow
        self._kernels = np.array(
            [kernel(each.travel_s, cycle_s) for _, _, each in self._streams]
        ).reshape(len(self._streams), cycle_s // 2 + 1)
        # Of what leaves a lane its share, so that as much comes as the next lane can pass.
        self._weights = np.array(
            [
                each.flow_vph / 3600 / self._flow[start] * self._flow[end] / flow[end]
                for start, end, each in self._streams
            ]
        )
        self._starts = np.array([start for start, _, _ in self._streams], dtype=np.intp)
        self._ends = np.array([end for _, end, _ in self._streams], dtype=np.intp)

    def delay_s(self, offsets_s: Sequence[int]) -> float:
        """Give (3) of the whole group, vehicle-seconds an hour."""
        return float(self._cost(self._state(offsets_s)[1]) * 3600 + self._fixed.sum())

    def offsets(
        self, starts: Sequence[Sequence[int]], sweeps: int = 6
    ) -> tuple[tuple[int, ...], float]:
        """Give offsets of little delay: each signal in turn at its best, from several starts.

        Never worse than the best start.
        """
        best: tuple[int, ...] = tuple(starts[0])
        best_s = math.inf
        for start in starts:
            found, found_s = self._descended(list(start), sweeps)
            if found_s < best_s:
                best, best_s = tuple(found), found_s
        return best, best_s

    def _descended(self, offsets: list[int], sweeps: int) -> tuple[list[int], float]:
        departs, queues = self._state(offsets)
        cost = self._cost(queues)
        for _ in range(sweeps):
            moved = False
            for number in range(1, len(self.names)):
                order = np.argsort(self._scan(number, offsets, departs), kind="stable")
                for shift in (int(order[0]), int(order[1]) if len(order) > 1 else 0):
                    if shift == offsets[number]:
                        break
                    tried = [*offsets[:number], shift, *offsets[number + 1 :]]
                    new_departs, new_queues = self._state(tried, departs)
                    if self._cost(new_queues) < cost * (1 - 1e-6):
                        offsets, departs = tried, new_departs
                        cost, moved = self._cost(new_queues), True
                        break
            if not moved:
                break
        return offsets, cost * 3600 + float(self._fixed.sum())

    def _state(
        self, offsets_s: Sequence[int], departs: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Give departures and mean queues of all lanes once they agree with each other."""
        serves = self._rolled(offsets_s)
        now = np.repeat(self._flow[:, None], self.cycle_s, axis=1) if departs is None else departs
        queues = np.zeros(len(self._flow))
        for _ in range(_ROUNDS if len(self._streams) else 1):
            now, queues = queue_through(self._arrivals(now), serves)
        return now, queues

    def _cost(self, queues: Floats) -> float:
        """Give who stands in mean queues, as the lanes count them."""
        return float(queues @ self._persons)

    def _rolled(self, offsets_s: Sequence[int]) -> Floats:
        shifts = np.array(offsets_s, dtype=np.intp)[self._of]
        steps = (np.arange(self.cycle_s)[None, :] - shifts[:, None]) % self.cycle_s
        return np.take_along_axis(self._serves, steps, axis=1)

    def _arrivals(self, departs: Floats) -> Floats:
        total = np.repeat(self._even[:, None], self.cycle_s, axis=1)
        if not len(self._streams):
            return total
        sent = np.fft.rfft(departs, axis=1)[self._starts] * self._kernels * self._weights[:, None]
        came = np.zeros((len(self._flow), sent.shape[1]), dtype=np.complex128)
        np.add.at(came, self._ends, sent)
        return np.asarray(np.maximum(total + np.fft.irfft(came, self.cycle_s, axis=1), 0.0))

    def _scan(self, number: int, offsets_s: Sequence[int], departs: Floats) -> Floats:
        """Give the queues of a signal's lanes and of those that it sends to, for every offset.

        Everybody else stays as they are.
        """
        cycle = self.cycle_s
        mine = np.flatnonzero(self._of == number)
        arrivals = self._arrivals(departs)
        shifts = np.arange(cycle)
        steps = (np.arange(cycle)[None, :] - shifts[:, None]) % cycle
        # Offsets by lanes by seconds.
        serves = self._serves[mine][:, steps].transpose(1, 0, 2)
        left, queues = queue_through(np.repeat(arrivals[mine][None], cycle, axis=0), serves)
        cost = queues @ self._persons[mine]
        out = np.flatnonzero(np.isin(self._starts, mine) & ~np.isin(self._ends, mine))
        if not len(out):
            return np.asarray(cost)
        local = {int(row): place for place, row in enumerate(mine)}
        targets = np.unique(self._ends[out])
        slot = {int(row): place for place, row in enumerate(targets)}
        old = np.fft.rfft(departs, axis=1)
        change = np.zeros((cycle, len(targets), cycle // 2 + 1), dtype=np.complex128)
        new = np.fft.rfft(left, axis=2)
        for each in out:
            start, end = int(self._starts[each]), int(self._ends[each])
            change[:, slot[end]] += (
                (new[:, local[start]] - old[start]) * self._kernels[each] * self._weights[each]
            )
        came = np.maximum(arrivals[targets][None] + np.fft.irfft(change, cycle, axis=2), 0.0)
        here = self._rolled(offsets_s)[targets][None]
        _, behind = queue_through(came, np.broadcast_to(here, came.shape))
        return np.asarray(cost + behind @ self._persons[targets])


def queue_through(arrivals: Floats, serves: Floats) -> tuple[Floats, Floats]:
    """Give departures and the mean queue by (2) once they repeat; the last axis is the cycle."""
    steps = arrivals.shape[-1]
    # A queue that begins empty repeats after its second cycle; (2) along the cycle at once:
    # n(t) = S(t) - min over u <= t of S(u), S the running sum of y - s.
    twice = np.concatenate([arrivals - serves, arrivals - serves], axis=-1)
    run = np.cumsum(twice, axis=-1)
    low = np.minimum(np.minimum.accumulate(run, axis=-1), 0.0)
    queue = run - low
    last = queue[..., steps:]
    before = queue[..., steps - 1 : -1]
    return np.asarray(np.maximum(arrivals + before - last, 0.0)), np.asarray(last.mean(axis=-1))


def kernel(travel_s: float, cycle_s: int) -> NDArray[np.complex128]:
    """Give the travel times' distribution folded into the cycle, as its Fourier transform."""
    spread_s = max(SPREAD * travel_s, _LEAST_SPREAD_S)
    turns = 2 * np.pi * np.fft.rfftfreq(cycle_s)
    # The transform of the normal distribution at the cycle's frequencies: folding is implied.
    return np.asarray(np.exp(-1j * turns * travel_s - 0.5 * (turns * spread_s) ** 2))


def served(timed: Timed, lane: LaneFlow, cycle_s: int, capacity_vph: float) -> Floats:
    """Give vehicles that a lane can pass in each second, from the programme's start.

    The first seconds of a green are lost, some of the yellow is used, and what permissive turns
    pass beyond their gaps leaves as their green ends; the sum is the lane's capacity.
    """
    pieces = passing_pieces(timed.programme, lane, timed.lanes, timed.opposing)
    own_s = sum(lasts_s for lasts_s, _ in pieces)
    edges = np.arange(math.ceil(own_s - 1e-9) + 1, dtype=np.float64)
    passed = np.zeros(len(edges) - 1)
    begin_s = 0.0
    for lasts_s, share in pieces:
        until_s = begin_s + lasts_s
        if share > 0:
            inside = np.minimum(edges[1:], until_s) - np.maximum(edges[:-1], begin_s)
            passed += share * np.clip(inside, 0.0, 1.0)
        begin_s = until_s
    times = round(cycle_s / own_s)
    whole = np.tile(passed, max(times, 1))[:cycle_s]
    if len(whole) < cycle_s:
        whole = np.pad(whole, (0, cycle_s - len(whole)))
    total, wanted = whole.sum(), capacity_vph / 3600 * cycle_s
    if total <= 0:
        return np.full(cycle_s, wanted / cycle_s)
    return np.asarray(whole * (wanted / total))
