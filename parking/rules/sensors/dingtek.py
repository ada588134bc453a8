"""Dingtek DO200, DO201 (ultrasonic and magnetic) and DO202 (radar and magnetic).

Source: TheThingsNetwork/lorawan-devices, vendor/dingtek/do200.js, do201.js and do20*-codec.yaml
(Apache-2.0); that the high half of byte 7 is the park status, the low half that of the distance
sensor, and that packet types 1 and 2 have one layout: a public NB-IoT gateway for the DO201.

Uplink: 80 00, device type, packet type (1 and 2 telemetry, 3 parameters), length of the whole
frame, contents, frame counter, 00, 81. Downlink: ASCII, ``8002``, a key of four digits, the
parameter's number and its value in hexadecimal digits, ``81``.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.sensors import strengths
from parking.rules.sensors.device import Codec, Uplink
from parking.rules.sensors.model import (
    BayObservation,
    Decoded,
    DeviceHealth,
    Downlink,
    Rejected,
    RejectReason,
)
from parking.rules.sensors.octets import SIGNED

PORT = 3
PARAMETER_PACKET = 3
_OPERATING_C = range(-40, 86)
"""What lithium cells and the housing stand; the maker's own example shows -117, a sensor that
is not there."""

_WRONG_LENGTH = "wrong length"


def _strength(*, park: bool, distance: bool, magnet: bool) -> int:
    """Weigh the device's verdict by how its two principles agree with it."""
    against = (distance != park) + (magnet != park)
    return (strengths.CHANGE, strengths.PARTLY_CONTRADICTED, strengths.WEAK)[against]


_OBSERVATIONS = tuple(
    (
        BayObservation(
            occupied=bits & 4 != 0,
            strength=_strength(park=bits & 4 != 0, distance=bits & 2 != 0, magnet=bits & 1 != 0),
        ),
    )
    for bits in range(8)
)


_FIELD = struct.Struct(">hhh")
"""The magnetic field along x, y and z, in milligauss."""

_HEAD = b"\x80\x00"
_TAIL = 0x81
_DOWNLINK_TAIL = b"81"


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
class _Layout:
    """Where a device's frames differ from its siblings'."""

    device_type: int
    lengths: Mapping[int, int]  # bytes of the whole frame by packet type
    key: bytes
    parameters: tuple[Parameter, ...]


def _refuse(frame: bytes, layout: _Layout) -> Rejected | None:
    """Check the envelope of a frame that is at least as long as the shorter of the two."""
    length = len(frame)
    if not frame.startswith(_HEAD):
        return Rejected(RejectReason.UNKNOWN_FRAME, "does not begin with 80 00")
    if frame[2] != layout.device_type:
        return Rejected(
            RejectReason.UNKNOWN_FRAME,
            f"device type {frame[2]:#04x}, expected {layout.device_type:#04x}",
        )
    expected = layout.lengths.get(frame[3])
    if expected is None:
        return Rejected(RejectReason.UNKNOWN_FRAME, f"unknown packet type {frame[3]}")
    if length != expected:
        short = length < expected
        return Rejected(RejectReason.TRUNCATED if short else RejectReason.OVERSIZED, _WRONG_LENGTH)
    if frame[4] != length or frame[-1] != _TAIL:
        return Rejected(
            RejectReason.BAD_VALUE, f"says {frame[4]} bytes and ends in {frame[-1]:#04x}"
        )
    return None


def _telemetry(frame: bytes) -> tuple[dict[str, JsonValue], int]:
    """Read what all three devices send; also the bits park, distance, magnet."""
    states, alarms = frame[7], frame[8]
    x, y, z = _FIELD.unpack_from(frame, 11)
    park, distance, magnet = states >> 4 != 0, states & 15 != 0, alarms >> 4 != 0
    fields: dict[str, JsonValue] = {
        "level": frame[5] << 8 | frame[6],
        "volt": (frame[9] << 8 | frame[10]) / 100,
        "alarmPark": park,
        "alarmLevel": distance,
        "alarmMagnet": magnet,
        "alarmBattery": alarms & 15 != 0,
        "xMagnet": x,
        "yMagnet": y,
        "zMagnet": z,
    }
    return fields, park << 2 | distance << 1 | magnet


def _battery_low(frame: bytes) -> bool:
    return frame[8] & 15 != 0


def _battery_v(frame: bytes) -> float:
    return (frame[9] << 8 | frame[10]) / 100


def _do200(frame: bytes) -> Decoded | Rejected:
    refused = _refuse(frame, _DO200)
    if refused is not None:
        return refused
    if frame[3] == PARAMETER_PACKET:
        firmware = f"{frame[5]}.{frame[6]}"
        return Decoded(
            {
                "firmware": firmware,
                "uploadInterval": frame[7],
                "ultraDetectInterval": frame[8],
                "magDetectInterval": frame[9],
                "magThreshold": frame[12] << 8 | frame[13],
            },
            (),
            DeviceHealth(firmware=firmware),
        )
    fields, bits = _telemetry(frame)
    fields["Frame_Counter"] = frame[17] << 8 | frame[18]
    health = DeviceHealth(battery_v=_battery_v(frame), battery_low=_battery_low(frame))
    return Decoded(fields, _OBSERVATIONS[bits], health)


