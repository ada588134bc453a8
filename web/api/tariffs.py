"""Tariffs: read, drafted, tried, simulated, approved by a second person, announced."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from apiflask import APIBlueprint

from city.errors import Invalid, NotFound
from city.identifiers import TariffVersionId
from city.people import Role
from city.vehicles import Energy, VehicleClass
from parking.rules.tariffs.cards import card_of, coupons_of, covers_of
from parking.rules.tariffs.demand import Occupancy
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.local_time import parse_local
from parking.rules.tariffs.model import Claims, Stay, VehicleTraits
from parking.rules.tariffs.plan import read_tariff
from parking.rules.tariffs.reading import document_json_schema
from parking.services import demand_prices
from parking.services import tariff_drafts as service
from parking.store import tariff_drafts as store
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.lines import bill_lines
from web.api.schemas.base import PageQuery
from web.api.schemas.tariffs import (
    DemandProposalIn,
    DemandProposalOut,
    TariffApprovalIn,
    TariffDraftIn,
    TariffEditIn,
    TariffLanguageOut,
    TariffNoticeIn,
    TariffOut,
    TariffPublicationIn,
    TariffSimulationIn,
    TariffSimulationOut,
    TariffsOut,
    TariffTrialIn,
    TariffTrialOut,
    TariffTrialStay,
    TariffVersionDetailOut,
    TariffVersionOut,
    TariffVersionsQuery,
    TariffWithdrawalIn,
    TariffWithVersionsOut,
)

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from parking.rules.tariffs.plan import Tariff

blueprint = APIBlueprint("tariffs", __name__, url_prefix="/api/v1", tag="Tariffs")

READERS = (Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
AUTHORS = (Role.OPERATOR, Role.FINANCE, Role.ADMINISTRATOR)
APPROVERS = (Role.FINANCE, Role.ADMINISTRATOR)
CODE = "/tariffs/<string:code>"
VERSION = "/tariff-versions/<uuid:version_id>"


def _tariff(found: store.KnownTariff) -> dict[str, Any]:
    return {
        "id": found.id,
        "code": found.code,
        "name": {"zh": found.name_zh, "en": found.name_en},
        "notice_s": found.notice_s,
    }


def _version(found: store.VersionRecord) -> dict[str, Any]:
    values = asdict(found)
    del values["tariff_id"]
    return values


def _require_reach(connection: Connection, code: str | None) -> None:
    """Pass where the caller may act in every district that the tariff is charged in."""
    if code is not None:
        for district in store.districts_of(connection, code):
            access.require_district(district)


def _reach(uow: UnitOfWork, version_id: UUID) -> TariffVersionId:
    """Give a version's id where the caller may act on its tariff."""
    found = TariffVersionId(version_id)
    _require_reach(uow.connection, store.code_of(uow.connection, found))
    return found


# --- reading -------------------------------------------------------------------------------------


@blueprint.get("/tariffs")
@access.allow(*READERS)
@blueprint.input(PageQuery, location="query")
@blueprint.output(TariffsOut)
@blueprint.doc(summary="Tariffs, the latest first")
def tariffs(query_data: PageQuery) -> dict[str, Any]:
    """List tariffs."""
    with access.wiring().database.read() as connection:
        page = store.tariffs(connection, after=after(query_data.cursor), limit=query_data.limit)
    return {"items": [_tariff(each) for each in page.items], "next": cursor(page.next)}


@blueprint.get(CODE)
@access.allow(*READERS)
@blueprint.input(TariffVersionsQuery, location="query")
@blueprint.output(TariffWithVersionsOut)
@blueprint.doc(summary="A tariff and its versions, the latest first")
def tariff(code: str, query_data: TariffVersionsQuery) -> dict[str, Any]:
    """Show a tariff."""
    with access.wiring().database.read() as connection:
        found = service.by_code(connection, code)
        page = store.versions(
            connection, found.id, after=after(query_data.cursor), limit=query_data.limit
        )
    return {
        "tariff": _tariff(found),
        "items": [_version(each) for each in page.items],
        "next": cursor(page.next),
    }


@blueprint.get(VERSION)
@access.allow(*READERS)
@blueprint.output(TariffVersionDetailOut)
@blueprint.doc(summary="A version with its document and its last simulation")
def version(version_id: UUID) -> dict[str, Any]:
    """Show a version."""
    known = TariffVersionId(version_id)
    with access.wiring().database.read() as connection:
        found = store.record_of(connection, known)
        document = store.document_of(connection, known)
        home = None if found is None else store.tariff_by_id(connection, found.tariff_id)
        simulated = store.latest_simulation(connection, known)
    if found is None or document is None or home is None:
        raise NotFound("There is no such tariff version.")
    return {
        "tariff": _tariff(home),
        "version": _version(found),
        "document": orjson.loads(document),
        "simulation": None if simulated is None else asdict(simulated),
    }


