"""The local gateway as a process of its own, killed and started again beside the system."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from city.works.embedded.children import tethered
from tests.faults.installation import ROOT, NotReadyError

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

START_PATIENCE_S: Final = 60.0
PAGE: Final = 1_000
"""Orders that the gateway shows at once."""


class ChannelGateway:
    """`python -m payments gateway` with a journal, on one port through all its lives.

    Start and kill from the main thread, as an `Installation`.

    Parameters
    ----------
    folder
        For its keys, its journal and what it prints.
    faults
        As `--faults` takes them.
    speed
        How many of the channels' seconds pass in one of ours.
    """

    def __init__(self, folder: Path, faults: str, speed: float) -> None:
        self._folder, self._faults, self._speed = folder, faults, speed
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._before: Counter[str] = Counter()
        """Notifications of the lives that ended, as they were last seen."""

    @property
    def document(self) -> Path:
        """What `PAYMENT_CHANNELS` names."""
        return self._folder / "channels.json"

    def start(self) -> None:
        """Start it and wait until it serves; the first start writes `document`."""
        said = self._folder / "gateway.said"
        with said.open("wb") as output:
            self.process = tethered(
                [
                    sys.executable, "-m", "payments", "gateway",
                    "--port", str(self.port), "--speed", str(self._speed), "--open-day",
                    "--keys", str(self._folder / "keys"),
                    "--journal", str(self._folder / "journal.db"),
                    "--faults", self._faults,
                ],
                death_signal=signal.SIGKILL,
                environment=dict(os.environ),
                folder=ROOT,
                output=output.fileno(),
            )  # fmt: skip
        deadline = time.monotonic() + START_PATIENCE_S
        while not said.read_bytes().endswith(b"\n"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NotReadyError(f"the gateway does not start:\n{said.read_text()}")
            time.sleep(0.02)
        address = json.loads(said.read_bytes().splitlines()[0])["address"]
        self.port = int(address.rpartition(":")[2])
        if not self.document.exists():
            self.document.write_text(json.dumps(self._get("/gateway/keys")))

    def kill(self) -> None:
        """Kill it as it stands; what it had sent until just before stays counted."""
        assert self.process is not None
        self._before += Counter(self.figures()["notifications"])
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def figures(self) -> dict[str, Any]:
        """Give its sums; notifications of this life alone."""
        found: dict[str, Any] = self._get("/gateway/figures")
        return found

    def notifications(self) -> Counter[str]:
        """Give what all lives sent; what was sent in the moment before a kill is missing."""
        counts = self._before + Counter(self.figures()["notifications"])
        counts["waiting"] = self.figures()["notifications"]["waiting"]
        return counts

    def orders(self) -> list[dict[str, Any]]:
        """Give every order."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._get(f"/gateway/orders?from={len(found)}")["orders"]
            found += page
            if len(page) < PAGE:
                return found

    def _get(self, path: str) -> Any:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request("GET", path)
            return json.loads(line.getresponse().read())
        finally:
            line.close()
