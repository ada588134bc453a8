"""Laws of coverage, over many stays, permits and orders of billing."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from city.money import Money
from parking.rules.rights.coverage import cover
from parking.rules.rights.hours import Days, Hours, Window
from parking.rules.rights.model import Outcome, PermitInSight, Presence, Use, slots_for
from parking.rules.rights.permits import Membership, OverstayTerms, Terms
from parking.rules.rights.spans import (
    Span,
    difference,
    intersection,
    leading,
    length,
    normal,
    where_count,
)
from tests.parking.rights.permits_street import MIDNIGHT, car, permit, stay

CARS = 5


def minute(number: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=number)


@st.composite
def spans_(draw: st.DrawFn, most: int = 6) -> list[Span]:
    edges = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=most))
    return [(minute(min(edge)), minute(max(edge))) for edge in edges]


@st.composite
def stays_(draw: st.DrawFn) -> list[Presence]:
    found = []
    for number in range(draw(st.integers(1, CARS))):
        enter = draw(st.integers(0, 3000))
        found.append(stay(number, minute(enter), minute(enter + draw(st.integers(0, 2000)))))
    return found


windows = st.builds(
    Window,
    from_min=st.integers(0, 1439),
    until_min=st.integers(1, 1440),
    days=st.sampled_from(Days),
)
hours: st.SearchStrategy[Hours] = st.lists(windows, max_size=3).map(
    lambda found: Hours(tuple(found))
)


@st.composite
def terms_(draw: st.DrawFn) -> Terms:
    when = draw(hours)
    price = OverstayTerms(
        draw(st.sampled_from([0, 600])),
        1800,
        Money(300, "CNY"),
        draw(st.none() | st.just(Money(900, "CNY"))),
    )
    overstay = price if bool(when.windows) and draw(st.booleans()) else None
    return Terms(when, draw(st.none() | st.integers(1, 3)), None, overstay)


@st.composite
def members_(draw: st.DrawFn) -> tuple[Membership, ...]:
    found = []
    for number in range(CARS):
        since = draw(st.integers(-1000, 2000))
        until = draw(st.none() | st.integers(since, 6000))
        found.append(
            Membership(car(number), minute(since), None if until is None else minute(until))
        )
    return tuple(found)


@given(stays_(), terms_(), members_(), st.data())
def test_covered_and_charged_are_the_stay_and_no_instant_is_covered_beyond_the_limit(
    stays: list[Presence], terms: Terms, members: tuple[Membership, ...], data: st.DataObject
) -> None:
    """Whatever the order in which the stays are billed, each against what was kept before."""
    one = permit(terms)
    order = data.draw(st.permutations(stays))
    kept: list[Use] = []
    for place, each in enumerate(order):
        rivals = tuple(order[place + 1 :])
        seen = PermitInSight(one, members, rivals, tuple(kept))
        coverage = cover(each, [seen])

        tiled = [part.span for part in coverage.parts]
        assert normal(tiled) == normal([each.span])
        assert sum((end - start for start, end in tiled), timedelta()) == (
            each.span[1] - each.span[0]
        )

        covered = coverage.spans(Outcome.COVERED)
        slotted = (
            [(None, span) for span in covered]
            if terms.concurrent_limit is None
            else slots_for(terms.concurrent_limit, covered, kept)
        )
        assert normal(span for _, span in slotted) == covered
        kept += [Use(each.session_id, each.vehicle_id, span, slot) for slot, span in slotted]

    if terms.concurrent_limit is not None:
        limit = terms.concurrent_limit
        by_stay = [
            normal(use.span for use in kept if use.session_id == each.session_id) for each in stays
        ]
        assert where_count(by_stay, lambda count: count > limit) == ()


@given(stays_(), terms_())
def test_a_permit_is_never_idle_while_a_listed_car_pays_in_its_hours(
    stays: list[Presence], terms: Terms
) -> None:
    one = permit(terms)
    members = tuple(Membership(car(number), one.valid_from) for number in range(CARS))
    covered = []
    eligible = []
    for each in stays:
        rivals = tuple(other for other in stays if other is not each)
        coverage = cover(each, [PermitInSight(one, members, rivals)])
        eligible.append(one.holds(each.span))
        covered.append(intersection(coverage.spans(Outcome.COVERED), eligible[-1]))
    limit = terms.concurrent_limit or CARS
    for want in range(1, CARS + 1):
        wanted = where_count(eligible, lambda count, want=want: count == want)  # type: ignore[misc] # a bound default
        given_ = where_count(covered, lambda count, want=want: count == min(want, limit))  # type: ignore[misc] # a bound default
        assert difference(wanted, given_) == ()


@given(spans_(), spans_())
def test_sets_of_instants_part_into_what_is_shared_and_what_is_not(
    one: list[Span], other: list[Span]
) -> None:
    left, right = normal(one), normal(other)
    shared, rest = intersection(left, right), difference(left, right)
    assert normal([*shared, *rest]) == left
    assert length(shared) + length(rest) == length(left)
    assert intersection(rest, right) == ()
    assert shared == intersection(right, left)


@given(st.lists(spans_(), max_size=4), st.integers(1, 4))
def test_a_count_of_sets_is_what_counting_minute_by_minute_gives(
    sets: list[list[Span]], least: int
) -> None:
    normals = [normal(each) for each in sets]
    counted = where_count(normals, lambda count: count >= least)
    by_minute = normal(
        (minute(n), minute(n + 1))
        for n in range(60)
        if sum(any(a <= minute(n) < b for a, b in each) for each in normals) >= least
    )
    assert counted == by_minute


@given(spans_(), st.integers(0, 90))
def test_the_leading_part_is_as_long_as_it_may_be(one: list[Span], most_min: int) -> None:
    whole, most = normal(one), timedelta(minutes=most_min)
    part = leading(whole, most)
    assert length(part) == min(most, length(whole))
    assert intersection(part, whole) == part


@given(hours, st.integers(0, 20_000), st.integers(0, 4000))
def test_hours_cut_at_any_instant_are_the_hours_of_the_whole(
    when: Hours, cut_min: int, more_min: int
) -> None:
    start, middle = MIDNIGHT, minute(cut_min)
    end = middle + timedelta(minutes=more_min)
    whole = when.within((start, end), "Asia/Shanghai")
    parts = [
        *when.within((start, middle), "Asia/Shanghai"),
        *when.within((middle, end), "Asia/Shanghai"),
    ]
    assert normal(parts) == whole


def test_two_stays_at_one_instant_are_told_apart_by_their_ids() -> None:
    both = [stay(number, minute(0), minute(60)) for number in range(2)]
    members = tuple(Membership(car(number), minute(-10)) for number in range(2))
    covered = [
        cover(each, [PermitInSight(permit(), members, tuple(o for o in both if o != each))])
        for each in both
    ]
    assert [bool(each.spans(Outcome.COVERED)) for each in covered] == [True, False]
    assert both[0].session_id < both[1].session_id
