"""Terminals as they are on the street: offline, wrong by the clock, dying in the middle of it."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from city.time import WallClock
from tests.terminal import Handheld

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.walks import Step, Walk

ACTS: Final = "/api/v1/terminals/acts"
PHOTOS: Final = "/api/v1/terminals/photos"
MOST_A_BATCH: Final = 200
"""Of the app."""
OK, CONFLICT = 200, 409
AGAIN: Final = frozenset({0, 429, 502, 503, 504})
"""Nobody answered, or somebody said to come again."""
TIMEOUT_S: Final = 30.0
PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 2.0
CUT, LOST, REBOOT, UNKNOWN_OFFSET = 0.3, 0.2, 0.2, 0.2


class HaltedError(Exception):
    """The run is over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where nothing did."""

    status_code: int
    content: bytes = b""

    def get_json(self) -> Any:
        """Read it."""
        return json.loads(self.content) if self.content else {}


@dataclass(slots=True)
class Line:
    """A connection to the running system, as a terminal's door."""

    port: int
    cut: bool = False
    """Whether the next request's answer is never read: the device dies after sending."""

    def post(self, path: str, *, data: bytes, headers: dict[str, str]) -> Answer:
        """Send a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", path, data, headers)
            if self.cut:
                return Answer(0)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            connection.close()


@dataclass(slots=True)
class Device:
    """One terminal on its round."""

    walk: Walk
    line: Line
    chance: Random
    handheld: Handheld
    made: int = 0
    queue: list[dict[str, Any]] = field(default_factory=list)
    """What is kept on the device until it is known to be kept by the city."""
    told: list[dict[str, Any]] = field(default_factory=list)
    """The batch before, which a restored device sends again."""
    photos: list[Step] = field(default_factory=list)
    """Acts that are known to be kept, and whose photos are not."""

    @property
    def finished(self) -> bool:
        """Whether all was done and is known to be kept."""
        return self.made == len(self.walk.steps) and not self.queue and not self.photos

    def forget(self, kept: frozenset[str]) -> int:
        """Forget acts that are known to be kept, but for their photos; give how many."""
        left = [each for each in self.queue if each["id"] not in kept]
        steps = {str(each.id): each for each in self.walk.steps if each.photo is not None}
        gone = [each["id"] for each in self.queue if each["id"] in kept]
        self.photos += [steps[each] for each in gone if each in steps]
        self.queue = left
        return len(gone)

    def work(self, count: int) -> None:
        """Do so many acts: each has its id and number before anybody hears of it."""
        known = self.chance.random() >= UNKNOWN_OFFSET
        for step in self.walk.steps[self.made : self.made + count]:
            self.made += 1
            if not step.lost:
                self.queue.append(self._act(step, known=known))

    def _act(self, step: Step, *, known: bool) -> dict[str, Any]:
        behind = self.walk.behind
        return {
            "id": str(step.id),
            "sequence": step.sequence,
            "kind": step.kind,
            "account_id": str(self.walk.account_id),
            "device_at": (step.at - behind).isoformat(),
            "offset_ms": round(behind.total_seconds() * 1000) if known else None,
            **step.members,
        }


class Crew:
    """Terminals that work and send at a running system, some at a time.

    Parameters
    ----------
    walks
        What they will do.
    port
        Of the API.
    senders
        Threads: terminals that send at the same time.
    """

    def __init__(self, walks: Sequence[Walk], port: int, senders: int) -> None:
        self.devices = [
            Device(
                each,
                line,
                Random(each.seed),  # noqa: S311 - repeatable
                Handheld(line, str(each.terminal.id), private=each.private),
            )
            for each in walks
            for line in [Line(port)]
        ]
        self.strange: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.results: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
        """What was answered about each act, each time."""
        self.sent = 0
        self.done = 0
        """Acts that are known to be kept."""
        self.photos = 0
        """Photos that were answered as whole, each as often as it was."""
        self.upload_s = 0.0
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(self.devices[first::senders],))
            for first in range(senders)
        ]

    def start(self) -> None:
        """Let all begin."""
        for each in self._threads:
            each.start()

    @property
    def busy(self) -> bool:
        """Whether anybody still works."""
        return any(each.is_alive() for each in self._threads)

    def finish(self, patience_s: float) -> None:
        """Wait until all is known to be kept."""
        deadline = time.monotonic() + patience_s
        for each in self._threads:
            each.join(max(0.0, deadline - time.monotonic()))
        assert not self.busy, f"not within {patience_s:.0f} s: {self.done} acts are kept"

    def halt(self) -> None:
        """Stop, whatever is left."""
        self._halt.set()
        for each in self._threads:
            each.join()

    def _run(self, devices: Sequence[Device]) -> None:
        try:
            while waiting := [each for each in devices if not each.finished]:
                for each in waiting:
                    if self._halt.is_set():
                        return
                    self._turn(each)
                    self._show(each)
        except HaltedError:
            return

    def _turn(self, device: Device) -> None:
        """Work without a line, then send what waits, one to five times over."""
        chance = device.chance
        device.work(chance.randint(1, 60))
        for _ in range(chance.randint(1, 5)):
            part = device.queue[:MOST_A_BATCH]
            if chance.random() < CUT:
                part = part[: chance.randint(1, max(1, len(part)))]
            if chance.random() < CUT:
                part = device.told[-MOST_A_BATCH:] + part[: MOST_A_BATCH - len(device.told)]
            if not part:
                return
            chance.shuffle(part)
            if chance.random() < REBOOT:
                self._cut(device, part)
            else:
                self._upload(device, part)

    def _cut(self, device: Device, part: list[dict[str, Any]]) -> None:
        """Die after sending: the queue stays as it was, and so does the running number."""
        device.line.cut = True
        try:
            self._post(device, part)
        finally:
            device.line.cut = False

    def _upload(self, device: Device, part: list[dict[str, Any]]) -> None:
        """Send until there is an answer, and heed it unless it is lost on the way."""
        pause_s = PAUSE_S
        while True:
            answer = self._post(device, part)
            self._note(answer)
            if answer.status_code == OK:
                break
            if answer.status_code == CONFLICT:
                device.handheld.sequence = int(answer.get_json().get("next_sequence", 1)) - 1
            self._pause(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
        items = answer.get_json()["items"]
        with self._lock:
            for each in items:
                self.results[each["id"]].append((each["result"], each["reason"]))
        if device.chance.random() < LOST:
            return
        kept = frozenset(each["id"] for each in items if each["kept"])
        forgotten = device.forget(kept)
        with self._lock:
            self.done += forgotten
        device.told = [each for each in part if each["id"] in kept]

    def _show(self, device: Device) -> None:
        """Send photos of acts that are kept, in parts: some now, the rest another time."""
        while device.photos:
            if device.chance.random() < CUT:
                return
            step = device.photos[0]
            if self._send_photo(device, step):
                device.photos.pop(0)

    def _send_photo(self, device: Device, step: Step) -> bool:
        """Send what is missing of a photo; True once it is known to be whole."""
        content, from_byte = step.photo or b"", 0
        while not self._halt.is_set():
            device.line.cut = device.chance.random() < CUT
            answer = device.handheld.post(PHOTOS, _part(step, content, from_byte))
            if device.line.cut:
                device.line.cut = False
                return False  # it dies after sending, and begins anew
            self._note(answer)
            said = answer.get_json() if answer.status_code in {OK, CONFLICT} else {}
            if answer.status_code == OK and said["whole"]:
                with self._lock:
                    self.photos += 1
                return device.chance.random() >= LOST
            if "received" in said:
                from_byte = int(said["received"])
            elif "next_sequence" in said:
                device.handheld.sequence = int(said["next_sequence"]) - 1
            else:
                self._pause(PAUSE_S)
        return False

    def _post(self, device: Device, part: list[dict[str, Any]]) -> Answer:
        sent_at = WallClock().now() - device.walk.behind
        begun_s = time.monotonic()
        answer: Answer = device.handheld.post(ACTS, {"sent_at": sent_at.isoformat(), "items": part})
        with self._lock:
            self.sent += len(part)
            self.upload_s += time.monotonic() - begun_s
        return answer

    def _note(self, answer: Answer) -> None:
        with self._lock:
            self.statuses[answer.status_code] += 1
            expected = answer.status_code in {OK, CONFLICT} | AGAIN
            if not expected:
                self.strange.append(f"{answer.status_code} {answer.content[:300]!r}")

    def _pause(self, seconds: float) -> None:
        if self._halt.wait(seconds):
            raise HaltedError


def _part(step: Step, content: bytes, from_byte: int) -> dict[str, Any]:
    """Give the next part of a photo: half of it."""
    part = content[from_byte : from_byte + -(-len(content) // 2)]
    return {
        "photo_id": step.members["photo_id"],
        "act_id": str(step.id),
        "bytes": len(content),
        "from_byte": from_byte,
        "part": base64.b64encode(part).decode(),
    }
