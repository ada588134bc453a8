"""Issuing permits, keeping their lists of vehicles, taking them back, and making good lost time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Connection, exc

from city.audit import record, record_all
from city.errors import Conflict, Invalid, NotFound
from city.events.parking import PermitEnded
from city.identifiers import AccountId, BayId, FacilityId, PermitId, VehicleId, uuid7
from city.people.actors import Actor, system_actor
from city.works.database import UnitOfWork
from parking.rules.rights.permits import (
    MOST_VEHICLES,
    Permit,
    PermitKind,
    Terms,
    validity_of,
)
from parking.rules.rights.spans import Span
from parking.services import places, tariffs
from parking.store import permit_lists as lists
from parking.store import permits as store
from parking.store import reservations as holds
from parking.store.pages import DEFAULT_PAGE, Page
from parking.store.places import Facility

KEEPER: Final = system_actor("rights")
ENDED_AT_ONCE: Final = 500
LONGEST_REASON: Final = 200
MOST_COMPENSATED: Final = 20_000


@dataclass(frozen=True, slots=True)
class PermitWish:
    """What a permit is to be."""

    kind: PermitKind
    label: str
    facility_ids: Sequence[FacilityId]
    first_day: date
    months: int | None = None
    last_day: date | None = None
    terms: Terms = field(default_factory=Terms)
    bay_ids: Sequence[BayId] = ()
    """Bays of its own: nobody else may hold them in its hours."""


def issue(uow: UnitOfWork, actor: Actor, wish: PermitWish) -> store.KeptPermit:
    """Issue a permit without vehicles.

    Parameters
    ----------
    uow : UnitOfWork
        Its clock tells what is over already.
    actor : Actor
        An operator of the facilities' district.
    wish : PermitWish
        Its facilities lie in one district and one time zone, its bays in these facilities.

    Raises
    ------
    Invalid
        Naming field and rule.
    NotFound
        Where there is no such facility or bay.
    Conflict
        Where the label is taken in the district, or a bay of its own is held by somebody else.
    """
    homes = places.facilities_by_id(uow.connection, wish.facility_ids)
    for place, each in enumerate(wish.facility_ids):
        if each not in homes:
            raise NotFound("there is no such facility", field=f"facility_ids[{place}]")
    require_district(actor, {home.district for home in homes.values()})
    zones = {home.timezone for home in homes.values()}
    if len({home.district for home in homes.values()}) != 1 or len(zones) != 1:
        raise Invalid("must lie in one district and one time zone", field="facility_ids")
    (timezone,) = zones
    now = uow.clock.now()
    valid_from, valid_until = validity_of(
        wish.first_day, timezone, months=wish.months, last_day=wish.last_day, now=now
    )
    permit = Permit(
        id=PermitId(uuid7()),
        kind=wish.kind,
        district=next(iter(homes.values())).district,
        label=wish.label.strip(),
        facility_ids=frozenset(wish.facility_ids),
        timezone=timezone,
        valid_from=valid_from,
        valid_until=valid_until,
        terms=wish.terms,
    )
    _require_currency(uow, wish, homes.values(), now)
    number = _add(uow, permit, now, actor)
    hold_bays(uow, permit, _bays(uow, wish, permit), (max(now, valid_from), valid_until))
    record(
        uow,
        actor,
        "parking.permit_issued",
        "permit",
        str(permit.id),
        {
            "kind": permit.kind.value,
            "label": permit.label,
            "valid_from": valid_from.isoformat(),
            "valid_until": valid_until.isoformat(),
            "facilities": len(permit.facility_ids),
            "bays": len(wish.bay_ids),
            "limit": permit.terms.concurrent_limit,
        },
    )
    return store.KeptPermit(permit, number, now, actor.subject)


def find(connection: Connection, permit_id: PermitId) -> store.KeptPermit:
    """Give a permit; NotFound where there is none."""
    found = store.find(connection, permit_id)
    if found is None:
        raise NotFound("there is no such permit", field="permit_id")
    return found


def page(
    connection: Connection,
    *,
    at: datetime,
    kind: PermitKind | None = None,
    facility_id: FacilityId | None = None,
    vehicle_id: VehicleId | None = None,
    state: Literal["coming", "valid", "ended", "revoked"] | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[store.KeptPermit]:
    """Give permits, the newest first."""
    return store.page(
        connection,
        at=at,
        kind=kind,
        facility_id=facility_id,
        vehicle_id=vehicle_id,
        state=state,
        districts=districts,
        after=after,
        limit=limit,
    )


def of_driver(
    connection: Connection, account_id: AccountId
) -> list[tuple[store.KeptPermit, list[VehicleId]]]:
    """Give the permits on whose lists a driver's vehicles are, the newest first, with these."""
    kept: dict[PermitId, store.KeptPermit] = {}
    theirs: dict[PermitId, list[VehicleId]] = {}
    for each, vehicle_id in store.of_driver(connection, account_id):
        kept[each.permit.id] = each
        theirs.setdefault(each.permit.id, []).append(vehicle_id)
    return [(each, theirs[permit_id]) for permit_id, each in kept.items()]


