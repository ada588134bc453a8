"""Handhelds of the demo's attendants: enrolled terminals with keys of their own.

What an attendant does goes the way that it goes on a street: it gets its id and number on the
device, is signed by the device's key and sent until its result is known. The private key and the
terminal's id lie in a file of their own; both counts are the city's to tell after a restart.
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from city.identifiers import uuid7
from city.people.actors import system_actor
from city.terminals import services as terminals
from city.terminals import store
from city.terminals.rules.signing import PublicKey, parameters_of, signature_base
from web.demo.api_client import ApiError
from web.demo.attendants import draw
from web.demo.duty import ZONE
from web.demo.secrets_file import write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from city.places import Position
    from city.time import Clock
    from city.works.database import UnitOfWork
    from web.demo.api_client import ApiClient

BUILDER: Final = system_actor("demo")
FOLDER: Final = "terminals"
APP_VERSION: Final = "demo-1"
ACTS: Final = "/api/v1/terminals/acts"
TRIES: Final = 3
"""Of one request: the first after a restart has a number that the city knows already."""
TELLS_EVERY_S: Final = 60.0
"""Wall time between two words about how the device does."""
COORDINATE_BYTES: Final = 32
CONFLICT: Final = 409
CHARGED_FROM, CHARGED_UNTIL = 20, 7
"""Hours of the day: it lies in its cradle."""
CHARGE_PERCENT_AN_HOUR: Final = 25
DRAIN_PERCENT_AN_HOUR: Final = (4.5, 8.0)
"""Of a fresh battery and of a worn one: what a worn one has left by the evening is little."""
ACCURACY_M: Final = 12.0


def terminal_name(login: str) -> str:
    """Give the name of an attendant's terminal."""
    return f"PDA {login}"


def code_for(uow: UnitOfWork, name: str, district: str) -> str:
    """Give a code to enrol with, as a supervisor would: a new terminal, or the known one's."""
    known = store.by_name(uow.connection, name)
    if known is not None:
        return terminals.give_code(uow, BUILDER, known.id).code
    return terminals.register(uow, BUILDER, name, district).code


