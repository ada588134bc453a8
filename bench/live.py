"""Uplink to browser: how long until a page hears of a car, with many pages open.

The real worker folds and the real live process serves; this process appends uplinks at a steady
rate, as ingest does, and another holds the open pages, each with a map's box of its own somewhere
in the town. The delay of an uplink is from before its append to the moment when a page has read
the event that shows it, once every bay has reported: a first report also looks for the bay's past.
Beside it the floor: what a bare XADD to a bare blocked XREAD takes on
the same machine in the same seconds.

Example
-------
``python -m bench.live --pages 500 --rate 2000 --seconds 20``
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import random
import selectors
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from bench._site import CENTRE, GUNICORN_LIVE, bench_site, free_port, served
from city.time import WallClock, to_ms
from city.works.live import live_store
from parking.ingest import Ingest
from parking.placements import Placements
from parking.rules.sensors.frames import build
from parking.uplinks import Uplink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    import redis

    from bench._site import BenchSite, Server

BAYS = 20_000
BATCH_S = 0.02
READERS = 20
"""Pages whose events are read; the others' are taken from the line and dropped."""
SPAN_DEGREES = (0.012, 0.008)
"""A map at the zoom that shows bays, on a desktop: about a kilometre."""
PROBE = "bench:probe"
PROBE_EVERY_S = 0.05
MOST_MS = 500.0
SEED = 20260302
CHUNK = 262_144


class Heard(NamedTuple):
    """What the open pages heard."""

    delays_ms: list[float]
    events: int
    mebibytes: float
    ended: int
    """Pages whose line was cut."""


def boxes(site: BenchSite, pages: int) -> list[str]:
    """Give each page a box around a random bay."""
    draw = random.Random(SEED)  # noqa: S311 - where people look, no secret
    wide, high = SPAN_DEGREES
    found = []
    for _ in range(pages):
        at = draw.choice(site.bays).position
        corners = (
            at.longitude - wide / 2,
            at.latitude - high / 2,
            at.longitude + wide / 2,
            at.latitude + high / 2,
        )
        found.append(",".join(f"{each:.6f}" for each in corners))
    return found


def hold_pages(port: int, asked: list[str], link: Connection) -> None:
    """Open the pages, say so, read them until told to stop, and give what they heard."""
    pages = Pages(port, asked)
    link.send("open")
    while True:
        if link.poll():
            told = link.recv()
            if told is None:
                break
            pages.from_ms = told
        pages.read(0.2)
    link.send(pages.heard())
    pages.close()


class Pages:
    """Open pages, read by one thread."""

    def __init__(self, port: int, asked: list[str]) -> None:
        self.from_ms = math.inf
        """Uplinks from this instant on count."""
        self._selector = selectors.DefaultSelector()
        self._last_ms: dict[tuple[int, str], float] = {}
        self._delays_ms: list[float] = []
        self._events = self._taken = self._ended = 0
        for number, box in enumerate(asked):
            line = socket.create_connection(("127.0.0.1", port), timeout=30)
            line.sendall(
                f"GET /live/occupancy?bbox={box} HTTP/1.1\r\nHost: bench\r\n\r\n".encode("ascii")
            )
            line.settimeout(0)
            buffer = bytearray() if number < READERS else None
            self._selector.register(line, selectors.EVENT_READ, buffer)

    def read(self, patience_s: float) -> None:
        """Take what has come."""
        for key, _ in self._selector.select(patience_s):
            line = cast("socket.socket", key.fileobj)
            piece = line.recv(CHUNK)
            now_ms = time.time() * 1000
            self._taken += len(piece)
            if not piece:
                self._ended += 1
                self._selector.unregister(line)
            elif key.data is not None:
                key.data.extend(piece)
                for rows in _events(key.data):
                    self._events += 1
                    self._note(key.fd, rows, now_ms)

    def _note(self, page: int, rows: list[list[Any]], now_ms: float) -> None:
        for row in rows:
            # Only what was heard anew: a state also changes by being confirmed.
            bay, heard_ms = (page, row[0]), row[7] or 0
            if heard_ms >= self.from_ms and heard_ms > self._last_ms.get(bay, 0):
                self._last_ms[bay] = heard_ms
                self._delays_ms.append(now_ms - heard_ms)

    def heard(self) -> Heard:
        """Give what was heard."""
        return Heard(self._delays_ms, self._events, self._taken / 2**20, self._ended)

    def close(self) -> None:
        """Leave."""
        for key in list(self._selector.get_map().values()):
            cast("socket.socket", key.fileobj).close()


def _events(buffer: bytearray) -> Iterator[list[list[Any]]]:
    """Take the whole ``changes`` events from a page's buffer."""
    *whole, rest = bytes(buffer).split(b"\n\n")
    buffer[:] = rest
    for each in whole:
        if b"event: changes\n" not in each:
            continue
        for text in each.split(b"\n"):
            if text.startswith(b"data: "):
                # Chunked transfer puts its sizes between events, never within one of ours.
                yield json.loads(text[6:])["bays"]


