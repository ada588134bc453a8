"""Priority beside adaptive control: its next choice, unless somebody with priority needs another.

The control weighs vehicle-seconds itself, so a request is as many vehicles more as it carries
persons over those of a car, as often as they count. While its stage is shown it is kept for it
where what the vehicle saves, at least the way to the best other stage and back, is worth what
keeping costs; else its stage comes next as soon as the vehicle would have to slow down for it. An
emergency vehicle is worth any cost. Least greens, people on foot and whoever has waited too long go
first, as without. What was taken needs no book: queues that grew are what the control serves next.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from signals.rules.adaptive.choice import Comparison, Model
from signals.rules.adaptive.lanes import LaneSite, LaneState
from signals.rules.control.stages import Showing
from signals.rules.priority.decision import CLEAR_S
from signals.rules.priority.requests import Policy, Request, VehicleClass, arriving
from signals.rules.simulation.persons import PERSONS

_WHOLE: Final = 0.85
"""A stage that lets less of a lane's traffic go serves nobody in it for long."""
_PUT_OFF_S: Final = 30.0
"""A stage that is not next is hardly green sooner."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The first request of a signal."""

    request: Request
    """Whose arrivals do not lie in the past."""
    lane: int
    """Among the signal's."""
    vehicles: float
    """That it counts for."""
    longest_s: float
    """Nobody keeps a green for it longer before it comes."""

    @property
    def emergency(self) -> bool:
        """Whether it is worth any cost."""
        return self.request.kind is VehicleClass.EMERGENCY

    @property
    def latest_s(self) -> float:
        """When it has passed, at the latest, were nobody before it."""
        return self.request.arrives_s + self.request.spread_s + CLEAR_S


def wish_of(
    lanes: Sequence[LaneSite], ranked: Sequence[Request], policy: Policy, now_s: float
) -> Wish | None:
    """Give the wish of the first that asks for something and has a lane; None where nobody does.

    Parameters
    ----------
    lanes : Sequence of LaneSite
    ranked : Sequence of Request
        The first to be served first.
    policy : Policy
    now_s : float
    """
    for request in ranked:
        fitting = [
            place
            for place, lane in enumerate(lanes)
            if any(group == request.group for group, _ in lane.groups)
        ]
        urgency = policy.urgency(request)
        if not fitting or urgency <= 0:
            continue
        named = [place for place in fitting if lanes[place].lane == request.lane]
        place = max(named or fitting, key=lambda each: (lanes[each].flow_per_s, -each))
        emergency = request.kind is VehicleClass.EMERGENCY
        return Wish(
            arriving(request, now_s),
            place,
            request.persons * urgency / PERSONS["passenger"],
            policy.emergency_s if emergency else policy.extension_s,
        )
    return None


def wished(
    wish: Wish,
    model: Model,
    known: LaneState,
    showing: Showing,
    found: Comparison,
    *,
    now_s: float,
) -> int | None:
    """Give the stage for somebody with priority; None where the control's own choice stands.

    Parameters
    ----------
    wish : Wish
    model : Model
        The signal's.
    known : LaneState
        What is believed about the vehicle's lane.
    showing : Showing
        A stage whose least green is over.
    found : Comparison
        It with the best other stage.
    now_s : float
    """
    shown = showing.stage
    serving = np.flatnonzero(model.goes[:, wish.lane] >= _WHOLE)
    keeps_s = found.keeps_s if math.isfinite(found.keeps_s) else 0.0
    if shown in serving:
        away_s = model.change_s[shown, found.other] + model.least_s[found.other]
        away_s += model.change_s[found.other, shown]
        soon = wish.latest_s - now_s <= wish.longest_s
        worth = wish.emergency or keeps_s + wish.vehicles * away_s >= 0
        return shown if soon and worth else None
    among = [int(place) for place in serving if math.isfinite(model.change_s[shown, place])]
    if not among:
        return None
    best = max(among, key=lambda place: (found.rates[place], -place))
    ahead = known.queue if wish.request.ahead is None else wish.request.ahead
    clear_s = float(model.loss_s[wish.lane]) + ahead / float(model.served[wish.lane])
    comes_s = wish.request.arrives_s - wish.request.spread_s
    if comes_s - clear_s - float(model.change_s[shown, best]) > now_s:
        return None
    return best if wish.emergency or wish.vehicles * _PUT_OFF_S >= keeps_s else None
