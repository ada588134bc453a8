"""An order, its payment and its refunds as the gateway sees them; frozen."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from city.errors import Conflict
from payments.rules.channels import Channel, fee_of

DEDUCTION: Final = "PARKING"
"""The product of an order that is taken by agreement; its extras name the car."""


class State(StrEnum):
    """Where an order stands."""

    HIDDEN = "hidden"
    """Asked for and not scanned yet; Alipay and UnionPay do not know such an order."""
    OPEN = "open"
    WAITING = "waiting"
    """The payer is asked for a password."""
    PAID = "paid"
    CLOSED = "closed"
    VOIDED = "voided"
    """Taken back whole after it was paid, or before: it takes no money any more."""


class RefundState(StrEnum):
    """Where a refund stands."""

    PROCESSING = "processing"
    DONE = "done"


class Why(StrEnum):
    """Why the book refuses; a channel has its own code for each."""

    NOT_FOUND = "not-found"
    DIFFERS = "differs"
    """The number is taken by an order or a refund on other terms."""
    PAID = "paid"
    NOT_PAID = "not-paid"
    CLOSED = "closed"
    TOO_MUCH = "too-much"
    TOO_MANY = "too-many"


class Refused(Conflict):
    """The book does not do it.

    Parameters
    ----------
    why : Why
        The reason.
    """

    def __init__(self, why: Why) -> None:
        super().__init__(f"refused: {why.value}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Terms:
    """What a merchant asked for: a repeated number must come with the same."""

    amount_minor: int
    subject: str
    product: str
    """The channel's own word: ``NATIVE``, ``JSAPI``, ``MICROPAY``, ``precreate``, ``07`` …"""
    payer: str = ""
    """Who alone may pay it; empty: whoever has its code."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back."""

    refund_no: str
    channel_refund_no: str
    amount_minor: int
    fee_minor: int
    """Fee given back to the merchant."""
    state: RefundState
    asked_at: datetime
    done_at: datetime | None
    notify_url: str
    void: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """One order."""

    channel: Channel
    key: str
    """Unique in its channel: the merchant's number, with UnionPay's ``txnTime``."""
    order_no: str
    terms: Terms
    token: str
    """Stands in the code that the payer scans."""
    channel_no: str
    notify_url: str
    merchant: str
    extra: tuple[tuple[str, str], ...]
    """What the channel gives back as it came."""
    opened_at: datetime
    expires_at: datetime | None
    state: State
    paid_at: datetime | None = None
    payer: str = ""
    refunds: tuple[Refund, ...] = ()

    @property
    def refunded_minor(self) -> int:
        """What was given back or is on its way."""
        return sum(refund.amount_minor for refund in self.refunds)

    @property
    def fee_minor(self) -> int:
        """What the channel keeps of the payment."""
        return fee_of(self.terms.amount_minor)

    def extras(self) -> dict[str, str]:
        """Give back what came as it came."""
        return dict(self.extra)
