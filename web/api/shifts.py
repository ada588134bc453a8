"""Attendants' shifts, counted blind, and the cash that goes from hand to hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import AccountId, DistrictCode, uuid7
from city.money import Money
from city.people import Role
from journeys import keep_shifts
from journeys.keep_shifts import OFFICE, READERS, Receiver
from payments import services as payments
from payments import shifts as service
from payments.rules.cash_moves import MoveState
from payments.rules.ledger import AccountKind, cash_of
from payments.rules.shifts import CURRENCY, FACES_MINOR, ShiftState
from payments.store import shifts as store
from web import access
from web.acts import act, look
from web.api.cursors import after, page
from web.api.names import names_of
from web.api.schemas.shifts import (
    ApprovalIn,
    ColleaguesOut,
    ColleaguesQuery,
    CountedIn,
    CountIn,
    DepositIn,
    FloatIn,
    MineOut,
    MoveIn,
    MoveOut,
    MovesOut,
    MovesQuery,
    NoteIn,
    RefusalIn,
    ShiftIn,
    ShiftOut,
    ShiftsOut,
    ShiftsQuery,
    StandingOut,
    TillsOut,
)

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from city.people.actors import Actor
    from city.works.database import UnitOfWork
    from payments.rules.cash_moves import CashMove
    from payments.rules.shifts import Shift
    from web.api.schemas.base import MoneyIn

blueprint = APIBlueprint("shifts", __name__, url_prefix="/api/v1", tag="Shifts")
HANDS: Final = (Role.ATTENDANT, *OFFICE)
MOST_COLLEAGUES: Final = 200


@blueprint.post("/shifts")
@access.allow(Role.ATTENDANT)
@act
@blueprint.input(ShiftIn)
@blueprint.output(ShiftOut, status_code=201)
@blueprint.doc(summary="Begin a shift of one's own")
def begin(uow: UnitOfWork, json_data: ShiftIn) -> dict[str, Any]:
    """Begin a shift."""
    district = DistrictCode(json_data.district)
    caller = access.known_actor()
    return _shift(keep_shifts.begin_shift(uow, caller, uuid7(), district, json_data.place))


@blueprint.get("/shifts/mine")
@access.allow(Role.ATTENDANT)
@blueprint.output(MineOut)
@blueprint.doc(summary="One's own last shift, the cash that one owes, and what waits for a count")
def mine() -> dict[str, Any]:
    """Show one's own shift."""
    caller = access.known_actor()
    with access.wiring().database.read() as connection:
        last = store.last_of(connection, caller.subject)
        waiting = store.waiting(connection, cash_of(caller.subject))
        return {
            "shift": None if last is None else _shift(last),
            "carried": service.carried(connection, caller.subject).as_json(),
            "waiting": [_move(each) for each in waiting],
            "faces": list(FACES_MINOR),
            "names": _names(connection, waiting),
        }


@blueprint.get("/shifts/colleagues")
@access.allow(*HANDS)
@blueprint.input(ColleaguesQuery, location="query")
@blueprint.output(ColleaguesOut)
@blueprint.doc(summary=f"Attendants on shift in a district, at most {MOST_COLLEAGUES}")
def colleagues(query_data: ColleaguesQuery) -> dict[str, Any]:
    """List who is on shift."""
    caller = access.known_actor()
    district = DistrictCode(query_data.district)
    if not caller.in_district(district):
        return {"items": []}
    with access.wiring().database.read() as connection:
        found = store.open_in(connection, district, MOST_COLLEAGUES)
        names = names_of(connection, (each.holder for each in found))
    return {
        "items": [
            {"account_id": each.holder, "name": names.get(each.holder, ""), "place": each.place}
            for each in found
            if each.holder != caller.subject
        ]
    }


@blueprint.post("/shifts/<uuid:shift_id>/breaks")
@access.allow(Role.ATTENDANT)
@act
@blueprint.output(ShiftOut)
@blueprint.doc(summary="Begin a break")
def pause(uow: UnitOfWork, shift_id: UUID) -> dict[str, Any]:
    """Begin a break."""
    return _shift(keep_shifts.pause_shift(uow, access.known_actor(), shift_id))


@blueprint.post("/shifts/<uuid:shift_id>/breaks/end")
@access.allow(Role.ATTENDANT)
@act
@blueprint.output(ShiftOut)
@blueprint.doc(summary="End the break")
def resume(uow: UnitOfWork, shift_id: UUID) -> dict[str, Any]:
    """End the break."""
    return _shift(keep_shifts.resume_shift(uow, access.known_actor(), shift_id))


@blueprint.post("/shifts/<uuid:shift_id>/count")
@access.allow(Role.ATTENDANT)
@act
@blueprint.input(CountIn)
@blueprint.output(ShiftOut)
@blueprint.doc(summary="End one's shift by what one counted; a difference is posted at once")
def count(uow: UnitOfWork, shift_id: UUID, json_data: CountIn) -> dict[str, Any]:
    """End a shift."""
    pieces = {int(face): number for face, number in json_data.pieces.items()}
    caller = access.known_actor()
    return _shift(keep_shifts.count_shift(uow, caller, shift_id, pieces, json_data.note))


