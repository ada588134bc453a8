"""A detector's five minutes: what it counted, whether it can be believed, what it would have said.

A bin that cannot be believed is never mended in silence: what was counted stays, and what is put in
its place stands beside it with where it came from.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final

BIN: Final = timedelta(minutes=5)
OFF: Final = 81
ON: Final = 82
STUCK_AFTER: Final = timedelta(minutes=30)
CHATTERS_PER_MIN: Final = 90
SILENT_LEAST: Final = timedelta(minutes=30)
SILENT_CHANCE: Final = 1e-4
"""That a sound detector says nothing while so many were expected: exp(-expected)."""
SILENT_UNKNOWN: Final = timedelta(hours=3)
"""Where nobody knows what to expect."""
FULL: Final = 0.98
"""Occupancy of a detector that is held on."""
LEAST_PAST: Final = 3
"""Bins of other days that a median is taken of."""
LEAST_SIBLINGS: Final = 2


class State(StrEnum):
    """Whether a detector can be believed."""

    OK = "ok"
    STUCK = "stuck"
    CHATTERING = "chattering"
    SILENT = "silent"
    UNKNOWN = "unknown"
    """Its controller said nothing either."""


class Source(StrEnum):
    """Where a number comes from that was put in the place of one."""

    PAST = "past"
    """The same time on days of the same kind."""
    SIBLINGS = "siblings"
    """The other detectors of the signal, by their usual shares."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """A detector that went on or off."""

    at: datetime
    on: bool


@dataclass(frozen=True, slots=True)
class DetectorBin:
    """What is known of one detector in one bin."""

    place: int
    channel: int
    from_at: datetime
    state: State
    vehicles: int | None
    """As counted; None where nothing could be."""
    occupied_s: float | None
    held_since: datetime | None
    """Since when it has been on without a break, at the bin's end."""
    idle_since: datetime | None
    """When it last went on before the bin's end, or since when it is watched and did not; None
    where its controller is silent too."""
    expected_since_idle: float
    """Vehicles that were expected since then."""
    imputed: float | None = None
    """What it would have counted, where it cannot be believed."""
    source: Source | None = None

    @property
    def usable(self) -> float | None:
        """The count, or what stands in its place; None where nobody knows."""
        return self.vehicles if self.state is State.OK else self.imputed


def fold(
    before: DetectorBin | None,
    *,
    place: int,
    channel: int,
    from_at: datetime,
    pulses: Sequence[Pulse],
    sending: bool,
    expected: float | None,
) -> DetectorBin:
    """Give a detector's bin from what it said in it and from the bin before.

    Parameters
    ----------
    before : DetectorBin or None
        The bin just before this; None where there is none.
    pulses : sequence of Pulse
        In order, of this bin.
    sending : bool
        Whether its controller said anything at all in it.
    expected : float or None
        Vehicles that usually pass in this bin; None where nobody knows.
    """
    end_at = from_at + BIN
    held_since = None if before is None else before.held_since
    occupied_s, vehicles, peak = 0.0, 0, 0
    minutes: dict[int, int] = {}
    for pulse in pulses:
        if pulse.on:
            vehicles += 1
            minute = int((pulse.at - from_at).total_seconds() // 60)
            minutes[minute] = minutes.get(minute, 0) + 1
            held_since = held_since or pulse.at
        elif held_since is not None:
            occupied_s += (pulse.at - max(held_since, from_at)).total_seconds()
            held_since = None
    if held_since is not None:
        occupied_s += (end_at - max(held_since, from_at)).total_seconds()
    peak = max(minutes.values(), default=0)
    last_on = next((each.at for each in reversed(pulses) if each.on), None)
    idle_since = last_on or (None if before is None else before.idle_since) or from_at
    due = 0.0 if before is None or last_on is not None else before.expected_since_idle
    if last_on is None and sending:
        due += expected or 0.0
    made = DetectorBin(
        place, channel, from_at, State.OK, vehicles, occupied_s, held_since, idle_since, due
    )
    if not sending and not pulses:
        # Its silence counts anew once its controller speaks again.
        return replace(made, state=State.UNKNOWN, vehicles=None, occupied_s=None, idle_since=None)
    return replace(made, state=_state(made, end_at, peak, known=expected is not None))


def _state(made: DetectorBin, end_at: datetime, peak: int, *, known: bool) -> State:
    if made.held_since is not None and end_at - made.held_since >= STUCK_AFTER:
        return State.STUCK
    if peak > CHATTERS_PER_MIN:
        return State.CHATTERING
    if made.held_since is not None:
        return State.OK
    quiet = None if made.idle_since is None else end_at - made.idle_since
    if known and (quiet is None or quiet >= SILENT_LEAST):
        silent = math.exp(-made.expected_since_idle) < SILENT_CHANCE
    else:
        silent = quiet is not None and quiet >= SILENT_UNKNOWN
    return State.SILENT if silent else State.OK


def fold_counts(
    before: DetectorBin | None,
    *,
    place: int,
    channel: int,
    from_at: datetime,
    vehicles: int,
    occupied_s: float | None,
    expected: float | None,
) -> DetectorBin:
    """Give a detector's bin from counts, of a station that tells no single vehicle."""
    full = occupied_s is not None and vehicles == 0 and occupied_s >= FULL * BIN.total_seconds()
    held_since = None
    if full:
        held_since = from_at if before is None else before.held_since or from_at
    idle_since = from_at + BIN if vehicles else from_at
    if before is not None and not vehicles:
        idle_since = before.idle_since or from_at
    due = 0.0 if vehicles or before is None else before.expected_since_idle
    made = DetectorBin(
        place,
        channel,
        from_at,
        State.OK,
        vehicles,
        occupied_s,
        held_since,
        idle_since,
        due if vehicles else due + (expected or 0.0),
    )
    peak = math.ceil(vehicles / (BIN.total_seconds() / 60))
    return replace(made, state=_state(made, from_at + BIN, peak, known=expected is not None))


def imputed(
    bins: Iterable[DetectorBin], past: Mapping[tuple[int, int], Sequence[float]]
) -> list[DetectorBin]:
    """Put numbers beside those that cannot be believed, with their source; of one instant.

    Parameters
    ----------
    bins : iterable of DetectorBin
        All of one bin's time.
    past : Mapping
        By place and channel: what was counted, and could be believed, at this time on other days
        of the same kind.
    """
    rows = list(bins)
    usual = {
        key: float(median(values)) for key, values in past.items() if len(values) >= LEAST_PAST
    }
    found = []
    for row in rows:
        if row.state is State.OK:
            found.append(row)
            continue
        mine = usual.get((row.place, row.channel))
        others = [
            each
            for each in rows
            if each.place == row.place
            and each.state is State.OK
            and usual.get((each.place, each.channel), 0.0) > 0
        ]
        if mine is not None and len(others) >= LEAST_SIBLINGS:
            today = sum(each.vehicles or 0 for each in others)
            ever = sum(usual[each.place, each.channel] for each in others)
            found.append(replace(row, imputed=mine * today / ever, source=Source.SIBLINGS))
        elif mine is not None:
            found.append(replace(row, imputed=mine, source=Source.PAST))
        else:
            found.append(row)
    return found
