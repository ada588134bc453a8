"""Stored-value cards as they are shown over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from city.money import Money
from payments.store.cards import bills_of_references

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from journeys.pay_by_card import PaidByCard
    from payments.cards import Issued
    from payments.rules.cards import Card, Movement


def shown_card(card: Card) -> dict[str, Any]:
    """Return a card."""
    return {
        "id": card.id,
        "number": card.number,
        "state": card.state.value,
        "balance": card.balance.as_json(),
        "registered": card.holder is not None,
        "read": card.read,
        "issued_at": card.issued_at,
        "expires_at": card.expires_at,
        "most": Money(card.most_minor, card.balance.currency).as_json(),
    }


def shown_issued(issued: Issued) -> dict[str, Any]:
    """Return a new card with its code."""
    return {"card": shown_card(issued.card), "code": issued.code}


def shown_paid(paid: PaidByCard) -> dict[str, Any]:
    """Return what a card paid."""
    order = paid.order
    return {
        "order_no": order.order_no,
        "state": order.state.value,
        "amount": order.amount.as_json(),
        "surplus": order.surplus,
        "balance": paid.card.balance.as_json(),
        "outstanding": paid.bill.outstanding.as_json(),
    }


def shown_movements(
    connection: Connection, found: Sequence[Movement], *, staff: bool
) -> list[dict[str, Any]]:
    """Return movements with the bills that they are about: one statement for all of them."""
    references = [each.reference for each in found if each.reference]
    bills = bills_of_references(connection, references)
    return [
        {
            "id": each.id,
            "kind": each.kind.value,
            "amount": each.amount.as_json(),
            "balance": each.balance.as_json(),
            "at": each.at,
            "by_way_of": each.by_way_of,
            "bill_id": bills.get(each.reference),
            "entry_id": each.entry_id if staff else None,
        }
        for each in found
    ]
