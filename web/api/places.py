"""Facilities and bays with their live state; what a stay would cost; why a bay is as it is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import CityError, Invalid, NotFound
from city.identifiers import FacilityId
from city.people import Role
from city.places import Position
from city.vehicles import Energy, VehicleClass
from parking.rules.sensors import codecs
from parking.rules.sensors.model import Rejected
from parking.rules.tariffs.model import Stay, VehicleTraits
from parking.services import evidence as evidence_service
from parking.services import places, tariffs
from web import access
from web.api.cursors import after, cursor
from web.api.lines import bill_lines
from web.api.schemas.base import PageQuery
from web.api.schemas.places import (
    BaysOut,
    EvidenceOut,
    FacilitiesOut,
    FacilitiesQuery,
    FacilityOut,
    NearestOut,
    NearestQuery,
    QuoteIn,
    QuoteOut,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

    from parking.adapters.live_store import BayNow, FacilityNow
    from parking.store.places import Bay, Facility
    from parking.store.telemetry import KeptUplink

blueprint = APIBlueprint("places", __name__, url_prefix="/api/v1", tag="Places")

WALK_M_PER_S = 1.2
DETOUR = 1.3
"""Streets are longer than the straight line by about this factor."""
EVIDENCE_FRAMES = 20
EVIDENCE_ROLES = (
    Role.ATTENDANT,
    Role.INSPECTOR,
    Role.OPERATOR,
    Role.ENGINEER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)


def _facility(
    facility: Facility, now: FacilityNow, tariff: str | None, at: datetime
) -> dict[str, Any]:
    total = now.free + now.occupied + now.unknown
    age_s = None if now.heard_at is None else max(0, round((at - now.heard_at).total_seconds()))
    return {
        "id": facility.id,
        "code": facility.code,
        "name": {"zh": facility.name_zh, "en": facility.name_en},
        "district": facility.district,
        "kind": facility.kind,
        "ownership": facility.ownership,
        "position": facility.position.as_json(),
        "timezone": facility.timezone,
        "tariff": tariff,
        "revenue_nature": facility.revenue_nature,
        "counts": {
            "free": now.free,
            "occupied": now.occupied,
            "unknown": now.unknown,
            "total": total,
        },
        "heard_at": now.heard_at,
        "data_age_s": age_s,
        "quality": 1000 * (now.free + now.occupied) // total if total else 0,
    }


def _facilities(connection: Connection, found: Sequence[Facility]) -> list[dict[str, Any]]:
    wiring = access.wiring()
    counts = wiring.live_store.facilities_now(
        connection, [(each.district, each.id) for each in found]
    )
    codes = tariffs.codes(connection, {each.tariff_id for each in found if each.tariff_id})
    at = wiring.clock.now()
    return [
        _facility(each, counts[each.id], codes.get(each.tariff_id) if each.tariff_id else None, at)
        for each in found
    ]


def _bay(bay: Bay, now: BayNow) -> dict[str, Any]:
    return {
        "id": bay.id,
        "facility_id": bay.facility_id,
        "label": bay.label,
        "kind": bay.kind,
        "position": bay.position.as_json(),
        "state": now.state,
        "since_at": now.since_at,
        "sure": now.sure,
        "heard_at": now.heard_at,
        "provisional": now.provisional,
    }


@blueprint.get("/facilities")
@access.public
@blueprint.input(FacilitiesQuery, location="query")
@blueprint.output(FacilitiesOut)
@blueprint.doc(summary="Facilities with live counts, their age and quality")
def facilities(query_data: FacilitiesQuery) -> dict[str, Any]:
    """List facilities: one query, and one round trip to the live store a district."""
    with access.wiring().database.read() as connection:
        page = places.facilities(
            connection,
            district=query_data.district,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        items = _facilities(connection, page.items)
    return {"items": items, "next": cursor(page.next)}


@blueprint.get("/facilities/<uuid:facility_id>")
@access.public
@blueprint.output(FacilityOut)
@blueprint.doc(summary="One facility with live counts")
def facility(facility_id: UUID) -> dict[str, Any]:
    """Show one facility."""
    with access.wiring().database.read() as connection:
        found = places.facility(connection, facility_id)
        return _facilities(connection, [found])[0]


@blueprint.get("/facilities/<uuid:facility_id>/bays")
@access.public
@blueprint.input(PageQuery, location="query")
@blueprint.output(BaysOut)
@blueprint.doc(summary="Bays of a facility, how sure their state is and since when")
def bays(facility_id: UUID, query_data: PageQuery) -> dict[str, Any]:
    """List the bays of a facility."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        home = places.facility(connection, facility_id)
        page = places.bays(
            connection,
            facility_id=home.id,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    now = wiring.live_store.bay_states(home.district, [each.id for each in page.items])
    return {
        "items": [_bay(each, now[each.id]) for each in page.items],
        "next": cursor(page.next),
    }


@blueprint.get("/bays/nearest")
@access.public
@blueprint.input(NearestQuery, location="query")
@blueprint.output(NearestOut)
@blueprint.doc(summary="Free bays around a place, the nearest first")
def nearest(query_data: NearestQuery) -> dict[str, Any]:
    """List free bays; one that is unknown is not offered."""
    wiring = access.wiring()
    at = Position(query_data.longitude, query_data.latitude)
    with wiring.database.read() as connection:
        near = wiring.live_store.free_near(
            places.districts(connection), at, query_data.radius_m, query_data.limit
        )
        found = places.bays_by_id(connection, [each.bay_id for each in near])
        homes = places.facilities_by_id(connection, {each.facility_id for each in found.values()})
        hourly = {
            home.id: _hour(connection, home.id, wiring.clock.now()) for home in homes.values()
        }
    items = []
    for each in near:
        bay = found.get(each.bay_id)
        if bay is None:
            continue
        home = homes[bay.facility_id]
        items.append(
            {
                "bay": _bay(bay, each.now),
                "facility": {"zh": home.name_zh, "en": home.name_en},
                "distance_m": round(each.distance_m),
                "walk_s": round(each.distance_m * DETOUR / WALK_M_PER_S),
                "price_per_hour": hourly[home.id],
            }
        )
    return {"items": items}


def _hour(connection: Connection, facility_id: FacilityId, at: datetime) -> dict[str, Any] | None:
    """Return what the next hour costs a small car; None where that is not known."""
    try:
        quote = tariffs.quote(connection, facility_id, Stay(at, at + timedelta(hours=1)))
    except CityError:
        return None
    return quote.total.as_json()


@blueprint.post("/quotes")
@access.public
@blueprint.input(QuoteIn)
@blueprint.output(QuoteOut)
@blueprint.doc(summary="What a stay would cost, explained; nothing is kept")
def quote(json_data: QuoteIn) -> dict[str, Any]:
    """Price a stay under the tariff in force at its entry."""
    if json_data.leave_at - json_data.enter_at > timedelta(days=366):
        raise Invalid("must lie within a year of the entry", field="leave_at")
    traits = VehicleTraits(
        vehicle_class=VehicleClass(json_data.vehicle),
        energy=None if json_data.energy is None else Energy(json_data.energy),
        exemption=json_data.exempt,
    )
    facility_id = FacilityId(json_data.facility_id)
    with access.wiring().database.read() as connection:
        home = places.facility(connection, facility_id)
        stay = Stay(json_data.enter_at, json_data.leave_at)
        found = tariffs.quote(connection, facility_id, stay, traits)
        codes = tariffs.codes(connection, {home.tariff_id} if home.tariff_id else set())
    return {
        "total": found.total.as_json(),
        "lines": bill_lines(found.lines_json(), found.total.currency),
        "tariff": codes.get(home.tariff_id, "") if home.tariff_id else "",
    }


@blueprint.get("/bays/<uuid:bay_id>/evidence")
@access.allow(*EVIDENCE_ROLES)
@blueprint.output(EvidenceOut)
@blueprint.doc(summary="A bay's sensors and their last frames, raw and read")
def evidence(bay_id: UUID) -> dict[str, Any]:
    """Show why a bay has the state it has."""
    wiring = access.wiring()
    caller = access.known_actor()
    with wiring.database.read() as connection:
        bay = places.bay(connection, bay_id)
        if not caller.in_district(bay.district):
            raise NotFound("There is no such bay in your districts.")
        found = evidence_service.of_bay(connection, bay.id, limit=EVIDENCE_FRAMES)
    now = wiring.live_store.bay_states(bay.district, [bay.id])[bay.id]
    return {
        "bay": _bay(bay, now),
        "devices": [
            {
                "id": device.id,
                "network_key": device.network_key,
                "model": device.model,
                "since_at": since_at,
                "last_seen_at": device.last_seen_at,
                "battery_v": device.battery_v,
                "battery_low": device.battery_low,
                "rssi": device.rssi,
                "snr": device.snr,
                "faults": list(device.faults),
            }
            for device, since_at in found.devices
        ],
        "frames": [_frame(each) for each in found.frames],
    }


def _frame(kept: KeptUplink) -> dict[str, Any]:
    # Read again now, so that a corrected codec shows what an old frame really said.
    read = None if kept.model is None else codecs.decode(kept.model, kept.port, kept.frame)
    known = None if read is None or isinstance(read, Rejected) else read
    return {
        "received_at": kept.received_at,
        "device_at": kept.device_at,
        "port": kept.port,
        "frame_hex": kept.frame.hex(),
        "counter": kept.counter,
        "verdict": kept.verdict,
        "fields": None if known is None else dict(known.fields),
        "observations": [] if known is None else [asdict(each) for each in known.observations],
    }
