"""Publishing tariffs and rating stays under the version in force at entry."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import FacilityId, TariffId, TariffVersionId
from city.works.database import UnitOfWork
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.model import Claims, EarlierStay, Quote, Stay, VehicleTraits
from parking.rules.tariffs.plan import Tariff, exemption_of, stored_tariff
from parking.rules.tariffs.reading import read_document
from parking.store import tariffs as store
from parking.store.devices import bump

NO_CLAIMS: Final = Claims()


class Coverage(StrEnum):
    """What a tariff has for a vehicle."""

    PRICED = "priced"
    EXEMPT = "exempt"
    NO_PRICE = "no-price"


def publish_tariff(
    uow: UnitOfWork, code: str, document: JsonValue, *, valid_from: datetime, by: str
) -> TariffVersionId:
    """Publish a version of a tariff; the tariff is made where its code is new.

    Parameters
    ----------
    uow : UnitOfWork
        Its clock stamps the publication.
    code : str
        The tariff's code: lower-case letters, digits, ``-`` and ``_``.
    document : JsonValue
        In the tariff language.
    valid_from : datetime
        Stays that begin from here on are rated under it; earlier ones keep theirs.
    by : str
        Subject of the actor who publishes.

    Returns
    -------
    TariffVersionId
        The present one where the last version says exactly the same from the same instant.

    Raises
    ------
    Invalid
        Where the document breaks a rule of the language.
    Conflict
        Where it would take effect before or with the last version.
    """
    name = read_document(document).name
    bump(uow.connection)
    tariff_id = store.ensure_tariff(uow.connection, code, name.zh, name.en)
    last = store.latest_version(uow.connection, tariff_id)
    if last is not None and last.valid_from is not None:
        if last.valid_from == valid_from and json.loads(last.document) == document:
            return last.id
        if valid_from <= last.valid_from:
            raise Conflict("must take effect after the last version", field="valid_from")
    return store.add_version(
        uow.connection,
        tariff_id,
        1 if last is None else last.version + 1,
        document,
        valid_from=valid_from,
        published_at=uow.clock.now(),
        published_by=by,
    )


def rate(
    connection: Connection,
    version_id: TariffVersionId,
    stay: Stay,
    vehicle: VehicleTraits,
    history: Sequence[EarlierStay] = (),
    *,
    claims: Claims = NO_CLAIMS,
) -> Quote:
    """Rate a stay under a stored version, with what its vehicle's rights cover.

    Raises
    ------
    NotFound
        Where there is no such version.
    Invalid
        Where the version has no price for the vehicle.
    """
    return evaluate(find_tariff(connection, version_id), stay, vehicle, history, claims)


def coverage(
    connection: Connection, version_id: TariffVersionId, vehicle: VehicleTraits
) -> Coverage:
    """Say whether a stored version exempts a vehicle, prices it, or does neither."""
    return coverage_of(find_tariff(connection, version_id), vehicle)


def coverage_of(tariff: Tariff, vehicle: VehicleTraits) -> Coverage:
    """Say whether a tariff exempts a vehicle, prices it, or does neither."""
    if exemption_of(tariff.document, vehicle) is not None:
        return Coverage.EXEMPT
    try:
        tariff.plan_for(vehicle)
    except Invalid:
        return Coverage.NO_PRICE
    return Coverage.PRICED


def exit_grace_s(
    connection: Connection, version_id: TariffVersionId, vehicle: VehicleTraits
) -> int:
    """Give for how long, in seconds, a stored version lets a vehicle leave once all is paid.

    Raises
    ------
    NotFound
        Where there is no such version.
    Invalid
        Where the version has no price for the vehicle.
    """
    return _exit_grace_s(find_tariff(connection, version_id), vehicle)


def exit_grace_at(connection: Connection, facility_id: FacilityId, at: datetime) -> int | None:
    """Give for how long, in seconds, a small car may leave a facility once all is paid.

    None where it has no tariff at that time, or one that asks more of a car.
    """
    found = tariff_at(connection, facility_id, at)
    try:
        return None if found is None else _exit_grace_s(found[1], VehicleTraits())
    except Invalid:
        return None


def _exit_grace_s(tariff: Tariff, vehicle: VehicleTraits) -> int:
    if exemption_of(tariff.document, vehicle) is not None:
        return 0
    grace = tariff.plan_for(vehicle).schedule.exit_grace
    return 0 if grace is None else grace.within_s


def find_tariff(connection: Connection, version_id: TariffVersionId) -> Tariff:
    """Give a stored version laid out for rating; NotFound where there is none."""
    version = store.version(connection, version_id)
    if version is None:
        raise NotFound("no such tariff version", field="tariff_version_id")
    return _tariff(version)


def quote(
    connection: Connection,
    facility_id: FacilityId,
    stay: Stay,
    vehicle: VehicleTraits | None = None,
    history: Sequence[EarlierStay] = (),
) -> Quote:
    """Say what a stay at a facility would cost, under the version in force at its entry.

    Raises
    ------
    NotFound
        Where there is no such facility, or it has no tariff then.
    Invalid
        Where the version has no price for the vehicle.
    """
    version = store.version_at(connection, facility_id, stay.enter_at)
    if version is None:
        known = store.facility_known(connection, facility_id)
        what = "the facility has no tariff in force at that time" if known else "no such facility"
        raise NotFound(what, field="facility_id")
    return evaluate(_tariff(version), stay, vehicle, history)


def tariff_at(
    connection: Connection, facility_id: FacilityId, at: datetime
) -> tuple[TariffVersionId, Tariff] | None:
    """Give the version in force at a facility, laid out for rating; None where it has none."""
    version = store.version_at(connection, facility_id, at)
    return None if version is None else (version.id, _tariff(version))


def currency_at(connection: Connection, facility_id: FacilityId, at: datetime) -> str | None:
    """Give the currency of the version in force at a facility; None where it has no tariff."""
    version = store.version_at(connection, facility_id, at)
    return None if version is None else _tariff(version).document.currency


def codes(connection: Connection, tariff_ids: Iterable[TariffId]) -> dict[TariffId, str]:
    """Give the codes of tariffs by their ids."""
    return store.codes(connection, tariff_ids)


def _tariff(version: store.TariffVersion) -> Tariff:
    return stored_tariff(version.document)
