"""Fixed-time signal timing after Webster: the cycle of least delay and equal saturation.

With n stages, for stage i the critical flow ratio y_i, lost time l_i, yellow a_i and all-red r_i:

(1)  L = sum(l_i + r_i)                          lost time of a cycle
(2)  c_o = (1.5 L + 5) / (1 - Y),  Y = sum(y_i)   cycle of least delay
(3)  g_i = (y_i / Y) (c - L)                     effective green: equal degrees of saturation
(4)  k_i = g_i + l_i - a_i                       green that is shown
(5)  x_i = y_i c / g_i                           degree of saturation
(6)  d = c (1 - u)^2 / (2 (1 - u x)) + x^2 / (2 q (1 - x)) - 0.65 (c / q^2)^(1/3) x^(2 + 5 u),
     u = g / c                                   mean delay of a vehicle

Source: F. V. Webster, Traffic Signal Settings, Road Research Technical Paper No. 39, London 1958.
The numbers are this module's: the paper itself was not at hand, the formulae are those that the
textbooks give as its.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from city.errors import Invalid

SATURATION_LIMIT: Final = 0.95
"""Sum of flow ratios, and degree of saturation, from which queues no longer clear in practice."""

_FEWEST_STAGES: Final = 2
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class MovementFlow:
    """Traffic of one movement in one stage.

    Raises
    ------
    Invalid
        On a negative or infinite flow, or a saturation flow that is not positive.
    """

    flow_vph: float
    """Arriving vehicles (or passenger-car units) per hour."""
    saturation_flow_vph: float
    """What would pass in an hour of unbroken green, in the same unit."""

    def __post_init__(self) -> None:
        # Written so that NaN fails too.
        if not 0 <= self.flow_vph < math.inf:
            raise Invalid("must not be negative", field="flow_vph")
        if not 0 < self.saturation_flow_vph < math.inf:
            raise Invalid("must be positive", field="saturation_flow_vph")

    @property
    def flow_ratio(self) -> float:
        """Share of the hour that its traffic needs green."""
        return self.flow_vph / self.saturation_flow_vph


@dataclass(frozen=True, slots=True)
class StageDemand:
    """What a stage has to serve and the times that it may not undercut.

    Raises
    ------
    Invalid
        On a negative or infinite number, a minimum green below 1 s, or a stage whose minimum
        green is shorter than what it loses.
    """

    name: str
    flow_ratio: float
    """Largest flow ratio among the movements that clear in this stage; 0 for walkers only."""
    min_green_s: int
    yellow_s: int = 3
    all_red_s: int = 2
    lost_s: float = 2.0
    """Start-up and clearance loss, the all-red not counted."""

    def __post_init__(self) -> None:
        if not 0 <= self.flow_ratio < math.inf:
            raise Invalid("must not be negative", field=f"{self.name}.flow_ratio")
        if self.min_green_s < 1:
            raise Invalid("must be at least 1", field=f"{self.name}.min_green_s")
        if self.yellow_s < 1:
            raise Invalid("must be at least 1", field=f"{self.name}.yellow_s")
        if self.all_red_s < 0:
            raise Invalid("must not be negative", field=f"{self.name}.all_red_s")
        if not 0 <= self.lost_s < self.min_green_s + self.yellow_s:
            raise Invalid(
                "must not be negative, nor eat up the shortest green", field=f"{self.name}.lost_s"
            )

    @property
    def min_effective_s(self) -> float:
        """Effective green of the shortest green, by (4)."""
        return self.min_green_s + self.yellow_s - self.lost_s


@dataclass(frozen=True, slots=True)
class StageTiming:
    """Times of one stage, in whole seconds, and what they mean."""

    name: str
    green_s: int
    yellow_s: int
    all_red_s: int
    effective_green_s: float
    degree_of_saturation: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of a junction."""

    cycle_s: int
    optimum_cycle_s: float
    """Webster's cycle before limits, minimum greens and rounding."""
    lost_time_s: float
    flow_ratio: float
    """Sum over the stages."""
    stages: tuple[StageTiming, ...]

    @property
    def degree_of_saturation(self) -> float:
        """The largest of any stage."""
        return max(stage.degree_of_saturation for stage in self.stages)


def critical_flow_ratio(movements: Sequence[MovementFlow]) -> float:
    """Give the flow ratio that decides a stage's green: the largest; 0 where there is none."""
    return max((movement.flow_ratio for movement in movements), default=0.0)


def lost_time_s(stages: Sequence[StageDemand]) -> float:
    """Give the lost time of a cycle, by (1)."""
    return sum(stage.lost_s + stage.all_red_s for stage in stages)


def optimum_cycle_s(lost_s: float, flow_ratio: float) -> float:
    """Give the cycle of least delay, by (2).

    Raises
    ------
    Invalid
        Where the flow ratios sum up to 0.95 or more: no cycle clears such queues.
    """
    if flow_ratio >= SATURATION_LIMIT:
        raise Invalid(
            f"is oversaturated: flow ratios sum up to {flow_ratio:.3f}, at {SATURATION_LIMIT} "
            "or more no fixed plan clears the queues",
            field="stages",
        )
    return (1.5 * lost_s + 5) / (1 - flow_ratio)


