"""What a POS terminal does: sales, voids and refunds, their reversals, and what is owed.

Each in the transaction that keeps it as an act with its answer (`journeys/answer_pos.py`). An act
that is refused is kept refused: told again, it is refused again, whatever has become of the bill.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from city.audit import record
from city.errors import CityError, Conflict, Forbidden, NotFound, Unavailable
from city.identifiers import BillId, ParkingSessionId, uuid7
from city.money import Money
from city.vault import find_plate
from city.works.database import UnitOfWork
from journeys.pay_by_card import read_card
from payments import cards, channel_orders, channel_refunds, pos_payments
from payments import services as payments
from payments.adapters.stored_value import MERCHANT as OUR_CARDS
from payments.pos_payments import CURRENCY, Sale
from payments.pos_terminals import actor_of
from payments.rules.bills import Bill, BillState
from payments.rules.channel_bills.lines import CHINA
from payments.rules.pos.answers import word
from payments.rules.pos.batches import ahead, in_window
from payments.rules.pos.iso8583 import Value
from payments.rules.pos.requests import TEXT_CODE, Code, Kind, Request
from payments.rules.pos.terminals import (
    REFUND_LIMIT,
    Act,
    ActState,
    BatchState,
    Terminal,
)
from payments.rules.refund_limits import check_limit
from payments.store import pos_acts as act_store
from payments.store import pos_batches as batch_store

if TYPE_CHECKING:
    from pydantic import JsonValue

MOST_SHOWN: Final = 8
"""Bills of one plate that an inquiry lists: what a terminal's screen and field 62 hold."""
_CARD_REASONS: Final = frozenset({"insufficient", "frozen", "replaced", "expired"})
_REFERENCES: Final = "channel_order_number"
"""The constraint that an acquirer's reference stands under one order."""
VOIDED: Final = "voided at the terminal"
REVERSED: Final = "reversed by the terminal: it had no answer"
REFUNDED: Final = "refunded at the terminal"


