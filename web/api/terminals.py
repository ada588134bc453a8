"""Terminals: registered, locked and revoked by supervisors; enrolling and telling how they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Invalid
from city.money import Money
from city.people import Role
from city.terminals import act_store, photo_store
from city.terminals import services as service
from city.terminals.rules.acts import missing_before
from city.terminals.rules.photos import MOST_TOLD
from city.terminals.rules.signing import public_key_of
from city.terminals.rules.terminals import Health, concerns
from city.terminals.services import admit
from journeys import apply_acts, settle_terminal
from web import access, limits, signed
from web.acts import act
from web.api.cursors import after, cursor
from web.api.days import day_in
from web.api.names import names_of
from web.api.roles import KEEPERS, REGISTRY
from web.api.schemas.terminals import (
    EnrolmentIn,
    OfflineCashIn,
    SignedInOut,
    SignInIn,
    TerminalCodeOut,
    TerminalDayOut,
    TerminalHealthIn,
    TerminalIn,
    TerminalOut,
    TerminalReasonIn,
    TerminalsOut,
    TerminalsQuery,
    TerminalStandingOut,
)

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from city.terminals.rules.terminals import Terminal
    from city.works.database import UnitOfWork

blueprint = APIBlueprint("terminals", __name__, url_prefix="/api/v1", tag="Terminals")
MOST_TRIES: Final = 20
"""Of codes by one network in a quarter of an hour: a street office enrols a dozen at once."""


@blueprint.get("/terminals/<uuid:terminal_id>/days/<day>")
@access.allow(*settle_terminal.READERS)
@blueprint.output(TerminalDayOut)
@blueprint.doc(summary="A terminal's day, held against the payments that its acts became")
def day_of_terminal(terminal_id: UUID, day: str) -> dict[str, Any]:
    """Settle a terminal's day."""
    asked = day_in(day)
    with access.wiring().database.read() as connection:
        found = settle_terminal.settle_terminal(
            connection, access.known_actor(), terminal_id, asked
        )
        names = names_of(connection, {str(who) for who, _ in found.cash})
    return {
        "terminal_id": found.terminal_id,
        "day": found.day,
        "counts": [
            {"kind": each.kind.value, "outcome": each.outcome.value, "acts": each.acts}
            for each in found.counts
        ],
        "missing": found.missing,
        "bills": found.bills,
        "cash": [
            {"account_id": who, "amount": Money(minor, currency).as_json()}
            for (who, currency), minor in sorted(found.cash.items())
        ],
        "differences": found.differences,
        "differing": [
            {
                "act_id": each.act.id,
                "at": each.act.at,
                "told": None if each.told is None else each.told.as_json(),
                "paid": None if each.paid is None else each.paid.as_json(),
            }
            for each in found.differing
        ],
        "names": names,
    }


