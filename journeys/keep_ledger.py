"""What the finance desk does to the ledger itself: close periods, enter contracts and policies."""

from collections.abc import Sequence
from datetime import datetime

from city.audit import record
from city.errors import Forbidden
from city.identifiers import DistrictCode, FacilityId, OperatorId
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from parking.services import places
from payments import contracts, periods
from payments.rules.arrears import ArrearsPolicy
from payments.rules.contracts import Contract, Share
from payments.store.periods import Period
from payments.store.policies import RegionPolicy


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
    if facility_id is not None:
        home = places.facility(uow.connection, facility_id)
        if home.operator_id != operator_id:
            raise Forbidden("the facility is another operator's", field="facility_id")
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


def _whole_city(actor: Actor) -> None:
    actor.require(Role.FINANCE)
    if actor.districts is not None:
        raise Forbidden("is for the finance desk of the whole city")
