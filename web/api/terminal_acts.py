"""What was done on terminals: taken in batches with a result for each act, and listed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
from apiflask import APIBlueprint
from pydantic import ValidationError

from city.errors import Invalid
from city.identifiers import AccountId, parse_id
from city.people import Role
from city.terminals import act_store
from city.terminals.rules.acts import ActKind, Advice, Outcome, advice_of, missing_before
from journeys import apply_acts
from parking.store.places import bays_by_id
from payments import shifts
from payments.rules.days import begin_of
from web import access, refusals
from web.api.cursors import after, cursor
from web.api.days import day_in
from web.api.roles import BACK_OFFICE
from web.api.schemas.terminals import (
    ActPartIn,
    ActResultsOut,
    ActsIn,
    ActsOut,
    ActsQuery,
    MyActsOut,
)

if TYPE_CHECKING:
    from city.terminals.rules.acts import Act

blueprint = APIBlueprint("terminal_acts", __name__, url_prefix="/api/v1", tag="Terminals")
MOST_OF_A_DAY: Final = 200


@blueprint.post("/terminals/acts")
@access.terminal()
@blueprint.input(ActsIn)
@blueprint.output(ActResultsOut)
@blueprint.doc(
    summary="What was done on a terminal, with a result for each act",
    description=(
        "Each act has an id made on the device and takes effect once, however often it is sent: "
        "`created` the first time, `exists` after. `conflict` says why and what to do; what is "
        "`kept` stays on record with the reason and the device may forget it. An "
        "`Idempotency-Key` adds nothing to the acts' own ids and is not kept."
    ),
)
def acts(json_data: ActsIn) -> dict[str, Any]:
    """Take acts."""
    read = [_read_act(index, each) for index, each in enumerate(json_data.items)]
    sent = [each for each in read if isinstance(each, apply_acts.ActIn)]
    terminal = access.known_terminal()
    with access.wiring().database.unit_of_work() as uow:
        results = iter(apply_acts.apply_acts(uow, terminal, json_data.sent_at, sent))
        count = act_store.take_turn(uow.connection, terminal.id)
        now = uow.clock.now()
    chinese = refusals.in_chinese()
    return {
        "items": [
            _result(index, next(results), chinese=chinese)
            if isinstance(each, apply_acts.ActIn)
            else each
            for index, each in enumerate(read)
        ],
        "next_act": count.last_sequence + 1,
        "missing": missing_before(count.last_sequence, count.received),
        "city_at": now,
    }


@blueprint.get("/terminals/acts")
@access.allow(*BACK_OFFICE)
@blueprint.input(ActsQuery, location="query")
@blueprint.output(ActsOut)
@blueprint.doc(summary="What was done on terminals, the newest first; plates stay in the vault")
def acts_kept(query_data: ActsQuery) -> dict[str, Any]:
    """List acts."""
    with access.wiring().database.read() as connection:
        found = act_store.page(
            connection,
            terminal_id=query_data.terminal_id,
            outcome=Outcome(query_data.outcome) if query_data.outcome else None,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit + 1,
        )
    shown = found[: query_data.limit]
    more = len(found) > query_data.limit
    return {
        "items": [_shown_act(each) for each in shown],
        "next": cursor(shown[-1].id) if more else None,
    }


@blueprint.get("/terminals/<uuid:terminal_id>/acts/mine/<day>")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@blueprint.output(MyActsOut)
@blueprint.doc(
    summary="What one did oneself at a terminal in a day, and the cash that one owes",
    description=f"The latest {MOST_OF_A_DAY}; all are counted. A day of China, by when acts were.",
)
def my_acts(terminal_id: UUID, day: str) -> dict[str, Any]:
    """List one's own acts of a day."""
    asked, caller = day_in(day), access.known_actor()
    if caller.account_id is None:
        raise Invalid("is for people, not for integrations", field="terminal_id")
    span = (begin_of(asked), begin_of(asked + timedelta(days=1)))
    with access.wiring().database.read() as connection:
        mine = (connection, terminal_id, caller.account_id, *span)
        found = act_store.of_person_between(*mine, MOST_OF_A_DAY)
        sums = act_store.sums_of_person(*mine)
        bays = bays_by_id(connection, {UUID(each) for each in map(_bay_of, found) if each})
        carried = shifts.carried(connection, caller.subject)
    labels = {str(each): bay.label for each, bay in bays.items()}
    return {
        "day": asked,
        "items": [
            {
                "id": each.id,
                "kind": each.kind.value,
                "at": each.at,
                "outcome": each.outcome,
                "words": refusals.as_asked(each.words) or None,
                "bay_label": labels.get(_bay_of(each) or ""),
                "amount": (each.effect or {}).get("amount"),
            }
            for each in found
        ],
        "counts": [
            {"kind": each.kind.value, "outcome": each.outcome.value, "acts": each.acts}
            for each in sums
        ],
        "taken_minor": sum(each.minor for each in sums),
        "carried": carried.as_json(),
    }


