"""ChirpStack v4: events of its HTTP integration in JSON.

The kind of an event stands in the address (`?event=up`), not in the body. Source: ChirpStack v4,
Integrations > HTTP and Event types; `integration.proto` for the names of the members. Members
with a proto3 default (0, false, empty) are omitted.
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
    objects,
    read_messages,
    sent_ms,
    text,
    whole,
)
from parking.uplinks import IgnoredUplink, Reading, Refusal, Uplink

SOURCE: Final = "chirpstack"

UP: Final = "up"
WITHOUT_FRAME: Final = frozenset(
    {"join", "ack", "txack", "status", "log", "location", "integration"}
)

GATEWAY_SKEW_MS: Final = 15_000
_MOST_COUNTER: Final = 2**32 - 1
_MOST_PORT: Final = 255


def read(body: bytes, event: str | None = UP) -> Reading:
    """Read an event's body: one message, or an array of them.

    Parameters
    ----------
    body
        JSON.
    event
        The `event` argument of the request's address; None counts as `up`.

    Raises
    ------
    Invalid
        Where the body is not JSON, neither object nor array, or too large.
    """
    kind = UP if event is None else event

    def read_event(index: int, message: Members) -> Uplink | IgnoredUplink:
        if kind == UP:
            return read_one(index, message)
        if kind in WITHOUT_FRAME:
            return IgnoredUplink(index, kind)
        raise Refused(Refusal.UNSUPPORTED_MESSAGE, f"there is no event {kind[:32]!r}")

    return read_messages(body, read_event)


def read_one(index: int, message: Members) -> Uplink | IgnoredUplink:
    """Read one `up` event.

    Raises
    ------
    Refused
        Where it cannot be read.
    """
    device = member(message, "deviceInfo")
    eui = text(device, "devEui")
    if eui is None:
        raise Refused(Refusal.MISSING_FIELD, "deviceInfo.devEui is missing")
    port = whole(message, "fPort", _MOST_PORT) or 0
    frame = base64_frame(message.get("data"), "data")
    if port == 0 and not frame:
        return IgnoredUplink(index, "uplink_without_payload")
    heard = objects(message, "rxInfo")
    # An SNR of exactly 0 dB is omitted.
    rssi, snr = best_signal([{"snr": 0.0, **each} for each in heard])
    server = [at_ms for each in heard if (at_ms := instant_ms(each, "nsTime")) is not None]
    return Uplink(
        index=index,
        network_key=dev_eui(eui, "devEui"),
        port=port,
        frame=frame,
        at_ms=sent_ms(instant_ms(message, "time"), min(server, default=None), GATEWAY_SKEW_MS),
        # Each join gives a new address; ChirpStack names no other session.
        session=text(message, "devAddr"),
        counter=whole(message, "fCnt", _MOST_COUNTER) or 0,
        message_id=text(message, "deduplicationId"),
        rssi=rssi,
        snr=snr,
    )
