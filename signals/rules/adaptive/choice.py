"""Which stage next: the one that brings the most vehicles over the stop line a second.

For every stage i and time T to look ahead, with the change tau_i before its green and what comes
back after it, the vehicles that it serves are

(1)  n_i(T) = sum over lanes of min(A(T), saturation flow x (T - start)),  A: queue and arrivals
(2)  pi_i = max over T of n_i(T) / (T + back_i)

over those T by which it has served somebody whom the stage shown does not; of known vehicles. The
best other stage j is that of the largest pi: serving at the largest rate first makes the
sum of waits least (the c-mu rule). It takes D = T_j + back_j until the stage shown is green again.
Keeping that for a seconds more spares those whom it serves meanwhile the wait (3), and costs those
of j the wait (4); it is kept while some a makes (3) larger than (4).

(3)  sum over its lanes of the integral from 0 to D of min(A(t), n(a)) dt
(4)  sum over j's lanes of the integral from tau_j to tau_j + a of min(A(t), n_j) dt

Both count for each vehicle the time by which it is put off, less if it is not there yet, times the
persons in it where the profile counts persons. People on foot, whom no detector sees, are a lane of
as many as are expected, all of whom go at once. Lanes that
are green in both stages are in neither. Whoever gives way starts after the queues that he gives way
to and passes in their gaps; a lane of which some may not go passes only as many as come before the
first of those; a lane into a full road passes nobody.

Source: Laemmer and Helbing, Self-control of traffic lights and vehicle flows in urban road
networks, J. Stat. Mech. (2008) P04019, for (2); (3) and (4) exchange two batches with their set-up
times as it does, vehicle by vehicle. Arrivals are foreseen from upstream detectors as in OPAC
(Gartner 1983) and PRODYN (Henry 1983); gaps as in ``plans.passing``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from signals.rules.adaptive.lanes import LaneSite, LaneState
from signals.rules.control.stages import StageSet
from signals.rules.plans.passing import CRITICAL_GAP_S, FOLLOW_UP_S

HORIZON_S: Final = 60
"""How far is looked ahead: beyond it a queue of thirty and a queue of forty are the same."""
_AHEAD: Final = np.arange(1.0, HORIZON_S + 1)
_NOBODY: Final = 1e-6
_SOMEBODY: Final = 0.5
"""Vehicles, which are counted in fractions."""
_HEAD: Final = 4
"""Vehicles at a lane's head among which one that gives way holds up the others."""
_STACK: Final = 16
"""Signals in one array: so many that calls cost little, so few that it stays in the cache."""
Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Model:
    """Arrays over stages and lanes, worked out once."""

    goes: Array
    """Share of a lane's traffic that is green in a stage."""
    gives: Array
    """Share of it that gives way there."""
    against: Array
    """Over stages, lanes, lanes: to whom it gives way."""
    before: Array
    """Vehicles of a lane that pass before the first who may not."""
    change_s: Array
    """From stage to stage; infinite where there is no such change."""
    runs_on_s: Array
    """Of it, for how long whoever drives in the old stage still has green."""
    least_s: Array
    served: Array
    loss_s: Array
    travel_s: Array
    persons: Array
    """What a vehicle's wait counts."""


