"""Where connections of GA/T 1049.2 come in."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

import structlog

from signals.adapters.gat1049.session import Session

_MOST_SESSIONS: Final = 64

log = structlog.get_logger("gat1049")


class Reception:
    """Listens, and makes a session of each connection; who came too many is turned away.

    Parameters
    ----------
    host : str
    port : int
        0 for a free one.
    made : callable
        Gives the session of a connection.

    Raises
    ------
    OSError
        Where the port is taken.
    """

    def __init__(self, host: str, port: int, made: Callable[[socket.socket], Session]) -> None:
        self._made = made
        self._open: set[Session] = set()
        self._listening = socket.create_server((host, port))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="gat1049-door", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and end every session."""
        with contextlib.suppress(OSError):
            # Wakes the thread that waits in `accept`.
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(2.0)
        for each in list(self._open):
            each.close()

    def _run(self) -> None:
        while True:
            try:
                opened, (host, *_) = self._listening.accept()
            except OSError:
                return
            self._open = {each for each in self._open if each.alive}
            if len(self._open) >= _MOST_SESSIONS:
                log.warning("a connection was turned away", peer=host)
                opened.close()
                continue
            self._open.add(self._made(opened))
