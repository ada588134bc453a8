"""When something holds, and what a kerb may be used for then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from parking.rules.places.importing.hours import hours_in, read_opening_hours, read_stay_min
from parking.rules.places.times import TimeSpan, hold, next_change, overlap, read_spans
from parking.rules.places.usage import UseRule, read_rules, usage

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def spans(*stated: dict[str, Any]) -> tuple[TimeSpan, ...]:
    return read_spans(list(stated), "when")


@pytest.mark.parametrize(
    ("stated", "when", "holds"),
    [
        ({"times": [["08:00", "19:00"]]}, "2026-03-02T08:00", True),
        ({"times": [["08:00", "19:00"]]}, "2026-03-02T19:00", False),
        ({"days": ["mo"], "times": [["22:00", "06:00"]]}, "2026-03-03T05:59", True),
        ({"days": ["mo"], "times": [["22:00", "06:00"]]}, "2026-03-02T05:59", False),
        ({"days": ["tu"], "occurrences": [2, 4]}, "2026-03-10T12:00", True),
        ({"days": ["tu"], "occurrences": [2, 4]}, "2026-03-03T12:00", False),
        ({"days": ["tu"], "occurrences": [-1]}, "2026-03-31T12:00", True),
        ({"month_days": ["odd"]}, "2026-03-03T12:00", True),
        ({"month_days": ["last"]}, "2026-02-28T12:00", True),
        ({"dates": [["12-01", "03-31"]]}, "2026-01-15T12:00", True),
        ({"dates": [["12-01", "03-31"]]}, "2026-06-15T12:00", False),
        ({"dates": [["2026-03-01", "2026-03-02"]]}, "2026-03-02T23:59", True),
        ({"holidays": "only"}, "2026-02-17T12:00", True),
        ({"holidays": "except"}, "2026-02-17T12:00", False),
        ({"only_during": ["snow emergency"]}, "2026-03-02T12:00", False),
        ({"except_during": ["snow emergency"]}, "2026-03-02T12:00", True),
    ],
)
def test_a_span_holds_where_all_its_clauses_do(
    stated: dict[str, Any], when: str, *, holds: bool
) -> None:
    assert hold(spans(stated), at(when)) is holds


def test_chinese_holidays_are_not_those_of_another_country() -> None:
    (span,) = spans({"holidays": "except"})
    spring_festival = datetime(2026, 2, 17, 12, tzinfo=ZoneInfo("America/Los_Angeles"))
    assert span.holds(spring_festival)


def test_without_spans_it_holds_always() -> None:
    assert hold((), MONDAY)


def test_the_next_change_is_when_it_opens_or_closes() -> None:
    open_days = spans({"days": ["mo", "tu"], "times": [["08:00", "18:00"]]})
    assert next_change(open_days, MONDAY) == at("2026-03-02T18:00")
    assert next_change(open_days, at("2026-03-03T18:00")) == at("2026-03-09T08:00")
    assert next_change((), MONDAY) is None


@pytest.mark.parametrize(
    ("a", "b", "meet"),
    [
        ({"times": [["08:00", "12:00"]]}, {"times": [["12:00", "18:00"]]}, False),
        ({"times": [["08:00", "12:01"]]}, {"times": [["12:00", "18:00"]]}, True),
        ({"times": [["22:00", "06:00"]]}, {"times": [["05:00", "07:00"]]}, True),
        ({"days": ["mo"]}, {"days": ["tu"]}, False),
        ({"holidays": "only"}, {"holidays": "except"}, False),
        (
            {"dates": [["2026-01-01", "2026-01-31"]]},
            {"dates": [["2026-02-01", "2026-02-02"]]},
            False,
        ),
    ],
)
def test_spans_overlap_where_they_can_hold_at_once(
    a: dict[str, Any], b: dict[str, Any], *, meet: bool
) -> None:
    assert overlap(spans(a), spans(b)) is meet
    assert overlap(spans(b), spans(a)) is meet


windows = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda w: w[0] != w[1])


@given(windows, windows, st.integers(0, 7 * 1440 - 1))
def test_what_never_overlaps_never_holds_at_once(
    a: tuple[int, int], b: tuple[int, int], minute: int
) -> None:
    one, other = (TimeSpan(windows=(a,)),), (TimeSpan(windows=(b,)),)
    moment = at("2026-03-02T00:00") + timedelta(minutes=minute)
    assert overlap(one, other) or not (hold(one, moment) and hold(other, moment))


@given(st.frozensets(st.integers(0, 6)), st.lists(windows, max_size=3))
def test_a_span_reads_back_as_it_was_written(
    days: frozenset[int], times: list[tuple[int, int]]
) -> None:
    span = TimeSpan(days=days, windows=tuple(times))
    assert read_spans([span.as_json()], "when") == (span,)


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"days": ["noday"]}, "when[0].days"),
        ({"times": [["08:00", "25:00"]]}, "when[0].times"),
        ({"times": [["08:00"]]}, "when[0].times"),
        ({"month_days": ["32"]}, "when[0].month_days"),
        ({"dates": [["2026-02-30", "2026-03-01"]]}, "when[0].dates"),
        ({"dates": [["2026-03-02", "2026-03-01"]]}, "when[0].dates"),
        ({"weekdays": []}, "when[0].weekdays"),
    ],
)
def test_a_bad_clause_is_named(stated: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        spans(stated)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("24/7", []),
        (
            "Mo-Fr 06:30-22:15; Sa 08:30-22:15",
            [
                {"days": ["mo", "tu", "we", "th", "fr"], "times": [["06:30", "22:15"]]},
                {"days": ["sa"], "times": [["08:30", "22:15"]]},
            ],
        ),
        (
            "Mo-Su 08:00-20:00; Su off",
            [{"days": ["mo", "tu", "we", "th", "fr", "sa"], "times": [["08:00", "20:00"]]}],
        ),
        ("Fr-Mo 22:00-26:00", [{"days": ["mo", "fr", "sa", "su"], "times": [["22:00", "02:00"]]}]),
        ("Mo-Su 08:00-20:00; PH off", [{"times": [["08:00", "20:00"]], "holidays": "except"}]),
        ("täglich 8 bis 20 Uhr", [{"times": [["08:00", "20:00"]]}]),
    ],
)
def test_opening_hours_are_read_as_openstreetmap_means_them(
    text: str, read: list[dict[str, Any]]
) -> None:
    assert [span.as_json() for span in read_opening_hours(text, "hours")] == read


@pytest.mark.parametrize("text", ["sunrise-sunset", "Mo-Fr", "whenever", "Mo off", "08:75-10:00"])
def test_hours_that_are_not_understood_are_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(Invalid):
        read_opening_hours(text, "hours")


@pytest.mark.parametrize(
    ("notice", "days"),
    [
        ("Mo-Sa_9-18h;1,00€/h", [["mo", "tu", "we", "th", "fr", "sa"]]),
        ("Mo-Fr_7-18/Sa_7-12", [["mo", "tu", "we", "th", "fr"], ["sa"]]),
        ("Elektrofahrzeuge während des Ladevorgangs", []),
        ("nein", []),
    ],
)
def test_hours_are_found_in_a_notice(notice: str, days: list[list[str]]) -> None:
    assert [span.as_json().get("days") for span in hours_in(notice)] == days


@pytest.mark.parametrize(
    ("stated", "minutes"), [(120, 120), ("60", 60), ("3 Std.", 180), ("PT2H", 120), (None, None)]
)
def test_a_longest_stay_is_read_in_minutes(stated: object, minutes: int | None) -> None:
    assert read_stay_min(stated, "max_stay") == minutes


# --- usage ---------------------------------------------------------------------------------------

PAID = {
    "activity": "parking",
    "when": [{"days": ["mo"], "times": [["08:00", "19:00"]]}],
    "max_stay_min": 120,
    "priority": 9,
}
CLEANING = {
    "activity": "no_parking",
    "when": [{"days": ["mo"], "times": [["09:00", "10:00"]]}],
    "reason": "street cleaning",
    "priority": 1,
}
DISABLED = {"activity": "parking", "users": ["disabled"], "priority": 5}
LOADING = {"activity": "loading", "when": [{"times": [["06:00", "08:00"]]}], "priority": 5}
TIDAL = {
    "activity": "no_parking",
    "when": [{"times": [["07:00", "20:00"]]}],
    "reason": "tidal",
    "priority": 2,
}


@pytest.mark.parametrize(
    ("rules", "when", "users", "allowed", "reason"),
    [
        ([PAID], "2026-03-02T12:00", (), True, ""),
        ([PAID, CLEANING], "2026-03-02T09:30", (), False, "street cleaning"),
        ([PAID, CLEANING], "2026-03-02T10:00", (), True, ""),
        ([DISABLED], "2026-03-02T12:00", (), False, "parking"),
        ([DISABLED], "2026-03-02T12:00", ("disabled",), True, ""),
        ([LOADING], "2026-03-02T07:00", (), False, "loading"),
        ([LOADING], "2026-03-02T09:00", (), True, ""),
        ([TIDAL], "2026-03-02T12:00", (), False, "tidal"),
        ([TIDAL], "2026-03-02T23:00", (), True, ""),
        (
            [{"activity": "no_parking", "users": ["truck"]}, PAID],
            "2026-03-02T12:00",
            (),
            True,
            "",
        ),
    ],
)
def test_the_rule_of_the_highest_priority_decides(
    rules: Any, when: str, users: tuple[str, ...], allowed: bool, reason: str
) -> None:
    found = usage(read_rules(rules), at(when), users)
    assert (found.allowed, found.reason) == (allowed, reason)


def test_of_two_signs_that_contradict_each_other_the_prohibition_is_enforced() -> None:
    rules = read_rules([{"activity": "parking"}, {"activity": "no_parking"}])
    assert usage(rules, MONDAY).allowed is False


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"activity": "dancing"}, "rules[0].activity"),
        ({"activity": "parking", "max_stay_min": 0}, "rules[0].max_stay_min"),
        ({"activity": "parking", "users": "all"}, "rules[0].users"),
        ({"activity": "parking", "colour": "red"}, "rules[0].colour"),
        ({"activity": "parking", "when": [{"days": ["x"]}]}, "rules[0].when[0].days"),
    ],
)
def test_a_bad_rule_is_named(rule: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_rules([rule])
    assert refused.value.field == field


def test_a_rule_reads_back_as_it_was_written() -> None:
    rule = UseRule(
        "parking",
        spans({"days": ["mo"]}),
        ("disabled",),
        60,
        30,
        paid=True,
        reason="why",
        priority=3,
    )
    assert read_rules([rule.as_json()]) == (rule,)
