"""Contracts, policies and rules about exits that two people have agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from city.identifiers import uuid7
from payments import contracts, exits, terms
from payments.rules.contracts import Contract
from payments.rules.exits import ExitMode, ExitRule
from payments.rules.terms import RegionPolicy, version_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from city.identifiers import DistrictCode, FacilityId, OperatorId
    from city.works.database import UnitOfWork
    from payments.rules.arrears import ArrearsPolicy
    from payments.rules.contracts import Share
    from payments.rules.terms import Version

SECOND = "second-person"


def agree(
    uow: UnitOfWork,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    from_at: datetime | None,
    shares: Sequence[Share],
    by: str,
) -> Contract:
    """Propose a contract, and have it approved at once."""
    now = uow.clock.now()
    found, _ = contracts.proposed_contract(
        uow.connection, now, operator_id, facility_id, from_at, shares, by
    )
    agreed = _approved(uow, found, from_at, by)
    assert isinstance(agreed, Contract)
    return agreed


def rule(
    uow: UnitOfWork,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ArrearsPolicy,
    by: str,
) -> RegionPolicy:
    """Propose a policy, and have it approved at once."""
    now = uow.clock.now()
    found, _ = contracts.proposed_policy(uow.connection, now, district, from_at, policy, by)
    agreed = _approved(uow, found, from_at, by)
    assert isinstance(agreed, RegionPolicy)
    return agreed


def rule_exits(uow: UnitOfWork, facility_id: FacilityId | None, mode: ExitMode) -> ExitRule:
    """Propose a rule about a garage's exits, or the whole city's, and have it approved at once."""
    now = uow.clock.now()
    found = ExitRule(uuid7(), facility_id, None, mode, now, "the owner's wish", now, "finance-1")
    exits.check_free(uow.connection, found)
    agreed = _approved(uow, found, None, "finance-1")
    assert isinstance(agreed, ExitRule)
    return agreed


def _approved(uow: UnitOfWork, version: Version, from_at: datetime | None, by: str) -> Version:
    draft = terms.propose(uow, version, from_at, by)
    return version_of(terms.decide(uow, draft.id, approve=True, by=SECOND))
