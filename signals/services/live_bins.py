"""Kept detector data folded into bins of five minutes, and the daily watchdog run over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
import structlog
from sqlalchemy import Connection

from city.errors import Invalid
from city.time import day_type
from city.works.database import Database, UnitOfWork
from signals.rules.live.detectors import (
    BIN,
    OFF,
    ON,
    DetectorBin,
    Pulse,
    fold,
    fold_counts,
    imputed,
)
from signals.rules.live.phases import phase_bins
from signals.rules.measures.events import Events
from signals.services import detections as kept
from signals.services.detections import ZONE
from signals.store import bins as store
from signals.store import detections, reporters
from signals.store.bins import KeptPhaseBin, bin_start

LAG: Final = timedelta(seconds=60)
"""Reporters send in batches: a bin is folded so long after its end."""
BEFORE: Final = timedelta(minutes=10)
"""Read before a bin, so that its first cycle is whole."""
FARTHEST: Final = timedelta(hours=2)
"""What lies further back is not folded once a worker lives again."""
MOST_BINS: Final = 24
"""A run; the next one goes on."""
PLACES_AT_ONCE: Final = 50
PAST_DAYS: Final = 28
FRIDAY: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger("bins")


@dataclass(frozen=True)
class _Window:
    """What is there to fold a bin of some places from."""

    signals: Mapping[int, str]
    from_at: datetime
    pulses: Mapping[tuple[int, int], list[Pulse]]
    sending: frozenset[int]
    counts: Mapping[tuple[int, int], Sequence[Mapping[str, Any]]]
    events: Events | None


def fold_due(database: Database) -> int:
    """Fold every network's bins that are over; give how many were."""
    with database.read() as connection:
        networks = reporters.networks(connection)
    return sum(fold_network(database, each) for each in networks)


def fold_network(database: Database, network_id: UUID) -> int:
    """Fold a network's bins that are over, a transaction each; give how many."""
    for done in range(MOST_BINS):
        with database.unit_of_work() as uow:
            end_at = bin_start(uow.wall.now() - LAG)
            from_at = store.mark(uow.connection, network_id) or end_at - BIN
            from_at = max(from_at, end_at - FARTHEST)
            if from_at >= end_at:
                return done
            _fold_bin(uow, network_id, from_at)
            store.move_mark(uow.connection, network_id, from_at + BIN)
    return MOST_BINS


def same_times(at: datetime) -> list[datetime]:
    """Give the instants of the same time on the days before that are of the same kind."""
    local = at.astimezone(ZONE)
    kind = _kind(local.date())
    days = (local - timedelta(days=back) for back in range(1, PAST_DAYS + 1))
    return [day.astimezone(UTC) for day in days if _kind(day.date()) == kind]


def is_working(day: date) -> bool:
    """Tell working days from others; Monday to Friday where the calendar is not published."""
    working = day_type(day).working
    return day.isoweekday() <= FRIDAY if working is None else working


def _kind(day: date) -> object:
    """Tell working days from others; weekdays by name where the calendar is not published."""
    working = day_type(day).working
    return day.isoweekday() if working is None else working


def _fold_bin(uow: UnitOfWork, network_id: UUID, from_at: datetime) -> None:
    connection = uow.connection
    signals = {where: name for name, where in reporters.places_of(connection, network_id).items()}
    uses = reporters.detectors(connection, network_id)
    places = sorted(signals)
    past = store.past_counts(connection, places, same_times(from_at))
    before = store.detector_bins(connection, places, from_at - BIN)
    rows: list[DetectorBin] = []
    for start in range(0, len(places), PLACES_AT_ONCE):
        some = places[start : start + PLACES_AT_ONCE]
        window = _window(uow, {where: signals[where] for where in some}, from_at)
        known = {(where, use.channel) for where in some for use in uses.get(signals[where], ())}
        known |= {key for key in before if key[0] in window.signals}
        known |= window.pulses.keys() | window.counts.keys()
        rows += [_folded(window, key, before, past) for key in sorted(known)]
        if window.events is not None:
            numbers = {name: where for where, name in window.signals.items()}
            found = phase_bins(window.events, kept.configuration(uses), _street_us(from_at))
            store.keep_phase_bins(
                connection,
                [
                    KeptPhaseBin(
                        numbers[each.signal],
                        each.phase,
                        from_at,
                        each.cycles,
                        each.split_failures,
                        each.arrivals,
                        each.on_green,
                        each.released,
                        each.waited_s,
                    )
                    for each in found
                ],
            )
    store.keep_detector_bins(connection, imputed(rows, past))


