"""What the three channels share: the book, the keys, the clock, the notifier, the payer's hand."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

from city.time import Clock
from payments.gateway.book import Book, bill_lines
from payments.gateway.faults import Faults
from payments.gateway.journal import Journal, Mark, Owed
from payments.gateway.keys import Keys
from payments.gateway.notifier import Notice, Notifier
from payments.gateway.orders import DEDUCTION, Order, Refund, RefundState, State
from payments.gateway.signatures import Car, Signatures, SignatureState
from payments.rules.channel_bills.lines import CHINA, BillLine
from payments.rules.channels import ONLINE, Channel
from payments.rules.deductions import PlateColour

_REFUND_TAKES_S: Final = 20.0
"""How long an asynchronous refund is under way, in the channel's seconds."""
_DEDUCTION_TAKES_S: Final = 5.0
"""How long an accepted deduction is under way, in the channel's seconds."""
_BILL_READY: Final = timedelta(days=1, hours=10)
"""A day's bill is there at 10:00 of the next day."""


class WechatKeys(StrEnum):
    """Which of its keys WeChat Pay signs with where a request does not say."""

    CERTIFICATE = "certificate"
    PUBLIC_KEY = "public-key"
    """As for merchants since 2024: there is no platform certificate at all."""
    SWITCHING = "switching"
    """In the switch-over: callbacks come under either."""


class Code(StrEnum):
    """What a payer's bar code makes happen: its last two digits."""

    PAYS = "pays"
    PASSWORD = "password"  # noqa: S105 - the payer is asked for one; it is none
    """``…03``: the payer is asked for a password and pays on the payer's page."""
    UNCLEAR = "unclear"
    """``…20``: the payment succeeds and the answer says that it is not known."""
    EMPTY = "empty"
    """``…05``: there is not enough money."""
    EXPIRED = "expired"
    """``…09``: its minute is over."""


ENDINGS: Final = {
    "03": Code.PASSWORD,
    "20": Code.UNCLEAR,
    "05": Code.EMPTY,
    "09": Code.EXPIRED,
}


def code_of(auth_code: str) -> Code:
    """Read what a bar code makes happen."""
    return ENDINGS.get(auth_code[-2:], Code.PAYS)


class Announces(Protocol):
    """A channel's way to tell a merchant; writes nothing to the book."""

    def paid(self, order: Order) -> Notice:
        """Write the notification of a payment, or of a deduction that failed."""
        ...

    def refunded(self, order: Order, refund: Refund) -> Notice | None:
        """Write the notification of a refund; None where the channel sends none."""
        ...


