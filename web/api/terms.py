"""Contracts and regions' policies over HTTP: what holds when, and what would if it were entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import DistrictCode, FacilityId, OperatorId
from city.money import Money
from city.people import Role
from journeys.agree_terms import propose_arrears, propose_contract
from journeys.keep_ledger import try_arrears, try_contract
from parking.services.place_keeping import operators_by_id
from payments import contracts as service
from payments.rules.arrears import (
    DEFAULT_POLICY,
    ArrearsPolicy,
    Medium,
    Privilege,
    Step,
    StepKind,
    foreseen,
)
from payments.rules.contracts import Party, Share
from payments.rules.versions import standings
from web import access
from web.acts import act
from web.api.names import names_of
from web.api.schemas.terms import (
    ArrearsPoliciesOut,
    ArrearsPolicyIn,
    ArrearsPolicyTrialIn,
    ArrearsPolicyTrialOut,
    ContractIn,
    ContractsOut,
    ContractSubjectsOut,
    ContractTrialIn,
    ContractTrialOut,
    TermDraftOut,
    VersionsQuery,
)
from web.api.term_drafts import people_of, shown_draft
from web.refusals import as_asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from city.errors import CityError
    from city.works.database import UnitOfWork
    from parking.rules.places.model import Facility
    from payments.rules.contracts import Contract
    from payments.rules.terms import RegionPolicy

blueprint = APIBlueprint("terms", __name__, url_prefix="/api/v1", tag="Payments")
CONTRACT_READERS: Final = (Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
POLICY_READERS: Final = (Role.FINANCE, Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)
FAULTS: Final = (Conflict, Forbidden, Invalid, NotFound)
_PAGE: Final = 500


@blueprint.get("/contracts")
@access.allow(*CONTRACT_READERS)
@blueprint.input(VersionsQuery, location="query")
@blueprint.output(ContractsOut)
@blueprint.doc(summary="How commercial fees are shared, by operator and facility, at an instant")
def contracts(query_data: VersionsQuery) -> dict[str, Any]:
    """List contracts."""
    wiring = access.wiring()
    at = query_data.at or wiring.clock.now()
    with wiring.database.read() as connection:
        found = service.contracts(connection)
        names = names_of(connection, people_of(found))
    stand = standings([((each.operator_id, each.facility_id), each.from_at) for each in found], at)
    items = [
        {**_contract(each), "standing": standing.value}
        for each, standing in zip(found, stand, strict=True)
    ]
    return {"at": at, "items": items, "names": names}


@blueprint.post("/contracts")
@access.allow(Role.FINANCE)
@act
@blueprint.input(ContractIn)
@blueprint.output(TermDraftOut, status_code=201)
@blueprint.doc(
    summary="Propose how commercial fees are shared from an instant on; a second person approves"
)
def propose(uow: UnitOfWork, json_data: ContractIn) -> dict[str, Any]:
    """Propose a contract."""
    draft = propose_contract(
        uow,
        access.known_actor(),
        OperatorId(json_data.operator_id),
        _facility(json_data.facility_id),
        json_data.from_at,
        _shares(json_data),
    )
    return shown_draft(draft)


@blueprint.post("/contract-trials")
@access.allow(Role.FINANCE)
@blueprint.input(ContractTrialIn)
@blueprint.output(ContractTrialOut)
@blueprint.doc(summary="Check a contract and share a fee by it; nothing is kept")
def try_shares(json_data: ContractTrialIn) -> dict[str, Any]:
    """Say what is wrong with a contract, or what each party would have."""
    wiring = access.wiring()
    fee = Money(json_data.fee.minor, json_data.fee.currency)
    try:
        with wiring.database.read() as connection:
            tried = try_contract(
                connection,
                access.known_actor(),
                wiring.clock.now(),
                OperatorId(json_data.operator_id),
                _facility(json_data.facility_id),
                json_data.from_at,
                _shares(json_data),
                fee,
            )
    except FAULTS as error:
        return {"fault": _fault(error), "from_at": None, "ends": None, "shares": []}
    return {
        "fault": None,
        "from_at": tried.contract.from_at,
        "ends": None if tried.before is None else tried.before.id,
        "shares": [
            {**share.as_json(), "amount": amount.as_json()}
            for share, amount in zip(tried.contract.shares, tried.amounts, strict=True)
        ],
    }


@blueprint.get("/contract-subjects")
@access.allow(*CONTRACT_READERS)
@blueprint.output(ContractSubjectsOut)
@blueprint.doc(summary="Operators with their commercial facilities, which contracts are about")
def subjects() -> dict[str, Any]:
    """List whom contracts may be about."""
    homes: dict[OperatorId, list[Facility]] = {}
    for home in _facilities():
        if home.revenue_nature == "commercial":
            homes.setdefault(home.operator_id, []).append(home)
    with access.wiring().database.read() as connection:
        known = operators_by_id(connection, homes)
    return {
        "items": [
            {
                "operator_id": operator_id,
                "operator": {"zh": operator.name_zh, "en": operator.name_en},
                "facilities": [
                    {
                        "id": home.id,
                        "code": home.code,
                        "name": {"zh": home.name_zh, "en": home.name_en},
                    }
                    for home in homes[operator_id]
                ],
            }
            for operator_id, operator in sorted(known.items(), key=lambda each: each[1].code)
        ]
    }


@blueprint.get("/arrears/policies")
@access.allow(*POLICY_READERS)
@blueprint.input(VersionsQuery, location="query")
@blueprint.output(ArrearsPoliciesOut)
@blueprint.doc(summary="What each region rules about unpaid bills at an instant, the latest first")
def policies(query_data: VersionsQuery) -> dict[str, Any]:
    """List policies."""
    wiring = access.wiring()
    at = query_data.at or wiring.clock.now()
    with wiring.database.read() as connection:
        found = service.rules(connection)
        names = names_of(connection, people_of(found))
    stand = standings([(each.district, each.from_at) for each in found], at)
    items = [
        {**_region(each), "standing": standing.value}
        for each, standing in zip(found, stand, strict=True)
    ]
    return {"at": at, "items": items, "unruled": _policy(DEFAULT_POLICY), "names": names}


@blueprint.post("/arrears/policies")
@access.allow(Role.FINANCE)
@act
@blueprint.input(ArrearsPolicyIn)
@blueprint.output(TermDraftOut, status_code=201)
@blueprint.doc(
    summary="Propose what a region rules about bills issued from then on; a second person approves"
)
def propose_policy(uow: UnitOfWork, json_data: ArrearsPolicyIn) -> dict[str, Any]:
    """Propose a policy."""
    policy = _read_policy(json_data)
    district = _district(json_data.district)
    caller = access.known_actor()
    return shown_draft(propose_arrears(uow, caller, district, json_data.from_at, policy))


@blueprint.post("/arrears/policy-trials")
@access.allow(Role.FINANCE)
@blueprint.input(ArrearsPolicyTrialIn)
@blueprint.output(ArrearsPolicyTrialOut)
@blueprint.doc(summary="Check a policy and say what follows for a bill that nobody pays")
def try_policy(json_data: ArrearsPolicyTrialIn) -> dict[str, Any]:
    """Say what is wrong with a policy, or what would follow under it, and when."""
    wiring = access.wiring()
    fee = Money(json_data.fee.minor, json_data.fee.currency)
    try:
        policy = _read_policy(json_data)
        with wiring.database.read() as connection:
            tried, before = try_arrears(
                connection,
                access.known_actor(),
                wiring.clock.now(),
                _district(json_data.district),
                json_data.from_at,
                policy,
            )
        due_at, steps = foreseen(policy, tried.from_at, fee)
    except FAULTS as error:
        fault = _fault(error)
        return {"fault": fault, "from_at": None, "ends": None, "due_at": None, "steps": []}
    return {
        "fault": None,
        "from_at": tried.from_at,
        "ends": None if before is None else before.id,
        "due_at": due_at,
        "steps": [
            {
                "kind": each.step.kind.value,
                "at": each.at,
                "penalty": None if each.penalty is None else each.penalty.as_json(),
            }
            for each in steps
        ],
    }


def _facilities() -> Iterator[Facility]:
    known, last = access.wiring().places, None
    while True:
        page = known.facilities(after=last, limit=_PAGE)
        yield from page.items
        if page.next is None:
            return
        last = page.next


def _facility(facility_id: UUID | None) -> FacilityId | None:
    return None if facility_id is None else FacilityId(facility_id)


def _district(code: str | None) -> DistrictCode | None:
    return DistrictCode(code) if code else None


def _shares(given: ContractIn) -> list[Share]:
    return [Share(Party(each.party), each.holder, each.parts) for each in given.shares]


def _read_policy(given: ArrearsPolicyIn) -> ArrearsPolicy:
    steps = tuple(
        Step(
            StepKind(each.kind),
            each.days,
            tuple(Medium(medium) for medium in each.media),
            each.share_bp,
            each.most_minor,
        )
        for each in given.steps
    )
    privileges = frozenset(Privilege(each) for each in given.privileges)
    return ArrearsPolicy(given.days_to_pay, steps, privileges, given.source, given.cash_step_minor)


def _fault(error: CityError) -> dict[str, str]:
    return {"field": error.field or "", "detail": as_asked(error.message)}


def _contract(contract: Contract) -> dict[str, Any]:
    return {
        "id": contract.id,
        "operator_id": contract.operator_id,
        "facility_id": contract.facility_id,
        "from_at": contract.from_at,
        "shares": [share.as_json() for share in contract.shares],
        "agreed_at": contract.agreed_at,
        "agreed_by": contract.agreed_by,
        "approved_by": contract.approved_by,
    }


def _policy(policy: ArrearsPolicy) -> dict[str, Any]:
    return {
        "days_to_pay": policy.days_to_pay,
        "steps": [step.as_json() for step in policy.steps],
        "privileges": sorted(each.value for each in policy.privileges),
        "source": policy.source,
        "cash_step_minor": policy.cash_step_minor,
    }


def _region(region: RegionPolicy) -> dict[str, Any]:
    return {
        "id": region.id,
        "district": region.district,
        "from_at": region.from_at,
        **_policy(region.policy),
        "agreed_at": region.agreed_at,
        "agreed_by": region.agreed_by,
        "approved_by": region.approved_by,
    }
