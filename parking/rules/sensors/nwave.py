"""Nwave parking sensors NPS310SM and NPS405 and the car counter NCC405.

Source: TheThingsNetwork/lorawan-devices, vendor/nwave/*.js and *-codec.yaml as they stand since
pull request 631 (state in bit 0; before, in bit 7) and with pull request 996 (tag voltage);
Nwave, 'LoRaWAN Parking Sensor - Getting Started' (bit layout, debug messages) and its event
broker's `previous_status_duration_min` (the unit of the duration: minutes).
"""

from pydantic import JsonValue

from parking.rules.sensors import strengths
from parking.rules.sensors.device import LORAWAN_LONGEST, Codec, Uplink
from parking.rules.sensors.model import BayObservation, Decoded, DeviceHealth, PassageCount
from parking.rules.sensors.octets import SIGNED

COUNTER_WRAPS_AT = 65_536
DURATION_OVERFLOW = 127
OVERFLOW_MIN = 660
_MINUTE_S = 60

_CHANGED = (
    BayObservation(occupied=False, strength=strengths.CHANGE),
    BayObservation(occupied=True, strength=strengths.CHANGE),
)
_CONFIRMED = (
    (BayObservation(occupied=False, strength=strengths.CONFIRMED),),
    (BayObservation(occupied=True, strength=strengths.CONFIRMED),),
)
_STARTED = (
    (BayObservation(occupied=False, strength=strengths.RESTARTED),),
    (BayObservation(occupied=True, strength=strengths.RESTARTED),),
)
_FAULTY = (
    (BayObservation(occupied=False, strength=strengths.WEAK),),
    (BayObservation(occupied=True, strength=strengths.WEAK),),
)

_RESET_CAUSES_G3 = {1: "watchdog", 2: "power_on", 3: "user_request", 4: "brownout", 5: "other"}
_RESET_CAUSES_G4 = {
    0: "rejoining_lorawan_network",
    1: "watchdog",
    2: "power_on",
    3: "user_request",
    6: "brownout",
    7: "other",
}


_STEPS = ((0, 0, 1), (90, 90, 5), (120, 240, 60))
"""From which compressed value on, from how many minutes on, minutes a step."""


def _steps(value: int, by: int) -> tuple[int, int, int]:
    """Find the last of `_STEPS` that begins at or below `value` in column `by`."""
    return next(steps for steps in reversed(_STEPS) if value >= steps[by])


def duration_minutes(compressed: int) -> tuple[int, int | None, bool]:
    """Expand the 7-bit duration of the state before.

    Parameters
    ----------
    compressed : int
        0..127.

    Returns
    -------
    minutes : int
        The least that it can have been.
    error : int or None
        How many minutes more it can have been; None where there is no bound.
    overflow : bool
        True: 11 hours or longer.
    """
    if compressed >= DURATION_OVERFLOW:
        return OVERFLOW_MIN, None, True
    first, first_min, step_min = _steps(compressed, 0)
    return first_min + (compressed - first) * step_min, step_min - 1, False


def compress_minutes(minutes: int) -> int:
    """Compress a duration as the sensor does: whole minutes in, 0..127 out."""
    if minutes >= OVERFLOW_MIN:
        return DURATION_OVERFLOW
    first, first_min, step_min = _steps(minutes, 1)
    return first + (minutes - first_min) // step_min


def _previous(compressed: int, *, now_occupied: bool) -> BayObservation | None:
    """Say what the state before was and when it began, in the driver's favour.

    The device rounds down. A stay that just ended is therefore taken at its least length; a
    vacancy that just ended at its greatest, which ends the stay before it as early as may be.
    A state of less than a minute has no time of its own and yields nothing, an overflow has no
    bound and yields nothing either.
    """
    minutes, error, overflow = duration_minutes(compressed)
    if overflow or error is None:
        return None
    age_s = (minutes + error if now_occupied else minutes) * _MINUTE_S
    if age_s == 0:
        return None
    return BayObservation(
        occupied=not now_occupied,
        strength=strengths.INFERRED_COARSE if error else strengths.INFERRED,
        age_s=age_s,
        inferred=True,
    )


