"""What a plan did on the street: its signals' own detectors and cameras, before it and since."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from pydantic import JsonValue
from sqlalchemy import Connection

from city.errors import Conflict, Invalid
from city.people.actors import Actor
from city.time import rfc3339
from city.works.database import UnitOfWork
from signals.rules.detections.entries import microseconds
from signals.rules.life.on_street import Cell, Comparison, Estimate, Sample, compare
from signals.rules.live.detectors import BIN
from signals.rules.passes import times, trips
from signals.services import plan_versions
from signals.services.detections import ZONE
from signals.services.live_bins import is_working
from signals.services.travel import HOUR, ON_THE_WAY
from signals.store import detections, reporters, running_plans
from signals.store import street_hours as store
from signals.store.plan_versions import VersionRecord
from signals.store.running_plans import RunningPlan

MOST_DAYS: Final = 28
"""A side."""
MOST_SIGNAL_DAYS: Final = 1_000
"""Signals times days that are worked out while somebody waits."""
MOST_PASSES: Final = 2_000_000
DAY: Final = timedelta(days=1)
FLOW: Final = "flow_vph"
MEASURES: Final = ("delay_s", "on_green", "split_failures", FLOW)

_Samples = dict[str, list[Sample]]


@dataclass(frozen=True, slots=True)
class Span:
    """Whole hours."""

    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Way:
    """How long the way from one signal to another took: the mean of hours' medians."""

    from_signal: str
    to_signal: str
    took_s: Comparison


@dataclass(frozen=True, slots=True)
class Effect:
    """What is known of a plan on the street; a measure that nothing tells of is None."""

    days: int
    before: Span
    after: Span
    not_shown: tuple[str, ...]
    """Signals whose cabinets never showed the plan: they are left out."""
    figures: Mapping[str, Comparison | None]
    by_signal: Mapping[str, Mapping[str, Comparison | None]]
    ways: tuple[Way, ...]
    unread_days: int
    """Days of passes that are too many for one answer."""
    left_out: float | None
    """Share of the phases' bins whose detectors could not be believed."""

    @property
    def known(self) -> bool:
        """Whether anything is told of both sides."""
        return bool(self.ways) or any(each is not None for each in self.figures.values())

    def as_json(self) -> dict[str, JsonValue]:
        """Give its document."""
        return {
            "days": self.days,
            "before": _span_json(self.before),
            "after": _span_json(self.after),
            "not_shown": list(self.not_shown),
            "figures": _figures_json(self.figures),
            "by_signal": {name: _figures_json(each) for name, each in self.by_signal.items()},
            "ways": [asdict(each) for each in self.ways],
            "unread_days": self.unread_days,
            "left_out": self.left_out,
        }


@dataclass(frozen=True, slots=True)
class _Side:
    samples: _Samples
    bins: int
    left_out: int


