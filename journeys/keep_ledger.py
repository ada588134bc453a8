"""What the finance desk does to the ledger itself: close periods, try contracts and policies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from city.audit import record
from city.errors import Forbidden
from city.identifiers import DistrictCode, FacilityId, OperatorId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from parking.services import places
from payments import contracts, periods
from payments.rules.arrears import ArrearsPolicy
from payments.rules.contracts import Contract, Share, split
from payments.rules.terms import RegionPolicy
from payments.store.periods import Period


@dataclass(frozen=True, slots=True)
class TriedContract:
    """What would be entered, the version that it would end, and what each share has of a fee."""

    contract: Contract
    before: Contract | None
    amounts: tuple[Money, ...]


def close_period(uow: UnitOfWork, actor: Actor, until_at: datetime) -> Period:
    """Close the ledger up to an instant.

    Raises
    ------
    Forbidden
        Where the actor is not of the whole city's finance desk.
    Conflict, Invalid
        As `payments.periods.close`.
    """
    check_whole_city(actor)
    closed = periods.close(uow, until_at, actor.subject)
    detail = {"until_at": until_at.isoformat()}
    record(uow, actor, "payments.period_closed", "ledger", "ledger", detail)
    return closed


def try_contract(  # noqa: PLR0917 - whose contract, from when, how it shares, and on which fee
    connection: Connection,
    actor: Actor,
    now: datetime,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    from_at: datetime | None,
    shares: Sequence[Share],
    fee: Money,
) -> TriedContract:
    """Say what would be proposed, and how it would share a fee; keep nothing.

    Raises
    ------
    Forbidden
        Where the actor is not of the whole city's finance desk, or the facility is another's.
    NotFound, Conflict, Invalid
        As `payments.contracts.proposed_contract`.
    """
    check_whole_city(actor)
    _check_home(connection, operator_id, facility_id)
    agreed, before = contracts.proposed_contract(
        connection, now, operator_id, facility_id, from_at, shares, actor.subject
    )
    amounts = split(fee.minor, [each.parts for each in agreed.shares]) if agreed.shares else ()
    return TriedContract(agreed, before, tuple(Money(each, fee.currency) for each in amounts))


def try_arrears(  # noqa: PLR0917 - of which district, from when and what
    connection: Connection,
    actor: Actor,
    now: datetime,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ArrearsPolicy,
) -> tuple[RegionPolicy, RegionPolicy | None]:
    """Give the policy that would be proposed, and the one that it would end."""
    check_whole_city(actor)
    return contracts.proposed_policy(connection, now, district, from_at, policy, actor.subject)


def _check_home(
    connection: Connection, operator_id: OperatorId, facility_id: FacilityId | None
) -> None:
    if facility_id is not None:
        home = places.facility(connection, facility_id)
        if home.operator_id != operator_id:
            raise Forbidden("the facility is another operator's", field="facility_id")


def check_whole_city(actor: Actor) -> None:
    """Refuse whoever is not of the whole city's finance desk."""
    actor.require(Role.FINANCE)
    if actor.districts is not None:
        raise Forbidden("is for the finance desk of the whole city")
