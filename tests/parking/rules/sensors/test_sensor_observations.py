"""What a frame says about the bay and about the device, beyond the maker's fields."""

import orjson
import pytest

from parking.rules.occupancy.policy import FoldingPolicy
from parking.rules.sensors.codecs import decode
from parking.rules.sensors.model import (
    BayObservation,
    Decoded,
    DeviceHealth,
    PassageCount,
    Rejected,
    RejectReason,
)
from parking.rules.sensors.nwave import battery_health, compress_minutes, duration_minutes


def read(model: str, port: int, frame: str | bytes) -> Decoded:
    decoded = decode(model, port, bytes.fromhex(frame) if isinstance(frame, str) else frame)
    assert isinstance(decoded, Decoded), decoded
    return decoded


def wxhs(**payload: object) -> Decoded:
    return read("wxhs-p-md", 0, orjson.dumps({"parking_state": 0, **payload}))


def strength(model: str, port: int, frame: str) -> int:
    (observed,) = read(model, port, frame).observations
    assert isinstance(observed, BayObservation)
    return observed.strength


def test_a_status_frame_and_a_heartbeat_are_equally_strong_and_a_start_up_frame_is_weaker() -> None:
    assert strength("bosch-tps110", 1, "01") == 950
    assert strength("bosch-tps110", 2, "01") == 950
    assert strength("bosch-tps110", 3, "000000000000000000000000001d020201") == 500
    assert strength("nwave-nps310sm", 1, "00") == 950
    assert strength("nwave-nps310sm", 2, "00") == 950
    assert strength("nwave-nps310sm", 3, "010d000200") == 500


def test_a_camera_turns_no_bay_by_itself_and_a_free_bay_is_seen_worse_than_it_goes() -> None:
    model = "greenbay-bay-camera"
    assert [strength(model, port, "01") for port in (1, 2)] == [550, 550]
    assert [strength(model, port, "00") for port in (1, 2)] == [550, 300]
    assert strength(model, 1, "01") < FoldingPolicy().strong_from
    assert read(model, 1, "02").observations == (BayObservation(occupied=None, strength=550),)
    rejected = decode(model, 1, b"\x03")
    assert isinstance(rejected, Rejected)
    assert rejected.reason is RejectReason.BAD_VALUE


def test_a_bosch_that_recalibrates_while_it_starts_is_weak() -> None:
    assert strength("bosch-tps110", 3, "940100000000000000000000001d020201") == 300  # code 404


def test_nps405_tells_when_the_free_time_before_this_car_began() -> None:
    assert read("nwave-nps405", 1, "95").observations == (
        BayObservation(occupied=False, strength=700, age_s=74 * 60, inferred=True),
        BayObservation(occupied=True, strength=950),
    )


def test_a_quantised_stay_that_ended_counts_at_its_least_length() -> None:
    # 0xD0: free now, 104 -> 160 min, up to 4 more
    assert read("nwave-nps405", 1, "d0").observations[0] == BayObservation(
        occupied=True, strength=500, age_s=160 * 60, inferred=True
    )


def test_a_quantised_vacancy_that_ended_counts_at_its_greatest_length() -> None:
    # 0xD1: occupied now; the stay before the vacancy ended as early as may be
    assert read("nwave-nps405", 1, "d1").observations[0] == BayObservation(
        occupied=False, strength=500, age_s=164 * 60, inferred=True
    )


@pytest.mark.parametrize("frame", ["fe", "ff"])
def test_an_overflowed_duration_infers_nothing(frame: str) -> None:
    decoded = read("nwave-nps405", 1, frame)
    assert len(decoded.observations) == 1
    assert decoded.fields["previous_state_duration"] == 660
    assert decoded.fields["previous_state_duration_error"] is None
    assert decoded.fields["previous_state_duration_overflow"] is True


@pytest.mark.parametrize("frame", ["00", "01"])
def test_a_state_of_less_than_a_minute_infers_nothing(frame: str) -> None:
    assert len(read("nwave-nps405", 1, frame).observations) == 1


@pytest.mark.parametrize(
    ("compressed", "minutes"),
    [
        (0, (0, 0, False)),
        (89, (89, 0, False)),
        (90, (90, 4, False)),
        (119, (235, 4, False)),
        (120, (240, 59, False)),
        (126, (600, 59, False)),
        (127, (660, None, True)),
    ],
)
def test_the_compressed_duration_expands_as_the_maker_says(
    compressed: int, minutes: tuple[int, int | None, bool]
) -> None:
    assert duration_minutes(compressed) == minutes


def test_a_compressed_duration_never_claims_more_than_passed() -> None:
    for minutes in range(660):
        least, error, overflow = duration_minutes(compress_minutes(minutes))
        assert not overflow
        assert error is not None
        assert least <= minutes <= least + error


