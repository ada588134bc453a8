"""Put a list of plates on a permit: the good ones to vault and list, the bad ones back."""

from collections.abc import Sequence
from dataclasses import dataclass

from city.identifiers import PermitId, VehicleId
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plates
from city.works.database import UnitOfWork
from parking.rules.rights.plate_lists import (
    ReadPlate,
    RejectedPlate,
    WrittenPlate,
    read_plates,
)
from parking.services import permits


@dataclass(frozen=True, slots=True)
class ListedPlate:
    """An item of the list that is on the permit now."""

    read: ReadPlate
    vehicle_id: VehicleId
    added: bool
    """False where it was on it already."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of each item of a list."""

    accepted: tuple[ListedPlate, ...]
    rejected: tuple[RejectedPlate, ...]


def list_vehicles(
    uow: UnitOfWork, actor: Actor, permit_id: PermitId, written: Sequence[WrittenPlate]
) -> Listed:
    """Put plates on a permit's list from now on.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps plates, list and audit record together.
    actor : Actor
        An operator or administrator of the permit's district.
    permit_id : PermitId
        The permit.
    written : Sequence[WrittenPlate]
        At most 500; plates go to the vault and nowhere else.

    Raises
    ------
    Forbidden
        Where the actor's role does not allow it.
    NotFound, Conflict, Invalid
        As `parking.services.permits.list_vehicles`; a bad item is no error.
    """
    actor.require(Role.OPERATOR, Role.ADMINISTRATOR)
    permits.require_standing(uow, actor, permit_id)
    good, bad = read_plates(written)
    kept = keep_plates(uow, [each.plate for each in good])
    added = permits.list_vehicles(uow, actor, permit_id, list(kept.values()))
    return Listed(
        tuple(ListedPlate(each, kept[each.plate], kept[each.plate] in added) for each in good),
        bad,
    )
