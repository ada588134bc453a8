"""The stages that lie ahead and their greens, and how green goes from some of them to another.

Every act keeps the time until the last of them ends, so that a signal is back in step with its
street by then: what one stage gets, others give, none below its least green.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from signals.rules.control.stages import StageSet


@dataclass(frozen=True, slots=True)
class Slot:
    """A stage's green in a cycle."""

    stage: int
    green_s: float
    planned_s: float
    """By the plan; 0 of a stage that was inserted."""
    cycle: int
    least_s: float
    """Nobody takes more of it."""


Schedule = tuple[Slot, ...]
"""In order, the first of them running."""


@dataclass(frozen=True, slots=True)
class Span:
    """When a stage is green."""

    stage: int
    start_s: float
    end_s: float


def spans_of(stages: StageSet, schedule: Schedule, since_s: float) -> tuple[Span, ...]:
    """Give when each stage is green.

    Parameters
    ----------
    stages : StageSet
    schedule : Schedule
    since_s : float
        When the first one's green began or begins.
    """
    found, at_s = [], since_s
    for place, slot in enumerate(schedule):
        if place:
            at_s += stages.change_s(schedule[place - 1].stage, slot.stage)
        found.append(Span(slot.stage, at_s, at_s + slot.green_s))
        at_s += slot.green_s
    return tuple(found)


def whole_s(stages: StageSet, schedule: Schedule) -> float:
    """Give the time from the first green's start to the last one's end."""
    return spans_of(stages, schedule, 0.0)[-1].end_s


def given(
    schedule: Schedule, places: Sequence[int], seconds_s: float, first: Sequence[int] = ()
) -> Schedule | None:
    """Take seconds from some greens, a second at a time from whichever has the most to spare.

    Parameters
    ----------
    schedule : Schedule
    places : Sequence of int
        Who may give.
    seconds_s : float
    first : Sequence of int
        Of them, those who give before the others.

    Returns
    -------
    Schedule or None
        None where they have not so much.
    """
    spare = {place: schedule[place].green_s - schedule[place].least_s for place in places}
    taken = dict.fromkeys(places, 0.0)
    left_s = seconds_s
    while left_s > 1e-9:  # noqa: PLR2004 - of sums of seconds
        now = [each for each in first if spare.get(each, 0.0) > 0] or list(spare)
        if not now:
            return None
        most = max(now, key=lambda each: (spare[each], -each))
        step_s = min(1.0, left_s, spare[most])
        if step_s <= 0:
            return None
        spare[most] -= step_s
        taken[most] += step_s
        left_s -= step_s
    return _changed(schedule, {place: -each for place, each in taken.items()})


def extended(schedule: Schedule, place: int, by_s: float) -> Schedule | None:
    """Let a green last longer; those after it give."""
    after = range(place + 1, len(schedule))
    found = given(schedule, after, by_s, _same(schedule, after, schedule[place].stage))
    return None if found is None else _changed(found, {place: by_s})


def brought_forward(schedule: Schedule, place: int, by_s: float) -> Schedule | None:
    """Let a green begin sooner and end when it would have; those before it give."""
    found = given(schedule, range(place), by_s)
    return None if found is None else _changed(found, {place: by_s})


def moved_up(schedule: Schedule, place: int, by_s: float) -> Schedule | None:
    """Let a green begin and end sooner; those before it give, and get it back the next time."""
    found = given(schedule, range(place), by_s)
    if found is None:
        return None
    back: dict[int, float] = {}
    for each in range(place):
        lost_s = schedule[each].green_s - found[each].green_s
        again = next(
            (
                after
                for after in range(place + 1, len(schedule))
                if schedule[after].stage == schedule[each].stage
            ),
            None,
        )
        if lost_s > 0 and again is None:
            return None
        if again is not None:
            back[again] = back.get(again, 0.0) + lost_s
    return _changed(found, back)


def new_slot(stages: StageSet, after: Slot, stage: int, green_s: float) -> Slot:
    """Give a green that no plan has, in the cycle of the one that it follows."""
    return Slot(stage, green_s, 0.0, after.cycle, stages.stages[stage].least_s)


