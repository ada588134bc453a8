"""Places as staff see them, now and as they stood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from city.identifiers import AccountId
from city.people import services as people
from parking.rules.places.model import Bay, Facility, Limits, Machine, Zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from parking.store.place_history import PlaceVersion


PERSON = "person:"


def staff_names(connection: Connection, changed_by: Iterable[str]) -> dict[str, str]:
    """Give what pages call those who changed something, as far as they are staff; one query."""
    wanted = {
        each: AccountId(UUID(each.removeprefix(PERSON)))
        for each in changed_by
        if each.startswith(PERSON)
    }
    names = people.account_names(connection, wanted.values()) if wanted else {}
    return {each: names[account] for each, account in wanted.items() if account in names}


def limits_json(limits: Limits) -> dict[str, float | None]:
    """Give the largest vehicle that gets in."""
    return {
        "max_height_m": limits.max_height_m,
        "max_width_m": limits.max_width_m,
        "max_length_m": limits.max_length_m,
        "max_weight_kg": limits.max_weight_kg,
    }


def machine_json(machine: Machine | None) -> dict[str, int] | None:
    """Give a mechanical garage's lifts and pallets."""
    if machine is None:
        return None
    return {
        "lifts": machine.lifts,
        "pallets": machine.pallets,
        "retrieval_s": machine.retrieval_s,
    }


def version_json(version: PlaceVersion) -> dict[str, Any]:
    """Give a place as it stood for a time."""
    return {
        "version": version.version,
        "from_at": version.from_at,
        "until_at": version.until_at,
        "changed_by": version.changed_by,
        "state": state_json(version.state),
    }


def place_json(place: Facility | Zone | Bay) -> dict[str, Any]:
    """Give a place as it stands."""
    return {
        "version": place.standing.version,
        "from_at": place.standing.changed_at,
        "until_at": None,
        "changed_by": place.standing.changed_by,
        "state": state_json(place),
    }


def state_json(place: Facility | Zone | Bay) -> dict[str, Any]:
    """Give all that is kept of a place, but who changed it when."""
    if isinstance(place, Facility):
        return _facility(place)
    if isinstance(place, Zone):
        return _zone(place)
    return _bay(place)


def _facility(place: Facility) -> dict[str, Any]:
    return {
        "id": place.id,
        "code": place.code,
        "district": place.district,
        "ownership": place.ownership,
        "kind": place.kind,
        "name": {"zh": place.name_zh, "en": place.name_en},
        "position": place.position.as_json(),
        "timezone": place.timezone,
        "operator_id": place.operator_id,
        "revenue_nature": place.revenue_nature,
        "tariff_id": place.tariff_id,
        "address": place.address,
        "onboarding": place.onboarding,
        "title": place.title,
        "opening": [span.as_json() for span in place.opening],
        "rules": [rule.as_json() for rule in place.rules],
        "geometry": place.geometry,
        "limits": limits_json(place.limits),
        "machine": machine_json(place.machine),
    }


def _zone(place: Zone) -> dict[str, Any]:
    return {
        "id": place.id,
        "facility_id": place.facility_id,
        "code": place.code,
        "kind": place.kind,
        "name": {"zh": place.name_zh, "en": place.name_en},
        "level": place.level,
        "length_m": place.length_m,
        "rules": [rule.as_json() for rule in place.rules],
        "geometry": place.geometry,
        "retired_at": place.retired_at,
    }


def _bay(place: Bay) -> dict[str, Any]:
    return {
        "id": place.id,
        "facility_id": place.facility_id,
        "label": place.label,
        "kind": place.kind,
        "purpose": place.purpose,
        "ground": place.ground,
        "located": place.located,
        "position": place.position.as_json(),
        "bearing_deg": place.bearing_deg,
        "length_m": place.length_m,
        "width_m": place.width_m,
        "zone_id": place.zone_id,
        "geometry": place.geometry,
        "rules": [rule.as_json() for rule in place.rules],
        "grid_cell": place.grid_cell,
        "component_code": place.component_code,
        "retired_at": place.retired_at,
    }
