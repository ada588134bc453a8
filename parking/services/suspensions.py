"""Taking bays out for works and giving them back; what month cards are owed for it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, exc

from city import audit
from city.errors import Conflict, Invalid
from city.events.parking import BaysSuspended, SuspensionLifted
from city.identifiers import BayId, FacilityId, SuspensionId, uuid7
from city.people.actors import Actor
from city.time import Interval
from city.works.database import UnitOfWork
from parking.rules.places.suspending import (
    Compensation,
    all_away,
    checked_suspension,
    compensation,
)
from parking.services.place_keeping import by_name
from parking.store import places
from parking.store import suspensions as store
from parking.store.devices import bump
from parking.store.pages import Page
from parking.store.suspensions import Suspension

MOST_BAYS = 500


def suspend_bays(
    uow: UnitOfWork,
    actor: Actor,
    facility_id: UUID,
    bay_ids: Sequence[UUID],
    *,
    permit_no: str,
    reason: str,
    during: Interval,
) -> Suspension:
    """Take bays of a facility out for a permit, and announce it.

    Parameters
    ----------
    uow, actor
        The transaction, and who does it; audited.
    facility_id, bay_ids
        Which bays; 1 to `MOST_BAYS`, each in use.
    permit_no, reason
        Of the permit: ``works``, ``event``, ``emergency``, ``other``.
    during
        When they are away; must end, and not lie in the past.

    Raises
    ------
    NotFound
        Where there is no such facility.
    Invalid
        Where a bay is not the facility's or retired, or the permit or its time cannot be.
    Conflict
        Where this permit was recorded for the facility from the same instant on.
    """
    checked_suspension(permit_no, reason, during)
    now = uow.clock.now()
    if during.end_at is None or during.end_at <= now:
        raise Invalid("lies in the past", field="until_at")
    bump(uow.connection)
    home = places.facility(uow.connection, facility_id)
    wanted = [BayId(each) for each in dict.fromkeys(bay_ids)]
    if not 0 < len(wanted) <= MOST_BAYS:
        raise Invalid(f"must be 1 to {MOST_BAYS} bays", field="bay_ids")
    known = places.bays_by_id(uow.connection, wanted)
    for index, each in enumerate(wanted):
        bay = known.get(each)
        if bay is None or bay.facility_id != home.id or bay.retired_at is not None:
            raise Invalid("is no bay of the facility in use", field=f"bay_ids[{index}]")
    new = Suspension(
        id=SuspensionId(uuid7()),
        facility_id=home.id,
        district=home.district,
        permit_no=permit_no.strip(),
        reason=reason,
        from_at=during.start_at,
        until_at=during.end_at,
        recorded_at=now,
        recorded_by=by_name(actor),
        bays=tuple(wanted),
    )
    try:
        with uow.connection.begin_nested():
            store.add_suspension(uow.connection, new)
    except exc.IntegrityError as error:
        raise Conflict(
            "is recorded for this facility from this instant already", field="permit_no"
        ) from error
    audit.record(
        uow,
        actor,
        "parking.bays_suspended",
        "suspension",
        str(new.id),
        {"facility_id": str(home.id), "permit_no": new.permit_no, "bays": len(wanted)},
    )
    uow.announce(
        BaysSuspended(
            occurred_at=now,
            suspension_id=new.id,
            facility_id=home.id,
            district=home.district,
            bay_ids=tuple(wanted),
            from_at=new.from_at,
            until_at=new.until_at,
        )
    )
    return new


def lift_suspension(uow: UnitOfWork, actor: Actor, suspension_id: UUID) -> Suspension:
    """Give suspended bays back before the permit's end, and announce it.

    Raises
    ------
    NotFound
        Where there is no such suspension.
    Conflict
        Where it has ended or was lifted.
    """
    now = uow.clock.now()
    bump(uow.connection)
    found = store.suspension(uow.connection, suspension_id, lock=True)
    if found.lifted_at is not None or found.until_at <= now:
        raise Conflict("has ended already", field="suspension_id")
    at = max(now, found.from_at)
    store.lift(uow.connection, suspension_id, at=at, by=by_name(actor))
    audit.record(
        uow,
        actor,
        "parking.suspension_lifted",
        "suspension",
        str(suspension_id),
        {"permit_no": found.permit_no},
    )
    uow.announce(
        SuspensionLifted(
            occurred_at=now,
            suspension_id=found.id,
            facility_id=found.facility_id,
            district=found.district,
            bay_ids=found.bays,
            from_at=found.from_at,
            lifted_at=at,
        )
    )
    return store.suspension(uow.connection, suspension_id)


def suspension(connection: Connection, suspension_id: UUID) -> Suspension:
    """Give a suspension; NotFound where there is none."""
    return store.suspension(connection, suspension_id)


def suspensions_of(
    connection: Connection, facility_id: UUID, *, after: UUID | None, limit: int
) -> Page[Suspension]:
    """Give a page of a facility's suspensions, in the order of their recording."""
    return store.suspensions(connection, facility_id=facility_id, after=after, limit=limit)


def suspended_during(
    connection: Connection, bay_ids: Iterable[UUID], from_at: datetime, until_at: datetime
) -> dict[BayId, Sequence[Interval]]:
    """Give when bays were, or will be, away within a time; bays that never were are left out."""
    return store.suspended(connection, bay_ids, Interval(from_at, until_at))


def owed_to_card(
    connection: Connection, facility_id: FacilityId, bay_ids: Sequence[UUID], card: Interval
) -> Compensation:
    """Say which days of a month card suspensions took: its period runs on by so many.

    Parameters
    ----------
    connection
        Any.
    facility_id
        Whose local days count.
    bay_ids
        The bay that the card names, or all those at any of which it is good: then a day is lost
        only where every one of them was away.
    card
        Its period, which must end.
    """
    home = places.facility(connection, facility_id)
    found = store.suspended(connection, bay_ids, card)
    away = all_away([found.get(BayId(each), ()) for each in bay_ids])
    return compensation(card, away, home.timezone)
