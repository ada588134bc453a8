"""The tariff language: a declarative, versioned JSON document.

These models are the language; ``python -m parking tariff-schema`` prints the JSON schema that
follows from them, and ``docs/tariff.md`` explains it with examples. What a schema cannot say
(that the bands cover every moment, that a cap is no impossible one) stands in ``checking.py``.
"""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from city.errors import Invalid
from city.money import minor_digits
from city.vehicles import Energy, PlateKind, VehicleClass

DAY_S = 86_400
_MAX_MINOR = 10**12
_CLOCK_TIME = re.compile(r"(\d{2}):(\d{2})")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not an IANA time zone") from None
    return name


def _currency(code: str) -> str:
    try:
        minor_digits(code)
    except Invalid as error:
        raise ValueError(error.message) from None
    return code


def clock_time_s(text: str) -> int:
    """Give the seconds after midnight of ``HH:MM``, from 00:00 to 24:00."""
    match = _CLOCK_TIME.fullmatch(text)
    if match is None:
        raise ValueError("is not a time of day such as 07:30")
    seconds = int(match[1]) * 3600 + int(match[2]) * 60
    if int(match[2]) > 59 or seconds > DAY_S:  # noqa: PLR2004 - minutes of an hour
        raise ValueError("is not a time of day between 00:00 and 24:00")
    return seconds


def _clock_time(text: str) -> str:
    clock_time_s(text)
    return text


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Minor = Annotated[int, Field(strict=True, ge=0, le=_MAX_MINOR)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=366 * DAY_S)]
ClockTime = Annotated[
    str, StringConstraints(pattern=r"^[0-2][0-9]:[0-5][0-9]$"), AfterValidator(_clock_time)
]
DayToken = Literal[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "workday",
    "make_up_workday",
    "weekend",
    "holiday",
]
Scope = Literal["visit", "day", "24h", "stay"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(_Part):
    """A name in both languages."""

    zh: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Free(_Part):
    """A free period at the beginning of what is counted."""

    up_to_s: Seconds
    """A stay of exactly this length is still free."""
    when_exceeded: Literal["charged_from_start", "deducted"]
    """What becomes of the free time of a longer stay: charged like the rest, or never."""


class StayFree(Free):
    """A free period of the whole stay."""

    once_per: Literal["stay", "day", "24h"] = "stay"
    """Whether earlier stays of the vehicle on the same local date, or that began within the
    24 hours before, have used it up."""


class Step(_Part):
    """One step of a price that changes as the counted time grows."""

    until_s: Seconds | None = None
    """Counted time at which the step ends; the last step has none."""
    unit_s: Seconds
    price_minor: Minor


class Steps(_Part):
    """Price per unit of time."""

    kind: Literal["steps"]
    rounding: Literal["started", "completed"]
    """Whether a unit is charged when it is started (ceiling) or once it is completed (floor)."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]


class Entry(_Part):
    """One price, however long it is."""

    kind: Literal["entry"]
    price_minor: Minor


class Tier(_Part):
    """A flat price for stays up to a length."""

    up_to_s: Seconds | None = None
    """A stay of exactly this length is still in the tier; the last tier has none."""
    price_minor: Minor


class Tiers(_Part):
    """Flat prices by length, not added up."""

    kind: Literal["tiers"]
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=20)]


class NoCharge(_Part):
    """Nothing is charged."""

    kind: Literal["free"]


Charge = Annotated[Steps | Entry | Tiers | NoCharge, Field(discriminator="kind")]


class Band(_Part):
    """A stretch of local time with its own charge."""

    id: Identifier
    name: Name
    days: Annotated[tuple[DayToken, ...], Field(min_length=1, max_length=11)] | None = None
    """Days on which the band begins; any of them; without it every day."""
    from_time: ClockTime = Field(default="00:00", alias="from")
    to_time: ClockTime = Field(default="24:00", alias="to")
    """Local wall clock. Where ``to`` is not after ``from`` the band runs across midnight and
    belongs to the day on which it begins."""
    counts: Scope = "visit"
    """What one count of free period, steps, tiers, entry price and cap covers: each unbroken
    time in the band, the band's time on one local date, in one 24 hours from entry, or in the
    whole stay."""
    charge: Charge
    free: Free | None = None
    cap_minor: Minor | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Cap(_Part):
    """The most that is charged in a stretch of time, over all bands."""

    per: Literal["day", "24h", "stay"]
    """A local calendar date; 24 hours from the first entry of the vehicle; the whole stay."""
    minor: Minor


class ReEntry(_Part):
    """A vehicle that comes back soon continues its stay, the time between included."""

    within_s: Seconds


class Schedule(_Part):
    """The rules for some vehicles."""

    id: Identifier
    vehicles: Annotated[tuple[VehicleClass, ...], Field(min_length=1)] | None = None
    energies: Annotated[tuple[Energy, ...], Field(min_length=1)] | None = None
    plate_kinds: Annotated[tuple[PlateKind, ...], Field(min_length=1)] | None = None
    """Vehicles that it is for: those that meet every list that is given."""
    free: StayFree | None = None
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=40)]
    """The first band in the list that holds the moment is in force."""
    caps: Annotated[tuple[Cap, ...], Field(max_length=3)] = ()
    """Applied in this order, after the bands' own caps."""
    re_entry: ReEntry | None = None


class Exemption(_Part):
    """A class of vehicles that pays nothing."""

    id: Identifier
    name: Name
    plate_kinds: tuple[PlateKind, ...] = ()
    """Plate kinds that prove the class by themselves."""


class TariffDocument(_Part):
    """A tariff: what a stay costs, for whom and when."""

    language: Literal["greenbay-tariff/1"]
    name: Name
    source: Annotated[str, StringConstraints(max_length=2000)] = ""
    """Where the rule was published, and what was assumed where it is silent."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_zone)]
    """IANA name; bands, days and dates are meant in it."""
    calendar: Literal["CN"] | None = None
    """Whose public holidays ``workday``, ``weekend`` and ``holiday`` mean. Without it there are
    no holidays: Saturday and Sunday are the weekend."""
    schedules: Annotated[tuple[Schedule, ...], Field(min_length=1, max_length=40)]
    """The first that fits the vehicle is in force."""
    exemptions: Annotated[tuple[Exemption, ...], Field(max_length=60)] = ()
