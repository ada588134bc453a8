"""Rating: what a stay costs under a tariff, as lines that add up to the total.

A function of the tariff, the stay, the vehicle, its earlier stays and what the driver brings;
nothing else is in sight. It follows the document in a fixed order: exemption, schedule, re-entry,
time that is covered or not known, free period of the stay, free time of coupons, bands (free
period, charge, cap), caps over bands, prices by both ends, discount, coupons, rounding, credit for
what a continued stay has paid, and last what was paid for this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from city.errors import Invalid
from city.money import Money
from parking.rules.tariffs.cutting import Span
from parking.rules.tariffs.document import Coupon
from parking.rules.tariffs.local_time import DAY_S, ceil_s, floor_s, utc_at
from parking.rules.tariffs.model import Claims, EarlierStay, Line, Quote, Stay, VehicleTraits
from parking.rules.tariffs.plan import Plan, Tariff, exemption_of
from parking.rules.tariffs.rating import Rating, RawLine, name_json
from parking.rules.tariffs.reasons import Why
from parking.rules.tariffs.reductions import credit, never_more, reduce
from parking.rules.tariffs.windows import Past, past_of

MAX_STAY_S = 3_660 * DAY_S
"""Longest stay that is rated; a longer one is a fault of the evidence, not a fee."""
_NO_CLAIMS = Claims()
_ORDINARY = VehicleTraits()


def evaluate(
    tariff: Tariff,
    stay: Stay,
    vehicle: VehicleTraits | None = None,
    history: Sequence[EarlierStay] = (),
    claims: Claims = _NO_CLAIMS,
) -> Quote:
    """Rate a stay.

    Parameters
    ----------
    tariff : Tariff
        The version that was in force at entry.
    stay : Stay
        Rated by whole seconds: the entry rounded up, the leaving down.
    vehicle : VehicleTraits or None
        None for a small vehicle of unknown energy.
    history : Sequence[EarlierStay]
        Earlier stays of the same vehicle under this tariff, any order, all ended by the entry.
        They count for a free period once a day, a quick re-entry and caps over several stays.
    claims : Claims
        Rights that cover parts of the stay, coupons, and what was paid for it already.

    Returns
    -------
    Quote
        Lines in time order, then caps, discounts and credits as lines of their own; they sum to
        the total, which is what is still due and never negative. A stay of no time costs nothing
        and has no line.

    Raises
    ------
    Invalid
        Where no schedule fits the vehicle, a coupon cannot be used, an earlier stay ends after
        the entry, a payment was made after the leaving, or the stay is longer than
        ``MAX_STAY_S``.

    Notes
    -----
    Cost grows with the days and bands of the stay.
    """
    lines = _lines(tariff, stay, vehicle or _ORDINARY, history, claims)
    return Quote(
        Money(sum(line[4] for line in lines), tariff.document.currency),
        tuple(
            Line(utc_at(start), utc_at(end), band, units, minor, why)
            for start, end, band, units, minor, why in lines
        ),
        tariff.timezone,
    )


def fee_minor(
    tariff: Tariff,
    stay: Stay,
    vehicle: VehicleTraits,
    history: Sequence[EarlierStay] = (),
) -> int:
    """Give what `evaluate` gives as the total, without its lines: for many stays at a time."""
    return sum(line[4] for line in _lines(tariff, stay, vehicle, history, _NO_CLAIMS))


def _lines(
    tariff: Tariff,
    stay: Stay,
    vehicle: VehicleTraits,
    history: Sequence[EarlierStay],
    claims: Claims,
) -> list[RawLine]:
    start, end = ceil_s(stay.enter_at), floor_s(stay.leave_at)
    if end - start > MAX_STAY_S:
        raise Invalid(f"the stay is longer than {MAX_STAY_S // DAY_S} days", field="leave")
    exemption = exemption_of(tariff.document, vehicle)
    past = past_of(history, start) if history else []
    if end <= start:
        return []
    if exemption is not None:
        why = Why("tariff.why.exempt", {"name": name_json(exemption.name)})
        return [(start, end, "", 0, 0, why)]
    plan = tariff.plan_for(vehicle)
    if claims is _NO_CLAIMS and not stay.gaps:  # the common case
        rating = Rating(tariff, plan, start, end, past)
        rating.count()
        reduce(rating)
        credit(rating)
        return rating.lines
    if claims.coupons:
        _check_coupons(claims.coupons, plan)
    asked = _Asked(
        tariff,
        plan,
        [(floor_s(g.start_at), end if g.end_at is None else ceil_s(g.end_at)) for g in stay.gaps],
        claims,
    )
    if claims.payments:
        if max(each.paid_at for each in claims.payments) > stay.leave_at:
            raise Invalid("must not lie after the leaving", field="paid")
        return _after_payments(asked, start, end, past)
    return asked.rated(start, end, past).lines


@dataclass(frozen=True, slots=True)
class _Asked:
    """What does not change from one stretch of a stay to the next."""

    tariff: Tariff
    plan: Plan
    gaps: list[Span]
    claims: Claims

    def rated(
        self, start: int, end: int, past: Sequence[Past], *, after_payment: bool = False
    ) -> Rating:
        """Rate a stretch; a coupon counts in the first one only."""
        rating = Rating(self.tariff, self.plan, start, end, list(past), after_payment=after_payment)
        if start >= end:
            return rating
        if not after_payment:
            rating.coupons = self.claims.coupons
        if self.gaps or self.claims.covers:
            rating.gaps = self.gaps
            rating.covers = [
                (
                    floor_s(cover.during.start_at),
                    end if cover.during.end_at is None else ceil_s(cover.during.end_at),
                    cover.name,
                )
                for cover in self.claims.covers
            ]
        rating.count()
        reduce(rating)
        if rating.total and rating.time_taken_out:
            # unit edges move with what is taken out, and may move past a cap's
            plain = Rating(
                self.tariff, self.plan, start, end, list(past), after_payment=after_payment
            )
            plain.count()
            reduce(plain)
            never_more(rating, plain.total)
        credit(rating)
        return rating


def _check_coupons(coupons: Sequence[Coupon], plan: Plan) -> None:
    for coupon in coupons:
        if coupon.alone and len(coupons) > 1:
            raise Invalid(f"{coupon.id} cannot be used with another one", field="coupon")
        if coupon.schedules is not None and plan.schedule.id not in coupon.schedules:
            raise Invalid(f"{coupon.id} is not for schedule {plan.schedule.id}", field="coupon")


# --- payments during the stay --------------------------------------------------------------------


def _after_payments(asked: _Asked, start: int, end: int, past: list[Past]) -> list[RawLine]:
    """Rate a stay for which payments were made before the leaving."""
    paid = sorted((ceil_s(each.paid_at), each.minor) for each in asked.claims.payments)
    # A payment within the stay's last second, begun seconds counted, lies at its end.
    paid = [(min(max(at, start), end), minor) for at, minor in paid]
    grace = asked.plan.schedule.exit_grace
    if grace is not None and grace.overstay == "since_payment":
        return _since_payments(asked, (start, end), past, paid, grace.within_s)
    within_s = 0 if grace is None else grace.within_s
    paid_minor, settled_at = 0, start
    for at, minor in paid:
        paid_minor += minor
        # nothing due is nothing settled: paying nothing buys no time to leave
        if paid_minor >= asked.rated(start, at, past).total > 0:
            settled_at = at
    forgiven = start < settled_at < end <= settled_at + within_s
    rating = asked.rated(start, settled_at if forgiven else end, past)
    if forgiven:
        why = Why("tariff.why.grace", {"within_s": within_s})
        rating.add((settled_at, end), "", 0, 0, why)
    _take_paid(rating, paid_minor, end)
    return rating.lines


def _since_payments(
    asked: _Asked,
    stay: Span,
    past: Sequence[Past],
    paid: Sequence[tuple[int, int]],
    within_s: int,
) -> list[RawLine]:
    """Rate the stay in stretches: each ends with the payment that settled it."""
    start, end = stay
    lines: list[RawLine] = []
    before = list(past)
    paid_minor, begin = 0, start
    for at, minor in paid:
        paid_minor += minor
        rating = asked.rated(begin, at, before, after_payment=begin > start)
        if paid_minor < rating.total or not rating.total:
            continue
        due_minor = rating.total
        _take_paid(rating, due_minor, at)
        lines += rating.lines
        before.append((begin, at, due_minor))
        paid_minor, begin = paid_minor - due_minor, at
    if begin > start and end <= begin + within_s:
        if end > begin:
            why = Why("tariff.why.grace", {"within_s": within_s})
            lines.append((begin, end, "", 0, 0, why))
        rating = Rating(asked.tariff, asked.plan, begin, end, [], after_payment=True)
        _take_paid(rating, paid_minor, end)
        return lines + rating.lines
    rating = asked.rated(begin, end, before, after_payment=begin > start)
    _take_paid(rating, paid_minor, end)
    return lines + rating.lines


def _take_paid(rating: Rating, paid_minor: int, at: int) -> None:
    unused_minor = paid_minor - rating.total
    if unused_minor > 0 and rating.plan.schedule.unused_payment == "kept":
        values = {"unused": rating.money(unused_minor)}
        rating.add((rating.start, at), "", 0, unused_minor, Why("tariff.why.paid.kept", values))
    taken_minor = min(rating.total, paid_minor)
    if taken_minor > 0:
        why = Why("tariff.why.credit.paid", {"paid": rating.money(paid_minor)})
        rating.add((rating.start, at), "", 0, -taken_minor, why)
