"""The benches' own load: each request is sent as often as asked, and each answer is counted."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench._sender import Sender, pack, status_of, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

WHOLE = b"HTTP/1.1 202 Accepted\r\nServer: x\r\nContent-length:  5\r\n\r\n12345"


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_what_is_packed_is_unpacked(requests: list[bytes]) -> None:
    assert unpack(pack(requests)) == requests


@pytest.mark.parametrize("missing", range(1, len(WHOLE)))
def test_an_answer_has_no_status_before_it_is_whole(missing: int) -> None:
    assert status_of(WHOLE[:-missing]) is None
    assert status_of(WHOLE) == 202
    assert status_of(b"HTTP/1.1 204 No Content\r\n\r\n") == 204


@contextmanager
def answering(seen: Counter[str]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen[self.path] += 1
            status = 500 if self.path == "/bad" else 204
            self.send_response(status)
            if self.path == "/last":
                self.send_header("Connection", "close")
                self.close_connection = True
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_of: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


def test_each_is_sent_once_and_its_answer_counted() -> None:
    paths = [f"/{number}" for number in range(200)] + ["/bad", "/last", "/bad", "/last"]
    seen: Counter[str] = Counter()
    with answering(seen) as port:
        sender = Sender(port, iter([get(each) for each in paths]), {204})
        lasted_s = sender.run(30)
    assert seen == Counter(paths)
    assert (len(sender.taken_s), sender.errors) == (204, 2)
    assert lasted_s < 30


def test_they_begin_anew_until_the_time_is_over() -> None:
    seen: Counter[str] = Counter()
    with answering(seen) as port:
        sender = Sender(port, cycle([get("/a"), get("/last")]), {204})
        lasted_s = sender.run(0.3)
    assert lasted_s >= 0.3
    assert sum(seen.values()) == len(sender.taken_s) > 32
    assert not sender.errors
