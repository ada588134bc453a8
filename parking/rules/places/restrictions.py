"""What cuts a stay short at a bay that is fine on arrival: hours, rules by time, works."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from city.time import Interval
from parking.rules.places.model import Facility
from parking.rules.places.times import TimeSpan, hold, next_change
from parking.rules.places.usage import UseRule, usage

MOST_TURNS: Final = 64
"""Turns of rules that are looked at within a stay."""

Why = Literal["closes", "rule", "works"]


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a driver has to know before leaving a car.

    Attributes
    ----------
    max_stay_min
        Longest stay that the rule in force on arrival permits; None: none is stated.
    ends_at
        From when the bay may no longer be used; None: not within the time that was looked at.
    why
        What ends it: the facility closes, a rule by time begins, or works take the bay.
    reason
        The rule's own words; empty where it has none.
    """

    max_stay_min: int | None = None
    ends_at: datetime | None = None
    why: Why | None = None
    reason: str = ""


NONE_KNOWN: Final = Restriction()


def restriction(
    facility: Facility,
    rules: Sequence[UseRule],
    suspended: Sequence[Interval],
    arrive_at: datetime,
    until_at: datetime,
) -> Restriction:
    """Give what restricts a stay of somebody without any right.

    Parameters
    ----------
    facility
        Its opening hours and time zone.
    rules
        Of the bay, its zone and its facility together.
    suspended
        When works take the bay.
    arrive_at, until_at
        The stay, UTC; at arrival the bay may be used.

    Notes
    -----
    Looks at the instants at which hours or a rule turn, the first `MOST_TURNS` of the stay.
    """
    if not facility.opening and not rules and not suspended:
        return NONE_KNOWN
    here = usage(rules, facility.local(arrive_at))
    longest = None if here.rule is None else here.rule.max_stay_min
    spans = [each for each in (facility.opening, *(rule.spans for rule in rules)) if each]
    for at in turns(facility.local, spans, suspended, arrive_at, until_at):
        local = facility.local(at)
        if any(each.contains(at) for each in suspended):
            return Restriction(longest, at, "works")
        if not hold(facility.opening, local):
            return Restriction(longest, at, "closes")
        then = usage(rules, local)
        if not then.allowed:
            return Restriction(longest, at, "rule", then.reason)
    return Restriction(longest)


def turns(
    local_of: Callable[[datetime], datetime],
    spans: Sequence[Sequence[TimeSpan]],
    suspended: Sequence[Interval],
    from_at: datetime,
    until_at: datetime,
) -> Iterator[datetime]:
    """Give the instants between two at which something turns, in order: `MOST_TURNS` at most."""
    works = sorted(
        edge
        for each in suspended
        for edge in (each.start_at, each.end_at)
        if edge is not None and from_at < edge < until_at
    )
    at = from_at
    for _ in range(MOST_TURNS):
        local = local_of(at)
        coming = [
            turn.astimezone(at.tzinfo)
            for turn in (next_change(each, local) for each in spans)
            if turn is not None
        ]
        coming += [each for each in works if each > at]
        if not coming or (at := min(coming)) >= until_at:
            return
        yield at
