"""A street as its links see it: what each pair of showings gives at a pace, and what they share.

For a link from a signal to the next, with greens g and g' and the line of a car at w and w' after
their beginnings, the band around the line is as wide as what both greens have in common:

    b = min(w, w') + min(g - w, g' - w')

which depends on x = w' - w alone. Inbound alike, with v and v' before the greens' ends and
y = v' - v. Both directions are bound to each other by the loop of Little, Kelson and Gartner
(1981): x + y is the time there and back, plus what the showings shift, less whole cycles.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from signals.rules.waves.corridor import Corridor, Pair, Showing
from signals.rules.waves.places import times_s

Floats = NDArray[np.float64]
TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Joint:
    """A link with a choice of showings at both of its ends.

    Attributes
    ----------
    here, there
        Numbers of the showings.
    shift
        By how much w + v grows over the link beyond the time there and back.
    """

    here: int
    there: int
    shift: float


class Linked:
    """A corridor link by link.

    Parameters
    ----------
    corridor : Corridor
    """

    def __init__(self, corridor: Corridor) -> None:
        self.corridor = corridor
        self.showings = [each.showings() for each in corridor.signals]
        links = len(corridor.signals) - 1
        self.weights = [
            Pair(each.outbound / links, each.inbound / links)
            for each in corridor.link_weights or (corridor.weight,) * links
        ]
        """Of a mean over links."""
        self.least_s = times_s(corridor, fastest=True)
        self.most_s = times_s(corridor, fastest=False)
        self.joints = [self._joints(link) for link in range(links)]

    def _joints(self, link: int) -> list[Joint]:
        here, there = self.corridor.signals[link], self.corridor.signals[link + 1]
        early = there.queue_clearance.outbound + here.queue_clearance.inbound
        return [
            Joint(
                one,
                other,
                before.out_begin - before.in_end - after.out_begin + after.in_end - early,
            )
            for one, before in enumerate(self.showings[link])
            for other, after in enumerate(self.showings[link + 1])
            if self._leaves_room(before) and self._leaves_room(after)
        ]

    def _leaves_room(self, showing: Showing) -> bool:
        least = self.corridor.least_through
        return showing.out_green >= least.outbound and showing.in_green >= least.inbound

    def ends(self, link: int, joint: Joint) -> tuple[Showing, Showing]:
        """Give how both signals of a link show themselves."""
        return self.showings[link][joint.here], self.showings[link + 1][joint.there]

    def cycles(self, link: int, joint: Joint, low: float, high: float) -> range:
        """Give the whole numbers of cycles that a link may take at these paces."""
        here, there = self.ends(link, joint)
        least = joint.shift + self.least_s[link] * low - there.out_green - there.in_green
        most = joint.shift + self.most_s[link] * high + here.out_green + here.in_green
        return range(int(np.ceil(least - TINY)), int(np.floor(most + TINY)) + 1)

    def most(self, low: Floats, high: Floats) -> Floats:
        """Give what all bands can be worth at most in ranges of paces.

        Each link for itself, at its best for what the signals at its ends show: what no line along
        the street holds together. Costs as the ranges, the links and the pairs of showings.
        """
        worth = [np.zeros_like(low) for _ in self.showings[0]]
        for link, joints in enumerate(self.joints):
            after = [np.full_like(low, -np.inf) for _ in self.showings[link + 1]]
            for joint in joints:
                gain = worth[joint.here] + self._most_of(link, joint, low, high)
                after[joint.there] = np.maximum(after[joint.there], gain)
            worth = after
        found: Floats = np.max(worth, axis=0)
        return found

    def _most_of(self, link: int, joint: Joint, low: Floats, high: Floats) -> Floats:
        """Give what a link's own bands are worth at most in ranges of paces.

        Both are at their widest while x and y lie between nothing and what the one green is longer
        than the other. Beyond, the cheaper band gives way first.
        """
        here, there = self.ends(link, joint)
        weight = self.weights[link]
        out_longer = there.out_green - here.out_green
        in_longer = there.in_green - here.in_green
        least = min(0.0, out_longer) + min(0.0, in_longer)
        most = max(0.0, out_longer) + max(0.0, in_longer)
        bands = (
            (weight.outbound, min(here.out_green, there.out_green)),
            (weight.inbound, min(here.in_green, there.in_green)),
        )
        top = sum(value * width for value, width in bands)
        (cheap, first), (dear, second) = sorted(bands)
        start = joint.shift + self.least_s[link] * low
        length = joint.shift + self.most_s[link] * high - start
        # What lies off, on the circle: ahead of the range or behind it.
        ahead = (least - start) % 1.0
        off = np.where(
            ahead <= length, 0.0, np.minimum((start - most) % 1.0, np.maximum(0, ahead - length))
        )
        off = np.where((start - least) % 1.0 <= most - least, 0.0, off)
        given = np.minimum(off, first)
        rest = off - given
        worth: Floats = np.where(
            rest > second + TINY, -np.inf, top - cheap * given - dear * np.minimum(rest, second)
        )
        return worth
