"""The street now, for its supervisors: people, cash, terminals, tasks and how fast they end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.identifiers import BayId, DistrictCode
from city.people import Role
from city.terminals import act_store, photo_store
from city.terminals import store as terminals
from city.terminals.rules.photos import LATE_AFTER
from city.terminals.rules.terminals import TerminalState, concerns
from journeys.apply_act import bay_id_of
from parking.rules.patrol import answered_by, responses
from parking.store import escapes, patrol, places
from payments import services as payments
from payments.rules.bills import BillPart, BillState
from payments.rules.ledger import AccountKind, cash_of
from payments.rules.shifts import CURRENCY, ShiftState
from payments.store import shifts
from web import access
from web.api.names import names_of
from web.api.plates import masked_plates
from web.api.schemas.supervision import SupervisionOut, SupervisionQuery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from city.people.actors import Actor
    from city.terminals.photo_store import AwaitedPhoto
    from city.terminals.rules.terminals import Terminal
    from parking.rules.patrol import Answered, Response
    from parking.rules.places.model import Facility
    from parking.store.escapes import EscapeAt
    from parking.store.patrol import TaskAt
    from payments.rules.ledger import Account
    from payments.rules.shifts import Shift

blueprint = APIBlueprint("supervision", __name__, url_prefix="/api/v1", tag="Patrol")
READERS: Final = (Role.OPERATOR, Role.AUDITOR)
MOST: Final = 500
_IN_SERVICE: Final = frozenset({TerminalState.ACTIVE, TerminalState.LOCKED})


@blueprint.get("/supervision")
@access.allow(*READERS)
@blueprint.input(SupervisionQuery, location="query")
@blueprint.output(SupervisionOut)
@blueprint.doc(
    summary="Who is on the street, with cash, terminals, tasks and how fast they were answered",
    description=f"At most {MOST} of each: people, terminals, tasks, awaited photos, escapes.",
)
def supervision(query_data: SupervisionQuery) -> dict[str, Any]:
    """Show the street."""
    caller, wiring = access.known_actor(), access.wiring()
    now = wiring.clock.now()
    with wiring.database.read() as connection:
        arisen = patrol.arisen(
            connection, now - timedelta(hours=query_data.hours), caller.districts
        )
        answered = answered_by(arisen)
        on_shift = _on_shift(connection, caller)
        carried = payments.balances(connection, AccountKind.CASH)
        photos = photo_store.awaited(connection, caller.districts, now - LATE_AFTER, MOST)
        gone = escapes.since(
            connection, now - timedelta(hours=query_data.hours), caller.districts, MOST
        )
        people = [*(each.holder for each in on_shift), *answered]
        people += [who for each in gone for who in (each.by, each.withdrawn_by) if who]
        names = names_of(connection, [*people, *(str(each.act.account_id) for each in photos)])
        return {
            "people": [_person(each, carried, answered, names) for each in on_shift],
            "terminals": _terminals(connection, caller, wiring.wall.now()),
            "tasks": [
                _task(each) for each in patrol.standing_in(connection, caller.districts, MOST)
            ],
            "responses": [_response(each) for each in responses(arisen)],
            "photos": _photos(connection, photos, names),
            "escapes": _escapes(connection, gone, names),
            "names": names,
            "at": now,
        }


def _on_shift(connection: Connection, caller: Actor) -> list[Shift]:
    districts = None
    if caller.districts is not None:
        districts = [DistrictCode(each) for each in sorted(caller.districts)]
    return shifts.page(connection, districts, ShiftState.OPEN, None, MOST)[:MOST]


def _terminals(connection: Connection, caller: Actor, now: datetime) -> list[dict[str, Any]]:
    found = [
        each
        for each in terminals.page(
            connection, districts=caller.districts, after=None, limit=terminals.MOST_A_PAGE
        )
        if each.state in _IN_SERVICE
    ]
    people = act_store.at_terminals(connection, [each.id for each in found])
    names = names_of(connection, (str(each) for each in people.values()))
    signed_in = {terminal: names.get(str(who), "") for terminal, who in people.items()}
    return [_terminal(each, signed_in.get(each.id), now) for each in found]


def _terminal(terminal: Terminal, signed_in: str | None, now: datetime) -> dict[str, Any]:
    told = terminal.health
    return {
        "id": terminal.id,
        "name": terminal.name,
        "state": terminal.state.value,
        "signed_in": signed_in,
        "heard_at": terminal.heard_at,
        "position": None
        if told is None or told.longitude is None or told.latitude is None
        else [told.longitude, told.latitude],
        "battery_percent": None if told is None else told.battery_percent,
        "acts_waiting": None if told is None else told.acts_waiting,
        "concerns": [each.value for each in concerns(terminal, now)],
    }


def _person(
    shift: Shift,
    carried: Mapping[Account, list[Any]],
    answered: Mapping[str, Answered],
    names: Mapping[str, str],
) -> dict[str, Any]:
    held = carried.get(cash_of(shift.holder), [])
    minor = sum(each.minor for each in held if each.currency == CURRENCY)
    mine = answered.get(shift.holder)
    return {
        "shift_id": shift.id,
        "person": shift.holder,
        "name": names.get(shift.holder, ""),
        "district": shift.district,
        "place": shift.place,
        "since_at": shift.opened_at,
        "on_break": shift.on_break,
        "carries": {"minor": minor, "currency": CURRENCY},
        "tasks": 0 if mine is None else mine.tasks,
        "middle_s": None if mine is None else mine.middle_s,
    }


def _task(found: TaskAt) -> dict[str, Any]:
    task = found.task
    return {
        "id": task.id,
        "kind": task.kind.value,
        "bay_label": found.bay_label,
        "position": found.position.as_json(),
        "facility": {"zh": found.facility_zh, "en": found.facility_en},
        "session_id": task.session_id,
        "arose_at": task.arose_at,
        "seen_at": task.seen_at,
    }


def _name(facility: Facility) -> dict[str, str]:
    return {"zh": facility.name_zh, "en": facility.name_en}


def _photos(
    connection: Connection, found: Sequence[AwaitedPhoto], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Show the photos that are awaited, with where they were taken: two statements."""
    bays = places.bays_by_id(connection, {bay_id_of(each.act) for each in found})
    homes = places.facilities_by_id(connection, {each.facility_id for each in bays.values()})
    return [
        {
            "photo_id": each.photo_id,
            "act_id": each.act.id,
            "kind": each.act.kind.value,
            "terminal": each.terminal,
            "name": names.get(str(each.act.account_id), ""),
            "bay_label": place.label,
            "facility": _name(homes[place.facility_id]),
            "session_id": (each.act.effect or {}).get("session_id"),
            "at": each.act.at,
            "part_bytes": each.part_bytes,
        }
        for each in found
        if (place := bays.get(BayId(bay_id_of(each.act))))
    ]


