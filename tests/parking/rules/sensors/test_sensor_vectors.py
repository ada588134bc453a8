"""The makers' published examples, restated.

Source: TheThingsNetwork/lorawan-devices (Apache-2.0), the file named at each group; the WXHS
sample: unisoftcn/user-api, forms/mag_notify.go.
"""

import orjson
import pytest
from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.sensors.codecs import MODELS, decode, decode_downlink, encode
from parking.rules.sensors.model import Decoded, Downlink, Rejected, RejectReason

TEKZIPARK_DEFAULTS: dict[str, JsonValue] = {
    "suppress_baseline_offset": 0,
    "radar_start_range": 4,
    "fluctuations_count": 7,
    "downlink_frequency": 0,
    "axis_deflection": 0,
    "debug_mode": 1,
    "deflection_threshold_mag": 6,
    "zero_neg_drop": 0,
    "oversampling": 0,
    "hw_acc_samples_no": 3,
    "fluctuation_threshold_XY": 0,
    "sleep_time": 7,
    "reset_control": 0,
    "mag_reboot": 1,
    "fluctuation_delay_time": 3,
    "axis_fluctuations": 0,
    "fluctuation_threshold_Z": 0,
    "self_heal": 0,
    "keepalive_period": 0,
    "radar_scan_count": 0,
    "obstruction_check": 0,
    "reflection_threshold_radar": 0,
    "OI": 0,
    "send_rssi": 1,
    "beacons_scan_no": 5,
    "ble_scan_window": 0,
    "ble_scan_rssi": 170,
}

TEKZIPARK_OCCUPIED: dict[str, JsonValue] = {
    "occupied": 1,
    "keepAlive": 0,
    "reset": 0,
    "No_Beacon": 0,
    "Radar": 1,
    "Obstruction": 0,
    "Good_Battery": 1,
    "Temperature": 45,
    "Parking_ID": 99,
}

