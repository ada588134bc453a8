"""The side that is asked: who has logged in, what they may, what they have subscribed to.

Everything is denied to who has not logged in or comes without the token; what a desk does not
offer is an error of the protocol's own, never silence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from city.errors import CityError
from signals.rules.controllers.gat1049.messages import Fault, Kind, Message, Verb
from signals.rules.controllers.gat1049.nodes import Node, branch, leaf

MOST_OBJECTS: Final = 64
"""Objects of a request."""
HEARTBEAT: Final = "SDO_HeartBeat"


class Denied(Exception):
    """Why an object is not given or done."""

    def __init__(self, fault: Fault, about: str, why: str) -> None:
        super().__init__(why)
        self.fault = fault
        self.about = about
        self.why = why


@dataclass(frozen=True, slots=True)
class Guest:
    """Who asks."""

    user: str | None = None
    """None before the log-in and after the log-out."""
    token: str = ""
    subscribed: frozenset[str] = frozenset()
    """Objects of all junctions."""
    reported: frozenset[tuple[str, str]] = frozenset()
    """Objects of one junction each, by `CrossReportCtrl`."""
    failures: int = 0
    """Log-ins that failed."""

    @property
    def names(self) -> frozenset[str]:
        """Objects that are wanted of any junction."""
        return self.subscribed | {name for name, _ in self.reported}

    def wants(self, name: str, cross: str) -> bool:
        """Say whether changes of an object are to be pushed."""
        return name in self.subscribed or (name, cross) in self.reported


@dataclass(frozen=True, slots=True)
class News:
    """An object as it is now, and by what one is told from the next."""

    name: str
    cross: str
    mark: object
    node: Node


class Desk(Protocol):
    """What is offered to who has logged in."""

    offered: frozenset[str]
    """Objects that can be subscribed to."""

    def crosses(self, user: str) -> frozenset[str]:
        """Give the junctions that a user may see."""
        ...

    def news(self, guest: Guest) -> tuple[News, ...]:
        """Give the objects that a guest wants as they are now; others are left out later."""
        ...

    def give(self, user: str, name: str, identity: str, number: int | None) -> tuple[Node, ...]:
        """Give objects. Raises Denied."""
        ...

    def take(self, user: str, wanted: tuple[Node, ...]) -> tuple[Node, ...]:
        """Do all of what is set or nothing, and give what to answer. Raises Denied."""
        ...


Admit = Callable[[str, str], str | None]
"""Gives a token for a name and a password; None where they are wrong."""


def answer(
    message: Message, guest: Guest, desk: Desk, admit: Admit
) -> tuple[Message | None, Guest]:
    """Give the answer to a message, and who the guest is from then on.

    None is answered to what is pushed, and to answers.
    """
    if message.kind in {Kind.PUSH, Kind.RESPONSE, Kind.ERROR}:
        return None, guest
    if message.kind is not None and message.verb is Verb.LOGIN:
        return _log_in(message, guest, admit)
    try:
        return _done(message, guest, _known(message, guest), desk)
    except Denied as denied:
        return message.error(denied.fault, denied.about, denied.why), guest
    except CityError as error:
        about = message.objects[0].name if message.objects else "Operation"
        return message.error(Fault.FAILURE, about, str(error)), guest


def changed(
    guest: Guest, desk: Desk, told: Mapping[tuple[str, str], object]
) -> tuple[tuple[Node, ...], dict[tuple[str, str], object]]:
    """Give what a guest has to be told now, and what it has been told by then."""
    if guest.user is None or not guest.names:
        return (), {}
    now = [each for each in desk.news(guest) if guest.wants(each.name, each.cross)]
    marks = {(each.name, each.cross): each.mark for each in now}
    fresh = tuple(
        each.node
        for each in now
        if (each.name, each.cross) not in told or told[each.name, each.cross] != each.mark
    )
    return fresh, marks


def _known(message: Message, guest: Guest) -> str:
    if message.kind is None:
        raise Denied(Fault.MSG_TYPE, "Type", "there is no such type")
    if guest.user is None or message.token != guest.token:
        raise Denied(Fault.TOKEN, "Token", "log in first")
    return guest.user


def _log_in(message: Message, guest: Guest, admit: Admit) -> tuple[Message, Guest]:
    users = message.all("SDO_User")
    name, password = ("", "")
    if len(users) == 1:
        name, password = users[0].said("UserName"), users[0].said("Pwd")
    token = admit(name, password) if name else None
    if token is None:
        # One answer to a wrong name and to a wrong password: names are not given away.
        wrong = message.error(Fault.PASSWORD, "SDO_User", "the name or the password is wrong")
        return replace(wrong, token=""), Guest(failures=guest.failures + 1)
    # The name alone: a password is not sent back.
    welcome = branch("SDO_User", leaf("UserName", name))
    return message.reply(welcome, token=token), Guest(name, token)


def _done(message: Message, guest: Guest, user: str, desk: Desk) -> tuple[Message, Guest]:
    if len(message.objects) > MOST_OBJECTS:
        raise Denied(Fault.FAILURE, "Operation", f"has more than {MOST_OBJECTS} objects")
    match message.verb:
        case Verb.LOGOUT:
            return message.reply(*message.objects), Guest()
        case Verb.GET:
            found: list[Node] = []
            for each in _needed(message, "TSCCmd"):
                wanted = (each.said("ObjName"), each.said("ID"), each.number("No") or None)
                found += desk.give(user, *wanted)
            return message.reply(*found), guest
        case Verb.SET:
            if not message.objects:
                raise Denied(Fault.FAILURE, "Operation", "has no object")
            if message.objects[0].name == "CrossReportCtrl":
                return message.reply(*message.objects), _reported(message, guest, user, desk)
            return message.reply(*desk.take(user, message.objects)), guest
        case Verb.SUBSCRIBE | Verb.UNSUBSCRIBE:
            wanted_names = frozenset(
                each.said("ObjName") for each in _needed(message, "SDO_MsgEntity")
            )
            strange = sorted(wanted_names - desk.offered)
            if strange:
                raise Denied(Fault.NOT_ALLOWED, strange[0], "is not offered for subscription")
            now = (
                guest.subscribed | wanted_names
                if message.verb is Verb.SUBSCRIBE
                else guest.subscribed - wanted_names
            )
            return message.reply(*message.objects), replace(guest, subscribed=now)
        case _:
            raise Denied(Fault.OPER_NAME, "Operation", "there is no such operation")


def _needed(message: Message, name: str) -> tuple[Node, ...]:
    found = message.all(name)
    if not found or len(found) != len(message.objects):
        raise Denied(Fault.FAILURE, "Operation", f"must have {name} alone")
    return found


def _reported(message: Message, guest: Guest, user: str, desk: Desk) -> Guest:
    reported = guest.reported
    for each in _needed(message, "CrossReportCtrl"):
        name = each.said("Type")
        crosses = {inner.text for inner in each.list_of("CrossIDList", "CrossID")}
        if name not in desk.offered or each.said("Cmd") not in {"Start", "Stop"}:
            raise Denied(Fault.NOT_ALLOWED, "CrossReportCtrl", "is not offered for reports")
        if not crosses or not crosses <= desk.crosses(user):
            raise Denied(Fault.FAILURE, "CrossReportCtrl", "there is no such junction")
        pairs = {(name, cross) for cross in crosses}
        reported = reported | pairs if each.said("Cmd") == "Start" else reported - pairs
    return replace(guest, reported=reported)
