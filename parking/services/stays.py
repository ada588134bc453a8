"""Keeping stays in line with what bays' histories say, and saying whose a stay was."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection

from city.errors import NotFound
from city.events.parking import ParkingSessionClosed, VehicleAttached
from city.identifiers import BayId, BillId, FacilityId, ParkingSessionId, VehicleId, uuid7
from city.works.database import UnitOfWork
from parking.rules.evidence import CERTAIN, STATED, Evidence, EvidenceKind, EvidenceSource
from parking.rules.occupancy.history import BayChange, StateChange
from parking.rules.occupancy.policy import DEFAULT_POLICY, FoldingPolicy
from parking.rules.sensor_words import words
from parking.rules.stays import (
    BayStay,
    ParkingSession,
    StayState,
    attached,
    confirmed_until,
    revise,
)
from parking.store import stay_evidence, stay_lists
from parking.store import stays as store
from parking.store.pages import DEFAULT_PAGE, Page

SETTLED_AFTER: Final = timedelta(minutes=10)
"""Business time after which a departure is taken as final although nobody confirmed it: far above
every dwell of the folding policy."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch of changes did to stays."""

    opened: int
    revised: int
    annulled: int
    announced: int


def apply_bay_changes(
    uow: UnitOfWork, changes: Sequence[BayChange], policy: FoldingPolicy = DEFAULT_POLICY
) -> Applied:
    """Bring stays in line with edits of bays' histories.

    Part of the transaction that writes the histories. Applied twice, the second time changes
    nothing. Closings that no flicker can take back any more are announced, each once, where a
    vehicle is attached.

    Parameters
    ----------
    uow : UnitOfWork
        Its clock stamps the announcements.
    changes : Sequence[BayChange]
        In their order of arrival; many bays, several of one bay, at will.
    policy : FoldingPolicy
        The one that the histories were folded with.

    Notes
    -----
    At most eight statements a batch, each an index look-up a bay; one job a closed stay that has
    a vehicle.
    """
    if not changes:
        return Applied(0, 0, 0, 0)
    silences_ms = [policy.stale_after_ms, *(ms for _, ms in policy.stale_after_by_model_ms)]
    silence = timedelta(milliseconds=max(silences_ms))
    from_at: dict[BayId, datetime] = {}
    for change in changes:
        if change.from_at is not None:
            first = from_at.get(change.bay_id, change.from_at)
            from_at[change.bay_id] = min(first, change.from_at)
    known = store.load(uow.connection, from_at) if from_at else {}
    revised: dict[BayId, tuple[BayStay, ...]] = {}
    for change in changes:
        bay_id = change.bay_id
        if change.from_at is not None:
            stays = revised.get(bay_id, known[bay_id])
            revised[bay_id] = revise(stays, change, silence)
    counts = _write(uow, known, revised, changes)
    until_at = {change.bay_id: confirmed_until(change) for change in changes}
    announced = _announce(uow, store.take_closed(uow.connection, until_at, uow.clock.now()))
    return Applied(*counts, announced)