UPLINKS: list[tuple[str, int, str, dict[str, JsonValue]]] = [
    # vendor/bosch/tps110-0292-codec.yaml
    ("bosch-tps110", 1, "01", {"type": "parking status", "occupied": True}),
    ("bosch-tps110", 2, "01ff", {"type": "heartbeat", "occupied": True, "temperature": -1}),
    (
        "bosch-tps110",
        3,
        "240300007503000000000000001d020301",
        {
            "type": "startup",
            "debugCodes": [804, 885],
            "firmwareVersion": "0.29.2",
            "resetCause": "system request",
            "occupied": True,
        },
    ),
    # vendor/nwave/nps310sm-codec.yaml
    ("nwave-nps310sm", 1, "01", {"type": "parking_status", "occupied": True}),
    ("nwave-nps310sm", 2, "00", {"type": "heartbeat", "occupied": False}),
    (
        "nwave-nps310sm",
        3,
        "010d000200",
        {
            "type": "startup",
            "firmware_version": "1.13.0",
            "reset_cause": "power_on",
            "occupied": False,
        },
    ),
    # vendor/nwave/nps405-codec.yaml
    (
        "nwave-nps405",
        1,
        "95",
        {
            "type": "parking_status",
            "occupied": True,
            "previous_state_duration": 74,
            "previous_state_duration_error": 0,
            "previous_state_duration_overflow": False,
        },
    ),
    (
        "nwave-nps405",
        2,
        "00d3d800590b",
        {
            "type": "heartbeat",
            "occupied": False,
            "battery_voltage": 3.344,
            "temperature": -10,
            "battery_health": "normal",
            "hw_health_status": 0,
        },
    ),
    (
        "nwave-nps405",
        3,
        "0204090200",
        {
            "type": "startup",
            "firmware_version": "2.4.9",
            "reset_cause": "power_on",
            "occupied": False,
        },
    ),
    (
        "nwave-nps405",
        10,
        "d11f345678",
        {
            "type": "user_registration",
            "occupied": True,
            "previous_state_duration": 160,
            "previous_state_duration_error": 4,
            "previous_state_duration_overflow": False,
            "tag_id": "1F345678",
        },
    ),
    (
        # the same, with the tag's voltage (pull request 996)
        "nwave-nps405",
        10,
        "d1201f345678",
        {
            "type": "user_registration",
            "occupied": True,
            "previous_state_duration": 160,
            "previous_state_duration_error": 4,
            "previous_state_duration_overflow": False,
            "tag_battery_voltage": 3.2,
            "tag_id": "1F345678",
        },
    ),
    # vendor/nwave/ncc405-codec.yaml
    ("nwave-ncc405", 1, "06aa", {"type": "counter_update", "counter_value": 1706}),
    (
        "nwave-ncc405",
        2,
        "a86661",
        {
            "type": "heartbeat",
            "hw_health_status": 40,
            "battery_voltage": 2.908,
            "battery_voltage_mean_24h": 2.888,
        },
    ),
    (
        "nwave-ncc405",
        3,
        "010d0002",
        {"type": "startup", "firmware_version": "1.13.0", "reset_cause": "power_on"},
    ),
    # vendor/tekzitel/tekzipark-codec.yaml
    (
        "tekzitel-tekzipark",
        1,
        "a82d63b000550120",
        {**TEKZIPARK_OCCUPIED, "Beacon_RSSI": -80, "Beacons": [85, 288]},
    ),
    ("tekzitel-tekzipark", 1, "a82d63", TEKZIPARK_OCCUPIED),
    (
        "tekzitel-tekzipark",
        1,
        "292e62",
        {
            **TEKZIPARK_OCCUPIED,
            "occupied": 0,
            "keepAlive": 1,
            "Temperature": 46,
            "Parking_ID": 98,
        },
    ),
    # vendor/dingtek/do200-codec.yaml
    (
        "dingtek-do200",
        3,
        "800002011500000000016f0079ffb0fff500000081",
        {
            "level": 0,
            "volt": 3.67,
            "alarmPark": False,
            "alarmLevel": False,
            "alarmMagnet": False,
            "alarmBattery": False,
            "xMagnet": 121,
            "yMagnet": -80,
            "zMagnet": -11,
            "Frame_Counter": 0,
        },
    ),
    (
        "dingtek-do200",
        3,
        "8000020311000b18020a05a0003c000081",
        {
            "firmware": "0.11",
            "uploadInterval": 24,
            "ultraDetectInterval": 2,
            "magDetectInterval": 10,
            "magThreshold": 60,
        },
    ),
    # vendor/dingtek/do201-codec.yaml
    (
        "dingtek-do201",
        3,
        "800031021706b4000001610010fff6fff08b2d00010081",
        {
            "level": 1716,
            "volt": 3.53,
            "alarmPark": False,
            "alarmLevel": False,
            "alarmMagnet": False,
            "alarmBattery": False,
            "xMagnet": 16,
            "yMagnet": -10,
            "zMagnet": -16,
            "temperature": -117,
            "humidity": 45,
            "frameCounter": 1,
        },
    ),
    (
        "dingtek-do201",
        3,
        "80003103100101181e3c003c14000081",
        {
            "firmware": "1.1",
            "uploadInterval": 24,
            "detectInterval": 30,
            "levelThreshold": 60,
            "magnetThreshold": 60,
            "batteryThreshold": 20,
        },
    ),
    # vendor/dingtek/do202-codec.yaml
    (
        "dingtek-do202",
        3,
        "800032021706b4000001610010fff6fff08b2d00010081",
        {
            "volt": 3.53,
            "alarmPark": False,
            "alarmLevel": False,
            "alarmMagnet": False,
            "alarmBattery": False,
            "xMagnet": 16,
            "yMagnet": -10,
            "zMagnet": -16,
            "temperature": -117,
            "humidity": 45,
            "frameCounter": 1,
        },
    ),
    (
        "dingtek-do202",
        3,
        "80003203100101181e3c003c14000081",
        {
            "firmware": "1.1",
            "uploadInterval": 24,
            "detectInterval": 30,
            "magnetThreshold": 60,
            "batteryThreshold": 20,
        },
    ),
]

WXHS_SAMPLE = {
    "version": 37,
    "type": 32,
    "ptime": 1622186096000,
    "parking_state": 0,
    "pack_count": 506,
    "mag_id": 127763,
    "crc": 320,
    "battery_voltage": 3.6559998989105225,
    "Z_value": 274,
    "Z_base": 419,
    "Y_value": -85,
    "Y_base": -23,
    "X_value": 667,
    "X_base": 733,
    "Signal_Power": -90,
    "Send_cnt": 399,
    "Park_cnt": 52,
    "Model": "P_MD",
    "Manufacturer": "WXHS",
    "Alarm_info": 0,
}

