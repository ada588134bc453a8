"""Validation coupons: a shop, an office, a clinic takes something off a stay."""

from dataclasses import dataclass

from sqlalchemy import Connection

from city.errors import Conflict
from city.identifiers import ParkingSessionId, TariffVersionId
from city.works.database import UnitOfWork
from parking.rules.stays import ParkingSession
from parking.rules.tariffs.cards import check_coupon, fitting
from parking.rules.tariffs.document import Coupon
from parking.rules.tariffs.model import VehicleTraits
from parking.services import tariffs
from parking.store import stay_coupons as store


@dataclass(frozen=True, slots=True)
class StayCoupons:
    """What was taken for a stay."""

    coupons: tuple[Coupon, ...] = ()
    left_out: tuple[str, ...] = ()
    """Ids of those that do not fit the vehicle as it is known now."""


def of_stay(
    connection: Connection,
    session_id: ParkingSessionId,
    version_id: TariffVersionId,
    vehicle: VehicleTraits,
) -> StayCoupons:
    """Give the coupons of a stay, as the version pinned at its entry knows them."""
    names = store.of_stay(connection, session_id)
    if not names:
        return StayCoupons()
    return StayCoupons(*fitting(tariffs.find_tariff(connection, version_id), names, vehicle))


def take(
    uow: UnitOfWork, session: ParkingSession, coupon: str, vehicle: VehicleTraits, by: str
) -> bool:
    """Take a coupon for a stay that is not billed yet; each counts once for a stay.

    Parameters
    ----------
    uow : UnitOfWork
        Holds the stay.
    session : ParkingSession
        With its vehicle.
    coupon : str
        Id of the coupon in the tariff pinned at entry.
    vehicle : VehicleTraits
        What is known of the vehicle.
    by : str
        Subject of who takes it.

    Returns
    -------
    bool
        False where it was taken already: nothing changes.

    Raises
    ------
    Conflict
        Where the stay is billed, or has no tariff.
    Invalid
        Where the tariff does not honour it here.
    """
    version_id = session.stay.tariff_version_id
    if session.stay.final:
        raise Conflict("the stay is billed", field="session_id", reason="billed")
    if version_id is None:
        raise Conflict("the stay has no tariff", field="session_id", reason="no-tariff")
    names = store.of_stay(uow.connection, session.id)
    if coupon in names:
        return False
    check_coupon(tariffs.find_tariff(uow.connection, version_id), coupon, vehicle, names)
    return store.add(uow.connection, session.id, coupon, at=uow.clock.now(), by=by)