def _climate(frame: bytes, fields: dict[str, JsonValue]) -> DeviceHealth:
    """Add temperature, humidity and counter of DO201 and DO202."""
    temperature_c = SIGNED[frame[17]]
    fields["temperature"] = temperature_c
    fields["humidity"] = frame[18]
    fields["frameCounter"] = frame[19] << 8 | frame[20]
    plausible = temperature_c in _OPERATING_C
    return DeviceHealth(
        battery_v=_battery_v(frame),
        battery_low=_battery_low(frame),
        temperature_c=temperature_c if plausible else None,
        faults=() if plausible else ("temperature-implausible",),
    )


def _read_climate_device(
    layout: _Layout, *, has_level: bool
) -> Callable[[bytes], Decoded | Rejected]:
    """Make the reader of a DO201, or of a DO202, whose radar gives no level."""

    def read(frame: bytes) -> Decoded | Rejected:
        refused = _refuse(frame, layout)
        if refused is not None:
            return refused
        if frame[3] == PARAMETER_PACKET:
            firmware = f"{frame[5]}.{frame[6]}"
            parameters: dict[str, JsonValue] = {
                "firmware": firmware,
                "uploadInterval": frame[7],
                "detectInterval": frame[8],
            }
            if has_level:
                parameters["levelThreshold"] = frame[9]
            parameters["magnetThreshold"] = frame[10] << 8 | frame[11]
            parameters["batteryThreshold"] = frame[12]
            return Decoded(parameters, (), DeviceHealth(firmware=firmware))
        fields, bits = _telemetry(frame)
        if not has_level:
            del fields["level"]
        return Decoded(fields, _OBSERVATIONS[bits], _climate(frame, fields))

    return read


def _encoder(layout: _Layout) -> Callable[[Mapping[str, JsonValue]], Downlink]:
    by_name = {name: each for each in layout.parameters for name in each.names}

    def encode(message: Mapping[str, JsonValue]) -> Downlink:
        """Write one parameter: a downlink carries exactly one."""
        unknown = sorted(set(message) - by_name.keys())
        if unknown or not message:
            known = ", ".join(each.names[0] for each in layout.parameters)
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
        return Downlink(PORT, layout.key + text.encode("ascii") + _DOWNLINK_TAIL)

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


def _downlink_reader(
    layout: _Layout,
) -> Callable[[int, bytes], Mapping[str, JsonValue] | Rejected]:
    by_number = {each.number: each for each in layout.parameters}
    start = len(layout.key)
    shortest = start + 2 + 2 + len(_DOWNLINK_TAIL)

    def read(port: int, frame: bytes) -> Mapping[str, JsonValue] | Rejected:
        if port != PORT:
            return Rejected(RejectReason.WRONG_PORT, "invalid FPort.")
        if len(frame) < shortest and layout.key.startswith(frame[:start]):
            return Rejected(RejectReason.TRUNCATED, "invalid format.")
        if not frame.startswith(layout.key) or not frame.endswith(_DOWNLINK_TAIL):
            return Rejected(RejectReason.UNKNOWN_FRAME, "invalid format.")
        number = _hexadecimal(frame[start : start + 2])
        parameter = None if number is None else by_number.get(number)
        if parameter is None:
            return Rejected(RejectReason.UNKNOWN_FRAME, "invalid parameter key.")
        value = _value(parameter, frame[start + 2 : -len(_DOWNLINK_TAIL)])
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

_DO200 = _Layout(
    device_type=0x02,
    lengths={1: 21, 2: 21, PARAMETER_PACKET: 17},
    key=b"80028888",
    parameters=(
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
_DO201 = _Layout(
    device_type=0x31,
    lengths={1: 23, 2: 23, PARAMETER_PACKET: 16},
    key=b"80029999",
    parameters=(
        _UPLOAD_H,
        Parameter(2, 2, 15, 255, ("levelThreshold",), "level threshold range 15-255 cm."),
        _BATTERY_PERCENT,
        _DETECT_MIN,
        _MAGNET,
    ),
)
_DO202 = _Layout(
    device_type=0x32,
    lengths={1: 23, 2: 23, PARAMETER_PACKET: 16},
    key=b"80029999",
    parameters=(_UPLOAD_H, _BATTERY_PERCENT, _DETECT_MIN, _MAGNET),
)

PARAMETERS: Mapping[str, tuple[Parameter, ...]] = MappingProxyType(
    {
        "dingtek-do200": _DO200.parameters,
        "dingtek-do201": _DO201.parameters,
        "dingtek-do202": _DO202.parameters,
    }
)


def _codec(
    model: str, layout: _Layout, read: Callable[[bytes], Decoded | Rejected], source: str
) -> Codec:
    lengths = layout.lengths.values()
    return Codec(
        model=model,
        uplinks={PORT: Uplink(min(lengths), max(lengths), read)},
        source=source,
        wrong_length=_WRONG_LENGTH,
        encode=_encoder(layout),
        decode_downlink=_downlink_reader(layout),
    )


DO200 = _codec(
    "dingtek-do200",
    _DO200,
    _do200,
    "TheThingsNetwork/lorawan-devices: vendor/dingtek/do200.js",
)
DO201 = _codec(
    "dingtek-do201",
    _DO201,
    _read_climate_device(_DO201, has_level=True),
    "TheThingsNetwork/lorawan-devices: vendor/dingtek/do201.js",
)
DO202 = _codec(
    "dingtek-do202",
    _DO202,
    _read_climate_device(_DO202, has_level=False),
    "TheThingsNetwork/lorawan-devices: vendor/dingtek/do202-codec.yaml",
)
