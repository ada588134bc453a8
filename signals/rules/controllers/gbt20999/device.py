"""GB/T 20999-2017: the classes by which a controller tells of itself; pure.

Class 1 (maker, version, serial number), class 13 object 1 attribute 10 (its clock in UTC) and class
15 (alarms) as public sources state them; the values of alarms have one source alone. Whether a row
of class 15 goes once its cause is over is not stated: what stands there counts as being so.
"""

from datetime import UTC, datetime
from typing import Final

DEVICE_CLASS: Final = 1
ALARM_CLASS: Final = 15
MAKER, VERSION, SERIAL = 1, 2, 3
"""Objects of class 1."""
DEVICE_STATE: Final = 1
"""Object of class 13."""
UTC_ATTRIBUTE: Final = 10
_INSTANT_BYTES: Final = 7
_VERSION_BYTES: Final = 4

ALARMS: Final = {
    0x10: "voltage",
    0x11: "voltage_high",
    0x12: "voltage_low",
    0x13: "power_off",
    0x20: "temperature",
    0x21: "temperature_high",
    0x22: "temperature_low",
    0x30: "humidity",
    0x31: "humidity_high",
    0x32: "humidity_low",
    0x40: "smoke",
    0x50: "movement",
    0x60: "water",
    0x70: "door",
    0x71: "front_door",
    0x72: "back_door",
    0x74: "left_door",
    0x78: "right_door",
}


def text_of(value: bytes | None) -> str | None:
    """Read a string that zeros follow; None where it is empty or cannot be read."""
    if not value:
        return None
    try:
        said = value.split(b"\0", 1)[0].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return said.strip() if said.strip() and said.isprintable() else None


def version_of(value: bytes | None) -> str | None:
    """Read two bytes of hardware and two of software; how they count is not stated."""
    if value is None or len(value) != _VERSION_BYTES:
        return None
    return f"{value[:2].hex()}/{value[2:].hex()}".upper()


def instant_of(value: bytes | None) -> datetime | None:
    """Read year, month, day, hour, minute and second in UTC; None where that is no instant."""
    if value is None or len(value) != _INSTANT_BYTES:
        return None
    month, day, hour, minute, second = value[2:]
    try:
        year = int.from_bytes(value[:2], "big")
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def instant_value(at: datetime) -> bytes:
    """Give an instant's bytes, in UTC."""
    utc = at.astimezone(UTC)
    return utc.year.to_bytes(2, "big") + bytes(
        (utc.month, utc.day, utc.hour, utc.minute, utc.second)
    )
