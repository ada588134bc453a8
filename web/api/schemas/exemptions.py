"""What frees a stay of its fee, over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, InstantIn, Names, Outgoing

Code = Annotated[str, Field(pattern="^[a-z][a-z0-9-]{1,39}$")]
NameText = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$")]


class ReasonNamesIn(Incoming):
    """A reason's name in both languages."""

    zh: NameText
    en: NameText


class ExemptReasonIn(Incoming):
    """A reason, and what has to be shown for it."""

    code: Code
    name: ReasonNamesIn
    photo: bool = True
    words: bool = False


class ExemptReasonOut(Outgoing):
    """A reason, and what has to be shown for it."""

    code: str
    name: Names
    photo: bool
    words: bool


class FreeKindOut(Outgoing):
    """A kind of plate that pays nothing, without anybody saying so."""

    kind: str
    name: Names
    by: Literal["tariff", "benefit"]


class ExemptionsOut(Outgoing):
    """What frees a stay at a place."""

    reasons: list[ExemptReasonOut]
    source: str
    free_kinds: list[FreeKindOut]


class ExemptionPolicyIn(Incoming):
    """What a region rules."""

    district: Annotated[str | None, Field(pattern=r"^[0-9a-z]{2,12}$")] = None
    from_at: InstantIn | None = None
    reasons: Annotated[list[ExemptReasonIn], Field(max_length=30)]
    source: Annotated[str, Field(min_length=1, max_length=500)]


class ExemptionPolicyOut(Outgoing):
    """What a region rules, from when, and who said so."""

    id: UUID
    district: str | None
    from_at: Instant
    reasons: list[ExemptReasonOut]
    source: str
    stated_at: Instant
    stated_by: str


class ExemptionPoliciesOut(Outgoing):
    """What regions rule, by district, the latest first."""

    items: list[ExemptionPolicyOut]


class FreeingIn(Incoming):
    """Why a stay is freed of its fee."""

    code: Code
    words: Annotated[str, Field(max_length=400)] = ""


class ExemptionWithdrawalIn(Incoming):
    """Why a stay is not free after all."""

    reason: Annotated[str, Field(min_length=3, max_length=500)]
