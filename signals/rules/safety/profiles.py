"""What a region asks of a signal plan, as data: each rule with its clause or source.

A rule that a profile does not list is not judged under it. Figures marked "from memory" or
"practice" were not checked against the standard's own text; a city sets its own by ``replace``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect


class Rule(StrEnum):
    """What is judged."""

    CONFLICT = "conflicting-greens"
    INTERGREEN = "intergreen"
    ALL_RED = "all-red"
    MIN_GREEN = "minimum-green"
    MAX_GREEN = "maximum-green"
    YELLOW = "yellow"
    YELLOW_TRAP = "yellow-trap"
    LAMPS = "lamp-sequence"
    WALK = "pedestrian-walk"
    CLEARANCE = "pedestrian-clearance"
    WAIT = "pedestrian-wait"
    LONGEST_RED = "longest-red"
    UNSERVED = "never-green"
    CYCLE = "cycle"
    OFFSET = "offset"
    TURN_ON_RED = "turn-on-red"
    WAITING_AREA = "waiting-area-order"
    STEADY = "steady-lamps"
    RINGS = "ring-barrier"


class Lit(StrEnum):
    """Lamps as the rule on their order tells them apart."""

    RED = "red"
    RED_YELLOW = "red-yellow"
    GREEN = "green"
    FLASHING_GREEN = "flashing green"
    YELLOW = "yellow"
    DARK = "dark"
    FLASHING_YELLOW = "flashing yellow"


LIT: Final = {
    Aspect.RED: Lit.RED,
    Aspect.TURN_ON_RED: Lit.RED,
    Aspect.RED_YELLOW: Lit.RED_YELLOW,
    Aspect.GREEN: Lit.GREEN,
    Aspect.PERMISSIVE: Lit.GREEN,
    Aspect.FLASHING_GREEN: Lit.FLASHING_GREEN,
    Aspect.FLASHING_PERMISSIVE: Lit.FLASHING_GREEN,
    Aspect.YELLOW: Lit.YELLOW,
    Aspect.YELLOW_MAJOR: Lit.YELLOW,
    Aspect.DARK: Lit.DARK,
    Aspect.FLASHING_YELLOW: Lit.FLASHING_YELLOW,
}

_V, _B, _P = GroupKind.VEHICLE, GroupKind.BICYCLE, GroupKind.PEDESTRIAN


@dataclass(frozen=True, slots=True)
class Clearing:
    """How fast who leaves and enters the junction when its intergreen is worked out."""

    straight_mps: float
    turning_mps: float
    length_m: float
    """Of what clears."""
    entering_mps: float
    """Speed at which the first of the next stream comes; infinite for no credit."""


@dataclass(frozen=True)
class Profile:
    """A region's rules and limits; None where it sets none."""

    name: str
    sources: Mapping[Rule, str]
    """Clause or source of each rule that is judged."""
    least_green_s: Mapping[GroupKind, float]
    most_green_s: float | None = None
    yellow_s: tuple[tuple[float, float], ...] | None = None
    """Up to a speed (km/h), at least so much; None: as the network's own plan shows it."""
    most_yellow_s: float | None = None
    bicycle_yellow_s: float = 2.0
    all_red_s: float = 0.0
    clearing: Mapping[GroupKind, Clearing] = field(default_factory=dict)
    orders: Mapping[GroupKind, frozenset[tuple[Lit, Lit]]] = field(default_factory=dict)
    """Changes of lamps that are allowed."""
    least_walk_s: float = 0.0
    walking_mps: float = 1.2
    pedestrian_wait_s: float | None = None
    pedestrian_wait_refuge_s: float | None = None
    """Longest red where the crossing has a refuge."""
    longest_red_s: float | None = None
    cycle_s: tuple[float, float] | None = None
    flash_counts: bool = True
    """A pedestrian's flashing green must clear the crossing (or red until the conflict may)."""
    persons: bool = True
    """Plans are made for the least delay of persons, those on foot among them; else of vehicles."""
    overlapping: bool = True
    """Greens end and begin each at its own time in a change; else a stage's all at once."""

    def judges(self, rule: Rule) -> bool:
        """Whether the profile has the rule."""
        return rule in self.sources


