"""The demo's sensors: whatever they send is what a real network server would send of a real one."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from city.time import to_ms
from parking.adapters import mqtt, ttn
from parking.rules.sensors.codecs import MODELS, decode
from parking.rules.sensors.model import BayObservation, Decoded
from parking.uplinks import Uplink
from web.demo.prepare import plan_city
from web.demo.sensors import GARAGE_MODELS, KERB_MODELS, Message, SensorField
from web.demo.traffic import Traffic

PLAN = plan_city()
BY_KEY = {each.network_key: each for each in PLAN.sensors}
MORNING = datetime(2026, 7, 14, 0, 40, tzinfo=UTC)


def read(message: Message) -> Uplink:
    """Read a message as the broker's desk does."""
    topic = mqtt.parse_topic(message.topic)
    assert topic is not None
    uplink = mqtt.read_message(topic, message.payload)
    assert isinstance(uplink, Uplink)
    assert ttn.read(message.payload).uplinks[0].frame == uplink.frame
    return uplink


def states(message: Message) -> list[BayObservation]:
    """Give what a message's frame says of the bay now."""
    uplink = read(message)
    decoded = decode(BY_KEY[message.network_key].model, uplink.port, uplink.frame)
    assert isinstance(decoded, Decoded), (message, decoded)
    return [
        each
        for each in decoded.observations
        if isinstance(each, BayObservation) and not each.inferred
    ]


@pytest.fixture(scope="module")
def afternoon() -> tuple[Traffic, list[tuple[datetime, Message]]]:
    """Give four hours of the town: its traffic at the end, and every message when it was sent."""
    traffic = Traffic(PLAN.facilities, 1, MORNING)
    field = SensorField(PLAN.sensors, 1, "first")
    field.switch_on(MORNING, traffic.taken, timedelta(minutes=2), first=True)
    sent: list[tuple[datetime, Message]] = []
    now = MORNING
    for _ in range(4 * 60):
        now += timedelta(minutes=1)
        for move in traffic.until(now):
            field.sense(move.bay.bay_id, move.at, occupied=move.arrives)
        sent += [(now, each) for each in field.until(now)]
    # What was noticed in the last minute comes in the next: nobody moves any more.
    sent += [(now, each) for each in field.until(now + timedelta(minutes=2))]
    return traffic, sent


def test_every_sensor_has_a_key_of_its_own_and_a_model_that_is_known() -> None:
    assert len(BY_KEY) == 1_770
    assert {each.model for each in PLAN.sensors} == {*KERB_MODELS, *GARAGE_MODELS}
    assert {each.model for each in PLAN.sensors} <= set(MODELS)


def test_every_message_is_read_and_its_last_word_is_the_bays_state(
    afternoon: tuple[Traffic, list[tuple[datetime, Message]]],
) -> None:
    traffic, sent = afternoon
    last: dict[str, bool | None] = {}
    for _, message in sent:
        (said,) = states(message)
        last[message.network_key] = said.occupied
    silent = {key for key, each in BY_KEY.items() if each.silent}
    assert set(last) == set(BY_KEY) - silent
    assert 0 < len(silent) < 30
    wrong = [key for key, said in last.items() if said != (BY_KEY[key].bay.bay_id in traffic.taken)]
    assert wrong == []


def test_a_devices_counter_grows_by_one_from_message_to_message(
    afternoon: tuple[Traffic, list[tuple[datetime, Message]]],
) -> None:
    counters: dict[str, list[int]] = defaultdict(list)
    sessions: dict[str, set[str | None]] = defaultdict(set)
    for _, message in afternoon[1]:
        uplink = read(message)
        counters[message.network_key].append(uplink.counter or 0)
        sessions[message.network_key].add(uplink.session)
    assert all(len(each) == 1 for each in sessions.values())
    assert all(each == list(range(1, len(each) + 1)) for each in counters.values())


