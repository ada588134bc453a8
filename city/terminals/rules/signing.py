"""Signed requests: one strict profile of HTTP Message Signatures, and nothing beside it.

Source: RFC 9421 (signature base, section 2.5; ``ecdsa-p256-sha256``, section 3.3.4: r and s of 32
bytes each, which is what WebCrypto gives), RFC 9530 (``Content-Digest``), RFC 7638 (thumbprints).

A request covers method, path, query, the body's digest and the terminal's running number, in this
order, with when it was made and whose key signed it. Any other list is refused: a verifier that
takes what the sender chose to cover can be made to look at nothing.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from city.errors import Invalid, Unauthenticated

LABEL: Final = "terminal"
COVERED: Final = '("@method" "@path" "@query" "content-digest" "terminal-sequence")'
ALGORITHM: Final = "ecdsa-p256-sha256"
SEQUENCE_HEADER: Final = "Terminal-Sequence"
HEADERS: Final = ("Signature-Input", "Signature", "Content-Digest", SEQUENCE_HEADER)
CLOCK_WINDOW: Final = timedelta(minutes=2)
"""How far a request's own instant may be from ours: a device corrects its clock by our answers."""
LARGEST_SEQUENCE: Final = 2**53 - 1
"""What a browser counts exactly."""

_COORDINATE_BYTES: Final = 32
_INPUT = re.compile(
    rf'{LABEL}=({re.escape(COVERED)};created=([0-9]{{1,11}});keyid="([A-Za-z0-9_-]{{1,64}})"'
    rf';alg="{ALGORITHM}")'
)
_SIGNATURE = re.compile(rf"{LABEL}=:([A-Za-z0-9+/]{{86}}==):")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_SEQUENCE = re.compile(r"[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point of P-256, checked to lie on the curve.

    Raises
    ------
    Invalid
        Where it does not.
    """

    x: bytes
    y: bytes

    def __post_init__(self) -> None:
        self._point()

    def _point(self) -> ec.EllipticCurvePublicKey:
        if len(self.x) != _COORDINATE_BYTES or len(self.y) != _COORDINATE_BYTES:
            raise Invalid("is no point of P-256", field="public_key")
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(self.x), int.from_bytes(self.y), ec.SECP256R1()
        )
        try:
            return numbers.public_key()
        except ValueError:
            raise Invalid("is no point of P-256", field="public_key") from None

    @property
    def packed(self) -> bytes:
        """The 64 bytes under which it is kept."""
        return self.x + self.y

    @property
    def thumbprint(self) -> str:
        """The name of the key itself (RFC 7638), 43 characters."""
        members = {"crv": "P-256", "kty": "EC", "x": _url64(self.x), "y": _url64(self.y)}
        written = json.dumps(members, separators=(",", ":"), sort_keys=True)
        return _url64(hashlib.sha256(written.encode()).digest())

    def verifies(self, signature: bytes, base: bytes) -> bool:
        """Say whether r and s sign a text."""
        r, s = signature[:_COORDINATE_BYTES], signature[_COORDINATE_BYTES:]
        der = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
        try:
            self._point().verify(der, base, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def unpacked(packed: bytes) -> PublicKey:
    """Give a key from the 64 bytes under which it is kept."""
    return PublicKey(packed[:_COORDINATE_BYTES], packed[_COORDINATE_BYTES:])


def public_key_of(x: str, y: str) -> PublicKey:
    """Read a key's coordinates as a JWK has them: base64url without padding.

    Raises
    ------
    Invalid
        Where they are none, or no point of the curve.
    """
    try:
        return PublicKey(*(base64.urlsafe_b64decode(f"{each}=") for each in (x, y)))
    except (binascii.Error, ValueError):
        raise Invalid("is no point of P-256", field="public_key") from None


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came: what is signed, and by whom it says it is."""

    method: str
    path: str
    query: str
    body: bytes
    digest: bytes
    sequence: int
    created_at: datetime
    key_name: str
    parameters: str
    signature: bytes

    def base(self) -> bytes:
        """Give the text that was signed (RFC 9421, section 2.5)."""
        return signature_base(
            (self.method, self.path, self.query), self.digest, self.sequence, self.parameters
        )

    def check(self, key: PublicKey) -> None:
        """Pass where the key signed this very body and these very parts.

        Raises
        ------
        Unauthenticated
            Otherwise.
        """
        told = hmac.compare_digest(self.digest, hashlib.sha256(self.body).digest())
        if not key.verifies(self.signature, self.base()) or not told:
            raise not_signed()

    def check_clock(self, now: datetime) -> None:
        """Pass where it was made within `CLOCK_WINDOW`; asked only of what is signed.

        Raises
        ------
        Unauthenticated
            Otherwise, with our instant: the device corrects its clock and signs again.
        """
        if abs(now - self.created_at) > CLOCK_WINDOW:
            raise Unauthenticated(
                "the terminal's clock is too far from ours: sign again with the time given here",
                reason="clock",
                server_at=now.isoformat(),
            )


def not_signed() -> Unauthenticated:
    """Give the one refusal of who cannot show who they are: it tells nothing of what is wrong."""
    return Unauthenticated("The request is not signed by a terminal.", reason="signature")


def signature_base(
    target: tuple[str, str, str], digest: bytes, sequence: int, parameters: str
) -> bytes:
    """Give the text to sign: `target` is method, path and query without its question mark."""
    method, path, query = target
    lines = (
        f'"@method": {method}',
        f'"@path": {path}',
        f'"@query": ?{query}',
        f'"content-digest": sha-256=:{base64.b64encode(digest).decode()}:',
        f'"terminal-sequence": {sequence}',
        f'"@signature-params": {parameters}',
    )
    return "\n".join(lines).encode()


def parameters_of(created_at: datetime, key_name: str) -> str:
    """Give what the sender says of its signature."""
    created = int(created_at.timestamp())
    return f'{COVERED};created={created};keyid="{key_name}";alg="{ALGORITHM}"'


def read_signed(
    target: tuple[str, str, str], body: bytes, headers: Mapping[str, str]
) -> SignedRequest:
    """Read a request's signature; nothing is checked but its form.

    Parameters
    ----------
    target : tuple of str
        Method, path and query without its question mark.
    body : bytes
        As it was sent.
    headers : Mapping
        Those of `HEADERS`, by these names.

    Raises
    ------
    Unauthenticated
        Where a part is missing or of another form.
    """
    said = _INPUT.fullmatch(headers.get("Signature-Input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("Signature", ""))
    digest = _DIGEST.fullmatch(headers.get("Content-Digest", ""))
    sequence = _SEQUENCE.fullmatch(headers.get(SEQUENCE_HEADER, ""))
    if said is None or signature is None or digest is None or sequence is None:
        raise not_signed()
    number = int(sequence[0])
    if number > LARGEST_SEQUENCE:
        raise not_signed()
    method, path, query = target
    return SignedRequest(
        method=method,
        path=path,
        query=query,
        body=body,
        digest=base64.b64decode(digest[1]),
        sequence=number,
        # Eleven digits of seconds end in the year 5138: always an instant.
        created_at=datetime.fromtimestamp(int(said[2]), UTC),
        key_name=said[3],
        parameters=said[1],
        signature=base64.b64decode(signature[1]),
    )


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