def _escapes(
    connection: Connection, found: Sequence[EscapeAt], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Show who drove off, with what is left of their bills: two statements."""
    plates = masked_plates(connection, (each.vehicle_id for each in found))
    bills = {
        each.charge.session_id: each
        for each in payments.bills_of_sessions(connection, {each.session_id for each in found})
        if each.charge.part is BillPart.STAY and each.state is not BillState.CANCELLED
    }
    return [
        {
            "session_id": each.session_id,
            "at": each.at,
            "by": each.by,
            "name": names.get(each.by, ""),
            "words": each.words,
            "photo": each.photo,
            "plate": None if each.vehicle_id is None else plates.get(each.vehicle_id),
            "bay_label": each.bay_label,
            "facility": {"zh": each.facility_zh, "en": each.facility_en},
            "bill_id": None if bill is None else bill.id,
            "outstanding": None if bill is None else bill.outstanding.as_json(),
            "withdrawn_at": each.withdrawn_at,
            "withdrawn_by": names.get(each.withdrawn_by or ""),
            "because": each.because,
        }
        for each in found
        for bill in [bills.get(each.session_id)]
    ]


def _response(found: Response) -> dict[str, Any]:
    return {
        "kind": found.kind.value,
        "arose": found.arose,
        "done": found.done,
        "left": found.left,
        "by_itself": found.by_itself,
        "standing": found.standing,
        "seen_s": list(found.seen_s),
        "done_s": list(found.done_s),
    }
