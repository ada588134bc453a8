"""WeChat Pay APIv3 on the wire: signatures in both directions, sealed resources, answers.

Pure: instants, nonces and keys are given. The gateway signs with what a merchant verifies with,
so both sides of every rule stand here.

Source: WeChat Pay APIv3 developer documentation, signature generation and verification, callback
decryption, and the guide to public-key mode (2024).
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import JsonValue

from city.errors import Invalid
from city.time import from_ms, to_ms
from payments.rules.authenticity import NotAuthentic, Refusal, sign_sha256, verify_sha256
from payments.rules.in_app import AppCall

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
WINDOW: Final = timedelta(minutes=5)
"""How far a message's time may lie from ours, either way."""
ANSWER_WITHIN_S: Final = 5.0
"""A notification that is not answered by then counts as not delivered."""
RETRIES_S: Final = (
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
)  # fmt: skip
"""Pauses between attempts of one notification, in seconds: 24 h 4 min in all."""
API_KEY_BYTES: Final = 32
"""Length of the merchant's symmetric APIv3 key."""
PUBLIC_KEY_PREFIX: Final = "PUB_KEY_ID_"
"""What a public-key id starts with; anything else is a certificate's serial in hexadecimal."""

_NONCE_BYTES: Final = 12
_CIPHER: Final = "AEAD_AES_256_GCM"
_PART: Final = re.compile(r'\s*(\w+)="([^"]*)"\s*')
_SECONDS: Final = re.compile(r"[0-9]{1,11}", re.ASCII)
_LARGEST_BODY_BYTES: Final = 64 * 1024

