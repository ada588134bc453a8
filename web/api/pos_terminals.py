"""POS terminals: registered with a key that is shown once, locked, retired; their batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import DistrictCode
from city.money import Money
from payments import pos_overview, pos_terminals
from payments.pos_payments import CURRENCY
from payments.rules.pos.mac import Mac, check_value
from payments.rules.pos.terminals import TerminalState
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.roles import KEEPERS, REGISTRY
from web.api.schemas.pos_terminals import (
    PosKeyOut,
    PosReasonIn,
    PosTerminalIn,
    PosTerminalOut,
    PosTerminalsOut,
    PosTerminalsQuery,
)

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from payments.pos_overview import SeenTerminal
    from payments.pos_terminals import KeyGiven
    from payments.rules.pos.requests import Totals
    from payments.rules.pos.terminals import Batch, Terminal

blueprint = APIBlueprint("pos_terminals", __name__, url_prefix="/api/v1", tag="Terminals")


@blueprint.get("/pos-terminals")
@access.allow(*REGISTRY)
@blueprint.input(PosTerminalsQuery, location="query")
@blueprint.output(PosTerminalsOut)
@blueprint.doc(summary="POS terminals with their batches and what needs an eye, the newest first")
def terminals(query_data: PosTerminalsQuery) -> dict[str, Any]:
    """List POS terminals."""
    wiring = access.wiring()
    now = wiring.wall.now()
    with wiring.database.read() as connection:
        found, following = pos_overview.seen(
            connection,
            now,
            access.known_actor().districts,
            after(query_data.cursor),
            query_data.limit,
        )
    return {"items": [_shown(each) for each in found], "next": cursor(following), "at": now}


@blueprint.post("/pos-terminals")
@access.allow(*KEEPERS)
@blueprint.input(PosTerminalIn)
@blueprint.output(PosKeyOut, status_code=201)
@blueprint.doc(
    summary="Register a POS terminal and get its master key",
    description=(
        "The key is shown once, typed into the terminal, and kept nowhere. No answer is kept for "
        "an `Idempotency-Key`: a key must stand nowhere."
    ),
)
def register(json_data: PosTerminalIn) -> dict[str, Any]:
    """Register a POS terminal."""
    with access.wiring().database.unit_of_work() as uow:
        made = pos_terminals.register(
            uow,
            access.known_actor(),
            json_data.terminal_no,
            json_data.merchant_no,
            json_data.name,
            DistrictCode(json_data.district),
            Mac(json_data.mac),
        )
        return _key(uow, made)


@blueprint.post("/pos-terminals/<uuid:terminal_id>/key")
@access.allow(*KEEPERS)
@blueprint.output(PosKeyOut)
@blueprint.doc(
    summary="Another master key for a POS terminal: the one before proves nothing from now on",
    description="As with the first, no answer is kept for an `Idempotency-Key`.",
)
def key(terminal_id: UUID) -> dict[str, Any]:
    """Give another key."""
    with access.wiring().database.unit_of_work() as uow:
        return _key(uow, pos_terminals.give_key(uow, access.known_actor(), terminal_id))


@blueprint.post("/pos-terminals/<uuid:terminal_id>/lock")
@access.allow(*KEEPERS)
@act
@blueprint.input(PosReasonIn)
@blueprint.output(PosTerminalOut)
@blueprint.doc(summary="Lock a POS terminal: what it says is refused until it is unlocked")
def lock(uow: UnitOfWork, terminal_id: UUID, json_data: PosReasonIn) -> dict[str, Any]:
    """Lock a POS terminal."""
    return _turned(uow, terminal_id, TerminalState.LOCKED, json_data.reason)


@blueprint.post("/pos-terminals/<uuid:terminal_id>/unlock")
@access.allow(*KEEPERS)
@act
@blueprint.input(PosReasonIn)
@blueprint.output(PosTerminalOut)
@blueprint.doc(summary="Let a locked POS terminal work again")
def unlock(uow: UnitOfWork, terminal_id: UUID, json_data: PosReasonIn) -> dict[str, Any]:
    """Unlock a POS terminal."""
    return _turned(uow, terminal_id, TerminalState.ACTIVE, json_data.reason)


@blueprint.post("/pos-terminals/<uuid:terminal_id>/retirement")
@access.allow(*KEEPERS)
@act
@blueprint.input(PosReasonIn)
@blueprint.output(PosTerminalOut)
@blueprint.doc(summary="Take a POS terminal out of service for good")
def retire(uow: UnitOfWork, terminal_id: UUID, json_data: PosReasonIn) -> dict[str, Any]:
    """Retire a POS terminal."""
    return _turned(uow, terminal_id, TerminalState.RETIRED, json_data.reason)


def _turned(
    uow: UnitOfWork, terminal_id: UUID, state: TerminalState, reason: str
) -> dict[str, Any]:
    done = pos_terminals.turn(uow, access.known_actor(), terminal_id, state, reason)
    return _shown_now(uow, done)


def _key(uow: UnitOfWork, made: KeyGiven) -> dict[str, Any]:
    return {
        "terminal": _shown_now(uow, made.terminal),
        "master_key": made.master.hex().upper(),
        "check_value": check_value(made.master).hex().upper(),
    }


def _shown_now(uow: UnitOfWork, terminal: Terminal) -> dict[str, Any]:
    (found,) = pos_overview.of(uow.connection, uow.wall.now(), [terminal])
    return _shown(found)


def _shown(found: SeenTerminal) -> dict[str, Any]:
    terminal = found.terminal
    return {
        "id": terminal.id,
        "terminal_no": terminal.terminal_no,
        "merchant_no": terminal.merchant_no,
        "name": terminal.name,
        "district": terminal.district,
        "state": terminal.state.value,
        "state_reason": terminal.state_reason,
        "mac": terminal.mac.value,
        "registered_at": terminal.registered_at,
        "key_generation": terminal.key_generation,
        "signed_in_at": terminal.signed_in_at,
        "heard_at": terminal.heard_at,
        "batch": _batch(found.open_batch, found.totals),
        "settled": _batch(found.settled, found.settled.ours if found.settled else None),
        "differing": [
            {
                "batch_no": batch_no,
                "trace": each.trace,
                "act": each.act.value,
                "kind": each.kind.value,
                "terminal": _money(each.told_minor),
                "ours": _money(each.ours_minor),
            }
            for batch_no, each in found.differences
        ],
        "concerns": [each.value for each in found.concerns],
    }


def _batch(batch: Batch | None, ours: Totals | None) -> dict[str, Any] | None:
    if batch is None:
        return None
    return {
        "batch_no": batch.batch_no,
        "state": batch.state.value,
        "opened_at": batch.opened_at,
        "settled_at": batch.settled_at,
        "ours": _totals(ours),
        "told": _totals(batch.told),
        "ledger_net": _money(batch.ledger_net_minor),
        "differences": batch.differences,
    }


def _totals(totals: Totals | None) -> dict[str, Any] | None:
    if totals is None:
        return None
    return {
        "sales": totals.sales,
        "sold": _money(totals.sales_minor),
        "back": totals.back,
        "went_back": _money(totals.back_minor),
    }


def _money(minor: int | None) -> dict[str, Any] | None:
    return None if minor is None else dict(Money(minor, CURRENCY).as_json())