def _status_table() -> tuple[tuple[BayObservation, ...], ...]:
    """Observations of each of the 256 status bytes, made once."""
    table = []
    for byte in range(256):
        before = _previous(byte >> 1, now_occupied=byte & 1 == 1)
        now = _CHANGED[byte & 1]
        table.append((now,) if before is None else (before, now))
    return tuple(table)


_STATUS_OBSERVATIONS = _status_table()
_DURATIONS = tuple(duration_minutes(compressed) for compressed in range(128))


def _status_g3(frame: bytes) -> Decoded:
    occupied = frame[0] & 1
    return Decoded({"type": "parking_status", "occupied": occupied == 1}, (_CHANGED[occupied],))


def _status_g4(frame: bytes) -> Decoded:
    byte = frame[0]
    minutes, error, overflow = _DURATIONS[byte >> 1]
    return Decoded(
        {
            "type": "parking_status",
            "occupied": byte & 1 == 1,
            "previous_state_duration": minutes,
            "previous_state_duration_error": error,
            "previous_state_duration_overflow": overflow,
        },
        _STATUS_OBSERVATIONS[byte],
    )


def _heartbeat_g3(frame: bytes) -> Decoded:
    occupied = frame[0] & 1
    return Decoded({"type": "heartbeat", "occupied": occupied == 1}, _CONFIRMED[occupied])


_COLD_BELOW_C = -5
_WARM_MV = (2_900, 3_000)
_COLD_MV = (2_800, 2_900)
"""Millivolts below which a battery is critical, or low."""


def battery_health(millivolts: int, temperature_c: float) -> str:
    """Grade a battery as the maker does: lithium sags in the cold, so the limits drop there."""
    critical, low = _WARM_MV if temperature_c >= _COLD_BELOW_C else _COLD_MV
    if millivolts >= low:
        return "normal"
    return "low" if millivolts >= critical else "critical"


def _heartbeat_g4(frame: bytes) -> Decoded:
    byte = frame[0]
    occupied = byte & 1
    halves = SIGNED[frame[2]]
    temperature_c = halves / 2 + 10 if halves & 1 else halves // 2 + 10
    millivolts = 2_500 + frame[1] * 4
    grade = battery_health(millivolts, temperature_c)
    fields: dict[str, JsonValue] = {
        "type": "heartbeat",
        "occupied": occupied == 1,
        "battery_voltage": millivolts / 1_000,
        "temperature": temperature_c,
        "battery_health": grade,
        # The maker's codec reads seven bits from bit 0 on, the state among them.
        "hw_health_status": byte & 0x7F,
    }
    trouble = byte >> 1
    health = DeviceHealth(
        battery_v=millivolts / 1_000,
        battery_low=grade != "normal",
        temperature_c=temperature_c,
        faults=(f"hardware-{trouble}",) if trouble else (),
    )
    return Decoded(fields, (_FAULTY if trouble else _CONFIRMED)[occupied], health)


def _started(frame: bytes, causes: dict[int, str]) -> tuple[dict[str, JsonValue], DeviceHealth]:
    firmware = f"{frame[0]}.{frame[1]}.{frame[2]}"
    fields: dict[str, JsonValue] = {"type": "startup", "firmware_version": firmware}
    cause = causes.get(frame[3])
    if cause is not None:
        fields["reset_cause"] = cause
    return fields, DeviceHealth(firmware=firmware, reset_cause=cause or f"code {frame[3]}")


def _startup_g3(frame: bytes) -> Decoded:
    fields, health = _started(frame, _RESET_CAUSES_G3)
    fields["occupied"] = frame[4] & 1 == 1
    return Decoded(fields, _STARTED[frame[4] & 1], health)


