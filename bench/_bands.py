"""Bands as cars see them: from offsets, cycle and speeds alone, apart from whatever found them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signals.rules.waves.corridor import KPH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signals.rules.waves.corridor import Coordination, Corridor
    from signals.rules.waves.link_answer import LinkCoordination
    from signals.rules.waves.network import Network, NetworkCoordination

EXACT = 1e-6


def room(greens: Sequence[tuple[float, float, int]]) -> float:
    """Give the longest stretch of the circle in every green (start, length, turns), or 0.

    A green that turns twice is there again half a cycle later.
    """
    starts = [start + turn / turns for start, _, turns in greens for turn in range(turns)]
    return max(0.0, *(_reach(at, greens) for at in starts))


def _reach(at: float, greens: Sequence[tuple[float, float, int]]) -> float:
    """Give how long every green lasts from an instant on; below 0 where one is over."""
    reach = 1.0
    for start, length, turns in greens:
        into = (at - start) % (1 / turns)
        into = 0.0 if into > 1 / turns - 1e-9 else into
        reach = min(reach, length - into)
    return reach


def seen(street: Corridor, found: Coordination) -> tuple[float, float]:
    """Give the bands as cars see them, from the offsets, the cycle and the speeds alone."""
    outbound, inbound = [], []
    ahead = back = 0.0
    for number, each in enumerate(street.signals):
        if number:
            ahead += found.outbound_travel[number - 1] - each.queue_clearance.outbound
            here = street.signals[number - 1]
            back -= found.inbound_travel[number - 1] - here.queue_clearance.inbound
        (out_start, out_green, turns), (in_start, in_green, _) = _greens(street, found, number)
        outbound.append((out_start - ahead, out_green, turns))
        inbound.append((in_start - back, in_green, turns))
    return room(outbound), room(inbound)


def _greens(
    street: Corridor, found: Coordination, number: int
) -> tuple[tuple[float, float, int], tuple[float, float, int]]:
    """Give a signal's outbound and inbound green."""
    shown = found.shown(street, number)
    centre = found.offsets[number] + street.signals[number].red_centre
    return (
        (centre + shown.out_red / 2, shown.out_green, shown.turns),
        (centre + shown.difference + shown.in_red / 2, shown.in_green, shown.turns),
    )


def links_seen(street: Corridor, found: LinkCoordination) -> list[tuple[float, float]]:
    """Give each link's bands as cars see them: from when they are said to begin."""
    plan = found.plan
    greens = [_greens(street, plan, number) for number in range(len(street.signals))]
    seen_by_link = []
    for link, (outbound, inbound) in enumerate(zip(found.outbound, found.inbound, strict=True)):
        (here_out, here_in), (there_out, there_in) = greens[link], greens[link + 1]
        ahead = plan.outbound_travel[link] - street.signals[link + 1].queue_clearance.outbound
        back = plan.inbound_travel[link] - street.signals[link].queue_clearance.inbound
        seen_by_link.append(
            (
                min(
                    _reach(outbound.begin, [here_out]), _reach(outbound.begin + ahead, [there_out])
                ),
                min(_reach(inbound.begin, [there_in]), _reach(inbound.begin + back, [here_in])),
            )
        )
    return seen_by_link


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
