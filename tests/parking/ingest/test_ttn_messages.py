"""The Things Stack v3 messages, in the shape that its documentation shows."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from parking.adapters import ttn
from parking.uplinks import IgnoredUplink, Refusal, Uplink

# 2026-03-02T01:00:00Z
NOON_MS = 1_772_413_200_000


def message(**uplink: Any) -> dict[str, Any]:
    """Make an uplink with all the members that The Things Stack documents."""
    return {
        "end_device_ids": {
            "device_id": "bay-0001",
            "application_ids": {"application_id": "kerb"},
            "dev_eui": "24E124FFFE000001",
            "join_eui": "70B3D57ED0000000",
            "dev_addr": "260B1234",
        },
        "correlation_ids": [
            "as:up:01GWP5S8M4XT01E30DV0JX268M",
            "gs:conn:01GWM6AA67M2XTTFMTGSHGCP4T",
            "ns:uplink:01GWP5S8DNF27X85QH2ZX0R9FZ",
        ],
        "received_at": "2026-03-02T01:00:00.250123456Z",
        "uplink_message": {
            "session_key_id": "AYcojY1QHWhSvyftdWD6DQ==",
            "f_port": 1,
            "f_cnt": 243,
            "frm_payload": "AQ==",
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
                "time": "2026-03-02T00:59:59.990Z",
            },
            "received_at": "2026-03-02T01:00:00Z",
            "consumed_airtime": "0.061696s",
            **uplink,
        },
    }


def read(found: dict[str, Any]) -> Uplink:
    reading = ttn.read(orjson.dumps(found))
    assert reading.rejected == ()
    return reading.uplinks[0]


def test_an_uplink_is_read_with_all_that_tells_duplicates() -> None:
    assert read(message()) == Uplink(
        index=0,
        network_key="24e124fffe000001",
        port=1,
        frame=b"\x01",
        at_ms=NOON_MS,
        session="AYcojY1QHWhSvyftdWD6DQ==",
        counter=243,
        message_id="as:up:01GWP5S8M4XT01E30DV0JX268M",
        rssi=-97.0,
        snr=7.2,
    )


def test_an_omitted_counter_is_zero() -> None:
    found = message()
    del found["uplink_message"]["f_cnt"]
    assert read(found).counter == 0


def test_a_device_without_join_has_its_address_for_a_session() -> None:
    found = message()
    del found["uplink_message"]["session_key_id"]
    assert read(found).session == "260B1234"


def test_a_device_without_eui_is_named_by_application_and_id() -> None:
    found = message()
    del found["end_device_ids"]["dev_eui"]
    assert read(found).network_key == "kerb:bay-0001"


def test_a_frame_that_waited_in_its_gateway_keeps_the_gateway_s_time() -> None:
    found = message(settings={"time": "2026-03-02T00:30:00Z"})
    assert read(found).at_ms == NOON_MS - 30 * 60_000


def test_a_gateway_clock_a_little_off_says_nothing() -> None:
    assert read(message(settings={"time": "2026-03-02T00:59:50Z"})).at_ms == NOON_MS


def test_a_gateway_clock_ahead_of_the_server_is_wrong() -> None:
    assert read(message(settings={"time": "2026-03-02T02:00:00Z"})).at_ms == NOON_MS


def test_a_gateway_clock_that_was_never_set_is_wrong() -> None:
    assert read(message(settings={"time": "1970-01-01T00:00:07Z"})).at_ms == NOON_MS


def test_a_gateway_s_gps_time_is_taken_as_it_is() -> None:
    found = message(rx_metadata=[{"rssi": -90, "gps_time": "2026-03-02T00:59:59.100Z"}])
    assert read(found).at_ms == NOON_MS - 900


def test_a_message_without_any_time_has_none() -> None:
    found = message()
    del found["received_at"], found["uplink_message"]["received_at"]
    del found["uplink_message"]["settings"]
    assert read(found).at_ms is None


@pytest.mark.parametrize("kind", ttn.WITHOUT_FRAME)
def test_messages_without_a_frame_are_ignored(kind: str) -> None:
    found = {"end_device_ids": {"device_id": "a"}, kind: {"session_key_id": "x"}}
    assert ttn.read(orjson.dumps(found)).ignored == (IgnoredUplink(0, kind),)


def test_an_uplink_of_mac_commands_alone_is_ignored() -> None:
    found = message()
    del found["uplink_message"]["f_port"], found["uplink_message"]["frm_payload"]
    assert ttn.read(orjson.dumps(found)).ignored == (IgnoredUplink(0, "uplink_without_payload"),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"frm_payload": "***"}, Refusal.BAD_VALUE),
        ({"frm_payload": 7}, Refusal.BAD_VALUE),
        ({"frm_payload": base64.b64encode(b"x" * 5000).decode()}, Refusal.OVERSIZED),
        ({"f_port": 256}, Refusal.BAD_VALUE),
        ({"f_port": True}, Refusal.BAD_VALUE),
        ({"f_cnt": -1}, Refusal.BAD_VALUE),
        ({"f_cnt": "7"}, Refusal.BAD_VALUE),
        ({"received_at": "yesterday"}, Refusal.BAD_VALUE),
        ({"received_at": "2026-03-02T01:00:00"}, Refusal.BAD_VALUE),
        ({"session_key_id": "x" * 200}, Refusal.OVERSIZED),
        ({"rx_metadata": {"rssi": -90}}, Refusal.BAD_VALUE),
    ],
)
def test_a_bad_member_is_refused_with_its_reason(change: dict[str, Any], reason: Refusal) -> None:
    assert [each.reason for each in ttn.read(orjson.dumps(message(**change))).rejected] == [reason]


def test_a_batch_keeps_the_good_and_names_the_bad() -> None:
    bad = message()
    bad["end_device_ids"]["dev_eui"] = "not an eui"
    reading = ttn.read(orjson.dumps([message(), bad, 7, {}, message(f_cnt=244)]))
    assert [each.counter for each in reading.uplinks] == [243, 244]
    assert [(each.index, each.reason) for each in reading.rejected] == [
        (1, Refusal.BAD_VALUE),
        (2, Refusal.MALFORMED),
        (3, Refusal.MISSING_FIELD),
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'"x"', b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_message_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        ttn.read(body)


def test_a_batch_of_more_than_a_thousand_is_invalid() -> None:
    with pytest.raises(Invalid):
        ttn.read(b"[" + b",".join([b"{}"] * 1001) + b"]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["session_key_id", "f_port", "f_cnt", "frm_payload", "rx_metadata", "settings", "received_at"]
)


@given(st.dictionaries(NAMES, JSON), JSON)
def test_hostile_members_are_refused_and_never_raise(
    uplink: dict[str, Any], ids: dict[str, Any]
) -> None:
    body = message(**uplink)
    if isinstance(ids, dict):
        body["end_device_ids"].update(ids)
    try:
        encoded = orjson.dumps(body)
    except TypeError:  # an integer beyond 64 bits, which JSON from outside may hold as a float
        return
    reading = ttn.read(encoded)
    assert len(reading.uplinks) + len(reading.rejected) + len(reading.ignored) == 1
