"""Read members of a JSON message, each with the refusal that a wrong one deserves.

Network servers omit members whose value is empty, 0 or false; so absence and null mean the same.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

import orjson
from pydantic import JsonValue

from city.errors import CityError, Invalid
from city.time import parse_rfc3339, to_ms
from parking.rules.sensors.model import RejectReason
from parking.uplinks import (
    LARGEST_BATCH,
    LONGEST_BODY_BYTES,
    LONGEST_FRAME_BYTES,
    LONGEST_KEY,
    LONGEST_NAME,
    NETWORK_KEY,
    IgnoredUplink,
    Reading,
    Refusal,
    RejectedUplink,
    Uplink,
)

Members = dict[str, JsonValue]

_DEV_EUI: Final = re.compile(r"[0-9a-f]{16}")
LATEST_MS: Final = 253_402_300_799_999
"""The end of year 9999, the last that the database and Python both know."""

BUFFERED_AT_MOST_MS: Final = 86_400_000
"""Nothing stores frames for longer than a day; an older claim is a clock that was never set."""
_LEAST_SIGNAL_DB: Final = -250.0
_MOST_SIGNAL_DB: Final = 100.0


class Refused(Exception):
    """A message that cannot be read; it becomes a `RejectedUplink`."""

    def __init__(self, reason: Refusal | RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def read_messages(
    body: bytes, read_one: Callable[[int, Members], Uplink | IgnoredUplink]
) -> Reading:
    """Read a body that is one message or an array of them; the good ones, and the bad ones' why.

    Parameters
    ----------
    body
        JSON in UTF-8, at most `LONGEST_BODY_BYTES` long.
    read_one
        Reads a message at an index; raises `Refused` for one that it cannot read.

    Raises
    ------
    Invalid
        Where the body as a whole is not JSON, neither object nor array, or too large.
    """
    if len(body) > LONGEST_BODY_BYTES:
        raise Invalid(f"must not exceed {LONGEST_BODY_BYTES} bytes", field="body")
    try:
        found: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid("is not JSON", field="body") from error
    messages = found if isinstance(found, list) else [found]
    if not isinstance(found, dict | list):
        raise Invalid("must be a JSON object or an array of them", field="body")
    if len(messages) > LARGEST_BATCH:
        raise Invalid(f"must not hold more than {LARGEST_BATCH} messages", field="body")
    uplinks: list[Uplink] = []
    rejected: list[RejectedUplink] = []
    ignored: list[IgnoredUplink] = []
    for index, message in enumerate(messages):
        try:
            if not isinstance(message, dict):
                raise Refused(Refusal.MALFORMED, "the message is not a JSON object")  # noqa: TRY301 - one way out
            read = read_one(index, message)
        except Refused as refused:
            rejected.append(RejectedUplink(index, refused.reason, refused.detail))
        else:
            if isinstance(read, Uplink):
                uplinks.append(read)
            else:
                ignored.append(read)
    return Reading(tuple(uplinks), tuple(rejected), tuple(ignored))


def shown(value: JsonValue) -> str:
    """Give a foreign value's text short enough for an answer."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= LONGEST_KEY else f"{text[:LONGEST_KEY]}…"


def member(message: Members, name: str) -> Members:
    """Give a member that has to be an object."""
    found = message.get(name)
    if found is None:
        raise Refused(Refusal.MISSING_FIELD, f"{name} is missing")
    if not isinstance(found, dict):
        raise Refused(Refusal.BAD_VALUE, f"{name} is not an object")
    return found


def objects(message: Members, name: str) -> list[Members]:
    """Give the objects of a member that is an array of them; none where it is absent."""
    found = message.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Refused(Refusal.BAD_VALUE, f"{name} is not an array")
    return [each for each in found if isinstance(each, dict)]


def text(message: Members, name: str) -> str | None:
    """Give a member that has to be text; None where it is absent or empty."""
    found = message.get(name)
    if found is None or found == "":
        return None
    if not isinstance(found, str):
        raise Refused(Refusal.BAD_VALUE, f"{name} is not text")
    if len(found) > LONGEST_NAME:
        raise Refused(Refusal.OVERSIZED, f"{name} has more than {LONGEST_NAME} characters")
    if not found.isprintable():
        raise Refused(Refusal.BAD_VALUE, f"{name} has characters that cannot be shown")
    return found


