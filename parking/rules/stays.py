"""Stays from a bay's history: what opens, closes, revises and annuls them.

The history of a bay arrives as edits (`BayChange`): from an instant on, it is now these changes.
A stay is a spell in which the bay is occupied. These rules hold for every history:

- an arrival opens a stay and a departure closes it; departure and next arrival always part two
  stays, so that nobody pays for the next car;
- `unknown` neither opens nor closes. What ends a silence closes the stay at the last instant that
  was certain, whatever it says: after a departure nobody knows when the car left, after an arrival
  nobody knows that it is the same car;
- late evidence revises a stay, and withdraws one that was a flicker; but a stay with a vehicle is
  never withdrawn (somebody saw the car), and one whose closing was announced never changes (its
  bill is written).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from city.errors import Conflict
from city.identifiers import (
    AccountId,
    BayId,
    BillId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
)
from city.time import Interval
from parking.rules.evidence import Hold, PartKind, SetAside
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.rules.occupancy.machine import INFERRED_MARK

ATTACH_GRACE: Final = timedelta(minutes=15)
"""How long after the end of a stay somebody may still say whose it was. An attendant on a round
writes plates down and enters them at the next stop; longer, and memory decides who pays."""


LEAVING: Final = timedelta(minutes=5)
"""How long a vehicle may stand on after its driver ended the stay, before what stands there counts
as a stay of its own: loading up, waiting for a gap in the traffic."""


class StayState(StrEnum):
    """State of a stay."""

    OPEN = "open"
    CLOSED = "closed"
    UNATTRIBUTED = "unattributed"
    """Over, and nobody said whose it was: never billed."""


class ClosingReason(StrEnum):
    """Why a stay ended when it did."""

    DEPARTURE = "departure"
    SILENCE = "silence"
    """The bay fell silent: ended at the last instant at which the vehicle was certainly there."""
    NEXT_VEHICLE = "next-vehicle"
    """Another vehicle was attached in the bay."""
    WITHDRAWN = "evidence-withdrawn"
    """The sensor took the arrival back; the stay ended when the vehicle was last seen."""
    DRIVER = "driver-end"
    STATED = "stated"
    """A person stated when it ended."""
    GATE_EXIT = "gate-exit"
    MISSED_EXIT = "missed-exit"
    """It came in again: ended at the last instant at which it was certainly there."""
    NO_ENTRY = "no-entry"
    """It left without having come in: a stay of no length, until its entry is known."""


@dataclass(frozen=True, slots=True)
class BayStay:
    """A stay, as far as a bay's evidence decides it."""

    opened_at: datetime
    opened_evidence: str
    id: ParkingSessionId | None = None
    """None until it is kept."""
    closed_at: datetime | None = None
    closed_evidence: str | None = None
    closing_reason: ClosingReason | None = None
    uncertain_from_at: datetime | None = None
    """From here on nobody knows whether the vehicle is still there."""
    certain_until_at: datetime | None = None
    """Last word that said so before the silence."""
    vehicle_id: VehicleId | None = None
    attached_at: datetime | None = None
    announced_at: datetime | None = None
    """When its closing was announced: from then on it never changes."""
    tariff_version_id: TariffVersionId | None = None
    hold: Hold | None = None
    set_aside: SetAside | None = None
    part_of: ParkingSessionId | None = None
    """The stay of the same vehicle that counts instead of, or together with, this one."""
    part_kind: PartKind | None = None
    ended_at: datetime | None = None
    """When a person says that it ended: no sensor makes it longer."""
    ended_because: ClosingReason | None = None
    planned_until_at: datetime | None = None
    paid_until_at: datetime | None = None
    started_by: AccountId | None = None
    """The driver who started it."""

    @property
    def state(self) -> StayState:
        """State that follows from its end and its vehicle."""
        if self.closed_at is None:
            return StayState.OPEN
        return StayState.UNATTRIBUTED if self.vehicle_id is None else StayState.CLOSED

    @property
    def final(self) -> bool:
        """Whether no evidence may change it any more."""
        return self.announced_at is not None

    @property
    def billable(self) -> bool:
        """Whether it is one that is billed by itself, once it is over."""
        counted = self.set_aside is None and self.part_of is None and self.hold is None
        return counted and self.vehicle_id is not None and self.tariff_version_id is not None


def revise(
    stays: Sequence[BayStay], change: BayChange, longest_silence: timedelta
) -> tuple[BayStay, ...]:
    """Bring the stays of a bay in line with an edit of its history.

    Parameters
    ----------
    stays : Sequence[BayStay]
        The bay's stays, oldest first: at least the one in force just before the edit begins and
        all that were opened later.
    change : BayChange
        The edit. Applied twice it changes nothing more.
    longest_silence : timedelta
        Silence after which a bay counts as unknown, where the edit does not tell its last word.

    Returns
    -------
    tuple of BayStay
        Oldest first, never two at one instant; those without id are new, those that are missing
        are annulled.
    """
    if change.from_at is None:
        return tuple(stays)
    before, carried, later = _parted(stays, change.from_at)
    spells = _spells(carried, change, longest_silence)
    kept: list[BayStay] = []
    rest = list(later)
    for place, spell in enumerate(spells):
        known = carried if place == 0 and carried is not None else _taken(rest, spell)
        kept += _along(known, spell, rest)
    for orphan in rest:
        kept += _orphaned(orphan, spells)
    return (*before, *_apart(kept))


