"""What we answer a terminal: which fields of its message come back, and what we add."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from payments.rules.channel_bills.lines import CHINA
from payments.rules.pos.iso8583 import Message, Value
from payments.rules.pos.requests import Code

_ECHOED: Final = (3, 4, 11, 25, 37, 41, 42, 49, 60)
_LONGEST_WORD: Final = 40


def answer(
    request: Message, code: Code, at: datetime, added: Mapping[int, Value] | None = None
) -> Message:
    """Give the answer to a message, without its MAC.

    Parameters
    ----------
    request : Message
        What is answered; of one that could not be read its type alone.
    code : Code
        How it went.
    at : datetime
        Our time; fields 12 and 13 have it as China's.
    added : mapping or None
        Further fields.
    """
    here = at.astimezone(CHINA)
    fields: dict[int, Value] = {
        number: request.fields[number] for number in _ECHOED if number in request.fields
    }
    fields |= {12: here.strftime("%H%M%S"), 13: here.strftime("%m%d"), 39: code.value}
    return Message(answering(request.mti), {**fields, **(added or {})})


def answering(mti: str) -> str:
    """Give the type of the message that answers one: 0200 by 0210."""
    return f"{int(mti) + 10:04d}"


def word(reason: str) -> str:
    """Give a reason as field 63 carries it: for the person at the terminal."""
    return reason.encode("ascii", "replace").decode("ascii")[:_LONGEST_WORD]
