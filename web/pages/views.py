"""The pages themselves: who may open them, and which shell they have."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import redirect, request, url_for

from web import access
from web.pages.blueprint import blueprint
from web.pages.context import (
    ABUSE_ROLES,
    AUDIT_ROLES,
    BLACKLIST_ROLES,
    CARD_DESK_ROLES,
    COMPENSATION_ROLES,
    DISPUTE_ROLES,
    DRIVER_ROLES,
    ESCORT_ROLES,
    FIGURE_ROLES,
    FINANCE_ROLES,
    FIND,
    GATE_ROLES,
    INSPECTION_ROLES,
    LEDGER_ROLES,
    MAINTENANCE_ROLES,
    OPERATIONS_ROLES,
    PERMIT_ROLES,
    PLACE_ROLES,
    POST_ROLES,
    SHIFT_ROLES,
    SIGNAL_ROLES,
    STAY_ROLES,
    SUPERVISION_ROLES,
    TARIFF_ROLES,
    TERMINAL_ROLES,
)
from web.pages.render import page

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as BaseResponse


@blueprint.get("/")
@access.public
def map_page() -> Response:
    """Show the live map and its list, or where to park: both are for everybody."""
    return page("find.html" if request.args.get("view") == FIND else "map.html")


@blueprint.get("/find")
@access.signed_in
def find() -> BaseResponse:
    """Lead to where to park, which is a view of the public page."""
    return redirect(url_for("pages.map_page", view=FIND))


@blueprint.get("/attendant")
@access.allow(*POST_ROLES)
def attendant() -> Response:
    """Show an attendant's post."""
    return page("attendant.html")


@blueprint.get("/inspector")
@access.allow(*INSPECTION_ROLES)
def inspector() -> Response:
    """Show an inspector what calls around, and let them look plates up and leave slips."""
    return page("inspector.html")


@blueprint.get("/bills/<uuid:bill_id>")
@access.signed_in
def bill(bill_id: UUID) -> Response:
    """Show one bill, explained; the API decides who may read which."""
    return page("bill.html", subject=str(bill_id))


@blueprint.get("/stays")
@access.allow(*STAY_ROLES)
def stays() -> Response:
    """Show stays with their evidence, to be checked and corrected."""
    return page("stays.html", subject=_asked_stay())


@blueprint.get("/disputes")
@access.allow(*DISPUTE_ROLES)
def disputes() -> Response:
    """Show what drivers say is wrong with their bills, to be answered."""
    return page("disputes.html")


@blueprint.get("/gates")
@access.allow(*GATE_ROLES)
def gate_desk() -> Response:
    """Show all lanes, who stands before each, and what needs an eye."""
    return page("gates.html")


@blueprint.get("/reads")
@access.allow(*GATE_ROLES)
def reads() -> Response:
    """Show what cameras read, what waits for a person, and how cameras do."""
    return page("reads.html")


@blueprint.get("/terminals")
@access.allow(*TERMINAL_ROLES)
def terminals() -> Response:
    """Show attendants' terminals: how they do, what needs an eye, codes, locks."""
    return page("terminals.html")


@blueprint.get("/shifts")
@access.allow(*SHIFT_ROLES)
def shifts() -> Response:
    """Show attendants' shifts, what they counted, and cash on its way."""
    return page("shifts.html")


@blueprint.get("/supervision")
@access.allow(*SUPERVISION_ROLES)
def supervision() -> Response:
    """Show the street now: people, tasks, cash, terminals, and who differs from peers."""
    return page("supervision.html")


@blueprint.get("/operations")
@access.allow(*OPERATIONS_ROLES)
def operations() -> Response:
    """Show devices and how they do."""
    return page("operations.html")


@blueprint.get("/places")
@access.allow(*PLACE_ROLES)
def places() -> Response:
    """Show operators, facilities, zones and bays beside their map."""
    return page("places.html")


@blueprint.get("/tariffs")
@access.allow(*TARIFF_ROLES)
def tariffs() -> Response:
    """Show tariffs from draft to street."""
    return page("tariffs.html")


@blueprint.get("/figures")
@access.allow(*FIGURE_ROLES)
def figures() -> Response:
    """Show turnover, occupancy, dwell and money, down to a bay's day."""
    return page("figures.html")


@blueprint.get("/finance")
@access.allow(*FINANCE_ROLES)
def finance() -> Response:
    """Show what came in today."""
    return page("finance.html", subject="takings")


@blueprint.get("/finance/reconciliation")
@access.allow(*FINANCE_ROLES)
def finance_reconciliation() -> Response:
    """Show channels' bills held against ours, and what differs."""
    return page("finance.html", subject="reconciliation")


@blueprint.get("/finance/refunds")
@access.allow(*FINANCE_ROLES)
def finance_refunds() -> Response:
    """Show what went back to payers."""
    return page("finance.html", subject="refunds")


@blueprint.get("/finance/invoices")
@access.allow(*FINANCE_ROLES)
def finance_invoices() -> Response:
    """Show the invoices and receipts that were asked for."""
    return page("finance.html", subject="invoices")


@blueprint.get("/finance/arrears")
@access.allow(*FINANCE_ROLES)
def finance_arrears() -> Response:
    """Show unpaid bills and what was done about each."""
    return page("finance.html", subject="arrears")