def remainder(stay: BayStay, opened_at: datetime) -> BayStay:
    """Give the stay of whatever stands in the bay after a person ended a stay there.

    It keeps the arrival that the sensor saw as its evidence, so that what the sensor says later
    finds it.
    """
    return BayStay(opened_at, stay.opened_evidence)


def check_attachable(stay: BayStay, at: datetime) -> None:
    """Refuse to say whose a stay was when it is too late, or said already.

    Raises
    ------
    Conflict
        With the reason.
    """
    if stay.set_aside is not None:
        raise Conflict("the stay was set aside", field="session_id", reason="set-aside")
    if stay.vehicle_id is not None:
        raise Conflict("the stay already has a vehicle", field="session_id", reason="attached")
    if stay.closed_at is not None and at - stay.closed_at > ATTACH_GRACE:
        minutes = ATTACH_GRACE // timedelta(minutes=1)
        raise Conflict(
            f"the stay ended more than {minutes} minutes ago, so it stays unattributed",
            field="session_id",
            reason="closed",
            grace_minutes=minutes,
        )


def attached(stay: BayStay, vehicle_id: VehicleId, at: datetime) -> BayStay:
    """Say whose a stay is; Conflict where ``check_attachable`` refuses."""
    check_attachable(stay, at)
    return replace(stay, vehicle_id=vehicle_id, attached_at=at)


def confirmed_until(change: BayChange) -> datetime | None:
    """Give the instant before which no departure can be taken back as a flicker; None for all."""
    return change.since_at if change.provisional else None


# --- spells --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Spell:
    """A time in which the bay is occupied, as an edited history has it."""

    opened_at: datetime
    opened_evidence: str
    closed_at: datetime | None = None
    closed_evidence: str | None = None
    reason: ClosingReason | None = None
    uncertain_from_at: datetime | None = None
    certain_until_at: datetime | None = None

    def close(self, change: StateChange) -> None:
        self.closed_evidence = change.observation
        if self.uncertain_from_at is None:
            self.closed_at, self.reason = change.at, ClosingReason.DEPARTURE
        else:
            certain = self.certain_until_at or self.uncertain_from_at
            self.closed_at = max(self.opened_at, min(certain, self.uncertain_from_at))
            self.reason = ClosingReason.SILENCE


def _parted(
    stays: Sequence[BayStay], from_at: datetime
) -> tuple[list[BayStay], BayStay | None, list[BayStay]]:
    """Part stays into those over before an edit, the one that it cuts, and those after."""
    before, later = [], []
    carried = None
    for stay in stays:
        if stay.opened_at >= from_at:
            later.append(stay)
        elif stay.closed_at is not None and stay.closed_at < from_at:
            before.append(stay)
        else:
            carried = stay
    return before, carried, later


def _spells(carried: BayStay | None, change: BayChange, longest_silence: timedelta) -> list[_Spell]:
    spells: list[_Spell] = []
    current: _Spell | None = None
    if carried is not None:
        current = _Spell(carried.opened_at, carried.opened_evidence)
        doubtful_at = carried.uncertain_from_at
        if doubtful_at is not None and change.from_at is not None and doubtful_at < change.from_at:
            current.uncertain_from_at = doubtful_at
            current.certain_until_at = carried.certain_until_at
        spells.append(current)
    last = len(change.changes) - 1
    for place, seen in enumerate(change.changes):
        if seen.state is BayState.UNKNOWN:
            if current is not None and current.uncertain_from_at is None:
                current.uncertain_from_at = seen.at
                known = change.heard_at if place == last else None
                current.certain_until_at = min(known or seen.at - longest_silence, seen.at)
            continue
        if current is not None and (
            seen.state is BayState.FREE or current.uncertain_from_at is not None
        ):
            current.close(seen)
            current = None
        if seen.state is BayState.OCCUPIED and current is None:
            current = _Spell(seen.at, seen.observation)
            spells.append(current)
    return spells


def _taken(stays: list[BayStay], spell: _Spell) -> BayStay | None:
    """Take the stay that a spell is out of those that were known: by its arrival, else by time."""
    key = spell.opened_evidence.rstrip(INFERRED_MARK)
    found = next((s for s in stays if s.opened_evidence.rstrip(INFERRED_MARK) == key), None)
    if found is None:
        found = next((stay for stay in stays if _overlap(stay, spell)), None)
    if found is not None:
        stays.remove(found)
    return found


