"""What the demo's processes must know of each other: one private file below ``var/``.

Random for each ``var/``; never in a log, never in the repository. The database has the same
installation's mark, so that a file that came from another database is known as such.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import orjson

from city.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "demo-secrets.json"


@dataclass(frozen=True, slots=True)
class DemoSecrets:
    """Log-ins of each role, tokens of the attendants, tokens of the devices."""

    mark: str
    """Of the database that they belong to."""
    log_ins: dict[str, str]
    """Password by log-in."""
    attendant_tokens: dict[str, str]
    """API token by the virtual attendant's log-in."""
    integration_token: str
    device_tokens: dict[str, str]
    """Token by network key."""


def find_secrets(var: Path) -> DemoSecrets | None:
    """Read the file; None where there is none, or not one of this form."""
    try:
        found = orjson.loads((var / NAME).read_bytes())
        return DemoSecrets(**found)
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return None


def read_secrets(var: Path) -> DemoSecrets:
    """Read the file.

    Raises
    ------
    Unavailable
        Where the demo was never prepared.
    """
    found = find_secrets(var)
    if found is None:
        raise Unavailable("the demo city is not prepared; run `make run`")
    return found


def write_secrets(var: Path, secrets: DemoSecrets) -> None:
    """Write the file whole or not at all, readable by its owner alone."""
    write_private(var / NAME, orjson.dumps(asdict(secrets)))


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
