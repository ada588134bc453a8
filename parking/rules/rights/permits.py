"""Permits: who may park where and when without the tariff, for how many vehicles at a time.

Month and year permits, resident and staff lists, shared off-peak contracts and disabled persons'
permits are one thing with different terms: places, hours, vehicles, a limit of vehicles at a time,
an allowance of free time, and what overstaying costs.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from pydantic import JsonValue

from city.errors import Invalid
from city.identifiers import DistrictCode, FacilityId, PermitId, VehicleId
from city.money import Money
from city.time import as_utc
from parking.rules.rights.hours import ALWAYS, Hours, days_touched, midnight, zone_of
from parking.rules.rights.spans import Span, Spans, intersection, normal

MOST_VEHICLES: Final = 5_000
MOST_FACILITIES: Final = 200
LONGEST_TERM: Final = timedelta(days=366 * 10)
_LONGEST_S: Final = 7 * 86_400
_LONGEST_LABEL: Final = 80
_LAST_MONTH: Final = 12


class PermitKind(StrEnum):
    """What a permit is called; its terms alone decide what it does."""

    MONTH = "month"
    """A month card, for one or more natural months."""
    YEAR = "year"
    RESIDENT = "resident"
    STAFF = "staff"
    OFF_PEAK = "off_peak"
    """A shared contract for hours in which a lot is idle, such as 18:00-08:00."""
    DISABLED = "disabled"
    """A disabled person's vehicle, by proof that was shown."""


class Per(StrEnum):
    """What an allowance of free time starts anew with."""

    STAY = "stay"
    DAY = "day"
    """The local calendar day."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Free time that ends: so many seconds a stay or a local day.

    Raises
    ------
    Invalid
        Outside one second to seven days, or more than a day a day.
    """

    free_s: int
    per: Per

    def __post_init__(self) -> None:
        most = 86_400 if self.per is Per.DAY else _LONGEST_S
        if not 0 < self.free_s <= most:
            raise Invalid(f"must lie between 1 and {most}", field="allowance.free_s")


