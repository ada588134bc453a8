"""One connection of GA/T 1049.2, whoever dialled and whoever asks; shared by threads.

Answers belong to requests by their sequence, in any order; what is broken, late, repeated or comes
with a strange token is counted and passed over. Each wait is bounded whatever the other side sends.
"""

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from city.errors import Invalid
from city.time import WallClock
from signals.adapters.gbt20999.link import Patience, Traffic
from signals.rules.controllers.gat1049.codes import sequence
from signals.rules.controllers.gat1049.desk import (
    HEARTBEAT,
    Admit,
    Desk,
    Guest,
    answer,
    changed,
)
from signals.rules.controllers.gat1049.messages import (
    PLATFORM,
    SYSTEM,
    Fault,
    Kind,
    Message,
    Splitter,
    Verb,
    decode,
    encode,
)
from signals.rules.controllers.gat1049.nodes import Node, branch, leaf
from signals.rules.controllers.line import NoAnswer, Refused

BEAT_S: Final = 30.0
DEAD_S: Final = 90.0
"""Without a word of the other side the connection is over (one public implementation)."""
_LOG_IN_S: Final = 30.0
"""Within which who has dialled must have logged in."""
_MOST_FAILURES: Final = 3
_TURN_S: Final = 0.5
"""How often news are looked for, and how long a sending may wait."""
_SEQUENCES: Final = 1_000_000

Wanted = tuple[Verb, tuple[Node, ...]]

log = structlog.get_logger("gat1049")


@dataclass(frozen=True, slots=True)
class Ways:
    """What a session needs of the world."""

    now: Callable[[], datetime] = WallClock().now
    """For the sequences of requests."""
    tick: Callable[[], float] = time.monotonic
    spoiled: Callable[[bytes], list[bytes]] = lambda raw: [raw]
    """What is really sent of an answer: faults put in on purpose."""
    delay_s: Callable[[], float] = lambda: 0.0


class Counter:
    """Who answers on one connection, and who it is that asks."""

    def __init__(
        self,
        desk: Desk,
        admit: Admit,
        welcomed: Callable[[str, str, "Session"], None] = lambda _user, _token, _session: None,
    ) -> None:
        self.guest = Guest()
        self._desk = desk
        self._admit = admit
        self._welcomed = welcomed
        self._known = ""
        self._told: dict[tuple[str, str], object] = {}

    def answer(self, message: Message) -> Message | None:
        """Give the answer."""
        reply, self.guest = answer(message, self.guest, self._desk, self._admit)
        return reply

    def welcome(self, session: "Session") -> None:
        """Tell of who has just logged in, once the answer to that is sent."""
        if self.guest.user is not None and self.guest.token != self._known:
            self._known = self.guest.token
            self._welcomed(self.guest.user, self.guest.token, session)

    def news(self) -> tuple[Node, ...]:
        """Give what is to be pushed now."""
        fresh, self._told = changed(self.guest, self._desk, self._told)
        return fresh


