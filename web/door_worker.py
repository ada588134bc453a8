"""gunicorn's threaded worker, with the door for channels' notifications before its threads.

What of gunicorn it rests upon is in this module alone; `tests/web/test_notice_door.py` holds a
new version of gunicorn to it. Nothing of ours is imported before the worker is a process of its
own: the master only starts others.
"""

from __future__ import annotations

import time
from functools import partial
from selectors import EVENT_READ
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import (  # type: ignore[import-untyped] # gunicorn ships no types
    STOP_KEEPALIVE_LINGER,
    ThreadWorker,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from web.notice_door import Coming, NoticeDoor


class DoorWorker(ThreadWorker):  # type: ignore[misc] # gunicorn ships no types
    """A worker whose loop reads notifications itself; all else is for its threads."""

    door: NoticeDoor | None = None

    def run(self) -> None:
        """Serve until told to stop."""
        from web.notice_door import NoticeDoor  # noqa: PLC0415 - in the worker's own process alone

        self.door = NoticeDoor(self, self.wsgi.extensions["greenbay"])
        super().run()

    def enqueue_req(self, conn: Any) -> None:
        """Have a request answered: by the door, or by a thread."""
        if self.door is None or not self.door.admits(conn):
            super().enqueue_req(conn)

    def await_first(self, connection: Any) -> None:
        """Wait in the loop for a new connection's first bytes: a thread is for who speaks."""
        connection.timeout = time.monotonic() + self.cfg.keepalive
        self._await(connection, partial(self.on_pending_socket_readable, connection))

    def await_more(self, coming: Coming, then: Callable[[Coming], None]) -> None:
        """Wait in the loop for more of a notification, until its time is over."""
        connection = coming.connection
        connection.timeout = coming.until_s

        def more(sock: Any) -> None:
            self.poller.unregister(sock)
            self.pending_conns.remove(connection)
            then(coming)

        self._await(connection, more)

    def _await(self, connection: Any, readable: Callable[[Any], None]) -> None:
        connection.sock.setblocking(False)  # noqa: FBT003 - the standard library's own form
        self.pending_conns.append(connection)
        self.poller.register(connection.sock, EVENT_READ, readable)

    def pass_on(self, connection: Any, data: bytes) -> None:
        """Give a thread a request whose first bytes were taken from its connection."""
        connection.init()
        connection.parser.unreader.unread(data)
        connection.data_ready = True
        super().enqueue_req(connection)

    def keep(self, connection: Any) -> None:
        """Wait for the next request of a connection, or for its time to be over."""
        connection.set_timeout()
        if not self.alive:
            connection.timeout = min(connection.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        connection.data_ready = False
        self.keepalived_conns.append(connection)
        readable = partial(self.on_client_socket_readable, connection)
        self.poller.register(connection.sock, EVENT_READ, readable)

    def drop(self, connection: Any) -> None:
        """Close a connection."""
        self.nr_conns -= 1
        connection.close()
