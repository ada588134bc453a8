"""What is taken off charged time: caps, a discount, coupons, the odd part of a coin."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from parking.rules.tariffs.document import (
    AmountOff,
    Cap,
    Coupon,
    Effect,
    FlatPrice,
    PercentOff,
    RoundTotal,
)
from parking.rules.tariffs.metering import Capped, Chargeable, Charges, Meter, Together
from parking.rules.tariffs.rating import Rating, name_json
from parking.rules.tariffs.reasons import Why
from parking.rules.tariffs.windows import Past, windows_of

if TYPE_CHECKING:
    from pydantic import JsonValue

_ORDER = (FlatPrice, PercentOff, AmountOff)


def reduce(rating: Rating) -> None:
    """Write the lines that take something off what `Rating.count` wrote, in the fixed order."""
    schedule = rating.plan.schedule
    for meter in rating.meters:
        if meter.cap_minor is not None:
            _cap_band(rating, meter, meter.cap_minor)
    if schedule.caps and rating.meters:
        _cap(rating, schedule.caps)
    if rating.plan.both_ends and rating.total and not rating.after_payment:
        _by_both_ends(rating)
    if schedule.discount is not None and rating.total:
        percent = schedule.discount.percent
        values: dict[str, JsonValue] = {"name": name_json(schedule.discount.name)}
        why = Why("tariff.why.discount", {**values, "percent": percent})
        _take(rating, _share(rating.total, percent), why)
    for kind in _ORDER if rating.coupons else ():
        for coupon in rating.coupons:
            if isinstance(coupon.effect, kind):
                _redeem(rating, coupon, coupon.effect)
    if rating.tariff.document.round_total is not None and rating.total:
        _round(rating, rating.tariff.document.round_total)


def credit(rating: Rating) -> None:
    """Take off what was paid for the stays that this one continues."""
    re_entry = rating.plan.schedule.re_entry
    if re_entry is None or not rating.credit_minor or not rating.total:
        return
    paid = rating.money(rating.credit_minor)
    values: dict[str, JsonValue] = {"within_s": re_entry.within_s, "paid": paid}
    why = Why("tariff.why.credit.re_entry", values)
    _take(rating, min(rating.total, rating.credit_minor), why)


def never_more(rating: Rating, minor: int) -> None:
    """Take off what a stay would cost more than without what was claimed for it."""
    _take(rating, rating.total - minor, Why("tariff.why.never_more"))


def _take(rating: Rating, minor: int, why: Why) -> None:
    if minor > 0:
        rating.add((rating.start, rating.end), "", 0, -minor, why)


def _share(minor: int, percent: int) -> int:
    """Give a share, rounded up: in the driver's favour, since it is taken off."""
    return -(-minor * percent // 100)


# --- caps ----------------------------------------------------------------------------------------


def _cap_band(rating: Rating, meter: Meter, cap_minor: int) -> None:
    excess = meter.rate.accrued(meter.seconds()) - cap_minor
    if excess > 0:
        first, last = meter.pieces[0][0], meter.pieces[-1][1]
        why = Why("tariff.why.cap.band", {"cap": rating.money(cap_minor)})
        rating.add((first, last), meter.band.id, 0, -excess, why)


def _cap(rating: Rating, caps: Sequence[Cap]) -> None:
    """Apply caps over some bands, each set of bands by itself, then those over all."""
    if not rating.past and all(rating.total <= cap.least_minor for cap in caps):
        return  # the common case: no window can hold more than the whole
    some = [cap for cap in caps if cap.bands is not None]
    rest = list(rating.meters)
    parts: list[Chargeable] = []
    for bands in dict.fromkeys(frozenset(cap.bands or ()) for cap in some):
        inside = [meter for meter in rest if meter.band.id in bands]
        rest = [meter for meter in rest if meter.band.id not in bands]
        if inside:
            of_bands = [cap for cap in some if frozenset(cap.bands or ()) == bands]
            minor = sum(meter.total() for meter in inside)
            past = _past_inside(rating, bands)
            parts.append(_under(rating, Charges(inside), minor, of_bands, past))
    over_all = [cap for cap in caps if cap.bands is None]
    if not over_all:
        return
    whole: Chargeable = Charges(rest)
    if parts:
        whole = Together([*parts, whole] if rest else parts)
    _under(rating, whole, rating.total, over_all, rating.past)


def _under(
    rating: Rating, charged: Chargeable, minor: int, caps: Iterable[Cap], past: Sequence[Past]
) -> Chargeable:
    """Put charges that come to so much under caps, one after the other."""
    for cap in caps:
        windows = windows_of(cap, rating.start, rating.end, rating.tariff.timezone, past)
        # all windows after the first are alike
        if minor <= min(window.left_minor for window in windows[:2]):
            continue
        capped = Capped(charged, windows)
        charged = capped
        for place, window in enumerate(windows):
            excess = capped.excess(place)
            if excess <= 0:
                continue
            limit = window.left_minor if place and cap.later_minor is not None else cap.minor
            values: dict[str, JsonValue] = {"cap": rating.money(limit)}
            key = f"tariff.why.cap.{cap.per}"
            if cap.per == "period":
                values["period_s"] = cap.rolling_s
            if window.paid_minor:
                key, values["paid"] = f"{key}.shared", rating.money(window.paid_minor)
            low, high = max(window.start, rating.start), min(window.end, rating.end)
            rating.add((low, high), "", 0, -excess, Why(key, values))
            minor -= excess
    return charged


def _past_inside(rating: Rating, bands: frozenset[str]) -> list[Past]:
    """Give what of earlier payments was for some bands.

    Only the whole payment is known: each earlier stay is rated again by itself, and what these
    bands came to counts, up to what was paid.
    """
    inside = []
    for enter, leave, paid_minor in rating.past:
        if enter >= leave:
            continue
        again = Rating(rating.tariff, rating.plan, enter, leave, [])
        again.count()
        minor = sum(meter.total() for meter in again.meters if meter.band.id in bands)
        inside.append((enter, leave, min(minor, paid_minor)))
    return inside


# --- both ends -----------------------------------------------------------------------------------


def _by_both_ends(rating: Rating) -> None:
    """Charge at most the lowest of the prices whose windows hold both ends of the stay."""
    zone = rating.tariff.timezone
    fitting = [
        price
        for price, enter, leave in rating.plan.both_ends
        if rating.end - rating.start <= price.within_s
        and enter.holds(rating.start, zone)
        # whoever leaves at its last second leaves within it
        and (leave.holds(rating.end, zone) or leave.holds(rating.end - 1, zone))
    ]
    if fitting:
        best = min(fitting, key=lambda each: each.price_minor)
        price = rating.money(best.price_minor)
        why = Why("tariff.why.both_ends", {"name": name_json(best.name), "price": price})
        _take(rating, rating.total - best.price_minor, why)


# --- coupons and coins ---------------------------------------------------------------------------


def _redeem(rating: Rating, coupon: Coupon, effect: Effect) -> None:
    values: dict[str, JsonValue] = {"name": name_json(coupon.name)}
    if isinstance(effect, FlatPrice):
        why = Why("tariff.why.coupon.flat", {**values, "price": rating.money(effect.price_minor)})
        _take(rating, rating.total - effect.price_minor, why)
    elif isinstance(effect, PercentOff):
        off_minor = _share(rating.total, effect.percent)
        values["percent"] = effect.percent
        if effect.at_most_minor is not None and effect.at_most_minor < off_minor:
            off_minor = effect.at_most_minor
            values["at_most"] = rating.money(off_minor)
            _take(rating, off_minor, Why("tariff.why.coupon.percent.most", values))
        else:
            _take(rating, off_minor, Why("tariff.why.coupon.percent", values))
    elif isinstance(effect, AmountOff):
        why = Why("tariff.why.coupon.amount", {**values, "amount": rating.money(effect.minor)})
        _take(rating, min(rating.total, effect.minor), why)


def _round(rating: Rating, rule: RoundTotal) -> None:
    coin = rule.to_minor
    odd_minor = rating.total % coin
    if not odd_minor:
        return
    up = rule.how == "up" or (rule.how == "nearest" and 2 * odd_minor >= coin)
    change = coin - odd_minor if up else -odd_minor
    why = Why("tariff.why.rounded." + rule.how, {"coin": rating.money(coin)})
    rating.add((rating.start, rating.end), "", 0, change, why)
