"""What a tariff is asked and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from city.errors import Invalid
from city.money import Money
from city.time import Interval, as_utc
from city.vehicles import Energy, PlateKind, VehicleClass
from parking.rules.tariffs.document import Coupon, Name
from parking.rules.tariffs.local_time import local_text
from parking.rules.tariffs.reasons import Why


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay to be rated.

    Raises
    ------
    Invalid
        On an instant without offset, or where it ends before it begins.
    """

    enter_at: datetime
    leave_at: datetime
    gaps: tuple[Interval, ...] = ()
    """Stretches in which nobody knows whether the vehicle stood there: they are not charged."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "enter_at", as_utc(self.enter_at, "enter"))
        object.__setattr__(self, "leave_at", as_utc(self.leave_at, "leave"))
        if self.leave_at < self.enter_at:
            raise Invalid("must not lie before the entry", field="leave")


@dataclass(frozen=True, slots=True)
class EarlierStay:
    """An earlier stay of the same vehicle under the same tariff, and what was paid for it.

    Raises
    ------
    Invalid
        On an instant without offset, an end before the beginning, or a negative amount.
    """

    enter_at: datetime
    leave_at: datetime
    paid_minor: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "enter_at", as_utc(self.enter_at, "enter"))
        object.__setattr__(self, "leave_at", as_utc(self.leave_at, "leave"))
        if self.leave_at < self.enter_at:
            raise Invalid("must not lie before the entry", field="leave")
        if self.paid_minor < 0:
            raise Invalid("must not be negative", field="paid_minor")


@dataclass(frozen=True, slots=True)
class Cover:
    """A stretch of the stay that costs nothing because a right of the vehicle covers it.

    A month card, a permit, a contract for the night: who holds it, and when, is not the
    tariff's to know.
    """

    during: Interval
    """Half open; what of it lies outside the stay does not matter."""
    name: Name
    """The right, as the driver knows it."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid for a stay while it went on, or before it.

    Raises
    ------
    Invalid
        On an instant without offset, or an amount below zero.
    """

    paid_at: datetime
    minor: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "paid_at", as_utc(self.paid_at, "paid"))
        if self.minor < 0:
            raise Invalid("must not be negative", field="paid")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a driver brings to a stay: rights that cover it, coupons, payments made already."""

    covers: tuple[Cover, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    """Validations, each counted as often as it stands here."""
    payments: tuple[Payment, ...] = ()


@dataclass(frozen=True, slots=True)
class VehicleTraits:
    """What a tariff may ask about a vehicle; never its number."""

    vehicle_class: VehicleClass = VehicleClass.SMALL
    energy: Energy | None = None
    """None where it is not known: then only schedules that do not ask for it fit."""
    plate_kind: PlateKind | None = None
    exemption: str | None = None
    """Class that was proven by other means than the plate: of an exemption or of a schedule."""


class Line(NamedTuple):
    """One line of a fee: what was charged, or taken off, for which time and why."""

    from_at: datetime
    to_at: datetime
    band: str
    """Id of the band; empty for what concerns the whole stay."""
    units: int
    minor: int
    why: Why


@dataclass(frozen=True, slots=True)
class Quote:
    """A fee and the lines that add up to it."""

    total: Money
    lines: tuple[Line, ...]
    timezone: str
    """IANA name of the zone in which the lines' times are written."""

    def lines_json(self) -> list[dict[str, JsonValue]]:
        """Give the lines in their stored form: local times with offset, reasons as keys."""
        return [
            {
                "from": local_text(line.from_at, self.timezone),
                "to": local_text(line.to_at, self.timezone),
                "band": line.band,
                "units": line.units,
                "minor": line.minor,
                "why": line.why.as_json(),
            }
            for line in self.lines
        ]

    def as_json(self, language: str = "en") -> dict[str, JsonValue]:
        """Give the form that the command prints, with the reasons as text."""
        lines: list[JsonValue] = [
            {
                "from": local_text(line.from_at, self.timezone),
                "to": local_text(line.to_at, self.timezone),
                "band": line.band,
                "units": line.units,
                "minor": line.minor,
                "why": line.why.text(language),
            }
            for line in self.lines
        ]
        return {"total_minor": self.total.minor, "currency": self.total.currency, "lines": lines}
