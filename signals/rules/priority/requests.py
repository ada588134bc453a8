"""Requests for priority: who comes, when, how late and how full, and who goes first.

A vehicle checks in where it enters the approach (a detector, its radio, its operator's AVL), may
say again when it will be at the stop line, and checks out when it has passed. Who is never heard of
again lapses.

Rank: emergency vehicles before all others, those who arrive first before later ones; then by
lateness times persons aboard. Whoever is on time asks for nothing; a lateness that nobody knows is
none that could be weighed.

Source: the life of a request and its ends (served, withdrawn, timed out) after NTCIP 1211 and the
signal request and status messages of SAE J2735 (both from memory); lateness as a condition after
TCRP Report 118 and common practice.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from signals.rules.simulation.persons import OTHERWISE, PERSONS

PRESENCE_S: Final = 60.0
"""Who has not checked out so long after the latest arrival is held to be gone or stuck."""
FORGOTTEN_S: Final = 600.0
"""Who lapsed so long ago may ask anew."""
_SAME_S: Final = 3.0
"""An arrival that moves by no more is the same."""


class VehicleClass(StrEnum):
    """What asks."""

    EMERGENCY = "emergency"
    TRAM = "tram"
    BUS = "bus"


class Told(StrEnum):
    """What a message says."""

    CHECK_IN = "check_in"
    """Also said again, with a better estimate."""
    CHECK_OUT = "check_out"


@dataclass(frozen=True, slots=True)
class Request:
    """A vehicle on its way to a stop line."""

    vehicle: str
    """A name that its sender chose; nothing here reads it."""
    kind: VehicleClass
    group: str
    """The signal group that releases it."""
    arrives_s: float
    """At the stop line, were nobody in its way and the signal green."""
    spread_s: float = 0.0
    """By how much sooner or later."""
    lateness_s: float | None = None
    """Behind its timetable, negative before it; None where nobody knows."""
    passengers: int | None = None
    """Aboard; None where nobody counts."""
    lane: str = ""
    """Before the stop line, where known."""
    ahead: float | None = None
    """Vehicles between it and the stop line, where it stands in a queue; None while it drives."""
    lapses_s: float = math.inf
    """When it counts as stuck or gone, whatever it says until it checks out."""

    @property
    def persons(self) -> float:
        """Aboard, or as many as such a vehicle usually carries."""
        if self.passengers is not None:
            return float(self.passengers)
        return PERSONS.get(self.kind.value, OTHERWISE)

    def says(self) -> str:
        """Name it with what it told."""
        if self.kind is VehicleClass.EMERGENCY:
            return f"{self.kind.value} {self.vehicle}"
        late = "lateness unknown" if self.lateness_s is None else f"{self.lateness_s:.0f} s late"
        load = f"{self.persons:.0f} aboard" + ("" if self.passengers is not None else " as usual")
        return f"{self.kind.value} {self.vehicle} ({late}, {load})"


@dataclass(frozen=True, slots=True)
class Message:
    """What a vehicle or a detector told."""

    told: Told
    request: Request


@dataclass(frozen=True, slots=True)
class Policy:
    """What a city grants."""

    late_s: float = 60.0
    """A bus counts as late from then on."""
    most_urgent: float = 3.0
    """A minute of lateness makes its persons count once, so many minutes and more so often."""
    whoever: bool = False
    """Whether buses that are on time, or of which nobody knows, ask as well."""
    extension_s: float = 20.0
    """Longest extension of a green for a bus."""
    emergency_s: float = 60.0
    """The same for an emergency vehicle."""
    given: float = 0.5
    """Share of what a green has above its least that a bus may take of it."""

    def urgency(self, request: Request) -> float:
        """Give how often each of its persons counts; 0: it asks for nothing."""
        if request.kind is VehicleClass.EMERGENCY:
            return 1.0
        late_s = request.lateness_s
        if late_s is not None and late_s >= self.late_s:
            return min(late_s / 60.0, self.most_urgent)
        return 1.0 if self.whoever else 0.0


Board = Mapping[str, Request]
"""Requests that live or have lapsed, by vehicle."""


def told(board: Board, messages: Sequence[Message], now_s: float) -> Board:
    """Take messages in, and drop who has lapsed.

    A check-out of somebody who never checked in changes nothing; the last estimate counts. Who has
    lapsed and goes on asking stays lapsed.
    """
    found = dict(board)
    for each in messages:
        request = each.request
        known = found.get(request.vehicle)
        if each.told is Told.CHECK_OUT:
            found.pop(request.vehicle, None)
        elif known is not None:
            found[request.vehicle] = replace(request, lapses_s=known.lapses_s)
        else:
            lapses_s = request.arrives_s + request.spread_s + PRESENCE_S
            found[request.vehicle] = replace(request, lapses_s=lapses_s)
    return {name: each for name, each in found.items() if each.lapses_s + FORGOTTEN_S > now_s}


def living(board: Board, now_s: float) -> Board:
    """Give the requests that have not lapsed."""
    return {name: each for name, each in board.items() if each.lapses_s > now_s}


def differs(before: Board, after: Board) -> bool:
    """Whether what was told since asks for another decision."""
    if before.keys() != after.keys():
        return True
    for name, each in after.items():
        known = before[name]
        stands = each.ahead is not None
        moved = not stands and abs(each.arrives_s - known.arrives_s) > _SAME_S
        if moved or each.group != known.group or stands != (known.ahead is not None):
            return True
    return False


def ranked(board: Board, policy: Policy) -> tuple[Request, ...]:
    """Give the requests, the first to be served first."""

    def key(each: Request) -> tuple[bool, float, float, str]:
        if each.kind is VehicleClass.EMERGENCY:
            return False, 0.0, each.arrives_s, each.vehicle
        weight = max(each.lateness_s or 0.0, 0.0) * each.persons
        return True, -weight, -policy.urgency(each) * each.persons, each.vehicle

    return tuple(sorted(board.values(), key=key))


def arriving(request: Request, now_s: float) -> Request:
    """Give a request none of whose arrivals lies in the past: who is late to come may come now."""
    earliest_s = max(request.arrives_s - request.spread_s, now_s)
    latest_s = max(request.arrives_s + request.spread_s, now_s)
    return replace(
        request, arrives_s=(earliest_s + latest_s) / 2, spread_s=(latest_s - earliest_s) / 2
    )
