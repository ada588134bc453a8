"""What is on the line between the app and a handheld's device bridge: docs/bridge.md."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Final

PROTOCOL: Final = "greenbay-bridge/1"
PORT: Final = 17158
ORIGIN: Final = f"http://127.0.0.1:{PORT}"
HELLO: Final = "/bridge"
EVENTS: Final = "/bridge/events"
PRINTS: Final = "/bridge/prints"
KEEP_ALIVE_S: Final = 15.0
MOST_BYTES: Final = 65_536
MOST_LINES: Final = 120
MOST_SIGNS: Final = 500
ALIGNED: Final = ("left", "centre", "right")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is printed once under its id: lines of text, pairs, rules and one code to scan."""

    id: str
    lines: tuple[dict[str, Any], ...]

    def as_text(self, wide: int) -> list[str]:
        """Give it as lines of so many Latin characters; a code stands as its text."""
        return [row for each in self.lines for row in _rows(each, wide)]


def read_receipt(said: dict[str, Any]) -> Receipt | str:
    """Read a receipt; give what is wrong with it in words."""
    name, lines = said.get("id"), said.get("lines")
    if not isinstance(name, str) or not 1 <= len(name) <= MOST_SIGNS:
        return "id must be a text"
    if not isinstance(lines, list) or not 1 <= len(lines) <= MOST_LINES:
        return f"lines must be a list of {MOST_LINES} at most"
    for each in lines:
        if not isinstance(each, dict) or not _is_line(each):
            return "a line is a text, a pair, a rule or a code"
    return Receipt(name, tuple(lines))


def _is_line(line: dict[str, Any]) -> bool:
    match line:
        case {"text": str(said)}:
            return len(said) <= MOST_SIGNS and line.get("align", "left") in ALIGNED
        case {"pair": [str(left), str(right)]}:
            return len(left) + len(right) <= MOST_SIGNS
        case {"qr": str(said)}:
            return 1 <= len(said) <= MOST_SIGNS
        case {"rule": True}:
            return True
    return False


def _rows(line: dict[str, Any], wide: int) -> list[str]:
    if "rule" in line:
        return ["-" * wide]
    if "qr" in line:
        return [f"[{line['qr']}]"]
    if "pair" in line:
        left, right = line["pair"]
        gap = max(1, wide - width_of(left) - width_of(right))
        return [f"{left}{' ' * gap}{right}"]
    said, align = line["text"], line.get("align", "left")
    free = max(0, wide - width_of(said))
    before = {"left": 0, "centre": free // 2, "right": free}[align]
    return [f"{' ' * before}{said}"]


def width_of(said: str) -> int:
    """Give how wide a text is on a roll: Chinese signs are two wide."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in said)
