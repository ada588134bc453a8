"""Where bands lie on a street: offsets and instants from what a search decided."""

import math
from collections.abc import Sequence
from itertools import pairwise

from signals.rules.waves.corridor import KPH, Coordination, Corridor, Showing


def times_s(corridor: Corridor, *, fastest: bool) -> list[float]:
    """Give there and back over each link, in seconds."""
    side = 1 if fastest else 0
    each = KPH / corridor.outbound_kph[side] + KPH / corridor.inbound_kph[side]
    return [length_m * each for length_m in corridor.links_m]


def split_times(
    corridor: Corridor, travel: Sequence[float], pace: float
) -> tuple[list[float], list[float]]:
    """Split there and back, shares of the cycle: both as far between their fastest and slowest."""
    least_s, most_s = times_s(corridor, fastest=True), times_s(corridor, fastest=False)
    outbound: list[float] = []
    inbound: list[float] = []
    for link, length_m in enumerate(corridor.links_m):
        free = (most_s[link] - least_s[link]) * pace
        share = 0.0 if free <= 0 else (travel[link] - least_s[link] * pace) / free
        for found, (slow_kph, fast_kph) in (
            (outbound, corridor.outbound_kph),
            (inbound, corridor.inbound_kph),
        ):
            fast_s, slow_s = length_m * KPH / fast_kph, length_m * KPH / slow_kph
            found.append((fast_s + share * (slow_s - fast_s)) * pace)
    return outbound, inbound


def one_way(corridor: Corridor, *, outbound: bool) -> Coordination:
    """Give one direction all that its shortest green allows, and the other nothing."""
    cycle_s = corridor.cycle_s[0]
    showings = [
        max(each.showings(), key=lambda one: one.out_green if outbound else one.in_green)
        for each in corridor.signals
    ]
    greens = [each.out_green if outbound else each.in_green for each in showings]
    width = min(greens)
    # In the middle of what is left of each green.
    rest = [(green - width) / 2 for green in greens]
    return placed(
        corridor,
        cycle_s=cycle_s,
        bands=(width, 0.0) if outbound else (0.0, width),
        before=rest if outbound else None,
        after=None if outbound else rest,
        travel=(
            [length * KPH / corridor.outbound_kph[1] / cycle_s for length in corridor.links_m],
            [length * KPH / corridor.inbound_kph[1] / cycle_s for length in corridor.links_m],
        ),
        showings=showings,
    )


def placed(
    corridor: Corridor,
    *,
    cycle_s: float,
    bands: tuple[float, float],
    before: Sequence[float] | None,
    after: Sequence[float] | None,
    travel: tuple[Sequence[float], Sequence[float]],
    showings: Sequence[Showing],
) -> Coordination:
    """Work out offsets from where the bands lie.

    Parameters
    ----------
    corridor : Corridor
    cycle_s : float
    bands : tuple of float
        Widths, outbound and inbound.
    before, after : Sequence of float or None
        At each signal, from the beginning of the outbound green to the outbound band, and from the
        inbound band to the end of the inbound green; None for no such band.
    travel : tuple
        Of each link, outbound and inbound.
    showings : Sequence of Showing
        How each signal shows itself.
    """
    signals = corridor.signals
    centres = _centres(corridor, before, after, travel, showings)
    first = centres[0] - signals[0].red_centre
    out_start, in_start = [], []
    for number, (showing, centre) in enumerate(zip(showings, centres, strict=True)):
        wait = (showing.out_green - bands[0]) / 2 if before is None else before[number]
        out_start.append(centre + showing.out_begin + wait - first)
        left = (showing.in_green - bands[1]) / 2 if after is None else after[number]
        in_start.append(centre + showing.in_end - left - bands[1] - first)
    return Coordination(
        cycle_s=cycle_s,
        offsets=tuple(
            (centre - signal.red_centre - first) % 1.0
            for signal, centre in zip(signals, centres, strict=True)
        ),
        outbound=bands[0],
        inbound=bands[1],
        objective=corridor.weight.outbound * bands[0] + corridor.weight.inbound * bands[1],
        bound=math.inf,
        outbound_travel=tuple(travel[0]),
        inbound_travel=tuple(travel[1]),
        outbound_start=tuple(out_start),
        inbound_start=tuple(in_start),
        patterns=tuple(each.pattern for each in showings),
        turns=tuple(each.turns for each in showings),
    )


def _centres(
    corridor: Corridor,
    before: Sequence[float] | None,
    after: Sequence[float] | None,
    travel: tuple[Sequence[float], Sequence[float]],
    showings: Sequence[Showing],
) -> list[float]:
    """Give the centres of the outbound reds along the band that there is."""
    centres = [0.0]
    for link, (here, there) in enumerate(pairwise(showings)):
        step = 0.0
        if before is not None:
            step = (
                travel[0][link]
                + here.out_begin
                - there.out_begin
                + before[link]
                - before[link + 1]
                - corridor.signals[link + 1].queue_clearance.outbound
            )
        elif after is not None:
            step = (
                here.in_end
                - there.in_end
                + after[link + 1]
                - after[link]
                + corridor.signals[link].queue_clearance.inbound
                - travel[1][link]
            )
        centres.append(centres[-1] + step)
    return centres
