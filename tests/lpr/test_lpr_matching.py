import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.vehicles import PlateKind, PlateNumber
from lpr.rules.matching import (
    MatchLimits,
    Verdict,
    match_read,
    read_cost,
    substitution_cost,
    text_cost,
)
from lpr.rules.reads import PlateRead

BLUE, YELLOW = PlateKind.BLUE7, PlateKind.YELLOW7
CHARACTERS = st.sampled_from("京沪皖A048BD2Z5SQ7")
TEXTS = st.text(CHARACTERS, max_size=8)
PLATES = st.builds(
    lambda province, serial, kind: PlateNumber(f"{province}A{serial}", kind),
    st.sampled_from("京皖"),
    st.text("025SZD", min_size=5, max_size=5),
    st.sampled_from([BLUE, YELLOW, PlateKind.YELLOW2]),
)
CANDIDATES = st.lists(PLATES, max_size=6)


def read(text: str, kind: PlateKind = BLUE, confidence: float = 0.99) -> PlateRead:
    return PlateRead(text, kind, (confidence,) * len(text))


READS = st.builds(
    lambda plate, confidence: read(plate.text, plate.kind, confidence),
    PLATES,
    st.sampled_from([0.5, 0.8, 0.99]),
)


def blue(*texts: str) -> list[PlateNumber]:
    return [PlateNumber(text, BLUE) for text in texts]


# --- costs


@pytest.mark.parametrize(
    ("a", "b", "cost"),
    [
        ("京A12345", "京A12345", 0),
        ("京A10345", "京A1D345", 25),
        ("京A1D345", "京A1Q345", 25),
        ("京A18345", "京A1B345", 25),
        ("京A12345", "京A1Z345", 25),
        ("京A12345", "京A1234S", 25),
        ("京A12345", "京A123A5", 25),
        ("京A12345", "皖A12345", 30),
        ("京A12345", "京A12346", 100),
        ("京A12345", "京A1234", 100),
        ("京A12345", "京A123455", 100),
        ("京A12345", "沪A1Z34S", 80),
        ("京A12345", "学A12345", 100),
        ("", "京A", 200),
    ],
)
def test_what_readers_confuse_is_cheap(a: str, b: str, cost: int) -> None:
    assert text_cost(a, b) == cost


@given(TEXTS, TEXTS, TEXTS)
def test_the_cost_is_a_metric(a: str, b: str, c: str) -> None:
    assert (text_cost(a, b) == 0) == (a == b)
    assert text_cost(a, b) == text_cost(b, a)
    assert text_cost(a, c) <= text_cost(a, b) + text_cost(b, c)


@given(TEXTS, TEXTS)
def test_no_cost_exceeds_rewriting_everything(a: str, b: str) -> None:
    assert abs(len(a) - len(b)) * 100 <= text_cost(a, b) <= max(len(a), len(b)) * 100


def test_taking_one_character_for_another_costs_the_same_both_ways() -> None:
    for a, b in itertools.product("0DQ8B2Z5S4A1京皖学", repeat=2):
        assert substitution_cost(a, b) == substitution_cost(b, a)


def test_another_kind_is_another_vehicle_but_a_rear_plate_is_the_same_one() -> None:
    assert read_cost(read("京A12345", BLUE), PlateNumber("京A12345", YELLOW)) == 100
    lorry = PlateNumber("京A12345", PlateKind.YELLOW2)
    assert read_cost(read("京A12345", YELLOW), lorry) == 0
    assert read_cost(read("京A12345", PlateKind.UNKNOWN), lorry) == 0


# --- verdicts


def test_an_exact_read_names_its_vehicle() -> None:
    match = match_read(read("京A12345"), blue("京A12345", "京A99999"))

    assert (match.verdict, match.candidate) == (Verdict.MATCH, PlateNumber("京A12345", BLUE))


