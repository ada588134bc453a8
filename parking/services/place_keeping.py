"""Registering and changing operators, facilities, zones and bays, with their history."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, exc

from city import audit
from city.errors import Conflict, Invalid
from city.identifiers import FacilityId, OperatorId
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.places.model import Bay, Facility, Operator, Standing, Zone
from parking.rules.places.overlaps import claim_of, overlaps
from parking.store import ground, place_history, places
from parking.store import operators as operator_store
from parking.store.devices import bump
from parking.store.pages import Page
from parking.store.place_history import PlaceKind, PlaceVersion

MOST_BAYS: Final = 500
"""Bays registered or changed by one act over HTTP; an import has its own limit."""


def by_name(actor: Actor) -> str:
    """Name an actor as the places' history does."""
    return f"{actor.kind}:{actor.subject}"


def register_operator(uow: UnitOfWork, actor: Actor, operator: Operator) -> Operator:
    """Register an operator.

    Raises
    ------
    Conflict
        Where its code is taken.
    """
    if not operator_store.add(uow.connection, operator, at=uow.clock.now(), by=by_name(actor)):
        raise Conflict("an operator has this code already", field="code")
    audit.record(
        uow,
        actor,
        "parking.operator_registered",
        "operator",
        str(operator.id),
        {"code": operator.code},
    )
    return operator


def operators_page(connection: Connection, *, after: UUID | None, limit: int) -> Page[Operator]:
    """Give a page of operators in the order of their ids."""
    return operator_store.operators(connection, after=after, limit=limit)


def operators_by_id(
    connection: Connection, operator_ids: Collection[OperatorId]
) -> dict[OperatorId, Operator]:
    """Give operators by their ids."""
    return operator_store.by_ids(connection, operator_ids)


def operator_of_code(uow: UnitOfWork, actor: Actor, code: str) -> Operator:
    """Give an operator by its code; one that nobody registered yet is registered under it."""
    found = operator_store.by_code(uow.connection, code)
    if found is None:
        return register_operator(uow, actor, Operator(code, code, code))
    return found


def register_facility(uow: UnitOfWork, actor: Actor, facility: Facility) -> Facility:
    """Register a facility without bays.

    Raises
    ------
    Invalid
        Where its operator or tariff does not exist.
    Conflict
        Where its code is taken.
    """
    now, by = uow.clock.now(), by_name(actor)
    bump(uow.connection)
    _require_operator(uow.connection, facility)
    new = replace(facility, standing=Standing(1, now, by))
    with translated(uow):
        places.add_facilities(uow.connection, [new])
    audit.record(
        uow,
        actor,
        "parking.facility_registered",
        "facility",
        str(new.id),
        {"code": new.code, "ownership": new.ownership, "kind": new.kind},
    )
    return places.facility(uow.connection, new.id)


def change_facility(
    uow: UnitOfWork, actor: Actor, new: Facility, *, version: int | None = None
) -> Facility:
    """Write a facility anew; what it was goes to its history.

    Parameters
    ----------
    uow, actor
        The transaction, and who does it; audited.
    new
        With the id, code's district and standing of what was read.
    version
        The version that the caller saw; None: whatever it is now.

    Raises
    ------
    NotFound
        Where there is no such facility.
    Conflict
        Where somebody changed it meanwhile, or its new code is taken.
    Invalid
        Where it would change its district, or its operator or tariff does not exist.
    """
    bump(uow.connection)
    old = places.facility(uow.connection, new.id)
    _require_version(old.standing, version)
    if new.district != old.district:
        raise Invalid("cannot change: bays' live state lies with the district", field="district")
    if new.operator_id != old.operator_id:
        _require_operator(uow.connection, new)
    at = uow.clock.now()
    with translated(uow):
        place_history.change_facility(
            uow.connection, replace(new, standing=old.standing), at=at, by=by_name(actor)
        )
    _record_change(uow, actor, "facility", new.id, _members(old, new))
    return places.facility(uow.connection, new.id)


