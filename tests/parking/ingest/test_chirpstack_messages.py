"""ChirpStack v4 events, in the shape that its documentation shows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from parking.adapters import chirpstack
from parking.uplinks import IgnoredUplink, Refusal, Uplink

NOON_MS = 1_772_413_200_000


def event(**members: Any) -> dict[str, Any]:
    return {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": "2026-03-02T01:00:00.000000000+00:00",
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "ChirpStack",
            "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
            "applicationName": "kerb",
            "deviceProfileName": "nwave",
            "deviceName": "bay-0002",
            "devEui": "24e124fffe000002",
            "tags": {"road": "riverside"},
        },
        "devAddr": "00189440",
        "dr": 1,
        "fCnt": 12,
        "fPort": 1,
        "data": "lQ==",
        "rxInfo": [
            {"gatewayId": "0016c001f153a14c", "uplinkId": 4217106255, "rssi": -36, "snr": 10.5},
            {"gatewayId": "0016c001f153a14d", "uplinkId": 17, "rssi": -101},
        ],
        "txInfo": {"frequency": 868100000},
        **members,
    }


def test_an_up_event_is_read() -> None:
    assert chirpstack.read(orjson.dumps(event()), "up").uplinks == (
        Uplink(
            index=0,
            network_key="24e124fffe000002",
            port=1,
            frame=b"\x95",
            at_ms=NOON_MS,
            session="00189440",
            counter=12,
            message_id="3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
            rssi=-36.0,
            snr=10.5,
        ),
    )


def test_an_omitted_signal_to_noise_ratio_is_zero() -> None:
    reading = chirpstack.read(orjson.dumps(event(rxInfo=[{"rssi": -101}])))
    assert (reading.uplinks[0].rssi, reading.uplinks[0].snr) == (-101.0, 0.0)


def test_an_omitted_counter_is_zero() -> None:
    found = event()
    del found["fCnt"]
    assert chirpstack.read(orjson.dumps(found)).uplinks[0].counter == 0


def test_the_network_server_s_time_stands_against_a_gateway_clock_that_is_ahead() -> None:
    found = event(
        time="2026-03-02T01:05:00Z", rxInfo=[{"rssi": -80, "nsTime": "2026-03-02T01:00:00.5Z"}]
    )
    assert chirpstack.read(orjson.dumps(found)).uplinks[0].at_ms == NOON_MS + 500


@pytest.mark.parametrize("kind", sorted(chirpstack.WITHOUT_FRAME))
def test_events_without_a_frame_are_ignored(kind: str) -> None:
    reading = chirpstack.read(orjson.dumps(event()), kind)
    assert reading.ignored == (IgnoredUplink(0, kind),)


def test_an_unknown_event_is_refused() -> None:
    reading = chirpstack.read(orjson.dumps(event()), "launch")
    assert [each.reason for each in reading.rejected] == [Refusal.UNSUPPORTED_MESSAGE]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"deviceInfo": None}, Refusal.MISSING_FIELD),
        ({"deviceInfo": {"deviceName": "x"}}, Refusal.MISSING_FIELD),
        ({"deviceInfo": {"devEui": "AgICAgICAgI="}}, Refusal.BAD_VALUE),
        ({"data": "%"}, Refusal.BAD_VALUE),
        ({"fPort": 300}, Refusal.BAD_VALUE),
        ({"time": 1_772_413_200}, Refusal.BAD_VALUE),
    ],
)
def test_a_bad_member_is_refused_with_its_reason(change: dict[str, Any], reason: Refusal) -> None:
    reading = chirpstack.read(orjson.dumps(event(**change)))
    assert [each.reason for each in reading.rejected] == [reason]
