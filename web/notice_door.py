"""Where channels' notifications come in: a door of their own before gunicorn's threads.

Under load a thread for each request and a framework around it cost ten times what a notification
itself does. So the loop of the worker (`web.door_worker`), which waits for every connection anyway,
reads those: it looks at the first bytes of a request without taking them. What is not plainly a
notification of a channel that is set up goes on to the threads and the application as ever, also
what is chunked, oversized or of another form: they answer it. The same use case takes both
(`journeys.hear_notices`), and the same metrics count both.

Of HTTP the door reads the plainest form alone (`read_head`): one request at a time, each header
once, a length. What a channel is told goes out when the commit that keeps the notification is
durable: the thread that committed it wakes the loop, which answers all that shared the commit.
"""

from __future__ import annotations

import re
import socket
import time
from collections import deque
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import structlog
from gunicorn.util import http_date  # type: ignore[import-untyped] # gunicorn ships no types

from city.errors import Unavailable
from city.works import metrics
from journeys.hear_notices import Outcome, read_notice
from payments.rules.channels import ONLINE
from web.problems import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import Counter

    from journeys.wiring import Wiring
    from payments.rules.channels import ChannelAdapter
    from web.door_worker import DoorWorker

ROUTE: Final = "/api/v1/channel-notices/<channel>"
"""As the application's own route is counted."""
BEGINNING: Final = b"POST /api/v1/channel-notices/"
LARGEST_HEAD_BYTES: Final = 16 * 1024
LARGEST_BODY_BYTES: Final = 64 * 1024
"""What is larger no channel sends; the application says so."""
PIECE_BYTES: Final = 128 * 1024
MOST_HEADERS: Final = 64
_LINE: Final = re.compile(rb"([!#$%&'*+.^`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]*)")
_LENGTH: Final = re.compile(r"[0-9]{1,6}")
_UNUSUAL: Final = frozenset({"transfer-encoding", "expect", "upgrade", "content-encoding"})
_AFTERWARDS: Final = {"": True, "keep-alive": True, "close": False}
"""Whether the connection goes on, by its header."""
_PHRASES: Final = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_ALWAYS: Final = (
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Cache-Control: no-store\r\n"
)
_AWAY: Final = (503, CONTENT_TYPE, b'{"type":"urn:greenbay:problem:unavailable","status":503}')
_BUG: Final = (500, CONTENT_TYPE, b'{"type":"urn:greenbay:problem:internal-error","status":500}')

log = structlog.get_logger("web")


class Coming:
    """A notification that is being read from a connection.

    Parameters
    ----------
    connection
        gunicorn's.
    until_s : float
        Monotonic time until which it has to be here.
    """

    __slots__ = ("begun_s", "connection", "data", "keeps", "until_s")

    def __init__(self, connection: Any, until_s: float) -> None:
        self.connection = connection
        self.until_s = until_s
        self.begun_s = time.perf_counter()
        self.data = b""
        self.keeps = False
        """Whether the connection takes another request afterwards."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a plain request with a body.

    Parameters
    ----------
    line : bytes
        Method, target and version as they are written.
    headers : mapping
        By their names in lower case.
    length : int
        Of the body, in bytes.
    keeps : bool
        Whether the connection goes on afterwards.
    """

    line: bytes
    headers: Mapping[str, str]
    length: int
    keeps: bool


def read_head(head: bytes) -> Head | None:
    """Read the head of a plain request, without the empty line at its end.

    None for whatever is not of the plainest form that RFC 9112 knows: a header twice or folded, a
    letter outside ASCII, no host or no length, a body in chunks, an upgrade. Two readers could
    take that for different things, and one of them reads it already.
    """
    line, *rest = head.split(b"\r\n")
    if len(rest) > MOST_HEADERS or not line.endswith(b" HTTP/1.1"):
        return None
    headers: dict[str, str] = {}
    for each in rest:
        found = _LINE.fullmatch(each)
        if found is None:
            return None
        headers[found[1].decode("ascii").lower()] = found[2].decode("ascii").rstrip(" ")
    length = headers.get("content-length", "")
    keeps = _AFTERWARDS.get(headers.get("connection", "").lower())
    plain = len(headers) == len(rest) and "host" in headers and _UNUSUAL.isdisjoint(headers)
    if not plain or keeps is None or _LENGTH.fullmatch(length) is None:
        return None
    return Head(line, headers, int(length), keeps)