@dataclass(slots=True)
class Desk:
    """One gateway.

    Parameters
    ----------
    keys : Keys
        Everybody's keys.
    clock : Clock
        Wall time, as signatures and certificates need it.
    notifier : Notifier
        Sends what is announced.
    faults : Faults
        What goes wrong.
    address : str
        Where clients reach it, without a slash at the end.
    wechat_keys : WechatKeys
        Which keys WeChat Pay signs with.
    open_day : bool
        Whether the bill of a day that is still under way is given.
    journal : Journal or None
        Where orders and what is owed to merchants are kept; None: in memory alone.
    """

    keys: Keys
    clock: Clock
    notifier: Notifier
    faults: Faults
    address: str
    wechat_keys: WechatKeys = WechatKeys.CERTIFICATE
    open_day: bool = False
    journal: Journal | None = None
    book: Book = field(init=False)
    signatures: Signatures = field(init=False)
    channels: dict[Channel, Announces] = field(default_factory=dict)
    _asked: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.book = Book(self.journal)
        self.signatures = Signatures(self.journal)

    def now(self) -> datetime:
        """Tell the time."""
        return self.clock.now()

    def pay(self, order: Order, payer: str) -> Order:
        """Let the payer pay; the merchant is told where this call took the money."""
        paid, first = self.book.pay(order.channel, order.key, payer, self.now())
        if first:
            self._tell(self.channels[order.channel].paid(paid), Mark(order.channel, order.key))
        return paid

    def resume(self) -> None:
        """Go on where a killed gateway stood: tell what it owed, let its refunds arrive.

        Called once the channels are there and before anybody is served.
        """
        if self.journal is None:
            return
        now_s = self.now().timestamp()
        for owed in self.journal.owed():
            self._resume(owed, max(0.0, owed.due_at - now_s))
        for order in self.book.orders():
            if order.terms.product == DEDUCTION and is_unpaid(order):
                self.deduct_later(order)
            for refund in order.refunds:
                if refund.state is RefundState.PROCESSING:
                    self.refund_later(order, refund)

    def deduct_later(self, order: Order) -> None:
        """Take an accepted deduction after a while, or fail, and tell the merchant."""

        def take() -> None:
            self.deduct_now(order)

        self.notifier.after(_DEDUCTION_TAKES_S, take)

    def deduct_now(self, order: Order) -> Order:
        """Take a deduction from whoever signed for its car, as that stands by now."""
        given = order.extras()
        car = Car(given["plate"], PlateColour(given["colour"]))
        signature = self.signatures.find(order.channel, car)
        if signature is not None and signature.state is SignatureState.NORMAL and signature.solvent:
            return self.pay(order, signature.holder)
        failed, first = self.book.fail(order.channel, order.key, self.now())
        if first:
            self._tell(self.channels[order.channel].paid(failed), Mark(order.channel, order.key))
        return failed

    def refund_later(self, order: Order, refund: Refund) -> None:
        """Let an accepted refund arrive after a while, and tell the merchant."""
        channel, refund_no = order.channel, refund.refund_no

        def arrive() -> None:
            self.refund_now(channel, refund_no)

        self.notifier.after(_REFUND_TAKES_S, arrive)

    def refund_now(self, channel: Channel, refund_no: str) -> tuple[Order, Refund]:
        """Let a refund arrive and tell the merchant."""
        order, refund = self.book.settle_refund(channel, refund_no, self.now())
        self._tell(
            self.channels[channel].refunded(order, refund), Mark(channel, order.key, refund_no)
        )
        return order, refund

    def announce_void(self, order: Order, refund: Refund) -> None:
        """Tell the merchant of a payment taken back, where the channel does."""
        self._tell(
            self.channels[order.channel].refunded(order, refund),
            Mark(order.channel, order.key, refund.refund_no),
        )

    def repetition(self, name: str) -> str:
        """Name a request and how often it came, so that a draw of its faults is the same again."""
        with self._lock:
            self._asked[name] += 1
            return f"{name}#{self._asked[name]}"

    def bill(self, channel: Channel, day: date) -> list[BillLine] | None:
        """Give a day's rows; None where the bill is not there yet."""
        if not self.open_day and day > (self.now() - _BILL_READY).astimezone(CHINA).date():
            return None
        return bill_lines(self.book.orders(), channel, day)

    def figures(self) -> Mapping[str, Mapping[str, int]]:
        """Add up what each channel took and gave back, with how many orders stand where."""
        sums: dict[str, Counter[str]] = {channel.value: Counter() for channel in ONLINE}
        for order in self.book.orders():
            counts = sums[order.channel.value]
            counts[f"{order.state.value}_orders"] += 1
            if order.paid_at is not None:
                counts["captured_minor"] += order.terms.amount_minor
            for refund in order.refunds:
                done = refund.state is RefundState.DONE
                counts["refunded_minor" if done else "refunding_minor"] += refund.amount_minor
        return {name: dict(counts) for name, counts in sums.items()}

    def _resume(self, owed: Owed, after_s: float) -> None:
        mark = owed.mark
        order = self.book.find(mark.channel, mark.key, self.now())
        channel = self.channels[mark.channel]
        if not mark.refund_no:
            # As it was when it was paid: what came after is told by words of its own.
            then = order if order.paid_at is None else replace(order, state=State.PAID, refunds=())
            notice: Notice | None = channel.paid(then)
        else:
            numbers = [each.refund_no for each in order.refunds]
            upto = numbers.index(mark.refund_no) + 1
            then = replace(order, refunds=order.refunds[:upto])
            notice = channel.refunded(then, then.refunds[-1])
        self._tell(notice, mark, owed.attempt, after_s)

    def _tell(
        self, notice: Notice | None, mark: Mark, attempt: int = 0, after_s: float = 0.0
    ) -> None:
        if notice is not None:
            self.notifier.notify(replace(notice, mark=mark), attempt, after_s)
        elif self.journal is not None:
            # A void of WeChat Pay's, say: the channel tells nobody of it.
            self.journal.told(mark)


def wrong_amount(order: Order) -> Order:
    """Give the order with another amount, for a notification that is to be wrong."""
    terms = replace(order.terms, amount_minor=order.terms.amount_minor + 1)
    return replace(order, terms=terms)


def event_id(name: str, order: Order) -> str:
    """Name an event to its merchant: the same again after a restart, and nobody else's guess."""
    return sha256(f"{name}:{order.channel_no}:{order.token}".encode()).hexdigest()[:36]


def is_unpaid(order: Order) -> bool:
    """Whether an order can still be paid."""
    return order.state in {State.HIDDEN, State.OPEN, State.WAITING}
