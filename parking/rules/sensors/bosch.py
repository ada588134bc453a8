"""Bosch parking lot sensor TPS110, firmware 0.29.

Source: TheThingsNetwork/lorawan-devices, vendor/bosch/tpl110-0292.js and
tps110-0292-codec.yaml (Apache-2.0); names of debug codes: SensationalSystems/
bosch-parking-lot-sensor-decoder.
"""

from typing import TYPE_CHECKING

from parking.rules.sensors import strengths
from parking.rules.sensors.device import LORAWAN_LONGEST, Codec, Uplink
from parking.rules.sensors.model import BayObservation, Decoded, DeviceHealth
from parking.rules.sensors.octets import SIGNED

if TYPE_CHECKING:
    from pydantic import JsonValue

_CHANGED = (
    (BayObservation(occupied=False, strength=strengths.CHANGE),),
    (BayObservation(occupied=True, strength=strengths.CHANGE),),
)
_CONFIRMED = (
    (BayObservation(occupied=False, strength=strengths.CONFIRMED),),
    (BayObservation(occupied=True, strength=strengths.CONFIRMED),),
)
_STARTED = (
    (BayObservation(occupied=False, strength=strengths.RESTARTED),),
    (BayObservation(occupied=True, strength=strengths.RESTARTED),),
)
_RECALIBRATING = (
    (BayObservation(occupied=False, strength=strengths.WEAK),),
    (BayObservation(occupied=True, strength=strengths.WEAK),),
)

_RESET_CAUSES = {1: "watchdog", 2: "power on", 3: "system request", 4: "other"}
_FAULTS = {
    201: "join-failed",
    717: "uplink-not-acknowledged",
    720: "join-failed",
    729: "uplink-not-acknowledged",
}
_RECALIBRATION = 404


def _status(frame: bytes) -> Decoded:
    occupied = frame[0] & 1
    return Decoded({"type": "parking status", "occupied": occupied == 1}, _CHANGED[occupied])


def _heartbeat(frame: bytes) -> Decoded:
    occupied = frame[0] & 1
    fields: dict[str, JsonValue] = {"type": "heartbeat", "occupied": occupied == 1}
    if len(frame) == 1:
        return Decoded(fields, _CONFIRMED[occupied])
    temperature_c = SIGNED[frame[1]]
    fields["temperature"] = temperature_c
    return Decoded(fields, _CONFIRMED[occupied], DeviceHealth(temperature_c=temperature_c))


def _startup(frame: bytes) -> Decoded:
    codes = [code for at in (0, 4, 8) if (code := (frame[at + 1] & 0x0F) << 8 | frame[at])]
    firmware = f"{frame[12]}.{frame[13]}.{frame[14]}"
    occupied = frame[16] & 1
    debug_codes: list[JsonValue] = list(codes)
    fields: dict[str, JsonValue] = {
        "type": "startup",
        "debugCodes": debug_codes,
        "firmwareVersion": firmware,
    }
    cause = _RESET_CAUSES.get(frame[15])
    if cause is not None:
        fields["resetCause"] = cause
    fields["occupied"] = occupied == 1
    health = DeviceHealth(
        firmware=firmware,
        reset_cause=cause or f"code {frame[15]}",
        faults=tuple(dict.fromkeys(_FAULTS[code] for code in codes if code in _FAULTS)),
    )
    observed = _RECALIBRATING if _RECALIBRATION in codes else _STARTED
    return Decoded(fields, observed[occupied], health)


def _information(frame: bytes) -> Decoded:
    return Decoded({"type": "device information", "bytes": list(frame)})


def _usage(frame: bytes) -> Decoded:
    return Decoded({"type": "device usage", "bytes": list(frame)})


def _debug(frame: bytes) -> Decoded:
    code = (frame[5] & 0x0F) << 8 | frame[4]
    fields: dict[str, JsonValue] = {
        "type": "debug",
        "timestamp": int.from_bytes(frame[:4], "little"),
        "debugCode": code,
        "sequenceNumber": frame[9] << 8 | frame[8],
    }
    fault = _FAULTS.get(code)
    return Decoded(fields, (), None if fault is None else DeviceHealth(faults=(fault,)))


TPS110 = Codec(
    model="bosch-tps110",
    uplinks={
        1: Uplink(1, 1, _status),
        2: Uplink(1, 2, _heartbeat),
        3: Uplink(17, 17, _startup),
        4: Uplink(1, LORAWAN_LONGEST, _information),
        5: Uplink(1, LORAWAN_LONGEST, _usage),
        6: Uplink(10, 10, _debug),
    },
    source="TheThingsNetwork/lorawan-devices: vendor/bosch/tpl110-0292.js",
)
