"""Bills whose debt is to stand on the other account, and the moves that put it there."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, text

from city.identifiers import BillId
from city.money import Money
from city.works.rows import as_rows
from payments.rules.bills import Bill, BillState
from payments.rules.debts import Move
from payments.store.bills import bill_of
from payments.store.tables import bill

_ADD: Final = text(
    "insert into payments.arrears_move"
    " (id, bill_id, amount_minor, currency, in_arrears, moved_at, reason)"
    " select r.id, r.bill_id, r.amount_minor, r.currency, r.in_arrears, r.moved_at, r.reason"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, bill_id uuid,"
    "  amount_minor bigint, currency text, in_arrears boolean, moved_at timestamptz, reason text)"
)
_OF: Final = text(
    "select id, amount_minor, currency, in_arrears, moved_at, reason from payments.arrears_move"
    " where bill_id = :bill_id order by moved_at, id"
)
_STAND: Final = text(
    "update payments.bill b set in_arrears = r.in_arrears"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(bill_id uuid, in_arrears boolean)"
    " where b.id = r.bill_id and b.in_arrears <> r.in_arrears"
)


def bills_fallen_due(connection: Connection, now: datetime, limit: int) -> list[Bill]:
    """Give overdue bills whose debt is not among the arrears, held; not those that others hold."""
    query = (
        select(bill)
        .where(
            bill.c.state == BillState.OPEN.value,
            bill.c.in_arrears.is_(False),
            bill.c.due_at < now,
        )
        .order_by(bill.c.due_at, bill.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [bill_of(row) for row in connection.execute(query).mappings()]


def moves_of(connection: Connection, bill_id: BillId) -> list[Move]:
    """Give a bill's moves, the first one first."""
    return [
        Move(
            row.id,
            bill_id,
            Money(row.amount_minor, row.currency),
            row.in_arrears,
            row.moved_at,
            row.reason,
        )
        for row in connection.execute(_OF, {"bill_id": bill_id})
    ]


def add_moves(connection: Connection, moves: Collection[Move]) -> None:
    """Keep moves, and on their bills where their debts stand by now: two statements."""
    if not moves:
        return
    rows = as_rows(
        [
            {
                "id": each.id,
                "bill_id": each.bill_id,
                "amount_minor": each.amount.minor,
                "currency": each.amount.currency,
                "in_arrears": each.in_arrears,
                "moved_at": each.at,
                "reason": each.reason,
            }
            for each in moves
        ]
    )
    connection.execute(_ADD, {"rows": rows})
    connection.execute(_STAND, {"rows": rows})


def leave_arrears(connection: Connection, left: Bill) -> None:
    """Keep on a bill that its debt is not among the arrears, where nothing is left to be moved."""
    connection.execute(bill.update().where(bill.c.id == left.id).values(in_arrears=False))
