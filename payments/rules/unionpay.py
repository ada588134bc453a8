"""UnionPay's all-channel platform (ACP) 5.1.0 on the wire: signatures, messages, QR transactions.

Pure. Source: UnionPay ACP access specification 5.1.0, parts 1 (messages), 2 (QR products), and
the public SDKs' behaviour where it is silent: responses are ``k=v&…`` without percent-encoding,
notifications are an encoded form.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from city.errors import Invalid
from payments.rules.authenticity import (
    NotAuthentic,
    Refusal,
    certificate_of,
    sign_sha256,
    verify_sha256,
)

VERSION: Final = "5.1.0"
CURRENCY: Final = "156"
"""CNY by ISO 4217's number; amounts are whole fen."""
ANSWER_WITHIN_S: Final = 10.0
RETRIES_S: Final = (60, 120, 240, 300)
"""Pauses between the five attempts of one notification, in seconds."""
UNIONPAY_NAME: Final = "中国银联股份有限公司"
"""Stands in the subject of the certificate that UnionPay signs with."""


class SignMethod(StrEnum):
    """How a message is signed."""

    RSA = "01"
    SHA256 = "11"
    SM3 = "12"


class Transaction(StrEnum):
    """Transaction types (``txnType``) of the QR product."""

    QUERY = "00"
    CONSUME = "01"
    REFUND = "04"
    VOID = "31"
    FILE = "76"


QR_CODE: Final = "07"
"""``txnSubType`` of CONSUME: the merchant shows a code and the payer scans it."""
BAR_CODE: Final = "06"
"""``txnSubType`` of CONSUME: the merchant scans the payer's code."""


class Answer(StrEnum):
    """Response codes (``respCode``, ``origRespCode``)."""

    DONE = "00"
    TIMED_OUT = "03"
    UNCLEAR = "04"
    ACCEPTED = "05"
    BUSY = "06"
    MALFORMED = "10"
    WRONG_SIGNATURE = "11"
    DUPLICATE = "12"
    INCOMPLETE = "13"
    REFUSED = "30"
    OTHER_MERCHANT = "31"
    NOT_FOUND = "34"
    WRONG_ORIGINAL = "35"
    DIFFERS = "36"
    NO_MONEY = "64"
    NO_FILE = "98"


UNKNOWN_ANSWERS: Final = frozenset({Answer.TIMED_OUT, Answer.UNCLEAR, Answer.ACCEPTED, Answer.BUSY})
"""Codes after which only a query tells what happened."""


def canonical(message: Mapping[str, str]) -> str:
    """Give what is hashed: without empties and ``signature``, names in order, ``k=v&…``."""
    return "&".join(
        f"{name}={value}"
        for name, value in sorted(message.items())
        if name != "signature" and value != ""
    )


def digest(message: Mapping[str, str]) -> bytes:
    """Give what RSA signs: the SHA-256 of the canonical string as lower-case hexadecimal."""
    return sha256(canonical(message).encode()).hexdigest().encode("ascii")


def sign(
    message: Mapping[str, str], key: rsa.RSAPrivateKey, certificate_id: str | None = None
) -> dict[str, str]:
    """Sign a message with RSA (method 01).

    Parameters
    ----------
    message : Mapping
        Without ``signature``.
    key : rsa.RSAPrivateKey
        The signer's.
    certificate_id : str or None
        Serial number of its certificate in decimal, put in as ``certId``; None where the message
        carries the certificate itself (``signPubKeyCert``), as UnionPay's own do.
    """
    whole = {**message, "signMethod": SignMethod.RSA.value}
    if certificate_id is not None:
        whole["certId"] = certificate_id
    return {**whole, "signature": sign_sha256(key, digest(whole))}


def sign_keyed(message: Mapping[str, str], secret: str, method: SignMethod) -> dict[str, str]:
    """Sign a message with a shared key (method 11: SHA-256, 12: SM3)."""
    whole = {**message, "signMethod": method.value}
    return {**whole, "signature": _keyed(whole, secret, method)}


def verify(message: Mapping[str, str], key: rsa.RSAPublicKey) -> None:
    """Check a message signed with RSA; NotAuthentic with the reason."""
    _check(message, SignMethod.RSA)
    verify_sha256(key, digest(message), message["signature"])