def model_of(
    stages: StageSet, lanes: Sequence[LaneSite], yields: frozenset[tuple[str, str]]
) -> Model:
    """Work the arrays out."""
    count, width = len(stages.stages), len(lanes)
    goes, gives = np.zeros((count, width)), np.zeros((count, width))
    against = np.zeros((count, width, width))
    for place, stage in enumerate(stages.stages):
        for one, lane in enumerate(lanes):
            for group, share in lane.groups:
                if group not in stage.groups:
                    continue
                goes[place, one] += share
                others = [
                    index
                    for index, other in enumerate(lanes)
                    for name, _ in other.groups
                    if name in stage.groups and (group, name) in yields and index != one
                ]
                if group not in stage.protected and others:
                    gives[place, one] += share
                    against[place, one, others] = 1.0
    with np.errstate(divide="ignore"):
        before = np.where(goes < 1 - 1e-6, goes / np.maximum(1 - goes, 1e-6), np.inf)
    change_s = np.full((count, count), np.inf)
    for one, other in stages.changes:
        change_s[one, other] = stages.change_s(one, other)
    np.fill_diagonal(change_s, 0.0)
    runs_on_s = np.zeros((count, count))
    for (one, other), lasts_s in stages.runs_on_s.items():
        runs_on_s[one, other] = lasts_s
    return Model(
        goes,
        gives,
        against,
        before,
        change_s,
        runs_on_s,
        np.array([stage.least_s for stage in stages.stages]),
        np.array([lane.served_per_s for lane in lanes]),
        np.array([lane.loss_s for lane in lanes]),
        np.array([lane.travel_s for lane in lanes]),
        np.array([lane.persons for lane in lanes]),
    )


@dataclass(frozen=True)
class Stack:
    """Models of signals of about the same size, as one with an axis more.

    Stages and lanes that a signal lacks are padded: such a stage may not follow, and serves nobody.
    """

    places: tuple[int, ...]
    """Of the signals among all, in the order of the first axis."""
    model: Model


def stacked(models: Sequence[Model]) -> tuple[Stack, ...]:
    """Stack the models of many signals, so that an array operation serves all of a stack."""
    order = sorted(range(len(models)), key=lambda place: models[place].goes.shape[::-1])
    found = []
    for first in range(0, len(order), _STACK):
        places = tuple(order[first : first + _STACK])
        found.append(Stack(places, _padded([models[place] for place in places])))
    return tuple(found)


def _padded(models: Sequence[Model]) -> Model:
    """Give one model of many."""
    stages = max(model.goes.shape[0] for model in models)
    lanes = max(model.goes.shape[1] for model in models)
    width = {"s": stages, "l": lanes}

    def of(name: str, axes: str, pad: float) -> Array:
        found = np.full((len(models), *(width[axis] for axis in axes)), pad)
        for place, model in enumerate(models):
            each: Array = getattr(model, name)
            found[place][tuple(map(slice, each.shape))] = each
        return found

    return Model(
        goes=of("goes", "sl", 0.0),
        gives=of("gives", "sl", 0.0),
        against=of("against", "sll", 0.0),
        before=of("before", "sl", 0.0),
        change_s=of("change_s", "ss", np.inf),
        runs_on_s=of("runs_on_s", "ss", 0.0),
        least_s=of("least_s", "s", 0.0),
        served=of("served", "l", 1.0),
        loss_s=of("loss_s", "l", 0.0),
        travel_s=of("travel_s", "l", 0.0),
        persons=of("persons", "l", 0.0),
    )


def _rows(model: Model, rows: Places) -> Model:
    """Give the models of some of a stack's signals."""
    if len(rows) == len(model.goes):
        return model
    return Model(**{each.name: getattr(model, each.name)[rows] for each in fields(Model)})


@dataclass(frozen=True, slots=True)
class Question:
    """What one signal asks: whether to keep its green."""

    lanes: Sequence[LaneState]
    shown: int
    """The stage whose green lasts."""
    full: Sequence[bool]
    """By lane, whether the road that it leads to has no room."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The stage shown against the best other."""

    other: int
    """Of the largest (2) among those that may follow; the one shown where none may."""
    rates: Array
    """Over stages: largest (2); 0 for the one shown, and for what the stack is padded with."""
    keeps_s: float
    """Largest of (3) less (4): waiting that keeping the green for some time saves."""


