"""Rounds told to a running system while it is killed, and the reckoning: one effect an act."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.time import WallClock
from city.works.database import Database
from journeys.settle_terminal import settle_terminal
from journeys.wiring import EVENT_HANDLERS
from parking.services import stays
from payments import shifts
from payments.rules.ledger import cash_of
from payments.services import balance
from tests.faults.handhelds import Crew
from tests.faults.installation import until
from tests.faults.killing import Killer
from tests.faults.standing import differing_bills, differing_stays, street_of
from tests.faults.walks import plan_walks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from tests.faults.installation import Installation
    from tests.faults.walks import Walk

OFFICE: Final = Actor("person", "office", None, frozenset({Role.OPERATOR}), "office")
KINDS: Final = ("postgres", "postgres backend", "api", "api worker")
"""Processes that an upload goes through."""
PATIENCE_S: Final = 3_600.0
NEAR: Final = timedelta(seconds=45)
"""How far off an act's time may be where the device did not know its offset: an upload's way."""


@dataclass(slots=True)
class Books:
    """What stands against what was done."""

    wrong_acts: list[str] = field(default_factory=list)
    """Acts that are not kept once with the effect that they must have."""
    wrong_times: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    """Acts that were answered as new more than once."""
    wrong_counts: list[str] = field(default_factory=list)
    """Terminals whose gaps are not what was lost."""
    wrong_effects: list[str] = field(default_factory=list)
    """Stays, reports and payments that are not there once each."""
    wrong_bills: list[str] = field(default_factory=list)
    """Stays that are not billed once, over what their acts make of them."""
    wrong_photos: list[str] = field(default_factory=list)
    """Photos that are not kept once, with the stay of their act."""
    wrong_money: list[str] = field(default_factory=list)
    """People whose account, shift or terminal's days are not what was handed to them."""
    counts: Counter[str] = field(default_factory=Counter)

    def problems(self) -> list[str]:
        """Give all that is wrong."""
        return [
            *self.wrong_acts,
            *self.wrong_times,
            *self.twice,
            *self.wrong_counts,
            *self.wrong_effects,
            *self.wrong_bills,
            *self.wrong_photos,
            *self.wrong_money,
        ]


@dataclass(frozen=True, slots=True)
class RoundOutcome:
    """What became of it."""

    acts: int
    done: int
    sent: int
    strange: Sequence[str]
    statuses: Mapping[int, int]
    kills: Mapping[str, int]
    books: Books
    seconds: Mapping[str, float]


def endure_rounds(
    installation: Installation, terminals: int, acts: int, kills: int, senders: int, seed: int
) -> RoundOutcome:
    """Have terminals tell their rounds, kill processes meanwhile, compare.

    Parameters
    ----------
    installation
        Started.
    terminals, acts, kills, senders
        How many; acts of each terminal; terminals that send at once.
    seed
        Decides rounds, clocks, what is cut, lost and sent again, victims and moments.
    """
    clock: dict[str, float] = {}
    begun = time.monotonic()
    database = installation.database()
    try:
        walks = plan_walks(database, terminals, acts, seed, WallClock().now())
    finally:
        database.close()
    clock["planning"] = time.monotonic() - begun

    begun = time.monotonic()
    crew = Crew(walks, installation.port, senders)
    goal = sum(not step.lost for walk in walks for step in walk.steps)
    killer = Killer(installation, kills, goal, seed, kinds=KINDS)
    crew.start()
    try:
        killer.work(lambda: crew.done, lambda: crew.busy)
        crew.finish(PATIENCE_S)
    finally:
        crew.halt()
    clock["telling"] = time.monotonic() - begun
    clock["uploads"] = crew.upload_s

    begun = time.monotonic()
    bill_rest(installation, walks)
    clock["billing"] = time.monotonic() - begun

    begun = time.monotonic()
    database = installation.database()
    try:
        with database.read() as connection:
            books = reckon(connection, walks, crew)
    finally:
        database.close()
    clock["reckoning"] = time.monotonic() - begun
    return RoundOutcome(
        goal, crew.done, crew.sent, crew.strange, crew.statuses, killer.killed, books, clock
    )


