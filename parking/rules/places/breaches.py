"""What a sign says against a car that stands there: longer than it may, or where it may not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from city.time import Interval
from parking.rules.places.restrictions import MOST_TURNS, turns
from parking.rules.places.usage import Usage, UseRule, usage

LOOKED_BACK: Final = timedelta(days=8)
"""A stay is looked at from then on: a car of weeks is another matter."""
WORKS: Final = "works"
INSTANT: Final = timedelta(microseconds=1)


class BreachKind(StrEnum):
    """What is wrong."""

    SIGNED = "signed"
    """It stands longer than the sign permits."""
    FORBIDDEN = "forbidden"
    """Nobody may stand there now."""


@dataclass(frozen=True, slots=True)
class Breach:
    """What a sign says against a stay now.

    Attributes
    ----------
    since_at
        From when.
    what
        Of a limit its minutes; else the rule's words, or ``works``.
    """

    kind: BreachKind
    since_at: datetime
    what: str


def breach(
    local_of: Callable[[datetime], datetime],
    rules: Sequence[UseRule],
    suspended: Sequence[Interval],
    from_at: datetime,
    now: datetime,
) -> Breach | None:
    """Give what stands against a stay that goes on, None where nothing is known to.

    Parameters
    ----------
    local_of
        Gives an instant in the place's own time.
    rules
        Of the bay, its zone and its facility together.
    suspended
        When works take the bay.
    from_at, now
        Since when it stands there, and until when it is looked at.

    Notes
    -----
    A limit counts from when the car came or the limit took effect, whichever was later, and only
    while the same one holds without a break. A rule that lets some in and so keeps others out says
    nothing here: who may be there by right is not known of a car in a bay. Where more turns than
    `MOST_TURNS` lie in between nothing is said.
    """
    start_at = max(from_at, now - LOOKED_BACK)
    spans = [each.spans for each in rules if each.spans]
    # What turns this very instant has turned.
    edges = [start_at, *turns(local_of, spans, suspended, start_at, now + INSTANT)]
    if len(edges) > MOST_TURNS:
        return None
    forbidden: tuple[datetime, str] | None = None
    limit: tuple[datetime, int] | None = None
    for at in edges:
        here = usage(rules, local_of(at))
        why = WORKS if any(each.contains(at) for each in suspended) else _forbids(here)
        if why:
            forbidden, limit = (at if forbidden is None else forbidden[0], why), None
            continue
        forbidden = None
        longest_min = here.rule.max_stay_min if here.allowed and here.rule else None
        if longest_min is None:
            limit = None
        elif limit is None or limit[1] != longest_min:
            limit = (at, longest_min)
    if forbidden is not None:
        return Breach(BreachKind.FORBIDDEN, *forbidden)
    if limit is not None:
        over_at = limit[0] + timedelta(minutes=limit[1])
        if over_at <= now:
            return Breach(BreachKind.SIGNED, over_at, str(limit[1]))
    return None


def _forbids(here: Usage) -> str:
    """Give why nobody at all may be there; empty where somebody may."""
    rule = here.rule
    if here.allowed or rule is None or rule.permits or rule.users:
        return ""
    return rule.reason or rule.activity
