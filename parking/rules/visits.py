"""Stays where gates count: joined from everything that was said of one vehicle at one facility.

`join` looks at the evidence as a set: in whatever order it arrives, and however often, the visits
come out the same. It never guesses: an exit that nobody saw leaves a visit that is held, and the
time of which nobody knows is charged to nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from city.errors import Conflict
from city.identifiers import ParkingSessionId, VehicleId
from parking.rules.evidence import Evidence, EvidenceKind, Hold
from parking.rules.stays import BayStay, ClosingReason

ENTRIES: Final = frozenset({EvidenceKind.GATE_ENTRY, EvidenceKind.ENTRY_STATED})
EXITS: Final = frozenset({EvidenceKind.GATE_EXIT, EvidenceKind.EXIT_STATED})
SIGHTS: Final = frozenset({EvidenceKind.CAMERA_READ, EvidenceKind.PLATE_SEEN})
OPENING: Final = frozenset({EvidenceKind.PLATE_SEEN})
"""Sights that open a visit by themselves: a second car in a bay, which no gate ever saw."""
_RANK: Final = {**dict.fromkeys(ENTRIES, 0), **dict.fromkeys(SIGHTS, 1), **dict.fromkeys(EXITS, 2)}
_LAST: Final = 3
"""What is said of a visit as a whole carries its first instant, and comes after what opened it."""
NAMING: Final = ENTRIES | EXITS | SIGHTS


@dataclass(frozen=True, slots=True)
class VisitPolicy:
    """What decides how evidence joins."""

    double_read: timedelta = timedelta(minutes=2)
    """Two reads at one kind of gate within this time are one passage: barriers have two cameras,
    and a car rolls back and forth before them."""
    bill_from: int = 950
    """Certainty, per mille, that at least one read of the plate needs before anybody is billed:
    the confidence from which a read is accepted (`lpr.rules.reads`)."""


DEFAULT_POLICY: Final = VisitPolicy()


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay from gate to gate, as its evidence has it."""

    opened_at: datetime
    opened_by: UUID
    vehicle_id: VehicleId | None
    """Whose it is: as a person stated, else as the most certain read has it."""
    certainty: int
    """Of that."""
    seen_until_at: datetime
    """Last instant at which somebody certainly saw it there."""
    closed_at: datetime | None = None
    closed_by: UUID | None = None
    reason: ClosingReason | None = None
    hold: Hold | None = None
    evidence: tuple[UUID, ...] = ()


def join(evidence: Iterable[Evidence], policy: VisitPolicy = DEFAULT_POLICY) -> tuple[Visit, ...]:
    """Join what was said of one vehicle at one facility to its visits.

    Parameters
    ----------
    evidence : iterable of Evidence
        In any order; the same one twice counts once.
    policy : VisitPolicy

    Returns
    -------
    tuple of Visit
        Oldest first; they never overlap, and only the last can be open. An entry while the vehicle
        is inside ends the visit before at the last instant at which it was certainly there, held
        as a missed exit. An exit while it is outside is a visit of no length, held until its entry
        comes late or is stated.

    Notes
    -----
    Costs time in proportion to n log n of the evidence.
    """
    ordered = sorted({each.id: each for each in evidence}.values(), key=_order)
    walk = _Walk(policy)
    for each in ordered:
        if each.kind in ENTRIES:
            walk.enter(each)
        elif each.kind in EXITS:
            walk.leave(each)
        else:
            walk.note(each)
    return tuple(_named(visit, said, policy) for visit, said in walk.visits())


def _order(each: Evidence) -> tuple[datetime, int, UUID]:
    return each.at, _RANK.get(each.kind, _LAST), each.id


