"""Take a bill from the driver who agreed to it, now that the car has left.

Commit what we want, speak to the channel outside of any transaction, commit what it said. A bill is
deducted at most once by a channel, under one number however often the job runs; what stays unknown
is asked after by `pursue_channels` as any order. Where the channel refuses, the bill is simply
open, as if nobody had agreed to anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from pydantic import JsonValue

from city.audit import record
from city.errors import Invalid, Unavailable
from city.identifiers import BillId
from city.people.actors import system_actor
from city.vault import reveal
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from journeys.pay_online import Channels
from parking.rules.evidence import CERTAIN, EvidenceKind
from parking.rules.stays import ParkingSession
from parking.services import stay_views, stays, vehicle_users
from parking.store.places import facility
from payments import agreements, channel_payments
from payments import services as payments
from payments.rules.agreements import Agreement, Leaving, Obstacle, obstacle
from payments.rules.bills import Bill, BillPart, BillState
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channel_orders import ChannelOrder, OrderState, as_asked
from payments.rules.channels import Channel, Fate
from payments.rules.deductions import Deducted, DeductingChannel, Parked, Signed, deducting
from payments.store import agreements as store
from payments.store import bills as bill_store

log = structlog.get_logger("payments")

TASK: Final = "payments.deduct_by_agreement"
ACTOR: Final = system_actor("payments.deduction")
_PURPOSE: Final = "told to the channel that the driver agreed to"
_WITNESSES: Final = frozenset(
    {
        EvidenceKind.GATE_ENTRY,
        EvidenceKind.GATE_EXIT,
        EvidenceKind.CAMERA_READ,
        EvidenceKind.PLATE_SEEN,
        EvidenceKind.IDENTIFIED,
    }
)
"""Who saw the plate; a reservation or a payment only names it."""
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An order to be deducted, and what the channel is told with it."""

    order: ChannelOrder
    parked: Parked
    fresh: bool
    """False where it was asked for before, and may be taken."""


def defer(uow: UnitOfWork, bill: Bill) -> None:
    """Have a stay's bill deducted once this transaction commits, where anybody agreed to it."""
    if bill.state is BillState.OPEN and store.any_signed(uow.connection, bill.charge.vehicle_id):
        uow.defer(TASK, {"bill_id": str(bill.id)})


def deduct(database: Database, channels: Channels, bill_id: BillId) -> ChannelOrder | None:
    """Have a bill taken by the first agreement that allows it; by the next where that is refused.

    Done again it changes nothing: what was asked for is asked after.

    Parameters
    ----------
    database : Database
    channels : Channels
        Those that are configured.
    bill_id : BillId
        Of a stay that is over.

    Returns
    -------
    ChannelOrder or None
        The last order that was asked for, as it stands; None where nothing may be deducted.

    Raises
    ------
    Unavailable
        Where the channel's answer was lost: run it again, it is the same deduction.
    """
    able = deducting(channels)
    done: ChannelOrder | None = None
    for _ in able:
        with database.unit_of_work() as uow:
            asked = _ask(uow, able, bill_id)
        if asked is None:
            return done
        done = _take(database, able[asked.order.channel], asked)
        if done.state in {OrderState.ASKED, OrderState.UNKNOWN}:
            raise Unavailable("the channel did not say whether it deducts", retry_after_s=10)
        if done.state is not OrderState.CLOSED:
            return done
    return done


