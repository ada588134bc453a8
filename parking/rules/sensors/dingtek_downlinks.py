"""The downlinks of Dingtek's parking sensors: one parameter each, in ASCII.

``8002``, a key of four digits, the parameter's number and its value in hexadecimal digits,
``81``. Source: TheThingsNetwork/lorawan-devices, vendor/dingtek/do200.js, do201.js and
do20*-codec.yaml (Apache-2.0); the ranges and the error texts are theirs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.sensors.model import Downlink, Rejected, RejectReason

PORT = 3
_TAIL = b"81"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that a downlink can set: number, digits of its value, range, names.

    `names` starts with the one that decoding gives; the others are accepted too.
    """

    number: int
    digits: int
    least: int
    most: int
    names: tuple[str, ...]
    complaint: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one device is spoken to: what its downlinks begin with, and its parameters."""

    key: bytes
    parameters: tuple[Parameter, ...]


def encoder(dialect: Dialect) -> Callable[[Mapping[str, JsonValue]], Downlink]:
    """Make the function that writes a downlink of this dialect."""
    by_name = {name: each for each in dialect.parameters for name in each.names}

    def encode(message: Mapping[str, JsonValue]) -> Downlink:
        """Write one parameter: a downlink carries exactly one."""
        unknown = sorted(set(message) - by_name.keys())
        if unknown or not message:
            known = ", ".join(each.names[0] for each in dialect.parameters)
            raise Invalid(
                f"invalid downlink parameter. known: {known}",
                field=unknown[0] if unknown else None,
            )
        if len(message) > 1:
            raise Invalid("one parameter a downlink", field=sorted(message)[1])
        ((name, value),) = message.items()
        parameter = by_name[name]
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not parameter.least <= value <= parameter.most
        ):
            raise Invalid(parameter.complaint, field=name)
        text = f"{parameter.number:02X}{value:0{parameter.digits}X}"
        return Downlink(PORT, dialect.key + text.encode("ascii") + _TAIL)

    return encode


def _hexadecimal(digits: bytes) -> int | None:
    """Read ASCII digits; unlike int(), take no sign, space or underscore."""
    if not digits or any(digit not in b"0123456789ABCDEFabcdef" for digit in digits):
        return None
    return int(digits, 16)


def _value(parameter: Parameter, digits: bytes) -> int | Rejected:
    """Read a parameter's value and hold it to the parameter's range."""
    if len(digits) != parameter.digits:
        short = len(digits) < parameter.digits
        return Rejected(
            RejectReason.TRUNCATED if short else RejectReason.OVERSIZED, "invalid format."
        )
    value = _hexadecimal(digits)
    if value is None:
        return Rejected(RejectReason.BAD_VALUE, "invalid format.")
    if not parameter.least <= value <= parameter.most:
        return Rejected(RejectReason.BAD_VALUE, parameter.complaint)
    return value


def reader(
    dialect: Dialect,
) -> Callable[[int, bytes], Mapping[str, JsonValue] | Rejected]:
    """Make the function that reads a downlink of this dialect."""
    by_number = {each.number: each for each in dialect.parameters}
    start = len(dialect.key)
    shortest = start + 2 + 2 + len(_TAIL)

    def read(port: int, frame: bytes) -> Mapping[str, JsonValue] | Rejected:
        if port != PORT:
            return Rejected(RejectReason.WRONG_PORT, "invalid FPort.")
        if len(frame) < shortest and dialect.key.startswith(frame[:start]):
            return Rejected(RejectReason.TRUNCATED, "invalid format.")
        if not frame.startswith(dialect.key) or not frame.endswith(_TAIL):
            return Rejected(RejectReason.UNKNOWN_FRAME, "invalid format.")
        number = _hexadecimal(frame[start : start + 2])
        parameter = None if number is None else by_number.get(number)
        if parameter is None:
            return Rejected(RejectReason.UNKNOWN_FRAME, "invalid parameter key.")
        value = _value(parameter, frame[start + 2 : -len(_TAIL)])
        return value if isinstance(value, Rejected) else {parameter.names[0]: value}

    return read


_UPLOAD_H = Parameter(
    1, 2, 1, 168, ("uploadInterval",), "periodic upload interval range 1-168 hours."
)
_BATTERY_PERCENT = Parameter(
    5, 2, 5, 99, ("batteryThreshold",), "battery alarm threshold range 5-99 %."
)
_DETECT_MIN = Parameter(8, 2, 1, 60, ("detectInterval",), "detection interval range 1-60 minutes.")
_MAGNET = Parameter(15, 4, 1, 65_535, ("magnetThreshold",), "magnet threshold range 1-65535.")

DO200 = Dialect(
    b"80028888",
    (
        _UPLOAD_H,
        Parameter(2, 2, 1, 255, ("magThreshold",), "Geomagnet threshold range 1-255 mGs."),
        Parameter(
            3,
            2,
            1,
            60,
            ("ultraDetectInterval", "ultraDetectionInterval"),
            "ultra detection interval range 1-60 minutes.",
        ),
        Parameter(
            4,
            2,
            1,
            60,
            ("magDetectInterval", "magDetectionInterval"),
            "mag detection interval range 1-60 seconds.",
        ),
        _BATTERY_PERCENT,
    ),
)
DO201 = Dialect(
    b"80029999",
    (
        _UPLOAD_H,
        Parameter(2, 2, 15, 255, ("levelThreshold",), "level threshold range 15-255 cm."),
        _BATTERY_PERCENT,
        _DETECT_MIN,
        _MAGNET,
    ),
)
DO202 = Dialect(b"80029999", (_UPLOAD_H, _BATTERY_PERCENT, _DETECT_MIN, _MAGNET))