@blueprint.get("/finance/ledger")
@access.allow(*LEDGER_ROLES)
def finance_ledger() -> Response:
    """Show accounts, the postings behind their balances, and whole entries."""
    return page("finance.html", subject="ledger")


@blueprint.get("/finance/terms")
@access.allow(*FINANCE_ROLES)
def finance_terms() -> Response:
    """Show contracts about shares of fees, and what regions rule about bills and exits."""
    return page("finance.html", subject="terms")


@blueprint.get("/mine/cards")
@access.allow(*DRIVER_ROLES)
def my_cards() -> Response:
    """Show a driver's own parking cards."""
    return page("cards.html", subject="mine")


@blueprint.get("/mine/agreements")
@access.allow(*DRIVER_ROLES)
def my_agreements() -> Response:
    """Show what a driver agreed to be deducted when their car has left."""
    return page("agreements.html")


@blueprint.get("/cards")
@access.allow(*CARD_DESK_ROLES)
def cards() -> Response:
    """Show the desk of parking cards."""
    return page("cards.html", subject="desk")


@blueprint.get("/signals")
@access.allow(*SIGNAL_ROLES)
def signals() -> Response:
    """Show junctions, green waves, and plans from draft to street."""
    return page("signals.html")


@blueprint.get("/signals/plans/<uuid:version_id>")
@access.allow(*SIGNAL_ROLES)
def signal_plan(version_id: UUID) -> Response:
    """Show one plan in the workbench: the address that stays."""
    return page("signals.html", subject=str(version_id))


@blueprint.get("/signals/schedules")
@access.allow(*SIGNAL_ROLES)
def signal_schedules() -> Response:
    """Show counts, and which plan runs on which day at which time."""
    return page("schedules.html")


@blueprint.get("/signals/lanes")
@access.allow(*SIGNAL_ROLES)
def signal_lanes() -> Response:
    """Show what other functions of a junction's lanes would do, and what no signal would."""
    return page("lane_studies.html")


@blueprint.get("/signals/lanes/<uuid:study_id>")
@access.allow(*SIGNAL_ROLES)
def signal_study(study_id: UUID) -> Response:
    """Show one study: the address that stays."""
    return page("lane_studies.html", subject=str(study_id))


@blueprint.get("/signals/duty")
@access.allow(*SIGNAL_ROLES)
def signal_duty() -> Response:
    """Show what is wrong with the signals, and what was done about it."""
    return page("duty.html")


@blueprint.get("/signals/travel")
@access.allow(*SIGNAL_ROLES)
def signal_travel() -> Response:
    """Show how long the way takes from signal to signal, and where vehicles go."""
    return page("travel.html")


@blueprint.get("/signals/duty/<uuid:network_id>/<string:name>")
@access.allow(*SIGNAL_ROLES)
def signal_junction(network_id: UUID, name: str) -> Response:
    """Show one junction: alarms, pictures from its events, detectors, what was sent to it."""
    return page("junction.html", subject=f"{network_id}/{name}")


@blueprint.get("/signals/escorts")
@access.allow(*ESCORT_ROLES)
def signal_escorts() -> Response:
    """Show escort routes to those who are cleared for them."""
    return page("escorts.html")


@blueprint.get("/signals/maintenance")
@access.allow(*MAINTENANCE_ROLES)
def signal_maintenance() -> Response:
    """Show the work that keeps signals alive."""
    return page("maintenance.html")


@blueprint.get("/signals/maintenance/<uuid:network_id>/<string:name>")
@access.allow(*MAINTENANCE_ROLES)
def junction_file(network_id: UUID, name: str) -> Response:
    """Show what is kept of a junction: work, papers, faults, plans, how it was on line."""
    return page("junction_file.html", subject=f"{network_id}/{name}")


@blueprint.get("/permits")
@access.allow(*PERMIT_ROLES)
def permits() -> Response:
    """Show who may park where without the tariff."""
    return page("permits.html")


@blueprint.get("/reservations")
@access.allow(*PERMIT_ROLES)
def reservations() -> Response:
    """Show who holds bays, and when."""
    return page("rights.html", subject="reservations")


@blueprint.get("/benefits")
@access.allow(*PERMIT_ROLES)
def benefits() -> Response:
    """Show what regions grant to kinds of plates."""
    return page("rights.html", subject="benefits")


@blueprint.get("/blacklist")
@access.allow(*BLACKLIST_ROLES)
def blacklist() -> Response:
    """Show who is listed, and what regions make of it."""
    return page("rights.html", subject="blacklist")


@blueprint.get("/compensation")
@access.allow(*COMPENSATION_ROLES)
def compensation() -> Response:
    """Show what suspensions took from month cards, and give it back."""
    return page("rights.html", subject="compensation")


@blueprint.get("/abuse")
@access.allow(*ABUSE_ROLES)
def abuse() -> Response:
    """Show signs that exempt plates are abused."""
    return page("rights.html", subject="abuse")


@blueprint.get("/audit")
@access.allow(*AUDIT_ROLES)
def audit() -> Response:
    """Show the record of acts."""
    return page("audit.html")


def _asked_stay() -> str | None:
    """Return the stay to be opened at once; None where none is named rightly."""
    try:
        return str(UUID(request.args.get("stay", "")))
    except ValueError:
        return None
