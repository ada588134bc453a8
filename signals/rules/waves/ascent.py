"""Offsets of a network by ruin and recreation: many plans at once, one signal after the other.

For one cycle length the offsets alone are left. Along one direction of a street, let F(s) be the
widest band that begins at s at a signal and fits all signals before it, B(s) the same for all after
it; then F, carried over a link, is its largest value within the link's travel times, cut by the
green of the next signal:

    F'(s) = min(green(s), max over travel times t of F(s - t)),    green(s) = end of green - s

and an offset that moves the green to s' leaves the band max over s of min(F(s), green(s - s'),
B(s)). On a circle of a few dozen instants that gives every offset of a signal its worth at once,
for the few streets through it, the rest being fixed. Signals are put in one after the other, each
at its best offset; then some are taken out and put in again, and what became no worse is kept.

The circle's grid only loses: travel times are rounded inwards, greens are met exactly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d  # type: ignore[import-untyped] # it ships no types

from signals.rules.waves.ways import Way

INSTANTS: Final = 96
LOOK_EVERY: Final = 16
"""Signals between two looks at the clock."""
SPREAD: Final = 1e-6
"""What a random nudge is worth, so that equal offsets are chosen among at random."""

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Track:
    """A way at one pace: widths over the instants that each signal's green leaves open."""

    greens: tuple[tuple[Floats, ...], ...]
    """For each signal and pattern, at offset 0, in the frame that drives with the mean time."""
    windows: tuple[int, ...]
    """Instants that a band may be earlier or later by over each link."""


