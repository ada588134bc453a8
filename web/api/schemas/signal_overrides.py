"""Orders by hand at a signal."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, InstantIn, Outgoing
from web.api.schemas.signals import SignalName

OverrideEffect = Literal["hold", "step", "stage", "flashing", "all_red", "dark"]
OverrideStatus = Literal[
    "proposed",
    "waiting",
    "holding",
    "ended",
    "replaced",
    "refused",
    "not_sent",
    "flashing",
    "unknown",
]


class SignalOverrideIn(Incoming):
    """What is to be held, for how long from now, and why."""

    effect: OverrideEffect
    stage: Annotated[int, Field(ge=1, le=64, strict=True)] | None = None
    seconds: Annotated[int, Field(ge=1, le=86_400, strict=True)]
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class OverrideConfirmationIn(Incoming):
    """What who confirms has read: refused where it is not what was proposed."""

    signal: SignalName
    effect: OverrideEffect
    until_at: InstantIn


class OverrideEndIn(Incoming):
    """Nothing to say: the plan runs again."""


class SignalOverrideOut(Outgoing):
    """An order by hand, and what came of it; `status` `proposed` asks nothing of anybody."""

    id: UUID
    signal: str
    effect: OverrideEffect
    stage: int | None
    until_at: Instant
    reason: str
    status: OverrideStatus
    proposed_at: Instant
    proposed_name: str
    replaces: UUID | None
    confirmed_at: Instant | None
    began_at: Instant | None
    ended_at: Instant | None
    released_at: Instant | None
    steps: list[str]


class SignalOverridesOut(Outgoing):
    """What was ordered, the latest first."""

    now: Instant
    items: list[SignalOverrideOut]
    next: str | None
