"""What a stay comes to by when it ends: a table of steps, exact where it holds, silent elsewhere.

The one engine that rates stays makes it, and whoever has only the table, a terminal on a street
without a line, reads fees off it and computes none: there is no second set of rules to drift.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

MINUTE_S: Final = 60
MOST_STEPS: Final = 500
"""More are cut off, and the table ends there: a price by the minute over half a day has 720."""


@dataclass(frozen=True, slots=True)
class Course:
    """A fee as a function of the leaving, over whole seconds since 1970.

    Parameters
    ----------
    from_s, until_s : int
        First and last leaving for which it holds.
    steps : tuple of (int, int)
        From which second on the fee is how many minor units; the first at `from_s`, in order.
    """

    from_s: int
    until_s: int
    steps: tuple[tuple[int, int], ...]

    def fee_minor(self, leave_s: int) -> int | None:
        """Give the fee of leaving at a second; None where the table does not reach."""
        if not self.from_s <= leave_s <= self.until_s:
            return None
        return next(minor for at, minor in reversed(self.steps) if at <= leave_s)


def course_of(
    fee_minor: Callable[[int], int],
    from_s: int,
    until_s: int,
    falls_at: Collection[int] = (),
) -> Course:
    """Find every second at which a fee changes.

    Parameters
    ----------
    fee_minor : callable
        Gives the fee of leaving at a whole second. From one second of `falls_at` to the next it
        never falls, which holds of every tariff without prices by both ends.
    from_s, until_s : int
        First and last leaving to be told.
    falls_at : collection of int
        Seconds at which the fee may be lower than a second before.

    Returns
    -------
    Course
        It ends early where there are more than `MOST_STEPS` steps.

    Notes
    -----
    Where the fee is the same at two ends between which it does not fall, it is the same between
    them. Steps mostly come evenly: each is looked for first where the last gap puts it, which takes
    three ratings a step, else by halving: about 2 log2 of the seconds to the next edge.
    """
    rated = cache(fee_minor)
    inner = sorted({at for at in falls_at if from_s < at <= until_s})
    steps = [(from_s, rated(from_s))]
    for low, high in pairwise([from_s, *inner, until_s + 1]):
        if rated(low) != steps[-1][1]:
            steps.append((low, rated(low)))
        at, gap_s = low, 0
        while rated(at) != rated(high - 1):
            following = _next_change(rated, at, high - 1, gap_s)
            gap_s, at = following - at, following
            steps.append((at, rated(at)))
            if len(steps) > MOST_STEPS:
                return Course(from_s, steps[-1][0] - 1, tuple(steps[:-1]))
        if len(steps) > MOST_STEPS:
            return Course(from_s, steps[-1][0] - 1, tuple(steps[:-1]))
    return Course(from_s, until_s, tuple(steps))


def minutes_between(from_s: int, until_s: int) -> list[int]:
    """Give the edges of all minutes: where a wall clock's window may open or close.

    Whoever leaves at a window's last second leaves within it, so that it closes a second later.
    """
    first = from_s - from_s % MINUTE_S
    return [at + more for at in range(first, until_s + 1, MINUTE_S) for more in (0, 1)]


def _next_change(rated: Callable[[int], int], at: int, last: int, gap_s: int) -> int:
    """Give the first second after one at which the fee differs; at the last one it does."""
    same, other = at, last
    guess = at + gap_s
    if gap_s and guess <= last:
        if rated(guess) == rated(at):
            same = guess
        else:
            other = guess
            if rated(guess - 1) == rated(at):
                same = guess - 1
    while other - same > 1:
        middle = (same + other) // 2
        if rated(middle) == rated(at):
            same = middle
        else:
            other = middle
    return other
