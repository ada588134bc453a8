"""What one more word about a lane does: a pure step from state to state, with its effects.

Three laws hold whatever is told, in whatever order (`tests/parking/lanes`): a barrier goes up only
for a vehicle that the rules know and let through, for the desk, for fire, or off somebody beneath
it; it comes down only where the loop beneath it is known to feel nothing; and a vehicle has one
passage at most.

Two loops tell a passage from backing out as a pair of contacts tells which way a wheel turns: on
the first, on both, on the second alone, on neither is a passage. One sequence means two things: if
the first loop feels something again while a vehicle is on the second, either that one rolls back or
another follows it closely. The camera tells which; where it does not, a person is asked.
"""

from dataclasses import replace
from typing import Final

from parking.rules.lanes.model import (
    DEFAULT_POLICY,
    AlarmKind,
    Ask,
    Backed,
    Barrier,
    BarrierMoved,
    Decided,
    Event,
    Grant,
    LanePolicy,
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
    Show,
    Stepped,
    Ticked,
    Vehicle,
    Verdict,
    Way,
    Words,
)
from parking.rules.lanes.turn import Turn, through

_MOVES: Final = (LiftBarrier, LowerBarrier, Show)
"""What is of no use to history."""


def step(
    way: Way,
    state: LaneState,
    event: Event,
    policy: LanePolicy = DEFAULT_POLICY,
    *,
    live: bool = True,
) -> Stepped:
    """Take one more word about a lane.

    Parameters
    ----------
    way : Way
        Of the lane.
    state : LaneState
        As the words before left it.
    event : Event
        In the order in which the lane told them.
    policy : LanePolicy
    live : bool
        False for what is told so late that it is history: passages follow from it, and nothing
        moves, is shown, or is asked for.

    Returns
    -------
    Stepped
        For an `Ask` among the effects the caller hands in a `Decided`, at once or later.
    """
    turn = _Turn(way, state, event.at, policy, live=live)
    turn.take(event)
    effects = turn.effects
    if not live:
        effects = [each for each in effects if not isinstance(each, _MOVES)]
    return Stepped(replace(turn.state, at=max(event.at, state.at or event.at)), tuple(effects))