@blueprint.put("/shifts/<uuid:shift_id>/note")
@access.allow(Role.ATTENDANT)
@act
@blueprint.input(NoteIn)
@blueprint.output(ShiftOut)
@blueprint.doc(summary="Say something to the difference of one's own shift, until it is approved")
def explain(uow: UnitOfWork, shift_id: UUID, json_data: NoteIn) -> dict[str, Any]:
    """Explain a difference."""
    return _shift(keep_shifts.explain_shift(uow, access.known_actor(), shift_id, json_data.note))


@blueprint.post("/shifts/<uuid:shift_id>/approvals")
@access.allow(*OFFICE)
@act
@blueprint.input(ApprovalIn)
@blueprint.output(ShiftOut)
@blueprint.doc(summary="Approve a shift that was counted, and settle what came to be known since")
def approve(uow: UnitOfWork, shift_id: UUID, json_data: ApprovalIn) -> dict[str, Any]:
    """Approve a shift."""
    return _shift(keep_shifts.approve_shift(uow, access.known_actor(), shift_id, json_data.answer))


@blueprint.get("/shifts")
@access.allow(*READERS)
@blueprint.input(ShiftsQuery, location="query")
@blueprint.output(ShiftsOut)
@blueprint.doc(summary="Shifts, the latest first")
def shifts(query_data: ShiftsQuery) -> dict[str, Any]:
    """List shifts."""
    state = ShiftState(query_data.state) if query_data.state else None
    with access.wiring().database.read() as connection:
        found = store.page(
            connection,
            districts_of(access.known_actor()),
            state,
            after(query_data.cursor),
            query_data.limit,
        )
        names = names_of(connection, (who for each in found for who in _people(each)))
    return {**page(found, query_data.limit, _shift), "names": names}


@blueprint.get("/shifts/<uuid:shift_id>")
@access.allow(*READERS)
@look
@blueprint.output(StandingOut)
@blueprint.doc(summary="One shift with what the ledger says about it now")
def one(uow: UnitOfWork, shift_id: UUID) -> dict[str, Any]:
    """Show a shift."""
    found = keep_shifts.see_shift(uow, access.known_actor(), shift_id)
    return {
        "shift": _shift(found.shift),
        "account": cash_of(found.shift.holder).code,
        "known": found.known.as_json(),
        "unsettled": found.unsettled.as_json(),
        "under_way": found.under_way.as_json(),
        "sums": [
            {
                "kind": each.kind.value,
                "reason": each.reason,
                "entries": each.entries,
                "amount": each.amount.as_json(),
            }
            for each in found.sums
        ],
        "names": names_of(uow.connection, _people(found.shift)),
    }


@blueprint.post("/cash-moves")
@access.allow(Role.ATTENDANT)
@act
@blueprint.input(MoveIn)
@blueprint.output(MoveOut, status_code=201)
@blueprint.doc(summary="Offer cash that one carries to a colleague, or to the office")
def offer(uow: UnitOfWork, json_data: MoveIn) -> dict[str, Any]:
    """Offer cash."""
    given = json_data.to.account_id
    if (json_data.to.kind == "attendant") != (given is not None):
        raise Invalid("must name the account of an attendant, and of nobody else", field="to")
    offered = keep_shifts.offer_cash(
        uow,
        access.known_actor(),
        uuid7(),
        Receiver(None if given is None else AccountId(given)),
        _money(json_data.amount),
        district=DistrictCode(json_data.district),
    )
    return _move(offered)


@blueprint.post("/cash-moves/floats")
@access.allow(*OFFICE)
@act
@blueprint.input(FloatIn)
@blueprint.output(MoveOut, status_code=201)
@blueprint.doc(summary="Give an attendant cash of the office; posted when they have counted it")
def give_float(uow: UnitOfWork, json_data: FloatIn) -> dict[str, Any]:
    """Give a float."""
    offered = keep_shifts.give_float(
        uow,
        access.known_actor(),
        uuid7(),
        AccountId(json_data.account_id),
        _money(json_data.amount),
        district=DistrictCode(json_data.district),
    )
    return _move(offered)


@blueprint.post("/cash-moves/deposits")
@access.allow(*OFFICE)
@act
@blueprint.input(DepositIn)
@blueprint.output(MoveOut, status_code=201)
@blueprint.doc(summary="Record that the office brought cash to the bank; a slip counts once")
def deposit(uow: UnitOfWork, json_data: DepositIn) -> dict[str, Any]:
    """Record a deposit."""
    done = keep_shifts.deposit_cash(
        uow,
        access.known_actor(),
        uuid7(),
        DistrictCode(json_data.district),
        _money(json_data.amount),
        slip=json_data.slip,
    )
    return _move(done)


