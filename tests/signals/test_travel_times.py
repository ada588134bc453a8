"""Travel times and shares from marks: joined, cleaned, and as sure as they say they are."""

from __future__ import annotations

from random import Random  # noqa: TC003 - hypothesis reads it

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.rules.passes import times
from signals.rules.passes.shares import ReadingRate, reach, shares
from signals.rules.passes.times import travel_time
from signals.rules.passes.trips import Drives, Passes, drives, in_order, journeys

HOUR_S = 3_600
Row = tuple[int, int, float]
"""Vehicle, place, second."""


def joined(*rows: Row) -> list[tuple[int, int, float, float]]:
    found = drives(passes(*rows))
    return [
        (int(one), int(other), left / 1e6, took)
        for one, other, left, took in zip(
            found.from_place, found.to_place, found.left_us, found.took_s, strict=True
        )
    ]


def passes(*rows: Row) -> Passes:
    vehicle, place, second = (np.array(each) for each in zip(*rows, strict=True))
    return in_order(
        vehicle.astype(np.int64), place.astype(np.int64), (second * 1e6).astype(np.int64)
    )


def street(random: np.random.Generator, n: int, stops: float) -> tuple[Drives, np.ndarray]:
    """Give drives along a street with signals, and who of them stopped on the way.

    Half arrive in a red of up to 50 s; who stops does so for 4 to 30 minutes.
    """
    left_s = np.sort(random.uniform(0, HOUR_S, n))
    took_s = random.normal(95, 8, n) + np.where(random.random(n) < 0.5, random.uniform(0, 50, n), 0)
    stopped = random.random(n) < stops
    took_s += np.where(stopped, random.uniform(240, 1_800, n), 0)
    place = np.zeros(n, dtype=np.int64)
    return Drives(place, place + 1, (left_s * 1e6).astype(np.int64), took_s), stopped


def test_a_drive_goes_from_the_last_pass_of_one_place_to_the_first_of_the_other() -> None:
    assert joined((7, 1, 0), (7, 1, 20), (7, 2, 80), (7, 2, 85), (8, 2, 50)) == [(1, 2, 20, 60)]


def test_places_in_between_are_drives_of_their_own() -> None:
    found = joined((7, 1, 0), (7, 2, 60), (7, 3, 100))
    assert found == [(1, 2, 0, 60), (1, 3, 0, 100), (2, 3, 60, 40)]


def test_there_and_back_are_two_drives_and_an_hour_later_is_none() -> None:
    assert joined((7, 1, 0), (7, 2, 60), (7, 1, 200)) == [(1, 2, 0, 60), (2, 1, 60, 140)]
    assert joined((7, 1, 0), (7, 2, 3_601)) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 9_000)),
        min_size=1,
        max_size=40,
    ),
    st.randoms(),
)
def test_neither_order_nor_a_row_told_twice_changes_any(rows: list[Row], random: Random) -> None:
    told = [*rows, *rows[: len(rows) // 2]]
    random.shuffle(told)
    found = drives(passes(*told))
    assert sorted(joined(*told)) == sorted(joined(*rows))
    assert (found.took_s > 0).sum() + (found.took_s == 0).sum() == len(found)
    assert not (found.from_place == found.to_place).any()


def test_a_journey_goes_from_the_first_end_to_the_last_and_a_pause_parts_two() -> None:
    rows = passes(
        (7, 1, 0), (7, 2, 300), (7, 5, 400), (7, 3, 600), (7, 3, 9_000), (7, 1, 9_500), (8, 1, 0)
    )
    first, last, at_us = journeys(rows, np.array([1, 2, 3]))
    assert (first.tolist(), last.tolist()) == ([1, 3], [3, 1])
    assert at_us.tolist() == [0, 9_000_000_000]


@pytest.mark.parametrize(("n", "found_least"), [(300, 0.97), (40, 0.9)])
def test_who_stopped_on_the_way_is_left_out_and_who_waited_at_red_is_not(
    n: int, found_least: float
) -> None:
    random = np.random.default_rng(3)
    found = wrong = stopped = went = 0
    for _ in range(20):
        drawn, truth = street(random, n, stops=0.15)
        said = times.stopped(drawn)
        found += int((said & truth).sum())
        wrong += int((said & ~truth).sum())
        stopped += int(truth.sum())
        went += int((~truth).sum())
    assert found / stopped > found_least
    assert wrong / went < 0.01


def test_intervals_hold_the_median_and_the_85_percent_as_often_as_they_say() -> None:
    random = np.random.default_rng(5)
    held = {0.5: 0, 0.85: 0}
    rounds = 400
    for _ in range(rounds):
        drawn, truth = street(random, 200, stops=0.1)
        read = random.random(len(drawn)) < 0.5
        mine = drawn.where(read)
        said = travel_time(mine.took_s[~times.stopped(mine)], 0)
        for each in said.quantiles[:2]:
            true_s = float(np.quantile(drawn.took_s[~truth], each.share))
            assert each.low_s is not None
            assert each.high_s is not None
            held[each.share] += each.low_s <= true_s <= each.high_s
    assert all(n / rounds >= 0.95 for n in held.values()), held


def test_few_drives_tell_nothing_and_rare_slowness_has_no_end() -> None:
    few = travel_time(np.array([60.0, 61, 62, 63]), 1)
    assert (few.drives, few.stopped, few.quantiles) == (None, None, ())
    assert [each.high_s for each in travel_time(np.arange(5.0), 0).quantiles] == [None] * 3
    twenty = travel_time(np.arange(20.0), 0).quantiles
    assert (twenty[0].low_s, twenty[0].high_s, twenty[2].high_s) == (5, 14, None)


def test_shares_are_put_right_by_what_each_end_reads_and_hold_the_truth() -> None:
    random = np.random.default_rng(11)
    truth, read = np.array([0.5, 0.3, 0.2]), np.array([0.95, 0.6, 0.8])
    rounds = held = bare = 0
    for _ in range(200):
        went = random.multinomial(400, truth)
        seen = random.binomial(went, read)
        rates = [ReadingRate(300, int(random.binomial(300, each))) for each in read]
        for place, said in enumerate(shares(seen.tolist(), rates)):
            assert said.low is not None
            assert said.high is not None
            rounds += 1
            held += said.low <= truth[place] <= said.high
        first = shares(seen.tolist(), [None] * 3)[1]
        bare += first.low is not None and first.low <= truth[1] <= (first.high or 0)
    assert held / rounds > 0.93
    # As seen alone the second end, whose camera is poor, is told too low.
    assert bare / 200 < 0.3


def test_what_is_a_few_vehicles_own_is_not_told_nor_what_would_give_it_away() -> None:
    told = shares([40, 3, 9, 0], [None] * 4)
    assert [each.n for each in told] == [40, None, None, 0]
    assert [each.n for each in shares([40, 3, 2, 9], [None] * 4)] == [40, None, None, 9]
    assert {each.n for each in shares([2, 1], [None, None])} == {None}
    assert reach(4, 100, None).n is None
    assert reach(97, 100, None).n is None
    said = reach(60, 100, ReadingRate(200, 150))
    assert said.share == pytest.approx(0.8, abs=0.01)
    assert said.low is not None
    assert said.low < 0.75