def test_a_read_with_look_alikes_and_a_wrong_province_still_names_its_vehicle() -> None:
    assert match_read(read("皖A1Z345"), blue("京A12345", "京A99999")).verdict is Verdict.MATCH
    assert match_read(read("京A1Z34S"), blue("京A12345")).verdict is Verdict.MATCH


def test_two_vehicles_that_look_alike_are_ambiguous_even_to_an_exact_read() -> None:
    match = match_read(read("京A12345"), blue("京A1234S", "京A12345", "京A99999"))

    assert match.verdict is Verdict.AMBIGUOUS
    assert match.candidate is None
    assert [(near.candidate.text, near.cost) for near in match.near] == [
        ("京A12345", 0),
        ("京A1234S", 25),
    ]


def test_a_read_of_unknown_kind_does_not_choose_between_blue_and_yellow() -> None:
    pair = [PlateNumber("京A12345", BLUE), PlateNumber("京A12345", YELLOW)]

    assert match_read(read("京A12345", PlateKind.UNKNOWN), pair).verdict is Verdict.AMBIGUOUS
    assert match_read(read("京A12345", YELLOW), pair).candidate == pair[1]


def test_the_right_text_on_the_wrong_kind_of_plate_is_doubtful() -> None:
    match = match_read(read("京A12345", YELLOW), blue("京A12345"))

    assert match.verdict is Verdict.AMBIGUOUS


def test_a_character_that_is_plainly_another_one_is_doubtful() -> None:
    assert match_read(read("京A12346"), blue("京A12345")).verdict is Verdict.AMBIGUOUS


def test_a_stranger_is_nobody() -> None:
    assert match_read(read("京A12345"), blue("京A99999")).verdict is Verdict.NONE
    assert match_read(read("京A12345"), []).verdict is Verdict.NONE


def test_a_doubtful_read_has_to_be_exact() -> None:
    doubtful = read("京A12345", confidence=0.7)

    assert match_read(doubtful, blue("京A12345")).verdict is Verdict.MATCH
    assert match_read(doubtful, blue("京A1Z345")).verdict is Verdict.AMBIGUOUS


def test_a_rejected_read_names_nobody() -> None:
    assert match_read(read("京A12345", confidence=0.3), blue("京A12345")).verdict is Verdict.NONE


def test_two_plates_of_one_lorry_are_not_two_candidates() -> None:
    plates = [PlateNumber("京A12345", YELLOW), PlateNumber("京A12345", PlateKind.YELLOW2)]

    assert match_read(read("京A12345", YELLOW), plates).verdict is Verdict.MATCH


@given(READS, CANDIDATES, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(
    one: PlateRead, candidates: list[PlateNumber], random: Random
) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)

    assert match_read(one, shuffled) == match_read(one, candidates)


@given(READS, CANDIDATES)
def test_nobody_is_matched_while_another_vehicle_is_nearly_as_near(
    one: PlateRead, candidates: list[PlateNumber]
) -> None:
    match = match_read(one, candidates)
    if match.candidate is None:
        assert match.verdict is not Verdict.MATCH
        return
    best = read_cost(one, match.candidate)
    others = [
        read_cost(one, other) for other in candidates if other.identity != match.candidate.identity
    ]

    assert best <= 75
    assert all(other >= best + 50 for other in others)


@given(READS, CANDIDATES, PLATES)
def test_one_more_candidate_never_turns_doubt_into_a_match_with_an_old_one(
    one: PlateRead, candidates: list[PlateNumber], extra: PlateNumber
) -> None:
    before, after = match_read(one, candidates), match_read(one, [*candidates, extra])
    if before.verdict is Verdict.AMBIGUOUS and after.candidate is not None:
        assert after.candidate.identity == extra.identity


@pytest.mark.parametrize("limits", [(-1, 0, 1), (10, 5, 1), (10, 20, 0)])
def test_limits_have_an_order(limits: tuple[int, int, int]) -> None:
    with pytest.raises(Invalid):
        MatchLimits(*limits)
