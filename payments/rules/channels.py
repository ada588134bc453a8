"""The channels: their names, what they charge, and what each hook of an adapter may do.

An adapter is the only code that speaks to a channel. It knows nothing of bills, ledger or database,
and decides nothing: it tells what the channel said, and that it is unknown where it said nothing
that can be believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from city.money import Money

FEE_PER_MILLE: Final = 6
"""What the channels keep of a payment by the usual contract: 0.6 %, half a fen rounded up."""
MOST_REFUNDS: Final = 50
"""Refunds of one order that every channel takes; WeChat Pay's own limit."""


class Channel(StrEnum):
    """Through whom a driver pays without cash."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"
    CARD = "card"
    """Our own stored-value parking cards: a channel that is ourselves."""
    POS = "pos"
    """The acquirer, by the word of a standalone POS terminal (`docs/pos.md`)."""


ONLINE: Final = (Channel.WECHAT, Channel.ALIPAY, Channel.UNIONPAY)
"""Those that are somebody else, reached over the network."""


class Method(StrEnum):
    """How the payer comes to pay."""

    CODE = "code"
    """Scans a code that we show."""
    PAGE = "page"
    """Is sent to the channel's page."""
    WAP = "wap"
    """Is sent to the page that the channel has for a phone's own browser beside that."""
    JSAPI = "jsapi"
    """Pays inside the channel's own app, known to it by an id."""
    BAR = "bar"
    """Shows a code that we scan."""
    AGREEMENT = "agreement"
    """Does nothing: the channel takes it, as they once agreed for their car."""


class Fate(StrEnum):
    """What the channel says has become of an order."""

    OPEN = "open"
    PAID = "paid"
    CLOSED = "closed"
    """Closed or refused: no money moved and none will."""
    MISSING = "missing"
    """The channel does not know it: not yet, or never. Settled only when its time is over."""
    UNKNOWN = "unknown"
    """No answer, none that can be believed, or the channel does not know itself: ask again."""


class RefundFate(StrEnum):
    """What the channel says has become of a refund."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Order:
    """What a channel is told of an order.

    Parameters
    ----------
    order_no : str
        Our number: 8 to 32 ASCII letters and digits, never used for other terms.
    amount : Money
        What is to be paid.
    subject : str
        What the payer reads; never a plate.
    method : Method
        How the payer comes to pay.
    opened_at, expires_at : datetime
        From when and until when it can be paid. UnionPay knows an order by its number *and* the
        first of them, to the second.
    channel_no : str
        The channel's number; empty until known.
    """

    order_no: str
    amount: Money
    subject: str
    method: Method
    opened_at: datetime
    expires_at: datetime
    channel_no: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """What a channel is told of a refund: of a paid order, once under its number."""

    refund_no: str
    amount: Money
    reason: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a channel says of an order; of a paid one all of it."""

    fate: Fate
    channel_no: str = ""
    amount: Money | None = None
    merchant: str = ""
    paid_at: datetime | None = None
    reason: str = ""
    """The channel's own code, or ours where it gave none that can be believed; for people."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What came of opening an order.

    ``code`` is what the payer scans, follows or is given where it is open.
    """

    answer: Answer
    code: str = ""


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """What a channel says of a refund."""

    fate: RefundFate
    channel_refund_no: str = ""
    amount: Money | None = None
    done_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification whose signature held: what it says of which order.

    Parameters
    ----------
    event_id : str
        Names it: the same event comes again under the same.
    order_no : str
        Our number of the order.
    refund_no : str
        Our number of the refund; empty where it is about the payment.
    answer : Answer or RefundAnswer
        What it says; not yet compared with the order.
    """

    event_id: str
    order_no: str
    refund_no: str
    answer: Answer | RefundAnswer


class ChannelAdapter(Protocol):
    """One channel for one merchant; safe to use from any thread.

    Every hook but `read_notice` speaks to the network for up to ten seconds: **never inside a
    transaction**. What we want done is committed before, what the channel said is committed after;
    where that does not happen, `query` and `query_refund` find it again. Hooks do not raise for
    what a channel says or fails to say: that is their answer.
    """

    channel: Channel
    merchant: str

    def open(self, order: Order, payer: str = "") -> Opening:
        """Ask the channel to take an order; again with the same order, it is the same one.

        ``payer`` is the id that JSAPI needs, the bar code, the network address of who is led to
        WeChat Pay's page, or a parking card's id; it is not kept with the order.

        Raises
        ------
        Invalid
            Where the channel has no such method.
        """
        ...

    def query(self, order: Order) -> Answer:
        """Ask how an order stands; changes nothing."""
        ...

    def close(self, order: Order) -> Answer:
        """Have an unpaid order take no money any more; tells of a paid one that it is paid.

        A channel that cannot close what nobody scanned says OPEN: it closes at its time. A bar code
        may be reversed: what its payer paid just then goes back to them at once.
        """
        ...

    def refund(self, order: Order, refund: Refund) -> RefundAnswer:
        """Ask for a refund of a paid order; again with the same refund, it is the same one."""
        ...

    def query_refund(self, order: Order, refund: Refund) -> RefundAnswer:
        """Ask how a refund stands; changes nothing."""
        ...

    def bill(self, day: date) -> bytes | None:
        """Fetch the bill of one of China's days, as its reader takes it; None where it has no rows.

        Raises
        ------
        Unavailable
            Where it is not there yet or cannot be fetched.
        """
        ...

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read a notification; no I/O, changes nothing: called before anything is believed.

        Raises
        ------
        NotAuthentic
            With the reason: answer with a refusal, record it, change nothing.
        """
        ...

    def acknowledgement(self, *, taken: bool) -> tuple[int, str, bytes]:
        """Give status, content type and body that end a notification or have it sent again."""
        ...


def fee_of(amount_minor: int, per_mille: int = FEE_PER_MILLE) -> int:
    """Give a channel's fee on an amount, in minor units; halves are rounded up."""
    return (amount_minor * per_mille + 500) // 1000


def fee_back_of(left_minor: int, refund_minor: int, per_mille: int = FEE_PER_MILLE) -> int:
    """Give the part of the fee that goes back with a refund, so that all parts add up to it.

    Parameters
    ----------
    left_minor : int
        What of the payment had not gone back before.
    refund_minor : int
        What goes back now.
    per_mille : int
        The contract's rate.
    """
    return fee_of(left_minor, per_mille) - fee_of(left_minor - refund_minor, per_mille)
