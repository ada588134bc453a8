"""Contracts about shares of commercial fees, and a region's policies: entered, never changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Invalid
from city.identifiers import DistrictCode, FacilityId, OperatorId, uuid7
from city.works.database import UnitOfWork
from payments.rules.arrears import ArrearsPolicy
from payments.rules.contracts import Contract, Share
from payments.store import contracts as store
from payments.store import policies
from payments.store.policies import RegionPolicy


def agree(  # noqa: PLR0917 - whose contract, from when, how it shares and by whom
    uow: UnitOfWork,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    from_at: datetime | None,
    shares: Sequence[Share],
    by: str,
) -> Contract:
    """Enter a contract; bills issued from `from_at` on (None: now) follow it.

    Raises
    ------
    Conflict
        Where another one begins at the same instant.
    Invalid
        Where it would begin in the past, or its shares are none.
    """
    agreed, _ = proposed_contract(
        uow.connection, uow.clock.now(), operator_id, facility_id, from_at, shares, by
    )
    try:
        with uow.connection.begin_nested():
            store.add(uow.connection, agreed)
    except IntegrityError:
        raise Conflict("another contract begins then", field="from_at") from None
    return agreed


def proposed_contract(  # noqa: PLR0917 - as `agree`, which enters it
    connection: Connection,
    now: datetime,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    from_at: datetime | None,
    shares: Sequence[Share],
    by: str,
) -> tuple[Contract, Contract | None]:
    """Give the contract that `agree` would enter, and the one that it would end; keep nothing.

    Raises
    ------
    Conflict, Invalid
        As `agree`.
    """
    agreed = Contract(uuid7(), operator_id, facility_id, from_at or now, tuple(shares), now, by)
    before = store.standing(connection, operator_id, facility_id, agreed.from_at)
    if before is not None and before.from_at == agreed.from_at:
        raise Conflict("another contract begins then", field="from_at")
    return agreed, before


def contracts(connection: Connection) -> list[Contract]:
    """Give contracts, by operator and facility, the latest first."""
    return store.all_of(connection)


def rule(
    uow: UnitOfWork,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ArrearsPolicy,
    by: str,
) -> RegionPolicy:
    """Enter what a district (None: every other) rules about unpaid bills from an instant on.

    Raises
    ------
    Conflict
        Where another one begins at the same instant.
    Invalid
        Where it would begin in the past.
    """
    region, _ = proposed_policy(uow.connection, uow.clock.now(), district, from_at, policy, by)
    try:
        with uow.connection.begin_nested():
            policies.add(uow.connection, region)
    except IntegrityError:
        raise Conflict("another policy begins then", field="from_at") from None
    return region


def proposed_policy(  # noqa: PLR0917 - as `rule`, which enters it
    connection: Connection,
    now: datetime,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ArrearsPolicy,
    by: str,
) -> tuple[RegionPolicy, RegionPolicy | None]:
    """Give the policy that `rule` would enter, and the one that it would end; keep nothing.

    Raises
    ------
    Conflict, Invalid
        As `rule`.
    """
    region = RegionPolicy(uuid7(), district, from_at or now, policy, now, by)
    if region.from_at < now:
        raise Invalid("must not lie in the past: bills keep their policy", field="from_at")
    before = policies.standing(connection, district, region.from_at)
    if before is not None and before.from_at == region.from_at:
        raise Conflict("another policy begins then", field="from_at")
    return region, before


def rules(connection: Connection) -> list[RegionPolicy]:
    """Give policies by district, the latest first."""
    return policies.all_of(connection)
