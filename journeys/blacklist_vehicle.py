"""Put a vehicle on a district's blacklist, by its plate."""

from datetime import datetime

from city.identifiers import DistrictCode
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from parking.rules.rights.standing import Listing, ListingReason
from parking.services import blacklists


def blacklist_vehicle(
    uow: UnitOfWork,
    actor: Actor,
    plate: PlateNumber,
    district: DistrictCode,
    reason: ListingReason,
    *,
    note: str,
    until_at: datetime | None = None,
) -> Listing:
    """List the vehicle of a plate from now on.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps plate, listing and audit record together.
    actor : Actor
        An operator of the district.
    plate : PlateNumber
        Whose; it goes to the vault and nowhere else.
    district, reason, note, until_at
        Where, why, in words for the record, and until when (None: until it is lifted).

    Raises
    ------
    Forbidden
        Where the actor's role does not allow it.
    NotFound, Conflict, Invalid
        As `parking.services.blacklists.add`.
    """
    actor.require(Role.OPERATOR)
    wish = blacklists.ListingWish(keep_plate(uow, plate), district, reason, note, until_at)
    return blacklists.add(uow, actor, wish)
