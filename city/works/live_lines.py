"""Commands to the live store at the price of a write and a read, for the busiest callers.

The client's pipelines cost some 200 microseconds of processor time each, mostly in taking a
connection from its pool and giving it back under several locks, and in telling observers. Here a
few connections are kept aside; a command goes out as it is packed and its raw answer comes back.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import redis
from hiredis import pack_command

MOST_LINES: Final = 32
"""Connections kept at most; past it a caller waits for one."""

Command = tuple[str | bytes | int | float, ...]


class LiveLines:
    """Sends commands over connections of its own. Threads share one.

    Parameters
    ----------
    live
        Client of the live store, whose settings (address, time-outs) the connections have.
    most
        Connections at most.
    """

    def __init__(self, live: redis.Redis, *, most: int = MOST_LINES) -> None:
        self._live = live
        self._idle: deque[Any] = deque()
        self._room = threading.Semaphore(most)

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands in one write and give their raw answers.

        Where the connection turns out to be broken all of them are sent again, once: they have to
        bear that.

        Raises
        ------
        redis.RedisError
            Where the store cannot be reached, or refuses one of the commands; the others may
            have been carried out.
        """
        sent = b"".join([pack_command(command) for command in commands])  # type: ignore[arg-type]  # bytes, text and numbers
        with self._room:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._live.connection_pool.get_connection()
            try:
                try:
                    return _exchange(connection, sent, len(commands))
                except redis.ConnectionError:
                    connection.disconnect()
                    return _exchange(connection, sent, len(commands))
            except redis.ResponseError:
                raise  # every answer was read: the connection is sound
            except BaseException:
                connection.disconnect()
                raise
            finally:
                self._idle.append(connection)


def _exchange(connection: Any, sent: bytes, count: int) -> list[Any]:
    connection.send_packed_command([sent], check_health=False)
    answers: list[Any] = []
    refused: redis.ResponseError | None = None
    for _ in range(count):
        try:
            answers.append(connection.read_response())
        except redis.ResponseError as error:
            refused = refused or error
    if refused is not None:
        raise refused
    return answers
