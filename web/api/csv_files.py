"""Lists as CSV for a spreadsheet: bounded, and no cell that it would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask import Response

from city.errors import Invalid
from payments.rules.channel_bills.lines import CHINA
from web import access
from web.api.names import names_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

MOST_LINES: Final = 10_000
"""Of one file: more is asked for in parts, and nothing is left out silently."""
PAGE: Final = 500
_KEPT_DIGITS: Final = 15
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Item = TypeVar("Item")
Key = TypeVar("Key")
Cell = str | int | bool | None
Called = Callable[[str | None], str | None]


def documented(of_what: str) -> dict[int, Any]:
    """Describe the answer for the API's document."""
    return {
        200: {
            "description": (
                f"UTF-8 with a mark, a line a {of_what}; numbers of more than fifteen digits end "
                "in a tab, so that a spreadsheet keeps them whole"
            ),
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    }


def harmless(cell: Cell) -> Cell:
    """Keep a spreadsheet from taking people's words for a formula, or rounding a card's number.

    Numbers stay numbers. Of long ones a spreadsheet keeps fifteen digits: a tab behind makes them
    text, as in channels' own bills.
    """
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    if isinstance(cell, str) and cell.isdecimal() and len(cell) > _KEPT_DIGITS:
        return f"{cell}\t"
    return cell


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


def list_file(
    name: str,
    columns: Sequence[str],
    page: Callable[[Connection, Key | None, int], tuple[list[Item], Key | None]],
    people: Callable[[Item], Iterable[str | None]],
    row: Callable[[Item, Called], Sequence[Cell]],
) -> Response:
    """Answer with a whole list that is read page by page, a line each, staff by their names.

    Parameters
    ----------
    name, columns
        As `csv_file`.
    page : callable
        Reads so many after a key: as every list of ours is read.
    people : callable
        Gives the subjects that an item names.
    row : callable
        Writes a line; its second argument gives the name of a subject.

    Raises
    ------
    Invalid
        As `check_lines`.
    """
    with access.wiring().database.read() as connection:

        def part(last: Key | None, limit: int) -> tuple[list[Item], Key | None]:
            return page(connection, last, limit)

        found = every_line(part)
        names = names_of(connection, {one for each in found for one in people(each)})

    def called(subject: str | None) -> str | None:
        return names.get(subject or "", subject)

    return csv_file(name, columns, (row(each, called) for each in found))


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