@blueprint.get("/terminals")
@access.allow(*REGISTRY)
@blueprint.input(TerminalsQuery, location="query")
@blueprint.output(TerminalsOut)
@blueprint.doc(summary="Terminals with how they do and what needs an eye, the newest first")
def terminals(query_data: TerminalsQuery) -> dict[str, Any]:
    """List terminals."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found, following = service.page(
            connection,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        ids = [each.id for each in found]
        counts = act_store.counts(connection, ids)
        signed_in = act_store.at_terminals(connection, ids)
    now = wiring.wall.now()
    items = [_shown(each, now, counts.get(each.id), signed_in.get(each.id)) for each in found]
    return {"items": items, "next": cursor(following), "at": now}


@blueprint.post("/terminals")
@access.allow(*KEEPERS)
@blueprint.input(TerminalIn)
@blueprint.output(TerminalCodeOut, status_code=201)
@blueprint.doc(
    summary="Register a terminal and get the code with which it enrols",
    description=(
        "The code is shown once, kept as a hash, used once, and ends after a quarter of an hour. "
        "No answer is kept for an `Idempotency-Key`: a code must stand nowhere."
    ),
)
def register(json_data: TerminalIn) -> dict[str, Any]:
    """Register a terminal."""
    with access.wiring().database.unit_of_work() as uow:
        made = service.register(uow, access.known_actor(), json_data.name, json_data.district)
        return _code(uow, made)


@blueprint.post("/terminals/<uuid:terminal_id>/code")
@access.allow(*KEEPERS)
@blueprint.output(TerminalCodeOut)
@blueprint.doc(
    summary="A new code for a terminal: its key holds until the code is used",
    description="As with the first code, no answer is kept for an `Idempotency-Key`.",
)
def code(terminal_id: UUID) -> dict[str, Any]:
    """Give a new code."""
    with access.wiring().database.unit_of_work() as uow:
        made = service.give_code(uow, access.known_actor(), terminal_id)
        return _code(uow, made)


@blueprint.post("/terminals/<uuid:terminal_id>/lock")
@access.allow(*KEEPERS)
@act
@blueprint.input(TerminalReasonIn)
@blueprint.output(TerminalOut)
@blueprint.doc(summary="Lock a terminal from afar: it may say how it does and nothing else")
def lock(uow: UnitOfWork, terminal_id: UUID, json_data: TerminalReasonIn) -> dict[str, Any]:
    """Lock a terminal."""
    done = service.lock(uow, access.known_actor(), terminal_id, json_data.reason)
    return _shown_now(uow, done)


@blueprint.post("/terminals/<uuid:terminal_id>/unlock")
@access.allow(*KEEPERS)
@act
@blueprint.input(TerminalReasonIn)
@blueprint.output(TerminalOut)
@blueprint.doc(summary="Unlock a terminal: what waited on it arrives now")
def unlock(uow: UnitOfWork, terminal_id: UUID, json_data: TerminalReasonIn) -> dict[str, Any]:
    """Unlock a terminal."""
    done = service.unlock(uow, access.known_actor(), terminal_id, json_data.reason)
    return _shown_now(uow, done)


@blueprint.post("/terminals/<uuid:terminal_id>/revocation")
@access.allow(*KEEPERS)
@act
@blueprint.input(TerminalReasonIn)
@blueprint.output(TerminalOut)
@blueprint.doc(summary="Take a terminal out of service for good")
def revoke(uow: UnitOfWork, terminal_id: UUID, json_data: TerminalReasonIn) -> dict[str, Any]:
    """Revoke a terminal."""
    done = service.revoke(uow, access.known_actor(), terminal_id, json_data.reason)
    return _shown_now(uow, done)


@blueprint.put("/terminals/<uuid:terminal_id>/offline-cash")
@access.allow(*KEEPERS)
@act
@blueprint.input(OfflineCashIn)
@blueprint.output(TerminalOut)
@blueprint.doc(
    summary="How much cash a terminal may take without a line before we know of any of it",
    description="The device is told with its next word to us, and refuses cash beyond it.",
)
def offline_cash(uow: UnitOfWork, terminal_id: UUID, json_data: OfflineCashIn) -> dict[str, Any]:
    """Set a terminal's limit."""
    most = Money(json_data.offline_cash.minor, json_data.offline_cash.currency)
    done = service.set_offline_cash(uow, access.known_actor(), terminal_id, most)
    return _shown_now(uow, done)


@blueprint.post("/terminals/enrolment")
@access.public
@blueprint.input(EnrolmentIn)
@blueprint.output(TerminalStandingOut, status_code=201)
@blueprint.doc(
    summary="Bind a device's key to the terminal that a code is for",
    description=(
        "The request is signed by the key that it names, with the key's thumbprint (RFC 7638) as "
        "`keyid`; later requests have the terminal's `id` there, and running numbers go on from "
        "the one of this request. See docs/terminals.md."
    ),
)
def enrol(json_data: EnrolmentIn) -> dict[str, Any]:
    """Enrol a device."""
    limits.count("terminal-enrolment", limits.remote(), MOST_TRIES)
    with access.wiring().database.unit_of_work() as uow:
        enrolled = service.enrol(
            uow,
            json_data.code,
            public_key_of(json_data.public_key.x, json_data.public_key.y),
            signed.read(),
            json_data.app_version,
        )
        return _standing(uow, enrolled)


