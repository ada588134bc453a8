"""Lines to POS terminals: TCP, two bytes of length, one message after the other.

One task a line; messages of a line are answered in their order, those of different lines at once,
by threads, because each waits for the database. What is no frame ends the line.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from city.works import metrics
from payments.rules.pos.iso8583 import LENGTH_BYTES, MOST_BYTES

Answering = Callable[[bytes], bytes | None]
"""Answers what came after a length; None: nothing is said, the line stays."""

IDLE_S: Final = 900.0
"""A line on which nothing comes for so long is closed: terminals dial anew."""
HALF_S: Final = 20.0
"""A message that began and does not end in so long ends its line."""
MOST_LINES: Final = 4_096

log = structlog.get_logger("pos")


class PosLines:
    """A listener for terminals.

    Parameters
    ----------
    answering : Answering
        Called by a thread for each message; must not raise.
    host, port
        Where to listen; port 0 takes a free one.
    threads : int
        How many messages are answered at a time: no more than the database has connections.
    """

    def __init__(self, answering: Answering, host: str, port: int, threads: int = 8) -> None:
        self._answering = answering
        self._host = host
        self._port = port
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pos")
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            return self._port
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def open(self) -> None:
        """Listen; OSError where the port cannot be had."""
        self._server = await asyncio.start_server(
            self._line, self._host, self._port, limit=2 * MOST_BYTES
        )

    async def close(self, patience_s: float = 5.0) -> None:
        """Take no more lines, let what is being answered be answered, and close."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience_s)
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= MOST_LINES:
            writer.close()
            return
        self._tasks.add(task)
        metrics.POS_LINES.inc()
        try:
            await self._answer_all(reader, writer)
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError, asyncio.CancelledError):
            pass  # gone, silent, or we stop: the terminal dials again
        finally:
            self._tasks.discard(task)
            metrics.POS_LINES.dec()
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            async with asyncio.timeout(IDLE_S):
                prefix = await reader.readexactly(LENGTH_BYTES)
            length = int.from_bytes(prefix, "big")
            if not 0 < length <= MOST_BYTES:
                log.info("a line says what is no frame", length=length)
                return
            async with asyncio.timeout(HALF_S):
                body = await reader.readexactly(length)
            # Shielded: what was begun for a line that ends is done all the same.
            answered = await asyncio.shield(
                loop.run_in_executor(self._threads, self._answering, body)
            )
            if answered is not None:
                writer.write(answered)
                await writer.drain()


class PosHost:
    """The listener in a thread of its own, for a process that does other things as well.

    Parameters
    ----------
    lines : PosLines
    """

    def __init__(self, lines: PosLines) -> None:
        self._lines = lines
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pos-lines")

    def start(self) -> int:
        """Listen; give the port. OSError where it cannot be had."""
        self._thread.submit(self._loop.run_forever)
        asyncio.run_coroutine_threadsafe(self._lines.open(), self._loop).result()
        return self._lines.port

    def stop(self) -> None:
        """Close the lines and end the thread."""
        asyncio.run_coroutine_threadsafe(self._lines.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.shutdown(wait=True)
        self._loop.close()
