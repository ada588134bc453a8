"""Figures: what is asked for, and what they are."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from web.api.schemas.base import (
    FIRST_YEAR,
    LAST_YEAR,
    Incoming,
    Instant,
    MoneyOut,
    Names,
    Outgoing,
    PageQuery,
)

WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}")
By = Literal["total", "district", "facility", "day", "hour", "hour-of-day", "hour-of-week"]
DistrictCode = Annotated[str, Field(pattern="^[0-9a-z]{2,12}$")]
Share = Annotated[float | None, Field(ge=0, le=1)]


def _within_reach(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return day


def _written_out(day: object) -> object:
    """Refuse what pydantic would take for a date as well: numbers of seconds."""
    if isinstance(day, str) and not WRITTEN.fullmatch(day):
        raise ValueError("must be a date, YYYY-MM-DD")
    return day


Day = Annotated[date, BeforeValidator(_written_out), AfterValidator(_within_reach)]
"""Of a query."""
BodyDay = Annotated[date, AfterValidator(_within_reach)]
"""Of a body: read strictly, it takes what is written as a date alone."""


class DaysQuery(Incoming):
    """Whose figures, of which days."""

    first_day: Annotated[Day, Field(description="Local date where the bays lie")]
    last_day: Annotated[Day, Field(description="Local date, itself included")]
    district: DistrictCode | None = None
    facility_id: UUID | None = None
    kind: Literal["kerb", "garage", "lot"] | None = None


class FileQuery(DaysQuery):
    """Figures of which days, grouped by what."""

    by: By = "total"


class FiguresQuery(FileQuery):
    """Figures of which days, grouped by what; facilities come in pages."""

    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class BayFiguresQuery(PageQuery):
    """Figures of a facility's bays."""

    facility_id: UUID
    first_day: Annotated[Day, Field(description="Local date where the bays lie")]
    last_day: Annotated[Day, Field(description="Local date, itself included")]


class AreasQuery(DaysQuery):
    """Supply and demand by cells of the grid."""

    step_e6: Annotated[
        int, Field(ge=1_000, le=100_000, description="A cell's side, millionths of a degree")
    ] = 5_000


class GroupOut(Outgoing):
    """What a line is of; what does not apply is null."""

    district: str | None
    facility_id: UUID | None
    facility: Names | None
    day: date | None
    hour_at: Annotated[
        Instant | None,
        Field(description="The hour's first instant: where clocks go back, an hour comes twice"),
    ]
    hour: Annotated[int | None, Field(ge=0, le=23)]
    weekday: Annotated[int | None, Field(ge=1, le=7, description="1 is Monday")]


class FigureCounts(Outgoing):
    """What was counted. Durations are bays' time: two bays occupied for a second make two."""

    service_s: float
    open_s: Annotated[
        float, Field(description="Of the service: within hours, under no prohibition, no works")
    ]
    occupied_s: float
    free_s: float
    unknown_s: Annotated[float, Field(description="Open and neither known free nor occupied")]
    arrivals: int
    ended: int
    matched: int
    dwell_stays: int
    changes: int


class FigureValues(Outgoing):
    """The figures; null where there is nothing to divide by. Definitions: docs/figures.md."""

    bay_days: float
    turnover_per_day: float | None
    occupancy: Share
    known_share: Share
    dwell_mean_s: float | None
    dwell_median_s: float | None
    matched_share: Share
    delay_p95_s: float | None


class FigureMoney(Outgoing):
    """Bills issued in these hours, in one currency."""

    bills: int
    due: MoneyOut
    received: MoneyOut
    collected_share: Share
    arrears: MoneyOut
    recovered: MoneyOut
    recovered_share: Share
    revenue_per_bay_day: MoneyOut | None


class FigureLine(Outgoing):
    """Counts, figures and money of one group."""

    group: GroupOut
    counts: FigureCounts
    figures: FigureValues
    money: list[FigureMoney]


class FiguresOut(Outgoing):
    """Lines in the order of their groups, and all that was asked for together."""

    items: list[FigureLine]
    total: FigureLine
    next: str | None
    counted_until_at: Annotated[
        Instant | None, Field(description="All before it is counted; null where nothing ever was")
    ]


class BayFigureLine(Outgoing):
    """Counts, figures and money of one bay; the median is exact, the delay is not worked out."""

    bay_id: UUID
    label: str
    counts: FigureCounts
    figures: FigureValues
    money: list[FigureMoney]


class BayFiguresOut(Outgoing):
    """Bays of a facility in the order of their ids."""

    items: list[BayFigureLine]
    next: str | None
    counted_until_at: Instant | None


class AreaOut(Outgoing):
    """A cell of the grid."""

    cell: str
    box: Annotated[list[float], Field(min_length=4, max_length=4)]
    bays: int
    balance: Annotated[
        Literal["short", "balanced", "idle", "unknown"],
        Field(description="short from 85 % occupied, idle below 50 %"),
    ]
    counts: FigureCounts
    figures: FigureValues


class AreasOut(Outgoing):
    """Cells that have bays, from west to east."""

    items: list[AreaOut]
    counted_until_at: Instant | None


class SpellOut(Outgoing):
    """A time in which the sensor had one word for the bay."""

    state: Literal["free", "occupied", "unknown"]
    from_at: Instant
    until_at: Instant


class DayStay(Outgoing):
    """A stay that touches the day."""

    session_id: UUID
    state: str
    opened_at: Instant
    closed_at: Instant | None
    closing_reason: str | None
    has_vehicle: bool
    bill_id: UUID | None


class DayBill(Outgoing):
    """A bill of such a stay."""

    bill_id: UUID
    session_id: UUID
    amount: MoneyOut
    received: MoneyOut | None
    issued_at: Instant
    due_at: Instant
    paid_at: Instant | None


class FindingOut(Outgoing):
    """A leak: where the three tellings part."""

    leak: Literal[
        "occupied-without-stay",
        "stay-without-sensor",
        "stay-without-vehicle",
        "end-not-seen",
        "times-differ",
        "closed-without-tariff",
        "closed-without-bill",
        "bill-open",
        "bill-overdue",
        "paid-differently",
        "sensor-silent",
    ]
    from_at: Instant
    until_at: Instant | None
    session_id: UUID | None
    bill_id: UUID | None
    amount: MoneyOut | None


class BayDayOut(Outgoing):
    """A bay's day as its sensor, its stays and their bills tell it."""

    bay_id: UUID
    label: str
    facility_id: UUID
    timezone: str
    day: date
    start_at: Instant
    end_at: Instant
    spells: list[SpellOut]
    stays: list[DayStay]
    bills: list[DayBill]
    findings: list[FindingOut]
