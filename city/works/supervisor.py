"""`python -m city.works.supervisor`: the whole system on one machine, watched.

Starts the servers whose address is not set, migrates, prepares the demo, starts every process of
`city.works.processes`, starts again what dies, and stops all of it in the reverse order. One
thread: the kernel ties each child's life to the thread that started it.
"""

import contextlib
import http
import http.client
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import structlog
from pydantic import ValidationError

from city.errors import CityError, Unavailable
from city.time import WallClock, rfc3339
from city.works.embedded.children import (
    Account,
    Hold,
    ended,
    remove_socket_folder,
    server_account,
    socket_folder,
    tethered,
)
from city.works.embedded.postgres import Postgres, start_postgres
from city.works.embedded.valkey import Valkey, start_valkey
from city.works.log_files import last_lines, open_log, turn_over
from city.works.logs import configure_logs
from city.works.processes import Preparation, ProcessPlan, preparations, process_plans
from city.works.run_record import NAME as RUN_RECORD
from city.works.run_record import Addresses, RunRecord, read_run_record, write_run_record
from city.works.settings import ROOT, Settings, settings
from city.works.watched import Watched, launcher

LEFTOVER_PATIENCE_S = 10.0
"""Children of a killed supervisor are killed by the kernel; on a busy machine it takes a moment."""
KILLED_PATIENCE_S = 10.0
LOOK_EVERY_S = 0.5
SYNC_EVERY_S = 1.0
"""What a power cut may cost the embedded live store."""
TURN_OVER_EVERY_S = 5.0
ENDS_BEFORE_READY = 6
"""So many ends of one process before everything was ready once: it cannot start."""
READY_TIMEOUT_S = 2.0
PREPARATION_PATIENCE_S = 300.0

log = structlog.get_logger("supervisor")


