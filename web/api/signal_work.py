"""Work orders of signals over HTTP: for maintainers, the engineer on duty, and those who look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import Response

from city.errors import Invalid
from city.people.roles import Role
from signals.rules.maintenance.orders import FROM, Act
from signals.rules.maintenance.policy import Kind, Priority, policy_from_json, policy_json
from signals.services import networks
from signals.services import work_orders as service
from signals.store import alarms as alarm_store
from signals.store import networks as network_store
from signals.store import work_orders as store
from web import access
from web.acts import act, look
from web.api.cursors import after, page
from web.api.schemas.signal_work import (
    SignalWorkActIn,
    SignalWorkDetailOut,
    SignalWorkersOut,
    SignalWorkIn,
    SignalWorkPhotoIn,
    SignalWorkPolicyIn,
    SignalWorkPolicyOut,
    SignalWorkQuery,
    SignalWorksOut,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from signals.store.work_orders import WorkOrder

blueprint = APIBlueprint("signal_work", __name__, url_prefix="/api/v1", tag="Signals")

READERS: Final = (*service.RAISERS, Role.AUDITOR)
ORDERS: Final = "/signal-work-orders"
ONE: Final = f"{ORDERS}/<uuid:order_id>"
SHOWN: Final = 500
"""Lines of a history."""


@blueprint.get(ORDERS)
@access.allow(*READERS)
@blueprint.input(SignalWorkQuery, location="query")
@blueprint.output(SignalWorksOut)
@blueprint.doc(summary="Work orders: by when they are due, or the latest first")
def signal_work_orders(query_data: SignalWorkQuery) -> dict[str, Any]:
    """List orders."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        code = None
        if query_data.network_id is not None:
            code = networks.network(connection, query_data.network_id).code
        found = store.orders(
            connection,
            query_data.view,
            network_code=code,
            signal=query_data.signal,
            assignee=access.known_actor().subject if query_data.mine else None,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        now = wiring.wall.now()
        counts = store.counts(connection, now, code)
        titles = _titles(connection, found)
    listed = page(found, query_data.limit, lambda each: _row(each, titles))
    return {"at": now, "counts": counts} | listed


@blueprint.post(ORDERS)
@access.allow(*service.RAISERS)
@act
@blueprint.input(SignalWorkIn)
@blueprint.output(SignalWorkDetailOut, status_code=201)
@blueprint.doc(
    summary="Raise work: what an alarm asks for, or in one's own words",
    description="An alarm whose fault has an order that is not over gives that order.",
)
def raise_signal_work(uow: UnitOfWork, json_data: SignalWorkIn) -> dict[str, Any]:
    """Raise."""
    own = (
        json_data.network_id,
        json_data.signal,
        json_data.kind,
        json_data.priority,
        json_data.what,
    )
    if json_data.alarm_id is not None:
        if any(each is not None for each in own):
            raise Invalid("says what is to be done already", field="alarm_id")
        made = service.raise_of_alarm(uow, access.known_actor(), json_data.alarm_id)
        return _whole(uow.connection, made)
    network_id, signal, kind, priority, what = own
    if network_id is None or signal is None or kind is None or priority is None or what is None:
        raise Invalid("needs an alarm, or network, signal, kind, priority and what", field="what")
    made = service.raise_by_hand(
        uow,
        access.known_actor(),
        network_id,
        signal,
        kind=Kind(kind),
        priority=Priority(priority),
        what=what,
    )
    return _whole(uow.connection, made)


@blueprint.get(ONE)
@access.allow(*READERS)
@blueprint.output(SignalWorkDetailOut)
@blueprint.doc(summary="A work order: its fault, its history, and what you may do now")
def signal_work_order(order_id: UUID) -> dict[str, Any]:
    """Give one."""
    with access.wiring().database.read() as connection:
        return _whole(connection, service.order(connection, order_id))


@blueprint.post(f"{ONE}/acts")
@access.allow(*service.RAISERS)
@act
@blueprint.input(SignalWorkActIn)
@blueprint.output(SignalWorkDetailOut)
@blueprint.doc(
    summary="Take, assign, hand back, note, finish, look over, give back or withdraw an order"
)
def act_on_signal_work(
    uow: UnitOfWork, order_id: UUID, json_data: SignalWorkActIn
) -> dict[str, Any]:
    """Act."""
    done = service.act(
        uow,
        access.known_actor(),
        order_id,
        Act(json_data.act),
        said=json_data.words,
        assignee=None if json_data.assignee is None else str(json_data.assignee),
    )
    return _whole(uow.connection, done)


@blueprint.post(f"{ONE}/photos")
@access.allow(*service.RAISERS)
@act
@blueprint.input(SignalWorkPhotoIn)
@blueprint.output(SignalWorkDetailOut, status_code=201)
@blueprint.doc(summary="A photo of the work, kept sealed; sent again, it is the same one")
def add_signal_work_photo(
    uow: UnitOfWork, order_id: UUID, json_data: SignalWorkPhotoIn
) -> dict[str, Any]:
    """Keep a photo."""
    service.add_photo(uow, access.known_actor(), order_id, json_data.photo, json_data.words)
    return _whole(uow.connection, service.order(uow.connection, order_id))


@blueprint.get(f"{ONE}/photos/<string:sha256>")
@access.allow(*READERS)
@look
@blueprint.doc(summary="A photo of the work; the look is on record", responses={200: "The photo"})
def signal_work_photo(uow: UnitOfWork, order_id: UUID, sha256: str) -> Response:
    """Show a photo."""
    found, content = service.view_photo(uow, access.known_actor(), order_id, sha256)
    answer = Response(content, content_type=found.format)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/signal-workers")
@access.allow(*READERS)
@blueprint.output(SignalWorkersOut)
@blueprint.doc(summary="Whom work can be assigned to")
def signal_workers() -> dict[str, Any]:
    """List workers."""
    with access.wiring().database.read() as connection:
        found = service.workers(connection)
    return {"items": [{"id": each.subject, "name": each.name} for each in found]}


@blueprint.get("/signal-work-policy")
@access.allow(*READERS)
@blueprint.output(SignalWorkPolicyOut)
@blueprint.doc(summary="Within what time work is to be done, and which faults raise it")
def signal_work_policy() -> dict[str, Any]:
    """Give the policy."""
    with access.wiring().database.read() as connection:
        return _policy(connection)


@blueprint.put("/signal-work-policy")
@access.allow(*service.PLANNERS)
@act
@blueprint.input(SignalWorkPolicyIn)
@blueprint.output(SignalWorkPolicyOut)
@blueprint.doc(summary="Set limits and rules for orders that are raised from now on")
def set_signal_work_policy(uow: UnitOfWork, json_data: SignalWorkPolicyIn) -> dict[str, Any]:
    """Set the policy."""
    document = json_data.model_dump(include={"limits", "lasting"})
    service.set_policy(
        uow,
        access.known_actor(),
        policy_from_json(document),
        json_data.reason,
        number=json_data.number,
    )
    return _policy(uow.connection)


def _policy(connection: Connection) -> dict[str, Any]:
    kept = store.policy(connection)
    said = policy_json(service.policy(connection))
    return said | {
        "number": 0 if kept is None else kept.number,
        "set_at": None if kept is None else kept.set_at,
        "set_by": None if kept is None else kept.set_name,
        "reason": None if kept is None else kept.reason,
    }


_Titles = dict[tuple["UUID", str], tuple[str, str]]


def _titles(connection: Connection, found: Iterable[WorkOrder]) -> _Titles:
    """Give signals' names in two languages, a query a network."""
    return {
        (network_id, name): (zh, en)
        for network_id in {each.network_id for each in found}
        for name, zh, en in network_store.titles(connection, network_id)
    }


def _row(found: WorkOrder, titles: _Titles) -> dict[str, Any]:
    progress, now = found.progress, access.wiring().wall.now()
    assignee, done, ended = progress.assignee, progress.done_by, progress.ended_by
    title = titles.get((found.network_id, found.signal))
    return {
        "id": found.id,
        "network_id": found.network_id,
        "network_code": found.network_code,
        "signal": found.signal,
        "title": None if title is None else {"zh": title[0], "en": title[1]},
        "kind": found.kind,
        "priority": found.priority,
        "what": {"zh": found.what_zh, "en": found.what_en},
        "origin": found.origin,
        "alarm_id": found.alarm_id,
        "state": progress.state.value,
        "raised_at": progress.raised_at,
        "raised_by": found.raised_by.name,
        "assignee": None if assignee is None else assignee.name,
        "mine": assignee is not None and assignee.subject == access.known_actor().subject,
        "taken_at": progress.taken_at,
        "done_at": progress.done_at,
        "done_by": None if done is None else done.name,
        "ended_at": progress.ended_at,
        "ended_by": None if ended is None else ended.name,
        "due_at": progress.due_at,
        "overdue_s": progress.overdue_s(now),
        "responded_s": progress.responded_s,
        "mended_s": progress.mended_s,
    }


def _whole(connection: Connection, found: WorkOrder) -> dict[str, Any]:
    lines = store.entries(connection, found.id, limit=SHOWN)
    alarm = None if found.alarm_id is None else alarm_store.alarm_of(connection, found.alarm_id)
    fault = None
    if alarm is not None:
        fault = {
            "code": alarm.code,
            "open": alarm.cleared_at is None,
            "since_at": alarm.since_at,
            "cleared_at": alarm.cleared_at,
        }
    return _row(found, _titles(connection, [found])) | {
        "acts": [each.value for each in Act if _may(found, each)],
        "fault": fault,
        "entries": [
            {
                "number": each.number,
                "at": each.at,
                "by": each.actor_name,
                "what": each.what,
                "words": each.words,
                "other": each.other_name,
                "photo": each.sha256,
            }
            for each in lines[:SHOWN]
        ],
        "more": len(lines) > SHOWN,
    }


def _may(found: WorkOrder, deed: Act) -> bool:
    """Say whether the caller may do something to an order as it stands."""
    caller, progress = access.known_actor(), found.progress
    if not caller.has_any(*service.MAY[deed]) or progress.state not in FROM[deed]:
        return False
    assignee, done = progress.assignee, progress.done_by
    mine = assignee is not None and assignee.subject == caller.subject
    if deed in {Act.HAND_BACK, Act.DONE}:
        return mine
    if deed is Act.TAKE:
        return mine or assignee is None
    if deed in {Act.CHECK, Act.GIVE_BACK}:
        return done is None or done.subject != caller.subject
    return True
