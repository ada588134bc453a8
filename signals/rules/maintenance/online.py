"""How long a signal was heard of the time that somebody listened. Pure.

A look each minute says who is heard. What lies between two looks is credited where they lie close
together; where nobody looked, nothing is known, and a signal that nothing is known of is neither
on line nor off.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from signals.rules.live.alarms import SILENT_AFTER

ZONE: Final = ZoneInfo("Asia/Shanghai")
LONGEST_GAP: Final = timedelta(minutes=3)
"""Two looks farther apart say nothing of what lies between."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who tells of a signal: since when it should, and when it did last."""

    signal: str
    added_at: datetime
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Credit:
    """Seconds of a signal's day in which somebody listened, and those in which it was heard."""

    signal: str
    day: date
    watched_s: float
    heard_s: float


def on_line(reporters: Sequence[Reporter], now: datetime) -> bool | None:
    """Say whether a signal is on line: all that tell of it do; None where that is not known yet."""
    known = [
        each
        for each in reporters
        if each.heard_at is not None or now - each.added_at >= SILENT_AFTER
    ]
    if not known:
        return None
    return all(each.heard_at is not None and now - each.heard_at < SILENT_AFTER for each in known)


def credited(
    reporters: Iterable[Reporter], before_at: datetime | None, now: datetime
) -> list[Credit]:
    """Give what the time since the look before counts for.

    Parameters
    ----------
    reporters : iterable of Reporter
    before_at : datetime or None
        Of the look before; None for the first one.
    now : datetime
    """
    if before_at is None or not timedelta(0) < now - before_at <= LONGEST_GAP:
        return []
    by_signal: dict[str, list[Reporter]] = {}
    for each in reporters:
        by_signal.setdefault(each.signal, []).append(each)
    days = list(by_day(before_at, now))
    found = []
    for signal, mine in by_signal.items():
        heard = on_line(mine, now)
        if heard is not None:
            found += [Credit(signal, day, span, span if heard else 0.0) for day, span in days]
    return found


def by_day(from_at: datetime, until_at: datetime) -> Iterator[tuple[date, float]]:
    """Part a span into the seconds of each of the street's days."""
    at = from_at
    while at < until_at:
        day = at.astimezone(ZONE).date()
        end_at = min(until_at, starts(day + timedelta(days=1)))
        yield day, (end_at - at).total_seconds()
        at = end_at


def starts(day: date) -> datetime:
    """Give when a day of the street's begins."""
    return datetime.combine(day, time(), ZONE)


def rate(heard_s: float, watched_s: float) -> float | None:
    """Give the share of the time listened in which a signal was heard; None where none was."""
    return heard_s / watched_s if watched_s > 0 else None
