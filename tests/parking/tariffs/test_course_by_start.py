"""Tables of fees by beginning and end are the engine's own fees wherever they say anything."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from city.vehicles import PlateKind
from journeys.tell_fees_by_start import FeesByStart, KindFees
from parking.rules.tariffs.course_by_start import (
    CoursesByStart,
    courses_by_start,
    stands_alone,
    tellable,
)
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.evaluation import fee_minor as engine
from parking.rules.tariffs.local_time import ceil_s, utc_at
from parking.rules.tariffs.model import Stay, VehicleTraits
from parking.rules.tariffs.plan import Tariff
from tests.parking.tariffs.pricing import NINE, at, band, steps, tariff
from tests.parking.tariffs.test_rating_laws import ENTRIES, SLOW, pasts, tariffs
from web.api.fees_by_start import shown

CASES = Path(__file__).parents[3] / "web" / "frontend" / "tests" / "fees_by_start.json"

HOUR_S = 3_600
ORDINARY = VehicleTraits()

DAY_AND_NIGHT = tariff(
    band("day", steps((900, 125, 3600), (900, 200)), **{"from": "08:00", "to": "20:00"}),
    band("night", steps((3600, 100)), **{"from": "20:00", "to": "08:00"}, cap_minor=500),
    free={"up_to_s": 900, "when_exceeded": "charged_from_start"},
)
DAILY = tariff(
    band("all", steps((1800, 300))),
    free={"up_to_s": 900, "when_exceeded": "deducted", "once_per": "day"},
    caps=[{"per": "day", "minor": 1500}],
)


def tables(
    rated: Tariff, first_s: int, starts_s: int = HOUR_S, ahead_s: int = 4 * HOUR_S
) -> CoursesByStart:
    """Give the tables of stays that begin within some time."""

    def fee(start_s: int, leave_s: int) -> int:
        return engine(rated, Stay(utc_at(start_s), utc_at(leave_s)), ORDINARY)

    plan = rated.plan_for(ORDINARY)
    return courses_by_start(
        plan, rated.timezone, fee, (first_s, first_s + starts_s), first_s + ahead_s
    )


@settings(deadline=None, suppress_health_check=SLOW, max_examples=25)
@given(st.data(), tariffs(), ENTRIES)
def test_what_they_say_is_the_engines_fee_for_every_tariff_and_history(
    data: st.DataObject, rated: Tariff, around: datetime
) -> None:
    plan = rated.plan_for(ORDINARY)
    assume(tellable(plan))
    first = ceil_s(around)
    found = tables(rated, first, HOUR_S // 2, 2 * HOUR_S)
    starts = data.draw(st.lists(st.integers(first, first + HOUR_S // 2), max_size=25))
    starts += [each for piece in found.pieces[:12] for each in (piece.from_s, piece.to_s)]
    history = data.draw(pasts(utc_at(first))) if stands_alone(plan) else ()
    for start in starts:
        leaves = [
            (start + at_ if moves else at_) + more
            for piece in found.pieces
            if piece.from_s <= start <= piece.to_s
            for moves, at_, _ in piece.steps[:20]
            for more in (-1, 0, 1)
        ]
        leaves += data.draw(st.lists(st.integers(start, found.until_s), max_size=5))
        for leave in leaves:
            told = found.fee_minor(start, leave)
            if told is not None:
                stay = Stay(utc_at(start), utc_at(leave))
                assert told == evaluate(rated, stay, None, history).total.minor


def test_an_ordinary_tariff_is_told_in_full_also_over_its_edges() -> None:
    first = ceil_s(at(9.25))  # 18:15
    asked: list[int] = []

    def fee(start_s: int, leave_s: int) -> int:
        asked.append(start_s)
        return engine(DAY_AND_NIGHT, Stay(utc_at(start_s), utc_at(leave_s)), ORDINARY)

    plan = DAY_AND_NIGHT.plan_for(ORDINARY)
    found = courses_by_start(
        plan, "Asia/Shanghai", fee, (first, first + 3 * HOUR_S), first + 8 * HOUR_S
    )
    for start in range(first, first + 3 * HOUR_S, 577):
        for leave in range(start, first + 8 * HOUR_S, 991):
            stay = Stay(utc_at(start), utc_at(leave))
            assert found.fee_minor(start, leave) == engine(DAY_AND_NIGHT, stay, ORDINARY)
    assert len(found.pieces) < 20
    assert len(asked) < 20_000


def test_they_say_nothing_before_beyond_and_between() -> None:
    first = ceil_s(NINE)
    found = tables(DAY_AND_NIGHT, first)
    assert found.fee_minor(first - 1, first) is None
    assert found.fee_minor(first, first - 1) is None
    assert found.fee_minor(first, found.until_s) is not None
    assert found.fee_minor(first, found.until_s + 1) is None
    assert found.fee_minor(first + HOUR_S + 1, found.until_s) is None


def test_the_cases_that_the_page_is_held_against_are_the_engines() -> None:
    """The page's reading of tables is tested on these in Node; here they are made anew."""
    assert json.loads(CASES.read_text("utf-8")) == cases()