def vehicles(
    connection: Connection,
    permit_id: PermitId,
    *,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[lists.ListedVehicle]:
    """Give the vehicles now on a permit's list, in the order in which they were put there."""
    return lists.vehicles(connection, permit_id, after=after, limit=limit)


def count_vehicles(connection: Connection, permit_ids: Iterable[PermitId]) -> dict[PermitId, int]:
    """Count the vehicles now on the lists of permits; one without any is left out."""
    return lists.count_vehicles(connection, permit_ids)


def list_vehicles(
    uow: UnitOfWork, actor: Actor, permit_id: PermitId, vehicle_ids: Sequence[VehicleId]
) -> frozenset[VehicleId]:
    """Put vehicles on a permit's list from now on; give those that were not on it.

    Raises
    ------
    NotFound
        Where there is no such permit.
    Conflict
        Where it is over, or the list would grow beyond its bound.
    """
    kept = require_standing(uow, actor, permit_id)
    new = set(vehicle_ids)
    present = lists.count_vehicles(uow.connection, [permit_id]).get(permit_id, 0)
    if present + len(new) > MOST_VEHICLES:
        raise Conflict(f"a permit lists at most {MOST_VEHICLES} vehicles", field="vehicles")
    now = uow.clock.now()
    added = lists.add_vehicles(uow.connection, permit_id, sorted(new), at=now, by=actor.subject)
    record_all(
        uow,
        actor,
        "parking.permit_vehicle_added",
        "vehicle",
        {
            str(vehicle_id): {"permit_id": str(permit_id), "label": kept.permit.label}
            for vehicle_id in sorted(added)
        },
    )
    return added


def remove_vehicle(
    uow: UnitOfWork, actor: Actor, permit_id: PermitId, vehicle_id: VehicleId
) -> None:
    """Take a vehicle off a permit's list from now on: what it had until now it keeps.

    Raises
    ------
    NotFound
        Where there is no such permit, or the vehicle is not on its list.
    Conflict
        Where the permit is over.
    """
    require_standing(uow, actor, permit_id)
    done = lists.remove_vehicle(
        uow.connection, permit_id, vehicle_id, at=uow.clock.now(), by=actor.subject
    )
    if not done:
        raise NotFound("the vehicle is not on the permit's list", field="vehicle_id")
    record(
        uow,
        actor,
        "parking.permit_vehicle_removed",
        "vehicle",
        str(vehicle_id),
        {"permit_id": str(permit_id)},
    )


def revoke(uow: UnitOfWork, actor: Actor, permit_id: PermitId, reason: str) -> store.KeptPermit:
    """Take a permit back from now on; its own bays are free again.

    Raises
    ------
    NotFound
        Where there is no such permit.
    Conflict
        Where it is over already.
    Invalid
        Without a reason.
    """
    why = checked_reason(reason)
    kept = require_standing(uow, actor, permit_id)
    now = uow.clock.now()
    store.revoke(uow.connection, permit_id, at=now, by=actor.subject, reason=why)
    holds.end_permit_holds(uow.connection, permit_id, now)
    record(
        uow,
        actor,
        "parking.permit_revoked",
        "permit",
        str(permit_id),
        {"label": kept.permit.label, "reason": why},
    )
    return find(uow.connection, permit_id)


def announce_ended(uow: UnitOfWork) -> int:
    """Announce permits that have ended since the last time; a job's work, every minute.

    Returns
    -------
    int
        How many; called again at once where it is ``ENDED_AT_ONCE``.
    """
    now = uow.clock.now()
    ended = store.take_ended(uow.connection, now, ENDED_AT_ONCE)
    for kept in ended:
        permit = kept.permit
        revoked = permit.revoked_at is not None and permit.revoked_at <= permit.valid_until
        uow.announce(
            PermitEnded(
                occurred_at=now,
                permit_id=permit.id,
                district=permit.district,
                ended_at=permit.ends_at,
                why="revoked" if revoked else "term",
            )
        )
    return len(ended)


def checked_reason(reason: str, field: str = "reason") -> str:
    """Pass a reason for the record; Invalid where it says nothing or too much."""
    cleaned = reason.strip()
    if not 1 <= len(cleaned) <= LONGEST_REASON:
        raise Invalid(f"must say why, in 1 to {LONGEST_REASON} characters", field=field)
    return cleaned


def require_district(actor: Actor, districts: Iterable[str]) -> None:
    """Refuse facilities of other districts as if there were none."""
    for each in districts:
        if not actor.in_district(each):
            raise NotFound("there is no such facility in your districts", field="facility_id")


def require_standing(uow: UnitOfWork, actor: Actor, permit_id: PermitId) -> store.KeptPermit:
    """Give a permit that is not over, locked."""
    kept = store.find(uow.connection, permit_id, lock=True)
    if kept is None or not actor.in_district(kept.permit.district):
        raise NotFound("there is no such permit", field="permit_id")
    state = kept.permit.state(uow.clock.now())
    if state in {"ended", "revoked"}:
        raise Conflict("the permit is over", field="permit_id", state=state)
    return kept


def _require_currency(
    uow: UnitOfWork, wish: PermitWish, homes: Iterable[Facility], now: datetime
) -> None:
    """Refuse a price of overstaying in another currency than the tariffs': a bill has one."""
    price = wish.terms.overstay
    if price is None:
        return
    by_tariff = {home.tariff_id: home.id for home in homes if home.tariff_id is not None}
    for facility_id in by_tariff.values():
        currency = tariffs.currency_at(uow.connection, facility_id, now)
        if currency not in {None, price.price.currency}:
            raise Invalid(f"must be in {currency}, as the tariff is", field="overstay.price")


def _add(uow: UnitOfWork, permit: Permit, now: datetime, actor: Actor) -> int:
    try:
        with uow.connection.begin_nested():
            return store.add(uow.connection, permit, at=now, by=actor.subject)
    except exc.IntegrityError as error:
        if "label" in _constraint(error):
            raise Conflict(
                "a permit of the district has this label already", field="label"
            ) from error
        raise


def _bays(uow: UnitOfWork, wish: PermitWish, permit: Permit) -> list[tuple[BayId, FacilityId]]:
    found = places.bays_by_id(uow.connection, wish.bay_ids) if wish.bay_ids else {}
    bays = []
    for place, bay_id in enumerate(wish.bay_ids):
        bay = found.get(bay_id)
        if bay is None or bay.facility_id not in permit.facility_ids:
            raise NotFound(
                "there is no such bay in the permit's facilities", field=f"bay_ids[{place}]"
            )
        bays.append((bay_id, bay.facility_id))
    # always in one order, so that no two wait for each other
    return sorted(bays)


def hold_bays(
    uow: UnitOfWork, permit: Permit, bays: Sequence[tuple[BayId, FacilityId]], span: Span
) -> None:
    """Hold bays for a permit in its hours within a span; Conflict where one is held already."""
    spans = permit.holds(span)
    for bay_id, facility_id in bays:
        try:
            with uow.connection.begin_nested():
                holds.hold_for_permit(uow.connection, permit.id, bay_id, facility_id, spans)
        except exc.IntegrityError as error:
            if "one_holder" not in _constraint(error):
                raise
            raise Conflict(
                "somebody else holds this bay in a part of that time",
                field="bay_ids",
                bay_id=str(bay_id),
            ) from error


def _constraint(error: exc.IntegrityError) -> str:
    return getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
