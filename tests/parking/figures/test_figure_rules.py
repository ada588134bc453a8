"""What figures are, what adds up, and how near a quantile comes."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from parking.rules.figures import sketch
from parking.rules.figures.calendar import Hour
from parking.rules.figures.direct import SeenChange, SeenStay, count_hour
from parking.rules.figures.measures import Figures, Tally, added, figures_of
from parking.rules.occupancy.history import BayState
from parking.rules.places.closures import Closure
from parking.rules.stays import ClosingReason

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000


def at(minute: float) -> datetime:
    return NINE + timedelta(minutes=minute)


def hour(n: int = 0) -> Hour:
    return Hour(at(60 * n), at(60 * n + 60), date(2026, 3, 2), 9 + n)


@given(st.lists(st.integers(2, 10**10), min_size=1, max_size=200), st.floats(0, 1))
@settings(deadline=None)
def test_a_quantile_is_within_a_hundredth_of_the_true_one(values: list[int], share: float) -> None:
    bins = sketch.added({sketch.bin_of(ms): 1} for ms in values)
    true = sorted(values)[math.floor(share * (len(values) - 1))]
    found = sketch.quantile_ms(bins, share)
    assert found is not None
    assert abs(found - true) <= sketch.ACCURACY * true * (1 + 1e-9)


@given(st.lists(st.lists(st.integers(0, 10**9), max_size=30), max_size=6))
@settings(deadline=None)
def test_added_bins_are_the_bins_of_all(parts: list[list[int]]) -> None:
    apart = [sketch.added({sketch.bin_of(ms): 1} for ms in part) for part in parts]
    whole = sketch.added({sketch.bin_of(ms): 1} for part in parts for ms in part)
    assert sketch.added(apart) == whole


def test_nothing_counted_has_no_quantile() -> None:
    assert sketch.quantile_ms({}, 0.5) is None


def test_what_is_unknown_counts_on_neither_side_of_the_occupancy() -> None:
    tally = Tally(20 * HOUR_US, open_us=10 * HOUR_US, occupied_us=3 * HOUR_US, free_us=HOUR_US)
    found = figures_of(tally)
    assert (found.occupancy, found.known_share) == (0.75, 0.4)


def test_turnover_is_stays_a_bay_and_day() -> None:
    tally = Tally(service_us=2 * 24 * HOUR_US, arrivals=13)
    assert (figures_of(tally).turnover_per_day, figures_of(tally).bay_days) == (6.5, 2.0)


def test_nothing_to_divide_by_is_no_figure_and_not_zero() -> None:
    assert figures_of(Tally()) == Figures(0.0, None, None, None, None, None, None, None)


@given(st.lists(st.builds(Tally, *[st.integers(0, 10**15)] * 10), max_size=5))
@settings(deadline=None)
def test_counts_add_up_field_by_field(tallies: list[Tally]) -> None:
    assert added(tallies).service_us == sum(each.service_us for each in tallies)
    assert added(tallies).changes == sum(each.changes for each in tallies)
    assert added([*tallies, Tally()]) == added(tallies)


HISTORY = [
    SeenChange(at(-30), BayState.FREE, at(-29), by_device=True),
    SeenChange(at(10), BayState.OCCUPIED, at(10.5), by_device=True),
    SeenChange(at(40), BayState.UNKNOWN, at(41)),
    SeenChange(at(70), BayState.FREE, at(72), by_device=True),
]
STAYS = [
    SeenStay(at(10), at(40), ClosingReason.SILENCE),
    SeenStay(at(75), at(80), has_vehicle=True),
]


def test_an_hour_is_counted_from_the_history_and_the_stays() -> None:
    found = count_hour(HISTORY, STAYS, hour(), at(200))
    assert (found.service_us, found.free_us, found.occupied_us) == (
        HOUR_US,
        HOUR_US // 6,
        HOUR_US // 2,
    )
    assert (found.arrivals, found.ended, found.matched, found.dwell_stays) == (1, 1, 0, 0)
    assert (found.changes, found.delay_bins) == (1, {sketch.bin_of(30_000): 1})


def test_closed_time_is_in_service_and_neither_taken_nor_free() -> None:
    closed = [Closure(at(-60), at(5)), Closure(at(20), at(50))]
    found = count_hour(HISTORY, STAYS, hour(), at(200), closed)
    assert (found.service_us, found.open_us) == (HOUR_US, 25 * HOUR_US // 60)
    assert (found.free_us, found.occupied_us) == (5 * HOUR_US // 60, 10 * HOUR_US // 60)
    assert found.arrivals == 1


def test_an_end_that_nobody_saw_is_an_end_but_no_dwell() -> None:
    seen = count_hour(HISTORY, STAYS, hour(1), at(200))
    assert (seen.ended, seen.matched, seen.dwell_stays, seen.dwell_us) == (1, 1, 1, HOUR_US // 12)


def test_what_has_not_happened_yet_is_not_counted() -> None:
    assert count_hour(HISTORY, STAYS, hour(), at(20)) == Tally(
        service_us=HOUR_US // 3,
        open_us=HOUR_US // 3,
        occupied_us=HOUR_US // 6,
        free_us=HOUR_US // 6,
        arrivals=1,
        changes=1,
        delay_bins={sketch.bin_of(30_000): 1},
    )
    assert count_hour(HISTORY, STAYS, hour(), at(0)) == Tally()


def test_a_bay_is_in_service_from_the_first_that_was_known_of_it() -> None:
    late = [SeenChange(at(30), BayState.UNKNOWN)]
    assert count_hour(late, [], hour(), at(200)).service_us == HOUR_US // 2
    assert count_hour(late, [SeenStay(at(15))], hour(), at(200)).service_us == 3 * HOUR_US // 4
    assert count_hour([], [], hour(), at(200)) == Tally()
