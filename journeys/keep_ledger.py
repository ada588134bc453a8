"""What the finance desk does to the ledger itself: close periods, enter contracts and policies."""

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
from payments.store.periods import Period
from payments.store.policies import RegionPolicy


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
    _whole_city(actor)
    closed = periods.close(uow, until_at, actor.subject)
    detail = {"until_at": until_at.isoformat()}
    record(uow, actor, "payments.period_closed", "ledger", "ledger", detail)
    return closed


def agree_contract(  # noqa: PLR0917 - whose contract, from when, how it shares
    uow: UnitOfWork,
    actor: Actor,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    from_at: datetime | None,
    shares: Sequence[Share],
) -> Contract:
    """Enter how the fees of an operator, or of one of its facilities, are shared from now on.

    Raises
    ------
    Forbidden
        Where the actor is not of the whole city's finance desk, or the facility is another's.
    NotFound, Conflict, Invalid
        As `payments.contracts.agree`.
    """
    _whole_city(actor)
    _check_home(uow.connection, operator_id, facility_id)
    agreed = contracts.agree(uow, operator_id, facility_id, from_at, shares, actor.subject)
    record(
        uow,
        actor,
        "payments.contract_agreed",
        "contract",
        str(agreed.id),
        {
            "operator_id": str(operator_id),
            "facility_id": str(facility_id) if facility_id else None,
            "from_at": agreed.from_at.isoformat(),
            "shares": [share.as_json() for share in agreed.shares],
        },
    )
    return agreed


def try_contract(  # noqa: PLR0917 - as `agree_contract`, and on which fee
    connection: Connection,
    actor: Actor,
    now: datetime,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    from_at: datetime | None,
    shares: Sequence[Share],
    fee: Money,
) -> TriedContract:
    """Say what `agree_contract` would enter, and how it would share a fee; keep nothing.

    Raises
    ------
    Forbidden, NotFound, Conflict, Invalid
        As `agree_contract`.
    """
    _whole_city(actor)
    _check_home(connection, operator_id, facility_id)
    agreed, before = contracts.proposed_contract(
        connection, now, operator_id, facility_id, from_at, shares, actor.subject
    )
    amounts = split(fee.minor, [each.parts for each in agreed.shares]) if agreed.shares else ()
    return TriedContract(agreed, before, tuple(Money(each, fee.currency) for each in amounts))


def try_arrears(  # noqa: PLR0917 - as `rule_arrears`
    connection: Connection,
    actor: Actor,
    now: datetime,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ArrearsPolicy,
) -> tuple[RegionPolicy, RegionPolicy | None]:
    """Give the policy that `rule_arrears` would enter, and the one that it would end."""
    _whole_city(actor)
    return contracts.proposed_policy(connection, now, district, from_at, policy, actor.subject)


def rule_arrears(
    uow: UnitOfWork,
    actor: Actor,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ArrearsPolicy,
) -> RegionPolicy:
    """Enter what a district rules about unpaid bills, for those issued from then on."""
    _whole_city(actor)
    ruled = contracts.rule(uow, district, from_at, policy, actor.subject)
    record(
        uow,
        actor,
        "payments.arrears_policy_ruled",
        "arrears-policy",
        str(ruled.id),
        {"district": district, "from_at": ruled.from_at.isoformat(), "source": policy.source},
    )
    return ruled


def _check_home(
    connection: Connection, operator_id: OperatorId, facility_id: FacilityId | None
) -> None:
    if facility_id is not None:
        home = places.facility(connection, facility_id)
        if home.operator_id != operator_id:
            raise Forbidden("the facility is another operator's", field="facility_id")


def _whole_city(actor: Actor) -> None:
    actor.require(Role.FINANCE)
    if actor.districts is not None:
        raise Forbidden("is for the finance desk of the whole city")
