"""Uplinks of real devices, built for simulated ones: what a virtual sensor sends.

Every frame decodes back through `codecs.decode` to the state that it was built from; nothing
in the city can tell it from a frame off the air.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import orjson

from city.errors import Invalid
from parking.rules.sensors.nwave import DURATION_OVERFLOW, compress_minutes
from parking.rules.sensors.wxhs import P_MD

Kind = Literal["status", "heartbeat", "startup"]

_COUNTER_16 = 0xFFFF
_POWER_ON = 2


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the virtual device knows when it sends."""

    occupied: bool
    kind: Kind
    counter: int
    battery_v: float
    temperature_c: int
    previous_state_s: int | None
    at_ms: int | None


def _octet(value: float) -> int:
    return max(0, min(255, round(value)))


def _bosch(now: _Moment) -> tuple[int, bytes]:
    if now.kind == "status":
        return 1, bytes([now.occupied])
    if now.kind == "heartbeat":
        return 2, struct.pack(">Bb", now.occupied, now.temperature_c)
    return 3, bytes(12) + bytes([0, 29, 2, _POWER_ON, now.occupied])


def _nps310(now: _Moment) -> tuple[int, bytes]:
    if now.kind == "startup":
        return 3, bytes([1, 13, 0, _POWER_ON, now.occupied])
    return (1 if now.kind == "status" else 2), bytes([now.occupied])


def _nps405(now: _Moment) -> tuple[int, bytes]:
    if now.kind == "status":
        before_s = now.previous_state_s
        compressed = DURATION_OVERFLOW if before_s is None else compress_minutes(before_s // 60)
        return 1, bytes([compressed << 1 | now.occupied])
    if now.kind == "heartbeat":
        battery = _octet((now.battery_v * 1_000 - 2_500) / 4)
        # The last three bytes are undocumented; these are those of the maker's example.
        return 2, struct.pack(
            ">BBb3s", now.occupied, battery, (now.temperature_c - 10) * 2, b"\x00\x59\x0b"
        )
    return 3, bytes([2, 4, 9, _POWER_ON, now.occupied])


def _tekzipark(now: _Moment) -> tuple[int, bytes]:
    flags = 0x28 | now.occupied << 7  # good battery, decided with the radar
    if now.kind == "heartbeat":
        flags |= 0x01
    elif now.kind == "startup":
        flags |= 0x02
    return 1, struct.pack(">BbB", flags, now.temperature_c, now.counter & 0xFF)


def _dingtek_body(now: _Moment) -> bytes:
    """Level, states, battery and field as the maker's examples have them for a free bay."""
    level_mm, field = (180, (190, -120, 85)) if now.occupied else (1_716, (16, -10, -16))
    states, magnet = (0x11, 0x10) if now.occupied else (0, 0)
    return struct.pack(">HBBHhhh", level_mm, states, magnet, round(now.battery_v * 100), *field)


def _dingtek(device_type: int, now: _Moment, tail: bytes) -> tuple[int, bytes]:
    body = _dingtek_body(now) + tail
    packet = 2 if now.kind == "status" else 1
    head = bytes([0x80, 0, device_type, packet, len(body) + 7])
    return 3, head + body + b"\x00\x81"


def _do200(now: _Moment) -> tuple[int, bytes]:
    return _dingtek(0x02, now, struct.pack(">H", now.counter & _COUNTER_16))


def _do201(now: _Moment) -> tuple[int, bytes]:
    tail = struct.pack(">bBH", now.temperature_c, 45, now.counter & _COUNTER_16)
    return _dingtek(0x31, now, tail)


def _do202(now: _Moment) -> tuple[int, bytes]:
    tail = struct.pack(">bBH", now.temperature_c, 45, now.counter & _COUNTER_16)
    return _dingtek(0x32, now, tail)


def _wxhs(now: _Moment) -> tuple[int, bytes]:
    x, y, z = (667, -85, 274) if now.occupied else (731, -25, 417)
    payload: dict[str, float | str] = {
        "version": 37,
        "type": 32,
        "parking_state": int(now.occupied),
        "pack_count": now.counter,
        "battery_voltage": now.battery_v,
        "X_value": x,
        "X_base": 733,
        "Y_value": y,
        "Y_base": -23,
        "Z_value": z,
        "Z_base": 419,
        "Signal_Power": -90,
        "Send_cnt": now.counter,
        "Park_cnt": now.counter // 2,
        "Model": "P_MD",
        "Manufacturer": "WXHS",
        "Alarm_info": 0,
    }
    if now.at_ms is not None:
        payload["ptime"] = now.at_ms
    return 0, orjson.dumps(payload)


BUILDERS: Mapping[str, Callable[[_Moment], tuple[int, bytes]]] = MappingProxyType(
    {
        "bosch-tps110": _bosch,
        "nwave-nps310sm": _nps310,
        "nwave-nps405": _nps405,
        "tekzitel-tekzipark": _tekzipark,
        "dingtek-do200": _do200,
        "dingtek-do201": _do201,
        "dingtek-do202": _do202,
        P_MD.model: _wxhs,
    }
)
"""Models that can be simulated. The NCC405 counts passages and knows no bay."""


def build(
    model: str,
    occupied: bool,
    *,
    kind: Kind = "status",
    counter: int = 0,
    battery_v: float = 3.6,
    temperature_c: int = 20,
    previous_state_s: int | None = None,
    at_ms: int | None = None,
) -> tuple[int, bytes]:
    """Build the uplink that a device would send.

    Parameters
    ----------
    model : str
        A key of `BUILDERS`.
    occupied : bool
        The state of the bay.
    kind : "status", "heartbeat" or "startup"
        A change, a periodic confirmation, the first frame after power-on. Dingtek devices and
        the WXHS have no start-up frame of their own and send their telemetry.
    counter : int
        The device's own frame counter, 0 or more; devices with narrower counters wrap it.
    battery_v : float
        Volts, 0..100; devices that send a narrower range clip it.
    temperature_c : int
        Degrees Celsius, -40..70.
    previous_state_s : int or None
        How long the state before lasted, in seconds; None: longer than the device can tell.
        Only the NPS405 sends it, in whole minutes.
    at_ms : int or None
        The device's clock, milliseconds since 1970; only the WXHS sends it.

    Returns
    -------
    port : int
        LoRaWAN FPort, 0 for NB-IoT.
    frame : bytes

    Raises
    ------
    Invalid
        A model that is not simulated, or a value out of its range.
    """
    builder = BUILDERS.get(model)
    if builder is None:
        raise Invalid(f"no simulated {model}; known: {', '.join(BUILDERS)}", field="model")
    for name, value, least, most in (
        ("counter", counter, 0, 2**32 - 1),
        ("battery_v", battery_v, 0, 100),
        ("temperature_c", temperature_c, -40, 70),
        ("previous_state_s", previous_state_s or 0, 0, 10**10),
    ):
        if not least <= value <= most:
            raise Invalid(f"{name} must be {least} to {most}", field=name)
    return builder(
        _Moment(occupied, kind, counter, battery_v, temperature_c, previous_state_s, at_ms)
    )
