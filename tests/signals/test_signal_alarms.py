"""Alarms: what raises and clears them, and that each is said in plain words of both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.rules.live import alarms
from signals.rules.live.alarm_words import words
from signals.rules.live.alarms import Code, Heard, Level, PhaseQuarter, SentPlan, Sign, decide
from signals.rules.live.detectors import BIN, DetectorBin, State

EIGHT = datetime(2026, 3, 2, 0, 10, tzinfo=UTC)


def sign(level: Level, subject: str = "1") -> Sign:
    return Sign("J01", Code.SPLIT_FAILURES, subject, level, 0.6, 0.5, EIGHT)


def test_bad_raises_good_clears_and_what_lies_between_leaves_things_as_they_are() -> None:
    known = uuid4()
    open_ = {("J01", Code.SPLIT_FAILURES, "1"): known}
    assert decide({}, [sign(Level.BAD)]).raised == (sign(Level.BAD),)
    assert decide({}, [sign(Level.BETWEEN), sign(Level.GOOD)]) == alarms.Decision((), (), ())
    assert decide(open_, [sign(Level.BAD)]).seen == ((known, sign(Level.BAD)),)
    assert decide(open_, [sign(Level.BETWEEN)]).cleared == ()
    assert decide(open_, [sign(Level.GOOD)]).cleared == (known,)
    # Nothing known of it any more: it stays.
    assert decide(open_, [sign(Level.GOOD, "2")]) == alarms.Decision((), (), ())


@given(st.lists(st.lists(st.sampled_from(list(Level)), min_size=1, max_size=3), max_size=12))
def test_an_alarm_opens_once_and_closes_once(looks: list[list[Level]]) -> None:
    open_: dict[alarms.Key, UUID] = {}
    for look in looks:
        before = dict(open_)
        made = decide(before, [sign(level, str(n)) for n, level in enumerate(look)])
        assert not {each.key for each in made.raised} & set(open_)
        for each in made.raised:
            open_[each.key] = uuid4()
        open_ = {key: known for key, known in open_.items() if known not in made.cleared}
        for n, level in enumerate(look):
            key = ("J01", Code.SPLIT_FAILURES, str(n))
            assert (key in open_) is (
                level is Level.BAD or (level is Level.BETWEEN and key in before)
            )


def heard(quiet_s: float | None, **more: object) -> Heard:
    at = None if quiet_s is None else EIGHT - timedelta(seconds=quiet_s)
    base = Heard("J01", "tsc-1", EIGHT - timedelta(hours=1), at, None, None)
    return replace(base, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quiet_s", "level"),
    [(5, Level.GOOD), (90, Level.BETWEEN), (180, Level.BAD), (None, Level.BAD)],
)
def test_a_controller_is_silent_after_three_minutes_and_back_within_one(
    quiet_s: float | None, level: Level
) -> None:
    found = {each.code: each for each in alarms.of_reporters([heard(quiet_s)], EIGHT)}
    assert found[Code.CONTROLLER_SILENT].level is level
    assert found[Code.CLOCK_AHEAD].level is Level.GOOD


def test_a_clock_that_is_ahead_is_told_while_rows_are_refused_for_it() -> None:
    ahead = heard(5, refused_at=EIGHT - timedelta(minutes=1), refused_reason="future")
    late = replace(ahead, refused_at=EIGHT - timedelta(minutes=11))
    other = replace(ahead, refused_reason="code")
    levels = [
        next(e.level for e in alarms.of_reporters([each], EIGHT) if e.code is Code.CLOCK_AHEAD)
        for each in (ahead, late, other)
    ]
    assert levels == [Level.BAD, Level.GOOD, Level.GOOD]


def row(
    state: State, *, number: int = 0, vehicles: int | None = 9, held_s: float = 60
) -> DetectorBin:
    return DetectorBin(1, 5, EIGHT + number * BIN, state, vehicles, held_s, EIGHT, EIGHT, 0.0)


def test_a_detector_is_sound_again_after_two_bins_of_another_state() -> None:
    def level(*states: State) -> Level:
        rows = [row(each, number=n) for n, each in enumerate(states)]
        found = alarms.of_detectors({("J01", 5): rows}, {})
        return next(each.level for each in found if each.code is Code.DETECTOR_STUCK)

    assert level(State.STUCK) is Level.BAD
    assert level(State.STUCK, State.OK) is Level.BETWEEN
    assert level(State.OK, State.OK) is Level.GOOD
    assert level(State.OK, State.UNKNOWN) is Level.BETWEEN
    assert level(State.OK) is Level.BETWEEN


def test_a_green_fails_by_half_of_its_cycles_and_only_by_detectors_that_are_believed() -> None:
    def level(cycles: int, failures: int, evidence: Level = Level.GOOD) -> Level:
        quarter = PhaseQuarter("J01", 1, EIGHT, cycles, failures, evidence)
        return alarms.of_phases([quarter])[0].level

    assert level(9, 5) is Level.BAD
    assert level(9, 4) is Level.BETWEEN
    assert level(9, 2) is Level.GOOD
    assert level(3, 3) is Level.BETWEEN
    assert level(9, 9, Level.BETWEEN) is Level.BETWEEN
    # Said by a detector that turned out to be broken: taken back.
    assert level(9, 9, Level.BAD) is Level.GOOD
    assert level(0, 0) is Level.GOOD


def test_a_detector_that_may_be_stuck_is_no_evidence_and_a_broken_one_is_against_it() -> None:
    loose = replace(row(State.OK, number=2), held_since=None)
    held = replace(loose, held_since=EIGHT - BIN)
    assert alarms.evidence([[loose], [loose]], EIGHT) is Level.GOOD
    assert alarms.evidence([[loose], [held]], EIGHT) is Level.BETWEEN
    assert alarms.evidence([[loose], []], EIGHT) is Level.BETWEEN
    assert alarms.evidence([[row(State.UNKNOWN)], [row(State.STUCK)]], EIGHT) is Level.BAD


def test_a_queue_upstream_needs_two_bins_and_vehicles_that_pass() -> None:
    def level(*rows: DetectorBin) -> Level:
        found = alarms.of_queues({("J01", 5): rows}, [("J01", 5)], {})
        return found[0].level

    full, free = row(State.OK, held_s=200), row(State.OK, held_s=80)
    assert level(full, full) is Level.BAD
    assert level(free, full) is Level.BETWEEN
    assert level(free, free) is Level.GOOD
    standing = row(State.OK, held_s=300, vehicles=0)
    assert level(standing, standing) is Level.BETWEEN
    assert level(row(State.STUCK, held_s=300), row(State.STUCK, held_s=300)) is Level.BETWEEN


def test_outcomes_of_plans_and_flashing_are_alarms_until_they_are_over() -> None:
    levels = [
        alarms.of_plans([SentPlan("J01", status, EIGHT, "asked")])[0].level
        for status in ("reverted", "unknown", "sending", "superseded", "active")
    ]
    assert levels == [Level.BAD, Level.BAD, Level.BETWEEN, Level.BETWEEN, Level.GOOD]
    flashing = alarms.of_flashing({"J01": (EIGHT, 6), "J02": (EIGHT, 2)})
    assert [each.level for each in flashing] == [Level.BAD, Level.GOOD]


@pytest.mark.parametrize("code", list(Code))
def test_every_alarm_is_said_whole_in_both_languages(code: Code) -> None:
    facts = {
        "device": "tsc-1",
        "cycles": "9",
        "failures": "5",
        "phase_name": "north",
        "serves": "north",
        "status": "reverted",
        "step": "taken back",
    }
    for each in (facts, {}, facts | {"imputed": "22", "source": "siblings"}):
        for said in words(code, "5", 0.5, each):
            assert all(said)
            assert not any("{" in part for part in said)