class Ascent:
    """Plans of a network at one pace.

    Parameters
    ----------
    ways : Sequence of Way
    count : int
        Signals of the network.
    pace : float
        Cycles a second.
    plans : int
        How many are improved at once.
    seed : int
    """

    def __init__(self, ways: Sequence[Way], count: int, pace: float, plans: int, seed: int) -> None:
        self._ways = ways
        self._count = count
        self._plans = plans
        self._draw = np.random.default_rng(seed)
        self._tracks = [_track(way, pace) for way in ways]
        self._at: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        """For each signal, the ways through it and its place on each."""
        for number, way in enumerate(ways):
            for place, signal in enumerate(way.signals):
                self._at[signal].append((number, place))
        self._near = _neighbours(ways, count)
        instants = np.arange(INSTANTS)
        self._turned = (instants[None, :] - instants[:, None]) % INSTANTS
        self.offsets: Wholes = np.full((plans, count), -1, dtype=np.int64)
        """In instants; below 0: not put in yet."""
        self.worth: Floats = np.zeros(plans)

    def begin(self, stop: Callable[[], bool]) -> None:
        """Put every signal in, from one of each part outwards; where time is up, at 0."""
        self.offsets[:] = -1
        for number, signal in enumerate(self._order(range(self._count))):
            if number % LOOK_EVERY == 0 and stop():
                self.offsets[self.offsets < 0] = 0
                break
            self._put([signal])
        self.worth = self._worths()

    def improve(self, size: int) -> None:
        """Take about so many neighbouring signals out, put them in again, keep what is no worse."""
        before = self.offsets.copy()
        out = self._patch(size)
        self.offsets[:, out] = -1
        self._put(self._draw.permutation(out))
        worth = self._worths()
        worse = worth < self.worth - SPREAD
        self.offsets[worse] = before[worse]
        self.worth = np.where(worse, self.worth, worth)

    def sweep(self, stop: Callable[[], bool]) -> bool:
        """Put each signal in anew once, in any order; tell whether anything became wider."""
        before = self.worth.copy()
        for number, signal in enumerate(self._draw.permutation(self._count)):
            if number % LOOK_EVERY == 0 and stop():
                break
            self._put([int(signal)])
        self.worth = self._worths()
        return bool(np.any(self.worth > before + 10 * SPREAD))

    def best(self) -> tuple[float, tuple[float, ...]]:
        """Give the worth of the best plan and its offsets, shares of the cycle."""
        number = int(np.argmax(self.worth))
        return float(self.worth[number]), tuple(
            float(each) / INSTANTS for each in self.offsets[number]
        )

    def forget(self) -> None:
        """Let the better half of the plans take the place of the worse half."""
        order = np.argsort(-self.worth)
        half = self._plans // 2
        if half:
            self.offsets[order[-half:]] = self.offsets[order[:half]]
            self.worth[order[-half:]] = self.worth[order[:half]]

    # --- one signal ------------------------------------------------------------------------------

    def _put(self, signals: Sequence[int] | Wholes) -> None:
        for signal in signals:
            total = self._draw.random((self._plans, INSTANTS)) * SPREAD
            for number, place in self._at[int(signal)]:
                weight = self._ways[number].weight
                if weight > 0:
                    total += weight * self._bands(number, place)
            self.offsets[:, int(signal)] = np.argmax(total, axis=1)

    def _bands(self, number: int, place: int) -> Floats:
        """Give the band of a way for every offset of one of its signals, for each plan."""
        open_ = np.minimum(self._until(number, place), self._after(number, place))
        found: Floats | None = None
        for green in self._tracks[number].greens[place]:
            turned = green[self._turned]
            band = np.minimum(open_[:, None, :], turned[None, :, :]).max(axis=2)
            found = band if found is None else np.maximum(found, band)
        return found if found is not None else np.zeros((self._plans, INSTANTS))

    def _until(self, number: int, place: int) -> Floats:
        """Carry what is open from the first signal of a way to before one of them."""
        track = self._tracks[number]
        here = np.ones((self._plans, INSTANTS))
        for other in range(place):
            here = np.minimum(here, self._green(number, other))
            here = _within(here, track.windows[other])
        return here

    def _after(self, number: int, place: int) -> Floats:
        """Carry what is open from the last signal of a way back to after one of them."""
        track = self._tracks[number]
        here = np.ones((self._plans, INSTANTS))
        for other in range(len(track.greens) - 1, place, -1):
            here = np.minimum(here, self._green(number, other))
            here = _within(here, track.windows[other - 1])
        return here

    def _green(self, number: int, place: int) -> Floats:
        """Give what a signal leaves open in each plan; all of it where it is not put in yet."""
        offsets = self.offsets[:, self._ways[number].signals[place]]
        turned = (np.arange(INSTANTS)[None, :] - offsets[:, None]) % INSTANTS
        greens = self._tracks[number].greens[place]
        found = greens[0][turned]
        for green in greens[1:]:
            found = np.maximum(found, green[turned])
        return np.where(offsets[:, None] < 0, 1.0, found)

    def _worths(self) -> Floats:
        total = np.zeros(self._plans)
        for number, way in enumerate(self._ways):
            if way.weight > 0:
                last = len(way.signals) - 1
                open_ = np.minimum(self._until(number, last), self._green(number, last))
                total += way.weight * open_.max(axis=1)
        return total

    # --- which signals ---------------------------------------------------------------------------

    def _order(self, signals: Sequence[int]) -> list[int]:
        """Give signals so that each comes after a neighbour where it can."""
        left = set(signals)
        found: list[int] = []
        edge: list[int] = []
        while left:
            if not edge:
                edge.append(int(self._draw.choice(sorted(left))))
            here = edge.pop(int(self._draw.integers(len(edge))))
            if here not in left:
                continue
            left.discard(here)
            found.append(here)
            edge += [each for each in self._near[here] if each in left]
        return found

    def _patch(self, size: int) -> list[int]:
        """Give neighbouring signals, or those of one street."""
        if self._draw.random() < 0.3:  # noqa: PLR2004 - now and then a whole street
            way = self._ways[int(self._draw.integers(len(self._ways)))]
            return list(dict.fromkeys(way.signals))
        start = int(self._draw.integers(self._count))
        found: list[int] = []
        edge = [start]
        known = {start}
        while edge and len(found) < size:
            here = edge.pop(int(self._draw.integers(len(edge))))
            found.append(here)
            for each in self._near[here]:
                if each not in known:
                    known.add(each)
                    edge.append(each)
        return found


def _within(values: Floats, window: int) -> Floats:
    """Give the largest value within a window on the circle."""
    if window == 0:
        return values
    if 2 * window + 1 >= INSTANTS:
        return np.broadcast_to(values.max(axis=1, keepdims=True), values.shape).copy()
    found: Floats = maximum_filter1d(values, 2 * window + 1, axis=1, mode="wrap")
    return found


def _track(way: Way, pace: float) -> _Track:
    times = np.arange(INSTANTS) / INSTANTS
    greens, windows = [], []
    driven = 0.0
    for place, (green, begins) in enumerate(zip(way.greens, way.begins, strict=True)):
        if place:
            least, most = way.least_s[place - 1] * pace, way.most_s[place - 1] * pace
            driven += (least + most) / 2 - way.early[place - 1]
            windows.append(int((most - least) / 2 * INSTANTS + 1e-9))
        greens.append(
            tuple(np.maximum(0.0, green - ((times - (begin - driven)) % 1.0)) for begin in begins)
        )
    return _Track(tuple(greens), tuple(windows))


def _neighbours(ways: Sequence[Way], count: int) -> list[list[int]]:
    found: list[dict[int, None]] = [{} for _ in range(count)]
    for way in ways:
        for here, there in zip(way.signals, way.signals[1:], strict=False):
            found[here][there] = None
            found[there][here] = None
    return [list(each) for each in found]
