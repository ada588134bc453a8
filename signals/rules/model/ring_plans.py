"""What rings and barriers show: the programme of the lamps that they ask for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from city.errors import Invalid
from signals.rules.model.junction import SignalledJunction
from signals.rules.model.plans import Programme
from signals.rules.model.rings import Placed, Rings
from signals.rules.model.stages import intervals_of_lamps, lamps_around

_EPS: Final = 1e-6
Window = tuple[float, float]
"""From when to when in the cycle; the end lies beyond the cycle where the window runs over it."""


def programme_from_rings(
    junction: SignalledJunction,
    name: str,
    rings: Rings,
    *,
    yields: Callable[[str, str], bool],
    offset_s: float = 0.0,
) -> Programme:
    """Give the programme of rings and barriers.

    Parameters
    ----------
    junction : SignalledJunction
        Its groups' lamps are shown; groups in no phase stay red.
    name : str
    rings : Rings
    yields : callable
        Whether a group gives way to another that is green with it: it is permissive then.
    offset_s : float

    Raises
    ------
    Invalid
        On an unknown group, or a green too short for its flashing end.
    """
    known = {group.name for group in junction.groups}
    for phase in rings.phases:
        for group in sorted(rings.groups_of(phase)):
            if group not in known:
                raise Invalid(f"has no signal group {group}", field=f"rings.{phase.name}")
    cycle_s = rings.cycle_s
    placed = [(each, rings.groups_of(each.phase)) for each in rings.placed()]
    greens, clearing = (
        {
            group.name: _windows(placed, group.name, cycle_s, clearing=clears)
            for group in junction.groups
        }
        for clears in (False, True)
    )
    lamps = [
        [
            part
            for start_s, end_s in greens[group.name]
            for part in lamps_around(group, start_s, end_s, cycle_s)
        ]
        for group in junction.groups
    ]
    intervals = intervals_of_lamps(
        junction, lamps, cycle_s, lambda at_s: _within(clearing, at_s, cycle_s), yields
    )
    names = tuple(group.name for group in junction.groups)
    return Programme(junction.name, name, names, intervals, offset_s, rings=rings)


def green_windows(rings: Rings, group: str) -> list[Window]:
    """Give the windows of the cycle in which a group is green."""
    placed = [(each, rings.groups_of(each.phase)) for each in rings.placed()]
    return _windows(placed, group, rings.cycle_s, clearing=False)


def _windows(
    placed: Sequence[tuple[Placed, frozenset[str]]], group: str, cycle_s: float, *, clearing: bool
) -> list[Window]:
    """Give a group's greens, or those with the change behind each as well."""
    mine = [each for each, groups in placed if group in groups]
    starts = [each.start_s for each in mine]
    found = []
    for each in mine:
        goes_on = clearing or any(
            abs((each.end_s - start_s + cycle_s / 2) % cycle_s - cycle_s / 2) < _EPS
            for start_s in starts
        )
        found.append((each.start_s, each.end_s if goes_on else each.green_end_s))
    return _joined(found, cycle_s)


def _joined(windows: Sequence[Window], cycle_s: float) -> list[Window]:
    """Join windows that touch or overlap, over the end of the cycle too."""
    found: list[Window] = []
    for start_s, end_s in sorted(windows):
        if found and start_s <= found[-1][1] + _EPS:
            found[-1] = (found[-1][0], max(found[-1][1], end_s))
        else:
            found.append((start_s, end_s))
    while len(found) > 1 and found[-1][1] >= found[0][0] + cycle_s - _EPS:
        _, first_end_s = found.pop(0)
        start_s, end_s = found.pop()
        found.append((start_s, max(end_s, first_end_s + cycle_s)))
    if len(found) == 1 and found[0][1] - found[0][0] >= cycle_s - _EPS:
        return [(0.0, cycle_s)]
    return found


def _within(windows: Mapping[str, Sequence[Window]], at_s: float, cycle_s: float) -> frozenset[str]:
    return frozenset(
        group
        for group, each in windows.items()
        if any(
            start_s <= at_s < end_s or start_s <= at_s + cycle_s < end_s for start_s, end_s in each
        )
    )
