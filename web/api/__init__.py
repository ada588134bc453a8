"""The HTTP interface: routes parse, call one use case, render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parking.finding import Finder
from parking.known_chances import KnownChances
from parking.known_prices import KnownPrices
from parking.known_streets import KnownStreets
from web import access, acts
from web.api import (
    act_photos,
    advances,
    arrears,
    blacklists,
    cards,
    cash_files,
    channel_notices,
    channel_refunds,
    clock,
    code_payments,
    desk_files,
    devices,
    disputes,
    evidence,
    exemptions,
    fees_by_start,
    figures,
    finance,
    finance_files,
    forecasts,
    gates,
    honesty,
    invoices,
    junction_files,
    lanes,
    ledger,
    mine,
    my_agreements,
    my_cards,
    my_rights,
    my_top_ups,
    near,
    papers,
    patrol,
    paying,
    paying_together,
    people,
    permits,
    place_acts,
    place_keeping,
    places,
    pos_terminals,
    readers,
    reads,
    registry,
    reservations,
    rights,
    shifts,
    signal_alarms,
    signal_cabinets,
    signal_detections,
    signal_drives,
    signal_effects,
    signal_escorts,
    signal_lights,
    signal_overrides,
    signal_plans,
    signal_priority,
    signal_radio,
    signal_schedules,
    signal_studies,
    signal_travel,
    signal_work,
    signals,
    siting,
    stays,
    supervision,
    takings,
    tariffs,
    term_drafts,
    terminal_acts,
    terminals,
    terms,
    uplinks,
)
from web.api.description import complete
from web.fresh import Answers

if TYPE_CHECKING:
    from apiflask import APIFlask

BLUEPRINTS = (
    places.blueprint,
    near.blueprint,
    place_keeping.blueprint,
    place_acts.blueprint,
    siting.blueprint,
    registry.blueprint,
    stays.blueprint,
    advances.blueprint,
    arrears.blueprint,
    ledger.blueprint,
    paying.blueprint,
    paying_together.blueprint,
    channel_refunds.blueprint,
    cards.blueprint,
    code_payments.blueprint,
    shifts.blueprint,
    patrol.blueprint,
    honesty.blueprint,
    supervision.blueprint,
    my_agreements.blueprint,
    my_cards.blueprint,
    my_top_ups.blueprint,
    finance.blueprint,
    finance_files.blueprint,
    desk_files.blueprint,
    cash_files.blueprint,
    papers.blueprint,
    takings.blueprint,
    invoices.blueprint,
    channel_notices.blueprint,
    tariffs.blueprint,
    permits.blueprint,
    reservations.blueprint,
    rights.blueprint,
    blacklists.blueprint,
    figures.blueprint,
    evidence.blueprint,
    exemptions.blueprint,
    fees_by_start.blueprint,
    disputes.blueprint,
    gates.blueprint,
    readers.blueprint,
    lanes.blueprint,
    reads.blueprint,
    terminals.blueprint,
    pos_terminals.blueprint,
    term_drafts.blueprint,
    terms.blueprint,
    terminal_acts.blueprint,
    act_photos.blueprint,
    mine.blueprint,
    my_rights.blueprint,
    devices.blueprint,
    uplinks.blueprint,
    people.blueprint,
    clock.blueprint,
    forecasts.blueprint,
    signals.blueprint,
    signal_plans.blueprint,
    signal_priority.blueprint,
    signal_alarms.blueprint,
    signal_cabinets.blueprint,
    signal_detections.blueprint,
    signal_lights.blueprint,
    signal_overrides.blueprint,
    signal_drives.blueprint,
    signal_effects.blueprint,
    signal_escorts.blueprint,
    signal_work.blueprint,
    junction_files.blueprint,
    signal_radio.blueprint,
    signal_schedules.blueprint,
    signal_travel.blueprint,
    signal_studies.blueprint,
)


def register(app: APIFlask) -> None:
    """Add the API to an application."""
    wiring = access.wiring_of(app)
    app.extensions["answers"] = Answers(wiring.live_store, wiring.places)
    streets = KnownStreets(wiring.settings.streets_path)
    app.extensions["streets"] = streets
    app.extensions["finder"] = Finder(
        live_store=wiring.live_store,
        places=wiring.places,
        prices=KnownPrices(wiring.database, wiring.places),
        chances=KnownChances(wiring.database),
        streets=streets,
        clock=wiring.clock,
    )
    app.before_request(acts.check_key)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)

    @app.spec_processor
    def _complete(spec: dict[str, Any] | str) -> dict[str, Any] | str:
        # A text only where YAML is asked for, which we never do.
        return spec if isinstance(spec, str) else complete(spec, app)