def add_zone(uow: UnitOfWork, actor: Actor, zone: Zone) -> Zone:
    """Add a zone to a facility.

    Raises
    ------
    NotFound
        Where there is no such facility.
    Conflict
        Where the facility has a zone of this code.
    """
    bump(uow.connection)
    home = places.facility(uow.connection, zone.facility_id)
    new = replace(
        zone, district=home.district, standing=Standing(1, uow.clock.now(), by_name(actor))
    )
    with translated(uow):
        place_history.add_zones(uow.connection, [new])
    audit.record(
        uow,
        actor,
        "parking.zone_added",
        "zone",
        str(new.id),
        {"facility_id": str(new.facility_id), "code": new.code},
    )
    return place_history.zone(uow.connection, new.id)


def change_zone(uow: UnitOfWork, actor: Actor, new: Zone, *, version: int | None = None) -> Zone:
    """Write a zone anew; as `change_facility`."""
    bump(uow.connection)
    old = place_history.zone(uow.connection, new.id)
    _require_version(old.standing, version)
    with translated(uow):
        place_history.change_zones(uow.connection, [new], at=uow.clock.now(), by=by_name(actor))
    _record_change(uow, actor, "zone", new.id, _members(old, new))
    return place_history.zone(uow.connection, new.id)


def register_bays(
    uow: UnitOfWork, actor: Actor, facility_id: UUID, bays: Sequence[Bay]
) -> tuple[Bay, ...]:
    """Register bays of a facility: all of them or none.

    Raises
    ------
    NotFound
        Where there is no such facility.
    Invalid
        Where a zone is not the facility's.
    Conflict
        Where a bay overlaps another one (`bays[i].geometry`), or a label or component code is
        taken.
    """
    if len(bays) > MOST_BAYS:
        raise Invalid(f"must be at most {MOST_BAYS}", field="bays")
    bump(uow.connection)
    home = places.facility(uow.connection, facility_id)
    standing = Standing(1, uow.clock.now(), by_name(actor))
    new = [
        replace(each, facility_id=home.id, district=home.district, standing=standing)
        for each in bays
    ]
    refuse_overlaps(uow.connection, home, new)
    with translated(uow):
        places.add_bays(uow.connection, new)
    audit.record(
        uow,
        actor,
        "parking.bays_registered",
        "facility",
        str(home.id),
        {"bays": len(new), "first": new[0].label if new else ""},
    )
    kept = places.bays_by_id(uow.connection, [each.id for each in new])
    return tuple(kept[each.id] for each in new)


def change_bay(uow: UnitOfWork, actor: Actor, new: Bay, *, version: int | None = None) -> Bay:
    """Write a bay anew; as `change_facility`.

    Raises
    ------
    Conflict
        As there, and where it would overlap another bay, or is retired.
    """
    revision = bump(uow.connection)
    old = places.bay(uow.connection, new.id)
    _require_version(old.standing, version)
    if old.retired_at is not None:
        raise Conflict("the bay is retired", field="bay_id")
    home = places.facility(uow.connection, old.facility_id)
    changed = _members(old, new)
    if set(changed) & {"position", "geometry", "bearing_deg", "length_m", "width_m", "located"} or (
        "zone_id" in changed
    ):
        refuse_overlaps(uow.connection, home, [new], besides=[new.id])
    with translated(uow):
        place_history.change_bays(uow.connection, [new], at=uow.clock.now(), by=by_name(actor))
    if "position" in changed:
        # The copies that folding reads positions from follow their devices' revisions.
        operator_store.touch_devices_in(uow.connection, [new.id], revision)
    _record_change(uow, actor, "bay", new.id, changed)
    return places.bay(uow.connection, new.id)


def retire_bay(uow: UnitOfWork, actor: Actor, bay_id: UUID) -> Bay:
    """Take a bay out of use for good; its stays and its history stay.

    Raises
    ------
    NotFound
        Where there is no such bay.
    Conflict
        Where it is retired already, or a device still lies in it.
    """
    bump(uow.connection)
    old = places.bay(uow.connection, bay_id)
    if old.retired_at is not None:
        raise Conflict("the bay is retired", field="bay_id")
    if operator_store.has_device(uow.connection, bay_id):
        raise Conflict("a device lies in the bay: take it out first", field="bay_id")
    at = uow.clock.now()
    place_history.change_bays(
        uow.connection, [replace(old, retired_at=at)], at=at, by=by_name(actor)
    )
    audit.record(uow, actor, "parking.bay_retired", "bay", str(bay_id), {"label": old.label})
    return places.bay(uow.connection, bay_id)


