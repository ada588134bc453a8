"""Reserving bays, noticing who came, and giving back what nobody uses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, exc

from city.audit import record, record_all
from city.errors import Conflict, NotFound
from city.events.parking import ReservationEnded, ReservationMade
from city.identifiers import (
    AccountId,
    BayId,
    FacilityId,
    ParkingSessionId,
    ReservationId,
    VehicleId,
    uuid7,
)
from city.people.actors import Actor, system_actor
from city.works.database import UnitOfWork
from parking.rules.evidence import CERTAIN, Evidence, EvidenceKind, EvidenceSource
from parking.rules.rights.reservations import (
    DEFAULT_RESERVATIONS,
    Occupant,
    Reservation,
    ReservationPolicy,
    ReservationState,
    check_standing,
    check_wish,
    hold_until,
)
from parking.rules.rights.standing import Effect
from parking.rules.stays import ParkingSession
from parking.services import blacklists, places
from parking.store import reservations as store
from parking.store import stay_evidence
from parking.store import stays as stay_store
from parking.store.pages import DEFAULT_PAGE, Page
from parking.store.places import Facility

KEEPER: Final = system_actor("rights")
DUE_AT_ONCE: Final = 500
BAYS_TRIED: Final = 8
ROUNDS: Final = 6
"""How often bays are looked for anew, where others took all of those that were found."""


@dataclass(frozen=True, slots=True)
class ReservationWish:
    """Which bay, or a bay of which facility and kind, and when."""

    from_at: datetime
    until_at: datetime
    bay_id: BayId | None = None
    facility_id: FacilityId | None = None
    bay_kind: str | None = None


def reserve(
    uow: UnitOfWork,
    actor: Actor,
    vehicle_id: VehicleId,
    wish: ReservationWish,
    policy: ReservationPolicy = DEFAULT_RESERVATIONS,
    *,
    field: str = "plate",
) -> Reservation:
    """Hold a bay for a vehicle; `field` is what the caller calls the vehicle.

    Two who want one bay at one time are told apart by a constraint of the database: one gets it.
    Of a facility any bay that nobody holds is taken, one without a vehicle in it first.

    Raises
    ------
    Invalid
        Naming field and rule: in the past, too long, too far ahead.
    NotFound
        Where there is no such bay or facility.
    Conflict
        Where the bay cannot be reserved then, the time is held already, the vehicle has reserved
        too much or did not come too often, or is on a blacklist that forbids it.
    """
    now = uow.clock.now()
    check_wish(wish.from_at, wish.until_at, now, policy)
    facility_id = wish.facility_id
    if wish.bay_id is not None:
        facility_id = places.bay(uow.connection, wish.bay_id).facility_id
    if facility_id is None:
        raise NotFound("there is no such facility", field="facility_id")
    home = places.facility(uow.connection, facility_id)
    if not actor.in_district(home.district):
        raise NotFound("there is no such facility in your districts", field="facility_id")
    held = blacklists.standing_of(uow.connection, vehicle_id, home.district, now)
    if held.has(Effect.NO_RESERVATION):
        raise Conflict("the vehicle may not reserve here", field=field, reason="blacklisted")
    span = (wish.from_at, wish.until_at)
    if wish.bay_id is not None and not store.reservable(uow.connection, wish.bay_id, span):
        raise Conflict("cannot be reserved in that time", field="bay_id", reason="not-reservable")
    store.one_at_a_time(uow.connection, vehicle_id)
    open_now, no_shows = store.standing(uow.connection, vehicle_id, now - policy.no_show_window)
    check_standing(open_now, no_shows, policy, field)
    made = _place(uow, actor, vehicle_id, wish, home, policy)
    uow.announce(
        ReservationMade(
            occurred_at=now,
            reservation_id=made.id,
            bay_id=made.bay_id,
            facility_id=made.facility_id,
            district=made.district,
            vehicle_id=made.vehicle_id,
            from_at=made.from_at,
            until_at=made.until_at,
        )
    )
    record(
        uow,
        actor,
        "parking.reservation_made",
        "reservation",
        str(made.id),
        {
            "bay_id": str(made.bay_id),
            "vehicle_id": str(made.vehicle_id),
            "from_at": made.from_at.isoformat(),
            "until_at": made.until_at.isoformat(),
        },
    )
    return made


def give_back(uow: UnitOfWork, actor: Actor, reservation_id: ReservationId) -> Reservation:
    """Cancel a reservation, or release it early: its bay is free for others from now on.

    Raises
    ------
    NotFound
        Where there is no such reservation.
    Conflict
        Where it is over already.
    """
    found = store.find(uow.connection, reservation_id, lock=True)
    if found is None or not actor.in_district(found.district):
        raise NotFound("there is no such reservation", field="reservation_id")
    over = found.given_back(uow.clock.now())
    _end(uow, actor, [over])
    return over


def find(connection: Connection, reservation_id: ReservationId) -> Reservation:
    """Give a reservation; NotFound where there is none."""
    found = store.find(connection, reservation_id)
    if found is None:
        raise NotFound("there is no such reservation", field="reservation_id")
    return found


def page(
    connection: Connection,
    *,
    facility_id: FacilityId | None = None,
    vehicle_id: VehicleId | None = None,
    state: ReservationState | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Reservation]:
    """Give reservations, the newest first."""
    return store.page(
        connection,
        facility_id=facility_id,
        vehicle_id=vehicle_id,
        state=state,
        districts=districts,
        after=after,
        limit=limit,
    )


def of_driver(
    connection: Connection,
    account_id: AccountId,
    *,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Reservation]:
    """Give the reservations of a driver's vehicles, the newest first."""
    return store.of_driver(connection, account_id, after=after, limit=limit)


