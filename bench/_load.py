"""Requests a second, by wrk where it is installed, else by `bench._sender`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench._sender import CONNECTIONS, LATE_S, pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench._site import Server

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


SENDER = "bench._sender"


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
    load_cpu_us: float = 0.0
    """Processor time of the load's own process for each request; 0 where it is not told."""


def generator() -> str:
    """Name what makes the load."""
    return "wrk" if shutil.which("wrk") else SENDER


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
    before_s = server.cpu_s()
    if generator() == "wrk":
        rate = _by_wrk(server.port, requests, seconds, status)
    else:
        rate = _by_sender(server.port, requests, seconds, [status], "again")
    return rate._replace(cpu_us=(server.cpu_s() - before_s) / max(1, rate.requests) * 1e6)


def measure_once(
    server: Server, requests: Sequence[Request], seconds: float, statuses: Sequence[int]
) -> Rate:
    """Send each request once, over 32 connections, for some seconds or until none is left.

    Parameters
    ----------
    server
        Whose.
    requests
        None is sent twice.
    seconds
        How long at most.
    statuses
        One of which each has to be answered with; anything else counts as an error.
    """
    before_s = server.cpu_s()
    rate = _by_sender(server.port, requests, seconds, statuses, "once")
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


def _by_sender(
    port: int, requests: Sequence[Request], seconds: float, statuses: Sequence[int], how: str
) -> Rate:
    with tempfile.NamedTemporaryFile() as file:
        file.write(pack(_written(each, port) for each in requests))
        file.flush()
        done = subprocess.run(
            [
                *(sys.executable, "-m", SENDER, str(port), file.name, str(seconds)),
                *(",".join(map(str, statuses)), how),
            ],
            capture_output=True,
            text=True,
            timeout=seconds + LATE_S + 30,
            check=True,
        )
    told = json.loads(done.stdout)
    return Rate(
        told["requests"] / told["lasted_s"],
        told["requests"],
        told["errors"],
        p99_ms=told["p99_ms"],
        load_cpu_us=told["cpu_us"],
    )


def _written(each: Request, port: int) -> bytes:
    """Write a request as it goes over the wire."""
    headers = {"Host": f"127.0.0.1:{port}", **each.headers}
    if each.body or each.method == "POST":
        headers["Content-Length"] = str(len(each.body))
    lines = [f"{each.method} {each.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + each.body
