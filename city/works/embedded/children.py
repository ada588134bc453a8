"""Child processes that follow their parent's death, the account they run as, and what they hold.

Three facts shape this module. PostgreSQL refuses to run as root, so as root the servers run as an
unprivileged account that must be able to reach their data. A killed parent cannot clean up, so
the kernel does it: `PR_SET_PDEATHSIG`. And a pid says nothing once a machine has restarted or the
number was used again, so "is it still running" is asked of a lock that the child itself holds.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from city.errors import Unavailable

PR_SET_PDEATHSIG = 1
SOCKET_PATH_LIMIT = 107
"""Bytes of a Unix socket's path that `sockaddr_un` holds beside the closing zero."""
PRIVATE_PREFIX = "greenbay-"
FALLBACK = Path("/var/lib/greenbay")
ACCOUNTS = ("greenbay", "postgres", "nobody")

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account that servers run as when the supervisor is root."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account for servers, or None where the present user will do (not root).

    Raises
    ------
    Unavailable
        As root on a machine that has none of the accounts in `ACCOUNTS`.
    """
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise Unavailable(
        f"as root, PostgreSQL needs an unprivileged account: none of {', '.join(ACCOUNTS)} exists"
    )


def can_reach(folder: Path, account: Account | None) -> bool:
    """Say whether `account` may pass through every existing parent of `folder` (mode bits only)."""
    if account is None:
        return True
    for parent in (folder.absolute(), *folder.absolute().parents):
        try:
            status = parent.stat()
        except FileNotFoundError:
            continue
        if status.st_uid == account.uid:
            passes = stat.S_IXUSR
        elif status.st_gid == account.gid:
            passes = stat.S_IXGRP
        else:
            passes = stat.S_IXOTH
        if not status.st_mode & passes:
            return False
    return True


def server_home(var: Path, account: Account | None) -> Path:
    """Return the folder for the servers' data: `var`, or one of its own that they can reach.

    A clone under a 0700 home is out of the reach of an unprivileged account. Its mode stays as it
    is; the data then lies under `FALLBACK`, in a folder named by `var`'s path.
    """
    if can_reach(var, account):
        return var
    digest = hashlib.sha256(str(var.resolve()).encode()).hexdigest()
    return FALLBACK / digest[:12]


def own_folder(folder: Path, account: Account | None) -> Path:
    """Create `folder` for the servers alone (0700, owned by `account`) and return it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    return folder


def hand_over(folder: Path, account: Account | None) -> None:
    """Give everything in `folder` to `account` where it belonged to another one before."""
    if account is None or not folder.is_dir() or folder.stat().st_uid == account.uid:
        return
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(place, name), account.uid, account.gid, follow_symlinks=False)
    # Last: a hand-over that was cut short is begun again.
    os.chown(folder, account.uid, account.gid)


def socket_folder(account: Account | None) -> Path:
    """Make a new private folder whose path is short enough for a Unix socket in it."""
    longest = len("/" + PRIVATE_PREFIX + "12345678" + "/.s.PGSQL.5432")
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) + longest > SOCKET_PATH_LIMIT or not can_reach(Path(base), account):
        base = "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it
    return own_folder(Path(tempfile.mkdtemp(prefix=PRIVATE_PREFIX, dir=base)), account)


def remove_socket_folder(folder: Path) -> None:
    """Remove a folder that `socket_folder` made; leave anything else alone."""
    if folder.name.startswith(PRIVATE_PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def kept_secret(path: Path) -> str:
    """Return the random password kept in `path` (0600), made at the first call."""
    if not path.is_file():
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32))
        fresh.replace(path)
    return path.read_text()


class Hold:
    """A lock on a file for as long as any process that inherited it lives.

    The lock belongs to the open file, not to a pid: the kernel drops it when the last process
    that has the file open ends, however it ended. Given to a child, it says whether that child or
    any of its own children is still alive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def take(self, *, wait_s: float = 0.0) -> bool:
        """Try to take the lock for `wait_s` seconds; return whether it is held now."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(fd)
                    return False
                time.sleep(0.02)
            else:
                self._fd = fd
                return True

    def holders(self) -> list[int]:
        """Return the pids of other processes that have the lock's file open, as the kernel says."""
        try:
            wanted = self.path.stat()
        except FileNotFoundError:
            return []
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != os.getpid():
                # A process may end meanwhile, or be somebody else's.
                with contextlib.suppress(OSError):
                    if any(os.path.samestat(wanted, fd.stat()) for fd in _open(folder)):
                        found.append(int(folder.name))
        return found

    def fileno(self) -> int:
        """Return the descriptor to hand to a child."""
        if self._fd is None:
            raise Unavailable(f"{self.path} is not held")
        return self._fd

    def release(self) -> None:
        """Close this process's copy; children that inherited it keep the lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _open(process: Path) -> Iterator[Path]:
    for descriptor in (process / "fd").iterdir():
        if descriptor.exists():
            yield descriptor


def follow_parent(death_signal: signal.Signals) -> None:
    """Ask the kernel to send this process `death_signal` when the thread that forked it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)


def _follow(parent: int, death_signal: signal.Signals) -> Callable[[], None]:
    def prepare() -> None:
        follow_parent(death_signal)
        if os.getppid() != parent:  # it died between fork and prctl
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def tethered(
    argv: Sequence[str],
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    output: IO[bytes] | int | None = None,
    errors: IO[bytes] | int | None = None,
    hold: Hold | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child that gets `death_signal` when the calling thread ends.

    Call it from the main thread: the kernel watches the thread that forked, not the process.

    Parameters
    ----------
    argv
        Command and arguments, the command with its path.
    death_signal
        What the kernel sends the child when its parent is gone.
    account
        Run as this account; None keeps the present user.
    environment
        The child's whole environment; None passes ours on.
    folder
        Working folder; `/` for an account that may not reach ours.
    output
        Where its standard output goes; None leaves ours.
    errors
        Where its standard error goes; None: to the same place.
    hold
        A lock already taken, that the child then holds for us (our own copy is closed).
    """
    if account is not None and folder is None:
        folder = Path("/")
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if errors is None and output is not None else errors,
            cwd=folder,
            env=None if environment is None else dict(environment),
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            pass_fds=() if hold is None else (hold.fileno(),),
            start_new_session=True,  # Ctrl-C is the supervisor's: it stops its children in order
            preexec_fn=_follow(os.getpid(), death_signal),  # noqa: PLW1509 - forks before threads
        )
    finally:
        if hold is not None:
            hold.release()


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Say whether `process` has ended, without reaping it: its pid stays its own until then."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def stop(process: subprocess.Popen[bytes], first: signal.Signals, *, patience_s: float) -> int:
    """Ask `process` to end with `first`; kill it after `patience_s`; return its exit status."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            return process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