def inserted(
    stages: StageSet, schedule: Schedule, place: int, new: Slot, cut_s: float
) -> Schedule | None:
    """Cut a green short by some seconds and put another after it.

    Those that follow give what that and the changes take more than the cut; None where they cannot,
    or where the stages must not follow each other.
    """
    if place + 1 >= len(schedule):
        return None
    here, following = schedule[place], schedule[place + 1]
    pairs = (here.stage, new.stage), (new.stage, following.stage)
    if any(one == other or (one, other) not in stages.changes for one, other in pairs):
        return None
    more_s = sum(stages.change_s(*pair) for pair in pairs)
    more_s += new.green_s - cut_s - stages.change_s(here.stage, following.stage)
    if here.green_s - cut_s < here.least_s:
        return None
    cut = _changed(schedule, {place: -cut_s})
    after = range(place + 1, len(schedule))
    found = (
        given(cut, after, more_s, _same(schedule, after, new.stage))
        if more_s >= 0
        else _changed(cut, {place + 1: -more_s})
    )
    if found is None:
        return None
    return (*found[: place + 1], new, *found[place + 1 :])


def released(schedule: Schedule, elapsed_s: float) -> Schedule:
    """Give back what the running green was given beyond its plan and has not used.

    It goes to those who gave and are still to come; what they cannot take stays where it is.
    """
    running = schedule[0]
    keep_s = max(running.planned_s, running.least_s, elapsed_s)
    over_s = running.green_s - keep_s
    owed = {
        place: slot.planned_s - slot.green_s
        for place, slot in enumerate(schedule)
        if place and slot.planned_s > slot.green_s
    }
    back_s = min(over_s, sum(owed.values()))
    if back_s <= 0:
        return schedule
    changes = _shared(owed, back_s)
    return _changed(schedule, {0: -sum(changes.values()), **changes})


def repaid(schedule: Schedule, balance: Mapping[int, float], share: float) -> Schedule:
    """Let stages that had more than their plan give it back to those that had less.

    Parameters
    ----------
    schedule : Schedule
        The green that runs and those that follow; of its cycle alone.
    balance : Mapping
        By stage, seconds of green beyond its plan, negative where it lost some.
    share : float
        Of what a green has above its least, so much goes back in one cycle.
    """
    last = schedule[0].cycle
    owes, owed = {}, {}
    for place, slot in enumerate(schedule):
        if slot.cycle != last:
            continue
        each = balance.get(slot.stage, 0.0)
        if each > 0:
            owes[place] = min(each, share * max(slot.green_s - slot.least_s, 0.0))
        elif each < 0:
            owed[place] = -each
    amount_s = float(int(min(sum(owes.values()), sum(owed.values()))))
    if amount_s < 1:
        return schedule
    changes = _shared(owed, amount_s)
    for place, each in _shared(owes, amount_s).items():
        changes[place] = -each
    return _changed(schedule, changes)


def _shared(parts: Mapping[int, float], total_s: float) -> dict[int, float]:
    """Share seconds out, a second at a time to whom the most is due."""
    left, found = dict(parts), dict.fromkeys(parts, 0.0)
    while total_s > 1e-9 and left:  # noqa: PLR2004 - of sums of seconds
        most = max(left, key=lambda each: (left[each], -each))
        step_s = min(1.0, total_s, left[most])
        if step_s <= 0:
            break
        found[most] += step_s
        left[most] -= step_s
        total_s -= step_s
    return found


def _same(schedule: Schedule, places: Sequence[int], stage: int) -> list[int]:
    """Give the places of a stage: what it gets now it gives first later."""
    return [place for place in places if schedule[place].stage == stage]


def _changed(schedule: Schedule, by_s: Mapping[int, float]) -> Schedule:
    return tuple(
        replace(slot, green_s=slot.green_s + by_s[place]) if by_s.get(place) else slot
        for place, slot in enumerate(schedule)
    )
