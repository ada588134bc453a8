"""What a gate asks before a vehicle leaves: open, ask for money, or call somebody.

A lane controller asks with what its camera read, and asks again while it waits. Nothing is billed
and no stay ends by asking: that the vehicle passed is told as a passage (`admit_vehicle`).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from city.errors import Conflict, Invalid
from city.identifiers import VehicleId
from city.money import Money
from city.people.actors import Actor
from city.works.database import UnitOfWork
from journeys.admit_vehicle import Passage, vehicle_of
from journeys.offer_ahead import offer_stay
from journeys.pay_ahead import Fee, fee_of_stay
from journeys.pay_by_link import give_link
from parking.services import readers, tariffs, visits
from parking.store.places import Facility, facility
from payments import exits, privileges
from payments.rules.arrears import Privilege
from payments.rules.exits import Because, ExitMode, Standing, Verdict, decide
from payments.rules.pay_links import Scope
from payments.store import exits as store


@dataclass(frozen=True, slots=True)
class ExitAnswer:
    """What a gate is told.

    Parameters
    ----------
    verdict : Verdict
    because : Because
    mode : ExitMode
        What the facility rules.
    fee : Fee or None
        What the stay costs by now; None where none is known.
    link : str
        Of the pay page, where the gate asks: to be shown as a code. It names neither place nor
        times; empty otherwise.
    pay_until_at : datetime or None
        Until when that price holds.
    """

    verdict: Verdict
    because: Because
    mode: ExitMode
    fee: Fee | None = None
    link: str = ""
    pay_until_at: datetime | None = None

    @property
    def due(self) -> Money | None:
        """What is due by now."""
        return None if self.fee is None else self.fee.rated.quote.total


@dataclass(frozen=True, slots=True)
class ExitTerms:
    """What holds for whoever leaves a facility.

    Parameters
    ----------
    mode : ExitMode
        Whether a stay is paid for before or after.
    grace_s : int or None
        For how long a small car may still leave once all is paid; None where no tariff says.
    """

    mode: ExitMode
    grace_s: int | None


def exit_terms(connection: Connection, place: Facility, at: datetime) -> ExitTerms:
    """Tell what holds at an instant for whoever leaves a facility: two statements.

    A kerb has no gate that could ask for money first.
    """
    mode = ExitMode.LEAVE_FIRST
    if place.kind != "kerb":
        mode = exits.mode_in_force(connection, place.id, place.district, at)
    return ExitTerms(mode, tariffs.exit_grace_at(connection, place.id, at))


def ask_exit(uow: UnitOfWork, actor: Actor, passage: Passage) -> ExitAnswer:
    """Say whether a gate opens for who stands before it.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps what is offered, and the plate as the vault knows it.
    actor : Actor
        The integration or device that asks: the gate's own reader, or one of the district.
    passage : Passage
        As it would be told once the vehicle passes; its `event_id` is not used up.

    Raises
    ------
    NotFound
        Where there is no such facility, or no such ticket there.
    Forbidden
        As `admit_vehicle.pass_gate`.
    Invalid
        Where it has no gates.
    """
    place = facility(uow.connection, passage.facility_id)
    readers.check_gate(uow.connection, actor, place, passage.gate)
    if place.kind == "kerb":
        raise Invalid("is a kerb: it has no gates", field="facility_id")
    return answer_exit(uow, place, vehicle_of(uow, passage))


def answer_exit(uow: UnitOfWork, place: Facility, vehicle_id: VehicleId | None) -> ExitAnswer:
    """Say whether a gate opens for a vehicle under the identity with which it is inside.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps what is offered.
    place : Facility
        Whose gate it is.
    vehicle_id : VehicleId or None
        None where nobody can tell who stands there.
    """
    now = uow.clock.now()
    mode = exits.mode_in_force(uow.connection, place.id, place.district, now)
    fee = None if vehicle_id is None else _fee(uow, place, vehicle_id, now)
    if fee is None:
        return ExitAnswer(*decide(mode, Standing(known=False)), mode)
    session = fee.session
    due = fee.rated.quote.total
    standing = Standing(
        known=True,
        due_minor=due.minor,
        paying=bool(due) and store.paying(uow.connection, session.id),
        lost=bool(due) and _has_lost(uow, fee, now),
    )
    verdict, because = decide(mode, standing)
    if verdict is not Verdict.ASK:
        return ExitAnswer(verdict, because, mode, fee)
    offered = offer_stay(uow, session)
    return ExitAnswer(
        verdict, because, mode, fee, give_link(uow, offered.id, Scope.AMOUNT), offered.due_at
    )


def _fee(uow: UnitOfWork, place: Facility, vehicle_id: VehicleId, now: datetime) -> Fee | None:
    """Give what the stay of who stands there costs by now; None where no such stay counts."""
    # Held: two who ask at once get one offer.
    for session in visits.open_at(uow, place.id, vehicle_id):
        if session.stay.hold is not None:
            continue
        try:
            return fee_of_stay(uow.connection, session, now)
        except Conflict:
            continue  # it has no tariff yet, or another stay counts
    return None


def _has_lost(uow: UnitOfWork, fee: Fee, now: datetime) -> bool:
    vehicle_id = fee.session.stay.vehicle_id
    if vehicle_id is None:
        return False
    lost = privileges.lost(uow.connection, [vehicle_id], now).get(vehicle_id, frozenset())
    return Privilege.LEAVE_FIRST in lost
