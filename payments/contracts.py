"""Contracts about shares of commercial fees, and a region's policies: what would be proposed.

`payments.terms` keeps what is, and enters it once a second person approves.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from city.errors import Conflict, Invalid
from city.identifiers import DistrictCode, FacilityId, OperatorId, uuid7
from payments.rules.arrears import ArrearsPolicy
from payments.rules.contracts import Contract, Share
from payments.rules.terms import RegionPolicy
from payments.store import contracts as store
from payments.store import policies
from payments.store.whole import whole


def proposed_contract(  # noqa: PLR0917 - whose contract, from when, how it shares and by whom
    connection: Connection,
    now: datetime,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    from_at: datetime | None,
    shares: Sequence[Share],
    by: str,
) -> tuple[Contract, Contract | None]:
    """Give a contract as it would be approved now, and the one that it would end; keep nothing.

    Raises
    ------
    Conflict
        Where another one begins at the same instant.
    Invalid
        Where it would begin in the past, or its shares are none.
    """
    agreed = Contract(uuid7(), operator_id, facility_id, from_at or now, tuple(shares), now, by)
    before = store.standing(connection, operator_id, facility_id, agreed.from_at)
    if before is not None and before.from_at == agreed.from_at:
        raise Conflict("another contract begins then", field="from_at")
    return agreed, before


def contracts(connection: Connection) -> list[Contract]:
    """Give contracts, by operator and facility, the latest first."""
    found = whole(lambda after, limit: store.page(connection, after, limit))
    found.sort(key=lambda each: each.from_at, reverse=True)
    found.sort(
        key=lambda each: (str(each.operator_id), each.facility_id is None, str(each.facility_id))
    )
    return found


def proposed_policy(  # noqa: PLR0917 - of which district, from when, what and by whom
    connection: Connection,
    now: datetime,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ArrearsPolicy,
    by: str,
) -> tuple[RegionPolicy, RegionPolicy | None]:
    """Give a policy as it would be approved now, and the one that it would end; keep nothing.

    Raises
    ------
    Conflict
        Where another one begins at the same instant.
    Invalid
        Where it would begin in the past.
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
    found = whole(lambda after, limit: policies.page(connection, after, limit))
    found.sort(key=lambda each: each.from_at, reverse=True)
    found.sort(key=lambda each: (each.district is None, each.district or ""))
    return found
