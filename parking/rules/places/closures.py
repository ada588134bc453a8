"""When a bay may not be used by anybody without a right: closed hours, rules by time, works."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from city.time import Interval
from parking.rules.places.times import TimeSpan, hold, next_change
from parking.rules.places.usage import UseRule, usage


class Closure(NamedTuple):
    """A time ``[from_at, until_at)`` in which a bay is closed, UTC."""

    from_at: datetime
    until_at: datetime


def closures(
    zone: ZoneInfo,
    opening: Sequence[TimeSpan],
    rules: Sequence[UseRule],
    suspended: Sequence[Interval],
    span: tuple[datetime, datetime],
) -> tuple[Closure, ...]:
    """Give the times within a span in which a bay is closed, in order and apart from each other.

    Parameters
    ----------
    zone
        Of the facility: what `opening` and `rules` are told in.
    opening
        Of the facility; none: always open.
    rules
        Of the bay, its zone and its facility together.
    suspended
        When works take the bay.
    span
        Its beginning and end, UTC.

    Notes
    -----
    Looks at each instant at which hours, rules or works turn: cost grows with those in the span.
    """
    if not opening and not rules and not suspended:
        return ()
    spans = [each for each in (opening, *(rule.spans for rule in rules)) if each]
    works = [at for each in suspended for at in (each.start_at, each.end_at) if at is not None]
    found: list[Closure] = []
    at, last_at = span
    while at < last_at:
        local = at.astimezone(zone)
        turns = (next_change(each, local) for each in spans)
        marks = [*(each.astimezone(at.tzinfo) for each in turns if each), *works, last_at]
        # Where clocks go back a turn can read as one that was: the next one is looked for.
        until_at = min(each for each in marks if each > at)
        if not (
            hold(opening, local)
            and usage(rules, local).allowed
            and not any(each.contains(at) for each in suspended)
        ):
            joined = found.pop().from_at if found and found[-1].until_at == at else at
            found.append(Closure(joined, until_at))
        at = until_at
    return tuple(found)
