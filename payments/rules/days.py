"""China's days, which the ledger is summed by: `payments.day_of` in the database says the same."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from payments.rules.channel_bills.lines import CHINA

_DAY = timedelta(days=1)


def day_of(at: datetime) -> date:
    """Give the day in China that an instant lies in."""
    return at.astimezone(CHINA).date()


def begin_of(day: date) -> datetime:
    """Give the instant at which a day begins in China."""
    return datetime.combine(day, time(), CHINA).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a balance adds up: whole days by their sums, and the postings of what is left over.

    Parameters
    ----------
    from_day, before_day : date or None
        Whole days; none where the one is not before the other. None: without an end.
    spans : tuple of (datetime, datetime)
        From, before: of the postings in these, which no whole day covers.
    """

    from_day: date | None
    before_day: date | None
    spans: tuple[tuple[datetime, datetime], ...]


def reach(closed_at: datetime | None, before_at: datetime | None) -> Reach:
    """Part the time from a closing to an instant into whole days and the rests at its two ends.

    Parameters
    ----------
    closed_at : datetime or None
        When the last period before it was closed: what was held then is kept. None: none was.
    before_at : datetime or None
        As of when; not before `closed_at`. None: all there is.
    """
    from_day = None
    spans = []
    if closed_at is not None:
        from_day = day_of(closed_at)
        if begin_of(from_day) < closed_at:
            from_day += _DAY
            until_at = begin_of(from_day)
            if before_at is not None:
                until_at = min(until_at, before_at)
            if closed_at < until_at:
                spans.append((closed_at, until_at))
    if before_at is None:
        return Reach(from_day, None, tuple(spans))
    before_day = day_of(before_at)
    if (from_day is None or from_day <= before_day) and begin_of(before_day) < before_at:
        spans.append((begin_of(before_day), before_at))
    return Reach(from_day, before_day, tuple(spans))
