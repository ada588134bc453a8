"""What a plan of offsets costs vehicles: platoons that leave on green spread out and meet the next.

For one cycle length, in steps of a share of the cycle, along one direction of a street:

(1) y_k = F x_(k - b T) + (1 - F) y_(k - 1),  F = 1 / (1 + a b T)
    arrivals y from departures x over a link of mean travel time T (in steps), a = 0.35, b = 0.8
(2) n_(k+1) = max(0, n_k + y_k - s_k)          the queue; s_k what the green lets go
(3) delay of a cycle = sum of n_k
(4) x_k = y_k + n_k - n_(k+1)                  what leaves

At each signal a share of the street's vehicles turns off and as many turn in, evenly over the
cycle; so does all that comes to the first signal. Time is counted in seconds for (1), whatever the
step. Flows repeat from cycle to cycle; demand above capacity is taken as capacity, its excess
waits under any offset alike.

Source: Robertson, TRANSYT: A Traffic Network Study Tool, RRL Report LR 253 (1969); a and b as used
in TRANSYT for roads with moderate friction.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from signals.rules.waves.corridor import Traffic
from signals.rules.waves.ways import Way

FRICTION: Final = 0.35
FRONT: Final = 0.8
"""Travel time of a platoon's front over the mean."""
INSTANTS: Final = 120
SWEEPS: Final = 20
FULL: Final = 0.98
"""Degree of saturation beyond which a repeating queue is not followed."""

Floats = NDArray[np.float64]


def dispersed(departures: Floats, travel_s: float, cycle_s: float) -> Floats:
    """Give arrivals at the end of a link, by (1), the flow repeating every cycle.

    Parameters
    ----------
    departures : array
        Vehicles in each step; the last axis is the cycle.
    travel_s : float
        Mean travel time.
    cycle_s : float
    """
    steps = departures.shape[-1]
    step_s = cycle_s / steps
    # (1) is for steps of a second: over a longer step the same share stays behind.
    stays = (1 - 1 / (1 + FRICTION * FRONT * travel_s)) ** step_s
    later = FRONT * travel_s / step_s
    whole = math.floor(later)
    part = later - whole
    moved = (1 - part) * np.roll(departures, whole, axis=-1) + part * np.roll(
        departures, whole + 1, axis=-1
    )
    # The recursion's repeating answer at once.
    turns = np.exp(-2j * np.pi * np.fft.rfftfreq(steps))
    spread = (1 - stays) / (1 - stays * turns)
    found = np.fft.irfft(np.fft.rfft(moved, axis=-1) * spread, steps, axis=-1)
    return np.asarray(np.maximum(found, 0.0))


def queued(arrivals: Floats, leaves: Floats) -> tuple[Floats, Floats]:
    """Give what leaves in each step and the mean queue, by (2) to (4), once it repeats.

    Notes
    -----
    Below capacity a queue that begins empty repeats after its second cycle.
    """
    steps = arrivals.shape[-1]
    shape = np.broadcast_shapes(arrivals.shape, leaves.shape)
    come, go = np.broadcast_to(arrivals, shape), np.broadcast_to(leaves, shape)
    queue = np.zeros(shape[:-1])
    left = np.zeros(shape)
    total = np.zeros(shape[:-1])
    for turn in range(2):
        for step in range(steps):
            standing = queue + come[..., step]
            out = np.minimum(standing, go[..., step])
            queue = standing - out
            if turn:
                left[..., step] = out
                total = total + queue
    return left, np.asarray(total / steps)


def waiting_veh(
    way: Way,
    traffic: Traffic,
    begins: Sequence[Floats],
    travel_s: Sequence[float],
    cycle_s: float,
) -> Floats:
    """Give the mean number of vehicles that wait along a way: their delay in hours an hour.

    Parameters
    ----------
    begins : Sequence of array
        When each signal's green begins, a share of the cycle; arrays are plans side by side.
    travel_s : Sequence of float
        Of each link.
    """
    total = np.zeros(np.broadcast_shapes(*(np.shape(each) for each in begins)))
    flow = traffic.flow_vph / 3600 * cycle_s / INSTANTS
    departures: Floats | None = None
    for place, (green, begin) in enumerate(zip(way.greens, begins, strict=True)):
        most = traffic.saturation_flow_vph / 3600 * cycle_s / INSTANTS
        even = min(flow, FULL * most * green)
        arrivals = np.full((*total.shape, INSTANTS), even)
        if departures is not None:
            # What the signal before held back is not there to come.
            through = dispersed(departures, travel_s[place - 1], cycle_s)
            mean = through.mean(axis=-1, keepdims=True)
            scaled = through * np.where(mean > 0, even / np.where(mean > 0, mean, 1.0), 0.0)
            arrivals = (1 - traffic.turning) * scaled + traffic.turning * even
        leaves = most * _open(green, np.broadcast_to(begin, total.shape))
        departures, waits = queued(arrivals, leaves)
        total = total + waits
    return total


def _open(green: float, begin: Floats) -> Floats:
    """Give the share of each step in which it is green, exactly also at its ends."""
    edges = np.arange(INSTANTS) / INSTANTS
    into = (edges - begin[..., None]) % 1.0
    width = 1 / INSTANTS
    # Green from 0 to `green` on the circle: its part of [into, into + width].
    first = np.clip(green - into, 0.0, width)
    again = np.clip(into + width - 1.0, 0.0, green)
    return np.asarray((first + again) / width)


def wait_of(
    ways: Sequence[Way],
    traffic: Sequence[Traffic],
    offsets: Sequence[float],
    cycle_s: float,
) -> float:
    """Give the mean number of vehicles that wait in a network, of those that go on."""
    return sum(
        float(waiting_veh(way, each, _begins(way, np.array(offsets)), _mean_s(way), cycle_s))
        for way, each in zip(ways, traffic, strict=True)
    )


def refined(
    ways: Sequence[Way],
    traffic: Sequence[Traffic],
    offsets: Sequence[float],
    cycle_s: float,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[float, ...]:
    """Give offsets of less delay from given ones: each signal in turn at its best.

    Ends when none moves, and is never worse than what it began with. The first signal stays.
    """
    found = np.array(offsets, dtype=np.float64)
    through: list[list[int]] = [[] for _ in found]
    for number, way in enumerate(ways):
        for signal in way.signals:
            through[signal].append(number)
    tries = np.arange(INSTANTS // 2) / (INSTANTS // 2)
    for _ in range(SWEEPS):
        moved = False
        for signal in range(1, len(found)):
            if stop():
                return tuple(float(each) for each in found)
            plans = np.repeat(found[None, :], len(tries) + 1, axis=0)
            plans[1:, signal] = tries
            cost = np.zeros(len(plans))
            for number in dict.fromkeys(through[signal]):
                way = ways[number]
                cost = cost + waiting_veh(
                    way, traffic[number], _begins(way, plans), _mean_s(way), cycle_s
                )
            best = int(np.argmin(cost))
            if cost[best] < cost[0] - 1e-6:
                found = plans[best]
                moved = True
        if not moved:
            break
    return tuple(float(each) for each in found)


def _begins(way: Way, offsets: Floats) -> list[Floats]:
    """Give when greens begin; of left-turn patterns the first."""
    return [
        np.asarray((offsets[..., signal] + begins[0]) % 1.0)
        for signal, begins in zip(way.signals, way.begins, strict=True)
    ]


def _mean_s(way: Way) -> list[float]:
    return [(least + most) / 2 for least, most in zip(way.least_s, way.most_s, strict=True)]
