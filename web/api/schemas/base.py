"""Parts that many schemas share: money, positions, pages."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

MAX_PAGE = 500
DEFAULT_PAGE = 100

FIRST_YEAR = 1970
LAST_YEAR = 2199
_BEGINS_WITH_A_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]", re.ASCII)
_AWARE: Final = TypeAdapter[datetime](AwareDatetime)


def _as_written(at: object) -> datetime:
    """Read an instant's text; a number, which pydantic reads as seconds since 1970, is none."""
    if isinstance(at, str) and _BEGINS_WITH_A_DATE.match(at):
        with suppress(ValidationError):
            return _AWARE.validate_python(at)
    raise ValueError("must be an instant as RFC 3339 writes it, with its offset")


def _within_reach(at: datetime) -> datetime:
    """Refuse instants that no street ever sees: at the ends of the calendar arithmetic fails."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return at


Instant = Annotated[AwareDatetime, Field(description="RFC 3339 with offset")]
InstantIn = Annotated[
    AwareDatetime,
    BeforeValidator(_as_written),
    AfterValidator(_within_reach),
    Field(description=f"RFC 3339 with offset, {FIRST_YEAR} to {LAST_YEAR}"),
]
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