def attach(
    uow: UnitOfWork,
    session_id: ParkingSessionId,
    vehicle_id: VehicleId,
    by: str,
    *,
    source: EvidenceSource = EvidenceSource.ATTENDANT,
    certainty: int = STATED,
    seen_at: datetime | None = None,
) -> ParkingSession:
    """Say which vehicle a stay belongs to.

    Parameters
    ----------
    uow : UnitOfWork
        Its clock tells whether it is too late.
    session_id, vehicle_id
        The stay and the vehicle. The same vehicle again is no error and changes nothing.
    by : str
        Subject of the actor who says so.
    source : EvidenceSource
        What kind of witness that is.
    certainty : int
        Per mille.
    seen_at : datetime or None
        When the vehicle was seen, where that was not now: a word that comes late was in time.

    Raises
    ------
    NotFound
        Where there is no such stay: it may have been a flicker that was withdrawn.
    Conflict
        Where it has another vehicle, or ended longer ago than the grace.
    """
    session = store.find(uow.connection, session_id, lock=True)
    if session is None:
        raise NotFound("no such stay; a passing flicker may have been withdrawn", field="id")
    now = uow.clock.now()
    seen_at = seen_at or now
    witness = (source, certainty)
    if session.stay.vehicle_id == vehicle_id:
        if session.stay.closed_at is None:
            _note_plate(uow, session, vehicle_id, by, witness, seen_at)
        return session
    stay = attached(session.stay, vehicle_id, seen_at)
    store.attach(uow.connection, session_id, stay, by)
    _note_plate(uow, session, vehicle_id, by, witness, seen_at)
    uow.announce(
        VehicleAttached(
            occurred_at=now,
            session_id=session_id,
            facility_id=session.facility_id,
            vehicle_id=vehicle_id,
        )
    )
    dwell = timedelta(milliseconds=DEFAULT_POLICY.minimum_gap_ms)
    if stay.closed_at is not None and now - stay.closed_at >= dwell:
        announce(uow, [session_id])
    kept = store.find(uow.connection, session_id)
    if kept is None:
        raise NotFound("no such stay", field="id")
    return kept


def _note_plate(  # noqa: PLR0917 - who saw which vehicle in which stay, and when
    uow: UnitOfWork,
    session: ParkingSession,
    vehicle_id: VehicleId,
    by: str,
    witness: tuple[EvidenceSource, int],
    seen_at: datetime,
) -> None:
    source, certainty = witness
    if source is EvidenceSource.CAMERA:
        return  # its read is evidence already, at the instant of the read
    said = Evidence(
        EvidenceKind.PLATE_SEEN,
        seen_at,
        uow.clock.now(),
        source,
        certainty,
        by,
        session.facility_id,
        session.district,
        session.id,
        session.bay_id,
        vehicle_id,
    )
    stay_evidence.add(uow.connection, [said])


def announce(uow: UnitOfWork, session_ids: Sequence[ParkingSessionId]) -> int:
    """Announce those of some stays that are over, count, and were not announced; give how many."""
    return _announce(uow, store.take_these(uow.connection, session_ids, uow.clock.now()))


def find(
    connection: Connection, session_id: ParkingSessionId, *, lock: bool = False
) -> ParkingSession | None:
    """Give a stay by its id; with `lock` nobody else changes it before the transaction ends."""
    return store.find(connection, session_id, lock=lock)


