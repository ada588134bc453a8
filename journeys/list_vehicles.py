"""Put a list of plates on a permit: the good ones to vault and list, the bad ones back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
from payments import privileges
from payments.rules.arrears import Privilege

_OWES: Final = "has overdue bills: pay them first"


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
        As `parking.services.permits.list_vehicles`; a bad item is no error, nor is a vehicle with
        overdue bills whose region's policy takes permits away.
    """
    actor.require(Role.OPERATOR, Role.ADMINISTRATOR)
    permits.require_standing(uow, actor, permit_id)
    good, bad = read_plates(written)
    kept = keep_plates(uow, [each.plate for each in good])
    lost = privileges.lost(uow.connection, list(kept.values()), uow.clock.now())
    owing = [each for each in good if Privilege.PERMIT in lost.get(kept[each.plate], frozenset())]
    bad += tuple(RejectedPlate(each.index, "plate", _OWES) for each in owing)
    good = tuple(each for each in good if each not in owing)
    kept = {each.plate: kept[each.plate] for each in good}
    added = permits.list_vehicles(uow, actor, permit_id, list(kept.values()))
    return Listed(
        tuple(ListedPlate(each, kept[each.plate], kept[each.plate] in added) for each in good),
        tuple(sorted(bad, key=lambda each: each.index)),
    )
