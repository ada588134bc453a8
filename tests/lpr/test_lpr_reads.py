import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.vehicles import PlateKind, parse_plate
from lpr.rules.reads import Band, BandLimits, PlateRead

CONFIDENCES = st.lists(st.floats(0, 1), min_size=7, max_size=7).map(tuple)


def read(text: str = "京A12345", kind: PlateKind = PlateKind.BLUE7, *given: float) -> PlateRead:
    return PlateRead(text, kind, given or (0.99,) * len(text))


@given(CONFIDENCES)
def test_a_read_is_as_certain_as_its_least_certain_character(
    confidences: tuple[float, ...],
) -> None:
    assert PlateRead("京A12345", PlateKind.BLUE7, confidences).confidence == min(confidences)


@pytest.mark.parametrize(
    ("least", "band"),
    [(1.0, "accept"), (0.95, "accept"), (0.949, "review"), (0.6, "review"), (0.599, "reject")],
)
def test_one_doubtful_character_lowers_the_band_of_the_whole_read(least: float, band: str) -> None:
    assert read("京A12345", PlateKind.BLUE7, 1, 1, 1, least, 1, 1, 1).band().value == band


def test_a_text_that_no_plate_can_have_is_never_accepted() -> None:
    assert read("京AI2345").band() is Band.REVIEW
    assert read("京A123456").band() is Band.REVIEW


def test_a_read_of_unknown_kind_is_a_plate_where_the_text_allows_one_kind_only() -> None:
    assert read("京AD12345", PlateKind.UNKNOWN).plate() == parse_plate("京AD12345", None)
    assert read("京A12345", PlateKind.UNKNOWN).plate() is None
    assert read("京A12345", PlateKind.UNKNOWN).band() is Band.REVIEW


@given(CONFIDENCES, st.floats(0, 1), st.floats(0, 1))
def test_stricter_limits_never_raise_a_band(
    confidences: tuple[float, ...], low: float, high: float
) -> None:
    order = [Band.REJECT, Band.REVIEW, Band.ACCEPT]
    low, high = sorted((low, high))
    one = PlateRead("京A12345", PlateKind.BLUE7, confidences)
    lax, strict = BandLimits(low, low), BandLimits(high, high)

    assert order.index(one.band(strict)) <= order.index(one.band(lax))


def test_a_read_never_shows_its_text() -> None:
    assert repr(read()) == "PlateRead(7 characters, blue7, 0.990)"


@pytest.mark.parametrize(
    ("text", "confidences", "field"),
    [
        ("", (), "text"),
        ("京A12345678901", (1.0,) * 13, "text"),
        ("京a12345", (1.0,) * 7, "text"),
        ("京A·12345", (1.0,) * 8, "text"),
        ("京A12345", (1.0,) * 6, "confidences"),
        ("京A12345", (1.0,) * 6 + (1.1,), "confidences"),
        ("京A12345", (1.0,) * 6 + (math.nan,), "confidences"),
    ],
)
def test_a_malformed_read_is_refused(text: str, confidences: tuple[float, ...], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        PlateRead(text, PlateKind.BLUE7, confidences)

    assert caught.value.field == field


@pytest.mark.parametrize(("accept", "review"), [(0.5, 0.6), (1.1, 0.5), (0.9, -0.1), (math.nan, 0)])
def test_limits_have_an_order(accept: float, review: float) -> None:
    with pytest.raises(Invalid):
        BandLimits(accept, review)
