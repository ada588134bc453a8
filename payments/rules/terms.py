"""What two people agree to: a contract, a policy or a rule about exits is proposed, then approved.

Pure. What is proposed is kept as it was; it holds once somebody else has approved it, from then on
or from a later instant that it names, never from an earlier one: what was billed meanwhile stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from city.errors import Conflict, Forbidden
from city.identifiers import DistrictCode, FacilityId, OperatorId
from payments.rules.arrears import ArrearsPolicy, Privilege, Step
from payments.rules.contracts import Contract, Share
from payments.rules.exits import ExitMode, ExitRule


class TermKind(StrEnum):
    """What is agreed to."""

    CONTRACT = "contract"
    POLICY = "policy"
    EXIT = "exit"


class DraftState(StrEnum):
    """What became of a proposal."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    """Sent back by another, or taken back by who proposed it."""


@dataclass(frozen=True, slots=True)
class RegionPolicy:
    """A policy on unpaid bills, and where and from when it is in force."""

    id: UUID
    district: DistrictCode | None
    """None: wherever no district rules itself."""
    from_at: datetime
    policy: ArrearsPolicy
    agreed_at: datetime
    agreed_by: str
    approved_by: str | None = None
    """None: from before two people were asked for."""


Version = Contract | RegionPolicy | ExitRule


@dataclass(frozen=True, slots=True)
class TermDraft:
    """A version that one person proposes.

    Parameters
    ----------
    id : UUID
        The version's own, once it is approved.
    kind : TermKind
    terms : mapping
        What it says, as `terms_of` gives it.
    from_at : datetime or None
        From when; None: from its approval on.
    state : DraftState
    proposed_at, proposed_by
        When, and the subject of who.
    decided_at, decided_by
        When somebody decided, and who; None while it waits.
    """

    id: UUID
    kind: TermKind
    terms: Mapping[str, JsonValue]
    from_at: datetime | None
    state: DraftState
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None


def kind_of(version: Version) -> TermKind:
    """Say what a version is."""
    if isinstance(version, Contract):
        return TermKind.CONTRACT
    return TermKind.POLICY if isinstance(version, RegionPolicy) else TermKind.EXIT


def terms_of(version: Version) -> dict[str, JsonValue]:
    """Give what a version says, without when and by whom; the database compares it."""
    if isinstance(version, Contract):
        return {
            "operator_id": str(version.operator_id),
            "facility_id": _text(version.facility_id),
            "shares": [each.as_json() for each in version.shares],
        }
    if isinstance(version, RegionPolicy):
        policy = version.policy
        return {
            "district": version.district,
            "days_to_pay": policy.days_to_pay,
            "steps": [each.as_json() for each in policy.steps],
            "privileges": [each.value for each in sorted(policy.privileges)],
            "source": policy.source,
            "cash_step_minor": policy.cash_step_minor,
        }
    return {
        "facility_id": _text(version.facility_id),
        "district": version.district,
        "mode": version.mode.value,
        "source": version.source.strip(),
    }


def decided(draft: TermDraft, at: datetime, by: str, *, approve: bool) -> TermDraft:
    """Approve a proposal as a second person, or refuse it; who proposed it may take it back.

    Raises
    ------
    Conflict
        Where it is decided.
    Forbidden
        Where who proposed it approves.
    """
    if draft.state is not DraftState.WAITING:
        raise Conflict("is decided already", field="draft_id", reason=draft.state.value)
    if approve and by == draft.proposed_by:
        raise Forbidden("a second person decides", reason="own-act")
    state = DraftState.APPROVED if approve else DraftState.REFUSED
    return replace(draft, state=state, decided_at=at, decided_by=by)


def version_of(draft: TermDraft) -> Version:
    """Give the version that a proposal is: in force from its approval at the earliest.

    Of one that waits, as it would be if it were approved when it was proposed.
    """
    agreed_at = draft.decided_at or draft.proposed_at
    from_at = max(draft.from_at or agreed_at, agreed_at)
    # As `terms_of` wrote it: nothing else is kept.
    terms: dict[str, Any] = dict(draft.terms)
    approved_by = draft.decided_by if draft.state is DraftState.APPROVED else None
    if draft.kind is TermKind.CONTRACT:
        return Contract(
            draft.id,
            OperatorId(UUID(terms["operator_id"])),
            _facility(terms["facility_id"]),
            from_at,
            tuple(Share.from_json(each) for each in terms["shares"]),
            agreed_at,
            draft.proposed_by,
            approved_by,
        )
    if draft.kind is TermKind.POLICY:
        return RegionPolicy(
            draft.id,
            _district(terms["district"]),
            from_at,
            ArrearsPolicy(
                terms["days_to_pay"],
                tuple(Step.from_json(each) for each in terms["steps"]),
                frozenset(Privilege(each) for each in terms["privileges"]),
                terms["source"],
                terms["cash_step_minor"],
            ),
            agreed_at,
            draft.proposed_by,
            approved_by,
        )
    return ExitRule(
        draft.id,
        _facility(terms["facility_id"]),
        _district(terms["district"]),
        ExitMode(terms["mode"]),
        from_at,
        terms["source"],
        agreed_at,
        draft.proposed_by,
        approved_by,
    )


def _text(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)


def _facility(said: str | None) -> FacilityId | None:
    return None if said is None else FacilityId(UUID(said))


def _district(said: str | None) -> DistrictCode | None:
    return None if said is None else DistrictCode(said)
