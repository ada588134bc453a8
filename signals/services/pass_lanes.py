"""Which gates' cameras tell of a signal: a gate's lane is one more detector of plates there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from uuid import UUID

from city.audit import record
from city.errors import Conflict, Invalid
from city.identifiers import DistrictCode
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.services import networks
from signals.store import passes as store
from signals.store import reporters

if TYPE_CHECKING:
    from pydantic import JsonValue

MOST_LANES: Final = 64
"""Of one signal."""


def set_lanes(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    name: str,
    given: Mapping[UUID, tuple[DistrictCode, int]],
) -> None:
    """Say which lanes of gates tell of a signal, in the place of what was said before.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
    network_id : UUID
    name : str
        The signal's.
    given : Mapping
        By lane: its district, and its number among the signal's lanes, 0 to 99.

    Raises
    ------
    NotFound
        Where there is no such signal.
    Conflict
        Where a lane tells of another signal.
    Invalid
        On too many lanes.
    """
    networks.parts(uow.connection, network_id, [name])
    if len(given) > MOST_LANES:
        raise Invalid(f"must hold at most {MOST_LANES} lanes", field="lanes")
    where = reporters.make_places(uow.connection, network_id, [name])[name]
    reporters.lock_place(uow.connection, where)
    if store.elsewhere(uow.connection, where, list(given)):
        raise Conflict("a lane tells of another signal", field="lanes")
    store.set_lanes(uow.connection, where, given, uow.wall.now())
    named: list[JsonValue] = [str(each) for each in sorted(given)]
    detail: dict[str, JsonValue] = {"signal": name, "lanes": named}
    record(uow, actor, "signals.pass_lanes_set", "signal_network", str(network_id), detail)
