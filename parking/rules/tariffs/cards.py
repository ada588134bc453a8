"""Cards and coupons that a tariff sells or honours: what a stay can claim under them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from city.errors import Invalid
from city.time import Interval
from parking.rules.tariffs.band_table import BandTable, calendar_of
from parking.rules.tariffs.document import Card, Coupon
from parking.rules.tariffs.local_time import DAY_S, ceil_s, floor_s, offset_spans, utc_at
from parking.rules.tariffs.model import Cover, Stay, VehicleTraits
from parking.rules.tariffs.plan import Tariff, exemption_of


def coupons_of(tariff: Tariff, names: Iterable[str]) -> tuple[Coupon, ...]:
    """Give the coupons of a tariff by their ids; Invalid where it honours no such one."""
    known = {coupon.id: coupon for coupon in tariff.document.coupons}
    found = []
    for name in names:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise Invalid(
                f"{name} is no coupon of this tariff, which names: {listed}", field="coupon"
            )
        found.append(known[name])
    return tuple(found)


def fitting(
    tariff: Tariff, names: Iterable[str], vehicle: VehicleTraits
) -> tuple[tuple[Coupon, ...], tuple[str, ...]]:
    """Part coupons that were taken for a stay into those that it can use, and the names of others.

    A coupon is refused when it is taken where it does not fit; but whose vehicle it is may be
    corrected later, and then no bill waits for it.
    """
    if exemption_of(tariff.document, vehicle) is not None:
        return (), tuple(names)
    schedule = tariff.plan_for(vehicle).schedule.id
    known = {coupon.id: coupon for coupon in tariff.document.coupons}
    used: list[Coupon] = []
    left_out: list[str] = []
    for name in names:
        coupon = known.get(name)
        alone = used and (used[0].alone or (coupon is not None and coupon.alone))
        if coupon is None or alone or schedule not in (coupon.schedules or (schedule,)):
            left_out.append(name)
        else:
            used.append(coupon)
    return tuple(used), tuple(left_out)


def check_coupon(
    tariff: Tariff, name: str, vehicle: VehicleTraits, others: Sequence[str]
) -> Coupon:
    """Give a coupon that is taken for a stay beside others.

    Raises
    ------
    Invalid
        Where the tariff honours no such one, not for this vehicle, or not with the others.
    """
    (coupon,) = coupons_of(tariff, [name])
    schedule = tariff.plan_for(vehicle).schedule.id
    if coupon.schedules is not None and schedule not in coupon.schedules:
        raise Invalid(f"{name} is not for schedule {schedule}", field="coupon")
    beside = coupons_of(tariff, others)
    if beside and (coupon.alone or any(each.alone for each in beside)):
        raise Invalid(f"{name} cannot be used with another one", field="coupon")
    return coupon


def card_of(tariff: Tariff, name: str, vehicle: VehicleTraits) -> Card:
    """Give a card of a tariff by its id.

    Raises
    ------
    Invalid
        Where the tariff sells no such card, or not for this vehicle.
    """
    known = {card.id: card for card in tariff.document.cards}
    card = known.get(name)
    if card is None:
        listed = ", ".join(known) or "none"
        raise Invalid(f"{name} is no card of this tariff, which names: {listed}", field="card")
    schedule = tariff.plan_for(vehicle).schedule.id
    if card.schedules is not None and schedule not in card.schedules:
        raise Invalid(f"{name} is not for schedule {schedule}", field="card")
    return card


def covers_of(tariff: Tariff, card: Card, stay: Stay) -> tuple[Cover, ...]:
    """Give the stretches of a stay that a card covers, in order and apart from each other.

    Whether the card is valid then is not asked: cut ``stay`` to the card's own time first. Cost
    grows with the days of the stay.
    """
    start, end = ceil_s(stay.enter_at), floor_s(stay.leave_at)
    if end <= start:
        return ()
    if card.covers is None:
        return (Cover(Interval(utc_at(start), utc_at(end)), card.name),)
    table = BandTable(card.covers, calendar_of(tariff.document))
    spans: list[tuple[int, int]] = []
    for low, high, offset in offset_spans(start, end, tariff.timezone):
        for day in range((low + offset) // DAY_S, (high + offset - 1) // DAY_S + 1):
            midnight = day * DAY_S - offset
            for row_start, row_end, window in table.rows(day):
                first, last = max(low, midnight + row_start), min(high, midnight + row_end)
                if window >= 0 and first < last:
                    spans.append((first, last))
    edges = [spans[0][0]] if spans else []
    for before, after in pairwise(spans):
        if before[1] != after[0]:
            edges += [before[1], after[0]]
    edges += [spans[-1][1]] if spans else []
    return tuple(
        Cover(Interval(utc_at(edges[place]), utc_at(edges[place + 1])), card.name)
        for place in range(0, len(edges), 2)
    )
