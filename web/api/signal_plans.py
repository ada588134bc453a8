"""Signal plans: drafted, checked, approved, deployed, kept or reverted, and made as a job."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import AccountId, parse_id
from city.people import Role
from city.people.store import account_names
from signals.services import networks, optimisations
from signals.services import plan_versions as service
from signals.store import drives
from signals.store import plan_versions as store
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.signals import (
    SignalDecisionIn,
    SignalOptimisationIn,
    SignalOptimisationOut,
    SignalPlanDetailOut,
    SignalPlanEditIn,
    SignalPlanIn,
    SignalPlanOut,
    SignalPlanRevisionIn,
    SignalPlansOut,
    SignalPlansQuery,
    SignalWithdrawalIn,
)
from web.api.signal_views import optimisation_json
from web.api.signals import AUTHORS, READERS
from web.refusals import as_asked

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from signals.store.drives import Drive

blueprint = APIBlueprint("signal_plans", __name__, url_prefix="/api/v1", tag="Signals")

APPROVERS: Final = (Role.ENGINEER, Role.ADMINISTRATOR)
"""Never the one who drew it: services and database see to that."""
PLAN: Final = "/signal-plans/<uuid:version_id>"
OPTIMISATION: Final = "/signal-optimisations/<uuid:optimisation_id>"


def plan_out(found: store.VersionRecord) -> dict[str, Any]:
    """Give a version's document."""
    values = asdict(found)
    del values["deployable"]
    return values


def _listed(found: store.VersionRecord) -> dict[str, Any]:
    values = plan_out(found)
    if found.measured is not None:
        # A list need not carry every junction's figures.
        told = {name: value for name, value in found.measured.items() if name != "effect"}
        values["measured"] = told
    return values


@blueprint.get("/signal-plans")
@access.allow(*READERS)
@blueprint.input(SignalPlansQuery, location="query")
@blueprint.output(SignalPlansOut)
@blueprint.doc(summary="A network's plans, the latest first")
def signal_plans(query_data: SignalPlansQuery) -> dict[str, Any]:
    """List versions."""
    with access.wiring().database.read() as connection:
        networks.network(connection, query_data.network_id)
        found = store.versions(
            connection,
            query_data.network_id,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return page(found, query_data.limit, _listed)


@blueprint.post("/signal-plans")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPlanIn)
@blueprint.output(SignalPlanOut, status_code=201)
@blueprint.doc(summary="Draft plans: given ones, or those that some signals run now")
def draft_signal_plan(uow: UnitOfWork, json_data: SignalPlanIn) -> dict[str, Any]:
    """Write a draft."""
    return plan_out(
        service.draft(
            uow,
            access.known_actor(),
            json_data.network_id,
            title=json_data.title,
            document=json_data.document,
            signals=json_data.signals,
            profile=json_data.profile,
            note=json_data.note,
        )
    )


@blueprint.get(PLAN)
@access.allow(*READERS)
@blueprint.output(SignalPlanDetailOut)
@blueprint.doc(summary="A version: its plans, the checker's report, how it differs from before")
def signal_plan(version_id: UUID) -> dict[str, Any]:
    """Show a version."""
    with access.wiring().database.read() as connection:
        found = service.find(connection, version_id)
        document = store.document_of(connection, version_id)
        report = store.report_of(connection, version_id)
        differences = service.compared(connection, found)
        names = _names(connection, found)
        driven = drives.latest(connection, version_id, revision=found.revision)
    return {
        "plan": plan_out(found),
        "document": document,
        "report": report,
        "differences": [each.as_json() for each in differences],
        "names": names,
        "drive": None if driven is None else drive_out(driven),
    }


def drive_out(found: Drive) -> dict[str, Any]:
    """Give a drive's document."""
    values = asdict(found)
    for hidden in ("network_id", "demand_id", "requested_by", "cancel_asked_by"):
        del values[hidden]
    if found.problem is not None:
        values["problem"] = as_asked(found.problem)
    return {**values, "total": 2 * len(found.seeds)}