class Probe:
    """The floor: a bare append heard by a bare blocked reader."""

    def __init__(self, url: str) -> None:
        self._stop = threading.Event()
        self.delays_ms: list[float] = []
        self._threads = [
            threading.Thread(target=self._send, args=(live_store(url),)),
            threading.Thread(target=self._hear, args=(live_store(url),)),
        ]

    def _send(self, live: redis.Redis) -> None:
        while not self._stop.wait(PROBE_EVERY_S):
            live.xadd(PROBE, {"at": time.perf_counter_ns()}, maxlen=100)

    def _hear(self, live: redis.Redis) -> None:
        while not self._stop.is_set():
            # The client's own annotation covers both reply protocols at once.
            found: Any = live.xread({PROBE: "$"}, block=200)
            for _, entries in found or ():
                now_ns = time.perf_counter_ns()
                self.delays_ms += [(now_ns - int(values[b"at"])) / 1e6 for _, values in entries]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


class Sensors:
    """Devices that report in turn, at a steady rate, each the opposite of its last report."""

    def __init__(self, site: BenchSite) -> None:
        self._clock = WallClock()
        self._ingest = Ingest(site.live, Placements(site.database), self._clock)
        self._keys = [each.network_key for each in site.devices]
        random.Random(SEED).shuffle(self._keys)  # noqa: S311 - an order, no secret
        self.sent = 0
        self.late_s = 0.0

    def send(self, rate: int, seconds: float) -> None:
        """Append so many a second; falls behind rather than sends bursts larger than a batch."""
        begun = time.perf_counter()
        first = self.sent
        while (elapsed_s := time.perf_counter() - begun) < seconds:
            due = first + int(elapsed_s * rate)
            batch = min(due - self.sent, round(4 * rate * BATCH_S))
            if batch > 0:
                now_ms = to_ms(self._clock.now())
                self._ingest.accept("bench", [self._uplink(now_ms) for _ in range(batch)])
            self.late_s = max(self.late_s, (due - self.sent) / rate)
            time.sleep(BATCH_S / 2)

    def _uplink(self, now_ms: int) -> Uplink:
        turn, number = divmod(self.sent, len(self._keys))
        self.sent += 1
        port, frame = build("bosch-tps110", occupied=turn % 2 == 0, kind="status", counter=turn)
        return Uplink(0, self._keys[number], port, frame, now_ms, "s", turn, None, -90.0, 7.0)


@contextmanager
def worker(site: BenchSite) -> Iterator[None]:
    """Run the worker process."""
    with (site.folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "journeys.worker"],
            env=site.environment(free_port()),
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure(
    site: BenchSite, server: Server, pages: int, rate: int, seconds: float
) -> dict[str, float]:
    """Open the pages, send, and give the delays."""
    here, there = multiprocessing.Pipe()
    holder = multiprocessing.get_context("spawn").Process(
        target=hold_pages, args=(server.port, boxes(site, pages), there)
    )
    holder.start()
    here.recv()
    sensors = Sensors(site)
    sensors.send(rate, len(site.devices) / rate + 1.0)
    sent, cpu_s = sensors.sent, server.cpu_s()
    sensors.late_s = 0.0
    here.send(time.time() * 1000)
    with Probe(site.redis_url) as probe:
        sensors.send(rate, seconds)
    cpu_s = server.cpu_s() - cpu_s
    time.sleep(1.0)
    here.send(None)
    heard: Heard = here.recv()
    holder.join()
    return {
        "p50_ms": round(_share(heard.delays_ms, 0.5), 1),
        "p99_ms": round(_share(heard.delays_ms, 0.99), 1),
        "most_ms": round(max(heard.delays_ms, default=math.nan), 1),
        "floor_p50_ms": round(_share(probe.delays_ms, 0.5), 2),
        "floor_p99_ms": round(_share(probe.delays_ms, 0.99), 2),
        "ratio": round(_share(heard.delays_ms, 0.99) / _share(probe.delays_ms, 0.99), 2),
        "uplinks_per_s": round((sensors.sent - sent) / seconds),
        "sender_behind_s": round(sensors.late_s, 3),
        "pages": pages,
        "pages_cut": heard.ended,
        "events_read": heard.events,
        "delays": len(heard.delays_ms),
        "mebibytes": round(heard.mebibytes, 1),
        "live_cpu_share": round(cpu_s / seconds, 2),
        "load_1min": os.getloadavg()[0],
    }


def _share(values: list[float], share: float) -> float:
    """Give the value that this share of all does not exceed; not a number without any."""
    if not values:
        return math.nan
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def main() -> int:
    """Print the figures; fail where pages were cut, uplinks fewer, or news too late."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--bays", type=int, default=BAYS)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    port = free_port()
    with (
        bench_site(options.bays) as site,
        worker(site),
        served(site, port, GUNICORN_LIVE, path="/healthz") as server,
    ):
        result = measure(site, server, options.pages, options.rate, options.seconds)
    print(json.dumps({**result, "most": MOST_MS, "centre": [CENTRE.longitude, CENTRE.latitude]}))
    fair = result["uplinks_per_s"] >= 0.98 * options.rate and not result["pages_cut"]
    return 0 if fair and result["p99_ms"] < MOST_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