def test_a_tag_registration_confirms_an_occupied_bay_and_never_frees_one() -> None:
    assert read("nwave-nps405", 10, "d11f345678").observations == (
        BayObservation(occupied=True, strength=950),
    )
    nobody = read("nwave-nps405", 10, "d01f345678")
    assert nobody.observations == ()
    assert nobody.fields["occupied"] is None
    assert nobody.fields["previous_state_duration"] is None


@pytest.mark.parametrize(
    ("millivolts", "temperature_c", "grade"),
    [
        (3000, -5, "normal"),
        (2999, -5, "low"),
        (2899, 20, "critical"),
        (2900, -5.5, "normal"),
        (2899, -5.5, "low"),
        (2799, -20, "critical"),
    ],
)
def test_a_cold_battery_may_sag_further(millivolts: int, temperature_c: float, grade: str) -> None:
    assert battery_health(millivolts, temperature_c) == grade


def test_nps405_heartbeat_reports_its_health() -> None:
    assert read("nwave-nps405", 2, "00d3d800590b").health == DeviceHealth(
        battery_v=3.344, battery_low=False, temperature_c=-10
    )


def test_the_state_bit_of_an_nps405_is_no_hardware_fault() -> None:
    occupied = read("nwave-nps405", 2, "01d3d800590b")
    assert occupied.fields["hw_health_status"] == 1  # as the maker's codec has it
    assert occupied.health is not None
    assert occupied.health.faults == ()
    assert strength("nwave-nps405", 2, "01d3d800590b") == 950


def test_an_nps405_with_a_hardware_fault_is_weak() -> None:
    broken = read("nwave-nps405", 2, "05d3d800590b")
    assert broken.health is not None
    assert broken.health.faults == ("hardware-2",)
    assert strength("nwave-nps405", 2, "05d3d800590b") == 300


def test_the_car_counter_counts_passages_and_says_nothing_of_a_bay() -> None:
    assert read("nwave-ncc405", 1, "06aa").observations == (PassageCount(1706, 65536),)
    assert read("nwave-ncc405", 2, "007d7d").observations == ()


def test_the_car_counter_is_low_by_its_daily_mean() -> None:
    assert read("nwave-ncc405", 2, "a86661").health == DeviceHealth(
        battery_v=2.908, battery_low=True, faults=("hardware-40",)
    )


@pytest.mark.parametrize(
    ("model", "frame", "cause"),
    [
        ("nwave-nps310sm", "010d000100", "watchdog"),
        ("nwave-nps310sm", "010d000400", "brownout"),
        ("nwave-nps310sm", "010d000500", "other"),
        ("nwave-nps310sm", "010d000000", "code 0"),
        ("nwave-nps405", "0204090000", "rejoining_lorawan_network"),
        ("nwave-nps405", "0204090300", "user_request"),
        ("nwave-nps405", "0204090600", "brownout"),
        ("nwave-nps405", "0204090400", "code 4"),
        ("bosch-tps110", "000000000000000000000000001d020101", "watchdog"),
        ("bosch-tps110", "000000000000000000000000001d020401", "other"),
        ("bosch-tps110", "000000000000000000000000001d02ff01", "code 255"),
    ],
)
def test_a_start_up_frame_names_its_reset_cause(model: str, frame: str, cause: str) -> None:
    started = read(model, 3, frame)
    assert started.health is not None
    assert started.health.reset_cause == cause


def test_a_cause_without_a_name_is_left_out_of_the_fields_as_the_maker_does() -> None:
    assert "reset_cause" not in read("nwave-nps405", 3, "0204090400").fields


def test_a_bosch_that_could_not_join_says_so() -> None:
    health = read("bosch-tps110", 6, "01000000c90000000200").health
    assert health == DeviceHealth(faults=("join-failed",))


def test_a_bosch_debug_frame_is_little_endian() -> None:
    assert read("bosch-tps110", 6, "78563412240300000a01").fields == {
        "type": "debug",
        "timestamp": 0x12345678,
        "debugCode": 804,
        "sequenceNumber": 266,
    }


@pytest.mark.parametrize(("port", "kind"), [(4, "device information"), (5, "device usage")])
def test_a_bosch_information_frame_is_shown_as_its_bytes(port: int, kind: str) -> None:
    assert read("bosch-tps110", port, "001d02").fields == {"type": kind, "bytes": [0, 29, 2]}


@pytest.mark.parametrize("model", ["nwave-nps310sm", "nwave-nps405", "nwave-ncc405"])
def test_an_nwave_debug_frame_is_shown_as_its_bytes(model: str) -> None:
    assert read(model, 6, "0383").fields == {"type": "debug", "bytes": [3, 131]}


def test_a_tekzipark_without_its_radar_is_weaker_and_an_obstructed_one_is_weak() -> None:
    assert strength("tekzitel-tekzipark", 1, "a82d63") == 950
    assert strength("tekzitel-tekzipark", 1, "a92d63") == 950
    assert strength("tekzitel-tekzipark", 1, "a02d63") == 700
    assert strength("tekzitel-tekzipark", 1, "aa2d63") == 500
    assert strength("tekzitel-tekzipark", 1, "b82d63") == 300


