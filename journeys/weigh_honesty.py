"""Hold what attendants did against their peers at the same places and hours, once an hour.

A list for supervisors, worked out anew with what it rests on: signals to look at, not verdicts.
Who kept no shift, or has too few peers, has no line.
"""

import statistics
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from city.identifiers import uuid7
from city.time import rfc3339
from city.works.database import Database
from city.works.jobs import Task
from parking.store import places, watched_stays
from parking.store.watched_stays import WatchedStay
from payments.rules import honesty as rules
from payments.rules.honesty import Count, Evidence, EvidenceKind, Line, Measured, Signal
from payments.rules.shifts import Shift
from payments.store import honesty as store
from payments.store.honesty import Paid

if TYPE_CHECKING:
    from uuid import UUID

    from parking.store.places import Facility

TASK: Final = "journeys.weigh_honesty"
LOOKED_BACK: Final = timedelta(days=14)
KEPT_FOR: Final = timedelta(days=30)
NEAR_IN_TIME: Final = timedelta(hours=1)
"""Who named vehicles at a kerb within an hour of something was there: if nobody else did, alone."""
SOON: Final = timedelta(minutes=30)
ROUND_MINOR: Final = 500
"""Five yuan: what is handed over without coins."""
FEWEST_HOURS: Final = 10.0
"""Taken by vehicles at the places of one person in a day: less measures luck."""
_FOUR_HOURS: Final = 4
_PAGE: Final = 500
_SATURDAY: Final = 5
_HOUR: Final = timedelta(hours=1)


class _OfStay(Protocol):
    @property
    def session_id(self) -> "UUID": ...


_Row = TypeVar("_Row", bound=_OfStay)


