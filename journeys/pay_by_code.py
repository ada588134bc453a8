"""Charge the code that a payer shows (付款码): scanned by an attendant, or at the finance desk.

The order is committed, its channel is asked once with the code, what came of it is committed. The
code is in the request to the channel alone. What is not known, as the payer types a password or an
answer was lost, is asked after by the page that waits and by `pursue_channels`, and never charged
again.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from city.audit import record
from city.errors import Conflict, Forbidden, NotFound
from city.identifiers import BillId
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import Database, UnitOfWork
from journeys.pay_by_link import ASKED_AGAIN_AFTER, UNSETTLED
from journeys.pay_online import Channels, adapter_of, hear, refresh
from payments import channel_orders, channel_payments
from payments import services as payments
from payments.rules.bills import Bill
from payments.rules.channel_orders import ChannelOrder, OrderState, as_asked
from payments.rules.channels import Fate, Method
from payments.rules.payer_codes import Refused, read_code, refused_for
from payments.store import bills as store

COLLECTORS: Final = (Role.ATTENDANT, Role.FINANCE)
"""Those who have the payer before them."""
CALLED_OFF_AFTER: Final = timedelta(seconds=15)
"""WeChat Pay wants no order called off sooner after its code was charged."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What came of charging a code.

    Parameters
    ----------
    order : ChannelOrder
        As it stands by now.
    bill : Bill
        As it stands afterwards.
    refused : Refused or None
        Why no money was taken, where the channel said so just now.
    earlier : bool
        The code just read was not charged: one that was charged before for this bill may still be
        paid by its payer, and this is its order.
    """

    order: ChannelOrder
    bill: Bill
    refused: Refused | None = None
    earlier: bool = False


def charge_code(  # noqa: PLR0917 - who takes what by which code, under which number
    database: Database,
    channels: Channels,
    actor: Actor,
    bill_id: BillId,
    text: str,
    order_no: str,
) -> Charged:
    """Take all that is left of a bill by the code that its payer shows.

    Parameters
    ----------
    database : Database
    channels : Channels
        Those that are configured.
    actor : Actor
        An attendant, or the finance desk.
    bill_id : BillId
    text : str
        The code as it was read; it is kept nowhere.
    order_no : str
        The caller's own number: sent again, nothing is charged again, whatever the code is then.

    Raises
    ------
    Invalid
        Where what was read is no payer's code.
    Forbidden, NotFound
        Where the actor's role or district does not allow it, or there is no such bill.
    Unavailable
        Where the code's channel is not set up here.
    Conflict
        Where the bill takes no money, or the number was used for something else.
    """
    actor.require(*COLLECTORS)
    channel, code = read_code(text)
    adapter = adapter_of(channels, channel)
    with database.unit_of_work() as uow:
        # Held: of two who charge at once, the second sees what the first has asked for.
        bill = _bill(uow, actor, bill_id, lock=True)
        present = _present(uow, bill, order_no)
        if present is None:
            order = channel_payments.ask_order(
                uow, bill.id, channel, adapter.merchant, Method.BAR, actor.subject,
                order_no=order_no,
            )  # fmt: skip
            record(
                uow,
                actor,
                "payments.code_charged",
                "channel_order",
                order.order_no,
                {
                    "bill_id": str(bill.id),
                    "channel": channel.value,
                    "amount": order.amount.as_json(),
                },
            )
    if present is not None:
        earlier = present.order_no != order_no
        return _asked_after(database, channels, present, earlier=earlier)
    answer = adapter.open(as_asked(order), code).answer
    learned = hear(database, order.order_no, answer)
    refused = refused_for(answer.reason) if learned.order.state is OrderState.CLOSED else None
    return _charged(database, learned.order, refused)


def follow_code(
    database: Database, channels: Channels, actor: Actor, bill_id: BillId, order_no: str
) -> Charged:
    """Tell how the charge of a code stands; its channel is asked where it was not lately.

    Raises
    ------
    Forbidden, NotFound
        As `charge_code`, or where the bill has no such order.
    """
    actor.require(*COLLECTORS)
    with database.unit_of_work() as uow:
        order = _order(uow, _bill(uow, actor, bill_id), order_no)
    return _asked_after(database, channels, order)


def call_off_code(
    database: Database, channels: Channels, actor: Actor, bill_id: BillId, order_no: str
) -> Charged:
    """Have a charged code take no money any more, as its payer pays another way.

    What its channel says counts: one that is paid by now is paid. WeChat Pay reverses the order,
    Alipay closes it; UnionPay ends it at its time.

    Raises
    ------
    Forbidden, NotFound
        As `follow_code`.
    Conflict
        Within fifteen seconds of the charge.
    Unavailable
        Where its channel is not set up any more.
    """
    actor.require(*COLLECTORS)
    with database.unit_of_work() as uow:
        order = _order(uow, _bill(uow, actor, bill_id), order_no)
        if order.state not in UNSETTLED:
            return Charged(order, _bill(uow, actor, bill_id))
        if uow.wall.now() - order.opened_at < CALLED_OFF_AFTER:
            raise Conflict(
                "was charged just now: wait a quarter of a minute",
                field="order_no",
                reason="too-early",
            )
        detail = {"bill_id": str(bill_id), "channel": order.channel.value}
        record(uow, actor, "payments.code_called_off", "channel_order", order_no, {**detail})
    adapter = adapter_of(channels, order.channel)
    answer = adapter.query(as_asked(order))
    if answer.fate not in {Fate.PAID, Fate.CLOSED}:
        answer = adapter.close(as_asked(order))
    return _charged(database, hear(database, order_no, answer).order)


def _present(uow: UnitOfWork, bill: Bill, order_no: str) -> ChannelOrder | None:
    """Give the order that stands for a charge already; None where a code may be charged.

    It is the number's own, or that of another code which its payer may still pay by.
    """
    known = channel_orders.find_order(uow.connection, order_no)
    if known is not None:
        if (known.bill_id, known.method) != (bill.id, Method.BAR):
            raise Conflict("was used for another order", field="order_no")
        return known
    now = uow.wall.now()
    for order in channel_orders.orders_of_bill(uow.connection, bill.id):
        waits = order.state in UNSETTLED and order.expires_at > now
        if order.method is Method.BAR and waits:
            return order
    return None


def _bill(uow: UnitOfWork, actor: Actor, bill_id: BillId, *, lock: bool = False) -> Bill:
    bill = store.find_bill(uow.connection, bill_id, lock=lock)
    if bill is None:
        raise NotFound("there is no such bill", field="bill_id")
    if not actor.in_district(bill.charge.district):
        raise Forbidden("the bill is of another district than yours")
    return bill


def _order(uow: UnitOfWork, bill: Bill, order_no: str) -> ChannelOrder:
    order = channel_orders.find_order(uow.connection, order_no)
    if order is None or order.bill_id != bill.id or order.method is not Method.BAR:
        raise NotFound("the bill has no such order", field="order_no")
    return order


def _asked_after(
    database: Database,
    channels: Channels,
    order: ChannelOrder,
    *,
    earlier: bool = False,
) -> Charged:
    with database.unit_of_work() as uow:
        due = order.state in UNSETTLED and channel_orders.take_turn(
            uow.connection, order.id, uow.wall.now(), ASKED_AGAIN_AFTER
        )
    if due and order.channel in channels:
        order = refresh(database, channels, order.order_no)
    return _charged(database, order, earlier=earlier)


def _charged(
    database: Database,
    order: ChannelOrder,
    refused: Refused | None = None,
    *,
    earlier: bool = False,
) -> Charged:
    with database.read() as connection:
        bill = None if order.bill_id is None else payments.find_bill(connection, order.bill_id)
    if bill is None:
        raise NotFound("there is no such bill", field="bill_id")
    return Charged(order, bill, refused, earlier)