class Supervisor:
    """Runs one installation.

    Parameters
    ----------
    settings
        What the environment decides.
    plans
        The processes beside the databases, in the order they start.
    preparations
        Commands that have to succeed, one after the other, before any of them starts.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        plans: Sequence[ProcessPlan],
        preparations: Sequence[Preparation] = (),
    ) -> None:
        self._settings = settings
        self._plans = plans
        self._preparations = preparations
        self._var = settings.var
        self._logs = self._var / "log"
        self._locks = self._var / "lock"
        self._signals = 0
        self._woken, self._wake = os.pipe()
        self._watched: list[Watched] = []
        self._said: list[str] = []
        self._ready = False
        self._sockets: Path | None = None
        self._live_store: Valkey | None = None

    def run(self) -> int:
        """Run until told to stop; return the exit status."""
        hold = Hold(self._var / "supervisor.lock")
        try:
            self._make_folders()
            if not hold.take():
                raise Unavailable(self._already_running())
            self._listen_for_signals()
            self._wait_for_leftovers()
            self._require_free_ports()
            self._empty_metrics()
            self._start()
            self._watch()
        except CityError as error:
            say(f"Greenbay cannot run: {error}", error=True)
            return 1
        except _Stopped:
            return 0
        finally:
            self._stop()
            hold.release()
        return 0

    # --- starting ---

    def _make_folders(self) -> None:
        try:
            for folder in (self._var, self._logs, self._locks):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{error.filename}: {error.strerror}") from error

    def _already_running(self) -> str:
        try:
            record = read_run_record(self._var)
        except CityError:
            record = None
        where = f" at http://127.0.0.1:{record.port}" if record else ""
        return f"it already runs here{where} (in {self._var}); stop that one first"

    def _listen_for_signals(self) -> None:
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _pause(self, seconds: float) -> None:
        """Wait, or less when a signal comes; raise when it asks to stop."""
        self._sleep(seconds)
        if self._signals:
            raise _Stopped

    def _sleep(self, seconds: float) -> None:
        readable, _, _ = select.select([self._woken], [], [], seconds)
        if readable:
            os.read(self._woken, 4096)

    def _wait_for_leftovers(self) -> None:
        """Wait until the children of an earlier, killed supervisor have ended; end them at last."""
        deadline = time.monotonic() + LEFTOVER_PATIENCE_S
        for plan in self._plans:
            hold = Hold(self._locks / f"{plan.name}.lock")
            while not hold.take():
                if time.monotonic() >= deadline:
                    for pid in hold.holders():
                        say(f"an earlier {plan.name} does not end: killing it ({pid})", error=True)
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                if time.monotonic() >= deadline + KILLED_PATIENCE_S:
                    raise Unavailable(f"an earlier {plan.name} process has not ended yet")
                self._pause(0.1)
            hold.release()

    def _require_free_ports(self) -> None:
        wanted = [("PORT", self._settings.host, self._settings.port)]
        wanted.append(("the live feed's, PORT + 1", self._settings.host, self._settings.live_port))
        if self._settings.mqtt_url is None:
            wanted.append(
                ("the MQTT broker's, PORT + 2", self._settings.host, self._settings.mqtt_port)
            )
        if self._settings.gateway_origin is not None:
            wanted.append(
                ("the demo's channels', PORT + 3", "127.0.0.1", self._settings.gateway_port)
            )
        if self._settings.pos_port is not None:
            wanted.append(("POS_PORT", self._settings.host, self._settings.pos_port))
        if self._settings.gat1049_port is not None:
            wanted.append(("GAT1049_PORT", self._settings.host, self._settings.gat1049_port))
        if self._settings.gat1049_systems_port is not None:
            port = self._settings.gat1049_systems_port
            wanted.append(("GAT1049_SYSTEMS_PORT", self._settings.host, port))
        for name, host, port in wanted:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    raise Unavailable(
                        f"port {port} ({name}) on {host} cannot be had: {error.strerror}; "
                        "set PORT to another one"
                    ) from error
        if self._settings.demo_enabled:
            self._require_free_datagrams()

    def _require_free_datagrams(self) -> None:
        port = self._settings.cabinets_port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise Unavailable(
                    f"port {port} (the demo's cabinets', PORT + 4, UDP) on 127.0.0.1 cannot be "
                    f"had: {error.strerror}; set PORT to another one"
                ) from error

    def _start(self) -> None:
        stale = read_run_record(self._var) if (self._var / RUN_RECORD).exists() else None
        account = server_account()
        sockets = self._sockets = socket_folder(account)
        database = self._settings.database_url or self._start_postgres(sockets, account)
        store = self._settings.redis_url or self._start_valkey(sockets, account)
        if stale is not None and stale.sockets != sockets:
            remove_socket_folder(stale.sockets)
        write_run_record(
            self._var,
            RunRecord(
                Addresses(
                    database,
                    store,
                    self._settings.mqtt_url
                    or f"mqtt://{self._settings.own_host}:{self._settings.mqtt_port}",
                ),
                sockets,
                self._settings.port,
                os.getpid(),
                rfc3339(WallClock().now()),
            ),
        )
        for preparation in self._preparations:
            begun = time.monotonic()
            said = self._prepare(preparation.argv)
            log.info(
                "prepared",
                command=" ".join(preparation.argv[1:]),
                seconds=round(time.monotonic() - begun, 2),
            )
            if preparation.shown:
                self._said.append(said)
        environment = self._environment()
        for plan in self._plans:
            watched = Watched(
                plan,
                launcher(
                    plan,
                    environment=environment,
                    folder=ROOT,
                    logs=self._logs,
                    locks=self._locks,
                ),
            )
            self._watched.append(watched)
            watched.start()
            log.info("started", child=plan.name)

    def _start_postgres(self, sockets: Path, account: Account | None) -> str:
        def start() -> Postgres:
            return start_postgres(
                self._var, sockets, account=account, log=self._logs / "postgres.log"
            )

        server = start()
        self._watched.append(
            Watched(
                ProcessPlan("postgres", (), stop_signal=signal.SIGINT),
                lambda: start().process,
                server.process,
            )
        )
        return server.url

    def _start_valkey(self, sockets: Path, account: Account | None) -> str:
        def start() -> Valkey:
            self._live_store = start_valkey(
                self._var, sockets, account=account, log=self._logs / "valkey.log"
            )
            return self._live_store

        server = start()
        self._watched.append(
            Watched(ProcessPlan("valkey", ()), lambda: start().process, server.process)
        )
        return server.url

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "GREENBAY_VAR": str(self._var), "PYTHONUNBUFFERED": "1"}

    def _empty_metrics(self) -> None:
        """Begin counting anew: the pids in an earlier run's files may come again."""
        folder = self._var / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

    def _prepare(self, command: tuple[str, ...]) -> str:
        """Run a command to its end; return what it printed for people."""
        errors = self._logs / "preparation.log"
        turn_over(errors)
        with tempfile.TemporaryFile() as output, os.fdopen(open_log(errors), "ab") as complaints:
            process = tethered(
                command,
                death_signal=signal.SIGKILL,
                environment=self._environment(),
                folder=ROOT,
                output=output,
                errors=complaints,
            )
            deadline = time.monotonic() + PREPARATION_PATIENCE_S
            try:
                while not ended(process):
                    if time.monotonic() >= deadline:
                        raise Unavailable(f"`{' '.join(command[1:])}` does not end")
                    self._pause(0.05)
            finally:
                if not ended(process):
                    process.kill()
                status = process.wait()
            if status != 0:
                raise Unavailable(
                    f"`{' '.join(command[1:])}` ended with status {status}:\n{last_lines(errors)}"
                )
            output.seek(0)
            return output.read().decode(errors="replace").strip()

    # --- running ---

    def _watch(self) -> None:
        turn_over_at = sync_at = time.monotonic()
        while True:
            self._pause(LOOK_EVERY_S if self._ready else 0.1)
            for watched in self._watched:
                if watched.look():
                    self._tell_of_end(watched)
                if watched.due and watched.start():
                    log.info("started again", child=watched.plan.name, ends=watched.ends)
            if not self._ready and self._is_ready():
                self._ready = True
                self._greet()
            if self._live_store is not None and time.monotonic() >= sync_at:
                try:
                    self._live_store.sync()
                except OSError as error:
                    log.warning("the live store's file cannot be synced", reason=str(error))
                sync_at = time.monotonic() + SYNC_EVERY_S
            if time.monotonic() >= turn_over_at:
                turn_over_at = time.monotonic() + TURN_OVER_EVERY_S
                for path in self._logs.glob("*.log"):
                    turn_over(path)

    def _tell_of_end(self, watched: Watched) -> None:
        from city.works import metrics  # noqa: PLC0415 - after the environment says where to

        name = watched.plan.name
        log.warning("ended", child=name, how=watched.last_status, ends=watched.ends)
        say(f"{name} {watched.last_status}; it is started again", error=True)
        metrics.RESTARTS.labels(name).inc()
        metrics.forget_dead_processes(self._var / "metrics")
        if not self._ready and watched.ends >= ENDS_BEFORE_READY:
            path = self._logs / f"{name}.log"
            raise Unavailable(f"{name} does not start ({path}):\n{last_lines(path)}")

    def _is_ready(self) -> bool:
        """Say whether every process runs and every web process answers."""
        return all(
            watched.settled
            and (watched.plan.answers_at is None or self._answers(*watched.plan.answers_at))
            for watched in self._watched
        )

    def _answers(self, port: int, path: str) -> bool:
        connection = http.client.HTTPConnection(
            self._settings.own_host, port, timeout=READY_TIMEOUT_S
        )
        try:
            connection.request("GET", path)
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _greet(self) -> None:
        log.info("ready", port=self._settings.port)
        say(f"Greenbay is ready: {self._settings.page_origin}")
        for text in self._said:
            if text:
                say(text)

    # --- stopping ---

    def _stop(self) -> None:
        """Stop what runs in the reverse order of its start; a second signal stops the patience."""
        asked = self._signals
        if self._watched and self._ready:
            say("Stopping …")
        for watched in reversed(self._watched):
            watched.ask_to_stop()
            deadline = time.monotonic() + watched.plan.drain_s
            while (
                watched.process is not None
                and not ended(watched.process)
                and time.monotonic() < deadline
                and self._signals <= asked
            ):
                self._sleep(0.05)
            in_time = watched.process is None or ended(watched.process)
            watched.finish(patience_s=0.0)
            log.info("stopped", child=watched.plan.name, in_time=in_time)
        self._watched.clear()
        if self._sockets is not None:
            remove_socket_folder(self._sockets)
            (self._var / RUN_RECORD).unlink(missing_ok=True)


