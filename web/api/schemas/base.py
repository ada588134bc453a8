"""Parts that many schemas share: money, positions, pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

MAX_PAGE = 500
DEFAULT_PAGE = 100

Instant = Annotated[AwareDatetime, Field(description="RFC 3339 with offset")]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
PlateText = Annotated[str, Field(min_length=5, max_length=16)]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.:-]+$")]


class Incoming(BaseModel):
    """A request's part: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Outgoing(BaseModel):
    """A response's part."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MoneyOut(Outgoing):
    """An amount in integer minor units of its currency."""

    minor: int
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class MoneyIn(Incoming):
    """An amount in integer minor units of its currency."""

    minor: Annotated[int, Field(ge=0, le=10**12, strict=True)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class PageQuery(Incoming):
    """How much of a list, and from where."""

    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE


class Names(Outgoing):
    """A name in both languages."""

    zh: str
    en: str


class ProblemPart(Outgoing):
    """One part of the input that is at fault."""

    field: str
    detail: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemPart] | None = None