class Session:
    """One connection that reads for itself in a thread of its own.

    Parameters
    ----------
    opened : socket.socket
    patience : Patience or None
        Of requests of ours.
    counter : Counter or None
        Answers requests of theirs; None: nothing is offered.
    platform : bool
        Whether we are the platform, or the signal system.
    ways : Ways or None
    """

    def __init__(
        self,
        opened: socket.socket,
        *,
        patience: Patience | None = None,
        counter: Counter | None = None,
        platform: bool = True,
        ways: Ways | None = None,
    ) -> None:
        self.traffic = Traffic()
        self._socket = opened
        self._patience = patience or Patience()
        self._counter = counter
        self._us, self._them = (PLATFORM, SYSTEM) if platform else (SYSTEM, PLATFORM)
        self._ways = ways or Ways()
        self._token = ""
        self._number = 0
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._gone = threading.Event()
        self._waiting: dict[str, queue.SimpleQueue[Message | None]] = {}
        self._begun_s = self._heard_s = self._beat_s = self._news_s = self._ways.tick()
        opened.settimeout(_TURN_S)
        self._thread = threading.Thread(target=self._run, name="gat1049", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._gone.is_set()

    @property
    def peer(self) -> str:
        """Address of the other side."""
        try:
            return str(self._socket.getpeername()[0])
        except OSError:
            return ""

    def log_in(self, user: str, password: str) -> None:
        """Log in. Raises NoAnswer, Refused."""
        said = branch("SDO_User", leaf("UserName", user), leaf("Pwd", password))
        if not self.ask(Verb.LOGIN, said).token:
            raise NoAnswer("the other side gives no token")

    def trust(self, token: str) -> None:
        """Ask with the token that the other side was given when it logged in."""
        self._token = token

    def ask(self, verb: Verb, *objects: Node, patience: Patience | None = None) -> Message:
        """Send a request and give its answer. Raises NoAnswer, Refused."""
        reply = self.ask_all([(verb, objects)], patience)[0]
        if reply.kind is Kind.ERROR:
            raise Refused(says(reply))
        return reply

    def ask_all(self, wanted: Sequence[Wanted], patience: Patience | None = None) -> list[Message]:
        """Send requests at once and give their answers in the same order, errors among them.

        Raises
        ------
        NoAnswer
            Where one of them has none after the last try.
        """
        patient = patience or self._patience
        box: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        asked = {self._sequence(): each for each in wanted}
        with self._lock:
            self._waiting |= dict.fromkeys(asked, box)
        found: dict[str, Message] = {}
        try:
            for _ in range(patient.tries):
                for number, (verb, objects) in asked.items():
                    if number not in found:
                        self._send(self._message(Kind.REQUEST, number, verb, objects))
                self._gather(box, len(asked), found, patient.timeout_s)
                if len(found) == len(asked):
                    return [found[number] for number in asked]
        finally:
            with self._lock:
                for number in asked:
                    self._waiting.pop(number, None)
        raise NoAnswer("the system did not answer", retry_after_s=5)

    def _gather(
        self,
        box: "queue.SimpleQueue[Message | None]",
        count: int,
        found: dict[str, Message],
        timeout_s: float,
    ) -> None:
        until_s = time.monotonic() + timeout_s
        while len(found) < count:
            try:
                reply = box.get(timeout=max(until_s - time.monotonic(), 0.0))
            except queue.Empty:
                return
            if reply is None:
                raise NoAnswer("the line to the system is down")
            found.setdefault(reply.sequence, reply)

    def push(self, *objects: Node) -> None:
        """Tell something that nobody answers. Raises NoAnswer."""
        self._send(self._message(Kind.PUSH, self._sequence(), Verb.NOTIFY, objects))

    def close(self) -> None:
        """End it; a token is given back."""
        if self.alive and self._token and self._counter is None:
            with contextlib.suppress(NoAnswer):
                self._send(self._message(Kind.REQUEST, self._sequence(), Verb.LOGOUT, ()))
        self._end()
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    # --- inside ------------------------------------------------------------------------------

    def _message(self, kind: Kind, number: str, verb: Verb, objects: tuple[Node, ...]) -> Message:
        token = self._token or (self._counter.guest.token if self._counter else "")
        return Message(kind, number, verb, objects, token, self._us, self._them)

    def _sequence(self) -> str:
        with self._lock:
            self._number = (self._number + 1) % _SEQUENCES
            return sequence(self._ways.now(), self._number)

    def _send(self, message: Message) -> None:
        raw = encode(message)
        pieces = [raw] if message.kind is Kind.REQUEST else self._ways.spoiled(raw)
        try:
            with self._sending:
                for piece in pieces:
                    self._socket.sendall(piece)
                    self.traffic.sent += 1
        except OSError as error:
            # Half a message may be out: nothing after it could be read.
            self._end()
            raise NoAnswer(f"the line to the system is down ({error})") from None

    def _run(self) -> None:
        splitter = Splitter()
        try:
            while self.alive:
                try:
                    piece = self._socket.recv(65_536)
                except TimeoutError:
                    piece = None
                if piece == b"":
                    return
                if piece:
                    self._heard_s = self._ways.tick()
                    for raw in splitter.feed(piece):
                        self._take(raw)
                self._turn()
        except (OSError, NoAnswer):
            return
        except Exception:
            log.exception("a connection failed", peer=self.peer)
        finally:
            self._end()

    def _take(self, raw: bytes) -> None:
        try:
            message = decode(raw)
        except Invalid:
            self.traffic.broken += 1
            return
        if message.kind in {Kind.RESPONSE, Kind.ERROR}:
            self._answered(message)
        elif message.kind is Kind.PUSH:
            return
        else:
            reply = self._reply(message)
            if reply is not None:
                if self._ways.delay_s():
                    time.sleep(self._ways.delay_s())
                self._send(reply)
                if self._counter is not None:
                    self._counter.welcome(self)

    def _answered(self, message: Message) -> None:
        strange = bool(self._token and message.token) and message.token != self._token
        with self._lock:
            box = None if strange else self._waiting.pop(message.sequence, None)
        if box is None:
            self.traffic.strays += 1
            return
        if message.kind is Kind.RESPONSE and message.verb is Verb.LOGIN:
            # Here, before the next message is read: that may be a request which comes with it.
            self.trust(message.token)
            if self._counter is not None:
                self._counter.guest = Guest("platform", message.token)
        box.put(message)

    def _reply(self, message: Message) -> Message | None:
        if self._counter is None:
            return message.error(Fault.NOT_ALLOWED, "Operation", "nothing is offered here")
        try:
            reply = self._counter.answer(message)
            if reply is not None:
                encode(reply)
        except Invalid:
            return message.error(Fault.FAILURE, "Operation", "the answer cannot be carried")
        return reply

    def _turn(self) -> None:
        """Do what is due whatever comes in: news, a heartbeat, and giving up."""
        now_s = self._ways.tick()
        if now_s - self._heard_s > DEAD_S:
            raise NoAnswer("the other side has fallen silent")
        if self._counter is not None:
            guest = self._counter.guest
            if guest.failures >= _MOST_FAILURES:
                raise NoAnswer("too many log-ins failed")
            if guest.user is None:
                if now_s - self._begun_s > _LOG_IN_S:
                    raise NoAnswer("nobody has logged in")
                return
            if now_s - self._news_s >= _TURN_S:
                self._news_s = now_s
                for each in self._counter.news():
                    self.push(each)
        if now_s - self._beat_s >= BEAT_S and (self._token or self._counter is not None):
            self._beat_s = now_s
            self.push(leaf(HEARTBEAT))

    def _end(self) -> None:
        self._gone.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            for box in self._waiting.values():
                box.put(None)


def says(reply: Message) -> str:
    """Give what an error says."""
    for each in reply.all("SDO_Error"):
        parts = (each.said("ErrType"), each.said("ErrObj"), each.said("ErrDesc"))
        return f"the system says {' '.join(part[:200] for part in parts if part)}"
    return "the system says no"
