"""How many wait in a lane and who is about to come, from its detectors.

Who passes the upstream detector reaches the queue after the free travel time; who leaves the
stop-line detector is gone (input less output). Errors of counting and changes of lanes are put
right by what cannot be otherwise: an occupied stop line has somebody waiting, an empty one has no
queue. What a lane has too many or too few then belongs to the lanes beside it.

(1)  q(t + 1) = q(t) + arrivals(t) - departures(t)
(2)  q >= 1 while the stop-line detector is occupied at red
(3)  q = 0 once it has been empty for 3 s

Source: input-output queue estimation as in the Highway Capacity Manual 2010, chapter 31 (from
memory), with the stop line's own evidence in the place of its initial queue.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from signals.rules.adaptive.detectors import (
    SOUND,
    STUCK_GREEN_S,
    STUCK_S,
    Health,
    Reading,
    judged,
)

EMPTY_S: Final = 3.0
"""A stop line that is empty for so long has no queue: queues follow in less than that."""
LATE_S: Final = 3.0
"""Who is expected may come so much later."""
MEMORY_S: Final = 300.0
"""Time over which flows are averaged."""
SILENT_S: Final = 60.0
"""A stop line that says nothing for so long, with no other detector of its lane, may have nobody
or a dead detector: somebody is taken to wait. Where two are silent, after twice as long."""


@dataclass(frozen=True, slots=True)
class LaneSite:
    """A lane before a stop line."""

    lane: str
    road: str
    groups: tuple[tuple[str, float], ...]
    """Signal groups and the share of the lane's traffic that each releases."""
    served_per_s: float
    """Saturation flow."""
    loss_s: float
    """What pulling away takes from a green."""
    flow_per_s: float
    """Expected where nothing has been counted yet."""
    stop: str
    """Its detector at the stop line."""
    advance: str | None
    """Its detector upstream, which may serve several lanes; None where there is no room."""
    share: float
    """Share of those who pass it that come to this lane."""
    travel_s: float
    """From there to the stop line, free."""
    persons: float = 1.0
    """What a vehicle's wait counts."""


@dataclass(frozen=True, slots=True)
class LaneState:
    """What is believed about a lane."""

    queue: float
    coming: tuple[tuple[float, float], ...]
    """Instants at the stop line and vehicles, in order."""
    flow_per_s: float
    empty_s: float = 0.0
    """For how long nobody has been at the stop line."""
    green_s: float = 0.0
    """For how long it has had green; 0 at red."""
    waiting_s: float = 0.0
    """For how long somebody has waited for green."""
    stop: Health = SOUND
    advance: Health = SOUND


def unknown(site: LaneSite) -> LaneState:
    """Begin: nobody is known."""
    return LaneState(0.0, (), site.flow_per_s)


@dataclass(frozen=True, slots=True)
class Folded:
    """A lane after a second, and what does not add up."""

    state: LaneState
    over: float
    """Vehicles too many (positive) or too few, that lanes beside it may account for."""
    occupied: bool


def folded(
    site: LaneSite,
    state: LaneState,
    readings: tuple[Reading, Reading],
    now_s: float,
    *,
    green: bool,
) -> Folded:
    """Take a second's readings in.

    Parameters
    ----------
    site, state
    readings : tuple of Reading
        Of the second that ends now: at the stop line, and upstream.
    now_s : float
    green : bool
        Whether the lane had green in it.

    Notes
    -----
    Cost grows with those on the way, at most some ten.
    """
    stop, advance = readings
    green_s = state.green_s + 1.0 if green else 0.0
    seen = site.advance is not None and not state.advance.failed
    told = not state.stop.failed
    came = advance.entered * site.share if seen else state.flow_per_s
    coming = state.coming
    if came > 0:
        coming = (*coming, (now_s + site.travel_s, came))
    queue = state.queue
    while coming and coming[0][0] <= now_s:
        queue += coming[0][1]
        coming = coming[1:]
    moving = green_s > site.loss_s
    gone = float(stop.left) if told else (site.served_per_s if moving else 0.0)
    over = 0.0
    queue -= gone
    while queue < 0 and coming:
        at_s, vehicles = coming[0]
        used = min(vehicles, -queue)
        queue += used
        coming = coming[1:] if used == vehicles else ((at_s, vehicles - used), *coming[1:])
    if queue < 0:
        over, queue = (queue, 0.0) if told else (0.0, 0.0)
    occupied = told and stop.occupied
    busy = occupied or (told and stop.left + stop.entered > 0)
    empty_s = 0.0 if busy or not told else state.empty_s + 1.0
    if occupied and queue < 1:
        queue = 1.0
    elif empty_s >= EMPTY_S and queue > 0 and (not green or green_s > site.loss_s + EMPTY_S):
        over, queue = over + queue, 0.0
    waits = queue >= 1 or (queue > 0 and state.waiting_s > 0) or (not told and queue > 0)
    # A silent stop line must not make anybody wait for ever: who passed upstream counts too.
    waits = waits or state.stop.unseen >= 1
    alone = site.advance is None or state.advance.failed
    waits = waits or (site.flow_per_s > 0 and empty_s >= (SILENT_S if alone else 2 * SILENT_S))
    arrived = gone if told else came
    flow = state.flow_per_s + (arrived - state.flow_per_s) / MEMORY_S
    return Folded(
        LaneState(
            queue,
            coming,
            flow if seen or told else site.flow_per_s,
            empty_s,
            green_s,
            0.0 if green or not waits else state.waiting_s + 1.0,
            judged(
                state.stop,
                stop,
                should_fall=green_s > site.loss_s,
                passed=advance.entered * site.share if seen else site.flow_per_s / 2,
                most_s=STUCK_GREEN_S,
            ),
            judged(
                state.advance,
                advance,
                should_fall=stop.left > 0,
                passed=float(stop.left),
                most_s=STUCK_S,
            )
            if site.advance is not None
            else state.advance,
        ),
        over,
        occupied,
    )


def settled(sites: Sequence[LaneSite], lanes: Sequence[Folded]) -> tuple[LaneState, ...]:
    """Let lanes of a road account for what each has too many or too few.

    Notes
    -----
    Cost grows with the lanes.
    """
    roads: dict[str, list[int]] = {}
    for place, lane in enumerate(lanes):
        if lane.over:
            roads.setdefault(sites[place].road, [])
    found = [lane.state for lane in lanes]
    if not roads:
        return tuple(found)
    for place, site in enumerate(sites):
        if site.road in roads:
            roads[site.road].append(place)
    for places in roads.values():
        over = sum(lanes[place].over for place in places)
        if over > 0:
            able = [place for place in places if lanes[place].occupied and lanes[place].over == 0]
            weight = sum(found[place].flow_per_s for place in able)
            for place in able:
                part = found[place].flow_per_s / weight if weight > 0 else 1 / len(able)
                found[place] = _with_queue(found[place], found[place].queue + over * part)
        else:
            able = [place for place in places if found[place].queue > 1]
            spare = sum(found[place].queue - 1 for place in able)
            part = min(-over / spare, 1.0) if spare > 0 else 0.0
            for place in able:
                queue = found[place].queue
                found[place] = _with_queue(found[place], queue - (queue - 1) * part)
    return tuple(found)


def _with_queue(state: LaneState, queue: float) -> LaneState:
    return replace(state, queue=queue)
