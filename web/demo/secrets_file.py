"""What the demo's processes must know of each other: one private file below ``var/``.

Random for each ``var/``; never in a log, never in the repository.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import orjson

from city.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

NAME = "demo-secrets.json"


@dataclass(frozen=True, slots=True)
class DemoSecrets:
    """Log-ins of each role, tokens of the attendants, tokens of the devices."""

    log_ins: dict[str, str]
    """Password by log-in."""
    attendant_tokens: tuple[str, ...]
    device_tokens: dict[str, str]
    """Token by network key."""


def read_secrets(var: Path) -> DemoSecrets:
    """Read the file.

    Raises
    ------
    Unavailable
        Where the demo was never prepared.
    """
    try:
        found = orjson.loads((var / NAME).read_bytes())
    except FileNotFoundError:
        raise Unavailable("the demo city is not prepared; run `make run`") from None
    return DemoSecrets(found["log_ins"], tuple(found["attendant_tokens"]), found["device_tokens"])


def write_secrets(var: Path, secrets: DemoSecrets) -> None:
    """Write the file whole or not at all, readable by its owner alone."""
    fresh = var / f"{NAME}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(asdict(secrets)))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(var / NAME)
