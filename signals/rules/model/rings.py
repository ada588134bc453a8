"""Rings and barriers: phases that run side by side, and cross from one side to the next together.

A cycle has sides (all phases of one street, then of the other); on each side every ring has phases
one after the other, in its own order and lengths, so that one direction's left turn may lead and
the other's lag (早启, 迟断). All rings leave a side at its barrier together. A signal group is
green in each phase that has it; an overlap (搭接) adds a group to several phases. A group that is
in the next phase as well stays green through the change between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from city.errors import Invalid

_MOST_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class RingPhase:
    """Signal groups that are green together in one ring, and the change to who follows."""

    name: str
    groups: frozenset[str]
    green_s: float
    change_s: float
    """From the end of green to the start of the next phase: yellow and red."""

    def __post_init__(self) -> None:
        # Written so that NaN fails too.
        if not 0 < self.green_s <= _MOST_S:
            raise Invalid("must be positive", field=f"rings.{self.name}.green_s")
        if not 0 <= self.change_s <= _MOST_S:
            raise Invalid("must not be negative", field=f"rings.{self.name}.change_s")

    @property
    def split_s(self) -> float:
        """All that the phase takes of its ring."""
        return self.green_s + self.change_s


@dataclass(frozen=True, slots=True)
class Overlap:
    """A signal group that is green with several phases."""

    group: str
    phases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A phase at its time in the cycle."""

    side: int
    ring: int
    phase: RingPhase
    start_s: float
    green_end_s: float
    end_s: float
    """Where the next phase of its ring starts: at the barrier, for the last of a side."""


@dataclass(frozen=True)
class Rings:
    """Sides of a barrier one after the other, of each its rings, of each its phases.

    Raises
    ------
    Invalid
        Without a side, with an empty ring, two phases of a name, or an overlap of an unknown phase.
    """

    sides: tuple[tuple[tuple[RingPhase, ...], ...], ...]
    overlaps: tuple[Overlap, ...] = ()

    def __post_init__(self) -> None:
        if len(self.sides) < 2:  # noqa: PLR2004 - one side has no barrier to cross
            raise Invalid("must have at least two sides", field="rings.sides")
        names: set[str] = set()
        for place, side in enumerate(self.sides):
            if not side or not all(side):
                raise Invalid("must have a phase in each ring", field=f"rings.sides.{place}")
            for phase in (phase for ring in side for phase in ring):
                if phase.name in names:
                    raise Invalid("two phases have this name", field=f"rings.{phase.name}")
                names.add(phase.name)
        for overlap in self.overlaps:
            for name in overlap.phases:
                if name not in names:
                    raise Invalid(f"there is no phase {name}", field=f"rings.{overlap.group}")

    @property
    def phases(self) -> Iterator[RingPhase]:
        """All phases."""
        return (phase for side in self.sides for ring in side for phase in ring)

    def ring_s(self, side: int, ring: int) -> float:
        """Give what the splits of a ring add up to on a side."""
        return sum(phase.split_s for phase in self.sides[side][ring])

    def side_s(self, side: int) -> float:
        """Give how long a side lasts: until its longest ring is through."""
        return max(self.ring_s(side, ring) for ring in range(len(self.sides[side])))

    @property
    def cycle_s(self) -> float:
        """Length of the cycle."""
        return sum(self.side_s(side) for side in range(len(self.sides)))

    def placed(self) -> Iterator[Placed]:
        """Give every phase at its time."""
        begins_s = [0.0, *accumulate(self.side_s(side) for side in range(len(self.sides)))]
        for place, side in enumerate(self.sides):
            for number, ring in enumerate(side):
                now_s = begins_s[place]
                for phase in ring:
                    last = phase is ring[-1]
                    end_s = begins_s[place + 1] if last else now_s + phase.split_s
                    yield Placed(place, number, phase, now_s, now_s + phase.green_s, end_s)
                    now_s = end_s

    def groups_of(self, phase: RingPhase) -> frozenset[str]:
        """Give who is green in a phase, overlaps with them."""
        return phase.groups | {each.group for each in self.overlaps if phase.name in each.phases}
