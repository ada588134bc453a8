"""SPaT and MAP of junctions: what they are called by radio, and the messages of now."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from city.audit import record
from city.errors import Conflict, NotFound, Unavailable
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.rules.j2735.map import Map, map_of
from signals.rules.j2735.spat import Intersection, Spat, encode_spat, spat_of
from signals.rules.live.lights import Seen
from signals.rules.model.aspects import GREENS, YELLOWS
from signals.rules.safety.case import yielding
from signals.services import networks
from signals.services.cabinets import DEFAULT_PROFILE
from signals.store import intersections as store

if TYPE_CHECKING:
    from pydantic import JsonValue

FRESH: Final = timedelta(seconds=5)
"""An older state is told to nobody."""
_REVISIONS: Final = 128


def call(
    uow: UnitOfWork, actor: Actor, network_id: UUID, name: str, made: Intersection
) -> Intersection:
    """Say what a junction is called by radio, and where its middle is.

    Raises
    ------
    NotFound
        Where there is no such signal.
    Conflict
        Where another junction is called so.
    """
    networks.parts(uow.connection, network_id, [name])
    try:
        with uow.attempt():
            store.call(uow.connection, network_id, name, made)
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
        if constraint != "intersection_called_once":
            raise
        raise Conflict("another junction is called so", field="id") from None
    detail: dict[str, JsonValue] = {"signal": name, "region": made.region, "id": made.id}
    _record(uow, actor, "signals.intersection_called", network_id, detail)
    return made


def forget(uow: UnitOfWork, actor: Actor, network_id: UUID, name: str) -> None:
    """Say that a junction is called nothing by radio. Raises NotFound where it was not."""
    if not store.forget(uow.connection, network_id, name):
        raise NotFound("the junction has no reference by radio", field="name")
    _record(uow, actor, "signals.intersection_forgotten", network_id, {"signal": name})


def spat(
    connection: Connection, network_id: UUID, name: str, seen: Seen | None, now: datetime
) -> tuple[Spat, bytes]:
    """Give a junction's SPaT and its bytes.

    Raises
    ------
    NotFound
        Where it has no reference.
    Unavailable
        Where its controller was not heard for some seconds: nobody is told what may be over.
    """
    where, revision = _where(connection, network_id, name)
    if seen is None or seen.state is None or now - seen.at > FRESH:
        raise Unavailable("the controller has not been heard lately", retry_after_s=2)
    case = networks.cases(connection, network_id, [name], networks.profile(DEFAULT_PROFILE))[name]
    lit = {each.name for each in seen.phases if each.aspect in GREENS | YELLOWS}
    gives_way = {one for one, other in yielding(case) if other in lit}
    found = spat_of(where, revision, seen, gives_way)
    return found, encode_spat(found)


def map_message(connection: Connection, network_id: UUID, name: str) -> tuple[Map, bytes]:
    """Give a junction's MAP and its bytes.

    Raises
    ------
    NotFound
        Where it has no reference.
    Conflict
        Where it does not fit into a radio packet.
    """
    where, revision = _where(connection, network_id, name)
    part = networks.parts(connection, network_id, [name])[name]
    return map_of(where, revision, part)


def _where(connection: Connection, network_id: UUID, name: str) -> tuple[Intersection, int]:
    network = networks.network(connection, network_id)
    found = store.called(connection, network_id, name)
    if found is None:
        raise NotFound("the junction has no reference by radio", field="name")
    return found, network.revision % _REVISIONS


def _record(
    uow: UnitOfWork, actor: Actor, action: str, network_id: UUID, detail: dict[str, "JsonValue"]
) -> None:
    record(uow, actor, action, "signal_network", str(network_id), detail)
