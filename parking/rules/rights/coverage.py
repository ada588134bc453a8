"""Which right covers which part of a stay, and why the rest is charged.

A permit for fewer vehicles than its list is taken in the order of arrival: the first are covered,
the next pays, and from the instant at which a covered one leaves the one that has waited longest is
covered. Nobody who is covered is ever displaced, and what was kept for a billed stay stays.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import JsonValue

from city.money import Money
from parking.rules.rights.benefits import Benefit
from parking.rules.rights.hours import local_date, midnight
from parking.rules.rights.model import (
    BenefitInSight,
    Coverage,
    Outcome,
    Part,
    PermitInSight,
    Presence,
    RightRef,
    Use,
)
from parking.rules.rights.permits import Allowance, Per, Permit
from parking.rules.rights.spans import (
    Span,
    Spans,
    difference,
    intersection,
    leading,
    length,
    normal,
    where_count,
)
from parking.rules.tariffs.reasons import Why


def cover(
    stay: Presence,
    permits: Sequence[PermitInSight],
    benefits: Sequence[BenefitInSight] = (),
    *,
    refused: Why | None = None,
) -> Coverage:
    """Say what covers a stay.

    Rights are taken in this order: exemptions of the plate's kind; permits of every vehicle on
    their list; permits with a limit, the one that ends first before the others; then allowances of
    free time on what is left, so that they are not spent on time that was covered anyway.

    Parameters
    ----------
    stay : Presence
        The stay; one still open, until the present instant.
    permits, benefits
        Those that list the vehicle or name its kind of plate, in the stay's facility.
    refused : Why or None
        Why the vehicle may use no right, such as a blacklist; None where it may.

    Returns
    -------
    Coverage
        Its parts tile the stay.

    Notes
    -----
    Cost grows as n log n with the rivals and uses of each permit, and with the days of the stay.
    """
    work = _Work(stay, normal([stay.span]))
    if refused is None:
        _decide(work, permits, benefits)
    else:
        work.note(work.left, refused)
    return work.finished()


def _decide(
    work: "_Work", permits: Sequence[PermitInSight], benefits: Sequence[BenefitInSight]
) -> None:
    for each in benefits:
        if each.benefit.exempts:
            work.exempt(each.benefit)
    ordered = sorted(permits, key=_order)
    for seen in ordered:
        if seen.permit.terms.allowance is None:
            work.permit(seen)
    for seen in ordered:
        work.overstay(seen)
    for seen in ordered:
        if seen.permit.terms.allowance is not None:
            work.allowed_permit(seen)
    for each in benefits:
        if each.benefit.allowance is not None:
            work.allowed_benefit(each, each.benefit.allowance)


def _order(seen: PermitInSight) -> tuple[bool, datetime, UUID]:
    permit = seen.permit
    return permit.terms.concurrent_limit is not None, permit.ends_at, permit.id


# --- one stay under way --------------------------------------------------------------------------


class _Work:
    """A stay whose parts are being decided: what is still left, and what was said of it."""

    def __init__(self, stay: Presence, left: Spans) -> None:
        self.stay = stay
        self.left = left
        self._parts: list[Part] = []
        self._notes: list[tuple[Spans, Why, RightRef | None]] = []
        self._ends: dict[UUID, Spans] = {}

    def note(self, spans: Spans, why: Why, right: RightRef | None = None) -> None:
        """Keep why some time is charged; what was noted first is what is said."""
        if spans:
            self._notes.append((spans, why, right))

    def take(
        self, spans: Spans, right: RightRef, why: Why, outcome: Outcome = Outcome.COVERED
    ) -> None:
        self._parts += [Part(start, end, outcome, why, right) for start, end in spans]
        self.left = difference(self.left, spans)

    def exempt(self, benefit: Benefit) -> None:
        spans = intersection(self.left, benefit.holds(self.stay.span))
        why = Why("rights.why.benefit", {"name": _named(benefit)})
        self.take(spans, RightRef("benefit", benefit.id), why)

    def permit(self, seen: PermitInSight) -> None:
        permit = seen.permit
        ref = RightRef("permit", permit.id)
        holds = permit.holds(self.stay.span)
        claims = _claims(seen, self.stay)
        eligible = normal(span for claim in claims for span in claim.within(holds))
        blocked = _blocked(seen, claims, holds)
        covered = intersection(self.left, difference(eligible, blocked))
        self._ends[permit.id] = covered
        self.note(intersection(self.left, blocked), _limited(permit), ref)
        listed = normal(claim.span for claim in claims)
        outside = difference(intersection(listed, permit.validity), holds)
        self.note(intersection(self.left, outside), _why("rights.why.outside_hours", permit), ref)
        rest = difference(self.left, intersection(listed, permit.validity))
        self.note(rest, _why("rights.why.not_in_force", permit), ref)
        self.take(covered, ref, _why("rights.why.permit", permit))

    def overstay(self, seen: PermitInSight) -> None:
        permit, terms = seen.permit, seen.permit.terms.overstay
        if terms is None:
            return
        ref = RightRef("permit", permit.id)
        holds = permit.holds(self.stay.span)
        for ended_at, next_at in _past_hours(
            permit, self._ends.get(permit.id, ()), holds, self.stay.span[1]
        ):
            late = intersection(self.left, ((ended_at, next_at),))
            if not late:
                continue
            values: dict[str, JsonValue] = {"label": permit.label, "grace_s": terms.grace_s}
            if next_at - ended_at <= timedelta(seconds=terms.grace_s):
                self.take(late, ref, Why("rights.why.grace", values))
                continue
            time = length(late)
            values |= {
                "units": terms.units(time),
                "unit_s": terms.unit_s,
                "price": terms.price.as_json(),
            }
            fees = [terms.fee(time), *(Money(0, terms.price.currency) for _ in late[1:])]
            why = Why("rights.why.overstay", values)
            if terms.cap is not None and terms.fee(time) == terms.cap:
                why = Why("rights.why.overstay.capped", values | {"cap": terms.cap.as_json()})
            self._parts += [
                Part(start, end, Outcome.OVERSTAY, why, ref, fee)
                for (start, end), fee in zip(late, fees, strict=True)
            ]
            self.left = difference(self.left, late)

    def allowed_permit(self, seen: PermitInSight) -> None:
        permit, allowance = seen.permit, seen.permit.terms.allowance
        if allowance is None:
            return
        holds = permit.holds(self.stay.span)
        claims = _claims(seen, self.stay)
        eligible = normal(span for claim in claims for span in claim.within(holds))
        spans = _allowed(
            intersection(self.left, eligible), allowance, self._own(seen.uses), permit.timezone
        )
        ref = RightRef("permit", permit.id)
        values: dict[str, JsonValue] = {"label": permit.label, "free_s": allowance.free_s}
        self.take(spans, ref, Why(f"rights.why.permit.per_{allowance.per}", values))
        used = intersection(self.left, eligible)
        self.note(used, Why(f"rights.why.used_up.per_{allowance.per}", values), ref)

    def allowed_benefit(self, seen: BenefitInSight, allowance: Allowance) -> None:
        benefit = seen.benefit
        eligible = benefit.holds(self.stay.span)
        spans = _allowed(
            intersection(self.left, eligible), allowance, self._own(seen.uses), benefit.timezone
        )
        ref = RightRef("benefit", benefit.id)
        values: dict[str, JsonValue] = {"name": _named(benefit), "free_s": allowance.free_s}
        self.take(spans, ref, Why(f"rights.why.benefit.per_{allowance.per}", values))
        values["label"] = _named(benefit)
        used = intersection(self.left, eligible)
        self.note(used, Why(f"rights.why.used_up.per_{allowance.per}", values), ref)

    def _own(self, uses: Iterable[Use]) -> Spans:
        vehicle_id = self.stay.vehicle_id
        return normal(use.span for use in uses if use.vehicle_id == vehicle_id)

    def finished(self) -> Coverage:
        """Give the parts, what is left charged for the reason that was noted first."""
        left = self.left
        for spans, why, right in self._notes:
            for start, end in intersection(left, spans):
                self._parts.append(Part(start, end, Outcome.CHARGED, why, right))
            left = difference(left, spans)
        none = Why("rights.why.none")
        self._parts += [Part(start, end, Outcome.CHARGED, none) for start, end in left]
        return Coverage(tuple(sorted(self._parts, key=lambda part: part.from_at)))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A stay's time on a permit's list, and its place in the line."""

    span: Span
    rank: tuple[datetime, datetime, UUID]

    def within(self, holds: Spans) -> Spans:
        return intersection(holds, normal([self.span]))


