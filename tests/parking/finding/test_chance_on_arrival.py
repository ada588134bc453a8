"""The chance that a bay is free on arrival: laws of the chain, fitting, and calibration."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.rules.finding.chance import (
    HOUR_S,
    WEEK_HOURS,
    HourTally,
    Rates,
    calibrate,
    fit,
    free_later,
)

rate = st.floats(min_value=0.0, max_value=0.01)
rates = st.builds(
    lambda taken, freed: Rates((taken,) * WEEK_HOURS, (freed,) * WEEK_HOURS), rate, rate
)
moment = st.floats(min_value=0.0, max_value=WEEK_HOURS * HOUR_S - 1)
ahead = st.floats(min_value=0.0, max_value=30 * 24 * HOUR_S)


@given(rates, moment, ahead, st.floats(min_value=0, max_value=1))
def test_a_chance_is_a_chance(known: Rates, week_s: float, ahead_s: float, now: float) -> None:
    assert -1e-9 <= free_later(known, week_s, ahead_s, now) <= 1 + 1e-9


@given(rates, moment, st.floats(min_value=0, max_value=1))
def test_arriving_now_finds_what_is_there_now(known: Rates, week_s: float, now: float) -> None:
    assert free_later(known, week_s, 0.0, now) == now


@given(rates, moment, ahead)
def test_a_bay_that_is_free_now_is_never_less_likely_free_than_one_that_is_taken(
    known: Rates, week_s: float, ahead_s: float
) -> None:
    free, taken = (free_later(known, week_s, ahead_s, now) for now in (1.0, 0.0))
    assert free >= taken - 1e-9


def test_half_an_hour_at_one_taking_an_hour_and_none_freed() -> None:
    known = Rates((1 / HOUR_S,) * WEEK_HOURS, (0.0,) * WEEK_HOURS)
    assert free_later(known, 0.0, 1800.0, 1.0) == pytest.approx(0.6065, abs=1e-4)


def test_the_hours_of_the_week_are_told_apart() -> None:
    busy = 8 * 24 % WEEK_HOURS + 9
    tallies = {
        hour: HourTally(20 * HOUR_S, 20 * HOUR_S, 60 if hour == busy else 2, 10)
        for hour in range(WEEK_HOURS)
    }
    known = fit(tallies)
    assert known is not None
    quiet = free_later(known, (busy - 3) * HOUR_S, 900, 1.0)
    assert free_later(known, busy * HOUR_S, 900, 1.0) < quiet - 0.2


def test_too_few_changes_are_unknown_rather_than_guessed() -> None:
    assert fit({0: HourTally(1e6, 1e6, 5, 5)}) is None


def simulated(
    taken_h: float, freed_h: float, ahead_s: float, rows: int
) -> list[tuple[float, bool]]:
    """Draw bays that are free now and what they are later, told by the true rates."""
    chance = random.Random(7)  # noqa: S311 - cars, not secrets
    known = Rates((taken_h / HOUR_S,) * WEEK_HOURS, (freed_h / HOUR_S,) * WEEK_HOURS)
    told = free_later(known, 0.0, ahead_s, 1.0)
    found = []
    for _ in range(rows):
        left, free = ahead_s, True
        while True:
            left -= chance.expovariate((taken_h if free else freed_h) / HOUR_S)
            if left < 0:
                break
            free = not free
        found.append((told, free))
    return found


def test_true_rates_are_calibrated_and_beat_no_knowledge() -> None:
    rows = [
        row
        for taken_h in (0.1, 0.5, 1.0, 2.0, 4.0)
        for row in simulated(taken_h, 1.0, 1200.0, 2_000)
    ]
    judged = calibrate(rows)
    assert judged is not None
    assert judged.brier < 0.9 * judged.brier_base
    for band in judged.bins:
        if band.rows > 500:
            assert band.came_true == pytest.approx(band.foretold, abs=0.04)
    for chance in (0.3, 0.6, 0.9):
        assert judged.corrected(chance) == pytest.approx(chance, abs=0.05)


def test_chances_that_were_too_high_are_corrected_downwards_and_stay_in_order() -> None:
    chance = random.Random(3)  # noqa: S311 - outcomes, not secrets
    rows = []
    for _ in range(20_000):
        told = chance.random()
        rows.append((told, chance.random() < told * 0.7))
    judged = calibrate(rows)
    assert judged is not None
    assert judged.corrected(0.5) == pytest.approx(0.35, abs=0.05)
    corrected = [judged.corrected(step / 100) for step in range(101)]
    assert corrected == sorted(corrected)
    assert all(0 <= each <= 1 for each in corrected)


def test_nothing_told_is_nothing_judged() -> None:
    assert calibrate([]) is None
