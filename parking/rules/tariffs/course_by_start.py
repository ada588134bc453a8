"""What stays come to by when they begin *and* end: tables for stays that nobody has told us of yet.

Made by the one engine, as `course` is, and read off on a terminal without a line. A piece holds for
all beginnings between two seconds. Its steps lie at instants of the clock (a band's edge) or at so
many seconds after the beginning (a unit's): a tariff compares nothing else.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from parking.rules.tariffs.course import Course, course_of
from parking.rules.tariffs.cutting import pieces_of
from parking.rules.tariffs.plan import Plan

MOST_PIECES: Final = 400
MOST_RATINGS: Final = 150_000
"""Some three seconds: a tariff that takes more is told as far as it came."""
_INNER: Final = (0.382, 0.618)
"""Where else a piece is held against the engine: at no even part of its length."""

Step = tuple[bool, int, int]
"""Whether it moves with the beginning; from which second (since 1970, or after the beginning) on;
and the minor units from then on."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Fees of stays that begin between two seconds, both included."""

    from_s: int
    to_s: int
    steps: tuple[Step, ...]

    def fee_minor(self, start_s: int, leave_s: int) -> int:
        """Give the fee of a stay; the steps are in the order of their instants for each start."""
        fee = 0
        for moves, at, minor in self.steps:
            if (start_s + at if moves else at) > leave_s:
                break
            fee = minor
        return fee


@dataclass(frozen=True, slots=True)
class CoursesByStart:
    """Fees of stays that begin, and end, within some hours.

    Attributes
    ----------
    until_s
        Last leaving for which they hold.
    pieces
        In order, with holes where nothing is said.
    """

    until_s: int
    pieces: tuple[Piece, ...]

    def fee_minor(self, start_s: int, leave_s: int) -> int | None:
        """Give the fee of a stay; None where the tables do not reach."""
        place = bisect_right(self.pieces, start_s, key=lambda piece: piece.from_s) - 1
        if place < 0 or not start_s <= leave_s <= self.until_s:
            return None
        piece = self.pieces[place]
        return piece.fee_minor(start_s, leave_s) if start_s <= piece.to_s else None


def tellable(plan: Plan) -> bool:
    """Say whether a plan's fees can be told by beginning and end.

    Prices by both ends, units that run on into the next band, and caps by a period shorter than a
    stay make fees rise and fall with the beginning: of those nothing is said ahead.
    """
    schedule = plan.schedule
    periods = any(cap.per == "period" for cap in schedule.caps)
    return not schedule.both_ends and schedule.unit_at_edge == "ends" and not periods


def stands_alone(plan: Plan) -> bool:
    """Say whether a stay's fee is the same whatever other stays its vehicle had."""
    schedule = plan.schedule
    once = schedule.free is None or schedule.free.once_per == "stay"
    return once and schedule.re_entry is None and all(cap.per == "stay" for cap in schedule.caps)


def courses_by_start(
    plan: Plan,
    zone: str,
    fee_minor: Callable[[int, int], int],
    starts: tuple[int, int],
    until_s: int,
) -> CoursesByStart:
    """Find what stays come to by beginning and end.

    Parameters
    ----------
    plan : Plan
        For which `tellable` holds: later beginnings never cost more at the same end.
    zone : str
        IANA name.
    fee_minor : callable
        Gives the engine's fee of a stay by its first and last second.
    starts : tuple of int
        First and last second of beginnings.
    until_s : int
        Last leaving, less than a day after the first beginning.

    Notes
    -----
    Beginnings are parted at the edges of bands. Between, a piece goes as far as the steps of its
    ends are the same ones, each at its instant or moved with the beginning; beside its ends it is
    held against the engine next to them and inside. The next piece is looked for first where the
    last one's length puts its end: some six courses a piece.
    """
    first, last = starts
    rated = 0

    @lru_cache(maxsize=4_096)
    def course(start_s: int) -> Course:
        def fee(leave_s: int) -> int:
            nonlocal rated
            rated += 1
            return fee_minor(start_s, leave_s)

        return course_of(fee, start_s, until_s)

    edges = {start for start, *_ in pieces_of(plan, first, last + 1, zone)} | {first, last + 1}
    cuts = sorted(edge for edge in edges if first <= edge <= last + 1)
    pieces: list[Piece] = []
    for low, high in pairwise(cuts):
        at, length = low, 0
        # A course of more steps than a table holds ends early: of such beginnings nothing is said.
        while at < high and course(at).until_s == until_s:
            if len(pieces) >= MOST_PIECES or rated > MOST_RATINGS:
                return CoursesByStart(until_s, tuple(pieces))
            end = _reach(course, at, high - 1, length, until_s)
            steps = _steps(course, at, end, until_s)
            if steps is not None:
                pieces.append(Piece(at, end, steps))
            at, length = end + 1, end + 1 - at
    return CoursesByStart(until_s, tuple(pieces))


def _reach(course: Callable[[int], Course], at: int, last: int, length: int, until_s: int) -> int:
    """Give how far a piece that begins at a second goes."""

    def holds(end: int) -> bool:
        return _steps(course, at, end, until_s) is not None

    if holds(last):
        return last
    good, bad = at, last
    guess = at + length - 1
    if length > 1 and guess < last:
        if not holds(guess):
            bad = guess
        elif not holds(guess + 1):
            return guess
        else:
            good = guess + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good


def _steps(
    course: Callable[[int], Course], low: int, high: int, until_s: int
) -> tuple[Step, ...] | None:
    """Give the steps of all beginnings between two; None where they are not the same ones."""
    if low == high:
        return tuple((True, at - low, minor) for at, minor in course(low).steps)
    early, late = course(low).steps, course(high).steps
    if len(late) > len(early):
        return None
    steps: list[Step] = []
    for place, (at, minor) in enumerate(early):
        if place >= len(late):
            # It moved beyond the last leaving.
            if at + high - low <= until_s:
                return None
            steps.append((True, at - low, minor))
            continue
        then, later_minor = late[place]
        if later_minor != minor or then - at not in {0, high - low}:
            return None
        steps.append((True, at - low, minor) if then != at else (False, at, minor))
    inside = {low + 1, high - 1, *(low + round((high - low) * part) for part in _INNER)}
    made = tuple(steps)
    if all(_fits(made, course(start), until_s) for start in inside if low < start < high):
        return made
    return None


def _fits(steps: tuple[Step, ...], course: Course, until_s: int) -> bool:
    start = course.from_s
    told = [(start + at if moves else at, minor) for moves, at, minor in steps]
    return [each for each in told if each[0] <= until_s] == list(course.steps)
