"""Contracts, policies on unpaid bills, rules about exits: proposed by one, approved by another."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from city.audit import record
from city.errors import Forbidden, Invalid
from city.identifiers import DistrictCode, FacilityId, OperatorId, uuid7
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from journeys.keep_ledger import check_whole_city, try_arrears, try_contract
from parking.services import places
from payments import exits, terms
from payments.rules.arrears import ArrearsPolicy
from payments.rules.contracts import Share
from payments.rules.exits import ExitMode, ExitRule
from payments.rules.terms import TermDraft, Version

if TYPE_CHECKING:
    from pydantic import JsonValue

_NOTHING: Final = Money(0, "CNY")


def propose_contract(  # noqa: PLR0917 - whose contract, from when, how it shares
    uow: UnitOfWork,
    actor: Actor,
    operator_id: OperatorId,
    facility_id: FacilityId | None,
    from_at: datetime | None,
    shares: Sequence[Share],
) -> TermDraft:
    """Propose how the fees of an operator, or of one of its facilities, are shared.

    Raises
    ------
    Forbidden, NotFound, Conflict, Invalid
        As `keep_ledger.try_contract`.
    """
    now = uow.clock.now()
    tried = try_contract(
        uow.connection, actor, now, operator_id, facility_id, from_at, shares, _NOTHING
    )
    return _propose(uow, actor, tried.contract, from_at)


def propose_arrears(
    uow: UnitOfWork,
    actor: Actor,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ArrearsPolicy,
) -> TermDraft:
    """Propose what a district rules about unpaid bills; raises as `keep_ledger.try_arrears`."""
    region, _ = try_arrears(uow.connection, actor, uow.clock.now(), district, from_at, policy)
    return _propose(uow, actor, region, from_at)


def propose_exits(  # noqa: PLR0917 - where, from when, what and on which ground
    uow: UnitOfWork,
    actor: Actor,
    facility_id: FacilityId | None,
    district: DistrictCode | None,
    mode: ExitMode,
    from_at: datetime | None,
    source: str,
) -> TermDraft:
    """Propose whether a facility, a district or the city lets leave first, from an instant on.

    Raises
    ------
    Forbidden
        Where the actor is not of the whole city's finance desk.
    NotFound, Conflict, Invalid
        Where there is no such facility, another rule begins then, or as `ExitRule`.
    """
    check_whole_city(actor)
    if facility_id is not None and places.facility(uow.connection, facility_id).kind == "kerb":
        raise Invalid("is a kerb: it has no gates", field="facility_id")
    now = uow.clock.now()
    ruled = ExitRule(
        uuid7(), facility_id, district, mode, from_at or now, source, now, actor.subject
    )
    exits.check_free(uow.connection, ruled)
    return _propose(uow, actor, ruled, from_at)


def decide_terms(uow: UnitOfWork, actor: Actor, draft_id: UUID, *, approve: bool) -> TermDraft:
    """Approve what another proposed, which puts it in force, or refuse it.

    Raises
    ------
    Forbidden
        Where the actor is not of the whole city's finance desk or administrators, or approves what
        they proposed.
    NotFound, Conflict
        As `payments.terms.decide`.
    """
    actor.require(Role.FINANCE, Role.ADMINISTRATOR)
    if actor.districts is not None:
        raise Forbidden("is for the finance desk of the whole city")
    done = terms.decide(uow, draft_id, approve=approve, by=actor.subject)
    detail: dict[str, JsonValue] = {"kind": done.kind.value, "proposed_by": done.proposed_by}
    act = "payments.terms_approved" if approve else "payments.terms_refused"
    record(uow, actor, act, "term-draft", str(done.id), detail)
    return done


def _propose(
    uow: UnitOfWork, actor: Actor, version: Version, from_at: datetime | None
) -> TermDraft:
    draft = terms.propose(uow, version, from_at, actor.subject)
    detail: dict[str, JsonValue] = {
        "kind": draft.kind.value,
        "from_at": from_at.isoformat() if from_at else None,
        "terms": dict(draft.terms),
    }
    record(uow, actor, "payments.terms_proposed", "term-draft", str(draft.id), detail)
    return draft
