"""A bay's day, three times told: by its sensor, by its stays, by their bills.

Where they part, a leak has a name. Nothing here is a charge or a fine: a leak says where to look,
and what the record has to show.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from city.identifiers import BillId, ParkingSessionId
from city.money import Money
from parking.rules.figures.direct import UNSEEN_ENDS, Spell
from parking.rules.occupancy.history import BayState
from parking.rules.stays import ParkingSession, StayState

TIMES_APART: Final = timedelta(minutes=2)
"""Beginnings or ends that lie further apart are told: the folding's own window for one event."""
BILL_GRACE: Final = timedelta(minutes=15)
"""A bill follows its stay within seconds; before this nothing is missing."""


class Leak(StrEnum):
    """What does not fit; keys of the catalogue."""

    OCCUPIED_WITHOUT_STAY = "occupied-without-stay"
    STAY_WITHOUT_SENSOR = "stay-without-sensor"
    STAY_WITHOUT_VEHICLE = "stay-without-vehicle"
    END_NOT_SEEN = "end-not-seen"
    TIMES_DIFFER = "times-differ"
    CLOSED_WITHOUT_TARIFF = "closed-without-tariff"
    CLOSED_WITHOUT_BILL = "closed-without-bill"
    BILL_OPEN = "bill-open"
    BILL_OVERDUE = "bill-overdue"
    PAID_DIFFERENTLY = "paid-differently"
    SENSOR_SILENT = "sensor-silent"


@dataclass(frozen=True, slots=True)
class StayBill:
    """What a stay's bill is over and what was paid for it."""

    id: BillId
    amount: Money
    issued_at: datetime
    due_at: datetime
    paid_at: datetime | None
    received: Money | None
    """None where no payment was taken."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A leak: when, whose stay, and how much money or time it is about."""

    leak: Leak
    from_at: datetime
    until_at: datetime | None
    session_id: ParkingSessionId | None = None
    bill_id: BillId | None = None
    amount: Money | None = None
    """What is missing in money, where that is known."""

    @property
    def lasted(self) -> timedelta | None:
        """How long; None while it goes on."""
        return None if self.until_at is None else self.until_at - self.from_at


@dataclass(frozen=True, slots=True)
class BayDay:
    """The three tellings of a bay's day and where they part."""

    start_at: datetime
    end_at: datetime
    """The day's end, or now."""
    spells: tuple[Spell, ...]
    stays: tuple[ParkingSession, ...]
    bills: tuple[tuple[ParkingSessionId, StayBill], ...]
    findings: tuple[Finding, ...]

    def lasted(self, state: BayState) -> timedelta:
        """Give how long the bay had a state."""
        return sum(
            (each.until_at - each.from_at for each in self.spells if each.state is state),
            timedelta(),
        )


def reconcile(
    day: tuple[datetime, datetime],
    spells: Sequence[Spell],
    stays: Sequence[ParkingSession],
    bills: Iterable[tuple[ParkingSessionId, StayBill]],
    now: datetime,
) -> BayDay:
    """Hold a bay's spells, stays and bills against each other.

    Parameters
    ----------
    day
        Its first instant and the next day's; what lies after `now` has not happened.
    spells
        Of the sensor, whole ones: those that touch the day, not cut at its ends.
    stays
        Those that touch the day.
    bills
        Of these stays.

    Returns
    -------
    BayDay
        With the findings in the order of their beginnings.
    """
    start_at, until_at = day[0], min(day[1], now)
    of_stay = dict(bills)
    findings = [
        *_unstayed(spells, stays, start_at, until_at),
        *(found for stay in stays for found in _of_stay(stay, spells, now)),
        *(found for stay in stays for found in _of_money(stay, of_stay.get(stay.id), now)),
    ]
    cut = [
        Spell(each.state, max(each.from_at, start_at), min(each.until_at, until_at))
        for each in spells
        if max(each.from_at, start_at) < min(each.until_at, until_at)
    ]
    findings += [
        Finding(Leak.SENSOR_SILENT, each.from_at, each.until_at)
        for each in cut
        if each.state is BayState.UNKNOWN
    ]
    findings.sort(key=lambda found: (found.from_at, found.leak.value))
    return BayDay(
        start_at,
        until_at,
        tuple(cut),
        tuple(stays),
        tuple((stay.id, of_stay[stay.id]) for stay in stays if stay.id in of_stay),
        tuple(findings),
    )


