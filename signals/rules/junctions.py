"""What a signalled junction is: approaches, signal groups, stages, a fixed plan.

Times of a plan are whole seconds, as controllers take them. A plan that can be built here is well
formed; whether it is safe for a street is the safety checker's to say.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from city.errors import Invalid
from city.identifiers import DistrictCode, JunctionId, parse_district_code
from city.places import Position

_MOST_CYCLE_S = 600
_FEWEST_STAGES = 2
_FULL_TURN_DEG = 360


class GroupKind(StrEnum):
    """Whom a signal group's lamps are for."""

    VEHICLE = "vehicle"
    BICYCLE = "bicycle"
    PEDESTRIAN = "pedestrian"


@dataclass(frozen=True, slots=True)
class Approach:
    """One arm's traffic towards the junction."""

    name: str
    bearing_deg: float
    """Where the traffic comes from, clockwise from north, 0 up to 360."""
    lanes: int
    link: str | None = None
    """Link of the street network that ends at the stop line."""

    def __post_init__(self) -> None:
        if not 0 <= self.bearing_deg < _FULL_TURN_DEG:
            raise Invalid("must lie from 0 up to 360", field="bearing_deg")
        if self.lanes < 1:
            raise Invalid("must be at least 1", field="lanes")


@dataclass(frozen=True, slots=True)
class SignalGroup:
    """Lamps that always show the same."""

    name: str
    kind: GroupKind
    approach: str | None = None
    flashing_green_s: int = 3
    """Last part of the green that flashes; 0 for none."""

    def __post_init__(self) -> None:
        if self.flashing_green_s < 0:
            raise Invalid("must not be negative", field="flashing_green_s")


@dataclass(frozen=True, slots=True)
class Stage:
    """Groups that have green together, and the change to the next stage.

    A group that is green in the next stage too keeps its green through the change.
    """

    name: str
    groups: tuple[str, ...]
    green_s: int
    yellow_s: int = 3
    all_red_s: int = 2

    def __post_init__(self) -> None:
        if not self.groups:
            raise Invalid(f"stage {self.name} gives green to nobody", field="groups")
        if self.green_s < 1:
            raise Invalid("must be at least 1", field="green_s")
        if self.yellow_s < 1:
            raise Invalid("must be at least 1", field="yellow_s")
        if self.all_red_s < 0:
            raise Invalid("must not be negative", field="all_red_s")

    @property
    def length_s(self) -> int:
        """Green and change together."""
        return self.green_s + self.yellow_s + self.all_red_s


@dataclass(frozen=True, slots=True)
class FixedPlan:
    """Stages in a fixed order with fixed times, over and over.

    Raises
    ------
    Invalid
        On fewer than two stages, a cycle above 600 s, a name used twice, a stage with an unknown
        group, a group that is never green or never red, or a flashing green that
        leaves nothing of the green that it ends.
    """

    groups: tuple[SignalGroup, ...]
    stages: tuple[Stage, ...]
    offset_s: int = 0
    """Start of the first stage after the reference instant, in [0, cycle)."""

    def __post_init__(self) -> None:
        if len(self.stages) < _FEWEST_STAGES:
            raise Invalid("must have at least two stages", field="stages")
        _once((stage.name for stage in self.stages), "stages")
        _once((group.name for group in self.groups), "groups")
        if self.cycle_s > _MOST_CYCLE_S:
            raise Invalid(f"has a cycle above {_MOST_CYCLE_S} s", field="stages")
        if not 0 <= self.offset_s < self.cycle_s:
            raise Invalid("must lie from 0 up to the cycle", field="offset_s")
        known = {group.name for group in self.groups}
        for stage in self.stages:
            _once(stage.groups, f"stages.{stage.name}")
            for name in stage.groups:
                if name not in known:
                    raise Invalid(f"has no signal group {name}", field=f"stages.{stage.name}")
        for group in self.groups:
            self._check(group)

    @property
    def cycle_s(self) -> int:
        """Length of the cycle."""
        return sum(stage.length_s for stage in self.stages)

    def _check(self, group: SignalGroup) -> None:
        green = [group.name in stage.groups for stage in self.stages]
        if not any(green):
            raise Invalid(f"{group.name} is never green", field="groups")
        if all(green):
            raise Invalid(f"{group.name} is never red", field="groups")
        for index, stage in enumerate(self.stages):
            ends = green[index] and not green[(index + 1) % len(green)]
            if ends and group.flashing_green_s >= stage.green_s:
                raise Invalid(
                    f"{group.name} flashes for as long as {stage.name} is green", field="groups"
                )


@dataclass(frozen=True, slots=True)
class Junction:
    """A signalled junction and the plan that it runs; None where nobody has told us yet."""

    junction_id: JunctionId
    code: str
    name_zh: str
    name_en: str
    position: Position
    district: DistrictCode
    approaches: tuple[Approach, ...] = ()
    plan: FixedPlan | None = None

    def __post_init__(self) -> None:
        if not self.code:
            raise Invalid("must not be empty", field="code")
        parse_district_code(self.district)
        _once((approach.name for approach in self.approaches), "approaches")
        known = {approach.name for approach in self.approaches}
        for group in self.plan.groups if self.plan is not None else ():
            if group.approach is not None and group.approach not in known:
                raise Invalid(f"has no approach {group.approach}", field="plan.groups")


def _once(names: Iterable[str], field: str) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise Invalid(f"holds {twice[0]} twice", field=field)
