"""What finance enters: contracts about shares of fees, and each region's rules on unpaid bills."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.arrears import DistrictCode, Medium, Privilege, StepKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    MoneyIn,
    MoneyOut,
    Names,
    Outgoing,
)


class ShareIn(Incoming):
    """One party's part of commercial fees."""

    party: Literal["platform", "operator", "land_owner"]
    holder: Annotated[str, Field(max_length=60, description="empty for the operator")] = ""
    parts: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class ShareOut(Outgoing):
    """One party's part of commercial fees."""

    party: str
    holder: str
    parts: int


class ContractIn(Incoming):
    """How the fees of an operator, or of one of its facilities, are shared."""

    operator_id: UUID
    facility_id: Annotated[UUID | None, Field(description="null: all that have none")] = None
    from_at: Annotated[InstantIn | None, Field(description="null: now; never in the past")] = None
    shares: Annotated[list[ShareIn], Field(max_length=20)]


class ContractOut(Outgoing):
    """A contract in the ledger."""

    id: UUID
    operator_id: UUID
    facility_id: UUID | None
    from_at: Instant
    shares: list[ShareOut]
    agreed_at: Instant
    agreed_by: Annotated[str, Field(description="who proposed it")]
    approved_by: Annotated[str | None, Field(description="null: from before two were asked for")]


Standing = Literal["past", "in-force", "to-come"]


class VersionsQuery(Incoming):
    """As of when versions are told of."""

    at: Annotated[InstantIn | None, Field(description="null: now")] = None


class ContractVersionOut(ContractOut):
    """A contract, and how it stands at the instant that was asked for."""

    standing: Standing


class ContractsOut(Outgoing):
    """Contracts, by operator and facility, the latest first."""

    at: Instant
    items: list[ContractVersionOut]
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class ContractFacilityOut(Outgoing):
    """A facility whose fees are shared."""

    id: UUID
    code: str
    name: Names


class ContractSubjectOut(Outgoing):
    """An operator with its commercial facilities: contracts are about these."""

    operator_id: UUID
    operator: Names
    facilities: list[ContractFacilityOut]


class ContractSubjectsOut(Outgoing):
    """Whom contracts may be about; public fees are never shared."""

    items: list[ContractSubjectOut]


class FaultOut(Outgoing):
    """Why something would not be entered, in the caller's language."""

    field: str
    detail: str


class ContractTrialIn(ContractIn):
    """A contract that is thought of, and a fee to share by it."""

    fee: MoneyIn


class SharedOut(ShareOut):
    """What a party has of the fee."""

    amount: MoneyOut


class ContractTrialOut(Outgoing):
    """What would be entered; with a fault nothing would be."""

    fault: FaultOut | None
    from_at: Instant | None
    ends: Annotated[UUID | None, Field(description="the version that would be over then")]
    shares: list[SharedOut]


class StepIn(Incoming):
    """One step of a policy."""

    kind: StepKind
    days: Annotated[int, Field(ge=-3650, le=3650, description="after the due date")]
    media: Annotated[list[Medium], Field(max_length=3)] = Field(default_factory=list)
    share_bp: Annotated[int, Field(ge=0, le=10_000, description="of a penalty")] = 0
    most_minor: Annotated[int | None, Field(ge=1, description="of a penalty")] = None


class StepOut(Outgoing):
    """One step of a policy."""

    kind: StepKind
    days: int
    media: list[Medium]
    share_bp: int
    most_minor: int | None


class ArrearsPolicyIn(Incoming):
    """What a region rules about unpaid bills, for those issued from then on."""

    district: Annotated[DistrictCode | None, Field(description="null: every other")] = None
    from_at: Annotated[InstantIn | None, Field(description="null: now; never in the past")] = None
    days_to_pay: Annotated[int, Field(ge=0, le=3650)]
    steps: Annotated[list[StepIn], Field(max_length=20)]
    privileges: Annotated[list[Privilege], Field(max_length=3)] = Field(default_factory=list)
    source: Annotated[str, Field(min_length=1, max_length=500)]
    cash_step_minor: Annotated[
        Literal[1, 10, 50, 100],
        Field(description="cash is rounded down to steps of it, each bill by itself"),
    ] = 1


class ArrearsPolicyOut(Outgoing):
    """A region's policy."""

    id: UUID
    district: str | None
    from_at: Instant
    days_to_pay: int
    steps: list[StepOut]
    privileges: list[Privilege]
    source: str
    cash_step_minor: int
    agreed_at: Instant
    agreed_by: Annotated[str, Field(description="who proposed it")]
    approved_by: Annotated[str | None, Field(description="null: from before two were asked for")]


class ArrearsPolicyVersionOut(ArrearsPolicyOut):
    """A policy, and how it stands at the instant that was asked for."""

    standing: Standing


class UnruledPolicyOut(Outgoing):
    """What holds where nothing is ruled."""

    days_to_pay: int
    steps: list[StepOut]
    privileges: list[Privilege]
    source: str
    cash_step_minor: int


class ArrearsPoliciesOut(Outgoing):
    """Policies by district, the latest first."""

    at: Instant
    items: list[ArrearsPolicyVersionOut]
    unruled: UnruledPolicyOut
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class ArrearsPolicyTrialIn(ArrearsPolicyIn):
    """A policy that is thought of, and a fee that nobody pays."""

    fee: MoneyIn


class ForeseenOut(Outgoing):
    """A step, when it would be taken, and what a penalty would add."""

    kind: StepKind
    at: Instant
    penalty: MoneyOut | None


class ArrearsPolicyTrialOut(Outgoing):
    """What would follow for a bill of the first instant; with a fault nothing is entered."""

    fault: FaultOut | None
    from_at: Instant | None
    ends: Annotated[UUID | None, Field(description="the version that would be over then")]
    due_at: Instant | None
    steps: list[ForeseenOut]


class ContractTermsOut(Outgoing):
    """What a proposed contract says."""

    operator_id: UUID
    facility_id: UUID | None
    shares: list[ShareOut]


class PolicyTermsOut(UnruledPolicyOut):
    """What a proposed policy says."""

    district: str | None


class ExitTermsOut(Outgoing):
    """What a proposed rule about exits says."""

    facility_id: UUID | None
    district: str | None
    mode: Literal["leave-first", "pay-first"]
    source: str


class TermDraftOut(Outgoing):
    """What one person proposed; nothing follows it until another approves it."""

    id: UUID
    kind: Literal["contract", "policy", "exit"]
    state: Literal["waiting", "approved", "refused"]
    from_at: Annotated[Instant | None, Field(description="null: from its approval on")]
    proposed_at: Instant
    proposed_by: str
    decided_at: Instant | None
    decided_by: str | None
    contract: ContractTermsOut | None
    policy: PolicyTermsOut | None
    exit: ExitTermsOut | None


class TermDraftsOut(Outgoing):
    """What waits for a second person, the oldest first."""

    items: list[TermDraftOut]
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class TermDecisionIn(Incoming):
    """Whether it is agreed to."""

    approve: bool
