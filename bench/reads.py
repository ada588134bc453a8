"""Public reads a second, beside a bare Flask JSON endpoint under the same gunicorn.

Facilities with their counts, the bays of a facility, the nearest free bays: asked in turn for
every facility of a town of 1 024 bays while its sensors go on sending. Every answer is checked
against the live store before it is given; one whose facilities were not heard from meanwhile is
not made again.

Example
-------
``python -m bench.reads --seconds 3 --rounds 3``
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench._load import Rate, Request, generator, measure
from bench._site import DISTRICT, GUNICORN_API, bench_site, free_port, served
from city.time import WallClock, to_ms
from parking.folding import Folder
from parking.ingest import Ingest
from parking.placements import Placements
from parking.rules.sensors.frames import build
from parking.uplinks import Uplink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench._site import BenchSite

BAYS = 1_024
UPLINKS_PER_S = 10
LEAST = 0.5
SEED = 20260302
GET = "GET"


def paths(site: BenchSite) -> dict[str, list[Request]]:
    """Give the requests of each kind."""
    at = [each.position for each in site.facilities]
    asked = {
        "facilities": ["/api/v1/facilities"],
        "bays": [f"/api/v1/facilities/{each.id}/bays" for each in site.facilities],
        "nearest": [
            f"/api/v1/bays/nearest?longitude={each.longitude}&latitude={each.latitude}"
            for each in at
        ],
    }
    return {
        name: [Request(GET, path, {"Accept": "application/json"}, b"") for path in each]
        for name, each in asked.items()
    }


class Sensors:
    """The town's sensors: each sends by the ingest, and the fold follows, in this process."""

    def __init__(self, site: BenchSite) -> None:
        placements = Placements(site.database)
        self._site = site
        self._clock = WallClock()
        self._ingest = Ingest(site.live, placements, self._clock)
        self._folder = Folder(site.live, DISTRICT, placements, self._clock)
        self._draw = random.Random(SEED)  # noqa: S311 - cars, not secrets
        self._counter = 0
        self.sent = 0

    def send(self, keys: list[str]) -> None:
        """Let devices report, and fold what they said."""
        now_ms = to_ms(self._clock.now())
        uplinks = []
        for key in keys:
            self._counter += 1
            occupied = self._draw.random() < 0.6
            port, frame = build("bosch-tps110", occupied=occupied, kind="status", counter=0)
            uplinks.append(
                Uplink(0, key, port, frame, now_ms, "s", self._counter, None, -90.0, 7.0)
            )
        self._ingest.accept("bench", uplinks)
        self._folder.fold_all()
        self.sent += len(uplinks)

    def go_on(self, stop: threading.Event) -> None:
        """Send some a second until told to stop."""
        keys = [each.network_key for each in self._site.devices]
        while not stop.wait(1 / UPLINKS_PER_S):
            self.send([self._draw.choice(keys)])


@contextmanager
def living(site: BenchSite) -> Iterator[Sensors]:
    """Let every sensor report once, then some go on reporting."""
    sensors = Sensors(site)
    sensors.send([each.network_key for each in site.devices[:1_000]])
    stop = threading.Event()
    thread = threading.Thread(target=sensors.go_on, args=(stop,))
    thread.start()
    try:
        yield sensors
    finally:
        stop.set()
        thread.join()


def run(seconds: float, rounds: int) -> dict[str, object]:
    """Measure each kind and the floor in turn; give the median of the rounds' ratios."""
    ours_port, bare_port = free_port(), free_port()
    with (
        bench_site(BAYS) as site,
        served(site, ours_port, GUNICORN_API, path="/healthz") as ours,
        served(site, bare_port, GUNICORN_API, "bench._bare:app()", path="/") as bare,
        living(site) as sensors,
    ):
        asked = paths(site)
        floor_requests = [Request(GET, "/", {"Accept": "application/json"}, b"")]
        for each in asked.values():
            measure(ours, each, 1, 200)
        measure(bare, floor_requests, 1, 200)
        rates: dict[str, list[Rate]] = {name: [] for name in asked}
        ratios: dict[str, list[float]] = {name: [] for name in asked}
        floors: list[Rate] = []
        for _ in range(rounds):
            floor = measure(bare, floor_requests, seconds, 200)
            floors.append(floor)
            for name, each in asked.items():
                rate = measure(ours, each, seconds, 200)
                rates[name].append(rate)
                ratios[name].append(rate.requests_per_s / floor.requests_per_s)
        sent = sensors.sent
    return {
        **{
            name: {
                "rate": round(statistics.median(each.requests_per_s for each in found)),
                "ratio": round(statistics.median(ratios[name]), 3),
                "ratios": [round(each, 3) for each in ratios[name]],
                "cpu_us": round(statistics.median(each.cpu_us for each in found)),
            }
            for name, found in rates.items()
        },
        "floor": round(statistics.median(each.requests_per_s for each in floors)),
        "floor_cpu_us": round(statistics.median(each.cpu_us for each in floors)),
        "ratio": round(min(statistics.median(each) for each in ratios.values()), 3),
        "unit": "requests a second",
        "errors": sum(each.errors for found in (*rates.values(), floors) for each in found),
        "uplinks_meanwhile": sent,
        "load": generator(),
        "least": LEAST,
        "note": "32 facilities of 32 bays, 32 connections, gthread as in production",
    }


def main() -> int:
    """Print the figures; fail below the least ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    result = run(options.seconds, options.rounds)
    print(json.dumps(result))
    return 1 if result["errors"] or result["ratio"] < LEAST else 0  # type: ignore[operator] # a number


if __name__ == "__main__":
    raise SystemExit(main())
