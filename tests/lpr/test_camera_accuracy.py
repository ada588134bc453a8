"""How good a camera is, told from reviews: bounds, weights, and not knowing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.rules.camera_accuracy import Stratum, accuracy, wilson


@st.composite
def strata(draw: st.DrawFn) -> Stratum:
    reads = draw(st.integers(0, 5_000))
    reviewed = draw(st.integers(0, reads))
    return Stratum(reads, reviewed, draw(st.integers(0, reviewed)))


@given(st.lists(strata(), max_size=3))
def test_an_estimate_lies_within_its_interval_and_that_within_nothing_and_all(
    some: list[Stratum],
) -> None:
    told = accuracy(some)
    unknown = not any(each.reads for each in some) or any(
        each.reads and not each.reviewed for each in some
    )
    assert (told is None) == unknown
    if told is not None:
        assert -1e-9 <= told.low <= told.share + 1e-9
        assert told.share - 1e-9 <= told.high <= 1 + 1e-9


def test_accepted_reads_weigh_as_many_as_they_are_however_few_were_looked_at() -> None:
    # 980 accepted, 20 of them looked at and all right; 20 unsure, all looked at, half right.
    told = accuracy([Stratum(980, 20, 20), Stratum(20, 20, 10)])
    assert told is not None
    assert told.share == pytest.approx(0.99)
    assert told.low < 0.85


@given(st.integers(1, 500), st.data())
def test_more_that_are_right_never_lower_the_interval(of: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, of - 1))
    fewer, more = wilson(right, of), wilson(right + 1, of)
    assert fewer[0] <= more[0]
    assert fewer[1] <= more[1]
