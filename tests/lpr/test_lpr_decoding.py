"""From logits of seats to a plate that can exist."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.plate_rules import PlateKind
from lpr.rules.accuracy import Judged, summary
from lpr.rules.alphabet import CLASSES, KIND_CLASS_OF, KINDS, SEATS, classes_of
from lpr.rules.calibration import fitted_bands, fitted_temperature
from lpr.rules.corners import Found, best_of_each, box_overlap, moved_share, sensible
from lpr.rules.decoding import Temperatures, averaged, decode, kinds_with
from lpr.rules.serials import DRAWN_KINDS, draw_text

SURE = 12.0


def said(text: str, kind: PlateKind) -> tuple[np.ndarray, np.ndarray]:
    seats = np.zeros((SEATS, CLASSES), np.float32)
    seats[np.arange(SEATS), classes_of(text)] = SURE
    kinds = np.zeros(len(KINDS), np.float32)
    kinds[KIND_CLASS_OF[kind]] = SURE
    return seats, kinds


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(DRAWN_KINDS), seed=st.integers(0, 2**32))
def test_what_is_said_clearly_is_read_as_it_is(kind: PlateKind, seed: int) -> None:
    text = draw_text(kind, np.random.default_rng(seed))
    rows = 1 if kind in kinds_with(1) else 2
    read = decode(*said(text, kind), rows)
    assert read is not None
    assert (read.text, read.kind) == (text, kind)
    assert read.confidence > 0.99


def test_a_letter_where_only_digits_stand_is_read_as_the_next_likely_digit() -> None:
    seats, kinds = said("京AD12345", PlateKind.NEV_GREEN8)
    seats[4, classes_of("B")[0]] = SURE + 1
    seats[4, classes_of("8")[0]] = SURE
    seats[4, classes_of("2")[0]] = 0
    read = decode(seats, kinds, 1)
    assert read is not None
    assert read.text == "京AD18345"
    assert read.confidence < 0.3  # the net's own doubt stays


def test_the_kind_decides_between_texts_of_one_form() -> None:
    seats, _ = said("京A12345", PlateKind.BLUE7)
    for kind in (PlateKind.BLUE7, PlateKind.YELLOW7, PlateKind.BLACK7):
        read = decode(seats, said("京A12345", kind)[1], 1)
        assert read is not None
        assert read.kind is kind


def test_two_rows_are_never_a_one_row_kind() -> None:
    seats, kinds = said("京A12345", PlateKind.YELLOW7)
    kinds[KIND_CLASS_OF[PlateKind.YELLOW2]] = SURE - 3
    read = decode(seats, kinds, 2)
    assert read is not None
    assert read.kind is PlateKind.YELLOW2


def test_what_is_no_plate_is_not_read() -> None:
    assert decode(*said("", PlateKind.UNKNOWN), 1) is None


def test_doubt_where_the_text_ends_counts() -> None:
    seats, kinds = said("京A12345", PlateKind.BLUE7)
    seats[7, classes_of("6")[0]] = SURE
    read = decode(seats, kinds, 1)
    assert read is not None
    assert read.text == "京A12345"
    assert read.confidence == pytest.approx(0.5, abs=0.01)


def test_a_higher_temperature_is_less_sure() -> None:
    sure = decode(*said("京A12345", PlateKind.BLUE7), 1)
    doubtful = decode(*said("京A12345", PlateKind.BLUE7), 1, Temperatures(4.0, 1.0))
    assert sure is not None
    assert doubtful is not None
    assert doubtful.confidence < sure.confidence


def quad(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def test_of_finds_on_one_plate_the_best_stays() -> None:
    finds = [
        Found(quad(10, 10, 44, 14), 1, 0.7),
        Found(quad(12, 10, 44, 14), 1, 0.9),
        Found(quad(200, 10, 44, 14), 1, 0.5),
    ]
    assert [found.score for found in best_of_each(finds)] == [0.9, 0.5]
    assert box_overlap(finds[0].corners, finds[2].corners) == 0
    assert box_overlap(finds[0].corners, finds[0].corners) == 1


def test_corners_that_no_plate_has_are_not_sensible() -> None:
    assert sensible(quad(0, 0, 44, 14))
    assert not sensible(quad(0, 0, 44, 14)[::-1])  # mirrored
    assert not sensible(quad(0, 0, 44, 2))
    assert not sensible(quad(0, 0, 4, 2))


def test_corners_move_by_shares_of_the_plates_height() -> None:
    one = quad(0, 0, 44, 14)
    assert moved_share(one, one) == 0
    assert moved_share(quad(0, 7, 44, 14), one) == 0.5


def judged(label: str, text: str, confidence: float) -> Judged:
    kind = "blue7" if label else "no_plate"
    return Judged(label, kind, text, "blue7", confidence, confidence >= 0.9, found=bool(text))


def test_a_summary_counts_plates_characters_finds_and_wrong_ones_among_the_accepted() -> None:
    told = summary(
        [
            judged("京A12345", "京A12345", 0.95),
            judged("京A12346", "京A12345", 0.92),
            judged("京A12347", "", 0),
            judged("", "京A99999", 0.5),
        ]
    )
    assert (told["plates"], told["right"], told["exact"]) == (3, 1, 0.3333)
    assert told["characters"] == round(13 / 21, 4)
    assert (told["recall"], told["precision"]) == (0.6667, 0.6667)
    assert (told["accepted"], told["wrong_accepted"]) == (0.5, 0.5)
    rows = told["wrong_among_accepted"]
    assert isinstance(rows, list)
    assert rows[0] == {"confidence": 0.5, "accepted": 0.75, "wrong": 2, "share": 0.6667}


def test_the_temperature_is_that_of_which_the_truth_was_drawn() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, (4000, 5)).astype(np.float32)
    chances = np.exp(logits / 2.0)
    chances /= chances.sum(axis=1, keepdims=True)
    truth = np.array([random.choice(5, p=row / row.sum()) for row in chances.astype(float)])
    assert fitted_temperature(logits, truth) == pytest.approx(2.0, rel=0.12)


def test_the_limit_to_accept_is_the_lowest_that_surely_keeps_the_share_of_wrong_ones() -> None:
    confidences = [round(1 - at / 1000, 3) for at in range(600)]
    right = [at not in {320, 350, 500} for at in range(600)]
    # Of n reads without a wrong one at most 1 % is wrong, as 0.99^n <= 0.05 from n = 299 on; with
    # one wrong read it takes 473.
    assert fitted_bands(confidences[:320], right[:320]).accept == 0.681
    assert fitted_bands(confidences[:350], right[:350]).accept == 0.681
    assert (
        fitted_bands(
            [*confidences[:350], *confidences[351:500]], [*right[:350], *right[351:500]]
        ).accept
        == 0.501
    )
    assert fitted_bands(confidences, right, certainty=0.5).accept == 0.401


def test_where_no_limit_is_certain_only_what_is_surer_than_every_wrong_read_is_accepted() -> None:
    confidences = [0.99, 0.98, 0.9, 0.8, 0.7, 0.6]
    assert fitted_bands(confidences, [True, True, True, False, True, True]).accept == 0.9
    assert fitted_bands([0.9], [False]).accept > 0.9


def test_looks_are_averaged_so_that_what_one_rules_out_stays_out() -> None:
    clear, kinds = said("皖A12345", PlateKind.BLUE7)
    other = clear.copy()
    other[6, classes_of("5")[0]], other[6, classes_of("6")[0]] = 0, 1
    assert decode(averaged([clear, clear]), kinds, 1) == decode(clear, kinds, 1)
    read = decode(averaged([clear, other, other]), kinds, 1)
    assert read is not None
    assert read.text == "皖A12345"
    assert read.confidence < 0.5