@blueprint.post("/terminals/health")
@access.terminal(locked_too=True)
@act
@blueprint.input(TerminalHealthIn)
@blueprint.output(TerminalStandingOut)
@blueprint.doc(
    summary="How a terminal does: battery, network, place, versions, what waits on it",
    description="The answer says whether it is locked, and the time. Its place is kept coarsely.",
)
def health(uow: UnitOfWork, json_data: TerminalHealthIn) -> dict[str, Any]:
    """Take how a terminal does."""
    told = Health(at=uow.wall.now(), **json_data.model_dump())
    return _standing(uow, service.note_health(uow, access.known_terminal(), told))


@blueprint.post("/terminals/sign-ins")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@blueprint.input(SignInIn)
@blueprint.output(SignedInOut, status_code=201)
@blueprint.doc(
    summary="Sign in at a terminal: whoever was there before is signed out",
    description=(
        "By session or token of the person, in a request that the terminal signs as well. From "
        "then on what the terminal sends in the person's name is taken, also when it comes late."
    ),
)
def sign_in(json_data: SignInIn) -> dict[str, Any]:
    """Sign a person in."""
    caller, database = access.known_actor(), access.wiring().database
    heard = admit(database, signed.read())
    if heard.terminal.id != json_data.terminal_id or caller.account_id is None:
        raise Invalid("is not the terminal that signed this", field="terminal_id")
    with database.unit_of_work() as uow:
        apply_acts.sign_in(uow, caller, heard.terminal)
        standing = _standing(uow, heard.terminal)
    return {"account_id": caller.account_id, "name": caller.name, "terminal": standing}


def _standing(uow: UnitOfWork, terminal: Terminal) -> dict[str, Any]:
    return {
        "id": terminal.id,
        "name": terminal.name,
        "district": terminal.district,
        "state": terminal.state.value,
        "state_reason": terminal.state_reason,
        "server_at": uow.wall.now(),
        "city_at": uow.clock.now(),
        "next_act": act_store.take_turn(uow.connection, terminal.id).last_sequence + 1,
        "offline_cash": terminal.offline_cash.as_json(),
        "awaited_photos": photo_store.awaited_of(uow.connection, terminal.id, MOST_TOLD),
    }


def _code(uow: UnitOfWork, made: service.CodeGiven) -> dict[str, Any]:
    return {
        "terminal": _shown_now(uow, made.terminal),
        "code": made.code,
        "expires_at": made.terminal.code_expires_at,
    }


def _shown_now(uow: UnitOfWork, terminal: Terminal) -> dict[str, Any]:
    count = act_store.counts(uow.connection, [terminal.id]).get(terminal.id)
    signed_in = act_store.at_terminals(uow.connection, [terminal.id]).get(terminal.id)
    return _shown(terminal, uow.wall.now(), count, signed_in)


def _shown(
    terminal: Terminal,
    now: datetime,
    count: act_store.ActCount | None = None,
    signed_in: UUID | None = None,
) -> dict[str, Any]:
    told, count = terminal.health, count or act_store.ActCount()
    return {
        "id": terminal.id,
        "name": terminal.name,
        "district": terminal.district,
        "state": terminal.state.value,
        "state_reason": terminal.state_reason,
        "registered_at": terminal.registered_at,
        "enrolled_at": terminal.enrolled_at,
        "key": terminal.key.thumbprint if terminal.key else None,
        "code_expires_at": terminal.code_expires_at,
        "heard_at": terminal.heard_at,
        "app_version": terminal.app_version,
        "missed_requests": terminal.missed_requests,
        "offline_cash": terminal.offline_cash.as_json(),
        "signed_in": signed_in,
        "acts": {
            "last_sequence": count.last_sequence,
            "received": count.received,
            "missing": missing_before(count.last_sequence, count.received),
            "refused": count.refused,
        },
        "health": None
        if told is None
        else {
            "at": told.at,
            "battery_percent": told.battery_percent,
            "charging": told.charging,
            "network": told.network,
            "position": None
            if told.longitude is None or told.latitude is None
            else [told.longitude, told.latitude],
            "accuracy_m": told.accuracy_m,
            "tariffs_version": told.tariffs_version,
            "acts_waiting": told.acts_waiting,
            "oldest_waiting_at": told.oldest_waiting_at,
            "clock_behind_ms": told.clock_behind_ms,
        },
        "concerns": [each.value for each in concerns(terminal, now)],
    }
