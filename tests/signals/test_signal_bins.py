"""Bins of five minutes: what detectors are worth, what stands in their place, how greens do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signals.rules.controllers import cabinet as rules
from signals.rules.controllers.cabinet import Running
from signals.rules.controllers.demonstration import cabinet
from signals.rules.controllers.reporting import events_between
from signals.rules.live.detectors import (
    BIN,
    DetectorBin,
    Pulse,
    Source,
    State,
    fold,
    fold_counts,
    imputed,
)
from signals.rules.live.phases import phase_bins
from signals.rules.measures.events import in_order
from signals.rules.measures.settings import Configuration

EIGHT = datetime(2026, 3, 2, 0, tzinfo=UTC)


def said(*seconds: float, held_s: float = 1) -> list[Pulse]:
    found = []
    for second in seconds:
        at = EIGHT + timedelta(seconds=second)
        found += [Pulse(at, on=True), Pulse(at + timedelta(seconds=held_s), on=False)]
    return found


def folded(
    before: DetectorBin | None,
    pulses: list[Pulse],
    *,
    number: int = 0,
    sending: bool = True,
    expected: float | None = None,
) -> DetectorBin:
    moved = [replace(each, at=each.at + number * BIN) for each in pulses]
    return fold(
        before,
        place=1,
        channel=5,
        from_at=EIGHT + number * BIN,
        pulses=moved,
        sending=sending,
        expected=expected,
    )


def test_a_sound_detector_is_counted_and_believed() -> None:
    made = folded(None, said(10, 20, 250, held_s=2))
    assert (made.state, made.vehicles, made.occupied_s) == (State.OK, 3, 6)
    assert made.usable == 3


def test_a_detector_held_for_half_an_hour_is_stuck_and_let_go_is_sound_again() -> None:
    made = folded(None, [Pulse(EIGHT, on=True)])
    states = [made.state]
    for number in range(1, 7):
        made = folded(made, [], number=number)
        states.append(made.state)
    assert states == [State.OK] * 5 + [State.STUCK] * 2
    assert made.occupied_s == BIN.total_seconds()
    off = [Pulse(EIGHT + timedelta(seconds=3), on=False)]
    assert folded(made, off, number=7).state is State.OK


def test_more_than_vehicles_can_is_chattering() -> None:
    made = folded(None, said(*(60 + n * 0.6 for n in range(92)), held_s=0.1))
    assert (made.state, made.vehicles) == (State.CHATTERING, 92)


def test_silence_is_told_by_what_was_expected_and_not_by_the_hour_alone() -> None:
    busy = quiet = folded(None, said(299))
    told_busy, told_quiet = [], []
    for number in range(1, 40):
        busy = folded(busy, [], number=number, expected=2.0)
        quiet = folded(quiet, [], number=number, expected=0.02)
        told_busy.append(busy.state)
        told_quiet.append(quiet.state)
    # Ten expected vehicles that did not come, and half an hour: the sixth bin ends then.
    assert told_busy.index(State.SILENT) == 5
    assert State.SILENT not in told_quiet
    unknown = folded(None, said(299))
    for number in range(1, 36):
        unknown = folded(unknown, [], number=number)
    assert unknown.state is State.OK
    assert folded(unknown, [], number=36).state is State.SILENT


def test_a_detector_that_was_never_seen_is_silent_after_three_hours_of_its_controller() -> None:
    made = folded(None, [])
    for number in range(1, 35):
        made = folded(made, [], number=number)
    assert made.state is State.OK
    dark = folded(made, [], number=35, sending=False)
    assert folded(dark, [], number=36).state is State.OK
    assert folded(made, [], number=35).state is State.SILENT


def test_nothing_is_said_of_a_detector_whose_controller_is_silent() -> None:
    made = folded(folded(None, said(1)), [], number=1, sending=False, expected=50.0)
    assert (made.state, made.vehicles, made.expected_since_idle) == (State.UNKNOWN, None, 0.0)


def test_a_station_that_counts_is_judged_by_its_counts() -> None:
    made = None
    for number in range(7):
        made = fold_counts(
            made,
            place=1,
            channel=5,
            from_at=EIGHT + number * BIN,
            vehicles=0,
            occupied_s=300.0,
            expected=None,
        )
    assert made is not None
    assert made.state is State.STUCK


def row(channel: int, state: State, vehicles: int | None) -> DetectorBin:
    return DetectorBin(1, channel, EIGHT, state, vehicles, 0.0, None, None, 0.0)


def test_what_stands_for_a_broken_detector_follows_its_siblings_today() -> None:
    past = {(1, n): [10.0, 12.0, 11.0] for n in (1, 2, 3)}
    rows = [row(1, State.STUCK, 0), row(2, State.OK, 22), row(3, State.OK, 22)]
    broken = imputed(rows, past)[0]
    assert (broken.imputed, broken.source, broken.vehicles) == (22.0, Source.SIBLINGS, 0)
    alone = imputed([row(1, State.UNKNOWN, None)], past)[0]
    assert (alone.imputed, alone.source) == (11.0, Source.PAST)
    new = imputed([row(9, State.SILENT, 0)], past)[0]
    assert (new.imputed, new.source, new.usable) == (None, None, None)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from(list(State)), st.integers(0, 99))),
    st.dictionaries(
        st.tuples(st.just(1), st.integers(1, 6)), st.lists(st.floats(0, 99), max_size=5)
    ),
)
def test_what_can_be_believed_is_never_replaced(
    drawn: list[tuple[int, State, int]], past: dict[tuple[int, int], list[float]]
) -> None:
    rows = [row(channel, state, count) for channel, state, count in drawn]
    for before, after in zip(rows, imputed(rows, past), strict=True):
        assert (before.vehicles, before.state) == (after.vehicles, after.state)
        assert (after.imputed is None) is (after.source is None)
        if after.state is State.OK:
            assert after.imputed is None


def test_a_wait_counts_in_the_bin_in_which_it_ends() -> None:
    # Red from 293 s, green again at 330 s; vehicles at 295, 310 and, on green, 340 s.
    told = [(270, 1, 1), (290, 8, 1), (293, 10, 1), (295, 82, 5), (310, 82, 5), (330, 1, 1)]
    told.append((340, 82, 5))
    at_us, code, parameter = (np.array(each, dtype=np.int64) for each in zip(*told, strict=True))
    device = np.zeros(len(told), dtype=np.int64)
    events = in_order(at_us * 1_000_000, device, code, parameter, ["J"])[0]
    uses = Configuration(("J",), (1,), (5,), ("Advance",))
    (before,) = phase_bins(events, uses, 0)
    assert (before.arrivals, before.on_green, before.released) == (1, 0, None)
    (after,) = phase_bins(events, uses, 300_000_000)
    assert (after.arrivals, after.on_green) == (2, 0.5)
    assert (after.released, after.waited_s) == (3, 55)


def test_a_cabinet_tells_its_lamps_by_the_public_code_list() -> None:
    here = cabinet()
    told: list[tuple[int, int, int]] = []
    before = None
    for second in range(101):
        here = rules.step(here)
        told += [(second, *each) for each in events_between(before, here)]
        before = here
    assert told[:2] == [(0, 131, 1), (0, 173, 2)]
    of_one = [(second, code) for second, code, phase in told if phase == 1 and code < 25]
    greens = [second for second, code in of_one if code == 1]
    ends = [second for second, code in of_one if code == 7]
    yellows = [second for second, code in of_one if code == 8]
    reds = [second for second, code in of_one if code == 10]
    assert ends == yellows
    assert all(r - y == 3 for y, r in zip(yellows, reds, strict=False))
    # Its own 30 s, and the fifth of a cycle by which the first green waits to get in step.
    assert yellows[0] - greens[0] == 49
    walked = [code for _, code, phase in told if phase == 5]
    assert walked[:3] == [21, 22, 23]


def test_flashing_is_told_with_its_reason_and_no_lamp_with_it() -> None:
    here = cabinet()
    for _ in range(20):
        here = rules.step(here)
    dark = replace(here, running=Running.FLASHING)
    assert events_between(here, dark) == [(173, 4)]
    assert events_between(dark, replace(here, running=Running.STARTING))[0] == (173, 2)
