"""Escort routes over HTTP: for those who are cleared, and for the device of a convoy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.people.roles import Role
from city.places import Position
from signals.services import escorts as service
from signals.store import escorts as store
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.base import PageQuery
from web.api.schemas.signal_escorts import (
    EscortActIn,
    EscortIn,
    EscortOut,
    EscortPositionIn,
    EscortPositionOut,
    EscortsOut,
)
from web.api.signal_lights import last_seen

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from signals.store.escorts import Escort, Hold

blueprint = APIBlueprint("signal_escorts", __name__, url_prefix="/api/v1", tag="Signals")

CLEARED: Final = (Role.ESCORT,)
ESCORTS: Final = "/signal-escorts"
ONE: Final = f"{ESCORTS}/<uuid:escort_id>"
LOG_SHOWN: Final = 500
_STATES: Final = {"waiting": "asked", "holding": "held"}


@blueprint.get(ESCORTS)
@access.allow(*CLEARED)
@blueprint.input(PageQuery, location="query")
@blueprint.output(EscortsOut)
@blueprint.doc(summary="Escort routes, the latest first")
def signal_escorts(query_data: PageQuery) -> dict[str, Any]:
    """List routes."""
    with access.wiring().database.read() as connection:
        found = store.escorts(connection, after=after(query_data.cursor), limit=query_data.limit)
    return page(found, query_data.limit, _row)


@blueprint.post(ESCORTS)
@access.allow(*CLEARED)
@act
@blueprint.input(EscortIn)
@blueprint.output(EscortOut, status_code=201)
@blueprint.doc(summary="Draft a route; another person approves it")
def draft_signal_escort(uow: UnitOfWork, json_data: EscortIn) -> dict[str, Any]:
    """Draft."""
    stops = [
        (each.signal, each.group, None if each.position is None else Position(*each.position))
        for each in json_data.stops
    ]
    made = service.draft(
        uow,
        access.known_actor(),
        json_data.network_id,
        name=json_data.name,
        start=Position(*json_data.start),
        stops=stops,
        tail_m=json_data.tail_m,
        lead_s=json_data.lead_s,
        speed_kph=json_data.speed_kph,
        subject=json_data.subject,
    )
    return _whole(uow, made)


@blueprint.get(ONE)
@access.allow(*CLEARED)
@blueprint.output(EscortOut)
@blueprint.doc(summary="A route: its junctions, what holds them, and its sealed log")
def signal_escort(escort_id: UUID) -> dict[str, Any]:
    """Give one."""
    # Reading seals opens the vault's keys, which may note that they were used.
    with access.wiring().database.unit_of_work() as uow:
        return _whole(uow, service.of(uow, escort_id))


@blueprint.post(f"{ONE}/approval")
@access.allow(*CLEARED)
@act
@blueprint.input(EscortActIn)
@blueprint.output(EscortOut)
@blueprint.doc(summary="Approve a route that somebody else drafted")
def approve_signal_escort(
    uow: UnitOfWork, escort_id: UUID, json_data: EscortActIn
) -> dict[str, Any]:
    """Approve."""
    del json_data
    return _whole(uow, service.approve(uow, access.known_actor(), escort_id))


@blueprint.post(f"{ONE}/withdrawal")
@access.allow(*CLEARED)
@act
@blueprint.input(EscortActIn)
@blueprint.output(EscortOut)
@blueprint.doc(summary="Give a route up that does not run")
def withdraw_signal_escort(
    uow: UnitOfWork, escort_id: UUID, json_data: EscortActIn
) -> dict[str, Any]:
    """Withdraw."""
    del json_data
    return _whole(uow, service.withdraw(uow, access.known_actor(), escort_id))


@blueprint.post(f"{ONE}/start")
@access.allow(*CLEARED)
@act
@blueprint.input(EscortActIn)
@blueprint.output(EscortOut)
@blueprint.doc(summary="Let a route run: its junctions are held as the convoy comes up")
def start_signal_escort(uow: UnitOfWork, escort_id: UUID, json_data: EscortActIn) -> dict[str, Any]:
    """Start."""
    del json_data
    return _whole(uow, service.start(uow, access.known_actor(), escort_id))


@blueprint.post(f"{ONE}/end")
@access.allow(*CLEARED)
@act
@blueprint.input(EscortActIn)
@blueprint.output(EscortOut)
@blueprint.doc(summary="End a route: every junction is given back to its plan")
def end_signal_escort(uow: UnitOfWork, escort_id: UUID, json_data: EscortActIn) -> dict[str, Any]:
    """End."""
    del json_data
    return _whole(uow, service.end(uow, access.known_actor(), escort_id))


@blueprint.post(f"{ONE}/stops/<int:place>/hold")
@access.allow(*CLEARED)
@act
@blueprint.input(EscortActIn)
@blueprint.output(EscortOut, status_code=202)
@blueprint.doc(summary="Hold a junction of a running route from the desk")
def hold_signal_escort(
    uow: UnitOfWork, escort_id: UUID, place: int, json_data: EscortActIn
) -> dict[str, Any]:
    """Hold."""
    del json_data
    found = service.of(uow, escort_id, lock=True)
    seen = None
    if place < len(found.stops):
        _, seen = last_seen(found.network_id, str(found.stops[place]["signal"]))
    service.hold(uow, access.known_actor().subject, found, place, seen)
    return _whole(uow, found)


@blueprint.post(f"{ONE}/stops/<int:place>/return")
@access.allow(*CLEARED)
@act
@blueprint.input(EscortActIn)
@blueprint.output(EscortOut, status_code=202)
@blueprint.doc(summary="Give a junction of a running route back to its plan from the desk")
def give_back_signal_escort(
    uow: UnitOfWork, escort_id: UUID, place: int, json_data: EscortActIn
) -> dict[str, Any]:
    """Give back."""
    del json_data
    found = service.of(uow, escort_id, lock=True)
    service.give_back(uow, access.known_actor().subject, found, place)
    return _whole(uow, found)


@blueprint.post("/escort-positions")
@access.credential("device")
@act
@blueprint.input(EscortPositionIn)
@blueprint.output(EscortPositionOut, status_code=202)
@blueprint.doc(
    summary="Where the head of a convoy is, every few seconds",
    description="By the device that the running route names; it learns nothing of the route.",
)
def escort_position(uow: UnitOfWork, json_data: EscortPositionIn) -> dict[str, Any]:
    """Locate."""
    on_route = service.locate(
        uow,
        access.known_actor(),
        Position(*json_data.position),
        json_data.at,
        json_data.speed_kph,
    )
    return {"on_route": on_route}


def _row(found: Escort) -> dict[str, Any]:
    return {
        "id": found.id,
        "network_id": found.network_id,
        "name": found.name,
        "status": found.status,
        "junctions": len(found.stops),
        "passed": found.left_behind,
        "drafted_at": found.drafted_at,
        "drafted_name": found.drafted_name,
        "mine": found.drafted_by == access.known_actor().subject,
    }


def _whole(uow: UnitOfWork, found: Escort) -> dict[str, Any]:
    now = uow.wall.now()
    along_m = service.route_of(found).along_m
    last = {each.place: each for each in store.holds(uow.connection, found.id)}
    entries = store.log_of(uow.connection, found.id, after=0, limit=LOG_SHOWN)
    return _row(found) | {
        "now": now,
        "start": [found.start_longitude, found.start_latitude],
        "tail_m": found.tail_m,
        "lead_s": found.lead_s,
        "speed_kph": found.speed_kph,
        "subject": found.subject,
        "approved_at": found.approved_at,
        "approved_name": found.approved_name,
        "started_at": found.started_at,
        "ended_at": found.ended_at,
        "along_m": found.along_m,
        "located_at": found.located_at,
        "known": found.located_at is not None and now - found.located_at <= service.FRESH,
        "stops": [
            _stop(found, place, along_m[place], last.get(place))
            for place in range(len(found.stops))
        ],
        "log": [
            {
                "number": each.number,
                "at": each.at,
                "actor": each.actor,
                "what": each.what,
                "detail": each.detail,
            }
            for each in entries
        ],
        "log_broken_at": service.genuine(uow, found.id),
    }


def _stop(found: Escort, place: int, along_m: float, hold: Hold | None) -> dict[str, Any]:
    kept = found.stops[place]
    state = "behind" if place < found.left_behind else "ahead"
    if hold is not None and state == "ahead":
        state = "given_back" if hold.released_at else _STATES.get(hold.status, "ended")
    return {
        "place": place,
        "signal": kept["signal"],
        "group": kept["group"],
        "position": kept["position"],
        "along_m": round(along_m, 1),
        "state": state,
        "stage": None if hold is None else hold.stage,
        "until_at": None if hold is None else hold.until_at,
    }
