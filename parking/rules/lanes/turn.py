"""A step's state as it becomes, and what moves the barrier in it: rules, people, fire."""

from dataclasses import replace
from datetime import datetime

from parking.rules.lanes.model import (
    Alarm,
    AlarmKind,
    Barrier,
    Called,
    DeskHeld,
    DeskLifted,
    DeskLowered,
    Effect,
    Event,
    FireChanged,
    Grant,
    LanePolicy,
    LaneState,
    Lift,
    LiftBarrier,
    LowerBarrier,
    Show,
    Vehicle,
    Way,
    Words,
)


def through(state: LaneState, vehicle: Vehicle) -> Grant | None:
    """Say who lets a vehicle drive beneath the barrier now; None where nobody does."""
    if state.fire:
        return Grant.FIRE
    if state.held:
        return Grant.HELD
    return vehicle.grant or state.lifted_for


class Turn:
    """One step of a lane.

    Parameters
    ----------
    way : Way
    state : LaneState
        As the words before left it.
    at : datetime
        Of the word.
    policy : LanePolicy
    live : bool
        Whether anything may still move.
    """

    def __init__(
        self, way: Way, state: LaneState, at: datetime, policy: LanePolicy, *, live: bool
    ) -> None:
        self.state = state
        self.effects: list[Effect] = []
        self._way = way
        self._at = at
        self._policy = policy
        self._live = live

    # What follows. ----------------------------------------------------------------------

    def _set(self, **members: object) -> None:
        self.state = replace(self.state, **members)  # type: ignore[arg-type]  # checked by tests

    def _show(self, words: Words) -> None:
        self.effects.append(Show(words))

    def _alarm(self, kind: AlarmKind, vehicle: Vehicle | None = None) -> None:
        self.effects.append(Alarm(kind, vehicle=vehicle))

    def _stand(self, kind: AlarmKind, vehicle: Vehicle | None = None) -> None:
        if kind not in self.state.alarms:
            self._set(alarms=self.state.alarms | {kind})
            self._alarm(kind, vehicle)

    def _end_alarm(self, kind: AlarmKind) -> None:
        if kind in self.state.alarms:
            self._set(alarms=self.state.alarms - {kind})
            self.effects.append(Alarm(kind, on=False))

    # The barrier. -----------------------------------------------------------------------

    def _barrier(self, barrier: Barrier) -> None:
        was = self.state.barrier
        self._set(barrier=barrier)
        if barrier is Barrier.UP:
            if not self.state.lift_ordered and was is Barrier.DOWN:
                self._lifted_locally()
            if was is not Barrier.UP:
                self._set(up_since_at=self._at)
                self._close()
        elif barrier is Barrier.MOVING:
            if not self.state.lift_ordered and was is Barrier.DOWN:
                self._lifted_locally()
        elif barrier is Barrier.DOWN:
            self._set(up_since_at=None, lowered_at=None, lift_ordered=False, lifted_for=None)
            self._end_alarm(AlarmKind.LEFT_UP)
            self._reopen()

    def _lifted_locally(self) -> None:
        """Let whoever stands there through by the hand that did it, and have it looked at."""
        waiting = self.state.waiting
        self._set(lift_ordered=True, lowered_at=None)
        if self._live:
            self._alarm(AlarmKind.LIFTED_LOCALLY, waiting)
        if waiting is not None:
            self._set(waiting=replace(waiting, grant=waiting.grant or Grant.LOCAL))
        else:
            self._set(lifted_for=Grant.LOCAL)

    def _reopen(self) -> None:
        """Lift anew where it came down before somebody who may pass."""
        waiting = self.state.waiting
        if self.state.fire:
            self._lift(Lift.FIRE)
        elif self.state.held:
            self._lift(Lift.DESK)
        elif waiting is not None and waiting.grant is Grant.RULES:
            self._lift(Lift.RULES)

    def _lift(self, because: Lift) -> None:
        self._set(lowered_at=None, lift_ordered=True)
        self.effects.append(LiftBarrier(because))

    def _close(self) -> None:
        """Let the barrier come down where nobody is beneath, and nobody may still pass."""
        state = self.state
        may_pass = state.waiting is not None and state.waiting.grant is not None
        if state.beneath is not False or state.fire or state.held or may_pass:
            return
        if state.lifted_for is not None or state.passing is not None:
            return
        if state.barrier is Barrier.DOWN and not state.lift_ordered:
            return
        if state.barrier is Barrier.UNKNOWN:
            return
        self._lower()

    def _lower(self) -> None:
        self._set(lowered_at=self._at)
        self.effects.append(LowerBarrier())

    # People. ----------------------------------------------------------------------------

    def _person(self, event: Event) -> None:
        if isinstance(event, DeskLifted):
            self._desk_lifts()
        elif isinstance(event, DeskHeld):
            self._set(held=True)
            self._end_alarm(AlarmKind.LEFT_UP)
            self._lift(Lift.DESK)
        elif isinstance(event, DeskLowered):
            waiting = self.state.waiting
            if waiting is not None and not waiting.entered:
                self._set(waiting=replace(waiting, grant=None))
            self._set(held=False, lifted_for=None)
            self._close()
        elif isinstance(event, FireChanged):
            self._fire(on=event.on)
        elif isinstance(event, Called):
            self._call()

    def _desk_lifts(self) -> None:
        waiting = self.state.waiting
        if waiting is not None:
            self._set(waiting=replace(waiting, grant=waiting.grant or Grant.DESK))
        else:
            self._set(lifted_for=Grant.DESK)
        self._end_alarm(AlarmKind.CALLED)
        self._lift(Lift.DESK)

    def _fire(self, *, on: bool) -> None:
        if on is self.state.fire:
            return
        self._set(fire=on)
        if on:
            self._stand(AlarmKind.FIRE)
            self._show(Words.FIRE)
            self._lift(Lift.FIRE)
        else:
            self._end_alarm(AlarmKind.FIRE)
            self._close()

    def _call(self) -> None:
        if AlarmKind.CALLED not in self.state.alarms:
            self._stand(AlarmKind.CALLED, self.state.waiting)
            self._show(Words.CALLED)
