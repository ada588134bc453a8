"""The finance desk over HTTP: channels' bills held against ours, and what differs."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Invalid
from city.people import Role
from journeys import keep_reconciliation as desk
from journeys.fetch_bills import fetch_bill
from journeys.reconcile_stays import reconcile_stays as hold_stays
from payments import reconciling as service
from payments.rules.channels import Channel
from payments.rules.reconciling import CaseState, Resolution
from web import access
from web.acts import act
from web.api import csv_files
from web.api.csv_files import local
from web.api.cursors import after, cursor
from web.api.names import names_of
from web.api.schemas.arrears import DecisionIn
from web.api.schemas.base import PageQuery
from web.api.schemas.finance import (
    DifferenceOut,
    DifferencesOut,
    DifferencesQuery,
    FetchIn,
    ProposalIn,
    ReconcileIn,
    RunOut,
    RunsOut,
    StaysDayIn,
)
from web.reasons import reason_as_asked
from web.refusals import as_asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from uuid import UUID

    from flask import Response

    from city.works.database import UnitOfWork
    from payments.rules.reconciling import KeptDifference
    from payments.store.reconciliations import Run

blueprint = APIBlueprint("finance", __name__, url_prefix="/api/v1", tag="Payments")
READERS = (Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
COLUMNS: Final = (
    "day",
    "channel",
    "class",
    "order_no",
    "refund_no",
    "effect_minor",
    "currency",
    "proposal",
    "certain",
    "state",
    "resolution",
    "note",
    "found_at",
    "proposed_by",
    "approved_by",
    "resolved_at",
    "resolved_by",
    "entry_id",
)


@blueprint.get("/reconciliations")
@access.allow(*READERS)
@blueprint.input(PageQuery, location="query")
@blueprint.output(RunsOut)
@blueprint.doc(summary="Days held against channels' bills, the latest first")
def runs(query_data: PageQuery) -> dict[str, Any]:
    """List runs."""
    with access.wiring().database.read() as connection:
        found, last = service.runs(connection, after(query_data.cursor), query_data.limit)
        names = names_of(connection, (each.run_by for each in found))
    return {"items": [shown_run(each) for each in found], "next": cursor(last), "names": names}


@blueprint.post("/reconciliations")
@access.allow(Role.FINANCE)
@act
@blueprint.input(ReconcileIn)
@blueprint.output(RunOut, status_code=201)
@blueprint.doc(summary="Hold a channel's bill against our record, and keep what differs")
def reconcile(uow: UnitOfWork, json_data: ReconcileIn) -> dict[str, Any]:
    """Reconcile a day."""
    try:
        content = base64.b64decode(json_data.bill, validate=True)
    except ValueError:  # also where it is not ASCII
        raise Invalid("is not base64", field="bill") from None
    channel = Channel(json_data.channel)
    return shown_run(
        desk.reconcile_channel(uow, access.known_actor(), channel, content, json_data.day)
    )


@blueprint.post("/reconciliations/fetches")
@access.allow(Role.FINANCE)
@blueprint.input(FetchIn)
@blueprint.output(RunOut, status_code=201)
@blueprint.doc(
    summary="Fetch a day's bill from its channel, hold it against our record, keep what differs",
    description="Sent again it is held against our record again: what people said stays.",
)
def fetch(json_data: FetchIn) -> dict[str, Any]:
    """Fetch a bill and reconcile its day."""
    wiring = access.wiring()
    channel = Channel(json_data.channel)
    return shown_run(
        fetch_bill(wiring.database, wiring.channels, access.known_actor(), channel, json_data.day)
    )


@blueprint.post("/reconciliations/stays")
@access.allow(Role.FINANCE)
@act
@blueprint.input(StaysDayIn)
@blueprint.output(RunOut, status_code=201)
@blueprint.doc(
    summary="Hold a day's stays against their sensors, bills and payments, keep what differs",
)
def reconcile_stays(uow: UnitOfWork, json_data: StaysDayIn) -> dict[str, Any]:
    """Hold a day's stays together."""
    return shown_run(hold_stays(uow, access.known_actor(), json_data.day))


@blueprint.get("/differences")
@access.allow(*READERS)
@blueprint.input(DifferencesQuery, location="query")
@blueprint.output(DifferencesOut)
@blueprint.doc(summary="Differences between channels' bills and ours, the newest first")
def differences(query_data: DifferencesQuery) -> dict[str, Any]:
    """List differences."""
    with access.wiring().database.read() as connection:
        found, following = service.differences(
            connection,
            CaseState(query_data.state) if query_data.state else None,
            query_data.channel,
            query_data.day,
            after(query_data.cursor),
            query_data.limit,
        )
        names = names_of(connection, _people(found))
    return {
        "items": [_difference(each) for each in found],
        "next": cursor(following),
        "names": names,
    }