def whole(message: Members, name: str, most: int) -> int | None:
    """Give a member that has to be a whole number from 0 to `most`; None where it is absent."""
    found = message.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= most:
        raise Refused(Refusal.BAD_VALUE, f"{name} is not a whole number from 0 to {most}")
    return found


def decibels(message: Members, name: str) -> float | None:
    """Give a level in dB or dBm; None where it is absent or cannot be one. Never refuses.

    A frame is worth more than its signal's strength.
    """
    found = message.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if _LEAST_SIGNAL_DB <= found <= _MOST_SIGNAL_DB else None


def instant_ms(message: Members, name: str) -> int | None:
    """Give an RFC 3339 member in milliseconds since 1970; None where it is absent."""
    found = message.get(name)
    if found is None or found == "":
        return None
    if not isinstance(found, str):
        raise Refused(Refusal.BAD_VALUE, f"{name} is not an RFC 3339 time")
    try:
        return checked_ms(to_ms(parse_rfc3339(found, name)), name)
    except CityError as error:
        raise Refused(Refusal.BAD_VALUE, str(error)) from error


def epoch_ms(message: Members, name: str) -> int | None:
    """Give a member in milliseconds since 1970; None where it is absent."""
    return whole(message, name, LATEST_MS)


def checked_ms(at_ms: int, name: str) -> int:
    """Pass an instant from 1970 on, which every later reader can hold."""
    if not 0 <= at_ms <= LATEST_MS:
        raise Refused(Refusal.BAD_VALUE, f"{name} lies outside 1970 to 9999")
    return at_ms


def base64_frame(encoded: JsonValue, name: str) -> bytes:
    """Decode a frame in base64; absent means empty."""
    if encoded is None:
        return b""
    if not isinstance(encoded, str):
        raise Refused(Refusal.BAD_VALUE, f"{name} is not base64 text")
    if len(encoded) > 2 * LONGEST_FRAME_BYTES:
        raise Refused(Refusal.OVERSIZED, f"{name} exceeds {LONGEST_FRAME_BYTES} bytes")
    try:
        frame = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(Refusal.BAD_VALUE, f"{name} is not base64") from error
    return checked_frame(frame, name)


def checked_frame(frame: bytes, name: str) -> bytes:
    """Pass a frame that is not too long."""
    if len(frame) > LONGEST_FRAME_BYTES:
        raise Refused(Refusal.OVERSIZED, f"{name} exceeds {LONGEST_FRAME_BYTES} bytes")
    return frame


def dev_eui(value: str, name: str) -> str:
    """Give a LoRaWAN device's EUI in lower case."""
    lowered = value.lower()
    if _DEV_EUI.fullmatch(lowered) is None:
        raise Refused(Refusal.BAD_VALUE, f"{name} is not 16 hexadecimal digits")
    return lowered


def network_key(value: str, name: str) -> str:
    """Give a device's key in lower case: what `parking.device.network_key` may hold."""
    lowered = value.lower()
    if NETWORK_KEY.fullmatch(lowered) is None:
        raise Refused(
            Refusal.BAD_VALUE,
            f"{name} is not a device key (1 to {LONGEST_KEY} of a-z 0-9 . _ : -)",
        )
    return lowered


def best_signal(heard: list[Members]) -> tuple[float | None, float | None]:
    """Give RSSI and SNR of the gateway that heard the frame best."""
    best: tuple[float, float | None] | None = None
    for each in heard:
        rssi, snr = decibels(each, "rssi"), decibels(each, "snr")
        if rssi is not None and (best is None or rssi > best[0]):
            best = rssi, snr
    return (None, None) if best is None else best


def sent_ms(claimed_ms: int | None, server_ms: int | None, skew_ms: int) -> int | None:
    """Choose between the sender's clock and the server's.

    Within `skew_ms` of each other their difference says more about the sender's clock than about
    a delay, and the server's clock is kept by a network time service: the server's wins. A claim
    that is earlier by more, up to a day, is a frame that waited: the claim wins. A claim that is
    later than the server or older than a day is a wrong clock: the server's wins.

    Within one server instant the choice is monotone: it never swaps two frames.
    """
    if claimed_ms is None or server_ms is None:
        return claimed_ms if server_ms is None else server_ms
    waited_ms = server_ms - claimed_ms
    return claimed_ms if skew_ms < waited_ms <= BUFFERED_AT_MOST_MS else server_ms
