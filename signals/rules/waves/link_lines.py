"""Good lines along a street for one cycle length, by dynamic programming over a grid of places.

At each signal the state is where the line lies in both greens, in steps of the cycle. The grid
moves along the street with the shortest travel times, so that what it finds can be driven as it is:
nothing is rounded but what a longer travel time would add.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from signals.rules.waves.corridor import Pair, Showing
from signals.rules.waves.link_programme import Case
from signals.rules.waves.linked import Floats, Joint, Linked

STEPS: Final = 40
"""Of a cycle."""
TINY: Final = 1e-9

Wholes = NDArray[np.int64]


class _Grid:
    """Places at one signal in one showing: `before` and `after` for each state."""

    def __init__(self, showing: Showing, through: Pair, phase: float) -> None:
        out_room = showing.out_green - through.outbound
        self.before = np.arange(0, math.floor(out_room * STEPS + TINY) + 1) / STEPS
        first = (phase - showing.out_begin + showing.in_end) % (1 / STEPS)
        self.after = np.arange(first, showing.in_green - through.inbound + TINY, 1 / STEPS)

    def places(self, state: int) -> tuple[int, int]:
        """Give the numbers of a state's places."""
        return divmod(state, self.after.size)

    def sum_at(self, places: tuple[int, int]) -> float:
        """Give how far the line lies in both greens together."""
        return float(self.before[places[0]] + self.after[places[1]])


def lines_at(linked: Linked, pace: float) -> list[Case] | None:
    """Give the case of each link along the best lines of the grid; None where it has none.

    Parameters
    ----------
    linked : Linked
    pace : float
        Cycles a second.

    Notes
    -----
    Costs as the links, the pairs of showings and the fourth power of the steps in a green.
    """
    return _Walk(linked, pace).run()


@dataclass(frozen=True, slots=True)
class _Step:
    """How a showing of a signal is come to: for each joint, where from and what it is worth."""

    joints: list[Joint]
    froms: list[Wholes]
    gains: Floats


class _Walk:
    """The dynamic programme from the first signal to the last, and back."""

    def __init__(self, linked: Linked, pace: float) -> None:
        self._linked, self._pace = linked, pace
        signals = linked.corridor.signals
        phase = 0.0
        self._grids = [self._grids_at(0, phase)]
        for link, (here, there) in enumerate(pairwise(signals)):
            early = there.queue_clearance.outbound + here.queue_clearance.inbound
            phase += linked.least_s[link] * pace - early
            self._grids.append(self._grids_at(link + 1, phase))

    def _grids_at(self, number: int, phase: float) -> list[_Grid]:
        return [
            _Grid(each, self._linked.corridor.least_through, phase)
            for each in self._linked.showings[number]
        ]

    def run(self) -> list[Case] | None:
        """Carry what is best at each state along the street."""
        worth: list[Floats] = [
            np.zeros((each.before.size, each.after.size)) for each in self._grids[0]
        ]
        came: list[list[_Step]] = []
        for link, joints in enumerate(self._linked.joints):
            steps = [
                self._step(link, [each for each in joints if each.there == number], worth)
                for number in range(len(self._grids[link + 1]))
            ]
            worth = [each.gains.max(axis=0) for each in steps]
            if all(each.max(initial=-np.inf) == -np.inf for each in worth):
                return None
            came.append(steps)
        return self._traced(worth, came)

    def _step(self, link: int, joints: list[Joint], worth: list[Floats]) -> _Step:
        found = [self._carried(link, each, worth[each.here]) for each in joints]
        return _Step(joints, [froms for _, froms in found], np.array([gain for gain, _ in found]))

    def _carried(self, link: int, joint: Joint, worth: Floats) -> tuple[Floats, Wholes]:
        """Give for each state at the next signal what is best until there, and where from."""
        here, there = self._ends(link, joint)
        shape = (there.before.size, there.after.size)
        if not worth.size or not there.before.size or not there.after.size:
            return np.full(shape, -np.inf), np.zeros(shape, dtype=np.int64)
        gains = self._gains(link, joint)
        # What is gained depends on differences alone: a view has it for every pair of states.
        rows, columns = gains.strides
        pairs = np.lib.stride_tricks.as_strided(
            gains[here.before.size - 1 :, here.after.size - 1 :],
            (here.before.size, here.after.size, *shape),
            (-rows, -columns, rows, columns),
            writeable=False,
        )
        total = (worth[:, :, None, None] + pairs).reshape(worth.size, *shape)
        source = total.argmax(axis=0)
        return np.take_along_axis(total, source[None], axis=0)[0], source

    def _ends(self, link: int, joint: Joint) -> tuple[_Grid, _Grid]:
        return self._grids[link][joint.here], self._grids[link + 1][joint.there]

    def _gains(self, link: int, joint: Joint) -> Floats:
        """Give what a link is worth by how far the line moves in both greens."""
        linked, pace = self._linked, self._pace
        here, there = self._ends(link, joint)
        one, other = linked.ends(link, joint)
        weight = linked.weights[link]
        x = np.arange(1 - here.before.size, there.before.size) / STEPS
        y = np.arange(1 - here.after.size, there.after.size) / STEPS
        y += there.after[0] - here.after[0]
        outbound = _band(x, one.out_green, other.out_green)
        inbound = _band(y, one.in_green, other.in_green)
        least = joint.shift + linked.least_s[link] * pace
        room = (linked.most_s[link] - linked.least_s[link]) * pace
        over = (x[:, None] + y[None, :] - least + TINY) % 1.0
        gains: Floats = np.where(
            over <= room + 2 * TINY,
            weight.outbound * outbound[:, None] + weight.inbound * inbound[None, :],
            -np.inf,
        )
        return gains

    def _traced(self, worth: list[Floats], came: list[list[_Step]]) -> list[Case]:
        """Follow the best lines back to the first signal."""
        showing = max(range(len(worth)), key=lambda each: worth[each].max(initial=-np.inf))
        state = int(worth[showing].argmax())
        found: list[Case] = []
        for link in range(len(came) - 1, -1, -1):
            step = came[link][showing]
            place = self._grids[link + 1][showing].places(state)
            pick = int(step.gains[(slice(None), *place)].argmax())
            joint, source = step.joints[pick], int(step.froms[pick][place])
            here, there = self._ends(link, joint)
            grown = there.sum_at(place) - here.sum_at(here.places(source))
            least = joint.shift + self._linked.least_s[link] * self._pace
            found.append(Case(joint, math.ceil(least - grown - 2 * TINY)))
            showing, state = joint.here, source
        found.reverse()
        return found


def _band(moved: Floats, green: float, next_green: float) -> Floats:
    found: Floats = np.minimum(0.0, moved) + np.minimum(green, next_green - moved)
    return found
