"""NTCIP 1202's objects by their numbers, and what their values mean.

Sources: the object numbers in public code (the compiled MIB of Actuated Signal Controllers, and
the monitors that `docs/controllers.md` names); the standard's own text was not at hand.
"""

from collections.abc import Iterable
from typing import Final

from signals.rules.controllers.line import Control

Oid = tuple[int, ...]

ASC: Final[Oid] = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1)
MAX_PHASES: Final[Oid] = (*ASC, 1, 1, 0)
PHASES: Final[Oid] = (*ASC, 1, 2, 1)
WALK, PED_CLEAR, LEAST_GREEN, YELLOW, RED_CLEAR, RING, CONCURRENCY = 2, 3, 4, 8, 9, 22, 23
"""Columns of the phase table; yellow and red in tenths of a second."""
PHASE_STATUS: Final[Oid] = (*ASC, 1, 4, 1)
REDS, YELLOWS, GREENS, DONT_WALKS, PED_CLEARS, WALKS, ONS = 2, 3, 4, 5, 6, 7, 10
PHASE_CONTROL: Final[Oid] = (*ASC, 1, 5, 1)
HOLD, FORCE_OFF, CALL = 4, 5, 6
BACKUP_TIME: Final[Oid] = (*ASC, 3, 3, 0)
UNIT_CONTROL: Final[Oid] = (*ASC, 3, 5, 0)
UNIT_FLASH: Final[Oid] = (*ASC, 3, 6, 0)
SHORT_ALARM: Final[Oid] = (*ASC, 3, 9, 0)
MAX_PATTERNS: Final[Oid] = (*ASC, 4, 5, 0)
PATTERNS: Final[Oid] = (*ASC, 4, 7, 1)
CYCLE, OFFSET, SPLIT, SEQUENCE = 2, 3, 4, 5
MAX_SPLITS: Final[Oid] = (*ASC, 4, 8, 0)
SPLITS: Final[Oid] = (*ASC, 4, 9, 1)
TIME, MODE, COORDINATED = 3, 4, 5
PATTERN_STATUS: Final[Oid] = (*ASC, 4, 10, 0)
FREE_STATUS: Final[Oid] = (*ASC, 4, 11, 0)
SYSTEM_PATTERN: Final[Oid] = (*ASC, 4, 14, 0)
MAX_RINGS: Final[Oid] = (*ASC, 7, 1, 0)
MAX_SEQUENCES: Final[Oid] = (*ASC, 7, 2, 0)
SEQUENCES: Final[Oid] = (*ASC, 7, 3, 1)
SEQUENCE_DATA: Final = 3

STANDBY: Final = 0
FREE: Final = 254
FLASH: Final = 255
MOST_PATTERNS: Final = 253
NO_FLASH: Final = 2
FLASH_AUTOMATIC: Final = 3
FLASH_MONITOR: Final = 6
FLASH_STARTING: Final = 7
BY_SYSTEM: Final = 2
BY_TIMEBASE: Final = 6
NOT_FREE: Final = 2
COMMANDED_FREE: Final = 3
CRITICAL: Final = 0x80
"""Bit of the short alarm status."""
RECALLED: Final = 4
RECALLED_WITH_WALK: Final = 6
OMITTED: Final = 7

_CONTROLS: Final = {
    BY_SYSTEM: Control.CENTRE,
    3: Control.TIMETABLE,
    4: Control.TIMETABLE,
    5: Control.MANUAL,
    BY_TIMEBASE: Control.TIMETABLE,
    7: Control.COORDINATED,
    8: Control.COORDINATED,
}
_FLASH_FAULTS: Final = {5: "fault monitor flash", FLASH_MONITOR: "conflict monitor flash"}
_FREE_FAULTS: Final = {
    7: "bad pattern",
    8: "bad cycle time",
    9: "split overrun",
    10: "invalid offset",
    11: "coordination failed",
}


def control_of(pattern: int, unit_control: int, unit_flash: int) -> Control:
    """Give who or what decides what a controller shows."""
    if unit_flash != NO_FLASH or pattern == FLASH:
        return Control.FLASHING
    if pattern == FREE:
        return Control.ACTUATED
    return _CONTROLS.get(unit_control, Control.OTHER)


def faults_of(unit_flash: int, free_status: int, short_alarm: int) -> tuple[str, ...]:
    """Give what a controller complains about."""
    said = (_FLASH_FAULTS.get(unit_flash), _FREE_FAULTS.get(free_status))
    critical = "critical alarm" if short_alarm & CRITICAL else None
    return tuple(each for each in (*said, critical) if each is not None)


def masks(numbers: Iterable[int], groups: int) -> tuple[int, ...]:
    """Give numbers from 1 as octets of eight, the first in the lowest bit of the first."""
    found = [0] * groups
    for number in numbers:
        found[(number - 1) // 8] |= 1 << (number - 1) % 8
    return tuple(found)


def unmasked(octets: Iterable[int]) -> frozenset[int]:
    """Give the numbers of octets of eight."""
    return frozenset(
        8 * group + bit + 1
        for group, octet in enumerate(octets)
        for bit in range(8)
        if octet >> bit & 1
    )
