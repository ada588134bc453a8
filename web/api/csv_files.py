"""Lists as CSV for a spreadsheet: bounded, and no cell that it would take for a formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask import Response

from city.errors import Invalid
from payments.rules.channel_bills.lines import CHINA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

MOST_LINES: Final = 10_000
"""Of one file: more is asked for in parts, and nothing is left out silently."""
PAGE: Final = 500
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Item = TypeVar("Item")
Key = TypeVar("Key")
Cell = str | int | bool | None


def documented(of_what: str) -> dict[int, Any]:
    """Describe the answer for the API's document."""
    return {
        200: {
            "description": f"UTF-8 with a mark, a line a {of_what}",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    }


def harmless(cell: Cell) -> Cell:
    """Keep a spreadsheet from taking people's words for a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def local(at: datetime | None) -> str | None:
    """Write an instant as China's clocks show it, with its offset."""
    return None if at is None else at.astimezone(CHINA).isoformat()


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Answer with a file; a byte-order mark tells spreadsheets that it is UTF-8."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(columns)
    for row in rows:
        lines.writerow([harmless(cell) for cell in row])
    return Response(
        "\ufeff" + written.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def check_lines(count: int) -> None:
    """Refuse a file of more than `MOST_LINES`: nobody notices what a file leaves out.

    Raises
    ------
    Invalid
    """
    if count > MOST_LINES:
        raise Invalid("are too many for one file: ask for a shorter time", field="lines")


def every_line(
    page: Callable[[Key | None, int], tuple[list[Item], Key | None]],
) -> list[Item]:
    """Read a list page by page.

    Raises
    ------
    Invalid
        As `check_lines`.
    """
    found: list[Item] = []
    after: Key | None = None
    while True:
        items, after = page(after, PAGE)
        found += items
        if after is None:
            return found
        check_lines(len(found) + 1)
