"""Disputes of bills: opened by drivers, answered by operators and the finance desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import BillId
from city.people import Role
from journeys.dispute_bill import dispute_bill, resolve_dispute, withdraw_dispute
from parking.services import places
from payments import disputes as service
from payments import services as payments
from payments.rules.disputes import DisputeState, Ground
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.plates import masked_plates
from web.api.schemas.drivers import (
    DisputeIn,
    DisputesOut,
    DisputesQuery,
    ResolveIn,
    WithdrawIn,
)
from web.api.schemas.stays import DisputeOut
from web.api.shown import names_of, shown_dispute

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from payments.rules.disputes import Dispute

blueprint = APIBlueprint("disputes", __name__, url_prefix="/api/v1", tag="Stays")


@blueprint.post("/bills/<uuid:bill_id>/disputes")
@access.allow(Role.DRIVER)
@act
@blueprint.input(DisputeIn)
@blueprint.output(DisputeOut, status_code=201)
@blueprint.doc(summary="Dispute a bill of one's own: it is frozen, and its clock stands still")
def dispute(uow: UnitOfWork, bill_id: UUID, json_data: DisputeIn) -> dict[str, Any]:
    """Dispute a bill."""
    caller, ground = access.known_actor(), Ground(json_data.ground)
    done = dispute_bill(uow, caller, BillId(bill_id), ground, json_data.words)
    return shown_dispute(done.dispute)


@blueprint.get("/disputes")
@access.allow(Role.OPERATOR, Role.FINANCE, Role.AUDITOR)
@blueprint.input(DisputesQuery, location="query")
@blueprint.output(DisputesOut)
@blueprint.doc(summary="Disputes, the latest first")
def disputes(query_data: DisputesQuery) -> dict[str, Any]:
    """List disputes."""
    with access.wiring().database.read() as connection:
        found, following = service.page(
            connection,
            state=DisputeState(query_data.state) if query_data.state else None,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        return {"items": _listed(connection, found), "next": cursor(following)}


def _listed(connection: Connection, found: Sequence[Dispute]) -> list[dict[str, Any]]:
    bills = payments.bills_by_id(connection, {each.bill_id for each in found})
    charges = {each.id: each.charge for each in bills.values()}
    plates = masked_plates(connection, (each.vehicle_id for each in charges.values()))
    facilities = places.facilities_by_id(
        connection, {each.facility_id for each in charges.values()}
    )
    items = []
    for each in found:
        charge = charges[each.bill_id]
        items.append(
            {
                **shown_dispute(each),
                "session_id": charge.session_id,
                "facility": names_of(facilities.get(charge.facility_id)),
                "amount": charge.amount.as_json(),
                "plate": plates.get(charge.vehicle_id),
            }
        )
    return items


@blueprint.post("/disputes/<uuid:dispute_id>/resolution")
@access.allow(Role.OPERATOR, Role.FINANCE)
@act
@blueprint.input(ResolveIn)
@blueprint.output(DisputeOut)
@blueprint.doc(summary="Answer a dispute: the bill stands and is due later, or is cancelled")
def resolve(uow: UnitOfWork, dispute_id: UUID, json_data: ResolveIn) -> dict[str, Any]:
    """Resolve a dispute."""
    state = DisputeState(json_data.outcome)
    done = resolve_dispute(uow, access.known_actor(), dispute_id, state, json_data.answer)
    return shown_dispute(done.dispute)


@blueprint.post("/disputes/<uuid:dispute_id>/withdrawal")
@access.allow(Role.DRIVER)
@act
@blueprint.input(WithdrawIn)
@blueprint.output(DisputeOut)
@blueprint.doc(summary="Take one's own dispute back: the bill is open again")
def withdraw(uow: UnitOfWork, dispute_id: UUID, json_data: WithdrawIn) -> dict[str, Any]:
    """Withdraw a dispute."""
    done = withdraw_dispute(uow, access.known_actor(), dispute_id, json_data.words)
    return shown_dispute(done.dispute)
