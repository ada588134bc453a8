"""CTWing pushes: a real one (its values restated, source unisoftcn/user-api) and the help's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from parking.adapters import ctwing
from parking.rules.sensors.codecs import decode
from parking.rules.sensors.model import Decoded
from parking.uplinks import IgnoredUplink, Refusal

PAYLOAD: dict[str, Any] = {
    "version": 37,
    "type": 32,
    "ptime": 1622186096000,
    "parking_state": 0,
    "pack_count": 506,
    "mag_id": 127763,
    "battery_voltage": 3.6559998989105225,
    "Signal_Power": -90,
    "Send_cnt": 399,
    "Model": "P_MD",
    "Manufacturer": "WXHS",
    "Alarm_info": 0,
    "reserverd05": 4200,
}


def push(payload: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {
        "messageType": "dataReport",
        "protocol": "lwm2m",
        "productId": "15034864",
        "topic": "v1/up/ad19",
        "timestamp": 1622186044981,
        "payload": PAYLOAD if payload is None else payload,
        **members,
    }


def test_a_sensor_ahead_of_the_platform_gets_the_platform_s_time() -> None:
    # The device's clock (ptime) runs 51 s ahead of the platform's receipt.
    uplink = ctwing.read(orjson.dumps(push())).uplinks[0]
    assert uplink.at_ms == 1622186044981


def test_a_report_that_waited_in_the_sensor_keeps_the_sensor_s_time() -> None:
    waited = {**PAYLOAD, "ptime": 1622186044981 - 3_600_000}
    assert ctwing.read(orjson.dumps(push(waited))).uplinks[0].at_ms == 1622186044981 - 3_600_000


def test_all_members_of_the_payload_are_kept() -> None:
    uplink = ctwing.read(orjson.dumps(push())).uplinks[0]
    assert orjson.loads(uplink.frame) == PAYLOAD
    assert isinstance(decode("wxhs-p-md", uplink.port, uplink.frame), Decoded)


def test_without_a_device_id_product_and_sensor_name_it() -> None:
    assert ctwing.read(orjson.dumps(push())).uplinks[0].network_key == "15034864:127763"


def test_the_platform_s_device_id_names_it_before_the_imei() -> None:
    found = push(deviceId="59e0462b286a45e4bc5642109fd6ea90", IMEI="861050042339310")
    assert (
        ctwing.read(orjson.dumps(found)).uplinks[0].network_key
        == "59e0462b286a45e4bc5642109fd6ea90"
    )


def test_an_undefined_identifier_is_none() -> None:
    found = push(deviceId="", IMEI="861050042339310", IMSI="undefined")
    assert ctwing.read(orjson.dumps(found)).uplinks[0].network_key == "861050042339310"


def test_a_repeated_push_has_the_same_name_and_the_next_report_another() -> None:
    first, again, following = (
        ctwing.read(orjson.dumps(each)).uplinks[0].message_id
        for each in (
            push(),
            push(timestamp=1622186059000),
            push({**PAYLOAD, "pack_count": 507, "Send_cnt": 400}),
        )
    )
    assert first == again == "127763:1622186096000:506:399"
    assert following == "127763:1622186096000:507:400"


def test_a_transparent_payload_is_its_bytes() -> None:
    found = push({"APPdata": "AQID"}, deviceId="D1", upPacketSN=-1, upDataSN=9)
    uplink = ctwing.read(orjson.dumps(found)).uplinks[0]
    assert (uplink.frame, uplink.network_key) == (b"\x01\x02\x03", "d1")
    assert uplink.message_id == "sn:-1:9:1622186044981"


def test_a_message_without_any_number_is_named_by_its_content() -> None:
    found = push({"APPdata": "AQID"}, deviceId="D1", upPacketSN=-1, upDataSN=-1)
    one, two = (
        ctwing.read(orjson.dumps(each)).uplinks[0].message_id
        for each in (found, {**found, "payload": {"APPdata": "AQIE"}})
    )
    assert one is not None
    assert one.startswith("sha256:")
    assert one != two


@pytest.mark.parametrize("kind", sorted(ctwing.WITHOUT_FRAME))
def test_messages_without_a_frame_are_ignored(kind: str) -> None:
    reading = ctwing.read(orjson.dumps(push(messageType=kind)))
    assert reading.ignored == (IgnoredUplink(0, kind),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"messageType": None}, Refusal.MISSING_FIELD),
        ({"messageType": "dataReportTupUnion"}, Refusal.UNSUPPORTED_MESSAGE),
        ({"payload": None}, Refusal.MISSING_FIELD),
        ({"payload": "text"}, Refusal.BAD_VALUE),
        ({"payload": {"APPdata": "%"}, "deviceId": "d"}, Refusal.BAD_VALUE),
        ({"payload": {"APPdata": ""}, "deviceId": "d"}, Refusal.BAD_VALUE),
        ({"payload": {"x": "y" * 5000}, "deviceId": "d"}, Refusal.OVERSIZED),
        ({"payload": {"parking_state": 0}, "productId": None}, Refusal.MISSING_FIELD),
        ({"deviceId": "two words"}, Refusal.BAD_VALUE),
        ({"timestamp": "now"}, Refusal.BAD_VALUE),
    ],
)
def test_a_bad_member_is_refused_with_its_reason(change: dict[str, Any], reason: Refusal) -> None:
    found = {**push(), **change}
    assert [each.reason for each in ctwing.read(orjson.dumps(found)).rejected] == [reason]


def test_the_recorded_push_is_read_and_decoded() -> None:
    folder = os.environ.get("GREENBAY_DATA")
    if not folder:
        pytest.skip("GREENBAY_DATA is not set: the recorded CTWing push is not at hand")
    body = (Path(folder) / "lorawan" / "ctwing_wxhs_sample.json").read_bytes()
    uplink = ctwing.read(body).uplinks[0]
    assert isinstance(decode("wxhs-p-md", uplink.port, uplink.frame), Decoded)
