"""Several bills of one vehicle paid by one order at a channel.

As `payments.channel_payments` for one bill: the order is kept before its channel is asked, and what
the channel says settles each bill by its own share, with a payment and an entry of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from city.errors import NotFound
from city.identifiers import BillId, PaymentId, uuid7
from city.works.database import UnitOfWork
from payments import channel_orders, services
from payments.rules.bills import Bill, BillState, Payment, credited
from payments.rules.booking import book_channel_payment, book_surplus_share
from payments.rules.channel_orders import ChannelOrder, OrderState, takes_money_for
from payments.rules.channels import Channel, Method
from payments.rules.order_shares import Share, is_needed, shares_of, total
from payments.store import bills as bill_store
from payments.store import ledger as ledger_store
from payments.store import order_shares, takings

if TYPE_CHECKING:
    from payments.rules.ledger import Entry


def ask_merged(  # noqa: PLR0917 - of which bills, through whom, how and by whom
    uow: UnitOfWork,
    bill_ids: Collection[BillId],
    channel: Channel,
    merchant: str,
    method: Method,
    by: str,
    *,
    lost_no: str = "",
    payer_hash: str = "",
) -> ChannelOrder:
    """Keep an order over all that is left of several bills; the present one where there is one.

    Parameters
    ----------
    uow : UnitOfWork
        Commit it before the adapter's `open` is called.
    bill_ids : collection of BillId
        Of one vehicle, `MOST_MERGED` at most.
    channel, merchant, method, by, lost_no, payer_hash
        As `channel_payments.ask_order`.

    Raises
    ------
    NotFound
        Where one of them is no bill.
    Conflict, Invalid
        As `shares_of`.
    """
    bills = bill_store.bills_by_id(uow.connection, bill_ids, lock=True)
    if len(bills) < len(set(bill_ids)):
        raise NotFound("no such bill", field="bill_id")
    order_id, now = uuid7(), uow.wall.now()
    shares = shares_of(order_id, list(bills.values()))
    amounts = {each.bill_id: each.amount for each in shares}
    present = order_shares.open_order(uow.connection, amounts, channel, method, merchant, now)
    usable = present is not None and present.code_ends_at > now and present.payer_hash == payer_hash
    if present is not None and usable and present.order_no != lost_no:
        return present
    opened_at = now.replace(microsecond=0)
    order = ChannelOrder(
        id=order_id,
        bill_id=None,
        channel=channel,
        order_no=order_id.hex,
        merchant=merchant,
        method=method,
        amount=total(shares),
        state=OrderState.ASKED,
        opened_at=opened_at,
        opened_by=by,
        expires_at=opened_at + takes_money_for(method),
        payer_hash=payer_hash,
    )
    channel_orders.add_order(uow.connection, order)
    order_shares.add(uow.connection, shares)
    return order


def settle_shares(
    uow: UnitOfWork,
    orders: Sequence[ChannelOrder],
    shares: Mapping[UUID, Sequence[Share]],
    bills: dict[BillId, Bill],
) -> list[tuple[ChannelOrder, Share]]:
    """Settle the bills of paid orders, each by its share; give the shares that were not needed.

    What was not needed is owed back; its refund is for the caller to ask for. Seven statements,
    however many orders and bills.

    Parameters
    ----------
    uow : UnitOfWork
    orders : sequence of ChannelOrder
        Held, over several bills each, paid just now.
    shares : mapping
        Of each order, by its id.
    bills : dict
        All that they share in, held; as they stand afterwards.
    """
    over: list[tuple[ChannelOrder, Share]] = []
    if not orders:
        return over
    at = uow.clock.now()
    paid: list[Share] = []
    payments: list[Payment] = []
    entries: list[Entry] = []
    settled: dict[BillId, tuple[Bill, Payment]] = {}
    for order in orders:
        for share in shares[order.id]:
            bill = bills[share.bill_id]
            if not is_needed(share, bill):
                entries.append(book_surplus_share(share, order, at))
                over.append((order, share))
                continue
            by = f"channel:{order.channel.value}"
            payment = Payment(
                PaymentId(uuid7()), bill.id, order.channel.value, share.amount, share.amount, at, by
            )
            entries.append(book_channel_payment(payment, bill, order))
            bills[bill.id] = credited(bill, share.amount, at)
            settled[bill.id] = (bills[bill.id], payment)
            payments.append(payment)
            paid.append(replace(share, payment_id=payment.id))
    takings.add_payments(uow.connection, payments)
    order_shares.write(uow.connection, paid)
    bill_store.write_states(uow.connection, [bill for bill, _ in settled.values()])
    ledger_store.add_entries(uow.connection, entries)
    for bill, payment in settled.values():
        if bill.state is BillState.PAID:
            services.announce_settled(uow, bill, payment)
    return over


def shares_of_orders(
    uow: UnitOfWork, orders: Collection[ChannelOrder]
) -> tuple[dict[UUID, list[Share]], set[BillId]]:
    """Give the shares of some held orders by the order's id, and the bills that they are for."""
    shares = order_shares.of_orders(uow.connection, [each.id for each in orders])
    return shares, {share.bill_id for each in shares.values() for share in each}


def hold(
    uow: UnitOfWork, orders: Collection[ChannelOrder]
) -> tuple[dict[UUID, list[Share]], dict[BillId, Bill]]:
    """Give the shares of some held orders, and their bills, held as well: two statements."""
    shares, wanted = shares_of_orders(uow, orders)
    return shares, bill_store.bills_by_id(uow.connection, wanted, lock=True)
