"""The real system with its demo city, as `make run` starts it, in a folder of its own."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from city.people.services import create_account
from city.time import WallClock
from city.works.database import Database
from city.works.embedded.children import tethered
from city.works.run_record import read_run_record
from tests.quick_files import quick_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.works.database import UnitOfWork

ROOT: Final = Path(__file__).resolve().parents[2]
START_PATIENCE_S: Final = 480.0
STOP_PATIENCE_S: Final = 120.0
LOG_INS: Final = 10

_LOG_IN = re.compile(
    r"^ {2}(?P<role>[a-z]+) +(?P<login>[a-z]+) +(?P<password>\S+) +http", re.MULTILINE
)
_CODE = re.compile(r"the code for the phone ending in (?P<ending>\d\d) is (?P<code>\d{6})")


def free_ports(count: int) -> int:
    """Find the first of some neighbouring free ports, below those that the system hands out."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for first in range(20_000 + os.getpid() % 5_000, lowest - count, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


def _said_log_ins(said: str) -> list[tuple[str, str]]:
    return [(found["login"], found["password"]) for found in _LOG_IN.finditer(said)]


class System:
    """A running system; `log_ins` are what it printed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greenbay-pages-", dir=quick_folder()))
        self.folder.chmod(0o755)  # the database server's own account has to get through
        self.port = free_ports(5)
        self.origin = f"http://127.0.0.1:{self.port}"
        self.live_origin = f"http://127.0.0.1:{self.port + 1}"
        self._said = self.folder / "said"
        with self._said.open("wb") as said:
            # Tied to this process: a killed test run leaves no city behind.
            self._process = tethered(
                [sys.executable, "-m", "city.works.supervisor"],
                death_signal=signal.SIGTERM,
                environment=self._environment(),
                folder=ROOT,
                output=said.fileno(),
            )
        self._await_ready()
        self.log_ins = {
            found["role"]: (found["login"], found["password"])
            for found in _LOG_IN.finditer(self.said)
        }
        # Two people have the role for escorts: the second is told apart by the log-in.
        self.log_ins |= {login: (login, word) for login, word in _said_log_ins(self.said)}

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "MQTT_URL", "LIVE_URL", "GREENBAY_DEMO"}
        }
        return kept | {"PORT": str(self.port), "GREENBAY_VAR": str(self.folder / "var")}

    @property
    def said(self) -> str:
        """Give what the supervisor has printed so far."""
        return self._said.read_text("utf-8", "replace")

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_PATIENCE_S
        while len(_LOG_IN.findall(self.said)) < LOG_INS:
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self.said
                self.stop()
                raise AssertionError(f"the system did not come up:\n{said}")
            time.sleep(0.2)

    def run_now(self, task: str) -> None:
        """Have the worker run a task at once that it runs by the minute, as its schedule would."""
        with self._unit_of_work() as uow:
            uow.defer(task, {}, lock=task, queueing_lock=task)

    def hire(self, role: str) -> str:
        """Make an account that no other test shares, and give its log-in: a key of `log_ins`."""
        login, password = f"{role}-{secrets.token_hex(3)}", secrets.token_urlsafe(16)
        with self._unit_of_work() as uow:
            create_account(uow, login, login.capitalize(), [role], password)
        self.log_ins[login] = (login, password)
        return login

    @contextmanager
    def _unit_of_work(self) -> Iterator[UnitOfWork]:
        record = read_run_record(self.folder / "var")
        assert record is not None
        address = record.addresses.database
        with (
            closing(Database(address, clock=WallClock(), pool_size=1)) as database,
            database.unit_of_work() as uow,
        ):
            yield uow

    def driver_code(self, phone: str) -> str:
        """Give the code that the demo showed last for a phone, on the terminal or in a log."""
        deadline = time.monotonic() + 60
        while True:
            shown = [self.said, *(each.read_text() for each in self.folder.glob("var/log/*.log"))]
            codes = [
                found["code"]
                for text in shown
                for found in _CODE.finditer(text)
                if found["ending"] == phone[-2:]
            ]
            if codes:
                return codes[-1]
            assert time.monotonic() < deadline, "no code was shown"
            time.sleep(0.1)

    def errors(self) -> str:
        """Give the last errors that the processes logged, to be shown with a failed test."""
        lines = [
            line
            for log in self.folder.glob("var/log/*.log")
            for line in log.read_text("utf-8", "replace").splitlines()
            if '"level":"error"' in line
        ]
        return "\n".join(line[:3_000] for line in lines[-3:])

    def stop(self) -> None:
        """Stop it as Ctrl-C does, and remove its folder."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