def verify_keyed(message: Mapping[str, str], secret: str, method: SignMethod) -> None:
    """Check a message signed with a shared key; NotAuthentic with the reason."""
    _check(message, method)
    if not hmac.compare_digest(
        _keyed(message, secret, method).encode(), message["signature"].encode()
    ):
        raise NotAuthentic(Refusal.WRONG_SIGNATURE, "the signature is not that of the message")


def verify_from_unionpay(message: Mapping[str, str], root: x509.Certificate, now: datetime) -> None:
    """Check a message of UnionPay's by the certificate that it carries.

    The certificate counts only where ``root`` issued it, it is valid at ``now``, and it is
    UnionPay's by its subject: a merchant's certificate of the same issuer signs nothing for it.

    Raises
    ------
    NotAuthentic
        With the reason.
    """
    key, from_at, until_at = _signer(message.get("signPubKeyCert", ""), root)
    if not from_at <= now <= until_at:
        raise NotAuthentic(Refusal.UNKNOWN_KEY, "signPubKeyCert is not valid now")
    verify(message, key)


@lru_cache(maxsize=8)
def _signer(pem: str, root: x509.Certificate) -> tuple[rsa.RSAPublicKey, datetime, datetime]:
    """Give the key of a certificate that ``root`` issued to UnionPay, and when it is valid.

    It comes with each message and is the same for years: read once. One that is refused is not
    remembered, so that whoever sends many leaves no trace.
    """
    try:
        certificate = certificate_of(pem.encode(), "signPubKeyCert")
    except Invalid:
        raise NotAuthentic(Refusal.MALFORMED, "signPubKeyCert is not a certificate") from None
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        raise NotAuthentic(
            Refusal.UNKNOWN_KEY, "signPubKeyCert is not by the trusted issuer"
        ) from None
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not any(UNIONPAY_NAME in str(name.value).split("@") for name in names):
        raise NotAuthentic(Refusal.UNKNOWN_KEY, "signPubKeyCert is not UnionPay's")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotAuthentic(Refusal.UNKNOWN_KEY, "signPubKeyCert holds no RSA key")
    return key, certificate.not_valid_before_utc, certificate.not_valid_after_utc


def write_response(message: Mapping[str, str]) -> bytes:
    """Write a response's body: ``k=v&…`` as it is, without percent-encoding."""
    return "&".join(f"{name}={value}" for name, value in sorted(message.items())).encode()


def read_response(body: bytes) -> dict[str, str]:
    """Read a response's body; a value may hold ``=`` and, between braces, ``&``.

    Raises
    ------
    NotAuthentic
        Where it is not UTF-8, a part has no ``=``, or a name comes twice.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NotAuthentic(Refusal.MALFORMED, "the response is not UTF-8") from None
    message: dict[str, str] = {}
    for part in _parts(text):
        name, equals, value = part.partition("=")
        if not equals or name in message:
            raise NotAuthentic(Refusal.MALFORMED, "the response is not k=v&…")
        message[name] = value
    return message


def write_form(message: Mapping[str, str]) -> bytes:
    """Write a request's or a notification's body: a percent-encoded form."""
    return urlencode(dict(message)).encode("ascii")


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    start = depth = 0
    for position, character in enumerate(text):
        if character in "{[":
            depth += 1
        elif character in "}]":
            depth = max(0, depth - 1)
        elif character == "&" and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return parts


def _check(message: Mapping[str, str], method: SignMethod) -> None:
    if message.get("signMethod") != method.value:
        raise NotAuthentic(Refusal.MALFORMED, f"signMethod is not {method.value}")
    if not message.get("signature"):
        raise NotAuthentic(Refusal.MALFORMED, "signature is missing")


def _keyed(message: Mapping[str, str], secret: str, method: SignMethod) -> str:
    algorithm = hashes.SM3() if method is SignMethod.SM3 else hashes.SHA256()
    return _hex(algorithm, f"{canonical(message)}&{_hex(algorithm, secret.encode())}".encode())


def _hex(algorithm: hashes.HashAlgorithm, content: bytes) -> str:
    hashing = hashes.Hash(algorithm)
    hashing.update(content)
    return hashing.finalize().hex()
