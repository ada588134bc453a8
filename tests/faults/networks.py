"""Network servers that send at least once: whatever is not answered is sent again.

Webhooks in batches and MQTT with QoS 1. What was answered, and how often something was handed
over, is written down; nothing else is assumed.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from tests.faults.town import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.traffic import Frame, Traffic

PATHS: Final = {
    "ttn": "/api/v1/uplinks/ttn",
    "chirpstack": "/api/v1/uplinks/chirpstack?event=up",
    "ctwing": "/api/v1/uplinks/ctwing",
}
ANSWER_TIMEOUT_S: Final = 20.0
AGAIN_AFTER_S: Final = 0.1
LONGEST_WAIT_S: Final = 1.0
"""Of what `Retry-After` asks for: the system is back long before it dares to promise."""
IN_FLIGHT: Final = 100
HTTP_ACCEPTED, HTTP_TOO_MANY, HTTP_UNAVAILABLE = 202, 429, 503


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard it is sent."""

    senders: int
    batch: int = 100
    """Messages in a request, at most."""
    pause_s: float = 0.0
    """Between two requests of a sender."""


class Ledger:
    """What one sender handed over and what was answered, by frame."""

    def __init__(self) -> None:
        self.tried: Counter[int] = Counter()
        """Requests that a frame was in; of MQTT the times it was published, repeats not seen."""
        self.answered: Counter[int] = Counter()
        self.statuses: Counter[str] = Counter()
        """Answers by status; `none` where the connection ended without one."""
        self.strange: list[str] = []
        """Answers that no network server should ever get."""

        self.posted = self.acknowledged = 0

    def add(self, other: Ledger) -> None:
        """Add what another one wrote down."""
        self.tried += other.tried
        self.answered += other.answered
        self.statuses += other.statuses
        self.strange += other.strange
        self.posted += other.posted
        self.acknowledged += other.acknowledged

    @property
    def done(self) -> int:
        """Sendings that were answered."""
        return self.posted + self.acknowledged