DOWNLINKS: list[tuple[str, dict[str, JsonValue], str]] = [
    # vendor/tekzitel/tekzipark-codec.yaml
    ("tekzitel-tekzipark", TEKZIPARK_DEFAULTS, "471618eb000068aa"),
    # vendor/dingtek/do200-codec.yaml
    ("dingtek-do200", {"uploadInterval": 4}, "3830303238383838303130343831"),
    ("dingtek-do200", {"magDetectInterval": 10}, "3830303238383838303430413831"),
    ("dingtek-do200", {"magThreshold": 60}, "3830303238383838303233433831"),
    # vendor/dingtek/do201-codec.yaml
    ("dingtek-do201", {"uploadInterval": 4}, "3830303239393939303130343831"),
    ("dingtek-do201", {"detectInterval": 10}, "3830303239393939303830413831"),
    ("dingtek-do201", {"magnetThreshold": 60}, "38303032393939393046303033433831"),
    ("dingtek-do201", {"levelThreshold": 60}, "3830303239393939303233433831"),
    ("dingtek-do201", {"batteryThreshold": 20}, "3830303239393939303531343831"),
    # vendor/dingtek/do202-codec.yaml
    ("dingtek-do202", {"uploadInterval": 4}, "3830303239393939303130343831"),
    ("dingtek-do202", {"detectInterval": 10}, "3830303239393939303830413831"),
    ("dingtek-do202", {"magnetThreshold": 60}, "38303032393939393046303033433831"),
    ("dingtek-do202", {"batteryThreshold": 20}, "3830303239393939303531343831"),
]


@pytest.mark.parametrize(("model", "port", "frame", "fields"), UPLINKS)
def test_a_published_uplink_decodes_to_its_documented_fields(
    model: str, port: int, frame: str, fields: dict[str, JsonValue]
) -> None:
    decoded = decode(model, port, bytes.fromhex(frame))
    assert isinstance(decoded, Decoded)
    assert decoded.fields == fields


def test_the_wxhs_sample_keeps_its_fields_as_they_came() -> None:
    decoded = decode("wxhs-p-md", 0, orjson.dumps(WXHS_SAMPLE))
    assert isinstance(decoded, Decoded)
    assert decoded.fields == WXHS_SAMPLE


@pytest.mark.parametrize(("model", "message", "frame"), DOWNLINKS)
def test_a_published_downlink_encodes_and_decodes(
    model: str, message: dict[str, JsonValue], frame: str
) -> None:
    assert encode(model, message) == Downlink(3, bytes.fromhex(frame))
    assert decode_downlink(model, 3, bytes.fromhex(frame)) == message


@pytest.mark.parametrize(
    ("model", "port", "frame", "rejected"),
    [
        ("tekzitel-tekzipark", 42, "292e62", Rejected(RejectReason.WRONG_PORT, "unknown FPort")),
        ("dingtek-do201", 2, "80", Rejected(RejectReason.WRONG_PORT, "unknown FPort")),
        ("dingtek-do201", 3, "80", Rejected(RejectReason.TRUNCATED, "wrong length")),
        (
            "dingtek-do201",
            3,
            "800031021706b4000001610010fff6fff08b2d000100",
            Rejected(RejectReason.TRUNCATED, "wrong length"),
        ),
        (
            "dingtek-do201",
            3,
            "800031021706b4000001610010fff6fff08b2d0001008100",
            Rejected(RejectReason.OVERSIZED, "wrong length"),
        ),
        (
            "dingtek-do202",
            3,
            "800031021706b4000001610010fff6fff08b2d00010081",
            Rejected(RejectReason.UNKNOWN_FRAME, "device type 0x31, expected 0x32"),
        ),
        (
            "bosch-tps110",
            1,
            "",
            Rejected(RejectReason.TRUNCATED, "frame of 0 bytes, expected 1"),
        ),
        (
            "bosch-tps110",
            2,
            "01ff00",
            Rejected(RejectReason.OVERSIZED, "frame of 3 bytes, expected 1 to 2"),
        ),
        ("nwave-nps405", 4, "00", Rejected(RejectReason.WRONG_PORT, "unknown FPort")),
        ("wxhs-p-md", 0, "7b7d", Rejected(RejectReason.UNKNOWN_FRAME, "no parking_state")),
    ],
)
def test_a_frame_that_says_nothing_is_rejected_with_its_reason(
    model: str, port: int, frame: str, rejected: Rejected
) -> None:
    assert decode(model, port, bytes.fromhex(frame)) == rejected


