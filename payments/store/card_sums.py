"""What cards hold by themselves, by their movements and by the ledger; and orders beside debits."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from city.money import Money
from payments.rules.card_sums import (
    CardDifference,
    CardDifferenceKind,
    CardProposal,
    CardTold,
)
from payments.rules.ledger import stored_value_of
from payments.store import cards, ledger

if TYPE_CHECKING:
    from uuid import UUID

_AT_ONCE: Final = 500
# An order that its debit has not reached yet is asked after within the minute; what is older and
# still apart is apart.
_DEBITS: Final = text(
    "select m.reference, -m.minor as minor, c.currency from payments.card_movement m"
    " join payments.card c on c.id = m.card_id"
    " left join payments.channel_order o on o.order_no = m.reference"
    " where m.kind = 'debit' and m.at >= :from_at and m.at < :before_at"
    " and o.state is distinct from 'paid' order by m.place limit :most"
)
_TOP_UPS: Final = text(
    "select m.reference, m.minor, c.currency from payments.card_movement m"
    " join payments.card c on c.id = m.card_id"
    " left join payments.channel_order o on o.movement_id = m.id"
    " where m.kind = 'top-up' and m.reference <> '' and m.at >= :from_at and m.at < :before_at"
    " and o.state is distinct from 'paid' order by m.place limit :most"
)
_PAID_TOP_UPS: Final = text(
    "select o.order_no, o.amount_minor - o.refunded_minor as minor, o.currency"
    " from payments.channel_order o where o.card_id is not null and o.state = 'paid'"
    " and coalesce(o.done_at, o.opened_at) >= :since_at and o.movement_id is null"
    " and o.refunded_minor < o.amount_minor order by o.id limit :most"
)
_ORDERS: Final = text(
    "select o.order_no, o.amount_minor as minor, o.currency from payments.channel_order o"
    " where o.channel = 'card' and o.state = 'paid'"
    " and coalesce(o.done_at, o.opened_at) >= :since_at"
    " and not exists (select from payments.card_movement m"
    "  where m.kind = 'debit' and m.reference = o.order_no) order by o.id limit :most"
)


def told(connection: Connection) -> Iterator[list[CardTold]]:
    """Tell every card's amount three times, five hundred cards and four statements at a time."""
    after: UUID | None = None
    while page := cards.cards_after(connection, after, _AT_ONCE):
        ids = [each.id for each in page]
        moved = cards.moved_sums(connection, ids)
        owed = ledger.balances_of(connection, [stored_value_of(each) for each in ids])
        yield [
            CardTold(
                each.id,
                each.number,
                each.balance,
                Money(moved.get(each.id, 0), each.balance.currency),
                _owed(owed.get(stored_value_of(each.id).code, ()), each.balance.currency),
            )
            for each in page
        ]
        after = page[-1].id


def debits_without_order(
    connection: Connection, from_at: datetime, before_at: datetime
) -> list[CardDifference]:
    """Give what was taken off cards between two instants and no order counts as paid by."""
    rows = connection.execute(
        _DEBITS, {"from_at": from_at, "before_at": before_at, "most": _AT_ONCE}
    )
    return [
        CardDifference(
            CardDifferenceKind.DEBIT_WITHOUT_ORDER,
            CardProposal.ASK_AGAIN,
            row.reference,
            Money(row.minor, row.currency),
        )
        for row in rows
    ]


def orders_without_debit(connection: Connection, since_at: datetime) -> list[CardDifference]:
    """Give orders that count as paid by a card since an instant of wall time, by none."""
    rows = connection.execute(_ORDERS, {"since_at": since_at, "most": _AT_ONCE})
    return [
        CardDifference(
            CardDifferenceKind.ORDER_WITHOUT_DEBIT,
            CardProposal.FIND_DEBIT,
            row.order_no,
            Money(row.minor, row.currency),
        )
        for row in rows
    ]


def top_ups_without_order(
    connection: Connection, from_at: datetime, before_at: datetime
) -> list[CardDifference]:
    """Give what came onto cards online between two instants and no order counts as paid for."""
    rows = connection.execute(
        _TOP_UPS, {"from_at": from_at, "before_at": before_at, "most": _AT_ONCE}
    )
    return [
        CardDifference(
            CardDifferenceKind.TOP_UP_WITHOUT_ORDER,
            CardProposal.ASK_AGAIN,
            row.reference,
            Money(row.minor, row.currency),
        )
        for row in rows
    ]


def orders_without_top_up(connection: Connection, since_at: datetime) -> list[CardDifference]:
    """Give top-ups that were paid since an instant of wall time, and lie nowhere."""
    rows = connection.execute(_PAID_TOP_UPS, {"since_at": since_at, "most": _AT_ONCE})
    return [
        CardDifference(
            CardDifferenceKind.ORDER_WITHOUT_TOP_UP,
            CardProposal.GIVE_BACK_AGAIN,
            row.order_no,
            Money(row.minor, row.currency),
        )
        for row in rows
    ]


def _owed(balances: Sequence[Money], currency: str) -> Money:
    """Give what is owed in a currency: credits are below zero in the ledger."""
    return next((-each for each in balances if each.currency == currency), Money(0, currency))