@blueprint.get("/differences/export")
@access.allow(*READERS)
@blueprint.input(DifferencesQuery, location="query")
@blueprint.doc(
    summary="Differences as CSV, the newest first",
    responses=csv_files.documented("difference"),
)
def export(query_data: DifferencesQuery) -> Response:
    """Write differences as CSV."""
    state = CaseState(query_data.state) if query_data.state else None
    return csv_files.list_file(
        "differences.csv",
        COLUMNS,
        lambda connection, last, limit: service.differences(
            connection, state, query_data.channel, query_data.day, last, limit
        ),
        lambda each: (each.proposed_by, each.approved_by, each.resolved_by),
        lambda each, called: (
            each.day.isoformat(),
            each.channel,
            each.kind,
            each.order_no,
            each.refund_no,
            each.effect.minor,
            each.effect.currency,
            each.proposal,
            each.certain,
            each.state.value,
            each.resolution.value if each.resolution else "",
            reason_as_asked(each.note),
            local(each.found_at),
            called(each.proposed_by),
            called(each.approved_by),
            local(each.resolved_at),
            called(each.resolved_by),
            str(each.entry_id or ""),
        ),
    )


@blueprint.post("/differences/<uuid:difference_id>/proposal")
@access.allow(Role.FINANCE)
@act
@blueprint.input(ProposalIn)
@blueprint.output(DifferenceOut)
@blueprint.doc(summary="Propose how a difference ends, and why")
def propose(uow: UnitOfWork, difference_id: UUID, json_data: ProposalIn) -> dict[str, Any]:
    """Propose a resolution."""
    return _difference(
        desk.propose_resolution(
            uow,
            access.known_actor(),
            difference_id,
            Resolution(json_data.resolution),
            json_data.note,
        )
    )


@blueprint.post("/differences/<uuid:difference_id>/decision")
@access.allow(Role.FINANCE, Role.ADMINISTRATOR)
@act
@blueprint.input(DecisionIn)
@blueprint.output(DifferenceOut)
@blueprint.doc(summary="Approve a proposal as a second person, or send it back")
def decide(uow: UnitOfWork, difference_id: UUID, json_data: DecisionIn) -> dict[str, Any]:
    """Decide a proposal."""
    caller = access.known_actor()
    return _difference(
        desk.decide_resolution(uow, caller, difference_id, approve=json_data.approve)
    )


@blueprint.post("/differences/<uuid:difference_id>/resolution")
@access.allow(Role.FINANCE)
@act
@blueprint.output(DifferenceOut)
@blueprint.doc(summary="Do what was approved: post it, or note that it is done")
def resolve(uow: UnitOfWork, difference_id: UUID) -> dict[str, Any]:
    """Resolve a difference."""
    return _difference(desk.resolve_difference(uow, access.known_actor(), difference_id))


def shown_run(run: Run) -> dict[str, Any]:
    """Return a run."""
    return {
        "id": run.id,
        "channel": run.channel,
        "day": run.day,
        "run_at": run.run_at,
        "run_by": run.run_by,
        "sha256": run.sha256,
        "summary": _told(run.summary),
    }


def _told(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Say in the caller's language why rows were not read: 'column: reason', as they were kept."""
    told = dict(summary)
    if "quarantined_rows" in told:
        told["quarantined_rows"] = [
            {**each, "reason": "".join((*split[:2], as_asked(split[2])))}
            for each in told["quarantined_rows"]
            for split in [str(each["reason"]).rpartition(": ")]
        ]
    return told


def _people(found: Iterable[KeptDifference]) -> Iterator[str | None]:
    for each in found:
        yield from (each.proposed_by, each.approved_by, each.resolved_by)


def _difference(case: KeptDifference) -> dict[str, Any]:
    return {
        "id": case.id,
        "channel": case.channel,
        "day": case.day,
        "kind": case.kind,
        "order_no": case.order_no,
        "refund_no": case.refund_no,
        "proposal": case.proposal,
        "certain": case.certain,
        "effect": case.effect.as_json(),
        "detail": dict(case.detail),
        "state": case.state.value,
        "found_at": case.found_at,
        "resolution": case.resolution.value if case.resolution else None,
        "note": reason_as_asked(case.note),
        "proposed_at": case.proposed_at,
        "proposed_by": case.proposed_by,
        "approved_at": case.approved_at,
        "approved_by": case.approved_by,
        "resolved_at": case.resolved_at,
        "resolved_by": case.resolved_by,
        "entry_id": case.entry_id,
    }
