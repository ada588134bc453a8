"""A simulated signal system a call away: messages of GA/T 1049.2 without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signals.adapters.gat1049.session import Wanted, says
from signals.adapters.gat1049.simulated import CROSS, Journal, SimulatedGat1049
from signals.rules.controllers.gat1049.desk import Guest, answer
from signals.rules.controllers.gat1049.messages import Kind, Message, Verb, decode, encode
from signals.rules.controllers.line import NoAnswer, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signals.adapters.cabinet_host import CabinetHost
    from signals.adapters.gbt20999.link import Patience
    from signals.rules.controllers.gat1049.nodes import Node


class DirectSystem:
    """Logged in; every message goes there and back as bytes."""

    def __init__(self, host: CabinetHost, journal: Journal) -> None:
        self.desk = SimulatedGat1049(host, journal)
        self.deaf = False
        self.alive = True
        self.cross = CROSS

    def ask(self, verb: Verb, *objects: Node, patience: Patience | None = None) -> Message:
        reply = self.ask_all([(verb, objects)], patience)[0]
        if reply.kind is Kind.ERROR:
            raise Refused(says(reply))
        return reply

    def ask_all(
        self,
        wanted: Sequence[Wanted],
        patience: Patience | None = None,  # noqa: ARG002 - answers at once
    ) -> list[Message]:
        if self.deaf:
            raise NoAnswer("the controller did not answer")
        replies = []
        for verb, objects in wanted:
            request = Message(Kind.REQUEST, "20261124020000000001", verb, objects, "token")
            found, _ = answer(
                decode(encode(request)),
                Guest("centre", "token"),
                self.desk,
                lambda _user, _password: None,
            )
            assert found is not None
            replies.append(decode(encode(found)))
        return replies
