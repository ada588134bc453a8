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

Both count for each vehicle the time by which it is put off, less if it is not there yet. Lanes that
are green in both stages are in neither. Whoever gives way starts after the queues that he gives way
to and passes in their gaps; a lane of which some may not go passes only as many as come before the
first of those; a lane into a full road passes nobody.

Source: Laemmer and Helbing, Self-control of traffic lights and vehicle flows in urban road
networks, J. Stat. Mech. (2008) P04019, for (2); (3) and (4) exchange two batches with their set-up
times as it does, vehicle by vehicle. Arrivals are foreseen from upstream detectors as in OPAC
(Gartner 1983) and PRODYN (Henry 1983); gaps as in ``plans.passing``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
Array = npt.NDArray[np.float64]


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
    least_s: Array
    served: Array
    loss_s: Array
    travel_s: Array


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
    return Model(
        goes,
        gives,
        against,
        before,
        change_s,
        np.array([stage.least_s for stage in stages.stages]),
        np.array([lane.served_per_s for lane in lanes]),
        np.array([lane.loss_s for lane in lanes]),
        np.array([lane.travel_s for lane in lanes]),
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """The stage shown against the best other."""

    other: int
    """Of the largest (2) among those that may follow; the one shown where none may."""
    rates: Array
    """(2) by stage; 0 for the one shown."""
    keeps_s: float
    """Largest of (3) less (4): waiting that keeping the green for some time saves."""


def compared(
    model: Model,
    lanes: Sequence[LaneState],
    shown: int,
    now_s: float,
    full: Sequence[bool],
) -> Comparison:
    """Compare the stage shown with the others.

    Parameters
    ----------
    model : Model
    lanes : Sequence of LaneState
    shown : int
        The stage whose green lasts.
    now_s : float
    full : Sequence of bool
        By lane, whether the road that it leads to has no room.

    Notes
    -----
    Cost grows with stages times lanes times the horizon, and with lanes times its square: some
    twenty array operations.
    """
    known, there = _there(model, lanes, now_s)
    served, stays = _served(model, lanes, there, shown, full)
    first_s = model.change_s[shown] + model.least_s
    back_s = model.change_s[:, shown].copy()
    unknown = ~np.isfinite(back_s)
    back_s[unknown] = model.change_s[shown][unknown]
    over_s = _AHEAD[None, :] + back_s[:, None]
    surely = np.minimum(served, known)
    # A stage for nobody but those whom the green shown serves is no choice.
    others = (surely * ~stays[:, :, None]).sum(axis=1)
    due = (_AHEAD[None, :] >= first_s[:, None]) & (others >= _SOMEBODY)
    rates = np.where(due, surely.sum(axis=1) / over_s, 0.0)
    rates[shown] = 0.0
    best: Array = rates.max(axis=1)
    other = int(best.argmax())
    if best[other] <= 0:
        return Comparison(shown, best, math.inf)
    until = int(rates[other].argmax())
    # Who keeps green in both stages is not touched by the choice.
    theirs = np.where(stays[other], 0.0, served[other, :, until])
    gone_s = min(int(over_s[other, until]), HORIZON_S)
    ours = np.where(stays[other][:, None], 0.0, served[shown])
    kept = np.minimum(there[:, None, :gone_s], ours[:, :, None]).sum(axis=(0, 2))
    change_s = int(model.change_s[shown, other])
    waits = np.minimum(there[:, change_s:], theirs[:, None]).sum(axis=0).cumsum()
    longest = len(waits)
    return Comparison(other, best, float((kept[:longest] - waits).max()))


def _served(
    model: Model,
    lanes: Sequence[LaneState],
    there: Array,
    shown: int,
    full: Sequence[bool],
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Give (1) by stage, lane and second, and which lanes simply go on with their green."""
    queue = np.array([lane.queue for lane in lanes])
    flow = np.array([lane.flow_per_s for lane in lanes])
    green_s = np.array([lane.green_s for lane in lanes])
    goes = model.goes > 0
    stays = ((green_s > 0) & goes[shown]) & goes
    change_s = np.where(np.isfinite(model.change_s[shown]), model.change_s[shown], HORIZON_S)
    loss_s = np.where(stays, np.maximum(model.loss_s - green_s, 0.0), model.loss_s)
    start_s = np.where(stays, loss_s, change_s[:, None] + loss_s)
    # Who gives way waits until the queues against him are gone, and then for gaps.
    clear_s = np.where(goes, start_s + queue / model.served, 0.0)
    blocked_s = (model.against * clear_s[:, None, :]).max(axis=2)
    gaps = _gaps(np.einsum("slo,o->sl", model.against, flow))
    held = 1 - (1 - model.gives) ** _HEAD
    start_s = start_s + held * np.maximum(blocked_s - start_s, 0.0)
    headway = (1 - model.gives) / model.served + model.gives / np.minimum(gaps, model.served)
    rate = np.where(goes, 1 / headway, 0.0) * np.where(np.array(full), 0.0, 1.0)
    passed = (_AHEAD - start_s[:, :, None]).clip(0.0) * rate[:, :, None]
    served: Array = np.minimum(np.minimum(passed, there), model.before[:, :, None])
    return served, stays


def _there(model: Model, lanes: Sequence[LaneState], now_s: float) -> tuple[Array, Array]:
    """Give how many of each lane could have been served up to each second ahead.

    First those that are known; then with those to be expected beyond the upstream detectors too.
    """
    found = np.zeros((len(lanes), HORIZON_S))
    for place, lane in enumerate(lanes):
        for at_s, vehicles in lane.coming:
            ahead = min(max(math.ceil(at_s - now_s), 1), HORIZON_S)
            found[place, ahead - 1] += vehicles
        found[place, 0] += lane.queue
    known: Array = found.cumsum(axis=1)
    flow = np.array([lane.flow_per_s for lane in lanes])
    expected: Array = known + flow[:, None] * (_AHEAD - model.travel_s[:, None]).clip(0.0)
    return known, expected


def _gaps(against: Array) -> Array:
    """Give how many pass a second in the gaps of a flow."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = against * np.exp(-against * CRITICAL_GAP_S) / -np.expm1(-against * FOLLOW_UP_S)
    found: Array = np.where(against > _NOBODY, gaps, 1 / FOLLOW_UP_S)
    return np.maximum(found, 0.01)
