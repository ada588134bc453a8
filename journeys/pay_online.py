"""Pay a bill through an online channel, and ask the channel how it stands.

Every step is: commit what we want, speak to the channel outside of any transaction, commit what it
said. A process that dies between two of them leaves an order or a refund that is asked for, and
`pursue` asks the channel what became of it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from city.audit import record
from city.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from city.identifiers import BillId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import Database, UnitOfWork
from journeys.pay_ahead import check_unused
from payments import (
    channel_orders,
    channel_payments,
    channel_refunds,
    giving_back,
    merged_payments,
    money_back,
)
from payments import services as payments
from payments.channel_payments import Learned
from payments.channel_refunds import HeldRefund
from payments.rules.arrears import reason_given
from payments.rules.bills import Bill, BillState
from payments.rules.channel_orders import (
    ChannelOrder,
    ChannelRefund,
    OrderState,
    Purpose,
    RefundState,
    as_asked,
)
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import (
    Answer,
    Channel,
    ChannelAdapter,
    Fate,
    Method,
    RefundAnswer,
    RefundFate,
)
from payments.rules.in_app import hash_of
from payments.rules.refund_limits import RefundLimit, check_limit
from payments.store import order_shares

if TYPE_CHECKING:
    from pydantic import JsonValue

log = structlog.get_logger("payments")

Channels = Mapping[Channel, ChannelAdapter]

REFUND_LIMITS: Final[Mapping[Role, RefundLimit]] = {
    Role.FINANCE: RefundLimit(single_minor=200_00, daily_minor=2_000_00),
    Role.ADMINISTRATOR: RefundLimit(single_minor=2_000_00, daily_minor=20_000_00),
}
"""What a person of each role gives back at once and in one of China's days, in fen. A stay's fee is
within the first; who is asked for more asks somebody else, so that two people know of it."""
_OPENING_TAKES: Final = timedelta(seconds=12)
"""At most: a channel has ten seconds to answer."""
_REFUND_AGAIN: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Started:
    """An order and what the payer scans, follows or is given; nothing where it is unknown."""

    order: ChannelOrder
    code: str
    fate: Fate = Fate.OPEN
    """What the channel said of it just now; open where it was not asked."""

    def code_lost(self, now: datetime) -> bool:
        """Whether the channel answered, and has no code for an order that waits for one.

        UnionPay takes a number once: where its first answer was lost, the code is gone with it. An
        order that somebody else is opening just now has none yet.
        """
        if now - self.order.opened_at < _OPENING_TAKES:
            return False
        waits = self.order.state in {OrderState.ASKED, OrderState.OPEN, OrderState.UNKNOWN}
        said = self.fate in {Fate.OPEN, Fate.MISSING}
        return waits and said and not self.code and self.order.method is Method.CODE


def start_payment(  # noqa: PLR0917 - who pays what, through whom and how
    database: Database,
    channels: Channels,
    actor: Actor,
    bill_id: BillId,
    channel: Channel,
    method: Method,
    payer: str = "",
) -> Started:
    """Open an order over a bill at a channel.

    Parameters
    ----------
    database : Database
    channels : Channels
        Those that are configured.
    actor : Actor
        Who asks; anybody who holds the bill's link may pay it.
    bill_id : BillId
        The bill; all of it is paid.
    channel, method
        Through whom and how.
    payer : str
        The id that JSAPI needs, or the bar code; of the first its hash is kept alone.

    Raises
    ------
    Unavailable
        Where the channel is not configured.
    NotFound, Conflict
        As `ask_order`.
    """
    adapter = adapter_of(channels, channel)

    def ask(uow: UnitOfWork, lost_no: str) -> ChannelOrder:
        return channel_payments.ask_order(
            uow,
            bill_id,
            channel,
            adapter.merchant,
            method,
            actor.subject,
            lost_no=lost_no,
            payer_hash=payer_hash_of(method, payer),
        )

    return open_asked(database, adapter, ask, payer)


def start_merged(  # noqa: PLR0917 - who pays what, through whom and how
    database: Database,
    channels: Channels,
    actor: Actor,
    bill_ids: Collection[BillId],
    channel: Channel,
    method: Method,
    payer: str = "",
) -> Started:
    """Open one order over several bills of a vehicle at a channel; as `start_payment`.

    Raises
    ------
    Unavailable
        Where the channel is not configured.
    NotFound, Conflict, Invalid
        As `ask_merged`.
    """
    adapter = adapter_of(channels, channel)

    def ask(uow: UnitOfWork, lost_no: str) -> ChannelOrder:
        return merged_payments.ask_merged(
            uow,
            bill_ids,
            channel,
            adapter.merchant,
            method,
            actor.subject,
            lost_no=lost_no,
            payer_hash=payer_hash_of(method, payer),
        )

    return open_asked(database, adapter, ask, payer)


def payer_hash_of(method: Method, payer: str) -> str:
    """Give what an order keeps of its payer; empty where whoever holds its code may pay it."""
    return hash_of(payer) if method is Method.JSAPI else ""


def open_asked(
    database: Database,
    adapter: ChannelAdapter,
    ask: Callable[[UnitOfWork, str], ChannelOrder],
    payer: str = "",
) -> Started:
    """Keep an order and open it at its channel; another one where its code was lost for good.

    Parameters
    ----------
    database : Database
    adapter : ChannelAdapter
        The order's channel.
    ask : callable
        Keeps the order, in a transaction, given the number of the one whose code was lost.
    payer : str
        As `start_payment`.
    """
    with database.unit_of_work() as uow:
        order = ask(uow, "")
    if order.code:
        return Started(order, order.code)
    started = _open(database, adapter, order, payer)
    if not started.code_lost(database.wall.now()):
        return started
    with database.unit_of_work() as uow:
        order = ask(uow, order.order_no)
    return Started(order, order.code) if order.code else _open(database, adapter, order, payer)


def refresh(database: Database, channels: Channels, order_no: str) -> ChannelOrder:
    """Ask the channel how an order stands, and keep what it says; for a page that waits.

    Raises
    ------
    NotFound
        Where there is no such order.
    Unavailable
        Where its channel is not configured any more.
    """
    with database.read() as connection:
        order = channel_orders.find_order(connection, order_no)
    if order is None:
        raise NotFound("no such order", field="order_no")
    adapter = adapter_of(channels, order.channel)
    return hear(database, order_no, adapter.query(as_asked(order))).order


def refund_payment(  # noqa: PLR0917 - who gives back how much of what, and why
    database: Database,
    channels: Channels,
    actor: Actor,
    order_no: str,
    refund_no: str,
    amount: Money,
    reason: str,
    bill_id: BillId | None = None,
) -> ChannelRefund:
    """Give a part or all of an online payment back through its channel.

    Of an order over several bills it is one bill's money that goes back: that of `bill_id`. What
    was paid at a POS terminal is agreed to here, and waits until the card is at a terminal. Of a
    top-up it is what its card still holds: it is off the card before the channel is asked.

    Raises
    ------
    Forbidden
        Where the actor's role gives nothing back, or not so much, or the bill is of another
        district.
    NotFound, Conflict, Invalid
        As `ask_refund`.
    """
    limit = limit_of(actor)
    if limit is None:
        raise Forbidden("your role gives nothing back")
    with database.unit_of_work() as uow:
        order = channel_orders.find_order(uow.connection, order_no)
        if order is None:
            raise NotFound("no such order", field="order_no")
        bill = None
        if order.purpose is not Purpose.TOP_UP:
            bill = _bill_of_order(uow, order, bill_id)
        if bill is None and actor.districts is not None:
            raise Forbidden("cards are of the whole city")
        if bill is not None and not actor.in_district(bill.charge.district):
            raise Forbidden("the bill is of another district than yours")
        if channel_refunds.find(uow.connection, refund_no) is None:
            if bill is not None:
                check_unused(uow, bill, amount)
            check_limit(limit, amount, giving_back.given_today(uow, actor.subject))
        refund = money_back.ask_refund(
            uow, order_no, refund_no, amount, reason, actor.subject, bill_id
        )
        detail: dict[str, JsonValue] = {
            "amount": amount.as_json(),
            "reason": reason,
            "refund_no": refund_no,
            **({"card_id": str(order.card_id)} if bill is None else {"bill_id": str(bill.id)}),
        }
        record(uow, actor, "payments.refund_asked", "channel_order", order_no, detail)
        # As it is now that it is held: what was read before may lack the channel's own number.
        order = channel_orders.find_order(uow.connection, order_no) or order
    return send_refund(database, channels, order, refund)


def refresh_refund(
    database: Database, channels: Channels, actor: Actor, refund_no: str
) -> ChannelRefund:
    """Tell how a refund stands; its channel is asked where it has not ended.

    However many ask, the channel is asked every three seconds at most.

    Raises
    ------
    NotFound
        Where there is no such refund in the actor's districts.
    """
    with database.unit_of_work() as uow:
        found = channel_refunds.find(uow.connection, refund_no)
        order = found and channel_orders.find_order(uow.connection, found.order_no)
        if not found or not order or not _may_see(uow, actor, order, found.refund):
            raise NotFound("there is no such refund", field="refund_no")
        due = (
            found.refund.state is RefundState.ASKED
            and order.channel in channels
            and channel_refunds.take_turn(
                uow.connection, found.refund.id, uow.wall.now(), _REFUND_AGAIN
            )
        )
    if due:
        ask_after_refund(database, channels[order.channel], found)
    with database.read() as connection:
        after = channel_refunds.find(connection, refund_no)
    return after.refund if after else found.refund


def withdraw_refund(database: Database, actor: Actor, refund_no: str, reason: str) -> ChannelRefund:
    """Take back that money is to go back, which waits for its card at a terminal.

    It is over then as one that failed; a terminal that was faster is not undone by it. Told again
    it is the same.

    Raises
    ------
    Forbidden
        Where the actor's role gives nothing back.
    NotFound
        Where there is no such refund in the actor's districts.
    Conflict
        Where it is at its channel, which alone knows its end; where it arrived; or where it is
        owed: of a bill that was cancelled, or paid though nothing was owed.
    Invalid
        Without a reason.
    """
    if limit_of(actor) is None:
        raise Forbidden("your role gives nothing back")
    said = reason_given(reason)
    with database.unit_of_work() as uow:
        found = channel_refunds.find(uow.connection, refund_no)
        order = found and channel_orders.find_order(uow.connection, found.order_no, lock=True)
        bill = found and order and _bill_of_refund(uow, order, found.refund)
        if not found or not order or not bill or not actor.in_district(bill.charge.district):
            raise NotFound("there is no such refund", field="refund_no")
        if not TRAITS[order.channel].refunds_at_terminal:
            raise Conflict("is at its channel, and cannot be taken back", field="refund_no")
        if order.payment_id is None or bill.state is BillState.CANCELLED:
            raise Conflict("is owed to the payer, and stays", field="refund_no", reason="owed")
        failed = RefundAnswer(RefundFate.FAILED, reason="withdrawn")
        before = channel_refunds.find(uow.connection, refund_no) or found
        after = money_back.hear_of_refund(uow, refund_no, failed)
        if after.state is RefundState.DONE:
            raise Conflict("went back already", field="refund_no", reason="done")
        if before.refund.state is RefundState.ASKED:
            detail: dict[str, JsonValue] = {"reason": said, "order_no": order.order_no}
            record(uow, actor, "payments.refund_withdrawn", "channel_refund", refund_no, detail)
    return after


def _bill_of_order(uow: UnitOfWork, order: ChannelOrder, bill_id: BillId | None) -> Bill:
    """Give the bill of an order whose money goes back; of several, the one that is named."""
    if order.merged and bill_id is None:
        raise Invalid("paid several bills: name one of them", field="bill_id")
    named = bill_id if order.bill_id is None else order.bill_id
    bill = None if named is None else payments.find_bill(uow.connection, named)
    if bill is None or bill_id not in {None, bill.id}:
        raise NotFound("the order did not pay this bill", field="bill_id")
    return bill


def _may_see(uow: UnitOfWork, actor: Actor, order: ChannelOrder, refund: ChannelRefund) -> bool:
    if order.purpose is Purpose.TOP_UP:
        return actor.districts is None
    bill = _bill_of_refund(uow, order, refund)
    return bill is not None and actor.in_district(bill.charge.district)


def _bill_of_refund(uow: UnitOfWork, order: ChannelOrder, refund: ChannelRefund) -> Bill | None:
    bill_id = order.bill_id
    if refund.share_id is not None:
        share = order_shares.find(uow.connection, refund.share_id)
        bill_id = None if share is None else share.bill_id
    return None if bill_id is None else payments.find_bill(uow.connection, bill_id)


def limit_of(actor: Actor) -> RefundLimit | None:
    """Give how much somebody may give back: the highest of their roles; None: nothing."""
    own = [limit for role, limit in REFUND_LIMITS.items() if actor.has_any(role)]
    return max(own, key=lambda each: each.single_minor, default=None)


def _open(database: Database, adapter: ChannelAdapter, order: ChannelOrder, payer: str) -> Started:
    opening = adapter.open(as_asked(order), payer)
    with database.unit_of_work() as uow:
        if opening.code:
            channel_orders.keep_code(uow.connection, order.order_no, opening.code)
        learned = channel_payments.hear(uow, order.order_no, opening.answer)
    return Started(learned.order, opening.code, opening.answer.fate)


def ask_after_refund(
    database: Database, adapter: ChannelAdapter, held: HeldRefund
) -> ChannelRefund:
    """Ask a channel how a refund stands, ask for it again where it has none, and keep the answer.

    Raises
    ------
    NotFound
        Where its order is gone.
    NotAuthentic
        Where the channel speaks of another amount: nothing changes.
    """
    with database.read() as connection:
        order = channel_orders.find_order(connection, held.order_no)
    if order is None:
        raise NotFound("no such order", field="order_no")
    asked, refund = as_asked(order), held.refund.as_asked()
    answer = adapter.query_refund(asked, refund)
    if answer.fate is RefundFate.MISSING:
        answer = adapter.refund(asked, refund)
    return _hear_refund(database, refund.refund_no, answer)


def hear(database: Database, order_no: str, answer: Answer) -> Learned:
    """Keep what a channel said of an order; as `channel_payments.hear`, in a transaction."""
    with database.unit_of_work() as uow:
        return channel_payments.hear(uow, order_no, answer)


def send_refund(
    database: Database, channels: Channels, order: ChannelOrder, refund: ChannelRefund
) -> ChannelRefund:
    """Ask a channel for a refund that is committed, and keep its answer; not one that ended."""
    if refund.state is not RefundState.ASKED or TRAITS[order.channel].refunds_at_terminal:
        return refund
    adapter = adapter_of(channels, order.channel)
    answer = adapter.refund(as_asked(order), refund.as_asked())
    return _hear_refund(database, refund.refund_no, answer)


def _hear_refund(database: Database, refund_no: str, answer: RefundAnswer) -> ChannelRefund:
    with database.unit_of_work() as uow:
        after = money_back.hear_of_refund(uow, refund_no, answer)
    if answer.fate is RefundFate.FAILED:
        # The desk sees that it failed; why is in the channel's own code alone.
        log.warning("a channel refuses a refund", refund=refund_no, reason=answer.reason)
    return after


def adapter_of(channels: Channels, channel: Channel) -> ChannelAdapter:
    """Give a channel's adapter; Unavailable where it is not set up."""
    adapter = channels.get(channel)
    if adapter is None:
        raise Unavailable(f"{channel.value} is not set up here", field="channel")
    return adapter
