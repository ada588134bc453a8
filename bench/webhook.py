"""The Things Stack webhooks a second, beside a bare Flask JSON endpoint under the same gunicorn.

Each request is one documented uplink of one of some devices, with its token; it is answered 202
once the frame is in its stream in Valkey with its append-only file. The bare endpoint gets the
same requests and answers a small JSON without reading them.

Example
-------
``python -m bench.webhook --seconds 4 --rounds 3``
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench._load import Request, generator, measure
from bench._site import DISTRICT, GUNICORN_API, bench_site, free_port, served
from parking.uplinks import uplink_stream

if TYPE_CHECKING:
    from bench._site import BenchSite

BAYS = 1_024
MESSAGES = 2_000
LEAST = 0.4


def messages(site: BenchSite, path: str) -> list[Request]:
    """Make requests with documented uplinks, in turn of all devices."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    headers = {
        "Authorization": f"Bearer {site.token}",
        "Content-Type": "application/json",
    }
    return [
        Request("POST", path, headers, json.dumps(message(site, number, at)).encode())
        for number in range(MESSAGES)
    ]


def message(site: BenchSite, number: int, at: str) -> dict[str, object]:
    """Give an uplink with the members that The Things Stack documents."""
    device = site.devices[number % len(site.devices)]
    return {
        "end_device_ids": {
            "device_id": f"bay-{number:04}",
            "application_ids": {"application_id": "kerb"},
            "dev_eui": device.network_key.upper(),
            "join_eui": "70B3D57ED0000000",
            "dev_addr": "260B1234",
        },
        "correlation_ids": [
            f"as:up:01GWP5S8M4XT01E30DV0JX{number:04}",
            "gs:conn:01GWM6AA67M2XTTFMTGSHGCP4T",
            "ns:uplink:01GWP5S8DNF27X85QH2ZX0R9FZ",
        ],
        "received_at": at,
        "uplink_message": {
            "session_key_id": "AYcojY1QHWhSvyftdWD6DQ==",
            "f_port": 1,
            "f_cnt": number // len(site.devices),
            "frm_payload": base64.b64encode(bytes([number & 1])).decode(),
            "rx_metadata": [
                {
                    "gateway_ids": {"gateway_id": "roof", "eui": "3436323821002C00"},
                    "timestamp": 1012011900,
                    "rssi": -111,
                    "channel_rssi": -111,
                    "snr": 0.5,
                },
                {"gateway_ids": {"gateway_id": "bridge"}, "rssi": -97, "snr": 7.2},
            ],
            "settings": {
                "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
                "frequency": "868300000",
            },
            "received_at": at,
            "consumed_airtime": "0.061696s",
        },
    }


def run(seconds: float, rounds: int) -> dict[str, object]:
    """Measure both in turn; give the median of the rounds' ratios."""
    ours_port, bare_port = free_port(), free_port()
    with (
        bench_site(BAYS) as site,
        served(site, ours_port, GUNICORN_API, path="/healthz") as ours_server,
        served(site, bare_port, GUNICORN_API, "bench._bare:app()", path="/") as bare_server,
    ):
        sent, bare = messages(site, "/api/v1/uplinks/ttn"), messages(site, "/")
        measure(ours_server, sent, 1, 202)
        measure(bare_server, bare, 1, 200)
        site.live.delete(uplink_stream(DISTRICT, 0))
        ours, floor = [], []
        for _ in range(rounds):
            floor.append(measure(bare_server, bare, seconds, 200))
            ours.append(measure(ours_server, sent, seconds, 202))
        kept = int(site.live.xlen(uplink_stream(DISTRICT, 0)))
    ratios = [a.requests_per_s / b.requests_per_s for a, b in zip(ours, floor, strict=True)]
    answered = sum(each.requests for each in ours)
    return {
        "webhook": round(statistics.median(each.requests_per_s for each in ours)),
        "floor": round(statistics.median(each.requests_per_s for each in floor)),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(each, 3) for each in ratios],
        "unit": "requests a second",
        "cpu_us": round(statistics.median(each.cpu_us for each in ours)),
        "floor_cpu_us": round(statistics.median(each.cpu_us for each in floor)),
        "answered": answered,
        "appended": kept,
        "errors": sum(each.errors for each in (*ours, *floor)),
        "load": generator(),
        "least": LEAST,
        "note": "one uplink a request, 32 connections, gthread as in production, AOF on",
    }


def main() -> int:
    """Print the figures; fail below the least ratio, or where an answered uplink is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    result = run(options.seconds, options.rounds)
    print(json.dumps(result))
    lost = result["appended"] < result["answered"] or result["errors"]  # type: ignore[operator] # a number
    return 1 if lost or result["ratio"] < LEAST else 0  # type: ignore[operator] # a number


if __name__ == "__main__":
    raise SystemExit(main())
