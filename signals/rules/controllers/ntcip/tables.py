"""What a simulated controller keeps, as the objects that NTCIP 1202 numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from city.errors import Invalid
from signals.rules.controllers.ntcip import objects
from signals.rules.controllers.ntcip.objects import Oid
from signals.rules.controllers.ntcip.rings import MOST_S, Pattern, Rings, Split

Row = int | bytes
_MOST_PATTERNS: Final = 128
_TENTHS: Final = 10
_PATTERN: Final = (objects.CYCLE, objects.OFFSET, objects.SPLIT, objects.SEQUENCE)
_SPLIT: Final = (objects.TIME, objects.MODE, objects.COORDINATED)


@dataclass(frozen=True)
class Tables:
    """Phases and rings, which are fixed, and patterns with their splits, which may be set."""

    rings: Rings
    values: Mapping[Oid, int]
    """Of patterns and splits."""
    most: int = _MOST_PATTERNS

    @classmethod
    def of(cls, rings: Rings, patterns: Sequence[Pattern]) -> "Tables":
        """Give the tables with some patterns in them, every other row empty."""
        values: dict[Oid, int] = {}
        for number in range(1, _MOST_PATTERNS + 1):
            values |= {(*objects.PATTERNS, column, number): 0 for column in _PATTERN}
            for phase in rings.phases:
                row = dict(zip(_SPLIT, (0, objects.OMITTED, 0), strict=True))
                values |= {(*objects.SPLITS, each, number, phase): row[each] for each in _SPLIT}
        for pattern in patterns:
            values |= pattern_values(pattern)
        return cls(rings, values)

    @property
    def writable(self) -> Mapping[Oid, int]:
        """What may be set."""
        return self.values

    @property
    def groups(self) -> int:
        """Octets of eight phases."""
        return (max(self.rings.phases) + 7) // 8

    @property
    def control_names(self) -> list[Oid]:
        """Of holds, force-offs and calls."""
        return [
            (*objects.PHASE_CONTROL, column, group)
            for column in (objects.HOLD, objects.FORCE_OFF, objects.CALL)
            for group in range(1, self.groups + 1)
        ]

    @cached_property
    def fixed(self) -> Mapping[Oid, Row]:
        """What cannot be set."""
        found: dict[Oid, Row] = {
            objects.MAX_PHASES: max(self.rings.phases),
            objects.MAX_PATTERNS: self.most,
            objects.MAX_SPLITS: self.most,
            objects.MAX_RINGS: max(each.ring for each in self.rings.phases.values()),
            objects.MAX_SEQUENCES: max(self.rings.sequences),
        }
        for phase in self.rings.phases.values():
            row: dict[int, Row] = {
                objects.WALK: phase.walk_s,
                objects.PED_CLEAR: phase.ped_clear_s,
                objects.LEAST_GREEN: phase.least_green_s,
                objects.YELLOW: round(phase.yellow_s * _TENTHS),
                objects.RED_CLEAR: round(phase.red_clear_s * _TENTHS),
                objects.RING: phase.ring,
                objects.CONCURRENCY: bytes(sorted(phase.concurrent)),
            }
            found |= {(*objects.PHASES, column, phase.number): row[column] for column in row}
        for sequence, order in self.rings.sequences.items():
            for ring, served in enumerate(order, 1):
                name = (*objects.SEQUENCES, objects.SEQUENCE_DATA, sequence, ring)
                found[name] = bytes(served)
        return found

    def pattern(self, number: int) -> Pattern | None:
        """Give a pattern with its splits; None while its cycle is 0.

        Raises
        ------
        Invalid
            Where it names splits that there are not.
        """
        row = (self.values[*objects.PATTERNS, column, number] for column in _PATTERN)
        cycle_s, offset_s, split, sequence = row
        if not cycle_s:
            return None
        if not 1 <= split <= self.most:
            raise Invalid(f"there is no split {split}", field="split")
        splits = {}
        for phase in self.rings.phases:
            kept = (self.values[*objects.SPLITS, column, split, phase] for column in _SPLIT)
            time_s, mode, coordinated = kept
            splits[phase] = Split(time_s, mode, bool(coordinated))
        return Pattern(number, cycle_s, offset_s, sequence, splits)


def written(tables: Tables, values: Mapping[Oid, int]) -> Tables:
    """Give the tables with some values set. Raises Invalid where one is no octet."""
    if any(not 0 <= value <= MOST_S for value in values.values()):
        raise Invalid(f"must be 0 to {MOST_S}")
    return replace(tables, values={**tables.values, **values})


def pattern_values(pattern: Pattern) -> dict[Oid, int]:
    """Give a pattern and its splits, under the pattern's own number, as values to set."""
    number = pattern.number
    values: dict[Oid, int] = {}
    for phase, split in sorted(pattern.splits.items()):
        values[*objects.SPLITS, objects.TIME, number, phase] = split.time_s
        values[*objects.SPLITS, objects.MODE, number, phase] = split.mode
        values[*objects.SPLITS, objects.COORDINATED, number, phase] = int(split.coordinated)
    values[*objects.PATTERNS, objects.CYCLE, number] = pattern.cycle_s
    values[*objects.PATTERNS, objects.OFFSET, number] = pattern.offset_s
    values[*objects.PATTERNS, objects.SPLIT, number] = number
    values[*objects.PATTERNS, objects.SEQUENCE, number] = pattern.sequence
    return values