def _unstayed(
    spells: Sequence[Spell], stays: Sequence[ParkingSession], start_at: datetime, until_at: datetime
) -> Iterable[Finding]:
    """Find occupied time of the day that no stay covers, longer than clocks may differ."""
    for spell in spells:
        if spell.state is not BayState.OCCUPIED:
            continue
        at = max(spell.from_at, start_at)
        end_at = min(spell.until_at, until_at)
        for stay in sorted(stays, key=lambda each: each.stay.opened_at):
            closed_at = stay.stay.closed_at or until_at
            if closed_at <= at or stay.stay.opened_at >= end_at:
                continue
            if stay.stay.opened_at - at > TIMES_APART:
                yield Finding(Leak.OCCUPIED_WITHOUT_STAY, at, stay.stay.opened_at)
            at = max(at, closed_at)
        if end_at - at > TIMES_APART:
            yield Finding(Leak.OCCUPIED_WITHOUT_STAY, at, end_at)


def _of_stay(stay: ParkingSession, spells: Sequence[Spell], now: datetime) -> Iterable[Finding]:
    opened_at, closed_at = stay.stay.opened_at, stay.stay.closed_at
    over_at = closed_at or now
    under = [
        each
        for each in spells
        if each.state is BayState.OCCUPIED
        and each.from_at <= over_at
        and each.until_at >= opened_at
    ]
    if not under:
        yield Finding(Leak.STAY_WITHOUT_SENSOR, opened_at, closed_at, stay.id)
    else:
        apart = abs(opened_at - under[0].from_at) > TIMES_APART
        if closed_at is not None and stay.stay.closing_reason not in UNSEEN_ENDS:
            apart = apart or abs(closed_at - under[-1].until_at) > TIMES_APART
        if apart:
            yield Finding(Leak.TIMES_DIFFER, opened_at, closed_at, stay.id)
    if stay.stay.state is StayState.UNATTRIBUTED:
        yield Finding(Leak.STAY_WITHOUT_VEHICLE, opened_at, closed_at, stay.id)
    if closed_at is not None and stay.stay.closing_reason in UNSEEN_ENDS:
        yield Finding(Leak.END_NOT_SEEN, opened_at, closed_at, stay.id)


def _of_money(stay: ParkingSession, bill: StayBill | None, now: datetime) -> Iterable[Finding]:
    opened_at, closed_at = stay.stay.opened_at, stay.stay.closed_at
    if bill is None:
        if (
            closed_at is None
            or stay.stay.state is not StayState.CLOSED
            or now - closed_at < BILL_GRACE
        ):
            return
        priced = stay.stay.tariff_version_id is not None
        leak = Leak.CLOSED_WITHOUT_BILL if priced else Leak.CLOSED_WITHOUT_TARIFF
        yield Finding(leak, opened_at, closed_at, stay.id)
        return
    received = bill.received or Money(0, bill.amount.currency)
    missing = bill.amount - received if received.currency == bill.amount.currency else bill.amount
    if bill.paid_at is None:
        leak = Leak.BILL_OVERDUE if now > bill.due_at else Leak.BILL_OPEN
        yield Finding(leak, bill.issued_at, None, stay.id, bill.id, missing)
        return
    if received != bill.amount:
        yield Finding(
            Leak.PAID_DIFFERENTLY, bill.issued_at, bill.paid_at, stay.id, bill.id, missing
        )
