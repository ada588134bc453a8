"""The finance desk over HTTP: today's takings, reconciliations and their differences."""

from __future__ import annotations

import base64
import csv
import io
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from city.errors import Invalid
from city.identifiers import AccountId
from city.people import Role
from city.people.store import account_names
from journeys import keep_reconciliation as desk
from payments import reconciling as service
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channels import Channel
from payments.rules.reconciling import CaseState, Resolution
from payments.store.desk_takings import takings as takings_between
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.schemas.arrears import DecisionIn
from web.api.schemas.finance import (
    DifferenceOut,
    DifferencesOut,
    DifferencesQuery,
    ProposalIn,
    ReconcileIn,
    RunOut,
    RunsOut,
    TakingsOut,
    TakingsQuery,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from city.works.database import UnitOfWork
    from payments.rules.reconciling import KeptDifference
    from payments.store.reconciliations import Run

blueprint = APIBlueprint("finance", __name__, url_prefix="/api/v1", tag="Payments")
READERS = (Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
EXPORTED: Final = 500
CSV: Final[Any] = {
    200: {
        "description": "UTF-8, a line a difference",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}
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
    "entry_id",
)


@blueprint.get("/takings")
@access.allow(*READERS)
@blueprint.input(TakingsQuery, location="query")
@blueprint.output(TakingsOut)
@blueprint.doc(summary="What came in on a day, by channel, operator and who took it")
def takings(query_data: TakingsQuery) -> dict[str, Any]:
    """Show a day's takings."""
    wiring = access.wiring()
    day = query_data.day or wiring.clock.now().astimezone(CHINA).date()
    from_at = datetime.combine(day, time(), CHINA).astimezone(UTC)
    before_at = from_at + timedelta(days=1)
    with wiring.database.read() as connection:
        found = takings_between(connection, from_at, before_at, access.known_actor().districts)
        people = account_names(connection, _accounts(each.taken_by for each in found))
    names = {str(account_id): name for account_id, name in people.items()}
    return {
        "day": day,
        "from_at": from_at,
        "before_at": before_at,
        "items": [
            {
                "channel": each.channel,
                "operator_id": each.operator_id,
                "taken_by": each.taken_by,
                "taker": names.get(each.taken_by),
                "payments": each.payments,
                "amount": each.amount.as_json(),
            }
            for each in found
        ],
    }


@blueprint.get("/reconciliations")
@access.allow(*READERS)
@blueprint.output(RunsOut)
@blueprint.doc(summary="Days held against channels' bills, the latest first")
def runs() -> dict[str, Any]:
    """List runs."""
    with access.wiring().database.read() as connection:
        return {"items": [_run(each) for each in service.runs(connection)]}


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
    return _run(desk.reconcile_channel(uow, access.known_actor(), channel, content, json_data.day))


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
    return {"items": [_difference(each) for each in found], "next": cursor(following)}


@blueprint.get("/differences/export")
@access.allow(*READERS)
@blueprint.input(DifferencesQuery, location="query")
@blueprint.doc(
    summary="Differences as CSV, the newest five hundred",
    responses=CSV,
)
def export(query_data: DifferencesQuery) -> Response:
    """Write differences as CSV."""
    with access.wiring().database.read() as connection:
        found, _ = service.differences(
            connection,
            CaseState(query_data.state) if query_data.state else None,
            query_data.channel,
            query_data.day,
            None,
            EXPORTED,
        )
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for each in found:
        # A cell that begins as a formula does is one to a spreadsheet: notes are people's words.
        note = f"'{each.note}" if each.note[:1] in {"=", "+", "-", "@"} else each.note
        rows.writerow(
            (
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
                note,
                each.entry_id or "",
            )
        )
    return Response(
        written.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": "attachment; filename=differences.csv"},
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


def _accounts(subjects: Iterable[str]) -> set[AccountId]:
    found = set()
    for subject in subjects:
        try:
            found.add(AccountId(UUID(subject)))
        except ValueError:
            continue
    return found


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "channel": run.channel,
        "day": run.day,
        "run_at": run.run_at,
        "run_by": run.run_by,
        "sha256": run.sha256,
        "summary": dict(run.summary),
    }


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
        "note": case.note,
        "proposed_at": case.proposed_at,
        "proposed_by": case.proposed_by,
        "approved_at": case.approved_at,
        "approved_by": case.approved_by,
        "resolved_at": case.resolved_at,
        "resolved_by": case.resolved_by,
        "entry_id": case.entry_id,
    }
