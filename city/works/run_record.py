"""`var/run.json`: where a running system's servers are, for every process and command."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from city.errors import Invalid

FORMAT = 1
NAME = "run.json"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are."""

    database: str
    redis: str
    mqtt: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What the supervisor writes down before it starts the processes.

    It says where things are, not that they run: whether a supervisor lives is asked of the lock
    that it holds, `var/supervisor.lock`.
    """

    addresses: Addresses
    sockets: Path
    """Private folder of the servers' Unix sockets; a later start removes it."""
    port: int
    pid: int
    started_at: str
    """RFC 3339, wall time."""


def write_run_record(var: Path, record: RunRecord) -> None:
    """Write `record` so that a reader sees the old one or the new one, never half of it.

    It holds passwords: only its owner may read it.
    """
    fresh = var / f"{NAME}.new"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(
            {
                "format": FORMAT,
                "database": record.addresses.database,
                "redis": record.addresses.redis,
                "mqtt": record.addresses.mqtt,
                "sockets": str(record.sockets),
                "port": record.port,
                "pid": record.pid,
                "started_at": record.started_at,
            },
            file,
            indent=1,
        )
    fresh.replace(var / NAME)


def read_run_record(var: Path) -> RunRecord | None:
    """Return the record under `var`, or None where there is none.

    Raises
    ------
    Invalid
        Where the file is not one that `write_run_record` wrote.
    """
    path = var / NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise Invalid(f"{path} is of another format: {found['format']}")
        return RunRecord(
            Addresses(str(found["database"]), str(found["redis"]), str(found["mqtt"])),
            Path(found["sockets"]),
            int(found["port"]),
            int(found["pid"]),
            str(found["started_at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{path} cannot be read: remove it and start again") from error
