"""Bands of links as a mixed-integer programme: one whole number of cycles a link, as 0s and 1s.

Of the published programmes (Gartner, Assmann, Lasaga and Hou, Transportation Research Part B 25,
1991; Zhang, Xie, Gartner, Stamatiadis and Arsava, Part C 58, 2015) the loop equations have general
whole numbers, and their relaxation knows next to nothing. Here each link chooses one *case*, a
whole number with a showing of the signal at either end, and each case has variables of its own that
are 0 where it is not chosen: the relaxation is the convex hull of each link's cases, and for one
cycle length it mostly is the answer. A case leaves a signal as the next one meets it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.waves.highs import Floats, Model
from signals.rules.waves.linked import Joint, Linked

CHOSEN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Case:
    """What a link may be: its joint, and how many whole cycles it takes."""

    joint: Joint
    cycles: int


@dataclass(frozen=True, slots=True)
class LineUp:
    """A street's lines at a pace, shares of the cycle.

    Attributes
    ----------
    pace
        Cycles a second.
    before, after
        At each signal, from the beginning of the outbound green to the line, and from the line to
        the end of the inbound green.
    travel
        There and back over each link.
    showings
        Number of each signal's showing.
    """

    pace: float
    before: tuple[float, ...]
    after: tuple[float, ...]
    travel: tuple[float, ...]
    showings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a case's variables are."""

    case: Case
    chosen: int
    before: tuple[int, int]
    after: tuple[int, int]


class LinkProgramme:
    """The programme over a range of paces, for any cases or for chosen ones.

    Parameters
    ----------
    linked : Linked
    low, high : float
        Slowest and fastest pace, cycles a second.
    chosen : Sequence of Case or None
        The case of each link, where they are known: then nothing is whole.
    """

    def __init__(
        self, linked: Linked, low: float, high: float, chosen: Sequence[Case] | None = None
    ) -> None:
        self._linked = linked
        self._range = low, high
        self._model = Model()
        self._pace = self._model.variable(low, high)
        self._links: list[list[_Place]] = []
        for link, joints in enumerate(linked.joints):
            cases = (
                [chosen[link]]
                if chosen is not None
                else [
                    Case(joint, cycles)
                    for joint in joints
                    for cycles in linked.cycles(link, joint, low, high)
                ]
            )
            self._links.append([self._case(link, each, whole=chosen is None) for each in cases])
            self._link(link)
            if link:
                self._meet(link)

    def solve(self, best: float, time_limit_s: float) -> tuple[LineUp | None, float, bool]:
        """Look for lines with bands worth more than the best known.

        Parameters
        ----------
        best : float
            What is known already; 0 or less: nothing.
        time_limit_s : float

        Returns
        -------
        tuple
            Lines, where there are better ones; what the bands can be worth at most; whether the
            search came to its end.
        """
        if not all(self._links):
            return None, -math.inf, True
        found = self._model.run(
            self._model.low, self._model.high, best, time_limit_s, relaxed=False
        )
        if found is None:
            return None, -math.inf, True
        values, bound, ended = found
        return None if values is None else self._read(values), bound, ended

    # --- rows ------------------------------------------------------------------------------------

    def _case(self, link: int, case: Case, *, whole: bool) -> _Place:
        model = self._model
        here, there = self._linked.ends(link, case.joint)
        weight, least_of = self._linked.weights[link], self._linked.corridor.least_through
        chosen = model.variable(0 if whole else 1, 1, whole=whole)
        sides = []
        for value, green, next_green, through in (
            (weight.outbound, here.out_green, there.out_green, least_of.outbound),
            (weight.inbound, here.in_green, there.in_green, least_of.inbound),
        ):
            # A band through the whole street begins at the line.
            rooms = green - through, next_green - through
            start, end = model.variable(0, rooms[0]), model.variable(0, rooms[1])
            least = min(green, next_green)
            band = model.variable(0, least, cost=-value)
            for place, most in ((start, rooms[0]), (end, rooms[1]), (band, least)):
                model.row({place: 1, chosen: -most}, -math.inf, 0)
            model.row({band: 1, end: 1, start: -1, chosen: -next_green}, -math.inf, 0)
            model.row({band: 1, end: -1, start: 1, chosen: -green}, -math.inf, 0)
            sides.append((start, end))
        return _Place(case, chosen, sides[0], sides[1])

    def _link(self, link: int) -> None:
        """Choose one case, with a travel time that the pace allows."""
        linked, (low, high) = self._linked, self._range
        least_s, most_s = linked.least_s[link], linked.most_s[link]
        total: dict[int, float] = {}
        for place in self._links[link]:
            # What there and back takes, in this case.
            travel = {
                place.before[1]: 1.0,
                place.after[1]: 1.0,
                place.before[0]: -1.0,
                place.after[0]: -1.0,
                place.chosen: place.case.cycles - place.case.joint.shift,
            }
            total |= travel
            for limit, ends in ((least_s * low, (0, math.inf)), (most_s * high, (-math.inf, 0))):
                row = {**travel, place.chosen: travel[place.chosen] - limit}
                self._model.row(row, *ends)
        self._model.row({**total, self._pace: -least_s}, 0, math.inf)
        self._model.row({**total, self._pace: -most_s}, -math.inf, 0)
        self._model.row({place.chosen: 1.0 for place in self._links[link]}, 1, 1)

    def _meet(self, link: int) -> None:
        """Let each showing of the signal between two links be left as it is come to."""
        for number in range(len(self._linked.showings[link])):
            came = [each for each in self._links[link - 1] if each.case.joint.there == number]
            goes = [each for each in self._links[link] if each.case.joint.here == number]
            for terms in (
                [(each.chosen, 1.0) for each in came] + [(each.chosen, -1.0) for each in goes],
                [(each.before[1], 1.0) for each in came]
                + [(each.before[0], -1.0) for each in goes],
                [(each.after[1], 1.0) for each in came] + [(each.after[0], -1.0) for each in goes],
            ):
                if terms:
                    self._model.row(dict(terms), 0, 0)

    def _read(self, values: Floats) -> LineUp:
        picked = [max(places, key=lambda each: values[each.chosen]) for places in self._links]
        pace = float(values[self._pace])
        first = picked[0]
        before, after = [float(values[first.before[0]])], [float(values[first.after[0]])]
        showings, travel = [first.case.joint.here], []
        for link, place in enumerate(picked):
            before.append(float(values[place.before[1]]))
            after.append(float(values[place.after[1]]))
            showings.append(place.case.joint.there)
            grown = before[-1] + after[-1] - before[-2] - after[-2]
            driven = grown + place.case.cycles - place.case.joint.shift
            # Solvers keep rows to a millionth.
            least, most = self._linked.least_s[link] * pace, self._linked.most_s[link] * pace
            travel.append(min(max(driven, least), most))
        return LineUp(pace, tuple(before), tuple(after), tuple(travel), tuple(showings))