def page(
    connection: Connection,
    *,
    bay_id: BayId | None = None,
    facility_id: FacilityId | None = None,
    state: StayState | None = None,
    districts: frozenset[str] | None = None,
    held: bool | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[ParkingSession]:
    """Give stays, the newest first; `districts` limits them to what a reader may see."""
    return stay_lists.page(
        connection,
        bay_id=bay_id,
        facility_id=facility_id,
        state=state,
        districts=districts,
        held=held,
        after=after,
        limit=limit,
    )


def earlier(
    connection: Connection, session: ParkingSession, since_at: datetime
) -> list[ParkingSession]:
    """Give the vehicle's closed stays under the same tariff before a stay, oldest first."""
    return stay_lists.earlier(connection, session, since_at)


def open_vehicles(
    connection: Connection, vehicle_ids: Collection[VehicleId]
) -> frozenset[VehicleId]:
    """Give those of some vehicles that are parked, or whose bill is yet to be written."""
    return stay_lists.open_vehicles(connection, vehicle_ids)


def open_of_vehicle(
    connection: Connection, facility_id: FacilityId, vehicle_id: VehicleId
) -> list[ParkingSession]:
    """Give a vehicle's open stays at a facility, oldest first, locked."""
    return stay_lists.open_of_vehicle(connection, facility_id, vehicle_id)


def note_paid_ahead(
    uow: UnitOfWork,
    session: ParkingSession,
    until_at: datetime,
    by: str,
    detail: Mapping[str, JsonValue],
    *,
    source: EvidenceSource = EvidenceSource.ATTENDANT,
) -> None:
    """Keep until when a stay can go on without anything more being due, and that it was paid."""
    paid = replace(session.stay, paid_until_at=until_at)
    store.write(uow.connection, session.id, paid, session.attached_by)
    now = uow.clock.now()
    said = Evidence(
        kind=EvidenceKind.PAID_AHEAD,
        at=now,
        recorded_at=now,
        source=source,
        certainty=CERTAIN,
        by=by,
        facility_id=session.facility_id,
        district=session.district,
        session_id=session.id,
        bay_id=session.bay_id,
        vehicle_id=session.admitted_as or session.stay.vehicle_id,
        detail={**detail, "until": until_at.isoformat()},
    )
    stay_evidence.add(uow.connection, [said])


def note_bill(uow: UnitOfWork, session_id: ParkingSessionId, bill_id: BillId | None) -> None:
    """Keep which bill a stay has; None where it was cancelled."""
    store.note_bill(uow.connection, session_id, bill_id)


def announce_settled(uow: UnitOfWork) -> int:
    """Announce closings that nobody confirmed: a job's safety net, run every minute.

    Returns
    -------
    int
        How many; ordinarily none.
    """
    now = uow.clock.now()
    return _announce(uow, store.take_closed_before(uow.connection, now - SETTLED_AFTER, now))


def _write(
    uow: UnitOfWork, known: store.Stays, revised: store.Stays, changes: Sequence[BayChange]
) -> tuple[int, int, int]:
    gone: list[ParkingSessionId] = []
    altered: list[BayStay] = []
    added: list[tuple[BayId, BayStay]] = []
    turned: list[tuple[BayId, BayStay | None, BayStay | None]] = []
    for bay_id, stays in revised.items():
        before = {stay.id: stay for stay in known[bay_id]}
        for stay in stays:
            if stay.id is None:
                new = replace(stay, id=ParkingSessionId(uuid7()))
                added.append((bay_id, new))
                turned.append((bay_id, None, new))
            elif (was := before.pop(stay.id)) != stay:
                altered.append(stay)
                turned.append((bay_id, was, stay))
        gone += [session_id for session_id in before if session_id is not None]
        turned += [(bay_id, was, None) for was in before.values()]
    if gone:
        store.remove(uow.connection, gone)
    if altered:
        store.alter(uow.connection, altered)
    if added:
        store.add(uow.connection, added)
    stay_evidence.add(uow.connection, _evidence(turned, changes, uow.clock.now()))
    return len(added), len(altered), len(gone)


def _evidence(
    turned: Sequence[tuple[BayId, BayStay | None, BayStay | None]],
    changes: Sequence[BayChange],
    at: datetime,
) -> list[Evidence]:
    """Give what the sensors said of stays by what became of them."""
    places = {change.bay_id: (change.facility_id, change.district) for change in changes}
    seen: dict[BayId, dict[str, StateChange]] = defaultdict(dict)
    for change in changes:
        seen[change.bay_id].update((each.observation, each) for each in change.changes)
    return [
        Evidence(
            kind=word.kind,
            at=word.at,
            recorded_at=at,
            source=EvidenceSource.SENSOR,
            certainty=word.certainty,
            by=word.by,
            facility_id=places[bay_id][0],
            district=places[bay_id][1],
            session_id=after.id if after is not None else before.id if before is not None else None,
            bay_id=bay_id,
            detail=word.detail,
        )
        for bay_id, before, after in turned
        for word in words(before, after, seen[bay_id])
    ]


def _announce(uow: UnitOfWork, closed: Sequence[store.ClosedStay]) -> int:
    for each in closed:
        stay = each.stay
        if stay.closed_at is None:
            continue
        uow.announce(
            ParkingSessionClosed(
                occurred_at=uow.clock.now(),
                session_id=each.id,
                bay_id=each.bay_id,
                facility_id=each.facility_id,
                district=each.district,
                opened_at=stay.opened_at,
                closed_at=stay.closed_at,
                state="closed",
                vehicle_id=stay.vehicle_id,
                tariff_version_id=stay.tariff_version_id,
            )
        )
    return len(closed)
