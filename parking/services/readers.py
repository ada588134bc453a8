"""Registering readers, and checking that each speaks only of what it sees."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, exc

from city.audit import record
from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import BayId, FacilityId, uuid7
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.places.model import Bay, Facility
from parking.rules.readers import Reader, ReaderKind
from parking.services import places
from parking.store import readers as store
from parking.store.pages import DEFAULT_PAGE, Page


def register(
    uow: UnitOfWork,
    actor: Actor,
    subject: str,
    facility_id: FacilityId,
    *,
    gate: str | None = None,
    bay_ids: Collection[BayId] = (),
) -> Reader:
    """Register a reader: of a gate, or a camera that sees bays of the facility.

    Its credential is issued apart, to the same subject: nobody but the administrator sees it.

    Raises
    ------
    NotFound
        Where there is no such facility in the actor's districts.
    Invalid
        Naming the field: a bay of another facility, a gate at a kerb.
    Conflict
        Where a reader in service speaks under the subject.
    """
    home = places.facilities_by_id(uow.connection, [facility_id]).get(facility_id)
    if home is None or not actor.in_district(home.district):
        raise NotFound("there is no such facility in your districts", field="facility_id")
    if gate is not None and home.kind == "kerb":
        raise Invalid("is a kerb: it has no gates", field="facility_id")
    bays = places.bays_by_id(uow.connection, set(bay_ids))
    for bay_id in bay_ids:
        if bay_id not in bays or bays[bay_id].facility_id != facility_id:
            raise Invalid("is no bay of the facility", field="bay_ids", bay_id=str(bay_id))
    new = Reader(
        id=uuid7(),
        subject=subject,
        kind=ReaderKind.CAMERA if gate is None else ReaderKind.GATE,
        facility_id=facility_id,
        district=home.district,
        registered_at=uow.clock.now(),
        gate=gate,
        bay_ids=frozenset(bay_ids),
    )
    try:
        with uow.connection.begin_nested():
            store.add(uow.connection, new, by=actor.subject)
    except exc.IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if name != "reader_subject":
            raise
        raise Conflict("a reader speaks under this name", field="subject") from error
    record(
        uow,
        actor,
        "parking.reader_registered",
        "reader",
        str(new.id),
        {"subject": subject, "kind": new.kind.value, "facility_id": str(facility_id)},
    )
    return new


def retire(uow: UnitOfWork, actor: Actor, reader_id: UUID) -> Reader:
    """Take a reader out of service: nothing it says is taken any more.

    Raises
    ------
    NotFound
        Where there is no such reader in the actor's districts.
    Conflict
        Where it is out of service.
    """
    found = store.find(uow.connection, reader_id)
    if found is None or not actor.in_district(found.district):
        raise NotFound("there is no such reader", field="reader_id")
    if not store.retire(uow.connection, reader_id, uow.clock.now(), actor.subject):
        raise Conflict("is out of service", field="reader_id", reason="retired")
    record(
        uow, actor, "parking.reader_retired", "reader", str(reader_id), {"subject": found.subject}
    )
    return store.find(uow.connection, reader_id) or found


def page(
    connection: Connection,
    *,
    facility_id: FacilityId | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Reader]:
    """Give readers, the newest first."""
    return store.page(
        connection, facility_id=facility_id, districts=districts, after=after, limit=limit
    )


def check_gate(connection: Connection, actor: Actor, home: Facility, gate: str) -> None:
    """Pass where an actor may tell of a gate: its own reader, or an integration of the district.

    Raises
    ------
    Forbidden
        Otherwise.
    """
    _check_district(actor, home.district)
    if actor.kind != "device":
        return
    known = store.by_subject(connection, actor.subject)
    if known is None or not known.speaks_of_gate(FacilityId(home.id), gate):
        raise Forbidden("the device is not the reader of this gate", reason="not-its-gate")


def check_bay(connection: Connection, actor: Actor, bay: Bay) -> None:
    """Pass where an actor may tell of a bay: a camera that sees it, or an integration.

    Raises
    ------
    Forbidden
        Otherwise.
    """
    _check_district(actor, bay.district)
    if actor.kind != "device":
        return
    known = store.by_subject(connection, actor.subject)
    if known is None or not known.speaks_of_bay(BayId(bay.id)):
        raise Forbidden("the device is no camera of this bay", reason="not-its-bay")


def _check_district(actor: Actor, district: str) -> None:
    if not actor.in_district(district):
        raise Forbidden("the facility is in another district than yours")
