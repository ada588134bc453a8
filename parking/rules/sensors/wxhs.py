"""WXHS P_MD, a geomagnetic NB-IoT sensor: the JSON payload that China Telecom's CTWing pushes.

Source: unisoftcn/user-api, forms/mag_notify.go, one real message in a comment. There is no
public document of the maker: names and values are kept as they come; that 0 means free and 1
occupied is the convention of its kind and what the sample's counters allow, hence the strength.
"""

import orjson
from pydantic import JsonValue

from parking.rules.sensors import strengths
from parking.rules.sensors.device import Codec, Uplink
from parking.rules.sensors.model import (
    BayObservation,
    Decoded,
    DeviceHealth,
    Rejected,
    RejectReason,
)

LONGEST = 4_096
"""Bytes; the sample has about 450."""

_MOST_V = 100
"""No cell has more: what claims so is not a voltage."""

_OBSERVATIONS = {
    (state, alarmed): (
        BayObservation(
            occupied=occupied,
            strength=strengths.WEAK if alarmed else strengths.UNDOCUMENTED,
        ),
    )
    for state, occupied in ((0, False), (1, True))
    for alarmed in (False, True)
}
_CANNOT_TELL = (BayObservation(occupied=None, strength=strengths.UNDOCUMENTED),)


def _integer(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _battery_v(value: JsonValue) -> float | None:
    """Read a 32-bit float that was widened: its third decimal is all that was measured."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value, 3) if 0 < value < _MOST_V else None


def _report(frame: bytes) -> Decoded | Rejected:
    try:
        fields: JsonValue = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return Rejected(RejectReason.UNKNOWN_FRAME, "not JSON")
    if not isinstance(fields, dict):
        return Rejected(RejectReason.UNKNOWN_FRAME, "not a JSON object")
    if fields.get("Model", "P_MD") != "P_MD":
        return Rejected(RejectReason.UNKNOWN_FRAME, "Model is not P_MD")
    if "parking_state" not in fields:
        return Rejected(RejectReason.UNKNOWN_FRAME, "no parking_state")
    state = _integer(fields["parking_state"])
    if state is None:
        return Rejected(RejectReason.BAD_VALUE, "parking_state is not an integer")
    alarm = _integer(fields.get("Alarm_info"))
    health = DeviceHealth(
        battery_v=_battery_v(fields.get("battery_voltage")),
        faults=(f"alarm-{alarm}",) if alarm else (),
    )
    observed = _OBSERVATIONS.get((state, bool(alarm)), _CANNOT_TELL)
    return Decoded(fields, observed, health)


P_MD = Codec(
    model="wxhs-p-md",
    uplinks={0: Uplink(2, LONGEST, _report)},
    source="unisoftcn/user-api: forms/mag_notify.go",
    wrong_port="unknown port: the JSON payload has port 0",
)