_RILSA_CLEARING: Final = {
    _V: Clearing(10.0, 7.0, 6.0, 11.1),
    _B: Clearing(4.0, 4.0, 2.0, 5.0),
    _P: Clearing(1.2, 1.2, 0.0, 1.5),
}

_GB_VEHICLE: Final = frozenset(
    {
        (Lit.RED, Lit.GREEN),
        (Lit.GREEN, Lit.FLASHING_GREEN),
        (Lit.GREEN, Lit.YELLOW),
        (Lit.FLASHING_GREEN, Lit.YELLOW),
        (Lit.YELLOW, Lit.RED),
        # An arrow goes dark instead of green, with the disc beside it in force.
        (Lit.RED, Lit.DARK),
        (Lit.DARK, Lit.YELLOW),
    }
)
_GB_WALKERS: Final = frozenset(
    {
        (Lit.RED, Lit.GREEN),
        (Lit.GREEN, Lit.FLASHING_GREEN),
        (Lit.FLASHING_GREEN, Lit.RED),
    }
)
_NEMA_VEHICLE: Final = frozenset(
    {(Lit.RED, Lit.GREEN), (Lit.GREEN, Lit.YELLOW), (Lit.YELLOW, Lit.RED)}
)

RINGS_SOURCE: Final = (
    "FHWA Signal Timing Manual, rings and barriers: the splits of each ring add up to the same on"
    " either side of a barrier, and phases that run side by side do not conflict"
)

GB: Final = Profile(
    name="gb",
    sources={
        Rule.CONFLICT: "GB 14886-2016: flows released by arrows must not conflict; permissive"
        " streams give way",
        Rule.INTERGREEN: "yellow + clearing time - entering time of each pair of conflicting"
        " streams; speeds and lengths after RiLSA 2010 (from memory)",
        Rule.ALL_RED: "common practice: at least 1 s between conflicting streams",
        Rule.MIN_GREEN: "common practice: 5 s",
        Rule.MAX_GREEN: "common practice: 120 s",
        Rule.YELLOW: "common practice: 3 to 5 s, by speed",
        Rule.LAMPS: "GB 14886-2016: vehicles red, green, yellow, red; arrows also by way of dark;"
        " pedestrians red, green, flashing green, red; a flashing green of vehicles is common",
        Rule.WALK: "common practice: 5 s of steady green",
        Rule.CLEARANCE: "GB/T 51439-2021, 9.2: the flashing green clears the last to enter, at"
        " least to the refuge",
        Rule.WAIT: "GB/T 51439-2021, 9.2: at most 70 s, 90 s with a refuge",
        Rule.LONGEST_RED: "common practice: 180 s",
        Rule.UNSERVED: "a movement that the road allows must be served",
        Rule.CYCLE: "common practice: 30 to 180 s",
        Rule.OFFSET: "an offset lies within the cycle",
        Rule.TURN_ON_RED: "Road Traffic Safety Law, implementing regulation, art. 38: right turns"
        " alone may pass at red (from memory)",
        Rule.WAITING_AREA: "left-turn waiting area (待行区): filled while straight is green, so"
        " its own green follows at once",
        Rule.STEADY: "a plan in operation leaves no signal dark or flashing beside lit ones",
        Rule.RINGS: RINGS_SOURCE,
    },
    least_green_s={_V: 5.0, _B: 5.0, _P: 5.0},
    most_green_s=120.0,
    yellow_s=((50.0, 3.0), (60.0, 4.0), (1e9, 5.0)),
    most_yellow_s=5.0,
    bicycle_yellow_s=2.0,
    all_red_s=1.0,
    clearing=_RILSA_CLEARING,
    orders={_V: _GB_VEHICLE, _B: _GB_VEHICLE, _P: _GB_WALKERS},
    least_walk_s=5.0,
    walking_mps=1.2,
    pedestrian_wait_s=70.0,
    pedestrian_wait_refuge_s=90.0,
    longest_red_s=180.0,
    cycle_s=(30.0, 180.0),
)

