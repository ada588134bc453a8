"""Codes of GA/T 1049.2-2024, as one public implementation has them (docs/controllers.md)."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from signals.rules.controllers.line import Control
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect

_LOCAL: Final = ZoneInfo("Asia/Shanghai")
CANCEL: Final = "00"
DARK, ALL_RED, FLASHING = "11", "12", "13"
STAGE_LOCK: Final = "52"
DESIGNATED: Final = "53"
CONTROLS: Final = {
    "01": Control.MANUAL,
    DARK: Control.DARK,
    ALL_RED: Control.ALL_RED,
    FLASHING: Control.FLASHING,
    "21": Control.FIXED,
    "22": Control.ACTUATED,
    "23": Control.ADAPTIVE,
    "31": Control.COORDINATED,
    "32": Control.ACTUATED,
    "33": Control.ADAPTIVE,
    "41": Control.CENTRE,
    "51": Control.MANUAL,
    STAGE_LOCK: Control.MANUAL,
    DESIGNATED: Control.CENTRE,
}
"""`ControlMode`; one that is not here is some other."""
WITHOUT_PLAN: Final = {
    Control.DARK: DARK,
    Control.ALL_RED: ALL_RED,
    Control.FLASHING: FLASHING,
}
MODES: Final = {
    Control.FIXED: "21",
    Control.ACTUATED: "22",
    Control.ADAPTIVE: "23",
    Control.COORDINATED: "31",
}
"""Modes to run a plan in; every other is asked for as the designated plan."""

LOCK_STAGE: Final = 4
"""`LockType`: the given stage."""
MOTOR: Final = 1
"""Flow `Type`."""
ANY_DIRECTION: Final = 9
"""`Direction`: other."""
ADD, MODIFY = 1, 2
"""`Oper`."""

LAMP_GROUPS: Final = {
    GroupKind.VEHICLE: 10,
    GroupKind.BICYCLE: 30,
    GroupKind.PEDESTRIAN: 40,
}
_KINDS: Final = {
    **dict.fromkeys((10, 21, 22, 23, 50, 61, 62, 63, 70, 80), GroupKind.VEHICLE),
    **dict.fromkeys((30, 32), GroupKind.BICYCLE),
    **dict.fromkeys((40, 41, 42), GroupKind.PEDESTRIAN),
}
_NONE, _OFF, _LIT, _FLASH = "0", "1", "2", "3"
_LAMPS: Final = {
    Aspect.RED: (_LIT, _OFF, _OFF),
    Aspect.TURN_ON_RED: (_LIT, _OFF, _OFF),
    Aspect.RED_YELLOW: (_LIT, _LIT, _OFF),
    Aspect.YELLOW: (_OFF, _LIT, _OFF),
    Aspect.YELLOW_MAJOR: (_OFF, _LIT, _OFF),
    Aspect.FLASHING_YELLOW: (_OFF, _FLASH, _OFF),
    Aspect.GREEN: (_OFF, _OFF, _LIT),
    Aspect.PERMISSIVE: (_OFF, _OFF, _LIT),
    Aspect.FLASHING_GREEN: (_OFF, _OFF, _FLASH),
    Aspect.FLASHING_PERMISSIVE: (_OFF, _OFF, _FLASH),
    Aspect.DARK: (_OFF, _OFF, _OFF),
}
_ASPECTS: Final = {
    lamps: aspect
    for aspect, lamps in _LAMPS.items()
    # The lamps do not tell which greens give way.
    if aspect
    in {
        Aspect.RED,
        Aspect.RED_YELLOW,
        Aspect.YELLOW,
        Aspect.FLASHING_YELLOW,
        Aspect.GREEN,
        Aspect.FLASHING_GREEN,
        Aspect.DARK,
    }
}


def instant(at: datetime) -> str:
    """Give an instant as messages have it: local time, in seconds."""
    return f"{at.astimezone(_LOCAL):%Y-%m-%d %H:%M:%S}"


def sequence(at: datetime, number: int) -> str:
    """Give the sequence of a request: its second in local time, and six digits."""
    return f"{at.astimezone(_LOCAL):%Y%m%d%H%M%S}{number:06d}"


def kind_of(lamp_group_type: int) -> GroupKind | None:
    """Give whom a group of lamps is for; None where the code is not known."""
    return _KINDS.get(lamp_group_type)


def lamp_status(aspect: Aspect, kind: GroupKind) -> str:
    """Give the three characters of red, yellow and green; who walks has no yellow."""
    red, yellow, green = _LAMPS[aspect]
    return f"{red}{_NONE if kind is GroupKind.PEDESTRIAN else yellow}{green}"


def aspect_of(status: str) -> Aspect | None:
    """Give what three characters show; None where they are not known."""
    if len(status) != len((_LIT, _OFF, _OFF)):
        return None
    red, yellow, green = (_OFF if each == _NONE else each for each in status)
    return _ASPECTS.get((red, yellow, green))
