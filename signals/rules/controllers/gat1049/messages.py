"""Messages of GA/T 1049: who to whom, with which token, in answer to which sequence, doing what.

One message is one ``Message`` element in UTF-8, cut from the stream at its end tag; nothing tells
its length beforehand. Public implementations agree on that (docs/controllers.md).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from city.errors import Invalid
from signals.rules.controllers.gat1049.nodes import MOST_BYTES, Node, branch, leaf, read, write

VERSION: Final = "2.0"
"""What the edition of 2024 says of itself."""
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>'
_END: Final = b"</Message>"
_BLANK: Final = b" \t\r\n\0"
_MOST_WORD: Final = 256
"""Characters of a token or a sequence."""


class Kind(StrEnum):
    """What a message is to the other side."""

    REQUEST = "REQUEST"
    RESPONSE = "RESPONSE"
    PUSH = "PUSH"
    """Not answered."""
    ERROR = "ERROR"


class Verb(StrEnum):
    """What a message does."""

    LOGIN = "Login"
    LOGOUT = "Logout"
    SUBSCRIBE = "Subscribe"
    UNSUBSCRIBE = "Unsubscribe"
    GET = "Get"
    SET = "Set"
    NOTIFY = "Notify"
    OTHER = "Other"


class Fault(StrEnum):
    """Why a message was not done (``ErrType``)."""

    VERSION = "SDE_Version"
    TOKEN = "SDE_Token"  # noqa: S105 - the name of an error
    ADDRESS = "SDE_Address"
    MSG_TYPE = "SDE_MsgType"
    OPER_NAME = "SDE_OperName"
    USER_NAME = "SDE_UserName"
    PASSWORD = "SDE_Pwd"  # noqa: S105 - the name of an error
    NOT_ALLOWED = "SDE_NotAllow"
    FAILURE = "SDE_Failure"
    UNKNOWN = "SDE_Unknown"


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a message."""

    system: str
    sub_system: str = ""
    instance: str = ""


PLATFORM: Final = Party("TICP")
SYSTEM: Final = Party("UTCS")
_VERBS: Final = {verb.value.lower(): verb for verb in Verb}
_KINDS: Final = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its one operation."""

    kind: Kind | None
    """None where it is none of ours."""
    sequence: str
    verb: Verb | None
    """None where it is none of ours."""
    objects: tuple[Node, ...] = ()
    token: str = ""
    sender: Party = PLATFORM
    receiver: Party = SYSTEM
    version: str = VERSION
    order: int = 1

    def reply(self, *objects: Node, token: str | None = None) -> "Message":
        """Give the answer to it."""
        return replace(
            self,
            kind=Kind.RESPONSE,
            objects=objects,
            token=self.token if token is None else token,
            sender=self.receiver,
            receiver=self.sender,
        )

    def error(self, fault: Fault, about: str, why: str) -> "Message":
        """Say that it is not done."""
        said = branch(
            "SDO_Error", leaf("ErrObj", about), leaf("ErrType", fault), leaf("ErrDesc", why)
        )
        return replace(self.reply(said), kind=Kind.ERROR, verb=self.verb or Verb.OTHER)

    def all(self, name: str) -> tuple[Node, ...]:
        """Give its objects of a name."""
        return tuple(each for each in self.objects if each.name == name)


def encode(message: Message) -> bytes:
    """Give a message as it goes over the line.

    Raises
    ------
    Invalid
        Where a text cannot be carried, or the message is too long.
    """
    operation = Node(
        "Operation",
        children=message.objects,
        attributes={"order": str(message.order), "name": message.verb or Verb.OTHER},
    )
    parts = (
        _address("From", message.sender),
        _address("To", message.receiver),
        leaf("Type", message.kind or ""),
        leaf("Seq", message.sequence),
        branch("Body", operation),
    )
    # The token stands there as a pair of tags also while there is none, as public samples have it.
    token = write(leaf("Token", message.token)) if message.token else "<Token></Token>"
    inner = "".join(write(each) for each in parts)
    text = f"<Message>{write(leaf('Version', message.version))}{token}{inner}</Message>"
    raw = _DECLARATION + text.encode()
    if len(raw) > MOST_BYTES:
        raise Invalid(f"is longer than {MOST_BYTES} bytes")
    return raw


def decode(raw: bytes) -> Message:
    """Read a message.

    Raises
    ------
    Invalid
        Where it is no message with one operation.
    """
    root = read(raw)
    if root.name != "Message":
        raise Invalid("is no message", field=root.name[:_MOST_WORD])
    operations = root.list_of("Body", "Operation")
    if len(operations) != 1:
        raise Invalid("must have one operation", field="Body")
    token, sequence, version = (root.said(name) for name in ("Token", "Seq", "Version"))
    if max(len(token), len(sequence), len(version)) > _MOST_WORD:
        raise Invalid(f"has more than {_MOST_WORD} characters", field="Seq")
    order = operations[0].attributes.get("order", "1")
    return Message(
        _KINDS.get(root.said("Type").upper()),
        sequence,
        # One public implementation writes `notify`.
        _VERBS.get(operations[0].attributes.get("name", "").lower()),
        operations[0].children,
        token,
        _party(root.first("From")),
        _party(root.first("To")),
        version,
        int(order) if order.isascii() and order.isdigit() and len(order) <= 9 else 1,  # noqa: PLR2004 - as a number's digits
    )


def _address(name: str, party: Party) -> Node:
    return branch(
        name,
        branch(
            "Address",
            leaf("Sys", party.system),
            leaf("SubSys", party.sub_system),
            leaf("Instance", party.instance),
        ),
    )


def _party(found: Node | None) -> Party:
    if found is None:
        return Party("")
    address = found.first("Address")
    if address is None:
        # A public sample has the bare name.
        return Party(found.text)
    return Party(address.said("Sys"), address.said("SubSys"), address.said("Instance"))


class Splitter:
    """Cuts a stream into messages; what grows too long without an end is thrown away."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        self.dropped = 0
        """Beginnings of messages that were too long."""

    def feed(self, piece: bytes) -> list[bytes]:
        """Give the messages that a piece completes; cost grows with the piece alone."""
        self._held += piece
        found = []
        while (at := self._held.find(_END, self._searched)) >= 0:
            end = at + len(_END)
            found.append(bytes(self._held[:end]).strip(_BLANK))
            del self._held[:end]
            self._searched = 0
        if len(self._held) > MOST_BYTES:
            self._held.clear()
            self.dropped += 1
        self._searched = max(len(self._held) - len(_END) + 1, 0)
        return found


def msg_entity(name: str, kind: Kind = Kind.PUSH, verb: Verb = Verb.NOTIFY) -> Node:
    """Give what a subscription names (``SDO_MsgEntity``)."""
    return branch(
        "SDO_MsgEntity", leaf("MsgType", kind), leaf("OperName", verb), leaf("ObjName", name)
    )


def question(name: str, identity: str, number: int | None = None) -> Node:
    """Give what is asked for (``TSCCmd``); without a number all of the kind."""
    return branch(
        "TSCCmd",
        leaf("ObjName", name),
        leaf("ID", identity),
        leaf("No", "" if number is None else number),
    )