@dataclass(frozen=True, slots=True)
class Said:
    """What a message is answered with.

    Parameters
    ----------
    code : Code
    terminal : Terminal
        As it stands afterwards.
    added : mapping
        Fields beside those that are echoed.
    """

    code: Code
    terminal: Terminal
    added: Mapping[int, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Made:
    """What an act made."""

    bill_id: UUID | None = None
    order_no: str | None = None
    refund_no: str | None = None
    original_id: UUID | None = None
    reference: str = ""
    added: Mapping[int, str] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, code: Code, reason: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.reason = reason


def do_act(uow: UnitOfWork, terminal: Terminal, request: Request, digest: bytes) -> Said:
    """Do a sale, void or refund, or answer it as it was answered before.

    Parameters
    ----------
    uow : UnitOfWork
    terminal : Terminal
        Held; it proved what it says.
    request : Request
    digest : bytes
        Keyed hash of what it says.
    """
    known = act_store.find_act(uow.connection, terminal.id, request.batch_no, request.trace)
    if known is not None:
        return _again(terminal, known, digest)
    batch = batch_store.find_batch(uow.connection, terminal.id, request.batch_no)
    if batch is None or batch.batch_no != terminal.batch_no or batch.state is not BatchState.OPEN:
        return Said(Code.BATCH, terminal)
    if not in_window(terminal.last_trace, request.trace):
        return Said(Code.REPEATED, terminal, {63: "trace"})
    act_id, code, made = uuid7(), Code.OK, _Made()
    added: dict[int, str] = {}
    try:
        with uow.attempt():
            made = _DO[request.kind](uow, terminal, request, act_id)
            added = dict(made.added)
    except Unavailable:
        raise
    except _Refused as refused:
        code, added = refused.code, _words(refused.reason)
    except CityError as refused:
        reason = str(refused.details.get("reason", refused.code))
        code, added = _code_of(refused, reason), _words(reason)
    except IntegrityError as twice:
        if twice.orig is None or _REFERENCES not in str(twice.orig):
            raise
        # Another terminal told of the same reference just now.
        code, added = Code.REPEATED, _words("reference")
    act_store.add_act(
        uow.connection,
        Act(
            id=act_id,
            terminal_id=terminal.id,
            batch_no=request.batch_no,
            trace=request.trace,
            kind=request.kind,
            amount_minor=request.amount_minor,
            state=ActState.DONE if code is Code.OK else ActState.REFUSED,
            code=code.value,
            at=uow.clock.now(),
            digest=digest,
            answer={str(number): value for number, value in added.items()},
            operator=request.operator,
            reference=made.reference or request.reference,
            masked_card=request.masked_card,
            bill_id=made.bill_id,
            order_no=made.order_no,
            refund_no=made.refund_no,
            original_id=made.original_id,
        ),
    )
    return Said(code, _after(terminal, request.trace), added)


def reverse(uow: UnitOfWork, terminal: Terminal, request: Request) -> Said:
    """See to it that a sale or void whose answer never came has not happened.

    Where it did not come either, it is kept from being done should it still come. Told again it
    counts once. What stands in a batch that is settled stays.
    """
    act = act_store.find_act(uow.connection, terminal.id, request.batch_no, request.trace)
    batch = batch_store.find_batch(uow.connection, terminal.id, request.batch_no)
    here = (
        batch is not None and batch.batch_no == terminal.batch_no and batch.state is BatchState.OPEN
    )
    if act is None and here:
        act_store.add_act(uow.connection, _blocked(terminal, request, uow.clock.now()))
        return Said(Code.NOT_FOUND, _after(terminal, request.trace))
    if act is None or act.state in {ActState.BLOCKED, ActState.REFUSED}:
        return Said(Code.NOT_FOUND, terminal)
    if act.state is ActState.REVERSED:
        return Said(Code.OK, terminal)
    if act.kind is not request.reverses or not here:
        return Said(Code.OTHER_ORIGINAL, terminal)
    if act.amount_minor != request.amount_minor:
        return Said(Code.ORIGINAL_AMOUNT, terminal)
    return _taken_back(uow, terminal, request, act)


def _taken_back(uow: UnitOfWork, terminal: Terminal, request: Request, act: Act) -> Said:
    try:
        with uow.attempt():
            undone = _REVERSE[act.kind](uow, terminal, act)
    except Unavailable:
        raise
    except _Refused as refused:
        return Said(refused.code, terminal, _words(refused.reason))
    except CityError as refused:
        return Said(Code.OTHER_ORIGINAL, terminal, _words(refused.code))
    act_store.write_reversed(uow.connection, undone, uow.clock.now())
    _record(uow, terminal, "payments.pos_reversed", act.order_no or "", request)
    return Said(Code.OK, terminal)


def inquire(uow: UnitOfWork, terminal: Terminal, request: Request) -> Said:
    """Tell what is owed for a bill, a stay, or by a plate: the sum, and each bill's number.

    Of a sale's reference: what is to go back of it, as the finance desk agreed or is owed.

    Field 4 is the sum of the bills that field 62 lists (``B=ID,MINOR`` parted by semicolons), the
    oldest debt first; of more than eight the oldest eight.
    """
    if request.target is None:
        return _to_give_back(uow, terminal, request)
    try:
        found = _bills(uow, terminal, request)
    except CityError as refused:
        return Said(Code.NOT_FOUND, terminal, _words(refused.code))
    owed = sorted(
        (each for each in found if each.state is BillState.OPEN and each.outstanding),
        key=lambda each: (each.due_at, each.id),
    )[:MOST_SHOWN]
    if not owed:
        return Said(Code.NOT_FOUND, terminal, _words("nothing-owed"))
    listed = ";".join(f"B={each.id.hex},{each.outstanding.minor}" for each in owed)
    total_minor = sum(each.outstanding.minor for each in owed)
    return Said(
        Code.OK, terminal, {4: f"{total_minor:012d}", 49: "156", 62: listed.encode(TEXT_CODE)}
    )


def _to_give_back(uow: UnitOfWork, terminal: Terminal, request: Request) -> Said:
    """Tell the refund of a sale that waits for its card, the oldest first, and of which act."""
    sale = act_store.sale_of_reference(uow.connection, request.reference)
    order_no = None if sale is None else act_store.standing_order_no(uow.connection, sale)
    order = None if order_no is None else channel_orders.find_order(uow.connection, order_no)
    if sale is None or order is None:
        return Said(Code.NOT_FOUND, terminal, _words("original"))
    if order.merchant != terminal.merchant_no:
        return Said(Code.MERCHANT, terminal, _words("merchant"))
    waiting = pos_payments.waiting_refund(uow, order)
    if waiting is None:
        return Said(Code.NOT_FOUND, terminal, _words("nothing-waits"))
    return Said(
        Code.OK,
        terminal,
        {
            4: f"{waiting.amount.minor:012d}",
            37: request.reference,
            49: "156",
            61: f"{sale.batch_no:06d}{sale.trace:06d}",
        },
    )


def _sale(uow: UnitOfWork, terminal: Terminal, request: Request, act_id: UUID) -> _Made:
    card = None if not request.reader else read_card(uow, request.reader)
    # A card is held before its bill, as wherever it pays: then the bill is held later.
    found = _bills(uow, terminal, request, lock=card is None)
    if len(found) > 1:
        raise _Refused(Code.INVALID, "several-bills")
    if not found:
        raise _Refused(Code.NOT_FOUND, "nothing-owed")
    bill = found[0]
    amount = Money(request.amount_minor, CURRENCY)
    if bill.amount.currency != CURRENCY or (bill.outstanding and amount > bill.outstanding):
        raise _Refused(Code.AMOUNT, "more-than-owed")
    if request.reference and act_store.reference_used(uow.connection, request.reference):
        raise _Refused(Code.REPEATED, "reference")
    sale = Sale(
        bill.id, amount, act_id.hex, request.reference, terminal.merchant_no, terminal.subject
    )
    if card is None:
        held = bill if request.target and request.target.bill_id is not None else None
        order = pos_payments.take(uow, sale, held=held)
        return _Made(bill.id, order.order_no)
    order = pos_payments.take(uow, sale, cards.held(uow, card.id))
    reference = act_id.hex[-12:].upper()
    return _Made(bill.id, order.order_no, reference=reference, added={37: reference})


def _void(uow: UnitOfWork, terminal: Terminal, request: Request, act_id: UUID) -> _Made:
    told = request.original
    if told is None or told.batch_no != terminal.batch_no:
        raise _Refused(Code.NOT_FOUND, "original")
    sale = act_store.find_act(uow.connection, terminal.id, told.batch_no, told.trace)
    order_no = None if sale is None else act_store.standing_order_no(uow.connection, sale)
    if sale is None or sale.kind is not Kind.SALE or order_no is None:
        raise _Refused(Code.NOT_FOUND, "original")
    if sale.state is not ActState.DONE or act_store.voided(uow.connection, sale.id):
        raise _Refused(Code.OTHER_ORIGINAL, "taken-back")
    if sale.amount_minor != request.amount_minor:
        raise _Refused(Code.ORIGINAL_AMOUNT)
    # Under a name of its own: what is taken back on the spot counts towards no limit of refunds.
    by = f"{terminal.subject}:void"
    refund = pos_payments.undo(uow, order_no, act_id.hex, VOIDED, by)
    _record(uow, terminal, "payments.pos_voided", order_no, request)
    return _Made(sale.bill_id, None, refund.refund_no, sale.id, sale.reference)


def _refund(uow: UnitOfWork, terminal: Terminal, request: Request, act_id: UUID) -> _Made:
    told = request.original
    sale = act_store.sale_of_reference(uow.connection, request.reference)
    order_no = None if sale is None else act_store.standing_order_no(uow.connection, sale)
    if sale is None or order_no is None or told is None:
        raise _Refused(Code.NOT_FOUND, "original")
    order = channel_orders.find_order(uow.connection, order_no, lock=True)
    if order is None or (sale.batch_no, sale.trace) != (told.batch_no, told.trace):
        raise _Refused(Code.NOT_FOUND, "original")
    if order.merchant not in {terminal.merchant_no, OUR_CARDS}:
        raise _Refused(Code.MERCHANT, "merchant")
    amount = Money(request.amount_minor, CURRENCY)
    if pos_payments.waiting_refund(uow, order, amount) is None:
        midnight = (
            uow.wall.now().astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
        )
        given_minor = channel_refunds.given_back_by(uow.connection, terminal.subject, midnight)
        check_limit(REFUND_LIMIT, amount, given_minor)
    refund = pos_payments.give_back(uow, order, act_id.hex, amount, REFUNDED, terminal.subject)
    _record(uow, terminal, "payments.pos_refunded", order.order_no, request)
    return _Made(sale.bill_id, None, refund.refund_no, sale.id)


_DO: Final = {Kind.SALE: _sale, Kind.VOID: _void, Kind.REFUND: _refund}


def _reverse_sale(uow: UnitOfWork, terminal: Terminal, act: Act) -> Act:
    if act.order_no is None or act_store.voided(uow.connection, act.id):
        raise _Refused(Code.INVALID, "taken-back")
    refund_no = uuid7().hex
    by = f"{terminal.subject}:void"
    pos_payments.undo(uow, act.order_no, refund_no, REVERSED, by)
    return replace(act, refund_no=refund_no)


def _reverse_void(uow: UnitOfWork, terminal: Terminal, act: Act) -> Act:
    sale = act_store.act_by_id(uow.connection, act.original_id)
    if sale is None or sale.order_no is None or sale.bill_id is None:
        raise _Refused(Code.NOT_FOUND, "original")
    again = Sale(
        BillId(sale.bill_id),
        Money(act.amount_minor, CURRENCY),
        uuid7().hex,
        # The acquirer's number of the payment stands with the order that was voided.
        f"{sale.reference}-{act.trace:06d}",
        terminal.merchant_no,
        terminal.subject,
    )
    pos_payments.retake(uow, sale.order_no, again)
    return replace(act, order_no=again.order_no)


_REVERSE: Final = {Kind.SALE: _reverse_sale, Kind.VOID: _reverse_void}


def _bills(
    uow: UnitOfWork, terminal: Terminal, request: Request, *, lock: bool = False
) -> list[Bill]:
    """Give the bills that a request is for: one, or all open ones of a plate's vehicle.

    With `lock` one that is named by its id is held.
    """
    target = request.target
    if target is None:
        return []
    if target.bill_id is not None:
        one = payments.find_bill(uow.connection, BillId(target.bill_id), lock=lock)
        return [] if one is None else [one]
    if target.session_id is not None:
        one = payments.bill_of_session(uow.connection, ParkingSessionId(target.session_id))
        return [] if one is None else [one]
    if target.plate is None:
        return []
    vehicle_id = find_plate(uow, actor_of(terminal), target.plate, "paying at a POS terminal")
    if vehicle_id is None:
        return []
    page = payments.bills(uow.connection, state=BillState.OPEN, vehicle_id=vehicle_id, limit=100)
    return list(page.items)


def _again(terminal: Terminal, known: Act, digest: bytes) -> Said:
    if known.state in {ActState.BLOCKED, ActState.REVERSED}:
        return Said(Code.INVALID, terminal, {63: "reversed"})
    if known.digest != digest:
        return Said(Code.REPEATED, terminal, {63: "trace"})
    told = known.answer or {}
    return Said(Code(known.code), terminal, {int(key): value for key, value in told.items()})


def _blocked(terminal: Terminal, request: Request, at: datetime) -> Act:
    return Act(
        id=uuid7(),
        terminal_id=terminal.id,
        batch_no=request.batch_no,
        trace=request.trace,
        kind=request.reverses or Kind.SALE,
        amount_minor=request.amount_minor,
        state=ActState.BLOCKED,
        code=Code.NOT_FOUND.value,
        at=at,
    )


def _after(terminal: Terminal, trace: int) -> Terminal:
    """Give the terminal with its last trace; one that comes late does not set it back."""
    newer = in_window(terminal.last_trace, trace) and ahead(terminal.last_trace, trace)
    return replace(terminal, last_trace=trace) if newer else terminal


def _code_of(refused: CityError, reason: str) -> Code:
    if isinstance(refused, NotFound):
        return Code.NOT_FOUND
    if isinstance(refused, Forbidden):
        return Code.LIMIT
    if isinstance(refused, Conflict):
        return Code.FUNDS if reason in _CARD_REASONS else Code.INVALID
    return Code.AMOUNT


def _words(reason: str) -> dict[int, str]:
    return {63: word(reason)} if reason else {}


def _record(uow: UnitOfWork, terminal: Terminal, act: str, order_no: str, request: Request) -> None:
    detail: dict[str, JsonValue] = {
        "terminal_no": terminal.terminal_no,
        "batch_no": request.batch_no,
        "trace": request.trace,
        "amount_minor": request.amount_minor,
    }
    record(uow, actor_of(terminal), act, "channel_order", order_no, detail)
