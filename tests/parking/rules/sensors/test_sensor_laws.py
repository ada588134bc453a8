"""Laws that hold for every codec, whatever the bytes."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from parking.rules.sensors import dingtek_downlinks
from parking.rules.sensors.codecs import MODELS, decode, decode_downlink, decode_uncached, encode
from parking.rules.sensors.frames import BUILDERS, build
from parking.rules.sensors.model import BayObservation, Decoded, PassageCount, Rejected
from parking.rules.sensors.tekzitel import CONFIGURATION

models = st.sampled_from(sorted(MODELS))
bays = st.sampled_from(sorted(BUILDERS))
kinds = st.sampled_from(["status", "heartbeat", "startup"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def check(result: Decoded | Rejected) -> None:
    """Hold a result to what the model promises."""
    if isinstance(result, Rejected):
        assert result.detail
        return
    json.dumps(dict(result.fields), allow_nan=False)
    ages = []
    for observed in result.observations:
        if isinstance(observed, PassageCount):
            assert 0 <= observed.value < observed.wraps_at
            continue
        assert 0 <= observed.strength <= 1000
        assert observed.age_s >= 0
        assert observed.inferred == (observed.age_s > 0)
        ages.append(observed.age_s)
    assert ages == sorted(ages, reverse=True)
    if result.health is not None:
        json.dumps(asdict(result.health), allow_nan=False)


@given(model=models, port=st.integers(-1, 256), frame=st.binary(max_size=300))
def test_any_bytes_on_any_port_are_decoded_or_rejected(model: str, port: int, frame: bytes) -> None:
    check(decode_uncached(model, port, frame))


@pytest.mark.parametrize("model", sorted(MODELS))
@given(data=st.data())
def test_any_bytes_of_a_length_that_occurs_are_decoded_or_rejected(
    model: str, data: st.DataObject
) -> None:
    uplinks = MODELS[model].uplinks
    port = data.draw(st.sampled_from(sorted(uplinks)))
    uplink = uplinks[port]
    longest = min(uplink.longest, 64)
    check(
        decode_uncached(
            model, port, data.draw(st.binary(min_size=uplink.shortest, max_size=longest))
        )
    )


@given(
    head=st.sampled_from(["800002", "800031", "800032"]), rest=st.binary(max_size=22), model=models
)
def test_any_bytes_after_a_dingtek_head_are_decoded_or_rejected(
    head: str, rest: bytes, model: str
) -> None:
    check(decode_uncached(model, 3, bytes.fromhex(head) + rest))


@given(payload=st.dictionaries(st.text(), json_values, max_size=5), state=json_values)
@example(payload={"battery_voltage": 1e308, "Alarm_info": 2**70}, state=1)
def test_any_json_of_a_wxhs_is_decoded_or_rejected(
    payload: dict[str, JsonValue], state: JsonValue
) -> None:
    frame = json.dumps({**payload, "parking_state": state}).encode("utf-8", "surrogatepass")
    check(decode_uncached("wxhs-p-md", 0, frame))


@given(model=models, port=st.integers(-1, 256), frame=st.binary(max_size=40))
def test_any_bytes_are_a_downlink_or_none(model: str, port: int, frame: bytes) -> None:
    result = decode_downlink(model, port, frame)
    assert isinstance(result, Rejected | dict)


@given(frame=st.text("0123456789ABCDEFabcdef +_-", max_size=12))
def test_any_text_after_a_dingtek_key_is_a_downlink_or_none(frame: str) -> None:
    result = decode_downlink("dingtek-do201", 3, b"80029999" + frame.encode() + b"81")
    if not isinstance(result, Rejected):
        assert encode("dingtek-do201", result).frame == b"80029999" + frame.upper().encode() + b"81"


@given(data=st.data())
def test_a_dingtek_downlink_decodes_to_what_was_encoded(data: st.DataObject) -> None:
    dialects = {
        "dingtek-do200": dingtek_downlinks.DO200,
        "dingtek-do201": dingtek_downlinks.DO201,
        "dingtek-do202": dingtek_downlinks.DO202,
    }
    model = data.draw(st.sampled_from(sorted(dialects)))
    parameter = data.draw(st.sampled_from(dialects[model].parameters))
    message: dict[str, JsonValue] = {
        parameter.names[0]: data.draw(st.integers(parameter.least, parameter.most))
    }
    downlink = encode(model, message)
    assert decode_downlink(model, downlink.port, downlink.frame) == message


@given(data=st.data())
def test_a_tekzipark_downlink_decodes_to_what_was_encoded(data: st.DataObject) -> None:
    message: dict[str, JsonValue] = {
        name: data.draw(st.integers(0, (1 << bits) - 1)) for name, _, _, bits in CONFIGURATION
    }
    downlink = encode("tekzitel-tekzipark", message)
    assert decode_downlink("tekzitel-tekzipark", downlink.port, downlink.frame) == message


def test_the_configuration_of_a_tekzipark_uses_each_of_its_64_bits_once() -> None:
    used = [at * 8 + low + bit for _, at, low, bits in CONFIGURATION for bit in range(bits)]
    assert sorted(used) == list(range(64))


@given(
    model=bays,
    occupied=st.booleans(),
    sent=st.fixed_dictionaries(
        {
            "kind": kinds,
            "counter": st.integers(0, 2**32 - 1),
            "battery_v": st.floats(2.5, 3.5),
            "temperature_c": st.integers(-40, 70),
            "previous_state_s": st.none() | st.integers(0, 10**6),
            "at_ms": st.none() | st.integers(0, 2**42),
        }
    ),
)
def test_a_built_frame_decodes_back_to_its_state(
    model: str, occupied: bool, sent: dict[str, Any]
) -> None:
    decoded = decode(model, *build(model, occupied, **sent))
    assert isinstance(decoded, Decoded), decoded
    now = decoded.observations[-1]
    assert isinstance(now, BayObservation)
    assert now.occupied is occupied
    if decoded.health is not None and decoded.health.battery_v is not None:
        assert abs(decoded.health.battery_v - sent["battery_v"]) <= 0.006
    if decoded.health is not None and decoded.health.temperature_c is not None:
        assert decoded.health.temperature_c == sent["temperature_c"]


@given(occupied=st.booleans(), lasted_s=st.integers(60, 659 * 60))
def test_a_built_nps405_status_never_lengthens_a_stay(occupied: bool, lasted_s: int) -> None:
    _, frame = build("nwave-nps405", occupied, previous_state_s=lasted_s)
    decoded = decode("nwave-nps405", 1, frame)
    assert isinstance(decoded, Decoded)
    before, now = decoded.observations
    assert isinstance(before, BayObservation)
    assert isinstance(now, BayObservation)
    assert before.occupied is not now.occupied
    if before.occupied:
        assert before.age_s <= lasted_s
    else:
        assert before.age_s > lasted_s - 60
