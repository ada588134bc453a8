"""Network servers' webhooks, in their own formats, good and bad."""

from __future__ import annotations

import base64
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from city.errors import Unavailable
from city.people.credentials import revoke_token, token_actor
from city.people.store import credentials
from city.works.back_pressure import StreamGate
from city.works.live import live_store
from parking.ingest import Ingest
from tests.web.small_site import BOSCH, EAST, NWAVE, WESTERN, Site

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from journeys.wiring import Wiring

TTN = "/api/v1/uplinks/ttn"
CHIRPSTACK = "/api/v1/uplinks/chirpstack"
CTWING = "/api/v1/uplinks/ctwing"
STREAM = f"{{d:{EAST}}}:uplinks:0"
PARKED = "{d:parked}:uplinks:0"

CHIRPSTACK_UP: dict[str, Any] = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2026-03-02T01:00:00.000000000+00:00",
    "deviceInfo": {
        "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
        "tenantName": "ChirpStack",
        "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
        "applicationName": "kerb",
        "deviceProfileName": "nwave",
        "deviceName": "bay-0002",
        "devEui": NWAVE,
        "tags": {"road": "riverside"},
    },
    "devAddr": "00189440",
    "dr": 1,
    "fCnt": 12,
    "fPort": 1,
    "data": "lQ==",
    "rxInfo": [{"gatewayId": "0016c001f153a14c", "uplinkId": 4217106255, "rssi": -36, "snr": 10.5}],
    "txInfo": {"frequency": 868100000},
}
"""Source: ChirpStack v4, Integrations > HTTP."""

CTWING_REPORT: dict[str, Any] = {
    "messageType": "dataReport",
    "protocol": "lwm2m",
    "productId": "15034864",
    "topic": "v1/up/ad19",
    "timestamp": 1772413200000,
    "payload": {
        "version": 37,
        "type": 32,
        "ptime": 1772413206000,
        "parking_state": 1,
        "pack_count": 506,
        "mag_id": 127763,
        "battery_voltage": 3.6559998989105225,
        "Signal_Power": -90,
        "Send_cnt": 399,
        "Model": "P_MD",
        "Manufacturer": "WXHS",
        "Alarm_info": 0,
        "reserverd05": 4200,
    },
}
"""A real message of a WXHS P_MD sensor, its times moved to the test's day. Source: a comment of
unisoftcn/user-api, forms/mag_notify.go."""


def accepted(answer: TestResponse) -> list[tuple[int, str, str]]:
    assert answer.status_code == 202
    return [(a["index"], a["device"], a["state"]) for a in answer.get_json()["accepted"]]


def rejected(answer: TestResponse) -> list[tuple[int, str]]:
    assert answer.status_code == 202
    return [(r["index"], r["reason"]) for r in answer.get_json()["rejected"]]


def test_one_the_things_stack_message_is_taken(site: Site) -> None:
    answer = site.post(TTN, "integration", json=site.message())
    assert accepted(answer) == [(0, BOSCH, "appended")]
    found: Any = site.wiring.live.xrange(STREAM)
    ((_, fields),) = found
    entry = orjson.loads(fields[b"u"])
    assert (entry[1], entry[2], entry[3], entry[9], entry[10]) == (
        "bosch-tps110", 1, "01", -97.0, 7.2,
    )  # fmt: skip


def test_a_chirpstack_event_is_taken(site: Site) -> None:
    answer = site.post(f"{CHIRPSTACK}?event=up", "integration", json=CHIRPSTACK_UP)
    assert accepted(answer) == [(0, NWAVE, "appended")]


def test_a_chirpstack_event_without_a_frame_is_ignored(site: Site) -> None:
    answer = site.post(f"{CHIRPSTACK}?event=join", "integration", json=CHIRPSTACK_UP)
    assert (answer.status_code, answer.get_json()["ignored"]) == (
        202,
        [{"index": 0, "kind": "join"}],
    )
    assert site.wiring.live.xlen(STREAM) == 0


def test_a_ctwing_report_turns_its_bay_taken(site: Site) -> None:
    answer = site.post(CTWING, "integration", json=CTWING_REPORT)
    assert accepted(answer) == [(0, "15034864:127763", "appended")]
    site.clock.advance(60)
    site.consume()
    listed = site.get(f"/api/v1/facilities/{site.facility.id}/bays").get_json()["items"]
    assert listed[2]["state"] == "occupied"


def test_the_recorded_ctwing_message_is_taken(site: Site) -> None:
    folder = os.environ.get("GREENBAY_DATA")
    if not folder:
        pytest.skip("GREENBAY_DATA is not set")
    recorded = (Path(folder) / "lorawan" / "ctwing_wxhs_sample.json").read_bytes()
    sample = orjson.loads(recorded)
    message = sample.get("message", sample) if isinstance(sample, dict) else sample[0]
    answer = site.post(CTWING, "integration", json=message)
    assert answer.status_code == 202
    assert len(answer.get_json()["accepted"]) == 1


def test_of_a_batch_the_good_ones_are_taken_and_the_bad_ones_named(site: Site) -> None:
    batch = [
        site.message(),
        {"end_device_ids": {}},
        site.message(frm_payload="%%%"),
        site.message(f_port=77),
        site.message("24e124fffe00ffff"),
        {"join_accept": {}},
        "text",
    ]
    answer = site.post(TTN, "integration", json=batch)
    assert accepted(answer) == [(0, BOSCH, "appended"), (4, "24e124fffe00ffff", "parked")]
    assert rejected(answer) == [
        (1, "unsupported_message"),
        (2, "bad_value"),
        (3, "wrong_port"),
        (6, "malformed"),
    ]
    assert answer.get_json()["ignored"] == [{"index": 5, "kind": "join_accept"}]
    # The frame on the wrong port is kept as it came: a corrected codec can read it later.
    assert site.wiring.live.xlen(STREAM) == 2
    assert site.wiring.live.xlen(PARKED) == 1


