"""Bands as cars see them: from offsets, cycle and speeds alone, apart from whatever found them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signals.rules.waves.corridor import KPH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signals.rules.waves.corridor import Coordination, Corridor
    from signals.rules.waves.network import Network, NetworkCoordination

EXACT = 1e-6


def room(greens: Sequence[tuple[float, float]]) -> float:
    """Give the longest stretch of the circle that lies in every green (start, length), or 0."""
    starts = [start % 1.0 for start, _ in greens]
    widest_stretch = 0.0
    for at in starts:
        reach = 1.0
        for start, length in greens:
            into = (at - start) % 1.0
            into = 0.0 if into > 1 - 1e-9 else into
            reach = min(reach, length - into)
        widest_stretch = max(widest_stretch, reach)
    return widest_stretch


def seen(street: Corridor, found: Coordination) -> tuple[float, float]:
    """Give the bands as cars see them, from the offsets, the cycle and the speeds alone."""
    outbound, inbound = [], []
    ahead = back = 0.0
    for number, each in enumerate(street.signals):
        if number:
            ahead += found.outbound_travel[number - 1] - each.queue_clearance.outbound
            here = street.signals[number - 1]
            back -= found.inbound_travel[number - 1] - here.queue_clearance.inbound
        centre = found.offsets[number] + each.red_centre
        other = centre + each.difference(found.patterns[number])
        outbound.append((centre + each.red.outbound / 2 - ahead, 1 - each.red.outbound))
        inbound.append((other + each.red.inbound / 2 - back, 1 - each.red.inbound))
    return room(outbound), room(inbound)


def allowed(street: Corridor, found: Coordination) -> bool:
    """Tell whether the cycle and every speed are as may be chosen."""
    ways = (
        (found.outbound_travel, street.outbound_kph),
        (found.inbound_travel, street.inbound_kph),
    )
    shortest_s, longest_s = street.cycle_s
    return shortest_s - EXACT <= found.cycle_s <= longest_s + EXACT and all(
        slow - EXACT <= length_m * KPH / (share * found.cycle_s) <= fast + EXACT
        for travel, (slow, fast) in ways
        for length_m, share in zip(street.links_m, travel, strict=True)
    )


def faults(network: Network, found: NetworkCoordination) -> list[str]:
    """Give what is wrong with a network's plan: nothing where every car sees what is promised."""
    wrong = []
    total = 0.0
    for name, street, mine in zip(network.names, network.corridors, found.streets, strict=True):
        if mine.cycle_s != found.cycle_s or not allowed(street, mine):
            wrong.append(f"{name}: a cycle or a speed that may not be chosen")
        first = found.offsets[street.signals[0].name]
        for signal, offset in zip(street.signals, mine.offsets, strict=True):
            apart = (found.offsets[signal.name] - first - offset + 0.5) % 1.0 - 0.5
            if abs(apart) > EXACT:
                wrong.append(f"{name}: {signal.name} has two offsets")
        outbound, inbound = seen(street, mine)
        # What is promised at 0 is no band, and cars need not see one.
        if mine.outbound > outbound + EXACT or mine.inbound > inbound + EXACT:
            wrong.append(f"{name}: cars see {outbound:.6f} and {inbound:.6f}")
        total += street.weight.outbound * mine.outbound + street.weight.inbound * mine.inbound
    if abs(total - found.objective) > EXACT:
        wrong.append(f"the bands are worth {total}, not {found.objective}")
    if found.objective > found.bound + EXACT:
        wrong.append("worth more than its bound")
    return wrong