def test_a_device_tells_its_own_district_and_never_another_time_than_it_is_sent(
    afternoon: tuple[Traffic, list[tuple[datetime, Message]]],
) -> None:
    for now, message in afternoon[1][:2_000]:
        uplink = read(message)
        assert uplink.network_key == message.network_key
        assert uplink.district == BY_KEY[message.network_key].facility.district
        assert uplink.at_ms is not None
        assert to_ms(now) - 60_000 <= uplink.at_ms <= to_ms(now)


def test_a_device_never_reports_two_changes_at_once_or_out_of_order() -> None:
    field = SensorField(PLAN.sensors, 1, "s")
    sensor = next(each for each in PLAN.sensors if not each.silent and not each.flickers)
    field.switch_on(MORNING, (), timedelta(seconds=1), first=False)
    field.until(MORNING + timedelta(minutes=1))
    at = MORNING + timedelta(minutes=2)
    for step in range(40):
        field.sense(sensor.bay.bay_id, at + timedelta(seconds=step / 10), occupied=step % 2 == 0)
    sent = [
        each
        for each in field.until(at + timedelta(minutes=10))
        if each.network_key == sensor.network_key
    ]
    assert [states(each)[0].occupied for each in sent] == [step % 2 == 0 for step in range(40)]
    times = [read(each).at_ms or 0 for each in sent]
    assert times == sorted(set(times))


def test_a_sensor_says_what_it_sees_when_it_speaks_not_when_it_was_switched_on() -> None:
    """A car may leave before its sensor's turn to join: an old word must not come after a new."""
    field = SensorField(PLAN.sensors, 1, "s")
    taken = [each.bay.bay_id for each in PLAN.sensors]
    field.switch_on(MORNING, taken, timedelta(minutes=20), first=True)
    for bay_id in taken:
        field.sense(bay_id, MORNING + timedelta(minutes=5), occupied=False)
    last: dict[str, bool | None] = {}
    for message in field.until(MORNING + timedelta(minutes=21)):
        last[message.network_key] = states(message)[0].occupied
    assert set(last.values()) == {False}


def test_sensors_of_another_life_are_never_taken_for_duplicates() -> None:
    sent: dict[str, set[tuple[str, str | None, int | None]]] = {}
    for session in ("0197f0000001", "0197f0000002"):
        field = SensorField(PLAN.sensors, 1, session)
        field.switch_on(MORNING, (), timedelta(seconds=9), first=False)
        uplinks = [read(each) for each in field.until(MORNING + timedelta(minutes=5))]
        sent[session] = {(each.network_key, each.session, each.counter) for each in uplinks}
        assert len(sent[session]) == len(uplinks)
    first, second = sent.values()
    assert first & second == set()


def test_a_new_life_claims_nothing_about_the_time_before_it() -> None:
    """A false 'was free until now' would end the stay of a car that stood there all the time."""
    field = SensorField(PLAN.sensors, 1, "s")
    taken = [each.bay.bay_id for each in PLAN.sensors]
    field.switch_on(MORNING, taken, timedelta(minutes=2), first=False)
    leaving = MORNING + timedelta(minutes=10)
    for bay_id in taken:
        field.sense(bay_id, leaving, occupied=False)
    for message in field.until(MORNING + timedelta(minutes=20)):
        uplink = read(message)
        decoded = decode(BY_KEY[message.network_key].model, uplink.port, uplink.frame)
        assert isinstance(decoded, Decoded)
        claims = [
            each
            for each in decoded.observations
            if isinstance(each, BayObservation) and each.inferred
        ]
        if not BY_KEY[message.network_key].flickers:
            assert claims == []


def test_an_envelope_looks_like_the_things_stacks(
    afternoon: tuple[Traffic, list[tuple[datetime, Message]]],
) -> None:
    message = orjson.loads(afternoon[1][0][1].payload)
    assert set(message) == {"end_device_ids", "received_at", "uplink_message"}
    uplink = message["uplink_message"]
    assert {"f_port", "f_cnt", "frm_payload", "rx_metadata", "received_at"} <= set(uplink)
    assert uplink["rx_metadata"][0]["rssi"] < 0
