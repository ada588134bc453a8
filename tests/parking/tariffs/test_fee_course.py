"""A table of fees by leaving is the engine's own fee at every second that it holds for."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from parking.rules.tariffs.course import MOST_STEPS, Course, course_of, minutes_between
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.local_time import ceil_s, utc_at
from parking.rules.tariffs.model import Claims, EarlierStay, Stay
from parking.rules.tariffs.plan import Tariff
from tests.parking.tariffs.pricing import NINE, at, band, paid, steps, tariff
from tests.parking.tariffs.test_both_ends import BIRDS
from tests.parking.tariffs.test_rating_laws import ENTRIES, LENGTHS, SLOW, claims_of, pasts, tariffs

CASES = Path(__file__).parents[3] / "web" / "frontend" / "tests" / "fee_courses.json"
AHEAD_S = 12 * 3600


def table(
    rated: Tariff,
    enter_at: datetime,
    after_s: int = 0,
    history: tuple[EarlierStay, ...] = (),
    claims: Claims | None = None,
    falls_at: Any = (),
) -> tuple[Course, Any]:
    """Give the table of a stay from some seconds after its entry on, and the engine's own fee."""

    def fee_minor(leave_s: int) -> int:
        stay = Stay(enter_at, utc_at(leave_s))
        return evaluate(rated, stay, None, history, claims or Claims()).total.minor

    first = ceil_s(enter_at) + after_s
    return course_of(fee_minor, first, first + AHEAD_S, falls_at), fee_minor


@settings(deadline=None, suppress_health_check=SLOW, max_examples=25)
@given(st.data(), tariffs(), ENTRIES, LENGTHS)
def test_the_table_is_the_engines_fee_for_every_tariff_history_coupon_and_payment(
    data: st.DataObject, rated: Tariff, enter_at: datetime, after_s: int
) -> None:
    history = data.draw(pasts(enter_at))
    claims = data.draw(claims_of(rated, enter_at, after_s))
    course, fee_minor = table(rated, enter_at, after_s, history, claims)
    edges = [at + more for at, _ in course.steps for more in (-1, 0, 1)]
    inner = data.draw(st.lists(st.integers(course.from_s, course.until_s), max_size=40))
    for second in [*edges, *inner, course.until_s]:
        if course.from_s <= second <= course.until_s:
            assert course.fee_minor(second) == fee_minor(second)


@settings(deadline=None, max_examples=10)
@given(st.integers(-2 * 86_400, 2 * 86_400), st.integers(0, 20 * 3600))
def test_prices_by_both_ends_may_fall_and_the_table_falls_with_them(
    enter_s: int, after_s: int
) -> None:
    enter_at = NINE + timedelta(seconds=enter_s)
    first = ceil_s(enter_at) + after_s
    course, fee_minor = table(
        BIRDS, enter_at, after_s, falls_at=minutes_between(first, first + AHEAD_S)
    )
    for second in range(first, first + AHEAD_S, 97):
        assert course.fee_minor(second) == fee_minor(second)


def test_it_says_nothing_before_and_beyond() -> None:
    course, _ = table(tariff(band("all", steps((3600, 500)))), NINE)
    assert course.fee_minor(course.from_s - 1) is None
    assert course.fee_minor(course.until_s) == 12 * 500
    assert course.fee_minor(course.until_s + 1) is None


def test_it_takes_few_ratings_where_steps_come_evenly() -> None:
    asked = []

    def quarters(second: int) -> int:
        asked.append(second)
        return second // 900

    course = course_of(quarters, 0, AHEAD_S)
    assert len(course.steps) == 49
    assert len(asked) < 4 * 49


def test_it_ends_early_rather_than_grow_without_end() -> None:
    course = course_of(lambda second: second // 60, 0, AHEAD_S)
    assert len(course.steps) == MOST_STEPS
    assert course.fee_minor(course.until_s) == course.until_s // 60 < 720


def test_the_cases_that_the_page_is_held_against_are_the_engines() -> None:
    """The page's reading of a table is tested on these in Node; here they are made anew."""
    assert json.loads(CASES.read_text("utf-8")) == cases()


def cases() -> list[dict[str, Any]]:
    """Give tables as the API writes them, each with the engine's fees around its steps."""
    weekly = tariff(
        band("day", steps((900, 125, 3600), (1800, 300)), **{"from": "08:00", "to": "20:00"}),
        band("night", steps((3600, 100)), **{"from": "20:00", "to": "08:00"}, cap_minor=500),
        free={"up_to_s": 900, "when_exceeded": "charged_from_start", "once_per": "day"},
        caps=[{"per": "day", "minor": 3000}],
    )
    earlier = (EarlierStay(at(-3), at(-2), 500),)
    stays: list[tuple[Tariff, float, tuple[EarlierStay, ...], Claims]] = [
        (weekly, 0.2, (), Claims()),
        (weekly, 0.2, earlier, Claims()),
        (weekly, 9.51, (), Claims()),
        (weekly, 1 / 3, (), paid((1.0, 500))),
        (BIRDS, -1.0, (), Claims()),
    ]
    made = []
    for rated, entry, history, claims in stays:
        first = ceil_s(at(entry))
        falls_at = minutes_between(first, first + AHEAD_S) if rated is BIRDS else ()
        after_s = 3600 if claims.payments else 0
        course, fee_minor = table(rated, at(entry), after_s, history, claims, falls_at)
        asked = sorted(
            {second + more for second, _ in course.steps for more in (-1, 0, 1)}
            | set(range(course.from_s, course.until_s, 1789))
        )
        fees = [[each, fee_minor(each)] for each in asked if each >= course.from_s]
        made.append(
            {
                "course": {
                    "from_at": utc_at(course.from_s).isoformat(),
                    "until_at": utc_at(course.until_s).isoformat(),
                    "currency": "CNY",
                    "steps": [[second - course.from_s, minor] for second, minor in course.steps],
                },
                "fees": [
                    [second, minor if second <= course.until_s else None] for second, minor in fees
                ],
            }
        )
    return made


if __name__ == "__main__":
    CASES.write_text(json.dumps(cases(), separators=(",", ":")) + "\n", "utf-8")
