"""A platform of another make, as small as can be: it logs in, subscribes and listens."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Self

from signals.rules.controllers.gat1049.messages import (
    Kind,
    Message,
    Splitter,
    Verb,
    decode,
    encode,
    msg_entity,
)
from signals.rules.controllers.gat1049.nodes import branch, leaf

if TYPE_CHECKING:
    from signals.rules.controllers.gat1049.nodes import Node


class Ears:
    """Who is pushed to.

    Parameters
    ----------
    port : int
    user, password : str
    """

    def __init__(self, port: int, user: str, password: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._splitter = Splitter()
        self._waiting: list[Message] = []
        said = branch("SDO_User", leaf("UserName", user), leaf("Pwd", password))
        self._socket.sendall(encode(Message(Kind.REQUEST, "1", Verb.LOGIN, (said,))))
        self.token = self._one().token
        assert self.token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def subscribe(self, name: str) -> None:
        """Subscribe, and see that it was taken."""
        asked = Message(Kind.REQUEST, "2", Verb.SUBSCRIBE, (msg_entity(name),), self.token)
        self._socket.sendall(encode(asked))
        assert self._one().kind is Kind.RESPONSE

    def next(self, name: str) -> Node:
        """Give the next object of a name that is pushed."""
        while True:
            message = self._one()
            for each in message.all(name):
                assert (message.kind, message.token) == (Kind.PUSH, self.token)
                return each

    def _one(self) -> Message:
        while not self._waiting:
            piece = self._socket.recv(65_536)
            assert piece, "closed"
            self._waiting += [decode(raw) for raw in self._splitter.feed(piece)]
        return self._waiting.pop(0)