def _along(known: BayStay | None, spell: _Spell, rest: list[BayStay]) -> Iterable[BayStay]:
    """Give the stays of one spell: one, or several where a person parted it or a bill is written.

    Whether the vehicle went on or another one came: nobody's stay is made longer by what follows.
    """
    while known is not None and (known.final or known.ended_at is not None):
        yield known if known.final else _fitted(known, spell)
        cut_at = known.closed_at if known.final else known.ended_at
        if cut_at is None or not _goes_on(spell, known, cut_at):
            return
        spell.opened_at = cut_at
        known = _taken(rest, spell)
        if known is not None:
            # Where somebody saw the next vehicle only later, the time until then stays nobody's.
            spell.opened_at = max(cut_at, known.opened_at)
    yield _fitted(known, spell)


def _goes_on(spell: _Spell, known: BayStay, cut_at: datetime) -> bool:
    """Say whether a bay stays occupied after a stay was cut, for long enough to matter."""
    if spell.closed_at is None:
        return True
    return not known.final and spell.closed_at - cut_at > LEAVING


def _overlap(stay: BayStay, spell: _Spell) -> bool:
    return (stay.closed_at is None or spell.opened_at < stay.closed_at) and (
        spell.closed_at is None or stay.opened_at < spell.closed_at
    )


def _fitted(known: BayStay | None, spell: _Spell) -> BayStay:
    """Give the stay that a spell makes of the one that was known."""
    if known is None:
        known = BayStay(spell.opened_at, spell.opened_evidence)
    closed_at = spell.closed_at
    seen_at = known.attached_at
    if closed_at is not None and seen_at is not None and spell.uncertain_from_at is not None:
        # who attached the vehicle saw it there
        closed_at = max(closed_at, min(seen_at, spell.uncertain_from_at))
    reason, ended_at = spell.reason, known.ended_at
    if ended_at is not None and (closed_at is None or closed_at >= ended_at):
        closed_at, reason = ended_at, known.ended_because
    opened_at = spell.opened_at if closed_at is None else min(spell.opened_at, closed_at)
    return replace(
        known,
        opened_at=opened_at,
        opened_evidence=spell.opened_evidence,
        closed_at=closed_at,
        closed_evidence=spell.closed_evidence,
        closing_reason=reason,
        uncertain_from_at=spell.uncertain_from_at,
        certain_until_at=spell.certain_until_at,
    )


def _orphaned(stay: BayStay, spells: Sequence[_Spell]) -> Iterable[BayStay]:
    """Give what becomes of a stay that no spell stands for any more."""
    if stay.vehicle_id is None and stay.ended_at is None:
        return
    if stay.final or stay.ended_at is not None:
        yield stay
        return
    spell = next((each for each in spells if _overlap(stay, each)), None)
    if spell is not None:
        yield replace(
            stay,
            closed_at=spell.closed_at,
            closed_evidence=spell.closed_evidence,
            closing_reason=spell.reason,
            uncertain_from_at=spell.uncertain_from_at,
            certain_until_at=spell.certain_until_at,
        )
    elif stay.closed_at is not None:
        yield stay
    else:
        seen_at = max(stay.opened_at, stay.attached_at or stay.opened_at)
        yield replace(stay, closed_at=seen_at, closing_reason=ClosingReason.WITHDRAWN)


def _apart(stays: Sequence[BayStay]) -> Iterable[BayStay]:
    """Part stays that would share time: what is final stays, else the later arrival ends it."""
    ordered = sorted(stays, key=lambda stay: (stay.opened_at, not stay.final))
    apart: list[BayStay] = []
    for stay in ordered:
        last = apart[-1] if apart else None
        if last is None or (last.closed_at is not None and last.closed_at <= stay.opened_at):
            apart.append(stay)
        elif not last.final:
            apart[-1] = replace(
                last, closed_at=stay.opened_at, closing_reason=ClosingReason.NEXT_VEHICLE
            )
            apart.append(stay)
        elif last.closed_at is not None:
            apart += _after(stay, last.closed_at)
    return apart


def _after(stay: BayStay, at: datetime) -> Iterable[BayStay]:
    """Give what is left of a stay after another one's end; nothing where nothing is."""
    if stay.final:
        raise Conflict("two billed stays share time in one bay", field="session_id")
    if stay.closed_at is None or stay.closed_at > at:
        yield replace(stay, opened_at=at)
    elif stay.vehicle_id is not None:
        yield replace(stay, opened_at=at, closed_at=at)


@dataclass(frozen=True, slots=True)
class ParkingSession:
    """A stay with its place: what services and pages read."""

    id: ParkingSessionId
    bay_id: BayId | None
    """None where gates count, not bays."""
    bay_label: str
    """Empty without a bay."""
    facility_id: FacilityId
    district: DistrictCode
    stay: BayStay
    attached_by: str | None
    bill_id: BillId | None
    admitted_as: VehicleId | None = None
    """Without a bay: under which identity its evidence is joined."""
    exempt: str | None = None
    """Code of the reason for which somebody freed it of its fee."""

    @property
    def interval(self) -> Interval:
        """From arrival to departure."""
        return Interval(self.stay.opened_at, self.stay.closed_at)