def task(database: Database, channels: Channels) -> Task:
    """Give the task that deducts a bill."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        try:
            bill_id = BillId(UUID(str(arguments["bill_id"])))
        except (KeyError, ValueError):
            raise Invalid("names no bill", field="bill_id") from None
        deduct(database, channels, bill_id)

    return Task(TASK, handle)


def _ask(
    uow: UnitOfWork, able: Mapping[Channel, DeductingChannel], bill_id: BillId
) -> _Asked | None:
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    session = None if bill is None else stays.find(uow.connection, bill.charge.session_id)
    if bill is None or session is None:
        return None
    now = uow.wall.now()
    earlier = store.deductions_of(uow.connection, bill.id)
    for order in earlier:
        if order.state in {OrderState.ASKED, OrderState.UNKNOWN}:
            parked = _parked(uow, bill, session)
            again = order.channel in able and now < order.expires_at and parked is not None
            return _Asked(order, parked, fresh=False) if again and parked else None
        if order.state is not OrderState.CLOSED:
            return None
    tried = {order.channel for order in earlier}
    midnight_at = now.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    hindered: dict[str, JsonValue] = {}
    for agreement in store.signed_of(uow.connection, bill.charge.vehicle_id):
        adapter = able.get(agreement.channel)
        if agreement.channel in tried or adapter is None or adapter.merchant != agreement.merchant:
            continue
        leaving = _leaving(uow, bill, session, agreement, midnight_at)
        hindrance = obstacle(agreement, leaving)
        if hindrance is Obstacle.NOT_THEIRS:
            agreements.end(uow, agreement, agreements.UNBOUND)
        parked = None if hindrance else _parked(uow, bill, session)
        if parked is not None:
            return _Asked(_keep(uow, agreement, bill), parked, fresh=True)
        hindered[str(agreement.id)] = hindrance.value if hindrance else "plate-forgotten"
    if hindered:
        record(uow, ACTOR, "payments.deduction_left", "bill", str(bill.id), hindered)
    return None


def _keep(uow: UnitOfWork, agreement: Agreement, bill: Bill) -> ChannelOrder:
    order = agreements.ask_deduction(uow, agreement, bill, ACTOR.subject)
    detail: dict[str, JsonValue] = {
        "bill_id": str(bill.id),
        "order_no": order.order_no,
        "amount": order.amount.as_json(),
        "channel": order.channel.value,
    }
    record(uow, ACTOR, "payments.deduction_asked", "agreement", str(agreement.id), detail)
    return order


def _leaving(
    uow: UnitOfWork,
    bill: Bill,
    session: ParkingSession,
    agreement: Agreement,
    midnight_at: datetime,
) -> Leaving:
    stay, vehicle_id = session.stay, bill.charge.vehicle_id
    bills = payments.bills_of_sessions(uow.connection, [session.id])
    over = stay.final and stay.billable and stay.vehicle_id == vehicle_id
    left_at = stay.closed_at if over else None
    certainty = CERTAIN
    if stay.started_by != agreement.account_id:
        certainty = max(
            (
                each.certainty
                for each in stay_views.timeline(uow.connection, session).evidence
                if each.kind in _WITNESSES and each.names == vehicle_id
            ),
            default=0,
        )
    return Leaving(
        outstanding=bill.outstanding,
        payable=bill.state is BillState.OPEN and bill.charge.part is BillPart.STAY,
        disputed=any(
            each.state in {BillState.CANCELLED, BillState.DISPUTED}
            and each.charge.part is BillPart.STAY
            for each in bills
        ),
        left_at=left_at,
        certainty=certainty,
        theirs=left_at is not None
        and vehicle_users.was_theirs(uow.connection, agreement.account_id, vehicle_id, left_at),
        taken_today=store.taken_since(uow.connection, agreement, midnight_at),
    )


def _parked(uow: UnitOfWork, bill: Bill, session: ParkingSession) -> Parked | None:
    """Give what a channel is told of a stay; None where its plate is forgotten."""
    vehicle_id = bill.charge.vehicle_id
    plate = reveal(uow, ACTOR, [vehicle_id], _PURPOSE).get(vehicle_id)
    closed_at = session.stay.closed_at
    if plate is None or closed_at is None:
        return None
    # A channel knows wall time alone; in the demo the city's is another one.
    ahead = timedelta(seconds=round((uow.clock.now() - uow.wall.now()).total_seconds()))
    left_at = min(closed_at - ahead, uow.wall.now()).replace(microsecond=0)
    entered_at = (session.stay.opened_at - ahead).replace(microsecond=0)
    place = facility(uow.connection, session.facility_id)
    # An instant's stay may cost its entry; a channel takes no stay without length.
    return Parked(plate, place.name_zh, place.code, min(entered_at, left_at - _SECOND), left_at)


def _take(database: Database, adapter: DeductingChannel, asked: _Asked) -> ChannelOrder:
    order = as_asked(asked.order)
    told: Deducted | None = None
    if not asked.fresh:
        answer = adapter.query(order)
        told = None if answer.fate is Fate.MISSING else Deducted(answer)
    told = told or adapter.deduct(order, asked.parked)
    with database.unit_of_work() as uow:
        after = channel_payments.hear(uow, order.order_no, told.answer).order
        agreement_id = asked.order.agreement_id
        if told.standing is not None and agreement_id is not None:
            said = Signed(told.standing, told.answer.reason)
            agreement, changed = agreements.hear(uow, agreement_id, said)
            if changed:
                detail: dict[str, JsonValue] = {
                    "state": agreement.state.value,
                    "reason": agreement.reason,
                }
                record(
                    uow, ACTOR, "payments.agreement_heard", "agreement", str(agreement_id), detail
                )
        if after.state is OrderState.CLOSED:
            record(
                uow,
                ACTOR,
                "payments.deduction_refused",
                "agreement",
                str(agreement_id),
                {"order_no": order.order_no, "reason": told.answer.reason},
            )
    if after.state is OrderState.CLOSED:
        log.info("a channel does not deduct", order=order.order_no, reason=told.answer.reason)
    return after
