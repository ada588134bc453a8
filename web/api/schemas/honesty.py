"""Who differs from peers, over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Instant, Outgoing

SignalName = Literal[
    "unnamed",
    "replated",
    "exempted",
    "shortened",
    "escaped",
    "idle",
    "cash-share",
    "undone",
    "round",
    "shortage",
    "takings",
]


class HonestyEvidenceOut(Outgoing):
    """One thing behind a line."""

    kind: Literal["stay", "bill", "shift", "hour"]
    id: UUID
    at: Instant


class HonestyLineOut(Outgoing):
    """One person whom one signal shows unlike their peers: something to look at, no verdict."""

    signal: SignalName
    person: str
    name: str
    value: Annotated[float, Field(description="Their share; takings against the middle")]
    usual: Annotated[float, Field(description="Their peers', in the same places and hours")]
    events: int
    trials: int
    expected: float
    ratio: Annotated[float, Field(description="Drawn towards 1 by as little as the data says")]
    p: Annotated[float, Field(description="Chance of as much among honest peers")]
    q: Annotated[float, Field(description="The same, all looks counted in")]
    people: int
    strata: int
    evidence: list[HonestyEvidenceOut]


class RestedOut(Outgoing):
    """What one signal rested on."""

    people: int
    trials: int


class HonestyOut(Outgoing):
    """The last list, the surest first, and what it rests on."""

    from_at: Instant | None
    until_at: Instant | None
    people: Annotated[int, Field(description="Who kept a shift in that time")]
    looks: Annotated[int, Field(description="Of how many people and signals it could be told")]
    false_share: Annotated[float, Field(description="Of the lines, at most so many are chance")]
    rested_on: dict[str, RestedOut]
    lines: list[HonestyLineOut]