def test_a_parked_device_is_seen_adopted_and_heard(site: Site) -> None:
    site.post(TTN, "integration", json=site.message("24e124fffe00ffff"))
    site.consume()
    (unknown,) = site.get("/api/v1/devices/unknown", "operator").get_json()["items"]
    assert (unknown["network_key"], unknown["source"], unknown["frames"]) == (
        "24e124fffe00ffff", "ttn", 1,
    )  # fmt: skip
    adopted = site.post(
        f"/api/v1/devices/unknown/{unknown['id']}/adopt",
        "operator",
        json={"model": "bosch-tps110", "district": EAST, "bay_id": str(site.bays[3].id)},
        key="k-1",
    )
    assert (adopted.status_code, adopted.get_json()["replayed"]) == (201, 1)
    heard = site.post(TTN, "integration", json=site.message("24e124fffe00ffff"))
    assert accepted(heard) == [(0, "24e124fffe00ffff", "appended")]


def test_a_device_can_be_registered_and_is_heard_at_once(site: Site) -> None:
    body = {"network_key": "24E124FFFE00EEEE", "model": "bosch-tps110", "district": EAST}
    site.post("/api/v1/devices", "operator", json={**body, "bay_id": str(site.bays[3].id)})
    heard = site.post(TTN, "integration", json=site.message("24e124fffe00eeee"))
    assert accepted(heard) == [(0, "24e124fffe00eeee", "appended")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"ttn:nonsense").decode()}, 401),
    ],
)
def test_without_a_good_credential_nothing_is_taken(
    site: Site, headers: dict[str, str], status: int
) -> None:
    answer = site.post(TTN, json=site.message(), headers=headers)
    assert answer.status_code == status
    assert site.wiring.live.xlen(STREAM) == 0


def test_the_token_may_come_as_a_basic_password(site: Site) -> None:
    secret = base64.b64encode(f"ttn:{site.tokens['integration']}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}"}
    assert site.post(TTN, json=site.message(), headers=headers).status_code == 202


def test_a_revoked_token_is_refused_within_a_second(site: Site) -> None:
    assert site.hear(site.message()).status_code == 202
    with site.wiring.database.unit_of_work() as uow:
        issued = credentials(uow.connection)
        (own,) = [each for each in issued if each.subject == "ttn"]
        revoke_token(uow, own.credential_id)
        assert token_actor(uow.connection, site.tokens["integration"]) is None
    time.sleep(1.05)
    assert site.hear(site.message()).status_code == 401


def test_an_integration_of_one_district_delivers_for_no_other(site: Site) -> None:
    assert site.post(TTN, "integration-west", json=site.message(WESTERN)).status_code == 202
    mixed = [site.message(WESTERN), site.message(BOSCH)]
    assert site.post(TTN, "integration-west", json=mixed).status_code == 403
    assert site.wiring.live.xlen(STREAM) == 0


@pytest.mark.parametrize("path", [TTN, CHIRPSTACK, CTWING])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"7", b'"text"', b"null"])
def test_a_body_that_is_no_message_is_refused(shared_site: Site, path: str, body: bytes) -> None:
    answer = shared_site.post(path, "integration", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "body")


def test_protobuf_is_refused_by_its_content_type(site: Site) -> None:
    answer = site.post(
        CHIRPSTACK, "integration", data=b"\n\x04", content_type="application/octet-stream"
    )
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (415, "Content-Type")


def test_a_batch_beyond_the_limit_is_refused_whole(site: Site) -> None:
    answer = site.post(TTN, "integration", json=[{}] * 1001)
    assert answer.status_code == 422
    large = site.post(
        TTN, "integration", data=b"[" + b" " * 1_100_000 + b"]", content_type="application/json"
    )
    assert large.status_code == 413


def test_a_full_stream_answers_429_with_when_to_come_back(site: Site) -> None:
    wiring = site.wiring
    full = Ingest(
        wiring.live, wiring.placements, site.clock, gate=StreamGate(wiring.live, 2, refresh_s=0)
    )
    site.app.extensions["greenbay"] = _with(wiring, full)
    assert site.hear(site.message(), site.message()).status_code == 202
    answer = site.hear(site.message())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert wiring.live.xlen(STREAM) == 2


def test_a_full_disk_and_a_store_that_is_away_answer_503(site: Site) -> None:
    class NoRoom:
        def admit(self) -> None:
            raise Unavailable("the disk is full", retry_after_s=60)

    wiring = site.wiring
    no_room = Ingest(wiring.live, wiring.placements, site.clock, room=NoRoom())
    site.app.extensions["greenbay"] = _with(wiring, no_room)
    answer = site.hear(site.message())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    away = live_store("unix:///nowhere/valkey.sock")
    site.app.extensions["greenbay"] = _with(wiring, Ingest(away, wiring.placements, site.clock))
    answer = site.hear(site.message())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    away.close()


def _with(wiring: Wiring, ingest: Ingest) -> Wiring:
    return replace(wiring, ingest=ingest)


def test_twenty_senders_at_once_lose_nothing(site: Site) -> None:
    messages = [site.message() for _ in range(100)]

    def send(message: dict[str, Any]) -> int:
        return (
            site.app.test_client()
            .post(
                TTN,
                json=message,
                headers={"Authorization": f"Bearer {site.tokens['integration']}"},
            )
            .status_code
        )

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(send, messages)) == {202}
    assert site.wiring.live.xlen(STREAM) == 100