def bill_rest(installation: Installation, walks: Sequence[Walk]) -> None:
    """Announce stays that are over, as a job does every minute; wait until all have their bills."""
    addresses = installation.record().addresses
    database = Database(addresses.database, clock=WallClock(), handlers=EVENT_HANDLERS, pool_size=2)
    bays = {"bays": [bay for walk in walks for bay in walk.bays]}

    def left() -> int:
        with database.read() as connection:
            return int(connection.scalar(_UNBILLED, bays) or 0)

    try:
        with database.unit_of_work() as uow:
            stays.announce_settled(uow)
        until(lambda: not left(), "every stay has its bill", patience_s=PATIENCE_S)
    finally:
        database.close()


_ACTS: Final = text(
    "select id, sequence, kind, outcome, reason, at, basis, detail, effect from terminals.act"
    " where terminal_id = :terminal order by sequence"
)
_REPORTS: Final = text(
    "select count(*) from audit.record where action = 'parking.bay_reported'"
    " and subject_id = any(cast(:bays as text[]))"
)
_PAYMENTS: Final = text(
    "select id, amount_minor, taken_at from payments.payment where taken_by = :holder"
)
_PHOTOS: Final = text(
    "select p.id, p.act_id, p.session_id, p.sha256, p.kept_at is not null as whole,"
    " (select count(*) from lpr.frame f where f.id = p.frame_id) as frames,"
    " (select count(*) from lpr.frame f where f.event_key = 'act-photo:' || p.id) as under_its_key,"
    " exists (select from terminals.awaited_photo w where w.photo_id = p.id) as awaited"
    " from terminals.act_photo p where p.terminal_id = :terminal"
)
_SIGNED_OUT: Final = text(
    "select until_at from terminals.sign_in where terminal_id = :terminal order by from_at"
)
_UNBILLED: Final = text(
    "select count(*) from parking.parking_session where bay_id = any(cast(:bays as uuid[]))"
    " and announced_at is not null and tariff_version_id is not null and bill_id is null"
)
_COUNT: Final = text(
    "select last_sequence, received from terminals.act_count where terminal_id = :terminal"
)


def reckon(connection: Connection, walks: Sequence[Walk], crew: Crew) -> Books:
    """Hold all that stands against what was done."""
    books = Books()
    for act_id, told in crew.results.items():
        new = sum(result == "created" for result, _ in told)
        refusals = {reason for result, reason in told if result == "conflict"}
        if new > 1 or len(refusals) > 1:
            books.twice.append(f"act {act_id} was answered {told}")
        books.counts["answers"] += len(told)
    for walk in walks:
        kept = {row.id: row for row in connection.execute(_ACTS, {"terminal": walk.terminal.id})}
        _hold_acts(books, walk, kept)
        _hold_count(books, walk, connection)
        _hold_stays(books, walk, kept, connection)
        _hold_reports(books, walk, connection)
        _hold_photos(books, walk, kept, connection)
        _hold_money(books, walk, kept, connection)
    return books


def _hold_acts(books: Books, walk: Walk, kept: Mapping[Any, Any]) -> None:
    expected = {each.id: each for each in walk.steps if not each.lost}
    books.wrong_acts += [f"nobody did {each}" for each in kept.keys() - expected.keys()]
    for act_id, step in expected.items():
        row = kept.get(act_id)
        if row is None:
            books.wrong_acts.append(f"{step.kind} {step.sequence} of {walk.terminal.id} is lost")
            continue
        books.counts[f"{step.kind} {row.outcome}"] += 1
        books.counts[row.basis] += 1
        if (row.sequence, row.kind, row.reason) != (step.sequence, step.kind, step.refused):
            books.wrong_acts.append(f"{step} became {row}")
        off = abs(row.at - step.at)
        # Whole milliseconds of an offset are all that a device tells.
        if off > (NEAR if row.basis == "on-upload" else timedelta(milliseconds=1)):
            books.wrong_times.append(f"{step.kind} {step.sequence} is off by {off} ({row.basis})")


def _hold_count(books: Books, walk: Walk, connection: Connection) -> None:
    row = connection.execute(_COUNT, {"terminal": walk.terminal.id}).one()
    missing = row.last_sequence - row.received
    books.counts["gaps"] += missing
    if missing != walk.lost():
        books.wrong_counts.append(f"{walk.terminal.id} misses {missing}, lost {walk.lost()}")