def refuse_overlaps(
    connection: Connection,
    home: Facility,
    bays: Sequence[Bay],
    *,
    besides: Sequence[UUID] = (),
) -> None:
    """Pass bays of a facility that claim no ground of another bay, nor of each other.

    Raises
    ------
    Conflict
        Naming the bay and the rule.
    """
    levels = {key: zone.level for key, zone in place_history.zones(connection, [home.id]).items()}
    for index, each in enumerate(bays):
        if each.zone_id is not None and each.zone_id not in levels:
            raise Invalid("is no zone of the facility", field=f"bays[{index}].zone_id")
    claims = [
        (index, claim)
        for index, each in enumerate(bays)
        if (claim := claim_of(each, home.kind, levels.get(each.zone_id) if each.zone_id else None))
    ]
    if not claims:
        return
    standing = ground.claims_near(connection, [claim.footprint.at for _, claim in claims], besides)
    for found in overlaps([claim for _, claim in claims], standing):
        raise Conflict(found.message, field=f"bays[{claims[found.index][0]}].geometry")


def history(connection: Connection, kind: PlaceKind, place_id: UUID) -> tuple[PlaceVersion, ...]:
    """Give what a place is and was, the latest first."""
    return place_history.versions(connection, kind, place_id)


def as_of(connection: Connection, kind: PlaceKind, place_id: UUID, at: datetime) -> PlaceVersion:
    """Give a place as it stood at an instant; NotFound where it did not yet."""
    return place_history.as_of(connection, kind, place_id, at)


def zone(connection: Connection, zone_id: UUID) -> Zone:
    """Give a zone; NotFound where there is none."""
    return place_history.zone(connection, zone_id)


def zones_of(connection: Connection, facility_id: FacilityId) -> tuple[Zone, ...]:
    """Give a facility's zones."""
    return tuple(place_history.zones(connection, [facility_id]).values())


def _require_operator(connection: Connection, facility: Facility) -> None:
    # Operators are never deleted, so that no constraint has to watch what was looked up here.
    if not operator_store.exists(connection, facility.operator_id):
        raise Invalid("there is no such operator", field="operator_id")


def _require_version(standing: Standing, version: int | None) -> None:
    if version is not None and version != standing.version:
        raise Conflict(
            f"is {standing.version} by now: somebody changed it meanwhile", field="version"
        )


def _members(old: Facility | Zone | Bay, new: Facility | Zone | Bay) -> list[str]:
    """Name the members that differ."""
    skipped = {"id", "number", "standing"}
    return [
        name
        for name in type(old).__dataclass_fields__
        if name not in skipped and getattr(old, name) != getattr(new, name)
    ]


def _record_change(
    uow: UnitOfWork, actor: Actor, kind: str, place_id: UUID, members: Sequence[str]
) -> None:
    audit.record(
        uow, actor, f"parking.{kind}_changed", kind, str(place_id), {"changed": [*members]}
    )


@contextmanager
def translated(uow: UnitOfWork) -> Iterator[None]:
    """Turn what breaks a constraint within a savepoint into an error that names the field."""
    try:
        with uow.connection.begin_nested():
            yield
    except exc.IntegrityError as error:
        raise refusal(error) from error


_REFUSALS: Final[tuple[tuple[str, type[Conflict] | type[Invalid], str, str], ...]] = (
    ("tariff", Invalid, "there is no such tariff", "tariff_id"),
    ("component_code", Conflict, "another bay has this component code", "component_code"),
    ("label", Conflict, "a bay of the facility has this label already", "label"),
    ("bay_zone", Invalid, "is no zone of the facility", "zone_id"),
    ("zone_", Conflict, "the facility has a zone of this code already", "code"),
    ("machine", Invalid, "only a mechanical garage has lifts and pallets", "machine"),
    ("facility_code", Conflict, "a facility has this code already", "code"),
)


def refusal(error: exc.IntegrityError) -> Conflict | Invalid:
    """Say which constraint of places was broken; what is none of them is a programming error."""
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
    for part, kind, message, field in _REFUSALS:
        if part in constraint:
            return kind(message, field=field)
    raise error
