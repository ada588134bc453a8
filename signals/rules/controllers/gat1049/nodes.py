"""XML as GA/T 1049 has it: elements with text or with elements in them, and nothing else.

Document types, entities and processing instructions are refused before anything of them is
expanded; size, depth and number of elements are bounded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from city.errors import Invalid

MOST_BYTES: Final = 400_000
"""A message has 100 000 characters at most (one public implementation), of up to four bytes."""
_MOST_DEPTH: Final = 16
_MOST_ELEMENTS: Final = 20_000
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
_NO_CHARACTER: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Node:
    """An element; its text has no space around it."""

    name: str
    text: str = ""
    children: tuple["Node", ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    def first(self, name: str) -> "Node | None":
        """Give the first element of a name in it; None where there is none."""
        return next((each for each in self.children if each.name == name), None)

    def all(self, name: str) -> tuple["Node", ...]:
        """Give the elements of a name in it."""
        return tuple(each for each in self.children if each.name == name)

    def said(self, name: str) -> str:
        """Give the text of the first element of a name; empty where there is none."""
        found = self.first(name)
        return "" if found is None else found.text

    def number(self, name: str) -> int | None:
        """Give the number of an element; None where it is missing or empty.

        Raises
        ------
        Invalid
            Where it says something else than a whole number of nine digits at most.
        """
        text = self.said(name)
        if not text:
            return None
        if _NUMBER.fullmatch(text) is None:
            raise Invalid("is no whole number", field=f"{self.name}.{name}")
        return int(text)

    def needed(self, name: str) -> int:
        """Give the number of an element that must be there. Raises Invalid."""
        found = self.number(name)
        if found is None:
            raise Invalid("is missing", field=f"{self.name}.{name}")
        return found

    def list_of(self, outer: str, inner: str) -> tuple["Node", ...]:
        """Give the elements of a list (``<XList><X/>…</XList>``)."""
        found = self.first(outer)
        return () if found is None else found.all(inner)


def leaf(name: str, value: str | int = "") -> Node:
    """Give an element with a text."""
    return Node(name, str(value))


def branch(name: str, *children: Node) -> Node:
    """Give an element with elements in it."""
    return Node(name, children=children)


def write(node: Node) -> str:
    """Give an element as XML.

    Raises
    ------
    Invalid
        Where a text has a character that XML cannot carry.
    """
    if _NO_CHARACTER.search(node.text) is not None:
        raise Invalid("has a character that XML cannot carry", field=node.name)
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in node.attributes.items())
    if not node.text and not node.children:
        return f"<{node.name}{attributes}/>"
    inner = "".join(write(each) for each in node.children)
    return f"<{node.name}{attributes}>{escape(node.text)}{inner}</{node.name}>"


def read(raw: bytes) -> Node:
    """Read one element.

    Raises
    ------
    Invalid
        Where it is not one whole element in UTF-8, holds a declaration, or is beyond the bounds.
    """
    if len(raw) > MOST_BYTES:
        raise Invalid(f"is longer than {MOST_BYTES} bytes")
    reading = _Reading()
    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reading.refused
    parser.EntityDeclHandler = reading.refused
    parser.ProcessingInstructionHandler = reading.refused
    parser.StartElementHandler = reading.started
    parser.EndElementHandler = reading.ended
    parser.CharacterDataHandler = reading.said
    try:
        parser.Parse(raw, True)  # noqa: FBT003 - expat takes it by place alone
    except expat.ExpatError as error:
        raise Invalid(f"is no XML: {expat.ErrorString(error.code)}") from None
    if reading.root is None:
        raise Invalid("is no XML")
    return reading.root


@dataclass
class _Part:
    """An element whose end has not come yet."""

    name: str
    attributes: Mapping[str, str]
    texts: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)


class _Reading:
    """What has been read of a message."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[_Part] = []
        self._elements = 0

    def refused(self, *_: object) -> NoReturn:
        raise Invalid("holds a declaration or an instruction")

    def started(self, name: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS or len(self._open) >= _MOST_DEPTH:
            raise Invalid("has more elements, or deeper ones, than a message may")
        self._open.append(_Part(name, dict(attributes)))

    def said(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def ended(self, _name: str) -> None:
        part = self._open.pop()
        text = "".join(part.texts).strip()
        made = Node(part.name, text, tuple(part.children), part.attributes)
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
