"""What a schedule means for those who wait: queues that fill and empty second by second.

Vehicles are a fluid: a lane's queue grows by its flow and shrinks by its saturation flow while it
is green, after what pulling away takes; who gives way passes in gaps. Somebody who arrives passes
when all before him have. The delay of all is the integral of the queues, in person-seconds.

Source: deterministic queues of a signal, and gaps, as in the Highway Capacity Manual 2010 (from
memory).
"""

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from signals.rules.control.stages import ControlStage, StageSet
from signals.rules.plans.passing import CRITICAL_GAP_S, FOLLOW_UP_S
from signals.rules.priority.schedule import Span

_LEAST_PER_S: Final = 0.01
_MOST: Final = 40.0
"""Vehicles: nothing tells of a longer queue, and a flow told too large must not build one."""
_WHOLE: Final = 0.85
"""A stage that lets less of a lane's traffic go serves nobody in it for long: of the first six one
stands."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane before the stop line and who comes on it."""

    lane: str
    groups: tuple[tuple[str, float], ...]
    """Signal groups, and the share of the lane's traffic that each releases."""
    flow_per_s: float
    served_per_s: float
    loss_s: float
    persons: float
    """In a vehicle."""


def rates_of(
    stages: StageSet, lanes: Sequence[Lane], yields: AbstractSet[tuple[str, str]]
) -> tuple[tuple[float, ...], ...]:
    """Give how many pass a second, by stage and lane.

    Parameters
    ----------
    stages : StageSet
    lanes : Sequence of Lane
    yields : set
        Pairs of signal groups of which the first gives way to the second.
    """
    return tuple(
        tuple(_rate(lane, stage, lanes, yields) for lane in lanes) for stage in stages.stages
    )


def _rate(
    lane: Lane, stage: ControlStage, lanes: Sequence[Lane], yields: AbstractSet[tuple[str, str]]
) -> float:
    headway_s = going = 0.0
    for group, share in lane.groups:
        if group not in stage.groups:
            continue
        against = sum(
            other.flow_per_s * part
            for other in lanes
            for name, part in other.groups
            if group not in stage.protected and name in stage.groups and (group, name) in yields
        )
        headway_s += share / min(lane.served_per_s, _gaps(against))
        going += share
    # Who may not go holds up those behind him.
    return going / headway_s if going >= _WHOLE else 0.0


def _gaps(against_per_s: float) -> float:
    """Give how many pass a second in the gaps of a flow; without one, as many as come."""
    if against_per_s <= 0:
        return math.inf
    passing = against_per_s * math.exp(-against_per_s * CRITICAL_GAP_S)
    return max(passing / -math.expm1(-against_per_s * FOLLOW_UP_S), _LEAST_PER_S)


@dataclass(frozen=True)
class Outlook:
    """A junction's queues under a schedule."""

    lanes: tuple[Lane, ...]
    rates: tuple[tuple[float, ...], ...]
    spans: tuple[Span, ...]
    queues: tuple[float, ...]
    """By lane, now."""
    now_s: float

    @cached_property
    def rows(self) -> tuple[tuple[float, ...], ...]:
        """How many of each lane pass in each second from now on."""
        found, place = [], 0
        for second in range(math.ceil(self.until_s - self.now_s)):
            at_s = self.now_s + second
            while at_s >= self.spans[place].end_s:
                place += 1
            found.append(self._row(place, at_s))
        return tuple(found)

    def _row(self, place: int, at_s: float) -> tuple[float, ...]:
        span = self.spans[place]
        rates = self.rates[span.stage]
        nobody = (0.0,) * len(self.lanes)
        before = self.rates[self.spans[place - 1].stage] if place else nobody
        if at_s < span.start_s:
            # Who is green in the stages on both sides of a change goes on.
            return tuple(map(min, before, rates))
        green_s = at_s - span.start_s
        return tuple(
            0.0 if old <= 0 and green_s < lane.loss_s else new
            for lane, old, new in zip(self.lanes, before, rates, strict=True)
        )

    @property
    def until_s(self) -> float:
        """The end of what is known."""
        return self.spans[-1].end_s

    def delay_s(self) -> float:
        """Give the person-seconds of all lanes until the end, and of who still waits then."""
        total = 0.0
        for place, lane in enumerate(self.lanes):
            queue, waited = self.queues[place], 0.0
            for row in self.rows:
                queue = max(queue + lane.flow_per_s - row[place], 0.0)
                waited += queue
            # Who is left over waits about a quarter of what lies behind us once more.
            total += (waited + queue * len(self.rows) / 4) * lane.persons
        return total

    def passes_s(self, lane: int, arrives_s: float, ahead: float | None = None) -> float:
        """Give when somebody passes who reaches the queue of a lane at an instant.

        Parameters
        ----------
        lane : int
        arrives_s : float
        ahead : float, optional
            Vehicles in front of it, where that is known.
        """
        queue = self.queues[lane]
        for second, row in enumerate(self.rows):
            at_s, rate = self.now_s + second, row[lane]
            if at_s >= arrives_s:
                ahead = queue if ahead is None else ahead
                if rate > 0 and ahead < 1:
                    return max(at_s, arrives_s)
                ahead = max(ahead - rate, 0.0)
            queue = max(queue + self.lanes[lane].flow_per_s - rate, 0.0)
        return max(self.until_s, arrives_s)


def folded(
    lanes: Sequence[Lane], queues: Sequence[float], rates: Sequence[float]
) -> tuple[float, ...]:
    """Take a second in: what comes, and what passes at the rates of what is shown."""
    return tuple(
        min(max(queue + lane.flow_per_s - rate, 0.0), _MOST)
        for lane, queue, rate in zip(lanes, queues, rates, strict=True)
    )