def test_a_tekzipark_reports_its_battery_and_obstruction() -> None:
    assert read("tekzitel-tekzipark", 1, "98f663").health == DeviceHealth(
        battery_low=True, temperature_c=-10, faults=("obstructed",)
    )


def test_a_tekzipark_debug_frame_shows_its_field_and_its_fault() -> None:
    decoded = read("tekzitel-tekzipark", 2, "a82d6301ff807f00010203ff")
    assert decoded.fields == {
        "occupied": 1,
        "keepAlive": 0,
        "reset": 0,
        "No_Beacon": 0,
        "Radar": 1,
        "Obstruction": 3,
        "Good_Battery": 1,
        "Temperature": 45,
        "Parking_ID": 99,
        "Deflection_X": 1,
        "Deflection_Y": -1,
        "Deflection_Z": -128,
        "Baseline_X": 127,
        "Baseline_Y": 0,
        "Baseline_Z": 1,
        "Fault_Code": 2,
        "D_Reflection": 255,
    }
    assert decoded.health is not None
    assert decoded.health.faults == ("obstructed", "fault-2")
    assert decoded.observations == (BayObservation(occupied=True, strength=300),)


def test_half_a_beacon_is_a_truncated_frame() -> None:
    assert decode("tekzitel-tekzipark", 1, bytes.fromhex("a82d63b00055ff")) == Rejected(
        RejectReason.TRUNCATED, "half a beacon at the end of the frame"
    )


@pytest.mark.parametrize(
    ("states", "observed"),
    [
        ("0000", BayObservation(occupied=False, strength=950)),
        ("1110", BayObservation(occupied=True, strength=950)),
        ("1010", BayObservation(occupied=True, strength=500)),
        ("1100", BayObservation(occupied=True, strength=500)),
        ("1000", BayObservation(occupied=True, strength=300)),
        ("0110", BayObservation(occupied=False, strength=300)),
        ("0010", BayObservation(occupied=False, strength=500)),
    ],
)
def test_a_dingtek_is_believed_as_far_as_its_two_principles_agree_with_it(
    states: str, observed: BayObservation
) -> None:
    frame = f"800031021706b4{states}01610010fff6fff0142d00010081"
    assert read("dingtek-do201", 3, frame).observations == (observed,)


def test_a_dingtek_reports_its_own_battery_alarm() -> None:
    frame = "800031021706b4000101610010fff6fff0142d00010081"
    assert read("dingtek-do201", 3, frame).health == DeviceHealth(
        battery_v=3.53, battery_low=True, temperature_c=20
    )


def test_a_temperature_that_cannot_be_is_a_fault_and_no_temperature() -> None:
    frame = "800031021706b4000001610010fff6fff08b2d00010081"
    assert read("dingtek-do201", 3, frame).health == DeviceHealth(
        battery_v=3.53, battery_low=False, faults=("temperature-implausible",)
    )


def test_a_dingtek_parameter_packet_says_nothing_of_the_bay() -> None:
    decoded = read("dingtek-do202", 3, "80003203100101181e3c003c14000081")
    assert decoded.observations == ()
    assert decoded.health == DeviceHealth(firmware="1.1")


def test_a_wxhs_is_believed_less_for_want_of_a_document() -> None:
    assert wxhs(parking_state=0).observations == (BayObservation(occupied=False, strength=650),)
    assert wxhs(parking_state=1).observations == (BayObservation(occupied=True, strength=650),)


def test_a_wxhs_state_without_a_meaning_is_unknown() -> None:
    assert wxhs(parking_state=2).observations == (BayObservation(occupied=None, strength=650),)


def test_a_wxhs_alarm_is_a_fault_and_weakens() -> None:
    alarmed = wxhs(parking_state=1, Alarm_info=4, battery_voltage=3.6559998989105225)
    assert alarmed.health == DeviceHealth(battery_v=3.656, faults=("alarm-4",))
    assert alarmed.observations == (BayObservation(occupied=True, strength=300),)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"{]", RejectReason.UNKNOWN_FRAME),
        (b"[1]", RejectReason.UNKNOWN_FRAME),
        (b'{"Model":"X","parking_state":0}', RejectReason.UNKNOWN_FRAME),
        (b'{"parking_state":true}', RejectReason.BAD_VALUE),
        (b'{"parking_state":"0"}', RejectReason.BAD_VALUE),
        (b"{", RejectReason.TRUNCATED),
        (b'{"parking_state":0}' + b" " * 5000, RejectReason.OVERSIZED),
    ],
)
def test_a_wxhs_payload_that_is_none_is_rejected(frame: bytes, reason: RejectReason) -> None:
    rejected = decode("wxhs-p-md", 0, frame)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason
