"""A terminal as tests drive it: its own key, its running number, each request signed."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from city.terminals.rules.signing import PublicKey, parameters_of, signature_base
from city.time import WallClock

if TYPE_CHECKING:
    from datetime import datetime


class Door(Protocol):
    """What requests go through: the application itself, or the line to one that runs."""

    def post(self, path: str, *, data: bytes, headers: dict[str, str]) -> Any:
        """Send a request; the answer has `status_code` and `get_json`."""


@dataclass(slots=True)
class Handheld:
    """A device with a key."""

    client: Door
    name: str | None = None
    """The terminal's id; before it is enrolled the key's thumbprint stands for it."""
    sequence: int = 0
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def key(self) -> PublicKey:
        numbers = self.private.public_key().public_numbers()
        return PublicKey(numbers.x.to_bytes(32), numbers.y.to_bytes(32))

    def jwk(self) -> dict[str, str]:
        x, y = (
            base64.urlsafe_b64encode(each).rstrip(b"=").decode()
            for each in (self.key.x, self.key.y)
        )
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign(self, base: bytes) -> bytes:
        r, s = decode_dss_signature(self.private.sign(base, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def signed(
        self,
        path: str,
        body: bytes,
        *,
        method: str = "POST",
        at: datetime | None = None,
        sequence: int | None = None,
    ) -> dict[str, str]:
        """Give the headers of a request, with the next running number."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        target, _, query = path.partition("?")
        digest = hashlib.sha256(body).digest()
        said = parameters_of(at or WallClock().now(), self.name or self.key.thumbprint)
        signature = self.sign(signature_base((method, target, query), digest, sequence, said))
        return {
            "Content-Type": "application/json",
            "Content-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
            "Terminal-Sequence": str(sequence),
            "Signature-Input": f"terminal={said}",
            "Signature": f"terminal=:{base64.b64encode(signature).decode()}:",
        }

    def post(self, path: str, body: Any, **how: Any) -> Any:
        """Send a signed request."""
        data = json.dumps(body).encode()
        return self.client.post(path, data=data, headers=self.signed(path, data, **how))

    def enrol(self, code: str) -> Any:
        """Enrol, and go by the terminal's id from then on."""
        body = {"code": code, "public_key": self.jwk(), "app_version": "1.0.0"}
        answer = self.post("/api/v1/terminals/enrolment", body)
        if answer.status_code == 201:
            self.name = answer.get_json()["id"]
        return answer
