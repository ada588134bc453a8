"""The Things Stack v3: application uplinks, as its webhooks and its MQTT integration send them.

Source: The Things Stack, Data Formats (`ttn.lorawan.v3.ApplicationUp` as JSON). Members that are
empty, 0 or false are omitted there.
"""

from typing import Final

from parking.adapters.message import (
    Members,
    Refused,
    base64_frame,
    best_signal,
    dev_eui,
    instant_ms,
    member,
    network_key,
    objects,
    read_messages,
    sent_ms,
    text,
    whole,
)
from parking.uplinks import IgnoredUplink, Reading, Refusal, Uplink

SOURCE: Final = "ttn"

WITHOUT_FRAME: Final = (
    "join_accept",
    "downlink_ack",
    "downlink_nack",
    "downlink_sent",
    "downlink_failed",
    "downlink_queued",
    "downlink_queue_invalidated",
    "location_solved",
    "service_data",
    # Repeats an uplink_message that the network server sends as well.
    "uplink_normalized",
)

GATEWAY_SKEW_MS: Final = 15_000
"""Gateways keep their clocks by NTP; what is further off and earlier waited in the gateway."""
_MOST_COUNTER: Final = 2**32 - 1
_MOST_PORT: Final = 255
_MESSAGE_PREFIX: Final = "as:up:"


def read(body: bytes) -> Reading:
    """Read a webhook's body: one message, or an array of them.

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
    if message.get("uplink_message") is None:
        for kind in WITHOUT_FRAME:
            if kind in message:
                return IgnoredUplink(index, kind)
        if "end_device_ids" not in message:
            raise Refused(Refusal.MISSING_FIELD, "end_device_ids is missing")
        raise Refused(Refusal.UNSUPPORTED_MESSAGE, "there is no uplink_message")
    ids = member(message, "end_device_ids")
    uplink = member(message, "uplink_message")
    port = whole(uplink, "f_port", _MOST_PORT) or 0
    frame = base64_frame(uplink.get("frm_payload"), "frm_payload")
    if port == 0 and not frame:
        return IgnoredUplink(index, "uplink_without_payload")
    rssi, snr = best_signal(objects(uplink, "rx_metadata"))
    return Uplink(
        index=index,
        network_key=device_key(ids),
        port=port,
        frame=frame,
        at_ms=_at_ms(message, uplink),
        session=text(uplink, "session_key_id") or text(ids, "dev_addr"),
        counter=whole(uplink, "f_cnt", _MOST_COUNTER) or 0,
        message_id=_message_id(message),
        rssi=rssi,
        snr=snr,
    )


def device_key(ids: Members) -> str:
    """Give the device's key: its EUI, else (some ABP devices have none) application and name."""
    eui = text(ids, "dev_eui")
    if eui is not None:
        return dev_eui(eui, "dev_eui")
    name = text(ids, "device_id")
    if name is None:
        raise Refused(Refusal.MISSING_FIELD, "end_device_ids has neither dev_eui nor device_id")
    application = ids.get("application_ids")
    owner = text(application, "application_id") if isinstance(application, dict) else None
    return network_key(name if owner is None else f"{owner}:{name}", "device_id")


def _message_id(message: Members) -> str | None:
    """Give the application server's own name of the uplink, if it says one."""
    found = message.get("correlation_ids")
    if not isinstance(found, list):
        return None
    names = [each for each in found if isinstance(each, str) and each.startswith(_MESSAGE_PREFIX)]
    return names[0][:64] if names and names[0].isprintable() else None


def _at_ms(message: Members, uplink: Members) -> int | None:
    """Give when the frame was sent.

    A gateway's GPS time is taken as it is. Otherwise the network server's time of receipt, or the
    gateway's (`settings.time`) where the frame waited in the gateway.
    """
    by_gps = [
        at_ms
        for each in objects(uplink, "rx_metadata")
        if (at_ms := instant_ms(each, "gps_time")) is not None
    ]
    server_ms = instant_ms(uplink, "received_at")
    if server_ms is None:
        server_ms = instant_ms(message, "received_at")
    if by_gps and (server_ms is None or min(by_gps) <= server_ms + GATEWAY_SKEW_MS):
        return min(by_gps)
    settings = uplink.get("settings")
    claimed_ms = instant_ms(settings, "time") if isinstance(settings, dict) else None
    return sent_ms(claimed_ms, server_ms, GATEWAY_SKEW_MS)
