"""Registering and changing operators, facilities, zones and bays; their history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import FacilityId, OperatorId, TariffId, ZoneId, parse_district_code
from city.places import Position
from parking.rules.places.model import Bay, Facility, Limits, Machine, Operator, Zone
from parking.rules.places.outlines import checked_geometry
from parking.rules.places.times import read_spans
from parking.rules.places.usage import read_rules
from parking.services import place_keeping as service
from parking.services import places
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.place_states import place_json, staff_names, version_json
from web.api.roles import KEEPERS, REGISTRY
from web.api.schemas.base import PageQuery
from web.api.schemas.place_keeping import (
    AsOfQuery,
    BayChangeIn,
    BayIn,
    BaysIn,
    FacilityChangeIn,
    FacilityIn,
    LimitsIn,
    MachineIn,
    OperatorIn,
    OperatorOut,
    OperatorsOut,
    PlaceHistoryOut,
    PlaceVersionOut,
    RegisteredBaysOut,
    ZoneChangeIn,
    ZoneIn,
    ZonesOut,
)

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import BaseModel

    from city.works.database import UnitOfWork
    from parking.store.place_history import PlaceKind, PlaceVersion

blueprint = APIBlueprint("place_keeping", __name__, url_prefix="/api/v1", tag="Registry")


def _operator(operator: Operator) -> dict[str, Any]:
    return {
        "id": operator.id,
        "code": operator.code,
        "name": {"zh": operator.name_zh, "en": operator.name_en},
        "phone": operator.phone,
    }


@blueprint.get("/operators")
@access.allow(*REGISTRY)
@blueprint.input(PageQuery, location="query")
@blueprint.output(OperatorsOut)
@blueprint.doc(summary="Who runs facilities")
def operators(query_data: PageQuery) -> dict[str, Any]:
    """List operators."""
    with access.wiring().database.read() as connection:
        page = service.operators_page(
            connection, after=after(query_data.cursor), limit=query_data.limit
        )
    return {"items": [_operator(each) for each in page.items], "next": cursor(page.next)}


@blueprint.post("/operators")
@access.allow(*KEEPERS)
@act
@blueprint.input(OperatorIn)
@blueprint.output(OperatorOut, status_code=201)
@blueprint.doc(summary="Register an operator")
def register_operator(uow: UnitOfWork, json_data: OperatorIn) -> dict[str, Any]:
    """Register an operator."""
    new = Operator(json_data.code, json_data.name.zh, json_data.name.en, json_data.phone)
    return _operator(service.register_operator(uow, access.known_actor(), new))


def _limits(given: LimitsIn) -> Limits:
    return Limits(given.max_height_m, given.max_width_m, given.max_length_m, given.max_weight_kg)


def _machine(given: MachineIn | None) -> Machine | None:
    return None if given is None else Machine(given.lifts, given.pallets, given.retrieval_s)


@blueprint.post("/facilities")
@access.allow(*KEEPERS)
@act
@blueprint.input(FacilityIn)
@blueprint.output(PlaceVersionOut, status_code=201)
@blueprint.doc(summary="Register a facility; its bays follow")
def register_facility(uow: UnitOfWork, json_data: FacilityIn) -> dict[str, Any]:
    """Register a facility."""
    access.require_district(json_data.district)
    new = Facility(
        code=json_data.code,
        district=parse_district_code(json_data.district),
        ownership=json_data.ownership,
        kind=json_data.kind,
        name_zh=json_data.name.zh,
        name_en=json_data.name.en,
        position=Position(*json_data.position),
        timezone=json_data.timezone,
        operator_id=OperatorId(json_data.operator_id),
        revenue_nature=json_data.revenue_nature,
        tariff_id=None if json_data.tariff_id is None else TariffId(json_data.tariff_id),
        address=json_data.address,
        onboarding=json_data.onboarding,
        title=json_data.title,
        opening=read_spans([*json_data.opening], "opening"),
        rules=read_rules([*json_data.rules]),
        geometry=checked_geometry(json_data.geometry),
        limits=_limits(json_data.limits),
        machine=_machine(json_data.machine),
    )
    return place_json(service.register_facility(uow, access.known_actor(), new))


_MAY_BE_NULL: Final = frozenset(
    {"tariff_id", "address", "geometry", "machine", "zone_id", "bearing_deg", "length_m"}
    | {"width_m", "grid_cell", "component_code", "level"}
)


def _given(change: BaseModel) -> dict[str, Any]:
    """Give the members that a change states, under the names that places have."""
    sent = change.model_fields_set - {"version"}
    if not sent:
        raise Invalid("must name what changes", field="body")
    values = {name: getattr(change, name) for name in sent}
    for each in sorted(values.keys() - _MAY_BE_NULL):
        if values[each] is None:
            raise Invalid("must not be null", field=each)
    if "name" in values:
        name = values.pop("name")
        values |= {"name_zh": name.zh, "name_en": name.en}
    readers: dict[str, Any] = {
        "position": lambda at: Position(*at),
        "opening": lambda spans: read_spans([*spans], "opening"),
        "rules": lambda rules: read_rules([*rules]),
        "geometry": checked_geometry,
        "limits": _limits,
        "machine": _machine,
        "tariff_id": lambda id_: None if id_ is None else TariffId(id_),
        "zone_id": lambda id_: None if id_ is None else ZoneId(id_),
    }
    return {
        name: readers[name](value) if name in readers else value for name, value in values.items()
    }


@blueprint.patch("/facilities/<uuid:facility_id>")
@access.allow(*KEEPERS)
@act
@blueprint.input(FacilityChangeIn)
@blueprint.output(PlaceVersionOut)
@blueprint.doc(summary="Change a facility; what it was stays in its history")
def change_facility(
    uow: UnitOfWork, facility_id: UUID, json_data: FacilityChangeIn
) -> dict[str, Any]:
    """Change a facility."""
    old = places.facility(uow.connection, facility_id)
    access.require_district(old.district)
    new = replace(old, **_given(json_data))
    return place_json(
        service.change_facility(uow, access.known_actor(), new, version=json_data.version)
    )


@blueprint.get("/facilities/<uuid:facility_id>/zones")
@access.allow(*REGISTRY)
@blueprint.output(ZonesOut)
@blueprint.doc(summary="Stretches, areas and levels of a facility, with their rules")
def zones(facility_id: UUID) -> dict[str, Any]:
    """List zones."""
    with access.wiring().database.read() as connection:
        home = places.facility(connection, facility_id)
        access.require_district(home.district)
        found = service.zones_of(connection, home.id)
    return {"items": [place_json(each) for each in found]}


@blueprint.post("/facilities/<uuid:facility_id>/zones")
@access.allow(*KEEPERS)
@act
@blueprint.input(ZoneIn)
@blueprint.output(PlaceVersionOut, status_code=201)
@blueprint.doc(summary="Add a zone or level to a facility")
def add_zone(uow: UnitOfWork, facility_id: UUID, json_data: ZoneIn) -> dict[str, Any]:
    """Add a zone."""
    home = places.facility(uow.connection, facility_id)
    access.require_district(home.district)
    new = Zone(
        facility_id=home.id,
        district=home.district,
        code=json_data.code,
        kind=json_data.kind,
        name_zh=json_data.name.zh if json_data.name else "",
        name_en=json_data.name.en if json_data.name else "",
        level=json_data.level,
        length_m=json_data.length_m,
        rules=read_rules([*json_data.rules]),
        geometry=checked_geometry(json_data.geometry),
    )
    return place_json(service.add_zone(uow, access.known_actor(), new))


@blueprint.patch("/zones/<uuid:zone_id>")
@access.allow(*KEEPERS)
@act
@blueprint.input(ZoneChangeIn)
@blueprint.output(PlaceVersionOut)
@blueprint.doc(summary="Change a zone; what it was stays in its history")
def change_zone(uow: UnitOfWork, zone_id: UUID, json_data: ZoneChangeIn) -> dict[str, Any]:
    """Change a zone."""
    old = service.zone(uow.connection, zone_id)
    access.require_district(old.district)
    new = replace(old, **_given(json_data))
    return place_json(
        service.change_zone(uow, access.known_actor(), new, version=json_data.version)
    )


def _bay(given: BayIn, home: Facility, index: int) -> Bay:
    try:
        return Bay(
            facility_id=home.id,
            district=home.district,
            label=given.label,
            kind=given.kind,
            position=Position(*given.position),
            bearing_deg=given.bearing_deg,
            zone_id=None if given.zone_id is None else ZoneId(given.zone_id),
            purpose=given.purpose,
            ground=given.ground,
            length_m=given.length_m,
            width_m=given.width_m,
            geometry=checked_geometry(given.geometry),
            rules=read_rules([*given.rules]),
            grid_cell=given.grid_cell,
            component_code=given.component_code,
        )
    except Invalid as error:
        raise Invalid(error.message, field=f"bays[{index}].{error.field}") from None


@blueprint.post("/facilities/<uuid:facility_id>/bays")
@access.allow(*KEEPERS)
@act
@blueprint.input(BaysIn)
@blueprint.output(RegisteredBaysOut, status_code=201)
@blueprint.doc(summary="Register bays, all or none; one that overlaps another is refused")
def register_bays(uow: UnitOfWork, facility_id: UUID, json_data: BaysIn) -> dict[str, Any]:
    """Register bays."""
    home = places.facility(uow.connection, facility_id)
    access.require_district(home.district)
    new = [_bay(each, home, index) for index, each in enumerate(json_data.bays)]
    kept = service.register_bays(uow, access.known_actor(), home.id, new)
    return {"items": [place_json(each) for each in kept]}


@blueprint.patch("/bays/<uuid:bay_id>")
@access.allow(*KEEPERS)
@act
@blueprint.input(BayChangeIn)
@blueprint.output(PlaceVersionOut)
@blueprint.doc(summary="Change a bay; what it was stays in its history")
def change_bay(uow: UnitOfWork, bay_id: UUID, json_data: BayChangeIn) -> dict[str, Any]:
    """Change a bay."""
    old = places.bay(uow.connection, bay_id)
    access.require_district(old.district)
    given = _given(json_data)
    if {"position", "geometry"} & given.keys():
        # Whoever says where it lies has looked.
        given["located"] = "surveyed"
    new = replace(old, **given)
    return place_json(service.change_bay(uow, access.known_actor(), new, version=json_data.version))


@blueprint.post("/bays/<uuid:bay_id>/retirement")
@access.allow(*KEEPERS)
@act
@blueprint.output(PlaceVersionOut)
@blueprint.doc(summary="Take a bay out of use for good; its stays and history stay")
def retire_bay(uow: UnitOfWork, bay_id: UUID) -> dict[str, Any]:
    """Retire a bay."""
    access.require_district(places.bay(uow.connection, bay_id).district)
    return place_json(service.retire_bay(uow, access.known_actor(), bay_id))


def _in_reach(found: PlaceVersion) -> None:
    access.require_district(found.state.district)


def _versions(kind: PlaceKind, place_id: UUID) -> dict[str, Any]:
    with access.wiring().database.read() as connection:
        found = service.history(connection, kind, place_id)
        _in_reach(found[0])
        people = staff_names(connection, (each.changed_by for each in found))
    return {"items": [version_json(each) for each in found], "people": people}


def _as_of(kind: PlaceKind, place_id: UUID, query: AsOfQuery) -> dict[str, Any]:
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = service.as_of(connection, kind, place_id, query.at or wiring.clock.now())
    _in_reach(found)
    return version_json(found)


@blueprint.get("/facilities/<uuid:facility_id>/record")
@access.allow(*REGISTRY)
@blueprint.input(AsOfQuery, location="query")
@blueprint.output(PlaceVersionOut)
@blueprint.doc(summary="All that is kept of a facility, now or as it stood at an instant")
def facility_record(facility_id: UUID, query_data: AsOfQuery) -> dict[str, Any]:
    """Show a facility as it stood."""
    return _as_of("facility", FacilityId(facility_id), query_data)


@blueprint.get("/facilities/<uuid:facility_id>/history")
@access.allow(*REGISTRY)
@blueprint.output(PlaceHistoryOut)
@blueprint.doc(summary="What a facility is and was, and who changed it when")
def facility_history(facility_id: UUID) -> dict[str, Any]:
    """Show a facility's history."""
    return _versions("facility", facility_id)


@blueprint.get("/zones/<uuid:zone_id>/history")
@access.allow(*REGISTRY)
@blueprint.output(PlaceHistoryOut)
@blueprint.doc(summary="What a zone is and was, and who changed it when")
def zone_history(zone_id: UUID) -> dict[str, Any]:
    """Show a zone's history."""
    return _versions("zone", zone_id)


@blueprint.get("/bays/<uuid:bay_id>/record")
@access.allow(*REGISTRY)
@blueprint.input(AsOfQuery, location="query")
@blueprint.output(PlaceVersionOut)
@blueprint.doc(summary="All that is kept of a bay, now or as it stood at an instant")
def bay_record(bay_id: UUID, query_data: AsOfQuery) -> dict[str, Any]:
    """Show a bay as it stood."""
    return _as_of("bay", bay_id, query_data)


@blueprint.get("/bays/<uuid:bay_id>/history")
@access.allow(*REGISTRY)
@blueprint.output(PlaceHistoryOut)
@blueprint.doc(summary="What a bay is and was, and who changed it when")
def bay_history(bay_id: UUID) -> dict[str, Any]:
    """Show a bay's history."""
    return _versions("bay", bay_id)