@blueprint.post("/cash-moves/<uuid:move_id>/acceptance")
@access.allow(*HANDS)
@act
@blueprint.input(CountedIn)
@blueprint.output(MoveOut)
@blueprint.doc(summary="Say that cash offered to one, or to one's office, was counted")
def accept(uow: UnitOfWork, move_id: UUID, json_data: CountedIn) -> dict[str, Any]:
    """Accept cash."""
    caller = access.known_actor()
    return _move(keep_shifts.accept_cash(uow, caller, move_id, _money(json_data.counted)))


@blueprint.post("/cash-moves/<uuid:move_id>/refusal")
@access.allow(*HANDS)
@act
@blueprint.input(RefusalIn)
@blueprint.output(MoveOut)
@blueprint.doc(summary="Refuse cash offered to one, or to one's office")
def refuse(uow: UnitOfWork, move_id: UUID, json_data: RefusalIn) -> dict[str, Any]:
    """Refuse cash."""
    return _move(keep_shifts.refuse_cash(uow, access.known_actor(), move_id, json_data.reason))


@blueprint.post("/cash-moves/<uuid:move_id>/withdrawal")
@access.allow(*HANDS)
@act
@blueprint.output(MoveOut)
@blueprint.doc(summary="Take back cash that one has offered")
def withdraw(uow: UnitOfWork, move_id: UUID) -> dict[str, Any]:
    """Take an offer back."""
    return _move(keep_shifts.withdraw_cash(uow, access.known_actor(), move_id))


@blueprint.get("/cash-moves")
@access.allow(*READERS)
@blueprint.input(MovesQuery, location="query")
@blueprint.output(MovesOut)
@blueprint.doc(summary="Cash that goes, or went, from hand to hand, the latest first")
def moves(query_data: MovesQuery) -> dict[str, Any]:
    """List cash that changed hands."""
    state = MoveState(query_data.state) if query_data.state else None
    with access.wiring().database.read() as connection:
        found = store.page_of_moves(
            connection,
            districts_of(access.known_actor()),
            state,
            after(query_data.cursor),
            query_data.limit,
        )
        names = _names(connection, found)
    return {**page(found, query_data.limit, _move), "names": names}


@blueprint.get("/tills")
@access.allow(*READERS)
@blueprint.output(TillsOut)
@blueprint.doc(summary="The cash in districts' offices, by the ledger")
def tills() -> dict[str, Any]:
    """Show tills."""
    caller = access.known_actor()
    with access.wiring().database.read() as connection:
        found = payments.balances(connection, AccountKind.TILL)
    return {
        "items": [
            {"district": account.holder, "account": account.code, "holds": money.as_json()}
            for account, held in found.items()
            for money in held
            if money.currency == CURRENCY and caller.in_district(account.holder)
        ]
    }


def districts_of(caller: Actor) -> list[DistrictCode] | None:
    """Give the districts whose shifts somebody reads; None: all."""
    if caller.districts is None:
        return None
    return [DistrictCode(each) for each in sorted(caller.districts)]


def _money(given: MoneyIn) -> Money:
    if given.currency != CURRENCY:
        raise Invalid("must be yuan", field="currency")
    return Money(given.minor, given.currency)


def _people(of: Shift) -> tuple[str | None, ...]:
    return (of.holder, of.approved_by)


def _names(connection: Connection, of: list[CashMove]) -> dict[str, str]:
    who = (each.source.holder for each in of), (each.target.holder for each in of)
    acted = (each.offered_by for each in of), (each.ended_by for each in of)
    return names_of(connection, {one for group in (*who, *acted) for one in group})


def _shift(of: Shift) -> dict[str, Any]:
    def shown(amount: Money | None) -> Any:
        return None if amount is None else amount.as_json()

    return {
        "id": of.id,
        "holder": of.holder,
        "district": of.district,
        "place": of.place,
        "state": of.state.value,
        "opened_at": of.opened_at,
        "carried": of.carried.as_json(),
        "breaks": [{"from_at": each.from_at, "until_at": each.until_at} for each in of.breaks],
        "counted_at": of.counted_at,
        "counted": shown(of.counted),
        "pieces": {str(face): number for face, number in of.pieces.items()},
        "expected": shown(of.expected),
        "late": of.late.as_json(),
        "difference": shown(of.difference),
        "note": of.note,
        "approved_at": of.approved_at,
        "approved_by": of.approved_by,
        "answer": of.answer,
    }


def _move(of: CashMove) -> dict[str, Any]:
    return {
        "id": of.id,
        "district": of.district,
        "source": {"kind": of.source.kind.value, "holder": of.source.holder},
        "target": {"kind": of.target.kind.value, "holder": of.target.holder},
        "amount": of.amount.as_json(),
        "state": of.state.value,
        "offered_at": of.offered_at,
        "offered_by": of.offered_by,
        "ended_at": of.ended_at,
        "ended_by": of.ended_by,
        "words": of.words,
    }