@dataclass(slots=True)
class _Gathered:
    """What was counted of everybody, so far."""

    people: Mapping[str, str]
    """District by person: those who kept a shift."""
    counts: dict[Signal, dict[str, dict[str, Count]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    wider: dict[str, str] = field(default_factory=dict)
    takings: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    hours: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    acts: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    worked_at: dict[tuple[str, str], set["UUID"]] = field(default_factory=lambda: defaultdict(set))
    """Facilities by person and local day."""
    arrivals: dict["UUID", Counter[datetime]] = field(default_factory=dict)
    """By facility and hour."""

    def count(
        self,
        signal: Signal,
        stratum: str,
        who: str | None,
        *,
        happened: bool,
        evidence: Evidence | None = None,
    ) -> None:
        """Count one trial of somebody who kept a shift."""
        if who is None or who not in self.people:
            return
        people = self.counts[signal][stratum]
        people.setdefault(who, Count()).add(happened=happened, evidence=evidence)


class _Place:
    """One facility's fortnight."""

    def __init__(self, facility: "Facility", gathered: _Gathered) -> None:
        self._facility = facility
        self._zone = ZoneInfo(facility.timezone)
        self._all = gathered
        self._named: list[tuple[datetime, str]] = []
        gathered.arrivals[facility.id] = Counter()

    def stratum(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        kind = "weekend" if local.weekday() >= _SATURDAY else "weekday"
        part = f"{kind}/{local.hour // _FOUR_HOURS}"
        fine = f"{self._facility.code}/{part}"
        facility = self._facility
        self._all.wider[fine] = f"{facility.district}:{facility.tariff_id}/{part}"
        return fine

    def day(self, at: datetime) -> str:
        return at.astimezone(self._zone).date().isoformat()

    def learn(self, stays: Sequence[WatchedStay]) -> None:
        """Note who was here when, and when vehicles came."""
        for stay in stays:
            self._all.arrivals[self._facility.id][_hour(stay.opened_at)] += 1
            if stay.attached_by in self._all.people and stay.attached_at is not None:
                self._named.append((stay.attached_at, str(stay.attached_by)))
                self._note(str(stay.attached_by), stay.attached_at)

    def ready(self) -> None:
        """Order what was learned."""
        self._named.sort()

    def weigh(
        self,
        stays: Sequence[WatchedStay],
        words: Sequence[watched_stays.Word],
        paid: Sequence[Paid],
        back: Sequence[store.GivenBack],
    ) -> None:
        """Count some stays with what was said of and paid for them."""
        said = _by_stay(words)
        money = _by_stay(paid)
        returned = _by_stay(back)
        for stay in stays:
            self._unnamed(stay)
            self._changed(stay, said.get(stay.id, []), money.get(stay.id, []))
            self._cash(stay, money.get(stay.id, []), returned.get(stay.id, []))

    def alone(self, at: datetime) -> str | None:
        """Give who alone named vehicles here around an instant; None where nobody or several."""
        first = bisect_left(self._named, (at - NEAR_IN_TIME, ""))
        last = bisect_right(self._named, (at + NEAR_IN_TIME, "\uffff"))
        people = {who for _, who in self._named[first:last]}
        return next(iter(people)) if len(people) == 1 else None

    def _note(self, who: str, at: datetime) -> None:
        self._all.acts[who].append(at)
        self._all.worked_at[who, self.day(at)].add(self._facility.id)

    def _unnamed(self, stay: WatchedStay) -> None:
        if not stay.sensed or stay.aside or stay.part:
            return
        who = self.alone(stay.closed_at)
        missed = stay.attached_at is None
        self._all.count(
            Signal.UNNAMED,
            self.stratum(stay.closed_at),
            who,
            happened=missed,
            evidence=_of_stay(stay),
        )
        if who in self._all.people:
            key = (str(who), self.day(stay.closed_at))
            self._all.hours[key] += (stay.closed_at - stay.opened_at) / _HOUR

    def _changed(
        self, stay: WatchedStay, words: Sequence[watched_stays.Word], paid: Sequence[Paid]
    ) -> None:
        for word in words:
            if word.by in self._all.people:
                self._note(word.by, word.at)
        stratum = self.stratum(stay.closed_at)
        drove_off = {each.by for each in words if each.kind == "escaped"}
        settled_at = min((each.at for each in paid), default=None)
        for signal, kinds in (
            (Signal.EXEMPTED, {"set-aside", "exempted"}),
            (Signal.SHORTENED, {"ended"}),
            (Signal.ESCAPED, {"escaped"}),
            (Signal.REPLATED, {"identified"}),
        ):
            by = {
                each.by
                for each in words
                if each.kind in kinds
                # Who drove off is ended by that very word: it is counted as what it is.
                and not (each.kind == "ended" and each.by in drove_off)
                and (
                    signal is not Signal.REPLATED
                    or (settled_at is not None and each.at > settled_at)
                )
            }
            for who in by | ({stay.attached_by} if stay.attached_by else set()):
                self._all.count(signal, stratum, who, happened=who in by, evidence=_of_stay(stay))

    def _cash(
        self, stay: WatchedStay, paid: Sequence[Paid], back: Sequence[store.GivenBack]
    ) -> None:
        who = self.alone(stay.closed_at)
        stratum = self.stratum(stay.closed_at)
        for each in paid:
            if who in self._all.people:
                self._all.takings[str(who), self.day(stay.closed_at)] += each.amount_minor
            cash = each.channel == "cash"
            evidence = Evidence(EvidenceKind.BILL, each.bill_id, rfc3339(each.at))
            self._all.count(
                Signal.CASH_SHARE, stratum, stay.attached_by, happened=cash, evidence=evidence
            )
            if not cash:
                continue
            if each.by in self._all.people:
                self._note(each.by, each.at)
            undone = any(one.by == each.by and each.at <= one.at <= each.at + SOON for one in back)
            self._all.count(Signal.UNDONE, stratum, each.by, happened=undone, evidence=evidence)
            self._all.count(
                Signal.ROUND,
                stratum,
                each.by,
                happened=each.amount_minor % ROUND_MINOR == 0,
                evidence=evidence,
            )


def weigh_honesty(database: Database) -> store.Run | None:
    """Work the list out from a fortnight, and keep it; None where nobody kept a shift.

    Notes
    -----
    A few statements for each thousand stays; memory grows with acts of people and hours of places.
    """
    until_at = database.clock.now()
    from_at = until_at - LOOKED_BACK
    with database.read() as connection:
        shifts = store.shifts_between(connection, from_at, until_at)
    gathered = _Gathered({each.holder: str(each.district) for each in shifts})
    if not gathered.people:
        return None
    for facility in _facilities(database):
        _gather(database, facility, gathered, from_at, until_at)
    _idle(gathered, shifts, from_at, until_at)
    _short(gathered, shifts, from_at)
    looked = list(_looked(gathered))
    lines = rules.listed(looked)
    run = store.Run(
        uuid7(),
        from_at,
        until_at,
        until_at,
        len(gathered.people),
        len(looked),
        rules.FALSE_SHARE,
        _rested(looked),
    )
    with database.unit_of_work() as uow:
        store.add_run(uow.connection, run, lines, dict(gathered.people))
        store.forget(uow.connection, until_at - KEPT_FOR)
    return run


def _gather(
    database: Database,
    facility: "Facility",
    gathered: _Gathered,
    from_at: datetime,
    until_at: datetime,
) -> None:
    place = _Place(facility, gathered)
    with database.read() as connection:
        for stays in watched_stays.ended(connection, facility.id, from_at, until_at):
            place.learn(stays)
        place.ready()
        for stays in watched_stays.ended(connection, facility.id, from_at, until_at):
            for first in range(0, len(stays), _PAGE):
                some = stays[first : first + _PAGE]
                ids = [each.id for each in some]
                place.weigh(
                    some,
                    watched_stays.words(connection, ids),
                    store.paid_for(connection, ids),
                    store.given_back(connection, ids),
                )


def _idle(
    gathered: _Gathered, shifts: Sequence[Shift], from_at: datetime, until_at: datetime
) -> None:
    """Count hours on shift at busy places, and those in which nothing was done."""
    usual = {
        facility_id: statistics.median(hours.values()) if hours else 0.0
        for facility_id, hours in gathered.arrivals.items()
    }
    acts = {who: sorted(at) for who, at in gathered.acts.items()}
    zone = ZoneInfo("Asia/Shanghai")
    for shift in shifts:
        for hour in _hours_on(shift, from_at, until_at):
            local = hour.astimezone(zone)
            places_then = gathered.worked_at.get((shift.holder, local.date().isoformat()), set())
            came = sum(gathered.arrivals[each][hour] for each in places_then)
            if not places_then or came < max(1.0, sum(usual[each] for each in places_then)):
                continue
            done = acts.get(shift.holder, [])
            idle = bisect_left(done, hour) == bisect_left(done, hour + _HOUR)
            stratum = f"{shift.district}/{local.hour // _FOUR_HOURS}"
            gathered.count(
                Signal.IDLE,
                stratum,
                shift.holder,
                happened=idle,
                evidence=Evidence(EvidenceKind.SHIFT, shift.id, rfc3339(hour)),
            )


def _short(gathered: _Gathered, shifts: Sequence[Shift], from_at: datetime) -> None:
    for each in shifts:
        difference = each.difference
        if difference is None or each.counted_at is None or each.counted_at < from_at:
            continue
        gathered.count(
            Signal.SHORTAGE,
            str(each.district),
            each.holder,
            happened=difference.minor < 0,
            evidence=Evidence(EvidenceKind.SHIFT, each.id, rfc3339(each.counted_at)),
        )


def _looked(gathered: _Gathered) -> Iterator[Line]:
    for signal, counts in gathered.counts.items():
        yield from rules.of_counts(signal, rules.comparable(counts, gathered.wider))
    yield from rules.of_measures(
        Signal.TAKINGS,
        [
            Measured(
                who,
                f"{gathered.people[who]}/{day}",
                gathered.takings.get((who, day), 0.0) / hours,
            )
            for (who, day), hours in sorted(gathered.hours.items())
            if hours >= FEWEST_HOURS
        ],
    )


def _rested(looked: Sequence[Line]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for line in looked:
        here = found.setdefault(line.signal.value, {"people": 0, "trials": 0})
        here["people"] += 1
        here["trials"] += line.trials
    return found


def _hours_on(shift: Shift, from_at: datetime, until_at: datetime) -> Iterator[datetime]:
    """Give the whole hours of a shift, those with a break in them left out."""
    end_at = min(shift.counted_at or until_at, until_at)
    hour = _hour(max(shift.opened_at, from_at)) + _HOUR
    while hour + _HOUR <= end_at:
        broken = any(
            each.from_at < hour + _HOUR and (each.until_at or until_at) > hour
            for each in shift.breaks
        )
        if not broken:
            yield hour
        hour += _HOUR


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _of_stay(stay: WatchedStay) -> Evidence:
    return Evidence(EvidenceKind.STAY, stay.id, rfc3339(stay.closed_at))


def _by_stay(rows: Sequence[_Row]) -> dict["UUID", list[_Row]]:
    found: dict[UUID, list[_Row]] = defaultdict(list)
    for each in rows:
        found[each.session_id].append(each)
    return found


def _facilities(database: Database) -> Iterator["Facility"]:
    """Give places where attendants walk: those without gates."""
    after: UUID | None = None
    while True:
        with database.read() as connection:
            page = places.facilities(connection, after=after, limit=_PAGE)
        yield from (each for each in page.items if each.kind != "garage")
        after = page.next
        if after is None:
            return


def task(database: Database) -> Task:
    """Give the task that works the list out, hourly."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        weigh_honesty(database)

    return Task(TASK, handle, every="41 * * * *")
