"""One exchange of frames with a controller: a request, and the reply that belongs to it.

Replies belong by their sequence number. A request is sent again when nothing came in time: asking
and setting twice do no harm in this protocol. What is broken, late, repeated or pushed is counted
and passed over; the wait is bounded whatever the other side sends.
"""

import socket
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from city.errors import Invalid
from signals.rules.controllers.gbt20999.frames import (
    Frame,
    FrameKind,
    Splitter,
    decode,
    encode,
)
from signals.rules.controllers.line import NoAnswer

_MOST_DATAGRAM: Final = 65_535
_REPLIES: Final = {
    FrameKind.QUERY: {FrameKind.QUERY_REPLY, FrameKind.QUERY_ERROR},
    FrameKind.SET: {FrameKind.SET_REPLY, FrameKind.SET_ERROR},
    FrameKind.HEARTBEAT: {FrameKind.HEARTBEAT_REPLY},
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a reply, and how often to ask."""

    timeout_s: float = 2.0
    tries: int = 3


@dataclass(slots=True)
class Traffic:
    """What a link has seen."""

    sent: int = 0
    broken: int = 0
    """Frames that could not be read."""
    strays: int = 0
    """Frames that belonged to no open request: late, repeated or pushed."""


class Link(Protocol):
    """Where frames go and come from."""

    traffic: Traffic

    def ask(self, request: Frame) -> Frame:
        """Send a request and give its reply. Raises NoAnswer."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class _SocketLink:
    """What datagrams and streams have in common."""

    def __init__(
        self, opened: socket.socket, patience: Patience, *, escaped: bool, lenient: bool
    ) -> None:
        self._socket = opened
        self._patience = patience
        self._escaped = escaped
        self._lenient = lenient
        self.traffic = Traffic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def ask(self, request: Frame) -> Frame:
        """Send a request until its reply comes; NoAnswer after the last try."""
        raw = encode(request, escaped=self._escaped)
        for _ in range(self._patience.tries):
            try:
                self._socket.sendall(raw)
                self.traffic.sent += 1
                found = self._await(request)
            except OSError as error:
                raise NoAnswer(f"the line to the controller is down ({error})") from None
            if found is not None:
                return found
        raise NoAnswer("the controller did not answer", retry_after_s=5)

    def _await(self, request: Frame) -> Frame | None:
        until_s = time.monotonic() + self._patience.timeout_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                pieces = self._pieces()
            except TimeoutError:
                return None
            for raw in pieces:
                try:
                    frame = decode(raw, escaped=self._escaped, lenient=self._lenient)
                except Invalid:
                    self.traffic.broken += 1
                    continue
                if frame.sequence == request.sequence and frame.kind in _REPLIES[request.kind]:
                    return frame
                self.traffic.strays += 1
        return None

    def _pieces(self) -> list[bytes]:
        raise NotImplementedError


class UdpLink(_SocketLink):
    """Datagrams: one frame each, nothing escaped."""

    def __init__(
        self, host: str, port: int, patience: Patience | None = None, *, lenient: bool = False
    ) -> None:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Only this peer's datagrams are read from then on.
        opened.connect((host, port))
        super().__init__(opened, patience or Patience(), escaped=False, lenient=lenient)

    def _pieces(self) -> list[bytes]:
        try:
            return [self._socket.recv(_MOST_DATAGRAM)]
        except ConnectionRefusedError:
            raise TimeoutError from None


class TcpLink(_SocketLink):
    """A byte stream: frames escaped.

    Either side may be the one that dials (sources disagree): give the socket that was accepted, or
    use ``dial``.
    """

    def __init__(
        self, opened: socket.socket, patience: Patience | None = None, *, lenient: bool = False
    ) -> None:
        super().__init__(opened, patience or Patience(), escaped=True, lenient=lenient)
        self._splitter = Splitter()

    @classmethod
    def dial(
        cls, host: str, port: int, patience: Patience | None = None, *, lenient: bool = False
    ) -> Self:
        """Connect to a controller that listens; NoAnswer where nobody does."""
        asked = patience or Patience()
        try:
            opened = socket.create_connection((host, port), timeout=asked.timeout_s)
        except OSError as error:
            raise NoAnswer(f"the controller takes no connection ({error})") from None
        return cls(opened, asked, lenient=lenient)

    def _pieces(self) -> list[bytes]:
        piece = self._socket.recv(65_536)
        if not piece:
            raise ConnectionError("closed by the controller")
        return self._splitter.feed(piece)