def _claims(seen: PermitInSight, stay: Presence) -> list[_Claim]:
    start, end = stay.span
    found = []
    for member in seen.members:
        if member.vehicle_id != stay.vehicle_id:
            continue
        since = max(start, member.from_at)
        until = end if member.until_at is None else min(end, member.until_at)
        if since < until:
            waits_since = max(since, seen.permit.valid_from)
            found.append(_Claim((since, until), (waits_since, start, stay.session_id)))
    return found


def _blocked(seen: PermitInSight, claims: Sequence[_Claim], holds: Spans) -> Spans:
    """Give when a permit is taken up by those before this stay in the line."""
    limit = seen.permit.terms.concurrent_limit
    if limit is None:
        return ()
    uses = [[use.span] for use in seen.uses]
    rivals = [claim for rival in seen.rivals for claim in _claims(seen, rival)]
    blocked: list[Span] = []
    for claim in claims:
        before = [other.within(holds) for other in rivals if other.rank < claim.rank]
        full = where_count([*before, *uses], lambda count: count >= limit)
        blocked += intersection(full, claim.within(holds))
    return normal(blocked)


def _past_hours(
    permit: Permit, covered: Spans, holds: Spans, leaves_at: datetime
) -> Iterable[Span]:
    """Give the time after each covered window that the vehicle stayed on, to the next window."""
    window_ends = {end for _, end in holds}
    for _, ended_at in covered:
        if ended_at not in window_ends or ended_at >= permit.ends_at or ended_at >= leaves_at:
            continue
        nexts = [start for start, _ in holds if start >= ended_at]
        yield ended_at, min([leaves_at, permit.ends_at, *nexts])


def _allowed(spans: Spans, allowance: Allowance, own: Spans, timezone: str) -> Spans:
    free = timedelta(seconds=allowance.free_s)
    if allowance.per is Per.STAY:
        return leading(spans, free)
    found: list[Span] = []
    for day in _days(spans, timezone):
        unused = free - length(intersection(own, (day,)))
        found += leading(intersection(spans, (day,)), unused)
    return normal(found)


def _days(spans: Spans, timezone: str) -> list[Span]:
    if not spans:
        return []
    day = local_date(spans[0][0], timezone)
    days: list[Span] = []
    while (start := midnight(day, timezone)) < spans[-1][1]:
        day += timedelta(days=1)
        days.append((start, midnight(day, timezone)))
    return days


def _limited(permit: Permit) -> Why:
    values: dict[str, JsonValue] = {
        "label": permit.label,
        "limit": permit.terms.concurrent_limit,
    }
    return Why("rights.why.limit", values)


def _why(key: str, permit: Permit) -> Why:
    return Why(key, {"label": permit.label})


def _named(benefit: Benefit) -> JsonValue:
    return {"zh": benefit.name_zh, "en": benefit.name_en}
