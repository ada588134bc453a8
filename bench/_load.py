"""Requests a second, by wrk where it is installed, else by a small generator of our own."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench._site import Server

CONNECTIONS = 32

SCRIPT = """
local requests, index, wrong = {requests}, 0, 0
function request()
  index = index % #requests + 1
  local each = requests[index]
  return wrk.format(each[1], each[2], each[3], each[4])
end
function response(status)
  if status ~= {status} then wrong = wrong + 1 end
end
function done(summary, latency)
  io.write(string.format("figures %d %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    + summary.errors.status, latency:percentile(99)))
end
"""


class Request(NamedTuple):
    """One request to be repeated."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Rate(NamedTuple):
    """What a run gave."""

    requests_per_s: float
    requests: int
    errors: int
    cpu_us: float = 0.0
    """Processor time of the server for each request, in microseconds: what the machine's other
    work does not change."""
    p99_ms: float = 0.0
    """Of the time that an answer took, as the load's own process saw it."""


def generator() -> str:
    """Name what makes the load."""
    return "wrk" if shutil.which("wrk") else "python"


def measure(server: Server, requests: Sequence[Request], seconds: float, status: int) -> Rate:
    """Send requests in turn over 32 connections for some seconds.

    Parameters
    ----------
    server
        Whose.
    requests
        Sent one after the other, again and again.
    seconds
        How long.
    status
        What each has to be answered with; anything else counts as an error.
    """
    run = _by_wrk if generator() == "wrk" else _by_python
    before_s = server.cpu_s()
    rate = run(server.port, requests, seconds, status)
    return rate._replace(cpu_us=(server.cpu_s() - before_s) / max(1, rate.requests) * 1e6)


def _by_wrk(port: int, requests: Sequence[Request], seconds: float, status: int) -> Rate:
    rows = ",".join(_row(each) for each in requests)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "load.lua"
        text = SCRIPT.replace("{requests}", "{" + rows + "}").replace("{status}", str(status))
        script.write_text(text)
        done = subprocess.run(
            [
                str(shutil.which("wrk")),
                "-t1",
                f"-c{CONNECTIONS}",
                f"-d{round(seconds)}s",
                "-s",
                str(script),
                f"http://127.0.0.1:{port}",
            ],
            capture_output=True,
            text=True,
            timeout=seconds + 30,
            check=True,
        )
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("figures ")]
    count, duration_us, errors, p99_us = (int(each) for each in line.split()[1:])
    return Rate(count / (duration_us / 1e6), count, errors, p99_ms=p99_us / 1e3)


def _row(each: Request) -> str:
    """Write a request as a table of Lua."""
    headers = ",".join(f"[{_quoted(name)}]={_quoted(text)}" for name, text in each.headers.items())
    body = _quoted(each.body.decode()) if each.body else "nil"
    return f"{{{_quoted(each.method)},{_quoted(each.path)},{{{headers}}},{body}}}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _by_python(port: int, requests: Sequence[Request], seconds: float, status: int) -> Rate:
    counts, errors = [0] * CONNECTIONS, [0] * CONNECTIONS
    taken_s: list[float] = []
    end_at = time.perf_counter() + seconds

    def send(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        index = number
        while time.perf_counter() < end_at:
            each = requests[index % len(requests)]
            index += CONNECTIONS
            asked = time.perf_counter()
            connection.request(each.method, each.path, each.body or None, each.headers)
            answer = connection.getresponse()
            answer.read()
            taken_s.append(time.perf_counter() - asked)
            counts[number] += 1
            errors[number] += answer.status != status
        connection.close()

    begun = time.perf_counter()
    threads = [threading.Thread(target=send, args=(n,)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p99_s = sorted(taken_s)[len(taken_s) * 99 // 100] if taken_s else 0.0
    rate = sum(counts) / (time.perf_counter() - begun)
    return Rate(rate, sum(counts), sum(errors), p99_ms=p99_s * 1e3)
