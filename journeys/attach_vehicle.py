"""Say which vehicle stands in a bay: plate to vault, vehicle to stay, and what to expect of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from city.audit import Deed, record, record_each
from city.errors import NotFound
from city.identifiers import ParkingSessionId, VehicleId
from city.people.actors import Actor
from city.people.roles import Role
from city.places import Position, distance_m
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from journeys.held_stay import check_reach
from journeys.vehicle_traits import traits_of
from parking.rules.evidence import STATED, EvidenceSource, PartKind
from parking.rules.stays import ParkingSession
from parking.services import corrections, stays, tariffs
from parking.store.places import bay

STRADDLES_WITHIN_M: Final = 10.0
"""Middle to middle: neighbours across a bay line, for coaches too; not the bay after next."""


class AttachWarning(StrEnum):
    """What whoever attaches a vehicle should know at once; keys of the catalogue."""

    EXEMPT = "attach.warning.exempt"
    """The tariff exempts the plate's kind: the bill will be over nothing."""
    NO_PRICE = "attach.warning.no_price"
    """The tariff has no price for such a vehicle: there can be no bill."""
    CLASS_UNKNOWN = "attach.warning.class_unknown"
    """The plate's kind does not tell the vehicle's class: rated as a small one."""
    NO_TARIFF = "attach.warning.no_tariff"
    """The stay began where no tariff was in force: there will be no bill."""
    STRADDLES = "attach.warning.straddles"
    """The vehicle stands over two bays: the stay that was noted first counts, this one is its."""
    INSIDE = "attach.warning.inside"
    """It came in through a gate: the stay from gate to gate counts."""
    ELSEWHERE = "attach.warning.elsewhere"
    """The same plate stands in another bay, too far to be one vehicle: one of them is misread."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The stay with its vehicle."""

    session: ParkingSession
    warnings: tuple[AttachWarning, ...]


def attach_vehicle(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, plate: PlateNumber
) -> Attached:
    """Attach a vehicle to a stay.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps plate, stay, audit record and events together.
    actor : Actor
        An attendant or operator of the stay's district.
    session_id : ParkingSessionId
        The stay: open, or ended within the grace.
    plate : PlateNumber
        What the actor saw. It goes to the vault and nowhere else.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound, Conflict
        As `parking.services.stays.attach`.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    present = stays.find(uow.connection, session_id)
    if present is None:
        raise NotFound("no such stay; a passing flicker may have been withdrawn", field="id")
    check_reach(actor, present)
    return attach_seen(uow, actor, present, plate)


def attach_seen(
    uow: UnitOfWork,
    actor: Actor,
    present: ParkingSession,
    plate: PlateNumber,
    *,
    source: EvidenceSource = EvidenceSource.ATTENDANT,
    certainty: int = STATED,
    seen_at: datetime | None = None,
    vehicle_id: VehicleId | None = None,
) -> Attached:
    """Attach a vehicle to a stay by whoever saw it: a person, or a camera that has the right.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
        Who saw it; whether they may say so is asked before.
    present : ParkingSession
        The stay.
    plate : PlateNumber
        What was seen.
    source : EvidenceSource
        What kind of witness that is. A camera's read is evidence already.
    certainty : int
        Per mille.
    seen_at : datetime or None
        When it was seen, where that was not now.
    vehicle_id : VehicleId or None
        The plate's, where it was kept before.

    Raises
    ------
    NotFound, Conflict
        As `parking.services.stays.attach`.
    """
    vehicle_id = vehicle_id or keep_plate(uow, plate)
    others = _others(uow, present, vehicle_id)
    counts = next((each for each in others if _one_vehicle(uow, present, each)), None)
    if counts is not None:
        return _joined(uow, present, counts, actor)
    session = stays.attach(
        uow,
        present.id,
        vehicle_id,
        actor.subject,
        source=source,
        certainty=certainty,
        seen_at=seen_at,
    )
    record_each(uow, [attaching(actor, present, vehicle_id, plate, source)])
    elsewhere = (AttachWarning.ELSEWHERE,) if others else ()
    return Attached(session, elsewhere + _warnings(uow, session, plate))


def attaching(
    actor: Actor,
    present: ParkingSession,
    vehicle_id: VehicleId,
    plate: PlateNumber,
    source: EvidenceSource = EvidenceSource.ATTENDANT,
) -> Deed:
    """Give how attaching a vehicle is recorded: its plate's kind, never its number."""
    return Deed(
        actor,
        "parking.vehicle_attached",
        "parking-session",
        str(present.id),
        {"vehicle_id": str(vehicle_id), "kind": plate.kind.value, "source": source.value},
    )


def _others(
    uow: UnitOfWork, present: ParkingSession, vehicle_id: VehicleId
) -> list[ParkingSession]:
    """Give the vehicle's other open stays at the facility that could be the one that counts.

    None where the bay's stay is over or has a vehicle: then nothing is joined.
    """
    if present.stay.closed_at is not None or present.stay.vehicle_id is not None:
        return []
    return [
        each
        for each in stays.open_of_vehicle(uow.connection, present.facility_id, vehicle_id)
        if each.id != present.id and each.stay.part_of is None
    ]


def _one_vehicle(uow: UnitOfWork, present: ParkingSession, other: ParkingSession) -> bool:
    """Say whether one vehicle can have both stays: around the bay a gate, or in the bay beside."""
    if other.bay_id is None or present.bay_id is None:
        return True
    here, there = (bay(uow.connection, each).position for each in (present.bay_id, other.bay_id))
    return beside(here, there)


def beside(here: Position, there: Position) -> bool:
    """Say whether two bays are so near that one vehicle can stand in both."""
    return distance_m(here, there) <= STRADDLES_WITHIN_M


def _joined(
    uow: UnitOfWork, present: ParkingSession, counts: ParkingSession, actor: Actor
) -> Attached:
    """Join a bay's stay to the one that counts: the vehicle pays once."""
    word = corrections.Word(actor.subject, "the same plate in two bays")
    one, other = corrections.both(uow, present.id, counts.id, "session_id")
    part, _ = corrections.join(uow, one, other, word)
    kind = part.stay.part_kind
    record(
        uow,
        actor,
        "parking.stays_joined",
        "parking-session",
        str(present.id),
        {"into": str(counts.id), "as": None if kind is None else kind.value},
    )
    inside = kind is PartKind.INSIDE
    return Attached(part, (AttachWarning.INSIDE if inside else AttachWarning.STRADDLES,))


def _warnings(
    uow: UnitOfWork, session: ParkingSession, plate: PlateNumber
) -> tuple[AttachWarning, ...]:
    version_id = session.stay.tariff_version_id
    if version_id is None:
        return warnings_of(None, plate)
    return warnings_of(tariffs.coverage(uow.connection, version_id, traits_of(plate.kind)), plate)


def warnings_of(coverage: tariffs.Coverage | None, plate: PlateNumber) -> tuple[AttachWarning, ...]:
    """Give what to know of a vehicle by what the stay's tariff has for it; None: no tariff."""
    match coverage:
        case None:
            return (AttachWarning.NO_TARIFF,)
        case tariffs.Coverage.EXEMPT:
            return (AttachWarning.EXEMPT,)
        case tariffs.Coverage.NO_PRICE:
            return (AttachWarning.NO_PRICE,)
        case tariffs.Coverage.PRICED:
            return (AttachWarning.CLASS_UNKNOWN,) if plate.vehicle_class is None else ()
