"""Facilities and bays with their live state; what a stay would cost; why a bay is as it is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import current_app

from city.errors import Invalid, NotFound, Unavailable
from city.identifiers import FacilityId
from city.people import Role
from city.vehicles import Energy, VehicleClass
from journeys.ask_exit import exit_terms
from parking.live_capacity import capacities, for_the_public
from parking.rules.finding.street_places import folded
from parking.rules.sensors import codecs
from parking.rules.sensors.model import Rejected
from parking.rules.tariffs.model import Stay, VehicleTraits
from parking.services import evidence as evidence_service
from parking.services import places, tariffs
from web import access
from web.api.cursors import after, cursor
from web.api.lines import bill_lines
from web.api.place_states import limits_json, machine_json
from web.api.schemas.base import PageQuery
from web.api.schemas.places import (
    BaysOut,
    EvidenceOut,
    FacilitiesOut,
    FacilitiesQuery,
    OneFacilityOut,
    QuoteIn,
    QuoteOut,
)
from web.fresh import Answer, made

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from flask import Response

    from parking.adapters.live_store import BayNow
    from parking.live_capacity import FacilityCapacity
    from parking.rules.places.counting import Tally
    from parking.store.places import Bay, Facility
    from parking.store.telemetry import KeptUplink
    from web.fresh import Answers

blueprint = APIBlueprint("places", __name__, url_prefix="/api/v1", tag="Places")

EVIDENCE_FRAMES = 20
EVIDENCE_ROLES = (
    Role.ATTENDANT,
    Role.INSPECTOR,
    Role.OPERATOR,
    Role.ENGINEER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
AGE = "data_age_s"
CLOCKED = frozenset({AGE, "arrive_at"})
"""Move with the clock alone: two answers that differ in nothing else count as the same."""


def _tally(tally: Tally) -> dict[str, int]:
    return {
        "free": tally.free,
        "occupied": tally.occupied,
        "unknown": tally.unknown,
        "total": tally.total,
    }


def _facility(
    facility: Facility, now: FacilityCapacity, tariff: str | None, at: datetime
) -> dict[str, Any]:
    capacity = now.capacity
    public = capacity.public
    age_s = None if now.heard_at is None else max(0, round((at - now.heard_at).total_seconds()))
    known = public.free + public.occupied
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
        "counts": _tally(public),
        "reserved": _tally(capacity.reserved),
        "permit": _tally(capacity.permit),
        "closed": capacity.closed,
        "availability": capacity.availability,
        "open_now": now.is_open,
        "changes_at": now.changes_at,
        "opening": [span.as_json() for span in facility.opening],
        "limits": limits_json(facility.limits),
        "machine": machine_json(facility.machine),
        "heard_at": now.heard_at,
        AGE: age_s,
        "quality": 1000 * known // public.total if public.total else 0,
    }


def _facilities(found: Sequence[Facility]) -> list[dict[str, Any]]:
    wiring = access.wiring()
    at = wiring.clock.now()
    now = capacities(wiring.places, wiring.live_store, found, at)
    codes = wiring.places.tariff_codes(each.tariff_id for each in found)
    return [
        _facility(each, now[each.id], codes.get(each.tariff_id) if each.tariff_id else None, at)
        for each in found
    ]


def ageless(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give items without what moves with the clock alone."""
    return [{name: value for name, value in each.items() if name not in CLOCKED} for each in items]


def bay_json(bay: Bay, now: BayNow, *, usable: bool) -> dict[str, Any]:
    """Give a bay with its live state, as `BayOut` has it."""
    return {
        "id": bay.id,
        "facility_id": bay.facility_id,
        "label": bay.label,
        "kind": bay.kind,
        "purpose": bay.purpose,
        "usable": usable,
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
def facilities(query_data: FacilitiesQuery) -> Response:
    """List facilities: places from memory, one round trip to the live store."""
    known = access.wiring().places
    following: str | None = None
    if query_data.name is None:
        page = known.facilities(
            district=query_data.district, after=after(query_data.cursor), limit=query_data.limit
        )
        found, following = page.items, cursor(page.next)
    elif query_data.district is not None or query_data.cursor is not None:
        raise Invalid("cannot go with district or cursor", field="name")
    elif wanted := folded(query_data.name):
        found = known.facilities_named(wanted, limit=query_data.limit)
    else:
        raise Invalid("must hold more than space", field="name")

    def make() -> Answer:
        items = _facilities(found)
        return made({"items": items, "next": following}, [ageless(items), following])

    return answers().about(found, make, also=_minute())


def _minute() -> bytes:
    """Name the minute of the business clock: hours and rules change what may be used with it."""
    return b"%d" % (access.wiring().clock.now().timestamp() // 60)


def answers() -> Answers:
    """Give the answers that this process keeps."""
    found: Answers = current_app.extensions["answers"]
    return found


@blueprint.get("/facilities/<uuid:facility_id>")
@access.public
@blueprint.output(OneFacilityOut)
@blueprint.doc(summary="One facility with live counts, and what holds for whoever leaves it")
def facility(facility_id: UUID) -> Response:
    """Show one facility."""
    home = access.wiring().places.facility(facility_id)

    def make() -> Answer:
        items = [{**each, "exit": _exit(home)} for each in _facilities([home])]
        return made(items[0], ageless(items))

    return answers().about([home], make, also=_minute())


def _exit(home: Facility) -> dict[str, Any] | None:
    """Return what holds for whoever leaves; null where the database is away: the counts are not."""
    wiring = access.wiring()
    try:
        with wiring.database.read() as connection:
            found = exit_terms(connection, home, wiring.clock.now())
    except Unavailable:
        return None
    return {"mode": found.mode.value, "grace_s": found.grace_s}


@blueprint.get("/facilities/<uuid:facility_id>/bays")
@access.public
@blueprint.input(PageQuery, location="query")
@blueprint.output(BaysOut)
@blueprint.doc(summary="Bays of a facility, how sure their state is and since when")
def bays(facility_id: UUID, query_data: PageQuery) -> Response:
    """List the bays of a facility: places from memory, one round trip to the live store."""
    wiring = access.wiring()
    home = wiring.places.facility(facility_id)
    following_cursor = after(query_data.cursor)

    def make() -> Answer:
        page = wiring.places.bays_of(home.id, after=following_cursor, limit=query_data.limit)
        now = wiring.live_store.bay_states(home.district, [each.id for each in page.items])
        usable = for_the_public(
            wiring.places, ((each.id, home) for each in page.items), wiring.clock.now()
        )
        items = [bay_json(each, now[each.id], usable=each.id in usable) for each in page.items]
        return made({"items": items, "next": cursor(page.next)})

    return answers().about([home], make, also=_minute())


@blueprint.post("/quotes")
@access.public
@blueprint.input(QuoteIn)
@blueprint.output(QuoteOut)
@blueprint.doc(summary="What a stay would cost, explained; nothing is kept")
def quote(json_data: QuoteIn) -> dict[str, Any]:
    """Price a stay under the tariff in force at its entry."""
    if json_data.leave_at < json_data.enter_at:
        raise Invalid("must not lie before the entry", field="leave_at")
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
        home = places.facility(connection, bay.facility_id)
    usable = for_the_public(wiring.places, [(bay.id, home)], wiring.clock.now())
    now = wiring.live_store.bay_states(bay.district, [bay.id])[bay.id]
    return {
        "bay": bay_json(bay, now, usable=bay.id in usable),
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
