"""What must hold of a tariff beyond its form: each rule names the field that breaks it."""

from collections.abc import Sequence
from itertools import pairwise

from city.errors import Invalid
from parking.rules.tariffs.band_table import WEEKDAYS, BandTable, calendar_of
from parking.rules.tariffs.dates import Calendar
from parking.rules.tariffs.document import (
    Band,
    Cap,
    Card,
    Charge,
    DayWindow,
    Entry,
    Schedule,
    StayFree,
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
    calendar = calendar_of(document)
    _unique([schedule.id for schedule in document.schedules], "schedules")
    _unique([exemption.id for exemption in document.exemptions], "exemptions")
    exempt = {exemption.id for exemption in document.exemptions}
    for place, schedule in enumerate(document.schedules):
        path = f"schedules[{place}]"
        if place + 1 < len(document.schedules) and schedule.fits_all:
            raise Invalid(
                "fits every vehicle, so the schedules after it can never apply", field=path
            )
        for of_class, name in enumerate(schedule.classes or ()):
            if name in exempt:
                raise Invalid(
                    f"{name} is exempt, so it never pays", field=f"{path}.classes[{of_class}]"
                )
        _check_schedule(schedule, calendar, path)
    _check_claims(document, calendar)


def _check_schedule(schedule: Schedule, calendar: Calendar, path: str) -> None:
    _unique([band.id for band in schedule.bands], f"{path}.bands")
    if schedule.free is not None:
        _check_free(schedule.free, f"{path}.free")
    for place, band in enumerate(schedule.bands):
        _check_window(band, calendar, f"{path}.bands[{place}]")
        _check_band(band, f"{path}.bands[{place}]")
        if schedule.unit_at_edge == "runs_on":
            _check_running_on(band, f"{path}.bands[{place}]")
    _check_cover(schedule.bands, calendar, f"{path}.bands")
    _check_caps(schedule.caps, schedule.bands, f"{path}.caps")
    _unique([each.id for each in schedule.both_ends], f"{path}.both_ends")
    for place, each in enumerate(schedule.both_ends):
        for name, window in (("enter", each.enter), ("leave", each.leave)):
            _check_window(window, calendar, f"{path}.both_ends[{place}].{name}")


def _check_running_on(band: Band, path: str) -> None:
    """Check that a unit of a band can run on beyond its edge."""
    if band.counts not in {"visit", "stay"}:
        raise Invalid("must be visit or stay where units run on", field=f"{path}.counts")
    if band.free is not None:
        raise Invalid("goes with units that end at a band's edge", field=f"{path}.free")


def _check_free(free: StayFree, path: str) -> None:
    for name, said in (("times", free.times > 1), ("accumulates", free.accumulates)):
        if said and free.once_per == "stay":
            raise Invalid("needs once_per day or 24h: a stay has one", field=f"{path}.{name}")
    if free.accumulates and free.times > 1:
        raise Invalid("a budget that accumulates has no times", field=f"{path}.times")


def _check_claims(document: TariffDocument, calendar: Calendar) -> None:
    """Check what a driver may bring: coupons and cards."""
    _unique([coupon.id for coupon in document.coupons], "coupons")
    _unique([card.id for card in document.cards], "cards")
    known = [schedule.id for schedule in document.schedules]
    for place, coupon in enumerate(document.coupons):
        _check_known(coupon.schedules, known, "schedule", f"coupons[{place}].schedules")
    for place, card in enumerate(document.cards):
        path = f"cards[{place}]"
        _check_known(card.schedules, known, "schedule", f"{path}.schedules")
        _check_card(card, calendar, path)


def _check_card(card: Card, calendar: Calendar, path: str) -> None:
    if (card.months is None) == (card.days is None):
        raise Invalid("must last either months or days", field=f"{path}.months")
    for place, window in enumerate(card.covers or ()):
        _check_window(window, calendar, f"{path}.covers[{place}]")


def _check_known(names: Sequence[str] | None, known: Sequence[str], what: str, path: str) -> None:
    for place, name in enumerate(names or ()):
        if name not in known:
            raise Invalid(f"{name!r} is no {what} here", field=f"{path}[{place}]")


def _check_window(window: DayWindow, calendar: Calendar, path: str) -> None:
    if window.from_time == "24:00":
        raise Invalid("must lie before 24:00", field=f"{path}.from")
    missing = {
        "holiday": not calendar.has_holidays,
        "make_up_workday": not calendar.has_make_up_workdays,
    }
    for place, token in enumerate(window.days or ()):
        if missing.get(token):
            raise Invalid(
                f"{token} needs a calendar or dates, and the tariff names none",
                field=f"{path}.days[{place}]",
            )


def _check_band(band: Band, path: str) -> None:
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
    if charge.tolerance_s and charge.rounding != "started":
        raise Invalid("needs rounding started", field=f"{path}.tolerance_s")
    for step in charge.steps:
        if charge.tolerance_s >= step.unit_s:
            raise Invalid(
                f"must be shorter than the unit of {step.unit_s} s", field=f"{path}.tolerance_s"
            )
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


def _check_cover(bands: Sequence[Band], calendar: Calendar, path: str) -> None:
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
    known = [band.id for band in bands]
    before: list[Cap] = []
    for place, cap in enumerate(caps):
        field = f"{path}[{place}]"
        if (cap.per == "period") != (cap.period_s is not None):
            raise Invalid("goes with per period, and only with it", field=f"{field}.period_s")
        _check_known(cap.bands, known, "band", f"{field}.bands")
        _unique(cap.bands or (), f"{field}.bands")
        if cap.later_minor is not None and cap.per == "stay":
            raise Invalid("a stay has one cap", field=f"{field}.later_minor")
        for other in before:
            _check_beside(cap, other, field)
        before.append(cap)
        for band in bands:
            if cap.bands is not None and band.id not in cap.bands:
                continue
            first_minor = _first_price(band.charge)
            for name, minor in (("minor", cap.minor), ("later_minor", cap.later_minor)):
                if minor is not None and minor < first_minor:
                    raise Invalid(
                        f"lies below the first price of band {band.id}, {first_minor}",
                        field=f"{field}.{name}",
                    )


def _check_beside(cap: Cap, before: Cap, field: str) -> None:
    """Check that a cap can stand after another."""
    if before.bands is None and cap.bands is not None:
        raise Invalid("a cap over some bands stands before those over all", field=f"{field}.bands")
    mine, theirs = frozenset(cap.bands or ()), frozenset(before.bands or ())
    if mine != theirs and mine & theirs:
        raise Invalid("shares only some of its bands with a cap before it", field=f"{field}.bands")
    if mine == theirs and (cap.per, cap.period_s) == (before.per, before.period_s):
        raise Invalid(f"{cap.per!r} stands twice", field=field)


def _first_price(charge: Charge) -> int:
    """Give the first price above zero: what the shortest charged stay pays."""
    if isinstance(charge, Steps):
        return next((step.price_minor for step in charge.steps if step.price_minor), 0)
    if isinstance(charge, Tiers):
        return next((tier.price_minor for tier in charge.tiers if tier.price_minor), 0)
    return charge.price_minor if isinstance(charge, Entry) else 0


def _unique(names: Sequence[str], path: str) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Invalid(f"{name!r} stands twice", field=f"{path}[{place}]")


def _time(second: int) -> str:
    return "24:00" if second == DAY_S else f"{second // 3600:02d}:{second % 3600 // 60:02d}"
