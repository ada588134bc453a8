"""Shifts: begun, broken off, counted, approved; and cash that goes from hand to hand.

Whoever counts or hands over holds the turn of each account that it touches, so that nothing moves
by our own doing between what the ledger says and what is written about it. Cash that is taken for
bills meanwhile does not wait: what of it was done before a count is settled by its approval.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, NotFound
from city.identifiers import DistrictCode
from city.money import Money
from city.works.database import UnitOfWork
from payments.rules import cash_moves, shifts
from payments.rules.cash_moves import CashMove, MoveState
from payments.rules.ledger import Account, AccountKind, cash_of
from payments.rules.shifts import CURRENCY, Shift, ShiftState
from payments.store import ledger
from payments.store import shifts as store
from payments.store.shifts import Sum

_MOMENT: Final = timedelta(microseconds=1)
"""The finest that instants are told apart."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A shift with what the ledger says about it now.

    Attributes
    ----------
    known : Money
        What its holder should have carried at the count, or carries now while it is open.
    sums : list of Sum
        What moved in it, by kind.
    under_way : Money
        What was said to change hands by its count and waits for the other's word: to its holder,
        less what is from them.
    """

    shift: Shift
    known: Money
    sums: list[Sum]
    under_way: Money

    @property
    def unsettled(self) -> Money:
        """What came to be known after the count and is not settled by an approval."""
        if self.shift.expected is None:
            return Money(0, CURRENCY)
        return self.known - self.shift.expected - self.shift.late


def carried(connection: Connection, holder: str, at: datetime | None = None) -> Money:
    """Give what the ledger says that somebody carries, now or carried at an instant."""
    before_at = None if at is None else at + _MOMENT
    held = ledger.balance(connection, cash_of(holder), before_at)
    return held.get(CURRENCY, Money(0, CURRENCY))


def known(connection: Connection, of: Shift) -> Money:
    """Give what a shift's holder should have carried at its count, by what is known now.

    While it is open, what they carry now. Without what the count itself posted.
    """
    if of.counted_at is None:
        return carried(connection, of.holder)
    counted = store.posted_by_count(connection, cash_of(of.holder), of)
    return carried(connection, of.holder, of.counted_at) - Money(counted, CURRENCY)


def begin(  # noqa: PLR0917 - which, whose, where, and when
    uow: UnitOfWork,
    shift_id: UUID,
    holder: str,
    district: DistrictCode,
    place: str,
    at: datetime | None = None,
) -> Shift:
    """Begin a shift, now or as of an instant before; the same one again under its id.

    Raises
    ------
    Conflict
        Where the holder has one open or was counted since then, or another shift has this id.
    Invalid
        Without a place.
    """
    store.take_turns(uow.connection, [cash_of(holder).code])
    present = store.find(uow.connection, shift_id)
    if present is not None:
        if (present.holder, present.district) != (holder, district):
            raise Conflict("another shift has this id", field="id")
        return present
    last = store.last_of(uow.connection, holder)
    if last is not None and last.state is ShiftState.OPEN:
        raise Conflict("a shift is open already", field="state", reason="open")
    if at is not None and last is not None and at < (last.counted_at or last.opened_at):
        raise Conflict("another shift lasted longer than that", field="at", reason="overlap")
    made = shifts.opened(
        shift_id,
        holder,
        district,
        place,
        carried=carried(uow.connection, holder, at),
        at=at or uow.clock.now(),
    )
    store.add(uow.connection, made)
    return made


def pause(uow: UnitOfWork, shift_id: UUID, holder: str, at: datetime | None = None) -> Shift:
    """Begin a break; Conflict where one lasts, NotFound where it is not theirs."""
    return _written(uow, shifts.paused(_own(uow, shift_id, holder), at or uow.clock.now()))


def resume(uow: UnitOfWork, shift_id: UUID, holder: str, at: datetime | None = None) -> Shift:
    """End the break; Conflict where there is none, NotFound where it is not theirs."""
    return _written(uow, shifts.resumed(_own(uow, shift_id, holder), at or uow.clock.now()))


def count(  # noqa: PLR0917 - which, whose, what, and when
    uow: UnitOfWork,
    shift_id: UUID,
    holder: str,
    pieces: dict[int, int],
    note: str,
    at: datetime | None = None,
) -> Shift:
    """End a shift by what was counted, and post by how much that differs.

    Counted before now, it is held against what the ledger says that they carried then: what was
    told before it is in there, and what is told later is settled by the approval. So is cash that
    was under way then: without a line nobody could wait for the other's word.

    Raises
    ------
    NotFound
        Where it is not theirs.
    Conflict
        Where it is over; counted now, where cash is under way from or to them.
    Invalid
        As `rules.shifts.counted`.
    """
    store.take_turns(uow.connection, [cash_of(holder).code])
    present = _own(uow, shift_id, holder)
    if at is None and store.waiting(uow.connection, cash_of(holder)):
        raise Conflict(
            "cash is offered that nobody has counted yet", field="state", reason="cash-under-way"
        )
    now = at or uow.clock.now()
    expected = carried(uow.connection, holder, now)
    done, written = shifts.counted(present, pieces, note, expected, now)
    if written is not None:
        ledger.add_entry(uow.connection, written)
    return _written(uow, done)


def open_of(connection: Connection, holder: str) -> Shift:
    """Give somebody's open shift; Conflict where they have none."""
    last = store.last_of(connection, holder)
    if last is None or last.state is not ShiftState.OPEN:
        raise Conflict("no shift is open", field="state", reason="no-shift")
    return last


