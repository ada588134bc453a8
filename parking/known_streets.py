"""The street network as this process knows it: read again where its file changes."""

import threading
import time
from pathlib import Path
from typing import Final

import orjson
import structlog

from city.errors import Invalid
from city.street_files import streets_from_json
from parking.rules.finding.street_places import NamedPlace, street_places
from parking.rules.finding.travel import Travel

CHECKED_S: Final = 5.0

log = structlog.get_logger(__name__)


class KnownStreets:
    """Walks and drives on the network of a file (`city.street_files`). Threads share one.

    Parameters
    ----------
    path
        Of the file; where there is none, ways are straight lines, and say so.
    checked_s
        Age in seconds at which the file is looked at again.
    """

    def __init__(self, path: Path, *, checked_s: float = CHECKED_S) -> None:
        self._path = path
        self._checked_s = checked_s
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._mark: tuple[int, int] | None = None
        self._travel = Travel(None)
        self._named: tuple[NamedPlace, ...] = ()

    def named(self) -> tuple[NamedPlace, ...]:
        """Give the streets and junctions that have a name; none where no streets are known."""
        self.travel()
        return self._named

    def travel(self) -> Travel:
        """Give the walks and drives; a file that cannot be read leaves those that were known."""
        now_s = time.monotonic()
        if now_s - self._checked_at < self._checked_s:
            return self._travel
        with self._lock:
            if now_s - self._checked_at < self._checked_s:
                return self._travel
            try:
                found = self._path.stat()
                mark = (found.st_mtime_ns, found.st_size)
                if mark != self._mark:
                    network = streets_from_json(orjson.loads(self._path.read_bytes()))
                    self._travel, self._named = Travel(network), street_places(network)
                    self._mark = mark
            except FileNotFoundError:
                pass
            except (OSError, ValueError, Invalid) as error:
                log.warning("the streets cannot be read", path=str(self._path), error=str(error))
            self._checked_at = now_s
        return self._travel
