"""The way of the virtual sensors' messages to the broker, device by device in order."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final
from zlib import crc32

import structlog

from web.demo.mqtt_device import BrokerAddress, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from web.demo.sensors import Message

LANES: Final = 8
"""Messages under way at a time. A device is always in the same lane, so its messages stay in
order and it never meets itself at the broker."""
MOST_WAITING: Final = 2_500
"""Of a lane, while the broker is away; past it the oldest are lost, as in a real device."""
RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 8.0

log = structlog.get_logger("demo")


class Senders:
    """Sends messages until they are acknowledged, a thread a lane.

    Parameters
    ----------
    broker
        Where to.
    tokens
        By network key.
    """

    def __init__(self, broker: BrokerAddress, tokens: Mapping[str, str]) -> None:
        self._broker = broker
        self._tokens = tokens
        self._stopped = threading.Event()
        self._lanes = [_Lane(self._send, self._stopped, number) for number in range(LANES)]
        for lane in self._lanes:
            lane.start()

    @property
    def waiting(self) -> int:
        """Messages not acknowledged yet."""
        return sum(lane.waiting for lane in self._lanes)

    @property
    def sent(self) -> int:
        """Messages acknowledged so far."""
        return sum(lane.sent for lane in self._lanes)

    @property
    def lost(self) -> int:
        """Messages that found no room while the broker was away."""
        return sum(lane.lost for lane in self._lanes)

    def send(self, messages: Iterable[Message]) -> None:
        """Queue messages; returns at once."""
        for message in messages:
            self._lanes[crc32(message.network_key.encode()) % LANES].put(message)

    def stop(self, patience_s: float) -> None:
        """Send no more; what is under way gets a little time to be acknowledged."""
        self._stopped.set()
        for lane in self._lanes:
            lane.join(patience_s / LANES)

    def _send(self, message: Message) -> None:
        publish(self._broker, message, self._tokens[message.network_key])


class _Lane(threading.Thread):
    def __init__(
        self, send: Callable[[Message], None], stopped: threading.Event, number: int
    ) -> None:
        super().__init__(name=f"sensors-{number}", daemon=True)
        self._send = send
        self._stopped = stopped
        self._some = threading.Condition()
        self._messages: deque[Message] = deque()
        self.sent = 0
        self.lost = 0

    @property
    def waiting(self) -> int:
        return len(self._messages)

    def put(self, message: Message) -> None:
        with self._some:
            if len(self._messages) >= MOST_WAITING:
                self._messages.popleft()
                self.lost += 1
            self._messages.append(message)
            self._some.notify()

    def run(self) -> None:
        wait_s = RETRY_S
        while not self._stopped.is_set():
            with self._some:
                if not self._messages and not self._some.wait(0.5):
                    continue
                message = self._messages.popleft() if self._messages else None
            if message is None:
                continue
            try:
                self._send(message)
            except OSError as error:
                log.info("the broker is away", error=str(error), waiting=self.waiting)
                with self._some:
                    self._messages.appendleft(message)
                self._stopped.wait(wait_s)
                wait_s = min(2 * wait_s, LONGEST_RETRY_S)
            else:
                self.sent += 1
                wait_s = RETRY_S
