"""Sends notifications as the channels do: again and again until answered, and sometimes badly.

Attempts wait in one heap by due time; a few threads send them, each on connections that it keeps
open. At least once is all that is promised: a lost answer brings the same notification again.
"""

import heapq
import http.client
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final
from urllib.parse import urlsplit

from city.errors import Invalid
from payments.gateway.faults import Fault, Faults
from payments.gateway.journal import Journal, Mark

_DUPLICATES_APART_S: Final = 1.0
_LONGEST_HOLD_S: Final = 5.0
_LARGEST_ANSWER_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Damage:
    """What is to be wrong with one attempt."""

    amount: bool = False
    signature: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell a merchant.

    Parameters
    ----------
    name : str
        Stands for it in draws and in the log: channel, order, event.
    url : str
        Where to.
    retries_s : Sequence of int
        Pauses after each attempt that is not taken, in the channel's seconds.
    answer_within_s : float
        Real seconds that the merchant has.
    write : Callable
        Gives headers and body of an attempt: signed anew, as its time is part of it.
    taken : Callable
        Tells from status and body whether the merchant took it.
    mark : Mark or None
        What the journal owes it under; None: it is kept nowhere.
    """

    name: str
    url: str
    retries_s: Sequence[int]
    answer_within_s: float
    write: Callable[[Damage], tuple[dict[str, str], bytes]]
    taken: Callable[[int, bytes], bool]
    mark: Mark | None = None


@dataclass(slots=True)
class Counts:
    """What was sent so far; read for the end of a run."""

    notices: int = 0
    sent: int = 0
    taken: int = 0
    refused: int = 0
    lost: int = 0
    given_up: int = 0
    waiting: int = 0


@dataclass(order=True, slots=True)
class _Due:
    at_s: float
    number: int
    notice: Notice = field(compare=False)
    attempt: int = field(compare=False)
    copies: int = field(compare=False, default=1)
    decided: bool = field(compare=False, default=False)
    """Delay and order were drawn: it goes out now."""
    repeats: bool = field(compare=False, default=True)
    """A further copy of an attempt brings no retries of its own."""


class Notifier:
    """The notifications of a gateway.

    Parameters
    ----------
    faults : Faults
        What goes wrong.
    speed : float
        How many of the channel's seconds pass in one of ours: 60 makes a minute a second.
    threads : int
        How many attempts can be under way at once.
    journal : Journal or None
        Told of what is still owed, and of what is no more.
    """

    def __init__(
        self, faults: Faults, speed: float, threads: int = 8, journal: Journal | None = None
    ) -> None:
        self._faults = faults
        self._speed = speed
        self._journal = journal
        self._heap: list[_Due] = []
        self._held: list[_Due] = []
        self._numbers = count()
        self._condition = threading.Condition()
        self._stopping = False
        self._under_way = 0
        self._counts = Counts()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._threads = [
            threading.Thread(target=self._work, name=f"notifier-{index}", daemon=True)
            for index in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def notify(self, notice: Notice, attempt: int = 0, after_s: float = 0.0) -> None:
        """Send a notification, and again by its schedule until it is taken.

        Nothing is sent where the merchant gave no http(s) address.

        Parameters
        ----------
        notice : Notice
        attempt : int
            How many attempts were made before, by a gateway that was killed.
        after_s : float
            Real seconds until the first of these.
        """
        if not is_address(notice.url):
            self._told(notice)
            return
        with self._condition:
            self._counts.notices += 1
            self._push(notice, attempt, after_s)

    def after(self, channel_s: float, act: Callable[[], None]) -> None:
        """Run something after so many of the channel's seconds."""
        with self._condition:
            due_s = time.monotonic() + channel_s / self._speed
            heapq.heappush(self._timers, (due_s, next(self._numbers), act))
            self._condition.notify()

    def counts(self) -> Counts:
        """Tell what was sent so far, and how much is still to come."""
        with self._condition:
            known = self._counts
            waiting = len(self._heap) + len(self._held) + len(self._timers) + self._under_way
            return Counts(
                known.notices, known.sent, known.taken, known.refused, known.lost,
                known.given_up, waiting,
            )  # fmt: skip

    def stop(self) -> None:
        """Send nothing more; waits for what is under way."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()

    def _push(self, notice: Notice, attempt: int, after_s: float) -> None:
        due = _Due(time.monotonic() + after_s, next(self._numbers), notice, attempt)
        heapq.heappush(self._heap, due)
        self._condition.notify()

    def _work(self) -> None:
        lines = _Lines()
        while (act := self._next()) is not None:
            try:
                if isinstance(act, _Due):
                    self._send(act, lines)
                else:
                    act()
            finally:
                with self._condition:
                    self._under_way -= 1
        lines.close()

    def _next(self) -> "_Due | Callable[[], None] | None":
        with self._condition:
            while not self._stopping:
                now_s = time.monotonic()
                if self._timers and self._timers[0][0] <= now_s:
                    self._under_way += 1
                    return heapq.heappop(self._timers)[2]
                late = [due for due in self._held if due.at_s <= now_s]
                for due in late:
                    self._held.remove(due)
                    heapq.heappush(self._heap, due)
                if self._heap and self._heap[0].at_s <= now_s:
                    due = heapq.heappop(self._heap)
                    if not due.decided and self._put_off(due, now_s):
                        continue
                    self._under_way += 1
                    return due
                ends = [entry.at_s for entry in (*self._heap[:1], *self._held)]
                ends += [entry[0] for entry in self._timers[:1]]
                self._condition.wait(max(0.0, min(ends) - now_s) if ends else None)
            return None

    def _put_off(self, due: _Due, now_s: float) -> bool:
        """Draw delay and order of an attempt once; tell whether it waits."""
        name = f"{due.notice.name}:{due.attempt}"
        due.decided = True
        delay_s = self._faults.delay_of(name)
        if delay_s:
            due.at_s = now_s + delay_s
            heapq.heappush(self._heap, due)
            return True
        if self._faults.strikes(Fault.REORDER, name):
            due.at_s = now_s + _LONGEST_HOLD_S
            self._held.append(due)
            return True
        return False

    def _send(self, due: _Due, lines: "_Lines") -> None:
        notice, name = due.notice, f"{due.notice.name}:{due.attempt}"
        lost_name = notice.name if self._faults.lose_always else name
        taken, lost = False, self._faults.strikes(Fault.LOSE, lost_name)
        if not lost:
            damage = Damage(
                amount=self._faults.strikes(Fault.WRONG_AMOUNT, name),
                signature=self._faults.strikes(Fault.WRONG_SIGNATURE, name),
            )
            headers, body = notice.write(damage)
            status, answer = lines.post(notice.url, headers, body, notice.answer_within_s)
            heard = not self._faults.strikes(Fault.UNHEARD, name)
            taken = heard and notice.taken(status, answer)
        with self._condition:
            self._counts.sent += not lost
            self._counts.lost += lost
            self._counts.taken += taken
            self._counts.refused += not taken and not lost
            # What waited for a later one to go first may go now.
            for held in self._held:
                held.at_s = time.monotonic()
                heapq.heappush(self._heap, held)
            self._held.clear()
            if due.repeats:
                self._follow(due, name, taken=taken)
            self._condition.notify()

    def _follow(self, due: _Due, name: str, *, taken: bool) -> None:
        if self._faults.strikes(Fault.DUPLICATE, name):
            for copy in range(1, self._faults.copies):
                at_s = time.monotonic() + copy * _DUPLICATES_APART_S / self._speed
                heapq.heappush(
                    self._heap,
                    _Due(
                        at_s, next(self._numbers), due.notice, due.attempt, decided=True,
                        repeats=False,
                    ),
                )  # fmt: skip
        if taken:
            self._told(due.notice)
        elif due.attempt < len(due.notice.retries_s):
            pause_s = due.notice.retries_s[due.attempt] / self._speed
            self._push(due.notice, due.attempt + 1, pause_s)
            if self._journal is not None and due.notice.mark is not None:
                self._journal.again(due.notice.mark, due.attempt + 1, pause_s)
        else:
            self._counts.given_up += 1
            self._told(due.notice)

    def _told(self, notice: Notice) -> None:
        if self._journal is not None and notice.mark is not None:
            self._journal.told(notice.mark)


class _Lines:
    """One thread's open connections, by host."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def post(
        self, url: str, headers: dict[str, str], body: bytes, within_s: float
    ) -> tuple[int, bytes]:
        """Post; give status and body, status 0 where there was no answer."""
        parts = urlsplit(url)
        where = (parts.scheme, parts.netloc)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = self._open.pop(where, None)
        if kept is not None:
            answer = self._try(kept, where, target, headers, body)
            if answer is not None:
                return answer
        line = self._connect(parts.scheme, parts.netloc, within_s)
        return self._try(line, where, target, headers, body) or (0, b"")

    def close(self) -> None:
        """Close what is open."""
        for line in self._open.values():
            line.close()

    def _connect(self, scheme: str, netloc: str, within_s: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        return kind(netloc, timeout=within_s)

    def _try(
        self,
        line: http.client.HTTPConnection,
        where: tuple[str, str],
        target: str,
        headers: dict[str, str],
        body: bytes,
    ) -> tuple[int, bytes] | None:
        """Post on a connection; None where the other end had closed it."""
        try:
            line.request("POST", target, body=body, headers=headers)
            response = line.getresponse()
            answer = response.read(_LARGEST_ANSWER_BYTES)
        except ConnectionError:
            line.close()
            return None
        except (OSError, http.client.HTTPException, ValueError):
            line.close()
            return 0, b""
        if response.isclosed() and not response.will_close:
            self._open[where] = line
        else:
            line.close()
        return response.status, answer


def is_address(url: str) -> bool:
    """Tell whether notifications can be sent there: http or https, with a host and a true port."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.username is None
            and parts.port != 0
            and url.isascii()
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False


def check_speed(speed: float) -> float:
    """Give the speed back; Invalid where it is not above 0."""
    if not 0 < speed <= 1_000_000:  # noqa: PLR2004 - a day in less than a tenth of a second
        raise Invalid("must lie above 0 and up to 1000000", field="--speed")
    return speed
