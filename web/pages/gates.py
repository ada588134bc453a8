"""A gate's own page, which its QR code opens, and the ticket of a vehicle without a plate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from city.errors import NotFound
from city.identifiers import FacilityId, VehicleId
from journeys.drive_stay import account_of
from parking.services import places, tickets
from parking.services.signs import operator_of, prices
from web import access, qr
from web.pages.blueprint import blueprint
from web.pages.context import DRIVER_ROLES
from web.pages.render import page
from web.pages.signs import KERB, local_time, name_of, prices_shown

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Response


@blueprint.get("/facilities/<uuid:facility_id>/gate")
@access.allow(*DRIVER_ROLES)
def gate(facility_id: UUID) -> Response:
    """Show whose gate this is and what it costs now; take a ticket where a car has no plate."""
    wiring = access.wiring()
    now = wiring.clock.now()
    with wiring.database.read() as connection:
        home = places.facility(connection, FacilityId(facility_id))
        if home.kind == KERB:
            raise NotFound("A kerb has no gate.")
        operator = operator_of(connection, home)
        costs = prices(connection, home, now)
    return page(
        "gate.html",
        subject=str(facility_id),
        facility=home,
        place=name_of(home),
        operator=operator,
        operator_name=name_of(operator) if operator else None,
        prices=prices_shown(costs, home),
        since=local_time(now, home),
        origin=wiring.settings.page_origin,
    )


@blueprint.get("/mine/tickets/<uuid:vehicle_id>")
@access.allow(*DRIVER_ROLES)
def ticket(vehicle_id: UUID) -> Response:
    """Show the driver who took a ticket its code, for the gate to read."""
    account_id = account_of(access.known_actor())
    with access.wiring().database.unit_of_work() as uow:
        taken, code = tickets.of_account(uow, account_id, VehicleId(vehicle_id))
        home = places.facility(uow.connection, taken.facility_id)
    response = page(
        "ticket.html",
        facility=home,
        place=name_of(home),
        # Two groups are read out more easily than ten letters; gates leave out what is between.
        code=f"{code[:5]}-{code[5:]}",
        drawn=Markup(qr.svg(code, code)),  # noqa: S704 - drawn here from our own letters
        made=home.local(taken.made_at).strftime("%Y-%m-%d %H:%M"),
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response
