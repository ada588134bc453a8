"""Sends prepared requests over 32 connections, from a process of its own.

A connection sends its next request as soon as its last one is answered. The requests are bytes,
written before the clock runs: this process shares the machine with the server that it measures, as
pgbench does, and has to take as little of it.

``python -m bench._sender PORT FILE SECONDS STATUSES again|once``, with a file that `pack` wrote.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONNECTIONS = 32
LATE_S = 10.0
"""How long after the end the last answers are waited for."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_PREFIX_BYTES = 4


def pack(requests: Iterable[bytes]) -> bytes:
    """Write requests, each after its length."""
    return b"".join(len(each).to_bytes(_PREFIX_BYTES, "big") + each for each in requests)


def unpack(packed: bytes) -> list[bytes]:
    """Read what `pack` wrote."""
    requests, at = [], 0
    while at < len(packed):
        begin = at + _PREFIX_BYTES
        at = begin + int.from_bytes(packed[at:begin], "big")
        requests.append(packed[begin:at])
    return requests


def status_of(answer: bytes) -> int | None:
    """Give the status of an answer, None while it is not whole.

    Of answers with a length or without a body: what is sent here gets no others.
    """
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return None
    length = _LENGTH.search(head)
    if length is not None and len(body) < int(length[1]):
        return None
    return int(head[9:12])


class Sender:
    """Sends, and counts.

    Parameters
    ----------
    port : int
        Of this machine.
    requests : iterator of bytes
        What the connection that is free first sends next.
    statuses : set of int
        One of which each has to be answered with; anything else is an error.
    """

    def __init__(self, port: int, requests: Iterator[bytes], statuses: set[int]) -> None:
        self._port = port
        self._requests = requests
        self._statuses = statuses
        self._poll = select.epoll()
        self._asked: dict[int, tuple[socket.socket, float]] = {}
        """Connections that wait for an answer, and since when."""
        self._come: dict[int, bytes] = {}
        self.taken_s: list[float] = []
        self.errors = 0

    def run(self, seconds: float) -> float:
        """Send for some seconds or until nothing is left; give when the last one was answered."""
        begun = time.perf_counter()
        end_at = begun + seconds
        for _ in range(CONNECTIONS):
            self._send(None)
        while self._asked and (now := time.perf_counter()) < end_at + LATE_S:
            for number, _ in self._poll.poll(1.0):
                goes_on = self._receive(number)
                if goes_on is not None and now < end_at:
                    self._send(goes_on)
                elif goes_on is not None:
                    goes_on.close()
        self.errors += len(self._asked)
        for sock, _ in self._asked.values():
            sock.close()
        self._poll.close()
        return time.perf_counter() - begun

    def _send(self, sock: socket.socket | None) -> None:
        request = next(self._requests, None)
        if request is None:
            if sock is not None:
                sock.close()
            return
        if sock is None or sock.fileno() < 0:
            sock = socket.create_connection(("127.0.0.1", self._port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._poll.register(sock, select.EPOLLIN)
        self._asked[sock.fileno()] = (sock, time.perf_counter())
        sock.sendall(request)

    def _receive(self, number: int) -> socket.socket | None:
        """Take what came; give the connection once it is answered, closed if the server says so."""
        sock, asked_s = self._asked[number]
        try:
            piece = sock.recv(65_536)
        except OSError:
            piece = b""
        answer = self._come.pop(number, b"") + piece
        status = status_of(answer) if piece else 0
        if status is None:
            self._come[number] = answer
            return None
        self.taken_s.append(time.perf_counter() - asked_s)
        self.errors += status not in self._statuses
        del self._asked[number]
        if not status or _CLOSES.search(answer):
            sock.close()
        return sock


def main() -> int:
    """Send, and print how many were answered in how many seconds, and at what cost."""
    port, file, seconds, statuses, how = sys.argv[1:]
    requests = unpack(Path(file).read_bytes())
    sent = cycle(requests) if how == "again" else iter(requests)
    sender = Sender(int(port), sent, {int(each) for each in statuses.split(",")})
    begun_s = time.process_time()
    lasted_s = sender.run(float(seconds))
    cpu_s = time.process_time() - begun_s
    taken = sorted(sender.taken_s)
    print(
        json.dumps(
            {
                "requests": len(taken),
                "lasted_s": lasted_s,
                "errors": sender.errors,
                "p99_ms": taken[len(taken) * 99 // 100] * 1e3 if taken else 0.0,
                "cpu_us": cpu_s / max(1, len(taken)) * 1e6,
            }
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
