"""Permits: issuing, listing vehicles, taking back, renewing, making good lost time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import BayId, FacilityId, PermitId, VehicleId
from city.money import Money
from journeys.list_vehicles import list_vehicles
from parking.rules.rights.hours import Hours
from parking.rules.rights.permits import (
    Allowance,
    OverstayTerms,
    Per,
    PermitKind,
    Terms,
)
from parking.rules.rights.plate_lists import WrittenPlate
from parking.services import permit_terms, permits
from web import access
from web.acts import act, act_on_plate
from web.api.cursors import after, cursor
from web.api.plates import masked_plates
from web.api.roles import BACK_OFFICE, KEEPERS
from web.api.schemas.base import PageQuery
from web.api.schemas.permits import (
    CompensationIn,
    CompensationOut,
    ListedPlatesIn,
    ListedPlatesOut,
    ListedVehiclesOut,
    PermitDetailOut,
    PermitIn,
    PermitOut,
    PermitsOut,
    PermitsQuery,
    RenewalIn,
    RevocationIn,
)
from web.api.shown_rights import allowance_json
from web.refusals import as_asked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from parking.store.permits import KeptPermit
    from web.api.schemas.base import MoneyIn
    from web.api.schemas.permits import AllowanceIn, OverstayIn, WindowIn

blueprint = APIBlueprint("permits", __name__, url_prefix="/api/v1/permits", tag="Rights")


def read_allowance(sent: AllowanceIn | None) -> Allowance | None:
    """Read an allowance; Invalid names the field."""
    return None if sent is None else Allowance(sent.free_s, Per(sent.per))


def read_hours(sent: Sequence[WindowIn]) -> Hours:
    """Read hours; Invalid names the window and its member."""
    return Hours.from_json(
        [{"from": each.from_, "until": each.until, "days": each.days} for each in sent]
    )


def _permit(kept: KeptPermit, vehicles: int, at: datetime) -> dict[str, Any]:
    permit, terms = kept.permit, kept.permit.terms
    return {
        "id": permit.id,
        "kind": permit.kind.value,
        "label": permit.label,
        "district": permit.district,
        "state": permit.state(at),
        "facility_ids": sorted(permit.facility_ids),
        "timezone": permit.timezone,
        "valid_from": permit.valid_from,
        "valid_until": permit.valid_until,
        "concurrent_limit": terms.concurrent_limit,
        "vehicles": vehicles,
        "hours": terms.hours.as_json(),
        "allowance": allowance_json(terms.allowance),
        "overstay": None if terms.overstay is None else terms.overstay.as_json(),
        "issued_at": kept.issued_at,
        "revoked_at": permit.revoked_at,
        "revoked_reason": kept.revoked_reason,
    }


def _shown(connection: Connection, kept: KeptPermit) -> dict[str, Any]:
    counts = permits.count_vehicles(connection, [kept.permit.id])
    return _permit(kept, counts.get(kept.permit.id, 0), access.wiring().clock.now())


def _money(sent: MoneyIn | None) -> Money | None:
    return None if sent is None else Money(sent.minor, sent.currency)


def _overstay(sent: OverstayIn | None) -> OverstayTerms | None:
    if sent is None:
        return None
    price = Money(sent.price.minor, sent.price.currency)
    return OverstayTerms(sent.grace_s, sent.unit_s, price, _money(sent.cap))


@blueprint.get("")
@access.allow(*BACK_OFFICE)
@blueprint.input(PermitsQuery, location="query")
@blueprint.output(PermitsOut)
@blueprint.doc(summary="Permits, the latest first")
def permits_page(query_data: PermitsQuery) -> dict[str, Any]:
    """List permits."""
    wiring = access.wiring()
    at = wiring.clock.now()
    with wiring.database.read() as connection:
        page = permits.page(
            connection,
            at=at,
            kind=PermitKind(query_data.kind) if query_data.kind else None,
            facility_id=FacilityId(query_data.facility_id) if query_data.facility_id else None,
            vehicle_id=VehicleId(query_data.vehicle_id) if query_data.vehicle_id else None,
            state=query_data.state,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        counts = permits.count_vehicles(connection, [each.permit.id for each in page.items])
    return {
        "items": [_permit(each, counts.get(each.permit.id, 0), at) for each in page.items],
        "next": cursor(page.next),
    }


@blueprint.post("")
@access.allow(*KEEPERS)
@act
@blueprint.input(PermitIn)
@blueprint.output(PermitOut, status_code=201)
@blueprint.doc(summary="Issue a permit; vehicles are listed afterwards")
def issue(uow: UnitOfWork, json_data: PermitIn) -> dict[str, Any]:
    """Issue a permit."""
    terms = Terms(
        read_hours(json_data.hours),
        json_data.concurrent_limit,
        read_allowance(json_data.allowance),
        _overstay(json_data.overstay),
    )
    wish = permits.PermitWish(
        kind=PermitKind(json_data.kind),
        label=json_data.label,
        facility_ids=[FacilityId(each) for each in json_data.facility_ids],
        first_day=json_data.first_day,
        months=json_data.months,
        last_day=json_data.last_day,
        terms=terms,
        bay_ids=[BayId(each) for each in json_data.bay_ids],
    )
    return _shown(uow.connection, permits.issue(uow, access.known_actor(), wish))


@blueprint.get("/<uuid:permit_id>")
@access.allow(*BACK_OFFICE)
@blueprint.output(PermitDetailOut)
@blueprint.doc(summary="One permit, and how its end was moved")
def permit(permit_id: UUID) -> dict[str, Any]:
    """Show a permit."""
    with access.wiring().database.read() as connection:
        found = permits.find(connection, PermitId(permit_id))
        access.require_district(found.permit.district)
        moved = permit_terms.extensions(connection, found.permit.id)
        return {
            **_shown(connection, found),
            "extensions": [
                {
                    "why": each.kind,
                    "days": each.days,
                    "valid_until": each.valid_until,
                    "reason": each.reason,
                    "extended_at": each.extended_at,
                }
                for each in moved
            ],
        }


@blueprint.get("/<uuid:permit_id>/vehicles")
@access.allow(*BACK_OFFICE)
@blueprint.input(PageQuery, location="query")
@blueprint.output(ListedVehiclesOut)
@blueprint.doc(summary="The vehicles on a permit's list; plates are masked")
def vehicles(permit_id: UUID, query_data: PageQuery) -> dict[str, Any]:
    """List a permit's vehicles."""
    with access.wiring().database.read() as connection:
        found = permits.find(connection, PermitId(permit_id))
        access.require_district(found.permit.district)
        page = permits.vehicles(
            connection,
            found.permit.id,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        plates = masked_plates(connection, (each.member.vehicle_id for each in page.items))
    return {
        "items": [
            {
                "vehicle_id": each.member.vehicle_id,
                "plate": plates.get(each.member.vehicle_id),
                "from_at": each.member.from_at,
            }
            for each in page.items
        ],
        "next": cursor(page.next),
    }


@blueprint.post("/<uuid:permit_id>/vehicles")
@access.allow(*KEEPERS)
@act_on_plate
@blueprint.input(ListedPlatesIn)
@blueprint.output(ListedPlatesOut)
@blueprint.doc(summary="Put plates on a permit's list; bad ones come back with reasons")
def add_vehicles(uow: UnitOfWork, permit_id: UUID, json_data: ListedPlatesIn) -> dict[str, Any]:
    """Put vehicles on a permit's list."""
    listed = list_vehicles(
        uow,
        access.known_actor(),
        PermitId(permit_id),
        [WrittenPlate(each.plate, each.kind) for each in json_data.vehicles],
    )
    return {
        "accepted": [
            {
                "index": each.read.index,
                "vehicle_id": each.vehicle_id,
                "plate": {
                    "text": each.read.plate.masked(),
                    "kind": each.read.plate.kind.value,
                    "masked": True,
                },
                "added": each.added,
            }
            for each in listed.accepted
        ],
        "rejected": [
            {"index": each.index, "field": each.field, "reason": as_asked(each.reason)}
            for each in listed.rejected
        ],
    }


@blueprint.post("/<uuid:permit_id>/vehicles/<uuid:vehicle_id>/removal")
@access.allow(*KEEPERS)
@act
@blueprint.output(PermitOut)
@blueprint.doc(summary="Take a vehicle off a permit's list from now on")
def remove_vehicle(uow: UnitOfWork, permit_id: UUID, vehicle_id: UUID) -> dict[str, Any]:
    """Take a vehicle off a list."""
    found = PermitId(permit_id)
    permits.remove_vehicle(uow, access.known_actor(), found, VehicleId(vehicle_id))
    return _shown(uow.connection, permits.find(uow.connection, found))


@blueprint.post("/<uuid:permit_id>/revocation")
@access.allow(*KEEPERS)
@act
@blueprint.input(RevocationIn)
@blueprint.output(PermitOut)
@blueprint.doc(summary="Take a permit back from now on")
def revoke(uow: UnitOfWork, permit_id: UUID, json_data: RevocationIn) -> dict[str, Any]:
    """Take a permit back."""
    kept = permits.revoke(uow, access.known_actor(), PermitId(permit_id), json_data.reason)
    return _shown(uow.connection, kept)


@blueprint.post("/<uuid:permit_id>/renewal")
@access.allow(*KEEPERS)
@act
@blueprint.input(RenewalIn)
@blueprint.output(PermitOut)
@blueprint.doc(summary="Let a permit go on after its end, without a gap")
def renew(uow: UnitOfWork, permit_id: UUID, json_data: RenewalIn) -> dict[str, Any]:
    """Renew a permit."""
    kept = permit_terms.renew(
        uow, access.known_actor(), PermitId(permit_id), json_data.months, json_data.reason
    )
    return _shown(uow.connection, kept)


@blueprint.post("/compensations")
@access.allow(*KEEPERS)
@act
@blueprint.input(CompensationIn)
@blueprint.output(CompensationOut)
@blueprint.doc(summary="Lengthen the permits of a facility that could not be used for a time")
def compensate(uow: UnitOfWork, json_data: CompensationIn) -> dict[str, Any]:
    """Make good lost time."""
    done = permit_terms.compensate(
        uow,
        access.known_actor(),
        FacilityId(json_data.facility_id),
        (json_data.from_at, json_data.until_at),
        json_data.reason,
    )
    return {
        "extended": [{"permit_id": permit_id, "days": days} for permit_id, days in done.extended],
        "untouched": list(done.untouched),
        "done_before": list(done.done_before),
        "bay_taken": list(done.bay_taken),
    }