@blueprint.get("/tariff-simulations/<uuid:simulation_id>")
@access.allow(*READERS)
@blueprint.output(TariffSimulationOut)
@blueprint.doc(summary="A simulation of a draft: how far it is, and what it found")
def simulation(simulation_id: UUID) -> dict[str, Any]:
    """Show a simulation."""
    with access.wiring().database.read() as connection:
        found = store.simulation(connection, simulation_id)
    if found is None:
        raise NotFound("There is no such simulation.")
    return asdict(found)


@blueprint.get("/tariff-language")
@access.allow(*READERS)
@blueprint.output(TariffLanguageOut)
@blueprint.doc(summary="The JSON schema of the tariff language")
def language() -> dict[str, Any]:
    """Give what an editor checks a document against."""
    return {"json_schema": document_json_schema()}


# --- trying --------------------------------------------------------------------------------------


@blueprint.post("/tariff-trials")
@access.allow(*READERS)
@blueprint.input(TariffTrialIn)
@blueprint.output(TariffTrialOut)
@blueprint.doc(summary="Check a document and rate stays under it; nothing is kept")
def trial(json_data: TariffTrialIn) -> dict[str, Any]:
    """Say what is wrong with a document, or what stays would cost under it."""
    try:
        rated = read_tariff(json_data.document)
    except Invalid as error:
        return {"fault": _fault(error), "quotes": []}
    return {"fault": None, "quotes": [_tried(rated, stay) for stay in json_data.stays]}


def _tried(rated: Tariff, tried: TariffTrialStay) -> dict[str, Any]:
    try:
        stay = Stay(
            parse_local(tried.enter, rated.timezone, "enter"),
            parse_local(tried.leave, rated.timezone, "leave"),
        )
        traits = VehicleTraits(
            vehicle_class=VehicleClass(tried.vehicle),
            energy=None if tried.energy is None else Energy(tried.energy),
            plate_kind=tried.plate_kind,
            exemption=tried.exempt,
        )
        cards = [card_of(rated, name, traits) for name in tried.cards]
        claims = Claims(
            tuple(cover for card in cards for cover in covers_of(rated, card, stay)),
            coupons_of(rated, tried.coupons),
        )
        found = evaluate(rated, stay, traits, (), claims)
    except Invalid as error:
        return {"total": None, "lines": [], "fault": _fault(error)}
    return {
        "total": found.total.as_json(),
        "lines": bill_lines(found.lines_json(), found.total.currency),
        "fault": None,
    }


def _fault(error: Invalid) -> dict[str, str]:
    return {"field": error.field or "", "detail": error.message}


# --- from draft to street ------------------------------------------------------------------------


@blueprint.post(f"{CODE}/versions")
@access.allow(*AUTHORS)
@act
@blueprint.input(TariffDraftIn)
@blueprint.output(TariffVersionOut, status_code=201)
@blueprint.doc(summary="Draft a version; the tariff is made where its code is new")
def draft(uow: UnitOfWork, code: str, json_data: TariffDraftIn) -> dict[str, Any]:
    """Write a draft."""
    _require_reach(uow.connection, service.checked_code(code))
    caller = access.known_actor()
    return _version(service.draft(uow, caller, code, json_data.document, note=json_data.note))


@blueprint.put(VERSION)
@access.allow(*AUTHORS)
@act
@blueprint.input(TariffEditIn)
@blueprint.output(TariffVersionOut)
@blueprint.doc(summary="Replace a draft's document; 409 where somebody else edited it meanwhile")
def edit(uow: UnitOfWork, version_id: UUID, json_data: TariffEditIn) -> dict[str, Any]:
    """Edit a draft."""
    return _version(
        service.edit(
            uow,
            access.known_actor(),
            _reach(uow, version_id),
            json_data.document,
            revision=json_data.revision,
            note=json_data.note,
        )
    )


@blueprint.post(f"{VERSION}/simulations")
@access.allow(*AUTHORS)
@act
@blueprint.input(TariffSimulationIn)
@blueprint.output(TariffSimulationOut, status_code=202)
@blueprint.doc(summary="Simulate a draft on the stays of a stretch of time; a job runs it")
def simulate(uow: UnitOfWork, version_id: UUID, json_data: TariffSimulationIn) -> dict[str, Any]:
    """Ask for a simulation."""
    made = service.ask_simulation(
        uow,
        access.known_actor(),
        _reach(uow, version_id),
        json_data.from_at,
        json_data.to_at,
    )
    found = store.simulation(uow.connection, made)
    if found is None:
        raise NotFound("There is no such simulation.")
    return asdict(found)


