"""Bays taken out by works permits, and what month cards are owed for it.

A card that names a bay or a facility gives no use on a day on which its bay was suspended; the
city adds such days to its end. Overlapping permits count once: a day is lost once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from city.errors import Invalid
from city.time import Interval
from parking.rules.places.model import one_of

SuspensionReason = Literal["works", "event", "emergency", "other"]
REASONS: Final[tuple[SuspensionReason, ...]] = get_args(SuspensionReason)
LOST_DAY: Final = timedelta(hours=4)
"""A day counts as lost when its bay was away for this long within it: what holders are owed is
policy, and this the default that the city can state otherwise."""
LONGEST: Final = timedelta(days=731)
PERMIT_LENGTH: Final = 64


def checked_suspension(permit_no: str, reason: str, during: Interval) -> None:
    """Pass a suspension that can be recorded.

    Raises
    ------
    Invalid
        Without a permit's number, or where it does not last, or for more than two years.
    """
    if not 0 < len(permit_no.strip()) <= PERMIT_LENGTH:
        raise Invalid(f"must be 1 to {PERMIT_LENGTH} characters", field="permit_no")
    one_of(reason, SuspensionReason, "reason")
    lasting = during.duration
    if lasting is None or lasting <= timedelta():
        raise Invalid("must lie after from_at", field="until_at")
    if lasting > LONGEST:
        raise Invalid("must lie within two years of from_at", field="until_at")


@dataclass(frozen=True, slots=True)
class Compensation:
    """Days of a card's period on which its bays were away."""

    days: tuple[date, ...]

    @property
    def extension(self) -> timedelta:
        """By how much the card is to run longer."""
        return timedelta(days=len(self.days))


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Join intervals that touch or overlap; each must have an end."""
    found: list[Interval] = []
    for each in sorted(intervals, key=lambda it: it.start_at):
        last = found[-1] if found else None
        if last is not None and last.end_at is not None and each.start_at <= last.end_at:
            if each.end_at is None or each.end_at > last.end_at:
                found[-1] = Interval(last.start_at, each.end_at)
        elif not each.empty:
            found.append(each)
    return tuple(found)


def compensation(
    card: Interval,
    suspended: Sequence[Interval],
    timezone: str,
    *,
    lost_day: timedelta = LOST_DAY,
) -> Compensation:
    """Count the local days of a card's period that suspensions took.

    Parameters
    ----------
    card
        The card's validity; must have an end.
    suspended
        When the bay that the card is for was away. For a card that is good at any of several
        bays, when all of them were (`all_away`).
    timezone
        Of the facility.
    lost_day
        Time away within a day, and within the card's period, from which the day is lost.

    Raises
    ------
    Invalid
        Where the card has no end.

    Notes
    -----
    Cost grows with the suspensions and with the days that they last.
    """
    if card.end_at is None:
        raise Invalid("must have an end", field="card")
    zone = ZoneInfo(timezone)
    lost: set[date] = set()
    pieces = [piece for each in suspended if (piece := each.intersection(card)) is not None]
    away: dict[date, timedelta] = {}
    for piece in merged(pieces):
        if piece.end_at is None:
            continue
        day = piece.start_at.astimezone(zone).date()
        while (midnight := _midnight(day, zone)) < piece.end_at:
            following = _midnight(day + timedelta(days=1), zone)
            within = min(piece.end_at, following) - max(piece.start_at, midnight)
            away[day] = away.get(day, timedelta()) + within
            # A day shortened by the change of clocks is lost when all of it is.
            if away[day] >= min(lost_day, following - midnight):
                lost.add(day)
            day += timedelta(days=1)
    return Compensation(tuple(sorted(lost)))


def all_away(bays: Sequence[Sequence[Interval]]) -> tuple[Interval, ...]:
    """Give when every one of several bays was suspended; none where there is no bay."""
    if not bays:
        return ()
    shared = merged(bays[0])
    for each in bays[1:]:
        other = merged(each)
        shared = tuple(
            both for a in shared for b in other if (both := a.intersection(b)) is not None
        )
    return shared


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # In UTC, so that differences are of real time across a change of clocks.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(ZoneInfo("UTC"))
