"""CTWing (China Telecom's AIoT platform): messages that its HTTP subscription pushes.

Source: CTWing help, 'device data change' message (members, `payload` as the parsed object or, for
transparent products, `{"APPdata": base64}`); and one real message of a WXHS P_MD sensor in a
comment of unisoftcn/user-api, forms/mag_notify.go. The platform retries a push three times, with
the same body.
"""

import hashlib
from typing import Final

import orjson

from parking.adapters.message import (
    LATEST_MS,
    Members,
    Refused,
    base64_frame,
    checked_frame,
    decibels,
    epoch_ms,
    member,
    network_key,
    read_messages,
    sent_ms,
    shown,
)
from parking.uplinks import IgnoredUplink, Reading, Refusal, Uplink

SOURCE: Final = "ctwing"

REPORT: Final = "dataReport"
WITHOUT_FRAME: Final = frozenset(
    {"deviceOnlineOfflineReport", "commandResponse", "deviceManageReport"}
)
PORT: Final = 0
"""NB-IoT has no ports; the codecs know a JSON payload by 0."""

DEVICE_SKEW_MS: Final = 120_000
"""The sample's sensor runs 51 s ahead of the platform: within two minutes its clock says nothing
about a delay."""
_UNKNOWN: Final = frozenset({"", "undefined", "null"})


def read(body: bytes) -> Reading:
    """Read a push's body: one message, or an array of them.

    Raises
    ------
    Invalid
        Where the body is not JSON, neither object nor array, or too large.
    """
    return read_messages(body, read_one)


def read_one(index: int, message: Members) -> Uplink | IgnoredUplink:
    """Read one message.

    Raises
    ------
    Refused
        Where it cannot be read, or is of a kind that is not known.
    """
    kind = message.get("messageType")
    if kind is None:
        raise Refused(Refusal.MISSING_FIELD, "messageType is missing")
    if isinstance(kind, str) and kind in WITHOUT_FRAME:
        return IgnoredUplink(index, kind)
    if kind != REPORT:
        raise Refused(Refusal.UNSUPPORTED_MESSAGE, f"messageType {shown(kind)} is not supported")
    payload = member(message, "payload")
    # A transparent product's bytes as they are; else all of the payload, unknown members too.
    frame = (
        base64_frame(payload["APPdata"], "APPdata")
        if "APPdata" in payload
        else checked_frame(orjson.dumps(payload), "payload")
    )
    if not frame:
        raise Refused(Refusal.BAD_VALUE, "payload is empty")
    server_ms = epoch_ms(message, "timestamp")
    return Uplink(
        index=index,
        network_key=_device_key(message, payload),
        port=PORT,
        frame=frame,
        at_ms=sent_ms(_device_ms(payload), server_ms, DEVICE_SKEW_MS),
        session=None,
        counter=None,
        message_id=_message_id(message, payload, frame),
        rssi=decibels(payload, "Signal_Power"),
        snr=None,
    )


def _name(message: Members, member_name: str) -> str | None:
    """Give an identifier, which the platform writes as text or as a number."""
    found = message.get(member_name)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return None if str(found) in _UNKNOWN else str(found)


def _device_key(message: Members, payload: Members) -> str:
    """Give the device's key: the platform's device id; else the IMEI; else product and sensor."""
    for name in ("deviceId", "IMEI"):
        found = _name(message, name)
        if found is not None:
            return network_key(found, name)
    product, sensor = _name(message, "productId"), _name(payload, "mag_id")
    if product is None or sensor is None:
        raise Refused(Refusal.MISSING_FIELD, "deviceId is missing")
    return network_key(f"{product}:{sensor}", "mag_id")


def _device_ms(payload: Members) -> int | None:
    """Give the device's own time where it says one that can be a time."""
    found = payload.get("ptime")
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    return found if 0 < found <= LATEST_MS else None


def _message_id(message: Members, payload: Members, frame: bytes) -> str:
    """Name a message so that a repeated one has the same name and another one never.

    The sensor's counters restart, hence its time beside them. Products without counters are named
    by the platform's serial numbers, and without those (-1) by a digest.
    """
    counted = [_name(payload, name) for name in ("mag_id", "ptime", "pack_count", "Send_cnt")]
    if all(counted):
        return ":".join(str(each) for each in counted)
    stamp = _name(message, "timestamp") or ""
    serials = [_name(message, name) for name in ("upPacketSN", "upDataSN")]
    if any(serial is not None and serial != "-1" for serial in serials):
        return f"sn:{serials[0]}:{serials[1]}:{stamp}"[:64]
    return f"sha256:{hashlib.sha256(stamp.encode() + b'/' + frame).hexdigest()[:32]}"
