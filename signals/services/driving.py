"""One run of a drive, in the process that it is given: SUMO, the checker, what it was like.

Loads SciPy, so only those who drive import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from signals.adapters.sumo.simulator import Simulator
from signals.rules.model.plans import Programme
from signals.rules.safety.case import Case
from signals.rules.simulation.comparison import figures_of
from signals.rules.simulation.outcome import outcome_of
from signals.rules.simulation.replay import packed, side_json
from signals.rules.simulation.shown import violations_shown

_FIRST_S: Final = 1.0
"""What SUMO shows is first seen after its first second."""
_LIMIT_S: Final = 1_200.0


@dataclass(frozen=True, slots=True)
class Course:
    """All that a run needs."""

    network: bytes
    routes: bytes
    programmes: tuple[Programme, ...]
    cases: Mapping[str, Case]
    lanes: frozenset[str]
    """Before the signals looked at."""
    seed: int
    counted_from_s: float
    until_s: float
    replay_s: tuple[float, float] | None


Driven = tuple[dict[str, JsonValue], bytes | None]
"""A run's figures, and its replay where it was asked for."""


def drive(course: Course) -> Driven:
    """Drive one seed of one side.

    Raises
    ------
    Invalid, Unavailable
        In SUMO's own words, or where it takes too long.
    """
    with Simulator(course.network, course.routes, 0.0, course.until_s) as simulator:
        run = simulator.drive(
            course.programmes,
            course.seed,
            watch=True,
            passages=True,
            counted_from_s=course.counted_from_s,
            replay_s=course.replay_s,
            limit_s=_LIMIT_S,
        )
    outcome = outcome_of(
        course.seed,
        run.trips,
        run.walks_s,
        teleports=run.teleports,
        safety_violations=len(violations_shown(course.cases, run.shown)),
        longest_wait_s=run.longest_wait_s or 0.0,
    )
    replay = None
    if course.replay_s is not None and run.tracked_until_s is not None:
        from_s, until_s = course.replay_s[0], run.tracked_until_s
        side = side_json(
            run.tracks, run.shown, shown_from_s=_FIRST_S, from_s=from_s, until_s=until_s
        )
        replay = packed({"until_s": until_s, **side})
    return {**figures_of(outcome, run.passages, course.lanes)}, replay