Verifiers = Mapping[str, rsa.RSAPublicKey]
"""Trusted keys by what ``Wechatpay-Serial`` calls them: a certificate's serial or a key's id.

Both modes may be configured at once: in a switch-over, callbacks come under either.
"""


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of a request's ``Authorization`` header."""

    merchant_id: str
    nonce: str
    signature: str
    timestamp: str
    serial: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification whose signature held and whose resource opened."""

    notification_id: str
    event: str
    resource: Mapping[str, JsonValue]


def request_message(method: str, target: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """Give what a request's signature covers.

    Parameters
    ----------
    method : str
        ``GET``, ``POST`` …
    target : str
        Path and query exactly as sent: percent-encoded, without the host.
    timestamp : str
        Seconds since 1970.
    nonce : str
        As in the header.
    body : bytes
        As sent; empty for a GET.
    """
    head = f"{method}\n{target}\n{timestamp}\n{nonce}\n"
    return head.encode() + body + b"\n"


def response_message(timestamp: str, nonce: str, body: bytes) -> bytes:
    """Give what the signature of a response or a notification covers: the raw body included."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def authorization(
    key: rsa.RSAPrivateKey,
    *,
    merchant_id: str,
    serial: str,
    method: str,
    target: str,
    body: bytes,
    at: datetime,
    nonce: str,
) -> str:
    """Sign a request; give the value of its ``Authorization`` header."""
    timestamp = str(to_ms(at) // 1000)
    signature = sign_sha256(key, request_message(method, target, timestamp, nonce, body))
    return (
        f'{SCHEME} mchid="{merchant_id}",nonce_str="{nonce}",signature="{signature}",'
        f'timestamp="{timestamp}",serial_no="{serial}"'
    )


def parse_authorization(header: str) -> Authorization:
    """Read an ``Authorization`` header; NotAuthentic where a part is missing."""
    scheme, _, rest = header.partition(" ")
    if scheme != SCHEME:
        raise NotAuthentic(Refusal.MALFORMED, f"the scheme is not {SCHEME}")
    parts = {
        match[1]: match[2]
        for match in (_PART.fullmatch(part) for part in rest.split(","))
        if match is not None
    }
    try:
        return Authorization(
            parts["mchid"],
            parts["nonce_str"],
            parts["signature"],
            parts["timestamp"],
            parts["serial_no"],
        )
    except KeyError as missing:
        raise NotAuthentic(Refusal.MALFORMED, f"{missing.args[0]} is missing") from None


def verify_request(
    header: str, *, method: str, target: str, body: bytes, merchants: Verifiers, now: datetime
) -> Authorization:
    """Check a merchant's request as WeChat Pay does.

    Raises
    ------
    NotAuthentic
        On a missing part, a time outside the window, an unknown certificate, a wrong signature.
    """
    given = parse_authorization(header)
    _check_time(given.timestamp, now)
    message = request_message(method, target, given.timestamp, given.nonce, body)
    verify_sha256(_key(merchants, given.serial), message, given.signature)
    return given


def call_message(app_id: str, timestamp: str, nonce: str, package: str) -> bytes:
    """Give what the signature of a page's call covers; ``signType`` is not in it."""
    return f"{app_id}\n{timestamp}\n{nonce}\n{package}\n".encode()


def call_signature(
    key: rsa.RSAPrivateKey, app_id: str, timestamp: str, nonce: str, package: str
) -> str:
    """Sign a page's call to WeChat with the merchant's key; base64."""
    return sign_sha256(key, call_message(app_id, timestamp, nonce, package))


def verify_call(key: rsa.RSAPublicKey, call: AppCall) -> None:
    """Check a page's call as WeChat does; NotAuthentic where it was not signed by the merchant."""
    message = call_message(call.app_id, call.timestamp, call.nonce, call.package)
    verify_sha256(key, message, call.signature)


def signature_headers(
    key: rsa.RSAPrivateKey, *, serial: str, body: bytes, at: datetime, nonce: str
) -> dict[str, str]:
    """Sign a response or a notification; give the headers that carry the signature."""
    timestamp = str(to_ms(at) // 1000)
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": sign_sha256(key, response_message(timestamp, nonce, body)),
        "Wechatpay-Signature-Type": SCHEME,
    }


def verify_signed(
    headers: Mapping[str, str], body: bytes, verifiers: Verifiers, now: datetime
) -> None:
    """Check the signature of a response or a notification over its raw body.

    Parameters
    ----------
    headers : Mapping
        Case of the names does not matter.
    body : bytes
        Exactly as received.
    verifiers : Verifiers
        Whom to believe.
    now : datetime
        Our wall time.

    Raises
    ------
    NotAuthentic
        With the reason.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        timestamp = given["wechatpay-timestamp"]
        nonce = given["wechatpay-nonce"]
        serial = given["wechatpay-serial"]
        signature = given["wechatpay-signature"]
    except KeyError as missing:
        raise NotAuthentic(Refusal.MALFORMED, f"{missing.args[0]} is missing") from None
    if given.get("wechatpay-signature-type", SCHEME) != SCHEME:
        raise NotAuthentic(Refusal.MALFORMED, f"the signature is not {SCHEME}")
    _check_time(timestamp, now)
    verify_sha256(_key(verifiers, serial), response_message(timestamp, nonce, body), signature)


def seal_resource(
    api_key: bytes, plaintext: bytes, *, kind: str, nonce: str, associated_data: str
) -> dict[str, JsonValue]:
    """Encrypt a notification's resource or a certificate as WeChat Pay does.

    Parameters
    ----------
    api_key : bytes
        The merchant's APIv3 key: 32 bytes.
    plaintext : bytes
        What is sealed.
    kind : str
        ``transaction``, ``refund``, ``certificate``: its ``original_type``.
    nonce : str
        12 ASCII characters, never used twice with one key.
    associated_data : str
        Bound to the ciphertext, readable.
    """
    _check_api_key(api_key)
    if len(nonce) != _NONCE_BYTES or not nonce.isascii():
        raise Invalid("must be 12 ASCII characters", field="nonce")
    sealed = AESGCM(api_key).encrypt(nonce.encode("ascii"), plaintext, associated_data.encode())
    return {
        "original_type": kind,
        "algorithm": _CIPHER,
        "ciphertext": b64encode(sealed).decode("ascii"),
        "associated_data": associated_data,
        "nonce": nonce,
    }


def open_resource(api_key: bytes, resource: Mapping[str, JsonValue]) -> bytes:
    """Decrypt a sealed resource.

    Raises
    ------
    NotAuthentic
        Where it is not of the form, or was altered, or is sealed with another key.
    """
    _check_api_key(api_key)
    ciphertext, nonce = resource.get("ciphertext"), resource.get("nonce")
    associated_data = resource.get("associated_data") or ""
    if resource.get("algorithm") != _CIPHER:
        raise NotAuthentic(Refusal.MALFORMED, f"the algorithm is not {_CIPHER}")
    if not (
        isinstance(ciphertext, str) and isinstance(nonce, str) and isinstance(associated_data, str)
    ):
        raise NotAuthentic(Refusal.MALFORMED, "ciphertext or nonce is missing")
    try:
        return _cipher(api_key).decrypt(
            nonce.encode(), b64decode(ciphertext, validate=True), associated_data.encode()
        )
    except (InvalidTag, ValueError):
        raise NotAuthentic(Refusal.WRONG_CIPHER, "the resource does not open") from None


def notification_body(
    *, notification_id: str, event: str, summary: str, at: str, resource: Mapping[str, JsonValue]
) -> bytes:
    """Write a notification around a sealed resource; ``at`` is RFC 3339."""
    return json.dumps(
        {
            "id": notification_id,
            "create_time": at,
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": summary,
            "resource": dict(resource),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def read_notification(
    headers: Mapping[str, str], body: bytes, *, verifiers: Verifiers, api_key: bytes, now: datetime
) -> Notification:
    """Take a notification in: size, signature over the raw body, window, then the resource.

    Nothing of the body is parsed before its signature holds.

    Raises
    ------
    NotAuthentic
        With the reason; answer 401 and change nothing.
    """
    if len(body) > _LARGEST_BODY_BYTES:
        raise NotAuthentic(Refusal.MALFORMED, "the body is larger than 64 KiB")
    verify_signed(headers, body, verifiers, now)
    envelope = _object(body)
    resource = envelope.get("resource")
    identifier, event = envelope.get("id"), envelope.get("event_type")
    if not (isinstance(resource, dict) and isinstance(identifier, str) and isinstance(event, str)):
        raise NotAuthentic(Refusal.MALFORMED, "id, event_type or resource is missing")
    return Notification(identifier, event, _object(open_resource(api_key, resource)))


@lru_cache(maxsize=8)
def _cipher(api_key: bytes) -> AESGCM:
    return AESGCM(api_key)


def _object(text: bytes) -> dict[str, JsonValue]:
    try:
        value = orjson.loads(text)
    except (ValueError, RecursionError):
        raise NotAuthentic(Refusal.MALFORMED, "is not JSON") from None
    if not isinstance(value, dict):
        raise NotAuthentic(Refusal.MALFORMED, "is not a JSON object")
    return value


def _check_time(timestamp: str, now: datetime) -> None:
    if _SECONDS.fullmatch(timestamp) is None:
        raise NotAuthentic(Refusal.MALFORMED, "the timestamp is not seconds since 1970")
    if abs(now - from_ms(int(timestamp) * 1000)) > WINDOW:
        raise NotAuthentic(Refusal.STALE, "the timestamp is more than five minutes away")


def _check_api_key(api_key: bytes) -> None:
    if len(api_key) != API_KEY_BYTES:
        raise Invalid("must be 32 bytes", field="api_v3_key")


def _key(verifiers: Verifiers, serial: str) -> rsa.RSAPublicKey:
    name = serial if serial.startswith(PUBLIC_KEY_PREFIX) else serial.upper().lstrip("0")
    found = verifiers.get(name)
    if found is None:
        raise NotAuthentic(Refusal.UNKNOWN_KEY, "the serial is not one that we trust")
    return found