@dataclass(frozen=True, slots=True)
class OverstayTerms:
    """What staying past a window's end costs under a contract, instead of the tariff.

    A car that leaves within the grace stays covered. One that does not pays for every started
    unit since the window's end, up to the cap, until the right's next window begins.

    Raises
    ------
    Invalid
        On a negative grace or price, a unit outside a minute to a day, or a cap below the price.
    """

    grace_s: int
    unit_s: int
    price: Money
    cap: Money | None = None
    """Most that one overstay costs."""

    def __post_init__(self) -> None:
        if not 0 <= self.grace_s <= 86_400:  # noqa: PLR2004 - a day
            raise Invalid("must lie between 0 and 86400", field="overstay.grace_s")
        if not 60 <= self.unit_s <= 86_400:  # noqa: PLR2004 - a minute to a day
            raise Invalid("must lie between 60 and 86400", field="overstay.unit_s")
        if self.price.minor <= 0:
            raise Invalid(
                "must be above zero; leave overstay out for the tariff's price",
                field="overstay.price",
            )
        if self.cap is not None and self.cap.currency != self.price.currency:
            raise Invalid("must be in the currency of the price", field="overstay.cap")
        if self.cap is not None and self.cap.minor < self.price.minor:
            raise Invalid("must not lie below the price of one unit", field="overstay.cap")

    def units(self, late: timedelta) -> int:
        """Give how many units are started in so much time past the window's end."""
        return -(-late // timedelta(seconds=self.unit_s))

    def fee(self, late: timedelta) -> Money:
        """Give the price of so much time past the window's end, whatever the grace."""
        fee_minor = self.units(late) * self.price.minor
        if self.cap is not None:
            fee_minor = min(fee_minor, self.cap.minor)
        return Money(fee_minor, self.price.currency)

    def as_json(self) -> dict[str, JsonValue]:
        """Give the form that is stored."""
        return {
            "grace_s": self.grace_s,
            "unit_s": self.unit_s,
            "price": self.price.as_json(),
            "cap": None if self.cap is None else self.cap.as_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> "OverstayTerms":
        """Read what ``as_json`` gave."""
        grace_s, unit_s, cap = value.get("grace_s"), value.get("unit_s"), value.get("cap")
        if not isinstance(grace_s, int) or not isinstance(unit_s, int):
            raise Invalid("must carry grace_s and unit_s", field="overstay")
        return cls(
            grace_s,
            unit_s,
            Money.from_json(value.get("price"), "overstay.price"),
            None if cap is None else Money.from_json(cap, "overstay.cap"),
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a permit grants, apart from where and to whom.

    Raises
    ------
    Invalid
        On a limit below one, overstay terms without hours to overstay, or both an allowance and a
        limit of vehicles at a time (an allowance is each vehicle's own).
    """

    hours: Hours = ALWAYS
    concurrent_limit: int | None = 1
    """Vehicles covered at a time; None: every vehicle on the list."""
    allowance: Allowance | None = None
    """None: all the time."""
    overstay: OverstayTerms | None = None
    """None: the tariff's own price."""

    def __post_init__(self) -> None:
        if self.concurrent_limit is not None and not 1 <= self.concurrent_limit <= MOST_VEHICLES:
            raise Invalid(
                f"must lie between 1 and {MOST_VEHICLES}, or be null", field="concurrent_limit"
            )
        if self.overstay is not None and not self.hours.windows:
            raise Invalid(
                "needs hours: nobody overstays a right that always holds", field="overstay"
            )
        if self.allowance is not None and self.overstay is not None:
            raise Invalid("does not go together with overstay", field="allowance")
        if self.allowance is not None and self.concurrent_limit is not None:
            raise Invalid(
                "must be null with an allowance, which each vehicle has to itself",
                field="concurrent_limit",
            )


@dataclass(frozen=True, slots=True)
class Membership:
    """A vehicle's time on a permit's list."""

    vehicle_id: VehicleId
    from_at: datetime
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """A right of listed vehicles to park in some facilities.

    Raises
    ------
    Invalid
        Naming the field: an end that is not after the beginning, a term beyond ten years, no
        facility or too many, an empty label, an unknown time zone.
    """

    id: PermitId
    kind: PermitKind
    district: DistrictCode
    label: str
    """The contract's number or the list's name; nothing that names a person or a plate."""
    facility_ids: frozenset[FacilityId]
    timezone: str
    valid_from: datetime
    valid_until: datetime
    terms: Terms = field(default_factory=Terms)
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "valid_from", as_utc(self.valid_from, "valid_from"))
        object.__setattr__(self, "valid_until", as_utc(self.valid_until, "valid_until"))
        if self.valid_until <= self.valid_from:
            raise Invalid("must lie after the beginning", field="valid_until")
        if self.valid_until - self.valid_from > LONGEST_TERM:
            raise Invalid("must lie within ten years of the beginning", field="valid_until")
        if not 1 <= len(self.facility_ids) <= MOST_FACILITIES:
            raise Invalid(f"must be 1 to {MOST_FACILITIES}", field="facility_ids")
        if not 0 < len(self.label.strip()) <= _LONGEST_LABEL:
            raise Invalid(f"must have 1 to {_LONGEST_LABEL} characters", field="label")
        zone_of(self.timezone)

    @property
    def ends_at(self) -> datetime:
        """When it ends or ended: its term, or its revocation where that came first."""
        return (
            self.valid_until if self.revoked_at is None else min(self.valid_until, self.revoked_at)
        )

    @property
    def validity(self) -> Spans:
        """The instants at which it is in force, hours apart."""
        return normal([(self.valid_from, self.ends_at)])

    def state(self, at: datetime) -> Literal["coming", "valid", "ended", "revoked"]:
        """Give its state at an instant."""
        if self.revoked_at is not None and at >= self.revoked_at:
            return "revoked"
        if at < self.valid_from:
            return "coming"
        return "valid" if at < self.valid_until else "ended"

    def holds(self, span: Span) -> Spans:
        """Give the instants of a span at which it is in force, its hours included."""
        inside = intersection(self.validity, normal([span]))
        return normal(
            part for each in inside for part in self.terms.hours.within(each, self.timezone)
        )


def term_end(first_day: date, months: int) -> date:
    """Give the day after the last one of a term of natural months.

    The same day of a later month; where that month is shorter, the first day of the one after:
    a month from 31 January ends with 28 February, and a holder never gets less than a month.

    Raises
    ------
    Invalid
        Outside 1 to 120 months.
    """
    if not 1 <= months <= 120:  # noqa: PLR2004 - ten years
        raise Invalid("must lie between 1 and 120", field="months")
    year, month = divmod(first_day.year * _LAST_MONTH + first_day.month - 1 + months, _LAST_MONTH)
    month += 1
    if first_day.day <= monthrange(year, month)[1]:
        return date(year, month, first_day.day)
    year, month = divmod(year * _LAST_MONTH + month, _LAST_MONTH)
    return date(year, month + 1, 1)


def validity_of(
    first_day: date, timezone: str, *, months: int | None, last_day: date | None, now: datetime
) -> tuple[datetime, datetime]:
    """Give from when until when a permit is valid: local midnights.

    Parameters
    ----------
    first_day : date
        May lie in the past, for a permit that was sold before it was entered here.
    timezone : str
        Of its facilities.
    months, last_day
        One of the two: so many natural months, or the last day that counts.
    now : datetime
        The present instant.

    Raises
    ------
    Invalid
        Where both or neither are given, or it would be over already.
    """
    if (months is None) == (last_day is None):
        raise Invalid("give either months or last_day", field="months")
    end = term_end(first_day, months) if months is not None else None
    if last_day is not None:
        if last_day < first_day:
            raise Invalid("must not lie before the first day", field="last_day")
        end = last_day + timedelta(days=1)
    if end is None:
        raise Invalid("give either months or last_day", field="months")
    valid = midnight(first_day, timezone), midnight(end, timezone)
    if valid[1] <= now:
        raise Invalid(
            "is over already: a permit ends in the future",
            field="months" if last_day is None else "last_day",
        )
    return valid


def compensation_days(permit: Permit, suspended: Span) -> int:
    """Give the days by which a permit is lengthened for places that could not be used.

    Every local day of which the suspension took any of the permit's hours counts whole; zero
    where it took none.
    """
    return days_touched(permit.holds(suspended), permit.timezone)


def lengthened(permit: Permit, days: int) -> datetime:
    """Give a permit's new end, so many local days later; Invalid on fewer than one or over 366."""
    if not 1 <= days <= 366:  # noqa: PLR2004 - a year
        raise Invalid("must lie between 1 and 366", field="days")
    last = permit.valid_until.astimezone(zone_of(permit.timezone))
    later = midnight(last.date() + timedelta(days=days), permit.timezone)
    clock = last - last.replace(hour=0, minute=0, second=0, microsecond=0)
    return later + clock
