"""Laws of the lane, whatever is told; and passages against cars that really drive through one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking.rules.lanes.machine import step
from parking.rules.lanes.model import (
    Alarm,
    AlarmKind,
    Ask,
    Backed,
    Barrier,
    BarrierMoved,
    Called,
    Decided,
    DeskHeld,
    DeskLifted,
    DeskLowered,
    Event,
    FireChanged,
    LaneState,
    Lift,
    LiftBarrier,
    Loop,
    LoopChanged,
    LowerBarrier,
    Passed,
    PlateSeen,
    Restarted,
    Seen,
    Ticked,
    Verdict,
    Way,
)
from parking.rules.lanes.turn import through

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parking.rules.lanes.model import Effect

    # What makes a word about a lane, and how many seconds after the one before.
    Timed = tuple[Callable[[datetime], Event], int]

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
KEYS = ("car-a", "car-b", None)

ways = st.sampled_from(list(Way))
words = st.one_of(
    st.builds(
        lambda loop, on: lambda at: LoopChanged(at, loop, on),
        st.sampled_from(list(Loop)),
        st.booleans(),
    ),
    st.builds(
        lambda key, sure: lambda at: PlateSeen(at, Seen(f"r-{at}", key, sure, at)),
        st.sampled_from(KEYS),
        st.integers(0, 1000),
    ),
    st.builds(lambda barrier: lambda at: BarrierMoved(at, barrier), st.sampled_from(list(Barrier))),
    st.builds(
        lambda number, verdict: lambda at: Decided(at, number, verdict),
        st.integers(1, 6),
        st.sampled_from(list(Verdict)),
    ),
    st.builds(lambda on: lambda at: FireChanged(at, on), st.booleans()),
    st.sampled_from((DeskLifted, DeskLowered, DeskHeld, Called, Restarted, Ticked)),
)
told = st.lists(st.tuples(words, st.integers(0, 12)), max_size=40)


def tell(
    way: Way, events: Sequence[Event], *, live: bool = True
) -> list[tuple[LaneState, Event, tuple[Effect, ...]]]:
    """Give the state before each event, the event and what followed."""
    state, found = LaneState(), []
    for event in events:
        done = step(way, state, event, live=live)
        found.append((state, event, done.effects))
        state = done.state
    return found


def at_times(chosen: Sequence[Timed]) -> list[Event]:
    at, events = NINE, []
    for make, later_s in chosen:
        at += timedelta(seconds=later_s)
        events.append(make(at))
    return events


@settings(max_examples=400)
@given(ways, told)
def test_a_barrier_goes_up_for_the_known_the_desk_fire_or_off_somebody_alone(
    way: Way, chosen: list[Timed]
) -> None:
    state, held, opened = LaneState(), False, set[int]()
    for event in at_times(chosen):
        before = state
        done = step(way, state, event)
        state = done.state
        if isinstance(event, DeskHeld | DeskLowered):
            held = isinstance(event, DeskHeld)
        waiting = before.waiting
        if (
            isinstance(event, Decided)
            and event.verdict is Verdict.OPEN
            and waiting is not None
            and event.number == waiting.number
            and waiting.key is not None
        ):
            opened.add(event.number)
        for effect in done.effects:
            if not isinstance(effect, LiftBarrier):
                continue
            if effect.because is Lift.RULES:
                assert state.waiting is not None
                assert state.waiting.number in opened
            elif effect.because is Lift.DESK:
                assert isinstance(event, DeskLifted) or held
            elif effect.because is Lift.FIRE:
                assert state.fire
            else:
                assert state.beneath
                assert before.lowered_at is not None
                assert before.barrier is not Barrier.DOWN


@settings(max_examples=400)
@given(ways, told)
def test_a_barrier_comes_down_only_where_nothing_is_felt_beneath_and_nobody_keeps_it_up(
    way: Way, chosen: list[Timed]
) -> None:
    state = LaneState()
    for event in at_times(chosen):
        done = step(way, state, event)
        state = done.state
        if any(isinstance(each, LowerBarrier) for each in done.effects):
            assert state.beneath is False
            assert not state.fire
            assert not state.held


@settings(max_examples=400)
@given(ways, told, st.booleans())
def test_a_vehicle_has_one_passage_and_one_end(way: Way, chosen: list[Timed], live: bool) -> None:
    passed: list[int] = []
    for _, _, effects in tell(way, at_times(chosen), live=live):
        passed += [each.vehicle.number for each in effects if isinstance(each, Passed)]
        passed += [-each.vehicle.number for each in effects if isinstance(each, Backed)]
    assert len({abs(each) for each in passed}) == len(passed)


@settings(max_examples=200)
@given(ways, told)
def test_history_moves_nothing_and_asks_nothing(way: Way, chosen: list[Timed]) -> None:
    for _, _, effects in tell(way, at_times(chosen), live=False):
        assert not [each for each in effects if isinstance(each, LiftBarrier | LowerBarrier | Ask)]


# Cars that really drive. -----------------------------------------------------------------

APPROACH_M = (0.0, 2.0)
BARRIER_M = (4.0, 6.0)
OUT_M = 7.0
STEP_M = 0.5


@dataclass
class Car:
    """A car by where its front is, metres along the lane."""

    key: str
    length_m: float
    front_m: float = -1.0
    read: bool = False
    told: list[str] = field(default_factory=list)

    def over(self, span: tuple[float, float]) -> bool:
        return self.front_m > span[0] and self.front_m - self.length_m < span[1]


@dataclass
class Street:
    """A lane with cars in it, its sensors told to the machine as they change."""

    state: LaneState
    cars: list[Car]
    reads: bool = True
    at: datetime = NINE
    effects: list[Effect] = field(default_factory=list)
    up: bool = False
    through: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def tell(self, event: Event) -> None:
        done = step(Way.ENTRY, self.state, event)
        self.state = done.state
        for effect in done.effects:
            self.effects.append(effect)
            if isinstance(effect, Ask):
                self.tell(Decided(self.at, effect.vehicle.number, Verdict.OPEN))
            elif isinstance(effect, LiftBarrier):
                self.up = True
                self.tell(BarrierMoved(self.at, Barrier.UP))
            elif isinstance(effect, LowerBarrier):
                assert not any(car.over(BARRIER_M) for car in self.cars), "closed on a car"
                self.up = False
                self.tell(BarrierMoved(self.at, Barrier.DOWN))

    def move(self, index: int, by_m: float) -> None:
        """Let a car move if nothing is in its way."""
        if index >= len(self.cars):
            return
        car = self.cars[index]
        front_m = car.front_m + by_m
        if index > 0:
            ahead = self.cars[index - 1]
            front_m = min(front_m, ahead.front_m - ahead.length_m - 0.3)
        if index + 1 < len(self.cars):
            behind = self.cars[index + 1]
            front_m = max(front_m, behind.front_m + car.length_m + 0.3)
        if not self.up and car.front_m <= BARRIER_M[0]:
            front_m = min(front_m, BARRIER_M[0])
        car.front_m = front_m
        self.at += timedelta(milliseconds=200)
        self.feel(car)
        if car.front_m - car.length_m > OUT_M:
            self.through.append(car.key)
            self.cars.remove(car)
        elif car.front_m < -1.5:
            self.gone.append(car.key)
            self.cars.remove(car)

    def feel(self, moved: Car) -> None:
        for loop, span in ((Loop.APPROACH, APPROACH_M), (Loop.BARRIER, BARRIER_M)):
            on = any(car.over(span) for car in self.cars)
            was = self.state.approach if loop is Loop.APPROACH else self.state.beneath
            if on is not was:
                self.tell(LoopChanged(self.at, loop, on))
        # The loop makes the camera look.
        in_sight = APPROACH_M[0] < moved.front_m < BARRIER_M[0]
        seen, moved.read = moved.read, in_sight
        if self.reads and in_sight and not seen:
            self.tell(PlateSeen(self.at, Seen(moved.key, moved.key, 990, self.at)))


def street(*, reads: bool = True) -> Street:
    idle = LaneState(barrier=Barrier.DOWN, approach=False, beneath=False)
    return Street(idle, [], reads=reads)


moves = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from((0.5, 0.5, 1.0, 1.5, -0.5, -1.0))), max_size=120
)


@settings(max_examples=300)
@given(moves, st.lists(st.sampled_from((4.2, 4.8, 5.3)), min_size=3, max_size=3))
def test_every_car_that_the_camera_reads_has_the_passage_it_drove(
    moved: list[tuple[int, float]], lengths: list[float]
) -> None:
    lane = street()
    waiting = [Car(f"car-{n}", length) for n, length in enumerate(lengths)]
    for index, by_m in moved:
        last = lane.cars[-1] if lane.cars else None
        if waiting and (last is None or last.front_m - last.length_m > 0):
            lane.cars.append(waiting.pop(0))
        lane.move(index, by_m)
    # Then all that are left drive on and out.
    for _ in range(200):
        if not lane.cars:
            break
        lane.move(0, STEP_M)
    passed = [each.vehicle.key for each in lane.effects if isinstance(each, Passed)]
    assert not lane.cars
    assert passed == lane.through
    assert not lane.up


def kinds(lane: Street) -> list[AlarmKind]:
    return [each.kind for each in lane.effects if isinstance(each, Alarm) and each.on]


def drive(lane: Street, index: int, to_m: float) -> None:
    """Move a car on, or back, until its front is somewhere."""
    car = lane.cars[index]
    for _ in range(200):
        if car not in lane.cars or abs(car.front_m - to_m) < 0.26:
            return
        lane.move(lane.cars.index(car), STEP_M if car.front_m < to_m else -STEP_M)


def test_a_car_that_reverses_out_has_no_passage_and_the_barrier_comes_down() -> None:
    lane = street()
    lane.cars.append(Car("car-a", 4.5))
    drive(lane, 0, 5.0)
    assert lane.up
    drive(lane, 0, -4.0)
    assert [each for each in lane.effects if isinstance(each, Passed)] == []
    assert [each.vehicle.key for each in lane.effects if isinstance(each, Backed)] == ["car-a"]
    assert not lane.up


def test_a_car_that_nobody_reads_is_told_what_to_do_and_the_desk_is_called() -> None:
    lane = street(reads=False)
    lane.cars.append(Car("car-a", 4.5))
    drive(lane, 0, 2.0)
    lane.at += timedelta(seconds=5)
    lane.tell(Ticked(lane.at))
    assert not lane.up
    lane.at += timedelta(seconds=50)
    lane.tell(Ticked(lane.at))
    assert kinds(lane) == [AlarmKind.CALLED]
    lane.tell(DeskLifted(lane.at))
    drive(lane, 0, 20.0)
    assert (lane.through, lane.up) == (["car-a"], False)
    assert kinds(lane) == [AlarmKind.CALLED, AlarmKind.UNREAD]


def closing_behind(lane: Street) -> None:
    """One car that may pass, and one that may not close behind it."""
    lane.cars.append(Car("car-a", 4.5))
    drive(lane, 0, 5.0)
    lane.cars.append(Car("car-b", 4.5, read=True))


def test_one_that_follows_under_the_same_lift_is_a_tailgater_with_a_passage_of_its_own() -> None:
    lane = street()
    closing_behind(lane)
    lane.tell(PlateSeen(lane.at, Seen("b", "car-b", 990, lane.at)))  # expected, and then felt
    while len(lane.cars) > 1 or lane.cars[0].front_m < 20:
        for index in range(len(lane.cars)):
            lane.move(index, STEP_M)
        if not lane.cars:
            break
    assert [each.vehicle.key for each in lane.effects if isinstance(each, Passed)] == lane.through
    assert lane.through == ["car-a", "car-b"]


@pytest.mark.parametrize("known", [True, False])
def test_a_tailgater_that_the_rules_refuse_is_told_whoever_it_is(known: bool) -> None:
    state = LaneState(barrier=Barrier.UP, approach=False, beneath=True, up_since_at=NINE)
    first = step(
        Way.EXIT, replace(state, beneath=False), LoopChanged(NINE, Loop.APPROACH, on=True)
    ).state
    first = step(Way.EXIT, first, PlateSeen(NINE, Seen("r", "a", 990, NINE))).state
    first = step(Way.EXIT, first, Decided(NINE, 1, Verdict.OPEN)).state
    first = step(Way.EXIT, first, LoopChanged(NINE, Loop.BARRIER, on=True)).state
    first = step(Way.EXIT, first, LoopChanged(NINE, Loop.APPROACH, on=False)).state
    second = step(Way.EXIT, first, LoopChanged(NINE, Loop.APPROACH, on=True)).state
    if known:
        second = step(Way.EXIT, second, PlateSeen(NINE, Seen("s", "b", 990, NINE))).state
        second = step(Way.EXIT, second, Decided(NINE, 2, Verdict.ASK)).state
        done = step(Way.EXIT, second, LoopChanged(NINE, Loop.APPROACH, on=False))
        assert [type(each) for each in done.effects] == [Passed, Alarm]
        done = step(Way.EXIT, done.state, LoopChanged(NINE, Loop.BARRIER, on=False))
        (passed,) = [each for each in done.effects if isinstance(each, Passed)]
        assert (passed.vehicle.key, passed.vehicle.alarmed) == ("b", True)
    else:
        done = step(Way.EXIT, second, LoopChanged(NINE, Loop.APPROACH, on=False))
        assert [each.kind for each in done.effects if isinstance(each, Alarm)] == [
            AlarmKind.UNCLEAR
        ]


def test_fire_lifts_keeps_up_and_lets_down_when_it_is_over() -> None:
    lane = street()
    lane.tell(FireChanged(lane.at, on=True))
    assert lane.up
    lane.cars.append(Car("car-a", 4.5))
    drive(lane, 0, 20.0)
    assert lane.up
    assert lane.through == ["car-a"]
    assert kinds(lane) == [AlarmKind.FIRE]
    lane.tell(FireChanged(lane.at, on=False))
    assert not lane.up


def test_a_barrier_that_stays_up_is_told_and_lowered_again() -> None:
    state = LaneState(barrier=Barrier.UP, approach=False, beneath=False, up_since_at=NINE)
    done = step(Way.ENTRY, state, Ticked(NINE + timedelta(seconds=41)))
    assert [type(each) for each in done.effects] == [Alarm, LowerBarrier]
    again = step(Way.ENTRY, done.state, Ticked(NINE + timedelta(seconds=43)))
    assert again.effects == ()
    later = step(Way.ENTRY, again.state, Ticked(NINE + timedelta(seconds=52)))
    assert [type(each) for each in later.effects] == [LowerBarrier]
    over = step(Way.ENTRY, later.state, BarrierMoved(NINE + timedelta(seconds=53), Barrier.DOWN))
    assert over.effects == (Alarm(AlarmKind.LEFT_UP, on=False),)


def test_a_lift_by_hand_is_told_and_lets_who_stands_there_through() -> None:
    lane = street(reads=False)
    lane.cars.append(Car("car-a", 4.5))
    drive(lane, 0, 2.0)
    lane.up = True
    lane.tell(BarrierMoved(lane.at, Barrier.UP))
    drive(lane, 0, 20.0)
    assert kinds(lane) == [AlarmKind.LIFTED_LOCALLY, AlarmKind.UNREAD]


def test_the_wrong_way_is_told_and_is_nobodys_passage() -> None:
    state = LaneState(barrier=Barrier.UP, approach=False, beneath=False)
    events = (
        LoopChanged(NINE, Loop.BARRIER, on=True),
        LoopChanged(NINE, Loop.APPROACH, on=True),
        LoopChanged(NINE, Loop.BARRIER, on=False),
        LoopChanged(NINE, Loop.APPROACH, on=False),
    )
    effects: list[Effect] = []
    for event in events:
        done = step(Way.ENTRY, state, event)
        state = done.state
        effects += done.effects
    alarms = [each.kind for each in effects if isinstance(each, Alarm)]
    assert alarms == [AlarmKind.WRONG_WAY]
    assert [each for each in effects if isinstance(each, Passed)] == []
    assert (state.waiting, state.passing) == (None, None)


def test_what_was_told_late_is_joined_and_by_the_hand_of_the_controller() -> None:
    state = LaneState(barrier=Barrier.DOWN, approach=False, beneath=False)
    events: list[Event] = [
        LoopChanged(NINE, Loop.APPROACH, on=True),
        PlateSeen(NINE, Seen("r", "a", 990, NINE)),
        BarrierMoved(NINE, Barrier.UP),
        LoopChanged(NINE, Loop.BARRIER, on=True),
        LoopChanged(NINE, Loop.APPROACH, on=False),
        LoopChanged(NINE + timedelta(seconds=4), Loop.BARRIER, on=False),
    ]
    effects: list[Effect] = []
    for event in events:
        done = step(Way.EXIT, state, event, live=False)
        state = done.state
        effects += done.effects
    (passed,) = effects
    assert isinstance(passed, Passed)
    assert (passed.at, passed.vehicle.key) == (NINE + timedelta(seconds=4), "a")
    assert passed.vehicle.grant is not None
    assert through(state, passed.vehicle) is passed.vehicle.grant
