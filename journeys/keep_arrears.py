"""What people do about unpaid bills: take several at once, lower one, give one up, leave a slip."""

from collections.abc import Sequence
from uuid import UUID

from city.audit import record
from city.errors import Forbidden, NotFound
from city.identifiers import BillId, ParkingSessionId, VehicleId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import find_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from journeys.held_stay import check_reach
from parking.services import stays
from payments import arrears, bill_changes, chasing
from payments import services as payments
from payments.arrears import Owed
from payments.rules.arrears import Adjustment, WriteOff
from payments.rules.bills import Bill, Payment
from payments.rules.notices import Notice

TAKERS = (Role.ATTENDANT, Role.FINANCE)
SLIP_LEAVERS = (Role.ATTENDANT, Role.INSPECTOR)
SECOND = (Role.FINANCE, Role.ADMINISTRATOR)
"""Who may be the second person: a small finance desk has one officer alone."""


def find_arrears(uow: UnitOfWork, actor: Actor, plate: PlateNumber) -> Owed:
    """Give what a plate's vehicle owes, at whichever place: for who meets it, or is asked.

    Looking a plate up is put on record. What it owes elsewhere is shown as well: arrears are paid
    at any bay or lot of the city.
    """
    actor.require(*TAKERS, Role.INSPECTOR, Role.OPERATOR)
    vehicle_id = find_plate(uow, actor, plate, "arrears looked up")
    return Owed((), ()) if vehicle_id is None else arrears.owed_by(uow.connection, [vehicle_id])


def arrears_of_stay(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId
) -> tuple[VehicleId | None, Owed]:
    """Give what the vehicle of a stay owes, for the attendant before it.

    Raises
    ------
    NotFound
        Where there is no such stay.
    Forbidden
        Where it is in another district than the actor's.
    """
    actor.require(*TAKERS, Role.INSPECTOR, Role.OPERATOR)
    session = stays.find(uow.connection, session_id)
    if session is None:
        raise NotFound("there is no such stay", field="session_id")
    check_reach(actor, session)
    vehicle_id = session.stay.vehicle_id
    if vehicle_id is None:
        return None, Owed((), ())
    return vehicle_id, arrears.owed_by(uow.connection, [vehicle_id])


def take_several(
    uow: UnitOfWork, actor: Actor, bill_ids: Sequence[BillId], tendered: Money
) -> list[Payment]:
    """Take cash for several bills of one vehicle, of whichever district: all of them, or none.

    Raises
    ------
    Forbidden, NotFound, Conflict, Invalid
        As `payments.arrears.pay_several`.
    """
    actor.require(*TAKERS)
    taken = arrears.pay_several(uow, bill_ids, tendered, actor.subject)
    for payment in taken:
        record(
            uow,
            actor,
            "payments.cash_taken",
            "bill",
            str(payment.bill_id),
            {
                "payment_id": str(payment.id),
                "amount": payment.amount.as_json(),
                "together_with": len(taken) - 1,
            },
        )
    return taken


def take_part(
    uow: UnitOfWork, actor: Actor, bill_id: BillId, part: Money, tendered: Money
) -> Payment:
    """Take cash for a part of a bill."""
    actor.require(*TAKERS)
    _of_district(uow, actor, bill_id)
    payment = payments.pay_in_cash(uow, bill_id, tendered, actor.subject, part=part).payment
    bill = payments.find_bill(uow.connection, bill_id)
    if bill is None:
        raise NotFound("there is no such bill", field="bill_id")
    record(
        uow,
        actor,
        "payments.cash_taken",
        "bill",
        str(bill_id),
        {
            "payment_id": str(payment.id),
            "amount": payment.amount.as_json(),
            "left": bill.outstanding.as_json(),
        },
    )
    return payment


def adjust_bill(
    uow: UnitOfWork, actor: Actor, bill_id: BillId, amount: Money, reason: str
) -> tuple[Adjustment, Bill]:
    """Lower a bill, with a reason, as far as the role may.

    Raises
    ------
    Forbidden, NotFound, Conflict, Invalid
        As `payments.arrears.adjust`; Forbidden too for a bill of another district.
    """
    actor.require(Role.OPERATOR, Role.FINANCE)
    _of_district(uow, actor, bill_id)
    role = Role.FINANCE if actor.has_any(Role.FINANCE) else Role.OPERATOR
    done, bill = bill_changes.adjust(uow, bill_id, amount, reason, actor.subject, role.value)
    record(
        uow,
        actor,
        "payments.bill_adjusted",
        "bill",
        str(bill_id),
        {
            "adjustment_id": str(done.id),
            "amount": amount.as_json(),
            "role": role.value,
            "reason": done.reason,
        },
    )
    return done, bill


def ask_write_off(uow: UnitOfWork, actor: Actor, bill_id: BillId, reason: str) -> WriteOff:
    """Ask for what is left of a bill to be given up; a second person decides."""
    actor.require(Role.FINANCE)
    _of_district(uow, actor, bill_id)
    asked = bill_changes.ask_write_off(uow, bill_id, reason, actor.subject)
    record(
        uow,
        actor,
        "payments.write_off_asked",
        "bill",
        str(bill_id),
        {"write_off_id": str(asked.id), "amount": asked.amount.as_json(), "reason": asked.reason},
    )
    return asked


def decide_write_off(
    uow: UnitOfWork, actor: Actor, write_off_id: UUID, *, approve: bool
) -> tuple[WriteOff, Bill]:
    """Decide whether what is left of a bill is given up: never who asked."""
    actor.require(*SECOND)
    asked = bill_changes.find_write_off(uow.connection, write_off_id)
    if asked is None:
        raise NotFound("nobody asked for that", field="write_off_id")
    _of_district(uow, actor, asked.bill_id)
    decided, bill = bill_changes.decide_write_off(
        uow, write_off_id, approve=approve, by=actor.subject
    )
    record(
        uow,
        actor,
        "payments.write_off_decided",
        "bill",
        str(bill.id),
        {
            "write_off_id": str(write_off_id),
            "state": decided.state.value,
            "amount": decided.amount.as_json(),
        },
    )
    return decided, bill


def leave_slip(uow: UnitOfWork, actor: Actor, notice_id: UUID, where: str) -> Notice:
    """Keep that a slip was printed and left on the vehicle."""
    actor.require(*SLIP_LEAVERS)
    slip = chasing.hand_over_slip(uow, notice_id, where.strip(), actor.subject)
    record(
        uow,
        actor,
        "payments.slip_left",
        "bill",
        str(slip.bill_id),
        {"notice_id": str(notice_id), "kind": slip.kind.value},
    )
    return slip


def _of_district(uow: UnitOfWork, actor: Actor, bill_id: BillId) -> None:
    bill = payments.find_bill(uow.connection, bill_id)
    if bill is None:
        raise NotFound("there is no such bill", field="bill_id")
    if not actor.in_district(bill.charge.district):
        raise Forbidden("the bill is of another district than yours")
