"""What cards hold, told three times: by the cards, by their movements, by the ledger's liabilities.

The database keeps the three alike as each transaction commits; that they are is shown each night
all the same: an auditor trusts nothing, and a restored copy or a hand in the database may differ.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.money import Money

SOURCE: Final = "cards"
"""What stands in a channel's place where cards are held against the ledger."""


class CardDifferenceKind(StrEnum):
    """What does not agree."""

    CARD_SUM = "card-sum"
    """A card, its movements and the ledger name different amounts."""
    DEBIT_WITHOUT_ORDER = "debit-without-order"
    """Money was taken off a card, and no order counts as paid by it."""
    ORDER_WITHOUT_DEBIT = "order-without-debit"
    """An order counts as paid by a card, and nothing was taken off any."""
    TOP_UP_WITHOUT_ORDER = "top-up-without-order"
    """Money came onto a card online, and no order counts as paid for it."""
    ORDER_WITHOUT_TOP_UP = "order-without-top-up"
    """A top-up was paid, and neither is it on its card nor is all of it on its way back."""


class CardProposal(StrEnum):
    """What is proposed; done by a person, after approval."""

    FIND_CHANGE = "find-what-changed-outside-the-ledger"
    ASK_AGAIN = "ask-after-the-order-then-settle-or-give-back"
    GIVE_BACK_AGAIN = "ask-for-the-refund-again"
    FIND_DEBIT = "find-the-debit-or-ask-for-the-money"


@dataclass(frozen=True, slots=True)
class CardTold:
    """One card's amount, told three times; all in one currency.

    Parameters
    ----------
    held : Money
        By the card.
    moved : Money
        The sum of its movements.
    owed : Money
        By the ledger: what its account is credited with.
    """

    card_id: UUID
    number: str
    held: Money
    moved: Money
    owed: Money


@dataclass(frozen=True, slots=True)
class CardDifference:
    """One thing that does not agree.

    Parameters
    ----------
    order_no : str
        Empty where a card's sums differ.
    told : CardTold or None
        None where an order and its debit differ.
    """

    kind: CardDifferenceKind
    proposal: CardProposal
    order_no: str
    amount: Money
    told: CardTold | None = None

    @property
    def key(self) -> str:
        """Name it: found again it is the same."""
        return f"{self.kind.value}|{self.order_no or (self.told.card_id if self.told else '')}"


def hold_cards(cards: Iterable[CardTold]) -> list[CardDifference]:
    """Give the cards whose amounts differ; cost grows with the cards."""
    return [
        CardDifference(
            CardDifferenceKind.CARD_SUM, CardProposal.FIND_CHANGE, "", each.held - each.owed, each
        )
        for each in cards
        if not each.held == each.moved == each.owed
    ]


def shown(found: CardDifference) -> dict[str, JsonValue]:
    """Write a difference with all that was told, as reports and the desk keep it."""
    told = found.told
    return {
        "class": found.kind.value,
        "proposal": found.proposal.value,
        "order_no": found.order_no,
        "amount": found.amount.as_json(),
        "card": None
        if told is None
        else {
            "card_id": str(told.card_id),
            "number_ends": told.number[-4:],
            "held": told.held.as_json(),
            "moved": told.moved.as_json(),
            "owed": told.owed.as_json(),
        },
    }