def test_an_unknown_model_is_told_which_are_known() -> None:
    rejected = decode("bosch-tps999", 1, b"\x01")
    assert isinstance(rejected, Rejected)
    assert rejected.reason is RejectReason.UNKNOWN_MODEL
    assert all(model in rejected.detail for model in MODELS)


@pytest.mark.parametrize(
    ("model", "message", "text"),
    [
        ("dingtek-do200", {"uploadInterval": 169}, "periodic upload interval range 1-168 hours."),
        ("dingtek-do200", {"magThreshold": 256}, "Geomagnet threshold range 1-255 mGs."),
        ("dingtek-do201", {"batteryThreshold": 4}, "battery alarm threshold range 5-99 %."),
        ("dingtek-do201", {"magnetThreshold": 65536}, "magnet threshold range 1-65535."),
        ("dingtek-do201", {"uploadInterval": 4.5}, "periodic upload interval range 1-168 hours."),
        ("dingtek-do201", {"uploadInterval": True}, "periodic upload interval range 1-168 hours."),
        ("dingtek-do201", {}, "invalid downlink parameter."),
        ("dingtek-do202", {"levelThreshold": 60}, "invalid downlink parameter."),
        ("dingtek-do201", {"uploadInterval": 4, "detectInterval": 5}, "one parameter a downlink"),
        ("tekzitel-tekzipark", {"debug_mode": 1}, "is missing"),
        ("tekzitel-tekzipark", {**TEKZIPARK_DEFAULTS, "OI": 2}, "OI must be an integer 0-1"),
        ("tekzitel-tekzipark", {**TEKZIPARK_DEFAULTS, "led": 1}, "unknown parameter led"),
        ("bosch-tps110", {"occupied": True}, "bosch-tps110 has no documented downlink"),
        ("bosch-tps999", {}, "unknown device 'bosch-tps999'"),
    ],
)
def test_a_downlink_that_the_device_would_not_take_is_refused(
    model: str, message: dict[str, JsonValue], text: str
) -> None:
    with pytest.raises(Invalid) as refused:
        encode(model, message)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("model", "port", "frame", "rejected"),
    [
        ("dingtek-do201", 4, b"", Rejected(RejectReason.WRONG_PORT, "invalid FPort.")),
        ("dingtek-do201", 3, b"8002", Rejected(RejectReason.TRUNCATED, "invalid format.")),
        (
            "dingtek-do201",
            3,
            b"80028888010481",
            Rejected(RejectReason.UNKNOWN_FRAME, "invalid format."),
        ),
        (
            "dingtek-do201",
            3,
            b"80029999770481",
            Rejected(RejectReason.UNKNOWN_FRAME, "invalid parameter key."),
        ),
        (
            "dingtek-do201",
            3,
            b"80029999010081",
            Rejected(RejectReason.BAD_VALUE, "periodic upload interval range 1-168 hours."),
        ),
        ("tekzitel-tekzipark", 1, b"", Rejected(RejectReason.WRONG_PORT, "invalid FPort")),
    ],
)
def test_a_foreign_downlink_is_rejected(
    model: str, port: int, frame: bytes, rejected: Rejected
) -> None:
    assert decode_downlink(model, port, frame) == rejected


def test_do200_takes_both_spellings_of_its_ultrasonic_interval() -> None:
    # do200.js encodes `ultraDetectionInterval` and decodes `ultraDetectInterval`.
    assert encode("dingtek-do200", {"ultraDetectionInterval": 10}).frame == b"80028888030A81"
    assert encode("dingtek-do200", {"ultraDetectInterval": 10}).frame == b"80028888030A81"
    assert decode_downlink("dingtek-do200", 3, b"80028888030A81") == {"ultraDetectInterval": 10}