@blueprint.post(f"{VERSION}/approval")
@access.allow(*APPROVERS)
@act
@blueprint.input(TariffApprovalIn)
@blueprint.output(TariffVersionOut)
@blueprint.doc(summary="Approve a simulated draft; never one's own")
def approve(uow: UnitOfWork, version_id: UUID, json_data: TariffApprovalIn) -> dict[str, Any]:
    """Approve a draft."""
    known = _reach(uow, version_id)
    found = service.approve(uow, access.known_actor(), known, revision=json_data.revision)
    return _version(found)


@blueprint.post(f"{VERSION}/publication")
@access.allow(*AUTHORS)
@act
@blueprint.input(TariffPublicationIn)
@blueprint.output(TariffVersionOut)
@blueprint.doc(summary="Announce an approved version, no later than its notice period before")
def publish(uow: UnitOfWork, version_id: UUID, json_data: TariffPublicationIn) -> dict[str, Any]:
    """Announce an approved version."""
    known = _reach(uow, version_id)
    valid_from = _begins(uow, known, json_data)
    return _version(service.publish(uow, access.known_actor(), known, valid_from=valid_from))


def _begins(uow: UnitOfWork, version_id: TariffVersionId, given: TariffPublicationIn) -> datetime:
    """Give the instant from which a version is to be in force."""
    if (given.valid_from is None) == (given.valid_on is None):
        raise Invalid("must be given, or valid_on, and not both", field="valid_from")
    if given.valid_from is not None:
        return given.valid_from
    document = store.document_of(uow.connection, version_id)
    if document is None:
        raise NotFound("There is no such tariff version.")
    zone = orjson.loads(document)["timezone"]
    return parse_local(f"{given.valid_on}T00:00", zone, "valid_on")


@blueprint.post(f"{VERSION}/withdrawal")
@access.allow(*AUTHORS)
@act
@blueprint.input(TariffWithdrawalIn)
@blueprint.output(TariffVersionOut)
@blueprint.doc(summary="Take back a version that is not in force yet")
def withdraw(uow: UnitOfWork, version_id: UUID, json_data: TariffWithdrawalIn) -> dict[str, Any]:
    """Take a version back."""
    known = _reach(uow, version_id)
    return _version(service.withdraw(uow, access.known_actor(), known, reason=json_data.reason))


@blueprint.put(f"{CODE}/notice")
@access.allow(Role.ADMINISTRATOR)
@act
@blueprint.input(TariffNoticeIn)
@blueprint.output(TariffOut)
@blueprint.doc(summary="Say how long before they take effect a tariff's changes are announced")
def notice(uow: UnitOfWork, code: str, json_data: TariffNoticeIn) -> dict[str, Any]:
    """Set the notice period."""
    return _tariff(service.set_notice(uow, access.known_actor(), code, json_data.notice_s))


def _occupancy(occupied_s: int | None, open_s: int | None) -> Occupancy | None:
    if (occupied_s is None) != (open_s is None):
        raise Invalid("goes with open_s: give both, or neither", field="occupied_s")
    return None if occupied_s is None or open_s is None else Occupancy(occupied_s, open_s)


@blueprint.post(f"{CODE}/demand-proposals")
@access.allow(*AUTHORS)
@act
@blueprint.input(DemandProposalIn)
@blueprint.output(DemandProposalOut)
@blueprint.doc(summary="Let a demand rule propose prices: a draft, to be approved like any other")
def propose(uow: UnitOfWork, code: str, json_data: DemandProposalIn) -> dict[str, Any]:
    """Draft what a demand rule proposes."""
    _require_reach(uow.connection, service.by_code(uow.connection, code).code)
    occupancies = {
        (each.schedule, each.band): _occupancy(each.occupied_s, each.open_s)
        for each in json_data.occupancies
    }
    caller = access.known_actor()
    proposed = demand_prices.propose_draft(uow, caller, code, json_data.rule, occupancies)
    return {
        "version": None if proposed.version is None else _version(proposed.version),
        "changes": [
            {
                "schedule": each.schedule,
                "band": each.band,
                "occupancy_per_mille": int(each.occupancy.share * 1000),
                "before": {"minor": each.before_minor, "currency": proposed.currency},
                "after": {"minor": each.after_minor, "currency": proposed.currency},
            }
            for each in proposed.changes
        ],
    }
