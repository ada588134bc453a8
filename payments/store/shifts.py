"""Shifts and the cash that goes from hand to hand: their tables and every query on them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    CompoundSelect,
    Connection,
    RowMapping,
    Table,
    Text,
    Uuid,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from city.identifiers import DistrictCode
from city.money import Money
from city.time import parse_rfc3339
from payments.rules.cash_moves import CashMove, MoveState
from payments.rules.ledger import Account, AccountKind, EntryKind
from payments.rules.shifts import Approval, Break, Shift, ShiftState
from payments.store import tables
from payments.store.bills import LARGEST_PAGE
from payments.store.spans import ALWAYS, Span
from payments.store.tables import entry, posting

shift = Table(
    "shift",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("opened_at", tables.INSTANT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("carried_minor", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("breaks", JSONB, nullable=False),
    Column("counted_at", tables.INSTANT),
    Column("counted_minor", BigInteger),
    Column("pieces", JSONB, nullable=False),
    Column("expected_minor", BigInteger),
    Column("late_minor", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("approved_at", tables.INSTANT),
    Column("approved_by", Text),
    Column("answer", Text, nullable=False),
)

approval = Table(
    "shift_approval",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("shift_id", Uuid, nullable=False),
    Column("late_minor", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", tables.INSTANT, nullable=False),
    Column("by", Text, nullable=False),
)

cash_move = Table(
    "cash_move",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("district", Text, nullable=False),
    Column("source_kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("offered_at", tables.INSTANT, nullable=False),
    Column("offered_by", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at", tables.INSTANT),
    Column("ended_by", Text),
    Column("words", Text, nullable=False),
)

MOST_WAITING: Final = 50
"""Offers from or to one account that are shown at once; nobody has more to count."""
_TURN: Final = text("select pg_advisory_xact_lock(hashtextextended('payments.shift:' || :who, 0))")


@dataclass(frozen=True, slots=True)
class Sum:
    """What entries of one kind and reason moved on an account."""

    kind: EntryKind
    reason: str
    entries: int
    amount: Money


def take_turns(connection: Connection, accounts: Collection[str]) -> None:
    """Let one transaction at a time count or hand over some people's cash."""
    for code in sorted(accounts):
        connection.execute(_TURN, {"who": code})


# --- shifts --------------------------------------------------------------------------------------


def add(connection: Connection, made: Shift) -> None:
    """Keep a shift; a second open one of its holder breaks a constraint."""
    connection.execute(insert(shift).values(id=made.id, **_values(made)))


def write(connection: Connection, changed: Shift) -> None:
    """Write what became of a shift."""
    connection.execute(update(shift).where(shift.c.id == changed.id).values(**_values(changed)))


def add_approval(connection: Connection, made: Approval) -> None:
    """Keep one approval of a shift."""
    connection.execute(
        insert(approval).values(
            id=made.id,
            shift_id=made.shift_id,
            late_minor=made.late.minor,
            answer=made.answer,
            at=made.at,
            by=made.by,
        )
    )