def cases() -> list[dict[str, Any]]:
    """Give tables as the API writes them, with the engine's fees around their steps."""
    made: list[dict[str, Any]] = []
    for rated, first in ((DAY_AND_NIGHT, ceil_s(at(9.25))), (DAILY, ceil_s(at(0.3)))):
        found = tables(rated, first, HOUR_S, 4 * HOUR_S)
        plan = rated.plan_for(ORDINARY)
        fees = KindFees((PlateKind.BLUE7,), found, stands_alone(plan))
        told = FeesByStart(first, first + HOUR_S, found.until_s, "CNY", (fees,))
        written = shown(told)
        asked = [
            (start, leave)
            for start in range(first, first + HOUR_S + 1, 523)
            for leave in {
                start,
                found.until_s + 1,
                *range(start, found.until_s, 3571),
                *((start + at_ if moves else at_) for moves, at_, _ in found.pieces[0].steps[:9]),
            }
            if leave >= start
        ]
        engines = [
            [
                start - first,
                leave - first,
                None
                if leave > found.until_s
                else engine(rated, Stay(utc_at(start), utc_at(leave)), ORDINARY),
            ]
            for start, leave in sorted(asked)
        ]
        written["base_at"] = written["base_at"].isoformat()
        made.append({"tables": written, "fees": engines})
    return cast("list[dict[str, Any]]", json.loads(json.dumps(made)))


def test_by_the_minute_nothing_is_said_and_little_is_asked() -> None:
    asked: list[int] = []

    def fee(start_s: int, leave_s: int) -> int:
        asked.append(start_s)
        return (leave_s - start_s + 59) // 60

    plan = tariff(band("all", steps((60, 1)))).plan_for(ORDINARY)
    first = ceil_s(NINE)
    found = courses_by_start(
        plan, "Asia/Shanghai", fee, (first, first + 9 * HOUR_S), first + 15 * HOUR_S
    )
    assert found.pieces == ()
    assert len(asked) < 5_000


def test_tariffs_of_which_nothing_can_be_said_are_known() -> None:
    def plan(**members: Any) -> Any:
        return tariff(band("all", steps((900, 100))), **members).plan_for(ORDINARY)

    assert tellable(plan())
    assert stands_alone(plan())
    assert not tellable(plan(unit_at_edge="runs_on"))
    assert not tellable(plan(caps=[{"per": "period", "period_s": HOUR_S, "minor": 100}]))
    assert tellable(plan(caps=[{"per": "day", "minor": 100}]))
    assert not stands_alone(plan(caps=[{"per": "day", "minor": 100}]))
    daily = {"up_to_s": 900, "when_exceeded": "deducted", "once_per": "day"}
    assert not stands_alone(plan(free=daily))


if __name__ == "__main__":
    CASES.write_text(json.dumps(cases(), separators=(",", ":")) + "\n", "utf-8")