class _Stopped(Exception):
    """A signal asked to stop."""


def say(text: str, *, error: bool = False) -> None:
    """Print for the person at the terminal, who may have left."""
    stream = sys.stderr if error else sys.stdout
    try:
        stream.write(text + "\n")
        stream.flush()
    except OSError:
        log.info("nobody reads the terminal")


def supervise(
    chosen: Settings,
    *,
    plans: Sequence[ProcessPlan],
    preparations: Sequence[Preparation],
) -> int:
    """Run an installation with its own log in its folder; return the exit status."""
    try:
        (chosen.var / "log").mkdir(parents=True, exist_ok=True)
        stream = os.fdopen(open_log(chosen.var / "log" / "supervisor.log"), "a", encoding="utf-8")
    except OSError as error:
        say(f"Greenbay cannot run: {error.filename}: {error.strerror}", error=True)
        return 1
    with stream:
        configure_logs(chosen.log_level, process="supervisor", stream=stream)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(chosen.var / "metrics")
        return Supervisor(chosen, plans=plans, preparations=preparations).run()


def main() -> int:
    """Run this installation as the environment decides."""
    try:
        chosen = settings()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            say(f"{problem['loc'][0]}: {problem['msg']}", error=True)
        return 2
    return supervise(chosen, plans=process_plans(chosen), preparations=preparations(chosen))


if __name__ == "__main__":
    sys.exit(main())
