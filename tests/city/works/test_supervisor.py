"""The supervisor with real servers and real kills."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from city.works.embedded.children import Hold
from city.works.live import live_store
from city.works.run_record import RunRecord, read_run_record
from tests.quick_files import quick_folder

pytestmark = pytest.mark.faults

SMALL_CITY = Path(__file__).with_name("small_city.py")
ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 120.0


def until(true: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def free_ports() -> int:
    """Find a port with its four neighbours free, below those that the kernel gives to clients."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - no secret
        try:
            for neighbour in range(port, port + 5):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", neighbour))
        except OSError:
            continue
        return port


class City:
    """One installation folder and the supervisors that run on it."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port = free_ports()
        self.process: subprocess.Popen[str] | None = None

    def spawn(self, kind: str = "whole") -> subprocess.Popen[str]:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "MQTT_URL"}
        }
        return subprocess.Popen(
            [sys.executable, str(SMALL_CITY), kind],
            env={
                **environment,
                "GREENBAY_VAR": str(self.var),
                "PORT": str(self.port),
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self) -> RunRecord:
        self.process = self.spawn()
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        if not first:
            pytest.fail(self.process.communicate()[1])
        assert first == f"Greenbay is ready: http://127.0.0.1:{self.port}\n"
        assert self.process.stdout.readline() == "driver: 1234\n"
        record = read_run_record(self.var)
        assert record is not None
        return record

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def children(self) -> dict[str, int]:
        """Return name -> pid of what runs on this folder, as the kernel tells it."""
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and self.process is not None:
                try:
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
                if parent == self.process.pid:
                    for name in ("postgres", "valkey", "serve", "sleep"):
                        if name in command:
                            found[name] = int(folder.name)
        return found


@pytest.fixture
def city() -> Iterator[City]:
    folder = Path(tempfile.mkdtemp(prefix="greenbay-test-", dir=quick_folder()))
    folder.chmod(0o755)
    made = City(folder / "var")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.terminate()
        made.process.communicate(timeout=PATIENCE_S)
    shutil.rmtree(folder)


def gone(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def write_something(record: RunRecord) -> None:
    with psycopg.connect(record.addresses.database) as connection:
        connection.execute("create table kept (number int)")
        connection.execute("insert into kept values (7)")
    store = live_store(record.addresses.redis)
    for number in range(1000):
        store.xadd("kept", {"n": number})
    store.close()
    store.connection_pool.disconnect()


def what_was_written(record: RunRecord) -> tuple[object, int]:
    with psycopg.connect(record.addresses.database) as connection:
        row = connection.execute("select number from kept").fetchone()
    store = live_store(record.addresses.redis)
    length = int(store.xlen("kept"))
    store.close()
    store.connection_pool.disconnect()
    return row, length


def test_a_stop_ends_everything_and_a_start_goes_on_with_the_data(city: City) -> None:
    record = city.start()
    write_something(record)
    assert sorted(city.children()) == ["postgres", "serve", "sleep", "valkey"]
    pids = city.children().values()
    process = city.process
    assert process is not None
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert said == "Stopping …\n"
    assert process.returncode == 0
    assert [pid for pid in pids if not gone(pid)] == []
    assert read_run_record(city.var) is None
    assert not record.sockets.exists()

    assert what_was_written(city.start()) == ((7,), 1000)


def test_a_killed_supervisor_leaks_nothing_and_the_next_one_recovers(city: City) -> None:
    record = city.start()
    write_something(record)
    pids = list(city.children().values())
    assert len(pids) == 4
    city.kill()
    until(lambda: all(gone(pid) for pid in pids), patience_s=60)

    again = city.start()
    assert what_was_written(again) == ((7,), 1000)
    assert again.sockets != record.sockets
    assert not record.sockets.exists()


def test_what_is_killed_is_started_again_with_its_data(city: City) -> None:
    record = city.start()
    write_something(record)
    before = city.children()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    # One that was killed a moment ago may still be seen.
    until(lambda: all(gone(pid) for pid in before.values()))
    until(lambda: sorted(city.children()) == ["postgres", "serve", "sleep", "valkey"])

    def answers() -> bool:
        try:
            return what_was_written(record) == ((7,), 1000)
        except (psycopg.OperationalError, redis.ConnectionError):
            return False

    until(answers)


def test_a_second_start_on_the_same_folder_says_so_and_changes_nothing(city: City) -> None:
    record = city.start()
    second = city.spawn()
    said, complained = second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 1
    assert said == ""
    assert complained == (
        f"Greenbay cannot run: it already runs here at http://127.0.0.1:{city.port} "
        f"(in {city.var}); stop that one first\n"
    )
    assert read_run_record(city.var) == record
    assert sorted(city.children()) == ["postgres", "serve", "sleep", "valkey"]


def test_a_left_over_record_with_a_living_pid_does_not_stop_a_start(city: City) -> None:
    city.start()
    pids = list(city.children().values())
    city.kill()
    until(lambda: all(gone(pid) for pid in pids), patience_s=60)
    record = json.loads((city.var / "run.json").read_text())
    (city.var / "run.json").write_text(json.dumps(record | {"pid": os.getpid()}))
    assert city.start().pid != os.getpid()


def test_a_process_left_over_from_an_earlier_run_is_ended(city: City) -> None:
    (city.var / "lock").mkdir(parents=True)
    hold = Hold(city.var / "lock" / "sleeper.lock")
    assert hold.take()
    leftover = subprocess.Popen(["/bin/sleep", "1000"], pass_fds=[hold.fileno()])
    hold.release()
    city.start()
    assert leftover.wait() == -signal.SIGKILL


def test_a_taken_port_is_named(city: City) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", city.port + 1))
        taken.listen()
        process = city.spawn()
        _, complained = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert complained == (
        f"Greenbay cannot run: port {city.port + 1} (the live feed's, PORT + 1) on 127.0.0.1 "
        "cannot be had: Address already in use; set PORT to another one\n"
    )


def test_a_process_that_cannot_start_ends_the_start_with_its_own_words(city: City) -> None:
    process = city.spawn("broken")
    _, complained = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "broken does not start" in complained
    assert complained.rstrip().endswith("no such thing")


def test_a_failed_preparation_ends_the_start_with_its_own_words(city: City) -> None:
    process = city.spawn("unprepared")
    _, complained = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert complained.rstrip().endswith("no streets")
    hold = Hold(city.var / "postgres.lock")
    assert hold.take()
    hold.release()