def note_arrival(
    uow: UnitOfWork,
    session_id: ParkingSessionId,
    policy: ReservationPolicy = DEFAULT_RESERVATIONS,
) -> Reservation | None:
    """Note that the vehicle for which a bay is held is in it; None where none is held for it.

    Once somebody said which vehicle a stay belongs to; behind a gate, once it came in: there the
    gate sees it arrive, whatever its bay's sensor says. The stay's evidence names the reservation.
    """
    session = stay_store.find(uow.connection, session_id)
    if session is None or session.stay.vehicle_id is None:
        return None
    stay = session.stay
    until_at = stay.closed_at or uow.clock.now()
    awaited = store.awaited(
        uow.connection,
        session.bay_id or session.facility_id,
        stay.vehicle_id,  # type: ignore[arg-type] # tested above
        stay.opened_at,
        max(until_at, stay.opened_at + policy.early),
    )
    if awaited is None:
        return None
    there = awaited.arrived(session_id)
    store.change(uow.connection, [there], by=KEEPER.subject)
    _say_arrived(uow, session, there)
    record(
        uow,
        KEEPER,
        "parking.reservation_met",
        "reservation",
        str(there.id),
        {"session_id": str(session_id)},
    )
    if stay.closed_at is not None:
        there = there.left(max(stay.closed_at, there.from_at))
        _end(uow, KEEPER, [there])
    return there


def note_departure(uow: UnitOfWork, session_id: ParkingSessionId, at: datetime) -> int:
    """Free what is left of the reservations of a stay that ended; give how many there were."""
    over = [
        each.left(max(at, each.from_at)) for each in store.of_session(uow.connection, session_id)
    ]
    _end(uow, KEEPER, over)
    return len(over)


def release_due(uow: UnitOfWork) -> int:
    """Give back the bays to which nobody came, and end what ran out; a job's work, every minute.

    A bay in which a vehicle stands that nobody has identified is kept until the reservation's end:
    it may be the one that is awaited.

    Returns
    -------
    int
        How many were looked at; called again at once where it is ``DUE_AT_ONCE``.
    """
    now = uow.clock.now()
    due = store.take_due(uow.connection, now, DUE_AT_ONCE)
    changed = [_due(each, now) for each in due]
    for was, each in zip(due, changed, strict=True):
        if each.session_id is not None and was.reservation.session_id is None:
            session = stay_store.find(uow.connection, each.session_id)
            if session is not None:
                _say_arrived(uow, session, each)
    store.change(uow.connection, [each for each in changed if each.open], by=KEEPER.subject)
    _end(uow, KEEPER, [each for each in changed if not each.open])
    return len(due)


