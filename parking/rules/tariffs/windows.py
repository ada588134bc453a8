"""The windows of caps and what earlier stays of the vehicle have used of them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from city.errors import Invalid
from parking.rules.tariffs.document import Cap
from parking.rules.tariffs.local_time import DAY_S, ceil_s, floor_s, local_day, offset_spans
from parking.rules.tariffs.metering import FOREVER_S, Window
from parking.rules.tariffs.model import EarlierStay

Past = tuple[int, int, int]
"""Entry, leaving and payment of an earlier stay."""


def past_of(history: Sequence[EarlierStay], start: int) -> list[Past]:
    """Give the earlier stays in order; Invalid where one ends after the entry."""
    past = []
    for place, earlier in enumerate(history):
        enter, leave = ceil_s(earlier.enter_at), floor_s(earlier.leave_at)
        if leave > start:
            raise Invalid("must not lie after the entry of the stay", field=f"stays[{place}].leave")
        past.append((min(enter, leave), leave, earlier.paid_minor))
    return sorted(past)


def windows_of(cap: Cap, start: int, end: int, zone: str, past: Sequence[Past]) -> list[Window]:
    """Give the windows of a cap over a stay: in order, without holes, the stay covered.

    What was paid for an earlier stay counts, up to the cap, in the window in which that stay
    ended: a stay over several windows is so counted in the driver's favour.
    """
    if cap.per == "stay":
        return [Window(start, end, cap.minor)]
    if cap.per == "day":
        edges = day_edges(start, end, zone)
        paid_minor = _paid_today(cap.minor, start, zone, past)
    else:
        period_s = cap.rolling_s
        opened, paid_minor = _opened(cap.minor, period_s, start, past)
        count = (end - 1 - opened) // period_s + 1
        edges = [opened + place * period_s for place in range(count + 1)]
    later_minor = cap.minor if cap.later_minor is None else cap.later_minor
    windows = [Window(low, high, later_minor) for low, high in pairwise(edges)]
    left_minor = max(0, cap.minor - paid_minor)
    windows[0] = replace(windows[0], left_minor=left_minor, paid_minor=paid_minor)
    return windows


def day_edges(start: int, end: int, zone: str) -> list[int]:
    """Give the entry, the local midnights after it, and the leaving."""
    edges: list[int] = []
    seen = -FOREVER_S
    for low, high, offset in offset_spans(start, end, zone):
        first, last = (low + offset) // DAY_S, (high - 1 + offset) // DAY_S
        days = range(max(first, seen + 1), last + 1)
        edges.extend(max(low, day * DAY_S - offset) for day in days)
        seen = max(seen, last)
    return [*edges, end]


def _paid_today(cap_minor: int, start: int, zone: str, past: Sequence[Past]) -> int:
    today = local_day(start, zone)
    return sum(
        min(minor, cap_minor)
        for enter, leave, minor in past
        if local_day(max(enter, leave - 1), zone) == today
    )


def _opened(cap_minor: int, period_s: int, start: int, past: Sequence[Past]) -> tuple[int, int]:
    """Give when the rolling window of the entry opened, and what was paid in it.

    The first stay opens a window. A stay that begins inside a window shares it; one that begins
    after opens its own. A stay that outlasts its window goes on in the next.
    """
    opened, ends, paid_minor = start, -FOREVER_S, 0
    for enter, leave, minor in past:
        if enter >= ends:
            opened, ends, paid_minor = enter, enter + period_s, 0
        if ends < leave:
            further_s = -((ends - leave) // period_s) * period_s
            opened, ends, paid_minor = ends + further_s - period_s, ends + further_s, 0
        paid_minor += min(minor, cap_minor)
    return (start, 0) if start >= ends else (opened, paid_minor)
