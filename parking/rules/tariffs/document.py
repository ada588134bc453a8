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
from parking.rules.tariffs.dates import check_date_text

DAY_S = 86_400
HOUR_S = 3_600
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
DateText = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9/-]{5,21}$"),
    AfterValidator(check_date_text),
]
"""``2026-05-01``, ``2026-05-01/2026-05-03``, every year ``12-25`` or ``11-15/03-15``."""
Dates = Annotated[tuple[DateText, ...], Field(max_length=100)]
Percent = Annotated[int, Field(strict=True, ge=1, le=100)]
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


NameText = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")
]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, use_attribute_docstrings=True
    )


class Name(_Part):
    """A name in both languages."""

    zh: NameText
    en: NameText


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
    24 hours before, use it up."""
    times: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    """How many stays of that day or those 24 hours have it."""
    accumulates: bool = False
    """Whether it is a budget: each earlier stay uses as much of it as that stay lasted."""


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
    tolerance_s: Annotated[int, Field(strict=True, ge=0, le=DAY_S)] = 0
    """With ``started``: a unit is charged once more than this much of it has passed."""
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


class DayWindow(_Part):
    """A stretch of local time on some days."""

    days: Annotated[tuple[DayToken, ...], Field(min_length=1, max_length=11)] | None = None
    """Kinds of day on which it begins; any of them; without it every kind."""
    dates: Annotated[Dates, Field(min_length=1)] | None = None
    """Dates on which it begins; any of them, and the day must fit ``days`` as well."""
    from_time: ClockTime = Field(default="00:00", alias="from")
    to_time: ClockTime = Field(default="24:00", alias="to")
    """Local wall clock. Where ``to`` is not after ``from`` it runs across midnight and belongs to
    the day on which it begins."""


class Band(DayWindow):
    """A stretch of local time with its own charge."""

    id: Identifier
    name: Name
    counts: Scope = "visit"
    """What one count of free period, steps, tiers, entry price and cap covers: each unbroken
    time in the band, the band's time on one local date, in one 24 hours from entry, or in the
    whole stay."""
    charge: Charge
    free: Free | None = None
    cap_minor: Minor | None = None
    """The most that one count of the band costs."""


class Cap(_Part):
    """The most that is charged in a stretch of time, over all bands or over some."""

    per: Literal["day", "24h", "period", "stay"]
    """A local calendar date; 24 hours, or ``period_s``, from the first entry of the vehicle; the
    whole stay."""
    period_s: Annotated[int, Field(strict=True, ge=HOUR_S, le=366 * DAY_S)] | None = None
    minor: Minor
    later_minor: Minor | None = None
    """The cap of every date or window after the first of a stay; without it the same."""
    bands: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=40)] | None = None
    """Bands over which it holds; without it over all."""

    @property
    def rolling_s(self) -> int:
        """Length of a window that opens with an entry."""
        return self.period_s or DAY_S

    @property
    def least_minor(self) -> int:
        """The lowest that any of its windows allows."""
        return self.minor if self.later_minor is None else min(self.minor, self.later_minor)


class ReEntry(_Part):
    """A vehicle that comes back soon after it left."""

    within_s: Seconds
    effect: Literal["continues", "no_free_period"] = "continues"
    """It continues its stay and is credited with what it paid, or it begins a new stay without
    the schedule's free period."""
    time_between: Literal["counted", "not_counted"] = "counted"
    """Of a continued stay: whether the time away counts."""


class ExitGrace(_Part):
    """Time to leave after everything that was due has been paid."""

    within_s: Seconds
    overstay: Literal["whole_stay", "since_payment"] = "whole_stay"
    """What a vehicle pays that stays longer: the whole stay less what it has paid, or the time
    since the payment, without a free period."""


class Discount(_Part):
    """A share taken off the whole fee, rounded in the driver's favour."""

    percent: Percent
    name: Name


class BothEnds(_Part):
    """A price by when a stay begins and when it ends: an early bird's, an evening's."""

    id: Identifier
    name: Name
    enter: DayWindow
    """When it must begin."""
    leave: DayWindow
    """When it must end; its edges count as within."""
    within_s: Annotated[int, Field(strict=True, ge=60, le=7 * DAY_S)] = DAY_S
    """How long it may be at most."""
    price_minor: Minor
    """What it costs at most."""