class _Turn(Turn):
    """One step: what a word means for who stands, drives and waits in the lane."""

    def take(self, event: Event) -> None:
        if isinstance(event, LoopChanged):
            self._loop(event)
        elif isinstance(event, PlateSeen):
            self._seen(event.seen)
        elif isinstance(event, BarrierMoved):
            self._barrier(event.barrier)
        elif isinstance(event, Decided):
            self._decided(event)
        elif isinstance(event, Restarted):
            self._restarted()
        elif isinstance(event, Ticked):
            self._tick()
        else:
            self._person(event)

    # The ground. ------------------------------------------------------------------------

    def _loop(self, event: LoopChanged) -> None:
        was = self.state.approach if event.loop is Loop.APPROACH else self.state.beneath
        if was is event.on:
            return
        if event.loop is Loop.APPROACH:
            self._set(approach=event.on)
            if event.on:
                self._arrives()
            else:
                self._leaves_approach()
        else:
            self._set(beneath=event.on)
            if event.on:
                self._goes_beneath()
            else:
                self._clears_barrier()

    def _arrives(self) -> None:
        if self.state.waiting is not None:
            return
        passing = self.state.passing
        if passing is not None and passing.wrong_way:
            return  # it comes out backwards, over the loop where others come in
        number = self.state.last_number + 1
        # Not said in the same breath as a loop that feels nobody knows what.
        vehicle = Vehicle(number, self._at, doubtful=passing is not None)
        self._set(waiting=vehicle, last_number=number)
        expected = self.state.expected
        self._set(expected=None)
        if expected is not None and self._at - expected.at <= self._policy.expects_for:
            self._seen(expected)
        elif passing is None:
            self._show(Words.WAIT)

    def _leaves_approach(self) -> None:
        waiting, passing = self.state.waiting, self.state.passing
        if waiting is None:
            if passing is not None and passing.wrong_way and self.state.beneath is False:
                self._set(passing=None)
            return
        if self.state.beneath:
            if waiting.doubtful:
                # It rolled back and forth, or two cars drive as one: the one beneath is known.
                self._set(waiting=None)
                self._unclear(waiting)
                return
            if passing is not None:
                self._passed(passing)
            self._set(waiting=None, passing=self._under(waiting))
            return
        self._set(waiting=None)
        if self.state.beneath is None:
            self._unclear(waiting)
        elif not self._settle_unclear(waiting):
            self.effects.append(Backed(waiting, self._at))
        self._end_alarm(AlarmKind.CALLED)
        self._close()

    def _goes_beneath(self) -> None:
        waiting = self.state.waiting
        if waiting is not None and self.state.passing is None:
            self._set(waiting=self._under(waiting))
        elif waiting is None and self.state.passing is None:
            self._from_behind()
        if self.state.lowered_at is not None and self.state.barrier is not Barrier.DOWN:
            self._lift(Lift.SAFETY)

    def _from_behind(self) -> None:
        """Something is beneath that did not come over the loop before."""
        number = self.state.last_number + 1
        known = self.state.approach is False
        grant = through(self.state, Vehicle(number, self._at))
        vehicle = Vehicle(number, self._at, grant=grant, entered=True, wrong_way=known)
        self._set(passing=vehicle, last_number=number)
        if not known:
            return
        if self.state.barrier is Barrier.DOWN:
            self._alarm(AlarmKind.FORCED, vehicle)
        else:
            self._alarm(AlarmKind.WRONG_WAY, vehicle)

    def _clears_barrier(self) -> None:
        waiting, passing = self.state.waiting, self.state.passing
        if passing is None:
            if waiting is not None and waiting.entered:
                self._set(waiting=replace(waiting, entered=False))
        elif passing.wrong_way:
            self._set(passing=None)
        else:
            self._set(passing=None)
            if waiting is not None and waiting.doubtful:
                self._doubt(passing, waiting)
            else:
                self._passed(passing)
        self._close()

    def _doubt(self, passing: Vehicle, waiting: Vehicle) -> None:
        """Say who of the two it is: one loop feels somebody, the other nobody."""
        self._settle_unclear(waiting)
        if waiting.key is None or passing.key is None:
            self._set(unclear=passing, waiting=replace(waiting, doubtful=False))
        elif waiting.key == passing.key:
            self._set(waiting=replace(passing, entered=False))
        else:
            self._set(waiting=replace(waiting, doubtful=False))
            self._passed(passing)

    def _under(self, vehicle: Vehicle) -> Vehicle:
        """Give a vehicle that drives under the barrier, with whoever let it."""
        if vehicle.doubtful:
            return vehicle
        grant = through(self.state, vehicle)
        if vehicle.grant is None and self.state.lifted_for is not None and grant is not None:
            self._set(lifted_for=None)
        told = replace(vehicle, entered=True, grant=grant)
        if grant is None and not vehicle.alarmed:
            down = self.state.barrier is Barrier.DOWN
            self._alarm(AlarmKind.FORCED if down else AlarmKind.TAILGATING, told)
            told = replace(told, alarmed=True)
        return told

    def _passed(self, vehicle: Vehicle) -> None:
        self.effects.append(Passed(vehicle, self._at))
        self._end_alarm(AlarmKind.CALLED)
        if vehicle.key is None:
            self._alarm(AlarmKind.UNREAD, vehicle)

    # The camera. ------------------------------------------------------------------------

    def _seen(self, seen: Seen) -> None:
        waiting, passing = self.state.waiting, self.state.passing
        if waiting is None:
            if passing is not None and passing.key is None and not passing.wrong_way:
                self._set(passing=replace(passing, seen=seen))
            elif passing is None or seen.key != passing.key:
                self._set(expected=seen)
            return
        if waiting.doubtful and passing is not None and seen.key is not None:
            if seen.key == passing.key:
                return  # the one beneath, rolling back
            waiting = replace(waiting, doubtful=False)
        better = waiting.seen is None or _worth(seen) > _worth(waiting.seen)
        changed = better and seen.key != waiting.key
        if better:
            waiting = replace(waiting, seen=seen)
        self._set(waiting=waiting)
        self._resolve_unclear()
        waiting = self.state.waiting or waiting
        if waiting.key is None:
            self._hint()
        elif waiting.grant is None and (changed or waiting.verdict is None):
            self._ask()

    def _hint(self) -> None:
        waiting = self.state.waiting
        if waiting is not None and not waiting.hinted:
            self._set(waiting=replace(waiting, hinted=True))
            self._show(Words.NO_PLATE)

    def _resolve_unclear(self) -> None:
        """Say what became of the one before, now that the one who stands there was read."""
        unclear, waiting = self.state.unclear, self.state.waiting
        if unclear is None or waiting is None or waiting.key is None or unclear.key is None:
            return
        self._set(unclear=None)
        if unclear.key == waiting.key:
            # It never left: it is the vehicle that it was.
            self._set(waiting=replace(unclear, seen=waiting.seen, entered=False, alarmed=False))
        else:
            self._passed(unclear)

    def _settle_unclear(self, waiting: Vehicle) -> bool:
        """Leave it to a person what became of the one before; True where it was this one."""
        unclear = self.state.unclear
        if unclear is None:
            return False
        self._set(unclear=None)
        self._unclear(unclear)
        # Nobody read who stood there: the two may be one.
        return waiting.key is None

    def _unclear(self, vehicle: Vehicle) -> None:
        self._alarm(AlarmKind.UNCLEAR, vehicle)

    # The rules. -------------------------------------------------------------------------

    def _ask(self) -> None:
        waiting = self.state.waiting
        if waiting is None or waiting.key is None or not self._live:
            return
        waiting = replace(waiting, asked_at=self._at)
        self._set(waiting=waiting)
        self.effects.append(Ask(waiting))

    def _decided(self, event: Decided) -> None:
        waiting = self.state.waiting
        if waiting is None or waiting.number != event.number or waiting.grant is not None:
            return
        before = waiting.verdict
        self._set(waiting=replace(waiting, verdict=event.verdict))
        seen = waiting.seen
        if event.verdict is Verdict.OPEN and seen is not None and seen.key:
            self._set(waiting=replace(waiting, verdict=event.verdict, grant=Grant.RULES))
            self._show(Words.WELCOME if self._way is Way.ENTRY else Words.GOODBYE)
            self._lift(Lift.RULES)
        elif event.verdict is Verdict.ASK:
            if before is not Verdict.ASK:
                self._show(Words.PAY)
        elif not waiting.doubtful:
            self._call()

    # Time. ------------------------------------------------------------------------------

    def _tick(self) -> None:
        if not self._live:
            return
        self._tick_waiting()
        state, policy = self.state, self._policy
        if state.expected is not None and self._at - state.expected.at > policy.expects_for:
            self._set(expected=None)
        if state.up_since_at is None or state.fire or state.held or state.beneath is not False:
            return
        if self._at - state.up_since_at < policy.left_up_after:
            return
        self._stand(AlarmKind.LEFT_UP)
        waits = state.waiting is not None and state.waiting.grant is not None
        due = state.lowered_at is None or self._at - state.lowered_at >= policy.lowers_again
        if due and not waits and state.passing is None:
            self._set(lifted_for=None)
            self._lower()

    def _tick_waiting(self) -> None:
        waiting, policy = self.state.waiting, self._policy
        if waiting is None or waiting.grant is not None or waiting.doubtful:
            return
        stood = self._at - waiting.since_at
        if waiting.key is None:
            if stood >= policy.no_plate_after:
                self._hint()
        elif waiting.verdict is not Verdict.OPEN and (
            waiting.asked_at is None or self._at - waiting.asked_at >= policy.asks_again
        ):
            self._ask()
        # Who is asked for money is being served: it is not the desk that they wait for.
        if stood >= policy.calls_after and waiting.verdict is not Verdict.ASK:
            self._call()

    def _restarted(self) -> None:
        """Forget where everything is; whoever was in the lane is for a person to tell."""
        for vehicle in (self.state.unclear, self.state.passing, self.state.waiting):
            if vehicle is not None and (vehicle.entered or vehicle.grant is not None):
                self._unclear(vehicle)
            elif vehicle is not None and vehicle.key is not None:
                self.effects.append(Backed(vehicle, self._at))
        self._end_alarm(AlarmKind.CALLED)
        self.state = replace(
            LaneState(),
            at=self.state.at,
            last_number=self.state.last_number,
            fire=self.state.fire,
            held=self.state.held,
            alarms=self.state.alarms,
        )
        self._reopen()


def _worth(seen: Seen) -> tuple[bool, int]:
    return seen.key is not None, seen.certainty