def compared(
    stacks: Sequence[Stack], questions: Mapping[int, Question], now_s: float
) -> dict[int, Comparison]:
    """Compare the stage shown with the others, for every signal that asks.

    Parameters
    ----------
    stacks : Sequence of Stack
    questions : Mapping
        By the signal's place among all.
    now_s : float

    Returns
    -------
    dict
        By the signal's place.

    Notes
    -----
    Cost grows with signals times stages times lanes times the horizon, and with lanes times the
    horizon's square: some twenty array operations a stack.
    """
    found: dict[int, Comparison] = {}
    for stack in stacks:
        asked = [row for row, place in enumerate(stack.places) if place in questions]
        if asked:
            model = _rows(stack.model, np.array(asked))
            told = [questions[stack.places[row]] for row in asked]
            answers = _answered(model, told, now_s)
            found.update(zip((stack.places[row] for row in asked), answers, strict=True))
    return found


def _answered(model: Model, questions: Sequence[Question], now_s: float) -> list[Comparison]:
    every = np.arange(len(questions))
    shown = np.array([each.shown for each in questions])
    believed = _believed(model, questions, now_s)
    served = _served(model, believed, shown)
    change_s = model.change_s[every, shown]
    back_s = model.change_s[every, :, shown]
    back_s = np.where(np.isfinite(back_s), back_s, change_s)
    over_s = _AHEAD + back_s[:, :, None]
    surely = np.minimum(served.vehicles, believed.known[served.signal, served.lane])
    # A stage for nobody but those whom the green shown serves is no choice.
    others = served.by_stage(surely * ~served.stays[:, None])
    due = ((change_s + model.least_s)[:, :, None] <= _AHEAD) & (others >= _SOMEBODY)
    counted = surely * model.persons[served.signal, served.lane][:, None]
    rates = np.where(due, served.by_stage(counted) / over_s, 0.0)
    rates[every, shown] = 0.0
    best: Array = rates.max(axis=2)
    other = best.argmax(axis=1)
    until = rates[every, other].argmax(axis=1)
    gone_s = np.minimum(over_s[every, other, until], HORIZON_S).astype(int)
    # Who keeps green in both stages is not touched by the choice.
    theirs = served.changed_by(other, other)[every, :, until]
    ours = served.changed_by(other, shown)
    waits = (np.minimum(believed.there, theirs[:, :, None]) * model.persons[:, :, None]).sum(axis=1)
    found = []
    for row, question in enumerate(questions):
        if best[row, other[row]] <= 0:
            found.append(Comparison(question.shown, best[row], math.inf))
            continue
        # Lanes that gain nothing by a longer green are left out of the largest array of all.
        gains = ours[row, :, -1] > 0
        soon = believed.there[row, gains, : gone_s[row]]
        spared = np.minimum(soon[:, None], ours[row, gains, :, None]).sum(axis=2)
        kept = model.persons[row, gains] @ spared
        # Whoever drives has so much of the change itself anyway.
        on_s = min(int(model.runs_on_s[row, question.shown, other[row]]), HORIZON_S - 1)
        if on_s > 0:
            kept = kept[on_s:] - kept[on_s - 1]
        costs = waits[row, int(change_s[row, other[row]]) :].cumsum()
        keeps_s = float((kept[: len(costs)] - costs).max())
        found.append(Comparison(int(other[row]), best[row], keeps_s))
    return found


@dataclass(frozen=True)
class _Believed:
    """What is believed about lanes, over signals and lanes."""

    queue: Array
    flow_per_s: Array
    green_s: Array
    full: npt.NDArray[np.bool_]
    known: Array
    """And seconds: how many that are known could have been served up to each."""
    there: Array
    """The same, with those to be expected beyond the upstream detectors too."""


def _believed(model: Model, questions: Sequence[Question], now_s: float) -> _Believed:
    size = model.served.shape
    width = np.array([len(question.lanes) for question in questions])
    these = np.arange(size[1]) < width[:, None]
    told = [lane for question in questions for lane in question.lanes]

    def over(figures: list[float] | list[bool]) -> Array:
        spread = np.zeros(size)
        spread[these] = figures
        return spread

    queue = over([lane.queue for lane in told])
    flow_per_s = over([lane.flow_per_s for lane in told])
    green_s = over([lane.green_s for lane in told])
    full = over([each for question in questions for each in question.full]) > 0
    found = np.zeros((*size, HORIZON_S))
    for row, question in enumerate(questions):
        for place, lane in enumerate(question.lanes):
            for at_s, vehicles in lane.coming:
                ahead = min(max(math.ceil(at_s - now_s), 1), HORIZON_S)
                found[row, place, ahead - 1] += vehicles
    found[:, :, 0] += queue
    known: Array = found.cumsum(axis=2)
    beyond = (_AHEAD - model.travel_s[:, :, None]).clip(0.0)
    there: Array = known + flow_per_s[:, :, None] * beyond
    return _Believed(queue, flow_per_s, green_s, full, known, there)


