"""A day's frames of a town in the order in which networks hand them over.

Late and out of order within the lateness window, some twice, over several join sessions, with
flickers, some that no codec reads. From a seed.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import orjson

from city.time import from_ms, rfc3339
from parking.rules.sensors.frames import Kind, build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.town import Sensor, Spot, Town, Way

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
STEP_MS: Final = 5 * MINUTE_MS
"""Frames of a step may go in any order; with the longest delay it stays inside the window."""
LONGEST_DELAY_MS: Final = 24 * MINUTE_MS
LATE_SHARE, TWICE_SHARE, REJOIN_SHARE, BAD_SHARE, WRONG_SHARE = 0.1, 0.03, 0.05, 0.004, 0.02
HEARTBEAT_SHARE: Final = 0.2
BAD_PORT: Final = 200
SILENT_HOURS: Final = 3
SURPLUS: Final = 1.05


class Frame(NamedTuple):
    """One frame, as it is handed over; sent once or more."""

    number: int
    sensor: Sensor
    at_ms: int
    session: str | None
    counter: int | None
    message_id: str | None
    port: int
    payload: bytes
    body: dict[str, Any]
    """The network server's message."""


Key = tuple[str, str | None, int | None, str | None, int, int, bytes]


def content_key(frame: Frame) -> Key:
    """Give what a frame is recognised by in the archive: all that was sent of it."""
    return (
        frame.sensor.network_key,
        frame.session,
        frame.counter,
        frame.message_id,
        frame.at_ms,
        frame.port,
        frame.payload,
    )


class Sending(NamedTuple):
    """A frame at the moment when its network hands it over."""

    at_ms: int
    order: int
    frame: Frame
    owner: int
    """Whose spot it is: all frames of a spot go the same way, one step after the other."""


@dataclass(slots=True)
class _Voice:
    """What a device remembers of itself."""

    sensor: Sensor
    session: str = ""
    counter: int = 0
    changed_ms: int = 0
    occupied: bool = False


