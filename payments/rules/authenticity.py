"""Whether a message comes from whom it says: signatures, certificates, refusals with a reason.

Every online channel signs with SHA256withRSA (PKCS #1 v1.5) and writes the signature in base64;
what is signed is the channel's own business (``wechat_v3``, ``alipay``, ``unionpay``).
"""

import binascii
from base64 import b64decode, b64encode
from enum import StrEnum
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from city.errors import Forbidden, Invalid


class Refusal(StrEnum):
    """Why a channel's message is not believed; recorded with the refused message."""

    MALFORMED = "malformed"
    """A part that the check needs is missing or is not of its form."""
    UNKNOWN_KEY = "unknown-key"
    """It names a key or certificate that is not among the trusted ones."""
    STALE = "stale"
    """Its time lies outside the window in which the channel's messages are taken."""
    WRONG_SIGNATURE = "wrong-signature"
    """The signature is not that of the named key over these bytes."""
    WRONG_CIPHER = "wrong-cipher"
    """The encrypted part does not open with our key: altered, or meant for somebody else."""
    OTHER_MERCHANT = "other-merchant"
    """It is true and speaks of another merchant or application."""
    OTHER_ORDER = "other-order"
    """It is true and speaks of another order than the one it is compared with."""
    OTHER_AMOUNT = "other-amount"
    """It is true and its amount is not the order's."""


class NotAuthentic(Forbidden):
    """A channel's message is refused; nothing may be changed by it.

    Parameters
    ----------
    reason : Refusal
        Why.
    message : str
        One sentence for people; never a key, a signature or a payer.
    """

    code = "not-authentic"

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message, reason=reason.value)
        self.reason = reason


@lru_cache(maxsize=32)  # its primes are looked at anew each time, which takes 50 ms
def private_key_of(pem: bytes, field: str) -> rsa.RSAPrivateKey:
    """Read an RSA private key in PEM; Invalid names the setting, never its content."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise Invalid("is not a private key in PEM", field=field) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Invalid("is not an RSA key", field=field)
    return key


def public_key_of(pem: bytes, field: str) -> rsa.RSAPublicKey:
    """Read an RSA public key, or the one in a certificate, in PEM; Invalid names the setting."""
    try:
        if b"BEGIN CERTIFICATE" in pem:
            key = x509.load_pem_x509_certificate(pem).public_key()
        else:
            key = serialization.load_pem_public_key(pem)  # type: ignore[assignment] # a wider union
    except ValueError:
        raise Invalid("is not a public key in PEM", field=field) from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Invalid("is not an RSA key", field=field)
    return key


def certificate_of(pem: bytes, field: str) -> x509.Certificate:
    """Read a certificate in PEM; Invalid names the setting."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise Invalid("is not a certificate in PEM", field=field) from None


def serial_hex(certificate: x509.Certificate) -> str:
    """Give a certificate's serial number as WeChat Pay writes it: upper-case hexadecimal."""
    return f"{certificate.serial_number:X}"


def sign_sha256(key: rsa.RSAPrivateKey, message: bytes) -> str:
    """Sign with SHA256withRSA; base64. The same message gives the same signature."""
    return b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")


def verify_sha256(key: rsa.RSAPublicKey, message: bytes, signature: str) -> None:
    """Check a base64 SHA256withRSA signature.

    Raises
    ------
    NotAuthentic
        Where it is not base64, or not the signature of these bytes by this key.
    """
    try:
        given = b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise NotAuthentic(Refusal.MALFORMED, "the signature is not base64") from None
    try:
        key.verify(given, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise NotAuthentic(
            Refusal.WRONG_SIGNATURE, "the signature is not that of the message"
        ) from None