def _window(uow: UnitOfWork, signals: Mapping[int, str], from_at: datetime) -> _Window:
    until_at = from_at + BIN
    places = sorted(signals)
    read = detections.events(uow.connection, places, from_at - BEFORE, until_at)
    pulses: dict[tuple[int, int], list[Pulse]] = {}
    sending: set[int] = set()
    if read is None:
        log.warning("a bin has too many events to be folded", from_at=from_at.isoformat())
    else:
        start_us = round((from_at - _EPOCH) / timedelta(microseconds=1))
        for where, at_us, code, channel in zip(
            read.place, read.at_us, read.code, read.parameter, strict=True
        ):
            if at_us < start_us:
                continue
            sending.add(where)
            if code in {OFF, ON}:
                at = _EPOCH + timedelta(microseconds=at_us)
                pulses.setdefault((where, channel), []).append(Pulse(at, code == ON))
    counts: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in detections.counts(uow.connection, places, from_at, until_at):
        if row["from_at"] + timedelta(seconds=row["length_s"]) <= until_at:
            counts.setdefault((row["place"], row["channel"]), []).append(row)
    events = None
    if read is not None and read.place:
        named = sorted(signals.items(), key=lambda each: each[1])
        events = kept.as_events(read, dict(named), from_at)
    return _Window(signals, from_at, pulses, frozenset(sending), counts, events)


def _folded(
    window: _Window,
    key: tuple[int, int],
    before: Mapping[tuple[int, int], DetectorBin],
    past: Mapping[tuple[int, int], Sequence[float]],
) -> DetectorBin:
    usual = past.get(key, ())
    expected = float(np.median(usual)) if usual else None
    counts = window.counts.get(key)
    if counts:
        known = [each for each in counts if each["occupancy"] is not None]
        return fold_counts(
            before.get(key),
            place=key[0],
            channel=key[1],
            from_at=window.from_at,
            vehicles=sum(each["vehicles"] for each in counts),
            occupied_s=sum(each["occupancy"] * each["length_s"] for each in known)
            if len(known) == len(counts)
            else None,
            expected=expected,
        )
    return fold(
        before.get(key),
        place=key[0],
        channel=key[1],
        from_at=window.from_at,
        pulses=window.pulses.get(key, ()),
        sending=key[0] in window.sending,
        expected=expected,
    )


def _street_us(at: datetime) -> int:
    shift = at.astimezone(ZONE).utcoffset() or timedelta()
    return round((at - _EPOCH + shift) / timedelta(microseconds=1))


def watch_day(database: Database, day: date) -> int:
    """Run the watchdog over a day of every signal that reports events; give its findings."""
    start_at = datetime.combine(day, time(), ZONE)
    until_at = start_at + timedelta(days=1)
    total = 0
    with database.read() as connection:
        networks = reporters.networks(connection)
        places = {each: reporters.places_of(connection, each) for each in networks}
    for network_id, signals in places.items():
        for name, where in signals.items():
            # A transaction a signal: a day of one is as much as is worked out at once.
            with database.unit_of_work() as uow:
                try:
                    found = kept.measured(uow.connection, network_id, name, start_at, until_at)
                except Invalid as error:
                    log.warning("a day is not watched", signal=name, reason=str(error))
                    continue
                at = uow.wall.now()
                store.keep_findings(uow.connection, day, {where: found.findings}, at)
                total += len(found.findings)
    return total


def profile(
    connection: Connection, network_id: UUID, name: str, days: str, now: datetime
) -> list[dict[str, Any]]:
    """Give a signal's vehicles by detector and hour over the last days of a kind, and today."""
    where = reporters.places_of(connection, network_id).get(name)
    if where is None:
        return []
    today = now.astimezone(ZONE).date()
    chosen = []
    for back in range(PAST_DAYS + 1):
        day = today - timedelta(days=back)
        if is_working(day) is (days == "working"):
            start_at = datetime.combine(day, time(), ZONE)
            chosen.append((start_at, start_at + timedelta(days=1)))
    return store.hours(connection, where, chosen)


def health(connection: Connection, network_id: UUID, name: str, now: datetime) -> list[DetectorBin]:
    """Give each detector's last bin of a signal, none older than a day."""
    where = reporters.places_of(connection, network_id).get(name)
    return [] if where is None else store.health(connection, [where], now - timedelta(days=1))
