"""Disputes of bills: opened by drivers, answered by operators and the finance desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import BillId
from city.people import Role
from journeys.dispute_bill import dispute_bill, resolve_dispute, withdraw_dispute
from payments import disputes as service
from payments.rules.disputes import DisputeState, Ground
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.schemas.drivers import (
    DisputeIn,
    DisputesOut,
    DisputesQuery,
    ResolveIn,
    WithdrawIn,
)
from web.api.schemas.stays import DisputeOut
from web.api.shown import shown_dispute

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("disputes", __name__, url_prefix="/api/v1", tag="Stays")


@blueprint.post("/bills/<uuid:bill_id>/disputes")
@access.allow(Role.DRIVER)
@act
@blueprint.input(DisputeIn)
@blueprint.output(DisputeOut, status_code=201)
@blueprint.doc(summary="Dispute a bill of one's own: it is frozen, and its clock stands still")
def dispute(uow: UnitOfWork, bill_id: UUID, json_data: DisputeIn) -> dict[str, Any] | None:
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
    return {"items": [shown_dispute(each) for each in found], "next": cursor(following)}


@blueprint.post("/disputes/<uuid:dispute_id>/resolution")
@access.allow(Role.OPERATOR, Role.FINANCE)
@act
@blueprint.input(ResolveIn)
@blueprint.output(DisputeOut)
@blueprint.doc(summary="Answer a dispute: the bill stands and is due later, or is cancelled")
def resolve(uow: UnitOfWork, dispute_id: UUID, json_data: ResolveIn) -> dict[str, Any] | None:
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
def withdraw(uow: UnitOfWork, dispute_id: UUID, json_data: WithdrawIn) -> dict[str, Any] | None:
    """Withdraw a dispute."""
    done = withdraw_dispute(uow, access.known_actor(), dispute_id, json_data.words)
    return shown_dispute(done.dispute)