@dataclass(frozen=True)
class _Served:
    """(1) for each lane of each stage that has green in it: most of them have none."""

    shape: tuple[int, int, int]
    """Signals, stages, lanes."""
    signal: Places
    stage: Places
    lane: Places
    """In the order of the three: a stage's lanes stand together."""
    vehicles: Array
    """And seconds."""
    stays: npt.NDArray[np.bool_]
    """Whether the lane simply goes on with its green."""

    def by_stage(self, figures: Array) -> Array:
        """Add the lanes of each stage up: signals, stages, seconds."""
        signals, stages, _ = self.shape
        place = self.signal * stages + self.stage
        found = np.zeros((signals * stages, HORIZON_S))
        first = np.flatnonzero(np.diff(place, prepend=-1))
        found[place[first]] = np.add.reduceat(figures, first, axis=0)
        return found.reshape(signals, stages, HORIZON_S)

    def changed_by(self, other: Places, stage: Places) -> Array:
        """Give what a stage of each signal serves, but for lanes that go on in the other."""
        signals, _, lanes = self.shape
        found = np.zeros((signals, lanes, HORIZON_S))
        these = self.stage == stage[self.signal]
        found[self.signal[these], self.lane[these]] = self.vehicles[these]
        going = self.stays & (self.stage == other[self.signal])
        found[self.signal[going], self.lane[going]] = 0.0
        return found


def _served(model: Model, believed: _Believed, shown: Places) -> _Served:
    every = np.arange(len(shown))
    goes = model.goes > 0
    stays = ((believed.green_s > 0) & goes[every, shown])[:, None] & goes
    change_s = np.minimum(model.change_s[every, shown], HORIZON_S)[:, :, None]
    loss_s = model.loss_s[:, None]
    rest_s = np.maximum(loss_s - believed.green_s[:, None], 0.0)
    start_s = np.where(stays, rest_s, change_s + loss_s)
    # Who gives way waits until the queues against him are gone, and then for gaps.
    clear_s = np.where(goes, start_s + (believed.queue / model.served)[:, None], 0.0)
    blocked_s = (model.against * clear_s[:, :, None]).max(axis=3)
    gaps = _gaps(np.einsum("jslo,jo->jsl", model.against, believed.flow_per_s))
    held = 1 - (1 - model.gives) ** _HEAD
    start_s = start_s + held * np.maximum(blocked_s - start_s, 0.0)
    slowest = np.minimum(gaps, model.served[:, None])
    headway_s = (1 - model.gives) / model.served[:, None] + model.gives / slowest
    rate = np.where(believed.full[:, None], 0.0, 1 / headway_s)
    signal, stage, lane = green = np.nonzero(goes)
    vehicles = (_AHEAD - start_s[green][:, None]).clip(0.0) * rate[green][:, None]
    np.minimum(vehicles, believed.there[signal, lane], out=vehicles)
    np.minimum(vehicles, model.before[green][:, None], out=vehicles)
    return _Served(goes.shape, signal, stage, lane, vehicles, stays[green])


def _gaps(against: Array) -> Array:
    """Give how many pass a second in the gaps of a flow."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = against * np.exp(-against * CRITICAL_GAP_S) / -np.expm1(-against * FOLLOW_UP_S)
    found: Array = np.where(against > _NOBODY, gaps, 1 / FOLLOW_UP_S)
    return np.maximum(found, 0.01)