class Schedule(_Part):
    """The rules for some vehicles."""

    id: Identifier
    vehicles: Annotated[tuple[VehicleClass, ...], Field(min_length=1)] | None = None
    energies: Annotated[tuple[Energy, ...], Field(min_length=1)] | None = None
    plate_kinds: Annotated[tuple[PlateKind, ...], Field(min_length=1)] | None = None
    """Vehicles that it is for: those that meet every list that is given."""
    classes: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=20)] | None = None
    """Classes, proven otherwise than by the plate, that it is for: residents, disabled persons."""
    free: StayFree | None = None
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=40)]
    """The first band in the list that holds the moment is in force."""
    unit_at_edge: Literal["ends", "runs_on"] = "ends"
    """What becomes of a unit of time at the edge of its band: the next band begins its own, or
    the unit runs to its end at the price of the band in which it began."""
    caps: Annotated[tuple[Cap, ...], Field(max_length=12)] = ()
    """Applied in this order, after the bands' own caps; those over some bands stand first."""
    both_ends: Annotated[tuple[BothEnds, ...], Field(max_length=20)] = ()
    """Prices by both ends of a stay, after the caps; of those that fit the lowest counts."""
    discount: Discount | None = None
    """Taken off after the caps."""
    re_entry: ReEntry | None = None
    exit_grace: ExitGrace | None = None
    unused_payment: Literal["refunded", "kept"] = "refunded"
    """What becomes of what was paid ahead for more time than was used: it is owed back, or the
    stay costs what was paid."""

    @property
    def fits_all(self) -> bool:
        """Whether it asks nothing of a vehicle."""
        asked = (self.vehicles, self.energies, self.plate_kinds, self.classes)
        return all(each is None for each in asked)


class Exemption(_Part):
    """A class of vehicles that pays nothing."""

    id: Identifier
    name: Name
    plate_kinds: tuple[PlateKind, ...] = ()
    """Plate kinds that prove the class by themselves."""


class FreeTime(_Part):
    """Time that is not counted, after the free period and before anything is charged."""

    kind: Literal["free_time"]
    seconds: Seconds


class PercentOff(_Part):
    """A share of the fee, rounded in the driver's favour."""

    kind: Literal["percent_off"]
    percent: Percent
    at_most_minor: Minor | None = None


class AmountOff(_Part):
    """An amount, never more than the fee."""

    kind: Literal["amount_off"]
    minor: Minor


class FlatPrice(_Part):
    """The stay costs at most this."""

    kind: Literal["flat_price"]
    price_minor: Minor


Effect = Annotated[FreeTime | PercentOff | AmountOff | FlatPrice, Field(discriminator="kind")]


class Coupon(_Part):
    """What a validation by a shop, an office or a hospital takes off a stay."""

    id: Identifier
    name: Name
    effect: Effect
    schedules: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=40)] | None = None
    """Schedules with which it can be used; without it with all."""
    alone: bool = False
    """Whether it cannot be used together with another coupon."""


class Card(_Part):
    """A right bought ahead, such as a month card: its price, and the time that it covers."""

    id: Identifier
    name: Name
    price_minor: Minor
    months: Annotated[int, Field(strict=True, ge=1, le=120)] | None = None
    days: Annotated[int, Field(strict=True, ge=1, le=3660)] | None = None
    """How long it lasts: so many calendar months, or so many days."""
    schedules: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=40)] | None = None
    """Schedules whose vehicles it is sold to; without it all."""
    covers: Annotated[tuple[DayWindow, ...], Field(min_length=1, max_length=40)] | None = None
    """When a stay under it costs nothing; without it always. The rest of a stay is charged."""


class RoundTotal(_Part):
    """What is due is a whole multiple of a coin."""

    to_minor: Annotated[int, Field(strict=True, ge=2, le=_MAX_MINOR)]
    how: Literal["down", "nearest", "up"]
    """``nearest`` takes half a coin up."""


class TariffDocument(_Part):
    """A tariff: what a stay costs, for whom and when."""

    language: Literal["greenbay-tariff/1"]
    name: Name
    source: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    """Where the rule was published, and what was assumed where it is silent."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_zone)]
    """IANA name; bands, days and dates are meant in it."""
    calendar: Literal["CN"] | None = None
    """Whose public holidays ``workday``, ``weekend`` and ``holiday`` mean. Without it only the
    dates below are holidays; Saturday and Sunday are the weekend."""
    holidays: Dates = ()
    """Dates that are holidays, whatever the calendar says."""
    make_up_workdays: Dates = ()
    """Dates of weekends or holidays that are worked, whatever the calendar says."""
    schedules: Annotated[tuple[Schedule, ...], Field(min_length=1, max_length=40)]
    """The first that fits the vehicle is in force."""
    exemptions: Annotated[tuple[Exemption, ...], Field(max_length=60)] = ()
    coupons: Annotated[tuple[Coupon, ...], Field(max_length=60)] = ()
    cards: Annotated[tuple[Card, ...], Field(max_length=60)] = ()
    round_total: RoundTotal | None = None
    """Applied last, before what has been paid is taken off."""
