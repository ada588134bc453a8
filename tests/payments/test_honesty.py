"""Planted dishonesty is found, honest people are rarely listed, and what is unknown makes no line.

Rates are stated: of honest attendants that differ among themselves at most 2 % are listed, and of
those who let three in ten vehicles go unnamed where others let one in ten at least 90 % are; of
those who keep four tenths of what they take, seen by a fortnight's takings alone, at least 80 %.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.rules.honesty import (
    FEWEST_PEOPLE,
    Count,
    Line,
    Measured,
    Signal,
    comparable,
    listed,
    of_counts,
    of_measures,
)

PEOPLE = [f"a{n}" for n in range(12)]
STRATA = [f"kerb{k}/{hour}" for k in range(4) for hour in ("morning", "midday", "evening")]
WORLDS = 60


def drawn(
    random: np.random.Generator, rate: float, planted: dict[str, float], trials: int = 25
) -> dict[str, dict[str, Count]]:
    """Draw a fortnight: rates differ by place and hour, and honest people differ a little."""
    counts: dict[str, dict[str, Count]] = {}
    own = {who: random.gamma(30, 1 / 30) * planted.get(who, 1.0) for who in PEOPLE}
    for stratum in STRATA:
        here = rate * random.uniform(0.4, 2.0)
        at_work = random.choice(PEOPLE, size=7, replace=False)
        counts[stratum] = {}
        for who in at_work:
            n = int(random.poisson(trials)) + 1
            counts[stratum][who] = Count(int(random.binomial(n, min(0.95, here * own[who]))), n)
    return counts


def names(lines: list[Line]) -> set[str]:
    return {each.person for each in lines}


def test_honest_people_are_rarely_listed() -> None:
    random = np.random.default_rng(7)
    listings = 0
    for _ in range(WORLDS):
        lines = [
            line
            for signal in (Signal.UNNAMED, Signal.EXEMPTED, Signal.SHORTENED, Signal.ROUND)
            for line in of_counts(signal, drawn(random, 0.1, {}))
        ]
        listings += len(names(listed(lines)))
    assert listings / (WORLDS * len(PEOPLE)) <= 0.02


@pytest.mark.parametrize(
    ("signal", "rate", "times", "share"),
    [
        (Signal.UNNAMED, 0.10, 3.0, 0.9),
        (Signal.EXEMPTED, 0.04, 4.0, 0.9),
        (Signal.SHORTENED, 0.05, 4.0, 0.9),
        (Signal.ROUND, 0.2, 2.5, 0.8),
    ],
)
def test_planted_dishonesty_is_found_and_ranked_first(
    signal: Signal, rate: float, times: float, share: float
) -> None:
    random = np.random.default_rng(11)
    found = first = others = 0
    for _ in range(WORLDS):
        lines = listed(of_counts(signal, drawn(random, rate, {"a3": times})))
        found += "a3" in names(lines)
        first += bool(lines) and lines[0].person == "a3"
        others += len(names(lines) - {"a3"})
    assert found >= share * WORLDS
    assert first >= share * WORLDS
    assert others / (WORLDS * (len(PEOPLE) - 1)) <= 0.02


def test_two_of_twelve_are_found_beside_each_other() -> None:
    random = np.random.default_rng(5)
    found = 0
    for _ in range(WORLDS):
        lines = listed(of_counts(Signal.UNNAMED, drawn(random, 0.1, {"a1": 3.5, "a8": 3.5})))
        found += len(names(lines) & {"a1", "a8"})
    assert found >= 0.8 * 2 * WORLDS


def test_who_takes_too_little_for_the_hours_that_sensors_saw_is_found_by_rank() -> None:
    random = np.random.default_rng(3)
    found = others = 0
    for _ in range(WORLDS):
        days = []
        for day in range(14):
            fair = random.uniform(0.5, 3)  # of all that day: a fair, a storm
            for who in PEOPLE:
                handed_in = 0.6 if who == "a5" else 1.0
                value = handed_in * fair * 400 * float(random.lognormal(0, 0.25))
                days.append(Measured(who, f"centre/{day}", value))
        lines = listed(of_measures(Signal.TAKINGS, days))
        found += "a5" in names(lines)
        others += len(names(lines) - {"a5"})
    assert found >= 0.8 * WORLDS
    assert others / (WORLDS * (len(PEOPLE) - 1)) <= 0.02


def test_a_street_where_all_are_alike_unusual_accuses_nobody() -> None:
    counts = {stratum: {who: Count(20, 25) for who in PEOPLE} for stratum in STRATA}
    assert listed(of_counts(Signal.UNNAMED, counts)) == []


@given(
    st.dictionaries(
        st.sampled_from(STRATA),
        st.dictionaries(
            st.sampled_from(PEOPLE[: FEWEST_PEOPLE - 1]),
            st.tuples(st.integers(0, 60), st.integers(0, 60)).map(
                lambda pair: Count(min(pair), max(pair))
            ),
        ),
    )
)
def test_among_too_few_nobody_is_listed(counts: dict[str, dict[str, Count]]) -> None:
    assert of_counts(Signal.EXEMPTED, counts) == []


def test_who_works_where_nobody_else_does_is_compared_with_nobody() -> None:
    alone = {"kerb9/morning": {"a1": Count(50, 50)}}
    assert of_counts(Signal.UNNAMED, alone) == []
    assert of_measures(Signal.TAKINGS, [Measured("a1", "x", 1.0)]) == []


def test_little_data_of_one_person_makes_no_line_of_theirs() -> None:
    random = np.random.default_rng(1)
    counts = drawn(random, 0.1, {})
    counts[STRATA[0]]["newcomer"] = Count(3, 3)
    assert "newcomer" not in names(of_counts(Signal.UNNAMED, counts))


@given(st.integers(0, 10_000))
def test_more_events_never_make_anybody_less_unusual(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = drawn(random, 0.1, {})
    before = {each.person: each for each in of_counts(Signal.EXEMPTED, counts)}
    stratum = next(each for each in STRATA if "a2" in counts[each])
    mine = counts[stratum]["a2"]
    counts[stratum]["a2"] = Count(min(mine.trials, mine.events + 2), mine.trials)
    after = {each.person: each for each in of_counts(Signal.EXEMPTED, counts)}
    if "a2" in before and "a2" in after:
        assert after["a2"].value >= before["a2"].value - 1e-9
        assert after["a2"].events >= before["a2"].events


def test_a_few_events_make_no_large_ratio() -> None:
    counts = {stratum: {who: Count(2, 25) for who in PEOPLE} for stratum in STRATA}
    counts[STRATA[0]]["a0"] = Count(25, 25)
    line = next(each for each in of_counts(Signal.EXEMPTED, counts) if each.person == "a0")
    assert 1 < line.ratio < line.value / line.usual


def test_people_of_one_place_are_compared_there_and_others_more_widely() -> None:
    fine = {
        "k1/am": {"a": Count(1, 10), "b": Count(2, 10)},
        "k2/am": {"a": Count(3, 10)},
        "k3/am": {"c": Count(4, 10)},
    }
    wide = comparable(fine, dict.fromkeys(fine, "zone/am"))
    assert {name: sorted(people) for name, people in wide.items()} == {
        "k1/am": ["a", "b"],
        "zone/am": ["a", "c"],
    }
    assert sum(each.trials for people in wide.values() for each in people.values()) == 40


def test_at_most_the_stated_share_is_listed_by_chance() -> None:
    lines = [
        Line(Signal.ROUND, f"p{n}", 0.1, 0.1, 1, 10, 1.0, 1.0, (n + 1) / 1000, 9, 3, ())
        for n in range(1000)
    ]
    assert listed(lines) == []
    sure = [*lines, Line(Signal.ROUND, "sure", 1, 0.1, 9, 10, 1.0, 4.0, 1e-8, 9, 3, ())]
    assert [each.person for each in listed(sure)] == ["sure"]