def explain(uow: UnitOfWork, shift_id: UUID, holder: str, note: str) -> Shift:
    """Say something to a difference; Conflict unless it waits for an approval."""
    return _written(uow, shifts.explained(_own(uow, shift_id, holder), note))


def approve(uow: UnitOfWork, shift_id: UUID, answer: str, by: str) -> Shift:
    """Approve a shift, and settle what came to be known after its count.

    Raises
    ------
    NotFound
        Where there is no such shift.
    Conflict
        As `rules.shifts.approved`, or while the same attendant's shift before it is unsettled: what
        belongs to that one would be settled in this one.
    Forbidden, Invalid
        As `rules.shifts.approved`.
    """
    found = find(uow.connection, shift_id)
    store.take_turns(uow.connection, [cash_of(found.holder).code])
    present = store.find(uow.connection, shift_id, lock=True) or found
    before = store.last_of(uow.connection, found.holder, present.opened_at)
    if before is not None and (
        before.state is not ShiftState.APPROVED or standing(uow.connection, before).unsettled
    ):
        raise Conflict(
            "the shift before it has to be approved first", field="state", reason="earlier-waits"
        )
    there = known(uow.connection, present)
    done, approval, written = shifts.approved(present, there, answer, uow.clock.now(), by)
    store.add_approval(uow.connection, approval)
    if written is not None:
        ledger.add_entry(uow.connection, written)
    return _written(uow, done)


def find(connection: Connection, shift_id: UUID) -> Shift:
    """Give a shift; NotFound where there is none."""
    found = store.find(connection, shift_id)
    if found is None:
        raise NotFound("there is no such shift", field="shift_id")
    return found


def standing(connection: Connection, of: Shift) -> Standing:
    """Give a shift with what the ledger says about it: five statements."""
    account = cash_of(of.holder)
    moved = store.sums(connection, account, of, of.counted_at)
    under_way = sum(
        each.amount.minor if each.target == account else -each.amount.minor
        for each in store.waiting(connection, account)
        if of.counted_at is None or each.offered_at <= of.counted_at
    )
    return Standing(of, known(connection, of), moved, Money(under_way, CURRENCY))


# --- cash that goes from hand to hand ------------------------------------------------------------


def offer(
    uow: UnitOfWork,
    move_id: UUID,
    district: DistrictCode,
    source: Account,
    target: Account,
    *,
    amount: Money,
    by: str,
    at: datetime | None = None,
) -> CashMove:
    """Say that cash changes hands; the same again where it was said under this id.

    Where the other waits for just that, both agree: what they said is given, ended.

    Parameters
    ----------
    uow, move_id, district
    source, target
        From whom to whom.
    amount
    by
        The one of both who says so.
    at
        As of when; None for now.

    Raises
    ------
    Conflict
        Where another one has this id, or as many wait as are ever shown.
    Invalid
        As `rules.cash_moves.offered`.
    """
    store.take_turns(uow.connection, [source.code, target.code])
    said_at = at or uow.clock.now()
    made = cash_moves.offered(move_id, district, source, target, amount, at=said_at, by=by)
    before = _present(uow, made)
    if before is not None:
        return before
    for each in store.waiting(uow.connection, source):
        if each.said_by_other(made):
            present = find_move(uow.connection, each.id, lock=True)
            if present.said_by_other(made):
                return _agreed(uow, present, amount, said_at, by)
    for end in (source, target):
        if len(store.waiting(uow.connection, end)) >= store.MOST_WAITING:
            raise Conflict("too many offers wait to be counted", field="to", reason="too-many")
    store.add_move(uow.connection, made)
    return made


