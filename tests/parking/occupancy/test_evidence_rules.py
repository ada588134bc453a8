"""What each kind of word does to a bay, one sentence a test. Times in seconds from an instant."""

from dataclasses import replace
from typing import Any

import pytest

from city.errors import Invalid
from parking.rules.occupancy.history import FREE, OCCUPIED, UNKNOWN, Change
from parking.rules.occupancy.machine import BLANK, Core
from parking.rules.occupancy.memory import EMPTY, due_ms, fold, run, shown
from parking.rules.occupancy.observations import Observation, event_ms, words
from parking.rules.occupancy.policy import DEFAULT_POLICY, FoldingPolicy
from parking.rules.sensors.codecs import decode
from parking.rules.sensors.model import BayObservation, Decoded, PassageCount

T0_MS = 1_772_413_200_000
DAY_S = 86_400
MINUTE_S = 60


def word(
    at_s: float,
    said: int,
    strength: int = 950,
    device: str = "a",
    claim: tuple[int, float, int] | None = None,
) -> Observation:
    """Make a word; `claim` is (state, second at which it began, strength)."""
    at_ms = T0_MS + round(at_s * 1000)
    state, began_s, how = claim or (UNKNOWN, 0, 0)
    return Observation(
        at_ms,
        "s",
        round(at_s * 10),
        "",
        device,
        0,
        said,
        strength,
        state,
        T0_MS + round(began_s * 1000) if claim else 0,
        how,
        26 * 3_600_000,
    )


def taken(at_s: float, strength: int = 950, **more: Any) -> Observation:
    return word(at_s, 1, strength, **more)


def free(at_s: float, strength: int = 950, **more: Any) -> Observation:
    return word(at_s, 0, strength, **more)


def unsure(at_s: float) -> Observation:
    return word(at_s, -1)


def told(*seen: Observation) -> tuple[Core, list[tuple[int, float]]]:
    """Give what is known after the words, and the history as (state, second)."""
    history: list[Change] = []
    core = run(BLANK, sorted(seen), DEFAULT_POLICY, history)
    return core, [(change.state, (change.at_ms - T0_MS) / 1000) for change in history]


def test_a_strong_contrary_word_flips_at_once() -> None:
    core, history = told(free(0), taken(600))
    assert history == [(FREE, 0), (OCCUPIED, 600)]
    assert (core.change.state, core.sure) == (OCCUPIED, 950)


def test_a_spell_shorter_than_the_minimum_stay_leaves_no_trace() -> None:
    core, history = told(free(0), taken(600), free(629))
    assert history == [(FREE, 0)]
    assert core.change.at_ms == T0_MS


def test_a_spell_of_the_minimum_stay_counts() -> None:
    _, history = told(free(0), taken(600), free(630))
    assert history == [(FREE, 0), (OCCUPIED, 600), (FREE, 630)]


def test_a_gap_of_ten_seconds_parts_two_cars() -> None:
    _, history = told(taken(0), free(600), taken(610))
    assert history == [(OCCUPIED, 0), (FREE, 600), (OCCUPIED, 610)]


def test_a_gap_of_less_is_a_flicker() -> None:
    _, history = told(taken(0), free(600), taken(609))
    assert history == [(OCCUPIED, 0)]


def test_a_first_word_taken_back_leaves_the_state_that_it_gave_way_to() -> None:
    _, history = told(taken(0), free(5))
    assert history == [(FREE, 5)]


def test_one_weak_word_flips_nothing_and_lowers_how_sure_we_are() -> None:
    core, history = told(free(0), taken(600, 500))
    assert history == [(FREE, 0)]
    assert core.sure == 475


def test_two_weak_words_that_agree_flip_from_the_first_on() -> None:
    core, history = told(free(0), taken(600, 500), taken(700, 500))
    assert history == [(FREE, 0), (OCCUPIED, 600)]
    assert core.sure == 750


def test_two_weak_words_too_far_apart_flip_nothing() -> None:
    _, history = told(free(0), taken(600, 500), taken(1_201, 500))
    assert history == [(FREE, 0)]


def test_a_word_for_the_state_between_two_weak_ones_against_it_clears_the_first() -> None:
    seen = (free(0), taken(600, 500), free(650), taken(700, 500))
    assert told(*seen)[1] == [(FREE, 0)]


def test_a_weak_word_alone_never_makes_an_unknown_bay_free() -> None:
    core, history = told(free(0, 500))
    assert history == []
    assert core.change.state == UNKNOWN


def test_i_cannot_tell_lowers_how_sure_we_are_and_flips_nothing() -> None:
    core, history = told(free(0), unsure(600), unsure(700))
    assert history == [(FREE, 0)]
    assert core.sure == 534
    assert core.heard_ms == T0_MS


def test_silence_ends_in_unknown_at_its_deadline_whoever_looks() -> None:
    _, history = told(taken(0), taken(2 * DAY_S))
    assert history == [(OCCUPIED, 0), (UNKNOWN, 26 * 3_600), (OCCUPIED, 2 * DAY_S)]


def test_i_cannot_tell_does_not_break_a_silence() -> None:
    _, history = told(taken(0), unsure(DAY_S), taken(2 * DAY_S))
    assert history[1] == (UNKNOWN, 26 * 3_600)


