"""What a simulated controller tells of itself: maker, clock, what is wrong on purpose."""

from datetime import datetime, timedelta
from typing import Final

from signals.adapters.cabinet_host import Mischief
from signals.adapters.gbt20999.tables import Table
from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.gbt20999 import device, objects

MAKER: Final = "Greenbay simulated"
VERSION: Final = b"\x01\x00\x01\x02"
_CONFLICT, _RED_LAMP, _FRONT_DOOR = 0x10, 0x20, 0x71
_FLASHES, _NO_ACTION, _ENVIRONMENT = 0x10, 0x00, 0x60


def condition(
    cabinet: Cabinet, mischief: Mischief, controller: int, key: tuple[int, int], now: datetime
) -> Table | None:
    """Give an object's rows; None where it is none of these.

    Parameters
    ----------
    cabinet : Cabinet
    mischief : Mischief
        What is wrong with it.
    controller : int
        Its number, which is its serial number, too.
    key : tuple of int
        Class and object.
    now : datetime
    """
    at = device.instant_value(now + timedelta(seconds=mischief.clock_s))
    one = {
        (device.DEVICE_CLASS, device.MAKER): MAKER.encode().ljust(128, b"\0"),
        (device.DEVICE_CLASS, device.VERSION): VERSION,
        (device.DEVICE_CLASS, device.SERIAL): f"{controller:06d}".encode().ljust(16, b"\0"),
    }
    if key in one:
        return {0: {0: one[key]}}
    if key == (objects.RUN_CLASS, device.DEVICE_STATE):
        return {0: {device.UTC_ATTRIBUTE: at}}
    faults = _faults(cabinet, mischief)
    alarms = [(_ENVIRONMENT, _FRONT_DOOR)] if mischief.door else []
    if key in {(objects.FAULT_CLASS, 1), (device.ALARM_CLASS, 1)}:
        count = len(faults if key[0] == objects.FAULT_CLASS else alarms)
        return {0: {0: count.to_bytes(4, "big")}}
    if key == (objects.FAULT_CLASS, 2):
        return {
            row: {1: row.to_bytes(4, "big"), 2: bytes((kind,)), 3: at, 4: bytes((action,))}
            for row, (kind, action) in enumerate(faults, 1)
        }
    if key == (device.ALARM_CLASS, 2):
        return {
            row: {1: row.to_bytes(4, "big"), 2: bytes((kind,)), 3: bytes((value,)), 4: at}
            for row, (kind, value) in enumerate(alarms, 1)
        }
    return None


def _faults(cabinet: Cabinet, mischief: Mischief) -> list[tuple[int, int]]:
    found = []
    if cabinet.trip is not None:
        # A green conflict, answered by flashing.
        found.append((_CONFLICT, _FLASHES))
    if mischief.lamp:
        found.append((_RED_LAMP, _NO_ACTION))
    return found