NEMA: Final = Profile(
    name="nema",
    sources={
        Rule.CONFLICT: "NEMA TS 2 conflict monitor: no two conflicting greens; permissive turns"
        " give way",
        Rule.INTERGREEN: "ITE: red clearance (w + L) / v after the yellow, entering without credit",
        Rule.MIN_GREEN: "FHWA Signal Timing Manual, minimum green: 5 s",
        Rule.MAX_GREEN: "FHWA Signal Timing Manual, maximum green: 120 s",
        Rule.YELLOW: "MUTCD 2009, 4D.26: 3 to 6 s; ITE: 1 s + v / (2 x 3.05 m/s2)",
        Rule.YELLOW_TRAP: "MUTCD 2009, 4D.17 to 4D.20: a permissive left must not see yellow while"
        " the opposite through stays green",
        Rule.LAMPS: "MUTCD 2009, 4D.05: green, yellow, red; no red-and-yellow",
        Rule.WALK: "MUTCD 2009, 4E.06: walk at least 7 s, 4 s where few walk",
        Rule.CLEARANCE: "MUTCD 2009, 4E.06: clearance at 3.5 ft/s (1.07 m/s)",
        Rule.LONGEST_RED: "practice: 240 s",
        Rule.UNSERVED: "a movement that the road allows must be served",
        Rule.CYCLE: "FHWA Signal Timing Manual: 30 to 240 s",
        Rule.OFFSET: "an offset lies within the cycle",
        Rule.TURN_ON_RED: "Uniform Vehicle Code 11-202: right turns (and left ones between"
        " one-way streets, not judged here)",
        Rule.STEADY: "a plan in operation leaves no signal dark or flashing beside lit ones",
        Rule.RINGS: RINGS_SOURCE,
    },
    least_green_s={_V: 5.0, _B: 5.0, _P: 4.0},
    most_green_s=120.0,
    # ITE's formula at the upper end of each class, rounded up to 0.1 s.
    yellow_s=((40.0, 3.0), (50.0, 3.3), (60.0, 3.8), (70.0, 4.2), (80.0, 4.7), (1e9, 6.0)),
    most_yellow_s=6.0,
    bicycle_yellow_s=3.0,
    clearing={
        _V: Clearing(11.1, 8.9, 6.1, float("inf")),
        _B: Clearing(4.5, 4.5, 1.8, float("inf")),
        _P: Clearing(1.07, 1.07, 0.0, float("inf")),
    },
    orders={
        _V: _NEMA_VEHICLE,
        _B: _NEMA_VEHICLE,
        _P: frozenset(
            {
                (Lit.RED, Lit.GREEN),
                (Lit.GREEN, Lit.FLASHING_GREEN),
                (Lit.FLASHING_GREEN, Lit.RED),
            }
        ),
    },
    least_walk_s=4.0,
    walking_mps=1.07,
    longest_red_s=240.0,
    cycle_s=(30.0, 240.0),
)

AS_IS: Final = Profile(
    name="as-is",
    sources={
        Rule.CONFLICT: "conflicting greens, by the network's own foes and priorities",
        Rule.MIN_GREEN: "profile as-is: 5 s",
        Rule.YELLOW: "profile as-is: the network's own yellow, 3 s where it shows none",
        Rule.UNSERVED: "a movement that the road allows must be served",
        Rule.RINGS: RINGS_SOURCE,
    },
    least_green_s={_V: 5.0, _B: 5.0, _P: 0.0},
    persons=False,
    # Where cars alone are counted, public networks lost 1 to 4 % by it in SUMO.
    overlapping=False,
)

PROFILES: Final = {profile.name: profile for profile in (GB, NEMA, AS_IS)}


def profile_named(name: str) -> Profile:
    """Give a profile; Invalid names those that there are."""
    found = PROFILES.get(name)
    if found is None:
        raise Invalid(f"must be one of {', '.join(PROFILES)}", field="profile")
    return found
