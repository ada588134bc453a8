"""Occupancy ahead, and how well forecasts and chances came true."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, Outgoing


class ModelOut(Outgoing):
    """The model behind a forecast and its errors on days that it was not trained on."""

    version: int
    trained_at: Instant
    judged: Annotated[int, Field(description="Rows that the errors are of")]
    mae: Annotated[float | None, Field(description="Mean absolute error, share of capacity")]
    persistence_mae: Annotated[float | None, Field(description="Of 'as it is now'")]
    last_week_mae: Annotated[float | None, Field(description="Of 'as a week ago'")]
    coverage90: Annotated[float | None, Field(description="Truths inside the 90 % interval")]


class AheadOut(Outgoing):
    """Occupied bays at one instant ahead."""

    horizon_min: int
    for_at: Instant
    occupied: float
    low90: float
    high90: float
    model: ModelOut


class ForecastOut(Outgoing):
    """A facility's occupancy ahead; without items there is not enough history, or no word now."""

    facility_id: UUID
    answer: Literal["forecast", "not enough history"]
    bays: int
    made_at: Annotated[Instant | None, Field(description="Instant of the counts it starts from")]
    data_age_s: Annotated[int | None, Field(ge=0)]
    items: list[AheadOut]


class ChanceQuery(Incoming):
    """Whose chances."""

    district: Annotated[str, Field(pattern=r"^[0-9a-z]{2,12}$")]


class ChanceBin(Outgoing):
    """Chances of one tenth: how many, their mean, and the share that came true."""

    rows: int
    foretold: float
    came_true: float


class ChanceOut(Outgoing):
    """How well the chances of being free on arrival came true in a district."""

    district: str
    version: int
    fitted_at: Instant
    from_at: Instant
    until_at: Instant
    changes: int
    judged: int
    brier: Annotated[float | None, Field(description="0 is perfect")]
    brier_base: Annotated[float | None, Field(description="Of always telling the mean")]
    bins: list[ChanceBin]
