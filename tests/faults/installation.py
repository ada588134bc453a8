"""The real system in a folder of its own: started, looked at, killed, stopped, gone through."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from city.time import WallClock
from city.works.database import Database
from city.works.embedded.children import Hold, tethered
from city.works.live import live_store
from city.works.run_record import RunRecord, read_run_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import redis

ROOT: Final = Path(__file__).resolve().parents[2]
START_PATIENCE_S: Final = 120.0
STOP_PATIENCE_S: Final = 120.0
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - looked at, not written to

KINDS: Final = (
    "supervisor",
    "postgres",
    "postgres backend",
    "valkey",
    "ingest",
    "worker",
    "api",
    "api worker",
    "live",
    "live worker",
)
"""Every kind of process of a running system without the demo."""

_MARKS: Final = {
    "postgres": "pginstall",
    "valkey": "valkey-server",
    "ingest": "parking.adapters.mqtt_ingest",
    "worker": "journeys.worker",
    "api": "gunicorn_api",
    "live": "gunicorn_live",
}


class NotReadyError(AssertionError):
    """The system did not come up; its own words are in the message."""


def until(true: Callable[[], object], what: str, *, patience_s: float = 60.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, f"not within {patience_s:.0f} s: {what}"
        time.sleep(0.05)


def free_port() -> int:
    """Find a port with its two neighbours free, below those that outgoing connections take."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    first = 10_000 + os.getpid() * 3 % (lowest - 10_100)
    for port in chain(range(first, lowest - 3, 3), range(10_000, first, 3)):
        try:
            for neighbour in range(port, port + 3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", neighbour))
        except OSError:
            continue
        return port
    raise NotReadyError("no free port")


class Installation:
    """One `GREENBAY_VAR` and the supervisors that run on it, one after the other.

    Start and kill from the main thread: the kernel ties a child's life to the thread that started
    it, so that nothing outlives a killed test run.

    Parameters
    ----------
    environment
        Settings beside the folder, the port and `GREENBAY_DEMO=0`.
    within
        The folder to make its own in; the usual one unless given.
    """

    def __init__(
        self, environment: Mapping[str, str] | None = None, *, within: Path | None = None
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greenbay-test-", dir=within))
        self.folder.chmod(0o755)  # the servers' own account has to get through
        self.var = self.folder / "var"
        self.environment = dict(environment or {})
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.seen: dict[int, psutil.Process] = {}
        """Every process that was ever part of it, by pid."""
        self._begun_s = WallClock().now().timestamp()
        self.sockets: set[Path] = set()
        self.shared_memory: set[Path] = set()

    # --- life ------------------------------------------------------------------------------------

    @property
    def said(self) -> str:
        """What supervisors printed so far."""
        path = self.folder / "said"
        return path.read_text() if path.exists() else ""

    @property
    def running(self) -> bool:
        """Whether its supervisor runs."""
        return self.process is not None and self.process.poll() is None

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start a supervisor and return at once."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GREENBAY_")
            and name not in {"DATABASE_URL", "REDIS_URL", "MQTT_URL", "PROMETHEUS_MULTIPROC_DIR"}
        }
        with (self.folder / "said").open("ab") as output:
            return tethered(
                [sys.executable, "-m", "city.works.supervisor"],
                death_signal=signal.SIGTERM,
                environment={
                    **kept,
                    "GREENBAY_VAR": str(self.var),
                    "GREENBAY_DEMO": "0",
                    "GREENBAY_DISK_FREE_LIMIT_MB": "0",
                    "PORT": str(self.port),
                    **self.environment,
                },
                folder=ROOT,
                output=output.fileno(),
            )

    def start(self, *, patience_s: float = START_PATIENCE_S) -> RunRecord:
        """Start it and wait until it is ready; give where its servers are."""
        greeted = self.said.count("Greenbay is ready")
        self.process = self.spawn()
        deadline = time.monotonic() + patience_s
        while self.said.count("Greenbay is ready") == greeted:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NotReadyError(f"it does not start:\n{self.said}\n{self.logs()}")
            time.sleep(0.05)
        self.look()
        return self.record()

    def record(self) -> RunRecord:
        """Give what the running supervisor wrote down."""
        record = read_run_record(self.var)
        if record is None:
            raise NotReadyError("no run.json")
        return record

    def kill(self) -> None:
        """Kill the supervisor."""
        assert self.process is not None
        self.look()
        self.process.kill()
        self.process.wait()

    def stop(self, *, patience_s: float = STOP_PATIENCE_S) -> int:
        """Stop it as Ctrl-C does; give its exit status."""
        assert self.process is not None
        self.look()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience_s)

    def close(self) -> None:
        """Stop it and remove its folder, whatever state it is in."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(STOP_PATIENCE_S)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self, lines: int = 8) -> str:
        """Give the ends of all logs: for a failure's message."""
        parts = []
        for path in sorted((self.var / "log").glob("*.log")):
            tail = path.read_text(errors="replace").splitlines()[-lines:]
            parts.append("\n".join([f"--- {path.name}", *tail]))
        return "\n".join(parts)

    # --- what it consists of ---------------------------------------------------------------------

    def look(self) -> dict[str, list[psutil.Process]]:
        """Find its processes by kind, and remember all of them and what they hold."""
        found: dict[str, list[psutil.Process]] = {kind: [] for kind in KINDS}
        if self.process is None or not self.running:
            return found
        try:
            head = psutil.Process(self.process.pid)
            found["supervisor"].append(head)
            self.seen[head.pid] = head
            for child in head.children():
                kind = self._kind(child)
                if kind is None:
                    continue
                found[kind].append(child)
                self.seen[child.pid] = child
                for grandchild in child.children(recursive=True):
                    self.seen[grandchild.pid] = grandchild
                    below = self._kind_below(kind, grandchild)
                    if below is not None:
                        found[below].append(grandchild)
                if kind == "postgres":
                    self._note_shared_memory(child)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            pass
        record = read_run_record(self.var)
        if record is not None:
            self.sockets.add(record.sockets)
        return found

    @staticmethod
    def _kind(process: psutil.Process) -> str | None:
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            return None
        return next((kind for kind, mark in _MARKS.items() if mark in command), None)

    @staticmethod
    def _kind_below(kind: str, process: psutil.Process) -> str | None:
        if kind in {"api", "live"}:
            return f"{kind} worker"
        if kind != "postgres":
            return None
        try:
            # A connection's process; PostgreSQL names them after user and database.
            named = " ".join(process.cmdline()).startswith("postgres: greenbay")
        except psutil.Error:
            return None
        return "postgres backend" if named else None

    def _note_shared_memory(self, server: psutil.Process) -> None:
        try:
            maps = Path("/proc", str(server.pid), "maps").read_text()
        except OSError:
            return
        for line in maps.splitlines():
            path = line.partition("/")[2]
            if f"/{path}".startswith(f"{SHARED_MEMORY}/"):
                self.shared_memory.add(Path("/" + path.removesuffix(" (deleted)")))

    # --- its doors -------------------------------------------------------------------------------

    def database(self) -> Database:
        """Open its database; close it after use."""
        return Database(self.record().addresses.database, clock=WallClock(), pool_size=2)

    def live(self) -> redis.Redis:
        """Open its live store."""
        return live_store(self.record().addresses.redis, connections=4)

    def get(self, path: str, *, port: int | None = None) -> tuple[int, bytes]:
        """Ask the API (or another of its ports); status 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    # --- what is left of it ----------------------------------------------------------------------

    def leaks(self) -> list[str]:
        """Name everything that outlived it: processes, locks, sockets, ports, shared memory."""
        left = [
            f"process {process.pid}: {_name(process)}"
            for process in self.seen.values()
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        ]
        left += [f"sockets {folder}" for folder in self.sockets if folder.exists()]
        left += [f"shared memory {path}" for path in self.shared_memory if path.exists()]
        for path in (*self.var.glob("*.lock"), *self.var.glob("lock/*.lock")):
            hold = Hold(path)
            if hold.take():
                hold.release()
            else:
                left.append(f"lock {path.name}")
        for port in range(self.port, self.port + 3):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    left.append(f"port {port}")
        left += self._old_segments()
        return left

    def _old_segments(self) -> list[str]:
        """Name System V segments that one of its processes made: PostgreSQL holds one."""
        names, *rows = (row.split() for row in Path("/proc/sysvipc/shm").read_text().splitlines())
        segments = [dict(zip(names, row, strict=True)) for row in rows]
        return [
            f"segment {each['shmid']} of pid {each['cpid']}"
            for each in segments
            # Pids come again: an older segment is somebody else's.
            if int(each["cpid"]) in self.seen and int(each["ctime"]) >= self._begun_s
        ]


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:80]
    except psutil.Error:
        return "?"
