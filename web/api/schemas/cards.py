"""Stored-value parking cards: at a desk, as a driver's own, and as liabilities."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from web.api.schemas.base import Incoming, Instant, MoneyIn, MoneyOut, Outgoing, PageQuery
from web.api.schemas.figures import BodyDay
from web.api.schemas.ledger import WrittenAt
from web.api.schemas.paying import OrderOut, PayIn

CardState = Literal["active", "frozen", "replaced"]
MovementKind = Literal["top-up", "debit", "returned", "paid-out", "moved-out", "moved-in"]
Reader = Annotated[
    str,
    Field(
        min_length=4,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="what the reader read; hashed under a key at once and kept nowhere",
    ),
]
Number = Annotated[
    str, Field(min_length=16, max_length=24, description="as printed; spaces do not count")
]
CodeText = Annotated[str, Field(min_length=8, max_length=24, description="the card's code")]
OrderNo = Annotated[
    str,
    Field(
        pattern="^[0-9A-Za-z]{8,32}$",
        description="the sender's own: sent again under it, the card is debited once",
    ),
]


class CardOut(Outgoing):
    """A card."""

    id: UUID
    number: str
    state: CardState
    balance: MoneyOut
    registered: Annotated[bool, Field(description="it has a known holder, and never ends")]
    read: Annotated[bool, Field(description="readers know it; else it is a number alone")]
    issued_at: Instant
    expires_at: Annotated[
        Instant | None,
        Field(description="from when it is renewed before it pays; it keeps what it holds"),
    ]
    most: Annotated[MoneyOut, Field(description="what it may hold")]


class CardsOut(Outgoing):
    """A driver's cards, the newest first."""

    items: list[CardOut]


class IssuedOut(Outgoing):
    """A card and its code, which is told this once."""

    card: CardOut
    code: Annotated[str, Field(description="proves whose the card is; hand it out on paper")]


class CodeOut(Outgoing):
    """A card's new code; the one before proves nothing any more."""

    code: str


class IssueIn(Incoming):
    """A card for whoever asks, without a deposit."""

    reader: Reader | None = None


class NamedIn(Incoming):
    """Which card: by reader or by number, one of them."""

    reader: Reader | None = None
    number: Number | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> NamedIn:
        if (self.reader is None) == (self.number is None):
            raise ValueError("name the card by reader or by number, one of them")
        return self


class TopUpIn(NamedIn):
    """Cash that comes onto a card."""

    amount: MoneyIn
    id: Annotated[
        UUID | None, Field(description="the sender's own: sent again, it comes on once")
    ] = None


class NumberIn(Incoming):
    """A card by the number printed on it."""

    number: Number


class ProofIn(Incoming):
    """A card by its number, and the code that proves whose it is."""

    number: Number
    code: CodeText


class MediumIn(ProofIn):
    """What readers are to know a card by."""

    reader: Reader


class ReplacementIn(ProofIn):
    """A card that is replaced, and what readers are to know the new one by."""

    reader: Reader | None = None


class PayOutIn(Incoming):
    """Cash for what a card holds, or a part."""

    amount: MoneyIn
    reason: Annotated[str, Field(min_length=3, max_length=80)]
    id: Annotated[
        UUID | None, Field(description="the sender's own: sent again, it goes out once")
    ] = None


class ReadPaymentIn(Incoming):
    """A bill paid by the card that a reader has just read."""

    reader: Reader
    order_no: OrderNo
    part: Annotated[
        bool, Field(description="pay what the card holds where that is less than what is left")
    ] = False


class OwnPaymentIn(Incoming):
    """A bill of one's own paid by a card of one's own."""

    bill_id: UUID
    order_no: OrderNo
    part: Annotated[
        bool, Field(description="pay what the card holds where that is less than what is left")
    ] = False


class CardPaymentOut(Outgoing):
    """What the card paid, and what is left."""

    order_no: str
    state: Literal["asked", "open", "unknown", "paid", "closed"]
    amount: MoneyOut
    surplus: Annotated[
        bool, Field(description="the bill needed nothing any more: it goes back onto the card")
    ]
    balance: Annotated[MoneyOut, Field(description="what the card holds afterwards")]
    outstanding: Annotated[MoneyOut, Field(description="what is left of the bill")]


class MovementOut(Outgoing):
    """One change of what a card holds."""

    id: UUID
    kind: MovementKind
    amount: Annotated[MoneyOut, Field(description="below zero for what went off")]
    balance: Annotated[MoneyOut, Field(description="what the card held afterwards")]
    at: Instant
    by_way_of: Annotated[str, Field(description="cash, an online channel, or card")]
    bill_id: Annotated[UUID | None, Field(description="the bill that it paid or came back of")]
    entry_id: Annotated[UUID | None, Field(description="of the ledger; for staff")]


class MovementsOut(Outgoing):
    """A card's statement, the latest first."""

    items: list[MovementOut]
    next: str | None


class CardsQuery(PageQuery):
    """Which cards."""

    state: CardState | None = None


class CardsFileQuery(Incoming):
    """Which cards, all of them."""

    state: CardState | None = None
    from_at: Annotated[WrittenAt | None, Field(description="issued at or after it")] = None
    before_at: WrittenAt | None = None


class CardsPageOut(Outgoing):
    """A page of cards, the newest first."""

    items: list[CardOut]
    next: str | None


class HeldOut(Outgoing):
    """What the cards of a state hold together."""

    state: CardState
    cards: int
    held: MoneyOut


class LiabilitiesOut(Outgoing):
    """What is owed to the holders of cards."""

    items: list[HeldOut]
    owed: Annotated[list[MoneyOut], Field(description="by the ledger: the same sums, or look why")]


class CardsDayIn(Incoming):
    """Which of China's days; all cards are held against the ledger."""

    day: BodyDay


class TopUpTermsOut(Outgoing):
    """How much is put onto a card online, and through whom."""

    channels: Annotated[list[str], Field(description="those that are set up here")]
    offered: Annotated[list[MoneyOut], Field(description="what a page offers")]
    least: MoneyOut
    most: Annotated[MoneyOut, Field(description="at once")]
    day: Annotated[MoneyOut, Field(description="of one card in one of China's days")]


class TopUpOrderIn(PayIn):
    """How much is put onto a card, and through whom."""

    amount: MoneyIn


class TopUpOut(OrderOut):
    """An order over a top-up: not on its card before it is paid."""

    card_id: UUID
    card_number: str
    opened_at: Instant
    arrived: Annotated[bool, Field(description="the money is, or was, on the card")]
    unused: Annotated[MoneyOut, Field(description="what of it can go back to where it came from")]


class TopUpsOut(Outgoing):
    """A page of top-ups, the newest first."""

    items: list[TopUpOut]
    next: str | None


class TopUpBackIn(Incoming):
    """What was not used is wanted back."""

    refund_no: Annotated[
        str,
        Field(
            pattern="^[0-9A-Za-z]{8,32}$",
            description="the sender's own: sent again under it, it goes back once",
        ),
    ]


class TopUpBackOut(Outgoing):
    """A refund of a top-up as we know it."""

    refund_no: str
    state: Annotated[
        Literal["asked", "done", "failed"],
        Field(description="asked: off the card, on its way; failed: on the card again"),
    ]
    amount: MoneyOut
