"""What the gateway knows: orders, payments and refunds of all channels, behind one lock.

Snapshots are frozen: what a caller holds does not change under it. Every change goes through a
method that decides and records under the lock, so that two requests at once end as two in turn.
"""

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from city.money import Money
from payments.gateway.journal import Journal, Mark
from payments.gateway.orders import Order, Refund, RefundState, Refused, State, Terms, Why
from payments.rules.channel_bills.lines import CHINA, CURRENCY, BillLine, LineKind, LineStatus
from payments.rules.channels import MOST_REFUNDS, Channel, fee_back_of


@dataclass(slots=True)
class Book:
    """All orders; safe to use from any thread.

    Parameters
    ----------
    journal : Journal or None
        Where they are kept across the process's death, and were kept before; None: nowhere.
    """

    journal: Journal | None = None
    _orders: dict[tuple[Channel, str], Order] = field(default_factory=dict)
    _tokens: dict[str, tuple[Channel, str]] = field(default_factory=dict)
    _numbers: dict[tuple[Channel, str], tuple[Channel, str]] = field(default_factory=dict)
    _refunds: dict[tuple[Channel, str], tuple[Channel, str]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        for order in self.journal.orders() if self.journal else ():
            where = (order.channel, order.key)
            self._orders[where] = order
            self._tokens[order.token] = where
            self._numbers[order.channel, order.channel_no] = where
            for refund in order.refunds:
                self._refunds[order.channel, refund.refund_no] = where

    def open(
        self,
        channel: Channel,
        order_no: str,
        terms: Terms,
        *,
        at: datetime,
        merchant: str,
        notify_url: str = "",
        key: str = "",
        expires_at: datetime | None = None,
        hidden: bool = False,
        extra: dict[str, str] | None = None,
    ) -> Order:
        """Open an order, or give the one that stands under its number on the same terms.

        Raises
        ------
        Refused
            Where the number is taken on other terms, or that order is paid or closed.
        """
        key = key or order_no
        with self._lock:
            known = self._current(channel, key, at)
            if known is not None:
                if known.state is State.PAID:
                    raise Refused(Why.PAID)
                if known.state in {State.CLOSED, State.VOIDED}:
                    raise Refused(Why.CLOSED)
                if known.terms != terms:
                    raise Refused(Why.DIFFERS)
                return known
            order = Order(
                channel=channel,
                key=key,
                order_no=order_no,
                terms=terms,
                token=secrets.token_urlsafe(18),
                channel_no=_number(at),
                notify_url=notify_url,
                merchant=merchant,
                extra=tuple((extra or {}).items()),
                opened_at=at,
                expires_at=expires_at,
                state=State.HIDDEN if hidden else State.OPEN,
            )
            self._tokens[order.token] = (channel, key)
            self._numbers[channel, order.channel_no] = (channel, key)
            return self._keep(order)

    def find(self, channel: Channel, key: str, at: datetime) -> Order:
        """Give an order by its key; one past its time is closed by looking at it.

        Raises
        ------
        Refused
            NOT_FOUND.
        """
        with self._lock:
            return self._known(channel, key, at)

    def knows(self, channel: Channel, key: str) -> bool:
        """Tell whether a number stands for an order or for a refund."""
        with self._lock:
            return (channel, key) in self._orders or (channel, key) in self._refunds

    def find_number(self, channel: Channel, channel_no: str, at: datetime) -> Order:
        """Give an order by the channel's number; Refused where there is none."""
        with self._lock:
            key = self._numbers.get((channel, channel_no))
            if key is None:
                raise Refused(Why.NOT_FOUND)
            return self._known(*key, at)

    def find_token(self, token: str, at: datetime) -> Order:
        """Give the order of a scanned code, which the scan makes visible; Refused where none."""
        with self._lock:
            key = self._tokens.get(token)
            if key is None:
                raise Refused(Why.NOT_FOUND)
            order = self._known(*key, at)
            if order.state is State.HIDDEN:
                order = self._keep(replace(order, state=State.OPEN))
            return order

    def wait(self, order: Order) -> Order:
        """Record that the payer is asked for a password."""
        with self._lock:
            return self._keep(replace(self._orders[order.channel, order.key], state=State.WAITING))

    def pay(self, channel: Channel, key: str, payer: str, at: datetime) -> tuple[Order, bool]:
        """Take the payer's money once; tell whether this call was the one that did.

        Raises
        ------
        Refused
            Where the order is closed or taken back.
        """
        with self._lock:
            order = self._known(channel, key, at)
            if order.state is State.PAID:
                return order, False
            if order.state in {State.CLOSED, State.VOIDED}:
                raise Refused(Why.CLOSED)
            paid = replace(order, state=State.PAID, paid_at=at, payer=payer)
            return self._keep(paid, Mark(channel, key)), True

    def close(self, channel: Channel, key: str, at: datetime) -> Order:
        """Close an unpaid order; closing it twice is closing it once. Refused where it is paid."""
        with self._lock:
            order = self._known(channel, key, at)
            if order.state is State.PAID:
                raise Refused(Why.PAID)
            if order.state in {State.CLOSED, State.VOIDED}:
                return order
            return self._keep(replace(order, state=State.CLOSED))

    def fail(self, channel: Channel, key: str, at: datetime) -> tuple[Order, bool]:
        """Close an order whose money could not be taken; tell whether this call was the one.

        The merchant is owed word of it, unlike of a close that it asked for itself.
        """
        with self._lock:
            order = self._known(channel, key, at)
            if order.state in {State.PAID, State.CLOSED, State.VOIDED}:
                return order, False
            return self._keep(replace(order, state=State.CLOSED), Mark(channel, key)), True

    def take_back(
        self, channel: Channel, key: str, at: datetime, refund_no: str = ""
    ) -> tuple[Order, Refund | None]:
        """Cancel whatever state it is in: an unpaid order closes, a paid one is given back whole.

        Taking back twice is taking back once.

        Raises
        ------
        Refused
            TOO_MUCH where a part was refunded before.
        """
        with self._lock:
            order = self._known(channel, key, at)
            if order.state is State.VOIDED:
                return order, order.refunds[-1] if order.refunds else None
            if order.state is not State.PAID:
                return self._keep(replace(order, state=State.VOIDED)), None
            if order.refunds:
                raise Refused(Why.TOO_MUCH)
            number = refund_no or f"V{order.order_no}"
            if (channel, number) in self._refunds:
                raise Refused(Why.DIFFERS)
            refund = Refund(
                refund_no=number,
                channel_refund_no=_number(at),
                amount_minor=order.terms.amount_minor,
                fee_minor=order.fee_minor,
                state=RefundState.DONE,
                asked_at=at,
                done_at=at,
                notify_url=order.notify_url,
                void=True,
            )
            self._refunds[channel, refund.refund_no] = (channel, key)
            voided = replace(order, state=State.VOIDED, refunds=(refund,))
            return self._keep(voided, Mark(channel, key, number)), refund

    def refund(
        self,
        channel: Channel,
        key: str,
        refund_no: str,
        amount_minor: int,
        *,
        at: datetime,
        notify_url: str = "",
    ) -> tuple[Order, Refund, bool]:
        """Ask for a refund, once under its number; tell whether it is new.

        Raises
        ------
        Refused
            Where nothing was paid, the number stands for another refund, more than was paid would
            go back, or fifty parts went back already.
        """
        with self._lock:
            taken = self._refunds.get((channel, refund_no))
            order = self._known(channel, key, at)
            if taken is not None:
                known = next(
                    (refund for refund in order.refunds if refund.refund_no == refund_no), None
                )
                if taken != (channel, key) or known is None or known.amount_minor != amount_minor:
                    raise Refused(Why.DIFFERS)
                return order, known, False
            if order.state is not State.PAID:
                raise Refused(Why.CLOSED if order.state is State.VOIDED else Why.NOT_PAID)
            if len(order.refunds) >= MOST_REFUNDS:
                raise Refused(Why.TOO_MANY)
            left_minor = order.terms.amount_minor - order.refunded_minor
            if not 0 < amount_minor <= left_minor:
                raise Refused(Why.TOO_MUCH)
            refund = Refund(
                refund_no=refund_no,
                channel_refund_no=_number(at),
                amount_minor=amount_minor,
                fee_minor=fee_back_of(left_minor, amount_minor),
                state=RefundState.PROCESSING,
                asked_at=at,
                done_at=None,
                notify_url=notify_url or order.notify_url,
            )
            self._refunds[channel, refund_no] = (channel, key)
            return self._keep(replace(order, refunds=(*order.refunds, refund))), refund, True

    def settle_refund(self, channel: Channel, refund_no: str, at: datetime) -> tuple[Order, Refund]:
        """Let a refund arrive; arriving twice is arriving once."""
        with self._lock:
            order, refund = self.find_refund(channel, refund_no)
            if refund.state is RefundState.DONE:
                return order, refund
            done = replace(refund, state=RefundState.DONE, done_at=at)
            refunds = tuple(done if each is refund else each for each in order.refunds)
            settled = replace(order, refunds=refunds)
            return self._keep(settled, Mark(channel, order.key, refund_no)), done

    def find_refund(self, channel: Channel, refund_no: str) -> tuple[Order, Refund]:
        """Give a refund and its order; Refused where there is none."""
        with self._lock:
            key = self._refunds.get((channel, refund_no))
            if key is None:
                raise Refused(Why.NOT_FOUND)
            order = self._orders[key]
            return order, next(each for each in order.refunds if each.refund_no == refund_no)

    def orders(self) -> list[Order]:
        """Give a snapshot of all orders, in the order in which they were opened."""
        with self._lock:
            return list(self._orders.values())

    def _keep(self, order: Order, owes: Mark | None = None) -> Order:
        # First to the journal: what it cannot keep did not happen.
        if self.journal is not None:
            self.journal.keep(order, owes)
        self._orders[order.channel, order.key] = order
        return order

    def _current(self, channel: Channel, key: str, at: datetime) -> Order | None:
        order = self._orders.get((channel, key))
        unpaid = {State.HIDDEN, State.OPEN, State.WAITING}
        if (
            order is not None
            and order.state in unpaid
            and order.expires_at is not None
            and at >= order.expires_at
        ):
            order = self._keep(replace(order, state=State.CLOSED))
        return order

    def _known(self, channel: Channel, key: str, at: datetime) -> Order:
        order = self._current(channel, key, at)
        if order is None:
            raise Refused(Why.NOT_FOUND)
        return order


def bill_lines(orders: list[Order], channel: Channel, day: date) -> list[BillLine]:
    """Give the rows of a channel's bill for one of China's days, by time.

    Cost grows with the number of all orders.
    """
    found = (line for order in orders if order.channel is channel for line in _lines(order))
    rows = [line for line in found if line.at.astimezone(CHINA).date() == day]
    return sorted(rows, key=lambda line: line.at)


def _lines(order: Order) -> Iterator[BillLine]:
    if order.paid_at is None:
        return
    yield BillLine(
        LineKind.PAYMENT,
        order.order_no,
        order.channel_no,
        Money(order.terms.amount_minor, CURRENCY),
        Money(order.fee_minor, CURRENCY),
        # Bills write whole seconds.
        order.paid_at.replace(microsecond=0),
        order.merchant,
    )
    for refund in order.refunds:
        yield BillLine(
            LineKind.VOID if refund.void else LineKind.REFUND,
            order.order_no,
            order.channel_no,
            Money(refund.amount_minor, CURRENCY),
            Money(-refund.fee_minor, CURRENCY),
            refund.asked_at.replace(microsecond=0),
            order.merchant,
            LineStatus.DONE if refund.state is RefundState.DONE else LineStatus.PROCESSING,
            # UnionPay's refunds are known by number and time; bills write the number.
            refund.refund_no.partition(":")[0]
            if order.channel is Channel.UNIONPAY
            else refund.refund_no,
            refund.channel_refund_no,
        )


def _number(at: datetime) -> str:
    """Make a number of 21 digits as channels do: the day, then what nobody can guess."""
    return f"{at.astimezone(CHINA):%y%m%d}{secrets.randbelow(10**15):015d}"
