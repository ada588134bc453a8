"""Counting one bay straight from its history and its stays: what every kept count has to equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from parking.rules.figures import sketch
from parking.rules.figures.calendar import Hour
from parking.rules.figures.measures import Tally
from parking.rules.occupancy.history import BayState
from parking.rules.places.closures import Closure
from parking.rules.stays import ClosingReason

MICROSECOND: Final = timedelta(microseconds=1)
MILLISECOND: Final = timedelta(milliseconds=1)
UNSEEN_ENDS: Final = frozenset({ClosingReason.SILENCE, ClosingReason.WITHDRAWN})
"""What ends a stay without its end having been seen."""


@dataclass(frozen=True, slots=True)
class SeenChange:
    """A row of a bay's history with when it was learned."""

    at: datetime
    state: BayState
    recorded_at: datetime | None = None
    by_device: bool = False


@dataclass(frozen=True, slots=True)
class SeenStay:
    """A stay as figures see it."""

    opened_at: datetime
    closed_at: datetime | None = None
    closing_reason: ClosingReason | None = None
    has_vehicle: bool = False


@dataclass(frozen=True, slots=True)
class Spell:
    """A time ``[from_at, until_at)`` in which a bay had one state."""

    state: BayState
    from_at: datetime
    until_at: datetime


def spells_of(history: Sequence[SeenChange], until_at: datetime) -> tuple[Spell, ...]:
    """Give the spells of a whole history, in order, up to an instant; none of them empty.

    Parameters
    ----------
    history
        In the order of the record: of two changes at one instant the later one stands.
    until_at
        Where the last one is cut: nobody knows what comes later.
    """
    ends = [*(change.at for change in history[1:]), until_at]
    return tuple(
        Spell(change.state, change.at, min(end_at, until_at))
        for change, end_at in zip(history, ends, strict=False)
        if change.at < min(end_at, until_at)
    )


def in_service_from(history: Sequence[SeenChange], stays: Sequence[SeenStay]) -> datetime | None:
    """Give since when a bay is in service: the first that was ever known of it."""
    first = [*(each.at for each in history[:1]), *(each.opened_at for each in stays)]
    return min(first, default=None)


def count_hour(
    history: Sequence[SeenChange],
    stays: Sequence[SeenStay],
    hour: Hour,
    until_at: datetime,
    closed: Sequence[Closure] = (),
) -> Tally:
    """Count one bay in one hour, from its whole history and all of its stays.

    Parameters
    ----------
    history, stays
        From the first on, in order.
    hour
        The hour.
    until_at
        What lies at or after it has not happened yet.
    closed
        When the bay is not open, apart from each other.
    """
    start_at, end_at = hour.start_at, min(hour.end_at, until_at)
    if start_at >= end_at:
        return Tally()
    lasted = {BayState.OCCUPIED: timedelta(), BayState.FREE: timedelta()}
    for spell in spells_of(history, until_at):
        if spell.state in lasted:
            lasted[spell.state] += _open(
                max(spell.from_at, start_at), min(spell.until_at, end_at), closed
            )
    service_at = in_service_from(history, stays)
    served_at = end_at if service_at is None else min(max(service_at, start_at), end_at)
    ended = [s for s in stays if s.closed_at is not None and start_at <= s.closed_at < end_at]
    dwells = [
        s.closed_at - s.opened_at
        for s in ended
        if s.closed_at is not None and s.closing_reason not in UNSEEN_ENDS
    ]
    heard = [
        max((change.recorded_at or change.at) - change.at, timedelta())
        for change in history
        if start_at <= change.at < end_at
        and change.by_device
        and change.state is not BayState.UNKNOWN
    ]
    return Tally(
        service_us=(end_at - served_at) // MICROSECOND,
        open_us=_open(served_at, end_at, closed) // MICROSECOND,
        occupied_us=lasted[BayState.OCCUPIED] // MICROSECOND,
        free_us=lasted[BayState.FREE] // MICROSECOND,
        arrivals=sum(start_at <= stay.opened_at < end_at for stay in stays),
        ended=len(ended),
        matched=sum(stay.has_vehicle for stay in ended),
        dwell_stays=len(dwells),
        dwell_us=sum(dwells, timedelta()) // MICROSECOND,
        changes=len(heard),
        dwell_bins=_binned(dwells),
        delay_bins=_binned(heard),
    )


def _open(from_at: datetime, until_at: datetime, closed: Sequence[Closure]) -> timedelta:
    shut = (
        max(min(until_at, each.until_at) - max(from_at, each.from_at), timedelta())
        for each in closed
    )
    return max(until_at - from_at, timedelta()) - sum(shut, timedelta())


def _binned(durations: Sequence[timedelta]) -> dict[int, int]:
    return sketch.added({sketch.bin_of(lasted / MILLISECOND): 1} for lasted in durations)
