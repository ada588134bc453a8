"""Dingtek DO200, DO201 (ultrasonic and magnetic) and DO202 (radar and magnetic).

Source: TheThingsNetwork/lorawan-devices, vendor/dingtek/do200.js, do201.js and do20*-codec.yaml
(Apache-2.0); that the high half of byte 7 is the park status, the low half that of the distance
sensor, and that packet types 1 and 2 have one layout: a public NB-IoT gateway for the DO201.

Uplink, port 3: 80 00, device type, packet type (1 and 2 telemetry, 3 parameters), length of the
whole frame, contents, frame counter, 00, 81. Downlinks: `dingtek_downlinks`.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from parking.rules.sensors import dingtek_downlinks as downlinks
from parking.rules.sensors import strengths
from parking.rules.sensors.device import Codec, Uplink
from parking.rules.sensors.model import (
    BayObservation,
    Decoded,
    DeviceHealth,
    Rejected,
    RejectReason,
)

PARAMETER_PACKET = 3
_COLDEST_C, _HOTTEST_C = -40, 85
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


_DO200_TELEMETRY = struct.Struct(">5xHBBHhhhH2x")
_CLIMATE_TELEMETRY = struct.Struct(">5xHBBHhhhbBH2x")
"""Level in mm, states, alarms, hundredths of a volt, field along x, y and z in milligauss;
temperature and humidity; frame counter."""

_HEAD = b"\x80\x00"
_TAIL = 0x81


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a device's frames differ from its siblings'."""

    device_type: int
    lengths: Mapping[int, int]  # bytes of the whole frame by packet type
    heads: Mapping[bytes, int] = field(init=False)  # the same by the frame's first five bytes

    def __post_init__(self) -> None:
        heads = {
            _HEAD + bytes([self.device_type, packet, length]): length
            for packet, length in self.lengths.items()
        }
        object.__setattr__(self, "heads", heads)


def _refuse(frame: bytes, layout: _Layout) -> Rejected | None:
    """Check the envelope of a frame that is at least as long as the shorter of the two."""
    length = len(frame)
    if layout.heads.get(frame[:5]) == length and frame[-1] == _TAIL:
        return None
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
    return Rejected(RejectReason.BAD_VALUE, f"says {frame[4]} bytes and ends in {frame[-1]:#04x}")


def _telemetry(
    level_mm: int, states: int, alarms: int, battery_v: float, xyz: tuple[int, int, int]
) -> tuple[dict[str, JsonValue], tuple[BayObservation, ...]]:
    """Say what all three devices say."""
    park, distance, magnet = states >> 4 != 0, states & 15 != 0, alarms >> 4 != 0
    fields: dict[str, JsonValue] = {
        "level": level_mm,
        "volt": battery_v,
        "alarmPark": park,
        "alarmLevel": distance,
        "alarmMagnet": magnet,
        "alarmBattery": alarms & 15 != 0,
        "xMagnet": xyz[0],
        "yMagnet": xyz[1],
        "zMagnet": xyz[2],
    }
    return fields, _OBSERVATIONS[park << 2 | distance << 1 | magnet]


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
    level_mm, states, alarms, centivolts, x, y, z, counter = _DO200_TELEMETRY.unpack(frame)
    battery_v = centivolts / 100
    fields, observed = _telemetry(level_mm, states, alarms, battery_v, (x, y, z))
    fields["Frame_Counter"] = counter
    health = DeviceHealth(battery_v=battery_v, battery_low=alarms & 15 != 0)
    return Decoded(fields, observed, health)


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
        (level_mm, states, alarms, centivolts, x, y, z, temperature_c, humidity, counter) = (
            _CLIMATE_TELEMETRY.unpack(frame)
        )
        battery_v = centivolts / 100
        fields, observed = _telemetry(level_mm, states, alarms, battery_v, (x, y, z))
        if not has_level:
            del fields["level"]
        fields["temperature"] = temperature_c
        fields["humidity"] = humidity
        fields["frameCounter"] = counter
        plausible = _COLDEST_C <= temperature_c <= _HOTTEST_C
        health = DeviceHealth(
            battery_v=battery_v,
            battery_low=alarms & 15 != 0,
            temperature_c=temperature_c if plausible else None,
            faults=() if plausible else ("temperature-implausible",),
        )
        return Decoded(fields, observed, health)

    return read


_DO200 = _Layout(0x02, {1: 21, 2: 21, PARAMETER_PACKET: 17})
_DO201 = _Layout(0x31, {1: 23, 2: 23, PARAMETER_PACKET: 16})
_DO202 = _Layout(0x32, {1: 23, 2: 23, PARAMETER_PACKET: 16})


def _codec(
    model: str,
    layout: _Layout,
    read: Callable[[bytes], Decoded | Rejected],
    dialect: downlinks.Dialect,
    source: str,
) -> Codec:
    lengths = layout.lengths.values()
    return Codec(
        model=model,
        uplinks={downlinks.PORT: Uplink(min(lengths), max(lengths), read)},
        source=source,
        wrong_length=_WRONG_LENGTH,
        encode=downlinks.encoder(dialect),
        decode_downlink=downlinks.reader(dialect),
    )


DO200 = _codec(
    "dingtek-do200",
    _DO200,
    _do200,
    downlinks.DO200,
    "TheThingsNetwork/lorawan-devices: vendor/dingtek/do200.js",
)
DO201 = _codec(
    "dingtek-do201",
    _DO201,
    _read_climate_device(_DO201, has_level=True),
    downlinks.DO201,
    "TheThingsNetwork/lorawan-devices: vendor/dingtek/do201.js",
)
DO202 = _codec(
    "dingtek-do202",
    _DO202,
    _read_climate_device(_DO202, has_level=False),
    downlinks.DO202,
    "TheThingsNetwork/lorawan-devices: vendor/dingtek/do202-codec.yaml",
)
