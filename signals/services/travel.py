"""Travel times and where vehicles go, from the passes that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from city.audit import record
from city.errors import Invalid
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.rules.detections.entries import microseconds
from signals.rules.passes import times, trips
from signals.rules.passes.shares import ReadingRate, Share, reach, shares
from signals.rules.passes.times import TravelTime, travel_time
from signals.rules.passes.trips import Drives, Passes
from signals.services import networks
from signals.store import detections, reporters
from signals.store import passes as store

LONGEST: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
ON_THE_WAY: Final = timedelta(seconds=trips.LONGEST_S)
MOST_PAIRS: Final = 1_000
LEAST_ENDS: Final = 2
MOST_ENDS: Final = 60
TWICE_S: Final = 60
"""A vehicle read again at a place so soon was read by two cameras."""


@dataclass(frozen=True, slots=True)
class Hour:
    """How long drives took that began in an hour."""

    from_at: datetime
    time: TravelTime


@dataclass(frozen=True, slots=True)
class Pair:
    """What is known of the way from one signal to another."""

    from_signal: str
    to_signal: str
    time: TravelTime
    reached: Share
    """Of those who passed the first, who went past the other, stops on the way and all."""
    hours: tuple[Hour, ...]


@dataclass(frozen=True, slots=True)
class Travelled:
    """Travel times over a span."""

    settled: bool
    """False while some who left may still be on the way: then times are a little short."""
    pairs: tuple[Pair, ...]
    few: int
    """Pairs of which nothing is told: too few went from the one to the other."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where those who came in at a signal went."""

    signal: str
    vehicles: int
    destinations: tuple[tuple[str, Share], ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """Origins and destinations over a span."""

    settled: bool
    corrected: bool
    """Whether the reading rate of each end is known; else these are shares of who was seen."""
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    names: dict[int, str]
    passes: Passes
    settled: bool


def travel_times(  # noqa: PLR0917 - a span, and of which signals
    connection: Connection,
    network_id: UUID,
    from_at: datetime,
    until_at: datetime,
    now: datetime,
    from_signal: str | None = None,
    to_signal: str | None = None,
) -> Travelled:
    """Give how long vehicles took between signals that read plates.

    Parameters
    ----------
    connection : Connection
    network_id : UUID
    from_at, until_at : datetime
        When drives began: whole hours, at most a day.
    now : datetime
        Of the wall.
    from_signal, to_signal : str or None
        Of one pair, or all from or to a signal. Hours are told of a pair.

    Raises
    ------
    NotFound
        Where there is no such network or signal.
    Invalid
        On another span, or where there are too many pairs for one answer.
    """
    read = _read(connection, network_id, from_at, until_at, now)
    asked = {each for each in (from_signal, to_signal) if each is not None}
    if asked:
        networks.parts(connection, network_id, sorted(asked))
    drives = _begun(trips.drives(read.passes), from_at, until_at)
    number = {name: where for where, name in read.names.items()}
    if from_signal is not None:
        drives = drives.where(drives.from_place == number.get(from_signal, -1))
    if to_signal is not None:
        drives = drives.where(drives.to_place == number.get(to_signal, -1))
    pairs, few = _pairs(drives)
    if len(pairs) > MOST_PAIRS:
        raise Invalid("needs a signal: there are too many pairs", field="from_signal")
    left = _left(read.passes, from_at, until_at)
    rates = store.reading_rates(connection, list(read.names))
    both = from_signal is not None and to_signal is not None
    found = []
    for from_place, to_place in pairs:
        mine = drives.of(from_place, to_place)
        stopped = times.stopped(mine)
        found.append(
            Pair(
                read.names[from_place],
                read.names[to_place],
                travel_time(mine.took_s[~stopped], int(stopped.sum())),
                reach(len(mine), max(left[from_place], len(mine)), rates.get(to_place)),
                _hours(mine, stopped, from_at, until_at) if both else (),
            )
        )
    ordered = sorted(found, key=lambda each: (each.from_signal, each.to_signal))
    return Travelled(read.settled, tuple(ordered), few)


def origins_and_destinations(  # noqa: PLR0917 - a span, and of which signals
    connection: Connection,
    network_id: UUID,
    from_at: datetime,
    until_at: datetime,
    now: datetime,
    ends: Sequence[str],
) -> Gone:
    """Give where those who entered an area at one of its ends left it.

    Parameters
    ----------
    connection : Connection
    network_id : UUID
    from_at, until_at : datetime
        When they entered: whole hours, at most a day.
    now : datetime
        Of the wall.
    ends : sequence of str
        Signals at the area's edge, 2 to 60.

    Raises
    ------
    NotFound
        Where there is no such network or signal.
    Invalid
        On another span, or too few or many ends.
    """
    if not LEAST_ENDS <= len(set(ends)) <= MOST_ENDS:
        raise Invalid(f"must name {LEAST_ENDS} to {MOST_ENDS} signals", field="ends")
    networks.parts(connection, network_id, sorted(set(ends)))
    read = _read(connection, network_id, from_at, until_at, now)
    number = {name: where for where, name in read.names.items()}
    at_ends = sorted(number[name] for name in set(ends) if name in number)
    first, last, at_us = trips.journeys(read.passes, np.array(at_ends, dtype=np.int64))
    begun = (at_us >= microseconds(from_at)) & (at_us < microseconds(until_at))
    rates = store.reading_rates(connection, at_ends)
    known = [rates.get(each) for each in at_ends]
    found = []
    for where in at_ends:
        mine = last[begun & (first == where)]
        seen = [int(np.count_nonzero(mine == each)) for each in at_ends]
        if sum(seen) >= times.LEAST:
            told = zip((read.names[each] for each in at_ends), shares(seen, known), strict=True)
            found.append(Origin(read.names[where], sum(seen), tuple(told)))
    found.sort(key=lambda each: each.signal)
    corrected = bool(known) and all(each is not None for each in known)
    return Gone(read.settled, corrected, tuple(found))


def set_reading_rate(
    uow: UnitOfWork, actor: Actor, network_id: UUID, name: str, rate: ReadingRate
) -> None:
    """Keep what a count beside a signal's cameras found: of so many vehicles, so many were read.

    Raises
    ------
    NotFound
        Where there is no such signal.
    Invalid
        Where more were read than came.
    """
    networks.parts(uow.connection, network_id, [name])
    if rate.read > rate.vehicles:
        raise Invalid("must not be more than came", field="read")
    where = reporters.make_places(uow.connection, network_id, [name])[name]
    store.set_reading_rate(uow.connection, where, rate, uow.wall.now(), actor.subject)
    record(
        uow,
        actor,
        "signals.reading_rate_set",
        "signal_network",
        str(network_id),
        {"signal": name, "vehicles": rate.vehicles, "read": rate.read},
    )


def _read(
    connection: Connection, network_id: UUID, from_at: datetime, until_at: datetime, now: datetime
) -> _Read:
    if any(each.minute or each.second or each.microsecond for each in (from_at, until_at)):
        raise Invalid("must be whole hours", field="from_at")
    if not timedelta() < until_at - from_at <= LONGEST:
        raise Invalid("must lie after its beginning, by a day at most", field="until_at")
    networks.network(connection, network_id)
    names = {where: name for name, where in reporters.places_of(connection, network_id).items()}
    kept = detections.passes(connection, list(names), from_at, until_at + ON_THE_WAY)
    if kept is None:
        raise Invalid(f"holds more than {detections.MOST_PASSES} passes", field="until_at")
    columns = (np.array(each, dtype=np.int64) for each in kept)
    return _Read(names, trips.in_order(*columns), now >= until_at + ON_THE_WAY)


def _begun(drives: Drives, from_at: datetime, until_at: datetime) -> Drives:
    left_us = drives.left_us
    return drives.where((left_us >= microseconds(from_at)) & (left_us < microseconds(until_at)))


def _left(passes: Passes, from_at: datetime, until_at: datetime) -> dict[int, int]:
    """Give how often each place was passed."""
    before = passes.precedes
    again = (before >= 0) & (passes.at_us - passes.at_us[before] < TWICE_S * 1_000_000)
    mine = (passes.at_us >= microseconds(from_at)) & (passes.at_us < microseconds(until_at))
    places, n = np.unique(passes.place[mine & ~again], return_counts=True)
    return dict(zip(places.tolist(), n.tolist(), strict=True))


def _pairs(drives: Drives) -> tuple[list[tuple[int, int]], int]:
    """Give the pairs of which something may be told, and how many there are besides."""
    if not len(drives):
        return [], 0
    both = np.stack([drives.from_place, drives.to_place], axis=1)
    pairs, n = np.unique(both, axis=0, return_counts=True)
    told = [(int(one), int(other)) for one, other in pairs[n >= times.LEAST]]
    return told, len(pairs) - len(told)


def _hours(
    drives: Drives, stopped: npt.NDArray[np.bool_], from_at: datetime, until_at: datetime
) -> tuple[Hour, ...]:
    found = []
    at = from_at
    while at < until_at:
        mine = (drives.left_us >= microseconds(at)) & (drives.left_us < microseconds(at + HOUR))
        told = travel_time(drives.took_s[mine & ~stopped], int((mine & stopped).sum()))
        found.append(Hour(at, told))
        at += HOUR
    return tuple(found)