class Traffic:
    """Everything that is sent.

    Parameters
    ----------
    town
        Who sends.
    uplinks
        How many sendings, repeated ones included.
    seed
        Decides all of it.
    begin_ms, end_ms
        Event time of the first and the last frame.
    first_number
        Of its frames; above those of the traffic before.
    spots
        Which of the town's speak; all if None.
    """

    def __init__(
        self,
        town: Town,
        uplinks: int,
        seed: int,
        begin_ms: int,
        end_ms: int,
        *,
        first_number: int = 1,
        spots: Sequence[Spot] | None = None,
    ) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable traffic, no secret
        self._begin_ms, self._end_ms = begin_ms, end_ms
        self._sendings: list[Sending] = []
        self._number = first_number - 1
        speaking = town.spots if spots is None else spots
        each = max(2, round(uplinks * SURPLUS / len(speaking)))
        for spot in speaking:
            self._speak(spot, each)
        for number, stranger in enumerate(town.strangers):
            voice = _Voice(stranger)
            for _ in range(20):
                at_ms = self._random.randrange(begin_ms, end_ms)
                self._hand_over(self._frame(voice, at_ms, "status"), number)
        self._sendings.sort(key=lambda one: one[:2])
        assert len(self._sendings) >= uplinks, "too little was planned"
        # The rest is lost in the air.
        heard = sorted(self._random.sample(range(len(self._sendings)), uplinks))
        self.sendings = [self._sendings[number] for number in heard]
        self.frames = {sending.frame.number: sending.frame for sending in self.sendings}

    def steps(self, owner: int, owners: int) -> list[dict[Way, list[Frame]]]:
        """Give one sender's share, step by step, by way, in a mixed order within each."""
        random = Random(owner)  # noqa: S311 - as above
        steps: dict[int, dict[Way, list[Frame]]] = {}
        for sending in self.sendings:
            if sending.owner % owners == owner:
                step = steps.setdefault((sending.at_ms - self._begin_ms) // STEP_MS, {})
                step.setdefault(sending.frame.sensor.way, []).append(sending.frame)
        for step in steps.values():
            for frames in step.values():
                random.shuffle(frames)
        return [steps[number] for number in sorted(steps)]

    # --- one spot --------------------------------------------------------------------------------

    def _speak(self, spot: Spot, frames: int) -> None:
        random = self._random
        voices = [_Voice(sensor) for sensor in spot.sensors]
        turns = max(1, frames // len(voices))
        end_ms = self._end_ms
        if spot.silent:
            end_ms = min(end_ms, self._begin_ms + SILENT_HOURS * HOUR_MS)
        span_ms = end_ms - self._begin_ms
        at_ms = self._begin_ms + random.randrange(min(HOUR_MS, span_ms // 4))
        long_ms = 3 * span_ms / turns
        occupied = False
        for turn in range(turns):
            heartbeat = random.random() < HEARTBEAT_SHARE
            if not heartbeat:
                occupied = not occupied
            for voice in voices:
                said = occupied if random.random() > WRONG_SHARE else not occupied
                self._say(spot, voice, at_ms + random.randrange(9_000), said, heartbeat=heartbeat)
            if turn == turns - 2 and not spot.silent:
                at_ms = max(
                    at_ms + 30_000, end_ms - random.randrange(min(4 * HOUR_MS, span_ms // 2))
                )
            else:
                at_ms += self._pause_ms(long_ms)
            if at_ms >= end_ms - 10_000:
                return

    def _pause_ms(self, long_ms: float) -> int:
        draw = self._random.random()
        if draw < 0.25:
            return self._random.randrange(3_000, 40_000)
        if draw < 0.5:
            return min(self._random.randrange(MINUTE_MS, 12 * MINUTE_MS), 1 + int(long_ms))
        return 1 + int(self._random.random() * long_ms)

    def _say(
        self, spot: Spot, voice: _Voice, at_ms: int, occupied: bool, *, heartbeat: bool
    ) -> None:
        if self._random.random() < REJOIN_SHARE:
            voice.counter, voice.session = 0, ""
        kind: Kind = "heartbeat" if heartbeat else "status"
        if not voice.session:
            voice.session = f"{self._random.getrandbits(32):08x}"
            kind = "startup"
        voice.occupied = occupied
        self._hand_over(self._frame(voice, at_ms, kind), spot.number)
        if not heartbeat:
            voice.changed_ms = at_ms

    def _frame(self, voice: _Voice, at_ms: int, kind: Kind) -> Frame:
        sensor = voice.sensor
        counter, voice.counter = voice.counter, voice.counter + 1
        voice.session = voice.session or f"{self._random.getrandbits(32):08x}"
        before_s = (at_ms - voice.changed_ms) // 1000 if voice.changed_ms else None
        port, payload = build(
            sensor.model,
            voice.occupied,
            kind=kind,
            counter=counter,
            battery_v=round(self._random.uniform(3.2, 3.6), 2),
            temperature_c=self._random.randrange(-5, 35),
            previous_state_s=before_s if before_s is None or before_s >= 0 else None,
            at_ms=at_ms - self._random.randrange(60_000),
        )
        self._number += 1
        if sensor.way == "ctwing":
            return _ctwing(self._number, sensor, at_ms, payload)
        if self._random.random() < BAD_SHARE:
            port = BAD_PORT
        write = _chirpstack if sensor.way == "chirpstack" else _ttn
        return write(self._number, sensor, at_ms, (voice.session, counter), port, payload)

    def _hand_over(self, frame: Frame, owner: int) -> None:
        random = self._random
        times = 2 if random.random() < TWICE_SHARE else 1
        for _ in range(times):
            late = random.random() < LATE_SHARE
            delay_ms = random.randrange(LONGEST_DELAY_MS) if late else random.randrange(MINUTE_MS)
            order = len(self._sendings)
            self._sendings.append(Sending(frame.at_ms + delay_ms, order, frame, owner))


# --- the network servers' messages ---------------------------------------------------------------


def _text(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def _ttn(
    number: int, sensor: Sensor, at_ms: int, name: tuple[str, int], port: int, payload: bytes
) -> Frame:
    session, counter = name
    uplink: dict[str, Any] = {
        "session_key_id": session,
        "f_port": port,
        "frm_payload": _text(payload),
        "rx_metadata": [{"gateway_ids": {"gateway_id": "g1"}, "rssi": -97, "snr": 7.5}],
        "received_at": rfc3339(from_ms(at_ms)),
    }
    if counter:  # 0 is omitted, as The Things Stack does
        uplink["f_cnt"] = counter
    body = {
        "end_device_ids": {
            "device_id": f"sensor-{sensor.network_key}",
            "application_ids": {"application_id": "kerb"},
            "dev_eui": sensor.network_key.upper(),
        },
        "received_at": rfc3339(from_ms(at_ms + 40)),
        "uplink_message": uplink,
    }
    return Frame(number, sensor, at_ms, session, counter, None, port, payload, body)


def _chirpstack(
    number: int, sensor: Sensor, at_ms: int, name: tuple[str, int], port: int, payload: bytes
) -> Frame:
    session, counter = name
    message_id = str(UUID(int=number))
    body = {
        "deduplicationId": message_id,
        "time": rfc3339(from_ms(at_ms + 700)),
        "deviceInfo": {"applicationName": "kerb", "devEui": sensor.network_key},
        "devAddr": session,
        "fCnt": counter,
        "fPort": port,
        "data": _text(payload),
        "rxInfo": [{"gatewayId": "g2", "rssi": -90, "snr": 9.0, "nsTime": rfc3339(from_ms(at_ms))}],
    }
    return Frame(number, sensor, at_ms, session, counter, message_id, port, payload, body)


def _ctwing(number: int, sensor: Sensor, at_ms: int, payload: bytes) -> Frame:
    content = {**orjson.loads(payload), "mag_id": int(sensor.network_key[-6:])}
    # A restart sets the counters back; the sensor's clock tells its messages apart.
    message_id = ":".join(
        str(content[name]) for name in ("mag_id", "ptime", "pack_count", "Send_cnt")
    )
    body = {
        "messageType": "dataReport",
        "protocol": "lwm2m",
        "productId": "15034864",
        "deviceId": sensor.network_key,
        "timestamp": at_ms,
        "payload": content,
    }
    return Frame(number, sensor, at_ms, None, None, message_id, 0, orjson.dumps(content), body)
