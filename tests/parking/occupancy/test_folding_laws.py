"""Laws of folding: neither the order of arrival, nor batches, nor repeats change the result."""

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking.rules.occupancy.history import FREE, OCCUPIED, UNKNOWN, Change, Edit
from parking.rules.occupancy.machine import BLANK
from parking.rules.occupancy.memory import EMPTY, Memory, due_ms, fold, run, shown
from parking.rules.occupancy.observations import Observation
from parking.rules.occupancy.policy import FoldingPolicy

POLICY = FoldingPolicy(
    minimum_stay_ms=30,
    minimum_gap_ms=10,
    confirm_ms=100,
    contest_ms=40,
    close_ms=40,
    lateness_ms=300,
    stale_after_ms=500,
)
SPAN_MS = 3_000
law = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Time says nothing here: the machine may be busy."""


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    """Draw a bay's day: two devices, words of any strength, claims, silences; with delays."""
    count = draw(st.integers(1, 30))
    times = draw(st.lists(st.integers(1, SPAN_MS), min_size=count, max_size=count))
    seen = []
    for counter, at_ms in enumerate(sorted(times)):
        with_counter = draw(st.booleans())
        claim = draw(st.sampled_from([UNKNOWN, UNKNOWN, FREE, OCCUPIED]))
        seen.append(
            Observation(
                at_ms=at_ms,
                session=draw(st.sampled_from(["", "s"])) if with_counter else "",
                counter=counter if with_counter else -1,
                message="" if with_counter else f"m{counter}",
                device=draw(st.sampled_from(["aa", "aa", "bb"])),
                part=0,
                said=draw(st.sampled_from([-1, 0, 0, 1, 1])),
                strength=draw(st.sampled_from([300, 500, 700, 950])),
                claim=claim,
                claim_ms=max(1, at_ms - draw(st.integers(1, 700))) if claim else 0,
                claim_strength=draw(st.sampled_from([500, 700])) if claim else 0,
                stale_after_ms=500,
            )
        )
    return seen


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Observation], list[list[Observation]]]:
    """Draw observations, and batches in which they arrive, some twice, none past the window."""
    seen = draw(observations())
    deliveries: list[tuple[int, int, Observation]] = []
    for one in seen:
        copies = draw(st.sampled_from([1, 1, 2]))
        deliveries.extend(
            (one.at_ms + draw(st.integers(0, POLICY.lateness_ms)), draw(st.integers()), one)
            for _ in range(copies)
        )
    arriving = [one for _, _, one in sorted(deliveries)]
    batches = []
    while arriving:
        size = draw(st.integers(1, 6))
        batches.append(sorted(arriving[:size]))
        arriving = arriving[size:]
    return seen, batches


def edited(history: list[Change], edit: Edit | None) -> list[Change]:
    if edit is None:
        return history
    return [change for change in history if change.at_ms < edit.from_ms] + list(edit.changes)


def folded(batches: list[list[Observation]], now_ms: int) -> tuple[Memory, list[Change]]:
    memory, history = EMPTY, list[Change]()
    for batch in batches:
        result = fold(memory, batch, POLICY, max(one.at_ms for one in batch))
        assert result.late == 0
        memory, history = result.memory, edited(history, result.edit)
    result = fold(memory, (), POLICY, now_ms)
    return result.memory, edited(history, result.edit)


@law
@given(arrivals(), st.integers(0, 1_500))
def test_any_order_of_arrival_gives_the_memory_and_history_of_the_sorted_fold(
    drawn: tuple[list[Observation], list[list[Observation]]], later_ms: int
) -> None:
    seen, batches = drawn
    now_ms = SPAN_MS + later_ms
    assert folded(batches, now_ms) == folded([[one] for one in sorted(seen)], now_ms)


@law
@given(arrivals())
def test_edits_add_up_to_the_history_of_one_plain_run(
    drawn: tuple[list[Observation], list[list[Observation]]],
) -> None:
    seen, batches = drawn
    history: list[Change] = []
    core = run(BLANK, sorted(seen), POLICY, history)
    memory, added_up = folded(batches, 0)
    assert memory.current == core
    assert added_up == history


@law
@given(observations())
def test_a_history_is_in_order_and_never_repeats_a_state(seen: list[Observation]) -> None:
    history: list[Change] = []
    run(BLANK, sorted(seen), POLICY, history)
    assert [c.at_ms for c in history] == sorted({c.at_ms for c in history})
    assert all(one.state != next_one.state for one, next_one in pairwise(history))


@law
@given(observations(), st.integers(0, SPAN_MS * 2))
def test_the_state_shown_is_the_end_of_the_history(seen: list[Observation], now_ms: int) -> None:
    now_ms = max(now_ms, *(one.at_ms for one in seen))
    memory, history = folded([[one] for one in sorted(seen)], now_ms)
    end = history[-1] if history else Change(UNKNOWN, 0, 0, "", "")
    visible = shown(memory, now_ms)
    assert (visible.state, visible.since_ms) == (end.state, end.at_ms)
    assert 0 <= visible.sure <= 1000


@law
@given(observations(), st.integers(0, 2_000))
def test_nothing_changes_before_the_instant_that_is_due(
    seen: list[Observation], wait_ms: int
) -> None:
    memory, _ = folded([[one] for one in sorted(seen)], SPAN_MS)
    due = due_ms(memory, SPAN_MS)
    then_ms = SPAN_MS + wait_ms
    if due is None or then_ms < due:
        assert shown(memory, then_ms) == shown(memory, SPAN_MS)
    else:
        assert shown(memory, then_ms) != shown(memory, SPAN_MS)


@law
@given(observations())
def test_flickers_leave_no_trace_shorter_than_the_dwell(seen: list[Observation]) -> None:
    history: list[Change] = []
    run(BLANK, sorted(seen), POLICY, history)
    for one, following in pairwise(history):
        dwell = {FREE: 10, OCCUPIED: 30, UNKNOWN: 0}[one.state]
        assert following.at_ms - one.at_ms >= dwell


@law
@given(observations())
def test_folding_twice_changes_nothing_more(seen: list[Observation]) -> None:
    memory, _ = folded([sorted(seen)], SPAN_MS)
    again = fold(memory, memory.log, POLICY, SPAN_MS)
    assert (again.memory, again.edit) == (memory, None)
    assert again.twice == len(memory.log)