def effect(connection: Connection, found: VersionRecord, *, days: int, now: datetime) -> Effect:
    """Set what is kept of a plan's signals since it came beside what was before.

    Parameters
    ----------
    connection : Connection
    found : VersionRecord
    days : int
        A side, 28 at most; fewer where another plan ran nearer to it.
    now : datetime
        Of the wall.

    Raises
    ------
    Conflict
        Where it was never deployed, or runs by a schedule, at hours of its own.
    Invalid
        On too many days, or days of signals.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"must be 1 to {MOST_DAYS}", field="days")
    if len(found.signals) * days > MOST_SIGNAL_DAYS:
        raise Invalid("is too long for so many signals", field="days")
    if found.deployed_at is None:
        raise Conflict("the plan was never deployed", field="status")
    if found.origin == "schedule":
        raise Conflict("the plan runs by a schedule, at hours of its own", field="origin")
    runs = running_plans.of_version(connection, found.id)
    showed = store.shown_from(connection, [each.id for each in runs.values()])
    on_street = {name: at for name, run in runs.items() if (at := showed.get(run.id, run.from_at))}
    changed = list(on_street.values()) or [found.deployed_at]
    before = _before(connection, found, runs, min(changed), days)
    ends = [run.until_at for run in runs.values() if run.id not in showed and run.until_at]
    again = store.changed_again(connection, found.network_id, list(showed))
    # A bin is folded within minutes of its end.
    end_at = min([now - BIN, *ends, *([] if again is None else [again])])
    since_at = _ceil(max(changed))
    after = Span(since_at, max(since_at, min(_floor(end_at), since_at + days * DAY)))
    places = reporters.places_of(connection, found.network_id)
    names = {places[name]: name for name in sorted(on_street) if name in places}
    was, will = (_read(connection, names, each) for each in (before, after))
    ways, unread_days = _ways(connection, names, before, after)
    bins = was.bins + will.bins
    return Effect(
        days,
        before,
        after,
        tuple(sorted(runs.keys() - on_street.keys())),
        {name: compare(was.samples[name], will.samples[name]) for name in MEASURES},
        _by_signal(was.samples, will.samples),
        ways,
        unread_days,
        (was.left_out + will.left_out) / bins if bins else None,
    )


def take(uow: UnitOfWork, actor: Actor, version_id: UUID, *, days: int) -> VersionRecord:
    """Keep what the street tells of a deployed plan as what was measured of it.

    Raises
    ------
    Conflict
        As `effect`, and where nothing is kept of like hours on both sides.
    """
    found = plan_versions.find(uow.connection, version_id)
    told = effect(uow.connection, found, days=days, now=uow.wall.now())
    if not told.known:
        raise Conflict("nothing is kept of like hours before and after", field="days")
    delay = told.figures["delay_s"]
    measured: dict[str, JsonValue] = {
        "source": "detectors",
        "note": "",
        "before": None if delay is None else _delay_json(delay.before),
        "after": None if delay is None else _delay_json(delay.after),
        "from_at": rfc3339(told.before.from_at),
        "until_at": rfc3339(told.after.until_at),
        "effect": told.as_json(),
    }
    return plan_versions.measure(uow, actor, version_id, measured)


def _before(
    connection: Connection,
    found: VersionRecord,
    runs: Mapping[str, RunningPlan],
    changed_at: datetime,
    days: int,
) -> Span:
    """Give the hours before a plan came in which what it replaced was shown."""
    until_at = _floor(changed_at)
    from_at = until_at - days * DAY
    if runs:
        began_at = next(iter(runs.values())).from_at
        earlier = running_plans.before(connection, found.network_id, found.signals, began_at)
        showed = store.shown_from(connection, [each.id for each in earlier.values()])
        for run in earlier.values():
            # What a network came with ran there nobody knows since when.
            since_at = showed.get(run.id, None if run.origin == "found" else run.from_at)
            if since_at is not None:
                from_at = max(from_at, _ceil(since_at))
    return Span(min(from_at, until_at), until_at)


def _read(connection: Connection, names: Mapping[int, str], span: Span) -> _Side:
    samples: _Samples = {name: [] for name in MEASURES}
    places = list(names)
    bins = left_out = 0
    for row in store.phase_hours(connection, places, span.from_at, span.until_at):
        bins, left_out = bins + row.bins, left_out + row.left_out
        for measure, over, of in (
            ("delay_s", row.waited_s, row.released),
            ("on_green", row.on_green, row.arrivals),
            ("split_failures", row.split_failures, row.cycles),
        ):
            if of:
                samples[measure].append(_sample((names[row.place], row.phase), row.at, over, of))
    for hour in store.counted_hours(connection, places, span.from_at, span.until_at):
        subject = names[hour.place], hour.channel
        samples[FLOW].append(_sample(subject, hour.at, hour.vehicles, 1))
    return _Side(samples, bins, left_out)


def _sample(subject: tuple[str | int, ...], at: datetime, over: float, of: float) -> Sample:
    local = at.astimezone(ZONE)
    return Sample(Cell(subject, local.hour, is_working(local.date())), local.date(), over, of)


def _by_signal(was: _Samples, will: _Samples) -> dict[str, dict[str, Comparison | None]]:
    one, other = _parted(was), _parted(will)
    return {
        name: {
            measure: compare(one[name].get(measure, ()), other[name].get(measure, ()))
            for measure in MEASURES
        }
        for name in sorted(one.keys() & other.keys())
    }


def _parted(samples: _Samples) -> dict[str, _Samples]:
    found: dict[str, _Samples] = {}
    for measure, those in samples.items():
        for each in those:
            mine = found.setdefault(str(each.cell.subject[0]), {})
            mine.setdefault(measure, []).append(each)
    return found


# --- travel times ---------------------------------------------------------------------------------


def _ways(
    connection: Connection, names: Mapping[int, str], before: Span, after: Span
) -> tuple[tuple[Way, ...], int]:
    """Give the ways between a plan's signals, and how many days were not read."""
    if len(names) <= 1:
        return (), 0
    # The days next to the change first: they are the most alike.
    wanted = [(0, each) for each in reversed(_days(before))] + [(1, each) for each in _days(after)]
    wanted.sort(key=lambda each: abs(each[1].from_at - before.until_at))
    samples: tuple[list[Sample], list[Sample]] = ([], [])
    read = unread = 0
    for side, span in wanted:
        until_at = span.until_at + ON_THE_WAY
        kept = (
            detections.passes(connection, list(names), span.from_at, until_at)
            if read < MOST_PASSES
            else None
        )
        if kept is None:
            unread += 1
            continue
        read += len(kept[0])
        columns = (np.array(each, dtype=np.int64) for each in kept)
        samples[side].extend(_medians(trips.in_order(*columns), names, span))
    one, other = (_by_way(each) for each in samples)
    found = []
    for pair in sorted(one.keys() & other.keys()):
        took_s = compare(one[pair], other[pair])
        if took_s is not None:
            found.append(Way(*pair, took_s))
    return tuple(found), unread


