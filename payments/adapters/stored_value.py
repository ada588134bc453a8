"""Our own stored-value cards as a channel: what an order is over is taken off a card.

It answers at once and never forgets, so that nothing is unknown for longer than a dead process
leaves it: whoever asks again finds the movement under the order's number. It sends no notifications
and gives no bills, for what it takes never leaves us.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

from city.errors import CityError, Invalid, Unavailable
from city.money import Money
from city.works.database import Database
from payments import cards
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.cards import Movement
from payments.rules.channels import (
    Answer,
    Channel,
    Fate,
    Notice,
    Opening,
    Order,
    Refund,
    RefundAnswer,
    RefundFate,
)

MERCHANT: Final = "greenbay"
BY: Final = "channel:card"


class StoredValueCards:
    """The channel of stored-value cards; implements `ChannelAdapter`.

    Parameters
    ----------
    database : Database
        Where the cards are: each hook is a transaction of its own.
    """

    channel = Channel.CARD
    merchant = MERCHANT

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, order: Order, payer: str = "") -> Opening:
        """Take what the order is over off the card whose id ``payer`` is.

        Answers PAID where it was taken off, now or before, and CLOSED where the card does not pay.

        Raises
        ------
        Invalid
            Where no card is named.
        """
        try:
            card_id = UUID(payer)
        except ValueError:
            raise Invalid("is no card's id", field="card") from None
        try:
            with self._database.unit_of_work() as uow:
                if uow.wall.now() > order.expires_at:
                    return Opening(Answer(Fate.CLOSED, reason="expired"))
                taken = cards.debit(uow, card_id, order.order_no, order.amount, BY)
        except Unavailable:
            return Opening(Answer(Fate.UNKNOWN, reason="unavailable"))
        except CityError as refused:
            reason = refused.details.get("reason", refused.code)
            return Opening(Answer(Fate.CLOSED, reason=str(reason)))
        return Opening(_paid(taken))

    def query(self, order: Order) -> Answer:
        """Say whether a card paid an order; what none paid is not known here."""
        with self._database.unit_of_work() as uow:
            taken = cards.debit_of(uow, order.order_no)
        return Answer(Fate.MISSING) if taken is None else _paid(taken)

    def close(self, order: Order) -> Answer:
        """Say whether a card paid an order; one that none paid ends at its time."""
        return self.query(order)

    def refund(self, order: Order, refund: Refund) -> RefundAnswer:
        """Put a part or all of an order back onto the card that paid it, or that replaced it."""
        try:
            with self._database.unit_of_work() as uow:
                back = cards.give_back(uow, order.order_no, refund.refund_no, refund.amount, BY)
        except Unavailable:
            return RefundAnswer(RefundFate.UNKNOWN, reason="unavailable")
        except CityError as refused:
            return RefundAnswer(RefundFate.FAILED, reason=refused.code)
        return _returned(back)

    def query_refund(self, order: Order, refund: Refund) -> RefundAnswer:
        """Say whether a refund is back on its card."""
        del order
        with self._database.unit_of_work() as uow:
            back = cards.given_back(uow, refund.refund_no)
        return RefundAnswer(RefundFate.MISSING) if back is None else _returned(back)

    def bill(self, day: date) -> bytes | None:
        """Give none: what cards hold is held against the ledger each night instead."""
        raise Unavailable(f"cards give no bill of {day.isoformat()}", field="channel")

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Refuse: nobody tells us what happens within ourselves."""
        del headers, body
        raise NotAuthentic(Refusal.UNKNOWN_KEY, "cards send no notifications")

    def acknowledgement(self, *, taken: bool) -> tuple[int, str, bytes]:
        """Answer what none of ours sent."""
        return (204, "text/plain", b"") if taken else (403, "text/plain", b"")


def _paid(taken: Movement) -> Answer:
    amount = Money(-taken.amount.minor, taken.amount.currency)
    return Answer(Fate.PAID, taken.id.hex, amount, MERCHANT)


def _returned(back: Movement) -> RefundAnswer:
    return RefundAnswer(RefundFate.DONE, back.id.hex, back.amount)
