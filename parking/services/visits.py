"""Keeping stays without a bay in line with what is said of a vehicle at a facility."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from city.errors import Conflict
from city.identifiers import FacilityId, ParkingSessionId, VehicleId, uuid7
from city.time import Interval
from city.works.database import UnitOfWork
from parking.rules.evidence import Evidence
from parking.rules.stays import BayStay, ParkingSession
from parking.rules.visits import DEFAULT_POLICY, VisitPolicy, VisitStay, join, reconcile
from parking.store import stay_evidence, stay_lists
from parking.store import stays as store
from parking.store import visits as visit_store

SETTLES_AFTER: Final = timedelta(days=30)
"""A stay that is held for longer is changed by a person's word about it alone."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of a piece of evidence."""

    evidence: Evidence
    session: ParkingSession | None
    """The stay of which it speaks; None where nobody can tell."""
    repeated: bool = False
    """Whether the same event had come before: then nothing was done."""


def seen_before(uow: UnitOfWork, event_key: str) -> Joined | None:
    """Give what became of an event, where it came before."""
    present = stay_evidence.by_event(uow.connection, event_key)
    if present is None:
        return None
    session = None
    if present.session_id is not None:
        session = store.find(uow.connection, present.session_id)
    return Joined(present, session, repeated=True)


def identity_of(
    uow: UnitOfWork,
    facility_id: FacilityId,
    read_as: VehicleId,
    at: datetime,
    policy: VisitPolicy = DEFAULT_POLICY,
) -> VehicleId | None:
    """Give the identity under which a vehicle is inside, or was read at the gate just now."""
    for session in stay_lists.open_of_vehicle(uow.connection, facility_id, read_as):
        if session.admitted_as is not None:
            return session.admitted_as
    near = Interval(at - policy.double_read, at + policy.double_read)
    return stay_evidence.read_near(uow.connection, facility_id, read_as, near)


def open_at(
    uow: UnitOfWork, facility_id: FacilityId, vehicle_id: VehicleId
) -> list[ParkingSession]:
    """Give a vehicle's open stays at a facility, the oldest first, held; also by its identity."""
    return stay_lists.open_of_vehicle(uow.connection, facility_id, vehicle_id)


def just_entered(
    uow: UnitOfWork,
    facility_id: FacilityId,
    gate: str,
    at: datetime,
    policy: VisitPolicy = DEFAULT_POLICY,
) -> dict[VehicleId, VehicleId]:
    """Give those that entered by one gate at nearly the same time, each with its identity."""
    between = Interval(at - policy.double_read, at + policy.double_read)
    found = stay_evidence.entries(uow.connection, facility_id, gate, between)
    return {each.names: each.vehicle_id for each in found if each.names and each.vehicle_id}


def take_turn(uow: UnitOfWork, facility_id: FacilityId) -> None:
    """Let one transaction at a time join evidence at a facility."""
    stay_evidence.take_turn(uow.connection, facility_id)


def add(
    uow: UnitOfWork,
    evidence: Evidence,
    policy: VisitPolicy = DEFAULT_POLICY,
    *,
    since_at: datetime | None = None,
) -> Joined:
    """Keep evidence of a vehicle at a facility, and bring its stays in line with all there is.

    Events may come in any order and more than once. A stay that is over is announced some minutes
    later (`parking.services.stays.announce_settled`), so that what is still on its way counts. What
    is billed is not changed: evidence that comes after it makes a stay of its own, which is held.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction; another one at the same facility waits for it.
    evidence : Evidence
        With the identity under which it is joined; without one it is kept for a person to match.
    policy : VisitPolicy
    since_at : datetime or None
        How far back stays that are over may change; None for the ordinary 30 days.

    Raises
    ------
    Conflict
        Where the vehicle is inside under another identity.

    Notes
    -----
    About ten statements, each by an index; the evidence that is joined is that of one vehicle.
    """
    take_turn(uow, evidence.facility_id)
    if not stay_evidence.add_once(uow.connection, evidence):
        present = seen_before(uow, evidence.event_key or "")
        if present is None:
            raise Conflict("the event is being written by somebody else", field="event_id")
        return present
    if evidence.vehicle_id is None:
        return Joined(evidence, None)
    since_at = since_at or uow.clock.now() - SETTLES_AFTER
    kept = _rejoin(
        uow,
        evidence.facility_id,
        evidence.vehicle_id,
        by=evidence.by,
        since_at=since_at,
        policy=policy,
    )
    found = next((each.stay.id for each in kept if evidence.id in each.evidence), None)
    session = None if found is None else store.find(uow.connection, found)
    if session is not None:
        evidence = replace(evidence, session_id=session.id)
    return Joined(evidence, session)


def _rejoin(
    uow: UnitOfWork,
    facility_id: FacilityId,
    admitted_as: VehicleId,
    *,
    by: str,
    since_at: datetime,
    policy: VisitPolicy,
) -> tuple[VisitStay, ...]:
    connection = uow.connection
    said = stay_evidence.of_vehicle(connection, facility_id, admitted_as, since_at)
    known = visit_store.of_group(connection, facility_id, admitted_as, since_at)
    kept, gone = reconcile(known, join(said, policy), uow.clock.now())
    was = {stay.id: stay for stay in known}
    moved: list[ParkingSessionId] = []
    written: list[VisitStay] = []
    stay_evidence.assign(connection, _left(gone, kept, said))
    store.remove(connection, gone)
    # Those that are over first: a vehicle is inside once.
    for each in sorted(kept, key=lambda each: each.stay.closed_at is None):
        stay = each.stay
        if stay.id is None:
            stay = replace(stay, id=ParkingSessionId(uuid7()))
            _add(uow, facility_id, admitted_as, stay, by)
        elif stay != was[stay.id]:
            named = stay.vehicle_id != was[stay.id].vehicle_id
            store.write(connection, stay.id, stay, by if named else None)
            if stay.opened_at != was[stay.id].opened_at:
                moved.append(stay.id)
        written.append(VisitStay(stay, each.evidence))
    visit_store.repin(connection, moved)
    owner: dict[UUID, ParkingSessionId] = {
        name: each.stay.id for each in written if each.stay.id for name in each.evidence
    }
    stay_evidence.assign(connection, owner)
    return tuple(written)


def _left(
    gone: Sequence[ParkingSessionId], kept: Sequence[VisitStay], said: Sequence[Evidence]
) -> dict[UUID, ParkingSessionId]:
    """Give evidence of stays that are no more to those that it is part of now."""
    inside = {name: each.stay.id for each in kept if each.stay.id for name in each.evidence}
    return {
        each.id: inside[each.id] for each in said if each.session_id in gone and each.id in inside
    }


def _add(
    uow: UnitOfWork, facility_id: FacilityId, admitted_as: VehicleId, stay: BayStay, by: str
) -> None:
    visit_store.add(uow.connection, facility_id, admitted_as, stay, attached_by=by)