def deposit(
    uow: UnitOfWork, move_id: UUID, district: DistrictCode, amount: Money, slip: str, *, by: str
) -> CashMove:
    """Record cash brought to the bank; the same deposit again where it is known by this id.

    Raises
    ------
    Conflict
        Where the slip, or the id, is another deposit's.
    Invalid
        As `rules.cash_moves.deposited`.
    """
    made = cash_moves.deposited(move_id, district, amount, slip, at=uow.clock.now(), by=by)
    store.take_turns(uow.connection, [made.source.code])
    before = _present(uow, made)
    if before is not None:
        return before
    try:
        with uow.connection.begin_nested():
            store.add_move(uow.connection, made)
    except IntegrityError:
        raise Conflict("another deposit has this slip", field="slip", reason="slip-used") from None
    ledger.add_entry(uow.connection, made.entry())
    return made


def accept(
    uow: UnitOfWork, move_id: UUID, counted: Money, by: str, at: datetime | None = None
) -> CashMove:
    """Say that what was offered was counted and is right, now or then: it is posted.

    Said twice (on line, and by a device that heard no answer), it is one.

    Raises
    ------
    NotFound, Conflict, Forbidden
        As `rules.cash_moves.accepted`.
    """
    offered = find_move(uow.connection, move_id)
    store.take_turns(uow.connection, [offered.source.code, offered.target.code])
    present = find_move(uow.connection, move_id, lock=True)
    before = (present.state, present.ended_by, present.amount)
    if at is not None and before == (MoveState.ACCEPTED, by, counted):
        return present
    return _agreed(uow, present, counted, at or uow.clock.now(), by)


def _agreed(
    uow: UnitOfWork, present: CashMove, counted: Money, said_at: datetime, by: str
) -> CashMove:
    """Post what both say, as of the earlier word.

    What an attendant gave away was not in their bag when they were counted afterwards, whenever the
    other's word came. Where who gets it was counted between both words it was not in theirs: it
    stands as of their own. A float stands as of when it was counted.
    """
    done = cash_moves.accepted(present, counted, max(said_at, present.offered_at), by)
    store.write_move(uow.connection, done)
    first_at, got_at = min(said_at, present.offered_at), present.received_at(said_at, by)
    as_got = present.source.kind is AccountKind.TILL or (
        present.target.kind is AccountKind.CASH
        and store.counted_between(uow.connection, present.target.holder, first_at, got_at)
    )
    ledger.add_entry(uow.connection, done.entry(got_at if as_got else first_at))
    return done


def refuse(uow: UnitOfWork, move_id: UUID, words: str, by: str) -> CashMove:
    """Refuse what was offered; NotFound, Conflict, Invalid as `rules.cash_moves.refused`."""
    present = find_move(uow.connection, move_id, lock=True)
    done = cash_moves.refused(present, words, uow.clock.now(), by)
    store.write_move(uow.connection, done)
    return done


def withdraw(uow: UnitOfWork, move_id: UUID, by: str) -> CashMove:
    """Take back what was offered; NotFound, Conflict, Forbidden."""
    present = find_move(uow.connection, move_id, lock=True)
    done = cash_moves.withdrawn(present, uow.clock.now(), by)
    store.write_move(uow.connection, done)
    return done


def find_move(connection: Connection, move_id: UUID, *, lock: bool = False) -> CashMove:
    """Give cash under way, with `lock` until nobody else ends it; NotFound where there is none."""
    found = store.find_move(connection, move_id, lock=lock)
    if found is None:
        raise NotFound("there is no such cash under way", field="move_id")
    return found


def _present(uow: UnitOfWork, made: CashMove) -> CashMove | None:
    found = store.find_move(uow.connection, made.id)
    if found is None:
        return None
    if (found.source, found.target, found.amount, found.offered_by) != (
        made.source,
        made.target,
        made.amount,
        made.offered_by,
    ):
        raise Conflict("other cash has this id", field="id")
    return found


def _own(uow: UnitOfWork, shift_id: UUID, holder: str) -> Shift:
    found = store.find(uow.connection, shift_id, lock=True)
    if found is None or found.holder != holder:
        raise NotFound("there is no such shift of yours", field="shift_id")
    return found


def _written(uow: UnitOfWork, changed: Shift) -> Shift:
    store.write(uow.connection, changed)
    return changed
