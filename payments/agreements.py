"""Agreements of drivers that bills of a car are taken from them when it has left.

Nothing here speaks to a channel. What a driver consents to is kept with us first; that the channel
deducts as well is heard from it; either side ends it at once.
"""

from typing import Final
from uuid import UUID

from city.errors import Conflict, NotFound
from city.identifiers import AccountId, VehicleId, uuid7
from city.works.database import UnitOfWork
from payments import channel_orders
from payments.rules import agreements as rules
from payments.rules.agreements import Agreement
from payments.rules.bills import Bill
from payments.rules.channel_orders import ORDER_TAKES_MONEY_FOR, ChannelOrder, OrderState
from payments.rules.channels import Method
from payments.rules.deductions import Signed
from payments.store import agreements as store

UNBOUND: Final = "not-theirs"
OWN_WORD: Final = "own-word"


def consent(uow: UnitOfWork, agreement: Agreement) -> Agreement:
    """Keep a driver's consent.

    Raises
    ------
    Conflict
        Where they have one for that car and channel that has not ended.
    """
    if not store.add(uow.connection, agreement):
        raise Conflict("you have such an agreement already", field="channel", reason="agreed")
    return agreement


def known(
    uow: UnitOfWork, account_id: AccountId, agreement_id: UUID, *, lock: bool = False
) -> Agreement:
    """Give an agreement of a driver's own; NotFound where it is not."""
    found = store.find(uow.connection, agreement_id, lock=lock)
    if found is None or found.account_id != account_id:
        raise NotFound("is no agreement of yours", field="agreement")
    return found


def hear(uow: UnitOfWork, agreement_id: UUID, said: Signed) -> tuple[Agreement, bool]:
    """Keep what a channel says of an agreement; tell whether that changed it.

    Raises
    ------
    NotFound
        Where there is no such agreement.
    """
    present = store.find(uow.connection, agreement_id, lock=True)
    if present is None:
        raise NotFound("there is no such agreement", field="agreement")
    after = rules.heard(present, said.standing, said.reason, uow.clock.now())
    if after != present:
        store.write(uow.connection, after)
    return after, after != present


def end(uow: UnitOfWork, agreement: Agreement, reason: str) -> Agreement:
    """End an agreement that is held; what is being deducted by now goes on.

    Raises
    ------
    Conflict
        Where it has ended.
    """
    after = rules.ended(agreement, reason, uow.clock.now())
    store.write(uow.connection, after)
    return after


def end_of_vehicle(
    uow: UnitOfWork, account_id: AccountId, vehicle_id: VehicleId
) -> list[Agreement]:
    """End what a driver agreed to for a car that is theirs no more."""
    standing = store.standing_of(uow.connection, account_id, vehicle_id)
    return [end(uow, each, UNBOUND) for each in standing]


def ask_deduction(uow: UnitOfWork, agreement: Agreement, bill: Bill, by: str) -> ChannelOrder:
    """Keep the order of a deduction before its channel is asked for it.

    Parameters
    ----------
    uow : UnitOfWork
        Commit it before the adapter's `deduct` is called.
    agreement : Agreement
        Held, and nothing stands in its way (`rules.obstacle`).
    bill : Bill
        Held; all that is left of it is taken.
    by : str
        Subject of who asks.
    """
    identifier = uuid7()
    now = uow.wall.now().replace(microsecond=0)
    order = ChannelOrder(
        id=identifier,
        bill_id=bill.id,
        channel=agreement.channel,
        order_no=identifier.hex,
        merchant=agreement.merchant,
        method=Method.AGREEMENT,
        amount=bill.outstanding,
        state=OrderState.ASKED,
        opened_at=now,
        opened_by=by,
        expires_at=now + ORDER_TAKES_MONEY_FOR,
        agreement_id=agreement.id,
    )
    channel_orders.add_order(uow.connection, order)
    return order