def find(connection: Connection, shift_id: UUID, *, lock: bool = False) -> Shift | None:
    """Give a shift; with `lock` nobody else changes it meanwhile."""
    query = select(shift).where(shift.c.id == shift_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else shift_of(row)


def last_of(connection: Connection, holder: str, before_at: datetime | None = None) -> Shift | None:
    """Give somebody's last shift, or the last that they began before an instant."""
    query = select(shift).where(shift.c.holder == holder)
    if before_at is not None:
        query = query.where(shift.c.opened_at < before_at)
    query = query.order_by(shift.c.opened_at.desc(), shift.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else shift_of(row)


def page(
    connection: Connection,
    districts: Collection[DistrictCode] | None,
    state: ShiftState | None,
    after: UUID | None,
    limit: int,
    *,
    span: Span = ALWAYS,
) -> list[Shift]:
    """Give shifts, the latest first: one more than a page, so that the caller sees an end.

    Parameters
    ----------
    districts
        Whose; None for all.
    span
        In which they began.
    """
    query = span.of(select(shift), shift.c.opened_at)
    if districts is not None:
        query = query.where(shift.c.district.in_(list(districts)))
    if state is not None:
        query = query.where(shift.c.state == state.value)
    if after is not None:
        query = query.where(shift.c.id < after)
    query = query.order_by(shift.c.id.desc())
    rows = connection.execute(query.limit(min(limit, LARGEST_PAGE) + 1)).mappings().all()
    return [shift_of(row) for row in rows]


def open_in(connection: Connection, district: DistrictCode, limit: int) -> list[Shift]:
    """Give a district's open shifts, those that began last first."""
    query = (
        select(shift)
        .where(shift.c.district == district, shift.c.state == ShiftState.OPEN.value)
        .order_by(shift.c.opened_at.desc(), shift.c.id.desc())
        .limit(limit)
    )
    return [shift_of(row) for row in connection.execute(query).mappings()]


def sums(
    connection: Connection, account: Account, of: Shift, until_at: datetime | None
) -> list[Sum]:
    """Add up what moved on an account in a shift, by kind and reason of the entries.

    By the postings' index on account and date: cost grows with what one attendant did in a shift.

    Parameters
    ----------
    connection
    account
    of
        The shift; the entries of its own count are left out.
    until_at
        What stands at this very instant is in; None: all since the beginning.
    """
    query = (
        select(
            entry.c.kind,
            entry.c.reason,
            posting.c.currency,
            func.count().label("entries"),
            func.sum(posting.c.minor).label("minor"),
        )
        .join(entry, entry.c.id == posting.c.entry_id)
        .where(
            posting.c.account == account.code,
            posting.c.at >= of.opened_at,
            entry.c.subject.not_in(_own_subjects(of)),
        )
        .group_by(entry.c.kind, entry.c.reason, posting.c.currency)
        .order_by(entry.c.kind, entry.c.reason, posting.c.currency)
    )
    if until_at is not None:
        query = query.where(posting.c.at <= until_at)
    return [
        Sum(EntryKind(row.kind), row.reason, row.entries, Money(int(row.minor), row.currency))
        for row in connection.execute(query)
    ]


def posted_by_count(connection: Connection, account: Account, of: Shift) -> int:
    """Give what a shift's own count posted on an account up to its instant, in minor units."""
    query = (
        select(func.coalesce(func.sum(posting.c.minor), 0))
        .join(entry, entry.c.id == posting.c.entry_id)
        .where(
            entry.c.subject.in_(_own_subjects(of)),
            posting.c.account == account.code,
            posting.c.currency == of.carried.currency,
            posting.c.at <= of.counted_at,
        )
    )
    return int(connection.execute(query).scalar_one())


def counted_between(
    connection: Connection, holder: str, from_at: datetime, until_at: datetime
) -> bool:
    """Say whether somebody ended a shift by a count between two instants."""
    query = select(shift.c.id).where(
        shift.c.holder == holder, shift.c.counted_at >= from_at, shift.c.counted_at < until_at
    )
    return connection.execute(query.limit(1)).first() is not None


# --- cash that goes from hand to hand ------------------------------------------------------------


def add_move(connection: Connection, made: CashMove) -> None:
    """Keep cash under way; a deposit's slip that is known breaks a constraint."""
    connection.execute(
        insert(cash_move).values(
            id=made.id,
            district=made.district,
            source_kind=made.source.kind.value,
            source=made.source.holder,
            target_kind=made.target.kind.value,
            target=made.target.holder,
            amount_minor=made.amount.minor,
            currency=made.amount.currency,
            offered_at=made.offered_at,
            offered_by=made.offered_by,
            state=made.state.value,
            ended_at=made.ended_at,
            ended_by=made.ended_by,
            words=made.words,
        )
    )


def write_move(connection: Connection, changed: CashMove) -> None:
    """Write how it ended."""
    connection.execute(
        update(cash_move)
        .where(cash_move.c.id == changed.id)
        .values(
            state=changed.state.value,
            ended_at=changed.ended_at,
            ended_by=changed.ended_by,
            words=changed.words,
        )
    )


def find_move(connection: Connection, move_id: UUID, *, lock: bool = False) -> CashMove | None:
    """Give cash under way; with `lock` nobody else ends it meanwhile."""
    query = select(cash_move).where(cash_move.c.id == move_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _move(row)


def waiting(connection: Connection, account: Account) -> list[CashMove]:
    """Give the offers from and to an account that nobody has ended, the oldest first."""
    ours = or_(
        and_(cash_move.c.source_kind == account.kind.value, cash_move.c.source == account.holder),
        and_(cash_move.c.target_kind == account.kind.value, cash_move.c.target == account.holder),
    )
    query = (
        select(cash_move)
        .where(cash_move.c.state == MoveState.OFFERED.value, ours)
        .order_by(cash_move.c.offered_at, cash_move.c.id)
        .limit(MOST_WAITING)
    )
    return [_move(row) for row in connection.execute(query).mappings()]


def page_of_moves(
    connection: Connection,
    districts: Collection[DistrictCode] | None,
    state: MoveState | None,
    after: UUID | None,
    limit: int,
    *,
    span: Span = ALWAYS,
) -> list[CashMove]:
    """Give cash that went or goes from hand to hand, the latest first; one more than a page.

    `span` is when it was offered.
    """
    query = span.of(select(cash_move), cash_move.c.offered_at)
    if districts is not None:
        query = query.where(cash_move.c.district.in_(list(districts)))
    if state is not None:
        query = query.where(cash_move.c.state == state.value)
    if after is not None:
        query = query.where(cash_move.c.id < after)
    query = query.order_by(cash_move.c.id.desc()).limit(min(limit, LARGEST_PAGE) + 1)
    return [_move(row) for row in connection.execute(query).mappings()]


def _own_subjects(of: Shift) -> CompoundSelect[Any]:
    """Name what the entries of a shift's own count are about: the shift and its approvals."""
    approvals = select(approval.c.id).where(approval.c.shift_id == of.id)
    return select(literal(of.id, Uuid)).union_all(approvals)


def _values(of: Shift) -> dict[str, Any]:
    return {
        "holder": of.holder,
        "district": of.district,
        "place": of.place,
        "opened_at": of.opened_at,
        "currency": of.carried.currency,
        "carried_minor": of.carried.minor,
        "state": of.state.value,
        "breaks": [
            [each.from_at.isoformat(), each.until_at.isoformat() if each.until_at else None]
            for each in of.breaks
        ],
        "counted_at": of.counted_at,
        "counted_minor": of.counted.minor if of.counted is not None else None,
        "pieces": {str(face): number for face, number in of.pieces.items()},
        "expected_minor": of.expected.minor if of.expected is not None else None,
        "late_minor": of.late.minor,
        "note": of.note,
        "approved_at": of.approved_at,
        "approved_by": of.approved_by,
        "answer": of.answer,
    }


def shift_of(row: RowMapping) -> Shift:
    """Read a shift's row."""

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, row["currency"])

    return Shift(
        id=row["id"],
        holder=row["holder"],
        district=DistrictCode(row["district"]),
        place=row["place"],
        opened_at=row["opened_at"],
        carried=Money(row["carried_minor"], row["currency"]),
        state=ShiftState(row["state"]),
        breaks=tuple(_break(each) for each in row["breaks"]),
        counted_at=row["counted_at"],
        counted=money(row["counted_minor"]),
        pieces={int(face): number for face, number in row["pieces"].items()},
        expected=money(row["expected_minor"]),
        late=Money(row["late_minor"], row["currency"]),
        note=row["note"],
        approved_at=row["approved_at"],
        approved_by=row["approved_by"],
        answer=row["answer"],
    )


def _break(kept: Sequence[str | None]) -> Break:
    from_at, until_at = kept
    return Break(
        parse_rfc3339(str(from_at), "from_at"),
        None if until_at is None else parse_rfc3339(until_at, "until_at"),
    )


def _move(row: RowMapping) -> CashMove:
    return CashMove(
        id=row["id"],
        district=DistrictCode(row["district"]),
        source=Account(AccountKind(row["source_kind"]), row["source"]),
        target=Account(AccountKind(row["target_kind"]), row["target"]),
        amount=Money(row["amount_minor"], row["currency"]),
        offered_at=row["offered_at"],
        offered_by=row["offered_by"],
        state=MoveState(row["state"]),
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        words=row["words"],
    )