def _bay_of(act: Act) -> str | None:
    """Give the bay that an act names, where it could be read."""
    named = act.detail.get("bay_id")
    try:
        return None if named is None else str(parse_id(str(named), "bay_id"))
    except Invalid:
        return None


def _read_act(index: int, sent: object) -> apply_acts.ActIn | dict[str, Any]:
    """Read one act; where it is none, give what its sender is told."""
    try:
        # As JSON, for what is strict there: an id is a text, an instant too.
        part = ActPartIn.model_validate_json(orjson.dumps(sent), strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part)[:64] for part in fault["loc"]) or "body"
        return _unread(index, sent, f"{field}: {fault['msg']}")
    except orjson.JSONEncodeError:
        # A number beyond 64 bits, members within members without end: JSON, and no act.
        return _unread(index, sent, "is not an act")
    detail = part.model_dump(
        mode="json",
        exclude_none=True,
        exclude={
            "id", "sequence", "kind", "account_id", "device_at", "offset_ms", "plate", "plate_kind"
        },
    )  # fmt: skip
    return apply_acts.ActIn(
        id=part.id,
        sequence=part.sequence,
        kind=ActKind(part.kind),
        account_id=AccountId(part.account_id),
        device_at=part.device_at,
        offset_ms=part.offset_ms,
        detail=detail,
        plate=part.plate,
        plate_kind=part.plate_kind,
    )


def _unread(index: int, sent: object, words: str) -> dict[str, Any]:
    return {
        "id": _id_of(sent),
        "index": index,
        "result": "conflict",
        "kept": False,
        "reason": "unreadable",
        "detail": words,
        "advice": Advice.CALL.value,
        "effect": None,
    }


def _id_of(sent: object) -> UUID | None:
    named = sent.get("id") if isinstance(sent, dict) else None
    try:
        return parse_id(named, "id") if isinstance(named, str) else None
    except Invalid:
        return None


def _result(index: int, done: apply_acts.ActResult, *, chinese: bool) -> dict[str, Any]:
    return {
        "id": done.id,
        "index": index,
        "result": done.result,
        "kept": done.kept,
        "reason": done.reason or None,
        "detail": (refusals.told(done.words) if chinese else done.words) or None,
        "advice": done.advice.value if done.advice else None,
        "effect": done.effect,
    }


def _shown_act(act: Act) -> dict[str, Any]:
    refused = act.outcome is Outcome.REFUSED
    return {
        **{
            name: getattr(act, name)
            for name in (
                "id", "terminal_id", "sequence", "kind", "account_id", "device_at", "offset_ms",
                "at", "basis", "received_at", "detail", "outcome", "effect",
            )
        },
        "reason": act.reason or None,
        "words": refusals.as_asked(act.words) or None,
        "advice": advice_of(act.reason).value if refused else None,
    }  # fmt: skip