def time_stages(
    stages: Sequence[StageDemand], *, min_cycle_s: int = 30, max_cycle_s: int = 180
) -> Timing:
    """Give cycle and greens of a junction with fixed stages.

    The cycle is Webster's, rounded up to a whole second and brought within the limits. Greens
    share it so that all stages are equally saturated; a stage whose share falls short of its
    minimum green gets the minimum, the others share the rest. Where a stage would then be more
    than 95 % saturated the cycle grows until none is, as far as its limit allows.

    Parameters
    ----------
    stages : Sequence of StageDemand
        In the order in which they run; at least two.
    min_cycle_s, max_cycle_s : int
        Limits of the cycle.

    Raises
    ------
    Invalid
        On fewer than two stages, limits that contradict each other, minimum greens that do not
        fit into the longest cycle, or traffic that the longest cycle does not clear.

    Notes
    -----
    Cost grows with the square of the stages and with the seconds between the limits.
    """
    if len(stages) < _FEWEST_STAGES:
        raise Invalid("must be at least two", field="stages")
    if not 1 <= min_cycle_s <= max_cycle_s:
        raise Invalid("must be at least 1 and at most the longest cycle", field="min_cycle_s")
    lost_s = lost_time_s(stages)
    flow_ratio = sum(stage.flow_ratio for stage in stages)
    wanted_s = optimum_cycle_s(lost_s, flow_ratio)
    needed_s = sum(stage.min_green_s + stage.yellow_s + stage.all_red_s for stage in stages)
    if needed_s > max_cycle_s:
        raise Invalid(
            f"minimum greens need {needed_s} s, the longest cycle is {max_cycle_s} s",
            field="stages",
        )
    first_s = max(min(math.ceil(wanted_s - _TINY), max_cycle_s), min_cycle_s, needed_s)
    for cycle_s in range(first_s, max_cycle_s + 1):
        timed = _timed(stages, cycle_s)
        worst = max(stage.degree_of_saturation for stage in timed)
        if worst <= SATURATION_LIMIT or (cycle_s == max_cycle_s and worst < 1):
            return Timing(cycle_s, wanted_s, lost_s, flow_ratio, timed)
    raise Invalid(
        f"is oversaturated: even a cycle of {max_cycle_s} s does not clear every stage",
        field="stages",
    )


def mean_delay_s(cycle_s: float, effective_green_s: float, movement: MovementFlow) -> float:
    """Give the mean delay of a movement's vehicles, by (6).

    Raises
    ------
    Invalid
        Where the green does not clear the movement's traffic, or lies outside the cycle.
    """
    if not 0 < effective_green_s <= cycle_s:
        raise Invalid("must lie above 0 and up to the cycle", field="effective_green_s")
    share = effective_green_s / cycle_s
    saturation = movement.flow_ratio / share
    if saturation >= 1:
        raise Invalid("the green does not clear the traffic", field="effective_green_s")
    uniform_s = cycle_s * (1 - share) ** 2 / (2 * (1 - share * saturation))
    if movement.flow_vph == 0:
        return uniform_s
    flow_vps = movement.flow_vph / 3600
    random_s = saturation**2 / (2 * flow_vps * (1 - saturation))
    fitted_s = 0.65 * math.cbrt(cycle_s / flow_vps**2) * math.pow(saturation, 2 + 5 * share)
    return uniform_s + random_s - fitted_s


def _timed(stages: Sequence[StageDemand], cycle_s: int) -> tuple[StageTiming, ...]:
    shown_s = [
        effective_s + stage.lost_s - stage.yellow_s
        for stage, effective_s in zip(stages, _effective_greens_s(stages, cycle_s), strict=True)
    ]
    total_s = cycle_s - sum(stage.yellow_s + stage.all_red_s for stage in stages)
    greens_s = _whole(shown_s, total_s)
    return tuple(
        StageTiming(
            name=stage.name,
            green_s=green_s,
            yellow_s=stage.yellow_s,
            all_red_s=stage.all_red_s,
            effective_green_s=green_s + stage.yellow_s - stage.lost_s,
            degree_of_saturation=(
                stage.flow_ratio * cycle_s / (green_s + stage.yellow_s - stage.lost_s)
            ),
        )
        for stage, green_s in zip(stages, greens_s, strict=True)
    )


def _effective_greens_s(stages: Sequence[StageDemand], cycle_s: int) -> list[float]:
    """Share the cycle by (3), nobody below the minimum green."""
    flow_ratio = sum(stage.flow_ratio for stage in stages)
    weights = [stage.flow_ratio if flow_ratio > 0 else 1.0 for stage in stages]
    at_minimum: set[int] = set()
    while True:
        left_s = cycle_s - lost_time_s(stages)
        left_s -= sum(stages[index].min_effective_s for index in at_minimum)
        weight = sum(weights[index] for index in range(len(stages)) if index not in at_minimum)
        greens_s = [
            stage.min_effective_s
            if index in at_minimum or weight == 0
            else weights[index] / weight * left_s
            for index, stage in enumerate(stages)
        ]
        short = {
            index
            for index, stage in enumerate(stages)
            if index not in at_minimum and greens_s[index] < stage.min_effective_s - _TINY
        }
        if not short:
            return greens_s
        at_minimum |= short


def _whole(shares_s: Sequence[float], total_s: int) -> list[int]:
    """Round shares to whole seconds that keep their sum: largest remainders get the seconds."""
    whole = [math.floor(share + _TINY) for share in shares_s]
    order = sorted(range(len(shares_s)), key=lambda index: (whole[index] - shares_s[index], index))
    for index in order[: total_s - sum(whole)]:
        whole[index] += 1
    return whole