def _names(connection: Connection, found: store.VersionRecord) -> dict[str, str]:
    """Give what pages call those who acted on a version."""
    subjects = {
        found.drafted_by,
        found.edited_by,
        found.checked_by,
        found.approved_by,
        found.deployed_by,
        found.measured_by,
        found.decided_by,
    }
    known: dict[AccountId, str] = {}
    for subject in subjects - {None}:
        try:
            known[AccountId(parse_id(str(subject), "subject"))] = str(subject)
        except Invalid:
            continue  # a part of the system, which has no account
    return {known[account]: name for account, name in account_names(connection, known).items()}


@blueprint.put(PLAN)
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPlanEditIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Edit a draft; 409 where somebody else edited it meanwhile")
def edit_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalPlanEditIn
) -> dict[str, Any]:
    """Edit a draft."""
    return plan_out(
        service.edit(
            uow,
            access.known_actor(),
            version_id,
            json_data.document,
            revision=json_data.revision,
            title=json_data.title,
            note=json_data.note,
            profile=json_data.profile,
        )
    )


@blueprint.post(f"{PLAN}/check")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPlanRevisionIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Let the safety checker judge a draft, and the model foretell it")
def check_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalPlanRevisionIn
) -> dict[str, Any]:
    """Check a draft."""
    return plan_out(
        service.check(uow, access.known_actor(), version_id, revision=json_data.revision)
    )


@blueprint.post(f"{PLAN}/approval")
@access.allow(*APPROVERS)
@act
@blueprint.input(SignalPlanRevisionIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Approve a checked plan; never one's own")
def approve_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalPlanRevisionIn
) -> dict[str, Any]:
    """Approve a plan."""
    return plan_out(
        service.approve(uow, access.known_actor(), version_id, revision=json_data.revision)
    )


@blueprint.post(f"{PLAN}/deployment")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPlanRevisionIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Give an approved plan to the controllers, checked once more")
def deploy_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalPlanRevisionIn
) -> dict[str, Any]:
    """Deploy a plan."""
    return plan_out(
        service.deploy(uow, access.known_actor(), version_id, revision=json_data.revision)
    )


@blueprint.post(f"{PLAN}/decision")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalDecisionIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Keep a deployed plan, or give the controllers again what ran before")
def decide_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalDecisionIn
) -> dict[str, Any]:
    """Keep or revert."""
    decide = service.keep if json_data.decision == "keep" else service.revert
    return plan_out(decide(uow, access.known_actor(), version_id, reason=json_data.reason))


@blueprint.post(f"{PLAN}/withdrawal")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalWithdrawalIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Take back a plan that was never deployed")
def withdraw_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalWithdrawalIn
) -> dict[str, Any]:
    """Take a plan back."""
    return plan_out(
        service.withdraw(uow, access.known_actor(), version_id, reason=json_data.reason)
    )


@blueprint.post("/signal-optimisations")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalOptimisationIn)
@blueprint.output(SignalOptimisationOut, status_code=202)
@blueprint.doc(summary="Make plans for the demand recorded last; a job runs it and drafts them")
def optimise_signals(uow: UnitOfWork, json_data: SignalOptimisationIn) -> dict[str, Any]:
    """Ask for an optimisation."""
    return optimisation_json(
        optimisations.ask(
            uow,
            access.known_actor(),
            json_data.network_id,
            json_data.signals,
            json_data.profile,
        )
    )


@blueprint.get(OPTIMISATION)
@access.allow(*READERS)
@blueprint.output(SignalOptimisationOut)
@blueprint.doc(summary="An optimisation: how far it is, and the draft that it made")
def signal_optimisation(optimisation_id: UUID) -> dict[str, Any]:
    """Show an optimisation."""
    with access.wiring().database.read() as connection:
        return optimisation_json(optimisations.find(connection, optimisation_id))


@blueprint.post(f"{OPTIMISATION}/cancellation")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalOptimisationOut)
@blueprint.doc(summary="Cancel an optimisation that has not ended")
def cancel_optimisation(uow: UnitOfWork, optimisation_id: UUID) -> dict[str, Any]:
    """Cancel an optimisation."""
    return optimisation_json(optimisations.cancel(uow, access.known_actor(), optimisation_id))
