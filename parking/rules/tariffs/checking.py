"""What must hold of a tariff beyond its form: each rule names the field that breaks it."""

from collections.abc import Sequence
from itertools import pairwise

from city.errors import Invalid
from parking.rules.tariffs.band_table import WEEKDAYS, BandTable
from parking.rules.tariffs.document import (
    Band,
    Cap,
    Charge,
    Entry,
    Schedule,
    Steps,
    TariffDocument,
    Tiers,
)
from parking.rules.tariffs.local_time import DAY_S
from parking.rules.tariffs.metering import FOREVER_S


def check(document: TariffDocument) -> None:
    """Refuse a tariff that is impossible or leaves a stay without a price.

    Raises
    ------
    Invalid
        On the first fault, with the path of its field.
    """
    _unique([schedule.id for schedule in document.schedules], "schedules")
    _unique([exemption.id for exemption in document.exemptions], "exemptions")
    for place, schedule in enumerate(document.schedules):
        path = f"schedules[{place}]"
        if place + 1 < len(document.schedules) and _fits_all(schedule):
            raise Invalid(
                "fits every vehicle, so the schedules after it can never apply", field=path
            )
        _check_schedule(schedule, document.calendar, path)


def _check_schedule(schedule: Schedule, calendar: str | None, path: str) -> None:
    _unique([band.id for band in schedule.bands], f"{path}.bands")
    for place, band in enumerate(schedule.bands):
        _check_band(band, calendar, f"{path}.bands[{place}]")
    _check_cover(schedule.bands, calendar, f"{path}.bands")
    _check_caps(schedule.caps, schedule.bands, f"{path}.caps")


def _check_band(band: Band, calendar: str | None, path: str) -> None:
    if band.from_time == "24:00":
        raise Invalid("must lie before 24:00", field=f"{path}.from")
    if calendar is None and band.days is not None:
        for place, token in enumerate(band.days):
            if token in {"holiday", "make_up_workday"}:
                raise Invalid(
                    f"{token} needs a calendar, and the tariff names none",
                    field=f"{path}.days[{place}]",
                )
    _check_charge(band.charge, f"{path}.charge")
    first_minor = _first_price(band.charge)
    if band.cap_minor is not None and band.cap_minor < first_minor:
        raise Invalid(
            f"lies below the band's first price of {first_minor}", field=f"{path}.cap_minor"
        )


def _check_charge(charge: Charge, path: str) -> None:
    if isinstance(charge, Steps):
        _check_steps(charge, path)
    elif isinstance(charge, Tiers):
        _check_tiers(charge, path)


def _check_steps(charge: Steps, path: str) -> None:
    begins_s = 0
    for place, step in enumerate(charge.steps):
        field = f"{path}.steps[{place}].until_s"
        last = place + 1 == len(charge.steps)
        if last != (step.until_s is None):
            raise Invalid(
                "the last step must be open-ended" if last else "only the last may be open-ended",
                field=field,
            )
        if step.until_s is None:
            return
        if step.until_s <= begins_s:
            raise Invalid(f"must lie after the step before it, at {begins_s} s", field=field)
        if (step.until_s - begins_s) % step.unit_s:
            raise Invalid(f"the step must hold whole units of {step.unit_s} s", field=field)
        begins_s = step.until_s


def _check_tiers(charge: Tiers, path: str) -> None:
    for place, tier in enumerate(charge.tiers):
        field = f"{path}.tiers[{place}].up_to_s"
        last = place + 1 == len(charge.tiers)
        if last != (tier.up_to_s is None):
            raise Invalid(
                "the last tier must be open-ended" if last else "only the last may be open-ended",
                field=field,
            )
    for place, (before, tier) in enumerate(pairwise(charge.tiers), start=1):
        if (tier.up_to_s or FOREVER_S) <= (before.up_to_s or 0):
            raise Invalid(
                f"must lie after the tier before it, {before.up_to_s} s",
                field=f"{path}.tiers[{place}].up_to_s",
            )
        if tier.price_minor < before.price_minor:
            raise Invalid(
                f"must not fall below the tier before it, {before.price_minor}",
                field=f"{path}.tiers[{place}].price_minor",
            )


def _check_cover(bands: Sequence[Band], calendar: str | None, path: str) -> None:
    table = BandTable(bands, calendar)
    seen: set[int] = set()
    for before, today in table.kinds():
        for start, end, band in table.rows_of(before, today):
            if band < 0:
                raise Invalid(
                    f"leave {_time(start)}-{_time(end)} of a {WEEKDAYS[today[0]]}"
                    f" ({today[1]}) without a price",
                    field=path,
                )
            seen.add(band)
    for place in range(len(bands)):
        if place not in seen:
            raise Invalid(
                "can never apply: bands before it hold all of its time", field=f"{path}[{place}]"
            )


def _check_caps(caps: Sequence[Cap], bands: Sequence[Band], path: str) -> None:
    _unique([cap.per for cap in caps], path)
    for place, cap in enumerate(caps):
        for band in bands:
            first_minor = _first_price(band.charge)
            if cap.minor < first_minor:
                raise Invalid(
                    f"lies below the first price of band {band.id}, {first_minor}",
                    field=f"{path}[{place}].minor",
                )


def _first_price(charge: Charge) -> int:
    """Give the first price above zero: what the shortest charged stay pays."""
    if isinstance(charge, Steps):
        return next((step.price_minor for step in charge.steps if step.price_minor), 0)
    if isinstance(charge, Tiers):
        return next((tier.price_minor for tier in charge.tiers if tier.price_minor), 0)
    return charge.price_minor if isinstance(charge, Entry) else 0


def _fits_all(schedule: Schedule) -> bool:
    return schedule.vehicles is None and schedule.energies is None and schedule.plate_kinds is None


def _unique(names: Sequence[str], path: str) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Invalid(f"{name!r} stands twice", field=f"{path}[{place}]")


def _time(second: int) -> str:
    return "24:00" if second == DAY_S else f"{second // 3600:02d}:{second % 3600 // 60:02d}"
