"""Flows from counts: tables' turns, detectors' phases parted among theirs, and what is unknown."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.rules.counts.classes import CountClass
from signals.rules.counts.tables import QUARTERS, LegDay
from signals.rules.counts.turning import CountedTurn, PhaseCount, counted_turns, turns_of
from tests.signals import crossroads

if TYPE_CHECKING:
    from collections.abc import Sequence

PART = crossroads.network()
TURNS = turns_of(PART)
THROUGH = ("south-in", "north-out")


def leg(day: int, cars: int | None, buses: int = 0, pair: tuple[str, str] = THROUGH) -> LegDay:
    numbers: dict[CountClass, Sequence[int | None]] = {
        CountClass.CAR: [cars] * QUARTERS,
        CountClass.BUS: [buses] * QUARTERS,
        CountClass.WALKER: [None] * QUARTERS,
    }
    return LegDay("crossroads", *pair, date(2026, 3, day), numbers)


def of(found: list[CountedTurn], pair: tuple[str, str]) -> CountedTurn:
    return next(each for each in found if (each.from_road, each.to_road) == pair)


def test_a_table_tells_a_turn_in_pcu_by_the_days_on_which_the_whole_hour_was_counted() -> None:
    legs = [leg(2, 50, 5), leg(3, 70, 5), leg(4, None)]
    found = of(counted_turns(PART, legs, {}, {}, 8), THROUGH)
    # Four quarters of 50 or 70 cars and five buses of two units.
    assert (found.flow_vph, found.days, found.source) == (280, 2, "table")
    assert found.parted == "counted"


def test_what_nobody_counted_stays_unknown() -> None:
    found = counted_turns(PART, [], {}, {THROUGH: 400}, 8)
    assert len(found) == len(TURNS)
    assert {(each.flow_vph, each.source, each.parted) for each in found} == {(None, None, None)}


def test_a_phases_count_is_parted_by_the_shares_on_record_or_evenly_and_says_so() -> None:
    (phase,) = TURNS[THROUGH]
    beside = [pair for pair, phases in TURNS.items() if phase in phases]
    right = next(pair for pair in beside if pair != THROUGH)
    counts = {phase: PhaseCount(600, 12, 0.05)}
    known = of(counted_turns(PART, [], counts, {THROUGH: 300, right: 100}, 8), THROUGH)
    assert (known.flow_vph, known.source, known.parted) == (450, "detectors", "demand")
    assert (known.days, known.imputed) == (12, 0.05)
    even = of(counted_turns(PART, [], counts, {}, 8), right)
    assert (even.flow_vph, even.parted) == (600 / len(beside), "even")
    # A table's turn stands as it was counted, whatever the detector says.
    table = of(counted_turns(PART, [leg(2, 10)], counts, {}, 8), THROUGH)
    assert (table.flow_vph, table.source) == (40, "table")


@given(
    st.dictionaries(st.integers(1, len(PART.junctions[0].groups)), st.floats(0, 3_000), min_size=1),
    st.dictionaries(st.sampled_from(sorted(TURNS)), st.floats(0, 900)),
)
def test_the_turns_of_a_phase_add_up_to_its_count(
    counts: dict[int, float], demand: dict[tuple[str, str], float]
) -> None:
    phases = {phase: PhaseCount(vph, 5, 0.0) for phase, vph in counts.items()}
    found = counted_turns(PART, [], phases, demand, 8)
    served = {phase for each in TURNS.values() for phase in each}
    told = sum(each.flow_vph or 0.0 for each in found)
    assert told == pytest.approx(sum(vph for phase, vph in counts.items() if phase in served))
