"""A simulated controller as a real process."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def controller(*arguments: str, protocol: str = "gbt20999") -> Iterator[dict[str, object]]:
    """Start one, give its ready line, end it."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "signals", "controller"),
            *("--protocol", protocol, "--port", "0", *arguments),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        try:
            assert process.wait(30) == 0
        finally:
            process.stdout.close()


def port_of(ready: dict[str, object]) -> int:
    return int(str(ready["address"]).rpartition(":")[2])