def _say_arrived(uow: UnitOfWork, session: ParkingSession, met: Reservation) -> None:
    """Put the reservation among what was said of the stay: why that bay, and until when."""
    said = Evidence(
        kind=EvidenceKind.RESERVATION,
        at=session.stay.opened_at,
        recorded_at=uow.clock.now(),
        source=EvidenceSource.SYSTEM,
        certainty=CERTAIN,
        by=KEEPER.subject,
        facility_id=session.facility_id,
        district=session.district,
        session_id=session.id,
        bay_id=session.bay_id,
        vehicle_id=session.admitted_as or session.stay.vehicle_id,
        event_key=f"reservation:{met.id}",
        detail={
            "reservation_id": str(met.id),
            "from": met.from_at.isoformat(),
            "until": met.until_at.isoformat(),
        },
    )
    stay_evidence.add_once(uow.connection, said)


def _due(due: store.Due, now: datetime) -> Reservation:
    held = due.reservation
    if due.session_id is not None and due.vehicle_id == held.vehicle_id:
        # It stood there before its time, so that no arrival was noted.
        return held.arrived(due.session_id)
    if not due.occupied:
        return held.due(now, Occupant.NOBODY)
    return held.due(now, Occupant.UNKNOWN if due.vehicle_id is None else Occupant.ANOTHER)


def _place(  # noqa: PLR0917 - who holds what for whom, in the order of the sentence
    uow: UnitOfWork,
    actor: Actor,
    vehicle_id: VehicleId,
    wish: ReservationWish,
    home: Facility,
    policy: ReservationPolicy,
) -> Reservation:
    """Take the bay, or the first of some bays that nobody takes at the same moment."""
    now = uow.clock.now()
    for _ in range(ROUNDS if wish.bay_id is None else 1):
        bays = [wish.bay_id] if wish.bay_id is not None else _free(uow, vehicle_id, wish, home)
        for bay_id in bays:
            made = Reservation(
                id=ReservationId(uuid7()),
                bay_id=bay_id,
                facility_id=home.id,
                district=home.district,
                vehicle_id=vehicle_id,
                from_at=wish.from_at,
                until_at=wish.until_at,
                hold_until_at=hold_until(wish.from_at, wish.until_at, policy),
            )
            try:
                with uow.connection.begin_nested():
                    store.add(uow.connection, made, at=now, by=actor.subject)
            except exc.IntegrityError as error:
                name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
                if "one_holder" not in name:
                    raise
                continue
            return made
        if not bays:
            break
    if wish.bay_id is not None:
        raise Conflict("somebody else holds the bay in a part of that time", field="bay_id")
    raise Conflict("no bay of the facility can be held for that time", field="facility_id")


def _free(
    uow: UnitOfWork, vehicle_id: VehicleId, wish: ReservationWish, home: Facility
) -> list[BayId]:
    span = (wish.from_at, wish.until_at)
    return store.free_bays(
        uow.connection,
        home.id,
        span,
        kind=wish.bay_kind,
        turn=str(vehicle_id),
        limit=BAYS_TRIED,
    )


def _end(uow: UnitOfWork, actor: Actor, over: list[Reservation]) -> None:
    if not over:
        return
    store.change(uow.connection, over, by=actor.subject)
    for each in over:
        if each.ended_at is None:
            continue
        uow.announce(
            ReservationEnded(
                occurred_at=uow.clock.now(),
                reservation_id=each.id,
                bay_id=each.bay_id,
                facility_id=each.facility_id,
                district=each.district,
                vehicle_id=each.vehicle_id,
                outcome=each.state.value,
                ended_at=each.ended_at,
            )
        )
    record_all(
        uow,
        actor,
        "parking.reservation_ended",
        "reservation",
        {str(each.id): {"outcome": each.state.value, "bay_id": str(each.bay_id)} for each in over},
    )
