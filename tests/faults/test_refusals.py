"""Saying no in time: full streams, a full disk, a second supervisor; and taking it back."""

from __future__ import annotations

import http.client
import os
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from city.time import WallClock, rfc3339
from city.works.back_pressure import free_bytes
from parking.uplinks import uplink_stream
from tests.faults.installation import until
from tests.faults.town import DISTRICTS

if TYPE_CHECKING:
    from tests.faults.installation import Installation
    from tests.faults.ordeal import Outcome

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

STREAM_LIMIT = 1_000
MEGABYTE = 1_000_000
ROOM_BYTES, FILLED_BYTES = 1_000 * MEGABYTE, 1_600 * MEGABYTE
"""Free beyond the limit at first, and taken away then; other tests fill the same place."""


@pytest.fixture
def limited(installation: Installation, ordeal: Outcome) -> Installation:
    """Give the system with limits that can be reached."""
    del ordeal
    if "GREENBAY_STREAM_LIMIT" in installation.environment:
        return installation
    free = free_bytes(installation.var)
    if free < 2 * FILLED_BYTES:
        pytest.skip("too little room to fill some of it")
    installation.environment |= {
        "GREENBAY_STREAM_LIMIT": str(STREAM_LIMIT),
        "GREENBAY_DISK_FREE_LIMIT_MB": str((free - ROOM_BYTES) // MEGABYTE),
    }
    assert installation.stop() == 0
    installation.start()
    return installation


def post(
    system: Installation, ordeal: Outcome, district: str, count: int, first: int = 0
) -> tuple[int, str | None, Any]:
    """Send uplinks of one sensor of a district; give status, `Retry-After` and content."""
    sensor = next(
        each
        for each in ordeal.town.sensors()
        if each.district == district and each.way == "ttn" and len(each.lain) == 1
    )
    body = orjson.dumps(
        [
            {
                "end_device_ids": {"device_id": "one", "dev_eui": sensor.network_key},
                "uplink_message": {
                    "session_key_id": "refusals",
                    "f_port": 200,
                    "f_cnt": first + number,
                    "frm_payload": "AQ==",
                    "received_at": rfc3339(WallClock().now()),
                },
            }
            for number in range(count)
        ]
    )
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=30)
    try:
        connection.request(
            "POST",
            "/api/v1/uplinks/ttn",
            body,
            {
                "Authorization": f"Bearer {ordeal.town.token}",
                "Content-Type": "application/json",
            },
        )
        answer = connection.getresponse()
        return answer.status, answer.headers["Retry-After"], orjson.loads(answer.read())
    finally:
        connection.close()


def length(system: Installation, district: str) -> int:
    live = system.live()
    try:
        return int(live.xlen(uplink_stream(district, 0)))
    finally:
        live.connection_pool.disconnect()


def test_a_full_stream_refuses_with_429_until_there_is_room_and_alone(
    limited: Installation, ordeal: Outcome
) -> None:
    full, other = DISTRICTS
    (worker,) = limited.look()["worker"]
    worker.suspend()
    try:
        sent = 0
        while True:
            status, wait, answer = post(limited, ordeal, full, 300, sent)
            if status != 202:
                break
            sent += 300
            assert sent <= STREAM_LIMIT
        assert (status, wait, answer["type"]) == (429, "5", "urn:greenbay:problem:too-many")
        assert length(limited, full) <= STREAM_LIMIT
        held = length(limited, full)
        assert post(limited, ordeal, full, 300, sent)[0] == 429
        assert length(limited, full) == held
        assert post(limited, ordeal, other, 10)[0] == 202
    finally:
        worker.resume()
    until(lambda: post(limited, ordeal, full, 300, sent)[0] == 202, "there is room again")


def test_a_full_disk_refuses_with_503_until_there_is_room(
    limited: Installation, ordeal: Outcome
) -> None:
    until(lambda: post(limited, ordeal, DISTRICTS[0], 1, 10_000)[0] == 202, "it is accepted")
    filler = limited.folder / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, FILLED_BYTES)
    try:
        until(lambda: post(limited, ordeal, DISTRICTS[0], 1, 10_001)[0] != 202, "it is refused")
        status, wait, answer = post(limited, ordeal, DISTRICTS[0], 1, 10_001)
        assert (status, wait, answer["type"]) == (503, "60", "urn:greenbay:problem:unavailable")
        assert limited.get("/readyz")[0] == 503
        assert limited.get("/healthz")[0] == 200
    finally:
        filler.unlink()
    until(lambda: post(limited, ordeal, DISTRICTS[0], 1, 10_002)[0] == 202, "it is accepted again")
    until(lambda: limited.get("/readyz")[0] == 200, "it is ready again")


def test_a_second_supervisor_on_the_same_folder_refuses(limited: Installation) -> None:
    before = limited.record()
    second = limited.spawn()
    assert second.wait(60) == 1
    assert f"it already runs here at http://127.0.0.1:{limited.port}" in limited.said
    assert limited.record() == before
    assert limited.get("/readyz")[0] == 200