def _hold_stays(books: Books, walk: Walk, kept: Mapping[Any, Any], connection: Connection) -> None:
    street = street_of(walk, kept)
    wrong, found = differing_stays(connection, street, walk.bays)
    books.wrong_effects += wrong
    books.counts["stays"] += found
    wrong, found = differing_bills(connection, street, walk.bays, walk.unpriced)
    books.wrong_bills += wrong
    books.counts["bills"] += found
    left_at = next(
        (kept[each.id].at for each in walk.steps if each.kind == "sign-out" and each.id in kept),
        None,
    )
    until = list(connection.scalars(_SIGNED_OUT, {"terminal": walk.terminal.id}))
    if until != [left_at]:
        books.wrong_effects.append(f"{walk.terminal.id}: signed out {until}, not {left_at}")


def _hold_reports(books: Books, walk: Walk, connection: Connection) -> None:
    reports = connection.execute(_REPORTS, {"bays": walk.bays}).scalar_one()
    told = [each for each in walk.steps if each.kind == "report" and not each.refused]
    wanted = sum(not each.lost for each in told)
    books.counts["reports"] += reports
    if reports != wanted:
        books.wrong_effects.append(f"{walk.terminal.id}: {reports} reports of {wanted}")


def _hold_photos(books: Books, walk: Walk, kept: Mapping[Any, Any], connection: Connection) -> None:
    found = {
        str(row.id): (row.act_id, str(row.session_id), row.sha256, tuple(row[4:]))
        for row in connection.execute(_PHOTOS, {"terminal": walk.terminal.id})
    }
    wanted = {
        each.members["photo_id"]: (
            each.id,
            kept[each.id].effect["session_id"],
            each.members["photo_sha256"],
            (True, 1, 1, False),
        )
        for each in walk.steps
        if each.photo is not None and each.id in kept
    }
    books.counts["photos"] += len(found)
    books.wrong_photos += [
        f"photo {each}: {found.get(each)} and not {wanted.get(each)}"
        for each in found.keys() | wanted.keys()
        if found.get(each) != wanted.get(each)
    ]


def _hold_money(books: Books, walk: Walk, kept: Mapping[Any, Any], connection: Connection) -> None:
    holder, wanted = str(walk.account_id), Money(walk.cash_minor(), "CNY")
    paid = {
        row.id: (row.amount_minor, row.taken_at)
        for row in connection.execute(_PAYMENTS, {"holder": holder})
    }
    handed = {
        each.id: (each.minor, kept[each.id].at)
        for each in walk.steps
        if each.minor and not each.refused and each.id in kept
    }
    books.counts["payments"] += len(paid)
    if paid != handed:
        books.wrong_effects.append(f"{holder}: payments {paid.items() ^ handed.items()}")
    nothing = Money(0, "CNY")
    carried = balance(connection, cash_of(holder)).get("CNY", nothing)
    shift = shifts.find(connection, walk.shift_id)
    at = {each.kind: kept[each.id].at for each in walk.steps if each.id in kept}
    spells = [(each.from_at, each.until_at) for each in shift.breaks]
    as_told = (shift.opened_at, spells, shift.counted_at)
    if as_told != (
        at.get("shift-begin"),
        [(at.get("shift-pause"), at.get("shift-resume"))],
        at.get("shift-count"),
    ):
        books.wrong_money.append(f"{holder}: a shift {as_told}")
    days = {each.at.astimezone(ZoneInfo("Asia/Shanghai")).date() for each in walk.steps}
    settled = [
        settle_terminal(connection, OFFICE, walk.terminal.id, day)
        for first in [min(days)]
        for day in sorted(days | {first - timedelta(days=1), max(days) + timedelta(days=1)})
    ]
    by_days = sum(minor for day in settled for minor in day.cash.values())
    known = (shifts.known(connection, shift), shift.counted, shift.expected)
    if {carried, *known} != {wanted} or by_days != wanted.minor:
        books.wrong_money.append(f"{holder}: {carried}, {known}, {by_days} of {wanted}")
    if any(day.differences for day in settled):
        books.wrong_money.append(f"{holder}: days differ {settled}")
    books.counts["cash_minor"] += carried.minor