class _Walk:
    """Goes through one vehicle's evidence in the order of time."""

    def __init__(self, policy: VisitPolicy) -> None:
        self._policy = policy
        self._done: list[tuple[Visit, list[Evidence]]] = []
        self._inside: tuple[Visit, list[Evidence]] | None = None

    def visits(self) -> list[tuple[Visit, list[Evidence]]]:
        return [*self._done, *([self._inside] if self._inside else [])]

    def enter(self, entry: Evidence) -> None:
        if self._inside is not None:
            visit, said = self._inside
            last_at = max((each.at for each in said if each.kind in ENTRIES), default=entry.at)
            if entry.at - last_at <= self._policy.double_read:
                self._inside = (
                    replace(visit, seen_until_at=max(visit.seen_until_at, entry.at)),
                    [*said, entry],
                )
                return
            missed = replace(
                visit,
                closed_at=visit.seen_until_at,
                reason=ClosingReason.MISSED_EXIT,
                hold=Hold.MISSED_EXIT,
            )
            self._done.append((missed, said))
        self._inside = Visit(entry.at, entry.id, None, 0, entry.at), [entry]

    def leave(self, leaving: Evidence) -> None:
        stated = leaving.kind is EvidenceKind.EXIT_STATED
        reason = ClosingReason.STATED if stated else ClosingReason.GATE_EXIT
        if self._inside is not None:
            visit, said = self._inside
            left = replace(
                visit,
                seen_until_at=leaving.at,
                closed_at=leaving.at,
                closed_by=leaving.id,
                reason=reason,
            )
            self._done.append((left, [*said, leaving]))
            self._inside = None
            return
        if self._done:
            visit, said = self._done[-1]
            closed_at = visit.closed_at or visit.opened_at
            if leaving.at - closed_at <= self._policy.double_read:
                # Read twice at the gate: the first passage counts, in the driver's favour.
                said.append(leaving)
                return
        alone = Visit(
            leaving.at,
            leaving.id,
            None,
            0,
            leaving.at,
            leaving.at,
            leaving.id,
            ClosingReason.NO_ENTRY,
            Hold.NO_ENTRY,
        )
        self._done.append((alone, [leaving]))

    def note(self, said: Evidence) -> None:
        if self._inside is not None:
            visit, before = self._inside
            until_at = visit.seen_until_at
            if said.kind in SIGHTS:
                until_at = max(until_at, said.at)
            self._inside = replace(visit, seen_until_at=until_at), [*before, said]
        elif said.kind in OPENING:
            self._inside = Visit(said.at, said.id, None, 0, said.at), [said]
        elif self._done:
            self._done[-1][1].append(said)


def _named(visit: Visit, said: Sequence[Evidence], policy: VisitPolicy) -> Visit:
    """Say whose a visit is: by a person's word (the latest), else by the most certain read."""
    stated = [each for each in said if each.kind is EvidenceKind.IDENTIFIED and each.names]
    if stated:
        best = max(stated, key=lambda each: (each.recorded_at, each.id))
    else:
        reads = [each for each in said if each.kind in NAMING and each.names is not None]
        best = max(reads, key=lambda each: (each.certainty, -each.at.timestamp(), each.id))
    hold = visit.hold
    if hold is None and visit.closed_at is not None and best.certainty < policy.bill_from:
        hold = Hold.PLATE_DOUBTFUL
    return replace(
        visit,
        vehicle_id=best.names,
        certainty=best.certainty,
        hold=hold,
        evidence=tuple(each.id for each in said),
    )


@dataclass(frozen=True, slots=True)
class VisitStay:
    """A visit as it is kept, or is to be kept."""

    stay: BayStay
    evidence: tuple[UUID, ...]


def reconcile(
    known: Sequence[BayStay], visits: Sequence[Visit], at: datetime
) -> tuple[tuple[VisitStay, ...], tuple[ParkingSessionId, ...]]:
    """Give visits the identities of the stays that were kept of them.

    Parameters
    ----------
    known : sequence of BayStay
        The vehicle's stays at the facility that are not yet final.
    visits : sequence of Visit
        What their evidence joins to now.
    at : datetime
        Business time, for stays whose vehicle is named for the first time.

    Returns
    -------
    tuple
        The stays to keep (new ones without id), and the ids of those that are no more: an exit
        that stood alone is part of the visit whose entry came late.

    Raises
    ------
    Conflict
        Where a stay that is final would have to change.
    """
    if any(stay.final for stay in known):
        raise Conflict("the stay is billed: nothing changes it any more", field="session_id")
    rest = list(known)
    kept = []
    for visit in visits:
        was = _known(rest, visit)
        stay = was or BayStay(visit.opened_at, str(visit.opened_by))
        named = stay.vehicle_id != visit.vehicle_id
        span = (visit.opened_at, visit.closed_at)
        same = not named and span == (stay.opened_at, stay.closed_at)
        kept.append(
            VisitStay(
                replace(
                    stay,
                    opened_at=visit.opened_at,
                    opened_evidence=str(visit.opened_by),
                    closed_at=visit.closed_at,
                    closed_evidence=None if visit.closed_by is None else str(visit.closed_by),
                    closing_reason=visit.reason,
                    vehicle_id=visit.vehicle_id,
                    attached_at=at if named else stay.attached_at,
                    # What a dispute undid stays undone until something about it is corrected.
                    hold=Hold.DISPUTED if same and stay.hold is Hold.DISPUTED else visit.hold,
                ),
                visit.evidence,
            )
        )
    return tuple(kept), tuple(stay.id for stay in rest if stay.id is not None)


def _known(rest: list[BayStay], visit: Visit) -> BayStay | None:
    """Take the stay that a visit was kept as: by the evidence that opened it, else in it."""
    names = {str(each) for each in visit.evidence}
    found = next((stay for stay in rest if stay.opened_evidence == str(visit.opened_by)), None)
    found = found or next((stay for stay in rest if stay.opened_evidence in names), None)
    if found is not None:
        rest.remove(found)
    return found