def test_a_bay_is_unknown_from_the_deadline_on_and_not_before() -> None:
    memory = fold(EMPTY, [taken(0)], DEFAULT_POLICY, T0_MS).memory
    deadline_ms = T0_MS + 26 * 3_600_000
    assert shown(memory, deadline_ms - 1).state == OCCUPIED
    assert shown(memory, deadline_ms).state == UNKNOWN
    assert due_ms(memory, T0_MS) == T0_MS + 30_000
    assert due_ms(memory, T0_MS + 30_000) == deadline_ms
    assert due_ms(memory, deadline_ms) is None


def test_a_lost_arrival_is_filled_in_from_the_duration_in_the_next_frame() -> None:
    # Occupied at minute 20 was lost; 'free' at minute 94 says that occupied began 74 min ago.
    lost = (OCCUPIED, 20 * MINUTE_S, 700)
    _, history = told(free(0), free(94 * MINUTE_S, claim=lost))
    assert history == [(FREE, 0), (OCCUPIED, 20 * MINUTE_S), (FREE, 94 * MINUTE_S)]


def test_an_inferred_beginning_never_overrides_a_real_word_close_by() -> None:
    lost = (OCCUPIED, 20 * MINUTE_S, 700)
    _, history = told(free(0), free(19 * MINUTE_S), free(94 * MINUTE_S, claim=lost))
    assert history == [(FREE, 0)]


def test_a_beginning_learnt_late_moves_back_to_where_the_device_says() -> None:
    # The arrival's frame was lost, an hourly heartbeat told of it, the departure tells when.
    began = (OCCUPIED, 20 * MINUTE_S, 700)
    _, history = told(free(0), taken(60 * MINUTE_S), free(94 * MINUTE_S, claim=began))
    assert history == [(FREE, 0), (OCCUPIED, 20 * MINUTE_S), (FREE, 94 * MINUTE_S)]


def test_a_coarse_claim_moves_no_beginning() -> None:
    began = (OCCUPIED, 20 * MINUTE_S, 500)
    _, history = told(free(0), taken(60 * MINUTE_S), free(94 * MINUTE_S, claim=began))
    assert history == [(FREE, 0), (OCCUPIED, 60 * MINUTE_S), (FREE, 94 * MINUTE_S)]


def test_a_claim_that_agrees_with_what_was_heard_changes_nothing() -> None:
    began = (OCCUPIED, 19.5 * MINUTE_S, 700)
    _, history = told(free(0), taken(20 * MINUTE_S), free(94 * MINUTE_S, claim=began))
    assert history == [(FREE, 0), (OCCUPIED, 20 * MINUTE_S), (FREE, 94 * MINUTE_S)]


def test_two_devices_that_agree_make_us_surer_than_one() -> None:
    core, _ = told(taken(0, 700, device="a"), taken(5, 700, device="b"))
    assert core.sure == 910


def test_a_word_against_what_another_device_just_said_needs_a_second() -> None:
    core, history = told(taken(0, device="a"), free(60, device="b"))
    assert history == [(OCCUPIED, 0)]
    assert core.sure == 47
    _, history = told(taken(0, device="a"), free(60, device="b"), free(70, device="b"))
    assert history == [(OCCUPIED, 0), (FREE, 60)]


def test_an_older_word_of_another_device_speaks_of_an_earlier_car() -> None:
    _, history = told(taken(0, device="a"), free(600, device="b"))
    assert history == [(OCCUPIED, 0), (FREE, 600)]


def test_a_frame_dated_after_its_receipt_counts_from_its_receipt() -> None:
    assert event_ms(T0_MS + 120_001, T0_MS, DEFAULT_POLICY) == T0_MS
    assert event_ms(T0_MS + 120_000, T0_MS, DEFAULT_POLICY) == T0_MS + 120_000
    assert event_ms(None, T0_MS, DEFAULT_POLICY) == T0_MS


def test_the_makers_frame_with_a_duration_becomes_one_word_with_its_claim() -> None:
    # 0x95: occupied, and free for 74 min before it. Source: nps405-codec.yaml, 'Parking Status'.
    decoded = decode("nwave-nps405", 1, bytes.fromhex("95"))
    assert isinstance(decoded, Decoded)
    (said,) = words(decoded.observations, DEFAULT_POLICY)
    assert (said.said, said.claim, said.claim_age_ms) == (1, FREE, 74 * 60_000)


def test_counts_of_passages_say_nothing_about_a_bay() -> None:
    assert words((PassageCount(17, 65_536),), DEFAULT_POLICY) == ()


def test_no_word_is_ever_wholly_sure() -> None:
    (said,) = words((BayObservation(occupied=True, strength=1000),), DEFAULT_POLICY)
    assert said.strength == 990


def test_a_bay_that_chatters_keeps_a_bounded_log() -> None:
    policy = FoldingPolicy(log_limit=4)
    memory = EMPTY
    for second in range(10):
        memory = fold(memory, [taken(second)], policy, T0_MS).memory
    assert len(memory.log) == 4
    late = fold(memory, [free(4.5)], policy, T0_MS)
    assert late.late == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("minimum_stay_ms", 0),
        ("minimum_gap_ms", 10**9),
        ("strong_from", 0),
        ("strength_max", 1_000),
        ("lateness_ms", 0),
        ("stale_after_ms", 60_000),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(field: str, value: Any) -> None:
    with pytest.raises(Invalid):
        replace(DEFAULT_POLICY, **{field: value})