def battery_percent(worn: float, at: datetime) -> tuple[int, bool]:
    """Give what a battery has left at a time of the day, and whether it is being charged.

    Parameters
    ----------
    worn : float
        0 for a fresh one, 1 for one that ends before the day.
    at : datetime
        Business time.
    """
    local = at.astimezone(ZONE)
    hour = local.hour + local.minute / 60
    fresh, old = DRAIN_PERCENT_AN_HOUR
    drain = fresh + (old - fresh) * worn
    if CHARGED_UNTIL <= hour < CHARGED_FROM:
        return max(1, round(100 - drain * (hour - CHARGED_UNTIL))), False
    left = max(1.0, 100 - drain * (CHARGED_FROM - CHARGED_UNTIL))
    return min(100, round(left + CHARGE_PERCENT_AN_HOUR * ((hour - CHARGED_FROM) % 24))), True


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an act."""

    kind: str
    created: bool


class Handheld:
    """One attendant's device.

    Parameters
    ----------
    api : ApiClient
        As the attendant: their token signs them in, the device's key does the rest.
    file : Path
        Where key and id are kept.
    new_code : Callable
        Asks a supervisor for a code.
    wall : Clock
    """

    def __init__(
        self, api: ApiClient, file: Path, new_code: Callable[[], str], wall: Clock
    ) -> None:
        self._api = api
        self._file = file
        self._new_code = new_code
        self._wall = wall
        self._worn = draw(file.name)
        self._key, self._id = _kept(file)
        self._requests = 0
        self._next_act = 1
        self._account_id: str | None = None
        self._waiting: list[dict[str, Any]] = []
        self._told_s: float | None = None

    def ready(self) -> None:
        """Enrol where that never happened, and sign the attendant in.

        Raises
        ------
        ApiError
            Where the API could not be reached, or will not have the device: it is locked.
        """
        if self._account_id is not None:
            return
        if self._id is None:
            self._enrol()
        body = {"terminal_id": self._id}
        try:
            known = self._send("/api/v1/terminals/sign-ins", body, in_person=True)
        except ApiError as error:
            if error.told.get("reason") == "revoked":
                # It is handed over, and its attendant gets another one.
                self._key, self._id = ec.generate_private_key(ec.SECP256R1()), None
            raise
        self._account_id = str(known["account_id"])
        self._next_act = int(known["terminal"]["next_act"])

    def note(self, kind: str, at: datetime, **members: object) -> None:
        """Keep an act with its id and number: from here on it is done, for whoever did it."""
        self._waiting.append(
            {
                "id": str(uuid7()),
                "sequence": self._next_act,
                "kind": kind,
                "account_id": self._account_id,
                "device_at": at.isoformat(),
                "offset_ms": 0,
                **members,
            }
        )
        self._next_act += 1

    def send(self, now: datetime) -> list[Result]:
        """Send what waits, and forget what the city keeps.

        Raises
        ------
        ApiError
            Where no answer came: the acts wait.
        """
        if not self._waiting:
            return []
        told = self._send(ACTS, {"sent_at": now.isoformat(), "items": self._waiting})
        results = [
            Result(act["kind"], each["result"] == "created")
            for act, each in zip(self._waiting, told["items"], strict=True)
        ]
        # What is not kept had an id or a number of another act: a file that was copied back.
        self._waiting.clear()
        self._next_act = int(told["next_act"])
        return results

    def tell(self, position: Position, now: datetime) -> bool:
        """Say how the device does, once a minute; True where it did."""
        now_s = time.monotonic()
        if self._told_s is not None and now_s - self._told_s < TELLS_EVERY_S:
            return False
        self._told_s = now_s
        percent, charging = battery_percent(self._worn, now)
        health = {
            "app_version": APP_VERSION,
            "battery_percent": percent,
            "charging": charging,
            "network": "wifi" if charging else "cellular",
            "longitude": position.longitude,
            "latitude": position.latitude,
            "accuracy_m": ACCURACY_M,
            "acts_waiting": len(self._waiting),
            "clock_behind_ms": 0,
        }
        self._send("/api/v1/terminals/health", health)
        return True

    def _enrol(self) -> None:
        numbers = self._key.public_key().public_numbers()
        x, y = (
            base64.urlsafe_b64encode(each.to_bytes(COORDINATE_BYTES)).rstrip(b"=").decode()
            for each in (numbers.x, numbers.y)
        )
        body = {
            "code": self._new_code(),
            "public_key": {"kty": "EC", "crv": "P-256", "x": x, "y": y},
            "app_version": APP_VERSION,
        }
        self._id = str(UUID(self._send("/api/v1/terminals/enrolment", body)["id"]))
        _keep(self._file, self._key, self._id)

    def _send(self, path: str, body: object, *, in_person: bool = False) -> dict[str, Any]:
        data = orjson.dumps(body)
        for tried in range(1, TRIES + 1):
            self._requests += 1
            try:
                return self._api.send(path, data, self._signed(path, data), in_person=in_person)
            except ApiError as error:
                following = error.told.get("next_sequence")
                if error.told.get("reason") == "revoked":
                    self._account_id = None
                    self._waiting.clear()
                if error.status != CONFLICT or following is None or tried == TRIES:
                    raise
                self._requests = int(following) - 1
        raise AssertionError("the last try raises")

    def _signed(self, path: str, data: bytes) -> dict[str, str]:
        digest = hashlib.sha256(data).digest()
        numbers = self._key.public_key().public_numbers()
        key = PublicKey(numbers.x.to_bytes(COORDINATE_BYTES), numbers.y.to_bytes(COORDINATE_BYTES))
        said = parameters_of(self._wall.now(), self._id or key.thumbprint)
        base = signature_base(("POST", path, ""), digest, self._requests, said)
        r, s = decode_dss_signature(self._key.sign(base, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES)
        return {
            "Content-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
            "Terminal-Sequence": str(self._requests),
            "Signature-Input": f"terminal={said}",
            "Signature": f"terminal=:{base64.b64encode(signature).decode()}:",
        }


def _kept(file: Path) -> tuple[ec.EllipticCurvePrivateKey, str | None]:
    """Read a device's key and id; a new key without an id where there is no such file."""
    try:
        found = orjson.loads(file.read_bytes())
        key = load_pem_private_key(str(found["key"]).encode(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key, str(UUID(found["id"]))
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        pass  # it enrols anew, as a device that was wiped
    return ec.generate_private_key(ec.SECP256R1()), None


def _keep(file: Path, key: ec.EllipticCurvePrivateKey, terminal_id: str) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write_private(file, orjson.dumps({"id": terminal_id, "key": pem}))