def _days(span: Span) -> list[Span]:
    found = []
    at = span.from_at
    while at < span.until_at:
        local = at.astimezone(ZONE)
        following = local.replace(hour=0) + DAY
        until_at = min(following.astimezone(at.tzinfo), span.until_at)
        found.append(Span(at, until_at))
        at = until_at
    return found


def _medians(passes: trips.Passes, names: Mapping[int, str], span: Span) -> Iterable[Sample]:
    """Give the median of each way and hour that may be told of, who stopped on it left out."""
    drives = trips.drives(passes)
    left_us = drives.left_us
    begun = (left_us >= microseconds(span.from_at)) & (left_us < microseconds(span.until_at))
    drives = drives.where(begun)
    hours = (drives.left_us - microseconds(span.from_at)) // (3_600 * 1_000_000)
    for start, end in {*zip(drives.from_place.tolist(), drives.to_place.tolist(), strict=True)}:
        mine = (drives.from_place == start) & (drives.to_place == end)
        there = drives.where(mine)
        driven = ~times.stopped(there)
        for hour in np.unique(hours[mine][driven]).tolist():
            took_s = there.took_s[driven & (hours[mine] == hour)]
            if len(took_s) >= times.LEAST:
                at = span.from_at + hour * HOUR
                over = float(np.median(took_s)) * len(took_s)
                yield _sample((names[start], names[end]), at, over, len(took_s))


def _by_way(samples: Iterable[Sample]) -> dict[tuple[str, str], list[Sample]]:
    found: dict[tuple[str, str], list[Sample]] = {}
    for each in samples:
        start, end = each.cell.subject
        found.setdefault((str(start), str(end)), []).append(each)
    return found


# --- documents ------------------------------------------------------------------------------------


def _floor(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _ceil(at: datetime) -> datetime:
    whole = _floor(at)
    return whole if whole == at else whole + HOUR


def _span_json(span: Span) -> dict[str, JsonValue]:
    return {"from_at": rfc3339(span.from_at), "until_at": rfc3339(span.until_at)}


def _figures_json(figures: Mapping[str, Comparison | None]) -> dict[str, JsonValue]:
    return {name: None if each is None else asdict(each) for name, each in figures.items()}


def _delay_json(each: Estimate) -> dict[str, JsonValue]:
    return {"mean_s": each.mean, "low_s": each.low, "high_s": each.high}
