"""Counts of traffic, and schedules of plans from asked for to in force."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import Response

from city.errors import Invalid
from signals.rules.counts.gaps import clock
from signals.rules.schedules.documents import date_json, dates_between, schedule_from_json
from signals.rules.schedules.exceptions import exceptions_from_json
from signals.services import counts, networks, plan_versions, schedule_making
from signals.services import schedules as service
from signals.store import counts as count_store
from signals.store import schedules as store
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.signal_schedules import (
    CountTemplateQuery,
    ScheduleDatesQuery,
    SignalCountsImportedOut,
    SignalCountsIn,
    SignalCountsOut,
    SignalScheduleDetailOut,
    SignalScheduleEndIn,
    SignalScheduleIn,
    SignalScheduleOut,
    SignalSchedulesOut,
    SignalSchedulesQuery,
)
from web.api.signals import AUTHORS, NETWORK, READERS
from web.refusals import as_asked

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_schedules", __name__, url_prefix="/api/v1", tag="Signals")

SCHEDULE: Final = "/signal-schedules/<uuid:schedule_id>"
_SHOWN: Final = 100
_KINDS: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


def _schedule(found: store.ScheduleRecord) -> dict[str, Any]:
    values = asdict(found)
    if found.problem is not None:
        values["problem"] = as_asked(found.problem)
    return values


@blueprint.get(f"{NETWORK}/counts")
@access.allow(*READERS)
@blueprint.output(SignalCountsOut)
@blueprint.doc(summary="What is counted at a network's signals")
def signal_counts(network_id: UUID) -> dict[str, Any]:
    """Tell what is counted."""
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = count_store.counted(connection, network_id)
    return {"signals": [asdict(each) for each in found]}


@blueprint.post(f"{NETWORK}/counts")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalCountsIn)
@blueprint.output(SignalCountsImportedOut)
@blueprint.doc(summary="Import a table of counts: good rows are kept, bad ones returned")
def import_counts(uow: UnitOfWork, network_id: UUID, json_data: SignalCountsIn) -> dict[str, Any]:
    """Import counts."""
    if (json_data.text is None) == (json_data.file is None):
        raise Invalid("must be given, or file, and not both", field="text")
    content = json_data.file if json_data.text is None else json_data.text.encode()
    made = counts.import_counts(uow, access.known_actor(), network_id, content or b"")
    refused = made.table.refused
    return {
        "rows": made.table.rows,
        "taken": made.table.rows - len(refused),
        "refused": len(refused),
        "refusals": [asdict(each) | {"why": as_asked(each.why)} for each in refused[:_SHOWN]],
        "gaps": len(made.gaps),
        "first_gaps": [
            {
                "junction": each.junction,
                "from_road": each.from_road,
                "to_road": each.to_road or None,
                "date": each.day,
                "begin": clock(each.first),
                "until": clock(each.until),
            }
            for each in made.gaps[:_SHOWN]
        ],
    }


@blueprint.get(f"{NETWORK}/counts/template")
@access.allow(*READERS)
@blueprint.input(CountTemplateQuery, location="query")
@blueprint.doc(summary="An empty table of counts with the network's movements, .xlsx or CSV")
def count_template(network_id: UUID, query_data: CountTemplateQuery) -> Response:
    """Give an empty table."""
    with access.wiring().database.read() as connection:
        body = counts.template(
            connection,
            network_id,
            query_data.language,
            workbook=query_data.format == "xlsx",
        )
    response = Response(body, content_type=_KINDS[query_data.format])
    response.headers["Content-Disposition"] = f'attachment; filename="counts.{query_data.format}"'
    return response


@blueprint.get("/signal-schedules")
@access.allow(*READERS)
@blueprint.input(SignalSchedulesQuery, location="query")
@blueprint.output(SignalSchedulesOut)
@blueprint.doc(summary="A network's schedules, the latest first")
def signal_schedules(query_data: SignalSchedulesQuery) -> dict[str, Any]:
    """List schedules."""
    with access.wiring().database.read() as connection:
        networks.network(connection, query_data.network_id)
        found = store.schedules(
            connection,
            query_data.network_id,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return page(found, query_data.limit, _schedule)


@blueprint.post("/signal-schedules")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalScheduleIn)
@blueprint.output(SignalScheduleOut, status_code=202)
@blueprint.doc(summary="Ask for a schedule from counts; a job makes it and drafts its plans")
def ask_signal_schedule(uow: UnitOfWork, json_data: SignalScheduleIn) -> dict[str, Any]:
    """Ask for a schedule."""
    values = json_data.model_dump(exclude={"network_id", "exceptions"})
    special = exceptions_from_json(json_data.model_dump(mode="json")["exceptions"])
    return _schedule(
        schedule_making.ask(
            uow, access.known_actor(), json_data.network_id, special=special, **values
        )
    )


@blueprint.get(SCHEDULE)
@access.allow(*READERS)
@blueprint.input(ScheduleDatesQuery, location="query")
@blueprint.output(SignalScheduleDetailOut)
@blueprint.doc(summary="A schedule: its days, plans, and what the coming dates run")
def signal_schedule(schedule_id: UUID, query_data: ScheduleDatesQuery) -> dict[str, Any]:
    """Show a schedule."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = service.find(connection, schedule_id)
        document = store.document_of(connection, schedule_id)
        plans = [
            {
                "name": name,
                "version_id": each,
                "status": plan_versions.find(connection, each).status,
            }
            for name, each in store.plans_of(connection, schedule_id).items()
        ]
    dates: list[dict[str, Any]] = []
    if document is not None:
        kept = schedule_from_json(document)
        today = wiring.clock.now().astimezone(ZoneInfo(found.timezone)).date()
        first = query_data.first or today
        last = first + dt.timedelta(days=query_data.days - 1)
        dates = [date_json(kept.on(date)) for date in dates_between(first, last)]
    return {"schedule": _schedule(found), "document": document, "plans": plans, "dates": dates}


