"""A driver's own agreements that bills are deducted when the car has left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import url_for

from city.identifiers import VehicleId
from city.money import Money
from city.people import Role
from journeys import keep_agreements
from journeys.keep_agreements import Known, Wish
from payments.rules.agreements import (
    CURRENCY,
    MOST_DAILY_MINOR,
    MOST_SINGLE_MINOR,
    AgreementState,
)
from payments.rules.channels import Channel
from payments.rules.deductions import deducting
from web import access, limits
from web.acts import act
from web.api.plates import masked_plates
from web.api.schemas.agreements import (
    AgreementEndIn,
    AgreementOut,
    AgreementsOut,
    ConfirmationIn,
    ConsentIn,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from payments.rules.agreements import Agreement

blueprint = APIBlueprint(
    "my_agreements", __name__, url_prefix="/api/v1/me/agreements", tag="Payments"
)

ASKED_OF_ONE: Final = 20
"""Times in a quarter of an hour that a driver has channels asked: each may take ten seconds."""


@blueprint.get("")
@access.allow(Role.DRIVER)
@blueprint.output(AgreementsOut)
@blueprint.doc(summary="The caller's agreements, the newest first, and which channels deduct")
def agreements() -> dict[str, Any]:
    """List the caller's agreements."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = keep_agreements.own(connection, access.known_actor())
        items = _shown(connection, found)
    return {
        "items": items,
        "channels": [each.value for each in Channel if each in deducting(wiring.channels)],
        "most_single": Money(MOST_SINGLE_MINOR, CURRENCY).as_json(),
        "most_daily": Money(MOST_DAILY_MINOR, CURRENCY).as_json(),
    }


@blueprint.post("")
@access.allow(Role.DRIVER)
@act
@blueprint.input(ConsentIn)
@blueprint.output(AgreementOut, status_code=201)
@blueprint.doc(
    summary="Agree that bills of a car of one's own are deducted through a channel",
    description="Nothing is deducted before the driver has signed with the channel as well.",
)
def consent(uow: UnitOfWork, json_data: ConsentIn) -> dict[str, Any]:
    """Agree to deductions."""
    wish = Wish(
        VehicleId(json_data.vehicle_id),
        Channel(json_data.channel),
        Money(json_data.single.minor, json_data.single.currency),
        Money(json_data.daily.minor, json_data.daily.currency),
    )
    made = keep_agreements.consent(uow, access.wiring().channels, access.known_actor(), wish)
    return _one(uow.connection, made)


@blueprint.post("/<uuid:agreement_id>/confirmation")
@access.allow(Role.DRIVER)
@blueprint.input(ConfirmationIn)
@blueprint.output(AgreementOut)
@blueprint.doc(summary="Have the channel asked whether the caller signed with it, and keep that")
def confirm(agreement_id: UUID, json_data: ConfirmationIn) -> dict[str, Any]:
    """Ask the channel how an agreement stands."""
    wiring, caller = access.wiring(), access.known_actor()
    limits.count("agreements", caller.subject, ASKED_OF_ONE)
    after = keep_agreements.confirm(
        wiring.database, wiring.channels, caller, agreement_id, json_data.holder
    )
    with wiring.database.read() as connection:
        return _one(connection, after)


@blueprint.post("/<uuid:agreement_id>/end")
@access.allow(Role.DRIVER)
@act
@blueprint.input(AgreementEndIn)
@blueprint.output(AgreementOut)
@blueprint.doc(summary="End an agreement of one's own: nothing more is deducted by it")
def end(uow: UnitOfWork, agreement_id: UUID, json_data: AgreementEndIn) -> dict[str, Any]:
    """End an agreement."""
    del json_data
    return _one(uow.connection, keep_agreements.end(uow, access.known_actor(), agreement_id))


def _one(connection: Connection, agreement: Agreement) -> dict[str, Any]:
    return _shown(connection, [Known(agreement, None)])[0]


def _shown(connection: Connection, found: Sequence[Known]) -> list[dict[str, Any]]:
    wiring = access.wiring()
    plates = masked_plates(connection, [each.agreement.vehicle_id for each in found])
    back = f"{wiring.settings.page_origin}{url_for('pages.my_agreements')}"
    shown: list[dict[str, Any]] = []
    for each in found:
        agreement, last = each.agreement, each.last
        over = agreement.state is AgreementState.ENDED
        link = None if over else keep_agreements.signing_link(wiring.channels, agreement, back)
        shown.append(
            {
                "id": agreement.id,
                "vehicle_id": agreement.vehicle_id,
                "plate": plates.get(agreement.vehicle_id),
                "channel": agreement.channel.value,
                "state": agreement.state.value,
                "reason": agreement.reason,
                "single": agreement.single.as_json(),
                "daily": agreement.daily.as_json(),
                "consented_at": agreement.consented_at,
                "signed_at": agreement.signed_at,
                "ended_at": agreement.ended_at,
                "signing_link": link,
                "last": None
                if last is None
                else {
                    "amount": last.amount.as_json(),
                    "state": last.state.value,
                    "opened_at": last.opened_at,
                    "bill_id": last.bill_id,
                },
            }
        )
    return shown