def _startup_g4(frame: bytes) -> Decoded:
    fields, health = _started(frame, _RESET_CAUSES_G4)
    fields["occupied"] = frame[4] & 1 == 1
    return Decoded(fields, _STARTED[frame[4] & 1], health)


def _debug(frame: bytes) -> Decoded:
    return Decoded({"type": "debug", "bytes": list(frame)})


_WITH_TAG_VOLTAGE = 6


def _registration(frame: bytes) -> Decoded:
    """Read a driver's tag: with the state, if the bay was occupied; it never says 'free'."""
    fields: dict[str, JsonValue] = {"type": "user_registration"}
    occupied = frame[0] & 1 == 1
    if occupied:
        minutes, error, overflow = _DURATIONS[frame[0] >> 1]
        fields |= {
            "occupied": True,
            "previous_state_duration": minutes,
            "previous_state_duration_error": error,
            "previous_state_duration_overflow": overflow,
        }
    else:
        fields |= {
            "occupied": None,
            "previous_state_duration": None,
            "previous_state_duration_error": None,
            "previous_state_duration_overflow": None,
        }
    tag = frame[1:]
    if len(frame) == _WITH_TAG_VOLTAGE:
        fields["tag_battery_voltage"] = frame[1] / 10
        tag = frame[2:]
    fields["tag_id"] = f"{int.from_bytes(tag, 'big'):X}"
    return Decoded(fields, _CONFIRMED[1] if occupied else ())


def _count(frame: bytes) -> Decoded:
    value = frame[0] << 8 | frame[1]
    return Decoded(
        {"type": "counter_update", "counter_value": value},
        (PassageCount(value, COUNTER_WRAPS_AT),),
    )


def _counter_heartbeat(frame: bytes) -> Decoded:
    trouble = frame[0] & 0x7F
    mean_millivolts = 2_500 + frame[2] * 4
    battery_v = (2_500 + frame[1] * 4) / 1_000
    fields: dict[str, JsonValue] = {
        "type": "heartbeat",
        "hw_health_status": trouble,
        "battery_voltage": battery_v,
        "battery_voltage_mean_24h": mean_millivolts / 1_000,
    }
    health = DeviceHealth(
        battery_v=battery_v,
        # This frame has no temperature: low is what the NPS405 calls low at any temperature.
        battery_low=mean_millivolts < _COLD_MV[1],
        faults=(f"hardware-{trouble}",) if trouble else (),
    )
    return Decoded(fields, (), health)


def _counter_startup(frame: bytes) -> Decoded:
    fields, health = _started(frame, _RESET_CAUSES_G4)
    return Decoded(fields, (), health)


NPS310SM = Codec(
    model="nwave-nps310sm",
    uplinks={
        1: Uplink(1, 1, _status_g3),
        2: Uplink(1, 1, _heartbeat_g3),
        3: Uplink(5, 5, _startup_g3),
        6: Uplink(1, LORAWAN_LONGEST, _debug),
    },
    source="TheThingsNetwork/lorawan-devices: vendor/nwave/nps310sm.js",
)
NPS405 = Codec(
    model="nwave-nps405",
    uplinks={
        1: Uplink(1, 1, _status_g4),
        2: Uplink(6, 6, _heartbeat_g4),
        3: Uplink(5, 5, _startup_g4),
        6: Uplink(1, LORAWAN_LONGEST, _debug),
        10: Uplink(5, _WITH_TAG_VOLTAGE, _registration),
    },
    source="TheThingsNetwork/lorawan-devices: vendor/nwave/nps405.js",
)
NCC405 = Codec(
    model="nwave-ncc405",
    uplinks={
        1: Uplink(2, 2, _count),
        2: Uplink(3, 3, _counter_heartbeat),
        3: Uplink(4, 4, _counter_startup),
        6: Uplink(1, LORAWAN_LONGEST, _debug),
    },
    source="TheThingsNetwork/lorawan-devices: vendor/nwave/ncc405.js",
)