class NoticeDoor:
    """Reads notifications in the worker's loop, and answers them; for that loop's thread.

    Parameters
    ----------
    worker : DoorWorker
        Whose loop it is.
    wiring : Wiring
        What the use case needs.
    """

    def __init__(self, worker: DoorWorker, wiring: Wiring) -> None:
        self._worker = worker
        self._notices = wiring.notices
        self._adapters: dict[bytes, ChannelAdapter] = {
            BEGINNING + f"{channel.value} HTTP/1.1".encode(): wiring.channels[channel]
            for channel in ONLINE
            if channel in wiring.channels
        }
        self._open = bool(self._adapters) and not worker.cfg.is_ssl
        self._kept_s: float = worker.cfg.keepalive
        self._seconds = metrics.REQUEST_SECONDS.labels(ROUTE)
        self._kept: deque[tuple[Coming, ChannelAdapter, Outcome]] = deque()
        """What the loop has to answer."""

    def admits(self, connection: Any) -> bool:
        """Take a connection over whose next request is a notification; False: it is not ours."""
        if not self._open or connection.is_http2:
            return False
        if connection.parser is not None and connection.parser.unreader.buf.getvalue():
            return False  # the beginning of the next request has been read already
        first = b""
        try:
            first = connection.sock.recv(len(BEGINNING), socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            if not (connection.initialized or connection.data_ready):
                self._worker.await_first(connection)
                return True
        except OSError:
            pass  # whoever reads from it next will hear of it
        if first != BEGINNING:
            return False
        coming = Coming(connection, time.monotonic() + self._kept_s)
        connection.sock.setblocking(False)  # noqa: FBT003 - the standard library's own form
        self._read(coming)
        return True

    def _read(self, coming: Coming) -> None:
        try:
            piece = coming.connection.sock.recv(PIECE_BYTES)
        except BlockingIOError:
            self._worker.await_more(coming, self._read)
            return
        except OSError:
            piece = b""
        if not piece or time.monotonic() > coming.until_s:
            self._worker.drop(coming.connection)
            return
        coming.data += piece
        head, found, rest = coming.data.partition(b"\r\n\r\n")
        if not found and len(head) <= LARGEST_HEAD_BYTES:
            self._worker.await_more(coming, self._read)
            return
        plain = read_head(head) if found else None
        adapter = None if plain is None else self._adapters.get(plain.line)
        if (
            plain is None
            or adapter is None
            or plain.length > LARGEST_BODY_BYTES
            or len(rest) > plain.length
        ):
            self._worker.pass_on(coming.connection, coming.data)
        elif len(rest) < plain.length:
            self._worker.await_more(coming, self._read)
        else:
            coming.data, coming.keeps = b"", plain.keeps
            self._hear(coming, adapter, plain.headers, rest)

    def _hear(
        self, coming: Coming, adapter: ChannelAdapter, headers: Mapping[str, str], body: bytes
    ) -> None:
        try:
            heard = read_notice(adapter, headers, body)
        except Exception as error:  # noqa: BLE001 - told and logged as any route's bug is
            self._answer(coming, adapter, error)
            return
        self._notices.submit(heard, partial(self._keep, coming, adapter), self._wake)

    def _keep(self, coming: Coming, adapter: ChannelAdapter, outcome: Outcome) -> None:
        """Keep an outcome until the loop is woken; called by the thread that committed."""
        self._kept.append((coming, adapter, outcome))

    def _wake(self) -> None:
        """Have the loop answer; called by the thread that committed, once for all of a commit."""
        self._worker.method_queue.defer(self._answer_kept)

    def _answer_kept(self) -> None:
        while self._kept:
            self._answer(*self._kept.popleft())

    def _answer(self, coming: Coming, adapter: ChannelAdapter, outcome: Outcome) -> None:
        """Send the answer; the loop gets the connection back."""
        if isinstance(outcome, str):
            said = adapter.acknowledgement(taken=not outcome)
        elif isinstance(outcome, Unavailable):
            said = _AWAY
        else:
            log.error("request failed", path=ROUTE, exc_info=outcome)
            said = _BUG
        keeps = coming.keeps and self._worker.alive
        try:
            if coming.connection.sock.send(written := _written(said, keeps=keeps)) != len(written):
                keeps = False
        except OSError:
            keeps = False
        _answers(said[0]).inc()
        self._seconds.observe(time.perf_counter() - coming.begun_s)
        (self._worker.keep if keeps else self._worker.drop)(coming.connection)


@cache
def _answers(status: int) -> Counter:
    return metrics.REQUESTS.labels("POST", ROUTE, str(status))


@lru_cache(maxsize=1)
def _date(_second: int) -> str:
    """Write the present time, once for each second that the monotonic clock tells."""
    return str(http_date())


def _written(said: tuple[int, str, bytes], *, keeps: bool) -> bytes:
    status, content_type, body = said
    kind = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n" if body else ""
    if not body and status != 204:  # noqa: PLR2004 - the one without a body by its meaning
        kind = "Content-Length: 0\r\n"
    again = "Retry-After: 2\r\n" if said is _AWAY else ""
    date = _date(int(time.monotonic()))
    head = (
        f"HTTP/1.1 {status} {_PHRASES.get(status, 'Answer')}\r\nDate: {date}\r\n"
        f"Connection: {'keep-alive' if keeps else 'close'}\r\n{kind}{again}{_ALWAYS}\r\n"
    )
    return head.encode("ascii") + body