class Webhooks:
    """One keep-alive connection to the API."""

    def __init__(self, port: int, token: str, ledger: Ledger, halt: threading.Event) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._ledger = ledger
        self._halt = halt
        self._connection: http.client.HTTPConnection | None = None

    def deliver(self, way: str, frames: Sequence[Frame]) -> None:
        """Send until it is answered with 202."""
        body = orjson.dumps([frame.body for frame in frames])
        while not self._halt.is_set():
            self._ledger.tried.update(frame.number for frame in frames)
            status, wait_s, answer = self._post(PATHS[way], body)
            self._ledger.statuses[str(status or "none")] += 1
            if status == HTTP_ACCEPTED:
                self._note(frames, orjson.loads(answer))
                return
            if status not in {0, HTTP_TOO_MANY, HTTP_UNAVAILABLE}:
                self._ledger.strange.append(f"{way}: {status} {answer[:300]!r}")
            self._halt.wait(wait_s)

    def _post(self, path: str, body: bytes) -> tuple[int, float, bytes]:
        """Give status, seconds to wait and body; status 0 where no answer came."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=ANSWER_TIMEOUT_S
            )
        try:
            self._connection.request("POST", path, body, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, AGAIN_AFTER_S, b""
        wait_s = min(LONGEST_WAIT_S, float(answer.headers.get("Retry-After") or AGAIN_AFTER_S))
        return answer.status, wait_s, content

    def _note(self, frames: Sequence[Frame], answer: dict[str, list[dict[str, Any]]]) -> None:
        """Write down that all frames of a batch were answered, each in the right list."""
        kept = {each["index"] for each in answer["accepted"]}
        unreadable = {each["index"] for each in answer["rejected"]}
        if kept | unreadable != set(range(len(frames))):
            self._ledger.strange.append(f"indices {sorted(kept)} and {sorted(unreadable)}")
        self._ledger.answered.update(frame.number for frame in frames)
        self._ledger.posted += len(frames)

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Publisher:
    """An MQTT client that publishes with QoS 1 and sends again what was not acknowledged."""

    def __init__(self, port: int, token: str, name: str, ledger: Ledger) -> None:
        self._lock = threading.Condition()
        self._ledger = ledger
        self._waiting: dict[int, int] = {}
        self._early: set[int] = set()
        self._open = 0
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=name, clean_session=False, protocol=MQTTv311
        )
        self._client.username_pw_set(BRIDGE, token)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def _on_publish(self, _c: Any, _u: Any, mid: int, _r: Any, _p: Any) -> None:
        with self._lock:
            number = self._waiting.pop(mid, None)
            if number is None:
                self._early.add(mid)  # before `publish` has returned its number
                return
            self._acknowledged(number)

    def _acknowledged(self, number: int) -> None:
        self._ledger.answered[number] += 1
        self._ledger.acknowledged += 1
        self._open -= 1
        self._lock.notify_all()

    def publish(self, frames: Sequence[Frame]) -> None:
        """Hand frames to the client."""
        for frame in frames:
            sensor = frame.sensor
            topic = f"greenbay/v1/{sensor.district}/{sensor.network_key}/up"
            with self._lock:
                self._open += 1
                self._ledger.tried[frame.number] += 1
            mid = self._client.publish(topic, orjson.dumps(frame.body), qos=1).mid
            with self._lock:
                if mid in self._early:
                    self._early.discard(mid)
                    self._acknowledged(frame.number)
                else:
                    self._waiting[mid] = frame.number

    def wait(self, halt: threading.Event) -> None:
        """Wait until everything is acknowledged."""
        with self._lock:
            while self._open and not halt.is_set():
                self._lock.wait(0.5)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


class Sender(threading.Thread):
    """One network's worth of sending: its share of the spots, step by step.

    A step begins when all of the one before was answered. So a bay's frames arrive within the
    lateness window of one another, however long the system is away.
    """

    def __init__(self, owner: int, traffic: Traffic, port: int, token: str, pace: Pace) -> None:
        super().__init__(name=f"sender-{owner}")
        self.ledger = Ledger()
        self.halt = threading.Event()
        self.error: BaseException | None = None
        self._steps = traffic.steps(owner, pace.senders)
        self._pace = pace
        self._port = port
        self._token = token

    def run(self) -> None:
        """Send everything."""
        webhooks = Webhooks(self._port, self._token, self.ledger, self.halt)
        publisher = Publisher(self._port + 2, self._token, self.name, self.ledger)
        try:
            for step in self._steps:
                publisher.publish(step.get("mqtt", ()))
                for way, frames in step.items():
                    if way != "mqtt":
                        for first in range(0, len(frames), self._pace.batch):
                            webhooks.deliver(way, frames[first : first + self._pace.batch])
                            self.halt.wait(self._pace.pause_s)
                publisher.wait(self.halt)
                if self.halt.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for this thread
            self.error = error
        finally:
            webhooks.close()
            publisher.close()


class Senders:
    """All of them."""

    def __init__(self, traffic: Traffic, port: int, token: str, pace: Pace) -> None:
        self._all = [Sender(n, traffic, port, token, pace) for n in range(pace.senders)]

    def start(self) -> None:
        """Begin to send."""
        for sender in self._all:
            sender.start()

    @property
    def answered(self) -> int:
        """Sendings that were answered so far."""
        return sum(sender.ledger.done for sender in self._all)

    @property
    def busy(self) -> bool:
        """Whether any of them still sends."""
        return any(sender.is_alive() for sender in self._all)

    def finish(self, *, patience_s: float) -> Ledger:
        """Wait for all of them; give what all wrote down."""
        deadline = time.monotonic() + patience_s
        for sender in self._all:
            sender.join(max(0.0, deadline - time.monotonic()))
        late = [sender.name for sender in self._all if sender.is_alive()]
        self.halt()
        whole = Ledger()
        for sender in self._all:
            if sender.error is not None:
                raise sender.error
            whole.add(sender.ledger)
        assert not late, f"not done after {patience_s:.0f} s: {late}, {dict(whole.statuses)}"
        return whole

    def halt(self) -> None:
        """Let all of them end at once, whatever is not answered."""
        for sender in self._all:
            sender.halt.set()
        for sender in self._all:
            if sender.is_alive():
                sender.join()
