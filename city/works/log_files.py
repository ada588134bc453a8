"""Log files of child processes, kept within a size.

A child writes to its file itself (opened for appending), so that its messages survive the
supervisor. Turning the file over copies it and cuts it to nothing; what a child writes between
those two steps, some microseconds apart, is lost, which a log can bear.
"""

import os
import shutil
from pathlib import Path

SIZE_LIMIT_BYTES = 20_000_000
OLD_FILES = 3


def open_log(path: Path) -> int:
    """Open `path` for a child to append to, readable by its owner alone; return a descriptor."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def turn_over(path: Path, *, limit_bytes: int = SIZE_LIMIT_BYTES, keep: int = OLD_FILES) -> bool:
    """Move the file's text to `name.1` (and that to `.2` …) when past the limit; say whether."""
    try:
        if path.stat().st_size <= limit_bytes:
            return False
    except FileNotFoundError:
        return False
    for number in range(keep, 1, -1):
        older = path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))
    shutil.copy2(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)
    return True


def last_lines(path: Path, *, lines: int = 12, window_bytes: int = 16_384) -> str:
    """Return the end of a log, to show why a process ended."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - window_bytes))
            tail = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(tail[-lines:])
