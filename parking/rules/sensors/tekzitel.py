"""Tekzitel TEKZIPARK: magnetometer and radar, Bluetooth beacons, 64 bits of configuration.

Source: TheThingsNetwork/lorawan-devices, vendor/tekzitel/tekzipark.js and tekzipark-codec.yaml
(Apache-2.0). The device's `Radar` flag says that the radar took part in the decision, not that
it saw a car: the maker's example of a vacant bay 'with radar detection' has it set.
"""

from collections.abc import Mapping

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

DOWNLINK_PORT = 3
_DOWNLINK_LENGTH = 8
_NO_BEACONS_LENGTH = 3
_MOST_BEACONS = 7
"""`beacons_scan_no` has three bits."""

CONFIGURATION: tuple[tuple[str, int, int, int], ...] = (
    # name, byte, lowest bit, bits
    ("suppress_baseline_offset", 0, 7, 1),
    ("radar_start_range", 0, 4, 3),
    ("fluctuations_count", 0, 0, 4),
    ("downlink_frequency", 1, 7, 1),
    ("axis_deflection", 1, 5, 2),
    ("debug_mode", 1, 4, 1),
    ("deflection_threshold_mag", 1, 0, 4),
    ("zero_neg_drop", 2, 7, 1),
    ("oversampling", 2, 5, 2),
    ("hw_acc_samples_no", 2, 3, 2),
    ("fluctuation_threshold_XY", 2, 0, 3),
    ("sleep_time", 3, 5, 3),
    ("reset_control", 3, 4, 1),
    ("mag_reboot", 3, 3, 1),
    ("fluctuation_delay_time", 3, 0, 3),
    ("axis_fluctuations", 4, 6, 2),
    ("fluctuation_threshold_Z", 4, 3, 3),
    ("self_heal", 4, 2, 1),
    ("keepalive_period", 4, 0, 2),
    ("radar_scan_count", 5, 4, 4),
    ("obstruction_check", 5, 3, 1),
    ("reflection_threshold_radar", 5, 0, 3),
    ("OI", 6, 7, 1),
    ("send_rssi", 6, 6, 1),
    ("beacons_scan_no", 6, 3, 3),
    ("ble_scan_window", 6, 0, 3),
    ("ble_scan_rssi", 7, 0, 8),
)
"""Every bit of the configuration downlink."""

_NAMES = frozenset(name for name, *_ in CONFIGURATION)

_OCCUPIED, _OBSTRUCTED, _RADAR, _RESET, _GOOD_BATTERY = 0x80, 0x10, 0x08, 0x02, 0x20


def _strength(flags: int) -> int:
    if flags & _OBSTRUCTED:
        return strengths.WEAK
    if flags & _RESET:
        return strengths.RESTARTED
    if not flags & _RADAR:
        return strengths.MAGNET_ONLY
    return strengths.CONFIRMED if flags & 1 else strengths.CHANGE


_OBSERVATIONS = tuple(
    (BayObservation(occupied=flags & _OCCUPIED != 0, strength=_strength(flags)),)
    for flags in range(256)
)
_FAULTY = (
    (BayObservation(occupied=False, strength=strengths.WEAK),),
    (BayObservation(occupied=True, strength=strengths.WEAK),),
)


def _common(frame: bytes) -> dict[str, JsonValue]:
    flags = frame[0]
    return {
        "occupied": flags >> 7,
        "keepAlive": flags & 1,
        "reset": flags >> 1 & 1,
        "No_Beacon": flags >> 2 & 1,
        "Radar": flags >> 3 & 1,
        "Obstruction": flags >> 4 & 1,
        "Good_Battery": flags >> 5 & 1,
        "Temperature": SIGNED[frame[1]],
        "Parking_ID": frame[2],
    }


def _status(frame: bytes) -> Decoded | Rejected:
    flags = frame[0]
    fields = _common(frame)
    length = len(frame)
    if length > _NO_BEACONS_LENGTH:
        if length & 1:
            return Rejected(RejectReason.TRUNCATED, "half a beacon at the end of the frame")
        fields["Beacon_RSSI"] = SIGNED[frame[3]]
        fields["Beacons"] = [frame[at] << 8 | frame[at + 1] for at in range(4, length, 2)]
    health = DeviceHealth(
        battery_low=not flags & _GOOD_BATTERY,
        temperature_c=SIGNED[frame[1]],
        reset_cause="reset" if flags & _RESET else None,
        faults=("obstructed",) if flags & _OBSTRUCTED else (),
    )
    return Decoded(fields, _OBSERVATIONS[flags], health)


def _debug(frame: bytes) -> Decoded:
    flags = frame[0]
    fields = _common(frame)
    fields |= {
        "Deflection_X": SIGNED[frame[3]],
        "Deflection_Y": SIGNED[frame[4]],
        "Deflection_Z": SIGNED[frame[5]],
        "Baseline_X": SIGNED[frame[6]],
        "Baseline_Y": SIGNED[frame[7]],
        "Baseline_Z": SIGNED[frame[8]],
        "Fault_Code": frame[9],
        # The maker's codec puts this byte in place of the flag of the same name.
        "Obstruction": frame[10],
        "D_Reflection": frame[11],
    }
    faults: tuple[str, ...] = ()
    if flags & _OBSTRUCTED or frame[10]:
        faults += ("obstructed",)
    if frame[9]:
        faults += (f"fault-{frame[9]}",)
    health = DeviceHealth(
        battery_low=not flags & _GOOD_BATTERY,
        temperature_c=SIGNED[frame[1]],
        reset_cause="reset" if flags & _RESET else None,
        faults=faults,
    )
    return Decoded(fields, _FAULTY[flags >> 7] if faults else _OBSERVATIONS[flags], health)


def _encode(message: Mapping[str, JsonValue]) -> Downlink:
    """Write the whole configuration: the device takes all 27 parameters or none."""
    unknown = sorted(set(message) - _NAMES)
    if unknown:
        raise Invalid(f"unknown parameter {unknown[0]}", field=unknown[0])
    frame = bytearray(_DOWNLINK_LENGTH)
    for name, at, low, bits in CONFIGURATION:
        value = message.get(name)
        if value is None:
            raise Invalid(f"{name} is missing: the configuration is sent whole", field=name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
            raise Invalid(f"{name} must be an integer 0-{(1 << bits) - 1}", field=name)
        frame[at] |= value << low
    return Downlink(DOWNLINK_PORT, bytes(frame))


def _decode_downlink(port: int, frame: bytes) -> Mapping[str, JsonValue] | Rejected:
    if port != DOWNLINK_PORT:
        return Rejected(RejectReason.WRONG_PORT, "invalid FPort")
    if len(frame) != _DOWNLINK_LENGTH:
        short = len(frame) < _DOWNLINK_LENGTH
        return Rejected(
            RejectReason.TRUNCATED if short else RejectReason.OVERSIZED,
            f"downlink of {len(frame)} bytes, expected {_DOWNLINK_LENGTH}",
        )
    return {name: frame[at] >> low & (1 << bits) - 1 for name, at, low, bits in CONFIGURATION}


TEKZIPARK = Codec(
    model="tekzitel-tekzipark",
    uplinks={
        1: Uplink(_NO_BEACONS_LENGTH, 4 + 2 * _MOST_BEACONS, _status),
        2: Uplink(12, 12, _debug),
    },
    source="TheThingsNetwork/lorawan-devices: vendor/tekzitel/tekzipark.js",
    encode=_encode,
    decode_downlink=_decode_downlink,
)
