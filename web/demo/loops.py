"""The vehicles at one of the demo town's junctions, as its detectors see them. Pure; seeded.

Who comes upstream reaches the stop line some seconds later, waits for green, and leaves one after
another. Two detectors a signal group: one upstream (`advance`), one at the stop line (`presence`).
Some are broken on purpose: a town of 30 junctions has such.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

ON: Final = 82
OFF: Final = 81
PRESENCE_FROM: Final = 32
"""Channels of stop lines: so much above those upstream, which are the phases' numbers."""
TRAVEL_S: Final = 9
HELD_S: Final = 0.4
PER_LANE_S: Final = 0.5
"""Vehicles that leave a lane's queue in a second of green."""
LOST_S: Final = 2
MOST_WAITING: Final = 60
"""Past it the queue reaches the junction before, and nobody else comes."""
CHATTERS_PER_S: Final = 4

HOURS: Final = (
    0.18, 0.12, 0.10, 0.10, 0.14, 0.30, 0.62, 0.95, 1.00, 0.82, 0.74, 0.76,
    0.72, 0.70, 0.74, 0.78, 0.86, 1.00, 0.98, 0.76, 0.60, 0.48, 0.36, 0.26,
)  # fmt: skip
"""Share of the busy hour's traffic, by the street's hour."""


class Fault(StrEnum):
    """How a detector is broken."""

    STUCK = "stuck"
    SILENT = "silent"
    CHATTERS = "chatters"


@dataclass(frozen=True, slots=True)
class Approach:
    """The traffic of one signal group."""

    phase: int
    vph: float
    """In the busy hour."""
    lanes: int


@dataclass
class _Lane:
    approach: Approach
    coming: list[float] = field(default_factory=list)
    """When each who has passed upstream reaches the queue, seconds."""
    waiting: int = 0
    credit: float = 0.0
    green_s: int = 0
    occupied: bool = False


Pulse = tuple[float, int, int]
"""Seconds after the second's beginning, code, channel."""


class Street:
    """The traffic at a junction.

    Parameters
    ----------
    approaches : sequence of Approach
    random : Random
    faults : Mapping
        By channel.
    """

    def __init__(
        self,
        approaches: Sequence[Approach],
        random: Random,
        faults: Mapping[int, Fault] | None = None,
    ) -> None:
        self._lanes = [_Lane(each) for each in approaches]
        self._random = random
        self._faults = dict(faults or {})
        self._begun: set[int] = set()
        self._now_s = 0

    @property
    def channels(self) -> list[int]:
        """The detectors upstream that say anything."""
        mine = (lane.approach.phase for lane in self._lanes)
        return [each for each in mine if self._faults.get(each) is not Fault.SILENT]

    def step(self, green: frozenset[int], hour: float) -> list[Pulse]:
        """Let a second pass; give what the detectors say of it.

        Parameters
        ----------
        green : frozenset of int
            Phases that may go.
        hour : float
            Of the street's day.
        """
        self._now_s += 1
        share = HOURS[int(hour) % 24]
        said: list[Pulse] = []
        for lane in self._lanes:
            said += self._arrive(lane, share)
            said += self._leave(lane, going=lane.approach.phase in green)
        kept = [each for each in said if each[2] not in self._faults]
        return sorted((round(at_s, 1), code, who) for at_s, code, who in [*kept, *self._broken()])

    def _arrive(self, lane: _Lane, share: float) -> list[Pulse]:
        if lane.waiting >= MOST_WAITING:
            return []
        expected = lane.approach.vph * share / 3_600
        number = int(expected) + (self._random.random() < expected % 1)
        said: list[Pulse] = []
        for after in range(number):
            at_s = 0.5 * after + self._random.choice((0.0, 0.1))
            lane.coming.append(self._now_s + at_s + TRAVEL_S)
            channel = lane.approach.phase
            said += [(at_s, ON, channel), (at_s + HELD_S - 0.1, OFF, channel)]
        return said

    def _leave(self, lane: _Lane, *, going: bool) -> list[Pulse]:
        arrived = sum(at_s <= self._now_s for at_s in lane.coming)
        if arrived:
            lane.coming = [at_s for at_s in lane.coming if at_s > self._now_s]
            lane.waiting += arrived
        lane.green_s = lane.green_s + 1 if going else 0
        if lane.green_s > LOST_S:
            lane.credit = min(lane.credit + PER_LANE_S * lane.approach.lanes, lane.waiting)
            gone = int(lane.credit)
            lane.waiting -= gone
            lane.credit -= gone
        else:
            lane.credit = 0.0
        occupied = lane.waiting > 0
        if occupied is lane.occupied:
            return []
        lane.occupied = occupied
        channel = PRESENCE_FROM + lane.approach.phase
        return [(round(self._random.uniform(0, 0.9), 1), ON if occupied else OFF, channel)]

    def _broken(self) -> list[Pulse]:
        said: list[Pulse] = []
        for channel, fault in self._faults.items():
            if fault is Fault.STUCK and channel not in self._begun:
                self._begun.add(channel)
                # It answered once, then never let go.
                said += [(0.0, ON, channel), (0.3, OFF, channel), (0.6, ON, channel)]
            elif fault is Fault.CHATTERS and self._now_s % 20 < 10:  # noqa: PLR2004 - in bursts
                for number in range(CHATTERS_PER_S):
                    said += [(number * 0.2, ON, channel), (number * 0.2 + 0.1, OFF, channel)]
        return said