@blueprint.post(f"{SCHEDULE}/check")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalScheduleOut)
@blueprint.doc(summary="Let the checker judge a schedule's plans and the changes between them")
def check_signal_schedule(uow: UnitOfWork, schedule_id: UUID) -> dict[str, Any]:
    """Check a schedule."""
    return _schedule(service.check(uow, access.known_actor(), schedule_id))


@blueprint.post(f"{SCHEDULE}/approval")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalScheduleOut)
@blueprint.doc(summary="Approve a checked schedule and its plans; never one's own")
def approve_signal_schedule(uow: UnitOfWork, schedule_id: UUID) -> dict[str, Any]:
    """Approve a schedule."""
    return _schedule(service.approve(uow, access.known_actor(), schedule_id))


@blueprint.post(f"{SCHEDULE}/entry")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalScheduleOut)
@blueprint.doc(summary="Let the signals follow an approved schedule from now on")
def put_signal_schedule_in_force(uow: UnitOfWork, schedule_id: UUID) -> dict[str, Any]:
    """Put a schedule in force."""
    return _schedule(service.put_in_force(uow, access.known_actor(), schedule_id))


@blueprint.post(f"{SCHEDULE}/end")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalScheduleEndIn)
@blueprint.output(SignalScheduleOut)
@blueprint.doc(summary="End a schedule in force: its signals keep the plan that they run")
def end_signal_schedule(
    uow: UnitOfWork, schedule_id: UUID, json_data: SignalScheduleEndIn
) -> dict[str, Any]:
    """End a schedule."""
    return _schedule(service.end(uow, access.known_actor(), schedule_id, json_data.reason))


@blueprint.post(f"{SCHEDULE}/withdrawal")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalScheduleEndIn)
@blueprint.output(SignalScheduleOut)
@blueprint.doc(summary="Take back a schedule that was never in force, also while it is made")
def withdraw_signal_schedule(
    uow: UnitOfWork, schedule_id: UUID, json_data: SignalScheduleEndIn
) -> dict[str, Any]:
    """Take a schedule back."""
    return _schedule(service.withdraw(uow, access.known_actor(), schedule_id, json_data.reason))
