"""Registering lanes, and giving what the desk shows of them."""

from uuid import UUID

from sqlalchemy import Connection, exc

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.identifiers import FacilityId, uuid7
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.lanes.model import Way
from parking.rules.lanes.registered import Lane
from parking.services import places
from parking.store import lanes as store


def register(uow: UnitOfWork, actor: Actor, facility_id: FacilityId, gate: str, way: Way) -> Lane:
    """Register a lane; its controller and cameras are registered as readers of its gate.

    Raises
    ------
    NotFound
        Where there is no such facility in the actor's districts.
    Invalid
        At a kerb.
    Conflict
        Where the facility has a lane of that name.
    """
    home = places.facilities_by_id(uow.connection, [facility_id]).get(facility_id)
    if home is None or not actor.in_district(home.district):
        raise NotFound("there is no such facility in your districts", field="facility_id")
    if home.kind == "kerb":
        raise Invalid("is a kerb: it has no gates", field="facility_id")
    new = Lane(uuid7(), facility_id, home.district, gate, way, uow.clock.now())
    try:
        with uow.connection.begin_nested():
            store.add(uow.connection, new, by=actor.subject)
    except exc.IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if name != "lane_gate":
            raise
        raise Conflict("the facility has a lane of this name", field="gate") from error
    facts = {"facility_id": str(facility_id), "gate": gate, "way": way.value}
    record(uow, actor, "parking.lane_registered", "lane", str(new.id), {**facts})
    return new


def retire(uow: UnitOfWork, actor: Actor, lane_id: UUID) -> Lane:
    """Take a lane out of service: nothing it says is taken any more.

    Raises
    ------
    NotFound
        Where there is no such lane in the actor's districts.
    Conflict
        Where it is out of service.
    """
    found = of_actor(uow.connection, actor, lane_id)
    if not store.retire(uow.connection, lane_id, uow.clock.now(), actor.subject):
        raise Conflict("is out of service", field="lane_id", reason="retired")
    record(uow, actor, "parking.lane_retired", "lane", str(lane_id), {"gate": found.gate})
    return store.find(uow.connection, lane_id) or found


def of_actor(connection: Connection, actor: Actor, lane_id: UUID) -> Lane:
    """Give a lane in the actor's districts.

    Raises
    ------
    NotFound
        Where there is none.
    """
    found = store.find(connection, lane_id)
    if found is None or not actor.in_district(found.district):
        raise NotFound("there is no such lane", field="lane_id")
    return found
